package eval

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/match/lexicon"
)

func folder(docs, queries, qrels string) fstest.MapFS {
	return fstest.MapFS{"docs.jsonl": {Data: []byte(docs)}, "queries.jsonl": {Data: []byte(queries)}, "qrels.tsv": {Data: []byte(qrels)}}
}

func read(t *testing.T, name, docs, queries, qrels string) *Collection {
	t.Helper()
	c, err := ReadCollection(name, folder(docs, queries, qrels))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func report(out *bytes.Buffer) *Report {
	return &Report{Options: Options{Weights: match.DefaultWeights(), Lexicon: lexicon.Builtin()}, Out: out}
}

const pumpDocs = `{"id":"a","title":"pump pump","text":""}
{"id":"b","title":"pump","text":"of a kind"}
{"id":"c","title":"","text":"pump with much else to say about rivers and hills"}
{"id":"d","title":"","text":""}
{"id":"e","title":"valve","text":"steam"}
`

// Two documents answer q: found first (grade 1) and third (grade 2); d (grade 1) is not found. p has no answer.
func pumps(t *testing.T) *Collection {
	t.Helper()
	return read(t, "pumps", pumpDocs, `{"id":"q","text":"the pumps"}`+"\n"+`{"id":"p","text":"valve"}`+"\n", "q\ta\t1\nq\tb\t0\nq\tc\t2\nq\td\t1\np\te\t0\n")
}

func TestMetricsByHand(t *testing.T) {
	q := &pumps(t).Queries[0]
	var all tally
	all.add(q, []int{0, 1, 2}, 1500*time.Microsecond)
	// dcg = 1/1 + 0 + 2/2 = 2; ideal = 2 + 1/log2(3) + 1/2; MAP = (1/1 + 2/3)/3; R = 2/3
	if want := 2 / (2.5 + 1/math.Log2(3)); math.Abs(all.NDCG10-want) > 1e-12 {
		t.Errorf("nDCG@10 %v, want %v", all.NDCG10, want)
	}
	if got, want := all.result().String(), "nDCG@10 0.6388 MAP 0.5556 R@100 0.6667 p50 1.50ms p99 1.50ms"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	all.add(q, nil, 0) // nothing found: the means halve
	if got, want := all.result().String(), "nDCG@10 0.3194 MAP 0.2778 R@100 0.3333 p50 0.00ms p99 0.00ms"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	// Eleven relevant documents, all but the first found after the tenth rank: only one counts for nDCG, ten for R@100.
	var late tally
	many := &Query{Grades: make(map[int]int)}
	ranked := []int{0}
	for d := range 11 {
		many.Grades[d] = 1
	}
	for d := range 200 {
		ranked = append(ranked, 1000+d)
	}
	for d := 1; d < 10; d++ {
		ranked[20+d] = d
	}
	ranked[150] = 10
	late.add(many, ranked, 0)
	ideal := 0.0
	for i := range 10 {
		ideal += 1 / math.Log2(float64(i+2))
	}
	if r := late.result(); math.Abs(r.NDCG10-1/ideal) > 1e-12 || math.Abs(r.R100-10.0/11) > 1e-12 {
		t.Errorf("nDCG@10 %v, want %v; R@100 %v, want %v", r.NDCG10, 1/ideal, r.R100, 10.0/11)
	}
}

// TestMetricsAgree checks on random rankings what must hold between the measures, and MAP against its definition.
func TestMetricsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 500 {
		q := &Query{Grades: make(map[int]int)}
		n := 1 + r.IntN(120)
		for d := range n {
			q.Grades[d] = max(r.IntN(6)-3, 0)
		}
		q.Grades[r.IntN(n)] = 1 + r.IntN(2)
		of := func(ranked []int) Result {
			var t tally
			t.add(q, ranked, 0)
			return t.result()
		}
		ranked := r.Perm(n)
		got := of(ranked)
		precision := 0.0
		for _, d := range q.Relevant() {
			at := slices.Index(ranked, d)
			precision += float64(len(slices.DeleteFunc(slices.Clone(ranked[:at+1]), func(d int) bool { return q.Grades[d] == 0 }))) / float64(at+1)
		}
		if want := precision / float64(len(q.Relevant())); math.Abs(got.MAP-want) > 1e-12 {
			t.Fatalf("MAP %v, want %v", got.MAP, want)
		}
		best := slices.Clone(ranked)
		slices.SortStableFunc(best, func(a, b int) int { return q.Grades[b] - q.Grades[a] })
		if ideal := of(best); math.Abs(ideal.NDCG10-1) > 1e-12 || math.Abs(ideal.MAP-1) > 1e-12 || ideal.NDCG10 < got.NDCG10-1e-12 || ideal.R100 < got.R100 {
			t.Fatalf("the ideal ranking has %v, another one %v", ideal, got)
		}
		// A relevant document that changes places with an irrelevant one before it makes no measure worse.
		i, j := r.IntN(n), r.IntN(n)
		if i > j {
			i, j = j, i
		}
		if q.Grades[ranked[i]] == 0 && q.Grades[ranked[j]] > 0 {
			ranked[i], ranked[j] = ranked[j], ranked[i]
			if better := of(ranked); better.NDCG10 < got.NDCG10-1e-12 || better.MAP <= got.MAP || better.R100 < got.R100 {
				t.Fatalf("%v after an improvement of %v", better, got)
			}
		}
	}
}

func TestReadCollectionSaysWhere(t *testing.T) {
	good := folder(`{"id":"a"}`, `{"id":"q","text":"x"}`, "q\ta\t1")
	if _, err := ReadCollection("good", good); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ file, data, want string }{
		{"docs.jsonl", "{\"id\":\"a\"}\n{", "docs.jsonl line 2: unexpected end of JSON input"},
		{"docs.jsonl", "{\"id\":\"a\"}\n{\"id\":\"a\"}", `docs.jsonl line 2: document "a" stands in line 1 already`},
		{"docs.jsonl", "{\"id\":\"a\"}\n{}", "docs.jsonl line 2: has no id"},
		{"docs.jsonl", "{\"id\":\"a\"}\n{\"id\":\"\xff\"}", "docs.jsonl line 2: is not UTF-8"},
		{"docs.jsonl", "", "docs.jsonl holds no document: give one JSON object a line"},
		{"queries.jsonl", "{\"id\":\"q\"}\n\n", "queries.jsonl line 2: unexpected end of JSON input"},
		{"queries.jsonl", "{}", "queries.jsonl line 1: has no id"},
		{"qrels.tsv", "q\ta\t1\nq\ta", "qrels.tsv line 2: has 2 columns, want query, document, grade"},
		{"qrels.tsv", "q\ta\tx", `qrels.tsv line 1: grade "x" is no whole number`},
		{"qrels.tsv", "other\ta\t1", "qrels.tsv: no query of queries.jsonl has a relevant document: are the ids those of this collection?"},
	}
	for _, tt := range tests {
		dir := fstest.MapFS{}
		for name, f := range good {
			dir[name] = f
		}
		dir[tt.file] = &fstest.MapFile{Data: []byte(tt.data)}
		if _, err := ReadCollection("bad", dir); err == nil || err.Error() != tt.want {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
	}
	for name := range good {
		dir := folder(`{"id":"a"}`, `{"id":"q","text":"x"}`, "q\ta\t1")
		delete(dir, name)
		if _, err := ReadCollection("bad", dir); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("a collection without %s: %v", name, err)
		}
	}
}

func TestReadCollectionNotes(t *testing.T) {
	c := read(t, "noted", `{"id":"a"}`, `{"id":"q","text":"x"}`+"\n"+`{"id":"q","text":"y"}`, "q\ta\t1\nq\tz\t2\nq\ty\t0\nr\ta\t1\n")
	want := []string{
		`queries.jsonl line 2: query "q" stands twice: passed over`,
		"qrels.tsv: 1 relevant documents are not in docs.jsonl: they count as not found",
		"qrels.tsv: judgements of 1 queries that are not in queries.jsonl: passed over",
	}
	if diff := cmp.Diff(want, c.Notes); diff != "" {
		t.Error(diff)
	}
	if ideal := c.Queries[0].ideal(); !slices.Equal(ideal, []int{2, 1}) {
		t.Errorf("ideal answer %v, want the absent document's grade in it", ideal)
	}
}

// A query that is a document is not answered with that document, unless people judged it.
func TestSelf(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("pump for the water of the upper village ", 6))
	docs := fmt.Sprintf("{\"id\":\"a\",\"title\":\"t\",\"text\":%q}\n{\"id\":\"b\",\"title\":\"pump\",\"text\":\"\"}\n", long)
	queries := fmt.Sprintf("{\"id\":\"q\",\"text\":%q}\n", "A title.  "+strings.ReplaceAll(long, " ", "\n"))
	c := read(t, "self", docs, queries, "q\tb\t1\n")
	r, err := Alone(c).Evaluate(context.Background(), NewBM25(c.Documents, OneField(), nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r[0].MAP != 1 {
		t.Errorf("MAP %v: the document asked with stands before its answer", r[0].MAP)
	}
	judged := read(t, "judged", docs, queries, "q\tb\t1\nq\ta\t0\n")
	if r, err = Alone(judged).Evaluate(context.Background(), NewBM25(c.Documents, OneField(), nil), nil); err != nil || r[0].MAP != 0.5 {
		t.Errorf("MAP %v, %v: a judged document was left out", r[0].MAP, err)
	}
}

// TestBM25 computes scores by hand: three documents of 2, 1 and 3 terms, mean 2.
func TestBM25(t *testing.T) {
	docs := []Document{{Title: "pump", Text: "pump"}, {Text: "pump"}, {Text: "valve steam boiler"}}
	x := NewBM25(docs, OneField(), nil)
	idf := math.Log(1 + (3-2+0.5)/(2+0.5))
	want := []float64{idf * 2 / (2 + 1.2), idf * 1 / (1 + 1.2*(0.25+0.75*0.5)), 0}
	for i, s := range x.score("pumps", "") {
		if math.Abs(s-want[i]) > 1e-12 {
			t.Errorf("document %d scores %v, want %v", i, s, want[i])
		}
	}
	// Title three times: document 0 has tf 4 and length 4 of a mean of 8/3.
	f := NewBM25(docs, ThreeFields(), nil).score("pump", "")
	if want := idf * 4 / (4 + 1.2*(0.25+0.75*4/(8.0/3))); math.Abs(f[0]-want) > 1e-12 {
		t.Errorf("BM25F scores %v, want %v", f[0], want)
	}
	ranked, _, err := x.Rank(context.Background(), &Query{Text: "pump"})
	if err != nil || !slices.Equal(ranked, []int{0, 1}) && !slices.Equal(ranked, []int{1, 0}) {
		t.Errorf("ranked %v, %v", ranked, err)
	}
}

var lastLine = regexp.MustCompile(`^nDCG@10 \d\.\d{4} MAP \d\.\d{4} R@100 \d\.\d{4} p50 \d+\.\d\dms p99 \d+\.\d\dms$`)

func TestOne(t *testing.T) {
	var out bytes.Buffer
	if err := report(&out).One(context.Background(), pumps(t)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if last := lines[len(lines)-1]; !lastLine.MatchString(last) || !strings.Contains(last, " R@100 0.6667 ") {
		t.Errorf("last line %q", last)
	}
}

// rowsOf a table by their first cell.
func rowsOf(out string) map[string][]string {
	rows := make(map[string][]string)
	for line := range strings.Lines(out) {
		cells := regexp.MustCompile(`\s{2,}`).Split(strings.TrimSpace(line), -1)
		rows[cells[0]] = cells[1:]
	}
	return rows
}

// Questions of one collection find the documents of another in the way when both are in one index.
func TestMix(t *testing.T) {
	c := pumps(t)
	other := read(t, "others", `{"id":"a","title":"pump","text":"pump pump"}`+"\n"+`{"id":"b","title":"boiler","text":""}`, `{"id":"q","text":"boiler"}`, "q\tb\t1\n")
	m := Mix([]*Collection{other, c})
	if got := m.Collections[1].Queries[0].Grades; !cmp.Equal(got, map[int]int{2: 1, 3: 0, 4: 2, 5: 1}) {
		t.Errorf("grades %v are not of documents after those of the first collection", got)
	}
	if got := c.Queries[0].Grades; !cmp.Equal(got, map[int]int{0: 1, 1: 0, 2: 2, 3: 1}) {
		t.Errorf("mixing changed the collection: %v", got)
	}
	var out bytes.Buffer
	if err := report(&out).Table(context.Background(), []*Catalogue{m}); err != nil {
		t.Fatal(err)
	}
	rows := rowsOf(out.String())
	if rows["others"][0] != "1.0000" || rows["pumps"][0] >= "0.6388" || rows["mean"] == nil {
		t.Errorf("table\n%s", out.String())
	}
}

// titled is a collection whose answer has the word in its title, and others that have it in their texts.
func titled(t *testing.T, name, word string) *Collection {
	t.Helper()
	return read(t, name, fmt.Sprintf(`{"id":"a","title":"","text":"%[1]s for steam"}
{"id":"b","title":"%[1]s","text":"of some other sort that rivers have"}
{"id":"c","title":"","text":"hills"}
{"id":"d","title":"","text":"fields"}
{"id":"e","title":"","text":"forests"}
`, word), fmt.Sprintf("{\"id\":\"q\",\"text\":%q}\n", word), "q\tb\t1\n")
}

func TestAblate(t *testing.T) {
	var out bytes.Buffer
	c := titled(t, "titled", "pump")
	if err := report(&out).Ablate(context.Background(), []*Catalogue{Alone(c)}); err != nil {
		t.Fatal(err)
	}
	rows := rowsOf(out.String())
	if rows["all parts"][0] != "1.0000" {
		t.Errorf("the title does not bring its document to the top:\n%s", out.String())
	}
	less := rows["without title"]
	if len(less) < 3 || less[0] >= "1.0000" || !strings.HasPrefix(less[2], "-0.") {
		t.Errorf("no loss without titles:\n%s", out.String())
	}
	for _, part := range parts(match.DefaultWeights()) {
		idle := regexp.MustCompile(`(?m)^without effect on these collections: .*\b` + part + `\b`).MatchString(out.String())
		if tested := rows["without "+part] != nil && rows["only "+part] != nil; tested == idle {
			t.Errorf("nothing, or two things, about %s:\n%s", part, out.String())
		}
	}
}

// TestWeights: every part that can be switched off has a weight by that name.
func TestWeights(t *testing.T) {
	w := match.DefaultWeights()
	for _, part := range parts(w) {
		if got := weight(set(w, part, 7), part); got != 7 {
			t.Errorf("%s is %v after it was set to 7", part, got)
		}
		if off := without(w, part); weight(off, part) == weight(w, part) {
			t.Errorf("%s cannot be switched off", part)
		}
	}
	if len(parts(w)) < 3 {
		t.Errorf("only %v can be switched off", parts(w))
	}
}

func TestLeaveOneOut(t *testing.T) {
	var out bytes.Buffer
	a, b, c := Alone(titled(t, "one", "pump")), Alone(titled(t, "two", "valve")), Alone(titled(t, "three", "boiler"))
	if err := report(&out).LeaveOneOut(context.Background(), []*Catalogue{a, b}); err == nil {
		t.Error("two collections are enough to leave one out and choose on one")
	}
	out.Reset()
	if err := report(&out).LeaveOneOut(context.Background(), []*Catalogue{a, b, c}); err != nil {
		t.Fatal(err)
	}
	rows := rowsOf(out.String())
	for _, name := range []string{"one", "two", "three"} {
		// Only a title's weight above that of the abstract answers these, and the other two collections teach it.
		if row := rows[name]; len(row) < 5 || row[0] != "1.0000" || !regexp.MustCompile(`title (0.5|1|2)(,|$)`).MatchString(row[4]) {
			t.Errorf("row of %s: %v\n%s", name, row, out.String())
		}
	}
}

// TestThreshold: queries whose answer is plain, and nothing alike when it is taken away.
func TestThreshold(t *testing.T) {
	var docs, queries, qrels strings.Builder
	for i, w := range strings.Fields("pump valve boiler turbine sensor antenna battery membrane") {
		fmt.Fprintf(&docs, "{\"id\":\"%d\",\"title\":\"%s design\",\"text\":\"a new %s for villages and its design\"}\n", i, w, w)
		fmt.Fprintf(&queries, "{\"id\":\"%d\",\"text\":\"%s design\"}\n", i, w)
		fmt.Fprintf(&qrels, "%d\t%d\t1\n", i, i)
	}
	c := read(t, "plain", docs.String(), queries.String(), qrels.String())
	var out bytes.Buffer
	best, err := report(&out).Threshold(context.Background(), []*Catalogue{Alone(c)})
	if err != nil {
		t.Fatal(err)
	}
	if best <= 0 || best >= 1 || !strings.HasSuffix(out.String(), fmt.Sprintf("best threshold %.3f: right in 1.000\n", best)) {
		t.Errorf("best threshold %v\n%s", best, out.String())
	}
	if rows := rowsOf(out.String()); !slices.Equal(rows["0.000"], []string{"1.000", "0.000", "-", "0.500"}) {
		t.Errorf("at threshold 0 everything is a match: %v", rows["0.000"])
	}
}

// Queries of another collection find nothing in this one, and the verdict “none” is right from the lowest threshold on.
func TestThresholdForeign(t *testing.T) {
	var out bytes.Buffer
	a, b := titled(t, "one", "pump"), titled(t, "two", "valve")
	if _, err := report(&out).Threshold(context.Background(), []*Catalogue{Alone(a), Alone(b)}); err != nil {
		t.Fatal(err)
	}
	row := rowsOf(out.String())["0.025"]
	if len(row) != 7 || row[0] != "1.000" || row[2] != "1.000" || row[5] != "1.000" {
		t.Errorf("row %v of\n%s", row, out.String())
	}
}

func TestRemoveAndRestore(t *testing.T) {
	c := pumps(t)
	e, err := NewEngine(context.Background(), c.Documents, report(nil).Options, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	first := func() int {
		hits, _, err := e.Answer(context.Background(), "valve", "", 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(hits) == 0 {
			return -1
		}
		if hits[0].Sentence == "" {
			t.Error("no sentence")
		}
		return hits[0].Doc
	}
	if got := first(); got != 4 {
		t.Errorf("found %d, want 4", got)
	}
	e.Remove([]int{4})
	if got := first(); got != -1 {
		t.Errorf("found %d after it was removed", got)
	}
	e.Restore([]int{4})
	if got := first(); got != 4 {
		t.Errorf("found %d after it came back, want 4", got)
	}
}

func TestLanguages(t *testing.T) {
	lines := "A pump for hot water\nThe boiler of the village\nSteam drives the turbine\n"
	p, err := ReadParallel(fstest.MapFS{
		"en.txt": {Data: []byte(lines)}, "id.txt": {Data: []byte(strings.ToUpper(lines))}, "th_old.txt": {Data: []byte("\nsteam\nboiler\n")},
		"README.md": {}, "docids.tsv": {},
	})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := report(&out).Languages(context.Background(), p, "en", false, nil); err != nil {
		t.Fatal(err)
	}
	// The capitals are found at once. “steam” stands in the third line and not in the second, “boiler” the other way round.
	if got, want := out.String(), "id R@1 1.0000 R@10 1.0000\nth_old R@1 0.0000 R@10 0.0000\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if _, err := report(&out).Languages(context.Background(), p, "km", false, nil); err == nil || !strings.Contains(err.Error(), "en, id, th_old") {
		t.Errorf("a target that is not there: %v", err)
	}
	for want, dir := range map[string]fstest.MapFS{
		"th.txt has 1 lines, en.txt has 2: line by line they must say the same": {"en.txt": {Data: []byte("a\nb\n")}, "th.txt": {Data: []byte("a\n")}},
		"en.txt line 2: is not UTF-8":                                           {"en.txt": {Data: []byte("a\n\xff\n")}, "th.txt": {Data: []byte("a\n")}},
		"th.txt has 0 lines, want 1 to 100000":                                  {"en.txt": {Data: []byte("a\n")}, "th.txt": {}},
		"want two or more files named by their":                                 {"en.txt": {Data: []byte("a\n")}},
	} {
		if _, err := ReadParallel(dir); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// The dictionary method stands beside the engine where word lists are given.
func TestDictionaryMethod(t *testing.T) {
	p, err := ReadParallel(fstest.MapFS{"en.txt": {Data: []byte("hot water\na boiler\nsteam\n")}, "id.txt": {Data: []byte("zzz\nketel\nuap\n")}})
	if err != nil {
		t.Fatal(err)
	}
	d := &Dictionaries{
		WordLists: fstest.MapFS{"wechsel_en_id.tsv": {Data: []byte("boiler\tketel\nsteam\tuap\n")}},
		WordNet:   fstest.MapFS{"data.noun": {Data: []byte("00000001 03 n 02 boiler 0 steam_boiler 0 000 | a vessel\n")}, "data.verb": {}, "data.adj": {}, "data.adv": {}},
	}
	var out bytes.Buffer
	if _, err := report(&out).Languages(context.Background(), p, "en", false, d); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "id R@1 ") || !strings.HasSuffix(out.String(), "  dictionary method R@1 0.6667 R@10 0.6667\n") {
		t.Errorf("got %s", out.String())
	}
	if _, err := report(&out).Languages(context.Background(), p, "id", false, d); err == nil {
		t.Error("the dictionary method is run into Indonesian")
	}
}

func TestAnswers(t *testing.T) {
	needs, err := ReadNeeds(fstest.MapFS{"n.jsonl": {Data: []byte(`{"id":"N1","title":"Pumps","objective":"A pump","description":"","keywords":["water"]}
{"id":"N2","title":"x"}
{"id":"N3","title":"Nonsense","objective":"zzzz"}
`)}}, "n.jsonl", 2)
	if err != nil || len(needs) != 2 || needs[0].ID != "N1" || needs[1].ID != "N2" || needs[0].Text != "Pumps\nwater\nA pump" {
		t.Fatalf("needs %+v, %v", needs, err)
	}
	var out bytes.Buffer
	c := pumps(t)
	if err := report(&out).Answers(context.Background(), c, append(needs, c.Examples(1)...)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"N1  Pumps water A pump", "  a  pump pump\n", "nothing found", "[judged 1]", "“pumps”"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	if got := shorten("one two three", 8); got != "one two …" {
		t.Errorf("shortened to %q", got)
	}
}

func TestQualityFloor(t *testing.T) {
	if testing.Short() {
		t.Skip("four collections take seconds: left out with -short")
	}
	// A little below what is measured.
	for name, floor := range map[string]float64{"cranfield": 0.400, "nfcorpus": 0.329, "cacm": 0.535, "sbir_offers": 0.895} {
		dir := "../../../../shared/data/" + name
		if _, err := os.Stat(dir); err != nil {
			t.Skipf("no test collections: %s is absent", dir)
		}
		c, err := ReadCollection(name, os.DirFS(dir))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		results, err := report(&out).engine(context.Background(), Alone(c), report(&out).Options)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %v", name, results[0])
		if results[0].NDCG10 < floor {
			t.Errorf("%s: nDCG@10 %.4f is below %.3f", name, results[0].NDCG10, floor)
		}
	}
}
