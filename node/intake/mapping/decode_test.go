package mapping_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/intake/mapping"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/google/go-cmp/cmp"
)

const good = `{"title":"Our sheet","id":["Ref"],"rules":[
 {"to":"listing.kind","constant":"TO"},{"to":"listing.country","from":["Country"],"values":{"Siam":"TH"},"constant":"KH"},
 {"to":"listing.texts.*.title","from":["Title","Judul"],"else":"id","cut":true},{"to":"listing.published","from":["Date"],"date":"DD/MM/YYYY"},
 {"to":"listing.texts.th.abstract","from":["Abstract"],"lang":"th","join":"\n"},{"to":"listing.ipc","from":["IPC"],"split":";","fit":true}]}`

func TestDecode(t *testing.T) {
	m, err := mapping.Decode([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	want := new(mapping.Mapping)
	if err := json.Unmarshal([]byte(good), want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, m); d != "" {
		t.Errorf("unlike encoding/json (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"Ref", "Country", "Title", "Judul", "Date", "Abstract", "IPC"}, m.Names()); d != "" {
		t.Error(d)
	}
	header := []string{" ref", "TITLE", "judul", "Date", "abstract", "Notes"}
	if d := cmp.Diff([][]string{{"Country", "IPC"}, {"Notes"}}, [][]string{m.Missing(header), m.Unused(header)}); d != "" {
		t.Errorf("missing and unused (-want +got):\n%s", d)
	}
}

func TestEveryFaultOfAMappingIsNamed(t *testing.T) {
	_, err := mapping.Decode([]byte(`{"titel":"x","title":5,"id":["a","A ","b\n"],"rules":[
	 {"to":"listing.id","from":["x"]},{"to":"listing.trl"},{"to":"listing.trl","from":["a"],"date":"DD/MM/YYYY"},{"to":"listing.texts.en.title","from":["a"],"lang":"eng"},
	 {"to":"listing.texts.en.title","from":["a"],"lang":"en"},{"to":"listing.published","from":["d"],"date":"dd/mm"},{"from":["x"],"only":true,"frm":1},
	 {"to":"listing.country","constant":"Atlantis"},{"to":"listing.kind","from":"Kind"},{"to":"listing.sdg","from":["s"],"values":{"Energy":"70"}},
	 {"to":"listing.texts.fr.title","from":["f"]},{"to":"listing.texts.*.title","from":["f"],"else":"fr"},{"to":"listing.url","from":["u"],"else":"th"},
	 {"to":"record.stage","to":"record.stage","from":["s"]},7]}`))
	var got []string
	for _, e := range protocol.All(err) {
		got = append(got, string(e.Code)+" "+e.Field)
	}
	slices.Sort(got)
	want := []string{
		"unknown titel", "wire-type title", "repeated id[1]", "text id[2]", "value rules[0].to", "required rules[1].constant", "repeated rules[2].to", "value rules[2].date",
		"repeated rules[4].to", "value rules[5].date", "required rules[6].to", "required rules[6].values", "unknown rules[6].frm", "value rules[7].constant",
		"wire-type rules[8].from", "required rules[8].constant", "value rules[9].values", "value rules[10].to", "value rules[11].else", "value rules[12].else", "repeated rules[13].to", "text rules[14]",
	}
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("faults (-want +got):\n%s\n%v", d, err)
	}
}

func TestBoundsOfAMapping(t *testing.T) {
	rules := func(n int) string {
		return `{"rules":[` + strings.TrimSuffix(strings.Repeat(`{"to":"listing.trl","from":["x"]},`, n), ",") + `]}`
	}
	values := map[string]string{}
	for i := range mapping.MaxValues + 1 {
		values[fmt.Sprint(i)] = "1"
	}
	many, _ := json.Marshal(mapping.Mapping{Rules: []mapping.Rule{{To: "listing.trl", From: []string{"x"}, Values: values}}})
	names, _ := json.Marshal(mapping.Mapping{Rules: []mapping.Rule{{To: "listing.trl", From: make([]string, mapping.MaxFrom+1)}}})
	for name, c := range map[string]struct {
		body  string
		code  protocol.Code
		field string
	}{
		"empty": {"", protocol.CodeText, ""}, "no object": {"[]", protocol.CodeText, ""}, "cut off": {`{"rules":[`, protocol.CodeText, ""}, "no rules": {"{}", protocol.CodeRequired, "rules"},
		"too large": {`{"title":"` + strings.Repeat("x", mapping.MaxMapping) + `"}`, protocol.CodeTooLarge, ""}, "not UTF-8": {"{\"title\":\"\xff\"}", protocol.CodeText, ""},
		"two objects": {good + good, protocol.CodeTruncated, ""}, "rules": {rules(mapping.MaxRules + 1), protocol.CodeTooLarge, "rules"}, "values": {string(many), protocol.CodeTooLarge, "rules[0].values"},
		"columns": {string(names), protocol.CodeTooLarge, "rules[0].from"}, "a name": {`{"id":["` + strings.Repeat("x", mapping.MaxName+1) + `"],"rules":[{"to":"listing.trl","from":["x"]}]}`, protocol.CodeTooLarge, "id[0]"},
	} {
		m, err := mapping.Decode([]byte(c.body))
		all := protocol.All(err)
		if m != nil || len(all) == 0 || all[0].Code != c.code || all[0].Field != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := mapping.Decode([]byte(rules(mapping.MaxRules))); len(protocol.All(err)) > 100 || err == nil {
		t.Errorf("many faults: %d", len(protocol.All(err)))
	}
}

// TestTargetsAreWhatTheDoorKnows: every target can be filled, and what is there of codes is a list.
func TestTargetsAreWhatTheDoorKnows(t *testing.T) {
	seen := map[string]bool{}
	samples := map[mapping.Value]string{
		mapping.ValueLine: "x", mapping.ValueText: "x", mapping.ValueNumber: "4", mapping.ValueDate: "2026-09-14", mapping.ValueTime: "2026-09-14T10:00:00Z", mapping.ValueTruth: "yes",
		mapping.ValueAddress: "https://example.org", mapping.ValuePerson: "A", mapping.ValueRight: "copyright", mapping.ValuePartner: "U;DE",
	}
	byList := map[string]string{"kind": "TO", "country": "KH", "organisation": "sme", "size": "small", "ipr": "design", "cooperation": "licence", "ford": "1", "isic": "C", "ipc": "A", "level": "public", "terms": "royalty",
		"exclusivity": "sole", "turnover": "none", "track": "science", "language": "th"}
	byPath := map[string]string{"listing.region": "KH-12", "record.organisation.ror": "03yrm5c26", "record.organisation.since": "1999", "record.contact.email": "a@example.org", "record.contact.phone": "+855 23 123", "record.publications": "10.1000/1", "record.funding.zone": "Asia/Bangkok"}
	for _, target := range mapping.Targets() {
		if seen[target.Path] || target.Label == "" {
			t.Errorf("%s stands twice, or has no label", target.Path)
		}
		seen[target.Path] = true
		v := byPath[target.Path]
		if v == "" {
			v = byList[target.Codes]
		}
		if v == "" {
			v = samples[target.Value]
		}
		rules := []mapping.Rule{{To: target.Path, From: []string{"x"}}}
		if p := strings.Split(target.Path, "."); p[1] == "texts" && p[2] != "*" && p[2] != "en" && p[3] != "title" {
			rules = append(rules, mapping.Rule{To: "listing.texts." + p[2] + ".title", Constant: "Pump"})
		}
		m := with(rules...)
		item, err := m.Apply(row("x=" + v))
		if err != nil {
			t.Errorf("%s: %v", target.Path, err)
		} else if got := at(t, item, strings.Replace(target.Path, "*", "en", 1)); got == "null" {
			t.Errorf("%s is not filled", target.Path)
		}
	}
	for _, path := range []string{"listing.id", "listing.full", "listing.updated", "record.documents", "record.provenance.imported"} {
		if seen[path] {
			t.Errorf("%s can be filled", path)
		}
	}
	if n := len(codes.Language().All()); len(seen) < 8*n {
		t.Errorf("%d targets for %d languages", len(seen), n)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(`{"rules":[{"to":"listing.sdg","values":{"a":"1","a":"99"},"from":[null,""]}],"rules":[]}`))
	f.Add([]byte(`{"id":null,"rules":[{"to":"listing.published","from":["x"],"date":"YYYY"},{}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := mapping.Decode(b)
		if err != nil {
			var all protocol.Errors
			if !errors.As(err, &all) || len(all) == 0 || len(all) > 100 || m != nil {
				t.Fatalf("%T, %v", err, err)
			}
			return
		}
		j, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		again, err := mapping.Decode(j)
		if err != nil && len(j) <= mapping.MaxMapping {
			t.Fatalf("own form refused: %v\n%s", err, j)
		}
		if _, err := m.Compile(); err != nil {
			t.Fatalf("valid, and cannot be compiled: %v", err)
		}
		_ = again
	})
}
