package bench

import (
	"context"

	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/protocol"
)

// engine is the match engine as a node uses it.
type engine struct{ x *match.Index }

// openEngine opens what dir holds of an index.
func openEngine(dir string) (*engine, error) {
	x, err := match.Open(match.Options{Weights: match.DefaultWeights(), Lexicon: lexicon.Builtin(), Dir: dir})
	if err != nil {
		return nil, err
	}
	return &engine{x}, nil
}

// load puts listings 0 to n−1 in, the fastest way there is.
func (e *engine) load(ctx context.Context, n int, listing func(i int) (match.Ref, *protocol.Listing)) error {
	err := e.x.AddAll(ctx, func(yield func(match.Document) bool) {
		for i := range n {
			if !yield(match.DocumentOf(listing(i))) {
				return
			}
		}
	})
	e.x.Settle()
	return err
}

// learn what is learnt from the whole catalogue, where that is due.
func (e *engine) learn(ctx context.Context) error {
	err := e.x.Upkeep(ctx)
	e.x.Settle()
	return err
}

// apply makes changes together, as a node's worker does.
func (e *engine) apply(changes []match.Change) { e.x.Apply(changes...) }

// match answers as a node does: ten hits with their explanation.
func (e *engine) match(ctx context.Context, q match.Query) (match.Answer, error) {
	return e.x.Match(ctx, q)
}

func (e *engine) complete(typed string) (found bool) {
	return len(e.x.Suggest(typed, match.DefaultLimit)) > 0
}

func (e *engine) len() int { return e.x.Len() }

func (e *engine) close() error { return e.x.Close() }
