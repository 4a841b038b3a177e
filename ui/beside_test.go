package ui_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
)

// busy counts who works at the same time.
type busy struct{ now, most, all atomic.Int32 }

func (b *busy) work(ctx context.Context) error {
	b.all.Add(1)
	n := b.now.Add(1)
	defer b.now.Add(-1)
	for {
		most := b.most.Load()
		if n <= most || b.most.CompareAndSwap(most, n) {
			break
		}
	}
	select {
	case <-time.After(5 * time.Millisecond):
	case <-ctx.Done():
	}
	return ctx.Err()
}

// comparing is a desk whose comparisons are counted.
type comparing struct {
	*desk
	busy *busy
}

func (c comparing) Counterparts(ctx context.Context, _ match.Ref, _ match.Filter, _, _ int) (exchange.MatchAnswer, error) {
	return exchange.MatchAnswer{}, c.busy.work(ctx)
}

func (c comparing) Match(ctx context.Context, _ match.Query) (exchange.MatchAnswer, error) {
	return exchange.MatchAnswer{}, c.busy.work(ctx)
}

// asks is a request for a page.
func (b *browser) asks(target string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.RemoteAddr = b.address
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

// The length of a packed page tells what stands on it beside what a guesser sent: no other site's page gets one made.
func TestPagesOfPeopleAreNotPackedForOtherSites(t *testing.T) {
	o := newOffice(t)
	for from, packed := range map[string]bool{"": true, "none": true, "same-origin": true, "same-site": false, "cross-site": false} {
		for who, b := range map[string]*browser{"an editor": o.editor, "a stranger": o.browser()} {
			r := b.asks("/?q=fish")
			r.Header.Set("Accept-Encoding", "gzip")
			r.Header.Set("Sec-Fetch-Site", from)
			w := record(o.h, r)
			if got := w.Header().Get("Content-Encoding") == "gzip"; w.Code != 200 || got != (packed || who == "a stranger") {
				t.Errorf("%s, from %q: %d, packed: %t", who, from, w.Code, got)
			}
		}
	}
}

// However often somebody who is signed in opens pages that compare with the catalogue: they leave processors to searches.
func TestPagesOfPeopleLeaveRoomForSearches(t *testing.T) {
	var b busy
	o := newOfficeWith(t, func(c *house.Config) {
		c.Similar = func(ctx context.Context, _ *protocol.Listing, _ []string) ([]posting.Suspect, error) {
			return []posting.Suspect{{Origin: "TH", ID: "TO-TH-1", Title: "Fish dryer", Why: []string{"has the same title"}}}, b.work(ctx)
		}
	})
	for _, q := range []string{"q=fish", "q=dryer", "q=solar"} {
		if _, err := o.house.Searches.Add(string(o.actor(o.editor).User), q, q); err != nil {
			t.Fatal(err)
		}
	}
	o.review(passing, "")
	h := o.pagesOver(comparing{o.desk, &b})
	most := int32(max(1, runtime.GOMAXPROCS(0)/2)) //nolint:gosec // small
	for _, target := range []string{o.path + "/edit", o.path + "/edit/words-en", "/saved", o.institute() + "/matches"} {
		before := b.all.Load()
		var all sync.WaitGroup
		for range 12 {
			all.Go(func() {
				if w := record(h, o.editor.asks(target)); w.Code != 200 {
					t.Errorf("%s: %d", target, w.Code)
				}
			})
		}
		all.Wait()
		if b.all.Load() == before {
			t.Errorf("%s compares nothing", target)
		}
	}
	if got := b.most.Load(); got > most {
		t.Errorf("%d comparisons at once, at most %d", got, most)
	}
	if w := record(h, o.editor.asks(o.path+"/edit")); !strings.Contains(w.Body.String(), "Fish dryer") {
		t.Error("listings like it are not named")
	}
}
