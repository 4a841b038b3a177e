package clir

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Dictionary of one language into English.
type Dictionary struct {
	lang  string
	words map[string]map[string]float64 // headword → English → weight
	stems map[string]map[string]float64 // headword → English stem → probability
}

const longestLine = 1 << 20

// eachLine calls do for the lines of a file; a file that is not there has none.
func eachLine(fsys fs.FS, name string, do func(string)) error {
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	s := bufio.NewScanner(f)
	s.Buffer(nil, longestLine)
	for s.Scan() {
		do(s.Text())
	}
	if err := errors.Join(s.Err(), f.Close()); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// WordNet maps synsets of WordNet 3.0, as "00001740-n", to their first English words.
type WordNet map[string][]string

// ReadWordNet reads data.noun and the others.
func ReadWordNet(fsys fs.FS) (WordNet, error) {
	w := WordNet{}
	for _, part := range []struct{ file, pos string }{{"noun", "n"}, {"verb", "v"}, {"adj", "a"}, {"adv", "r"}} {
		err := eachLine(fsys, "data."+part.file, func(line string) {
			cols := strings.Fields(line)
			if strings.HasPrefix(line, " ") || len(cols) < 6 {
				return
			}
			n, err := strconv.ParseUint(cols[3], 16, 16)
			if err != nil {
				return
			}
			for i := range int(min(n, 2)) {
				if 4+2*i < len(cols) {
					word, _, _ := strings.Cut(strings.ReplaceAll(cols[4+2*i], "_", " "), "(")
					w[cols[0]+"-"+part.pos] = append(w[cols[0]+"-"+part.pos], strings.ToLower(word))
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	if len(w) == 0 {
		return nil, errors.New("there is no WordNet 3.0 here (data.noun …): it is in Debian's package wordnet-base")
	}
	return w, nil
}

var (
	notes  = regexp.MustCompile(`\{.*?\}|\(.*?\)`)
	asides = regexp.MustCompile(`\{.*?\}|\(.*?\)|\[.*?\]|/.*?/`)
)

// ReadDictionary reads the files of a language from a folder of published word lists.
func ReadDictionary(fsys fs.FS, wn WordNet, lang string) (*Dictionary, error) {
	d := &Dictionary{lang: lang, words: map[string]map[string]float64{}}
	add := func(word, english string, weight float64) {
		word = norm.NFC.String(strings.ToLower(strings.TrimSpace(word)))
		english = strings.ToLower(strings.TrimSpace(english))
		if word == "" || english == "" || word == english {
			return
		}
		if d.words[word] == nil {
			d.words[word] = map[string]float64{}
		}
		d.words[word][english] += weight
	}
	errs := []error{
		eachLine(fsys, "wechsel_en_"+lang+".tsv", func(line string) {
			if cols := strings.Split(line, "\t"); len(cols) == 2 {
				add(cols[1], cols[0], 1)
			}
		}),
		eachLine(fsys, "enwikt_en_"+lang+".txt", func(line string) {
			english, foreign, ok := strings.Cut(line, "::")
			if !ok || strings.HasPrefix(line, "#") {
				return
			}
			for word := range strings.FieldsFuncSeq(asides.ReplaceAllString(foreign, ""), func(r rune) bool { return r == ',' || r == ';' }) {
				add(word, notes.ReplaceAllString(english, ""), 1)
			}
		}),
	}
	code := map[string]string{"id": "ind", "ms": "zsm", "fil": "tgl", "vi": "vie", "th": "tha", "lo": "lao", "km": "khm", "my": "mya", "zh": "cmn", "ta": "tam"}[lang]
	for _, kind := range []string{"data", "wikt", "cldr"} {
		errs = append(errs, eachLine(fsys, "wn-"+kind+"-"+code+".tab", func(line string) {
			cols := strings.Split(line, "\t")
			if len(cols) < 3 || strings.HasPrefix(line, "#") || !strings.Contains(cols[1], "lemma") {
				return
			}
			for _, english := range wn[strings.ReplaceAll(cols[0], "-s", "-a")] {
				add(strings.ReplaceAll(cols[2], "+", ""), english, .5)
			}
		}))
	}
	if lang == "th" {
		errs = append(errs, eachLine(fsys, "th_en_translit.tsv", func(line string) {
			if cols := strings.Split(line, "\t"); len(cols) >= 2 && cols[0] != "th" {
				add(cols[0], cols[1], 1)
			}
		}))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if len(d.words) == 0 {
		return nil, fmt.Errorf("the folder has no word list of %q", lang)
	}
	d.weigh()
	return d, nil
}

// weigh shares a headword's weight among the stems of its translations.
func (d *Dictionary) weigh() {
	d.stems = make(map[string]map[string]float64, len(d.words))
	for word, english := range d.words {
		total := 0.0
		for _, e := range sortedKeys(english) {
			total += english[e]
		}
		out := map[string]float64{}
		for _, e := range sortedKeys(english) {
			stems := Stems(e)
			for _, t := range stems {
				out[t] += english[e] / total / float64(len(stems))
			}
		}
		if len(out) > 0 {
			d.stems[word] = out
		}
	}
}
