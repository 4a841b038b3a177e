package posting

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
)

// Every action in every state, against a file that was written apart from the table.
func TestTransitions(t *testing.T) {
	b, err := os.ReadFile("testdata/transitions.txt")
	if err != nil {
		t.Fatal(err)
	}
	state := func(s string) State {
		if s == "-" {
			return None
		}
		return State(s)
	}
	show := func(p *Posting) string {
		s := []string{string(p.Live), string(p.Draft), string(p.Audit)}
		for i := range s {
			if s[i] == "" {
				s[i] = "-"
			}
		}
		return strings.Join(s, "/")
	}
	seen := make(map[string]bool)
	reached := map[string]bool{"-/draft/-": true, "-/-/-": true}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		from := Posting{Live: state(f[0]), Draft: state(f[1]), Audit: state(f[2])}
		seen[show(&from)] = true
		want := make(map[Action]string)
		for _, x := range f[3:] {
			a, to, _ := strings.Cut(x, "=")
			want[Action(a)] = to
			reached[to] = true
			if !slices.Contains(Actions(), Action(a)) {
				t.Errorf("%s: %q is no action", show(&from), a)
			}
		}
		for _, a := range Actions() {
			p := from
			r, err := find(a, &p)
			if err == nil {
				r.move(&p)
			}
			switch to, ok := want[a]; {
			case ok && err != nil:
				t.Errorf("%s in %s: refused, %v", a, show(&from), err)
			case ok && show(&p) != to:
				t.Errorf("%s in %s leads to %s, want %s", a, show(&from), show(&p), to)
			case !ok && err == nil:
				t.Errorf("%s in %s leads to %s, and is to be refused", a, show(&from), show(&p))
			case !ok:
				e := protocol.All(err)[0]
				if _, next, ok := strings.Cut(e.Message, ": "); e.Code != protocol.CodeConflict || !ok || next == "" {
					t.Errorf("%s in %s: %q (%s) does not say what to do next", a, show(&from), e.Message, e.Code)
				}
			}
		}
	}
	for s := range reached {
		if !seen[s] && s != "-/-/-" {
			t.Errorf("the file leads to %s and has no line for it", s)
		}
	}
	// Due comes from sampling, which is beside the table.
	if want := 29; len(seen) != want {
		t.Errorf("%d states in the file, want %d", len(seen), want)
	}
}

// Every action names an access action that some role may do, and strangers may do none.
func TestWhoMay(t *testing.T) {
	own := access.Resource{Organisation: "oITC", Author: editor.User}
	want := map[access.Action]string{
		access.EditDraft: "editor", access.DiscardDraft: "editor", access.SubmitDraft: "editor", access.ReviewPosting: "reviewer",
		access.RenewPosting: "editor", access.HoldPosting: "editor", access.WithdrawPosting: "editor", access.RevokePosting: "reviewer+admin", access.ReassignPosting: "admin",
	}
	for _, a := range Actions() {
		var may []string
		for _, x := range []struct {
			name  string
			actor access.Actor
		}{{"editor", editor}, {"stranger", stranger}, {"reviewer", judge}, {"admin", admin}, {"reader", reader}, {"nobody", access.Actor{}}} {
			if access.Can(x.actor, who(a), own) == nil {
				may = append(may, x.name)
			}
		}
		if got := strings.Join(may, "+"); got != want[who(a)] {
			t.Errorf("%s: %s, want %s", a, got, want[who(a)])
		}
	}
	if err := access.Can(admin, who("no such action"), own); err == nil {
		t.Error("an action without a rule was allowed")
	}
}

func ExampleScores_Verdict() {
	for _, s := range []Scores{{4, 4, 3, 3}, {5, 5, 5, 0}, {3, 2, 2, 2}, {3, 3, 2, 2}, {1, 1, 1, 1}, {3, 0, 0, 0}, {2, 1, 1, 1}} {
		fmt.Println(s.Total(), s.Verdict())
	}
	// Output:
	// 14 pass
	// 15 return
	// 9 return
	// 10 pass
	// 4 reject
	// 3 reject
	// 5 return
}
