package match

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"

	"github.com/asean-tmh/tmh/protocol"
)

// Weights are the constants of the ranking formula, one set for all catalogues. Changing one changes Version.
type Weights struct {
	Version  string  `json:"version"`
	K1       float64 `json:"k1"`       // how slowly repeated occurrences saturate
	B        float64 `json:"b"`        // how much length counts against a document, 0 to 1
	Title    float64 `json:"title"`    // of an occurrence in a title
	Keywords float64 `json:"keywords"` // in a keyword
	Abstract float64 `json:"abstract"` // in a value statement or an abstract
	Bigram   float64 `json:"bigram"`   // of two adjacent terms, relative to a term; 0 switches bigrams off
}

// DefaultWeights are those measured best over the test collections as a whole; see Evaluate.
func DefaultWeights() Weights {
	return Weights{Version: "1", K1: 1.2, B: 0.75, Title: 3, Keywords: 3, Abstract: 1, Bigram: 0.15}
}

func (w *Weights) field(f field) float64 { return [fields]float64{w.Title, w.Keywords, w.Abstract}[f] }

// weigh is Σ weight·count over the fields. The conversions forbid fused multiply-add, which some processors have and
// others have not: every node shall compute the same bits.
func (w *Weights) weigh(title, keywords, abstract float64) float64 {
	return float64(w.Title*title) + float64(w.Keywords*keywords) + float64(w.Abstract*abstract)
}

// frequency is tf~, the occurrences weighted by their fields.
func (w *Weights) frequency(n counts) float64 {
	return w.weigh(float64(n[title]), float64(n[keywords]), float64(n[abstract]))
}

// algorithm names the code's share of the ranking in the digest: change it with any change that changes an answer.
const algorithm = "bm25f-1"

// Digest names a ranker: the weights and the catalogue. Equal digests give equal answers, to the last bit, on every node.
type Digest [sha256.Size]byte

func digest(w Weights, set *protocol.SetHash) Digest {
	b, err := json.Marshal(w)
	if err != nil {
		b = []byte(w.Version) // infinite weights: no ranker
	}
	of := set.Digest()
	b = append(append(b, algorithm...), of[:]...)
	return sha256.Sum256(b)
}

func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText writes 64 hexadecimal digits.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Digest) UnmarshalText(b []byte) error { return (*protocol.Hash)(d).UnmarshalText(b) }

// idf is ln(1 + (n − df + ½) / (df + ½)).
func idf(n, df int) float64 {
	return ln(1 + (float64(n-df)+0.5)/(float64(df)+0.5))
}

// ln is the natural logarithm of x ≥ 1. Unlike math.Log, which is assembly on some processors, it computes the same bits
// on all: x = f·2ᵉ with f in [√½, √2), and ln f = 2·artanh((f−1)/(f+1)) as a series.
func ln(x float64) float64 {
	f, e := math.Frexp(x)
	if f < math.Sqrt2/2 {
		f, e = 2*f, e-1
	}
	s := (f - 1) / (f + 1)
	square, sum := s*s, 0.0
	for k := 23; k >= 1; k -= 2 {
		sum = 1/float64(k) + float64(square*sum)
	}
	return float64(math.Ln2*float64(e)) + float64(2*s*sum)
}
