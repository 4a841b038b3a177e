package oai

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Config of a Provider.
type Config struct {
	Store   *store.Store
	Members func() []protocol.MemberID // all of the charter in force; empty: not known yet
	Now     func() time.Time           // nil: time.Now
	Log     *slog.Logger               // nil: none

	Namespace  string // a domain-like name, the same at all nodes of a federation: it is part of every identifier
	Name       string // of the repository
	AdminEmail string // empty, or of no form that the response's schema takes, such as help@localhost: postmaster at Namespace
	BaseURL    func(*http.Request) string
	Formats    []Format // oai_dc among them
	PageSize   int      // records of a page; 0: 100
	Secret     []byte   // resumption tokens are authenticated with it. nil: they end with the process
}

// Format in which records are given.
type Format struct {
	Prefix    string // metadataPrefix
	Schema    string // where its XML schema is
	Namespace string // of its root element
	// Encode writes a listing as one XML element in that namespace.
	Encode func(origin protocol.MemberID, l *protocol.Listing) ([]byte, error)
}

// Provider answers harvesters, and keeps the chronicle that says when this node learnt what.
type Provider struct {
	cfg   Config
	clock clock
	key   []byte
	batch int

	following sync.Mutex // held by who writes the chronicle

	mu       sync.Mutex
	known    map[protocol.MemberID]bool // origins that the chronicle has rows of
	dirty    map[protocol.MemberID]bool // to be followed
	first    int64                      // time of the first row ever, 0: none yet
	reserved int64                      // times up to here may have been shown as over, as far as a restart is concerned
	wake     chan struct{}
}

// New opens the chronicle. Errors say what is wrong in the configuration.
func New(cfg Config) (*Provider, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.PageSize == 0 {
		cfg.PageSize = 100
	}
	if !isEmail(cfg.AdminEmail) {
		cfg.AdminEmail = "postmaster@" + cfg.Namespace
	}
	if len(cfg.Secret) == 0 {
		cfg.Secret = make([]byte, 32)
		if _, err := rand.Read(cfg.Secret); err != nil {
			return nil, err
		}
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, cfg.Secret)
	mac.Write([]byte("tmh/oai/resumption-token/1"))
	p := &Provider{
		cfg: cfg, clock: clock{now: cfg.Now}, key: mac.Sum(nil), batch: batch,
		known: make(map[protocol.MemberID]bool), dirty: make(map[protocol.MemberID]bool), wake: make(chan struct{}, 1),
	}
	return p, cfg.Store.View(p.load)
}

func (c *Config) check() error {
	var faults protocol.Errors
	fault := func(field, message string, args ...any) {
		faults = append(faults, &protocol.Error{Code: protocol.CodeValue, Field: field, Message: fmt.Sprintf(message, args...)})
	}
	if c.Store == nil || c.Members == nil || c.BaseURL == nil {
		fault("oai", "wants a store, the members and its own address")
	}
	if !isNamespace(c.Namespace) {
		fault("oai.namespace", "%q is no name like a domain's: write one such as tmh.example.org", c.Namespace)
	}
	if strings.TrimSpace(c.Name) == "" {
		fault("oai.name", "is absent: say what harvesters shall call this repository")
	}
	if c.PageSize < 1 || c.PageSize > 1000 {
		fault("oai.page_size", "%d is not between 1 and 1000", c.PageSize)
	}
	if len(c.Secret) < 16 {
		fault("oai.secret", "has less than 16 bytes")
	}
	seen := make(map[string]bool)
	for _, f := range c.Formats {
		if !isWord(f.Prefix) || seen[f.Prefix] || f.Schema == "" || f.Namespace == "" || f.Encode == nil {
			fault("oai.formats", "%q is incomplete or there twice", f.Prefix)
		}
		seen[f.Prefix] = true
	}
	if !seen["oai_dc"] {
		fault("oai.formats", "lack oai_dc, which every repository must give")
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

// load reads what the chronicle knows as a whole.
func (p *Provider) load(tx *store.Tx) (err error) {
	if p.first, p.reserved, err = loadTimes(tx); err != nil {
		return err
	}
	p.clock.over, p.clock.last = p.reserved, p.first
	if err := tx.Rows(store.TableChronicle, "c/", "", func(key string, _ []byte) (bool, error) {
		p.known[protocol.MemberID(strings.TrimPrefix(key, "c/"))] = true
		return true, nil
	}); err != nil {
		return err
	}
	for _, s := range p.streams("") {
		key, value, err := tx.LastRow(store.TableChronicle, s.prefix())
		if err != nil {
			return err
		}
		if key == "" {
			continue
		}
		e, err := decodeEntry(key, value)
		if err != nil {
			return err
		}
		p.clock.last = max(p.clock.last, e.at)
	}
	return nil
}

// Changed says that something of an origin's catalogue was admitted. It costs next to nothing.
func (p *Provider) Changed(origin protocol.MemberID) {
	p.mu.Lock()
	p.dirty[origin] = true
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Pace of following.
const (
	followEvery = time.Second      // at most
	followRest  = 10 * time.Second // after a failure
	lookEvery   = 10 * time.Minute // at everything, told or not: members come and go
	reserve     = 60               // seconds for which one write says that they may have been shown as over
)

// Run keeps the chronicle until ctx ends. It is to be called once.
func (p *Provider) Run(ctx context.Context) {
	all := true
	for ctx.Err() == nil {
		start := time.Now()
		err := p.catchUp(ctx, all, func() { // what is durable in the store comes first: half of the time is left to others
			pause(ctx, min(time.Since(start), followEvery), nil)
			start = time.Now()
		})
		all = err != nil
		if err == nil {
			pause(ctx, followEvery, nil)
			all = !pause(ctx, lookEvery, p.wake)
			continue
		}
		if ctx.Err() == nil {
			p.cfg.Log.Warn("the OAI-PMH chronicle lags behind; it is tried again", "error", err)
		}
		pause(ctx, followRest, nil)
	}
	p.settle()
}

// pause waits for d, or until wake: then it reports true.
func pause(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-wake:
		return true
	}
	return false
}

// CatchUp brings the chronicle in line with the store at once.
func (p *Provider) CatchUp(ctx context.Context) error { return p.catchUp(ctx, true, func() {}) }

func (p *Provider) catchUp(ctx context.Context, all bool, rest func()) error {
	p.following.Lock()
	defer p.following.Unlock()
	members := make(map[protocol.MemberID]bool)
	for _, m := range p.cfg.Members() {
		members[m] = true
	}
	if len(members) == 0 {
		return nil // it would be as if all had left
	}
	p.mu.Lock()
	work := p.dirty
	p.dirty = make(map[protocol.MemberID]bool)
	if all {
		maps.Copy(work, members)
		maps.Copy(work, p.known)
	}
	p.mu.Unlock()
	var errs []error
	for _, origin := range slices.Sorted(maps.Keys(work)) {
		if err := p.follow(ctx, origin, members[origin], rest); err != nil {
			p.mu.Lock()
			p.dirty[origin] = true
			p.mu.Unlock()
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// begins notes the time of the first rows ever.
func (p *Provider) begins(tx *store.Tx, at int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.first != 0 {
		return nil
	}
	return tx.SetRow(store.TableChronicle, timesKey, encodeTimes(at, at-1))
}

// wrote says that rows of an origin were written.
func (p *Provider) wrote(origin protocol.MemberID, at int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[origin] = true
	if p.first == 0 {
		p.first = at
	}
}

// horizon is the last second that may be shown, and the time of a response.
func (p *Provider) horizon() (over, now int64) {
	over, now = p.clock.horizon()
	p.mu.Lock()
	first, short := p.first, over > p.reserved
	p.mu.Unlock()
	if short && first != 0 {
		p.reserve(over + reserve)
	}
	return over, now
}

// reserve makes durable that times up to one may have been shown as over, so that no row is given such a time after a
// restart with a clock that went back.
func (p *Provider) reserve(until int64) {
	p.mu.Lock()
	first := p.first
	p.mu.Unlock()
	if err := p.cfg.Store.Update(func(tx *store.Tx) error {
		return tx.SetRow(store.TableChronicle, timesKey, encodeTimes(first, until))
	}); err != nil {
		p.cfg.Log.Debug("the time shown to harvesters is not noted", "error", err)
		return
	}
	p.mu.Lock()
	p.reserved = until
	p.mu.Unlock()
}

// settle notes at the end what was really shown.
func (p *Provider) settle() {
	over, _ := p.clock.horizon()
	p.mu.Lock()
	noted := p.first != 0
	p.mu.Unlock()
	if noted {
		p.reserve(over)
	}
}

// streams of a set in order; "": all. A set that is not there has none.
func (p *Provider) streams(set string) (all []stream) {
	origins := p.origins()
	what, which, narrow := strings.Cut(set, ":")
	for _, o := range origins {
		for _, k := range kinds() {
			switch {
			case set == "", set == "origin", set == "kind" && k != unknownKind:
			case narrow && what == "origin" && which == string(o):
			case narrow && what == "kind" && which == string(k) && k != unknownKind:
			default:
				continue
			}
			all = append(all, stream{o, k})
		}
	}
	return all
}

// origins in order: the members, and who was one.
func (p *Provider) origins() []protocol.MemberID {
	p.mu.Lock()
	all := maps.Clone(p.known)
	p.mu.Unlock()
	for _, m := range p.cfg.Members() {
		all[m] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// DatestampOf a listing: when this node learnt what it holds of it. ok is false where the chronicle does not have it.
func (p *Provider) DatestampOf(ref match.Ref) (at time.Time, deleted, ok bool, err error) {
	var n *note
	err = p.cfg.Store.View(func(tx *store.Tx) (err error) {
		n, err = loadNote(tx, ref)
		return err
	})
	if err != nil || n == nil {
		return time.Time{}, false, false, err
	}
	return time.Unix(n.at, 0).UTC(), n.deleted, true, nil
}

// current is a listing as it may be shown now, nil where there is none.
func (p *Provider) current(tx *store.Tx, ref match.Ref) (*protocol.Listing, *protocol.Change, error) {
	c, err := tx.Record(ref.Origin, ref.ID.Key())
	if err != nil || c == nil || !slices.Contains(p.cfg.Members(), ref.Origin) {
		return nil, nil, err
	}
	l, _, err := exchange.Open(c)
	if err != nil {
		l = nil // signed, but no valid listing
	}
	return l, c, nil
}
