package posting

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Two people of one organisation may write the same listing at the same time. The catalogue knows nothing of either draft, so
// they are compared with each other here: by their letters, three at a time, which works in scripts that part no words.

// Twin is another listing of the organisation that was not published yet and looks like the one at hand.
type Twin struct {
	ID    protocol.ListingID
	Title string
	State State
	Like  Likeness
}

// Likeness of two drafts.
type Likeness string

// Likenesses, the strongest first.
const (
	SamePatent   Likeness = "patent"
	SimilarTitle Likeness = "title"
	SimilarText  Likeness = "text"
)

// Bounds of a comparison: drafts of each state, the newest first, letters of a text, and twins.
const (
	mostBeside  = 150
	mostLetters = 1000
	mostTwins   = 5
)

// How much of two texts has to be the same. A short text is not compared, for all short texts are alike.
const (
	likeTitle = 0.6
	likeText  = 0.6
	leastText = 80 // letters
)

// Twins of a listing that is written, as far as the actor may read them.
func (p *Postings) Twins(ctx context.Context, a access.Actor, h *Posting, c *Content) (list []Twin, _ error) {
	mine := marksOf(c)
	err := p.cfg.Store.View(func(tx *store.Tx) error {
		for _, state := range []State{Draft, Submitted, InReview} {
			ids, _, err := scan(tx, "o/"+string(h.Organisation)+"/s/"+string(state)+"/", "", mostBeside, func(string) bool { return true })
			if err != nil {
				return err
			}
			for _, id := range ids {
				if err := ctx.Err(); err != nil || len(list) == mostTwins {
					return err
				}
				t, err := twin(tx, a, h, id, mine)
				if err != nil {
					return err
				}
				if t != nil {
					list = append(list, *t)
				}
			}
		}
		return nil
	})
	return list, err
}

func twin(tx *store.Tx, a access.Actor, of *Posting, id protocol.ListingID, mine marks) (*Twin, error) {
	if id == of.ID {
		return nil, nil
	}
	x, err := get(tx, id)
	if err != nil {
		return nil, err
	}
	if x.can(a, access.ReadPosting) != nil {
		return nil, nil
	}
	c, err := draft(tx, id)
	if err != nil || c == nil || c.Listing.Kind != mine.kind {
		return nil, err
	}
	like := mine.like(c)
	if like == "" {
		return nil, nil
	}
	return &Twin{ID: id, Title: x.Title, State: x.Draft, Like: like}, nil
}

// marks by which a draft is known again.
type marks struct {
	kind    protocol.Kind
	patents []string
	titles  []trigrams
	texts   []trigrams
}

func marksOf(c *Content) marks {
	m := marks{kind: c.Listing.Kind, patents: patentsOf(c)}
	for _, l := range c.Listing.Languages() {
		t := c.Listing.Texts[l]
		if title := letters(t.Title); len(title) >= 3 {
			m.titles = append(m.titles, trigramsOf(title))
		}
		if body := letters(t.Value + " " + t.Abstract); len(body) >= leastText {
			m.texts = append(m.texts, trigramsOf(body))
		}
	}
	return m
}

func (m marks) like(c *Content) Likeness {
	its := marksOf(c)
	if slices.ContainsFunc(m.patents, func(n string) bool { return slices.Contains(its.patents, n) }) {
		return SamePatent
	}
	alike := func(a, b []trigrams, least float64) bool {
		return slices.ContainsFunc(a, func(x trigrams) bool {
			return slices.ContainsFunc(b, func(y trigrams) bool { return x.share(y) >= least })
		})
	}
	switch {
	case alike(m.titles, its.titles, likeTitle):
		return SimilarTitle
	case alike(m.texts, its.texts, likeText):
		return SimilarText
	}
	return ""
}

func patentsOf(c *Content) (all []string) {
	for _, r := range c.Record.Rights {
		if n := string(letters(r.Number)); n != "" {
			all = append(all, string(letters(r.Office))+n)
		}
	}
	return all
}

// letters and figures of a text, without case and what stands between them.
func letters(s string) (out []rune) {
	for _, c := range strings.ToLower(s) {
		if unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c) {
			if out = append(out, c); len(out) == mostLetters {
				break
			}
		}
	}
	return out
}

type trigrams map[[3]rune]bool

func trigramsOf(s []rune) trigrams {
	all := make(trigrams, len(s))
	for i := range len(s) - 2 {
		all[[3]rune(s[i:i+3])] = true
	}
	return all
}

// share of both that is the same, from 0 to 1.
func (t trigrams) share(o trigrams) float64 {
	both := 0
	for x := range t {
		if o[x] {
			both++
		}
	}
	if both == 0 {
		return 0
	}
	return 2 * float64(both) / float64(len(t)+len(o))
}
