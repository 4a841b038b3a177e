package eval

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Catalogue is one index worth of documents, and the collections whose queries are put to it. The grades of their queries
// name documents of the catalogue.
type Catalogue struct {
	Name        string
	Documents   []Document
	Collections []*Collection
}

// Alone is a collection in an index of its own.
func Alone(c *Collection) *Catalogue {
	return &Catalogue{Name: c.Name, Documents: c.Documents, Collections: []*Collection{c}}
}

// Mix puts all collections into one index, as a catalogue of many fields is: to a query of one, the documents of the
// others are documents without a judgement.
func Mix(list []*Collection) *Catalogue {
	m := &Catalogue{Name: "mixed"}
	for _, c := range list {
		offset := len(m.Documents)
		moved := &Collection{Name: c.Name, Documents: c.Documents}
		for _, q := range c.Queries {
			grades := make(map[int]int, len(q.Grades))
			for d, g := range q.Grades {
				grades[offset+d] = g
			}
			q.Grades, q.Self = grades, slices.Clone(q.Self)
			for i := range q.Self {
				q.Self[i] += offset
			}
			moved.Queries = append(moved.Queries, q)
		}
		m.Documents = append(m.Documents, c.Documents...)
		m.Collections = append(m.Collections, moved)
	}
	return m
}

// Evaluate puts the queries of every collection to a ranker over the catalogue's documents: a result a collection.
func (m *Catalogue) Evaluate(ctx context.Context, r Ranker, p *Progress) ([]Result, error) {
	var results []Result
	for _, c := range m.Collections {
		var t tally
		queries := c.Judged()
		for i, q := range queries {
			docs, took, err := r.Rank(ctx, q)
			if err != nil {
				return nil, fmt.Errorf("%s query %s: %w", c.Name, q.ID, err)
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if len(q.Self) > 0 {
				docs = slices.DeleteFunc(docs, func(d int) bool { return slices.Contains(q.Self, d) })
			}
			t.add(q, docs, took)
			p.Step("%s: %d of %d queries", c.Name, i+1, len(queries))
		}
		results = append(results, t.result())
	}
	p.Done()
	return results, nil
}

// Progress tells a person, on one line that is written over, how far long work is. A nil Progress tells nothing.
type Progress struct {
	out   io.Writer
	last  time.Time
	width int
}

// NewProgress writes to out.
func NewProgress(out io.Writer) *Progress { return &Progress{out: out, last: time.Now()} }

// Step shows the line, if the last one was not just now.
func (p *Progress) Step(format string, args ...any) {
	if p == nil || time.Since(p.last) < 300*time.Millisecond {
		return
	}
	line := fmt.Sprintf(format, args...)
	fmt.Fprintf(p.out, "\r%s%s", line, strings.Repeat(" ", max(0, p.width-len(line))))
	p.last, p.width = time.Now(), len(line)
}

// Done takes the line away.
func (p *Progress) Done() {
	if p == nil || p.width == 0 {
		return
	}
	fmt.Fprintf(p.out, "\r%s\r", strings.Repeat(" ", p.width))
	p.width = 0
}
