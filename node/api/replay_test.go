package api_test

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/ingest"
	"github.com/asean-tmh/tmh/node/replay"
	"github.com/asean-tmh/tmh/store"
)

// withReplay gives a hub's API a log of answers.
func withReplay(o *office) {
	o.hub.api = api.New(api.Config{
		Desk: newDesk(o.t), Decode: ingest.DecodeListingJSON, Door: &door.Keeper{House: o.house, Member: "KH", Token: "operators-secret"}, House: o.house, Member: "KH",
		Now: o.now, Replay: replay.New(o.store, o.now), Log: slog.New(slog.DiscardHandler),
	})
}

const (
	keyHeader = "Idempotency-Key"
	someKey   = `"8e03978e-40d5-43dd-bc93-6894a57f9324"`
)

func TestRequestsWithAKeyAreCarriedOutOnce(t *testing.T) {
	o := newOffice(t)
	withReplay(o)
	grants := o.publish(func() map[string]any {
		c := offer("By invitation")
		c["record"].(map[string]any)["level"] = "invited"
		return c
	}())
	for i, c := range []struct {
		by   *visitor
		path string
		body map[string]any
	}{
		{o.editor, "/postings", offer("Dryer")},
		{o.editor, "/tokens", map[string]any{"name": "sync", "scopes": []string{"read"}}},
		{o.admin, "/invitations", map[string]any{"email": "new@example.org", "organisation": o.admin.org, "roles": []string{"reader"}}},
		{o.admin, "/organisations", map[string]any{"name": "Added", "type": "university", "country": "KH"}},
		{o.editor, "/postings/" + id(grants) + "/grants", map[string]any{"organisation": o.other.org, "expires": o.now().Add(24 * time.Hour).Format(time.RFC3339)}},
		{o.operator(), "/tokens", map[string]any{"name": "sync", "scopes": []string{"read"}, "user": o.editor.id}},
	} {
		first := c.by.ask("POST", c.path, c.body, keyHeader, someKey)
		again := c.by.ask("POST", c.path, c.body, keyHeader, strings.Trim(someKey, `"`))
		if first.Code != 201 || again.Code != 201 || again.Body.String() != first.Body.String() {
			t.Errorf("%s: %d %s, again %d %s", c.path, first.Code, first.Body, again.Code, again.Body)
		}
		for _, name := range []string{"Location", "ETag", "Content-Type", "Cache-Control"} {
			if first.Header().Get(name) != again.Header().Get(name) {
				t.Errorf("%s: %s was %q, and is %q", c.path, name, first.Header().Get(name), again.Header().Get(name))
			}
		}
		if first.Header().Get("Idempotency-Replayed") != "" || again.Header().Get("Idempotency-Replayed") != "true" || first.Header().Get("X-Request-Id") == again.Header().Get("X-Request-Id") {
			t.Errorf("%s: %v", c.path, again.Header())
		}
		c.body["name"] = fmt.Sprint("another ", i)
		if p := problem(t, c.by.ask("POST", c.path, c.body, keyHeader, someKey), 422); fields(p) != "conflict Idempotency-Key" {
			t.Errorf("%s with another body: %s", c.path, fields(p))
		}
	}
	var tokens struct{ Tokens []any }
	decode(t, o.editor.ask("GET", "/tokens", nil), &tokens)
	if len(tokens.Tokens) != 2 {
		t.Errorf("%d tokens were made", len(tokens.Tokens))
	}
	// Another person's key of the same name is another key, and a stranger's has no effect.
	if w := o.other.ask("POST", "/postings", offer("Dryer"), keyHeader, someKey); w.Code != 201 || w.Header().Get("Idempotency-Replayed") != "" {
		t.Errorf("another person: %d %v", w.Code, w.Header())
	}
	o.visitor().refused(401, "", "POST", "/postings", offer("Dryer"), keyHeader, someKey)
}

func TestRefusedRequestsLeaveTheirKey(t *testing.T) {
	o := newOffice(t)
	withReplay(o)
	o.admin.refused(422, "", "POST", "/organisations", map[string]any{"name": "Added", "type": "nothing", "country": "KH"}, keyHeader, someKey)
	o.admin.do(201, "POST", "/organisations", map[string]any{"name": "Added", "type": "university", "country": "KH"}, keyHeader, someKey)
	o.reader.refused(403, "", "POST", "/organisations", map[string]any{"name": "X", "type": "university", "country": "KH"}, keyHeader, someKey)
	for _, key := range []string{"short", `"unfinished-and-long-enough`, strings.Repeat("x", 200)} {
		if p := o.admin.refused(422, "random UUID", "POST", "/organisations", map[string]any{}, keyHeader, key); fields(p) != "value Idempotency-Key" {
			t.Errorf("%s: %s", key, fields(p))
		}
	}
	problem(t, o.admin.ask("POST", "/organisations", `{"name":"`+strings.Repeat("x", 70<<10)+`"}`, keyHeader, someKey), 413)
	// Where it means nothing it changes nothing.
	if w := o.visitor().ask("POST", "/match", `{"text":"fish"}`, keyHeader, "x"); w.Code != 200 {
		t.Errorf("match: %d", w.Code)
	}
}

func TestOneOfManyIsCarriedOut(t *testing.T) {
	o := newOffice(t)
	withReplay(o)
	program := o.program(o.editor.do(201, "POST", "/tokens", map[string]any{"name": "x", "scopes": []string{"read", "write"}})["secret"].(string))
	answers := make([]*httptest.ResponseRecorder, 8)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = program.ask("POST", "/postings", offer("Dryer"), keyHeader, someKey) })
	}
	all.Wait()
	body := ""
	for _, w := range answers {
		switch {
		case w.Code == 201 && (body == "" || body == w.Body.String()):
			body = w.Body.String()
		case w.Code == 409 && w.Header().Get("Retry-After") != "":
		default:
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	var page struct{ Postings []any }
	decode(t, program.ask("GET", "/postings", nil), &page)
	if body == "" || len(page.Postings) != 1 {
		t.Errorf("%d postings were made", len(page.Postings))
	}
}

// The secrets in answers are not in the store.
func TestKeptAnswersAreSealed(t *testing.T) {
	o := newOffice(t)
	withReplay(o)
	secret := o.editor.do(201, "POST", "/tokens", map[string]any{"name": "x", "scopes": []access.Scope{access.ScopeRead}}, keyHeader, someKey)["secret"].(string)
	rows := 0
	err := o.store.View(func(tx *store.Tx) error {
		return tx.Rows(store.TableReplay, "", "", func(key string, value []byte) (bool, error) {
			rows++
			for _, s := range []string{secret, strings.Trim(someKey, `"`), string(o.editor.id)} {
				if strings.Contains(key+string(value), s) {
					t.Errorf("%q lies in the store: %s %s", s, key, value)
				}
			}
			return true, nil
		})
	})
	if err != nil || rows != 2 {
		t.Errorf("%d rows, %v", rows, err)
	}
}
