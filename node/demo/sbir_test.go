package demo_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"hash/fnv"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/asean-tmh/tmh/node/ingest"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// This file maps real technology offers and needs, which nobody here wrote, to listings: docs/real-input.md says how.
// The data stays where it is; nothing of it is copied.

const (
	dataDir   = "../../../shared/data"
	offersIn  = "sbir_offers/docs.jsonl"
	needsIn   = "sbir_needs/needs.jsonl"
	needsUsed = 2000
)

var (
	offerMembers = []protocol.MemberID{"BN", "KH", "ID", "LA", "MM"}
	needMembers  = []protocol.MemberID{"MY", "PH", "SG", "TH", "TL", "VN"}
)

// realOffer and realNeed are the members of a line that the mapping reads.
type realOffer struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

type realNeed struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	Objective   string   `json:"objective"`
	Description string   `json:"description"`
	Keywords    []string `json:"keywords"`
	Opened      string   `json:"opened"`
}

// listingForm is a listing as it is sent in: the same members as protocol.Listing, of which only these are used.
type listingForm struct {
	ID        string                   `json:"id"`
	Kind      protocol.Kind            `json:"kind"`
	Country   string                   `json:"country"`
	Texts     map[string]protocol.Text `json:"texts"`
	Published string                   `json:"published,omitempty"`
}

// realInput is the mapped data: JSON Lines by member, and the rows whose title is empty in the source.
type realInput struct {
	lines  map[protocol.MemberID][]byte
	count  map[protocol.MemberID]int
	empty  map[protocol.MemberID][]int // rows, from 1
	origin map[string]protocol.MemberID
	offers int
	needs  int
}

func (in *realInput) add(members []protocol.MemberID, sourceID string, l listingForm) error {
	m := members[placeOf(sourceID, len(members))]
	line, err := json.Marshal(l)
	if err != nil {
		return err
	}
	in.lines[m] = append(append(in.lines[m], line...), '\n')
	in.count[m]++
	in.origin[l.ID] = m
	if strings.TrimSpace(l.Texts["en"].Title) == "" {
		in.empty[m] = append(in.empty[m], in.count[m])
	}
	return nil
}

// members that have lines, ascending.
func (in *realInput) members() []protocol.MemberID { return slices.Sorted(maps.Keys(in.lines)) }

// readReal maps the data, or skips the test where there is none.
func readReal(t *testing.T) *realInput {
	t.Helper()
	in := &realInput{
		lines: make(map[protocol.MemberID][]byte), count: make(map[protocol.MemberID]int),
		empty: make(map[protocol.MemberID][]int), origin: make(map[string]protocol.MemberID),
	}
	err := readLines(t, offersIn, func(o realOffer) (bool, error) {
		in.offers++
		return true, in.add(offerMembers, o.ID, offerListing(o))
	})
	if err != nil {
		t.Fatal(err)
	}
	err = readLines(t, needsIn, func(n realNeed) (bool, error) {
		in.needs++
		return in.needs < needsUsed, in.add(needMembers, n.ID, needListing(n))
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(in.origin) != in.offers+in.needs {
		t.Fatalf("%d ids for %d listings: two share one", len(in.origin), in.offers+in.needs)
	}
	return in
}

func readLines[T any](t *testing.T, name string, f func(T) (more bool, err error)) error {
	t.Helper()
	file, err := os.Open(filepath.Join(dataDir, name))
	if os.IsNotExist(err) {
		t.Skipf("no real input: ../shared/data/%s is absent", name)
	}
	if err != nil {
		return err
	}
	defer file.Close()
	s := bufio.NewScanner(file)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var v T
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			return err
		}
		if more, err := f(v); err != nil || !more {
			return err
		}
	}
	return s.Err()
}

// placeOf spreads ids over n members: the 32-bit FNV-1a hash of the source's id, modulo n.
func placeOf(id string, n int) int {
	h := fnv.New32a()
	h.Write([]byte(id))
	return int(h.Sum32() % uint32(n))
}

func offerListing(o realOffer) listingForm {
	return listingForm{ID: validID(o.ID), Kind: protocol.TechnologyOffer, Country: "US", Texts: map[string]protocol.Text{
		"en": {Title: cut(oneLine(o.Title), protocol.MaxTitle), Abstract: cut(readable(o.Text), protocol.MaxAbstract)},
	}}
}

func needListing(n realNeed) listingForm {
	text := protocol.Text{
		Title:    cut(oneLine(n.Title), protocol.MaxTitle),
		Abstract: cut(strings.TrimSpace(readable(n.Objective)+"\n"+readable(n.Description)), protocol.MaxAbstract),
	}
	for _, k := range n.Keywords {
		if k = cut(oneLine(k), protocol.MaxKeyword); k != "" && len(text.Keywords) < protocol.MaxKeywords {
			text.Keywords = append(text.Keywords, k)
		}
	}
	return listingForm{ID: validID(n.ID), Kind: protocol.TechnologyRequest, Country: "US", Texts: map[string]protocol.Text{"en": text}, Published: n.Opened}
}

// validID writes a hyphen for what an id may not hold, and keeps the first 64 characters.
func validID(s string) string {
	id := strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) || strings.ContainsRune("-._~", r) {
			return r
		}
		return '-'
	}, s)
	return id[:min(len(id), 64)]
}

// readable writes a space for the control characters that a listing may not hold.
func readable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s))
}

// oneLine is readable, with every run of white space as one space.
func oneLine(s string) string { return strings.Join(strings.Fields(readable(s)), " ") }

// cut shortens s to at most n characters, at the end of a word where there is one.
func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	end := n
	for end > 0 && !unicode.IsSpace(r[end]) {
		end--
	}
	if end == 0 {
		end = n
	}
	return strings.TrimSpace(string(r[:end]))
}

// indexed puts JSON Lines through the door that a node's import uses into an index, and returns the rows refused.
func indexed(x *match.Index, m protocol.MemberID, lines []byte) (listings []*protocol.Listing, refused []ingest.Row) {
	for row := range ingest.Rows("jsonl", bytes.NewReader(lines)) {
		if row.Err != nil {
			refused = append(refused, row)
			continue
		}
		x.Put(match.Ref{Origin: m, ID: row.Listing.ID}, row.Listing)
		listings = append(listings, row.Listing)
	}
	return listings, refused
}

func TestMapping(t *testing.T) {
	need := needListing(realNeed{
		ID: "A87/009 b", Title: "Pump\tfor\nwells", Objective: "Less\u009dwear.", Description: strings.Repeat("word ", 500),
		Keywords: []string{"", "one", strings.Repeat("a", 90), "3", "4", "5", "6", "7", "8", "9", "10", "11"}, Opened: "1987-06-01",
	})
	want := listingForm{ID: "A87-009-b", Kind: "TR", Country: "US", Published: "1987-06-01", Texts: map[string]protocol.Text{"en": {
		Title: "Pump for wells", Abstract: "Less wear.\n" + strings.TrimSpace(strings.Repeat("word ", 398)),
		Keywords: []string{"one", strings.Repeat("a", 80), "3", "4", "5", "6", "7", "8", "9", "10"},
	}}}
	if diff := cmp.Diff(want, need); diff != "" {
		t.Errorf("need: %s", diff)
	}
	offer := offerListing(realOffer{ID: "25583", Title: " ", Text: "Text\r"})
	if diff := cmp.Diff(listingForm{ID: "25583", Kind: "TO", Country: "US", Texts: map[string]protocol.Text{"en": {Abstract: "Text"}}}, offer); diff != "" {
		t.Errorf("offer: %s", diff)
	}
	if got := placeOf("25583", 5); got != int(fnv32a("25583")%5) {
		t.Errorf("place of an id: %d", got)
	}
	if got := cut("one two", 3); got != "one" {
		t.Errorf("cut at a word: %q", got)
	}
}

// fnv32a is the hash as its authors define it, to show that placeOf uses no other.
func fnv32a(s string) uint32 {
	h := uint32(2166136261)
	for _, b := range []byte(s) {
		h = (h ^ uint32(b)) * 16777619
	}
	return h
}
