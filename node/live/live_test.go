package live_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/live"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
)

// region is a catalogue in memory with a real desk and a real index, and the hub that follows it.
type region struct {
	exchange.Catalogue // what is not asked for here is not there
	records            map[match.Ref]*protocol.Change
	index              *match.Index
	hub                *live.Hub
}

func (c *region) Record(ref match.Ref) (*protocol.Change, error) { return c.records[ref], nil }
func (c *region) Members() []exchange.MemberState                { return nil }
func (c *region) MemberState(protocol.MemberID) (s exchange.MemberState, known bool) {
	return s, false
}
func (c *region) Figures() stats.Report   { return stats.Report{} }
func (c *region) Health() exchange.Health { return exchange.Health{} }

func newRegion() *region {
	c := &region{records: map[match.Ref]*protocol.Change{}, index: match.New(match.Options{Lexicon: lexicon.Builtin()})}
	c.hub = live.New(exchange.NewDesk("KH", c, nil, c.index, func() time.Time { return time.Unix(1_790_000_000, 0) }))
	for i := range 30 {
		c.put("LA", fmt.Sprint("BRICK-", i), protocol.TechnologyOffer, "Clay bricks", fmt.Sprintf("Bricks of river clay fired with sawdust, for walls of houses, number %d", i*i*i))
	}
	return c
}

func (c *region) put(origin protocol.MemberID, id string, kind protocol.Kind, title, abstract string) {
	l := &protocol.Listing{ID: protocol.ListingID(id), Kind: kind, Country: protocol.Country(origin), Texts: map[protocol.Lang]protocol.Text{"en": {Title: title, Abstract: abstract}}}
	ref := match.Ref{Origin: origin, ID: l.ID}
	ch := &protocol.Change{Body: l.Encode()}
	ch.Origin, ch.RecordKey, ch.Kind = origin, l.ID.Key(), protocol.Put
	c.records[ref] = ch
	c.index.Put(ref, l)
	c.hub.Changed(ref)
}

func (c *region) withdraw(origin protocol.MemberID, id string) {
	t := protocol.Tombstone{Reason: "other"}
	ref := match.Ref{Origin: origin, ID: protocol.ListingID(id)}
	ch := &protocol.Change{Body: t.Encode()}
	ch.Origin, ch.RecordKey, ch.Kind = origin, ref.ID.Key(), protocol.Withdraw
	c.records[ref] = ch
	c.index.Apply(match.Change{Ref: ref})
	c.hub.Changed(ref)
}

// dryer is what the query of these tests looks for.
func (c *region) dryer(id string) {
	c.put("KH", id, protocol.TechnologyOffer, "Solar dryer for fish "+id, "A tunnel with fans dries freshwater fish in the sun, "+id)
}

// follower gathers what it is told.
type follower struct {
	events []live.Event
	stop   context.CancelFunc
	done   chan error
}

func (c *region) follow(t *testing.T, q match.Query, least match.Verdict, after string) *follower {
	ctx, stop := context.WithCancel(t.Context())
	f := &follower{stop: stop, done: make(chan error, 1)}
	go func() {
		f.done <- c.hub.Follow(ctx, q, least, after, func(e live.Event) error { f.events = append(f.events, e); return nil })
	}()
	t.Cleanup(stop)
	return f
}

// told settles, and gives what was told since as "match KH/A, gone KH/B".
func (f *follower) told() string {
	time.Sleep(5 * time.Second) // of the bubble: no real time passes
	var all []string
	for _, e := range f.events {
		s := string(e.Kind)
		if e.Ref != (match.Ref{}) {
			s += fmt.Sprintf(" %s/%s", e.Ref.Origin, e.Ref.ID)
		}
		all = append(all, s)
	}
	f.events = nil
	return strings.Join(all, ", ")
}

func (f *follower) leave() error { f.stop(); return <-f.done }

func wants(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("told %q, want %q", got, want)
	}
}

func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newRegion()
		q := match.Query{Text: "solar dryer for fish"}
		f := c.follow(t, q, match.Fair, "")
		wants(t, f.told(), "ready")
		c.dryer("A")
		c.put("LA", "BRICK-X", protocol.TechnologyOffer, "Clay bricks", "Bricks of clay")
		wants(t, f.told(), "match KH/A")
		c.put("KH", "A", protocol.TechnologyOffer, "Solar dryer for fish, larger", "A tunnel with fans dries freshwater fish in the sun")
		wants(t, f.told(), "match KH/A")
		c.withdraw("LA", "BRICK-X")
		c.withdraw("KH", "A")
		wants(t, f.told(), "gone KH/A")
		if err := f.leave(); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestFollowHeedsFilterAndVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newRegion()
		filtered := c.follow(t, match.Query{Text: "solar dryer for fish", Filter: match.Filter{Kinds: []protocol.Kind{protocol.TechnologyRequest}}}, match.Weak, "")
		need := &protocol.Listing{ID: "N", Kind: protocol.TechnologyRequest, Country: "TH", Texts: map[protocol.Lang]protocol.Text{"en": {Title: "Solar dryer for fish wanted"}}}
		counterparts := c.follow(t, match.Query{Listing: need}, match.Fair, "")
		weak, strict := c.follow(t, match.Query{Text: "sun hats of straw"}, match.Weak, ""), c.follow(t, match.Query{Text: "sun hats of straw"}, match.Strong, "")
		for _, f := range []*follower{filtered, counterparts, weak, strict} {
			wants(t, f.told(), "ready")
		}
		c.dryer("A")
		c.put("VN", "WANTED", protocol.TechnologyRequest, "Solar dryer for fish", "We look for a tunnel that dries fish")
		wants(t, filtered.told(), "match VN/WANTED")
		wants(t, counterparts.told(), "match KH/A")
		if got := weak.told(); !strings.HasPrefix(got, "match KH/A") { // it shares the sun
			t.Errorf("told %q", got)
		}
		wants(t, strict.told(), "")
	})
}

func TestGoOnAfterALostConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newRegion()
		q := match.Query{Text: "solar dryer for fish"}
		f := c.follow(t, q, match.Fair, "")
		synctest.Wait()
		c.dryer("A")
		time.Sleep(5 * time.Second)
		last := f.events[len(f.events)-1].ID
		wants(t, f.told(), "ready, match KH/A")
		_ = f.leave()

		c.withdraw("KH", "A")
		c.dryer("B")
		again := c.follow(t, q, match.Fair, last)
		if got := again.told(); got != "ready, gone KH/A, match KH/B" {
			t.Errorf("told %q", got)
		}
		_ = again.leave()

		for _, unknown := range []string{"another-1", "1", last + "0000", strings.Split(last, "-")[0] + "-x"} {
			f := c.follow(t, q, match.Fair, unknown)
			wants(t, f.told(), "reset")
			_ = f.leave()
		}
		refs := make([]match.Ref, 70_000)
		for i := range refs {
			refs[i] = match.Ref{Origin: "LA", ID: protocol.ListingID(fmt.Sprint("BRICK-", i%30))}
		}
		c.hub.Changed(refs...)
		late := c.follow(t, q, match.Fair, last)
		wants(t, late.told(), "reset")
		c.dryer("C")
		wants(t, late.told(), "match KH/C")
		c.hub.Changed(refs...) // faster than it looks
		wants(t, late.told(), "reset")
	})
}

func TestFollowersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newRegion()
		q := match.Query{Text: "solar dryer for fish"}
		var all []*follower
		for range 64 {
			all = append(all, c.follow(t, q, match.Fair, ""))
		}
		synctest.Wait()
		refused := c.follow(t, q, match.Fair, "")
		if err := <-refused.done; protocol.CodeOf(err) != protocol.CodeUnavailable {
			t.Errorf("the 65th: %v", err)
		}
		_ = all[0].leave()
		wants(t, c.follow(t, q, match.Fair, "").told(), "ready")

		broken := errors.New("the line is cut")
		_ = all[1].leave()
		if err := c.hub.Follow(t.Context(), q, match.Fair, "", func(live.Event) error { return broken }); !errors.Is(err, broken) {
			t.Errorf("%v, want what each failed with", err)
		}
		if err := c.hub.Follow(t.Context(), match.Query{}, match.Fair, "", nil); err == nil {
			t.Error("an empty query is followed")
		}
	})
}

// crowd is a desk that counts how many ask it at once.
type crowd struct {
	live.Desk
	asking, most atomic.Int32
}

func (c *crowd) Match(ctx context.Context, q match.Query) (exchange.MatchAnswer, error) {
	n := c.asking.Add(1)
	defer c.asking.Add(-1)
	if n > c.most.Load() {
		c.most.Store(n)
	}
	time.Sleep(time.Second) // of the bubble: others come meanwhile
	return c.Desk.Match(ctx, q)
}

// Who opens and closes streams asks no more of the node at a time than one who stays.
func TestOneLookAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newRegion()
		desk := &crowd{Desk: exchange.NewDesk("KH", c, nil, c.index, func() time.Time { return time.Unix(1_790_000_000, 0) })}
		c.hub = live.New(desk)
		var all []*follower
		for range 10 {
			all = append(all, c.follow(t, match.Query{Text: "solar dryer for fish"}, match.Fair, ""))
		}
		time.Sleep(20 * time.Second)
		for _, f := range all {
			wants(t, f.told(), "ready")
		}
		if most := desk.most.Load(); most != 1 {
			t.Errorf("%d asked at once", most)
		}
	})
}
