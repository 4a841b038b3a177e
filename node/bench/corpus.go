// Package bench measures a build on a machine: how fast listings are signed and durable, how fast another node holds them
// proven, what goes over the wire, and what memory and restart cost. tmh bench prints its tables.
package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
)

// Corpus makes varied listings, always the same ones from one source.
type Corpus struct {
	titles    []string
	sentences [][]string // of every document
}

// ReadCorpus takes titles and sentences from a file of JSON Lines with title, objective and description, such as needs of
// real programmes.
func ReadCorpus(path string) (*Corpus, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c := new(Corpus)
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 64<<10), 4<<20)
	for s.Scan() {
		var d struct{ Title, Objective, Description string }
		if err := json.Unmarshal(s.Bytes(), &d); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		text := strings.Join(strings.Fields(strings.Map(printable, d.Objective+" "+d.Description)), " ")
		if d.Title == "" || len(text) < 200 {
			continue
		}
		c.titles = append(c.titles, strings.Map(printable, d.Title))
		c.sentences = append(c.sentences, strings.SplitAfter(text, ". "))
	}
	if len(c.titles) == 0 {
		return nil, fmt.Errorf("%s holds no usable text", path)
	}
	return c, s.Err()
}

func printable(r rune) rune {
	if r < ' ' || r == '\u007f' || r == '\ufeff' || r >= 0x80 && r <= 0x9f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == '\ufffe' || r == '\uffff' {
		return ' '
	}
	return r
}

// Invented is a corpus without a file: sentences of invented words, distributed as words are.
func Invented() *Corpus {
	r := rand.New(rand.NewPCG(1, 2))
	syllables := strings.Fields("ka lo mi tu re sa no pi ven dor lith gra sol ter min qua bex fal hum jor")
	vocabulary := make([]string, 30_000)
	for i := range vocabulary {
		for range 2 + r.IntN(3) {
			vocabulary[i] += syllables[r.IntN(len(syllables))]
		}
	}
	word := func() string { // Zipf with exponent 1, by inversion
		return vocabulary[int(math.Pow(float64(len(vocabulary)), r.Float64()))-1]
	}
	c := new(Corpus)
	for range 3000 {
		title := make([]string, 9)
		for i := range title {
			title[i] = word()
		}
		var sentences []string
		for range 9 {
			words := make([]string, 19)
			for i := range words {
				words[i] = word()
			}
			sentences = append(sentences, strings.Join(words, " ")+". ")
		}
		c.titles = append(c.titles, strings.Join(title, " "))
		c.sentences = append(c.sentences, sentences)
	}
	return c
}

const wantWords = 170

// Listing i of the corpus: some 170 words, half of them from one document and half from another.
func (c *Corpus) Listing(i int) *protocol.Listing {
	r := rand.New(rand.NewPCG(uint64(i), 7))
	a, b := r.IntN(len(c.titles)), r.IntN(len(c.titles))
	var abstract strings.Builder
	words := 0
	for k, d := range []int{a, b} {
		limit := wantWords / 2 * (k + 1)
		from := r.IntN(len(c.sentences[d]))
		for j := range c.sentences[d] {
			s := c.sentences[d][(from+j)%len(c.sentences[d])]
			if n := len(strings.Fields(s)); words+n <= limit+20 {
				abstract.WriteString(s)
				if words += n; words >= limit {
					break
				}
			}
		}
	}
	text := strings.TrimSpace(abstract.String())
	for len(text) > protocol.MaxAbstract {
		text = text[:strings.LastIndexByte(text[:protocol.MaxAbstract], ' ')]
	}
	title := c.titles[a]
	if len(title) > protocol.MaxTitle-20 {
		title = title[:strings.LastIndexByte(title[:protocol.MaxTitle-20], ' ')]
	}
	kinds := protocol.Kinds()
	return &protocol.Listing{
		ID: protocol.ListingID(fmt.Sprintf("B%08d", i)), Kind: kinds[i%2], Country: "KH", TRL: uint8(1 + i%9), Demonstration: true,
		FORD: []string{fmt.Sprintf("2.%d", 1+i%11)}, Published: protocol.Date(20300 + i%300),
		Texts: map[protocol.Lang]protocol.Text{"en": {Title: strings.ToValidUTF8(title, ""), Abstract: strings.ToValidUTF8(text, "")}},
	}
}

// Payload is the bytes of a listing's texts.
func Payload(l *protocol.Listing) (n int) {
	for _, t := range l.Texts {
		n += len(t.Title) + len(t.Value) + len(t.Abstract)
		for _, k := range t.Keywords {
			n += len(k)
		}
	}
	return n
}

// source streams listings as JSON Lines.
type source struct {
	c       *Corpus
	next, n int
	buf     []byte
	payload int64
}

func (s *source) Read(b []byte) (int, error) {
	for len(s.buf) < len(b) && s.next < s.n {
		l := s.c.Listing(s.next)
		s.payload += int64(Payload(l))
		line, err := json.Marshal(l)
		if err != nil {
			return 0, err
		}
		s.buf = append(append(s.buf, line...), '\n')
		s.next++
	}
	if len(s.buf) == 0 {
		return 0, io.EOF
	}
	n := copy(b, s.buf)
	s.buf = append(s.buf[:0], s.buf[n:]...)
	return n, nil
}
