package segment

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/quick"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// read gives back what the documents of a segment were built of.
func read(s *Segment) []Doc {
	docs := make([]Doc, s.Docs())
	for i := range docs {
		n, d := uint16(i), &docs[i]
		d.Origin, d.ID = s.Ref(n)
		d.Body, d.Kind, d.TRL, d.Codes, d.Extra = s.Body(n), s.Kinds()[i], s.TRLs()[i], s.Codes(n), s.Extra(n)
		d.Country = [2]byte{byte(s.Countries()[i] >> 8), byte(s.Countries()[i])}
		d.Published, d.ValidUntil, d.Languages = s.Published()[i], s.ValidUntil()[i], s.Languages()[i]
		for _, w := range s.Vector(nil, n) {
			d.Terms = append(d.Terms, Impact{s.TermString(w.Term), w.Impact})
		}
		for _, id := range s.Sequence(nil, n) {
			switch id {
			case EndTextID:
				d.Sequence = append(d.Sequence, EndText)
			case EndFieldID:
				d.Sequence = append(d.Sequence, EndField)
			default:
				d.Sequence = append(d.Sequence, s.TermString(id))
			}
		}
		for _, p := range s.surfaces(n) {
			d.Surfaces = append(d.Surfaces, s.phrase(int(p)))
		}
	}
	return docs
}

// canonical orders what has no order.
func canonical(docs []Doc) []Doc {
	docs = slices.Clone(docs)
	for i := range docs {
		d := &docs[i]
		d.Terms = slices.SortedFunc(slices.Values(d.Terms), func(a, b Impact) int { return cmp.Compare(a.Term, b.Term) })
		d.Surfaces = slices.Compact(slices.Sorted(slices.Values(d.Surfaces)))
	}
	return docs
}

// wantContent fails unless every reader of s agrees with docs.
func wantContent(t *testing.T, s *Segment, docs []Doc) {
	t.Helper()
	if diff := gocmp.Diff(canonical(docs), canonical(read(s)), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("documents read differ from those built (-want +got):\n%s", diff)
	}
	type posting struct {
		doc    uint16
		impact uint8
	}
	want := make(map[string][]posting)
	phrases := make(map[string]int)
	for i, d := range canonical(docs) {
		for _, term := range d.Terms {
			want[term.Term] = append(want[term.Term], posting{uint16(i), term.Impact})
		}
		for _, p := range d.Surfaces {
			phrases[p]++
		}
	}
	if s.Terms() != len(want) {
		t.Fatalf("%d terms, want %d", s.Terms(), len(want))
	}
	df := len(docs)
	for id := range uint32(s.Terms()) {
		var got []posting
		var most uint8
		ds, impacts := s.Postings(id)
		for i := range ds {
			got = append(got, posting{ds[i], impacts[i]})
			most = max(most, impacts[i])
		}
		name := s.TermString(id)
		if !slices.Equal(got, want[name]) {
			t.Fatalf("postings of %q: %v, want %v", name, got, want[name])
		}
		if s.DF(id) != len(got) || s.MaxImpact(id) != most || s.DF(id) > df {
			t.Fatalf("%q: DF %d, MaxImpact %d, want %d, %d; ids must descend by DF", name, s.DF(id), s.MaxImpact(id), len(got), most)
		}
		df = s.DF(id)
		if found, ok := s.Term(name); !ok || found != id {
			t.Fatalf("Term(%q) = %d, %v, want %d", name, found, ok, id)
		}
		if _, ok := s.Term(name + "!"); ok {
			t.Fatalf("Term finds %q, which no document has", name+"!")
		}
	}
	for _, prefix := range []string{"", "t", "th", "zzz", "e.", "\xff"} {
		var wanted, got []string
		for _, p := range slices.Sorted(maps.Keys(phrases)) {
			if strings.HasPrefix(p, prefix) {
				wanted = append(wanted, fmt.Sprint(p, phrases[p]))
			}
		}
		s.Surfaces(prefix, func(p string, n int) bool {
			got = append(got, fmt.Sprint(p, n))
			return true
		})
		if !slices.Equal(got, wanted) {
			t.Fatalf("Surfaces(%q) gives %q, want %q", prefix, got, wanted)
		}
		first := 0
		s.Surfaces(prefix, func(string, int) bool { first++; return false })
		if first != min(1, len(wanted)) {
			t.Fatalf("Surfaces(%q) goes on after false", prefix)
		}
	}
}

func build(t testing.TB, docs []Doc, seed uint64) *Segment {
	t.Helper()
	b, err := Build(docs, seed)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, b)
}

func parse(t testing.TB, b []byte) *Segment {
	t.Helper()
	s, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.checkAgreement(); err != nil {
		t.Fatal(err)
	}
	return s
}

func randomDocs(r *rand.Rand) []Doc {
	docs := make([]Doc, r.IntN(30))
	for i := range docs {
		tokens := r.IntN(60)
		if r.IntN(10) == 0 {
			tokens = 200 + r.IntN(800) // more distinct terms than one byte can tell apart
		}
		docs[i] = randomDoc(r, 2000, tokens)
	}
	return docs
}

func TestWhatIsReadIsWhatWasBuilt(t *testing.T) {
	check := func(seed uint64) bool {
		docs := randomDocs(rand.New(rand.NewPCG(seed, 1)))
		wantContent(t, build(t, docs, seed), docs)
		return !t.Failed()
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 60}); err != nil {
		t.Fatal(err)
	}
}

func TestEqualInputGivesEqualBytes(t *testing.T) {
	docs := corpus(40)
	a, b := build(t, docs, 9), build(t, docs, 9)
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two builds of the same documents differ")
	}
	parts := []Part{{Segment: a}, {Segment: b, Dropped: func(doc uint16) bool { return doc%3 == 0 }}}
	c, _, errC := Merge(parts, 1)
	d, _, errD := Merge(parts, 1)
	if errC != nil || errD != nil || !bytes.Equal(c, d) {
		t.Errorf("two merges of the same segments differ: %v, %v", errC, errD)
	}
}

func TestMergeIsBuildOfWhatIsLeft(t *testing.T) {
	check := func(seed uint64) bool {
		r := rand.New(rand.NewPCG(seed, 2))
		var parts []Part
		var left []Doc
		var moved []Moved
		for p := range r.IntN(5) {
			docs := randomDocs(r)
			part := Part{Segment: build(t, docs, r.Uint64())}
			drop := make([]bool, len(docs))
			if r.IntN(3) > 0 {
				rate := r.Float64() * 1.2
				for i := range drop {
					drop[i] = r.Float64() < rate
				}
				part.Dropped = func(doc uint16) bool { return drop[doc] }
			}
			for i, d := range docs {
				if !drop[i] {
					moved = append(moved, Moved{Part: p, Old: uint16(i), New: uint16(len(left))})
					left = append(left, d)
				}
			}
			parts = append(parts, part)
		}
		b, got, err := Merge(parts, seed)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, moved) {
			t.Fatalf("moved %v, want %v", got, moved)
		}
		wantContent(t, parse(t, b), left)
		return !t.Failed()
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 40}); err != nil {
		t.Fatal(err)
	}
}

func TestFullSegment(t *testing.T) {
	docs := make([]Doc, MaxDocs)
	for i := range docs {
		docs[i] = Doc{
			Origin: fmt.Sprint(i), ID: fmt.Sprint("id", i), Codes: []uint32{uint32(i)}, Extra: []byte{1},
			Terms: []Impact{{"all", 1}, {fmt.Sprint("t", i), 2}}, Sequence: []string{"all"}, Surfaces: []string{fmt.Sprint("p", i%7)},
		}
	}
	s := build(t, docs, 3)
	last := uint16(MaxDocs - 1)
	origin, id := s.Ref(last)
	all, ok := s.Term("all")
	if origin != "65535" || id != "id65535" || !ok || s.DF(all) != MaxDocs || all != 0 {
		t.Errorf("last document is %q of %q; term all is %d with %d documents", id, origin, all, s.DF(all))
	}
	if len(s.Codes(last)) != 1 || len(s.Extra(last)) != 1 || len(s.Vector(nil, last)) != 2 || len(s.Sequence(nil, last)) != 1 {
		t.Error("the last document lacks something")
	}
	if _, err := Build(append(docs, Doc{}), 3); !errors.Is(err, ErrTooLarge) {
		t.Errorf("65,537 documents are built: %v", err)
	}
	one := build(t, []Doc{{}}, 4)
	if _, _, err := Merge([]Part{{Segment: s}, {Segment: one}}, 3); !errors.Is(err, ErrTooLarge) {
		t.Errorf("65,537 documents are merged: %v", err)
	}
	b, moved, err := Merge([]Part{{Segment: s, Dropped: func(d uint16) bool { return d == 5 }}, {Segment: one}}, 3)
	if err != nil || len(moved) != MaxDocs || moved[MaxDocs-1] != (Moved{Part: 1, Old: 0, New: last}) {
		t.Fatalf("a full segment with one document dropped and one added does not merge: %v", err)
	}
	if all, ok := parse(t, b).Term("all"); !ok || parse(t, b).DF(all) != MaxDocs-1 {
		t.Error("the df of a term does not follow a drop and an addition")
	}
}

func TestWideVectors(t *testing.T) {
	for _, n := range []int{253, 254, 255, 256, 20000} {
		d := Doc{ID: "wide"}
		for i := range n {
			d.Terms = append(d.Terms, Impact{word(i), 7})
			d.Sequence = append(d.Sequence, word(i))
		}
		d.Sequence = append(d.Sequence, EndText, EndField)
		wantContent(t, build(t, []Doc{d, {ID: "empty"}}, 1), []Doc{d, {ID: "empty"}})
	}
}

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name, want string
		doc        Doc
	}{
		{"origin", "bytes of origin", Doc{Origin: strings.Repeat("o", 65)}},
		{"id", "bytes of id", Doc{ID: strings.Repeat("o", 65)}},
		{"extra", "bytes of extra", Doc{Extra: make([]byte, 256)}},
		{"codes", "codes, at most 64", Doc{Codes: make([]uint32, 65)}},
		{"unsorted codes", "not ascending", Doc{Codes: []uint32{2, 1}}},
		{"terms", "terms, at most", Doc{Terms: make([]Impact, MaxTerms+1)}},
		{"long term", "longer than 255", Doc{Terms: []Impact{{strings.Repeat("t", 256), 1}}}},
		{"empty term", "reserved", Doc{Terms: []Impact{{EndText, 1}}}},
		{"field end as term", "reserved", Doc{Terms: []Impact{{EndField, 1}}}},
		{"impact 0", "impact 0", Doc{Terms: []Impact{{"t", 0}}}},
		{"term twice", "twice", Doc{Terms: []Impact{{"t", 1}, {"t", 2}}}},
		{"tokens", "tokens, at most", Doc{Sequence: make([]string, MaxSequence+1)}},
		{"token without term", "none of its terms", Doc{Sequence: []string{"t"}}},
		{"token of another document", "none of its terms", Doc{Terms: []Impact{{"t", 1}}, Sequence: []string{"first"}}},
		{"phrases", "phrases, at most", Doc{Surfaces: make([]string, 65)}},
		{"empty phrase", "the phrase", Doc{Surfaces: []string{""}}},
		{"long phrase", "the phrase", Doc{Surfaces: []string{strings.Repeat("p", 65)}}},
	} {
		_, err := Build([]Doc{{Terms: []Impact{{"first", 1}}}, c.doc}, 1)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "document 1") {
			t.Errorf("%s: error %v, want one with %q and the document's place", c.name, err, c.want)
		}
	}
	full := Doc{
		Origin: strings.Repeat("o", MaxName), ID: strings.Repeat("i", MaxName), Extra: make([]byte, MaxExtra),
		Codes: make([]uint32, MaxCodes), Terms: []Impact{{strings.Repeat("t", MaxTerm), 255}},
		Sequence: slices.Repeat([]string{strings.Repeat("t", MaxTerm)}, MaxSequence),
	}
	for i := range MaxSurfaces {
		full.Surfaces = append(full.Surfaces, strings.Repeat(string(rune('!'+i)), MaxName))
	}
	wantContent(t, build(t, []Doc{full}, 1), []Doc{full})
	if _, _, err := Merge([]Part{{}}, 1); err == nil {
		t.Error("a part without a segment is merged")
	}
}

// Sizes that no test can afford to build.
func TestTooLarge(t *testing.T) {
	var l lengths
	l.fixed(1, 1)
	l[texts] = maxSize
	if _, err := allocate(1, 1, 0, &l); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a segment of over 2 GiB is allocated: %v", err)
	}
	d := newDictionary(1, 1)
	for i := range 1 << 14 {
		d.df[d.number(fmt.Sprint(i))] = MaxDocs
	}
	if _, _, err := newPostings(d, d.ranks()); !errors.Is(err, ErrTooLarge) {
		t.Errorf("postings of 3 GiB are made: %v", err)
	}
}

// Terms whose hashes collide in part must still be told apart, and a table that is nearly full must be searched round its end.
func TestDictionaryOfManyTerms(t *testing.T) {
	for seed := range uint64(4) {
		d := Doc{}
		for i := range 50_000 {
			d.Terms = append(d.Terms, Impact{fmt.Sprintf("%x", i), 1})
		}
		s := build(t, []Doc{d}, seed)
		for i := range 100_000 {
			id, ok := s.Term(fmt.Sprintf("%x", i))
			if ok != (i < 50_000) || ok && s.TermString(id) != fmt.Sprintf("%x", i) {
				t.Fatalf("seed %d: Term(%x) = %d, %v", seed, i, id, ok)
			}
		}
		dict := newDictionary(seed, 1)
		dict.number("one")
		if _, _, ok := dict.find("other", hash(seed, "one")); ok {
			t.Error("two terms with one hash are taken for one")
		}
		longest, run := 0, 0
		for _, slot := range s.slots {
			if run++; slot == 0 {
				longest, run = max(longest, run), 0
			}
		}
		if longest > 300 {
			t.Errorf("seed %d: %d slots in a row are taken; the hash spreads badly", seed, longest)
		}
	}
}
