package match

import (
	"context"
	"math"
	"os"
	"testing"
	"testing/fstest"
	"time"
)

func TestQualityFloor(t *testing.T) {
	// A little below what is measured: nDCG@10 .4026, .3303, .5369, .9023; without bigrams .3932, .3297, .5294, .8969.
	for name, floor := range map[string]float64{"cranfield": 0.400, "nfcorpus": 0.329, "cacm": 0.535, "sbir_offers": 0.895} {
		dir := "../../../shared/data/" + name
		if _, err := os.Stat(dir); err != nil {
			t.Skipf("no test collections: %s is absent", dir)
		}
		c, err := ReadCollection(os.DirFS(dir))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Evaluate(context.Background(), c, DefaultWeights(), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %v", name, r)
		if r.NDCG10 < floor {
			t.Errorf("%s: nDCG@10 %.4f is below %.3f", name, r.NDCG10, floor)
		}
	}
}

// Two documents answer q: found first (grade 1) and third (grade 2), a third (grade 1) is not found. p has no answer.
func TestEvaluate(t *testing.T) {
	c, err := ReadCollection(fstest.MapFS{
		"docs.jsonl": {Data: []byte(`{"id":"a","title":"pump pump","text":""}
{"id":"b","title":"pump","text":"of a kind"}
{"id":"c","title":"","text":"pump with much else to say"}
{"id":"d","title":"","text":""}
{"id":"e","title":"valve","text":"x"}`)},
		"queries.jsonl": {Data: []byte(`{"id":"q","text":"the pumps"}` + "\n" + `{"id":"p","text":"valve"}` + "\n")},
		"qrels.tsv":     {Data: []byte("q\ta\t1\nq\tb\t0\nq\tc\t2\nq\td\t1\np\te\t0\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(0, 0)
	clock := func() time.Time {
		now = now.Add(1500 * time.Microsecond)
		return now
	}
	r, err := Evaluate(context.Background(), c, DefaultWeights(), clock)
	if err != nil {
		t.Fatal(err)
	}
	// dcg = 1/1 + 0 + 2/2 = 2; ideal = 2 + 1/log2(3) + 1/2; MAP = (1/1 + 2/3)/3; R = 2/3
	want := 2 / (2.5 + 1/math.Log2(3))
	if math.Abs(r.NDCG10-want) > 1e-12 {
		t.Errorf("nDCG@10 %v, want %v", r.NDCG10, want)
	}
	if got, want := r.String(), "nDCG@10 0.6388 MAP 0.5556 R@100 0.6667 p50 1.50ms p99 1.50ms"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestReadCollectionSaysWhere(t *testing.T) {
	good := fstest.MapFS{"docs.jsonl": {Data: []byte(`{"id":"a"}`)}, "queries.jsonl": {}, "qrels.tsv": {Data: []byte("q\ta\t1")}}
	if _, err := ReadCollection(good); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ file, data, want string }{
		{"docs.jsonl", "{}\n{", "docs.jsonl line 2: unexpected end of JSON input"},
		{"docs.jsonl", "{\"id\":\"a\"}\n{\"id\":\"a\"}", `docs.jsonl: document "a" stands twice`},
		{"qrels.tsv", "q\ta\t1\nq\ta", "qrels.tsv line 2: has 2 columns, want question, document, grade"},
		{"qrels.tsv", "q\ta\tx", `qrels.tsv line 1: grade: strconv.Atoi: parsing "x": invalid syntax`},
	}
	for _, tt := range tests {
		dir := fstest.MapFS{}
		for name, f := range good {
			dir[name] = f
		}
		dir[tt.file] = &fstest.MapFile{Data: []byte(tt.data)}
		if _, err := ReadCollection(dir); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
	for name := range good {
		dir := fstest.MapFS{"docs.jsonl": good["docs.jsonl"], "queries.jsonl": good["queries.jsonl"], "qrels.tsv": good["qrels.tsv"]}
		delete(dir, name)
		if _, err := ReadCollection(dir); err == nil {
			t.Errorf("reads a collection without %s", name)
		}
	}
}
