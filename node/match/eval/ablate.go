package eval

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/asean-tmh/tmh/node/match"
)

// run is a row of a table: what one set of weights makes of every collection.
type run []float64

func (r run) mean() (sum float64) {
	for _, v := range r {
		sum += v
	}
	return sum / float64(len(r))
}

// measured is nDCG@10 by collection, and by query over all collections.
type measured struct {
	run
	each []float64
}

// measure without times, as many catalogues at once as there are processors.
func (r *Report) measure(ctx context.Context, catalogues []*Catalogue, w match.Weights) (m measured, err error) {
	o := r.Options
	o.Weights = w
	results, failed := make([][]Result, len(catalogues)), make([]error, len(catalogues))
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i, c := range catalogues {
		wg.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			results[i], failed[i] = r.untimed(ctx, c, o)
		})
	}
	wg.Wait()
	for _, list := range results {
		for _, res := range list {
			m.run = append(m.run, res.NDCG10)
			m.each = append(m.each, res.Each...)
		}
	}
	return m, errors.Join(failed...)
}

func (r *Report) untimed(ctx context.Context, c *Catalogue, o Options) ([]Result, error) {
	e, err := NewEngine(ctx, c.Documents, o, nil)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	e.timed = false
	return c.Evaluate(ctx, e, nil)
}

func names(catalogues []*Catalogue) (list []any) {
	for _, m := range catalogues {
		for _, c := range m.Collections {
			list = append(list, c.Name)
		}
	}
	return list
}

// Ablate prints what each part of the ranking gives: taken out of the whole, and added to the first stage alone. The
// differences are to the row above that the part was taken out of or added to; t is Student's over all queries.
func (r *Report) Ablate(ctx context.Context, catalogues []*Catalogue) error {
	for _, m := range catalogues {
		r.notes(m.Collections)
	}
	t := r.table()
	t.row(append(append([]any{"nDCG@10"}, names(catalogues)...), "mean", "difference", "better", "worse", "t")...)
	print := func(name string, m measured, base *measured) {
		cells := []any{name}
		for _, v := range m.run {
			cells = append(cells, v)
		}
		cells = append(cells, m.mean())
		if base != nil {
			ts, better, worse := paired(base.each, m.each)
			cells = append(cells, fmt.Sprintf("%+.4f", m.mean()-base.mean()), better, worse, fmt.Sprintf("%.1f", ts))
		}
		t.row(cells...)
	}
	whole, err := r.measure(ctx, catalogues, r.Weights)
	if err != nil {
		return err
	}
	print("all parts", whole, nil)
	bare := r.Weights
	var working, idle []string
	for _, part := range parts(r.Weights) {
		bare = without(bare, part)
		m, err := r.measure(ctx, catalogues, without(r.Weights, part))
		if err != nil {
			return err
		}
		r.Progress.Step("measured without %s", part)
		if slices.Equal(m.each, whole.each) {
			idle = append(idle, part)
			continue
		}
		working = append(working, part)
		print("without "+part, m, &whole)
	}
	base, err := r.measure(ctx, catalogues, bare)
	if err != nil {
		return err
	}
	print("no part", base, nil)
	for _, part := range working {
		m, err := r.measure(ctx, catalogues, set(bare, part, weight(r.Weights, part)))
		if err != nil {
			return err
		}
		print("only "+part, m, &base)
	}
	r.Progress.Done()
	if err := t.Flush(); err != nil {
		return err
	}
	if len(idle) > 0 {
		fmt.Fprintf(r.Out, idleParts, strings.Join(idle, ", "))
	}
	return nil
}

// idleParts of the ranking have nothing to work on in these collections: codes, for one.
const idleParts = "without effect on these collections: %s\n"
