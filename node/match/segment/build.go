package segment

import (
	"fmt"
	"slices"
)

// Build makes a segment of documents, which keep their order. The seed is that of the hash table of terms: take a random
// one for every segment and do not publish it, else peers can choose terms that are slow to look up.
func Build(docs []Doc, seed uint64) ([]byte, error) {
	if len(docs) > MaxDocs {
		return nil, ErrTooLarge
	}
	var all, tokens int
	for i := range docs {
		if err := docs[i].check(); err != nil {
			return nil, fmt.Errorf("document %d, %q: %w", i, docs[i].ID, err)
		}
		all += len(docs[i].Terms)
		tokens += len(docs[i].Sequence)
	}
	b := &built{docs: docs, starts: make([]int, len(docs)+1), numbers: make([]uint32, 0, all)}
	b.ends, b.places = make([]int, len(docs)+1), make([]uint16, 0, tokens)
	d := newDictionary(seed, min(all*2/3, 1<<13+all/32))
	seen := make([]place, 0, cap(d.names))
	for i := range docs {
		var err error
		if seen, err = b.add(d, i, seen); err != nil {
			return nil, fmt.Errorf("document %d, %q: %w", i, docs[i].ID, err)
		}
	}
	ranks := d.ranks()
	p, at, err := newPostings(d, ranks)
	if err != nil {
		return nil, err
	}
	for i := range docs {
		for k, number := range b.numbers[b.starts[i]:b.starts[i+1]] {
			r := ranks[number]
			p.docs[at[r]], p.impacts[at[r]] = uint16(i), docs[i].Terms[k].Impact
			at[r]++
		}
	}
	return write(len(docs), d, ranks, p, b)
}

func (d *Doc) check() error {
	tooMany := func(n, most int, what string) error {
		if n > most {
			return fmt.Errorf("it has %d %s, at most %d are possible", n, what, most)
		}
		return nil
	}
	for _, c := range []error{
		tooMany(len(d.Origin), MaxName, "bytes of origin"), tooMany(len(d.ID), MaxName, "bytes of id"),
		tooMany(len(d.Extra), MaxExtra, "bytes of extra"), tooMany(len(d.Codes), MaxCodes, "codes"),
		tooMany(len(d.Terms), MaxTerms, "terms"), tooMany(len(d.Sequence), MaxSequence, "tokens"),
		tooMany(len(d.Surfaces), MaxSurfaces, "phrases"),
	} {
		if c != nil {
			return c
		}
	}
	if !slices.IsSorted(d.Codes) {
		return fmt.Errorf("its codes are not ascending; sort them")
	}
	for _, p := range d.Surfaces {
		if p == "" || len(p) > MaxName {
			return fmt.Errorf("the phrase %.80q has %d bytes, not 1 to %d", p, len(p), MaxName)
		}
	}
	return nil
}

// built is the source of Build.
type built struct {
	docs    []Doc
	numbers []uint32 // of the documents' terms, one after another
	starts  []int    // where a document's numbers begin
	places  []uint16 // of the documents' tokens in their lists of terms
	ends    []int    // where a document's places begin
}

// place says where in a document a term stands; it holds for the document whose number + 1 it has.
type place struct {
	doc uint32
	at  uint16
}

// add takes a document's terms and tokens into the dictionary. seen has a place for every term.
func (b *built) add(d *dictionary, doc int, seen []place) ([]place, error) {
	stamp := uint32(doc + 1)
	for i, t := range b.docs[doc].Terms {
		switch {
		case t.Term == EndText || t.Term == EndField || len(t.Term) > MaxTerm:
			return seen, fmt.Errorf("the term %.80q is reserved, or longer than %d bytes", t.Term, MaxTerm)
		case t.Impact == 0:
			return seen, fmt.Errorf("the term %q has impact 0; leave it out", t.Term)
		}
		number := d.number(t.Term)
		if int(number) >= len(seen) {
			seen = append(seen, place{})
		}
		if seen[number].doc == stamp {
			return seen, fmt.Errorf("the term %q stands there twice; add up its impacts", t.Term)
		}
		seen[number] = place{doc: stamp, at: uint16(i)}
		d.df[number]++
		b.numbers = append(b.numbers, number)
	}
	b.starts[doc+1] = len(b.numbers)
	for _, token := range b.docs[doc].Sequence {
		switch token {
		case EndText:
			b.places = append(b.places, endText)
			continue
		case EndField:
			b.places = append(b.places, endField)
			continue
		}
		number, _, ok := d.find(token, hash(d.seed, token))
		if !ok || seen[number].doc != stamp {
			return seen, fmt.Errorf("the token %.80q is none of its terms; give it an impact", token)
		}
		b.places = append(b.places, seen[number].at)
	}
	b.ends[doc+1] = len(b.places)
	return seen, nil
}

func (b *built) fields(i int) fields {
	d := &b.docs[i]
	return fields{
		origin: d.Origin, id: d.ID, body: &d.Body, kind: d.Kind, trl: d.TRL,
		country:   uint16(d.Country[0])<<8 | uint16(d.Country[1]),
		published: d.Published, validUntil: d.ValidUntil, languages: d.Languages, codes: d.Codes, extra: d.Extra,
	}
}

func (b *built) sequenceLen(i int) int { return len(b.docs[i].Sequence) }

func (b *built) sequence(dst []uint32, i int) []uint32 {
	numbers := b.numbers[b.starts[i]:]
	for _, p := range b.places[b.ends[i]:b.ends[i+1]] {
		switch p {
		case endText:
			dst = append(dst, EndTextID)
		case endField:
			dst = append(dst, EndFieldID)
		default:
			dst = append(dst, numbers[p])
		}
	}
	return dst
}

func (b *built) surfaces(dst []string, i int) []string { return append(dst, b.docs[i].Surfaces...) }
