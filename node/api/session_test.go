package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/audit"
	"github.com/asean-tmh/tmh/protocol"
)

func TestFromSetupToEditor(t *testing.T) {
	h := newHub(t)
	stranger := h.visitor()
	if m := stranger.do(200, "GET", "/setup", nil); m["needed"] != true {
		t.Errorf("a new node: %v", m)
	}
	stranger.refused(401, "the operator, on the node itself, may", "POST", "/setup/link", nil)
	first := keyOf(t, h.operator().do(201, "POST", "/setup/link", nil)["link"])
	second := keyOf(t, h.operator().do(201, "POST", "/setup/link", nil)["link"])
	stranger.refused(409, "a newer link", "GET", "/setup?key="+first, nil)
	stranger.do(200, "GET", "/setup?key="+second, nil)
	p := stranger.refused(422, "several things", "POST", "/setup", map[string]any{"key": second, "email": "x", "password": "short", "organisation": map[string]any{"country": "XX"}})
	for _, want := range []string{"email", "name", "password", "organisation.name", "organisation.type", "organisation.country"} {
		if !slices.ContainsFunc(p.Errors, func(e *protocol.Error) bool { return e.Field == want }) {
			t.Errorf("no fault of %s in %s", want, fields(p))
		}
	}
	h.clock = h.clock.Add(30 * time.Minute)
	stranger.refused(409, "this link has expired: ask for a new one", "POST", "/setup", map[string]any{"key": second})

	admin := h.admin()
	h.operator().refused(409, "has an administrator already", "POST", "/setup/link", nil)
	me := admin.do(200, "GET", "/session", nil)
	if me["kind"] != "person" || me["name"] != "Sok Dara" || fmt.Sprint(me["roles"]) != "[admin]" || me["member"] != "KH" ||
		!slices.Contains(me["may"].([]any), any("people.invite")) || slices.Contains(me["may"].([]any), any("node.operate")) {
		t.Errorf("the administrator is %v", me)
	}

	university := admin.organisation("Royal University")
	made := admin.do(201, "POST", "/invitations", map[string]any{"email": "Editor@Example.org", "organisation": university, "roles": []string{"editor"}})
	if made["mailed"] != false || made["email"] != "editor@example.org" {
		t.Errorf("invited: %v", made)
	}
	k := keyOf(t, made["link"])
	if m := stranger.do(200, "GET", "/invitations/open?key="+k, nil); m["organisation"].(map[string]any)["name"] != "Royal University" || fmt.Sprint(m["roles"]) != "[editor]" {
		t.Errorf("the invitation says %v", m)
	}
	editor := h.visitor()
	account := map[string]any{"key": k, "name": "Chan Thida", "password": goodPassword}
	if m := editor.do(200, "POST", "/invitations/accept", account); m["kind"] != "person" || fmt.Sprint(m["roles"]) != "[editor]" {
		t.Errorf("the editor is %v", m)
	}
	stranger.refused(409, "was used already, and works once", "POST", "/invitations/accept", account)
	stranger.refused(404, "not valid", "POST", "/invitations/accept", map[string]any{"key": strings.Repeat("x", 43), "name": "x", "password": goodPassword})
	editor.refused(403, "you may not invite a person: an admin may", "POST", "/invitations", map[string]any{"email": "a@example.org", "organisation": university, "roles": []string{"editor"}})
	stranger.refused(401, "sign in first", "GET", "/people", nil)
	if m := h.operator().do(200, "GET", "/session", nil); m["kind"] != "operator" {
		t.Errorf("at the socket: %v", m)
	}
	if m := stranger.do(200, "GET", "/session", nil); m["kind"] != "stranger" || len(m["roles"].([]any)) != 0 {
		t.Errorf("a stranger: %v", m)
	}
}

func TestSignInAndOut(t *testing.T) {
	h := newHub(t)
	admin := h.admin()
	editor := admin.person("editor@example.org", admin.organisation("Royal University"), access.Editor)
	before := editor.cookies["tmh"]
	body := map[string]any{"email": "editor@example.org", "password": goodPassword}
	editor.do(200, "POST", "/session", body)
	if editor.cookies["tmh"] == before || editor.cookies["tmh"] == "" {
		t.Error("the session kept its secret at a sign-in")
	}
	stolen := h.visitor()
	stolen.cookies["tmh"] = before
	if m := stolen.do(200, "GET", "/session", nil); m["kind"] != "stranger" {
		t.Errorf("the session before the sign-in lives on: %v", m)
	}
	stolen.cookies["tmh"] = editor.cookies["tmh"]
	editor.do(204, "DELETE", "/session", nil)
	if editor.cookies["tmh"] != "" {
		t.Error("the cookie stays after signing out")
	}
	stolen.refused(401, "sign in first", "GET", "/account", nil)

	guesser := h.visitor()
	for range 5 {
		guesser.refused(401, "do not belong together", "POST", "/session", map[string]any{"email": "editor@example.org", "password": "wrong password"})
	}
	w := guesser.ask("POST", "/session", body)
	problem(t, w, 429)
	if w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "closed") {
		t.Errorf("after five wrong ones: %v %s", w.Header(), w.Body)
	}
	for range 5 {
		guesser.refused(401, "do not belong together", "POST", "/session", map[string]any{"email": "nobody@example.org", "password": "wrong password"})
	}
	if again := guesser.ask("POST", "/session", map[string]any{"email": "nobody@example.org", "password": "x"}); again.Code != 429 || unnamed(again) != unnamed(w) {
		t.Errorf("without an account another answer: %s", again.Body)
	}
	h.clock = h.clock.Add(16 * time.Minute)
	editor.do(200, "POST", "/session", body)
	for _, bad := range []any{`{"email":"a@example.org"}`, `{"email":5,"password":"x"}`, `{"email":"a@example.org","password":"x","admin":true}`} {
		problem(t, editor.ask("POST", "/session", bad), 422)
	}
	problem(t, editor.ask("POST", "/session", `{"email":"`+strings.Repeat("a", 70<<10)+`"}`), 413)
}

func TestForgottenPassword(t *testing.T) {
	h := newHub(t, withMail)
	admin := h.admin()
	known := admin.do(202, "POST", "/password-reset", map[string]any{"email": "admin@example.org"})
	unknown := h.visitor().do(202, "POST", "/password-reset", map[string]any{"email": "nobody@example.org"})
	if known["message"] != unknown["message"] {
		t.Errorf("%v and %v tell accounts apart", known, unknown)
	}
	if waits, err := h.house.Mail.Health(); err != nil || waits.Waiting != 1 {
		t.Errorf("mail: %+v %v", waits, err)
	}
	problem(t, h.visitor().ask("POST", "/password-reset", map[string]any{"email": "none"}), 422)
	o := admin.organisation("Royal University")
	if m := admin.do(201, "POST", "/invitations", map[string]any{"email": "e@example.org", "organisation": o, "roles": []string{"editor"}}); m["mailed"] != true || m["link"] != nil {
		t.Errorf("with mail the answer is %v", m)
	}
	if m := admin.do(201, "POST", "/people/"+string(admin.id)+"/reset-link", nil); m["mailed"] != true || m["link"] != nil {
		t.Errorf("with mail the answer is %v", m)
	}
	if m := admin.do(202, "POST", "/account/email", map[string]any{"email": "other@example.org"}); m["message"] == nil || strings.Contains(fmt.Sprint(m), "key=") {
		t.Errorf("another address: %v", m)
	}
}

func TestResetByHand(t *testing.T) {
	h := newHub(t)
	admin := h.admin()
	reader := admin.person("reader@example.org", admin.org, access.Reader)
	if m := h.visitor().do(202, "POST", "/password-reset", map[string]any{"email": "reader@example.org"}); !strings.Contains(fmt.Sprint(m["message"]), "sends no mail") {
		t.Errorf("without mail: %v", m)
	}
	k := keyOf(t, admin.do(201, "POST", "/people/"+string(reader.id)+"/reset-link", nil)["link"])
	h.visitor().refused(422, "", "POST", "/password-reset/finish", map[string]any{"key": k, "password": "short"})
	h.visitor().do(204, "POST", "/password-reset/finish", map[string]any{"key": k, "password": "eight green papayas"})
	h.visitor().refused(409, "was used already", "POST", "/password-reset/finish", map[string]any{"key": k, "password": "eight green papayas"})
	reader.refused(401, "sign in", "GET", "/account", nil)
	reader.do(200, "POST", "/session", map[string]any{"email": "reader@example.org", "password": "eight green papayas"})
	reader.refused(503, "sends no mail", "POST", "/account/email", map[string]any{"email": "other@example.org"})
	h.visitor().refused(404, "not valid", "POST", "/verification", map[string]any{"key": "x"})
}

func TestDoorsAreLimited(t *testing.T) {
	h := newHub(t)
	v := h.visitor()
	for i := range 31 {
		w := v.ask("POST", "/session/passkey/finish", map[string]any{"response": map[string]any{}})
		if i < 30 && w.Code != 401 {
			t.Fatalf("attempt %d: %d %s", i, w.Code, w.Body)
		}
		if i == 30 && (problem(t, w, 429).Code != protocol.CodeQuota || w.Header().Get("Retry-After") == "") {
			t.Errorf("the 31st attempt: %v %s", w.Header(), w.Body)
		}
	}
	v.do(200, "GET", "/session", nil) // who is in stays in
	other := h.visitor()
	other.address = "192.0.2.2:1000"
	other.refused(401, "", "POST", "/session/passkey/finish", map[string]any{"response": map[string]any{}})
	for range 40 {
		h.operator().refused(401, "", "POST", "/session/passkey/finish", map[string]any{"response": map[string]any{}})
	}
}

func TestWritesAreLimited(t *testing.T) {
	h := newHub(t)
	program := h.program("operators-secret")
	for i := range 601 {
		w := program.ask("DELETE", "/tokens/none", nil)
		if want := map[bool]int{false: 404, true: 429}[i == 600]; w.Code != want {
			t.Fatalf("write %d: %d %s", i, w.Code, w.Body)
		}
	}
	if w := program.ask("GET", "/audit", nil); w.Code != http.StatusOK {
		t.Errorf("reading is limited too: %d", w.Code)
	}
	if w := program.ask("POST", "/match", `{"text":"x"}`); w.Code != http.StatusOK {
		t.Errorf("matching is limited too: %d", w.Code)
	}
}

func TestTheAuditLogSaysNoNames(t *testing.T) {
	h := newHub(t)
	admin := h.admin()
	admin.person("reader@example.org", admin.org, access.Reader)
	all := strings.Join(h.acts(audit.Filter{}), " ")
	for _, want := range []string{"setup.link", "setup.done", "session.start", "invitation.create", "user.create"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %s in %s", want, all)
		}
	}
	w := admin.ask("GET", "/audit/export", nil)
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/jsonl" || strings.Count(w.Body.String(), "\n") != len(h.acts(audit.Filter{})) {
		t.Errorf("export: %d %v", w.Code, w.Header())
	}
	for _, secret := range []string{"example.org", "Dara", "Thida", string(admin.id)} {
		if strings.Contains(w.Body.String(), secret) {
			t.Errorf("%s stands in the log", secret)
		}
	}
}
