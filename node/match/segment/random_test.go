package segment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
)

// randomDoc is a document of any shape that Build takes; the vocabulary decides how much documents share.
func randomDoc(r *rand.Rand, vocabulary, tokens int) Doc {
	d := Doc{
		Origin: fmt.Sprintf("o%d", r.IntN(4)), ID: strconv.FormatUint(r.Uint64(), 36),
		Kind: uint8(r.Uint32()), TRL: uint8(r.IntN(10)), Country: [2]byte{byte('A' + r.IntN(26)), byte('A' + r.IntN(26))},
		Published: int32(r.Uint32()), ValidUntil: int32(r.Uint32()), Languages: r.Uint32(),
	}
	for i := range d.Body {
		d.Body[i] = byte(r.Uint32())
	}
	for range r.IntN(6) {
		d.Codes = append(d.Codes, r.Uint32N(1000))
	}
	slices.Sort(d.Codes)
	for range r.IntN(10) {
		d.Extra = append(d.Extra, byte(r.Uint32()))
	}
	seen := make(map[string]bool)
	add := func(t string) {
		if !seen[t] {
			seen[t] = true
			d.Terms = append(d.Terms, Impact{t, uint8(1 + r.IntN(255))})
		}
	}
	for range tokens {
		switch r.IntN(20) {
		case 0:
			d.Sequence = append(d.Sequence, EndText)
		case 1:
			d.Sequence = append(d.Sequence, EndField)
		default:
			t := word(int(float64(vocabulary) * math.Pow(r.Float64(), 3)))
			d.Sequence = append(d.Sequence, t)
			add(t)
		}
	}
	for range r.IntN(5) { // terms without a token: translations
		add("x/" + word(r.IntN(vocabulary)))
	}
	r.Shuffle(len(d.Terms), func(i, j int) { d.Terms[i], d.Terms[j] = d.Terms[j], d.Terms[i] })
	for range r.IntN(4) {
		d.Surfaces = append(d.Surfaces, word(r.IntN(vocabulary))+" "+word(r.IntN(20)))
	}
	return d
}

// word makes a word of 3 to some 20 letters of a number, the same each time.
func word(n int) string {
	const letters = "etaoinshrdlcumwfgypbvkjxqz"
	h := uint64(n+1) * 0x9e3779b97f4a7c15
	b := make([]byte, 0, 24)
	for i := n; i > 0; i /= 26 {
		b = append(b, letters[i%26])
	}
	b = append(b, '.')
	for range 2 + h>>60%8 {
		b = append(b, letters[h%26])
		h /= 26
	}
	return string(b)
}

// corpus is like a catalogue of summaries of about 170 words: some 110 tokens and 75 distinct terms a document, a few
// common terms and a long tail of rare ones.
func corpus(n int) []Doc {
	r := rand.New(rand.NewPCG(1, 2))
	docs := make([]Doc, n)
	for i := range docs {
		d := &docs[i]
		d.Origin, d.ID = fmt.Sprintf("country-%d", r.IntN(11)), fmt.Sprintf("offer-%08d", i)
		d.Kind, d.TRL, d.Country, d.Languages = uint8(r.IntN(6)), uint8(r.IntN(10)), [2]byte{'V', 'N'}, 1
		d.Published, d.ValidUntil = 20000, 21000
		for k := range d.Body {
			d.Body[k] = byte(r.Uint32())
		}
		for range 5 {
			d.Codes = append(d.Codes, r.Uint32N(700))
		}
		slices.Sort(d.Codes)
		seen := make(map[string]bool, 128)
		for k := range 113 {
			if k == 8 || k == 12 || k == 112 {
				d.Sequence = append(d.Sequence, EndField)
				continue
			}
			var t string
			switch u := r.Float64(); {
			case u < .52: // words that every abstract uses
				t = word(int(60 * u / .52 * u / .52))
			case u < .98: // log-uniform over the vocabulary
				t = word(60 + int(math.Exp(r.Float64()*math.Log(30000))))
			default: // names and mistakes, seen once or twice
				t = word(30060 + r.IntN(200000))
			}
			d.Sequence = append(d.Sequence, t)
			if !seen[t] {
				seen[t] = true
				d.Terms = append(d.Terms, Impact{t, uint8(1 + r.IntN(255))})
			}
		}
		for range 3 {
			d.Surfaces = append(d.Surfaces, word(r.IntN(30000))+" "+word(r.IntN(3000)))
		}
	}
	return docs
}
