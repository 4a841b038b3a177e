package sim

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/node/p2p"
	"github.com/asean-tmh/tmh/protocol"
)

// A liar is a member with real keys and a real place in the network, but no node: it keeps every catalogue as it hears
// of it, answers by hand, and lies as it is told (lies_test.go). Told "honest", it does what a simple node would do.
type liar struct {
	p      *play
	id     protocol.MemberID
	seat   founding.Seat
	noise  *noise // live's; nil: none
	roster *protocol.Roster
	net    *p2p.Net
	done   chan struct{} // closed when it ends

	mu      sync.Mutex
	rnd     *rand.Rand
	how     lie
	changed chan struct{} // closed when how changes
	n       int           // of the lie: how many
	made    int
	shelves map[protocol.MemberID]*shelf
	other   *shelf // its second history, while it shows two
	old     map[protocol.MemberID]*shelf
	heads   map[protocol.MemberID]*protocol.SignedHead
	counter uint64
	stolen  map[protocol.MemberID]*protocol.Signer // record keys of others
	keeps   map[protocol.MemberID]bool             // whose catalogue it forged: it draws that no more
}

// shelf is a catalogue as a liar keeps it.
type shelf struct {
	newest map[protocol.RecordKey]*protocol.Change
	head   *protocol.SignedHeader // nil: empty
	hash   protocol.SetHash
}

func newShelf() *shelf { return &shelf{newest: make(map[protocol.RecordKey]*protocol.Change)} }

func (s *shelf) clone() *shelf {
	c := *s
	c.newest = maps.Clone(s.newest)
	return &c
}

func (s *shelf) pos() protocol.Position {
	if s == nil || s.head == nil {
		return protocol.Start
	}
	return s.head.Pos
}

func (s *shelf) put(c *protocol.Change) {
	if old := s.newest[c.RecordKey]; old != nil {
		s.hash.Remove(old.Element())
	}
	s.hash.Add(c.Element())
	s.newest[c.RecordKey] = c
	if c.Pos.Compare(s.pos()) > 0 {
		s.head = &c.SignedHeader
	}
	for key, old := range s.newest {
		if old.Kind == protocol.Withdraw && old.Pos.Seq <= c.Floor && old != c {
			s.hash.Remove(old.Element())
			delete(s.newest, key)
		}
	}
}

// above is the feed above a position.
func (s *shelf) above(pos protocol.Position) (all []*protocol.Change) {
	for _, c := range s.newest {
		if c.Pos.Compare(pos) > 0 {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *protocol.Change) int { return a.Pos.Compare(b.Pos) })
	return all
}

// newLiar puts a liar in a member's place, honest at first.
func newLiar(p *play, m protocol.MemberID) (*liar, error) {
	l := &liar{
		p: p, id: m, seat: p.f.seats[m], roster: p.model.roster, done: make(chan struct{}),
		rnd: rand.New(rand.NewPCG(p.script.cfg.Seed, 3)), how: lie{name: "honest"}, changed: make(chan struct{}),
		shelves: make(map[protocol.MemberID]*shelf), heads: make(map[protocol.MemberID]*protocol.SignedHead),
		stolen: make(map[protocol.MemberID]*protocol.Signer), keeps: make(map[protocol.MemberID]bool),
	}
	for _, id := range p.f.ids {
		l.shelves[id] = newShelf()
	}
	i := p.f.index(m)
	var err error
	l.net, err = p2p.New(p2p.Config{
		Member: m, Key: l.seat.Transport, Listen: []string{address(i)}, Roster: l.roster,
		ListenUDP: func(a *net.UDPAddr) (net.PacketConn, error) { return p.f.net.plug(i, a), nil },
	})
	if err != nil {
		return nil, err
	}
	l.sign(l.shelves[m].pos(), protocol.Hash{})
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		if err := l.net.Run(ctx, l); err != nil {
			p.t.Errorf("%s: %v", m, err)
		}
	})
	all.Go(func() { l.live(ctx) })
	p.t.Cleanup(func() { // before the federation's, which closes the network
		close(l.done)
		stop()
		all.Wait()
	})
	return l, nil
}

func readLie(a *args) act {
	m, how := a.member(), a.word("a lie")
	if m != "" && !slices.Contains(a.script.cfg.Liars, m) {
		a.fail("%s is no liar: say so at the top", m)
	}
	all := lies()
	maps.Copy(all, forgeries())
	x, ok := all[how]
	x.name = how
	if how != "" && !ok {
		a.fail("nobody lies by %q; there are %s", how, strings.Join(slices.Sorted(maps.Keys(all)), ", "))
	}
	n := 0
	if x.many {
		n = a.count(1, 1000)
	}
	return func(p *play) error { p.liars[m].begin(x, n); return nil }
}

// begin begins another way to lie.
func (l *liar) begin(how lie, n int) {
	l.mu.Lock()
	l.how, l.n = how, n
	close(l.changed)
	l.changed = make(chan struct{})
	if l.old = make(map[protocol.MemberID]*shelf); how.begin != nil {
		how.begin(l)
	}
	l.mu.Unlock()
	if how.name == "honest" {
		l.announce()
	}
}

// live is what a liar does unasked: every few seconds it tells all what it holds, and draws what it lacks.
func (l *liar) live(ctx context.Context) {
	defer l.hush()
	for round := 0; ; round++ {
		l.mu.Lock()
		how, changed, pace := l.how, l.changed, 3*time.Second
		if how.each != nil && how.many {
			pace = time.Second / time.Duration(l.n)
		}
		l.mu.Unlock()
		if how.name != "noise" {
			l.hush()
		}
		if how.each != nil {
			how.each(l, ctx, round)
		} else if !how.silent {
			l.meet(ctx)
		}
		if round%200 == 199 && how.name == "honest" {
			l.announce()
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-time.After(pace):
		}
	}
}

// meet exchanges vectors with everybody and draws what others hold beyond it.
func (l *liar) meet(ctx context.Context) {
	for _, m := range l.net.Connected() {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		var theirs []protocol.Claim
		if err := l.net.Ask(ctx, m, &protocol.Request{Kind: protocol.AskVector, Vector: l.vector(m)}, func(a *protocol.Answer) error {
			theirs = a.Vector
			return nil
		}); err == nil {
			for _, c := range theirs {
				l.mu.Lock()
				have, keeps := l.shelves[c.Origin], l.keeps[c.Origin]
				l.mu.Unlock()
				if c.Origin != l.id && have != nil && !keeps && c.Pos.Compare(have.pos()) > 0 {
					l.draw(ctx, m, c.Origin)
				}
			}
		}
		cancel()
	}
}

// draw takes a feed as it comes: whoever lies needs no proof.
func (l *liar) draw(ctx context.Context, m, origin protocol.MemberID) {
	l.mu.Lock()
	next := l.shelves[origin].clone()
	l.mu.Unlock()
	r := &protocol.Request{Kind: protocol.AskChanges, Origin: origin, Proven: protocol.Start, Cursor: next.pos()}
	if next.head != nil {
		r.Proven, r.Header = next.head.Pos, next.head.Raw
	}
	err := l.net.Ask(ctx, m, r, func(a *protocol.Answer) error {
		if a.Refused == protocol.CodeRestart {
			next = newShelf() // from the beginning, the next time
		}
		for _, b := range a.Changes {
			c, err := protocol.DecodeChange(b)
			if err != nil {
				return err
			}
			next.put(c)
		}
		return nil
	})
	if err == nil {
		l.mu.Lock()
		l.shelves[origin] = next
		l.mu.Unlock()
	}
}

// publish signs n listings. What becomes of them depends on the lie; an honest liar gossips each.
func (l *liar) publish(n int) error {
	var fresh []*protocol.Change
	l.mu.Lock()
	for range n {
		c, err := l.author(l.shelves[l.id], "")
		if err != nil {
			l.mu.Unlock()
			return err
		}
		fresh = append(fresh, c)
	}
	for i := 0; l.other != nil && i <= n; i++ { // one more, so that who is shown one history meets who is shown the other
		if _, err := l.author(l.other, "another"); err != nil {
			l.mu.Unlock()
			return err
		}
	}
	quiet, hide := l.how.quiet, l.other != nil || l.how.silent
	l.mu.Unlock()
	if !quiet {
		for _, c := range fresh {
			_ = l.net.PublishChanges(context.Background(), []*protocol.Change{c}) // gossip promises nothing
		}
	}
	if !hide {
		l.announce()
	}
	return nil
}

// author signs the next change of one of its histories: a new listing, or a revision of the one named. The caller holds
// l.mu.
func (l *liar) author(s *shelf, what string) (*protocol.Change, error) {
	l.made++
	id := protocol.ListingID(fmt.Sprintf("%s-%d", l.id, l.made))
	if what != "" {
		id = protocol.ListingID(fmt.Sprintf("%s-%s", l.id, what))
	}
	listing := &protocol.Listing{ID: id, Kind: protocol.TechnologyOffer, Country: "XX", Demonstration: true,
		Texts: map[protocol.Lang]protocol.Text{"en": {Title: fmt.Sprintf("Claim %d of %s", l.made, l.id)}}}
	return l.change(s, id.Key(), listing.Encode())
}

func (l *liar) change(s *shelf, key protocol.RecordKey, body []byte) (*protocol.Change, error) {
	return l.changeOf(l.id, l.seat.Record, s, key, body)
}

func (l *liar) changeOf(origin protocol.MemberID, by *protocol.Signer, s *shelf, key protocol.RecordKey, body []byte) (*protocol.Change, error) {
	h := protocol.Header{
		Federation: l.roster.Federation(), Origin: origin, CharterVersion: 1, Pos: protocol.Position{Epoch: 1, Seq: s.pos().Seq + 1},
		RecordKey: key, Kind: protocol.Put, BodyLen: uint64(len(body)), BodyHash: protocol.Sum(body), Count: uint64(len(s.newest)),
	}
	if s.head != nil {
		h.Prev = s.head.Raw
	}
	sum := s.hash
	if old := s.newest[key]; old != nil {
		h.PrevSeq = old.Pos.Seq
		sum.Remove(old.Element())
	} else {
		h.Count++
	}
	sum.Add(h.Element())
	h.Digest = sum.Digest()
	c, err := protocol.SignChange(by, h, body)
	if err == nil {
		s.put(c)
		l.p.model.note(l.id+"/"+origin, &c.SignedHeader) // by nobody who must keep it
	}
	return c, err
}

// sign makes its head statement. The caller holds l.mu, or is alone.
func (l *liar) sign(pos protocol.Position, header protocol.Hash) *protocol.SignedHead {
	now := protocol.InstantOf(time.Now())
	l.counter = max(uint64(now), l.counter+1)
	h, err := protocol.SignHead(l.seat.Record, protocol.Head{
		Federation: l.roster.Federation(), Origin: l.id, CharterVersion: 1, CharterHash: l.roster.Charter().Hash,
		Pos: pos, Header: header, Counter: l.counter, IssuedAt: now, LeaseUntil: now + protocol.Instant(protocol.Lease/time.Second),
	})
	if err == nil {
		l.heads[l.id] = h
	}
	return h
}

// announce says where its true history stands.
func (l *liar) announce() {
	l.mu.Lock()
	s := l.shelves[l.id]
	var header protocol.Hash
	if s.head != nil {
		header = s.head.Raw
	}
	h := l.sign(s.pos(), header)
	l.mu.Unlock()
	if h != nil {
		_ = l.net.PublishHead(context.Background(), h) // gossip promises nothing
	}
}

// shelf that it shows to a member.
func (l *liar) shelf(to, origin protocol.MemberID) *shelf {
	if s := l.other; s != nil && origin == l.id && l.second(to) {
		return s
	}
	return l.shelves[origin]
}

// second reports whether a member is shown the second of two histories: every other one is.
func (l *liar) second(m protocol.MemberID) bool { return l.p.f.index(m)%2 == 0 }

func (l *liar) vector(to protocol.MemberID) (claims []protocol.Claim) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for origin := range l.shelves {
		s := l.shelf(to, origin)
		c := protocol.Claim{Origin: origin, Pos: s.pos()}
		if s.head != nil {
			c.Header = s.head.Raw
		}
		if h := l.heads[origin]; h != nil {
			c.Counter = h.Counter
		}
		if l.how.claim != nil {
			l.how.claim(&c)
		}
		claims = append(claims, c)
	}
	slices.SortFunc(claims, func(a, b protocol.Claim) int { return cmp.Compare(a.Origin, b.Origin) })
	return claims
}

// What a liar answers and hears. It implements p2p.Handler.

func (l *liar) Answer(ctx context.Context, from protocol.MemberID, r *protocol.Request, send func(*protocol.Answer) error) error {
	l.mu.Lock()
	how := l.how
	l.mu.Unlock()
	switch {
	case how.silent:
		return l.hang(ctx)
	case how.answer != nil:
		return how.answer(l, r, send)
	case r.Kind == protocol.AskVector:
		return send(&protocol.Answer{Vector: l.vector(from), Last: true})
	case r.Kind == protocol.AskHeads:
		a := &protocol.Answer{Last: true}
		l.mu.Lock()
		for _, h := range l.heads {
			a.Heads = append(a.Heads, h.Bytes())
		}
		l.mu.Unlock()
		return send(a)
	}
	l.mu.Lock()
	s := l.shelf(from, r.Origin)
	if l.old[r.Origin] != nil {
		s = l.old[r.Origin]
	}
	if s != nil {
		s = s.clone()
	}
	l.mu.Unlock()
	switch {
	case s == nil || s.head == nil:
		return send(&protocol.Answer{Last: true})
	case how.feed != nil:
		return how.feed(l, ctx, s, r, send)
	case r.Proven.Compare(s.pos()) > 0:
		return protocol.Errorf(protocol.CodeUnavailable, "", "held up to %s only", s.pos())
	}
	return sendFeed(s, s.above(r.Cursor), send)
}

// sendFeed sends changes in batches under a shelf's head.
func sendFeed(s *shelf, all []*protocol.Change, send func(*protocol.Answer) error) error {
	for {
		a := &protocol.Answer{Head: s.head.Bytes()}
		for size := 0; len(all) > 0 && size+len(all[0].Bytes()) <= protocol.MaxBatch; all = all[1:] {
			size += len(all[0].Bytes())
			a.Changes = append(a.Changes, all[0].Bytes())
		}
		a.Last = len(all) == 0
		if err := send(a); err != nil || a.Last {
			return err
		}
	}
}

// hang does nothing until the lie ends, or everything.
func (l *liar) hang(ctx context.Context) error {
	l.mu.Lock()
	changed := l.changed
	l.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-changed:
	case <-l.done:
	}
	return protocol.Errorf(protocol.CodeUnavailable, "", "not now")
}

func (l *liar) Changes(_ protocol.MemberID, cs []*protocol.Change) {
	l.mu.Lock()
	silent := l.how.silent
	l.mu.Unlock()
	if silent {
		_ = l.hang(context.Background()) // stops reading
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range cs {
		s := l.shelves[c.Origin]
		opens := c.Kind == protocol.OpenEpoch && c.Pos.Epoch > s.pos().Epoch
		if c.Origin == l.id || s == nil || l.keeps[c.Origin] || !opens && (c.Pos.Epoch != s.pos().Epoch || c.Pos.Seq != s.pos().Seq+1) {
			continue // the next meeting closes the gap
		}
		if s.head == nil && !opens || s.head != nil && s.head.Raw == c.Prev {
			s.put(c)
		}
	}
}

func (l *liar) Evidence(protocol.MemberID, protocol.Evidence) {}

func (l *liar) Head(_ protocol.MemberID, h *protocol.SignedHead) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if have := l.heads[h.Origin]; h.Origin != l.id && (have == nil || have.Counter < h.Counter) {
		l.heads[h.Origin] = h
	}
}

func (l *liar) Papers(uint64) *protocol.Papers { return &protocol.Papers{} }
func (l *liar) Connected(protocol.MemberID)    {}
func (l *liar) Disconnected(protocol.MemberID) {}
func (l *liar) Parts(context.Context, protocol.MemberID, *protocol.SignedEntitlement) (*protocol.RecordAnswer, error) {
	return nil, protocol.Errorf(protocol.CodeNotFound, "", "none")
}
func (l *liar) Document(context.Context, protocol.MemberID, *protocol.SignedEntitlement, protocol.Hash) (io.ReadCloser, error) {
	return nil, protocol.Errorf(protocol.CodeNotFound, "", "none")
}
