package suggest

import (
	"bufio"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

const needs = "../../../../shared/data/sbir_needs/needs.jsonl"

// entriesOfNeeds are the keywords and title words, one by one and two by two, of real technology needs.
func entriesOfNeeds(t testing.TB) []Entry {
	t.Helper()
	f, err := os.Open(needs)
	if err != nil {
		t.Skip("data/sbir_needs is not beside this repository, so real words are not tried")
	}
	defer f.Close()
	counts := map[string]int{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var n struct {
			Title    string
			Keywords []string
		}
		if err := json.Unmarshal(lines.Bytes(), &n); err != nil {
			t.Fatal(err)
		}
		one := map[string]bool{}
		for _, k := range n.Keywords {
			one[k] = true
		}
		words := strings.FieldsFunc(strings.ToLower(n.Title), func(r rune) bool { return !isLetter(r) && (r < '0' || r > '9') })
		for i, w := range words {
			one[w] = true
			if i > 0 {
				one[words[i-1]+" "+w] = true
			}
		}
		for k := range one {
			counts[k]++
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	var list []Entry
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, Entry{k, counts[k]})
	}
	return list
}

// slip makes one random edit: a letter more, less or other, or two neighbours swapped.
func slip(r *rand.Rand, w string) string {
	const abc = "abcdefghijklmnopqrstuvwxyz"
	for {
		b := []byte(w)
		i, c := r.IntN(len(b)), abc[r.IntN(len(abc))]
		switch r.IntN(4) {
		case 0:
			b = slices.Insert(b, i, c)
		case 1:
			b = slices.Delete(b, i, i+1)
		case 2:
			b[i] = c
		default:
			if i+1 < len(b) {
				b[i], b[i+1] = b[i+1], b[i]
			}
		}
		if string(b) != w {
			return string(b)
		}
	}
}

func TestRecallOnRealWords(t *testing.T) {
	v := Build(slices.Values(entriesOfNeeds(t)), Options{})
	r := rand.New(rand.NewPCG(11, 12))
	tried, right, same, left, wrong := 0, 0, 0, 0, 0
	for tried < 1500 {
		i := r.IntN(v.words.len())
		w := v.words.key(i)
		if s, ok := stem(w); len(w) < 5 || len(w) > maxWord || v.wordCounts[i] < 2 || !ok || s == "" {
			continue
		}
		bad := slip(r, w)
		if _, ok := v.words.find(bad); ok || hasHash(v.others, bad) {
			continue // a word too
		}
		tried++
		got, _, changed := v.Correct(bad)
		a, _ := stem(w)
		b, _ := stem(got)
		switch {
		case got == w:
			right++
		case a == b: // the same to the engine
			same++
		case !changed:
			left++
		default:
			wrong++
			if testing.Verbose() && wrong <= 25 {
				t.Logf("%s → %s → %s", w, bad, got)
			}
		}
	}
	t.Logf("%d words with one edit: %.1f%% come back, %.1f%% as another form of the word; %.1f%% are left, %.1f%% become another word",
		tried, pct(right, tried), pct(same, tried), pct(left, tried), pct(wrong, tried))
	if pct(right+same, tried) < 90 {
		t.Error("fewer than 90% of the words come back")
	}
}

// TestNewWordsMostlyStay asks with real words that half of the needs never use. Some are mistakes; most are not.
func TestNewWordsMostlyStay(t *testing.T) {
	var half []Entry
	var words []string
	for _, e := range entriesOfNeeds(t) {
		switch {
		case hash(e.Phrase)%2 == 0:
			half = append(half, e)
		case !strings.Contains(e.Phrase, " "):
			words = append(words, e.Phrase)
		}
	}
	v := Build(slices.Values(half), Options{})
	tried, split, other := 0, 0, 0
	for _, w := range words {
		if a := v.look(w); len(a) != 1 || a[0].state != unknown {
			continue
		}
		tried++
		switch got, _, changed := v.Correct(w); {
		case strings.Contains(got, " "):
			split++
		case changed:
			other++
		}
	}
	t.Logf("%d words that are not in the vocabulary: %.1f%% become two words, %.1f%% another word", tried, pct(split, tried), pct(other, tried))
	if tried < 100 || pct(other, tried) > 20 {
		t.Error("too many words that are right are said to be wrong")
	}
}

func pct(n, of int) float64 { return 100 * float64(n) / float64(of) }
