package lexicon

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// wordnet holds the English words of synsets, by "offset-part of speech" of WordNet 3.0.
type wordnet struct {
	words   map[string][]string
	offsets map[string][]int // by part of speech, ascending
}

type synsetRow struct {
	report       *Report
	line         int
	lang, synset string
	word, source string
}

const maxSynsets = 500_000

var errSynset = errors.New("WordNet has no such synset")

// WordNet reads data.noun, data.verb, data.adj and data.adv of WordNet 3.0. Tables of other languages name its synsets by
// their offsets in these files.
func (im *Importer) WordNet(fsys fs.FS) error {
	w := &wordnet{words: map[string][]string{}, offsets: map[string][]int{}}
	for _, part := range []struct{ name, pos string }{{"noun", "n"}, {"verb", "v"}, {"adj", "a"}, {"adv", "r"}} {
		f, err := fsys.Open("data." + part.name)
		if err != nil {
			return err
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, maxLine)
		for n := 1; lines.Scan(); n++ {
			if strings.HasPrefix(lines.Text(), " ") { // the licence
				continue
			}
			if err := w.synset(lines.Text(), part.pos); err != nil {
				return errors.Join(fmt.Errorf("data.%s line %d: %w", part.name, n, err), f.Close())
			}
		}
		if err := errors.Join(lines.Err(), f.Close()); err != nil {
			return fmt.Errorf("data.%s: %w", part.name, err)
		}
	}
	im.wordnet = w
	return nil
}

func (w *wordnet) synset(line, pos string) error {
	cols := strings.Fields(line)
	if len(cols) < 6 || len(cols[0]) != 8 || len(w.words) >= maxSynsets {
		return errors.New("this is no synset of WordNet 3.0")
	}
	n, err := strconv.ParseUint(cols[3], 16, 16)
	if err != nil || len(cols) < 4+2*int(n) {
		return errors.New("this is no synset of WordNet 3.0")
	}
	words := make([]string, 0, n)
	for i := range int(n) {
		word, _, _ := strings.Cut(cols[4+2*i], "(") // "galore(ip)": where an adjective can stand
		words = append(words, strings.ReplaceAll(word, "_", " "))
	}
	offset, err := strconv.Atoi(cols[0])
	if err != nil {
		return errors.New("this is no synset of WordNet 3.0")
	}
	w.words[cols[0]+"-"+pos] = words
	w.offsets[pos] = append(w.offsets[pos], offset)
	return nil
}

// synsetTable keeps the rows of a table until Finish: their English may come with a file that is read later.
func (im *Importer) synsetTable(f *file) error {
	name, licence, from := stem(f.name), "", ""
	if head := strings.Split(strings.TrimPrefix(f.lines[0], "#"), "\t"); strings.HasPrefix(f.lines[0], "#") && len(head) >= 4 {
		name, licence, from = strings.TrimSpace(head[0])+" "+head[1], head[3], head[2]
	}
	source, err := im.source(name, licence, from)
	if err != nil {
		return err
	}
	im.late[f.name] = f.report
	return f.rows(func(n int, line string) error {
		cols := strings.Split(line, "\t")
		if len(cols) < 3 {
			return errColumns
		}
		tag, relation, ok := strings.Cut(cols[1], ":")
		if !ok {
			tag, relation = "", cols[1]
		}
		if relation != "lemma" {
			return errRelation
		}
		lang := langCode(tag)
		if lang == "" {
			return errBadLang
		}
		if len(im.synsets) >= maxPairs {
			return errFull
		}
		synset := strings.TrimSuffix(cols[0], "-s")
		if synset != cols[0] {
			synset += "-a"
		}
		im.synsets = append(im.synsets, synsetRow{f.report, n, lang, synset, cols[2], source})
		return nil
	})
}

var errRelation = errors.New("the row is no lemma")

const wordsOfSynset = 2 // the first words of a synset are the usual ones

// Finish adds what had to wait for other files. It is called once, after the last Read.
func (im *Importer) Finish() error {
	if im.wordnet == nil {
		for _, r := range im.late {
			r.Note = "left out whole: its English words stand in WordNet 3.0, which was not found (Debian package wordnet-base, or --wordnet DIR)"
		}
		return im.conclude()
	}
	moved := im.wordnet.align(im.synsets)
	for _, row := range im.synsets {
		words := im.wordnet.words[moved[row.synset]]
		if len(words) == 0 {
			row.report.left(errSynset, row.line, row.synset)
			continue
		}
		for i, gloss := range words[:min(len(words), wordsOfSynset)] {
			err := im.add(row.report, row.lang, strings.ReplaceAll(row.word, "+", ""), gloss, synset, row.source)
			if errors.Is(err, errFull) {
				return err
			}
			if err != nil && i == 0 {
				row.report.left(err, row.line, row.word+" = "+gloss)
			}
		}
	}
	return im.conclude()
}

// conclude derives what follows from all files together.
func (im *Importer) conclude() error {
	const cognates = "Thai words that Lao has too"
	if n := im.Builder.laoFromThai(cognates); n > 0 {
		if err := im.Builder.AddSource(Source{Name: cognates, Licence: "as the Thai sources", From: "concluded from the spelling", Entries: n}); err != nil {
			return err
		}
	}
	im.Compounds = im.Builder.dropCompounds()
	return nil
}

const (
	alignBlock = 64 // synsets that are aligned together
	alignReach = 64 // bytes
)

// align finds the synsets that tables mean. Offsets are bytes in a file, and distributions that mended spellings in it
// moved all synsets behind each: whole stretches of a table then miss by the same few bytes.
func (w *wordnet) align(rows []synsetRow) map[string]string {
	wanted := map[string]map[int]bool{}
	for _, r := range rows {
		if offset, err := strconv.Atoi(r.synset[:max(0, len(r.synset)-2)]); err == nil && len(r.synset) == 10 {
			pos := r.synset[9:]
			if wanted[pos] == nil {
				wanted[pos] = map[int]bool{}
			}
			wanted[pos][offset] = true
		}
	}
	moved := map[string]string{}
	for pos, set := range wanted {
		offsets := slices.Sorted(maps.Keys(set))
		has := func(o int) bool { _, ok := slices.BinarySearch(w.offsets[pos], o); return ok }
		var shifts []int
		for block := range slices.Chunk(offsets, alignBlock) {
			shifts = append(shifts, bestShift(block, has))
		}
		for i, o := range offsets {
			at := i / alignBlock
			for _, b := range []int{at, at - 1, at + 1} { // the place of a change lies inside of a block
				if b >= 0 && b < len(shifts) && has(o+shifts[b]) {
					moved[fmt.Sprintf("%08d-%s", o, pos)] = fmt.Sprintf("%08d-%s", o+shifts[b], pos)
					break
				}
			}
		}
	}
	return moved
}

// bestShift is 0 unless another shift finds more.
func bestShift(block []int, has func(int) bool) int {
	hits := func(shift int) (n int) {
		for _, o := range block {
			if has(o + shift) {
				n++
			}
		}
		return n
	}
	best, most := 0, hits(0)
	if most == len(block) {
		return 0
	}
	for shift := 1; shift <= alignReach; shift++ {
		for _, s := range []int{shift, -shift} {
			if n := hits(s); n > most {
				best, most = s, n
			}
		}
	}
	return best
}
