package ui_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/intake"
)

// What is still being written is known to its editors and the agency's reviewers and administrators, whatever page anybody asks for.
func TestDraftsLeakNowhere(t *testing.T) {
	dir := t.TempDir()
	o := newOfficeWith(t, func(c *house.Config) { c.Imports = dir })
	const secret = "Zanzibarite"
	words := o.path + "/edit/words-en"
	o.editor.written(o.editor.look(words, 200), words, url.Values{"texts.en.title": {secret + " dryer"}})
	a := o.actor(o.editor)
	j, err := o.house.Imports.Upload(t.Context(), a, a.Organisation, strings.NewReader("id,title_en\nA-1,"+secret+"\n"), intake.UploadOptions{Filename: secret + ".csv", DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	own, job, id := o.institute(), "/imports/"+string(j.ID), string(o.id)
	gets := []string{
		"/", "/?q=" + secret, "/listings/KH/" + id, "/listings/KH/" + id + "/full", "/figures", "/federation", "/saved", "/saved/new?q=x", "/post", "/desk", "/desk?done=review&case=" + id,
		"/desk/" + id, "/desk/" + id + "/revoke", o.path, o.path + "?done=submit", o.path + "/edit", words, o.path + "/edit/story-en", o.path + "/edit/people", o.path + "/languages",
		o.path + "/languages/en/remove", o.path + "/send", o.path + "/preview?as=invited", o.path + "/discard", o.path + "/withdraw", o.path + "/supersede", o.path + "/revoke",
		own, own + "?renewed=" + id, own + "/listings", own + "/listings?q=" + secret[:4], own + "/matches", own + "/reviews", own + "/people", own + "/tokens", own + "/imports", own + "/imports/new",
		own + "/repositories", job, job + "/columns", job + "/errors", job + "/report.csv", job + "/cancel", "/administration/audit", "/administration/audit?of=posting&id=" + id, "/administration/people",
		"/administration/organisations", "/account", "/account/data", "/welcome",
	}
	posts := []string{
		words, o.path + "/languages", o.path + "/send", o.path + "/discard", o.path + "/withdraw", o.path + "/supersede", o.path + "/renew", o.path + "/hold", o.path + "/recall", own,
		"/desk/" + id, "/desk/" + id + "/revoke", job + "/columns", job + "/apply", job + "/cancel", job + "/confirm", job + "/discard", "/administration/audit/verify",
	}
	told := 0
	for _, target := range gets {
		if strings.Contains(record(o.h, o.editor.asks(target)).Body.String(), secret) {
			told++
		}
	}
	if told < 20 {
		t.Errorf("its editor is told of it on %d pages", told)
	}
	agency, network := o.agency(), 20
	for who, b := range map[string]*browser{
		"a stranger": o.browser(), "another editor": o.other,
		"a scout of the organisation": o.person("scout@institute.example.org", a.Organisation, access.Scout),
		"a reader of the agency":      o.person("reader@agency.example.org", agency, access.Reader),
		"an analyst":                  o.person("analyst@agency.example.org", agency, access.Analyst),
		"an auditor":                  o.person("auditor@agency.example.org", agency, access.Auditor),
	} {
		network++
		b.address = fmt.Sprintf("192.0.2.%d:1", network)
		for _, target := range gets {
			for _, part := range []string{"", "true"} {
				r := b.asks(target)
				r.Header.Set("HX-Request", part)
				if w := record(b.h, r); strings.Contains(w.Body.String(), secret) && !strings.HasPrefix(target, "/?q=") || w.Code >= 500 {
					t.Errorf("%s at %s: %d, the draft is told", who, target, w.Code)
				}
			}
		}
		before := o.posting().Version
		for _, target := range posts {
			w := b.send(http.MethodPost, target, url.Values{"version": {"2"}, "id": {id}, "deed": {"take"}, "language": {"km"}, "replaced_by": {id}, "note": {"x"}, "texts.en.title": {"Hers"}})
			if strings.Contains(w.Body.String(), secret) || w.Code == 200 && !strings.HasPrefix(target, "/administration/audit") || w.Code == 429 || w.Code >= 500 {
				t.Errorf("%s: POST %s: %d", who, target, w.Code)
			}
			if w.Code == 303 && !strings.HasPrefix(w.Header().Get("Location"), "/sign-in") {
				t.Errorf("%s: POST %s leads to %s", who, target, w.Header().Get("Location"))
			}
		}
		if o.posting().Version != before {
			t.Errorf("%s changed it", who)
		}
	}
}
