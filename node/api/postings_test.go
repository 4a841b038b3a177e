package api_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/audit"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
)

func actions(m map[string]any) string {
	var all []string
	for _, x := range m["actions"].([]any) {
		all = append(all, x.(string))
	}
	return strings.Join(all, " ")
}

// TestLifeOfAListing goes the whole way over HTTP, as each person is told to go on.
func TestLifeOfAListing(t *testing.T) {
	o := newOffice(t, func(c *house.Config) {
		c.Similar = func(_ context.Context, l *protocol.Listing, rights []string) ([]posting.Suspect, error) {
			return []posting.Suspect{{Origin: "LA", ID: "TO-9", Title: l.Texts["en"].Title, Score: .9, Why: rights}}, nil
		}
	})
	content := offer("Solar dryer for cashew nuts")
	content["record"].(map[string]any)["rights"] = []map[string]any{{"type": "patent-granted", "office": "KH", "number": "2024/00017"}}
	content["source_id"] = "ITC/7"
	m := o.editor.do(201, "POST", "/postings", content)
	if m["state"] != "draft" || m["etag"] != `"1"` || actions(m) != "edit discard submit documents grants" {
		t.Errorf("begun: %v", m)
	}
	at := "/postings/" + id(m)
	o.editor.refused(409, "edit that one", "POST", "/postings", content)

	m = o.editor.step(m, "submit", nil)
	if m["state"] != "submitted" || actions(m) != "recall documents grants" || fmt.Sprint(m["suspects"]) != "[map[id:TO-9 origin:LA score:0.9 title:Solar dryer for cashew nuts why:[KH2024/00017]]]" {
		t.Errorf("submitted: %v", m)
	}
	queue := o.reviewer.do(200, "GET", "/reviews", nil)["postings"].([]any)
	if len(queue) != 1 || actions(queue[0].(map[string]any)) != "take" {
		t.Errorf("queue: %v", queue)
	}
	m = o.reviewer.step(m, "take", nil)
	if actions(m) != "release hand-over review" || m["state"] != "in-review" {
		t.Errorf("taken: %v", m)
	}
	o.editor.refused(409, "wait for the decision", "PUT", at+"/draft", offer("Other"), "If-Match", m["etag"].(string))
	m = o.reviewer.step(m, "review", scores(4, 3, 4, 3))
	if m["state"] != "published" || len(o.catalogued(id(m)).Body) == 0 {
		t.Errorf("14 of 20: %v", m)
	}
	reference := m["posting"].(map[string]any)["reference"].(string)
	m = o.editor.do(200, "GET", "/postings/by-reference/"+reference, nil)
	if reference != "TO-KH-20260921-001" || id(m) == "" || len(m["reviews"].([]any)) != 1 || m["checklist"].(map[string]any)["points"].(float64) < 10 ||
		m["content"].(map[string]any)["listing"].(map[string]any)["trl"] != 5.0 || actions(m) != "edit renew hold withdraw supersede documents grants" {
		t.Errorf("%s: %v", reference, m)
	}
	until := m["posting"].(map[string]any)["valid_until"]
	if m = o.editor.step(m, "renew", nil); until != "2027-09-21" || m["posting"].(map[string]any)["valid_until"] != "2028-09-21" {
		t.Errorf("renewed from %v: %v", until, m)
	}
	m = o.editor.step(m, "hold", map[string]string{"note": "The patent is being transferred."})
	if m["state"] != "on-hold" || o.catalogued(id(m)).Kind != protocol.Withdraw {
		t.Errorf("on hold: %v", m)
	}
	if m = o.editor.step(m, "lift", nil); m["state"] != "published" || o.catalogued(id(m)).Kind != protocol.Put {
		t.Errorf("lifted: %v", m)
	}
	o.editor.refused(422, "", "POST", at+"/withdraw", map[string]string{"reason": "boredom"}, "If-Match", m["etag"].(string))
	m = o.editor.step(m, "withdraw", map[string]string{"reason": "agreement"})
	if m["state"] != "withdrawn" || actions(m) != "" {
		t.Errorf("withdrawn: %v", m)
	}
	o.editor.refused(409, "has ended: write a new one", "POST", at+"/lift", nil, "If-Match", m["etag"].(string))
	var did []string
	for _, h := range o.editor.do(200, "GET", at, nil)["posting"].(map[string]any)["history"].([]any) {
		did = append(did, h.(map[string]any)["action"].(string))
	}
	want := []string{"create", "submit", "take", "pass", "renew", "hold", "lift", "withdraw"}
	if !slices.Equal(did, want) {
		t.Errorf("history %v, want %v", did, want)
	}
	if acts := o.acts(audit.Filter{ResourceKind: "posting"}); len(acts) != len(want) {
		t.Errorf("audit log: %v", acts)
	}
}

func TestReviewsThatDoNotPass(t *testing.T) {
	o := newOffice(t)
	for name, c := range map[string]struct {
		scores map[string]any
		state  string
	}{
		"nine":   {scores(3, 2, 2, 2), "draft"},
		"a zero": {scores(5, 5, 5, 0), "draft"},
		"three":  {scores(1, 1, 1, 0), "rejected"},
	} {
		m := o.editor.step(o.editor.do(201, "POST", "/postings", offer(name)), "submit", nil)
		at, tag := "/postings/"+id(m)+"/review", m["etag"].(string)
		o.reviewer.refused(409, "take it", "POST", at, c.scores, "If-Match", tag)
		m = o.reviewer.step(m, "take", nil)
		tag = m["etag"].(string)
		o.second.refused(403, "another reviewer has this case", "POST", at, c.scores, "If-Match", tag)
		if p := o.reviewer.refused(422, "several things", "POST", at, scores(6, -1, 2, 2), "If-Match", tag); fields(p) != "value advantages, value clarity" {
			t.Errorf("%s: %s", name, fields(p))
		}
		delete(c.scores, "comment")
		if p := o.reviewer.refused(422, "say in a comment", "POST", at, c.scores, "If-Match", tag); fields(p) != "required comment" {
			t.Errorf("%s: %s", name, fields(p))
		}
		c.scores["comment"] = "Say what is new."
		m = o.reviewer.step(m, "review", c.scores)
		if m["state"] != c.state || o.catalogued(id(m)) != nil {
			t.Errorf("%s: %v", name, m)
		}
		reviews := o.editor.do(200, "GET", "/postings/"+id(m)+"/reviews", nil)["reviews"].([]any)
		if len(reviews) != 1 || reviews[0].(map[string]any)["comment"] != "Say what is new." {
			t.Errorf("%s: the author reads %v", name, reviews)
		}
	}
}

func TestCasesAreHandedOver(t *testing.T) {
	o := newOffice(t)
	m := o.reviewer.step(o.editor.step(o.editor.do(201, "POST", "/postings", offer("Dryer")), "submit", nil), "take", nil)
	at, tag := "/postings/"+id(m), m["etag"].(string)
	o.second.refused(409, "another reviewer has this case", "POST", at+"/take", nil, "If-Match", tag)
	for _, who := range []access.UserID{o.editor.id, o.reader.id, "unobody"} {
		o.reviewer.refused(403, "choose a reviewer", "POST", at+"/hand-over", map[string]any{"to": who}, "If-Match", tag)
	}
	m = o.reviewer.step(m, "hand-over", map[string]any{"to": o.second.id})
	if m["posting"].(map[string]any)["reviewer"] != string(o.second.id) || actions(m) != "" {
		t.Errorf("handed over: %v", m)
	}
	m = o.second.step(m, "release", nil)
	o.reviewer.step(m, "take", nil)
	if in := o.reviewer.do(200, "GET", "/reviews?state=in-review", nil)["postings"].([]any); len(in) != 1 {
		t.Errorf("in review: %v", in)
	}
	o.reviewer.refused(422, "", "GET", "/reviews?state=all", nil)
}

// TestVersions: an edit says which version it saw.
func TestVersions(t *testing.T) {
	o := newOffice(t)
	m := o.editor.do(201, "POST", "/postings", offer("Dryer"))
	at := "/postings/" + id(m)
	for _, c := range [][2]string{{"PUT", "/draft"}, {"DELETE", "/draft"}, {"POST", "/submit"}} {
		o.editor.refused(428, "If-Match", c[0], at+c[1], offer("Drier"))
		o.editor.refused(412, "Load it again", c[0], at+c[1], offer("Drier"), "If-Match", `"7"`)
		o.editor.refused(412, "read it again", c[0], at+c[1], offer("Drier"), "If-Match", `W/"1"`)
	}
	m = o.editor.do(200, "PUT", at+"/draft", offer("Drier"), "If-Match", m["etag"].(string))
	o.editor.refused(412, "Load it again", "PUT", at+"/draft", offer("Dryer"), "If-Match", `"1"`)
	if w := o.editor.ask("DELETE", at+"/draft", nil, "If-Match", m["etag"].(string)); w.Code != 204 {
		t.Errorf("discarded: %d %s", w.Code, w.Body)
	}
	o.editor.refused(404, "no such listing", "GET", at, nil)
}

// TestFaultsOfADraft: all at once, by field, of the listing and of its record. What is absent is no fault before submitting.
func TestFaultsOfADraft(t *testing.T) {
	o := newOffice(t)
	for body, want := range map[string]string{
		`{}`:                                 "required listing",
		`{"listing":[]}`:                     "wire-type listing",
		`{"listing":{},"x":1,"listing2":{}}`: "unknown listing2, unknown x",
		`{"listing":{"id":"mine"}}`:          "value listing.id",
		`{"listing":{"kind":"XX","ford":["9"],"trl":"5"},"record":{"level":"secret","stage":5,"rigths":[],"terms":{"models":["x"]}}}`:          "value listing.kind, wire-type listing.trl, value listing.ford[0], value record.level, wire-type record.stage, value record.terms.models[0], unknown record.rigths",
		`{"listing":{},"record":{"documents":[{"hash":"` + strings.Repeat("ab", 32) + `","name":"a.pdf","type":"application/pdf","size":5}]}}`: "value record.documents[0]",
		`{"listing":{},"record":[]}`: "wire-type record",
	} {
		if p := problem(t, o.editor.ask("POST", "/postings", body), 422); fields(p) != want {
			t.Errorf("%s:\n got %s\nwant %s", body, fields(p), want)
		}
	}
	problem(t, o.editor.ask("POST", "/postings", `{"listing":{"texts":{"en":{"abstract":"`+strings.Repeat("x", 500<<10)+`"}}}}`), 413)
	m := o.editor.do(201, "POST", "/postings", `{"listing":{},"record":{"comparison":[{"metric":"hours"}],"people":[{}]}}`)
	p := o.editor.refused(422, "several things", "POST", "/postings/"+id(m)+"/submit", nil, "If-Match", m["etag"].(string))
	if !strings.Contains(fields(p), "required listing.texts") || !strings.Contains(fields(p), "required record.people[0].name") {
		t.Errorf("submitted unfinished: %s", fields(p))
	}
	list := o.editor.do(200, "POST", "/checklist", offer("Solar dryer for cashew nuts"))
	if items := list["items"].([]any); len(items) < 10 || list["points"].(float64) < 10 {
		t.Errorf("checklist: %v", list)
	}
	if s := o.editor.do(200, "POST", "/suspects", offer("Dryer"))["suspects"].([]any); len(s) != 0 {
		t.Errorf("suspects without an index: %v", s)
	}
}

// TestOthersListingsAreHidden: who may not see a posting is told the same as if there were none.
func TestOthersListingsAreHidden(t *testing.T) {
	o := newOffice(t)
	m := o.publish(offer("Dryer"))
	reference := m["posting"].(map[string]any)["reference"].(string)
	hash := strings.Repeat("ab", 32)
	ends := map[string]any{"scores": map[string]int{"advantages": 1, "clarity": 1, "cooperation": 1, "guidelines": 1}}
	walked := 0
	for _, r := range api.Routes() {
		path := strings.TrimPrefix(r.Path, "/api/v1")
		if !strings.HasPrefix(path, "/postings/") || path == "/postings/missing" {
			continue
		}
		ask := func(v *visitor, id, reference string) (int, string) {
			at := strings.NewReplacer("{id}", id, "{hash}", hash, "{grant}", "none", "{reference}", reference).Replace(path)
			if strings.HasSuffix(path, "/preview") {
				at += "?level=public"
			}
			var b any
			switch path[strings.LastIndex(path, "/")+1:] {
			case "review":
				b = ends
			case "withdraw":
				b = map[string]string{"reason": "agreement"}
			case "supersede":
				b = map[string]string{"replaced_by": "x"}
			case "revoke":
				b = map[string]string{"note": "x"}
			case "hand-over":
				b = map[string]string{"to": "x"}
			case "adopt":
				b = map[string]string{"organisation": "x"}
			case "grants":
				b = map[string]string{"expires": "2026-12-01T00:00:00Z"}
			}
			if r.Method == http.MethodGet {
				b = nil
			}
			w := v.ask(r.Method, at, b, "If-Match", `"1"`)
			if w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s may be kept", r.Method, at)
			}
			return w.Code, unnamed(w)
		}
		// An editor of another organisation: 404, in the same words, or 403 where his role may not do it with any listing.
		code, body := ask(o.other, id(m), reference)
		none, noBody := ask(o.other, "nothing", "TO-KH-20260101-001")
		if code != none || body != noBody || code != 404 && code != 403 {
			t.Errorf("%s %s: %d %s, of what is not there %d %s", r.Method, path, code, body, none, noBody)
		}
		if code, body := ask(o.reader, id(m), reference); code != 403 {
			t.Errorf("%s %s as a reader: %d %s", r.Method, path, code, body)
		}
		if code, body := ask(o.visitor(), id(m), reference); code != 401 || !strings.Contains(body, "sign in") {
			t.Errorf("%s %s as a stranger: %d %s", r.Method, path, code, body)
		}
		walked++
	}
	if walked < 24 {
		t.Errorf("only %d walked", walked)
	}
	if l := o.other.do(200, "GET", "/postings", nil)["postings"].([]any); len(l) != 0 {
		t.Errorf("another organisation lists %v", l)
	}
	o.other.refused(403, "an editor of its organisation", "GET", "/postings?organisation="+string(o.editor.org), nil)
	o.other.refused(403, "a reviewer", "GET", "/postings?organisation=all", nil)
	o.other.refused(403, "", "GET", "/reviews", nil)
	if l := o.other.do(200, "GET", "/postings/missing", nil)["missing"].([]any); len(l) != 0 {
		t.Errorf("another organisation misses %v", l)
	}
	b := offer("Dryer")
	b["organisation"] = o.editor.org
	o.other.refused(403, "an editor of its organisation", "POST", "/postings", b)
}

// TestWrongRole: the agency sees, and does not write; nobody reviews his own organisation's.
func TestWrongRole(t *testing.T) {
	o := newOffice(t)
	m := o.editor.step(o.editor.do(201, "POST", "/postings", offer("Dryer")), "submit", nil)
	at, tag := "/postings/"+id(m), m["etag"].(string)
	o.reviewer.do(200, "GET", at, nil)
	o.admin.do(200, "GET", at, nil)
	o.reviewer.refused(403, "an editor", "PUT", at+"/draft", offer("Mine"), "If-Match", tag)
	o.admin.refused(403, "a reviewer of another organisation", "POST", at+"/take", nil, "If-Match", tag)
	o.editor.refused(403, "a reviewer", "POST", at+"/take", nil, "If-Match", tag)
	own := o.officeEditor.step(o.officeEditor.do(201, "POST", "/postings", offer("The agency's")), "submit", nil)
	o.reviewer.refused(403, "of another organisation", "POST", "/postings/"+id(own)+"/take", nil, "If-Match", own["etag"].(string))

	m = o.reviewer.step(o.reviewer.step(m, "take", nil), "review", scores(4, 3, 4, 3))
	tag = m["etag"].(string)
	o.editor.refused(403, "a reviewer of another organisation", "POST", at+"/revoke", map[string]string{"note": "x"}, "If-Match", tag)
	o.admin.refused(422, "say why", "POST", at+"/revoke", map[string]string{"note": ""}, "If-Match", tag)
	if m = o.admin.step(m, "revoke", map[string]string{"note": "Sold already."}); m["state"] != "revoked" {
		t.Errorf("revoked: %v", m)
	}
}

func TestListsOfPostings(t *testing.T) {
	o := newOffice(t)
	for i := range 5 {
		o.editor.do(201, "POST", "/postings", offer(fmt.Sprintf("Dryer %d", i)))
	}
	first := o.publish(offer("Published"))
	heir := o.publish(offer("Heir"))
	if m := o.editor.step(first, "supersede", map[string]string{"replaced_by": id(heir)}); m["state"] != "superseded" {
		t.Errorf("superseded: %v", m)
	}
	count := func(v *visitor, query string) (n int, pages int) {
		next := "/postings?limit=2" + query
		for next != "" {
			w := v.ask("GET", next, nil)
			if w.Code != 200 {
				t.Fatalf("%s: %d %s", next, w.Code, w.Body)
			}
			n += strings.Count(w.Body.String(), `"actions":`)
			pages++
			next, _ = strings.CutSuffix(strings.TrimPrefix(w.Header().Get("Link"), "</api/v1"), `>; rel="next"`)
		}
		return n, pages
	}
	for query, want := range map[string]int{"": 7, "&state=draft": 5, "&state=published": 1, "&state=superseded": 1, "&state=expired": 0, "&revision=draft": 0} {
		if n, pages := count(o.editor, query); n != want || pages < want/2 {
			t.Errorf("%q: %d on %d pages, want %d", query, n, pages, want)
		}
	}
	if n, _ := count(o.reviewer, "&organisation=all"); n != 7 {
		t.Errorf("the agency lists %d", n)
	}
	if n, _ := count(o.reviewer, ""); n != 0 {
		t.Errorf("the agency's own: %d", n)
	}
	if n, _ := count(o.operator(), ""); n != 7 {
		t.Errorf("the operator lists %d", n)
	}
	if p := o.editor.refused(422, "none of", "GET", "/postings?state=ready", nil); fields(p) != "value state" {
		t.Errorf("got %s", fields(p))
	}
	cursor := o.editor.do(200, "GET", "/postings?limit=2", nil)["next"].(string)
	if p := o.editor.refused(422, "begin without it", "GET", "/postings?limit=2&state=draft&cursor="+cursor, nil); fields(p) != "value cursor" {
		t.Errorf("another list's cursor: %s", fields(p))
	}
	// A listing that only the catalogue knows, as after a restore.
	l := &protocol.Listing{ID: "TO-OLD", Kind: "TO", Country: "KH", Texts: map[protocol.Lang]protocol.Text{"en": {Title: "Kettle"}}}
	if _, err := o.desk.Publish(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	missing := o.admin.do(200, "GET", "/postings/missing", nil)["missing"].([]any)
	if len(missing) != 1 || missing[0].(map[string]any)["what"] != "posting" {
		t.Fatalf("missing: %v", missing)
	}
	o.editor.refused(403, "an admin", "POST", "/postings/TO-OLD/adopt", map[string]any{"organisation": o.editor.org})
	o.admin.refused(404, "", "POST", "/postings/TO-NONE/adopt", map[string]any{"organisation": o.editor.org})
	o.admin.refused(422, "beside imported_from", "POST", "/postings/TO-OLD/adopt", map[string]any{"organisation": o.editor.org, "imported_from": "file"})
	adopted := map[string]any{"organisation": o.editor.org, "source_id": "oai:old", "imported_from": "repository theses"}
	if m := o.admin.do(200, "POST", "/postings/TO-OLD/adopt", adopted); m["state"] != "published" || m["posting"].(map[string]any)["source_id"] != "oai:old" {
		t.Errorf("adopted: %v", m)
	}
	o.editor.do(200, "GET", "/postings/TO-OLD", nil)
}

// TestWhatWaitsIsSaid: the desk cannot sign for a while.
func TestWhatWaitsIsSaid(t *testing.T) {
	o := newOffice(t)
	m := o.publish(offer("Dryer"))
	o.journal.Broken = protocol.Errorf(protocol.CodeReadOnly, "", "this node takes no writes now")
	o.editor.refused(503, "it is noted", "POST", "/postings/"+id(m)+"/hold", nil, "If-Match", m["etag"].(string))
	m = o.editor.do(200, "GET", "/postings/"+id(m), nil)
	if m["waits"] != "hold" || actions(m) != "documents grants" || m["posting"].(map[string]any)["pending"] != nil {
		t.Errorf("waiting: %v", m)
	}
	o.journal.Broken = nil
	if err := o.house.Postings.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m = o.editor.do(200, "GET", "/postings/"+id(m), nil); m["state"] != "on-hold" || m["waits"] != nil {
		t.Errorf("resumed: %v", m)
	}
}

// TestTokensOfEditors: a program may what its token's scopes say, and is told which one is lacking.
func TestTokensOfEditors(t *testing.T) {
	o := newOffice(t)
	program := func(scope access.Scope) *visitor {
		t.Helper()
		return o.program(o.editor.do(201, "POST", "/tokens", map[string]any{"name": "Export", "scopes": []access.Scope{scope}, "days": 30})["secret"].(string))
	}
	reads, writes := program(access.ScopeRead), program(access.ScopeWrite)
	reads.refused(403, "the scope “write”", "POST", "/postings", offer("Dryer"))
	m := writes.do(201, "POST", "/postings", offer("Dryer"))
	at := "/postings/" + id(m)
	writes.refused(403, "the scope “read”", "GET", at, nil)
	writes.refused(403, "the scope “read”", "GET", "/postings", nil)
	if m = reads.do(200, "GET", at, nil); actions(m) != "" {
		t.Errorf("a token that reads: %v", m)
	}
	writes.step(m, "submit", nil)
	reads.refused(403, "the scope “write”", "POST", at+"/recall", nil, "If-Match", m["etag"].(string))
	reads.do(200, "GET", "/postings?state=submitted", nil)
}
