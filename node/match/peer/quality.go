package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/asean-tmh/tmh/node/match/eval"
)

// quality prints a row for each setting: both layouts with textbook parameters, and with those that suit bleve better.
func quality(ctx context.Context, collection, tmp string, out io.Writer) error {
	c, err := eval.ReadCollection(filepath.Base(filepath.Clean(collection)), os.DirFS(collection))
	if err != nil {
		return err
	}
	defer parameters(1.2, 0.75)
	for i, p := range []struct{ k1, b float64 }{{1.2, 0.75}, {0.9, 0.4}} {
		parameters(p.k1, p.b)
		for _, l := range []layout{oneField, twoFields} {
			r, err := ranking(ctx, c, filepath.Join(tmp, fmt.Sprint(i, int(l))), l)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%-12s bleve k1 %.1f b %.2f %-14s %v\n", c.Name, p.k1, p.b, l, r)
		}
	}
	return nil
}

func ranking(ctx context.Context, c *eval.Collection, dir string, l layout) (eval.Result, error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return eval.Result{}, err
	}
	e, err := open(dir, l)
	if err != nil {
		return eval.Result{}, err
	}
	defer e.index.Close()
	for i, d := range c.Documents {
		if err := e.add(strconv.Itoa(i), d.Title, d.Text); err != nil {
			return eval.Result{}, err
		}
	}
	if err := e.flush(); err != nil {
		return eval.Result{}, err
	}
	r, err := eval.Alone(c).Evaluate(ctx, e, nil)
	if err != nil {
		return eval.Result{}, err
	}
	return r[0], nil
}

// Rank implements eval.Ranker.
func (e *engine) Rank(ctx context.Context, q *eval.Query) (docs []int, took time.Duration, err error) {
	start := time.Now()
	if _, err := e.find(ctx, q.Text, hits); err != nil {
		return nil, 0, err
	}
	took = time.Since(start)
	ids, err := e.find(ctx, q.Text, eval.Depth)
	for _, id := range ids {
		d, err := strconv.Atoi(id)
		if err != nil {
			return nil, 0, err
		}
		docs = append(docs, d)
	}
	return slices.Clip(docs), took, err
}
