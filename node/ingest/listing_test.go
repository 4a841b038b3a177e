package ingest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/ingest"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/google/go-cmp/cmp"
)

const good = `{"id":"TO-KH-1","kind":"TO","country":"KH","region":"KH-12",
 "texts":{"en":{"title":"Solar dryer","value":"Dries in a day","abstract":"A dryer.","keywords":["fish","solar"]},"km":{"title":"ឡសម្ងួត"}},
 "organisation":{"name":"ITC","type":"university","size":"medium"},"trl":7,"ipr":["patent-granted"],"cooperation":["licence"],
 "seeks":{"types":["sme"],"countries":["LA","TH"]},"ford":["2.4"],"isic":["C10"],"ipc":["C12N"],"sdg":[2,7],
 "published":"2026-01-02","valid_until":"2027-01-02","url":"https://example.org/1",
 "full":"` + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" + `","demonstration":true,"updated":"2026-01-02T03:04:05Z"}`

func TestDecodeListingJSON(t *testing.T) {
	got, err := ingest.DecodeListingJSON([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	want := new(protocol.Listing)
	if err := json.Unmarshal([]byte(good), want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("unlike encoding/json (-want +got):\n%s", d)
	}
}

func TestEveryFaultOfAListingIsNamed(t *testing.T) {
	body := `{"kind":"XX","id":7,"country":"Thailand","abtract":"x","texts":{"en":{"title":"ok","titel":"x","keywords":"one"},"xx":{"title":"y"}},
	 "organisation":{"type":"University"},"trl":"7","ipr":["patent-grantd"],"seeks":{"types":[3]},"ford":["2.99"],"isic":["10"],"ipc":["Z99"],
	 "sdg":[40,1.5],"published":"14.9.2026","full":"ab","demonstration":1,"updated":5,"trl":7}`
	_, err := ingest.DecodeListingJSON([]byte(body))
	var got []string
	for _, e := range protocol.All(err) {
		got = append(got, string(e.Code)+" "+e.Field)
	}
	want := []string{
		"wire-type id", "value kind", "value country", "unknown texts.en.titel", "wire-type texts.en.keywords", "value texts.xx",
		"value organisation.type", "wire-type trl", "repeated trl", "value ipr[0]", "wire-type seeks.types[0]", "value ford[0]", "value isic[0]", "value ipc[0]",
		"value sdg[1]", "value sdg[0]", "value published", "value full", "wire-type demonstration", "wire-type updated", "unknown abtract",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("faults (-want +got):\n%s\n%v", d, err)
	}
	for _, hint := range []string{"“TH”?", "“title”?", "“university”?", "“patent-granted”?", "“C10”?"} {
		if !strings.Contains(err.Error(), hint) {
			t.Errorf("no hint %s in %v", hint, err)
		}
	}
}

func TestBrokenJSONIsExplained(t *testing.T) {
	for _, c := range []struct {
		body string
		code protocol.Code
	}{
		{"", protocol.CodeRequired},
		{"{", protocol.CodeTruncated},
		{`{"id"`, protocol.CodeTruncated},
		{`{"id":}`, protocol.CodeText},
		{`[1]`, protocol.CodeWireType},
		{`null`, protocol.CodeWireType},
		{`{} {}`, protocol.CodeText},
		{"{\"id\":\"\xff\"}", protocol.CodeText},
		{strings.Repeat("[", 60000), protocol.CodeTooLarge},
		{`{}`, protocol.CodeValue},
	} {
		l, err := ingest.DecodeListingJSON([]byte(c.body))
		if l != nil || protocol.CodeOf(err) != c.code {
			t.Errorf("%.20q: got %v, want code %s", c.body, err, c.code)
		}
	}
}

func TestDemonstrationListingsAreAccepted(t *testing.T) {
	b, err := os.ReadFile("../../configs/demo/agrifood.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range bytes.Split(bytes.TrimSpace(b), []byte("\n")) {
		if _, err := ingest.DecodeListingJSON(row); err != nil {
			t.Errorf("line %d: %v", i+1, err)
		}
	}
}

// FuzzDecodeListingJSON: whatever is sent, the answer is a listing that signs and reads back the same, or faults.
func FuzzDecodeListingJSON(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(`{"id":1,"texts":{"en":null,"th":{"title":"x"}},"sdg":[300]}`))
	f.Add([]byte(`[[[[[[[[[[`))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ingest.DecodeListingJSON(b)
		if err != nil {
			var all protocol.Errors
			if !errors.As(err, &all) || len(all) == 0 || l != nil {
				t.Fatalf("%T without faults: %v", err, err)
			}
			if slices.ContainsFunc(all, func(e *protocol.Error) bool { return e.Code == "" || e.Message == "" }) {
				t.Fatalf("a fault without code or message: %v", all)
			}
			return
		}
		j, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ingest.DecodeListingJSON(j)
		if err != nil {
			t.Fatalf("own form refused: %v\n%s", err, j)
		}
		if !bytes.Equal(l.Encode(), again.Encode()) {
			t.Fatal("differs after a round trip")
		}
	})
}
