package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// asking is a row: how a question is put.
type asking struct {
	name  string
	query func(i int) match.Query
}

// Filters that are measured: one that few listings pass, one that most do.
func selective() match.Filter {
	return match.Filter{Kinds: []protocol.Kind{protocol.TechnologyOffer}, Countries: []protocol.Country{"KH"}, FORD: []string{"2.4"}}
}

func broad() match.Filter {
	return match.Filter{Kinds: []protocol.Kind{protocol.TechnologyOffer, protocol.TechnologyRequest, protocol.ResearchPartner}, TRLMin: 2}
}

const wholeListing = "whole listing, all kinds"

func (m *matchBench) rows() (rows []asking) {
	text := func(name string, list []string, f match.Filter) asking {
		return asking{name, func(i int) match.Query { return match.Query{Text: list[i], Filter: f} }}
	}
	listing := func(name string, f match.Filter) asking {
		return asking{name, func(i int) match.Query { return match.Query{Listing: m.q.listings[i], Filter: f} }}
	}
	all := match.Filter{Kinds: protocol.Kinds()}
	rows = []asking{
		text("5 words", m.q.five, match.Filter{}),
		text("30 words", m.q.thirty, match.Filter{}),
		listing(wholeListing, all),
		listing("whole listing, its counterparts", match.Filter{}),
		text("5 words, few pass the filter", m.q.five, selective()),
		text("30 words, few pass the filter", m.q.thirty, selective()),
		listing("whole listing, few pass the filter", selective()),
		text("5 words, most pass the filter", m.q.five, broad()),
		text("30 words, most pass the filter", m.q.thirty, broad()),
		listing("whole listing, most pass the filter", broad()),
	}
	for _, a := range rows[:3] {
		rows = append(rows, asking{a.name + ", facets", func(i int) match.Query {
			q := a.query(i)
			q.Facets = true
			return q
		}})
	}
	return rows
}

// put all questions of a row by so many clients at a time, and return how long each answer took.
func (m *matchBench) put(ctx context.Context, a asking, clients int) ([]time.Duration, error) {
	took := make([]time.Duration, m.Queries)
	failed := make([]error, clients)
	var wg sync.WaitGroup
	for k := range clients {
		wg.Go(func() {
			for i := k; i < m.Queries; i += clients {
				q := a.query(i)
				start := time.Now()
				if _, err := m.e.match(ctx, q); err != nil {
					failed[k] = fmt.Errorf("%s, question %d: %w", a.name, i, err)
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

func p50(sorted []time.Duration) time.Duration { return sorted[(len(sorted)-1)/2] }
func p99(sorted []time.Duration) time.Duration { return sorted[(len(sorted)-1)*99/100] }

// latencies of every row, by one client and by two.
func (m *matchBench) latencies(ctx context.Context) error {
	t := newColumns(m.Out, "\nms for ten hits, explained", "one client p50", "p99", "two clients p50", "p99")
	for _, a := range m.rows() {
		m.say("%s", a.name)
		warm := *m
		warm.Queries = min(m.Queries, 20)
		if _, err := warm.put(ctx, a, 1); err != nil {
			return err
		}
		one, err := m.put(ctx, a, 1)
		if err != nil {
			return err
		}
		two, err := m.put(ctx, a, 2)
		if err != nil {
			return err
		}
		if a.name == wholeListing {
			m.listing = p50(one)
		}
		t.row(a.name, ms(p50(one)), ms(p99(one)), ms(p50(two)), ms(p99(two)))
	}
	m.say("")
	return t.w.Flush()
}

// typing measures what a person's keystrokes ask for.
func (m *matchBench) typing(ctx context.Context) error {
	t := newColumns(m.Out, "\nms while typing", "p50", "p99", "")
	for _, letters := range []int{1, 3, 8} {
		took := make([]time.Duration, 0, m.Queries)
		found := 0
		for i := range m.Queries {
			typed := strings.ToLower(m.q.listings[i].Texts["en"].Title)
			typed = typed[:min(letters, len(typed))]
			start := time.Now()
			if m.e.complete(typed) {
				found++
			}
			took = append(took, time.Since(start))
		}
		slices.Sort(took)
		t.row(fmt.Sprintf("typeahead, %d letters", letters), ms(p50(took)), ms(p99(took)), fmt.Sprintf("%d of %d completed", found, m.Queries))
	}
	r := rand.New(rand.NewPCG(1, 19))
	took := make([]time.Duration, 0, m.Queries)
	meant := 0
	for i := range m.Queries {
		q := match.Query{Text: misspell(m.q.five[i], r)}
		start := time.Now()
		a, err := m.e.match(ctx, q)
		if err != nil {
			return err
		}
		took = append(took, time.Since(start))
		if a.Meant == m.q.five[i] {
			meant++
		}
	}
	slices.Sort(took)
	t.row("5 words, one misspelt, answered with did you mean", ms(p50(took)), ms(p99(took)), fmt.Sprintf("%d of %d put right", meant, m.Queries))
	return t.w.Flush()
}

// misspell swaps two letters inside one word.
func misspell(text string, r *rand.Rand) string {
	words := strings.Fields(text)
	if len(words) == 0 {
		return text
	}
	k := r.IntN(len(words))
	if w := []rune(words[k]); len(w) > 3 {
		i := 1 + r.IntN(len(w)-2)
		w[i], w[i+1] = w[i+1], w[i]
		words[k] = string(w)
	}
	return strings.Join(words, " ")
}
