package api_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/ingest"
	"github.com/asean-tmh/tmh/node/live"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
)

// desk stands in for the node: it remembers what it was asked and answers what a test put into it.
type desk struct {
	entries   map[match.Ref]exchange.Entry
	page      exchange.Page
	fault     error
	health    exchange.Health
	imports   func(r io.Reader, each func(exchange.ImportEvent) error) error
	published *protocol.Listing
	withdrawn protocol.Tombstone
	query     match.Query
	after     match.Ref
	filter    match.Filter
	limit     int

	matching   func()        // not nil: what is done while matching
	feedBegins chan struct{} // not nil: a feed says that it began, and stands still
}

func (d *desk) Publish(_ context.Context, l *protocol.Listing) (exchange.Receipt, error) {
	d.published = l
	return exchange.Receipt{Ref: match.Ref{Origin: "KH", ID: l.ID}, Outcome: exchange.Published, Position: protocol.Position{Epoch: 1, Seq: 7}}, d.fault
}

func (d *desk) Withdraw(_ context.Context, id protocol.ListingID, t protocol.Tombstone) (exchange.Receipt, error) {
	d.withdrawn = t
	return exchange.Receipt{Ref: match.Ref{Origin: "KH", ID: id}, Outcome: exchange.Removed}, d.fault
}

func (d *desk) Entry(ref match.Ref) (exchange.Entry, error) {
	e, ok := d.entries[ref]
	if !ok {
		return e, protocol.Errorf(protocol.CodeNotFound, "", "nothing under %s/%s", ref.Origin, ref.ID)
	}
	return e, nil
}

func (d *desk) Entries(f match.Filter, after match.Ref, limit int) (exchange.Page, error) {
	d.filter, d.after, d.limit = f, after, limit
	return d.page, d.fault
}

func (d *desk) Match(_ context.Context, q match.Query) (exchange.MatchAnswer, error) {
	if d.matching != nil {
		d.matching()
		return exchange.MatchAnswer{Hits: []exchange.Hit{}, Verdict: match.Weak}, nil
	}
	d.query = q
	a := exchange.MatchAnswer{Total: len(d.page.Entries), Next: "bmV4dA", Verdict: match.Strong, Languages: []string{"en"}, Meant: "dryer"}
	for _, e := range d.page.Entries {
		a.Hits = append(a.Hits, exchange.Hit{
			Entry: e, Score: 1.5, Strength: .75, Verdict: match.Fair, Explanation: match.Explanation{Sentence: "Both say dryer."},
			Same:       []exchange.Same{{Ref: match.Ref{Origin: "LA", ID: "TO-9"}, Lang: "en", Title: "The same dryer"}},
			Highlights: map[protocol.Lang]match.Marked{"en": {Title: []match.Piece{{Text: "Solar "}, {Text: "<dryer>", Hit: true}}}},
		})
	}
	if q.Facets {
		a.Facets = &match.Facets{Kinds: []match.FacetCount{{Value: "TO", Count: 1}}}
	}
	return a, d.fault
}

func (d *desk) Suggest(typed string, n int) []match.Suggestion {
	d.limit = n
	if typed == "zz" {
		return nil
	}
	return []match.Suggestion{{Text: typed + "ryer", Phrase: "dryer", Count: 3}}
}

func (d *desk) Counterparts(ctx context.Context, ref match.Ref, f match.Filter, limit, offset int) (exchange.MatchAnswer, error) {
	return d.Match(ctx, match.Query{Self: ref, Filter: f, Limit: limit, Offset: offset})
}

func (d *desk) Members() []exchange.MemberState {
	return []exchange.MemberState{{ID: "KH", Name: "Cambodia"}}
}

func (d *desk) Member(id protocol.MemberID) (exchange.MemberDetail, error) {
	if id != "KH" {
		return exchange.MemberDetail{}, protocol.Errorf(protocol.CodeNotFound, "id", "%s is no member of this federation", id)
	}
	return exchange.MemberDetail{MemberState: d.Members()[0], Forks: []exchange.Fork{}, Epochs: []exchange.Epoch{}, Faults: []exchange.MemberFault{}}, nil
}
func (d *desk) Figures() stats.Report   { return stats.New().Report(1) }
func (d *desk) Health() exchange.Health { return d.health }
func (d *desk) Papers() []byte          { return []byte("papers") }
func (d *desk) Adopt([]byte) error      { return nil }
func (d *desk) Import(_ context.Context, _ string, r io.Reader, each func(exchange.ImportEvent) error) error {
	return d.imports(r, each)
}

const listingJSON = `{"id":"TO-1","kind":"TO","country":"KH","texts":{"en":{"title":"Solar <dryer>"}},"sdg":[2,7]}`

func sample(t testing.TB) exchange.Entry {
	t.Helper()
	l, err := ingest.DecodeListingJSON([]byte(listingJSON))
	if err != nil {
		t.Fatal(err)
	}
	return exchange.Entry{
		Ref: match.Ref{Origin: "KH", ID: "TO-1"}, State: exchange.Current, Listing: l, Header: protocol.Sum([]byte("h")),
		Fresh: exchange.Freshness{State: exchange.Proven},
	}
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	e := sample(t)
	gone := exchange.Entry{
		Ref: match.Ref{Origin: "KH", ID: "TO-2"}, State: exchange.Withdrawn, Tombstone: &protocol.Tombstone{Reason: "duplicate", At: 5},
	}
	return &desk{
		entries: map[match.Ref]exchange.Entry{e.Ref: e, gone.Ref: gone},
		page:    exchange.Page{Entries: []exchange.Entry{e}, Next: e.Ref}, health: exchange.Health{Ready: true, Member: "KH"},
	}
}

func newAPI(d *desk, token string, change ...func(*api.Config)) *api.API {
	reg := prometheus.NewRegistry()
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "tmh_test_total", Help: "A test."})
	reg.MustRegister(c)
	cfg := api.Config{
		Desk: d, Live: live.New(d), Decode: ingest.DecodeListingJSON, Gatherer: reg, Door: &door.Keeper{Token: token}, Version: "test",
		Now: func() time.Time { return time.Unix(1_790_000_000, 0) }, Log: slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&cfg)
	}
	return api.New(cfg)
}

func ask(h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// problem checks the whole form of an RFC 9457 answer and returns it.
func problem(t *testing.T, w *httptest.ResponseRecorder, status int) api.Problem {
	t.Helper()
	var p api.Problem
	if w.Code != status || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Fatalf("got %d %s, want %d as problem+json:\n%s", w.Code, w.Header().Get("Content-Type"), status, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if id := w.Header().Get("X-Request-Id"); id == "" || p.Instance != "urn:uuid:"+id || !strings.HasSuffix(p.Type, "/problems/"+string(p.Code)) {
		t.Fatalf("a problem without its names, of answer %q: %s", id, w.Body)
	}
	if p.Status != status || p.Title == "" || p.Detail == "" || p.Code == "" || len(p.Errors) == 0 {
		t.Fatalf("incomplete problem: %s", w.Body)
	}
	return p
}

// unnamed is an answer's body without its own name.
func unnamed(w *httptest.ResponseRecorder) string {
	return strings.ReplaceAll(w.Body.String(), w.Header().Get("X-Request-Id"), "")
}

func fields(p api.Problem) string {
	var s []string
	for _, e := range p.Errors {
		s = append(s, string(e.Code)+" "+e.Field)
	}
	return strings.Join(s, ", ")
}

const auth, bearer = "Authorization", "Bearer secret"

func TestReadRoutes(t *testing.T) {
	d := newDesk(t)
	h := newAPI(d, "").Public()
	for target, want := range map[string]string{
		"/api/v1/listings":                 `"sdg":[2,7]`,
		"/api/v1/listings?kind=TO,TR":      `"title":"Solar <dryer>"`,
		"/api/v1/listings/KH/TO-1":         `"origin":"KH"`,
		"/api/v1/match?q=dryer":            `"sentence":"Both say dryer."`,
		"/api/v1/members":                  `"name":"Cambodia"`,
		"/api/v1/statistics":               `"months":[]`,
		"/api/v1/health":                   `"faults":[]`,
		"/api/v1/openapi.json":             `"openapi":"3.1`,
		"/.well-known/tmh/charter":         `papers`,
		"/api/v1/match?q=x&trl_min=4":      `"behind":[]`,
		"/api/v1/listings?expired=true":    `"next":`,
		"/api/v1/listings?limit=100":       `"entries":[`,
		"/api/v1/match?q=x&limit=1&ford=2": `"total":1`,
		"/api/v1/match?q=a":                `"strength":0.75,"verdict":"fair","same":[{"origin":"LA","id":"TO-9","lang":"en","title":"The same dryer"}]`,
		"/api/v1/match?q=b":                `"highlights":{"en":{"title":[{"text":"Solar ","hit":false},{"text":"<dryer>","hit":true}]}}`,
		"/api/v1/match?q=c":                `","verdict":"strong","languages":["en"],"did_you_mean":"dryer","ranker"`,
		"/api/v1/match?q=d&facets=true":    `"facets":{"kinds":[{"value":"TO","count":1}]`,
		"/api/v1/suggest?q=d":              `{"suggestions":[{"text":"dryer","phrase":"dryer","count":3}]}`,
		"/api/v1/suggest?q=zz&limit=20":    `{"suggestions":[]}`,
	} {
		w := ask(h, "GET", target, "")
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("GET %s: %d, no %s in\n%s", target, w.Code, want, w.Body)
		}
		if strings.Contains(w.Body.String(), "$schema\":\"http") {
			t.Errorf("GET %s has a schema link", target)
		}
		if head := ask(h, "HEAD", target, ""); head.Code != 200 {
			t.Errorf("HEAD %s: %d", target, head.Code)
		}
	}
}

func TestFiltersReachTheDesk(t *testing.T) {
	d := newDesk(t)
	h := newAPI(d, "").Public()
	const filters = "kind=TO,TR&country=KH&origin=LA&trl_min=2&trl_max=5&ford=2.4&isic=C,C10&ipc=C12N&sdg=7,17&language=th,zh-Hant&expired=true"
	want := match.Filter{
		Kinds: []protocol.Kind{"TO", "TR"}, Countries: []protocol.Country{"KH"}, Origins: []protocol.MemberID{"LA"}, TRLMin: 2, TRLMax: 5,
		FORD: []string{"2.4"}, ISIC: []string{"C", "C10"}, IPC: []string{"C12N"}, SDG: []uint16{7, 17}, Languages: []protocol.Lang{"th", "zh-Hant"},
		IncludeExpired: true, Today: protocol.DateOf(time.Unix(1_790_000_000, 0)),
	}
	w := ask(h, "GET", "/api/v1/listings?limit=7&"+filters, "")
	if !reflect.DeepEqual(d.filter, want) || d.limit != 7 {
		t.Errorf("list: got %+v, limit %d", d.filter, d.limit)
	}
	next, _, _ := strings.Cut(strings.TrimPrefix(w.Header().Get("Link"), "<"), ">")
	d.filter = match.Filter{}
	if w := ask(h, "GET", next, ""); w.Code != 200 || !reflect.DeepEqual(d.filter, want) {
		t.Errorf("next page %s: %d, %+v", next, w.Code, d.filter)
	}
	if w := ask(h, "GET", "/api/v1/match?q=x&"+filters, ""); w.Code != 200 || !reflect.DeepEqual(d.query.Filter, want) {
		t.Errorf("match: %d, %+v", w.Code, d.query.Filter)
	}
	body := `{"text":"x","filter":{"kinds":["TO","TR"],"countries":["KH"],"origins":["LA"],"trl_min":2,"trl_max":5,"ford":["2.4"],
		"isic":["C","C10"],"ipc":["C12N"],"sdg":[7,17],"languages":["th","zh-Hant"],"expired":true}}`
	d.query = match.Query{}
	if w := ask(h, "POST", "/api/v1/match", body); w.Code != 200 || !reflect.DeepEqual(d.query.Filter, want) {
		t.Errorf("match by POST: %d, %+v", w.Code, d.query.Filter)
	}
}

func TestOrderAndPlaceReachTheDesk(t *testing.T) {
	d := newDesk(t)
	h := newAPI(d, "").Public()
	var first api.MatchView
	if err := json.Unmarshal(ask(h, "GET", "/api/v1/match?q=x&lang=th&sort=newest&limit=3", "").Body.Bytes(), &first); err != nil || first.Next == "" {
		t.Fatalf("no next: %v", err)
	}
	for method, request := range map[string][2]string{
		"GET":  {"/api/v1/match?q=x&lang=th&sort=newest&facets=true&limit=3&after=" + first.Next, ""},
		"POST": {"/api/v1/match", `{"text":"x","lang":"th","sort":"newest","facets":true,"limit":3,"after":"` + first.Next + `"}`},
	} {
		d.query = match.Query{}
		w := ask(h, method, request[0], request[1])
		q := d.query
		if w.Code != 200 || q.Text != "x" || q.Lang != "th" || q.Sort != match.ByNewest || !q.Facets || q.Limit != 3 || q.After != "bmV4dA" || q.Offset != 0 {
			t.Errorf("%s: %d %+v %s", method, w.Code, q, w.Body)
		}
	}
	for _, target := range []string{"/api/v1/match?q=x", "/api/v1/match?q=x&sort=score"} {
		if w := ask(h, "GET", target, ""); w.Code != 200 || d.query.Sort != match.ByScore || d.query.Facets || d.query.Limit != 10 {
			t.Errorf("%s: %d %+v", target, w.Code, d.query)
		}
	}
	for target, want := range map[string]string{
		"/api/v1/match?q=x&sort=best":                       "value sort",
		"/api/v1/match?q=x&lang=Thai":                       "value lang",
		"/api/v1/match?q=x&facets=many":                     "value facets",
		"/api/v1/match?q=x&after=a&offset=5":                "value after",
		"/api/v1/match?q=x&isic=Z&ipc=C1&sdg=18&language=t": "value isic[0], value ipc[0], value sdg[0], value language[0]",
		"/api/v1/suggest":                                   "required q",
		"/api/v1/suggest?q=a&limit=21":                      "value limit",
		"/api/v1/suggest?q=a&l=1":                           "unknown l",
	} {
		if p := problem(t, ask(h, "GET", target, ""), 422); fields(p) != want {
			t.Errorf("%s:\n got %s\nwant %s", target, fields(p), want)
		}
	}
	if ask(h, "GET", "/api/v1/suggest?q=d&limit=7", ""); d.limit != 7 {
		t.Errorf("suggestions: limit %d", d.limit)
	}
}

func TestEveryFaultOfAQueryIsNamed(t *testing.T) {
	h := newAPI(newDesk(t), "").Public()
	p := problem(t, ask(h, "GET", "/api/v1/listings?limit=0&kind=SECRETVALUE&knid=1&trl_min=5&trl_max=2&country=KH&country=LA", ""), 422)
	for _, want := range []string{"value limit", "value kind", "unknown knid", "value trl_max", "repeated country"} {
		if !strings.Contains(fields(p), want) {
			t.Errorf("no %q in %s", want, fields(p))
		}
	}
	if w := ask(h, "GET", "/api/v1/listings?kind=SECRETVALUE", ""); strings.Contains(w.Body.String(), "SECRETVALUE") {
		t.Errorf("echoes what was sent: %s", w.Body)
	}
	if p := problem(t, ask(h, "GET", "/api/v1/match", ""), 422); fields(p) != "required q" {
		t.Errorf("got %s", fields(p))
	}
	problem(t, ask(h, "GET", "/api/v1/match?q="+strings.Repeat("x", 2001), ""), 422)
	problem(t, ask(h, "GET", "/api/v1/match?q=%20%20", ""), 422)
	problem(t, ask(h, "GET", "/api/v1/match?q=x&offset=999&limit=2", ""), 422)
}

func TestCursor(t *testing.T) {
	d := newDesk(t)
	h := newAPI(d, "").Public()
	w := ask(h, "GET", "/api/v1/listings?kind=TO&limit=3", "")
	link, ok := strings.CutSuffix(strings.TrimPrefix(w.Header().Get("Link"), "<"), `>; rel="next"`)
	if !ok {
		t.Fatalf("Link: %s", w.Header().Get("Link"))
	}
	if w := ask(h, "GET", link, ""); w.Code != 200 || d.after != (match.Ref{Origin: "KH", ID: "TO-1"}) || d.limit != 3 {
		t.Errorf("%s: %d, after %v, limit %d", link, w.Code, d.after, d.limit)
	}
	var page api.ListPage
	if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{
		"other filters": "/api/v1/listings?kind=TR&cursor=" + page.Next,
		"altered":       "/api/v1/listings?kind=TO&cursor=" + page.Next[:len(page.Next)-1] + "A",
		"cut off":       "/api/v1/listings?kind=TO&cursor=" + page.Next[:9],
		"no base64":     "/api/v1/listings?kind=TO&cursor=!",
	} {
		if p := problem(t, ask(h, "GET", target, ""), 422); fields(p) != "value cursor" {
			t.Errorf("%s: %s", name, fields(p))
		}
	}
	d.page.Next = match.Ref{}
	if w := ask(h, "GET", "/api/v1/listings", ""); w.Header().Get("Link") != "" || strings.Contains(w.Body.String(), `"next"`) {
		t.Errorf("the last page leads on: %s", w.Body)
	}
}

func TestEntityTag(t *testing.T) {
	d := newDesk(t)
	h := newAPI(d, "").Public()
	tag := ask(h, "GET", "/api/v1/listings/KH/TO-1", "").Header().Get("ETag")
	if !strings.Contains(tag, protocol.Sum([]byte("h")).String()) {
		t.Fatalf("ETag %s", tag)
	}
	w := ask(h, "GET", "/api/v1/listings/KH/TO-1", "", "If-None-Match", `"other", `+tag)
	if w.Code != http.StatusNotModified || w.Body.Len() != 0 || w.Header().Get("ETag") != tag {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
	// A copy that went stale has to be sent again, although its origin changed nothing.
	e := d.entries[match.Ref{Origin: "KH", ID: "TO-1"}]
	e.Fresh.State = exchange.Stale
	d.entries[e.Ref] = e
	if w := ask(h, "GET", "/api/v1/listings/KH/TO-1", "", "If-None-Match", tag); w.Code != 200 {
		t.Errorf("stale: got %d", w.Code)
	}
}

func TestAbsentListings(t *testing.T) {
	h := newAPI(newDesk(t), "").Public()
	if p := problem(t, ask(h, "GET", "/api/v1/listings/KH/TO-2", ""), 410); p.Code != protocol.CodeWithdrawn || p.Tombstone.Reason != "duplicate" {
		t.Errorf("got %+v", p)
	}
	for _, target := range []string{"/api/v1/listings/KH/none", "/api/v1/listings/kh/TO-1", "/api/v1/listings/KH/a%20b", "/api/v1/nowhere", "/"} {
		problem(t, ask(h, "GET", target, ""), 404)
	}
	w := ask(h, "PATCH", "/api/v1/listings", "{}")
	problem(t, w, 405)
	if got := strings.Join(w.Header().Values("Allow"), " "); got != "GET HEAD POST" {
		t.Errorf("Allow: %s", got)
	}
}
