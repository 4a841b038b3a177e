package eval

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
)

// Needs are what a person wants to see answered: queries without judgements.
type Needs []Query

// ReadNeeds reads a file of JSON Lines with id, title, objective, description and keywords, and takes n of them, evenly
// spread.
func ReadNeeds(dir fs.FS, name string, n int) (Needs, error) {
	type need struct {
		ID, Title, Objective, Description string
		Keywords                          []string
	}
	all, err := readLines[need](dir, name)
	if err != nil {
		return nil, err
	}
	var list Needs
	for _, d := range spread(all, n) {
		text := strings.TrimSpace(strings.Join([]string{d.Title, strings.Join(d.Keywords, ", "), d.Objective, d.Description}, "\n"))
		list = append(list, Query{ID: d.ID, Text: text})
	}
	return list, nil
}

// spread takes n entries at equal distances.
func spread[T any](all []T, n int) (list []T) {
	n = min(n, len(all))
	for i := range n {
		list = append(list, all[i*len(all)/n])
	}
	return list
}

// Examples are n of a collection's own queries.
func (c *Collection) Examples(n int) Needs { return spread(c.Queries, n) }

// Answers prints what the engine finds for each need in the collection, for a person to read and judge. Where a judgement
// is known, it stands beside the answer.
func (r *Report) Answers(ctx context.Context, c *Collection, needs Needs) error {
	r.notes([]*Collection{c})
	e, err := NewEngine(ctx, c.Documents, r.Options, r.Progress)
	if err != nil {
		return err
	}
	defer e.Close()
	for _, q := range needs {
		hits, strength, err := e.Answer(ctx, q.Text, q.Lang, 5)
		if err != nil {
			return fmt.Errorf("query %s: %w", q.ID, err)
		}
		fmt.Fprintf(r.Out, "\n%s  %s\n  strength %.3f\n", q.ID, shorten(q.Text, 400), strength)
		for i, h := range hits {
			d := &c.Documents[h.Doc]
			judged := ""
			if g, ok := q.Grades[h.Doc]; ok {
				judged = fmt.Sprintf("  [judged %d]", g)
			}
			fmt.Fprintf(r.Out, "  %d. %.3f  %s  %s%s\n     %s\n     %s\n", i+1, h.Score, d.ID, d.Title, judged, shorten(d.Text, 200), h.Sentence)
		}
		if len(hits) == 0 {
			fmt.Fprintln(r.Out, "  nothing found")
		}
	}
	return nil
}

// shorten a text to about n bytes, on one line.
func shorten(s string, n int) string {
	s = squeeze(s)
	if len(s) <= n {
		return s
	}
	if at := strings.LastIndexByte(s[:n], ' '); at > 0 {
		n = at
	}
	return strings.ToValidUTF8(s[:n], "") + " …"
}
