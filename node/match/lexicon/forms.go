package lexicon

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/asean-tmh/tmh/node/match/text"
)

// A form knows how to read one kind of file.
type form func(*Importer, *file) error

// langNames are what files and wordnets call the languages.
func langCode(name string) string {
	name = strings.ToLower(name)
	for _, l := range []struct{ code, names string }{
		{"id", "id ind indonesian"}, {"ms", "ms zsm msa may malay"}, {"th", "th tha thai"}, {"vi", "vi vie vietnamese"},
		{"fil", "fil tl tgl tagalog filipino"}, {"km", "km khm khmer"}, {"lo", "lo lao"}, {"my", "my mya bur burmese"},
		{"zh", "zh cmn zho chi mandarin chinese"}, {"ta", "ta tam tamil"}, {"pt", "pt por portuguese"}, {"tet", "tet tetum tetun"},
		{"en", "en eng english"},
	} {
		if slices.Contains(strings.Fields(l.names), name) {
			return l.code
		}
	}
	return ""
}

var (
	nameOfPair  = regexp.MustCompile(`(?i)(?:^|[_.-])en[_-]([a-z]{2,3})(?:[_.-]|$)`)
	nameOfList  = regexp.MustCompile(`(?i)^([a-z]{2,3})(?:[_.-]|$)`)
	synsetLine  = regexp.MustCompile(`^[0-9]{8}-[nvasr]\t([a-z]{3}):?[a-z]*\t`)
	headOfTable = regexp.MustCompile(`^#[^\t]*\t[a-z]{3}\t`)
	headOfWikt  = regexp.MustCompile(`^# English :: ([A-Za-z]+) dictionary`)
)

// recognise looks at the first lines. lang is what the person said, for lists that do not tell.
func (f *file) recognise(lang string) form {
	var sample []string // lines that are no comments
	for _, line := range f.lines[:min(len(f.lines), 2000)] {
		if len(sample) == 200 {
			break
		}
		if !strings.HasPrefix(line, "#") && strings.TrimSpace(line) != "" {
			sample = append(sample, line)
		}
	}
	if len(sample) == 0 || strings.HasSuffix(strings.ToLower(f.name), ".aff") {
		return nil
	}
	share := func(is func(string) bool) float64 {
		n := 0
		for _, line := range sample {
			if is(line) {
				n++
			}
		}
		return float64(n) / float64(len(sample))
	}
	columns := func(n int) func(string) bool {
		return func(line string) bool { return strings.Count(line, "\t") == n-1 }
	}
	switch {
	case headOfTable.MatchString(f.lines[0]) || share(synsetLine.MatchString) > .9:
		f.report.Form = "wordnet table"
		return (*Importer).synsetTable
	case share(func(l string) bool { return strings.Contains(l, " :: ") }) > .9:
		f.report.Form = "english :: foreign"
		if m := headOfWikt.FindStringSubmatch(f.lines[0]); m != nil {
			f.lang = langCode(m[1])
		}
		return f.known((*Importer).pairsOfWikt, lang, nameOfPair, func(l string) string { _, b, _ := strings.Cut(l, "::"); return b }, sample)
	case strings.HasPrefix(sample[0], "en\t") && strings.Count(sample[0], "\t") > 2:
		f.report.Form = "table of terms"
		return (*Importer).termTable
	case len(sample) > 1 && headerOf(sample[0]) != nil:
		f.report.Form = "dictionary with a header"
		return (*Importer).pairsWithHeader
	case share(func(l string) bool { return columns(2)(l) && isNumber(l[strings.IndexByte(l, '\t')+1:]) }) > .9:
		f.report.Form = "word list with counts"
		return f.known((*Importer).wordList, lang, nameOfList, func(l string) string { return l }, sample)
	case share(columns(2)) > .7:
		f.report.Form = "dictionary of two columns, English first"
		return f.known((*Importer).pairs, lang, nameOfPair, func(l string) string { _, b, _ := strings.Cut(l, "\t"); return b }, sample)
	case share(columns(1)) > .9 && share(func(l string) bool { return len(l) <= maxWord && len(strings.Fields(l)) <= 6 }) > .9:
		f.report.Form = "word list"
		return f.known((*Importer).wordList, lang, nameOfList, func(l string) string { return l }, sample)
	}
	return nil
}

func isNumber(s string) bool {
	_, err := strconv.ParseUint(strings.TrimSpace(s), 10, 63)
	return err == nil
}

// known finds the language: what the file says, its name where that is the name of a pair, its script, its name, the
// person. (Vietnamese has words in Han characters.)
func (f *file) known(then form, said string, name *regexp.Regexp, foreign func(string) string, sample []string) form {
	if m := nameOfPair.FindStringSubmatch(f.name); f.lang == "" && m != nil {
		f.lang = langCode(m[1])
	}
	if f.lang == "" {
		f.lang = scriptOf(sample, foreign)
	}
	if f.lang == "" {
		if m := name.FindStringSubmatch(f.name); m != nil {
			f.lang = langCode(m[1])
		}
	}
	if f.lang == "" {
		f.lang = langCode(said)
	}
	if f.lang == "" {
		f.report.Note = "left out whole: neither its script nor its name says the language; name it with --lang"
		return func(*Importer, *file) error { return nil }
	}
	return then
}

// scriptOf gives the language that most lines are written in, where its script tells.
func scriptOf(sample []string, foreign func(string) string) string {
	count := map[string]int{}
	for _, line := range sample {
		count[scriptLang(foreign(line))]++
	}
	for lang, n := range count {
		if lang != "" && 2*n > len(sample) {
			return lang
		}
	}
	return ""
}

func scriptLang(s string) string {
	for _, r := range s {
		if lang := text.ScriptLanguage(r); lang != "" {
			return lang
		}
	}
	return ""
}

// pairs reads English, tab, foreign.
func (im *Importer) pairs(f *file) error {
	source, err := im.source(stem(f.name), "", "")
	if err != nil {
		return err
	}
	return f.rows(func(_ int, line string) error {
		gloss, word, ok := strings.Cut(line, "\t")
		if !ok || strings.Contains(word, "\t") {
			return errColumns
		}
		return im.add(f.report, f.lang, word, gloss, stated, source)
	})
}

// headerOf gives the places of the foreign and the English column of a header that names languages: "th en check".
func headerOf(line string) (at []int) {
	cols := strings.Split(line, "\t")
	en := slices.Index(cols, "en")
	if en < 0 || len(cols) < 2 || len(cols) > 4 {
		return nil
	}
	for i, c := range cols {
		if i != en && len(c) <= 3 && langCode(c) != "" {
			return []int{i, en}
		}
	}
	return nil
}

func (im *Importer) pairsWithHeader(f *file) error {
	source, err := im.source(stem(f.name), "", "")
	if err != nil {
		return err
	}
	var at []int
	return f.rows(func(_ int, line string) error {
		cols := strings.Split(line, "\t")
		if at == nil {
			if at = headerOf(line); at == nil {
				return errColumns
			}
			f.lang = langCode(cols[at[0]])
			return nil
		}
		if len(cols) <= max(at[0], at[1]) {
			return errColumns
		}
		return im.add(f.report, f.lang, cols[at[0]], cols[at[1]], stated, source)
	})
}

var (
	notes   = regexp.MustCompile(`\{[^}]*\}|\([^)]*\)|\[[^\]]*\]`)
	slashes = regexp.MustCompile(`/[^/]*/`)
)

// pairsOfWikt reads: english {part of speech} (sense) :: foreign /in Latin letters/, another foreign.
func (im *Importer) pairsOfWikt(f *file) error {
	licence := ""
	for _, line := range f.lines[:min(len(f.lines), 8)] {
		if rest, ok := strings.CutPrefix(line, "# License :: "); ok {
			licence = rest
		}
	}
	source, err := im.source(stem(f.name), licence, "")
	if err != nil {
		return err
	}
	return f.rows(func(_ int, line string) error {
		english, foreign, ok := strings.Cut(line, "::")
		if !ok {
			return errColumns
		}
		gloss := notes.ReplaceAllString(english, " ")
		var last error
		took := 0
		for word := range strings.FieldsFuncSeq(slashes.ReplaceAllString(notes.ReplaceAllString(foreign, " "), " "), func(r rune) bool { return r == ',' || r == ';' }) {
			if err := im.add(f.report, f.lang, word, gloss, stated, source); err != nil {
				last = err
				continue
			}
			took++
		}
		if took > 0 {
			return nil
		}
		return last
	})
}

// wordList reads one word a line, hunspell's with its count on top and flags behind a slash, or with a count behind a tab.
func (im *Importer) wordList(f *file) error {
	source, err := im.source(stem(f.name), "", "")
	if err != nil {
		return err
	}
	return f.rows(func(n int, line string) error {
		if n == 1 && isNumber(line) {
			return nil
		}
		word, _, _ := strings.Cut(line, "\t")
		word, _, _ = strings.Cut(word, "/")
		if !strings.ContainsFunc(word, unicode.IsLetter) {
			return errNoWord
		}
		return im.word(f.report, f.lang, word, source)
	})
}

func stem(name string) string {
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	return name
}

// termTable reads our own form: a row a concept, a column a language, several words in a cell divided by " | ".
func (im *Importer) termTable(f *file) error {
	source, err := im.source(stem(f.name), "", "")
	if err != nil {
		return err
	}
	var langs []string
	return f.rows(func(_ int, line string) error {
		cells := strings.Split(line, "\t")
		if langs == nil {
			if cells[0] != "en" {
				return errColumns
			}
			langs = cells
			return nil
		}
		if len(cells) > len(langs) {
			return errColumns
		}
		return im.concept(f.report, langs, cells, stated, source)
	})
}

// concept adds the words of a row; the first column is English.
func (im *Importer) concept(r *Report, langs, cells []string, weight int, source string) error {
	for i, cell := range cells[1:] {
		for word := range strings.SplitSeq(cell, "|") {
			if strings.TrimSpace(word) == "" {
				continue
			}
			for gloss := range strings.SplitSeq(cells[0], "|") {
				if err := im.add(r, langs[i+1], word, gloss, weight, source); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
