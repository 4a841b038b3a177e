package access

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// actions named by policy.go, read off its source: a new one without lines in the files fails the tests.
func actions(t *testing.T) (all []Action) {
	t.Helper()
	b, err := os.ReadFile("policy.go")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if _, name, ok := strings.Cut(line, `Action = "`); ok {
			name, _, _ = strings.Cut(name, `"`)
			all = append(all, Action(name))
		}
	}
	if len(all) < 30 {
		t.Fatalf("only %d actions found in policy.go", len(all))
	}
	return all
}

// table of a file of testdata: its columns' names, and its lines by their first keys.
func table(t *testing.T, name string, keys int) (columns []string, lines map[string][]string) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	lines = make(map[string][]string)
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if columns == nil {
			columns = f[keys:]
			continue
		}
		key := strings.Join(f[:keys], " ")
		if lines[key] != nil || len(f) != keys+len(columns) {
			t.Fatalf("%s: line %q: twice, or of %d columns", name, key, len(f))
		}
		for _, x := range f[keys:] {
			if x != "+" && x != "-" {
				t.Fatalf("%s: line %q says %q, not + or -", name, key, x)
			}
		}
		lines[key] = f[keys:]
	}
	return columns, lines
}

func asker(column string) Actor {
	a := Actor{User: "u-asker", Organisation: "o-asker", OrganisationType: "university", Country: "KH", Member: "KH"}
	switch column {
	case "stranger":
		return Actor{}
	case "operator":
		return Operator("KH")
	case "guest":
		a.Foreign, a.Member, a.Roles = true, "VN", []Role{Reader}
	case "person":
	default:
		a.Roles = []Role{Role(column)}
	}
	return a
}

func situation(name string, a Actor) Resource {
	r := Resource{Organisation: "o-other", User: "u-other", Author: "u-other", Audience: &Audience{Types: []string{"sme"}}}
	switch name {
	case "organisation":
		r.Organisation = a.Organisation
	case "own":
		r.Organisation, r.User, r.Author = a.Organisation, a.User, a.User
	case "audience":
		r.Audience = &Audience{Types: []string{"sme", "university"}, Countries: []string{"KH"}}
	case "invited":
		r.Invited = true
	case "author":
		r.Author = a.User
	}
	return r
}

var situations = []string{"elsewhere", "organisation", "own", "audience", "invited", "author"}

// differences between a table of rules and policy.tsv.
func differences(t *testing.T, rules []rule) (all []string) {
	columns, lines := table(t, "policy.tsv", 2)
	for _, action := range actions(t) {
		for _, s := range situations {
			line := lines[string(action)+" "+s]
			if line == nil {
				all = append(all, fmt.Sprintf("%s, %s: no line", action, s))
				continue
			}
			for i, column := range columns {
				a := asker(column)
				may := can(rules, a, action, situation(s, a)) == nil
				if may != (line[i] == "+") {
					all = append(all, fmt.Sprintf("%s, %s, %s: rules say %v, the file %q", action, s, column, may, line[i]))
				}
			}
		}
	}
	return all
}

func TestPolicyIsWhatTheFileSays(t *testing.T) {
	columns, lines := table(t, "policy.tsv", 2)
	for _, role := range Roles() {
		if !slices.Contains(columns, string(role)) {
			t.Errorf("policy.tsv has no column of role %s", role)
		}
	}
	if want := len(actions(t)) * len(situations); len(lines) != want {
		t.Errorf("policy.tsv has %d lines, want %d: one for every action and situation", len(lines), want)
	}
	for _, d := range differences(t, rules()) {
		t.Error(d)
	}
}

func TestEveryRuleCounts(t *testing.T) {
	all := rules()
	for i, x := range all {
		if len(differences(t, slices.Delete(slices.Clone(all), i, i+1))) == 0 {
			t.Errorf("without the rule %v no line of policy.tsv differs", x)
		}
	}
	if slices.ContainsFunc(all, func(x rule) bool { return needOf(x.action).words == "" }) {
		t.Error("a rule about an unknown action")
	}
}

// Whoever has several roles may what one of them may, and nothing else.
func TestRolesAdd(t *testing.T) {
	for _, action := range actions(t) {
		for _, s := range situations {
			for _, one := range Roles() {
				for _, two := range Roles() {
					both := asker(string(one))
					both.Roles = append(both.Roles, two)
					a, b := asker(string(one)), asker(string(two))
					want := Can(a, action, situation(s, a)) == nil || Can(b, action, situation(s, b)) == nil
					if got := Can(both, action, situation(s, both)) == nil; got != want {
						t.Errorf("%s, %s: %s and %s together %v, apart %v", action, s, one, two, got, want)
					}
				}
			}
		}
	}
}

func TestScopesAreWhatTheFileSays(t *testing.T) {
	columns, lines := table(t, "scopes.tsv", 1)
	if len(columns) != len(Scopes()) || len(lines) != len(actions(t)) {
		t.Errorf("%d columns and %d lines", len(columns), len(lines))
	}
	for _, action := range actions(t) {
		line := lines[string(action)]
		if line == nil {
			t.Errorf("no line for %s", action)
			continue
		}
		// Who may everything that a person here may: all roles, and in turn one's own, and somebody else's.
		var may bool
		for _, s := range situations {
			a := asker("reader")
			a.Roles = Roles()
			r := situation(s, a)
			if Can(a, action, r) != nil {
				continue
			}
			may = true
			a.Scopes = []Scope{}
			if got := Can(a, action, r) == nil; got != (strings.Join(line, "") == "++++") {
				t.Errorf("%s without any scope: %v", action, got)
			}
			for i, column := range columns {
				a.Scopes = []Scope{Scope(column)}
				if got := Can(a, action, r) == nil; got != (line[i] == "+") {
					t.Errorf("%s, %s, scope %s: rules say %v, the file %q", action, s, column, got, line[i])
				}
			}
		}
		if !may && action != Operate {
			t.Errorf("nobody may %s", action)
		}
	}
}

func TestGuests(t *testing.T) {
	// Another node may claim anything about its people: here they read by level, if they may read there.
	boss := asker("guest")
	boss.Roles = Roles()
	boss.Organisation, boss.User = "o-here", "u-here"
	here := Resource{Organisation: "o-here", User: "u-here", Author: "u-here"}
	for _, action := range actions(t) {
		want := action == ReadSummary || action == ReadPublic || action == ReadRegistered
		if got := Can(boss, action, here) == nil; got != want {
			t.Errorf("a guest with all roles and %s: %v", action, got)
		}
	}
	analyst := asker("analyst")
	analyst.Foreign = true
	if Can(analyst, ReadRegistered, here) == nil {
		t.Error("another node's analyst reads a registered record")
	}
	// And towards another member's listing our own are guests.
	there := Resource{Member: "VN", Organisation: "o-asker", Audience: &Audience{Countries: []string{"LA"}}}
	for _, column := range []string{"reviewer", "admin", "editor", "operator"} {
		a := asker(column)
		if Can(a, ReadRestricted, there) == nil || Can(a, ReadInvited, there) == nil {
			t.Errorf("our %s reads a restricted or invited record of another member", column)
		}
		if Can(a, ReadRegistered, there) != nil {
			t.Errorf("our %s does not read a registered record of another member", column)
		}
		if Can(a, EditDraft, there) == nil || Can(a, ReadPosting, there) == nil || Can(a, EditSettings, there) == nil {
			t.Errorf("our %s acts on another member's listing", column)
		}
	}
}

func TestAudience(t *testing.T) {
	a := Actor{OrganisationType: "sme", Country: "LA"}
	for _, c := range []struct {
		p    *Audience
		want bool
	}{
		{nil, false}, {&Audience{}, true},
		{&Audience{Types: []string{"sme"}}, true}, {&Audience{Types: []string{"university"}}, false},
		{&Audience{Countries: []string{"LA"}}, true}, {&Audience{Countries: []string{"TH"}}, false},
		{&Audience{Types: []string{"sme"}, Countries: []string{"TH", "LA"}}, true},
		{&Audience{Types: []string{"sme"}, Countries: []string{"TH"}}, false},
		{&Audience{Types: []string{"university"}, Countries: []string{"LA"}}, false},
	} {
		if got := c.p.Holds(a); got != c.want {
			t.Errorf("%+v holds it: %v", c.p, got)
		}
	}
	if (&Audience{Types: []string{""}}).Holds(Actor{}) {
		t.Error("an audience holds an actor without a type")
	}
}

func TestRefusalsSayWhoMay(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{Can(Actor{}, SubmitDraft, Resource{}), "you may not submit a draft: an editor of its organisation may; sign in first"},
		{Can(asker("reader"), ReviewPosting, Resource{}), "a reviewer of another organisation who did not write it may"},
		{Can(asker("editor"), ReadInvited, Resource{}), "a reader whom its owner invited, a reader of its organisation"},
		{Can(asker("admin"), "made.up", Resource{}), "no rule allows this"},
		{can(nil, asker("admin"), ReadAudit, Resource{}), "you may not read the audit log"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%v, want %q", c.err, c.want)
		}
	}
}

func BenchmarkCan(b *testing.B) {
	a := asker("auditor")
	r := situation("elsewhere", a)
	b.ReportAllocs()
	for b.Loop() {
		_ = Can(a, ReadAudit, r)
	}
}
