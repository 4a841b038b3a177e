// Package match finds the listings that answer a text or another listing, ranks them and says why. It has no clock, and no
// knowledge of networks; what it keeps in files can be made anew from the catalogue.
//
// # Documents
//
// A listing is one document with three fields: title, keywords, and abstract, which holds the value statement too. Its
// texts are split into terms by package text: English stems, which all languages share, and the words of each language in
// a space of their own. What is not said in English is translated, word by word and with all meanings, by package lexicon:
// so a question in one language finds listings in any other. A document's languages say the same thing, so a term counts
// as in the text where it weighs most:
//
//	impact(t, d) = tf / (tf + k1·(1 − b + b·len(d)/reference)), from 1 to 255 for 0 to 1
//	tf           = 3·(times in title) + 3·(times in keywords) + 1·(times in abstract), of meanings times their weight
//
// The reference length is a constant, so that a score does not drift with the catalogue.
//
// # Ranking
//
// Stage one scores every document by BM25F, from the impacts:
//
//	score(d) = Σ words w   times(w) · max over forms f of w: idf(f) · impact(f, d)
//
// A word's forms are its term in its own language, and its meanings in English together (a probabilistic structured query:
// frequencies are summed up by the weight of the meaning, and so are document frequencies). The sum is of integers, so its
// order does not matter. Each language of a listing that asks scores by itself; the best counts.
//
// Stage two scores the best thousand by what is too dear for all: pairs of neighbouring words (pairs.go), terms that the
// ten best documents share, latent semantic indexing by cluster (package topics), shared subject codes, and what fits
// otherwise. The score is the weighted sum of these parts, each divided by its greatest value among the candidates. A part
// that gains nothing on collections that it was not tuned on is not there; see docs/benchmarks.md. The weights are in
// weights.json.
//
// How good a match is by itself is told by the part of the query's weight that it fulfils (Hit.Strength, Verdict).
//
// # Index
//
// The index is a list of immutable segments (package segment), merged in the background by size, those of some thousand
// documents kept in files and mapped. Every change makes a new snapshot: a query sees one, and waits for nobody. Removed
// documents correct every count at once. After a crash the segments that were not written yet are missing; Reconcile puts
// in again what the catalogue has and the index has not.
//
// # Equal answers
//
// The answer depends on the query, the weights, the lexicon, the trained topics and the catalogue, never on the order in
// which listings arrived, were revised or removed, nor on the processor: sums are of integers or run in the order of the
// terms, products are never fused with additions, and the logarithm is our own. Answer.Ranker names all of these, so that
// two nodes can tell that they must agree.
package match
