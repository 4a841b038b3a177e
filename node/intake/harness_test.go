package intake

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/exchange/exchangetest"
	"github.com/asean-tmh/tmh/node/intake/mapping"
	"github.com/asean-tmh/tmh/node/oai/harvest"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

const (
	member = protocol.MemberID("KH")
	org    = access.OrganisationID("oITC")
	other  = access.OrganisationID("oRUPP")
)

var (
	editor   = access.Actor{User: "u-editor", Organisation: org, Country: "KH", Member: member, Roles: []access.Role{access.Editor}}
	stranger = access.Actor{User: "u-stranger", Organisation: other, Country: "KH", Member: member, Roles: []access.Role{access.Editor}}
	admin    = access.Actor{User: "u-admin", Organisation: "oAGENCY", Country: "KH", Member: member, Roles: []access.Role{access.Admin}}
)

// office is a node's imports over a real store, real postings and the real desk.
type office struct {
	t testing.TB
	*Imports
	dir      string
	store    *store.Store
	postings *posting.Postings
	journal  *exchangetest.Journal
	limits   Limits
	hook     func(at string, job JobID) error
	pause    time.Duration
	group    int // rows; 0: as ever

	mu      sync.Mutex // guards what follows
	clock   time.Time
	gone    map[access.UserID]bool
	revoked map[access.TokenID]bool
	events  []Event
	bulk    []bool

	stop func()
	done chan struct{}
}

func newOffice(t testing.TB, dir string) *office {
	t.Helper()
	o := &office{t: t, dir: dir, clock: time.Date(2026, 9, 21, 8, 0, 0, 0, time.UTC), gone: map[access.UserID]bool{}, revoked: map[access.TokenID]bool{}, pause: 5 * time.Millisecond}
	o.open()
	t.Cleanup(func() { o.halt(); _ = o.store.Close() })
	return o
}

func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.clock
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clock = o.clock.Add(d)
}

func (o *office) open() {
	o.t.Helper()
	s, err := store.Open(store.Config{Dir: filepath.Join(o.dir, "db"), Memtable: 16 << 20, MinFree: 1})
	if err != nil {
		o.t.Fatal(err)
	}
	seed := sha256.Sum256([]byte("record key of KH"))
	o.store, o.journal = s, &exchangetest.Journal{Member: member, Store: s, Signer: protocol.NewSigner(ed25519.NewKeyFromSeed(seed[:]))}
	o.postings, err = posting.New(posting.Config{
		Store: s, Member: member, Desk: exchange.NewDesk(member, nil, o.journal, nil, o.now), Now: o.now,
		Standing: func(*store.Tx, access.OrganisationID) (posting.Standing, error) {
			return posting.Standing{LastScore: 15, SelfPublish: true}, nil
		},
		SetStanding: func(*store.Tx, access.OrganisationID, posting.Standing) error { return nil },
	})
	if err != nil {
		o.t.Fatal(err)
	}
	if err := o.postings.Resume(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
	loopback := func(a netip.Addr) bool { return a.IsLoopback() }
	o.Imports, err = New(Config{
		Store: s, Dir: filepath.Join(o.dir, "imports"), Member: member, Now: o.now, Postings: o.postings, Limits: o.limits,
		Actor: func(id access.UserID, token access.TokenID) (access.Actor, error) {
			o.mu.Lock()
			defer o.mu.Unlock()
			if token != "" && o.revoked[token] {
				return access.Actor{}, protocol.Errorf(protocol.CodeNotPermitted, "", "this token is not known here, or was revoked")
			}
			for _, a := range []access.Actor{editor, stranger, admin} {
				if a.User == id {
					if o.gone[id] {
						a.Roles = nil
					}
					if a.Token = token; token != "" {
						a.Scopes = []access.Scope{access.ScopeRead, access.ScopeWrite}
					}
					return a, nil
				}
			}
			return access.Actor{}, protocol.Errorf(protocol.CodeNotFound, "user", "nobody")
		},
		Organisation: func(id access.OrganisationID) (Organisation, error) {
			if id != org && id != other {
				return Organisation{}, protocol.Errorf(protocol.CodeNotFound, "organisation", "there is no such organisation")
			}
			return Organisation{Name: "Institute of Technology", Type: "university", Country: "KH"}, nil
		},
		Audit: func(_ *store.Tx, e Event) error {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.events = append(o.events, e)
			return nil
		},
		Bulk: func(on bool) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.bulk = append(o.bulk, on)
		},
		Harvester: &harvest.Client{Allow: loopback, Backoff: time.Millisecond},
	})
	if err != nil {
		o.t.Fatal(err)
	}
	o.Imports.hook, o.Imports.pause, o.Imports.beat = o.hook, o.pause, time.Millisecond
	if o.group > 0 {
		o.Imports.group = o.group
	}
}

// run the imports until halt.
func (o *office) run() {
	ctx, stop := context.WithCancel(context.Background())
	done, p := make(chan struct{}), o.Imports
	o.stop, o.done = stop, done
	go func() {
		defer close(done)
		if err := p.Run(ctx); err != nil {
			o.t.Error(err)
		}
	}()
}

func (o *office) halt() {
	if o.stop != nil {
		o.stop()
		<-o.done
		o.stop = nil
	}
}

// crash leaves everything as it lies on the disk, and starts anew.
func (o *office) crash() {
	o.t.Helper()
	o.halt()
	if err := o.store.Close(); err != nil {
		o.t.Fatal(err)
	}
	o.open()
}

// until waits for a job to be in one of the states.
func (o *office) until(id JobID, states ...State) (j Job) {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), time.Minute)
	defer cancel()
	found := errors.New("found")
	err := o.Watch(ctx, admin, id, func(x Job) error {
		if j = x; slices.Contains(states, x.State) {
			return found
		}
		return nil
	})
	if !errors.Is(err, found) {
		o.t.Fatalf("job %+v: %v, want %v", j, err, states)
	}
	return j
}

// import carries one file through to its end.
func (o *office) importing(file string, u UploadOptions) Job {
	o.t.Helper()
	return o.until(o.upload(file, u).ID, Done, Failed, Cancelled, Waiting)
}

func (o *office) upload(file string, u UploadOptions) Job {
	o.t.Helper()
	if u.Filename == "" {
		u.Filename = "offers.csv"
	}
	j, err := o.Upload(o.t.Context(), editor, org, bytes.NewReader([]byte(file)), u)
	if err != nil {
		o.t.Fatal(err)
	}
	return j
}

func (o *office) rows(id JobID, outcomes ...posting.ImportOutcome) (all []Row) {
	o.t.Helper()
	for at := int64(0); ; {
		page, err := o.Rows(editor, id, outcomes, at, 100)
		if err != nil {
			o.t.Fatal(err)
		}
		all = append(all, page.Rows...)
		if at = page.Next; at == 0 {
			return all
		}
	}
}

// listings that the catalogue has now.
func (o *office) listings() (n int) {
	o.t.Helper()
	err := o.store.View(func(tx *store.Tx) error {
		return tx.Records(member, "", func(c *protocol.Change) (bool, error) {
			if l, _, err := exchange.Open(c); err == nil && l != nil {
				n++
			}
			return true, nil
		})
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return n
}

// simple is a mapping of the files of these tests.
func simple() mapping.Mapping {
	return mapping.Mapping{Title: "A list of offers", ID: []string{"number"}, Rules: []mapping.Rule{
		{To: "listing.kind", Constant: string(protocol.TechnologyOffer)},
		{To: "listing.texts.en.title", From: []string{"name"}},
		{To: "listing.texts.en.abstract", From: []string{"summary"}},
		{To: "listing.trl", From: []string{"readiness"}},
		{To: "listing.ford", Constant: "2.11"},
		{To: "record.texts.en.description", From: []string{"details"}},
		{To: "listing.ipr", Constant: "none"},
	}}
}

func (o *office) keep(name string, m mapping.Mapping) Saved {
	o.t.Helper()
	s, err := o.SaveMapping(editor, org, name, m, 0)
	if err != nil {
		o.t.Fatal(err)
	}
	return s
}

// offer is a row of a file.
type offer struct{ number, name, summary, readiness, details string }

func offers(from, to int) (all []offer) {
	for i := from; i < to; i++ {
		all = append(all, offer{fmt.Sprintf("A-%05d", i), fmt.Sprintf("Dryer number %d", i), "Dries a batch of nuts in six hours.", fmt.Sprint(1 + i%9), "Air is heated below a black plate."})
	}
	return all
}

func file(all ...offer) string {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"number", "name", "summary", "readiness", "details", "colour"})
	for _, x := range all {
		_ = w.Write([]string{x.number, x.name, x.summary, x.readiness, x.details, "green"})
	}
	w.Flush()
	return b.String()
}

func wantCode(t testing.TB, what string, err error, code protocol.Code) {
	t.Helper()
	if protocol.CodeOf(err) != code {
		t.Errorf("%s: %v, want %q", what, err, code)
	}
}

func wantCounts(t testing.TB, j Job, want Counts) {
	t.Helper()
	if j.Counts != want {
		t.Errorf("%s job %s: %+v, want %+v (error %v)", j.State, j.Filename, j.Counts, want, j.Error)
	}
}

// alike is a report without what chance decides.
func alike(rows []Row) string {
	var b bytes.Buffer
	for _, r := range rows {
		r.Listing = ""
		line, _ := json.Marshal(r)
		b.Write(append(line, '\n'))
	}
	return b.String()
}

// after is a hook that kills a job the nth time it is at a point.
func after(n int64) (hook func(string, JobID) error, reached *atomic.Int64) {
	reached = new(atomic.Int64)
	return func(string, JobID) error {
		if reached.Add(1) == n {
			return errKilled
		}
		if reached.Load() > n { // dead is dead
			return errKilled
		}
		return nil
	}, reached
}

// files in the folder of imports.
func (o *office) files() (all []string) {
	o.t.Helper()
	paths, err := filepath.Glob(filepath.Join(o.dir, "imports", "*.*"))
	if err != nil {
		o.t.Fatal(err)
	}
	for _, p := range paths {
		all = append(all, filepath.Base(p))
	}
	return all
}

// poll is for what no signal tells.
func (o *office) poll() <-chan time.Time { return time.After(5 * time.Millisecond) }

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\ngot  %s\nwant %s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(a), len(b))
}
