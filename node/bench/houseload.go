package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/node/record"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// timed does n things by so many clients at a time, and returns how long each took, the shortest first.
func timed(ctx context.Context, n, clients int, do func(i int) error) ([]time.Duration, error) {
	took := make([]time.Duration, n)
	failed := make([]error, clients)
	var wg sync.WaitGroup
	for k := range clients {
		wg.Go(func() {
			for i := k; i < n; i += clients {
				if failed[k] = context.Cause(ctx); failed[k] != nil {
					return
				}
				start := time.Now()
				if failed[k] = do(i); failed[k] != nil {
					return
				}
				took[i] = time.Since(start)
			}
		})
	}
	wg.Wait()
	slices.Sort(took)
	return took, errors.Join(failed...)
}

func (b *houseBench) editor(i int) *resident { return b.people[i%b.Organisations] }

// stranger is somebody of another organisation.
func (b *houseBench) stranger(i int) *resident {
	r := b.people[(i*7+1)%len(b.people)]
	if r.actor.Organisation == b.editor(i).actor.Organisation {
		r = b.editor(i + 1)
	}
	return r
}

// postOne writes listing i and submits it, which publishes it.
func (b *houseBench) postOne(ctx context.Context, i int) (protocol.ListingID, error) {
	c := b.v.content(i)
	a := b.editor(i).actor
	h, err := b.house().Postings.Create(a, a.Organisation, "", c)
	if err != nil {
		return "", fmt.Errorf("draft of listing %d: %w", i, err)
	}
	if b.Quick { // for who does not wait there is no search
		gone, leave := context.WithCancel(ctx)
		leave()
		ctx = gone
	}
	h, _, err = b.house().Postings.Submit(ctx, a, h.ID, h.Version)
	if err != nil {
		return "", fmt.Errorf("listing %d: %w", i, err)
	}
	if h.Live != posting.Published {
		return "", fmt.Errorf("listing %d is %s, not published", i, h.State(protocol.DateOf(time.Now())))
	}
	return h.ID, nil
}

// size of a full record as it is kept.
func (b *houseBench) size(id protocol.ListingID) (n int64, err error) {
	err = b.house().Store.View(func(tx *store.Tx) error {
		full, err := tx.Full(id.Key())
		n = int64(len(full))
		return err
	})
	return n, err
}

// asked is a row: something that people do, of which i says who and with what.
type asked struct {
	name string
	do   func(i int) error
}

func (b *houseBench) measure(ctx context.Context, title string, rows []asked) error {
	t := newColumns(b.Out, title, "one client p50", "p99", "two clients p50", "p99")
	from := 0
	for _, a := range rows {
		b.say("%s", a.name)
		figures := make([]string, 0, 4)
		for clients := 1; clients <= 2; clients++ {
			took, err := timed(ctx, b.Questions, clients, func(i int) error { return a.do(from + i) })
			if err != nil {
				return fmt.Errorf("%s: %w", a.name, err)
			}
			from += b.Questions
			figures = append(figures, ms(p50(took)), ms(p99(took)))
		}
		t.row(a.name, figures...)
	}
	b.say("")
	return t.w.Flush()
}

// post a few more, to see how long that takes at the full size. The texts are made beforehand.
func (b *houseBench) post(ctx context.Context) error {
	contents := make([]posting.Content, 8*b.Questions)
	for i := range contents {
		contents[i] = b.v.content(b.Listings + i)
	}
	drafts := make([]*posting.Posting, len(contents))
	return b.measure(ctx, "\nms at the full size", []asked{
		{"a listing made and submitted: durable and published, suspects shown", func(i int) error {
			a := b.editor(i).actor
			h, err := b.house().Postings.Create(a, a.Organisation, "", contents[i])
			if err == nil {
				_, _, err = b.house().Postings.Submit(ctx, a, h.ID, h.Version)
			}
			return err
		}},
		{"of that, suspicion of duplicates", func(i int) error {
			_, err := b.house().Postings.Compare(ctx, &contents[i])
			return err
		}},
		{"a draft", func(i int) (err error) {
			a := b.editor(i).actor
			drafts[i], err = b.house().Postings.Create(a, a.Organisation, "", contents[i])
			return err
		}},
		{"a draft edited", func(i int) (err error) {
			d := drafts[i-2*b.Questions]
			_, err = b.house().Postings.Edit(ctx, b.editor(i-2*b.Questions).actor, d.ID, d.Version, contents[i])
			return err
		}},
	})
}

const pageSize = 25

// reading of what is there, after a restart.
func (b *houseBench) reading(ctx context.Context) error {
	p, people := b.house().Postings, b.house().People
	r := rand.New(rand.NewPCG(1, 23))
	order := make([]int, 32*b.Questions) // which listing question i is about
	for i := range order {
		order[i] = r.IntN(b.Listings)
	}
	page := func(i int, state posting.State, after string) (posting.Page, error) {
		a := b.editor(order[i]).actor
		return p.List(a, posting.Filter{Organisation: a.Organisation, State: state}, after, pageSize)
	}
	cursors, err := b.cursors()
	if err != nil {
		return err
	}
	get := func(i int, who *resident) error {
		_, err := b.house().Records.Get(ctx, record.Ref{Origin: b.m, ID: b.listings[order[i]]}, who.actor)
		if protocol.CodeOf(err) == protocol.CodeNotPermitted && who != b.editor(order[i]) {
			err = nil // restricted to organisations of another type
		}
		return err
	}
	tokens := slices.DeleteFunc(slices.Clone(b.people), func(r *resident) bool { return r.token == "" })
	for _, r := range tokens {
		if _, err := people.AuthenticateToken(r.token); err != nil {
			return err
		}
	}
	return b.measure(ctx, "\nms, after the restart", []asked{
		{"own listings, first page of 25", func(i int) error {
			_, err := page(i, posting.None, "")
			return err
		}},
		{"own listings, third page", func(i int) error {
			_, err := page(i, posting.None, cursors[order[i]%b.Organisations])
			return err
		}},
		{"own listings that are published, first page", func(i int) error {
			_, err := page(i, posting.Published, "")
			return err
		}},
		{"an own listing opened, with its checklist", func(i int) error {
			_, c, err := p.Content(b.editor(order[i]).actor, b.listings[order[i]])
			if err == nil {
				posting.Completeness(&c.Listing, &c.Record)
			}
			return err
		}},
		{"first page, and the checklist of each of the 25", func(i int) error {
			at, err := page(i, posting.None, "")
			for _, h := range at.Postings {
				if err != nil {
					return err
				}
				var c *posting.Content
				if _, c, err = p.Content(b.editor(order[i]).actor, h.ID); err == nil && c != nil {
					posting.Completeness(&c.Listing, &c.Record)
				}
			}
			return err
		}},
		{"own full record", func(i int) error { return get(i, b.editor(order[i])) }},
		{"another organisation's full record", func(i int) error { return get(i, b.stranger(order[i])) }},
		{"who holds this session, not seen for a while", func(i int) error { // noted, every five minutes at most
			_, err := people.Authenticate(b.people[i%len(b.people)].secret)
			return err
		}},
		{"who holds this session, seen just now", func(i int) error {
			_, err := people.Authenticate(b.people[(i-2*b.Questions)%len(b.people)].secret)
			return err
		}},
		{"who holds this token, seen just now", func(i int) error {
			_, err := people.AuthenticateToken(tokens[i%len(tokens)].token)
			return err
		}},
	})
}

// cursors of the third page of every organisation.
func (b *houseBench) cursors() (all []string, err error) {
	for k := range b.Organisations {
		a, next := b.editor(k).actor, ""
		for range 2 {
			at, err := b.house().Postings.List(a, posting.Filter{Organisation: a.Organisation}, next, pageSize)
			if err != nil {
				return nil, err
			}
			if at.Next == "" {
				break
			}
			next = at.Next
		}
		all = append(all, next)
	}
	return all, nil
}
