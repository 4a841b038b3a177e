package match

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/node/match/suggest"
)

// Suggest completes what is being typed, from the keywords and titles of the catalogue: at most n, the most frequent first.
func (x *Index) Suggest(typed string, n int) []suggest.Suggestion {
	return x.snap.Load().words.Complete(typed, n)
}

// listingsALook spaces the trainings of a catalogue that changes a little now and then: one of a million listings takes
// most of a minute, and is worth it every few hours.
const listingsALook = 2000

// learn makes topics and vocabulary anew, where the catalogue has changed enough, or has not changed since the last look:
// so nodes that hold the same for a while rank the same, whenever each of them learnt last.
func (x *Index) learn(ctx context.Context) error {
	x.writing.Lock()
	s := x.snap.Load()
	quiet := x.looked == s.set && x.looks*listingsALook >= s.live
	x.looked = s.set
	x.looks++
	x.writing.Unlock()
	if s.live >= fewestTrained && (changed(s.live, s.trainedOn) || quiet && s.trained != s.set) {
		return x.Train(ctx)
	}
	if changed(s.live, s.spelledOn) || quiet && s.named != s.set {
		x.spell()
	}
	return nil
}

// fewestTrained is the number of documents from which topics are worth the while.
const fewestTrained = 100

// changed reports whether a catalogue of now documents is more than a tenth larger or smaller than it was.
func changed(now, then int) bool { return 10*now > 11*then || 11*now < 10*then || then == 0 && now > 0 }

// spell makes the vocabulary anew.
func (x *Index) spell() {
	x.training.Lock()
	defer x.training.Unlock()
	s := x.snap.Load()
	words := suggest.Build(func(yield func(suggest.Entry) bool) {
		for _, p := range s.parts {
			more := true
			p.seg.Surfaces("", func(phrase string, docs int) bool {
				more = yield(suggest.Entry{Phrase: phrase, Count: docs})
				return more
			})
			if !more {
				return
			}
		}
	}, suggest.Options{})
	names := lexicon.NewNames(s.latinTerms())
	x.writing.Lock()
	defer x.writing.Unlock()
	next := *x.snap.Load()
	next.words, next.names, next.spelledOn, next.named = words, names, s.live, s.set
	x.snap.Store(&next)
}

// mostNames is how many terms are kept to find names by their sound.
const mostNames = 200_000

// latinTerms are the most frequent terms that all languages share.
func (s *snapshot) latinTerms() []string {
	df := make(map[string]int)
	for _, p := range s.parts {
		for t := range p.seg.Terms() {
			if term := p.seg.TermString(uint32(t)); len(term) >= 4 && term[0] >= 'a' && term[0] <= 'z' && spaceOf(term) == common {
				if n := p.df(uint32(t)); n > 0 {
					df[term] += n
				}
			}
		}
	}
	list := slices.SortedFunc(maps.Keys(df), func(a, b string) int { return cmp.Or(df[b]-df[a], cmp.Compare(a, b)) })
	list = list[:min(mostNames, len(list))]
	for i, t := range list {
		list[i] = strings.Clone(t)
	}
	return list
}
