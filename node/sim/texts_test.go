package sim

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

// source makes listings. Ids never repeat; texts do only after some thousands.
type source struct {
	texts []protocol.Text
	rnd   *rand.Rand
	next  int
}

// needs is the research data's collection of needs, where this checkout lies beside it.
const needs = "../../../shared/data/sbir_needs/needs.jsonl"

func newSource(t testing.TB, seed uint64) *source {
	t.Helper()
	s := &source{rnd: rand.New(rand.NewPCG(seed, 1))}
	var err error
	if s.texts, err = readTexts(needs); os.IsNotExist(err) {
		s.texts = inventTexts(s.rnd, 3000)
	} else if err != nil {
		t.Fatal(err)
	}
	s.rnd.Shuffle(len(s.texts), func(i, j int) { s.texts[i], s.texts[j] = s.texts[j], s.texts[i] })
	return s
}

func readTexts(path string) (all []protocol.Text, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var d struct{ Title, Objective, Description string }
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			return nil, err
		}
		t := protocol.Text{
			Title:    cutAtWord(d.Title, protocol.MaxTitle),
			Abstract: cutAtWord(d.Objective+" "+d.Description, protocol.MaxAbstract),
		}
		if t.Title != "" && len(t.Abstract) > 200 {
			all = append(all, t)
		}
	}
	return all, lines.Err()
}

// cutAtWord makes one line of at most limit characters.
func cutAtWord(s string, limit int) string {
	var b strings.Builder
	n := 0
	for _, w := range strings.Fields(s) {
		w = strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f || r >= 0x80 && !(r >= 0xa0 && r < 0x2000) {
				return -1
			}
			return r
		}, w)
		if w == "" {
			continue
		}
		if n += len([]rune(w)) + 1; n > limit {
			break
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w)
	}
	return b.String()
}

// inventTexts writes texts of about 1.2 KB in an invented language of 4,000 words, used as unevenly as those of a real one.
func inventTexts(rnd *rand.Rand, n int) (all []protocol.Text) {
	syllables := strings.Fields("an ba chi da en fo ga hin in jo ka lum ma nan or pa ra si ta un vi wa yo zen")
	words := make([]string, 4000)
	for i := range words {
		for range 1 + rnd.IntN(4) {
			words[i] += syllables[rnd.IntN(len(syllables))]
		}
	}
	text := func(size int) string {
		var b strings.Builder
		for b.Len() < size {
			b.WriteString(words[int(math.Pow(float64(len(words)), rnd.Float64()))-1])
			b.WriteByte(' ')
		}
		return strings.TrimSpace(b.String())
	}
	for range n {
		all = append(all, protocol.Text{Title: text(40 + rnd.IntN(40)), Abstract: text(800 + rnd.IntN(700))})
	}
	return all
}

// listing makes a member's next listing.
func (s *source) listing(m protocol.MemberID) *protocol.Listing {
	s.next++
	country := protocol.Country("XX")
	if len(m) == 2 {
		country = protocol.Country(m)
	}
	return &protocol.Listing{
		ID: protocol.ListingID(fmt.Sprintf("n-%05d", s.next)), Kind: protocol.Kinds()[s.next%len(protocol.Kinds())], Country: country,
		Texts: map[protocol.Lang]protocol.Text{"en": s.texts[s.next%len(s.texts)]}, TRL: uint8(1 + s.next%9), Demonstration: true,
	}
}

func (s *source) listings(m protocol.MemberID, n int) (all []*protocol.Listing) {
	for range n {
		all = append(all, s.listing(m))
	}
	return all
}
