package suggest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// letters are few, so that random words are near to each other; some fold, some stand in scripts without spaces.
var letters = []rune("aabbceéAÉđoôกาเ้ำ能ក្រ")

func randomWord(r *rand.Rand, most int) string {
	var b strings.Builder
	for range 1 + r.IntN(most) {
		b.WriteRune(letters[r.IntN(len(letters))])
	}
	return b.String()
}

func randomPhrase(r *rand.Rand) string {
	words := make([]string, 1+r.IntN(3))
	for i := range words {
		words[i] = randomWord(r, 10)
	}
	return strings.Join(words, " ")
}

func randomEntries(r *rand.Rand, n int) []Entry {
	list := make([]Entry, n)
	for i := range list {
		list[i] = Entry{randomPhrase(r), 1 + r.IntN(5)}
		if r.IntN(4) == 0 {
			list[i].Count *= 1000
		}
	}
	return list
}

// naiveComplete says by looking at every phrase what Complete says by its tables.
func naiveComplete(v *Vocabulary, typed string, n int) []Suggestion {
	type candidate struct {
		tail, class, count int
		key                string
		s                  Suggestion
		text               string
	}
	var all []candidate
	starts := tails(typed)
	for t, at := range starts {
		spelled := spell(typed[at:])
		key, want := foldKey(spelled), plain(spelled)
		if key == "" {
			continue
		}
		space := ""
		if strings.HasSuffix(typed, " ") {
			space = " "
		}
		for i := range v.phrases.len() {
			k, phrase := v.phrases.key(i), v.phrases.spelling(i)
			if !strings.HasPrefix(k, key+space) || space == "" && plain(phrase) == want {
				continue
			}
			class := 1
			if want != key && strings.HasPrefix(plain(phrase), want+space) {
				class = 0
			}
			before := foldKey(typed[starts[0]:at])
			if before != "" && strings.HasSuffix(typed[:at], " ") {
				before += " "
			}
			all = append(all, candidate{t, class, int(v.counts[i]), k, Suggestion{typed[:at] + phrase, phrase, int(v.counts[i])}, before + k})
		}
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.tail, b.tail), cmp.Compare(a.class, b.class), cmp.Compare(b.count, a.count), strings.Compare(a.key, b.key))
	})
	var out []Suggestion
	seen := map[string]bool{}
	for _, c := range all {
		if !seen[c.text] && len(out) < n {
			seen[c.text] = true
			out = append(out, c.s)
		}
	}
	return out
}

func TestCompleteEqualsNaiveScan(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	found := 0
	for _, size := range []int{1, 5, 40, 300, 1000} {
		v := Build(slices.Values(randomEntries(r, size)), Options{})
		for range 200 {
			typed := randomPhrase(r)
			if i := r.IntN(v.Len()); r.IntN(2) == 0 {
				p := []rune(v.phrases.spelling(i))
				typed = randomWord(r, 3) + " " + string(p[:1+r.IntN(len(p))])
			}
			if r.IntN(5) == 0 {
				typed += " "
			}
			n := 1 + r.IntN(MaxSuggestions)
			got, want := v.Complete(typed, n), naiveComplete(v, typed, n)
			if !slices.Equal(got, want) {
				t.Fatalf("%d phrases, Complete(%q, %d)\n got %q\nwant %q", size, typed, n, texts(got), texts(want))
			}
			found += len(got)
		}
	}
	if found < 1000 {
		t.Errorf("only %d suggestions compared", found)
	}
}

// alignment is the number of edits between two texts, by the textbook.
func alignment(a, b []rune) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			d[i][j] = d[i-1][j-1]
			if a[i-1] != b[j-1] {
				d[i][j]++
			}
			d[i][j] = min(d[i][j], d[i-1][j]+1, d[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

func TestNearEqualsNaiveScan(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	found := 0
	for _, size := range []int{1, 30, 1000} {
		v := Build(slices.Values(randomEntries(r, size)), Options{})
		for range 200 {
			of := []rune(foldKey(spell(randomWord(r, 12))))
			k := 1 + r.IntN(2)
			var got, want [][2]int
			v.near(of, k, func(i, e int) { got = append(got, [2]int{i, e}) })
			for i := range v.words.len() {
				if e := alignment([]rune(v.words.key(i)), of); e <= k {
					want = append(want, [2]int{i, e})
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("near %q within %d: got %v, want %v", string(of), k, got, want)
			}
			found += len(got)
		}
	}
	if found < 500 {
		t.Errorf("only %d words compared", found)
	}
}

// naiveNearest looks at every word.
func naiveNearest(v *Vocabulary, a *asked, edits int, enough uint64) int {
	best, score := -1, 0
	for i := range v.words.len() {
		key, n := v.words.key(i), v.wordCounts[i]
		e := alignment(a.runes, []rune(key))
		if edits == 0 || e == 0 || e > edits || uint64(n) < enough || utf8.RuneCountInString(key) < swapped ||
			max(len(a.runes), utf8.RuneCountInString(key)) < oneEdit && !anagrams(a.runes, []rune(key)) {
			continue
		}
		if e == 2 && (n <= rare || a.runes[0] != []rune(key)[0]) || e == 1 && n <= rare && len(a.runes) < longer {
			continue
		}
		if a.state == seldom && (strings.HasPrefix(key, a.key) || strings.HasPrefix(a.key, key)) {
			continue
		}
		s := frequency(n) - cost(a.runes, []rune(key))
		if best < 0 || s > score || s == score && n > v.wordCounts[best] {
			best, score = i, s
		}
	}
	return best
}

func TestNearestEqualsNaiveScan(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	v := Build(slices.Values(randomEntries(r, 800)), Options{})
	found := 0
	for range 1500 {
		w := randomWord(r, 12)
		for _, a := range v.look(w) {
			edits, enough := r.IntN(3), uint64(1)
			if a.state == seldom {
				enough = muchMore * uint64(a.count)
			}
			got, _ := v.nearest(&a, edits, enough)
			if want := naiveNearest(v, &a, edits, enough); got != want {
				t.Fatalf("nearest to %q within %d: got %d, want %d", a.key, edits, got, want)
			}
			if got >= 0 {
				found++
			}
		}
	}
	if found < 30 {
		t.Errorf("only %d words found", found)
	}
}

func TestOrderOfEntriesDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	list := append(randomEntries(r, 2000), catalogue()...)
	first := Build(slices.Values(list), Options{MaxPhrases: 1500})
	for range 3 {
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		again := Build(slices.Values(list), Options{MaxPhrases: 1500})
		if a, b := fmt.Sprintf("%v", *first), fmt.Sprintf("%v", *again); a != b {
			t.Fatal("another order of the same entries makes another vocabulary")
		}
	}
}

func TestRanking(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, n := range []int{1, 31, 32, 33, 64, 500, 3000} {
		rank := make([]uint32, n)
		for i, p := range r.Perm(n) {
			rank[i] = uint32(p)
		}
		k := newRanking(rank)
		for range 100 {
			lo := r.IntN(n)
			hi := lo + r.IntN(n-lo+1)
			var got []uint32
			for i := range k.ascending(lo, hi) {
				if got = append(got, rank[i]); len(got) == 40 {
					break
				}
			}
			want := slices.Sorted(slices.Values(rank[lo:hi]))
			if !slices.Equal(got, want[:min(40, len(want))]) {
				t.Fatalf("[%d,%d) of %d: %v", lo, hi, n, got)
			}
		}
	}
}

func hostile() []string {
	return []string{
		strings.Repeat("a", 20_000), strings.Repeat("membrnae ", 2500), strings.Repeat("\u0301", 10_000), strings.Repeat("\xff\xfe", 10_000),
		strings.Repeat("เ", 6600), strings.Repeat("្", 6600), strings.Repeat("-", 20_000), strings.Repeat(" ", 20_000),
		strings.Repeat("a-", 10_000), strings.Repeat("\u200b", 6600), strings.Repeat("能", 6600), "a\x00b\x1b[2J", "\u202emembrnae",
		strings.Repeat("é", 39) + "x", strings.Repeat("กา", 20), strings.Repeat("İ", 30), "ǅungla", "ﬁlmm ﬁlm", "Ångstrom",
	}
}

func TestHostileInput(t *testing.T) {
	v := vocabulary(t)
	for _, s := range hostile() {
		for _, c := range v.Complete(s, 20) {
			if !utf8.ValidString(c.Text) {
				t.Errorf("%.20q: %.40q", s, c.Text)
			}
		}
		got, changes, _ := v.Correct(s)
		checkChanges(t, s, got, changes)
		if len(changes) > maxSearches+maxQueryWords {
			t.Errorf("%.20q: %d changes", s, len(changes))
		}
	}
	if c := v.Complete(strings.Repeat("x ", MaxTyped)+"sol", 5); c != nil {
		t.Errorf("%d completions of a text that is too long", len(c))
	}
}

func FuzzComplete(f *testing.F) {
	for _, s := range append(hostile(), "sol", "thin film sol", "năn", "พลังงานแ", "ថាម", "太阳") {
		f.Add(s, "solar cell", 5)
	}
	f.Fuzz(func(t *testing.T, typed, phrase string, n int) {
		v := Build(slices.Values(append(catalogue(), Entry{phrase, 7})), Options{})
		list := v.Complete(typed, n)
		if len(list) > max(0, min(n, MaxSuggestions)) {
			t.Fatalf("%d suggestions of %d", len(list), n)
		}
		for i, s := range list {
			if !strings.HasSuffix(s.Text, s.Phrase) || s.Count <= 0 || slices.Contains(list[:i], s) {
				t.Fatalf("%q: %+v", typed, list)
			}
		}
		if n > 0 && utf8.ValidString(typed) && len(typed) < 500 && !strings.ContainsFunc(typed, func(r rune) bool { return r != ' ' && isSpace(r) }) {
			if want := naiveComplete(v, typed, min(n, MaxSuggestions)); !slices.Equal(list, want) {
				t.Fatalf("%q: got %q, want %q", typed, texts(list), texts(want))
			}
		}
	})
}

func FuzzCorrect(f *testing.F) {
	for _, s := range append(hostile(), "membrnae", "waste water", "solarcell", "เซลล์แสงอาทิตย", "SiO2 coatings") {
		f.Add(s, "solar cell", 90)
	}
	f.Fuzz(func(t *testing.T, query, phrase string, count int) {
		v := Build(slices.Values(append(catalogue(), Entry{phrase, count})), Options{})
		got, changes, ok := v.Correct(query)
		if ok != (len(changes) > 0) {
			t.Fatalf("%q: %v %v", query, changes, ok)
		}
		checkChanges(t, query, got, changes)
	})
}
