package protocol

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// Listing is the public summary of one listing: what is signed, replicated and searched everywhere. It carries no
// person's name. Field numbers are those of the wire form.
type Listing struct {
	ID            ListingID     `json:"id"`                      // 1
	Kind          Kind          `json:"kind"`                    // 2
	Country       Country       `json:"country"`                 // 3: ISO 3166-1 alpha-2
	Region        string        `json:"region,omitempty"`        // 4: ISO 3166-2
	Texts         map[Lang]Text `json:"texts"`                   // 5: side by side, one a language
	Organisation  Organisation  `json:"organisation,omitzero"`   // 6
	TRL           uint8         `json:"trl,omitempty"`           // 7: 1 to 9; of a request, the least acceptable
	IPR           []string      `json:"ipr,omitempty"`           // 8
	Cooperation   []string      `json:"cooperation,omitempty"`   // 9
	Seeks         Seeks         `json:"seeks,omitzero"`          // 10, 11
	FORD          []string      `json:"ford,omitempty"`          // 12: OECD fields of research and development, "2" or "2.4"
	ISIC          []string      `json:"isic,omitempty"`          // 13: ISIC Rev.4 section "C" or division "C10"
	IPC           []string      `json:"ipc,omitempty"`           // 14: section "C", class "C12" or subclass "C12N"
	SDG           []uint16      `json:"sdg,omitempty"`           // 15: 1 to 17; not bytes, which JSON writes as base64
	Published     Date          `json:"published,omitzero"`      // 16
	ValidUntil    Date          `json:"valid_until,omitzero"`    // 17: expired after this day
	URL           string        `json:"url,omitempty"`           // 18
	Full          Hash          `json:"full,omitzero"`           // 19: SHA-256 of the full record's public part
	Demonstration bool          `json:"demonstration,omitempty"` // 20: invented content
	Updated       Instant       `json:"updated,omitzero"`        // 21: set by the origin when it signs; a label

	FullRegistered Hash `json:"full_registered,omitzero"` // 22: of its registered part
	FullRestricted Hash `json:"full_restricted,omitzero"` // 23: of its restricted part
}

// Text is what a listing says in one language.
type Text struct {
	Title    string   `json:"title"`              // 2
	Value    string   `json:"value,omitempty"`    // 3: the value statement, one line
	Abstract string   `json:"abstract,omitempty"` // 4
	Keywords []string `json:"keywords,omitempty"` // 5
}

// Organisation that posts the listing. Its name stands here only where it agreed to be named.
type Organisation struct {
	Name string `json:"name,omitempty"` // 1
	Type string `json:"type,omitempty"` // 2
	Size string `json:"size,omitempty"` // 3
}

// Seeks is the partner looked for.
type Seeks struct {
	Types     []string  `json:"types,omitempty"`     // 10: organisation types
	Countries []Country `json:"countries,omitempty"` // 11
}

const listingFields protowire.Number = 23

// Languages of the listing in the order of their tags.
func (l *Listing) Languages() []Lang { return slices.Sorted(maps.Keys(l.Texts)) }

// Text in the first of the wanted languages that the listing has, else in English, else in its first language.
func (l *Listing) Text(wanted ...Lang) (Lang, Text) {
	for _, w := range append(wanted, "en") {
		if t, ok := l.Texts[w]; ok {
			return w, t
		}
	}
	for _, lang := range l.Languages() {
		return lang, l.Texts[lang]
	}
	return "", Text{}
}

// Expired reports whether the listing's validity ended before today.
func (l *Listing) Expired(today Date) bool { return l.ValidUntil != 0 && l.ValidUntil < today }

// Encode writes the canonical form: the body of a change.
func (l *Listing) Encode() []byte {
	e := encoder{buf: make([]byte, 0, 2048)}
	e.string(1, string(l.ID))
	e.uint(2, l.Kind.wire())
	e.string(3, string(l.Country))
	e.string(4, l.Region)
	for _, lang := range l.Languages() {
		t := l.Texts[lang]
		var x encoder
		x.string(1, string(lang))
		x.string(2, t.Title)
		x.string(3, t.Value)
		x.string(4, t.Abstract)
		for _, k := range t.Keywords {
			x.element(5, []byte(k))
		}
		e.element(5, x.buf)
	}
	var o encoder
	o.string(1, l.Organisation.Name)
	o.string(2, l.Organisation.Type)
	o.string(3, l.Organisation.Size)
	e.bytes(6, o.buf)
	e.uint(7, uint64(l.TRL))
	elements(&e, 8, l.IPR)
	elements(&e, 9, l.Cooperation)
	elements(&e, 10, l.Seeks.Types)
	elements(&e, 11, l.Seeks.Countries)
	elements(&e, 12, l.FORD)
	elements(&e, 13, l.ISIC)
	elements(&e, 14, l.IPC)
	for _, s := range l.SDG {
		e.uint(15, uint64(s))
	}
	e.uint(16, uint64(l.Published))
	e.uint(17, uint64(l.ValidUntil))
	e.string(18, l.URL)
	e.hash(19, l.Full)
	if l.Demonstration {
		e.uint(20, 1)
	}
	e.uint(21, uint64(l.Updated))
	e.hash(22, l.FullRegistered)
	e.hash(23, l.FullRestricted)
	return e.buf
}

func elements[S ~string](e *encoder, field protowire.Number, list []S) {
	for _, s := range list {
		e.element(field, []byte(s))
	}
}

// DecodeListing reads and validates the body of a listing's change. Fields of later versions are passed over.
func DecodeListing(b []byte) (*Listing, error) {
	d := newDecoder("listing", b, MaxBody)
	l := new(Listing)
	l.ID = ListingID(d.string(1, "id", 64))
	kind := d.uint(2, "kind")
	l.Country = Country(d.string(3, "country", 2))
	l.Region = d.string(4, "region", 6)
	l.Texts = make(map[Lang]Text)
	var last Lang
	d.each(5, "texts", MaxLanguages, func(b []byte) {
		x := newDecoder("listing.texts", b, MaxBody)
		lang := Lang(x.string(1, "lang", 20))
		t := Text{Title: x.string(2, "title", MaxBody), Value: x.string(3, "value", MaxBody), Abstract: x.string(4, "abstract", MaxBody)}
		x.each(5, "keywords", MaxKeywords, func(b []byte) { t.Keywords = append(t.Keywords, string(b)) })
		d.adopt(x.endOpen(5))
		if lang == "" {
			d.fail(CodeRequired, "texts.lang", "is absent")
		}
		if lang <= last {
			d.fail(CodeOrder, "texts", "languages ascend, each once")
		}
		l.Texts[lang], last = t, lang
	})
	if b := d.bytes(6, "organisation", 1<<10); b != nil {
		x := newDecoder("listing.organisation", b, 1<<10)
		l.Organisation = Organisation{Name: x.string(1, "name", 1<<10), Type: x.string(2, "type", 40), Size: x.string(3, "size", 40)}
		d.adopt(x.endOpen(3))
	}
	trl := d.uint(7, "trl")
	l.IPR = takeStrings[string](d, 8, "ipr")
	l.Cooperation = takeStrings[string](d, 9, "cooperation")
	l.Seeks.Types = takeStrings[string](d, 10, "seeks.types")
	l.Seeks.Countries = takeStrings[Country](d, 11, "seeks.countries")
	l.FORD = takeStrings[string](d, 12, "ford")
	l.ISIC = takeStrings[string](d, 13, "isic")
	l.IPC = takeStrings[string](d, 14, "ipc")
	d.eachUint(15, "sdg", MaxCodes, func(v uint64) { l.SDG = append(l.SDG, uint16(min(v, 255))) })
	published, until := d.uint(16, "published"), d.uint(17, "valid_until")
	l.URL = d.string(18, "url", MaxURL)
	l.Full = d.hash(19, "full")
	demo := d.uint(20, "demonstration")
	updated := d.uint(21, "updated")
	l.FullRegistered, l.FullRestricted = d.hash(22, "full_registered"), d.hash(23, "full_restricted")
	if err := d.endOpen(listingFields); err != nil {
		return nil, err
	}
	var ok bool
	if l.Kind, ok = kindOf(kind); !ok {
		return nil, Errorf(CodeValue, "listing.kind", "%d is no kind of listing", kind)
	}
	if demo > 1 || trl > 9 || published > maxDate || until > maxDate || updated > maxInstant {
		return nil, Errorf(CodeValue, "listing", "trl, a date or demonstration is out of range")
	}
	l.TRL, l.Demonstration = uint8(trl), demo == 1
	l.Published, l.ValidUntil, l.Updated = Date(published), Date(until), Instant(updated)
	if err := l.Validate(); err != nil {
		return nil, err
	}
	return l, nil
}

func takeStrings[S ~string](d *decoder, num protowire.Number, field string) (list []S) {
	d.each(num, field, MaxCodes, func(b []byte) { list = append(list, S(b)) })
	return list
}

// Validate reports every fault of the listing. It judges form and limits; whether a code stands in a code list is for
// the origin's own desk to judge.
func (l *Listing) Validate() error {
	var f faults
	if _, err := ParseListingID(string(l.ID)); err != nil {
		f.list = append(f.list, All(err)...)
	}
	if l.Kind.wire() == 0 {
		f.choice("kind", string(l.Kind), "kind of listing", oneOf(Kinds()))
	}
	if !l.Country.wellFormed() {
		f.choice("country", string(l.Country), "ISO 3166-1 alpha-2 code", "two letters such as KH")
	}
	if l.Region != "" && !isRegion(l.Region, l.Country) {
		f.add(CodeValue, "region", "%q is no ISO 3166-2 code of %s", clip(l.Region), l.Country)
	}
	l.validateTexts(&f)
	line(&f, "organisation.name", l.Organisation.Name, MaxOrganisation)
	word(&f, "organisation.type", l.Organisation.Type)
	word(&f, "organisation.size", l.Organisation.Size)
	if l.TRL > 9 {
		f.add(CodeValue, "trl", "%d is not between 1 and 9", l.TRL)
	}
	codes(&f, "ipr", l.IPR, isWord)
	codes(&f, "cooperation", l.Cooperation, isWord)
	codes(&f, "seeks.types", l.Seeks.Types, isWord)
	codes(&f, "seeks.countries", l.Seeks.Countries, Country.wellFormed)
	codes(&f, "ford", l.FORD, isFORD)
	codes(&f, "isic", l.ISIC, isISIC)
	codes(&f, "ipc", l.IPC, isIPC)
	codes(&f, "sdg", l.SDG, func(n uint16) bool { return n >= 1 && n <= 17 })
	if l.URL != "" && !httpURL(l.URL) {
		f.add(CodeValue, "url", "%q is no http or https address of at most %d bytes", clip(l.URL), MaxURL)
	}
	if l.Published > maxDate || l.ValidUntil > maxDate || l.Updated < 0 || l.Updated > maxInstant {
		f.add(CodeValue, "valid_until", "is after the year 9999")
	}
	if l.Published != 0 && l.ValidUntil != 0 && l.ValidUntil < l.Published {
		f.add(CodeValue, "valid_until", "%s is before it is published on %s", l.ValidUntil, l.Published)
	}
	if f.list == nil {
		if n := len(l.Encode()); n > MaxBody {
			f.add(CodeTooLarge, "", "%d bytes when signed, at most %d: shorten the abstracts or leave out a language", n, MaxBody)
		}
	}
	return f.err()
}

func (l *Listing) validateTexts(f *faults) {
	if len(l.Texts) == 0 {
		f.add(CodeRequired, "texts", "a listing has a title in at least one language")
	}
	if len(l.Texts) > MaxLanguages {
		f.add(CodeTooLarge, "texts", "%d languages, at most %d", len(l.Texts), MaxLanguages)
		return // looking at each would cost as much as a stranger likes
	}
	for _, lang := range l.Languages() {
		t, at := l.Texts[lang], "texts."+clip(string(lang))+"."
		if !lang.wellFormed() {
			f.add(CodeValue, "texts", "%q is no BCP 47 language tag such as th", clip(string(lang)))
		}
		if strings.TrimSpace(t.Title) == "" {
			f.add(CodeRequired, at+"title", "is empty")
		}
		line(f, at+"title", t.Title, MaxTitle)
		line(f, at+"value", t.Value, MaxValue)
		if n := utf8.RuneCountInString(t.Abstract); n > MaxAbstract {
			f.add(CodeTooLarge, at+"abstract", "%d characters, at most %d", n, MaxAbstract)
		}
		if !plain(t.Abstract, true) {
			f.add(CodeText, at+"abstract", "holds control or direction-changing characters, or is not UTF-8")
		}
		if len(t.Keywords) > MaxKeywords {
			f.add(CodeTooLarge, at+"keywords", "%d keywords, at most %d", len(t.Keywords), MaxKeywords)
		}
		for _, k := range t.Keywords {
			if strings.TrimSpace(k) == "" {
				f.add(CodeRequired, at+"keywords", "one is empty")
			}
			line(f, at+"keywords", k, MaxKeyword)
		}
	}
}

func line(f *faults, field, s string, limit int) {
	if n := utf8.RuneCountInString(s); n > limit {
		f.add(CodeTooLarge, field, "%d characters, at most %d", n, limit)
	}
	if !plain(s, false) {
		f.add(CodeText, field, "holds control or direction-changing characters, or is not UTF-8")
	}
}

func word(f *faults, field, s string) {
	if s != "" && !isWord(s) {
		f.add(CodeValue, field, "%q is no code", clip(s))
	}
}

func codes[C comparable](f *faults, field string, list []C, ok func(C) bool) {
	if len(list) > MaxCodes {
		f.add(CodeTooLarge, field, "%d codes, at most %d", len(list), MaxCodes)
		return // looking at each would cost the square of a stranger's number
	}
	for i, c := range list {
		switch {
		case !ok(c):
			f.add(CodeValue, field, "%v is not well formed", quoted(c))
		case slices.Contains(list[:i], c):
			f.add(CodeRepeated, field, "%v stands twice", quoted(c))
		}
	}
}

func quoted(c any) string {
	return "“" + clip(fmt.Sprint(c)) + "”"
}

// isRegion accepts an ISO 3166-2 code: the country's, a hyphen, and 1 to 3 capital letters and digits.
func isRegion(s string, country Country) bool {
	sub, ok := strings.CutPrefix(s, string(country)+"-")
	for _, c := range []byte(sub) {
		if !isUpper(c) && !isDigit(c) {
			return false
		}
	}
	return ok && len(sub) >= 1 && len(sub) <= 3
}

// isWord accepts a code of ours: 1 to 40 of a–z, 0–9 and -.
func isWord(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && !isDigit(c) && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 40
}

func isFORD(s string) bool {
	field, sub, ok := strings.Cut(s, ".")
	if len(field) != 1 || field[0] < '1' || field[0] > '6' {
		return false
	}
	if !ok {
		return true
	}
	return len(sub) >= 1 && len(sub) <= 2 && isDigit(sub[0]) && sub[0] != '0' && isDigit(sub[len(sub)-1])
}

func isISIC(s string) bool {
	return len(s) >= 1 && s[0] >= 'A' && s[0] <= 'U' && (len(s) == 1 || (len(s) == 3 && isDigit(s[1]) && isDigit(s[2])))
}

func isIPC(s string) bool {
	return len(s) >= 1 && s[0] >= 'A' && s[0] <= 'H' && (len(s) == 1 ||
		(len(s) >= 3 && len(s) <= 4 && isDigit(s[1]) && isDigit(s[2]) && (len(s) == 3 || isUpper(s[3]))))
}

func httpURL(s string) bool {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(s, "http://")
	}
	return ok && rest != "" && rest[0] != '/' && len(s) <= MaxURL && plain(s, false) && !strings.ContainsAny(s, " \"<>\\")
}

// plain accepts text that a page can show as it is: UTF-8 without control characters (line feeds where multiline) and
// without the characters that change the direction of what follows, which can make a text read as another.
func plain(s string, multiline bool) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		switch {
		case r == '\n' && multiline:
		case unicode.IsControl(r), r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0xFEFF, r&0xFFFE == 0xFFFE:
			return false
		}
	}
	return true
}
