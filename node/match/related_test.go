package match

import (
	"math"
	"testing"

	"github.com/asean-tmh/tmh/node/match/text"
)

// TestRelatedWords: no word that a listing has itself is told to go with another one besides; what is named convinces; and the parts
// are still the score.
func TestRelatedWords(t *testing.T) {
	x, _ := demonstration(t)
	if err := x.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, named, sums := x.snap.Load(), 0, 0
	for _, query := range []string{
		"battery recycling", "telemedicine for islands", "removing arsenic from drinking water", "asen", "rice drying", "solar energy for ice on islands",
		"early detection of dengue", "loại bỏ asen trong nước uống", "pengeringan ikan dengan tenaga surya", "storage of grid power", "fish feed", "drought",
	} {
		for _, h := range ask(t, x, Query{Text: query, Limit: 30}).Hits {
			direct, sum := map[string]bool{}, 0.0
			for _, p := range h.Explanation.Parts {
				if sum += p.Weight; p.Kind == PartTerm {
					direct[text.Stem(p.Term)], direct[text.Stem(p.Means)] = true, true
				}
			}
			if math.Abs(sum-h.Score) > 1e-6 {
				t.Errorf("%s: the parts of %s are %f, the score %f", query, h.Ref.ID, sum, h.Score)
			}
			for _, p := range h.Explanation.Parts {
				switch {
				case p.Kind != PartTopic:
				case p.Term == "":
					sums++
				case direct[p.Term]:
					t.Errorf("%s: %s has %q itself, and goes with %q", query, h.Ref.ID, p.Term, p.Found)
				default:
					if named++; !readable(p.Term) {
						t.Errorf("%s: %q is no word", query, p.Term)
					}
				}
			}
		}
	}
	if named == 0 || sums == 0 {
		t.Errorf("%d pairs named, %d sums", named, sums)
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{{"island", "grid", true}, {"solar", "dengu", false}, {"rice", "husk", true}, {"solar", "nosuchword", false}} {
		if got := s.goTogether(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}

func TestReadable(t *testing.T) {
	for term, want := range map[string]bool{"solar": true, "ice": true, "m3": false, "tcu2": false, "ds": false, "250": false, "60 %": false, "ปลา": true, "ពន្លឺ": true, "off-grid": true} {
		if readable(term) != want {
			t.Errorf("%q: %v", term, !want)
		}
	}
}
