package demo_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/demo"
	"github.com/asean-tmh/tmh/protocol"
)

// event of a stream as it came.
type event struct {
	kind, id string
	ref      string
}

// events opens a stream at a member's node and gives what comes.
func (f *federation) events(at protocol.MemberID, q url.Values, last string) (next func() event, leave func()) {
	f.t.Helper()
	ctx, leave := context.WithCancel(f.t.Context())
	f.t.Cleanup(leave)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL(at)+"api/v1/match/live?"+q.Encode(), nil)
	if err != nil {
		f.t.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(r) //nolint:bodyclose // with the test
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		f.t.Fatalf("%s, %s", resp.Status, resp.Header.Get("Content-Type"))
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	return func() (e event) {
		f.t.Helper()
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch {
			case lines.Text() == "" && e.kind != "":
				return e
			case name == "event":
				e.kind = value
			case name == "id":
				e.id = value
			case name == "data":
				var said struct{ Ref struct{ Origin, ID string } }
				if err := json.Unmarshal([]byte(value), &said); err != nil {
					f.t.Fatal(err)
				}
				e.ref = said.Ref.Origin + "/" + said.Ref.ID
			}
		}
		f.t.Fatalf("the stream ended: %v", lines.Err())
		return e
	}, leave
}

// TestFollowAQueryAtAnotherNode: who follows a query in one country hears of what is published in another, once, also over a lost
// connection.
func TestFollowAQueryAtAnotherNode(t *testing.T) {
	f := newFederation(t, smaller(2))
	for _, m := range f.Members() {
		f.start(m)
	}
	if err := demo.Await(t.Context(), "all are connected", f.Connected); err != nil {
		t.Fatal(err)
	}
	q := url.Values{"q": {"solar dryer for fish"}, "kind": {"TO"}}
	publish := func(id, title string) {
		t.Helper()
		line := fmt.Sprintf(`{"id":%q,"kind":"TO","country":"BN","texts":{"en":{"title":%q,"abstract":"A tunnel with fans dries fish in the sun"}}}`, id, title)
		if _, err := f.Publish(t.Context(), "BN", []byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	next, leave := f.events("ID", q, "")
	if e := next(); e.kind != "ready" || e.id == "" {
		t.Fatalf("%+v", e)
	}
	publish("X1", "Bricks of clay")
	publish("D1", "Solar dryer for fish")
	e := next()
	if e.kind != "match" || e.ref != "BN/D1" || e.id == "" {
		t.Fatalf("%+v", e)
	}
	leave()
	publish("D2", "A larger solar dryer for freshwater fish, with a burner")
	if _, err := f.Node("BN").Counter().Withdraw(t.Context(), "D1", protocol.Tombstone{Reason: "other"}); err != nil {
		t.Fatal(err)
	}
	if err := demo.Await(t.Context(), "the withdrawal is known", func() bool { ok, _ := f.Equal(); return ok }); err != nil {
		t.Fatal(err)
	}
	next, _ = f.events("ID", q, e.id)
	var told []string
	for len(told) < 3 {
		e := next()
		told = append(told, e.kind+" "+e.ref)
	}
	if got := strings.Join(told, ", "); got != "ready /, gone BN/D1, match BN/D2" {
		t.Errorf("told %q", got)
	}
}
