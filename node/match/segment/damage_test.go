package segment

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// walk calls every reader for everything that a segment says it has.
func walk(s *Segment) {
	for id := range uint32(s.Terms()) {
		docs, impacts := s.Postings(id)
		if len(docs) != len(impacts) || s.DF(id) != len(docs) {
			panic("postings of different lengths")
		}
		for _, d := range docs {
			_ = s.Kinds()[d]
		}
		_, _ = s.Term(s.TermString(id))
		_ = s.MaxImpact(id)
	}
	_, _ = s.Term("no such term")
	var vector []Weight
	var sequence []uint32
	for i := range s.Docs() {
		d := uint16(i)
		vector, sequence = s.Vector(vector[:0], d), s.Sequence(sequence[:0], d)
		for _, w := range vector {
			_ = s.TermString(w.Term)
		}
		for _, id := range sequence {
			if id < EndFieldID {
				_ = s.TermString(id)
			}
		}
		if len(sequence) != s.sequenceLen(d) {
			panic("sequence of another length")
		}
		_, _ = s.Ref(d)
		_, _, _ = s.Body(d), s.Extra(d), s.Codes(d)
		_ = s.OriginNames()[s.Origins()[d]]
		_, _, _, _ = s.Countries()[d], s.TRLs()[d], s.ValidUntil()[d], s.Published()[d]
		_ = s.Languages()[d]
		for _, p := range s.surfaces(d) {
			_ = s.phrase(int(p))
		}
	}
	for _, prefix := range []string{"", "a", "\xff"} {
		s.Surfaces(prefix, func(string, int) bool { return true })
	}
}

// resealed are the bytes with good checksums, as only a mistake in our writer, or malice on this machine, could make them.
func resealed(b []byte) []byte {
	s := &Segment{bytes: slices.Clone(b)}
	for i := range sections {
		if off, n := s.entry(i); off > len(b) || n > len(b)-off || padded(n) > len(b)-off {
			return s.bytes
		}
	}
	return s.seal()
}

func TestEveryFlippedByteIsRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	good := build(t, []Doc{randomDoc(r, 50, 20), randomDoc(r, 50, 20), randomDoc(r, 50, 5)}, 1).Bytes()
	for i := range good {
		bad := aligned(len(good))
		copy(bad, good)
		bad[i] ^= byte(1 + r.IntN(255))
		if _, err := Parse(bad); err == nil {
			t.Fatalf("byte %d may change unnoticed", i)
		} else if !strings.Contains(err.Error(), "rebuilt") {
			t.Fatalf("byte %d: the error does not say what happens next: %v", i, err)
		}
	}
	for n := range good {
		if _, err := Parse(good[:n:n]); err == nil {
			t.Fatalf("%d of %d bytes pass for the whole", n, len(good))
		}
	}
	if _, err := Parse(append(slices.Clone(good), make([]byte, 8)...)); err == nil {
		t.Error("bytes behind the last section pass")
	}
}

// Behind good checksums, nothing may crash or hang either.
func TestDamageBehindGoodChecksums(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	wide := randomDoc(r, 3000, 900)
	bases := [][]byte{
		build(t, []Doc{randomDoc(r, 50, 20), randomDoc(r, 50, 20)}, 1).Bytes(),
		build(t, []Doc{wide, randomDoc(r, 50, 20)}, 1).Bytes(),
	}
	passed, refused := 0, 0
	for range 30_000 {
		b := slices.Clone(bases[r.IntN(len(bases))])
		for range 1 + r.IntN(3) {
			b[headerSize+r.IntN(len(b)-headerSize)] = byte(r.Uint32() >> r.IntN(8))
		}
		if r.IntN(10) == 0 {
			binary.LittleEndian.PutUint32(b[24+4*r.IntN(2):], r.Uint32N(400))
		}
		s, err := Parse(resealed(b))
		if err != nil {
			refused++
			continue
		}
		passed++
		walk(s)
		if _, _, err := Merge([]Part{{Segment: s}, {Segment: s}}, 1); err != nil && !strings.Contains(err.Error(), "damaged") {
			t.Fatal(err)
		}
	}
	if passed == 0 || refused == 0 {
		t.Errorf("%d passed, %d refused: this test tests nothing", passed, refused)
	}
}

// Each check that keeps a reader from a crash or an endless search, by what it is there for.
func TestWhatParseRefuses(t *testing.T) {
	docs := []Doc{
		{Origin: "o", ID: "i", Terms: []Impact{{"a", 1}, {"b", 2}, {"c", 3}}, Sequence: []string{"a", "b"}, Surfaces: []string{"p", "q"}},
		{Origin: "o", ID: "j", Terms: []Impact{{"a", 4}}, Sequence: []string{"a"}, Codes: []uint32{1}, Extra: []byte{1}},
		randomDoc(rand.New(rand.NewPCG(4, 4)), 3000, 900),
	}
	for name, c := range map[string]struct {
		section int
		damage  func(s *Segment)
	}{
		"no free slot": {slots, func(s *Segment) {
			for i := range s.slots {
				s.slots[i] = s.slots[slices.IndexFunc(s.slots, func(slot uint64) bool { return slot != 0 })]
			}
		}},
		"slot of a term that is not there": {slots, func(s *Segment) {
			i := slices.IndexFunc(s.slots, func(slot uint64) bool { return slot != 0 })
			s.slots[i] |= 0xffffff << 32
		}},
		"origin out of range":     {origins, func(s *Segment) { s.origins[1] = 2 }},
		"ids out of order":        {idEnds, func(s *Segment) { s.idEnds[1] = s.idEnds[3] + 1 }},
		"length of a term":        {termBytes, func(s *Segment) { s.termBytes[0]++ }},
		"postings out of order":   {postingDocs, func(s *Segment) { s.postingDocs[0] = s.postingDocs[1] }},
		"posting beyond the last": {postingDocs, func(s *Segment) { s.postingDocs[s.postingEnds[1]-1] = 3 }},
		"impact 0":                {postingImpacts, func(s *Segment) { s.postingImpacts[0] = 0 }},
		"highest impact too low":  {maxImpacts, func(s *Segment) { s.maxImpacts[0]-- }},
		"record without impacts": {texts, func(s *Segment) { // 3 terms, and the record ends behind their gaps
			s.textEnds[1] = 2 + 1 + 3
		}},
		"gap beyond the terms":            {texts, func(s *Segment) { s.texts[3], s.texts[2] = 0xff, 3 }},
		"place beyond the vector, narrow": {texts, func(s *Segment) { s.texts[s.textEnds[1]-1] = 3 }},
		"place beyond the vector, wide":   {texts, func(s *Segment) { s.texts[s.textEnds[3]-1] = 0xf0 }},
		"phrases out of order":            {phrases, func(s *Segment) { s.phrases[s.phraseEnds[1]] = 0 }},
		"phrase out of range":             {docPhrases, func(s *Segment) { s.docPhrases[0] = uint32(len(s.phraseDocs)) }},
	} {
		s := build(t, docs, 1)
		c.damage(s)
		_, err := Parse(s.seal())
		if err == nil || !strings.Contains(err.Error(), `"`+sectionName(c.section)+`"`) {
			t.Errorf("%s: error %v, want one that names section %q", name, err, sectionName(c.section))
		}
	}

	var l lengths
	l.fixed(0, 0)
	l[texts], l[originEnds], l[phraseEnds] = 4, 1, 1
	l[kinds] = 8
	s, err := allocate(0, 0, 1, &l)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(s.seal()); err == nil {
		t.Error("a column may be longer than there are documents")
	}
}

// What readers of one document need not care about must not get into a merged segment.
func TestMergeRefusesVectorsThatDifferFromPostings(t *testing.T) {
	docs := []Doc{
		{Terms: []Impact{{"a", 1}, {"b", 2}}}, {Terms: []Impact{{"a", 3}, {"c", 4}}}, {Terms: []Impact{{"a", 3}, {"b", 4}}},
	}
	for name, damage := range map[string]func(s *Segment){
		"impact":    func(s *Segment) { s.postingImpacts[3] = 9; s.maxImpacts[1] = 9 },
		"last term": func(s *Segment) { s.texts[s.textEnds[2]+4] = 1 }, // c, not b: more than c has postings
		"document":  func(s *Segment) { s.postingDocs[3] = 1 },
		"term that is not found": func(s *Segment) {
			for i, slot := range s.slots {
				if slot != 0 {
					s.slots[i] ^= 1 << 56
				}
			}
		},
	} {
		s := build(t, docs, 1)
		damage(s)
		s, err := Parse(s.seal())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, _, err := Merge([]Part{{Segment: s}}, 1); err == nil || !strings.Contains(err.Error(), "part 0") {
			t.Errorf("%s: error %v, want one that names the part", name, err)
		}
	}
}

func TestParseTakesBytesThatAreNotAligned(t *testing.T) {
	docs := corpus(5)
	good := build(t, docs, 1).Bytes()
	for shift := 1; shift < 8; shift++ {
		b := aligned(len(good) + shift)[shift:]
		copy(b, good)
		wantContent(t, parse(t, b), docs)
	}
}

// FuzzParse gives any bytes, once as they are and once with good checksums.
func FuzzParse(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, n := range []int{0, 1, 3} {
		docs := make([]Doc, n)
		for i := range docs {
			docs[i] = randomDoc(r, 30, 12)
		}
		f.Add(build(f, docs, 1).Bytes())
	}
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := Parse(b); err == nil {
			walk(s)
		}
		if len(b) < tableEnd() {
			return
		}
		if s, err := Parse(resealed(b)); err == nil {
			walk(s)
			_, _, _ = Merge([]Part{{Segment: s}, {Segment: s, Dropped: func(d uint16) bool { return d == 0 }}}, 1)
		}
	})
}
