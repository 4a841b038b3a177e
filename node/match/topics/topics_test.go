package topics

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"
)

// fields are catalogues of made-up words. A document is about one of sixty things of one field; each thing has two names,
// car and auto, that never stand in one document, but in the same company.
func fields(n, fields int) []Doc {
	r := random{7}
	docs := make([]Doc, n)
	for i := range docs {
		field, thing, seen := i%fields, r.next()%60, map[string]bool{}
		name := "car"
		if r.next()%2 == 0 {
			name = "auto"
		}
		words := []string{fmt.Sprintf("%s%d.%d", name, field, thing)}
		for range 6 {
			words = append(words, fmt.Sprintf("f%dt%dw%d", field, thing, r.next()%6))
			words = append(words, fmt.Sprintf("f%dw%d", field, r.next()%40))
			words = append(words, fmt.Sprintf("common%d", r.next()%200))
		}
		for _, w := range words {
			if !seen[w] {
				seen[w] = true
				docs[i].Terms = append(docs[i].Terms, Term{w, ImpactWeight(uint8(80 + r.next()%100))})
			}
		}
	}
	return docs
}

func train(t testing.TB, docs []Doc, opt Options) *Model {
	t.Helper()
	m, err := Train(context.Background(), docs, opt)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// cosine of a query and a document of these terms.
func cosine(m *Model, query, doc []Term) float64 {
	v := m.Fold(doc)
	return m.Query(query, []Vector{v}).Cosine(&v)
}

func TestSynonymsAreNear(t *testing.T) {
	m := train(t, fields(900, 1), Options{})
	word := func(w string) []Term { return []Term{{w, CountWeight(1)}} }
	doc := []Term{{"auto0.2", 1}, {"f0w0", 1}, {"f0w12", 1}, {"common30", 1}}
	same, other := cosine(m, word("car0.2"), doc), cosine(m, word("car0.3"), doc)
	if same < 0.2 || other > same/2 {
		t.Errorf("cosine of car0.2 with a document of auto0.2 = %.3f, of car0.3 = %.3f: want the first near and the second far", same, other)
	}
	v := m.Fold([]Term{{"nobody knows this", 1}})
	if got := m.Query(doc, nil).Score(&v); got != 0 {
		t.Errorf("score of a document without known terms = %v, want 0", got)
	}
	if got := m.Query(nil, nil).Score(new(m.Fold(doc))); got != 0 {
		t.Errorf("score of an empty query = %v, want 0", got)
	}
}

func TestDocumentIsNearItself(t *testing.T) {
	docs := fields(900, 3)
	m := train(t, docs, Options{DocsPerCluster: 300})
	for i, d := range docs {
		if got := cosine(m, d.Terms, d.Terms); got < 0.999 {
			t.Fatalf("cosine of document %d with itself = %v, want almost 1", i, got)
		}
	}
}

func TestClustersAreFields(t *testing.T) {
	const n = 4
	docs := fields(2000, n)
	m := train(t, docs, Options{DocsPerCluster: 200})
	of := make([][n]int, m.Clusters())
	for i, d := range docs {
		v := m.Fold(d.Terms)
		of[v.Cluster()][i%n]++
	}
	pure := 0
	for _, count := range of {
		pure += slices.Max(count[:])
	}
	if pure < 1900 {
		t.Errorf("%d of 2000 documents are of the field that most in their cluster are of, want 1900 or more: %v", pure, of)
	}
}

func TestVotesDecide(t *testing.T) {
	m := train(t, fields(1500, 3), Options{DocsPerCluster: 300})
	near, far := m.Fold([]Term{{"f0t0w0", 1}, {"auto0.0", 1}}), m.Fold([]Term{{"f1t0w0", 1}, {"auto1.0", 1}})
	if near.Cluster() == far.Cluster() {
		t.Fatal("two fields in one cluster: the test tests nothing")
	}
	q := m.Query([]Term{{"f0t0w0", 1}, {"f1t0w0", 1}}, []Vector{near, near, near})
	if got := q.Factor(near.Cluster()); got != 1 {
		t.Errorf("factor of the cluster with all votes = %v, want 1", got)
	}
	if got := q.Factor(far.Cluster()); got != 0.5 {
		t.Errorf("factor of a cluster without votes = %v, want ½", got)
	}
	if got, want := q.Score(&far), 0.5*q.Cosine(&far); got != want || got <= 0 {
		t.Errorf("score = %v, want %v, above 0", got, want)
	}
	for _, c := range []int{-1, 255} {
		if got := q.Factor(c); got != 0 {
			t.Errorf("Factor(%d) = %v, want 0", c, got)
		}
	}
}

// Not parallel: it changes GOMAXPROCS.
func TestSameBitsAlways(t *testing.T) {
	docs := fields(1200, 3) // more than one block of rows
	opt := Options{Seed: 3, DocsPerCluster: 400}
	want := train(t, docs, opt)
	for _, procs := range []int{1, 2} {
		before := runtime.GOMAXPROCS(procs)
		got := train(t, docs, opt)
		runtime.GOMAXPROCS(before)
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("with GOMAXPROCS %d the model differs", procs)
		}
	}
	shuffled := slices.Clone(docs)
	for i := range shuffled {
		terms := slices.Clone(docs[i].Terms)
		slices.Reverse(terms)
		shuffled[i].Terms = terms
		if a, b := want.Fold(terms), want.Fold(docs[i].Terms); a != b {
			t.Fatalf("the order of document %d's terms changes its vector", i)
		}
	}
	if got := train(t, shuffled, opt); got.Digest() != want.Digest() {
		t.Error("the order of terms within documents changes the model")
	}
	opt.Seed++
	if got := train(t, docs, opt); got.Digest() == want.Digest() {
		t.Error("another seed gives the same model")
	}
}

func TestFoldNumbers(t *testing.T) {
	docs := fields(600, 2)
	m := train(t, docs, Options{DocsPerCluster: 300})
	for _, d := range docs[:100] {
		var numbers []uint32
		var weights []float32
		for _, term := range d.Terms {
			n, _ := m.Number(term.Term)
			numbers, weights = append(numbers, n), append(weights, term.Weight)
		}
		numbers, weights = append(numbers, Unknown), append(weights, 1)
		if got, want := m.FoldNumbers(numbers, weights), m.Fold(d.Terms); got != want {
			t.Fatalf("by numbers %v, by terms %v", got, want)
		}
	}
}

// With so few terms that all pairs are looked at, those of negative share are all that is left out.
func TestPairsSumToTheCosine(t *testing.T) {
	docs := fields(600, 2)
	m := train(t, docs, Options{DocsPerCluster: 600})
	few := func(d Doc) []Term { return d.Terms[:min(sides, len(d.Terms))] }
	for i := range docs[:100] {
		query, doc := few(docs[i]), few(docs[(i+2)%len(docs)])
		v := m.Fold(doc)
		q := m.Query(query, []Vector{v})
		negative := 0.0
		a, b := m.whole(q.terms, v.Cluster()), m.whole(m.known(nil, doc), v.Cluster())
		for _, x := range q.terms {
			for _, y := range m.known(nil, doc) {
				negative += min(0, m.product(x, v.Cluster(), m.whole([]numbered{y}, v.Cluster()))/(length(a)*length(b)))
			}
		}
		pairs, rest := q.Pairs(doc, &v, 1000)
		sum := 0.0
		for k, p := range pairs {
			sum += p.Share
			if k > 0 && p.Share > pairs[k-1].Share {
				t.Errorf("document %d: pair %d weighs more than the one before", i, k)
			}
		}
		if got := q.Cosine(&v); math.Abs(sum+negative-got) > 0.01 {
			t.Errorf("document %d: the pairs sum to %v, the cosine, coded in bytes, is %v", i, sum+negative, got)
		}
		if got := sum + rest; math.Abs(got-q.Cosine(&v)) > 1e-9 {
			t.Errorf("document %d: pairs and rest sum to %v, the cosine is %v", i, got, q.Cosine(&v))
		}
	}
}

func TestPairsNameSynonyms(t *testing.T) {
	m := train(t, fields(900, 1), Options{})
	doc := []Term{{"auto0.2", 1}, {"f0w3", 0.5}, {"f0w7", 0.5}}
	v := m.Fold(doc)
	pairs, _ := m.Query([]Term{{"car0.2", 1}}, nil).Pairs(doc, &v, 1)
	if len(pairs) != 1 || pairs[0].Query != "car0.2" || pairs[0].Doc != "auto0.2" || pairs[0].Share <= 0 {
		t.Errorf("heaviest pair = %v, want car0.2 and auto0.2", pairs)
	}
}

func TestSmallCatalogues(t *testing.T) {
	for _, n := range []int{0, 1, 3, 4, 40} {
		docs := fields(n, 2)
		m := train(t, docs, Options{})
		for _, d := range docs {
			if got := cosine(m, d.Terms, d.Terms); !(got >= 0 && got <= 1) {
				t.Errorf("%d documents: cosine %v", n, got)
			}
		}
	}
	same := make([]Doc, 500)
	for i := range same {
		same[i] = Doc{[]Term{{"one", 1}, {"word", 1}}}
	}
	m := train(t, same, Options{DocsPerCluster: 100})
	if got := cosine(m, same[0].Terms, same[0].Terms); !(got >= 0 && got <= 1) {
		t.Errorf("equal documents: cosine %v", got)
	}
}

func TestTrainRefuses(t *testing.T) {
	if _, err := Train(context.Background(), make([]Doc, MaxDocs+1), Options{}); err == nil {
		t.Error("too many documents are taken")
	}
	if _, err := Train(context.Background(), []Doc{{make([]Term, maxDocTerms+1)}}, Options{}); err == nil {
		t.Error("a document of too many terms is taken")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, per := range []int{100, 10_000} {
		if _, err := Train(ctx, fields(300, 2), Options{DocsPerCluster: per}); !errors.Is(err, context.Canceled) {
			t.Errorf("error of a training that was called off: %v", err)
		}
	}
}

func TestStrangeWeights(t *testing.T) {
	docs := fields(300, 2)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for i := range docs {
		docs[i].Terms = append(docs[i].Terms, Term{"car0.0", nan}, Term{"x", inf}, Term{"y", -1}, Term{"", 1}, Term{"z", 1e30})
	}
	m := train(t, docs, Options{})
	for _, w := range []float32{nan, inf, -inf, -1, 0, 1e30} {
		if v := m.Fold([]Term{{"car0.0", w}}); v != (Vector{}) {
			t.Errorf("weight %v counts", w)
		}
	}
	for _, n := range []float64{math.NaN(), -1, 0} {
		if got := CountWeight(n); got != 0 {
			t.Errorf("CountWeight(%v) = %v, want 0", n, got)
		}
	}
	if got := CountWeight(math.Inf(1)); !(got > 0 && got < 20) {
		t.Errorf("CountWeight(+Inf) = %v", got)
	}
}

func TestLogarithm(t *testing.T) {
	for x := 1.0; x < 1e9; x *= 1.37 {
		if got, want := Ln(x), math.Log(x); math.Abs(got-want) > 1e-13*(1+want) {
			t.Errorf("Ln(%v) = %v, want %v", x, got, want)
		}
	}
}

func TestEigen(t *testing.T) {
	r := random{1}
	const n = 20
	a, kept := square(n), square(n)
	for i := range n {
		for j := range i + 1 {
			x := float64(r.float())
			a[i][j], a[j][i], kept[i][j], kept[j][i] = x, x, x, x
		}
	}
	values, vectors := eigen(a)
	for k := range n {
		if k > 0 && values[k] > values[k-1] {
			t.Errorf("value %d is greater than the one before", k)
		}
		for i := range n {
			sum := 0.0
			for j := range n {
				sum += kept[i][j] * vectors[j][k]
			}
			if want := values[k] * vectors[i][k]; math.Abs(sum-want) > 1e-9 {
				t.Errorf("(A·v)[%d] = %v for value %d, want %v", i, sum, k, want)
			}
		}
	}
}
