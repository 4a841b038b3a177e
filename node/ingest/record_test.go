package ingest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/ingest"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/google/go-cmp/cmp"
)

const goodRecord = `{"level":"public","sections":{"contact":"registered","terms":"restricted"},"audience":{"types":["sme"],"countries":["KH","LA"]},
 "texts":{"en":{"description":"A dryer.\nFor rice.","problem":"Rain","advantages":"Half the fuel","applications":["Mills"]},"km":{"description":"ឡសម្ងួត"}},
 "comparison":[{"metric":"Fuel","unit":"kg/t","baseline":"40","ours":"19","evidence":"Trial"}],"stage":"Runs in two mills.",
 "rights":[{"type":"patent-granted","office":"TH","number":"TH 1","date":"2025-01-02","status":"granted"},{"type":"patent-applied","office":"WO"}],
 "terms":{"models":["royalty"],"price":"From USD 2,500","exclusivity":"non-exclusive","field":"Food","territory":"ASEAN"},
 "partner":{"types":["sme"],"role":"Maker","task":"Build it","area":"Food","countries":["TH"]},
 "organisation":{"name":"ITC","ror":"03yrm5c26","type":"university","size":"medium","since":1964,"turnover":"1m-10m","transnational":true,
 "certifications":["ISO 9001"],"languages":["km","en"]},
 "people":[{"name":"A. Example","orcid":"0000-0002-1694-233X","role":"Inventor"}],
 "contact":{"name":"TTO","email":"tto@example.org","phone":"+855 23 123 456","url":"https://example.org"},
 "funding":{"call":"JFS-9","deadline":"2026-09-14T17:00:00+07:00","zone":"Asia/Bangkok","budget":"EUR 1","eligible":"Two regions","track":"innovation",
 "partners":[{"name":"U","country":"DE","type":"university","eligible":true}]},
 "publications":["10.1000/182"],
 "documents":[{"hash":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","name":"sheet.pdf","type":"application/pdf","size":100,"level":"restricted"}],
 "provenance":{"system":"TTO","id":"7","imported":"2026-01-02T03:04:05Z","licence":"CC-BY-4.0"},"controls":{"export":true,"nagoya":true}}`

func TestDecodeRecordJSON(t *testing.T) {
	got, err := ingest.DecodeRecordJSON([]byte(goodRecord))
	if err != nil {
		t.Fatal(err)
	}
	want := new(protocol.Record)
	if err := json.Unmarshal([]byte(goodRecord), want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("unlike encoding/json (-want +got):\n%s", d)
	}
	for _, s := range protocol.RecordSections() {
		if !strings.Contains(goodRecord, fmt.Sprintf(`"%s":`, s)) {
			t.Errorf("the test has no section %s", s)
		}
	}
	for _, b := range []string{`{}`, `{"level":null,"texts":null,"people":[],"contact":{}}`} {
		if got, err := ingest.DecodeRecordJSON([]byte(b)); err != nil || got.Visibility() != protocol.LevelRegistered {
			t.Errorf("%s: %+v, %v", b, got, err)
		}
	}
}

// People paste identifiers as the address that they see.
func TestIdentifiersOfARecordMayBeAddresses(t *testing.T) {
	got, err := ingest.DecodeRecordJSON([]byte(`{"organisation":{"ror":" https://ror.org/03yrm5c26"},
		"people":[{"name":"A","orcid":"https://orcid.org/0000-0002-1825-0097"}],"publications":["https://doi.org/10.1000/182","http://dx.doi.org/10.1000/183"]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &protocol.Record{Organisation: protocol.Owner{ROR: "03yrm5c26"}, People: []protocol.Person{{Name: "A", ORCID: "0000-0002-1825-0097"}},
		Publications: []string{"10.1000/182", "10.1000/183"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestEveryFaultOfARecordIsNamed(t *testing.T) {
	body := `{"level":"secret","sections":{"contacts":"public","terms":"invited"},"audience":{"types":["companies"],"countries":["Laos"]},
	 "texts":{"en":{"description":7},"xx":{"problem":"y"},"th":{}},"comparison":[{"metric":"x","ours":1}],"stage":[],
	 "rights":[{"type":"patent","office":"XX","date":"1.1.2026","status":"Granted"},5],
	 "terms":{"models":["royalties"],"exclusivity":"none"},"partner":{"types":["SME"],"country":"KH"},
	 "organisation":{"ror":"03yrm5c27","since":"1999","turnover":"big","transnational":"yes","languages":["German"]},
	 "people":[{"orcid":"1"}],"contact":{"email":"x"},"funding":{"deadline":"soon","zone":"+7","track":"x","partners":[{"country":"Germany"}]},
	 "publications":["x"],"documents":[{"name":"a/b","size":-1}],"provenance":{"imported":5},"controls":{"export":1},"review":{}}`
	_, err := ingest.DecodeRecordJSON([]byte(body))
	var got []string
	for _, e := range protocol.All(err) {
		got = append(got, string(e.Code)+" "+e.Field)
	}
	slices.Sort(got)
	want := []string{
		"value level", "unknown sections.contacts", "value audience.types[0]", "value audience.countries[0]",
		"wire-type texts.en.description", "value texts.xx", "required texts.th", "wire-type comparison[0].ours", "required comparison[0].baseline", "wire-type stage",
		"value rights[0].type", "value rights[0].office", "value rights[0].date", "value rights[0].status", "wire-type rights[1]",
		"value terms.models[0]", "value terms.exclusivity", "value partner.types[0]", "unknown partner.country",
		"value organisation.ror", "wire-type organisation.since", "value organisation.turnover", "wire-type organisation.transnational", "value organisation.languages",
		"required people[0].name", "value people[0].orcid", "value contact.email", "value funding.deadline", "value funding.zone", "value funding.track", "value funding.partners[0].country",
		"value publications[0]", "required documents[0].hash", "value documents[0].name", "value documents[0].type", "value documents[0].size",
		"wire-type provenance.imported", "wire-type controls.export", "unknown review",
	}
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("faults (-want +got):\n%s\n%v", d, err)
	}
	for _, hint := range []string{"“contact”?", "“LA”", "“granted”?", "“sme”?", "“DE”?"} {
		if !strings.Contains(err.Error(), hint) {
			t.Errorf("no hint %s in %v", hint, err)
		}
	}
}

func TestBrokenRecordsAreExplained(t *testing.T) {
	for body, code := range map[string]protocol.Code{
		"": protocol.CodeRequired, "{": protocol.CodeTruncated, "[]": protocol.CodeWireType, "null": protocol.CodeWireType, `"all"`: protocol.CodeWireType,
		"{} {}": protocol.CodeText, "{\"stage\":\"\xff\"}": protocol.CodeText, strings.Repeat("[", 60000): protocol.CodeTooLarge,
		`{"level":"restricted","stage":"x"}`: protocol.CodeRequired,
	} {
		if r, err := ingest.DecodeRecordJSON([]byte(body)); r != nil || protocol.CodeOf(err) != code {
			t.Errorf("%.20q: %v, want %s", body, err, code)
		}
	}
}

// TestManyFaultsOfARecordCostLittle, as of a listing.
func TestManyFaultsOfARecordCostLittle(t *testing.T) {
	many := func(element string) string { return strings.TrimSuffix(strings.Repeat(element+",", 100_000), ",") }
	for name, row := range map[string]string{
		"people": `{"people":[` + many(`{}`) + `]}`, "wrong people": `{"people":[` + many(`1`) + `]}`, "rights": `{"rights":[` + many(`{"type":"x"}`) + `]}`,
		"codes": `{"terms":{"models":[` + many(`"x y"`) + `]}}`, "DOIs": `{"publications":[` + many(`"x"`) + `]}`,
		"partners": `{"funding":{"partners":[` + many(`{"country":"XX"}`) + `]}}`,
	} {
		_, err := ingest.DecodeRecordJSON([]byte(row))
		if all := protocol.All(err); len(all) == 0 || len(all) > 100 {
			t.Errorf("%s: %d faults", name, len(all))
		}
	}
}

// FuzzDecodeRecordJSON: whatever is sent, the answer is a record that can be split and reads back the same, or faults.
func FuzzDecodeRecordJSON(f *testing.F) {
	f.Add([]byte(goodRecord))
	f.Add([]byte(`{"texts":{"en":null},"sections":{"terms":"restricted"},"documents":[{}]}`))
	f.Add([]byte(`{"level":"invited","people":[{"name":"x"}],"rights":[{"type":"other"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ingest.DecodeRecordJSON(b)
		if err != nil {
			var all protocol.Errors
			if !errors.As(err, &all) || len(all) == 0 || r != nil {
				t.Fatalf("%T without faults: %v", err, err)
			}
			return
		}
		parts, err := r.Parts("a", nil, nil)
		if err != nil {
			t.Fatalf("cannot be split: %v", err)
		}
		j, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ingest.DecodeRecordJSON(j)
		if err != nil {
			t.Fatalf("own form refused: %v\n%s", err, j)
		}
		if !bytes.Equal(protocol.EncodeRecord(r, parts), protocol.EncodeRecord(again, parts)) {
			t.Fatal("differs after a round trip")
		}
		same, err := again.Parts("a", parts, nil)
		if err != nil || !slices.EqualFunc(same, parts, func(a, b *protocol.Part) bool { return bytes.Equal(a.Bytes(), b.Bytes()) }) {
			t.Fatalf("its parts are others after a round trip (%v)", err)
		}
	})
}
