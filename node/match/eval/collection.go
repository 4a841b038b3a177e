// Package eval measures how well the match engine answers: on test collections with people's judgements, beside textbook
// rankers on the same analysis, and from one language to another. It is for those who tune the engine and for those who
// doubt it.
//
// # Collections
//
// A collection is a folder of three files: docs.jsonl ({"id","title","text"} a line), queries.jsonl ({"id","text"} a
// line) and qrels.tsv (query, document, grade, separated by tabs, no header). Documents and queries may say their
// language as "lang"; it is English where they do not.
//
// # Measures
//
// All are means over the queries that have a relevant document, a document being relevant where its grade is above 0.
// nDCG@10 has linear gain and a discount of log2(rank+1); documents without a judgement gain nothing. MAP is over the first
// 1,000. R@100 is the part of the relevant documents among the first hundred.
//
// A query that holds a whole document of the collection is a listing asking for its like: that document, unless it was
// judged, is left out of the query's answer, as a node leaves out the listing that asks.
package eval

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Collection is a test collection.
type Collection struct {
	Name      string
	Documents []Document
	Queries   []Query
	Notes     []string // what was passed over while reading, for the reader of the figures
}

// Document of a collection. The limits of listings do not apply: it may be of any length, and empty.
type Document struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Text     string   `json:"text"`
	Lang     string   `json:"lang"`
	Keywords []string `json:"keywords"`
}

// Query of a collection, with its judgements.
type Query struct {
	ID     string
	Text   string
	Lang   string      // "" where it is to be found out
	Grades map[int]int // by place of the document in the collection; 0 is judged and found irrelevant
	Absent []int       // the grades above 0 of documents that the collection lacks: part of the ideal answer
	Self   []int       // documents left out of the answer
}

// Bounds of what is read, so that a wrong file is an error and not a full memory.
const (
	maxFile  = 2 << 30
	maxLines = 5_000_000
)

// ReadCollection reads the three files. An error names the file and the line.
func ReadCollection(name string, dir fs.FS) (*Collection, error) {
	c := &Collection{Name: name}
	var err error
	if c.Documents, err = readLines[Document](dir, "docs.jsonl"); err != nil {
		return nil, err
	}
	if len(c.Documents) == 0 {
		return nil, errors.New("docs.jsonl holds no document: give one JSON object a line")
	}
	place := make(map[string]int, len(c.Documents))
	for i, d := range c.Documents {
		if d.ID == "" {
			return nil, fmt.Errorf("docs.jsonl line %d: has no id", i+1)
		}
		if first, ok := place[d.ID]; ok {
			return nil, fmt.Errorf("docs.jsonl line %d: document %q stands in line %d already", i+1, d.ID, first+1)
		}
		place[d.ID] = i
	}
	queries, err := readLines[struct{ ID, Text, Lang string }](dir, "queries.jsonl")
	if err != nil {
		return nil, err
	}
	asked := make(map[string]int, len(queries))
	for i, q := range queries {
		if q.ID == "" {
			return nil, fmt.Errorf("queries.jsonl line %d: has no id", i+1)
		}
		if _, ok := asked[q.ID]; ok {
			c.note("queries.jsonl line %d: query %q stands twice: passed over", i+1, q.ID)
			continue
		}
		asked[q.ID] = len(c.Queries)
		c.Queries = append(c.Queries, Query{ID: q.ID, Text: q.Text, Lang: q.Lang, Grades: make(map[int]int)})
	}
	if err := c.readJudgements(dir, place, asked); err != nil {
		return nil, err
	}
	c.findSelf()
	if len(c.Judged()) == 0 {
		return nil, errors.New("qrels.tsv: no query of queries.jsonl has a relevant document: are the ids those of this collection?")
	}
	return c, nil
}

func (c *Collection) note(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

// Judged are the queries that have a relevant document.
func (c *Collection) Judged() (list []*Query) {
	for i := range c.Queries {
		if q := &c.Queries[i]; len(q.ideal()) > 0 {
			list = append(list, q)
		}
	}
	return list
}

// ideal are the grades above 0, best first.
func (q *Query) ideal() []int {
	grades := slices.Clone(q.Absent)
	for _, g := range q.Grades {
		if g > 0 {
			grades = append(grades, g)
		}
	}
	slices.Sort(grades)
	slices.Reverse(grades)
	return grades
}

// Relevant documents of the query that the collection holds, in order.
func (q *Query) Relevant() (docs []int) {
	for _, d := range slices.Sorted(maps.Keys(q.Grades)) {
		if q.Grades[d] > 0 {
			docs = append(docs, d)
		}
	}
	return docs
}

// readJudgements gives the queries their grades. Where a pair is judged twice, the last line holds.
func (c *Collection) readJudgements(dir fs.FS, place, asked map[string]int) error {
	b, err := readFile(dir, "qrels.tsv")
	if err != nil {
		return err
	}
	absent := make(map[[2]string]int)
	unknown := make(map[string]bool)
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		cells := strings.Split(line, "\t")
		if len(cells) != 3 {
			return fmt.Errorf("qrels.tsv line %d: has %d columns, want query, document, grade", n, len(cells))
		}
		grade, err := strconv.Atoi(cells[2])
		if err != nil {
			return fmt.Errorf("qrels.tsv line %d: grade %q is no whole number", n, cells[2])
		}
		q, ok := asked[cells[0]]
		if !ok {
			unknown[cells[0]] = true
			continue
		}
		if d, ok := place[cells[1]]; ok {
			c.Queries[q].Grades[d] = grade
		} else {
			absent[[2]string{cells[0], cells[1]}] = grade
		}
	}
	lost := 0
	for _, key := range slices.SortedFunc(maps.Keys(absent), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		if grade := absent[key]; grade > 0 {
			q := &c.Queries[asked[key[0]]]
			q.Absent = append(q.Absent, grade)
			lost++
		}
	}
	if lost > 0 {
		c.note("qrels.tsv: %d relevant documents are not in docs.jsonl: they count as not found", lost)
	}
	if len(unknown) > 0 {
		c.note("qrels.tsv: judgements of %d queries that are not in queries.jsonl: passed over", len(unknown))
	}
	return nil
}

// minSelf is how long, in bytes, a document must be for a query that holds it to be asked with it.
const minSelf = 200

// findSelf finds the queries that are documents.
func (c *Collection) findSelf() {
	byStart := make(map[string][]int) // the first bytes of a document's text
	for i, d := range c.Documents {
		if t := squeeze(d.Text); len(t) >= minSelf {
			byStart[t[:minSelf]] = append(byStart[t[:minSelf]], i)
		}
	}
	found := 0
	for i := range c.Queries {
		q := &c.Queries[i]
		text := squeeze(q.Text)
		for at := 0; at+minSelf <= len(text); at++ {
			if at > 0 && text[at-1] != ' ' {
				continue
			}
			for _, d := range byStart[text[at:at+minSelf]] {
				_, judged := q.Grades[d]
				if !judged && !slices.Contains(q.Self, d) && strings.HasPrefix(text[at:], squeeze(c.Documents[d].Text)) {
					q.Self = append(q.Self, d)
				}
			}
		}
		if len(q.Self) > 0 {
			found++
		}
	}
	if found > 0 {
		c.note("%d queries hold a whole document: it is left out of their own answer", found)
	}
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

func readFile(dir fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(dir, name)
	if err != nil {
		return nil, fmt.Errorf("a collection is docs.jsonl, queries.jsonl and qrels.tsv in one folder: %w", err)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s has %d bytes, at most %d can be read", name, info.Size(), maxFile)
	}
	return fs.ReadFile(dir, name)
}

func readLines[T any](dir fs.FS, name string) (list []T, err error) {
	b, err := readFile(dir, name)
	if err != nil {
		return nil, err
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	n := 0
	for line := range bytes.Lines(b) {
		if n++; n > maxLines {
			return nil, fmt.Errorf("%s has more than %d lines", name, maxLines)
		}
		if !utf8.Valid(line) {
			return nil, fmt.Errorf("%s line %d: is not UTF-8", name, n)
		}
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			return nil, fmt.Errorf("%s line %d: %w", name, n, err)
		}
		list = append(list, v)
	}
	return list, nil
}
