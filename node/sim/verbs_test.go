package sim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// verbs is the language: what a scenario can do. Another verb is another row. What is expected stands in expect_test.go,
// and what a liar does in liar_test.go.
func verbs() map[string]verb {
	table := paperVerbs()
	maps.Copy(table, lifeVerbs())
	return table
}

func lifeVerbs() map[string]verb {
	return map[string]verb{
		"publish":  {"publish KH 5 [long|dense]", "KH publishes five listings at once; of long ones a batch takes thirty, and dense ones are as long and do not shrink on the line", readPublish},
		"revise":   {"revise KH 2 | revise KH KH-3", "KH revises the two listings that it changed longest ago, or the one named", readRevise},
		"withdraw": {"withdraw KH 1 | withdraw KH KH-3", "KH withdraws the listing that it changed longest ago, or the one named", readWithdraw},
		"report":   {"report KH", "KH writes a statistical report", func(a *args) act { m := a.node(); return func(p *play) error { return p.report(m) } }},
		"cut":      {"cut KH LA | MY VN", "packets pass only within each group, and among those named in none", readCut},
		"heal":     {"heal", "the network is whole; losses stay", func(*args) act { return func(p *play) error { p.f.Heal(); return nil } }},
		"lose":     {"lose 20% KH", "KH's link loses a fifth of all packets, each way; 0% ends it", readLose},
		"crash":    {"crash KH", "KH's process ends without a word; what its folder holds now is what is left", onRunning((*args).node, crash)},
		"stop":     {"stop KH", "KH's node ends in good order", onRunning((*args).node, stop)},
		"start":    {"start KH", "KH's node begins", onResting((*args).node, start)},
		"restart":  {"restart KH", "stop and start", onRunning((*args).node, restart)},
		"backup":   {"backup KH b1", "KH's store of this moment is kept as b1, as a backup does: without the guard file", readKeep((*Federation).Backup)},
		"snapshot": {"snapshot KH s1", "KH's store and guard file are kept as s1, as a snapshot of the machine does", readKeep((*Federation).Snapshot)},
		"restore":  {"restore KH b1", "KH does not run: its store becomes that of b1, and the guard file stays", readPutBack((*Federation).Restore)},
		"rollback": {"rollback KH s1", "KH does not run: its store and guard file become those of s1", readPutBack((*Federation).Rollback)},
		"twin":     {"twin KH [b1]", "a second copy of KH's node runs, as KH2: of KH's machine as it is now, or from a backup without a guard file", readTwin},
		"fill":     {"fill KH", "KH's disk is full", readFull(true)},
		"room":     {"room KH", "there is room on KH's disk", readFull(false)},
		"clock":    {"clock KH +1h", "KH's wall clock is that far ahead of the true time, or behind it (-1h), or right (0)", readClock},
		"wait":     {"wait 30s", "time passes", func(a *args) act { d := a.duration(); return func(*play) error { time.Sleep(d); return nil } }},
		"linked":   {"linked within 60s", "all running nodes are connected within their groups", readLinked},
		"equal":    {"equal [with VN] within 60s", "all running nodes hold the same, proven, and nothing is left to index; the catalogues of liars count where named", readEqual},
		"alone":    {"alone KH", "KH begins, and signs though fewer than half of the others answer", onResting((*args).node, (*play).alone)},
		"epoch":    {"epoch KH loss|fork|key", "KH's operator asks for an epoch, signs its opening and opens it", readEpoch},
		"mend":     {"mend KH", "KH's operator does what its node asks for, until it publishes: a restart, an epoch", readMend},
		"damage":   {"damage KH LA-3", "KH does not run: a byte of this record turns over in its store", readDamage},
		"watch":    {"watch 5s", "time passes, in which everybody is held to the model, and to what is shown, at every moment", readWatch},
		"steal":    {"steal VN KH", "VN, a liar, has KH's record key of now", readSteal},
		"forge":    {"forge VN KH 1.41 3", "VN signs three changes with the key that it stole, from that position on, gossips and serves them", readForge},
		"verify":   {"verify KH", "KH does not run, and its store is without fault", onResting((*args).kept, (*play).verifyAtRest)},
		"expect":   {"expect ...", "what must be so: see expectations", readExpect},
		"lie":      {"lie VN how [n]", "VN, a liar, does so from now on: see lies", readLie},
	}
}

// onRunning and onResting read a verb that has one member as its object, and do it where the node runs, or does not.
func onRunning(who func(*args) protocol.MemberID, do func(*play, protocol.MemberID) error) func(*args) act {
	return func(a *args) act {
		m := who(a)
		return func(p *play) error {
			if _, err := p.running(m); err != nil {
				return err
			}
			return do(p, m)
		}
	}
}

func onResting(who func(*args) protocol.MemberID, do func(*play, protocol.MemberID) error) func(*args) act {
	return func(a *args) act {
		m := who(a)
		return func(p *play) error {
			if err := p.resting(m); err != nil {
				return err
			}
			return do(p, m)
		}
	}
}

func crash(p *play, m protocol.MemberID) error {
	p.f.Crash(m)
	return p.gone(m)
}

func stop(p *play, m protocol.MemberID) error {
	if err := p.f.end(m); err != nil {
		return err
	}
	return p.gone(m)
}

// gone forgets what a node knew whose store was in memory.
func (p *play) gone(m protocol.MemberID) error {
	if p.f.dirs[m] == "" {
		p.model.forget(m)
		if p.model.acked[m] != nil {
			return fmt.Errorf("%s has published and is not on disk: it would sign its positions a second time", m)
		}
	}
	return nil
}

func start(p *play, m protocol.MemberID) error {
	if err := p.f.start(m); protocol.CodeOf(err) == protocol.CodeReadOnly {
		return unfit{err.Error()}
	} else if err != nil {
		return err
	}
	return nil
}

func restart(p *play, m protocol.MemberID) error {
	if err := stop(p, m); err != nil {
		return err
	}
	return start(p, m)
}

func readPublish(a *args) act {
	m, n := a.publisher(), a.count(1, 5000)
	long, dense := a.is("long"), a.is("dense")
	return func(p *play) error {
		if l := p.liars[m]; l != nil {
			return l.publish(n)
		}
		if _, err := p.running(m); err != nil {
			return err
		}
		var all []*protocol.Listing
		for range n {
			all = append(all, p.next(m, long))
			if dense {
				thicken(all[len(all)-1])
			}
		}
		return p.publish(m, all)
	}
}

// publisher is a node or a liar.
func (a *args) publisher() protocol.MemberID {
	if len(a.rest) > 0 && slices.Contains(a.script.cfg.Liars, protocol.MemberID(a.rest[0])) {
		return a.member()
	}
	return a.node()
}

// which reads how many listings, or the one named.
func (a *args) which() func(p *play, m protocol.MemberID) []match.Ref {
	if len(a.rest) > 0 && strings.Contains(a.rest[0], "-") {
		r := a.listing()
		return func(*play, protocol.MemberID) []match.Ref { return []match.Ref{r} }
	}
	n := a.count(1, 1000)
	return func(p *play, m protocol.MemberID) []match.Ref { return p.oldest(m, n) }
}

func readRevise(a *args) act {
	m, which := a.node(), a.which()
	return func(p *play) error {
		var all []*protocol.Listing
		for _, r := range which(p, m) {
			if p.texts[r] == nil {
				return unfit{fmt.Sprintf("there is no %s", r.ID)}
			}
			all = append(all, p.revision(r))
		}
		if len(all) == 0 {
			return unfit{fmt.Sprintf("%s has nothing to revise", m)}
		}
		return p.publish(m, all)
	}
}

func readWithdraw(a *args) act {
	m, which := a.node(), a.which()
	return func(p *play) error {
		all := which(p, m)
		if len(all) == 0 {
			return unfit{fmt.Sprintf("%s has nothing to withdraw", m)}
		}
		for _, r := range all {
			if err := p.withdraw(m, r); err != nil {
				return err
			}
		}
		return nil
	}
}

func readCut(a *args) act {
	groups := [][]protocol.MemberID{a.members()}
	for a.is("|") {
		groups = append(groups, a.members())
	}
	return func(p *play) error { p.f.Cut(groups...); return nil }
}

func readLose(a *args) act {
	w := a.word("a share such as 20%")
	var n int
	if _, err := fmt.Sscanf(w, "%d%%", &n); w != "" && (err != nil || n < 0 || n > 90 || w != fmt.Sprintf("%d%%", n)) {
		a.fail("%q is no share from 0%% to 90%%", w)
	}
	all := a.members()
	return func(p *play) error {
		for _, m := range all {
			p.f.Lose(m, n)
		}
		return nil
	}
}

func readKeep(keep func(*Federation, protocol.MemberID) string) func(*args) act {
	return func(a *args) act {
		m, name := a.kept(), a.save()
		return func(p *play) error {
			if _, err := p.running(m); err != nil {
				return err
			}
			p.saved[name] = keep(p.f, m)
			return nil
		}
	}
}

func readPutBack(put func(*Federation, protocol.MemberID, string)) func(*args) act {
	return func(a *args) act {
		m, name := a.kept(), a.savedName()
		return func(p *play) error {
			if err := p.resting(m); err != nil {
				return err
			}
			if p.saved[name] == "" {
				return unfit{"nothing was saved as " + name}
			}
			put(p.f, m, p.saved[name])
			p.model.restored(m)
			return nil
		}
	}
}

func readTwin(a *args) act {
	m, name := a.kept(), ""
	if len(a.rest) > 0 {
		name = a.savedName()
	}
	a.script.twins[TwinOf(m)] = true
	return func(p *play) error {
		if p.f.Node(TwinOf(m)) != nil {
			return unfit{"it has a second copy"}
		}
		twin, err := p.f.Twin(m, p.saved[name])
		if err != nil {
			return unfit{err.Error()}
		}
		p.model.forget(twin)
		p.model.acked[twin], p.model.lost[twin] = p.model.acked[m], p.model.lost[m] || name != ""
		return nil
	}
}

func readFull(full bool) func(*args) act {
	return func(a *args) act {
		m := a.node()
		return func(p *play) error { p.f.SetFull(m, full); return nil }
	}
}

func readClock(a *args) act {
	m, w := a.node(), a.word("how far the clock is ahead")
	d, err := time.ParseDuration(w)
	if w != "" && (err != nil || d.Abs() > 100*24*time.Hour) {
		a.fail("%q is no duration such as +1h, -5m or 0", w)
	}
	return func(p *play) error { p.f.SetClock(m, d); return nil }
}

func readLinked(a *args) act {
	d := a.within()
	return func(p *play) error { p.f.AwaitLinked(d); return nil }
}

func readEqual(a *args) act {
	var with []protocol.MemberID
	for a.is("with") {
		with = append(with, a.member())
	}
	d := a.within()
	return func(p *play) error {
		start := time.Now()
		for _, m := range with {
			if err := p.until(d, func() error { return p.heard(m) }); err != nil {
				return err
			}
		}
		p.f.AwaitEqual(max(0, d-time.Since(start)), with...)
		p.t.Logf("equal after %v", time.Since(start))
		return p.settled()
	}
}

// heard reports whether all stand where a liar's true history does.
func (p *play) heard(m protocol.MemberID) error {
	l := p.liars[m]
	if l == nil {
		return nil
	}
	l.mu.Lock()
	want := l.shelves[m].pos()
	l.mu.Unlock()
	for _, id := range p.f.up() {
		if v := p.f.View(id, m); v.Position != want {
			return fmt.Errorf("%s holds %s at %s (%s), which stands at %s", id, m, v.Position, v.State, want)
		}
	}
	return nil
}

// refuses tries to publish and wants a refusal that says why, and nothing signed.
func (p *play) refuses(m protocol.MemberID, words string) error {
	n, err := p.running(m)
	if err != nil {
		return err
	}
	before := p.f.View(m, p.f.member(m)).Position
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	_, err = n.Desk().PublishAll(ctx, []exchange.Publication{{Listing: p.next(m, false)}})
	if err == nil || !strings.Contains(err.Error(), words) {
		return fmt.Errorf("%s was to refuse with %q and said: %s", m, words, fmt.Sprint(err))
	}
	if after := p.f.View(m, p.f.member(m)).Position; after != before && p.model.at[p.f.member(m)][after] == nil { // nor is it something taken back
		return fmt.Errorf("%s refused and went from %s to %s", m, before, after)
	}
	return nil
}
