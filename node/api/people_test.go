package api_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/audit"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/protocol"
)

func TestOnesOwnAccount(t *testing.T) {
	h := newHub(t)
	admin := h.admin()
	reader := admin.person("reader@example.org", admin.org, access.Reader)
	me := reader.do(200, "GET", "/account", nil)
	if me["name"] != "Chan Thida" || me["has_password"] != true || me["etag"] == nil {
		t.Errorf("account: %v", me)
	}
	tag := me["etag"].(string)
	reader.refused(428, "send its ETag as If-Match", "PATCH", "/account", map[string]any{"name": "Chan Sopheap"})
	reader.refused(412, "is no ETag of this address", "PATCH", "/account", map[string]any{"name": "Chan Sopheap"}, "If-Match", "*")
	changed := reader.do(200, "PATCH", "/account", map[string]any{"name": "Chan Sopheap"}, "If-Match", tag)
	if changed["name"] != "Chan Sopheap" || changed["etag"] == tag {
		t.Errorf("changed: %v", changed)
	}
	reader.refused(412, "somebody changed this meanwhile", "PATCH", "/account", map[string]any{"language": "km"}, "If-Match", tag)
	if m := reader.do(200, "PATCH", "/account", map[string]any{"language": "km"}, "If-Match", changed["etag"].(string)); m["name"] != "Chan Sopheap" || m["language"] != "km" {
		t.Errorf("what is left out does not stay: %v", m)
	}

	elsewhere := h.visitor()
	elsewhere.do(200, "POST", "/session", map[string]any{"email": "reader@example.org", "password": goodPassword})
	all := reader.do(200, "GET", "/account/sessions", nil)["sessions"].([]any)
	current := 0
	for _, s := range all {
		if s.(map[string]any)["current"] == true {
			current++
		}
	}
	if len(all) != 2 || current != 1 {
		t.Errorf("sessions: %v", all)
	}
	reader.refused(403, "not your current password", "POST", "/account/password", map[string]any{"current": "wrong", "password": "eight green papayas"})
	before := reader.cookies["tmh"]
	reader.do(204, "POST", "/account/password", map[string]any{"current": goodPassword, "password": "eight green papayas"})
	if reader.cookies["tmh"] == before {
		t.Error("the session kept its secret when the password changed")
	}
	elsewhere.refused(401, "sign in", "GET", "/account", nil)
	elsewhere.do(200, "POST", "/session", map[string]any{"email": "reader@example.org", "password": "eight green papayas"})
	reader.do(204, "DELETE", "/account/sessions", nil)
	elsewhere.refused(401, "sign in", "GET", "/account", nil)

	data := reader.do(200, "GET", "/account/export", nil)
	if b, _ := json.Marshal(data); !strings.Contains(string(b), "reader@example.org") || !strings.Contains(string(b), "user.password") || strings.Contains(string(b), "argon2") {
		t.Errorf("export: %s", b)
	}
	mine := reader.do(200, "GET", "/account/sessions", nil)["sessions"].([]any)[0].(map[string]any)
	reader.do(204, "DELETE", "/account/sessions/"+mine["id"].(string), nil)
	if reader.cookies["tmh"] != "" {
		t.Error("the cookie of a session that ended stays")
	}
	reader.do(200, "POST", "/session", map[string]any{"email": "reader@example.org", "password": "eight green papayas"})
	reader.do(204, "DELETE", "/account", nil)
	reader.refused(401, "do not belong together", "POST", "/session", map[string]any{"email": "reader@example.org", "password": "eight green papayas"})
	admin.refused(409, "without an administrator", "DELETE", "/account", nil)
	h.operator().refused(403, "the person whose account it is", "PATCH", "/account", map[string]any{"name": "x"})
}

func TestPeopleAndTheirRoles(t *testing.T) {
	h := newHub(t)
	admin := h.admin()
	university := admin.organisation("Royal University")
	editor := admin.person("editor@example.org", university, access.Editor)
	path := "/people/" + string(editor.id)
	p := admin.do(200, "GET", path, nil)
	admin.refused(428, "ETag", "PATCH", path, map[string]any{"roles": []string{"editor", "reviewer"}})
	admin.refused(428, "ETag", "POST", path+"/disable", nil)
	changed := admin.do(200, "PATCH", path, map[string]any{"roles": []string{"editor", "reviewer"}}, "If-Match", p["etag"].(string))
	if fmt.Sprint(changed["roles"]) != "[editor reviewer]" || changed["organisation"] != string(university) {
		t.Errorf("changed: %v", changed)
	}
	admin.refused(412, "meanwhile", "POST", path+"/disable", nil, "If-Match", p["etag"].(string))
	admin.refused(422, "is no role", "PATCH", path, map[string]any{"roles": []string{"king"}}, "If-Match", changed["etag"].(string))
	editor.refused(401, "sign in", "GET", "/account", nil) // sessions ended
	off := admin.do(200, "POST", path+"/disable", nil, "If-Match", changed["etag"].(string))
	editor.refused(401, "disabled", "POST", "/session", map[string]any{"email": "editor@example.org", "password": goodPassword})
	admin.refused(409, "disabled", "POST", path+"/reset-link", nil)
	admin.do(200, "POST", path+"/enable", nil, "If-Match", off["etag"].(string))
	editor.do(200, "POST", "/session", map[string]any{"email": "editor@example.org", "password": goodPassword})
	editor.do(200, "GET", path, nil) // oneself
	editor.refused(403, "an admin may", "GET", "/people/"+string(admin.id), nil)
	editor.refused(403, "an admin may", "PATCH", path, map[string]any{"roles": []string{"admin"}}, "If-Match", `"1"`)
	admin.refused(404, "no such person", "GET", "/people/unone", nil)

	if b, _ := json.Marshal(admin.do(200, "GET", path+"/export", nil)); !strings.Contains(string(b), "editor@example.org") {
		t.Errorf("export: %s", b)
	}
	admin.do(204, "DELETE", path, nil)
	if b := admin.ask("GET", "/people", nil).Body.String(); strings.Contains(b, "editor@example.org") {
		t.Errorf("erased, and in the list: %s", b)
	}
	admin.refused(409, "without an administrator", "DELETE", "/people/"+string(admin.id), nil)
}

func TestPagesOfPeople(t *testing.T) {
	h := newHub(t)
	admin := h.admin()
	want := map[string]bool{string(admin.id): true}
	for i := range 3 {
		want[string(admin.person(fmt.Sprintf("p%d@example.org", i), admin.org, access.Reader).id)] = true
	}
	got, path := map[string]bool{}, "/people?limit=2"
	for pages := 0; path != ""; pages++ {
		w := admin.ask("GET", path, nil)
		var page struct {
			People []access.User
			Next   string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != 200 || pages > 3 {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		for _, u := range page.People {
			got[string(u.ID)] = true
		}
		path = ""
		if link, ok := strings.CutSuffix(strings.TrimPrefix(w.Header().Get("Link"), "</api/v1"), `>; rel="next"`); ok {
			path = link
			if !strings.Contains(path, url.QueryEscape(page.Next)) {
				t.Errorf("link %s, next %s", path, page.Next)
			}
		}
		if page.Next != "" {
			admin.refused(422, "is not one that this list gave", "GET", "/people?limit=2&role=reader&cursor="+page.Next, nil)
			admin.refused(422, "is not one that this list gave", "GET", "/organisations?cursor="+page.Next, nil)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if m := admin.do(200, "GET", "/people?q=P1@example", nil); len(m["people"].([]any)) != 0 && !strings.Contains(fmt.Sprint(m), "p1@example.org") {
		t.Errorf("by address: %v", m)
	}
	if m := admin.do(200, "GET", "/people?role=admin", nil); len(m["people"].([]any)) != 1 {
		t.Errorf("by role: %v", m)
	}
}

func TestInvitationsAreTakenBack(t *testing.T) {
	h := newHub(t)
	admin := h.admin()
	made := admin.do(201, "POST", "/invitations", map[string]any{"email": "a@example.org", "organisation": admin.org, "roles": []string{"reader"}})
	if open := admin.do(200, "GET", "/invitations", nil)["invitations"].([]any); len(open) != 1 || open[0].(map[string]any)["id"] != made["id"] || open[0].(map[string]any)["link"] != nil {
		t.Errorf("open: %v", open)
	}
	admin.do(204, "DELETE", "/invitations/"+made["id"].(string), nil)
	h.visitor().refused(409, "taken back", "GET", "/invitations/open?key="+keyOf(t, made["link"]), nil)
	if open := admin.do(200, "GET", "/invitations", nil)["invitations"].([]any); len(open) != 0 {
		t.Errorf("open: %v", open)
	}
	admin.refused(422, "several", "POST", "/invitations", map[string]any{"email": "a", "organisation": admin.org, "roles": []string{}})
	admin.refused(409, "has an account already", "POST", "/invitations", map[string]any{"email": "admin@example.org", "organisation": admin.org, "roles": []string{"reader"}})
	admin.refused(404, "no such organisation", "POST", "/invitations", map[string]any{"email": "b@example.org", "organisation": "onone", "roles": []string{"reader"}})
}

func TestOrganisations(t *testing.T) {
	h := newHub(t)
	admin := h.admin()
	university := admin.organisation("Royal University")
	editor := admin.person("editor@example.org", university, access.Editor)
	path := "/organisations/" + string(university)
	o := admin.do(200, "GET", path, nil)
	admin.refused(428, "ETag", "PATCH", path, map[string]any{"disabled": true})
	changed := admin.do(200, "PATCH", path, map[string]any{"contact": map[string]any{"email": "tto@example.org"}}, "If-Match", o["etag"].(string))
	if changed["name"] != "Royal University" || changed["type"] != "university" || fmt.Sprint(changed["contact"]) != "map[email:tto@example.org]" {
		t.Errorf("changed: %v", changed)
	}
	admin.refused(412, "meanwhile", "PATCH", path, map[string]any{"disabled": true}, "If-Match", o["etag"].(string))
	editor.do(200, "GET", path, nil)
	editor.refused(403, "", "GET", "/organisations/"+string(admin.org), nil)
	editor.refused(403, "", "GET", "/organisations", nil)
	editor.refused(403, "an admin may", "PATCH", path, map[string]any{"self_publish": true}, "If-Match", changed["etag"].(string))
	admin.refused(409, "is here already", "POST", "/organisations", map[string]any{"name": "royal university", "type": "university", "country": "KH"})
	p := admin.refused(422, "several", "POST", "/organisations", map[string]any{"name": "x", "type": "castle", "country": "XX", "ror": "1"})
	if fields(p) != "value name, value type, value country, value ror" {
		t.Errorf("faults: %s", fields(p))
	}
	admin.do(200, "PATCH", path, map[string]any{"disabled": true}, "If-Match", changed["etag"].(string))
	editor.refused(401, "", "GET", "/account", nil)
	if all := admin.do(200, "GET", "/organisations?limit=1", nil); len(all["organisations"].([]any)) != 1 || all["next"] == nil {
		t.Errorf("list: %v", all)
	}
}

func TestTokens(t *testing.T) {
	h := newHub(t)
	admin := h.admin()
	editor := admin.person("editor@example.org", admin.organisation("Royal University"), access.Editor)
	made := editor.do(201, "POST", "/tokens", map[string]any{"name": "sync", "scopes": []string{"read", "write"}, "days": 30})
	program := h.program(made["secret"].(string))
	if m := program.do(200, "GET", "/session", nil); m["kind"] != "token" || fmt.Sprint(m["scopes"]) != "[read write]" || slices.Contains(m["may"].([]any), any("account.edit")) {
		t.Errorf("the program is %v", m)
	}
	program.refused(403, "no token may create a token", "POST", "/tokens", map[string]any{"name": "more", "scopes": []string{"admin"}})
	program.refused(403, "no token may change an account", "PATCH", "/account", map[string]any{"name": "x"}, "If-Match", `"1"`)
	editor.refused(422, "beyond what the roles", "POST", "/tokens", map[string]any{"name": "x", "scopes": []string{"admin"}})
	admin.refused(403, "the operator, on the node itself,", "POST", "/tokens", map[string]any{"name": "x", "scopes": []string{"read"}, "user": editor.id})
	h.operator().refused(422, "whose token", "POST", "/tokens", map[string]any{"name": "x", "scopes": []string{"read"}})
	h.operator().do(201, "POST", "/tokens", map[string]any{"name": "by hand", "scopes": []string{"read"}, "user": editor.id})
	own := editor.do(200, "GET", "/tokens", nil)["tokens"].([]any)
	if b, _ := json.Marshal(own); len(own) != 2 || strings.Contains(string(b), "secret") {
		t.Errorf("own: %s", b)
	}
	if all := admin.do(200, "GET", "/tokens?all=true", nil)["tokens"].([]any); len(all) != 2 {
		t.Errorf("all: %v", all)
	}
	if none := admin.do(200, "GET", "/tokens", nil)["tokens"].([]any); len(none) != 0 {
		t.Errorf("the administrator's own: %v", none)
	}
	editor.refused(403, "", "GET", "/tokens?all=true", nil)

	// After a restore.
	if err := house.AfterRestore(h.store, "KH", h.now); err != nil {
		t.Fatal(err)
	}
	program.refused(401, "waits until an administrator confirms it", "GET", "/session", nil)
	admin.refused(401, "", "GET", "/tokens?all=true&unconfirmed=true", nil) // sessions have ended
	admin.do(200, "POST", "/session", map[string]any{"email": "admin@example.org", "password": goodPassword})
	if all := admin.do(200, "GET", "/tokens?all=true&unconfirmed=true", nil)["tokens"].([]any); len(all) != 2 {
		t.Errorf("unconfirmed: %v", all)
	}
	id := made["id"].(string)
	admin.do(204, "POST", "/tokens/"+id+"/confirm", nil)
	program.do(200, "GET", "/session", nil)
	h.operator().do(204, "POST", "/tokens/confirm", nil)
	if all := admin.do(200, "GET", "/tokens?unconfirmed=true&all=true", nil)["tokens"].([]any); len(all) != 0 {
		t.Errorf("unconfirmed: %v", all)
	}
	admin.do(204, "DELETE", "/tokens/"+id, nil)
	p := program.refused(401, "was revoked", "GET", "/session", nil)
	if p.Code != protocol.CodeNotPermitted {
		t.Errorf("code %s", p.Code)
	}
}

func TestAuditPages(t *testing.T) {
	h := newHub(t)
	admin := h.admin()
	reader := admin.person("reader@example.org", admin.org, access.Reader)
	auditor := admin.person("auditor@example.org", admin.org, access.Auditor)
	reader.refused(403, "an auditor", "GET", "/audit", nil)
	reader.refused(403, "an auditor", "GET", "/audit/export", nil)
	h.visitor().refused(401, "sign in first", "GET", "/audit", nil)
	all := h.acts(audit.Filter{})
	var got []string
	path := "/audit?limit=2"
	for path != "" {
		w := auditor.ask("GET", path, nil)
		var page struct {
			Entries []struct {
				Action string
				User   string `json:"actor_user"`
			}
			Next string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != 200 || len(got) > len(all) {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		for _, e := range page.Entries {
			got = append(got, e.Action)
			if e.Action == "user.create" && e.User != string(reader.id) && e.User != string(auditor.id) {
				t.Errorf("nobody knows who acted: %+v", e)
			}
		}
		path = ""
		if page.Next != "" {
			path = "/audit?limit=2&cursor=" + page.Next
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(all) {
		t.Errorf("got %v\nwant %v", got, all)
	}
	if m := auditor.do(200, "GET", "/audit?action=user.create&actor="+string(reader.id), nil); len(m["entries"].([]any)) != 1 {
		t.Errorf("by person and action: %v", m)
	}
	if m := auditor.do(200, "GET", "/audit?since=2027-01-01T00:00:00Z", nil); len(m["entries"].([]any)) != 0 {
		t.Errorf("since: %v", m)
	}
	auditor.refused(422, "", "GET", "/audit?since=yesterday", nil)
	if w := auditor.ask("GET", "/audit/export?action=user.", nil); strings.Count(w.Body.String(), "\n") != 2 {
		t.Errorf("export of some: %s", w.Body)
	}
}
