package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// busyDesk is a server that works on at most so many queries at once; each says that it began, and ends when it is let go.
func busyDesk(t *testing.T, g api.Gate) (url string, begun chan struct{}, goOn chan struct{}) {
	t.Helper()
	d := newDesk(t)
	begun, goOn = make(chan struct{}, 100), make(chan struct{})
	d.matching = func() {
		begun <- struct{}{}
		<-goOn
	}
	load := api.DefaultLoad()
	load.Heavy = g
	srv := httptest.NewServer(newAPI(d, "", func(c *api.Config) { c.Load = &load }).Public())
	t.Cleanup(srv.Close)
	return srv.URL, begun, goOn
}

// answers of requests that are sent without waiting for each other.
func send(t *testing.T, url string, all chan<- *http.Response) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/v1/match?q=fish", nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			all <- resp
		}
	}()
}

func refusedPolitely(t *testing.T, resp *http.Response) {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	var p api.Problem
	if err != nil || json.Unmarshal(b, &p) != nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "1" || p.Code != protocol.CodeUnavailable || p.Instance == "" {
		t.Errorf("%d %v %s", resp.StatusCode, resp.Header, b)
	}
}

func TestOverloadIsRefusedAndEnds(t *testing.T) {
	url, begun, goOn := busyDesk(t, api.Gate{AtOnce: 2, Waiting: 1, Wait: time.Minute})
	served := make(chan *http.Response, 10)
	for range 2 {
		send(t, url, served)
		<-begun
	}
	// One may wait. Of many the last does, and the others are refused at once.
	for range 5 {
		send(t, url, served)
	}
	for range 4 {
		refusedPolitely(t, <-served)
	}
	select {
	case <-begun:
		t.Error("three are worked on at once")
	default:
	}
	goOn <- struct{}{}
	<-begun // the one that waited
	goOn <- struct{}{}
	goOn <- struct{}{}
	for range 3 {
		resp := <-served
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("served with %d", resp.StatusCode)
		}
	}
	// It is itself again.
	for range 2 {
		send(t, url, served)
		<-begun
	}
	close(goOn)
	for range 2 {
		resp := <-served
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("after the rush: %d", resp.StatusCode)
		}
	}
}

func TestNobodyWaitsLong(t *testing.T) {
	url, begun, goOn := busyDesk(t, api.Gate{AtOnce: 1, Waiting: 10, Wait: time.Millisecond})
	served := make(chan *http.Response, 10)
	send(t, url, served)
	<-begun
	for range 3 {
		send(t, url, served)
		refusedPolitely(t, <-served)
	}
	// Listings and health are answered all the while.
	for _, path := range []string{"/api/v1/listings/KH/TO-1", "/api/v1/health", "/api/v1/members"} {
		resp, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
	close(goOn)
	_ = (<-served).Body.Close()
}

// Who went away does not keep the place that it waited for.
func TestWhoGoesAwayFreesItsPlace(t *testing.T) {
	url, begun, goOn := busyDesk(t, api.Gate{AtOnce: 1, Waiting: 10, Wait: time.Minute})
	served := make(chan *http.Response, 10)
	send(t, url, served)
	<-begun
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/v1/match?q=fish", nil)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
		}
	}()
	leave()
	<-gone
	goOn <- struct{}{}
	_ = (<-served).Body.Close()
	send(t, url, served)
	<-begun
	goOn <- struct{}{}
	if resp := <-served; resp.StatusCode != http.StatusOK {
		t.Errorf("got %d", resp.StatusCode)
	}
}

// A body that arrives slowly, and an answer that leaves slowly, hold no place.
func TestWhoIsSlowHoldsNoPlace(t *testing.T) {
	url, begun, goOn := busyDesk(t, api.Gate{AtOnce: 1})
	close(goOn)
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /api/v1/match HTTP/1.1\r\nHost: hub\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	served := make(chan *http.Response, 1)
	send(t, url, served)
	<-begun
	if resp := <-served; resp.StatusCode != http.StatusOK {
		t.Errorf("beside a slow body: %d", resp.StatusCode)
	}
	d := newDesk(t)
	h := newAPI(d, "", func(c *api.Config) { c.Load = &api.Load{Heavy: api.Gate{AtOnce: 1}, Light: api.Gate{AtOnce: 1}} }).Public()
	w := &stuck{ResponseRecorder: httptest.NewRecorder(), at: make(chan struct{}), goOn: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/listings/KH/TO-1", nil))
	}()
	<-w.at
	if w := ask(h, "GET", "/api/v1/listings/KH/TO-1", ""); w.Code != 200 {
		t.Errorf("beside a slow reader: %d", w.Code)
	}
	close(w.goOn)
	<-done
	if w := ask(h, "GET", "/api/v1/listings/KH/TO-1", ""); w.Code != 200 {
		t.Errorf("afterwards: %d", w.Code)
	}
}

type stuck struct {
	*httptest.ResponseRecorder
	at, goOn chan struct{}
}

func (s *stuck) Write(b []byte) (int, error) {
	close(s.at)
	<-s.goOn
	return s.ResponseRecorder.Write(b)
}

// rush lets so many clients ask over and over for a while, and reports what they saw.
func rush(b *testing.B, url string, clients int, each func() bool) {
	b.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	var mu sync.Mutex
	var took []time.Duration
	refused := 0
	var all sync.WaitGroup
	start := time.Now()
	for range clients {
		all.Go(func() {
			for each() {
				at := time.Now()
				resp, err := client.Get(url)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				mu.Lock()
				if resp.StatusCode == http.StatusOK {
					took = append(took, time.Since(at))
				} else {
					refused++
				}
				mu.Unlock()
				if resp.StatusCode != http.StatusOK {
					time.Sleep(100 * time.Millisecond) // far less than Retry-After asks for
				}
			}
		})
	}
	all.Wait()
	seconds := time.Since(start).Seconds()
	slices.Sort(took)
	if len(took) > 0 {
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	}
	b.ReportMetric(float64(len(took))/seconds, "served/s")
	b.ReportMetric(float64(refused)/seconds, "refused/s")
}

// BenchmarkAdmission asks with more and more clients for what takes 5 ms of a processor, and for one listing.
func BenchmarkAdmission(b *testing.B) {
	for _, kind := range []string{"match?q=fish", "listings/KH/TO-1"} {
		for _, clients := range []int{8, 64, 640} {
			b.Run(fmt.Sprintf("%s/%d", strings.NewReplacer("?q=fish", "", "s/KH/TO-1", "").Replace(kind), clients), func(b *testing.B) {
				d := newDesk(b)
				d.matching = func() {
					for end := time.Now().Add(5 * time.Millisecond); time.Now().Before(end); {
					}
				}
				srv := httptest.NewServer(newAPI(d, "", func(c *api.Config) { c.Limits = &api.Limits{} }).Public())
				defer srv.Close()
				var mu sync.Mutex
				left := b.N
				b.ResetTimer()
				rush(b, srv.URL+"/api/v1/"+kind, clients, func() bool {
					mu.Lock()
					defer mu.Unlock()
					left--
					return left >= 0
				})
			})
		}
	}
}

// BenchmarkListing is the work for one listing without a network.
func BenchmarkListing(b *testing.B) {
	d := newDesk(b)
	e := d.entries[match.Ref{Origin: "KH", ID: "TO-1"}]
	l := *e.Listing
	l.Texts = map[protocol.Lang]protocol.Text{}
	for _, lang := range []protocol.Lang{"en", "km"} {
		l.Texts[lang] = protocol.Text{Title: "Solar dryer for fish", Abstract: strings.Repeat("Dries a batch of fish in six hours. ", 40)}
	}
	e.Listing, e.State = &l, exchange.Current
	d.entries[e.Ref] = e
	h := newAPI(d, "", func(c *api.Config) { c.Limits = &api.Limits{} }).Public()
	b.ReportAllocs()
	for b.Loop() {
		if w := ask(h, "GET", "/api/v1/listings/KH/TO-1", ""); w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}

// What is served beside the API, such as OAI-PMH, has its bounds: of how often one asks, and of how many are worked on at once.
func TestBoundedBesideTheAPI(t *testing.T) {
	release := make(chan struct{})
	began := make(chan struct{}, 8)
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		<-release
		w.WriteHeader(http.StatusNoContent)
	})
	a := api.New(api.Config{
		Desk: newDesk(t), Limits: &api.Limits{Reads: 3}, Load: &api.Load{Heavy: api.Gate{AtOnce: 1}}, Log: slog.New(slog.DiscardHandler),
	})
	h := a.Bounded(slow)
	ask := func(address string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/oai?verb=Identify", nil)
		r.RemoteAddr = address
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	first := make(chan *httptest.ResponseRecorder)
	go func() { first <- ask("192.0.2.1:1000") }()
	<-began
	if w := ask("192.0.2.2:1000"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("beside another one: %d %v", w.Code, w.Header())
	}
	close(release)
	if w := <-first; w.Code != http.StatusNoContent {
		t.Errorf("the first: %d", w.Code)
	}
	codes := map[int]int{}
	for range 4 {
		codes[ask("192.0.2.3:1000").Code]++
	}
	if codes[http.StatusNoContent] != 3 || codes[http.StatusTooManyRequests] != 1 {
		t.Errorf("of four in a minute: %v, want three and a refusal", codes)
	}
}
