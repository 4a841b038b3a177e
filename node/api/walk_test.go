package api_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/ingest"
	"github.com/asean-tmh/tmh/node/live"
	"github.com/asean-tmh/tmh/node/record"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Every address is asked as everybody, and the answers are compared with testdata/walk.tsv, which is written by hand.

// line of the file: what is expected of an address, by who asks.
type line struct {
	at, method, path, of string
	want                 map[string]string
}

func walkLines(t *testing.T) (who []string, lines []line) {
	t.Helper()
	b, err := os.ReadFile("testdata/walk.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		if strings.HasPrefix(text, "#") {
			continue
		}
		cells := strings.Split(text, "\t")
		if who == nil {
			who = cells[3:]
			continue
		}
		if len(cells) != len(who)+3 {
			t.Fatalf("line %d has %d cells, want %d", i+1, len(cells), len(who)+3)
		}
		l := line{at: strings.Join(cells[:3], " "), method: cells[0], path: cells[1], of: cells[2], want: map[string]string{}}
		for j, w := range who {
			if l.want[w] = cells[j+3]; !slices.Contains([]string{"+", "401", "403", "404"}, cells[j+3]) {
				t.Fatalf("line %d, %s: %q", i+1, w, cells[j+3])
			}
		}
		if slices.ContainsFunc(lines, func(x line) bool { return x.at == l.at }) {
			t.Errorf("line %d: %s stands there twice", i+1, l.at)
		}
		lines = append(lines, l)
	}
	return who, lines
}

// walk is an office with one of everything that an address can name.
type walk struct {
	*office
	routers                    *api.API            // the same without the backup, which stands beside the operator's router
	people                     map[string]*visitor // by role; the tokens' owners too
	tokens                     map[string]string   // by "role:scope"
	postings, references, hash map[string]string   // by what the file calls them
	target, spare              *visitor
	imports                    map[string]string // by what the file calls them
	invitation, address, reset string            // secrets of links
	token                      access.TokenID
	asked                      int
}

func newWalk(t *testing.T, who []string) *walk {
	t.Helper()
	w := &walk{office: newOffice(t), tokens: map[string]string{}, postings: map[string]string{}, references: map[string]string{}, hash: map[string]string{}}
	d := newDesk(t)
	d.imports = func(io.Reader, func(exchange.ImportEvent) error) error { return nil }
	cfg := api.Config{
		Desk: d, Operator: new(operator), Decode: ingest.DecodeListingJSON, House: w.house,
		Live: live.New(&desk{}), Door: &door.Keeper{House: w.house, Member: "KH", Token: "operators-secret"}, Member: "KH", Now: w.now, Log: slog.New(slog.DiscardHandler),
	}
	w.routers = api.New(cfg)
	cfg.Backup = func(context.Context, io.Writer) error { return nil }
	w.hub.api = api.New(cfg)
	company := w.company()
	w.people = map[string]*visitor{
		"reader": w.reader, "editor": w.editor, "other": w.other, "reviewer": w.reviewer, "admin": w.admin,
		"scout":   w.admin.person("scout@company.example", company, access.Scout),
		"analyst": w.admin.person("analyst@agency.example", w.admin.org, access.Analyst),
		"auditor": w.admin.person("auditor@agency.example", w.admin.org, access.Auditor),
	}
	w.target = w.admin.person("target@college.example", w.other.org, access.Reader)
	w.spare = w.admin.person("spare@college.example", w.other.org, access.Reader)
	for _, name := range who {
		if role, scope, is := strings.Cut(name, ":"); is {
			w.tokens[name] = w.tokenOf(w.people[role].id, scope)
		}
	}
	w.seed()
	people := w.house.People
	var err error
	if w.invitation, _, err = people.Invite(access.Operator("KH"), "new@college.example", w.other.org, []access.Role{access.Reader}, ""); err != nil {
		t.Fatal(err)
	}
	if w.address, err = people.VerificationLink(w.signIn(w.spare.id).Actor, w.spare.id, "spare@college.example"); err != nil {
		t.Fatal(err)
	}
	if w.reset, err = people.ResetLink(access.Operator("KH"), w.spare.id); err != nil {
		t.Fatal(err)
	}
	w.token = w.newToken()
	return w
}

// seed a listing of each level, one in review, and one that the agency itself submitted.
func (w *walk) seed() {
	for _, level := range []string{"public", "registered", "restricted", "invited"} {
		content := offer("Dryer of level " + level)
		r := content["record"].(map[string]any)
		r["level"] = level
		if level == "restricted" {
			r["audience"] = map[string]any{"types": []string{"sme"}}
		}
		m := w.editor.do(201, "POST", "/postings", content)
		pic := w.editor.send(m, "drying.png", "image/png", picture(w.t, 40+len(level), 30))
		r["documents"] = []any{pic}
		m = w.editor.do(200, "PUT", "/postings/"+id(m)+"/draft", content, "If-Match", m["etag"].(string))
		m = w.reviewer.step(w.reviewer.step(w.editor.step(m, "submit", nil), "take", nil), "review", scores(4, 3, 4, 3))
		w.postings[level], w.hash[level] = id(m), pic["hash"].(string)
		w.references[level] = m["posting"].(map[string]any)["reference"].(string)
	}
	m := w.editor.step(w.editor.do(201, "POST", "/postings", offer("In review")), "submit", nil)
	w.postings["review"] = id(w.reviewer.step(m, "take", nil))
	w.postings["agency"] = id(w.officeEditor.step(w.officeEditor.do(201, "POST", "/postings", offer("Of the agency")), "submit", nil))
	w.grant()
	w.seedImports()
}

// grant the company's people the listing of level invited, anew.
func (w *walk) grant() string {
	w.t.Helper()
	g, err := w.house.Invite(w.signIn(w.editor.id).Actor, protocol.ListingID(w.postings["invited"]), record.Invitation{
		Member: "KH", Organisation: w.people["scout"].org, Expires: protocol.InstantOf(w.now().Add(24 * time.Hour)),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return g.ID
}

func (w *walk) signIn(id access.UserID) (s access.SignedIn) {
	w.t.Helper()
	err := w.store.Update(func(tx *store.Tx) (err error) {
		s, err = w.house.People.SignInAs(tx, id, "password", access.Client{})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// tokenOf a person, of one scope or of several by plus signs.
func (w *walk) tokenOf(id access.UserID, scope string) string {
	w.t.Helper()
	var all []access.Scope
	for s := range strings.SplitSeq(scope, "+") {
		all = append(all, access.Scope(s))
	}
	secret, _, err := w.house.People.CreateToken(access.Operator("KH"), id, "walks", all, 24*time.Hour)
	if err != nil {
		w.t.Fatal(err)
	}
	return secret
}

func (w *walk) newToken() access.TokenID {
	w.t.Helper()
	_, token, err := w.house.People.CreateToken(access.Operator("KH"), w.editor.id, "x", []access.Scope{access.ScopeRead}, 24*time.Hour)
	if err != nil {
		w.t.Fatal(err)
	}
	return token.ID
}

// another person, who may be erased.
func (w *walk) another(o access.OrganisationID, roles ...access.Role) access.UserID {
	w.t.Helper()
	w.asked++
	secret, _, err := w.house.People.Invite(access.Operator("KH"), fmt.Sprintf("p%d@example.org", w.asked), o, roles, "")
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := w.house.People.Accept(w.t.Context(), secret, access.NewAccount{Name: "Another", WithoutPassword: true}, access.Client{})
	if err != nil {
		w.t.Fatal(err)
	}
	return s.Actor.User
}

// ask an address as somebody, so that who asks is all that the answer hangs on. Versions are wrong, so that nothing changes.
func (w *walk) ask(l line, who string) *httptest.ResponseRecorder {
	w.t.Helper()
	w.asked++
	w.clock = w.clock.Add(time.Second)
	short, path := strings.TrimPrefix(l.path, "/api/v1"), l.path
	body, kind := w.body(l.method, short, l.of)
	if q := w.query(l.method, short, l.of); q != "" {
		path += "?" + q
	}
	role, scope, byToken := strings.Cut(who, ":")
	token, person := w.tokens[who], access.UserID("")
	if v := w.people[role]; v != nil {
		person = v.id
		if role != "admin" && l.method == http.MethodDelete && short == "/account" {
			person = w.another(v.org, access.Role(strings.Replace(role, "other", "editor", 1)))
			if byToken {
				token = w.tokenOf(person, scope)
			}
		}
	}
	session := access.SignedIn{}
	if person != "" && !byToken {
		session = w.signIn(person)
	}
	for name, value := range w.names(l, session) {
		path = strings.ReplaceAll(path, "{"+name+"}", value)
	}
	r := httptest.NewRequest(l.method, path, bytes.NewReader(body))
	r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1000", w.asked%250+1)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("If-Match", `"999"`)
	handler := w.hub.api.Public()
	switch {
	case who == "operator":
		handler = w.hub.api.Operator()
	case who == "operator's token":
		r.Header.Set("Authorization", "Bearer operators-secret")
	case byToken:
		r.Header.Set("Authorization", "Bearer "+token)
	case session.Secret != "":
		r.AddCookie(&http.Cookie{Name: "tmh", Value: session.Secret})
	}
	registers := short == "/account/passkeys/finish" && session.Secret != ""
	if registers {
		w.register(r, session.Actor)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r)
	if registers && answer.Code == http.StatusCreated {
		keys, err := w.house.PasskeysOf(session.Actor)
		if err == nil {
			err = w.house.RemovePasskey(session.Actor, keys[0].ID) // the next one registers the same
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return answer
}

// register makes the request that of a browser with a passkey.
func (w *walk) register(r *http.Request, by access.Actor) {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	begun, err := w.house.BeginPasskey(by)
	if err != nil {
		w.t.Fatal(err)
	}
	var options any
	if err := json.Unmarshal(begun.Options, &options); err != nil {
		w.t.Fatal(err)
	}
	b, err := json.Marshal(map[string]any{"response": (&device{key: key}).answer(w.t, options)})
	if err != nil {
		w.t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: "tmh-passkey", Value: begun.Ceremony})
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
}

// names are what stands in the braces of an address.
func (w *walk) names(l line, s access.SignedIn) map[string]string {
	all := map[string]string{"origin": "KH", "id": "none", "hash": w.hash[l.of], "grant": "none"}
	short := strings.TrimPrefix(l.path, "/api/v1")
	under := func(s string) bool { return strings.HasPrefix(short, s) }
	switch {
	case under("/postings/"), under("/listings/{origin}/{id}/"):
		all["id"] = w.postings[l.of]
	case under("/listings/"):
		all["id"] = "TO-1"
	case under("/members/"):
		all["id"] = "KH"
	case under("/people/") && l.method == http.MethodDelete:
		all["id"] = string(w.another(w.other.org, access.Reader))
	case under("/people/"):
		all["id"] = string(w.target.id)
	case under("/organisations/"):
		all["id"], all["name"] = string(w.editor.org), "walked"
	case under("/imports/"):
		all["id"] = w.imports[l.of]
	case under("/account/sessions/") && s.Actor.Session != "":
		all["id"] = string(s.Actor.Session)
	case under("/invitations/{id}"):
		_, i, err := w.house.People.Invite(access.Operator("KH"), "someone@college.example", w.other.org, []access.Role{access.Reader}, "")
		if err != nil {
			w.t.Fatal(err)
		}
		all["id"] = i.ID
	case short == "/tokens/{id}":
		all["id"] = string(w.newToken())
	case under("/tokens/"):
		all["id"] = string(w.token)
	}
	if strings.HasSuffix(short, "/{grant}") {
		all["grant"] = w.grant()
	}
	all["reference"], all["code"] = w.references[l.of], "value"
	return all
}

func (w *walk) query(method, short, of string) string {
	switch short {
	case "/match":
		if method == http.MethodGet {
			return "q=fish"
		}
	case "/suggest":
		return "q=fi"
	case "/imports":
		return "format=jsonl"
	case "/listings/{id}":
		if method == http.MethodDelete {
			return "reason=other"
		}
	case "/invitations/open":
		return "key=" + w.invitation
	case "/operator/seal":
		return "at=1.1"
	case "/postings/{id}/preview":
		return "level=public"
	case "/postings/{id}/documents":
		return "name=x.png"
	case "/postings":
		if method == http.MethodGet && of == "owner" {
			return "organisation=" + string(w.editor.org)
		}
		if method == http.MethodGet && of == "all" {
			return "organisation=all"
		}
	case "/tokens":
		if of == "all" {
			return "all=true"
		}
	}
	return ""
}

// body that an address takes.
func (w *walk) body(method, short, of string) (body []byte, kind string) {
	w.t.Helper()
	type m = map[string]any
	var v any
	switch method + " " + short {
	case "POST /postings/{id}/documents":
		return []byte(picture(w.t, 20, 20)), "image/png"
	case "POST /listings", "PUT /listings/{id}":
		return []byte(listingJSON), "application/json"
	case "POST /match":
		v = m{"listing": m{"kind": "TR", "texts": m{"en": m{"title": "dry fish"}}}}
	case "POST /session":
		v = m{"email": "spare@college.example", "password": goodPassword}
	case "POST /setup":
		v = m{"key": "none", "email": "x@example.org", "name": "x", "password": goodPassword, "organisation": m{"name": "x", "type": "agency", "country": "KH"}}
	case "POST /invitations/accept":
		v = m{"key": w.invitation, "name": "", "password": goodPassword}
	case "POST /verification":
		v = m{"key": w.address}
	case "POST /password-reset", "POST /account/email":
		v = m{"email": "x@example.org"}
	case "POST /password-reset/finish":
		v = m{"key": w.reset, "password": "short"}
	case "POST /session/passkey/finish", "POST /account/passkeys/finish":
		v = m{"response": m{}}
	case "POST /account/password":
		v = m{"current": goodPassword, "password": "short"}
	case "PATCH /account/passkeys/{id}":
		v = m{"name": "x"}
	case "PATCH /account", "PATCH /people/{id}", "PATCH /organisations/{id}", "POST /organisations":
		v = m{}
	case "POST /invitations":
		v = m{"email": "x", "organisation": "none", "roles": []string{"reader"}}
	case "POST /tokens":
		if v = (m{"name": "x", "scopes": []string{"none"}}); of == "another" {
			v = m{"name": "x", "scopes": []string{"none"}, "user": w.target.id}
		}
	case "POST /postings":
		content := offer("Walked")
		if of == "owner" {
			content["organisation"] = w.editor.org
		}
		v = content
	case "PUT /postings/{id}/draft", "POST /checklist", "POST /suspects":
		v = offer("Walked")
	case "POST /postings/{id}/review":
		v = scores(4, 3, 4, 3)
	case "POST /organisations/{id}/mappings/inspect":
		return []byte("title\nSolar dryer\n"), "text/csv"
	case "PUT /organisations/{id}/mappings/{name}":
		v = m{"id": []string{"id"}, "rules": []m{}}
	case "PUT /organisations/{id}/sources/{name}", "POST /organisations/{id}/sources/test":
		v = m{"url": "no address"}
	case "POST /imports/{id}/confirm":
		v = m{"withdrawals": 1}
	case "POST /postings/{id}/hand-over":
		v = m{"to": w.second.id}
	case "POST /postings/{id}/withdraw":
		v = m{"reason": "agreement"}
	case "POST /postings/{id}/supersede":
		v = m{"replaced_by": w.postings["registered"]}
	case "POST /postings/{id}/revoke":
		v = m{"note": "x"}
	case "POST /postings/{id}/adopt":
		v = m{"organisation": w.editor.org}
	case "POST /postings/{id}/grants":
		v = m{"organisation": w.people["scout"].org, "expires": w.now().Add(24 * time.Hour).Format(time.RFC3339)}
	default:
		return nil, "application/json"
	}
	b, err := json.Marshal(v)
	if err != nil {
		w.t.Fatal(err)
	}
	return b, "application/json"
}

// TestEveryRouteAsEverybody walks all addresses of both listeners. + in the file is every answer but 401, 403 and 404.
func TestEveryRouteAsEverybody(t *testing.T) {
	who, lines := walkLines(t)
	w := newWalk(t, who)
	served, known := map[string]bool{"GET /api/v1/backup": true}, map[string]bool{}
	for _, handler := range []http.Handler{w.routers.Public(), w.routers.Operator()} {
		err := chi.Walk(handler.(chi.Routes), func(method, path string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
			served[method+" "+path] = true
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range lines {
		route := l.method + " " + l.path
		if known[route] = true; !served[route] {
			t.Errorf("%s stands in the file, and is not served", route)
			continue
		}
		for _, name := range who {
			answer := w.ask(l, name)
			got := "+"
			if slices.Contains([]int{401, 403, 404}, answer.Code) {
				got = fmt.Sprint(answer.Code)
			}
			if got != l.want[name] {
				t.Errorf("%s as %s: %d, want %s: %s", l.at, name, answer.Code, l.want[name], answer.Body)
			}
			if answer.Code >= 500 && answer.Code != http.StatusServiceUnavailable {
				t.Errorf("%s as %s: %d %s", l.at, name, answer.Code, answer.Body)
			}
		}
	}
	for route := range served {
		if !known[route] {
			t.Errorf("%s is served, and does not stand in testdata/walk.tsv", route)
		}
	}
	if w.asked < 2000 {
		t.Errorf("only %d asked", w.asked)
	}
}
