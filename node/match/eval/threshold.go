package eval

import (
	"context"
	"fmt"
	"slices"
)

// strengths of the best answer to every query, with its relevant documents in the catalogue and without them.
type strengths struct{ with, without []float64 }

// rate is how often the verdict “good match” at a threshold is right: said where a right document is there, not said
// where none is.
func (s strengths) rate(threshold float64) (said, withheld float64) {
	for _, v := range s.with {
		if v >= threshold {
			said++
		}
	}
	for _, v := range s.without {
		if v < threshold {
			withheld++
		}
	}
	return said / float64(len(s.with)), withheld / float64(len(s.without))
}

// Threshold prints, for each strength from which an answer could be called a good match, how often that verdict is right:
// on the queries as they are, and on the same queries after all their relevant documents are taken out of the index, when
// the right verdict is “no good match”. Documents without a judgement may be relevant too, so that the truth is a little
// better than what is printed. It returns the threshold with the best mean of both over all collections.
func (r *Report) Threshold(ctx context.Context, catalogues []*Catalogue) (best float64, err error) {
	var all []strengths
	t := r.table()
	head := []any{"threshold"}
	for _, m := range catalogues {
		r.notes(m.Collections)
		e, err := NewEngine(ctx, m.Documents, r.Options, r.Progress)
		if err != nil {
			return 0, err
		}
		for _, c := range m.Collections {
			s, err := r.strengths(ctx, e, c)
			if err != nil {
				return 0, err
			}
			all = append(all, s)
			head = append(head, c.Name+" right match", "right none")
		}
		e.Close()
	}
	t.row(append(head, "mean of both")...)
	top := -1.0
	for step := 0; step <= 40; step++ {
		threshold := float64(step) / 40
		cells := []any{fmt.Sprintf("%.3f", threshold)}
		sum := 0.0
		for _, s := range all {
			said, withheld := s.rate(threshold)
			cells = append(cells, fmt.Sprintf("%.3f", said), fmt.Sprintf("%.3f", withheld))
			sum += (said + withheld) / 2
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
