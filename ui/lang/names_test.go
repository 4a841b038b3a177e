package lang

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
)

// TestLabelsAreTheCodesOwn: English labels stand in configs/codes, and here again for translators.
func TestLabelsAreTheCodesOwn(t *testing.T) {
	b := opened(t)
	en := b.messages[English]
	for _, list := range []string{"kind", "cooperation", "organisation", "size", "ipr", "right", "terms", "exclusivity", "turnover", "track", "sdg", "trl", "language"} {
		for _, c := range listed(t, list).All() {
			if m := en[list+"."+c.Code]; m == nil || m.Other != c.Label {
				t.Errorf("%s %s: %v, want %q", list, c.Code, m, c.Label)
			}
		}
	}
	for _, c := range codes.Country().All() {
		own := c.Parent == "ASEAN" // CLDR has the others
		if m := en["country."+c.Code]; own != (m != nil) || own && m.Other != c.Label {
			t.Errorf("country %s: %v, want %q: %v", c.Code, m, c.Label, own)
		}
	}
	// The rest is a message here, or stands in the tables of configs/codes, in all languages.
	for list, all := range map[string]codes.List{"ford": codes.FORD(), "isic": codes.ISIC(), "ipc": codes.IPC()} {
		for _, c := range all.All() {
			if m := en[list+"."+c.Code]; m != nil && m.Other != c.Label {
				t.Errorf("%s %s: %v, want %q", list, c.Code, m, c.Label)
			} else if m == nil {
				for _, tag := range Tags() {
					if codes.LabelIn(string(tag), list, c.Code) == "" {
						t.Errorf("%s %s has no name in %s", list, c.Code, tag)
					}
				}
			}
		}
	}
}

func listed(t *testing.T, name string) codes.List {
	t.Helper()
	if name == "language" {
		return codes.Language()
	}
	l := listOf(name)
	if len(l.All()) == 0 {
		t.Fatalf("no list is named %s", name)
	}
	return l
}

// TestEveryLabel asks for each code in each language: there is always a name, and never a key.
func TestEveryLabel(t *testing.T) {
	b := opened(t)
	for _, tag := range Tags() {
		p := b.Printer(tag)
		for _, list := range []string{"ford", "isic", "ipc", "sdg", "trl", "kind", "ipr", "cooperation", "organisation", "size", "right", "terms", "exclusivity", "turnover", "track", "office"} {
			for _, c := range listed(t, list).All() {
				if got := p.Label(list, c.Code); got.Text == "" || got.Text == list+"."+c.Code || got.Lang != string(tag) && !(got.Fallback && got.Lang == "en") {
					t.Errorf("%s: %s %s: %+v", tag, list, c.Code, got)
				}
			}
		}
		english := 0
		for _, c := range codes.Country().All() {
			got := p.Label("country", c.Code)
			if got.Text == "" {
				t.Errorf("%s: country %s has no name", tag, c.Code)
			}
			if got.Fallback {
				english++
			}
		}
		if tag != "tet" && english > 3 { // those that are newer than CLDR 32, or not yet translated here
			t.Errorf("%s: %d countries are in English", tag, english)
		}
		for _, other := range Tags() {
			if got := p.Label("language", string(other)); got.Text == "" {
				t.Errorf("%s: language %s has no name", tag, other)
			}
		}
	}
	if got := b.Printer("th").Label("sdg", "99"); got != (Text{Lang: "th", Text: "99"}) {
		t.Errorf("a code that is none: %+v", got)
	}
	if got := b.Printer("th").Label("none", "x"); got != (Text{Lang: "th", Text: "x"}) {
		t.Errorf("a list that is none: %+v", got)
	}
	if m := b.Misses(); len(m) != 0 {
		t.Errorf("labels are no misses: %v", m)
	}
}

// TestProblems reads the codes of the protocol from its source, so that a new one gets words.
func TestProblems(t *testing.T) {
	b := opened(t)
	p, used := b.Printer(English), map[string]bool{}
	file, err := parser.ParseFile(token.NewFileSet(), "../../protocol/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Code") {
			return true
		}
		lit, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			t.Fatalf("%s is no string", spec.Names[0].Name)
		}
		code, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		n++
		group := problemGroup(protocol.Code(code))
		used[group] = true
		if group == "internal" && protocol.Code(code) != protocol.CodeInternal {
			t.Errorf("code %s has no words: put it into a group in names.go", code)
		}
		if title, next := p.Problem(protocol.Code(code)); title.Text == "" || !strings.HasSuffix(next.Text, ".") || strings.HasSuffix(title.Text, ".") {
			t.Errorf("%s: a title without and a next step with a full stop are wanted: %q, %q", code, title.Text, next.Text)
		}
		return true
	})
	if n < 35 {
		t.Errorf("only %d codes were read", n)
	}
	for _, key := range b.Keys() {
		if rest, ok := strings.CutPrefix(key, "problem."); ok && !used[strings.SplitN(rest, ".", 2)[0]] {
			t.Errorf("%s is of no code", key)
		}
	}
	if m := b.Misses(); len(m) != 0 {
		t.Error(m)
	}
}

// TestVocabulary has what other packages name: every value has its words, and no word is of a value that is gone.
func TestVocabulary(t *testing.T) {
	want := map[string]bool{}
	needs := func(kind string, suffixes []string, values ...string) {
		for _, v := range values {
			for _, s := range suffixes {
				want[kind+"."+v+s] = true
			}
		}
	}
	plain, says := []string{""}, []string{"", ".says"}
	needs("fresh", []string{".short", ".long"}, str(exchange.Own, exchange.Proven, exchange.CatchingUp, exchange.Stale, exchange.Disputed, exchange.Unheard)...)
	needs("verdict", plain, str(match.Strong, match.Fair, match.Weak, match.None)...)
	needs("kinds", plain, str(protocol.Kinds()...)...)
	needs("level", says, str(protocol.LevelPublic, protocol.LevelRegistered, protocol.LevelRestricted, protocol.LevelInvited)...)
	needs("reason", plain, protocol.Reasons()...)
	needs("role", says, str(access.Reader, access.Scout, access.Editor, access.Reviewer, access.Admin, access.Analyst, access.Auditor)...)
	needs("scope", says, str(access.ScopeRead, access.ScopeWrite, access.ScopeReview, access.ScopeAdmin)...)
	needs("state", plain, str(posting.Draft, posting.Submitted, posting.InReview, posting.Rejected, posting.Published, posting.Expired, posting.OnHold,
		posting.Withdrawn, posting.Superseded, posting.Revoked, posting.Due)...)
	needs("state", plain, "audited", "submitted.says")
	needs("did", plain, append(actions(t), "refused")...)
	needs("deed", plain, actions(t)...)
	b := opened(t)
	for key := range want {
		if b.messages[English][key] == nil {
			t.Errorf("%s is absent", key)
		}
	}
	kinds := slices.Collect(maps.Keys(want))
	for _, key := range b.Keys() {
		kind, _, _ := strings.Cut(key, ".")
		closed := kind != "deed" && slices.ContainsFunc(kinds, func(k string) bool { return strings.HasPrefix(k, kind+".") })
		if closed && !want[key] {
			t.Errorf("%s is of nothing that there is", key)
		}
	}
}

func str[T ~string](values ...T) (list []string) {
	for _, v := range values {
		list = append(list, string(v))
	}
	return list
}

// actions of postings, read from where they are named.
func actions(t *testing.T) (list []string) {
	t.Helper()
	text, err := os.ReadFile("../../node/posting/table.go")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if _, value, ok := strings.Cut(line, ` Action = "`); ok {
			name, _, _ := strings.Cut(value, `"`)
			list = append(list, name)
		}
	}
	if len(list) < 20 {
		t.Fatalf("only %d actions were read", len(list))
	}
	return list
}
