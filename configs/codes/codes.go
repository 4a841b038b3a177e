// Package codes holds the code lists that a listing may use: what its science,
// industry, patents, goals, maturity, country, language and terms are called in
// machine-readable form. A code shared by an offer and a need is a match that
// no language barrier can hide, so every node must know the same codes.
//
// The lists are the TSV files beside this file, embedded in the binary. A line
// is three columns separated by one tab, with no header:
//
//  1. the code, unique in its list, compared byte for byte
//  2. the code of the parent in the same list, or empty; Country and Language
//     have no hierarchy and use the column as said below
//  3. the label in English
//
// The order of lines is the order in which people are shown the codes.
//
// The lists, why each is here, and where its codes come from. The wording of
// the labels is ours and often shorter than the standard's, unless it is said
// below that the standard's own names are used.
//
//   - FORD says the field of research: OECD Fields of Research and Development,
//     Frascati Manual 2015. 6 broad fields ("1") and 42 narrower ones ("1.1"),
//     under the manual's own titles, a few of them shortened.
//   - ISIC says the industry: United Nations ISIC Revision 4, the revision that
//     ASEAN's statistics use. 21 sections ("A") and 88 divisions. A division is
//     written with its section's letter ("A01", where the standard writes "01"),
//     so that a code names its section by itself.
//   - IPC says the patent area: WIPO International Patent Classification,
//     8 sections ("A") and 132 classes ("A01"), including H10 of 2023. The
//     roughly 650 subclasses ("C12N") are not listed, because they change with
//     each yearly edition: any capital letter after a known class is accepted.
//   - SDG says the goal served: the United Nations Sustainable Development Goals
//     of 2015, 17, under their usual short names.
//   - TRL says the maturity: technology readiness levels 1 to 9, the scale of
//     ISO 16290 and of research funders, defined here for any technology.
//   - Country says where: ISO 3166-1 alpha-2, 249 codes, under the English short
//     names of the standard without the article, so that naming is not our
//     decision. Column 2 is "ASEAN" for the eleven members, with Timor-Leste,
//     which joined in October 2025.
//   - Language says in which language a text is: BCP-47 tags of the languages
//     that TMH handles. Column 2 is the language's name in itself, for menus.
//   - Kind says what a listing is. TMH's own list: what the technology transfer
//     networks of other regions distinguish, with expertise, facilities and
//     funding calls added.
//   - IPR says what protects it, Cooperation what its owner seeks, Organisation
//     who the owner is. TMH's own lists.
//   - Size says how big the owner is, by people employed. The bands are those of
//     OECD statistics, because the members' national definitions differ.
//   - Of full records: Right says how a patent or other right stands, Terms how
//     the owner wants to be paid, Exclusivity how many may use it, Turnover how
//     much the owner sells, Track which of two kinds of call is meant. TMH's own
//     lists. Office says who granted a right: the organisations that WIPO
//     Standard ST.3 has beside the countries. A country's code names its office.
//
// A code is never given another meaning and never removed: signed listings that
// carry it stay in the catalogue for years. New codes may be added.
package codes

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Code is one line of a list.
type Code struct {
	Code   string // what listings carry, for example "2.10"
	Parent string // column 2: the parent's code, or what the list uses it for
	Label  string // English
}

// List is a code list. It never changes, so it may be copied and used from any
// goroutine. The zero List is empty.
type List struct {
	codes      []Code
	index      map[string]int // code to its place in codes
	subclasses bool           // a known three-character code may be followed by a capital letter
}

// FORD returns the fields of research and development.
func FORD() List { return ford() }

// ISIC returns the sections and divisions of industry.
func ISIC() List { return isic() }

// IPC returns the sections and classes of patents. Has and Parent also know
// every well-formed subclass of a listed class; All and Label do not.
func IPC() List { return ipc() }

// SDG returns the sustainable development goals.
func SDG() List { return sdg() }

// TRL returns the technology readiness levels.
func TRL() List { return trl() }

// Country returns the countries. Parent tells the members of ASEAN.
func Country() List { return country() }

// Language returns the languages. Parent is the language's name in itself.
func Language() List { return language() }

// Kind returns the kinds of listing.
func Kind() List { return kind() }

// IPR returns the states of protection of intellectual property.
func IPR() List { return ipr() }

// Cooperation returns the forms of cooperation that an owner may seek.
func Cooperation() List { return cooperation() }

// Organisation returns the types of organisation.
func Organisation() List { return organisation() }

// Size returns the size classes of an organisation.
func Size() List { return size() }

// Right returns how a right stands.
func Right() List { return right() }

// Terms returns the models of payment.
func Terms() List { return terms() }

// Exclusivity returns how many may use what is offered.
func Exclusivity() List { return exclusivity() }

// Turnover returns the bands of an organisation's yearly turnover.
func Turnover() List { return turnover() }

// Track returns the tracks of a funding call.
func Track() List { return track() }

// Office returns the offices for rights that are of no one country.
func Office() List { return office() }

// Has reports whether code may stand in a listing.
func (l List) Has(code string) bool {
	_, ok := l.index[code]
	return ok || l.class(code) != ""
}

// Label returns the English label of a listed code, else "".
func (l List) Label(code string) string {
	if i, ok := l.index[code]; ok {
		return l.codes[i].Label
	}
	return ""
}

// Parent returns column 2 of a listed code, the class of an IPC subclass, and
// otherwise "".
func (l List) Parent(code string) string {
	if i, ok := l.index[code]; ok {
		return l.codes[i].Parent
	}
	return l.class(code)
}

// All returns the codes in file order. The slice is the caller's own.
func (l List) All() []Code { return slices.Clone(l.codes) }

// class returns the listed class of a well-formed subclass, else "".
func (l List) class(code string) string {
	if !l.subclasses || len(code) != 4 || code[3] < 'A' || code[3] > 'Z' {
		return ""
	}
	if _, ok := l.index[code[:3]]; !ok {
		return ""
	}
	return code[:3]
}

//go:embed *.tsv
var files embed.FS

// Each list is parsed when it is first asked for, and once.
var (
	ford         = once("ford.tsv")
	isic         = once("isic.tsv")
	ipc          = once("ipc.tsv")
	sdg          = once("sdg.tsv")
	trl          = once("trl.tsv")
	country      = once("country.tsv")
	language     = once("language.tsv")
	kind         = once("kind.tsv")
	ipr          = once("ipr.tsv")
	cooperation  = once("cooperation.tsv")
	organisation = once("organisation.tsv")
	size         = once("size.tsv")
	right        = once("right.tsv")
	terms        = once("terms.tsv")
	exclusivity  = once("exclusivity.tsv")
	turnover     = once("turnover.tsv")
	track        = once("track.tsv")
	office       = once("office.tsv")
)

func once(name string) func() List {
	return sync.OnceValue(func() List {
		text, err := files.ReadFile(name)
		if err != nil {
			panic(fmt.Sprintf("codes: %v", err))
		}
		l, err := parse(string(text))
		if err != nil {
			panic(fmt.Sprintf("codes: %s: %v", name, err))
		}
		l.subclasses = name == "ipc.tsv"
		return l
	})
}

// parse reads the format of the package comment. Only embedded files reach it,
// so a fault is one of the build: the tests meet it first, and once panics.
func parse(text string) (List, error) {
	l := List{index: make(map[string]int)}
	for line := range strings.Lines(text) {
		n := len(l.codes) + 1
		cols := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cols) != 3 || cols[0] == "" || cols[2] == "" {
			return List{}, fmt.Errorf("line %d: want code, parent or empty, and label, separated by tabs", n)
		}
		if _, ok := l.index[cols[0]]; ok {
			return List{}, fmt.Errorf("line %d: code %q appears twice", n, cols[0])
		}
		l.index[cols[0]] = len(l.codes)
		l.codes = append(l.codes, Code{Code: cols[0], Parent: cols[1], Label: cols[2]})
	}
	return l, nil
}
