package eval

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/node/match/eval/clir"
)

// Parallel are the same lines in several languages: line i of one says what line i of every other says.
type Parallel struct {
	Lines map[string][]string // by the name of the file without .txt
}

// textFile begins with the language: my.txt, my_unicode.txt.
var textFile = regexp.MustCompile(`^([a-z]{2,3})(_[a-z0-9]+)?\.txt$`)

const maxParallel = 100_000 // lines of a file

// ReadParallel reads a folder of files LANG.txt and LANG_VARIANT.txt, which must have equally many lines.
func ReadParallel(dir fs.FS) (*Parallel, error) {
	p := &Parallel{Lines: make(map[string][]string)}
	list, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, err
	}
	first := ""
	for _, e := range list {
		if e.IsDir() || !textFile.MatchString(e.Name()) {
			continue
		}
		b, err := readFile(dir, e.Name())
		if err != nil {
			return nil, err
		}
		var lines []string
		for line := range strings.Lines(strings.TrimPrefix(string(b), "\ufeff")) {
			if !utf8.ValidString(line) {
				return nil, fmt.Errorf("%s line %d: is not UTF-8", e.Name(), len(lines)+1)
			}
			lines = append(lines, strings.TrimSpace(line))
		}
		if len(lines) == 0 || len(lines) > maxParallel {
			return nil, fmt.Errorf("%s has %d lines, want 1 to %d", e.Name(), len(lines), maxParallel)
		}
		if first == "" {
			first = e.Name()
		}
		if want := len(p.Lines[strings.TrimSuffix(first, ".txt")]); e.Name() != first && len(lines) != want {
			return nil, fmt.Errorf("%s has %d lines, %s has %d: line by line they must say the same", e.Name(), len(lines), first, want)
		}
		p.Lines[strings.TrimSuffix(e.Name(), ".txt")] = lines
	}
	if len(p.Lines) < 2 {
		return nil, errors.New("want two or more files named by their language, such as en.txt and th.txt")
	}
	return p, nil
}

func langOf(name string) string {
	lang, _, _ := strings.Cut(name, "_")
	return lang
}

// Found is how often a line's translation was the first answer, or among the first ten.
type Found struct {
	Name    string
	R1, R10 float64
}

func (f Found) String() string { return fmt.Sprintf("%s R@1 %.4f R@10 %.4f", f.Name, f.R1, f.R10) }

// Dictionaries make the plain dictionary method, the baseline into English.
type Dictionaries struct {
	WordLists fs.FS // published word lists, see package clir
	WordNet   fs.FS // data.noun and the others
}

// Languages asks with every line of every other file for its translation among the lines in the target language: a row a
// file. Declared says whether the engine is told the language of what it is asked. Beside a row stands what the
// dictionary method finds, where dictionaries are given.
func (r *Report) Languages(ctx context.Context, p *Parallel, target string, declared bool, plain *Dictionaries) (rows []Found, err error) {
	lines, ok := p.Lines[target]
	if !ok {
		return nil, fmt.Errorf("there is no %s.txt: the target can be one of %s", target, strings.Join(slices.Sorted(maps.Keys(p.Lines)), ", "))
	}
	baseline, err := plain.over(target, lines)
	if err != nil {
		return nil, err
	}
	docs := make([]Document, len(lines))
	for i, l := range lines {
		docs[i] = Document{ID: fmt.Sprint(i), Text: l, Lang: langOf(target)}
	}
	e, err := NewEngine(ctx, docs, r.Options, r.Progress)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	for _, name := range slices.Sorted(maps.Keys(p.Lines)) {
		if langOf(name) == langOf(target) {
			continue
		}
		lang := ""
		if declared {
			lang = langOf(name)
		}
		row, err := r.find(ctx, name, p.Lines[name], func(l string) ([]int, error) { return e.rank(ctx, asked(l, lang), 10) })
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
		beside := ""
		if baseline != nil {
			if beside, err = baseline(ctx, r, name, p.Lines[name]); err != nil {
				return nil, err
			}
		}
		fmt.Fprintf(r.Out, "%v%s\n", row, beside)
	}
	return rows, nil
}

// find asks with each line for the document of its number.
func (r *Report) find(ctx context.Context, name string, lines []string, ask func(line string) ([]int, error)) (Found, error) {
	row := Found{Name: name}
	for i, l := range lines {
		if err := ctx.Err(); err != nil {
			return row, err
		}
		if l == "" {
			continue
		}
		docs, err := ask(l)
		if err != nil {
			return row, fmt.Errorf("%s.txt line %d: %w", name, i+1, err)
		}
		if at := slices.Index(docs, i); at >= 0 {
			row.R10++
			if at == 0 {
				row.R1++
			}
		}
		r.Progress.Step("%s: %d of %d lines", name, i+1, len(lines))
	}
	r.Progress.Done()
	row.R1, row.R10 = row.R1/float64(len(lines)), row.R10/float64(len(lines))
	return row, nil
}

type beside func(ctx context.Context, r *Report, name string, lines []string) (string, error)

// over lines in English makes the baseline; of no dictionaries it makes none.
func (d *Dictionaries) over(target string, lines []string) (beside, error) {
	if d == nil {
		return nil, nil
	}
	if target != "en" {
		return nil, fmt.Errorf("the dictionary method translates into English, not into %s: leave it out", target)
	}
	words, err := clir.ReadWordNet(d.WordNet)
	if err != nil {
		return nil, err
	}
	var stems [][]string
	for _, l := range lines {
		stems = append(stems, clir.Stems(l))
	}
	x := clir.NewIndex(stems)
	return func(ctx context.Context, r *Report, name string, lines []string) (string, error) {
		dictionary, err := clir.ReadDictionary(d.WordLists, words, langOf(name))
		if err != nil {
			return "", err
		}
		row, err := r.find(ctx, name, lines, func(l string) ([]int, error) { return x.Rank(dictionary.Query(l), 10), nil })
		return fmt.Sprintf("  dictionary method R@1 %.4f R@10 %.4f", row.R1, row.R10), err
	}, nil
}
