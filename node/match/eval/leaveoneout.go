package eval

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/node/match"
)

// levels of the coarse grid: multiples of a part's shipped weight.
func levels() []float64 { return []float64{0, 0.5, 1, 2} }

// passes over all parts that the search for weights makes.
const passes = 2

// LeaveOneOut prints, for each collection, how the engine answers it with weights that were chosen on the others, beside
// the shipped weights. Choosing begins with every part off and gives each part in turn the level that is best for the
// mean of the collections chosen on, twice over: weights that were tuned on all collections do not leak into it but for
// the coarse scale of the levels. Parts that change nothing on these collections are left as they are.
func (r *Report) LeaveOneOut(ctx context.Context, catalogues []*Catalogue) error {
	all := names(catalogues)
	if len(all) < 3 {
		return fmt.Errorf("leave-one-out needs three collections or more, %d given", len(all))
	}
	for _, m := range catalogues {
		r.notes(m.Collections)
	}
	g := &grid{report: r, catalogues: catalogues, parts: parts(r.Weights), known: make(map[string]run)}
	var flat run
	var err error
	for _, m := range catalogues {
		var results []Result
		results, err = m.Evaluate(ctx, NewBM25(m.Documents, OneField(), r.words()), r.Progress)
		if err != nil {
			return err
		}
		for _, res := range results {
			flat = append(flat, res.NDCG10)
		}
	}
	var idle []string
	if g.parts, idle, err = g.working(ctx); err != nil {
		return err
	}
	shipped, err := g.at(ctx, g.point(1))
	if err != nil {
		return err
	}
	t := r.table()
	t.row("held out", "nDCG@10", "over BM25", "shipped weights", "BM25", "chosen on the others, × shipped")
	var sum [3]float64
	for i, name := range all {
		chosen, err := g.choose(ctx, i)
		if err != nil {
			return err
		}
		own, err := g.at(ctx, chosen)
		if err != nil {
			return err
		}
		t.row(name, own[i], percent(own[i], flat[i]), shipped[i], flat[i], g.describe(chosen))
		for k, v := range []float64{own[i], shipped[i], flat[i]} {
			sum[k] += v
		}
	}
	r.Progress.Done()
	n := float64(len(all))
	t.row("mean", sum[0]/n, percent(sum[0], sum[2]), sum[1]/n, sum[2]/n, fmt.Sprintf("%d sets of weights measured", len(g.known)))
	if err := t.Flush(); err != nil {
		return err
	}
	if len(idle) > 0 {
		fmt.Fprintf(r.Out, idleParts, strings.Join(idle, ", "))
	}
	return nil
}

// grid remembers what was measured.
type grid struct {
	report     *Report
	catalogues []*Catalogue
	parts      []string
	known      map[string]run
}

// working parts change something when they are switched off; idle ones do not.
func (g *grid) working(ctx context.Context) (working, idle []string, err error) {
	base, err := g.report.measure(ctx, g.catalogues, g.report.Weights)
	if err != nil {
		return nil, nil, err
	}
	for _, part := range g.parts {
		m, err := g.report.measure(ctx, g.catalogues, without(g.report.Weights, part))
		if err != nil {
			return nil, nil, err
		}
		g.report.Progress.Step("measured without %s", part)
		if slices.Equal(m.each, base.each) {
			idle = append(idle, part)
		} else {
			working = append(working, part)
		}
	}
	return working, idle, nil
}

// point of the grid: a level a part.
func (g *grid) point(level float64) []float64 {
	p := make([]float64, len(g.parts))
	for i := range p {
		p[i] = level
	}
	return p
}

func (g *grid) weights(point []float64) match.Weights {
	w := g.report.Weights
	for i, part := range g.parts {
		if point[i] == 0 {
			w = without(w, part)
		} else {
			w = set(w, part, point[i]*weight(g.report.Weights, part))
		}
	}
	return w
}

func (g *grid) at(ctx context.Context, point []float64) (run, error) {
	key := fmt.Sprint(point)
	if r, ok := g.known[key]; ok {
		return r, nil
	}
	m, err := g.report.measure(ctx, g.catalogues, g.weights(point))
	if err != nil {
		return nil, err
	}
	g.known[key] = m.run
	g.report.Progress.Step("%d sets of weights measured", len(g.known))
	return m.run, nil
}

// choose the best point without looking at collection left. Of equal points the one with less of a part is chosen.
func (g *grid) choose(ctx context.Context, left int) ([]float64, error) {
	others := func(r run) (sum float64) {
		for i, v := range r {
			if i != left {
				sum += v
			}
		}
		return sum
	}
	point := g.point(0)
	first, err := g.at(ctx, point)
	if err != nil {
		return nil, err
	}
	best := others(first)
	for range passes {
		for i := range point {
			at := point[i]
			for _, level := range levels() {
				trial := append([]float64(nil), point...)
				trial[i] = level
				r, err := g.at(ctx, trial)
				if err != nil {
					return nil, err
				}
				if v := others(r); v > best+1e-9 {
					best, at = v, level
				}
			}
			point[i] = at
		}
	}
	return point, nil
}

func (g *grid) describe(point []float64) string {
	var list []string
	for i, part := range g.parts {
		list = append(list, fmt.Sprintf("%s %g", part, point[i]))
	}
	return strings.Join(list, ", ")
}
