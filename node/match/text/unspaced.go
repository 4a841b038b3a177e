package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of one run of a script without spaces that is divided at once, of a cluster's bytes, and of the clusters of a word
// and of a particle.
const (
	maxClusters    = 256
	maxCluster     = 60
	maxWordCluster = 24
	maxParticle    = 4
)

// lattice holds a run's clusters and the best way to each of their borders.
type lattice struct {
	from, to [maxClusters]int     // bytes of the text
	at       [maxClusters + 1]int // bytes of the run without zero-width spaces
	cost     [maxClusters + 1]int64
	back     [maxClusters + 1]int16
	known    [maxClusters + 1]bool
	parted   [maxClusters]bool // a zero-width space stands before the cluster
	cut      [maxClusters]int16
}

const zeroWidthSpace = "\u200b"

func (k letter) language() string {
	switch k {
	case thaiLetter:
		return "th"
	case laoLetter:
		return "lo"
	case khmerLetters:
		return "km"
	case myanmarLetters:
		return "my"
	}
	return "zh"
}

// unspaced appends the words and pieces of the run of a script at i and returns where it ends.
func (r *reading) unspaced(i int, k letter) int {
	l := r.a.scratch.Get().(*lattice)
	defer r.a.scratch.Put(l)
	n, run, end := l.clusters(r.s, i, k)
	l.divide(r.a, k.language(), run, n, k == hanLetter)
	r.words(l, run, n, k.language())
	return end
}

// clusters finds the clusters of the run at i. Where writers put zero-width spaces is no rule, so they are looked over.
func (l *lattice) clusters(s string, i int, k letter) (n int, run string, end int) {
	start, spaces := i, 0
	parted := false
	for i < len(s) && n < maxClusters {
		if strings.HasPrefix(s[i:], zeroWidthSpace) {
			after, _ := utf8.DecodeRuneInString(s[i+len(zeroWidthSpace):])
			if kindOf(after) != k || parted {
				break
			}
			parted = true
			i += len(zeroWidthSpace)
			spaces += len(zeroWidthSpace)
			continue
		}
		ch, _ := utf8.DecodeRuneInString(s[i:])
		if kindOf(ch) != k {
			break
		}
		to := clusterEnd(s, i, k)
		l.from[n], l.to[n], l.parted[n] = i, to, parted
		l.at[n] = i - start - spaces
		n++
		l.at[n] = to - start - spaces
		parted = false
		i = to
	}
	run = s[start:i]
	if spaces > 0 {
		run = strings.ReplaceAll(run, zeroWidthSpace, "")
	}
	return n, run, i
}

// clusterEnd is where the cluster at i ends: what no word can be divided within.
func clusterEnd(s string, i int, k letter) int {
	first, n := utf8.DecodeRuneInString(s[i:])
	end := i + n
	if k == hanLetter {
		return end
	}
	last := first
	// Thai and Lao write some vowels before their consonant.
	lead := k <= laoLetter && first&0x7f >= 0x40 && first&0x7f <= 0x44
	for end < len(s) && end-i < maxCluster {
		r, n := utf8.DecodeRuneInString(s[end:])
		switch {
		case kindOf(r) != k:
			return end
		case unicode.IsMark(r), last == khmerCoeng, last == 0x1039:
		case lead:
			lead = false
		case k <= laoLetter && followingVowel(r):
		case k == myanmarLetters && closes(s[end+n:]):
		default:
			return end
		}
		last = r
		end += n
	}
	return end
}

// followingVowel reports a Thai or Lao vowel that is written behind its consonant.
func followingVowel(r rune) bool {
	switch r {
	case 0x0e30, 0x0e32, 0x0e33, 0x0e45, 0x0eb0, 0x0eb2, 0x0eb3, 0x0ebd:
		return true
	}
	return false
}

// closes reports whether the Burmese consonant before s ends a syllable, or has the next one under it.
func closes(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	if r == 0x1037 {
		r, _ = utf8.DecodeRuneInString(s[n:])
	}
	return r == 0x103a || r == 0x1039
}

// Costs of a division: first as few unknown clusters as can be, then as few words; of two such, that with the longer words.
const (
	costUnknown = 1 << 40
	costWord    = 1 << 20
	costMeaning = costWord / 2 // of two divisions into as many words, that with more meanings
)

// divide finds the best division of a run's n clusters into words.
func (l *lattice) divide(a *Analyser, lang, run string, n int, single bool) {
	words := a.words
	for j := 1; j <= n; j++ {
		l.cost[j] = 1 << 60
	}
	l.cost[0] = 0
	for i := range n {
		l.better(i, i+1, l.cost[i]+costUnknown+costWord, false)
		if words == nil {
			continue
		}
		longest := l.at[i] + words.Longest(lang, run[l.at[i]:l.at[n]])
		for j := i + 1; j <= n && j <= i+maxWordCluster && l.at[j] <= longest; j++ {
			w := run[l.at[i]:l.at[j]]
			if j == i+1 && !single && utf8.RuneCountInString(w) == 1 {
				continue // one letter is no word, whatever a list says
			}
			if words.Has(lang, w) {
				cost := l.cost[i] + costWord - int64((j-i)*(j-i))
				if a.means != nil && !a.means(lang, w) {
					cost += costMeaning
				}
				l.better(i, j, cost, true)
			}
		}
		for j := i + 1; j <= n && j <= i+maxParticle; j++ { // few dictionaries have them all
			if w := run[l.at[i]:l.at[j]]; particle(w) && (single || utf8.RuneCountInString(w) > 1) {
				l.better(i, j, l.cost[i]+costWord-int64((j-i)*(j-i)), true)
			}
		}
	}
}

func (l *lattice) better(i, j int, cost int64, known bool) {
	if cost < l.cost[j] {
		l.cost[j], l.back[j], l.known[j] = cost, int16(i), known
	}
}

// words appends the words of the best division, and pairs of what is unknown between them.
func (r *reading) words(l *lattice, run string, n int, lang string) {
	cuts := 0
	for j := n; j > 0; j = int(l.back[j]) {
		l.cut[cuts] = int16(j)
		cuts++
	}
	from := 0 // of the stretch that is unknown, in clusters
	for c := cuts - 1; c >= 0; c-- {
		j := int(l.cut[c])
		i := int(l.back[j])
		if !l.known[j] {
			if l.parted[i] && i > from {
				r.pieces(l, run, from, i, lang)
				from = i
			}
			continue
		}
		r.pieces(l, run, from, i, lang)
		from = j
		w := run[l.at[i]:l.at[j]]
		if !particle(w) {
			r.out = append(r.out, Token{Term: w, Word: w, Lang: lang, Start: l.from[i], End: l.to[j-1]})
		}
	}
	r.pieces(l, run, from, n, lang)
}

// pieces appends the overlapping pairs of the unknown clusters from i to j, or the one that there is.
func (r *reading) pieces(l *lattice, run string, i, j int, lang string) {
	if i == j {
		return
	}
	for at := i; at == i || at+1 < j; at++ {
		to := min(at+2, j)
		r.out = append(r.out, Token{Term: run[l.at[at]:l.at[to]], Lang: lang, Start: l.from[at], End: l.to[to-1], Kind: Piece})
	}
}

// particle reports words of scripts without spaces that carry no meaning on their own.
func particle(w string) bool {
	switch w {
	case "ที่", "และ", "ของ", "ใน", "เป็น", "การ", "ความ", "จาก", "ให้", "ได้", "หรือ", "แต่", "กับ", "โดย", "ซึ่ง", "นี้", "นั้น", "ก็", "จะ", "มี", "เพื่อ", "สำหรับ", "ด้วย", "แล้ว", "ไม่", "ว่า", "ต่อ",
		"ແລະ", "ຂອງ", "ໃນ", "ເປັນ", "ທີ່", "ການ", "ຈາກ", "ໃຫ້", "ໄດ້", "ຫຼື", "ກັບ", "ໂດຍ", "ຊຶ່ງ", "ເຊິ່ງ", "ນີ້", "ນັ້ນ", "ກໍ", "ຈະ", "ມີ", "ເພື່ອ", "ສຳລັບ", "ດ້ວຍ", "ແລ້ວ", "ບໍ່", "ວ່າ",
		"និង", "នៃ", "ក្នុង", "ជា", "ដែល", "ការ", "ពី", "ឲ្យ", "ឱ្យ", "បាន", "ឬ", "នៅ", "នេះ", "នោះ", "ក៏", "នឹង", "មាន", "ដើម្បី", "សម្រាប់", "ដោយ", "មិន", "ថា", "លើ", "នូវ",
		"နှင့်", "၏", "တွင်", "သည်", "ကို", "မှ", "များ", "သော", "ဖြင့်", "အတွက်", "ဖြစ်", "ပါ", "၍", "၌", "မှာ", "တယ်", "သို့", "လည်း", "ရန်", "က", "မ",
		"的", "了", "和", "是", "与", "與", "及", "或", "之":
		return true
	}
	return false
}
