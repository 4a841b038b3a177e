package eval

import (
	"context"
	"fmt"
	"slices"
)

// strengths of the best answer to every query: with its relevant documents in the catalogue, without them, and, of the
// queries of other collections, in a catalogue that is not about what they ask.
type strengths struct{ with, without, foreign []float64 }

// part of the list that is at or above a threshold; 0 of none.
func part(list []float64, threshold float64) (above float64) {
	for _, v := range list {
		if v >= threshold {
			above++
		}
	}
	return above / float64(max(len(list), 1))
}

// maxForeign is the number of other collections' queries that one is asked.
const maxForeign = 200

// Threshold prints, for each strength from which an answer could be called a good match, how often that verdict is right:
// on the queries as they are; on the same queries after all their relevant documents are taken out of the index, when the
// right verdict is “no good match”; and on the queries of the other collections, when it is, too. What is left without
// its relevant documents is often close to the question and unjudged, so that this figure is a lower bound. It returns
// the threshold with the best mean over all collections, a right match counting as much as a right none.
func (r *Report) Threshold(ctx context.Context, catalogues []*Catalogue) (best float64, err error) {
	var all []strengths
	var every []*Collection
	for _, m := range catalogues {
		r.notes(m.Collections)
		every = append(every, m.Collections...)
	}
	t := r.table()
	head := []any{"threshold"}
	for _, m := range catalogues {
		e, err := NewEngine(ctx, m.Documents, r.Options, r.Progress)
		if err != nil {
			return 0, err
		}
		for _, c := range m.Collections {
			s, err := r.strengths(ctx, e, c)
			if err != nil {
				return 0, err
			}
			if len(m.Collections) == 1 { // mixed, the others' documents are there
				if s.foreign, err = r.foreign(ctx, e, c, every); err != nil {
					return 0, err
				}
			}
			all = append(all, s)
			head = append(head, c.Name+" right match", "none, removed", "none, foreign")
		}
		e.Close()
	}
	t.row(append(head, "mean")...)
	top := -1.0
	for step := 0; step <= 40; step++ {
		threshold := float64(step) / 40
		cells := []any{fmt.Sprintf("%.3f", threshold)}
		sum := 0.0
		for _, s := range all {
			said, removed, foreign := part(s.with, threshold), 1-part(s.without, threshold), 1-part(s.foreign, threshold)
			none := removed
			if len(s.foreign) > 0 {
				none = (removed + foreign) / 2
				cells = append(cells, fmt.Sprintf("%.3f", said), fmt.Sprintf("%.3f", removed), fmt.Sprintf("%.3f", foreign))
			} else {
				cells = append(cells, fmt.Sprintf("%.3f", said), fmt.Sprintf("%.3f", removed), "-")
			}
			sum += (said + none) / 2
		}
		mean := sum / float64(len(all))
		if t.row(append(cells, fmt.Sprintf("%.3f", mean))...); mean > top {
			top, best = mean, threshold
		}
	}
	if err := t.Flush(); err != nil {
		return 0, err
	}
	fmt.Fprintf(r.Out, "best threshold %.3f: right in %.3f\n", best, top)
	return best, nil
}

// foreign are the strengths of what a collection answers to the queries of the others.
func (r *Report) foreign(ctx context.Context, e *Engine, own *Collection, all []*Collection) (list []float64, err error) {
	var queries []Query
	for _, c := range all {
		if c != own {
			queries = append(queries, c.Queries...)
		}
	}
	for _, q := range spread(queries, maxForeign) {
		_, v, err := e.Answer(ctx, q.Text, q.Lang, 1)
		if err != nil {
			return nil, fmt.Errorf("query %s: %w", q.ID, err)
		}
		list = append(list, v)
	}
	return list, nil
}

func (r *Report) strengths(ctx context.Context, e *Engine, c *Collection) (s strengths, err error) {
	queries := c.Judged()
	for i, q := range queries {
		right := q.Relevant()
		if len(right) == 0 {
			continue
		}
		ask := func(out []int) (float64, error) {
			e.Remove(out)
			_, v, err := e.Answer(ctx, q.Text, q.Lang, 1)
			e.Restore(out)
			if err != nil {
				return 0, fmt.Errorf("%s query %s: %w", c.Name, q.ID, err)
			}
			return v, nil
		}
		with, err := ask(q.Self)
		if err != nil {
			return s, err
		}
		without, err := ask(append(slices.Clone(q.Self), right...))
		if err != nil {
			return s, err
		}
		s.with, s.without = append(s.with, with), append(s.without, without)
		r.Progress.Step("%s: %d of %d queries with and without their answers", c.Name, i+1, len(queries))
	}
	r.Progress.Done()
	return s, nil
}
