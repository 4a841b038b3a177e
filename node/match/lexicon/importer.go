package lexicon

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of a file that somebody else wrote.
const (
	maxFile     = 256 << 20
	maxLine     = 16 << 10
	maxExamples = 3
)

// How much a translation weighs: one that a dictionary states is a statement, a word of a wordnet's synset half of one,
// for its English words are synonyms.
const (
	stated   = 4
	synset   = 2
	ours     = 12
	accepted = 8
	inferred = 2
)

// Importer reads files of several published forms into a Builder. A file is recognised by its form, and by its name
// where the form does not say the language.
type Importer struct {
	Builder *Builder
	// Licence and From are stated of sources that do not say them themselves.
	Licence, From string
	// Lang is the language of word lists whose script and name do not say it.
	Lang string
	// Compounds counts the headwords that Finish took away, because their parts are translated.
	Compounds int

	wordnet *wordnet
	synsets []synsetRow
	late    map[string]*Report // of the files that wait for WordNet, by name
}

// Report says what was made of a file.
type Report struct {
	File         string
	Form         string // in words, "" where it was not recognised
	Langs        []string
	Translations int
	Words        int // headwords without a translation
	Left         []Left
	Note         string
}

// Left counts the rows that were left out for one reason.
type Left struct {
	Reason   string
	Rows     int
	Examples []string // the first few, with line numbers
}

// NewImporter reads into a new Builder.
func NewImporter() *Importer {
	return &Importer{Builder: NewBuilder(), late: map[string]*Report{}}
}

func (r *Report) left(reason error, line int, text string) {
	i := slices.IndexFunc(r.Left, func(l Left) bool { return l.Reason == reason.Error() })
	if i < 0 {
		i = len(r.Left)
		r.Left = append(r.Left, Left{Reason: reason.Error()})
	}
	l := &r.Left[i]
	l.Rows++
	if len(l.Examples) < maxExamples {
		l.Examples = append(l.Examples, fmt.Sprintf("line %d: %s", line, shorten(text)))
	}
}

func shorten(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return s
}

func (r *Report) lang(l string) {
	if !slices.Contains(r.Langs, l) {
		r.Langs = append(r.Langs, l)
		slices.Sort(r.Langs)
	}
}

// Read takes a file. name is its name without folders; reports come from Finish.
func (im *Importer) Read(name string, in io.Reader) (*Report, error) {
	b, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	r := &Report{File: name}
	if len(b) > maxFile {
		r.Note = fmt.Sprintf("left out whole: it has more than %d MiB", maxFile>>20)
		return r, nil
	}
	f := file{name: name, report: r}
	if !f.text(b) {
		return r, nil
	}
	form := f.recognise(im.Lang)
	if form == nil {
		r.Note = "left out whole: it has none of the known forms (dictionary of two columns, \"english :: foreign\", wordnet table, word list, table of terms)"
		return r, nil
	}
	return r, form(im, &f)
}

// file is one that is being read: its lines, and what its form and name say.
type file struct {
	name   string
	lines  []string
	report *Report
	lang   string
}

// text cuts into lines. A text that is no UTF-8 and has no letter in UTF-8 either is ISO-8859-1, as older word lists are.
func (f *file) text(b []byte) bool {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	switch {
	case bytes.IndexByte(b, 0) >= 0:
		f.report.Note = "left out whole: it is no text"
		return false
	case !utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool { return r >= utf8.RuneSelf && r != utf8.RuneError }):
		var s strings.Builder
		for _, c := range b {
			s.WriteRune(rune(c))
		}
		b = []byte(s.String())
		f.report.Note = "read as ISO-8859-1"
	}
	f.lines = strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	for i, l := range f.lines {
		f.lines[i] = strings.TrimSuffix(l, "\r")
	}
	return true
}

var (
	errLine    = errors.New("the line is too long")
	errUTF8    = errors.New("the line is not UTF-8")
	errColumns = errors.New("the line has another number of columns")
)

// rows calls do for every line that can be read, comments and empty lines left out.
func (f *file) rows(do func(n int, line string) error) error {
	for i, line := range f.lines {
		switch {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
			continue
		case len(line) > maxLine:
			f.report.left(errLine, i+1, line[:100])
			continue
		case !utf8.ValidString(line):
			f.report.left(errUTF8, i+1, line)
			continue
		}
		if err := do(i+1, line); err != nil {
			if errors.Is(err, errFull) {
				return fmt.Errorf("%s line %d: %w: import the rest into another pack", f.name, i+1, err)
			}
			f.report.left(err, i+1, line)
		}
	}
	return nil
}

// add takes a translation for the report, too.
func (im *Importer) add(r *Report, lang, word, gloss string, weight int, source string) error {
	if err := im.Builder.Add(lang, word, gloss, weight, source); err != nil {
		return err
	}
	r.Translations++
	r.lang(lang)
	return im.Builder.AddSource(Source{Name: source, Entries: 1})
}

func (im *Importer) word(r *Report, lang, word, source string) error {
	if err := im.Builder.AddWord(lang, word); err != nil {
		return err
	}
	r.Words++
	r.lang(lang)
	return im.Builder.AddSource(Source{Name: source, Entries: 1})
}

// source makes a file's source known, with what is stated about it in the file or else by the person.
func (im *Importer) source(name, licence, from string) (string, error) {
	if licence == "" {
		licence = im.Licence
	}
	if licence == "" {
		licence = "not stated"
	}
	if from == "" {
		from = im.From
	}
	name = cmp.Or(clip(name, 64), "unnamed")
	return name, im.Builder.AddSource(Source{Name: name, Licence: clip(licence, 300), From: clip(from, 300)})
}

func clip(s string, n int) string {
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "")
	for len(s) > n {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}

// Files reads every regular file below a folder, in the order of names.
func (im *Importer) Files(fsys fs.FS) ([]*Report, error) {
	var all []*Report
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !d.Type().IsRegular() {
			return err
		}
		r, err := im.File(fsys, p)
		if r != nil {
			all = append(all, r)
		}
		return err
	})
	return all, err
}

// File reads one file.
func (im *Importer) File(fsys fs.FS, name string) (*Report, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	r, err := im.Read(path.Base(name), f)
	return r, errors.Join(err, f.Close())
}
