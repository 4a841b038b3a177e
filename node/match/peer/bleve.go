package main

import (
	"context"
	"fmt"

	"github.com/blevesearch/bleve/v2"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/en" // the analyzer “en”
	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/query"
	index "github.com/blevesearch/bleve_index_api"
)

// layout of a document: all in one text field, or title and body apart, which serves bleve better.
type layout int

const (
	oneField layout = iota
	twoFields
)

func (l layout) String() string { return [...]string{"one field", "title and body"}[l] }

// engine is a bleve index on disk. Nothing is stored but what is needed to find and rank.
type engine struct {
	index  bleve.Index
	batch  *bleve.Batch
	layout layout
}

// batchSize is the number of documents indexed at once: about the fastest.
const batchSize = 1000

type document struct {
	Title string `json:"title"`
	Body  string `json:"body"`
}

func open(dir string, l layout) (*engine, error) {
	x, err := bleve.New(dir, mappingOf(l))
	if err != nil {
		return nil, err
	}
	return &engine{index: x, batch: x.NewBatch(), layout: l}, nil
}

func mappingOf(l layout) *mapping.IndexMappingImpl {
	m := bleve.NewIndexMapping()
	m.ScoringModel = index.BM25Scoring
	m.DefaultAnalyzer = "en"
	d := bleve.NewDocumentStaticMapping()
	names := []string{"body"}
	if l == twoFields {
		names = append(names, "title")
	}
	for _, name := range names {
		f := bleve.NewTextFieldMapping()
		f.Analyzer = "en"
		f.Store, f.IncludeTermVectors, f.IncludeInAll, f.DocValues = false, false, false, false
		d.AddFieldMappingsAt(name, f)
	}
	m.DefaultMapping = d
	return m
}

// parameters of BM25 are variables of bleve's package.
func parameters(k1, b float64) { search.BM25_k1, search.BM25_b = k1, b }

func (e *engine) add(id, title, text string) error {
	d := document{Title: title, Body: text}
	if e.layout == oneField {
		d = document{Body: title + " " + text}
	}
	if err := e.batch.Index(id, d); err != nil {
		return err
	}
	if e.batch.Size() >= batchSize {
		return e.flush()
	}
	return nil
}

func (e *engine) flush() error {
	err := e.index.Batch(e.batch)
	e.batch = e.index.NewBatch()
	return err
}

// find the ids of the n best documents.
func (e *engine) find(ctx context.Context, text string, n int) (ids []string, err error) {
	body := bleve.NewMatchQuery(text)
	body.SetField("body")
	var q query.Query = body
	if e.layout == twoFields {
		title := bleve.NewMatchQuery(text)
		title.SetField("title")
		q = bleve.NewDisjunctionQuery(body, title)
	}
	r, err := e.index.SearchInContext(ctx, bleve.NewSearchRequestOptions(q, n, 0, false))
	if err != nil {
		return nil, fmt.Errorf("bleve: %w", err)
	}
	for _, h := range r.Hits {
		ids = append(ids, h.ID)
	}
	return ids, nil
}
