package sim

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// A play is one run of a script.
type play struct {
	f        *Federation
	t        *recorder
	script   *script
	model    *model
	liars    map[protocol.MemberID]*liar
	saved    map[string]string // folders of backups and snapshots
	made     map[protocol.MemberID]int
	reports  map[protocol.MemberID]int
	texts    map[match.Ref]*protocol.Listing // as last published
	odd      map[protocol.Hash]bool          // headers of records that are no valid listings
	papers   protocol.Papers                 // all that there are beside those of the beginning
	charters []*protocol.SignedCharter       // the chain
	opened   []exchange.EpochReceipt
	staged   map[protocol.MemberID]int // looks at which a member drew a copy beside another
}

// failure is how a play ended that did not end well.
type failure struct {
	line      int
	step      string
	invariant string // the verb, where no invariant was broken
	text      string
}

func (f *failure) String() string {
	return fmt.Sprintf("line %d, %s: %s: %s", f.line, f.step, f.invariant, f.text)
}

// unfit says that a step makes no sense as things stand: random walks pass over it.
type unfit struct{ why string }

func (u unfit) Error() string { return u.why }

// hang is the real time after which a play is given up. Simulated time stands still while a node is busy, so what spins
// would spin for ever.
const hang = 90 * time.Second

// perform runs a script on a federation of its own. A play that is lenient passes over steps that do not fit, and tells
// which of all lines were.
func perform(t *testing.T, s *script, lenient bool) (bad *failure, passedOver map[int]bool) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // see Run
	r := &recorder{}
	passedOver = make(map[int]bool)
	var at atomic.Int32 // the line that is played
	watch := time.AfterFunc(hang, func() {
		panic(fmt.Sprintf("%s has not ended after %v of real time: line %d never ends, which most often means that a node spins\n%s", t.Name(), hang, at.Load(), s.text))
	})
	defer watch.Stop()
	synctest.Test(t, func(t *testing.T) {
		r.TB = t
		bad = r.guard(scriptStep{0, "members", nil}, func() error {
			p, err := newPlay(r, s)
			if err != nil {
				return err
			}
			for _, x := range s.steps {
				at.Store(int32(x.line))
				if bad := p.step(x, lenient, passedOver); bad != nil {
					return bad
				}
			}
			if bad := p.t.guard(scriptStep{0, "the end", nil}, p.end); bad != nil {
				return bad
			}
			return nil
		})
	})
	if bad == nil && len(r.faults) > 0 {
		bad = &failure{0, "the end", "the end", strings.Join(r.faults, "; ")}
	}
	return bad, passedOver
}

func (f *failure) Error() string { return f.String() }

func newPlay(r *recorder, s *script) (*play, error) {
	p := &play{
		t: r, script: s, liars: make(map[protocol.MemberID]*liar), saved: make(map[string]string),
		made: make(map[protocol.MemberID]int), reports: make(map[protocol.MemberID]int),
		texts: make(map[match.Ref]*protocol.Listing), odd: make(map[protocol.Hash]bool), staged: make(map[protocol.MemberID]int),
	}
	p.f = New(r, s.cfg)
	var err error
	if p.model, err = newModel(p.f.papers); err != nil {
		return nil, err
	}
	p.charters = p.f.papers.Charters
	for _, m := range s.cfg.Liars {
		if p.liars[m], err = newLiar(p, m); err != nil {
			return nil, err
		}
	}
	if len(p.liars) > 0 {
		p.f.await(time.Minute, func() (bool, string) {
			for m, l := range p.liars {
				if len(l.net.Gossiping()) < len(p.f.up()) {
					return false, fmt.Sprintf("%s is not connected with all", m)
				}
			}
			return true, ""
		})
		time.Sleep(settle)
	}
	return p, nil
}

// step does one step and holds everybody to the model.
func (p *play) step(x scriptStep, lenient bool, passedOver map[int]bool) *failure {
	return p.t.guard(x, func() error {
		err := x.act(p)
		var u unfit
		if errors.As(err, &u) && lenient {
			passedOver[x.line] = true
			err = nil
		}
		if err != nil {
			return err
		}
		synctest.Wait()
		return p.check()
	})
}

// end stops those on disk and looks at what they leave.
func (p *play) end() error {
	synctest.Wait()
	for _, fault := range p.f.probe.unlawful() {
		return breach(overGap, "%s", fault)
	}
	for _, id := range p.f.up() {
		if p.f.dirs[id] == "" {
			continue
		}
		if err := p.f.end(id); err != nil {
			return err
		}
		if err := p.verifyAtRest(id); err != nil {
			return err
		}
	}
	return nil
}

// verify checks the store of a node that does not run, against a guard file where one is given.
func (f *Federation) verify(m protocol.MemberID, guard string) (node.Verification, error) {
	return node.Verify(context.Background(), node.VerifyConfig{Store: store.Config{Dir: f.dirs[m], MinFree: 1, Memtable: 8 << 20}, Member: f.member(m), Guard: guard})
}

// recorder is the test as a play's federation sees it: what fails is the play, and the caller judges that.
type recorder struct {
	testing.TB
	faults []string
}

type stopped struct{ text string }

func (r *recorder) Error(v ...any) { r.faults = append(r.faults, fmt.Sprint(v...)) }
func (r *recorder) Errorf(format string, v ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, v...))
}
func (r *recorder) Fatal(v ...any)                 { panic(stopped{fmt.Sprint(v...)}) }
func (r *recorder) Fatalf(format string, v ...any) { panic(stopped{fmt.Sprintf(format, v...)}) }

// guard does what belongs to a step and turns every way to fail into a failure.
func (r *recorder) guard(x scriptStep, do func() error) (bad *failure) {
	verb, _, _ := strings.Cut(x.text, " ")
	defer func() {
		if v := recover(); v != nil {
			s, ok := v.(stopped)
			if !ok {
				panic(v)
			}
			bad = &failure{x.line, x.text, verb, s.text}
		}
	}()
	err := do()
	if err == nil && len(r.faults) > 0 {
		err = breach(overGap, "%s", strings.Join(r.faults, "; "))
		r.faults = nil
	}
	if err == nil {
		return nil
	}
	var b *broken
	switch {
	case errors.As(err, &bad):
		return bad
	case errors.As(err, &b):
		return &failure{x.line, x.text, b.invariant, b.text}
	}
	return &failure{x.line, x.text, verb, err.Error()}
}

// running is a node that runs.
func (p *play) running(m protocol.MemberID) (*node.Node, error) {
	if n := p.f.Node(m); n != nil {
		return n, nil
	}
	return nil, unfit{fmt.Sprintf("%s does not run", m)}
}

// resting is a node that does not.
func (p *play) resting(m protocol.MemberID) error {
	if p.f.Node(m) != nil {
		return unfit{fmt.Sprintf("%s runs", m)}
	}
	return nil
}

// until waits until there is no error, for that long.
func (p *play) until(within time.Duration, ok func() error) error {
	for deadline := time.Now().Add(within); ; time.Sleep(look) {
		synctest.Wait()
		err := ok()
		if err == nil || !time.Now().Before(deadline) {
			return err
		}
	}
}

// writeTimeout is in simulated time, in which writing takes none.
const writeTimeout = time.Minute

// publish lets a copy publish listings, and notes what it acknowledged.
func (p *play) publish(m protocol.MemberID, all []*protocol.Listing) error {
	n, err := p.running(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	var ps []exchange.Publication
	for _, l := range all {
		ps = append(ps, exchange.Publication{Listing: l})
	}
	start := time.Now()
	results, err := n.Desk().PublishAll(ctx, ps)
	if err != nil {
		return refused(m, err)
	}
	for i, r := range results {
		if r.Err != nil { // the others are signed
			err = errors.Join(err, refused(m, r.Err))
			continue
		}
		p.f.probe.sent(p.f.member(m), r.Position, start, textBytes(all[i]))
		if err := p.acknowledged(m, n, r.Receipt); err != nil {
			return err
		}
		p.texts[r.Ref] = all[i]
	}
	return err
}

// refused tells a node that takes no changes now, which does not fit, from one that fails.
func refused(m protocol.MemberID, err error) error {
	switch protocol.CodeOf(err) {
	case protocol.CodeReadOnly, protocol.CodeFork, protocol.CodeUnavailable, protocol.CodeWithdrawn, protocol.CodeNotFound: // it may have taken back a withdrawal meanwhile
		return unfit{fmt.Sprintf("%s takes no changes now: %v", m, err)}
	}
	return fmt.Errorf("%s takes no change: %w", m, err)
}

func (p *play) acknowledged(m protocol.MemberID, n *node.Node, r exchange.Receipt) error {
	c, err := n.Record(r.Ref)
	if err != nil {
		return err
	}
	if c == nil || c.Raw != r.Header {
		return breach(notKept, "%s acknowledged %s at %s and does not have it", m, r.Ref.ID, r.Position)
	}
	p.model.note(m, &c.SignedHeader)
	return nil
}

// next makes the next listing of a member.
func (p *play) next(m protocol.MemberID, long bool) *protocol.Listing {
	m = p.f.member(m)
	p.made[m]++
	country := protocol.Country("XX")
	if len(m) == 2 {
		country = protocol.Country(m)
	}
	t := protocol.Text{Title: fmt.Sprintf("Water filter %d of %s", p.made[m], m)}
	if long {
		t.Abstract = strings.Repeat(fmt.Sprintf("ceramic membrane %d ", p.made[m]), protocol.MaxAbstract/24)
	}
	return &protocol.Listing{
		ID: protocol.ListingID(fmt.Sprintf("%s-%d", m, p.made[m])), Kind: protocol.TechnologyOffer, Country: country,
		Texts: map[protocol.Lang]protocol.Text{"en": t}, TRL: 1, Demonstration: true,
	}
}

// thicken gives a listing a text of many words that stand nowhere else.
func thicken(l *protocol.Listing) {
	t := l.Texts["en"]
	for i := 0; len(t.Abstract) < protocol.MaxAbstract-80; i++ {
		t.Abstract += fmt.Sprintf("%x ", protocol.Sum(fmt.Appendf(nil, "%s %d", l.ID, i)))
	}
	t.Abstract = strings.TrimSpace(t.Abstract)
	l.Texts["en"] = t
}

// stands is the change at which a copy's own history ends: as it shows it, since it may have taken back what it never
// acknowledged here.
func (p *play) stands(m protocol.MemberID) *protocol.SignedHeader {
	if p.f.Node(m) != nil {
		if h, err := p.model.proven(m, p.f.View(m, p.f.member(m))); err == nil {
			return h
		}
	}
	return p.model.acked[m]
}

// oldest are the refs of the live listings of a copy that were changed longest ago.
func (p *play) oldest(m protocol.MemberID, n int) (all []match.Ref) {
	live := p.model.live(p.stands(m))
	for _, h := range live[:min(n, len(live))] {
		id, _ := protocol.ListingIDOf(h.RecordKey)
		all = append(all, match.Ref{Origin: h.Origin, ID: id})
	}
	return all
}

// revision says something else than the listing says.
func (p *play) revision(r match.Ref) *protocol.Listing {
	l := *p.texts[r]
	l.TRL = 1 + l.TRL%9
	t := l.Texts["en"]
	t.Title = fmt.Sprintf("Filter %s, ready at level %d", l.ID, l.TRL) // nothing of the title before
	l.Texts = map[protocol.Lang]protocol.Text{"en": t}
	return &l
}

func (p *play) withdraw(m protocol.MemberID, r match.Ref) error {
	n, err := p.running(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	start := time.Now()
	receipt, err := n.Desk().Withdraw(ctx, r.ID, protocol.Tombstone{Reason: protocol.Reasons()[0]})
	if err != nil {
		return refused(m, err)
	}
	p.f.probe.sent(p.f.member(m), receipt.Position, start, 0)
	return p.acknowledged(m, n, receipt)
}

// report writes a statistical report, which is a record and no listing.
func (p *play) report(m protocol.MemberID) error {
	n, err := p.running(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	start := time.Now()
	key := protocol.RecordKey(fmt.Sprintf("report/2026-09/r%d", p.reports[m]+1))
	written, err := n.Append(ctx, []exchange.Intent{{Key: key, Decide: func(*protocol.Change, []byte) (*exchange.Act, error) {
		return &exchange.Act{Kind: protocol.Put, Body: []byte(key)}, nil
	}}})
	if err != nil {
		return refused(m, err)
	}
	if written[0].Err != nil {
		return written[0].Err
	}
	p.reports[m]++
	p.f.probe.sent(p.f.member(m), written[0].Header.Pos, start, 0)
	p.model.note(m, written[0].Header)
	return nil
}
