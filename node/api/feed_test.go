package api_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/protocol"
)

// Feed gives two lines, and then the desk's fault.
func (d *desk) Feed(ctx context.Context, origin protocol.MemberID, each func(api.FeedLine) error) error {
	switch {
	case origin != "KH":
		return protocol.Errorf(protocol.CodeOrigin, "id", "%s is no member", origin)
	case d.feedBegins != nil:
		d.feedBegins <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	for _, l := range []api.FeedLine{{Type: "papers", Bytes: []byte{1, 0xab}}, {Type: "head", Bytes: []byte{2}}} {
		if err := each(l); err != nil {
			return err
		}
	}
	return d.fault
}

const feedPath = "/api/v1/members/KH/feed"

func TestFeedIsStreamed(t *testing.T) {
	h := newAPI(newDesk(t), "").Public()
	w := ask(h, "GET", feedPath, "")
	if want := "{\"type\":\"papers\",\"bytes\":\"01ab\"}\n{\"type\":\"head\",\"bytes\":\"02\"}\n"; w.Code != 200 || w.Body.String() != want || w.Header().Get("Content-Type") != "application/jsonl" {
		t.Errorf("got %d %s %q", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	if w := ask(h, "HEAD", feedPath, ""); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Type") != "application/jsonl" {
		t.Errorf("HEAD: %d %q", w.Code, w.Body)
	}
	problem(t, ask(h, "GET", "/api/v1/members/LA/feed", ""), 404)
	problem(t, ask(h, "GET", "/api/v1/members/k%20h/feed", ""), 404)
	if s := ask(h, "GET", "/api/v1/openapi.json", "").Body.String(); !strings.Contains(s, `"/api/v1/members/{id}/feed"`) {
		t.Error("the description does not name it")
	}
}

// A reader must not take a feed that ended early for a whole one.
func TestFeedThatEndsEarlyIsSeen(t *testing.T) {
	d := newDesk(t)
	d.fault = protocol.Errorf(protocol.CodeInternal, "", "damaged")
	s := httptest.NewServer(newAPI(d, "").Public())
	defer s.Close()
	resp, err := s.Client().Get(s.URL + feedPath)
	if err == nil {
		defer resp.Body.Close()
		_, err = io.ReadAll(resp.Body)
	}
	if err == nil {
		t.Error("the answer looks complete")
	}
}

func TestFewFeedsAtOnce(t *testing.T) {
	d := newDesk(t)
	d.feedBegins = make(chan struct{})
	a := newAPI(d, "")
	s := httptest.NewServer(a.Public())
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 2)
	for range 2 {
		go func() {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+feedPath, nil)
			if err == nil {
				var resp *http.Response
				if resp, err = s.Client().Do(r); err == nil {
					resp.Body.Close()
				}
			}
			ended <- err
		}()
		<-d.feedBegins
	}
	w := ask(a.Public(), "GET", feedPath, "")
	if p := problem(t, w, 503); p.Code != protocol.CodeUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("got %+v", p)
	}
	problem(t, ask(a.Public(), "GET", "/api/v1/members/k%20h/feed", ""), 404) // names are judged first
	// Strangers do not take the operator's places.
	operator, stop := context.WithCancel(t.Context())
	go func() { <-d.feedBegins; stop() }()
	r := httptest.NewRequest(http.MethodGet, feedPath, nil).WithContext(operator)
	a.Operator().ServeHTTP(httptest.NewRecorder(), r)
	if operator.Err() == nil {
		t.Error("the operator was not served")
	}
	cancel()
	for range 2 {
		<-ended
	}
}
