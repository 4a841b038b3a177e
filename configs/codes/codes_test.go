package codes

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// lists says of every list how many codes it has, how many of them on top, and
// how they look.
var lists = []struct {
	file   string
	list   func() List
	codes  int
	top    int  // codes with an empty column 2
	tree   bool // column 2 is a parent in the same list
	format string
}{
	{"ford.tsv", FORD, 6 + 42, 6, true, `[1-6](\.[1-9][0-9]?)?`},
	{"isic.tsv", ISIC, 21 + 88, 21, true, `[A-U]([0-9]{2})?`},
	{"ipc.tsv", IPC, 8 + 132, 8, true, `[A-H]([0-9]{2})?`},
	{"sdg.tsv", SDG, 17, 17, true, `[1-9]|1[0-7]`},
	{"trl.tsv", TRL, 9, 9, true, `[1-9]`},
	{"country.tsv", Country, 249, 249 - 11, false, `[A-Z]{2}`},
	{"language.tsv", Language, 13, 0, false, `[a-z]{2,3}`},
	{"kind.tsv", Kind, 6, 6, true, `[A-Z]{2}`},
	{"ipr.tsv", IPR, 10, 10, true, `[a-z]+(-[a-z]+)*`},
	{"cooperation.tsv", Cooperation, 12, 12, true, `[a-z]+(-[a-z]+)*`},
	{"organisation.tsv", Organisation, 10, 10, true, `[a-z]+(-[a-z]+)*`},
	{"size.tsv", Size, 4, 4, true, `[a-z]+`},
	{"right.tsv", Right, 9, 9, true, `[a-z]+`},
	{"terms.tsv", Terms, 9, 9, true, `[a-z]+(-[a-z]+)*`},
	{"exclusivity.tsv", Exclusivity, 4, 4, true, `[a-z]+(-[a-z]+)*`},
	{"turnover.tsv", Turnover, 7, 7, true, `[a-z0-9]+(-[a-z0-9]+)*`},
	{"track.tsv", Track, 2, 2, true, `[a-z]+`},
	{"office.tsv", Office, 10, 10, true, `[A-Z]{2}`},
}

func TestLists(t *testing.T) {
	for _, tt := range lists {
		t.Run(tt.file, func(t *testing.T) {
			l := tt.list()
			format := regexp.MustCompile(`^(` + tt.format + `)$`)
			top := 0
			for _, c := range l.All() {
				switch {
				case c.Parent == "":
					top++
				case !tt.tree:
				case !l.Has(c.Parent) || l.Parent(c.Parent) != "":
					t.Errorf("%s: parent %q is not a top code of the list", c.Code, c.Parent)
				case !strings.HasPrefix(c.Code, c.Parent):
					t.Errorf("%s: does not begin with its parent %q", c.Code, c.Parent)
				}
				if !format.MatchString(c.Code) {
					t.Errorf("%q is not of the form %s", c.Code, tt.format)
				}
				if s := c.Parent + c.Label; !utf8.ValidString(s) || strings.Contains(s, "  ") ||
					c.Label != strings.TrimSpace(c.Label) {
					t.Errorf("%s: unclean text %q, %q", c.Code, c.Parent, c.Label)
				}
				if !l.Has(c.Code) || l.Label(c.Code) != c.Label || l.Parent(c.Code) != c.Parent {
					t.Errorf("%s: Has, Label or Parent disagree with All", c.Code)
				}
			}
			if got := len(l.All()); got != tt.codes {
				t.Errorf("%d codes, want %d", got, tt.codes)
			}
			if top != tt.top {
				t.Errorf("%d codes with an empty column 2, want %d", top, tt.top)
			}
		})
	}
}

// A list that is embedded but reachable by nobody, or not tested, is a mistake.
func TestEveryFileIsAList(t *testing.T) {
	embedded, err := fs.Glob(files, "*.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var tested []string
	for _, tt := range lists {
		tested = append(tested, tt.file)
	}
	slices.Sort(tested)
	if !slices.Equal(embedded, tested) {
		t.Errorf("embedded %v, tested %v", embedded, tested)
	}
}

// The numbered lists have no gaps, which a count alone would not show.
func TestNumbering(t *testing.T) {
	for field, last := range map[string]int{"1": 7, "2": 11, "3": 5, "4": 5, "5": 9, "6": 5} {
		for i := range last {
			if code := fmt.Sprintf("%s.%d", field, i+1); FORD().Parent(code) != field {
				t.Errorf("FORD lacks %s", code)
			}
		}
	}
	for i, c := range SDG().All() {
		if c.Code != strconv.Itoa(i+1) {
			t.Errorf("SDG %q stands in place %d", c.Code, i+1)
		}
	}
	for i, c := range TRL().All() {
		if c.Code != strconv.Itoa(i+1) {
			t.Errorf("TRL %q stands in place %d", c.Code, i+1)
		}
	}
}

func TestASEAN(t *testing.T) {
	var got []string
	for _, c := range Country().All() {
		switch c.Parent {
		case "":
		case "ASEAN":
			got = append(got, c.Code)
		default:
			t.Errorf("%s: column 2 is %q", c.Code, c.Parent)
		}
	}
	want := strings.Fields("BN ID KH LA MM MY PH SG TH TL VN")
	if !slices.Equal(got, want) {
		t.Errorf("members are %v, want %v", got, want)
	}
}

func TestIPCSubclasses(t *testing.T) {
	for _, tt := range []struct {
		code   string
		has    bool
		parent string
	}{
		{"C", true, ""},
		{"C12", true, "C"},
		{"C12N", true, "C12"},
		{"H10K", true, "H10"},
		{"", false, ""},
		{"C12n", false, ""},
		{"c12N", false, ""},
		{"C121", false, ""},
		{"C12É", false, ""},
		{"C12NN", false, ""},
		{"C12N 1/00", false, ""},
		{"C15N", false, ""}, // there is no class C15
		{"J01B", false, ""},
	} {
		if got := IPC().Has(tt.code); got != tt.has {
			t.Errorf("Has(%q) = %t", tt.code, got)
		}
		if got := IPC().Parent(tt.code); got != tt.parent {
			t.Errorf("Parent(%q) = %q, want %q", tt.code, got, tt.parent)
		}
	}
	if got := IPC().Label("C12N"); got != "" {
		t.Errorf("Label of a subclass = %q, want none", got)
	}
	if ISIC().Has("A01B") {
		t.Error("a letter after an ISIC division was taken for a subclass")
	}
}

func TestAllIsACopy(t *testing.T) {
	SDG().All()[0].Label = "changed"
	if got := SDG().All()[0].Label; got == "changed" {
		t.Error("a caller changed the list")
	}
}

func TestZeroList(t *testing.T) {
	var l List
	if l.Has("") || l.Has("A01B") || l.Label("A") != "" || l.Parent("A") != "" || len(l.All()) != 0 {
		t.Error("the zero List is not empty")
	}
}

func TestParseFaults(t *testing.T) {
	for _, text := range []string{"A\tlabel\n", "\t\tlabel\n", "A\t\t\n", "A\t\tx\ty\n", "A\t\tx\n\nB\t\ty\n", "A\t\tx\nA\t\ty\n"} {
		if _, err := parse(text); err == nil {
			t.Errorf("parse(%q) found no fault", text)
		}
	}
}

// The shared ISIC file is complete, so ours must equal it: nothing missing,
// nothing invented, every division under its section.
func TestISICAgainstShared(t *testing.T) {
	want := make(map[string]bool)
	section := ""
	for _, code := range shared(t, "isic4.tsv") {
		switch len(code) {
		case 1:
			section = code
			want[section] = true
		case 2:
			want[section+code] = true
		}
	}
	for code := range want {
		if !ISIC().Has(code) {
			t.Errorf("%s is missing", code)
		}
	}
	for _, c := range ISIC().All() {
		if !want[c.Code] {
			t.Errorf("%s is not in the standard", c.Code)
		}
	}
}

// The shared IPC file lacks some classes, so ours must hold all of it and may
// hold more.
func TestIPCAgainstShared(t *testing.T) {
	for _, code := range shared(t, "ipc.tsv") {
		if !IPC().Has(code) {
			t.Errorf("%s is missing", code)
		}
	}
}

// shared returns the codes of a file that others wrote, or skips the test.
func shared(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "codes", name))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("../shared/data/codes/%s is absent, so this list was not checked against it", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for line := range strings.Lines(string(text)) {
		code, _, ok := strings.Cut(line, "\t")
		if !ok {
			t.Fatalf("%s: line without a tab: %q", name, line)
		}
		codes = append(codes, code)
	}
	if len(codes) == 0 {
		t.Fatalf("%s is empty", name)
	}
	return codes
}

// A code of two letters names a country or an office, never both.
func TestOfficesAreNoCountries(t *testing.T) {
	for _, c := range Office().All() {
		if Country().Has(c.Code) {
			t.Errorf("%s is a country", c.Code)
		}
	}
}
