package eval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/protocol"
)

// Options of the engine under test.
type Options struct {
	Weights match.Weights
	Lexicon *lexicon.Lexicon // nil: the engine knows no language but the words as written
}

// Engine is the match engine over a catalogue's documents.
type Engine struct {
	x     *match.Index
	docs  []Document
	timed bool // Rank measures how long an answer takes
}

const origin = "collection"

func refOf(doc int) match.Ref {
	return match.Ref{Origin: origin, ID: protocol.ListingID(fmt.Sprintf("%08d", doc))}
}

func docOf(r match.Ref) (int, error) { return strconv.Atoi(string(r.ID)) }

// NewEngine indexes documents and trains what the engine learns from them.
func NewEngine(ctx context.Context, docs []Document, o Options, p *Progress) (*Engine, error) {
	e := &Engine{x: match.New(match.Options{Weights: o.Weights, Lexicon: o.Lexicon}), docs: docs, timed: true}
	err := e.x.AddAll(ctx, func(yield func(match.Document) bool) {
		for i := range docs {
			p.Step("%d of %d documents", i+1, len(docs))
			if !yield(e.document(i)) {
				return
			}
		}
	})
	if err == nil {
		p.Step("training")
		err = e.x.Train(ctx)
	}
	p.Done()
	if err != nil {
		return nil, errors.Join(err, e.x.Close())
	}
	return e, nil
}

func (e *Engine) document(i int) match.Document {
	d := &e.docs[i]
	lang := protocol.Lang(d.Lang)
	if lang == "" {
		lang = "en"
	}
	return match.Document{Ref: refOf(i), Texts: []match.DocText{{Lang: lang, Title: d.Title, Keywords: d.Keywords, Abstract: d.Text}}}
}

// Close frees what the engine holds.
func (e *Engine) Close() { _ = e.x.Close() } // in memory: nothing can fail to be written

// Remove takes documents out of the catalogue until Restore.
func (e *Engine) Remove(docs []int) {
	changes := make([]match.Change, 0, len(docs))
	for _, d := range docs {
		changes = append(changes, match.Change{Ref: refOf(d)})
	}
	e.x.Apply(changes...)
}

// Restore brings removed documents back.
func (e *Engine) Restore(docs []int) {
	list := make([]match.Document, 0, len(docs))
	for _, d := range docs {
		list = append(list, e.document(d))
	}
	e.x.Add(list...)
}

// asked makes a query of a text, which is cut at the limit of a query.
func asked(text, lang string) match.Query {
	if utf8.RuneCountInString(text) > match.MaxText {
		text = string([]rune(text)[:match.MaxText])
	}
	return match.Query{Text: text, Lang: protocol.Lang(lang)}
}

// Rank implements Ranker. The time is that of an answer as users get it: ten hits, explained.
func (e *Engine) Rank(ctx context.Context, q *Query) (docs []int, took time.Duration, err error) {
	query := asked(q.Text, q.Lang)
	if e.timed {
		start := time.Now()
		if _, err = e.x.Match(ctx, query); err != nil {
			return nil, 0, err
		}
		took = time.Since(start)
	}
	docs, err = e.rank(ctx, query, match.Depth)
	return docs, took, err
}

// rank without folding near-duplicates.
func (e *Engine) rank(ctx context.Context, q match.Query, depth int) (docs []int, err error) {
	ranked, err := e.x.Rank(ctx, q, depth)
	for _, r := range ranked {
		d, err := docOf(r.Ref)
		if err != nil {
			return nil, err
		}
		docs = append(docs, d)
	}
	return docs, err
}

// Hit is a document found, and why.
type Hit struct {
	Doc      int
	Score    float64
	Sentence string
}

// Answer gives the first n hits, and how strong the best of them is by itself: 0 to 1.
func (e *Engine) Answer(ctx context.Context, text, lang string, n int) (hits []Hit, strength float64, err error) {
	query := asked(text, lang)
	query.Limit = n
	a, err := e.x.Match(ctx, query)
	if err != nil {
		return nil, 0, err
	}
	for _, h := range a.Hits {
		d, err := docOf(h.Ref)
		if err != nil {
			return nil, 0, err
		}
		hits = append(hits, Hit{Doc: d, Score: h.Score, Sentence: h.Explanation.Sentence})
		strength = max(strength, h.Strength)
	}
	return hits, strength, nil
}

// parts of the ranking that have a weight of their own, and are on.
func parts(w match.Weights) []string { return w.Parts() }

// without is w with a part switched off.
func without(w match.Weights, part string) match.Weights { return w.Without(part) }

// weight of a part by its name in the file of weights.
func weight(w match.Weights, part string) float64 {
	v, _ := fieldsOf(w)[part].(float64)
	return v
}

// set gives a part another weight.
func set(w match.Weights, part string, to float64) match.Weights {
	m := fieldsOf(w)
	m[part] = to
	b, err := json.Marshal(m)
	if err == nil {
		err = json.Unmarshal(b, &w)
	}
	if err != nil {
		panic(fmt.Sprintf("weights are a flat JSON object: %v", err))
	}
	return w
}

func fieldsOf(w match.Weights) (m map[string]any) {
	b, err := json.Marshal(w)
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		panic(fmt.Sprintf("weights are a flat JSON object: %v", err))
	}
	return m
}
