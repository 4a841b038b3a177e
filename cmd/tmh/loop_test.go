package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

// A wish is one change that a writer asked for. Its version stands in the listing's title.
type wish struct {
	version  int
	withdraw bool
}

// A fact is what must stand at the origin under an id: the newest change that was acknowledged, or one of those asked for
// since that no answer came to.
type fact struct {
	at        protocol.Position // of the newest acknowledged change; zero: none was
	header    protocol.Hash
	withdrawn bool
	open      []wish
	touched   bool // since it was last looked at
}

// An author is a member of the kill loop: its node over many lives, and what that acknowledged.
type author struct {
	member string
	client *http.Client
	proc   *process // of the goroutine that kills

	gate   sync.RWMutex // held to read while a change is asked for, and to write while facts are looked at
	mu     sync.Mutex   // guards what follows
	facts  map[string]*fact
	given  map[uint64]protocol.Hash // header by position's seq: none is given twice
	faults []error

	acks, unanswered, refusals atomic.Int64
	adopted                    int // unanswered changes that were found taken
}

// TestKillLoop is the short form of TestSoakKillLoop.
func TestKillLoop(t *testing.T) {
	if testing.Short() {
		t.Skip("kills nodes for 20 seconds")
	}
	t.Parallel()
	killLoop(t, 20*time.Second)
}

// TestSoakKillLoop kills for TMH_KILL_FOR, or 10 minutes.
func TestSoakKillLoop(t *testing.T) {
	if os.Getenv("TMH_SOAK") == "" {
		t.Skip("make soak runs it: TMH_SOAK is not set")
	}
	length := 10 * time.Minute
	if s := os.Getenv("TMH_KILL_FOR"); s != "" {
		var err error
		if length, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	killLoop(t, length)
}

// killLoop kills nodes of a federation under load, one or several at once, starts them again, and looks for everything that was
// acknowledged: after each death at its origin, and at the end in every copy.
func killLoop(t *testing.T, length time.Duration) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("TMH_SEED"); s != "" {
		if _, err := fmt.Sscan(s, &seed); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("TMH_SEED=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 5))
	authors := newAuthors(t)
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	defer writers.Wait()
	defer stop()
	for _, a := range authors {
		for w := range 2 {
			rng := rand.New(rand.NewPCG(rng.Uint64(), uint64(w)))
			writers.Go(func() { a.write(ctx, fmt.Sprintf("%s-%d", a.member, w), rng) })
		}
	}

	var kills, deaths, all, starting int
	begin := time.Now()
	for ; time.Since(begin) < length; kills++ {
		progress(t, authors)
		<-time.After(time.Duration(rng.IntN(800)) * time.Millisecond) // not a wait for anything: the point of the kill
		victims := authors
		if n := rng.IntN(10); n < 8 {
			rng.Shuffle(len(authors), func(i, j int) { authors[i], authors[j] = authors[j], authors[i] })
			victims = authors[:1+n/7]
		} else {
			all++
		}
		endAll(t, victims)
		deaths += len(victims)
		restart(t, victims)
		if rng.IntN(6) == 0 { // in the midst of starting
			<-time.After(time.Duration(rng.IntN(200)) * time.Millisecond) // as above
			endAll(t, victims)
			restart(t, victims)
			deaths += len(victims)
			starting++
		}
		for _, a := range victims {
			a.proc.ready(t)
			a.look(t, false)
		}
	}
	stop()
	writers.Wait()
	nodes := make([]*process, len(authors))
	for i, a := range authors {
		nodes[i] = a.proc
	}
	equal := agree(t, nodes, time.Minute)
	ids, acks, unanswered, adopted, refusals := 0, 0, 0, 0, 0
	for _, a := range authors {
		a.look(t, true)
		for _, p := range nodes {
			a.compare(t, p)
		}
		ids, acks, unanswered, adopted, refusals = ids+len(a.facts), acks+int(a.acks.Load()), unanswered+int(a.unanswered.Load()), adopted+a.adopted, refusals+int(a.refusals.Load())
	}
	for _, p := range nodes {
		p.stop(t)
		verified(t, p.dir)
	}
	t.Logf("%s: %d kills of %d processes, %d times all at once, %d while starting; %d acknowledgements over %d listings, all found; %d changes in flight, of which %d were taken; %d refused for the time being; equal and proven %s after the last",
		time.Since(begin).Round(time.Second), kills, deaths, all, starting, acks, ids, unanswered, adopted, refusals, equal.Round(time.Millisecond))
	if acks < 20*kills || kills < 3 {
		t.Errorf("%d kills and %d acknowledgements show little", kills, acks)
	}
}

func newAuthors(t *testing.T) []*author {
	t.Helper()
	members := []string{"kh", "la", "my"}
	addresses := make([][]string, len(members))
	for i := range addresses {
		port, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		addresses[i] = []string{fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", port), fmt.Sprintf("/ip4/127.0.0.1/udp/%d/quic-v1", port)}
	}
	dirs := foundTogether(t, t.TempDir(), members, func(i int) []string { return addresses[i] })
	authors := make([]*author, len(members))
	for i, dir := range dirs {
		authors[i] = &author{member: strings.ToUpper(members[i]), client: socketClient(dir), proc: start(t, dir),
			facts: make(map[string]*fact), given: make(map[uint64]protocol.Hash)}
		t.Cleanup(authors[i].client.CloseIdleConnections)
	}
	return authors
}

// progress waits for some acknowledgements by the nodes together, so that every kill meets work.
func progress(t *testing.T, authors []*author) {
	t.Helper()
	const some, within = 25, 90 * time.Second
	sum := func() (n int64) {
		for _, a := range authors {
			n += a.acks.Load()
		}
		return n
	}
	for before, end := sum(), time.Now().Add(within); sum() < before+some; <-time.After(pollEvery) {
		if time.Now().After(end) {
			for _, a := range authors {
				var h exchange.Health
				err := a.proc.get("/api/v1/health", &h)
				t.Logf("%s: %+v %v", a.member, h, err)
			}
			t.Fatalf("%d acknowledgements in %s", sum()-before, within)
		}
	}
}

func endAll(t *testing.T, victims []*author) {
	t.Helper()
	for _, a := range victims {
		if err := a.proc.cmd.Process.Kill(); err != nil {
			t.Fatalf("%s: %v\n%s", a.member, err, &a.proc.log)
		}
	}
	for _, a := range victims {
		if err := a.proc.end(os.Kill); err == nil {
			t.Fatal("a killed node exited with 0")
		}
	}
}

func restart(t *testing.T, victims []*author) {
	t.Helper()
	for _, a := range victims {
		a.proc = start(t, a.proc.dir)
	}
}

// write asks for one change after another until ctx ends, over all of the node's lives.
func (a *author) write(ctx context.Context, name string, rng *rand.Rand) {
	const most = 200 // current listings
	var mine []string
	pace := time.Duration(0)
	for version := 1; ctx.Err() == nil; version++ {
		if version%50 == 0 { // bursts and trickles
			pace = []time.Duration{0, 5, 20}[rng.IntN(3)] * time.Millisecond
		}
		i := len(mine)
		if n := rng.IntN(10); n > 3 && i > 0 || i == most {
			i = rng.IntN(len(mine))
		} else {
			mine = append(mine, fmt.Sprintf("%s-%d", name, version))
		}
		w := wish{version, i < len(mine)-1 && rng.IntN(12) == 0}
		gone, err := a.ask(mine[i], w, 50+rng.IntN(1500))
		if gone {
			mine[i] = mine[len(mine)-1]
			mine = mine[:len(mine)-1]
		}
		if err != nil {
			a.mu.Lock()
			a.faults = append(a.faults, err)
			a.mu.Unlock()
			return
		}
		<-time.After(pace) // the load that is wanted
	}
}

// ask sends a change and notes what came of it; gone means that the id is of no more use. An error is a promise that the node
// broke, or a refusal that it should not have made.
func (a *author) ask(id string, w wish, size int) (gone bool, _ error) {
	a.gate.RLock()
	defer a.gate.RUnlock()
	a.mu.Lock()
	f := a.facts[id]
	if f == nil {
		f = &fact{}
		a.facts[id] = f
	}
	if f.withdrawn { // found so after a kill
		a.mu.Unlock()
		return true, nil
	}
	f.open = append(f.open, w)
	f.touched = true
	a.mu.Unlock()

	p := process{http: a.client}
	var r exchange.Receipt
	var err error
	if w.withdraw {
		r, err = p.withdraw(id)
	} else {
		r, err = p.publish(listing(id, title(w.version), size))
	}
	var no refused
	var unsent *net.OpError
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case err == nil:
		a.acks.Add(1)
		return w.withdraw, a.acknowledged(id, f, w, r)
	case errors.As(err, &unsent) && unsent.Op == "dial":
		f.open = f.open[:len(f.open)-1]
		a.pause()
		return false, nil
	case !errors.As(err, &no):
		a.unanswered.Add(1)
		a.pause()
		return false, nil
	case no.forNow():
		f.open = f.open[:len(f.open)-1] // what is refused is not taken
		a.refusals.Add(1)
		a.pause()
		return false, nil
	case no.status == http.StatusGone && mayBeWithdrawn(f):
		return true, nil
	case no.status == http.StatusNotFound && w.withdraw && f.at.Seq == 0: // its first publication was lost in flight
		f.open = f.open[:len(f.open)-1]
		return false, nil
	}
	return false, fmt.Errorf("%s %+v was refused: %w", id, w, no)
}

// pause keeps a writer from asking a node in vain as fast as it can.
func (a *author) pause() {
	a.mu.Unlock()
	<-time.After(pollEvery)
	a.mu.Lock()
}

func title(version int) string { return fmt.Sprintf("Version %d", version) }

func mayBeWithdrawn(f *fact) bool {
	for _, w := range f.open {
		if w.withdraw {
			return true
		}
	}
	return f.withdrawn
}

// acknowledged notes a receipt. It is called with mu held.
func (a *author) acknowledged(id string, f *fact, w wish, r exchange.Receipt) error {
	if r.Position.Compare(f.at) <= 0 || r.Outcome == exchange.Unchanged {
		return fmt.Errorf("%s %+v was acknowledged as %s at %s, after %s", id, w, r.Outcome, r.Position, f.at)
	}
	*f = fact{at: r.Position, header: r.Header, withdrawn: w.withdraw, touched: true}
	return a.once(r.Position, r.Header)
}

// once refuses a position that was given to another change before.
func (a *author) once(at protocol.Position, header protocol.Hash) error {
	if have, ok := a.given[at.Seq]; ok && have != header {
		return fmt.Errorf("%s gave %s to two changes: %s and %s", a.member, at, have.Short(), header.Short())
	}
	a.given[at.Seq] = header
	return nil
}

// look compares with the running node what was touched since the last look, or everything, and takes what it finds of
// unanswered changes for acknowledged: nobody may lose it from now on.
func (a *author) look(t *testing.T, everything bool) {
	t.Helper()
	a.gate.Lock()
	defer a.gate.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, err := range a.faults {
		t.Error(err)
	}
	if t.Failed() {
		t.FailNow()
	}
	for id, f := range a.facts {
		if !f.touched && !everything {
			continue
		}
		e, status, err := a.entry(a.proc, id)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.settle(id, f, e, status); err != nil {
			t.Error(err)
		}
		if f.at.Seq == 0 {
			delete(a.facts, id) // nothing of it was ever taken
		}
	}
	if t.Failed() {
		t.Fatalf("%s lost or invented changes", a.member)
	}
}

// settle judges what stands under an id, and leaves f without open wishes.
func (a *author) settle(id string, f *fact, e exchange.Entry, status int) error {
	was := *f
	f.open, f.touched = nil, false
	switch {
	case status == http.StatusOK && e.Header == was.header && e.Position == was.at && !was.withdrawn:
		return nil
	case status == http.StatusGone && was.withdrawn:
		return nil
	case status == http.StatusNotFound && was.at.Seq == 0:
		return nil
	case status == http.StatusGone && mayBeWithdrawn(&was):
		f.withdrawn = true
		f.at = protocol.Position{Epoch: 1, Seq: max(was.at.Seq, 1)} // somewhere above: a tombstone is shown without its place
		a.adopted++
		return nil
	case status == http.StatusOK && !was.withdrawn && e.Listing != nil && e.Position.Compare(was.at) > 0:
		for _, w := range was.open {
			if !w.withdraw && e.Listing.Texts["en"].Title == title(w.version) {
				f.at, f.header = e.Position, e.Header
				a.adopted++
				return a.once(e.Position, e.Header)
			}
		}
	}
	return fmt.Errorf("%s/%s was acknowledged as %s at %s (withdrawn: %t), with %+v in flight: now %d, %s at %s",
		a.member, id, was.header.Short(), was.at, was.withdrawn, was.open, status, e.Header.Short(), e.Position)
}

// compare looks for everything at a node that holds a copy.
func (a *author) compare(t *testing.T, p *process) {
	t.Helper()
	for id, f := range a.facts {
		e, status, err := a.entry(p, id)
		if err != nil {
			t.Fatal(err)
		}
		same := status == http.StatusOK && e.Header == f.header && e.Position == f.at
		if f.withdrawn {
			same = status == http.StatusGone
		}
		if !same {
			t.Errorf("%s/%s stands at %s (withdrawn: %t); in %s it is %d at %s", a.member, id, f.at, f.withdrawn, p.dir, status, e.Position)
		}
	}
}

func (a *author) entry(p *process, id string) (e exchange.Entry, status int, err error) {
	status, b, err := ask(p.http, http.MethodGet, "/api/v1/listings/"+a.member+"/"+id, nil)
	if err == nil && status == http.StatusOK {
		err = json.Unmarshal(b, &e)
	}
	return e, status, err
}
