package segment

import (
	"cmp"
	"slices"
	"strings"
)

// phraseTable holds the phrases for typeahead while a segment is written.
type phraseTable struct {
	entries  []phraseEntry // ascending by phrase, then by document
	distinct []int         // where in entries each phrase begins
	bytes    int
}

type phraseEntry struct {
	head   uint64 // the first 8 bytes: most comparisons end here
	phrase string
	doc    uint16
}

func head(s string) uint64 {
	var h uint64
	for i := range 8 {
		h <<= 8
		if i < len(s) {
			h |= uint64(s[i])
		}
	}
	return h
}

func collectPhrases(docs int, src source) *phraseTable {
	t := new(phraseTable)
	var list []string
	for i := range docs {
		list = src.surfaces(list[:0], i)
		for _, p := range list {
			t.entries = append(t.entries, phraseEntry{head: head(p), phrase: p, doc: uint16(i)})
		}
	}
	slices.SortFunc(t.entries, func(a, b phraseEntry) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		if c := strings.Compare(a.phrase, b.phrase); c != 0 {
			return c
		}
		return cmp.Compare(a.doc, b.doc)
	})
	t.entries = slices.CompactFunc(t.entries, func(a, b phraseEntry) bool { return a.doc == b.doc && a.phrase == b.phrase })
	for i, e := range t.entries {
		if i == 0 || e.phrase != t.entries[i-1].phrase {
			t.distinct = append(t.distinct, i)
			t.bytes += len(e.phrase)
		}
	}
	return t
}

func (s *Segment) putPhrases(t *phraseTable) {
	var at uint32
	for _, e := range t.entries {
		s.docPhraseEnds[int(e.doc)+1]++
	}
	for i := range s.docs {
		s.docPhraseEnds[i+1] += s.docPhraseEnds[i]
	}
	next := slices.Clone(s.docPhraseEnds)
	for i, from := range t.distinct {
		to := len(t.entries)
		if i+1 < len(t.distinct) {
			to = t.distinct[i+1]
		}
		at += uint32(copy(s.phrases[at:], t.entries[from].phrase))
		s.phraseEnds[i+1] = at
		s.phraseDocs[i] = uint32(to - from)
		for _, e := range t.entries[from:to] {
			s.docPhrases[next[e.doc]] = uint32(i)
			next[e.doc]++
		}
	}
}
