package match

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"reflect"

	"github.com/asean-tmh/tmh/node/match/topics"
)

// Weights are the constants of the ranking, one set for all catalogues. A weight of 0 switches its part off.
type Weights struct {
	Version string `json:"version"`

	// Stage one, BM25F. Changing one of these makes the index be built anew.
	K1        float64 `json:"k1"`        // how slowly repeated occurrences saturate
	B         float64 `json:"b"`         // how much length counts against a document, 0 to 1
	Title     float64 `json:"title"`     // of an occurrence in a title
	Keywords  float64 `json:"keywords"`  // in a keyword
	Abstract  float64 `json:"abstract"`  // in a value statement or an abstract
	Reference float64 `json:"reference"` // length of an ordinary document, its fields weighted: a constant, so that scores do not drift

	// Stage one, languages.
	Translation float64 `json:"translation"` // of a word found by translation, relative to one found as written
	Borrowed    float64 `json:"borrowed"`    // of a Latin word taken as English beside its translations

	// Stage two, on the best Depth of stage one. Each part is divided by its greatest value among them, but for codes and
	// fit, which are from 0 to 1 by themselves.
	Text      float64 `json:"text"`      // BM25F with pairs
	Bigram    float64 `json:"bigram"`    // of two adjacent terms, relative to a term; within text
	Expansion float64 `json:"expansion"` // terms that the best documents share
	Topics    float64 `json:"topics"`    // latent semantic indexing
	Codes     float64 `json:"codes"`     // subject codes that a listing shares with the asking one
	Fit       float64 `json:"fit"`       // technology readiness, cooperation and partner sought
	Embedding float64 `json:"embedding"` // cosine of an outside model's vectors, where one is configured
	Stale     float64 `json:"stale"`     // taken off for an origin that was not heard of for long
}

//go:embed weights.json
var shipped []byte

// DefaultWeights are the shipped ones, of weights.json.
func DefaultWeights() (w Weights) {
	if err := json.Unmarshal(shipped, &w); err != nil {
		panic(fmt.Sprintf("weights.json: %v", err))
	}
	return w
}

// parts of the ranking that can be switched off one by one, by the names of weights.json.
//
//nolint:gochecknoglobals // a table, never changed
var parts = []string{"title", "keywords", "bigram", "expansion", "topics", "codes", "fit", "embedding", "stale", "translation"}

// Parts names what Without can switch off and is switched on.
func (w Weights) Parts() (names []string) {
	for _, name := range parts {
		if *w.part(name) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// Without is w with a part switched off: its weight is 0; that of a field is what the abstract has.
func (w Weights) Without(name string) Weights {
	p := w.part(name)
	if p == nil {
		return w
	}
	*p = 0
	if name == "title" || name == "keywords" {
		*p = w.Abstract
	}
	w.Version += "-" + name
	return w
}

func (w *Weights) part(name string) *float64 {
	v := reflect.ValueOf(w).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("json") == name {
			p, _ := v.Field(i).Addr().Interface().(*float64)
			return p
		}
	}
	return nil
}

func (w *Weights) field(f field) float64 { return [fields]float64{w.Title, w.Keywords, w.Abstract}[f] }

// norm is what the frequencies of a document of a weighted length are saturated with. The conversions here and elsewhere
// forbid fused multiply-add, which some processors have and others have not: every node shall compute the same bits.
func (w *Weights) norm(length float64) float64 {
	return w.K1 * (1 - w.B + float64(w.B*length/w.Reference))
}

// impact is the saturated frequency tf / (tf + norm), from 1 to 255 for 0 to 1.
func impact(tf, norm float64) uint8 {
	return uint8(max(1, min(255, math.Round(255*tf/(tf+norm)))))
}

// idf is ln(1 + (n − df + ½) / (df + ½)).
func idf(n, df float64) float64 { return topics.Ln(1 + (max(n, df)-df+0.5)/(df+0.5)) }
