package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/demo"
	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/protocol"
)

// browsed is a person at a running node, over its real address.
type browsed struct {
	t    *testing.T
	base string
	http *http.Client
}

func (b *browsed) ask(method, path, body string, header ...string) (int, http.Header, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = w.Body.Close() }()
	all, err := io.ReadAll(w.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return w.StatusCode, w.Header, string(all)
}

func (b *browsed) do(status int, method, path string, body any, header ...string) map[string]any {
	b.t.Helper()
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			b.t.Fatal(err)
		}
	}
	code, h, got := b.ask(method, path, sent.String(), header...)
	m := map[string]any{}
	if err := json.Unmarshal([]byte(got), &m); code != status || err != nil {
		b.t.Fatalf("%s %s: %d %s", method, path, code, got)
	}
	m["etag"] = h.Get("ETag")
	return m
}

func (b *browsed) step(m map[string]any, verb string, body any) map[string]any {
	b.t.Helper()
	return b.do(200, "POST", "/postings/"+id(m)+"/"+verb, body, "If-Match", m["etag"].(string))
}

// members of a running federation.
type region struct {
	*demo.Federation
	t *testing.T
}

func (r region) visitor(m protocol.MemberID) *browsed {
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return &browsed{t: r.t, base: r.URL(m) + "api/v1", http: &http.Client{Jar: jar}}
}

func (r region) admin(m protocol.MemberID) *browsed {
	r.t.Helper()
	secret, _, err := r.Node(m).House().People.SetupLink(access.Operator(m))
	if err != nil {
		r.t.Fatal(err)
	}
	b := r.visitor(m)
	b.do(200, "POST", "/setup", map[string]any{"key": secret, "email": "admin@agency.example", "name": "Sok Dara", "password": goodPassword,
		"organisation": map[string]any{"name": "Agency", "type": "agency", "country": m}})
	return b
}

// person of a new university whom an administrator invites.
func (r region) person(m protocol.MemberID, admin *browsed, role string) *browsed {
	r.t.Helper()
	org := admin.do(201, "POST", "/organisations", map[string]any{"name": "University of the " + role, "type": "university", "country": m})["id"]
	link := admin.do(201, "POST", "/invitations", map[string]any{"email": role + "@example.org", "organisation": org, "roles": []string{role}})["link"]
	b := r.visitor(m)
	b.do(200, "POST", "/invitations/accept", map[string]any{"key": keyOf(r.t, link), "name": "Chan Thida", "password": goodPassword})
	return b
}

// TestListingAcrossTheRegion: posted and reviewed on one member's node, it is read on another's, by level, with its documents, also
// while the first is away; and not any more once it is withdrawn.
func TestListingAcrossTheRegion(t *testing.T) {
	if testing.Short() {
		t.Skip("starts two nodes")
	}
	all := founding.ASEAN()
	f, err := demo.New(demo.Config{Dir: t.TempDir(), Members: all[2:4], Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := f.StartAll(); err != nil {
		t.Fatal(err)
	}
	await := func(what string, ok func() bool) {
		t.Helper()
		if err := demo.Await(t.Context(), what, ok); err != nil {
			t.Fatal(err)
		}
	}
	r := region{f, t}
	admin, abroad := r.admin("KH"), r.admin("LA")
	editor, reviewer, reader := r.person("KH", admin, "editor"), r.person("KH", admin, "reviewer"), r.person("LA", abroad, "reader")
	await("the nodes are connected", f.Connected)

	m := editor.do(201, "POST", "/postings", offer("Solar dryer"))
	drawing := picture(t, 900, 600)
	code, _, sent := editor.ask("POST", "/postings/"+id(m)+"/documents?name=dryer.png", drawing, "Content-Type", "image/png")
	var pic struct{ Document map[string]any }
	if err := json.Unmarshal([]byte(sent), &pic); code != 201 || err != nil {
		t.Fatalf("sent: %d %s", code, sent)
	}
	code, _, sent = editor.ask("POST", "/postings/"+id(m)+"/documents?name=plan.pdf", leaflet(), "Content-Type", "application/pdf")
	var plan struct{ Document map[string]any }
	if err := json.Unmarshal([]byte(sent), &plan); code != 201 || err != nil {
		t.Fatalf("sent: %d %s", code, sent)
	}
	m = editor.do(200, "PUT", "/postings/"+id(m)+"/draft", leveled(pic.Document, plan.Document, "sme"), "If-Match", m["etag"].(string))
	m = reviewer.step(reviewer.step(editor.step(m, "submit", nil), "take", nil), "review", scores(4, 3, 4, 3))
	full, documents := "/listings/KH/"+id(m)+"/full", "/listings/KH/"+id(m)+"/documents/"
	stranger := r.visitor("LA")
	await("the listing is at the other node", func() bool {
		code, _, _ := stranger.ask("GET", "/listings/KH/"+id(m), "")
		return code == 200
	})

	for name, c := range map[string]struct {
		who      *browsed
		level    string
		withheld string
	}{"stranger": {stranger, "public", "[registered restricted]"}, "reader outside the audience": {reader, "registered", "[restricted]"}} {
		x := c.who.do(200, "GET", full, nil)
		b, _ := json.Marshal(x)
		if x["level"] != c.level || fmt.Sprint(x["withheld"]) != c.withheld || x["verified"] != true || x["contact"] != nil || strings.Contains(string(b), "CONTACT") ||
			strings.Contains(string(b), "TERMS") != (c.level == "registered") {
			t.Errorf("%s: %s", name, b)
		}
		code, h, got := c.who.ask("GET", documents+pic.Document["hash"].(string), "")
		if code != 200 || protocol.Sum([]byte(got)).String() != pic.Document["hash"] || h.Get("Content-Length") != fmt.Sprint(len(got)) || h.Get("Content-Type") != "image/png" {
			t.Errorf("%s: the picture: %d, %d bytes, %v", name, code, len(got), h)
		}
		if code, _, got := c.who.ask("GET", documents+pic.Document["preview"].(string), ""); code != 200 || protocol.Sum([]byte(got)).String() != pic.Document["preview"] {
			t.Errorf("%s: the preview: %d, %d bytes", name, code, len(got))
		}
		if code, _, got := c.who.ask("GET", documents+plan.Document["hash"].(string), ""); code != 404 {
			t.Errorf("%s: a restricted document: %d %s", name, code, got)
		}
	}

	if err := f.Stop("KH"); err != nil {
		t.Fatal(err)
	}
	await("the origin is seen to be away", func() bool { return len(f.Node("LA").Net().Connected()) == 0 })
	if x := reader.do(200, "GET", full, nil); x["from_copy"] != true || x["level"] != "registered" {
		t.Errorf("the copy: %v", x)
	}
	if code, _, got := reader.ask("GET", documents+pic.Document["hash"].(string), ""); code != 503 || !strings.Contains(got, "KH") {
		t.Errorf("a document of an origin that is away: %d %s", code, got)
	}
	if err := f.Start("KH"); err != nil {
		t.Fatal(err)
	}
	editor.base = r.URL("KH") + "api/v1"
	m = editor.do(200, "GET", "/postings/"+id(m), nil)
	editor.step(m, "withdraw", map[string]string{"reason": "agreement"})
	await("the withdrawal is at the other node", func() bool {
		code, _, _ := stranger.ask("GET", "/listings/KH/"+id(m), "")
		return code == 410
	})
	if code, _, got := reader.ask("GET", full, ""); code != 404 {
		t.Errorf("withdrawn: %d %s", code, got)
	}
}
