package match

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/protocol"
)

const dryer = "The dryer heats the air in a flat collector of black painted sheet and leads it through twelve trays of rice. " +
	"A small fan driven by a solar panel keeps the flow constant, so that a batch of eighty kilograms dries in nine hours. " +
	"Farmers lose a fifth of the harvest to mould in the rainy season; in three villages of the delta the loss fell below two per cent."

const filter = "A ceramic pot of local clay and rice husk, painted with colloidal silver, removes bacteria from well water. " +
	"Potters make it with a hand press and an ordinary kiln. One pot serves a family of six for four years."

// region is a catalogue that Similar can ask for its texts.
type region struct {
	*Index
	texts catalogue
}

func newRegion(listings catalogue) *region {
	r := &region{New(Options{Lexicon: lexicon.Builtin()}), listings}
	for _, ref := range listings.refs() {
		r.Put(ref, listings[ref])
	}
	return r
}

func (r *region) text(ref Ref) (*protocol.Listing, error) {
	if l := r.texts[ref]; l != nil {
		return l, nil
	}
	return nil, protocol.Errorf(protocol.CodeNotFound, "", "no such listing")
}

func (r *region) like(t *testing.T, d Draft) []Suspect {
	t.Helper()
	list, err := r.Similar(t.Context(), d, 10, Sources{Texts: r.text})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func told(list []Suspect) string {
	var b strings.Builder
	for _, s := range list {
		fmt.Fprintf(&b, "%s/%s", s.Ref.Origin, s.Ref.ID)
		for _, w := range s.Why {
			b.WriteString(" " + w.Kind)
		}
		b.WriteString("; ")
	}
	return b.String()
}

func offer(lang protocol.Lang, title, abstract string) *protocol.Listing {
	return listing("X", protocol.TechnologyOffer, lang, protocol.Text{Title: title, Abstract: abstract})
}

// strewn are listings about other things, so that words have a frequency.
func strewn(n int) catalogue {
	r, c := rand.New(rand.NewPCG(3, 3)), make(catalogue)
	for i := range n {
		c[Ref{"TH", protocol.ListingID(fmt.Sprintf("L%d", i))}] = randomListing(r, i)
	}
	return c
}

func TestSimilarText(t *testing.T) {
	c := strewn(60)
	c[Ref{"VN", "DRYER"}] = offer("en", "Tray dryer for smallholders", dryer)
	c[Ref{"KH", "FILTER"}] = offer("en", "Ceramic water filter", filter)
	x := newRegion(c)

	// The same text under another title, as a request, sentences turned round and words changed.
	sentences := strings.SplitAfter(dryer, ". ")
	slices.Reverse(sentences)
	turned := strings.NewReplacer("painted", "coated", "trays", "shelves", "Farmers", "Growers").Replace(strings.Join(sentences, " "))
	copied := offer("en", "Cheap machine against mould", turned+" Contact our office for a visit.")
	copied.Kind = protocol.TechnologyRequest
	list := x.like(t, Draft{Listing: copied})
	if got, want := told(list), "VN/DRYER text; "; got != want {
		t.Fatalf("suspects %q, want %q", got, want)
	}
	if s := list[0]; s.Score < likeTextFrom || s.Score > 1 || s.Why[0].Share != s.Score || s.Why[0].Lang != "en" {
		t.Errorf("%+v", s)
	}
	passages := list[0].Why[0].Passages
	if len(passages) == 0 || len(passages) > maxPassages {
		t.Fatalf("passages %+v", passages)
	}
	for _, p := range passages {
		if !strings.Contains(turned, p.Here) || !strings.Contains(dryer, p.There) {
			t.Errorf("no passage of both: %+v", p)
		}
	}
	if p := passages[0]; p.Here != p.There || !strings.Contains(p.Here, "in three villages of the delta") {
		t.Errorf("the longest passage is %+v", p)
	}

	if list := x.like(t, Draft{Listing: c[Ref{"VN", "DRYER"}], Self: Ref{"VN", "DRYER"}}); len(list) != 0 {
		t.Errorf("a listing is suspected of itself or of others: %s", told(list))
	}
	if list := x.like(t, Draft{Listing: c[Ref{"VN", "DRYER"}]}); told(list) != "VN/DRYER text title; " || list[0].Score != 1 {
		t.Errorf("the same text and title: %s", told(list))
	}
	other := offer("en", "Solar dryer for fish", "Fish from the lake is hung in a tent of clear foil. The sun heats the air, and flies stay outside. The fish keeps for months, and women sell it on the market of the province at a better price.")
	if list := x.like(t, Draft{Listing: other}); len(list) != 0 {
		t.Errorf("another dryer is suspicious: %s", told(list))
	}
	if list := x.like(t, Draft{Listing: offer("en", "The tray dryers for a smallholder", "")}); told(list) != "VN/DRYER title; " {
		t.Errorf("the same title without a text: %s", told(list))
	}
}

func TestSimilarInOtherLanguages(t *testing.T) {
	c := strewn(60)
	khmer := "ប្រព័ន្ធសម្ងួតស្រូវដោយថាមពលព្រះអាទិត្យ កាត់បន្ថយការខាតបង់ក្រោយការប្រមូលផល សម្រាប់កសិករខ្នាតតូច និងប្រើថាមពលកកើតឡើងវិញ នៅតាមសហគមន៍"
	both := offer("en", "Ceramic water filter", filter)
	both.Texts["km"] = protocol.Text{Title: "ម៉ាស៊ីនសម្ងួតស្រូវ", Abstract: khmer}
	c[Ref{"KH", "BOTH"}] = both
	c[Ref{"SG", "WATER"}] = offer("en", "Membrane for drinking water", "Renewable energy drives a pump for drinking water. The membrane removes bacteria and heavy metals from groundwater. Small enterprises and farmers in rural areas use the technology with low cost materials and little maintenance.")
	x := newRegion(c)

	if list := x.like(t, Draft{Listing: offer("km", "បច្ចេកវិទ្យាថ្មី", khmer)}); told(list) != "KH/BOTH text; " || list[0].Why[0].Lang != "km" {
		t.Errorf("the same Khmer text: %s", told(list))
	}
	indonesian := offer("id", "Membran untuk air minum", "Energi terbarukan menggerakkan pompa untuk air minum. Membran menghilangkan bakteri dan logam berat dari air tanah. Usaha kecil dan petani di daerah pedesaan menggunakan teknologi dengan bahan murah.")
	if list := x.like(t, Draft{Listing: indonesian}); told(list) != "SG/WATER translation; " || list[0].Why[0].Lang != "id" {
		t.Errorf("a translation: %s", told(list))
	}
	// A title in a language other than the abstract had the abstract read in the title's language.
	c[Ref{"VN", "DRYER"}] = offer("en", "Dryer", dryer)
	x.Put(Ref{"VN", "DRYER"}, c[Ref{"VN", "DRYER"}])
	mixed := offer("en", "Alat pengering padi untuk petani kecil dengan energi matahari yang murah dan mudah dipakai oleh petani di desa", dryer)
	if list := x.like(t, Draft{Listing: mixed}); told(list) != "VN/DRYER text; " {
		t.Errorf("an English text under an Indonesian title: %s", told(list))
	}
}

// TestSimilarStandingParagraphs: what many listings of an office have in common makes none of them suspicious, and many
// copies of one listing do not make each other look usual.
func TestSimilarStandingParagraphs(t *testing.T) {
	paragraph := " The university welcomes partners from industry for joint development and licensing. The inventors have many years of experience, national awards and a wide network of partners. Samples and data sheets are available once a confidentiality agreement is signed."
	c := make(catalogue)
	r := rand.New(rand.NewPCG(9, 9))
	invented := func() string {
		words := make([]string, 30)
		for i := range words {
			words[i] = fmt.Sprintf("w%dx%d", r.IntN(300), r.IntN(3))
		}
		return strings.Join(words, " ")
	}
	for i := range 40 {
		c[Ref{"SG", protocol.ListingID(fmt.Sprintf("P%d", i))}] = offer("en", fmt.Sprintf("Invention %d of kind %d", i, i%7), invented()+"."+paragraph)
	}
	for i := range 12 {
		c[Ref{"MY", protocol.ListingID(fmt.Sprintf("C%d", i))}] = offer("en", fmt.Sprintf("Copy %d", i), dryer+paragraph)
	}
	x := newRegion(c)
	if list := x.like(t, Draft{Listing: offer("en", "Something new", invented()+"."+paragraph)}); len(list) != 0 {
		t.Errorf("a standing paragraph is suspicious: %s", told(list))
	}
	list, err := x.Similar(t.Context(), Draft{Listing: offer("en", "Dryer", dryer)}, MaxSuspects, Sources{})
	if err != nil || len(list) != 12 {
		t.Errorf("%d of 12 copies told, %v", len(list), err)
	}
	if list, _ := x.Similar(t.Context(), Draft{Listing: offer("en", "Dryer", dryer)}, 3, Sources{}); len(list) != 3 {
		t.Errorf("%d suspects, 3 were wanted", len(list))
	}
	if list, err := x.Similar(t.Context(), Draft{Listing: offer("en", "Dryer", dryer)}, -1, Sources{}); len(list) != 0 || err != nil {
		t.Errorf("%d suspects, none were wanted, %v", len(list), err)
	}
}

func TestParsePatent(t *testing.T) {
	for in, want := range map[string]string{
		"US 10,123,456 B2": "US10123456", "us10123456b2": "US10123456", " US-10123456-B2 ": "US10123456", "US 10123456": "US10123456",
		"WO 2019/123456 A1": "WO2019123456", "WO2019123456": "WO2019123456", "WO2019/123456": "WO2019123456",
		"EP 3 123 456 B1": "EP3123456", "SG 11201900123X": "SG11201900123", "IDP000012345": "IDP000012345",
		"VN 1-0012345": "VN10012345", "PCT/SG2019/050123": "PCTSG2019050123", "KR 10-2019-0012345": "KR1020190012345",
		"JP 2019-123456 A": "JP2019123456", "US 100,000": "", "US 2019": "", "XX 1234567": "", "": "", "a US 10,123,456": "",
		"US 10,123,456 or so": "", strings.Repeat("US 1", 1000): "",
	} {
		got, ok := ParsePatent(in)
		if ok != (want != "") || ok && got != want {
			t.Errorf("ParsePatent(%.40q) = %q, %v, want %q", in, got, ok, want)
		}
	}
	l := offer("en", "A pump (US 10,123,456 B2)", "Claimed in WO2019123456A1 and in us 7,654,321; see also WO 2019/123456. In 2019 US 100,000 were spent.")
	if got, want := PatentsIn(l), []string{"US10123456", "WO2019123456"}; !slices.Equal(got, want) {
		t.Errorf("PatentsIn = %q, want %q", got, want)
	}
}

func TestSimilarPatents(t *testing.T) {
	c := strewn(30)
	spellings := []string{"US 10,123,456 B2", "US10123456B2", "US-10123456", "US 10123456", "WO 2019/123456 A1", "WO2019123456", "WO2019/123456", "EP 3 123 456 B1"}
	for i, s := range spellings {
		c[Ref{"MY", protocol.ListingID(fmt.Sprintf("P%d", i))}] = offer("en", fmt.Sprintf("Thing number %d", i), "Protected by "+s+".")
	}
	c[Ref{"MY", "OWN"}] = offer("en", "Kiln", "Burns clay.")
	x := newRegion(c)
	tests := []struct {
		text    string
		patents []string
		want    string
	}{
		{"Under US10,123,456 B1.", nil, "MY/P0 MY/P1 MY/P2 MY/P3"},
		{"", []string{"US 10 123 456"}, "MY/P0 MY/P1 MY/P2 MY/P3"},
		{"Under WO 2019/123456.", nil, "MY/P4 MY/P5 MY/P6"},
		{"Under EP3123456B1.", nil, "MY/P7"},
		{"Under SG 11201900123X.", nil, "MY/OWN"},
		{"", []string{"SG 11201900123"}, "MY/OWN"},
		{"Under US 10,123,457.", []string{"nonsense"}, ""},
	}
	for _, tt := range tests {
		list, err := x.Similar(t.Context(), Draft{Listing: offer("en", "Quite another matter", tt.text), Patents: tt.patents}, 10, Sources{
			Texts: x.text,
			Holders: func(patent string) []Ref {
				if patent == "SG11201900123" {
					return []Ref{{"MY", "OWN"}, {"MY", "GONE"}}
				}
				return nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range list {
			got = append(got, string(s.Ref.Origin)+"/"+string(s.Ref.ID))
			if s.Why[0].Kind != LikePatent || s.Why[0].Patent == "" {
				t.Errorf("%q: %+v", tt.text, s)
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%q %q: got %q, want %q", tt.text, tt.patents, got, tt.want)
		}
	}
}

func TestSimilarRefuses(t *testing.T) {
	x := newRegion(catalogue{Ref{"VN", "DRYER"}: offer("en", "Tray dryer", dryer)})
	for name, d := range map[string]Draft{
		"no listing": {}, "long": {Listing: offer("en", "x", strings.Repeat("word ", 5000))},
		"patents": {Listing: offer("en", "x", "y"), Patents: make([]string, maxPatents+1)},
	} {
		var fault *protocol.Error
		if _, err := x.Similar(t.Context(), d, 5, Sources{}); !errors.As(err, &fault) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Similar(ctx, Draft{Listing: offer("en", "Tray dryer", dryer)}, 5, Sources{}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	broken := errors.New("disk")
	failing := Sources{Texts: func(Ref) (*protocol.Listing, error) { return nil, broken }}
	if _, err := x.Similar(t.Context(), Draft{Listing: offer("en", "Tray dryer", dryer)}, 5, failing); !errors.Is(err, broken) {
		t.Errorf("a failing catalogue: %v", err)
	}
	delete(x.texts, Ref{"VN", "DRYER"})
	if list := x.like(t, Draft{Listing: offer("en", "Tray dryer", dryer)}); len(list) != 0 {
		t.Errorf("withdrawn meanwhile, and yet told: %s", told(list))
	}
	empty := New(Options{})
	if list, err := empty.Similar(t.Context(), Draft{Listing: &protocol.Listing{}}, 5, Sources{}); len(list) != 0 || err != nil {
		t.Errorf("an empty catalogue: %v, %v", list, err)
	}
}

// TestSimilarIsEqualEverywhere: the answer depends on the catalogue, not on its history.
func TestSimilarIsEqualEverywhere(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 8))
	some := 0
	for range 20 {
		x := New(Options{Lexicon: lexicon.Builtin()})
		c := walk(r, x, 60)
		y := c.afresh(r, Options{Lexicon: lexicon.Builtin()})
		texts := Sources{Texts: (&region{x, c}).text}
		for range 10 {
			d := Draft{Listing: randomListing(r, r.IntN(50))}
			if refs := c.refs(); r.IntN(2) == 0 && len(refs) > 0 {
				d.Self = refs[r.IntN(len(refs))]
				d.Listing = c[d.Self]
			}
			a, err1 := x.Similar(t.Context(), d, 10, texts)
			b, err2 := y.Similar(t.Context(), d, 10, texts)
			if err1 != nil || err2 != nil || !cmp.Equal(a, b) {
				t.Fatalf("%v %v\n%s", err1, err2, cmp.Diff(a, b))
			}
			for _, s := range a {
				if s.Ref == d.Self {
					t.Fatalf("%v is suspected of itself", s.Ref)
				}
				some++
			}
		}
	}
	if some < 20 {
		t.Errorf("only %d suspects in all: nothing was compared", some)
	}
}

func FuzzSimilar(f *testing.F) {
	x := newRegion(catalogue{
		Ref{"VN", "DRYER"}:  offer("en", "Tray dryer", dryer+" US 10,123,456 B2"),
		Ref{"KH", "FILTER"}: offer("en", "Ceramic water filter", filter),
	})
	f.Add("Tray dryer", dryer, "US 10,123,456")
	f.Add("ก\u0e33", "EP 3 123 456\xff", "WO")
	f.Fuzz(func(t *testing.T, title, abstract, patent string) {
		if len(title)+len(abstract) > MaxText {
			return
		}
		d := Draft{Listing: offer("en", title, abstract), Patents: []string{patent}}
		list, err := x.Similar(t.Context(), d, 10, Sources{Texts: x.text})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			if s.Score <= 0 || s.Score > 1 || len(s.Why) == 0 {
				t.Fatalf("%+v", s)
			}
		}
		if p, ok := ParsePatent(patent); ok {
			if again, ok := ParsePatent(p); !ok || again != p {
				t.Fatalf("%q is read as %q, and that as %q", patent, p, again)
			}
		}
	})
}

// BenchmarkSimilar asks 100,000 listings with drafts of which every other one is in the catalogue already under another
// title. As in tmh bench, a listing is half of one real text and half of another, so that every half stands in some twenty
// listings: that is worse than a region's.
func BenchmarkSimilar(b *testing.B) {
	const n = 100_000
	corpus := needs(b)
	generated := func(i int) *protocol.Listing {
		r := rand.New(rand.NewPCG(uint64(i), 7))
		one, other := corpus[r.IntN(len(corpus))].Texts["en"], corpus[r.IntN(len(corpus))].Texts["en"]
		x, y := strings.Fields(one.Abstract), strings.Fields(other.Abstract)
		return offer("en", one.Title, strings.Join(append(slices.Clone(x[:len(x)/2]), y[len(y)/2:]...), " "))
	}
	x := New(Options{Lexicon: lexicon.Builtin()})
	err := x.AddAll(b.Context(), func(yield func(Document) bool) {
		for i := range n {
			l, ref := generated(i), Ref{"KH", protocol.ListingID(fmt.Sprintf("B%d", i))}
			if !yield(DocumentOf(ref, l)) {
				return
			}
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	from := Sources{Texts: func(ref Ref) (*protocol.Listing, error) {
		i, err := strconv.Atoi(string(ref.ID)[1:])
		return generated(i), err
	}}
	var drafts []*protocol.Listing
	for i := range 1000 {
		l := generated(i*97 + i%2*n) // the odd ones are not in the catalogue
		t := l.Texts["en"]
		t.Title = generated(2*n + i).Texts["en"].Title
		l.Texts["en"] = t
		drafts = append(drafts, l)
	}
	var took []time.Duration
	suspects := 0
	for i := 0; b.Loop(); i++ {
		start := time.Now()
		list, err := x.Similar(b.Context(), Draft{Listing: drafts[i%len(drafts)]}, 10, from)
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
		suspects += len(list)
	}
	slices.Sort(took)
	ms := func(part int) float64 { return took[(len(took)-1)*part/100].Seconds() * 1000 }
	b.ReportMetric(ms(50), "p50-ms")
	b.ReportMetric(ms(99), "p99-ms")
	b.ReportMetric(float64(suspects)/float64(len(took)), "suspects/op")
}
