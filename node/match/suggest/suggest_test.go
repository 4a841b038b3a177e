package suggest

import (
	"slices"
	"strings"
	"testing"
)

// catalogue are phrases of many languages as listings might have them.
func catalogue() []Entry {
	return []Entry{
		{"solar cell", 120}, {"Solar Cell", 30}, {"solar", 300}, {"solar panel", 90}, {"solid state battery", 40}, {"solvent", 35},
		{"thin film", 80}, {"thin film solar cell", 12}, {"thin film transistor", 20}, {"film", 100}, {"cell", 200},
		{"wastewater", 260}, {"wastewater treatment", 150}, {"treatment", 220}, {"waste", 90}, {"water", 400}, {"water pump", 50},
		{"LiDAR", 60}, {"lidar", 5}, {"TiO2 coating", 25}, {"coating", 110}, {"desalination", 70}, {"membrane", 160},
		{"membrane filtration", 44}, {"detecter", 1}, {"detector", 130}, {"oxidation", 66}, {"heat exchanger", 90},
		{"non-invasive glucose sensor", 9}, {"sensor", 320}, {"COVID-19 test", 17}, {"artificial intelligence", 140},
		{"năng lượng mặt trời", 90}, {"nang luong", 3}, {"năng lượng", 150}, {"pin mặt trời", 60}, {"nangka", 7},
		{"xử lý nước thải", 75}, {"energi surya", 85}, {"pengolahan air limbah", 64}, {"pertanian", 120}, {"pertanian presisi", 33},
		{"célula solar", 28}, {"tratamento de água", 36}, {"água", 50},
		{"เซลล์แสงอาทิตย์", 77}, {"พลังงาน", 140}, {"พลังงานแสงอาทิตย์", 88}, {"บำบัดน้ำเสีย", 41}, {"แสงอาทิตย์", 60},
		{"ថាមពលព្រះអាទិត្យ", 22}, {"ថាមពល", 35}, {"ພະລັງງານ", 31}, {"ພະລັງງານແສງຕາເວັນ", 19},
		{"နေရောင်ခြည်စွမ်းအင်", 14}, {"စွမ်းအင်", 26}, {"太阳能电池", 58}, {"太阳能", 90}, {"废水处理", 47},
		{"சூரிய ஆற்றல்", 21}, {"ஆற்றல்", 34},
	}
}

func vocabulary(t testing.TB) *Vocabulary {
	t.Helper()
	return Build(slices.Values(catalogue()), Options{})
}

func texts(list []Suggestion) []string {
	var out []string
	for _, s := range list {
		out = append(out, s.Text)
	}
	return out
}

func TestComplete(t *testing.T) {
	v := vocabulary(t)
	for _, c := range []struct {
		typed string
		n     int
		want  string // separated by |
	}{
		{"sol", 3, "solar|solar cell|solar panel"},
		{"SOL", 1, "solar"},
		{"solar c", 2, "solar cell|solar coating"},
		{"solar ", 2, "solar cell|solar panel"},
		{"solar cell", 3, ""}, // nothing to add
		{"thin film sol", 2, "thin film solar cell|thin film solar"},
		{"thin  film   sol", 1, "thin film solar cell"},
		{"cheap thin film t", 1, "cheap thin film transistor"},
		{"membrane for desal", 1, "membrane for desalination"},
		{"(membr", 2, "(membrane|(membrane filtration"},
		{"low-cost desal", 1, "low-cost desalination"},
		{"tio", 1, "TiO2 coating"},
		{"lid", 1, "LiDAR"},
		{"covid", 1, "COVID-19 test"},
		{"invas", 1, ""},
		{"non-inv", 1, "non-invasive glucose sensor"},
		// A diacritic that is typed counts; one that is not, does not.
		{"nang", 3, "năng lượng|năng lượng mặt trời|nangka"},
		{"nang luong", 2, "năng lượng|năng lượng mặt trời"},
		{"năng", 3, "năng lượng|năng lượng mặt trời|nangka"},
		{"nàng", 1, "năng lượng"},
		{"agua", 1, "água"},
		{"tratamento de á", 1, "tratamento de água"},
		{"cel", 2, "cell|célula solar"},
		{"cél", 2, "célula solar|cell"},
		{"energi", 1, "energi surya"},
		{"pert", 2, "pertanian|pertanian presisi"},
		{"air limbah", 1, ""},
		// Scripts without spaces: also the last syllables of a stretch.
		{"พล", 2, "พลังงาน|พลังงานแสงอาทิตย์"},
		{"ต้นแบบพลังงานแสง", 1, "ต้นแบบพลังงานแสงอาทิตย์"},
		{"บำบัดน้ำ", 1, "บำบัดน้ำเสีย"},
		{"ថាម", 2, "ថាមពល|ថាមពលព្រះអាទិត្យ"},
		{"ພະລັງງານແ", 1, "ພະລັງງານແສງຕາເວັນ"},
		{"စွမ်း", 1, "စွမ်းအင်"},
		{"薄膜太阳", 2, "薄膜太阳能|薄膜太阳能电池"},
		{"சூரி", 1, "சூரிய ஆற்றல்"},
		{"", 5, ""}, {"   ", 5, ""}, {"sol", 0, ""}, {"sol", -1, ""}, {"zzz", 5, ""}, {"solar, ", 5, ""},
	} {
		if got := strings.Join(texts(v.Complete(c.typed, c.n)), "|"); got != c.want {
			t.Errorf("Complete(%q, %d)\n got %s\nwant %s", c.typed, c.n, got, c.want)
		}
	}
	if s := v.Complete("solar cel", 1); len(s) != 1 || s[0] != (Suggestion{"solar cell", "solar cell", 150}) {
		t.Errorf("both spellings count: %+v", s)
	}
	if n := len(v.Complete("s", 1000)); n == 0 || n > MaxSuggestions {
		t.Errorf("%d suggestions", n)
	}
}

func TestCorrect(t *testing.T) {
	v := vocabulary(t)
	for _, c := range []struct{ query, want string }{
		{"membrnae filtration", "membrane filtration"},
		{"desalinaton of water", "desalination of water"},
		{"sloar cell", "solar cell"}, {"solr cell", "solr cell"},
		{"Desallination Membrene", "Desalination Membrane"},
		{"DESALINATOIN", "DESALINATION"},
		{"artificail intellgience", "artificial intelligence"},
		{"heat exchnager, coatign", "heat exchanger, coating"},
		// One word or two.
		{"waste water treatment", "wastewater treatment"},
		{"waste-water", "wastewater"},
		{"waste  water", "waste  water"},
		{"wastwater", "wastewater"},
		{"solarcell", "solar cell"},
		{"heatexchanger", "heat exchanger"},
		{"thinfilm", "thin film"},
		{"desali nation", "desalination"},
		// Hardly any listing has it, and far more have what is near.
		{"detecter", "detector"},
		// Diacritics are no mistake; letters are.
		{"nang luong mat troi", "nang luong mat troi"},
		{"xử lý nước thải", "xử lý nước thải"},
		{"pertanain presisi", "pertanian presisi"},
		{"energi suyra", "energi surya"}, {"energi suria", "energi suria"},
		{"tratamneto de água", "tratamento de água"},
		{"เซลล์แสงอาทิตย", "เซลล์แสงอาทิตย์"},
		{"พลังงานน้ำ", "พลังงานน้ำ"},
		{"พลังงานแสงอาทิตย์พลังงาน", "พลังงานแสงอาทิตย์พลังงาน"},
		{"ពថាមពលថាមពល", "ពថាមពលថាមពល"},
		{"太阳能电厂", "太阳能电厂"},
		{"ஆற்றள்", "ஆற்றல்"},
		// What stays: what the catalogue has, other forms of it, numbers, formulas, acronyms, names, short words.
		{"solar cells", "solar cells"}, {"membranes coated", "membranes coated"}, {"TiO2", "TiO2"}, {"SiO2 coatings", "SiO2 coatings"},
		{"LiFePO", "LiFePO"}, {"10kW 500 h2o", "10kW 500 h2o"}, {"SOLR", "SOLR"}, {"a SOLR b", "a SOLR b"}, {"covid-18", "covid-18"},
		{"http://membrnae.org", "http://membrnae.org"}, {"membrnae@water", "membrnae@water"}, {"membrnae.", "membrane."},
		{"flm", "flm"}, {"", ""}, {"quantum", "quantum"}, {"graphene", "graphene"},
	} {
		got, changes, ok := v.Correct(c.query)
		if got != c.want || ok != (got != c.query) || ok != (len(changes) > 0) {
			t.Errorf("Correct(%q) = %q, %v, %v, want %q", c.query, got, changes, ok, c.want)
		}
		checkChanges(t, c.query, got, changes)
	}
}

// checkChanges sees that the changes are all that differs.
func checkChanges(t *testing.T, query, got string, changes []Change) {
	t.Helper()
	built, at := "", 0
	for _, c := range changes {
		if c.Start < at || c.End <= c.Start || c.End > len(query) || query[c.Start:c.End] != c.From || c.From == c.To {
			t.Fatalf("change %+v of %q", c, query)
		}
		built += query[at:c.Start] + c.To
		at = c.End
	}
	if built+query[at:] != got {
		t.Fatalf("%q with %v is %q, not %q", query, changes, built+query[at:], got)
	}
}

func TestCorrectStopsAtThreeWords(t *testing.T) {
	v := vocabulary(t)
	_, changes, _ := v.Correct("membrnae desalinaton detectr tretment sensr")
	if len(changes) != maxSearches {
		t.Errorf("%d changes", len(changes))
	}
}

func TestBuildLeavesOut(t *testing.T) {
	v := Build(slices.Values([]Entry{
		{"", 5}, {"x", 5}, {"12 345", 5}, {"good", 0}, {"good", -3}, {"a\x00b", 5}, {"a\x1b[31m", 5}, {"ok\u202ename", 5},
		{strings.Repeat("long ", 20), 5}, {strings.Repeat("x", 1<<20), 5}, {"  Fine \t phrase ", 1}, {"fine phrase", 1 << 40},
	}), Options{})
	var got []string
	for i := range v.Len() {
		got = append(got, v.phrases.spelling(i))
	}
	if want := []string{"fine phrase", "okname"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if c := v.Complete("fine", 1); len(c) != 1 || c[0].Count != 1<<32-1 {
		t.Errorf("%+v", c)
	}
}

func TestBuildKeepsTheMostFrequent(t *testing.T) {
	v := Build(slices.Values([]Entry{{"alpha", 1}, {"beta", 3}, {"gamma", 2}, {"alpha", 4}, {"eta", 2}, {"delta", 2}}), Options{MaxPhrases: 3})
	var got []string
	for i := range v.Len() {
		got = append(got, v.phrases.key(i))
	}
	if want := []string{"alpha", "beta", "eta"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// A word that is not kept is no mistake, for the phrase was somewhere in the catalogue.
	if got, _, ok := v.Correct("delta gamma"); ok {
		t.Errorf("corrected to %q", got)
	}
}

func TestNilVocabulary(t *testing.T) {
	var v *Vocabulary
	if c := v.Complete("sol", 5); c != nil {
		t.Error(c)
	}
	if s, c, ok := v.Correct("solr"); s != "solr" || c != nil || ok {
		t.Error(s, c, ok)
	}
	empty := Build(slices.Values([]Entry(nil)), Options{})
	if c := empty.Complete("sol", 5); c != nil || v.Len() != 0 || v.Size() != 0 || empty.Len() != 0 {
		t.Error(c)
	}
	if _, _, ok := empty.Correct("solr"); ok {
		t.Error("an empty catalogue corrects")
	}
}
