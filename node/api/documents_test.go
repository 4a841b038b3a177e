package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"mime"
	"mime/multipart"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/document"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

func picture(t *testing.T, w, h int) string {
	t.Helper()
	var b bytes.Buffer
	m := image.NewGray(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = byte(i * 7)
	}
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// leaflet is a PDF of one page whose author its Info dictionary names.
func leaflet() string {
	var b bytes.Buffer
	var at []int
	b.WriteString("%PDF-1.4\n")
	for i, o := range []string{
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Resources<<>>/Contents 4 0 R>>", "<</Length 9>>\nstream\n0 0 m h S\nendstream",
		"<</Author(Sok Secretary)>>",
	} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	b.WriteString("xref\n0 6\n0000000000 65535 f \n")
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<</Size 6/Root 1 0 R/Info 5 0 R>>\nstartxref\n%d\n%%%%EOF\n", start)
	return b.String()
}

// form with one file after a field.
func form(t *testing.T, name, kind, file string) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.WriteField("note", "x")
	p, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {mime.FormatMediaType("form-data", map[string]string{"name": "file", "filename": name})}, "Content-Type": {kind},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = p.Write([]byte(file))
	_ = w.Close()
	return b.String(), w.FormDataContentType()
}

// send a file to a posting, and get how the record names it.
func (v *visitor) send(m map[string]any, name, kind, file string) map[string]any {
	v.hub.t.Helper()
	return v.do(201, "POST", "/postings/"+id(m)+"/documents?name="+name, file, "Content-Type", kind)["document"].(map[string]any)
}

func isFile(t *testing.T, w *httptest.ResponseRecorder, kind, name string) {
	t.Helper()
	h := w.Header()
	disposition, params, err := mime.ParseMediaType(h.Get("Content-Disposition"))
	if w.Code != 200 || h.Get("Content-Type") != kind || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" ||
		!strings.HasPrefix(h.Get("Content-Security-Policy"), "sandbox;") || err != nil || disposition != "attachment" || params["filename"] != name {
		t.Errorf("answered %d, %v", w.Code, h)
	}
	if n := h.Get("Content-Length"); n != "" && n != fmt.Sprint(w.Body.Len()) {
		t.Errorf("says %s bytes, sends %d", n, w.Body.Len())
	}
}

func TestDocumentsOfADraft(t *testing.T) {
	o := newOffice(t)
	content := offer("Dryer")
	m := o.editor.do(201, "POST", "/postings", content)
	at := "/postings/" + id(m) + "/documents"
	pic := o.editor.send(m, "drying.png", "image/png", picture(t, 900, 600))
	body, kind := form(t, "សេចក្ដី leaflet.pdf", "application/pdf", leaflet())
	sent := o.editor.do(201, "POST", at, body, "Content-Type", kind)
	pdf := sent["document"].(map[string]any)
	if pic["type"] != "image/png" || pic["preview"] == nil || pdf["type"] != "application/pdf" || pdf["name"] != "សេចក្ដី leaflet.pdf" || sent["pages"] != 1.0 {
		t.Fatalf("picture %v, leaflet %v", pic, sent)
	}
	hash := pic["hash"].(string)
	o.editor.refused(404, "names no such document", "GET", at+"/"+hash, nil)

	content["record"].(map[string]any)["documents"] = []any{pic, pdf}
	m = o.editor.do(200, "PUT", "/postings/"+id(m)+"/draft", content, "If-Match", m["etag"].(string))
	w := o.editor.ask("GET", at+"/"+hash, nil)
	if isFile(t, w, "image/png", "drying.png"); !strings.HasPrefix(w.Body.String(), "\x89PNG") {
		t.Errorf("got %.20q", w.Body)
	}
	isFile(t, o.reviewer.ask("GET", at+"/"+pic["preview"].(string), nil), "image/jpeg", "drying-preview.jpg")
	w = o.editor.ask("GET", at+"/"+pdf["hash"].(string), nil)
	if isFile(t, w, "application/pdf", "សេចក្ដី leaflet.pdf"); strings.Contains(w.Body.String(), "Secretary") {
		t.Error("the author's name is still there")
	}
	if w := o.editor.ask("GET", at+"/"+hash, nil, "Range", "bytes=1-3"); w.Code != 206 || w.Body.String() != "PNG" {
		t.Errorf("a range: %d %q", w.Code, w.Body)
	}
	o.other.refused(404, "no such listing", "GET", at+"/"+hash, nil)
	o.reader.refused(403, "an editor", "GET", at+"/"+hash, nil)
	o.visitor().refused(401, "sign in", "GET", at+"/"+hash, nil)
	for _, h := range []string{strings.Repeat("ab", 32), "x", strings.Repeat("0", 64)} {
		if w := o.editor.ask("GET", at+"/"+h, nil); w.Code != 404 {
			t.Errorf("%s: %d", h, w.Code)
		}
	}
	// What the record says of a document has to be so.
	pic["type"] = "text/html"
	if p := o.editor.refused(422, "described otherwise", "PUT", "/postings/"+id(m)+"/draft", content, "If-Match", m["etag"].(string)); fields(p) != "value record.documents[0]" {
		t.Errorf("got %s", fields(p))
	}
}

// To know a document's hash, as everybody does who read the record once, is no right to it.
func TestDocumentOfAnotherOrganisation(t *testing.T) {
	o := newOffice(t)
	theirs := o.editor.do(201, "POST", "/postings", offer("Dryer"))
	d := o.editor.send(theirs, "a.png", "image/png", picture(t, 8, 8))
	content := offer("Copy")
	mine := o.other.do(201, "POST", "/postings", content)
	content["record"].(map[string]any)["documents"] = []any{d}
	known := o.other.refused(422, "is not here", "PUT", "/postings/"+id(mine)+"/draft", content, "If-Match", mine["etag"].(string))
	d["hash"] = strings.Repeat("0", 64)
	unknown := o.other.refused(422, "is not here", "PUT", "/postings/"+id(mine)+"/draft", content, "If-Match", mine["etag"].(string))
	if known.Detail != unknown.Detail {
		t.Errorf("a document that is here is told from one that is not: %q, %q", known.Detail, unknown.Detail)
	}
	own := o.other.send(mine, "a.png", "image/png", picture(t, 8, 8)) // who has the file itself may send it
	content["record"].(map[string]any)["documents"] = []any{own}
	o.other.do(200, "PUT", "/postings/"+id(mine)+"/draft", content, "If-Match", mine["etag"].(string))
}

func TestDocumentsRefused(t *testing.T) {
	o := newOffice(t, func(c *house.Config) { c.Documents = document.Limits{PDF: 4 << 10, Picture: 64 << 10, Documents: 1} })
	content := offer("Dryer")
	m := o.editor.do(201, "POST", "/postings", content)
	at := "/postings/" + id(m) + "/documents"
	for name, c := range map[string]struct {
		file, kind, fields string
	}{
		"HTML":            {"<html><script>alert(1)</script>", "text/html", "value file"},
		"SVG":             {`<svg xmlns="http://www.w3.org/2000/svg"/>`, "image/svg+xml", "value file"},
		"archive":         {"PK\x03\x04aaaaaaaaaaaaaaaaaaaaaaaaaaa", "application/zip", "value file"},
		"another type":    {picture(t, 8, 8), "application/pdf", "value type"},
		"nothing":         {"", "image/png", "value file"},
		"cut off":         {picture(t, 900, 600)[:200], "image/png", "value file"},
		"too large":       {picture(t, 900, 600) + strings.Repeat("x", 70<<10), "image/png", "too-large file"},
		"far too large":   {strings.Repeat("x", 1<<20), "image/png", "too-large file"},
		"no form":         {"--x\r\n\r\nabc", "multipart/form-data; boundary=x", "required file"},
		"no boundary":     {"abc", "multipart/form-data", "required file"},
		"a type at fault": {picture(t, 8, 8), "image/;;;", "value Content-Type"},
	} {
		if p := problem(t, o.editor.ask("POST", at, c.file, "Content-Type", c.kind), 422); fields(p) != c.fields {
			t.Errorf("%s: %s: %s", name, fields(p), p.Detail)
		}
	}
	o.other.refused(404, "no such listing", "POST", at, picture(t, 8, 8), "Content-Type", "image/png")
	o.reviewer.refused(403, "an editor", "POST", at, picture(t, 8, 8), "Content-Type", "image/png")
	o.visitor().refused(401, "sign in", "POST", at, picture(t, 8, 8), "Content-Type", "image/png")

	content["record"].(map[string]any)["documents"] = []any{o.editor.send(m, "a.png", "image/png", picture(t, 8, 8)), o.editor.send(m, "b.png", "image/png", picture(t, 9, 9))}
	if p := o.editor.refused(422, "up to 1", "PUT", "/postings/"+id(m)+"/draft", content, "If-Match", m["etag"].(string)); fields(p) != "too-large record.documents" {
		t.Errorf("two where one may be: %s", fields(p))
	}
	for range 130 {
		w := o.editor.ask("POST", at, "x", "Content-Type", "image/png")
		if w.Code == 429 {
			if w.Header().Get("Retry-After") == "" {
				t.Error("does not say when to go on")
			}
			return
		}
	}
	t.Error("any number of documents is taken")
}

// leveled is an offer that shows something from every level on; a restricted part is for these types of organisation.
func leveled(pic, secret map[string]any, types ...string) map[string]any {
	c := offer("Dryer")
	r := c["record"].(map[string]any)
	r["level"], r["stage"] = "public", "Built and tested in two villages."
	r["sections"] = map[string]string{"terms": "registered", "contact": "restricted"}
	r["terms"], r["contact"] = map[string]any{"price": "TERMS-SECRET"}, map[string]string{"name": "CONTACT-SECRET"}
	r["audience"] = map[string]any{"types": types}
	if pic != nil {
		secret["level"] = "restricted"
		r["documents"] = []any{pic, secret}
	}
	return c
}

// TestRecordsByLevel: who sees what of a record and of its documents, while it is published, on hold, and withdrawn.
func TestRecordsByLevel(t *testing.T) {
	o := newOffice(t)
	m := o.editor.do(201, "POST", "/postings", offer("Dryer"))
	pic := o.editor.send(m, "drying.png", "image/png", picture(t, 90, 60))
	secret := o.editor.send(m, "plan.pdf", "application/pdf", leaflet())
	m = o.editor.do(200, "PUT", "/postings/"+id(m)+"/draft", leveled(pic, secret, "sme"), "If-Match", m["etag"].(string))

	for level, want := range map[string]string{"public": "[registered restricted]", "registered": "[restricted]", "restricted": "[]"} {
		p := o.editor.do(200, "GET", "/postings/"+id(m)+"/preview?level="+level, nil)
		b, _ := json.Marshal(p["record"])
		if p["level"] != level || fmt.Sprint(p["withheld"]) != want || strings.Contains(string(b), "TERMS") != (level != "public") || strings.Contains(string(b), "CONTACT") != (level == "restricted") ||
			strings.Contains(string(b), secret["hash"].(string)) != (level == "restricted") {
			t.Errorf("preview at %s: %v", level, p)
		}
	}
	full := "/listings/KH/" + id(m) + "/full"
	o.editor.refused(404, "no such record, or not for you", "GET", full, nil)
	m = o.reviewer.step(o.reviewer.step(o.editor.step(m, "submit", nil), "take", nil), "review", scores(4, 3, 4, 3))

	company := o.admin.person("scout@company.example", o.company(), "scout")
	for name, c := range map[string]struct {
		who      *visitor
		level    string
		withheld string
	}{
		"stranger":               {o.visitor(), "public", "[registered restricted]"},
		"reader":                 {o.reader, "registered", "[restricted]"},
		"scout of the audience":  {company, "restricted", "[]"},
		"own editor":             {o.editor, "restricted", "[]"},
		"editor of another":      {o.other, "registered", "[restricted]"},
		"reviewer of the agency": {o.reviewer, "restricted", "[]"},
	} {
		x := c.who.do(200, "GET", full, nil)
		b, _ := json.Marshal(x)
		if x["level"] != c.level || fmt.Sprint(x["withheld"]) != c.withheld || x["verified"] != true || x["from_copy"] != false || x["age"] != 0.0 ||
			x["contact"].(map[string]any)["email"] != "desk@agency.example" ||
			strings.Contains(string(b), "TERMS") != (c.level != "public") || strings.Contains(string(b), "CONTACT") != (c.level == "restricted") {
			t.Errorf("%s: %s", name, b)
		}
		docs := "/listings/KH/" + id(m) + "/documents/"
		w := c.who.ask("GET", docs+pic["hash"].(string), nil)
		if isFile(t, w, "image/png", "drying.png"); w.Header().Get("Content-Length") == "" {
			t.Errorf("%s: a document of unknown length", name)
		}
		isFile(t, c.who.ask("GET", docs+pic["preview"].(string), nil), "image/jpeg", "drying-preview.jpg")
		if w := c.who.ask("GET", docs+secret["hash"].(string), nil); c.level == "restricted" {
			isFile(t, w, "application/pdf", "plan.pdf")
		} else {
			problem(t, w, 404)
		}
		if w := c.who.ask("HEAD", docs+pic["hash"].(string), nil); w.Code != 200 || w.Body.Len() != 0 {
			t.Errorf("%s: HEAD %d, %d bytes", name, w.Code, w.Body.Len())
		}
	}
	m = o.editor.step(m, "hold", nil)
	company.refused(404, "no such record, or not for you", "GET", full, nil)
	company.refused(404, "", "GET", "/listings/KH/"+id(m)+"/documents/"+pic["hash"].(string), nil)
	m = o.editor.step(m, "lift", nil)
	company.do(200, "GET", full, nil)
	o.editor.step(m, "withdraw", map[string]string{"reason": "agreement"})
	company.refused(404, "no such record, or not for you", "GET", full, nil)
	o.visitor().refused(404, "", "GET", "/listings/KH/"+id(m)+"/documents/"+pic["hash"].(string), nil)

	m = o.publish(offer("Of level registered"))
	o.visitor().refused(401, "sign in", "GET", "/listings/KH/"+id(m)+"/full", nil)
	problem(t, o.visitor().ask("GET", "/listings/kh/"+id(m)+"/full", nil), 404)
}

// TestInvitedListing: it is in no catalogue, and is there for whom its owner named alone.
func TestInvitedListing(t *testing.T) {
	o := newOffice(t)
	content := offer("Secret dryer")
	content["record"].(map[string]any)["level"] = "invited"
	m := o.publish(content)
	full, grants := "/listings/KH/"+id(m)+"/full", "/postings/"+id(m)+"/grants"
	if m["state"] != "published" || o.catalogued(id(m)) != nil {
		t.Fatalf("invited: %v", m)
	}
	if p := o.editor.do(200, "GET", "/postings/"+id(m)+"/preview?level=registered", nil); p["listing"] != nil || p["record"] != nil {
		t.Errorf("preview for who is not invited: %v", p)
	}
	x := o.editor.do(200, "GET", full, nil)
	if x["level"] != "invited" || x["verified"] != false {
		t.Errorf("the owner sees %v", x)
	}
	missing := o.visitor().refused(404, "", "GET", "/listings/KH/nothing/full", nil)
	hidden := func(v *visitor) {
		t.Helper()
		if p := v.refused(404, "", "GET", full, nil); p.Detail != missing.Detail {
			t.Errorf("tells that it is there: %q", p.Detail)
		}
	}
	hidden(o.reader)
	hidden(o.visitor())

	until := o.now().Add(48 * time.Hour).Format(time.RFC3339)
	for _, v := range []*visitor{o.reviewer, o.admin} {
		v.refused(403, "an editor of its organisation", "POST", grants, map[string]any{"expires": until})
	}
	if p := o.editor.refused(422, "several things", "POST", grants, map[string]any{"member": "kh", "email": "nobody", "expires": "2020-01-01T00:00:00Z"}); fields(p) != "value member, value email, value expires" {
		t.Errorf("got %s", fields(p))
	}
	g := o.editor.do(201, "POST", grants, map[string]any{"email": "Reader@college.example", "expires": until})
	if g["whom"] != "person" || strings.Contains(fmt.Sprint(g), "college.example") {
		t.Errorf("granted: %v", g)
	}
	o.reader.do(200, "GET", full, nil)
	hidden(o.other)
	if w := o.editor.ask("DELETE", grants+"/"+g["id"].(string), nil); w.Code != 204 {
		t.Errorf("revoked: %d %s", w.Code, w.Body)
	}
	hidden(o.reader)
	o.editor.refused(404, "no such grant", "DELETE", grants+"/"+g["id"].(string), nil)

	o.editor.do(201, "POST", grants, map[string]any{"organisation": o.other.org, "expires": until})
	o.other.do(200, "GET", full, nil)
	o.clock = o.clock.Add(49 * time.Hour)
	o.other.do(200, "POST", "/session", map[string]string{"email": "editor@college.example", "password": goodPassword})
	o.editor.do(200, "POST", "/session", map[string]string{"email": "editor@institute.example", "password": goodPassword})
	hidden(o.other)
	all := o.editor.do(200, "GET", grants, nil)["grants"].([]any)
	if len(all) != 1 || all[0].(map[string]any)["expired"] != true {
		t.Errorf("grants: %v", all)
	}
	o.editor.step(m, "withdraw", map[string]string{"reason": "other"})
	if all := o.editor.do(200, "GET", grants, nil)["grants"].([]any); len(all) != 0 {
		t.Errorf("of a withdrawn listing: %v", all)
	}
	o.editor.refused(409, "nothing to invite to", "POST", grants, map[string]any{"expires": o.now().Add(time.Hour).Format(time.RFC3339)})
	hidden(o.editor)
}

// TestForeignRefusals: another node's refusal cannot make this one say that itself is at fault, or that who asks is.
func TestForeignRefusals(t *testing.T) {
	for code, want := range map[protocol.Code]protocol.Code{
		protocol.CodeNotFound: protocol.CodeNotFound, protocol.CodeNotPermitted: protocol.CodeNotPermitted, protocol.CodeUnavailable: protocol.CodeUnavailable,
		protocol.CodeInternal: protocol.CodeUnavailable, protocol.CodeReplayed: protocol.CodeUnavailable, protocol.CodeBody: protocol.CodeUnavailable, "new": protocol.CodeUnavailable,
	} {
		err := fmt.Errorf("ask: %w", protocol.Errorf(code, "", "said"))
		if got := protocol.CodeOf(api.Foreign("KH", match.Ref{Origin: "LA", ID: "x"}, err)); got != want {
			t.Errorf("%s becomes %s", code, got)
		}
		if got := protocol.CodeOf(api.Foreign("KH", match.Ref{Origin: "KH", ID: "x"}, err)); got != code {
			t.Errorf("one's own %s becomes %s", code, got)
		}
	}
}
