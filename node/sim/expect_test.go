package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

// expectations are the forms of the verb expect, by their second word. All but the refusals may end in "within 10s".
func expectations() map[string]struct {
	usage string
	read  func(a *args, m protocol.MemberID) act
} {
	type form = struct {
		usage string
		read  func(a *args, m protocol.MemberID) act
	}
	return map[string]form{
		"sees":      {"expect KH sees LA proven|stale|disputed|catching-up|unheard|own [at 1.5] [within 10s]", expectSees},
		"shows":     {"expect LA shows KH-3 [within 10s]: as a current listing", expectShown(true)},
		"hides":     {"expect LA hides KH-3 [within 10s]: it is withdrawn, unusable or unknown", expectShown(false)},
		"publishes": {"expect KH publishes [within 10s]", expectPublishes},
		"refuses":   {`expect KH refuses publish|start|epoch loss "words" | charter 3 with TL | again KH-3: and says these; of publish also within 10s`, expectRefuses},
		"epoch":     {"expect KH epoch LA 2 [within 10s]: it holds LA's catalogue in that epoch, neither disputed nor behind", expectEpoch},
		"lists":     {"expect KH lists void LA 3 [within 10s]: the opening of LA's last epoch names at least so many changes as void; 0: none", expectVoid},
		"saved":     {"expect KH saved 3: at least so many records were published again after the last epoch; 0: none", expectSaved},
		"twin":      {"expect KH twin [within 10s]: it noticed that another copy of it runs", expectTwin},
		"staged":    {"expect KH staged LA [within 10s]: it drew LA's catalogue anew beside the copy it held, since it started", expectStaged},
		"forgot":    {"expect KH forgot LA-3 [within 10s]: nothing is stored under this id, which was withdrawn", expectForgot(true)},
		"remembers": {"expect KH remembers LA-3 [within 10s]: its withdrawal is stored", expectForgot(false)},
		"whole":     {"expect KH whole LA [within 10s]: what it holds of LA is proven as a whole", expectWhole(true)},
		"parts":     {"expect KH parts LA [within 10s]: it holds parts of LA's catalogue that are not proven as a whole", expectWhole(false)},
		"watched":   {"expect KH watched staged: at some moment of a watch it was drawing a copy beside another", expectWatched},
		"member":    {"expect KH member TL [within 10s]: KH takes TL for a member", expectMember(true)},
		"outsider":  {"expect KH outsider TL [within 10s]: KH does not take TL for a member", expectMember(false)},
		"warns":     {`expect KH warns "words" [within 10s]: a warning that its health tells`, expectWarning},
		"stores":    {`expect KH stores "words" [within 10s]: they stand in its files`, expectText(true)},
		"erased":    {`expect KH erased "words" [within 10s]: they stand neither in its files nor in a new backup`, expectText(false)},
		"metric":    {"expect KH metric tmh_pulls_total unproven >= 1 [within 10s]: the sum over series with these labels since it started; also <=", expectMetric},
		"why":       {`expect KH why LA "words" [within 10s]: so it explains the state of LA's catalogue`, expectWhy},
		"fault":     {`expect KH fault "words" [within 10s]: a fault that its health tells`, expectFault},
		"evidence":  {"expect KH evidence VN 1 [within 10s]: so many pairs of contradicting headers are kept", expectEvidence},
	}
}

func readExpect(a *args) act {
	m := a.node()
	forms := expectations()
	name := a.word("what is expected")
	f, ok := forms[name]
	if !ok {
		a.fail("nothing is expected as %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(forms)), ", "))
		return nil
	}
	act := f.read(a, m)
	if len(a.faults) > 0 {
		a.fail("usage: %s", f.usage)
	}
	return func(p *play) error {
		if p.f.Node(m) == nil && name != "refuses" {
			return unfit{fmt.Sprintf("%s does not run", m)}
		}
		return act(p)
	}
}

// expecting reads the time allowed and waits for ok within it.
func (a *args) expecting(ok func(p *play) error) act {
	d := a.within()
	return func(p *play) error { return p.until(d, func() error { return ok(p) }) }
}

func expectSees(a *args, m protocol.MemberID) act {
	about, states := a.member(), strings.Split(a.word("a state"), "|")
	for _, s := range states {
		if !slices.Contains([]exchange.CopyState{exchange.Own, exchange.Proven, exchange.CatchingUp, exchange.Stale, exchange.Disputed, exchange.Unheard, ""}, exchange.CopyState(s)) {
			a.fail("%q is no state of a copy", s)
		}
	}
	var at protocol.Position
	if a.is("at") {
		at = a.position()
	}
	return a.expecting(func(p *play) error {
		v := p.f.View(m, about)
		if !slices.Contains(states, string(v.State)) || at.Epoch > 0 && v.Position != at {
			return fmt.Errorf("%s sees %s as %s at %s: %s", m, about, v.State, v.Position, v.Why)
		}
		return nil
	})
}

func expectWhy(a *args, m protocol.MemberID) act {
	about, words := a.member(), a.word("words")
	return a.expecting(func(p *play) error {
		if v := p.f.View(m, about); !strings.Contains(v.Why, words) {
			return fmt.Errorf("%s explains %s with: %s", m, about, v.Why)
		}
		return nil
	})
}

func expectShown(want bool) func(*args, protocol.MemberID) act {
	return func(a *args, m protocol.MemberID) act {
		r := a.listing()
		return a.expecting(func(p *play) error {
			e, err := p.f.Node(m).Desk().Entry(r)
			if protocol.CodeOf(err) == protocol.CodeNotFound {
				err = nil
			}
			if err != nil || (e.State == exchange.Current) != want {
				return fmt.Errorf("%s holds %s as %q (%s)", m, r.ID, e.State, fmt.Sprint(err))
			}
			return nil
		})
	}
}

func expectPublishes(a *args, m protocol.MemberID) act {
	return a.expecting(func(p *play) error { return p.publish(m, []*protocol.Listing{p.next(m, false)}) })
}

func expectRefuses(a *args, m protocol.MemberID) act {
	what := a.word("publish, start, epoch, charter or again")
	switch what {
	case "epoch":
		reason := a.reason()
		words := a.word("words")
		return func(p *play) error { return p.refusesEpoch(m, reason, words) }
	case "charter":
		version, with, of := a.charter()
		return func(p *play) error {
			chain, papers, roster, past := p.charters, p.papers, p.model.roster, p.model.past
			err := p.amend(version, with, of, m)
			p.charters, p.papers, p.model.roster, p.model.past = chain, papers, roster, past
			if in := slices.ContainsFunc(p.f.Node(m).Members(), func(s exchange.MemberState) bool { return s.ID == of }); in == with && err == nil {
				return fmt.Errorf("%s was to refuse charter %d and adopted it", m, version)
			}
			return nil
		}
	case "again":
		r := a.listing()
		return func(p *play) error { return p.neverReturns(m, r) }
	}
	words := a.word("words")
	switch what {
	case "publish":
		d := a.within()
		return func(p *play) error {
			if err := p.until(d, func() error { return p.tells(m, words) }); err != nil && d > 0 {
				return err
			}
			return p.refuses(m, words)
		}
	case "start":
		return func(p *play) error {
			if err := p.resting(m); err != nil {
				return err
			}
			if err := p.f.start(m); err == nil || !strings.Contains(err.Error(), words) {
				return fmt.Errorf("%s was to refuse to start with %q and said: %s", m, words, fmt.Sprint(err))
			}
			return nil
		}
	}
	a.fail("%q is refused by nobody: publish, start, epoch, charter or again", what)
	return nil
}

func expectMetric(a *args, m protocol.MemberID) act {
	name := a.word("a metric")
	var labels []string
	for len(a.rest) > 0 && a.rest[0] != ">=" && a.rest[0] != "<=" {
		labels = append(labels, a.word("a label"))
	}
	least := a.is(">=")
	if !least && !a.is("<=") {
		a.fail(">= or <= is missing")
	}
	n := float64(a.count(0, 1<<30))
	return a.expecting(func(p *play) error {
		if got := p.f.Count(m, name, labels...); least && got < n || !least && got > n {
			return fmt.Errorf("%s counts %v", m, got)
		}
		return nil
	})
}

func expectFault(a *args, m protocol.MemberID) act {
	words := a.word("words")
	return a.expecting(func(p *play) error { return p.tells(m, words) })
}

// tells reports whether a node's health has a fault with these words.
func (p *play) tells(m protocol.MemberID, words string) error {
	n, err := p.running(m)
	if err != nil {
		return err
	}
	if all := n.Health().Faults; !slices.ContainsFunc(all, func(s string) bool { return strings.Contains(s, words) }) {
		return fmt.Errorf("%s tells of these faults: %q", m, all)
	}
	return nil
}

func expectEvidence(a *args, m protocol.MemberID) act {
	about, n := a.member(), a.count(0, 1000)
	return a.expecting(func(p *play) error {
		pairs, err := p.f.Node(m).Forks(about)
		if err == nil && len(pairs) != n {
			err = fmt.Errorf("%s keeps %d pairs", m, len(pairs))
		}
		for _, pair := range pairs {
			for _, h := range []*protocol.SignedHeader{pair.A, pair.B} {
				if err == nil {
					err = p.model.roster.VerifyHeader(h)
				}
			}
		}
		return err
	})
}
