// Package match finds the listings that answer a text or another listing, ranks them and says why. It is an index in
// memory with no clock, no files and no knowledge of networks.
//
// # Documents
//
// A listing is one document with three fields: title, keywords, and abstract, which holds the value statement too. The
// texts of all its languages stand in the same fields. A text is brought to NFKC and split into terms: runs of letters,
// marks and digits, in lower case. In English, and in the languages that are not written in Latin letters, words of a to
// z become English stems (Snowball) and stop words are left out; other Latin-script languages keep their words and
// accents. Runs of Thai, Lao, Khmer, Burmese and Han characters become overlapping pairs of clusters, a cluster being a
// base character with its marks.
//
// # Ranking
//
// The score is BM25F over single terms, and over pairs of terms that are neighbours in a text of the query and of the
// document:
//
//	score(d) =     Σ terms t   qtf(t) · idf(t) · s(t, d)
//	         + w · Σ pairs ab  qtf(ab) · (idf(a) + idf(b)) · s(ab, d)
//
//	s(t, d) = tf / (tf + k1·(1 − b + b·len(d)/avg))
//	tf      = 3·(times in title) + 3·(times in keywords) + 1·(times in abstract)
//	len(d)  = the same sum over the numbers of terms in the fields; avg is its mean over the catalogue
//	idf(t)  = ln(1 + (N − df + ½)/(df + ½)), N documents that could have t, of which df do
//	qtf     = times in the query
//
// A listing that asks has several languages, which say the same thing: a document's score is the best that one of them
// gives it. Added up, they would prefer listings in the same two languages to those that fit.
//
// The documents that could have a term are those with a text in the language of its script (Thai, Lao, Khmer, Burmese,
// Chinese, Tamil), or in the language of the asking text where that is written in Latin letters and not English; for all
// other terms they are all documents. Counted against all, the commonest words of a language that few listings have
// would look rare.
//
// Here k1 = 1.2, b = 0.75 and w = 0.15 (DefaultWeights). A query's words are looked up as English stems and as written,
// because its language is not relied on. Pairs are not indexed: they are counted in the Depth best documents by terms
// alone, which are all that a caller can page through, and a pair's idf is what it would be were its terms independent.
// That is within .001 nDCG@10 of an index of pairs with their true idf (mean of cranfield, nfcorpus, cacm and
// sbir_offers), and saves more memory than the index of terms takes.
//
// # Equal answers
//
// The answer depends on the query, the weights and the catalogue, never on the order in which listings arrived, were
// revised or removed, nor on the processor: sums run in the order of the terms, counts are exact integers, products are
// never fused with additions, and the logarithm is our own. Answer.Ranker names weights and catalogue, so that two nodes
// can tell that they must agree.
package match
