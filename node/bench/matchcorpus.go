package bench

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// varied makes listings of many titles, subjects, kinds and origins from a corpus, each a function of its number and
// version alone: a million of them are never in memory together.
type varied struct {
	c       *Corpus
	members []protocol.Member
}

func newVaried(c *Corpus) *varied {
	secretariat := func(m protocol.Member) bool { return m.Country == "" }
	return &varied{c: c, members: slices.DeleteFunc(founding.ASEAN(), secretariat)}
}

// versions apart in the corpus.
const nextVersion = 1_000_000_007

func (v *varied) listing(i, version int) (match.Ref, *protocol.Listing) {
	n := i + version*nextVersion
	l := v.c.Listing(n)
	r := rand.New(rand.NewPCG(uint64(n), 7)) // as Listing draws its two documents
	a, b := r.IntN(len(v.c.titles)), r.IntN(len(v.c.titles))

	r = rand.New(rand.NewPCG(uint64(i), 11)) // what stays in all versions
	m := v.members[min(r.IntN(len(v.members)), r.IntN(len(v.members)))]
	l.ID = protocol.ListingID(fmt.Sprintf("M%08d", i))
	l.Country = m.Country
	l.Kind = kindOf(r.IntN(100))
	if r.IntN(5) > 0 {
		l.TRL = uint8(1 + r.IntN(9))
	} else {
		l.TRL = 0
	}
	l.FORD = []string{ford(a)}
	if code := ford(b); r.IntN(3) == 0 && code != l.FORD[0] {
		l.FORD = append(l.FORD, code)
	}
	text := l.Texts["en"]
	text.Title = joinTitles(v.c.titles[a], v.c.titles[b])
	text.Keywords = keywordsOf(text.Abstract, r)
	l.Texts["en"] = text
	return match.Ref{Origin: m.ID, ID: l.ID}, l
}

func kindOf(percent int) protocol.Kind {
	for i, upTo := range []int{45, 70, 80, 90, 96} {
		if percent < upTo {
			return protocol.Kinds()[i]
		}
	}
	return protocol.FundingCall
}

// ford is the subject of a document of the corpus: some fields have many documents, others few.
func ford(document int) string {
	r := rand.New(rand.NewPCG(uint64(document), 13))
	subfields := [6]int{7, 11, 5, 5, 9, 6}
	field := min(r.IntN(6), r.IntN(6), r.IntN(6))
	return fmt.Sprintf("%d.%d", field+1, 1+r.IntN(subfields[field]))
}

// joinTitles takes the first words of one and the last of another.
func joinTitles(a, b string) string {
	x, y := strings.Fields(a), strings.Fields(b)
	x, y = x[:min(len(x), 6)], y[max(0, len(y)-4):]
	title := strings.ToValidUTF8(strings.Join(append(append([]string(nil), x...), y...), " "), "")
	for utf8.RuneCountInString(title) > protocol.MaxTitle {
		title = title[:max(strings.LastIndexByte(title, ' '), 1)]
	}
	return title
}

// keywordsOf a text are four of its longer words.
func keywordsOf(text string, r *rand.Rand) (list []string) {
	words := longWords(text)
	for range 4 {
		if len(words) > 0 {
			w := words[r.IntN(len(words))]
			if !slices.Contains(list, w) {
				list = append(list, w)
			}
		}
	}
	return list
}

// longWords of a text in lower case.
func longWords(text string) (words []string) {
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) }) {
		if len(w) >= 6 && len(w) <= 30 {
			words = append(words, w)
		}
	}
	return words
}

// textOf a listing as one text to ask with.
func textOf(l *protocol.Listing) string {
	t := l.Texts["en"]
	return t.Title + "\n" + strings.Join(t.Keywords, ", ") + "\n" + t.Abstract
}

// questions are what is asked: made of listings that are not in the catalogue.
type questions struct {
	five, thirty, whole []string
	listings            []*protocol.Listing
}

// ask makes n questions of each length from listings beyond those in the catalogue.
func (v *varied) ask(beyond, n int) (q questions) {
	for i := range n {
		_, l := v.listing(beyond+i, 0)
		r := rand.New(rand.NewPCG(uint64(i), 17))
		long := longWords(l.Texts["en"].Abstract)
		if len(long) < 5 {
			long = append(long, "sensor", "material", "control", "energy", "measure")
		}
		var five []string
		for range 5 {
			five = append(five, long[r.IntN(len(long))])
		}
		words := strings.Fields(textOf(l))
		q.five = append(q.five, strings.Join(five, " "))
		q.thirty = append(q.thirty, strings.Join(words[:min(30, len(words))], " "))
		q.whole = append(q.whole, textOf(l))
		q.listings = append(q.listings, l)
	}
	return q
}
