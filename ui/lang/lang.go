// Package lang lets the pages speak thirteen languages: messages with a fallback to English that says so, plurals, numbers, dates,
// lists, names of codes, and the order of names.
//
// # Messages
//
// They are files: messages/<language>/<group>.json. English is the source; TRANSLATING.md tells translators what to do. A group is a
// page, or something that pages share; its keys begin with the name of a page or of a thing, and no other group has keys that
// begin so. A file is in the format of go-i18n (version 2), which translation tools know: sorted keys, each with a text, or with
// forms of a text:
//
//	"nav.search": "Search",
//	"count.listings": {"description": "a count of listings", "one": "{{.N}} listing", "other": "{{.N}} listings"}
//
// The forms that a language has are one and other in English, other alone in Thai (see Tag.Forms). The description speaks to
// translators. `go test ./ui/lang -run TestFiles -update` sorts and formats the files.
//
// A text holds no HTML but slots: <a>, <b>, <abbr>, <code>, <time>, with a digit where there are several of one kind (<a2>). The
// caller says what a slot is; what is in the text is escaped always:
//
//	"layout.unchecked": "No native speaker has checked this translation yet. <a>How to help</a>"
//
// # In templates
//
// Parse the pages once with English, then clone them for each language (see Bundle.Each), so that no template has to hand a
// printer on:
//
//	{{t "nav.search"}}                                    text; English in <span lang="en"> where the language lacks it
//	{{t "page.number" "N" .Number}}                       a placeholder: name and value; whole numbers and dates are formatted
//	{{tn "count.listings" .Total}}                        the plural form for .Total, which is {{.N}} in the message
//	{{t "layout.proof" (slot "a" "href" "/federation")}}  a sentence with a link inside
//	{{t "proof.origin" "Member" (in .Lang .Name)}}     a value in another language carries its lang
//	<nav aria-label="{{t "nav.main"}}">                   in an attribute: tags are stripped by html/template
//	<title>{{ts "nav.search"}}</title>                    in title, textarea and option: plain text
//	{{say .Text}}                                         a Text that Go code made, with lang where it differs from the page's
//	{{label "sdg" "4"}} {{country "KH"}} {{language "km"}}  names of codes
//	{{number .N}} {{percent .Share}} {{bytes .Size}} {{date .Date}} {{moment .Instant}} {{month .Date}} {{ago .Age}} {{list .Names}}
//	<html lang="{{lang}}">  {{if not checked}}{{t "layout.unchecked" (slot "a" "href" "/translations")}}{{end}}
//
// Go code does the same with the methods of a Printer: T, N, Text, TextN, HTML, HTMLN and so on.
//
// # What a test can ask
//
// Keys are all keys; Missing are those that a language lacks; Misses are the faults that were met while printing: a key or a
// placeholder that does not exist, a slot that nobody filled, a text that fell back. A page is never refused for one.
//
// # Decisions
//
// Figures are written in Latin digits in every language: people compare them with those on other members' pages. That is CLDR's
// default in all of the thirteen but Burmese. Tamil is that of Singapore and Malaysia, so it groups 1,234,567; Portuguese is that of
// Timor-Leste, which follows Portugal; Chinese is simplified. Thai years are of the Buddhist era. All thirteen are written from left
// to right. Of the code lists, the 42 narrower fields of FORD, the 88 divisions of ISIC, the patent classes and the patent offices are
// in English for now. Names of countries outside ASEAN are CLDR's.
package lang

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/language"

	"github.com/asean-tmh/tmh/configs/codes"
)

// Tag names a language of the interface, as codes.Language does.
type Tag string

// English is the source of all messages, and what stands in for a text that another language lacks.
const English Tag = "en"

// Tags are the languages of the interface in the order of menus.
func Tags() []Tag {
	return []Tag{English, "id", "ms", "th", "vi", "fil", "km", "lo", "my", "zh", "ta", "pt", "tet"}
}

// Own is the language's name in itself.
func (t Tag) Own() string { return codes.Language().Parent(string(t)) }

// English is the language's name in English.
func (t Tag) English() string { return codes.Language().Label(string(t)) }

// Dir is the direction of writing.
func (t Tag) Dir() string { return "ltr" }

//go:embed messages locales.json
var files embed.FS

// Bundle holds all messages. It does not change after Open and is safe for concurrent use.
type Bundle struct {
	keys      []string
	messages  map[Tag]map[string]*message
	printers  map[Tag]*Printer
	sentences *sentences

	mu     sync.Mutex
	misses map[Miss]bool
}

// message is one text of one language. Where it has neither forms, placeholders nor slots it is ready to be shown.
type message struct {
	*i18n.Message
	ready bool
}

// Miss is a fault met while printing.
type Miss struct {
	Lang Tag
	Key  string
	Why  string
}

// mostMisses are kept: a page in a loop must not fill the memory.
const mostMisses = 1000

// embedded messages are read once in a process, for all of its nodes.
//
//nolint:gochecknoglobals // made once, never changed
var embedded = sync.OnceValues(func() (*Bundle, error) { return open(files) })

// Open gives the embedded messages. An error is a fault of the build.
func Open() (*Bundle, error) {
	read, err := embedded()
	if err != nil {
		return nil, err
	}
	b := &Bundle{keys: slices.Clone(read.keys), messages: read.messages, sentences: read.sentences, printers: map[Tag]*Printer{}, misses: map[Miss]bool{}}
	for tag, p := range read.printers {
		own := *p
		own.bundle = b
		b.printers[tag] = &own
	}
	return b, nil
}

// OpenFrom reads messages from elsewhere, which lets tests try texts that nobody has translated yet.
func OpenFrom(from fs.FS) (*Bundle, error) { return open(from) }

func open(from fs.FS) (*Bundle, error) {
	b := &Bundle{messages: map[Tag]map[string]*message{}, printers: map[Tag]*Printer{}, misses: map[Miss]bool{}}
	locales, err := readLocales(from)
	if err != nil {
		return nil, err
	}
	inner := i18n.NewBundle(language.English)
	parser := &template.TextParser{Option: "missingkey=error"}
	for _, tag := range Tags() {
		if b.messages[tag], err = readMessages(from, inner, tag); err != nil {
			return nil, err
		}
		loc, ok := locales[tag]
		if !ok {
			return nil, fmt.Errorf("locales.json: %s is absent", tag)
		}
		b.printers[tag] = &Printer{bundle: b, tag: tag, locale: loc, parser: parser}
	}
	for tag, p := range b.printers { // when all messages are in: a localizer asks the bundle
		p.localizer = i18n.NewLocalizer(inner, inside(tag).String())
	}
	for key := range b.messages[English] {
		b.keys = append(b.keys, key)
	}
	slices.Sort(b.keys)
	b.sentences = newSentences(b.messages[English])
	return b, nil
}

// inside is the tag under which go-i18n knows a language, from which it takes the plural rules. It has none for Tetum, whose nouns,
// as Vietnamese and Indonesian ones, stay as they are behind a number, but gives Vietnamese a singular. Portuguese has a form for
// whole millions, "1.000.000 de ofertas", which no count here needs: it goes by the English rule, which else is the same.
func inside(t Tag) language.Tag {
	switch t {
	case "pt":
		return language.MustParse("en-PT")
	case "vi":
		return language.MustParse("id-VN")
	case "tet":
		return language.MustParse("id-TL")
	}
	return language.MustParse(string(t))
}

// Forms are the plural forms that a text with a count has in a language.
func (t Tag) Forms() []string {
	switch t {
	case English, "fil", "ta", "pt":
		return []string{"one", "other"}
	}
	return []string{"other"}
}

func readMessages(from fs.FS, inner *i18n.Bundle, tag Tag) (map[string]*message, error) {
	all := map[string]*message{}
	dir := path.Join("messages", string(tag))
	parts, err := fs.ReadDir(from, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // nothing is translated yet
		return nil, fmt.Errorf("messages of %s: %w", tag, err)
	}
	for _, part := range parts {
		name := path.Join(dir, part.Name())
		text, err := fs.ReadFile(from, name)
		if err != nil {
			return nil, fmt.Errorf("messages of %s: %w", tag, err)
		}
		list, err := inner.ParseMessageBytes(inside(tag), text, json.Unmarshal)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, m := range list {
			if all[m.ID] != nil {
				return nil, fmt.Errorf("%s: %s stands in another part too", name, m.ID)
			}
			all[m.ID] = &message{m, m.One == "" && !strings.Contains(m.Other, "{{") && !strings.ContainsAny(m.Other, "<>")}
		}
	}
	return all, nil
}

// Keys are all keys of English, sorted.
func (b *Bundle) Keys() []string { return slices.Clone(b.keys) }

// Missing are the keys that a language lacks, sorted.
func (b *Bundle) Missing(t Tag) (keys []string) {
	for _, k := range b.keys {
		if b.messages[t][k] == nil {
			keys = append(keys, k)
		}
	}
	return keys
}

// Unsure are the keys of texts that their writer was not sure of.
func (b *Bundle) Unsure(t Tag) (keys []string) {
	for _, k := range b.keys {
		if m := b.messages[t][k]; m != nil && strings.HasPrefix(m.Description, "unsure") {
			keys = append(keys, k)
		}
	}
	return keys
}

// Misses are the faults met so far, sorted; at most a thousand different ones are kept.
func (b *Bundle) Misses() []Miss {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []Miss
	for m := range b.misses {
		all = append(all, m)
	}
	slices.SortFunc(all, func(x, y Miss) int {
		return strings.Compare(string(x.Lang)+" "+x.Key+" "+x.Why, string(y.Lang)+" "+y.Key+" "+y.Why)
	})
	return all
}

func (b *Bundle) miss(t Tag, key, why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.misses) < mostMisses {
		b.misses[Miss{t, key, why}] = true
	}
}

// Printer speaks one language; English for a tag that is none of Tags.
func (b *Bundle) Printer(t Tag) *Printer {
	if p := b.printers[t]; p != nil {
		return p
	}
	return b.printers[English]
}

// Checked reports whether a native speaker has checked the texts of a language.
func (b *Bundle) Checked(t Tag) bool { return b.Printer(t).locale.Checked }
