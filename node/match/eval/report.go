package eval

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/asean-tmh/tmh/node/match/text"
)

// Report runs evaluations and prints them.
type Report struct {
	Options
	Out      io.Writer
	Progress *Progress // nil for none
}

// table of rows that begin with a name.
type table struct{ *tabwriter.Writer }

func (r *Report) table() table { return table{tabwriter.NewWriter(r.Out, 0, 0, 2, ' ', 0)} }

func (t table) row(cells ...any) {
	for _, c := range cells {
		if f, ok := c.(float64); ok {
			c = fmt.Sprintf("%.4f", f)
		}
		fmt.Fprintf(t, "%v\t", c)
	}
	fmt.Fprintln(t)
}

func percent(of, base float64) string {
	if base == 0 {
		return "-"
	}
	return fmt.Sprintf("%+.1f%%", 100*(of-base)/base)
}

// notes of the collections, for the reader of the figures.
func (r *Report) notes(list []*Collection) {
	for _, c := range list {
		fmt.Fprintf(r.Out, "%s: %d documents, %d queries, %d of them with a relevant document\n", c.Name, len(c.Documents), len(c.Queries), len(c.Judged()))
		for _, n := range c.Notes {
			fmt.Fprintf(r.Out, "%s: %s\n", c.Name, n)
		}
	}
}

// engine evaluates the engine with the given weights on a catalogue.
func (r *Report) engine(ctx context.Context, m *Catalogue, o Options) ([]Result, error) {
	e, err := NewEngine(ctx, m.Documents, o, r.Progress)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	return m.Evaluate(ctx, e, r.Progress)
}

// baselines are BM25 and BM25F on a catalogue.
func (r *Report) baselines(ctx context.Context, m *Catalogue) (flat, fielded []Result, err error) {
	if flat, err = m.Evaluate(ctx, NewBM25(m.Documents, OneField(), r.words()), r.Progress); err != nil {
		return nil, nil, err
	}
	fielded, err = m.Evaluate(ctx, NewBM25(m.Documents, ThreeFields(), r.words()), r.Progress)
	return flat, fielded, err
}

// One prints what the engine and the baselines make of one collection. The last line is the engine's Result.
func (r *Report) One(ctx context.Context, c *Collection) error {
	r.notes([]*Collection{c})
	flat, fielded, err := r.baselines(ctx, Alone(c))
	if err != nil {
		return err
	}
	fmt.Fprintf(r.Out, "BM25, one field  %v\nBM25F            %v\nengine, weights %s:\n", flat[0], fielded[0], r.Weights.Version)
	results, err := r.engine(ctx, Alone(c), r.Options)
	if err != nil {
		return err
	}
	fmt.Fprintln(r.Out, results[0])
	return nil
}

// Table prints nDCG@10 of engine and baselines: a row a collection, and the mean of these rows.
func (r *Report) Table(ctx context.Context, catalogues []*Catalogue) error {
	t := r.table()
	t.row("nDCG@10", "engine", "BM25", "over BM25", "BM25F", "over BM25F", "better", "worse", "t", "MAP", "R@100", "p50", "p99")
	var sum [3]float64
	n := 0.0
	for _, m := range catalogues {
		r.notes(m.Collections)
		flat, fielded, err := r.baselines(ctx, m)
		if err != nil {
			return err
		}
		results, err := r.engine(ctx, m, r.Options)
		if err != nil {
			return err
		}
		for i, own := range results {
			ts, better, worse := paired(flat[i].Each, own.Each)
			t.row(m.Collections[i].Name, own.NDCG10, flat[i].NDCG10, percent(own.NDCG10, flat[i].NDCG10), fielded[i].NDCG10,
				percent(own.NDCG10, fielded[i].NDCG10), better, worse, fmt.Sprintf("%.1f", ts), own.MAP, own.R100, milliseconds(own.P50), milliseconds(own.P99))
			for k, v := range []float64{own.NDCG10, flat[i].NDCG10, fielded[i].NDCG10} {
				sum[k] += v
			}
			n++
		}
	}
	t.row("mean", sum[0]/n, sum[1]/n, percent(sum[0], sum[1]), sum[2]/n, percent(sum[0], sum[2]))
	return t.Flush()
}

// words are the dictionary of the text analysis.
func (r *Report) words() text.Words {
	if r.Lexicon == nil {
		return nil
	}
	return r.Lexicon
}
