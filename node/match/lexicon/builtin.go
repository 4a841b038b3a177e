package lexicon

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/asean-tmh/tmh/configs/codes"
)

// The built-in pack is written by us, as tables:
//
//	terms*.tsv   en, id, ms …: a row a concept, a column a language; forms of a cell divided by " | "
//	stop*.tsv    language, word: words that carry no topic
//
// Labels of codes are the same with a first column that names the code, "ford:2.4". They are at home in configs/codes.
//
//go:embed builtin
var builtinFiles embed.FS

const builtinSource = "TMH"

// builtin is what comes with the program.
type builtin struct {
	pack *pack
	stop map[stopWord]bool
	sum  [sha256.Size]byte // of the stop words
	// faults of rows, which are left out. A test wants none.
	faults []error
}

type stopWord struct{ lang, word string }

//nolint:gochecknoglobals // made once, never changed
var ownPack = sync.OnceValue(func() *builtin {
	own, err := fs.Sub(builtinFiles, "builtin")
	if err != nil {
		panic(err)
	}
	b, err := readBuiltin(own, codes.Labels())
	if err != nil {
		panic(err) // a test reads the same files
	}
	return b
})

func readBuiltin(from ...fs.FS) (*builtin, error) {
	b := NewBuilder()
	if err := b.AddSource(Source{Name: builtinSource, Licence: "as this program", From: "written for this program; not checked by native speakers"}); err != nil {
		return nil, err
	}
	out := &builtin{stop: map[stopWord]bool{}}
	for _, fsys := range from {
		names, err := fs.Glob(fsys, "*.tsv")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if err := out.read(fsys, name, b); err != nil {
				return nil, err
			}
		}
	}
	var list []string
	for s := range out.stop {
		list = append(list, s.lang+"\t"+s.word+"\n")
	}
	slices.Sort(list)
	out.sum = sha256.Sum256([]byte(strings.Join(list, "")))
	bytes, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	out.pack, err = parse(bytes)
	return out, err
}

func (out *builtin) read(fsys fs.FS, name string, b *Builder) error {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	var head []string
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		cells := strings.Split(line, "\t")
		switch {
		case head == nil && strings.HasPrefix(path.Base(name), "stop") && cells[0] == "lang": // its header
			head = []string{"lang", "word"}
			continue
		case head == nil && strings.HasPrefix(path.Base(name), "stop"):
			head = []string{"lang", "word"}
		case head == nil:
			head = cells
			continue
		}
		if err := out.row(path.Base(name), head, cells, b); err != nil {
			out.faults = append(out.faults, fmt.Errorf("%s line %d: %w", name, n, err))
		}
	}
	return lines.Err()
}

func (out *builtin) row(name string, head, cells []string, b *Builder) error {
	if len(cells) > len(head) || len(cells) < 2 {
		return fmt.Errorf("it has %d columns, its header %d", len(cells), len(head))
	}
	if strings.HasPrefix(name, "stop") {
		out.stop[stopWord{cells[0], headword(cells[1])}] = true
		if cells[0] == "en" {
			return nil
		}
		if err := b.AddWord(cells[0], cells[1]); !errors.Is(err, errSigns) {
			return err
		}
		return nil
	}
	if head[0] == "code" {
		head, cells = head[1:], cells[1:]
	}
	for i := 1; i < len(cells); i++ {
		for word := range strings.SplitSeq(cells[i], "|") {
			if strings.TrimSpace(word) == "" {
				continue
			}
			for gloss := range strings.SplitSeq(cells[0], "|") {
				if err := b.Add(head[i], word, gloss, ours, builtinSource); err != nil && !errors.Is(err, errNoMeaning) && !errors.Is(err, errSigns) { // a phrase with signs is never found in a text
					return fmt.Errorf("%s %q: %w", head[i], word, err)
				}
			}
		}
	}
	return b.AddSource(Source{Name: builtinSource, Entries: 1})
}
