package sim

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/protocol"
)

// TestScriptFaults: a script at fault is refused as a whole, and every fault is named by its line.
func TestScriptFaults(t *testing.T) {
	_, err := parse(`
publish KH 1
members KH LA XX
on-disk SG
publish KH many
publish LA 5 6
wait 5
frobnicate
start "KH
restore KH b1
lose 100% KH
expect KH sees LA perhaps
expect KH hopes
lie LA alter
members KH LA
clock KH soon
expect KH refuses equal "x"
`)
	if err == nil {
		t.Fatal("accepted")
	}
	for i, want := range []string{
		"line 2: the first line is members", "line 3: XX is none", "line 4: SG does not take part", `line 5: "many" is no number`,
		"line 6: too much: 6", `line 7: "5" is no duration`, `line 8: no verb "frobnicate"`, "line 9: a quotation mark",
		"line 10: KH is not on disk", "line 10: nothing was saved as b1", `line 11: "100%" is no share`, `line 12: "perhaps" is no state`,
		`line 13: nothing is expected as "hopes"`, "line 14: LA is no liar", "line 15: members stands after", `line 16: "soon" is no duration`,
		`line 17: "equal" is refused by nobody`, "line 1: no comment",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%d: %q is missing in:\n%v", i, want, err)
		}
	}
}

// TestInvariantsCanFail: each invariant is broken once, by making the model believe otherwise.
func TestInvariantsCanFail(t *testing.T) {
	s, err := parse("# x\nmembers KH LA\npublish KH 3\nwithdraw KH 1\nequal within 5s\n")
	if err != nil {
		t.Fatal(err)
	}
	s.steps = append(s.steps, scriptStep{99, "tamper", func(p *play) error {
		synctest.Wait()
		if err := p.check(); err != nil {
			return err
		}
		truth, last := p.model, *p.model.acked["KH"]
		other, err := strangers()
		if err != nil {
			return err
		}
		ahead := last
		ahead.Pos.Seq = 99
		for invariant, tamper := range map[string]func(m *model){
			notSigned:    func(m *model) { m.at = nil },
			wentBack:     func(m *model) { m.stood["LA"]["KH"] = ahead.Pos },
			notKept:      func(m *model) { m.acked["KH"] = &ahead },
			unverifiable: func(m *model) { m.roster, m.valid = other, make(map[protocol.Hash]bool) },
			notSaid: func(m *model) {
				h := last
				h.Count++
				m.at["KH"][h.Pos] = []*protocol.SignedHeader{&h}
			},
			shown: func(m *model) {
				for _, h := range m.live(m.acked["KH"]) {
					h.Kind = protocol.Withdraw
				}
			},
		} {
			m, err := newModel(p.f.papers)
			if err != nil {
				return err
			}
			for _, h := range truth.signed {
				m.note("KH", new(*h))
			}
			p.model = m
			if err := p.check(); err != nil {
				return fmt.Errorf("before %q is broken: %w", invariant, err)
			}
			clear(m.seen)
			tamper(m)
			if err := p.check(); err == nil || !strings.HasPrefix(err.Error(), invariant) {
				t.Errorf("%q was broken, and found was %v", invariant, err)
			}
		}
		p.model = truth
		return nil
	}})
	if bad, _ := perform(t, s, false); bad != nil {
		t.Error(bad)
	}
}

// strangers are another federation of members with the same names.
func strangers() (*protocol.Roster, error) {
	var seats []founding.Seat
	for _, m := range founding.ASEAN() {
		s, err := founding.NewSeat(m, "strangers")
		if err != nil {
			return nil, err
		}
		s.Addresses = []string{address(len(seats))}
		seats = append(seats, s)
	}
	papers, err := founding.Found("Strangers", seats, time.Now())
	if err != nil {
		return nil, err
	}
	m, err := newModel(papers)
	if err != nil {
		return nil, err
	}
	return m.roster, nil
}

// TestShrink: of a long walk only the lines remain without which it does not fail.
func TestShrink(t *testing.T) {
	var body []string
	for i := range 200 {
		body = append(body, fmt.Sprintf("wait %ds", i+1))
	}
	body[40], body[41], body[170] = "crash KH", "start KH", "revise LA 1"
	bad := &failure{invariant: notKept}
	small, last := shrink(body, bad, func(lines []string) (*failure, []string) {
		lines = slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return l == "wait 7s" }) // as if it did not fit
		switch i, j := slices.Index(lines, "crash KH"), slices.Index(lines, "revise LA 1"); {
		case i < 0 || j < 0:
			return nil, lines
		case j-i > 500:
			return &failure{invariant: wentBack}, lines
		}
		return bad, lines
	})
	if len(small) > 8 || !slices.Contains(small, "crash KH") || !slices.Contains(small, "revise LA 1") || last != bad {
		t.Errorf("%d lines are left: %v", len(small), small)
	}
}

// TestWalksAreScripts: a seed gives the same script again, and every script is in form.
func TestWalksAreScripts(t *testing.T) {
	start := time.Now()
	for seed := range uint64(300) {
		head, body, tail := walk(seed, 200)
		if _, again, _ := walk(seed, 200); !slices.Equal(body, again) {
			t.Fatalf("seed %d gives two walks", seed)
		}
		if _, err := parse(strings.Join(slices.Concat(head, body, tail), "\n") + "\n"); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	t.Logf("300 walks in %v", time.Since(start))
}
