package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/intake/mapping"
	"github.com/asean-tmh/tmh/node/oai/harvest"
)

// seedImports leaves a mapping, a repository, and one import of each kind that the walk names.
func (w *walk) seedImports() {
	w.t.Helper()
	by, p := access.Operator("KH"), w.house.Imports
	m := mapping.Suggest([]string{"id", "kind", "title"}, nil)
	if _, err := p.SaveMapping(by, w.editor.org, "walked", m, 0); err != nil {
		w.t.Fatal(err)
	}
	if _, err := p.SaveSource(by, w.editor.org, "walked", intake.Definition{Source: harvest.Source{URL: "https://repository.example.org/oai"}}, 0); err != nil {
		w.t.Fatal(err)
	}
	w.imports = map[string]string{}
	for _, name := range []string{"queued", "ended"} {
		j, err := p.Upload(w.t.Context(), by, w.editor.org, strings.NewReader("id,kind,title\nA-1,TO,Solar dryer\n"), intake.UploadOptions{Filename: "x.csv", DryRun: true})
		if err == nil && name == "ended" {
			err = p.Cancel(by, j.ID)
		}
		if err != nil {
			w.t.Fatal(err)
		}
		w.imports[name] = string(j.ID)
	}
}

// importing is an office whose imports are carried out.
func importing(t *testing.T) *office {
	t.Helper()
	o := newOffice(t)
	o.admin.do(200, "PATCH", "/organisations/"+string(o.editor.org), map[string]any{"self_publish": true}, "If-Match", `"1"`)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.house.Imports.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return o
}

const offersCSV = "id,kind,country,title_en,trl\nA-1,TO,KH,Solar dryer,5\nA-2,TO,KH,Rice mill,12\nA-3,TR,KH,Cold store,\n"

func offersMapping() map[string]any {
	type m = map[string]any
	return m{"id": []string{"id"}, "rules": []m{
		{"to": "listing.kind", "from": []string{"kind"}}, {"to": "listing.country", "from": []string{"country"}},
		{"to": "listing.texts.en.title", "from": []string{"title_en"}}, {"to": "listing.trl", "from": []string{"trl"}},
	}}
}

// settled waits for an import to end or to wait, by its events.
func (o *office) settled(v *visitor, id string) (j map[string]any) {
	o.t.Helper()
	all := o.events(v, id, "")
	if len(all) == 0 {
		o.t.Fatal("no events")
	}
	return all[len(all)-1]
}

// events of an import until it ends or waits.
func (o *office) events(v *visitor, id, last string) (all []map[string]any) {
	o.t.Helper()
	server := httptest.NewServer(o.api.Public())
	defer server.Close()
	ctx, cancel := context.WithTimeout(o.t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/v1/imports/"+id+"/events", nil)
	if err != nil {
		o.t.Fatal(err)
	}
	for name, value := range v.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNoContent {
		return nil
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("X-Accel-Buffering") != "no" || resp.Header.Get("Cache-Control") != "no-store" {
		o.t.Fatalf("events: %d %v", resp.StatusCode, resp.Header)
	}
	lines, version := bufio.NewScanner(resp.Body), ""
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "id":
			version = value
		case "event":
			if value != "import" {
				o.t.Errorf("an event %q", value)
			}
		case "data":
			m := map[string]any{}
			if err := json.Unmarshal([]byte(value), &m); err != nil {
				o.t.Fatal(err)
			}
			if fmt.Sprint(m["version"]) != version && version != "" {
				o.t.Errorf("event %s of version %v", version, m["version"])
			}
			if all = append(all, m); m["state"] == "waiting" {
				return all
			}
		}
	}
	if err := lines.Err(); err != nil {
		o.t.Fatal(err)
	}
	return all
}

func TestImportOfAFile(t *testing.T) {
	o := importing(t)
	at := "/organisations/" + string(o.editor.org)
	look := o.editor.do(200, "POST", at+"/mappings/inspect?filename=offers.csv", offersCSV, "Content-Type", "text/csv")
	if fmt.Sprintf("%v %v %v %v", look["format"], look["columns"], len(look["sample"].([]any)), look["lacks"]) != "csv [id kind country title_en trl] 3 []" {
		t.Errorf("inspected: %v", look)
	}
	list := at + "/mappings/" + url.PathEscape("annual list")
	o.editor.refused(428, "If-None-Match: *", "PUT", list, offersMapping())
	made := o.editor.do(201, "PUT", list, offersMapping(), "If-None-Match", "*")
	o.editor.refused(412, "already", "PUT", list, offersMapping(), "If-None-Match", "*")
	o.editor.refused(412, "changed meanwhile", "PUT", list, offersMapping(), "If-Match", `"7"`)
	o.editor.refused(412, "no ETag", "PUT", list, offersMapping(), "If-Match", `"0"`)
	if p := o.editor.refused(422, "several", "PUT", list, `{"id":["id"],"rules":[{"to":"listing.colour","from":["x"]}],"more":1}`, "If-Match", made["etag"].(string)); len(p.Errors) < 2 {
		t.Errorf("faults of a mapping: %v", p.Errors)
	}
	o.editor.do(200, "PUT", list, offersMapping(), "If-Match", made["etag"].(string))

	// A dry run says what would be, and is applied.
	sent := o.editor.ask("POST", at+"/imports?dry_run=true&filename=offers.csv&mapping="+url.QueryEscape("annual list"), offersCSV, "Content-Type", "text/csv")
	if sent.Code != 202 || !strings.HasPrefix(sent.Header().Get("Location"), "/api/v1/imports/i") {
		t.Fatalf("sent: %d %s", sent.Code, sent.Body)
	}
	dry := strings.TrimPrefix(sent.Header().Get("Location"), "/api/v1/imports/")
	if j := o.settled(o.editor, dry); j["state"] != "done" || fmt.Sprint(j["counts"].(map[string]any)["created"], j["counts"].(map[string]any)["refused"]) != "2 1" {
		t.Fatalf("dry run: %v", j)
	}
	if n := len(o.editor.do(200, "GET", "/postings", nil)["postings"].([]any)); n != 0 {
		t.Errorf("a dry run made %d postings", n)
	}
	job := o.editor.do(202, "POST", "/imports/"+dry+"/apply", nil)
	one := job["id"].(string)
	if job["applies"] != dry || one == dry {
		t.Errorf("applied: %v", job)
	}
	last := o.settled(o.editor, one)
	if last["state"] != "done" {
		t.Fatalf("import: %v", last)
	}
	if all := o.events(o.editor, one, fmt.Sprint(last["version"])); all != nil {
		t.Errorf("events to who had the last one: %v", all)
	}

	// Its rows, by pages and outcomes.
	first := o.editor.do(200, "GET", "/imports/"+one+"/rows?limit=1", nil)
	rest := o.editor.do(200, "GET", "/imports/"+one+"/rows?limit=50&cursor="+url.QueryEscape(first["next"].(string)), nil)
	if len(first["rows"].([]any)) != 1 || len(rest["rows"].([]any)) != 2 || rest["next"] != nil {
		t.Errorf("pages: %v %v", first, rest)
	}
	bad := o.editor.do(200, "GET", "/imports/"+one+"/rows?outcome=refused,ended", nil)["rows"].([]any)
	if len(bad) != 1 || bad[0].(map[string]any)["source"] != "A-2" {
		t.Errorf("refused: %v", bad)
	}
	o.editor.refused(422, "is none", "GET", "/imports/"+one+"/rows?outcome=red", nil)
	o.editor.refused(422, "follow the next links", "GET", "/imports/"+one+"/rows?outcome=refused&cursor="+url.QueryEscape(first["next"].(string)), nil)
	file := o.editor.ask("GET", "/imports/"+one+"/errors", nil)
	if file.Code != 200 || file.Header().Get("Content-Type") != "text/csv" || file.Header().Get("Content-Disposition") != "attachment; filename=offers.errors.csv" ||
		!strings.Contains(file.Body.String(), "id,kind,country,title_en,trl,tmh_errors\r\n") || strings.Count(file.Body.String(), "A-") != 1 {
		t.Errorf("errors: %d %v %s", file.Code, file.Header(), file.Body)
	}
	if m := o.editor.do(200, "GET", "/imports/"+one+"/mapping", nil); len(m["rules"].([]any)) < 4 {
		t.Errorf("mapping: %v", m)
	}

	// The list has both, the newest first; another organisation learns of neither.
	page := o.editor.do(200, "GET", at+"/imports?limit=1", nil)
	more := o.editor.do(200, "GET", at+"/imports?limit=1&cursor="+url.QueryEscape(page["next"].(string)), nil)
	if page["imports"].([]any)[0].(map[string]any)["id"] != one || more["imports"].([]any)[0].(map[string]any)["id"] != dry {
		t.Errorf("list: %v %v", page, more)
	}
	o.other.refused(404, "no such import", "GET", "/imports/"+one, nil)
	o.other.refused(404, "no such import", "POST", "/imports/"+one+"/cancel", nil)
	o.other.refused(403, "you may not", "GET", at+"/imports", nil)
	o.admin.refused(403, "you may not", "POST", "/imports/"+dry+"/apply", nil)

	// Its files can go before their time.
	o.editor.do(204, "DELETE", "/imports/"+one, nil)
	if j := o.editor.do(200, "GET", "/imports/"+one, nil); j["files"] != false {
		t.Errorf("after its files went: %v", j)
	}
	o.editor.refused(404, "not here any more", "GET", "/imports/"+one+"/errors", nil)
}

func TestFullSynchronisationWaits(t *testing.T) {
	o := importing(t)
	at := "/organisations/" + string(o.editor.org)
	o.editor.do(201, "PUT", at+"/mappings/list", offersMapping(), "If-None-Match", "*")
	file := "id,kind,country,title_en,trl\n"
	for i := range 16 {
		file += fmt.Sprintf("S-%d,TO,KH,Dryer of size %d,5\n", i, i)
	}
	send := func(file, more string) map[string]any {
		j := o.editor.do(202, "POST", at+"/imports?filename=x.csv&mapping=list"+more, file, "Content-Type", "text/csv")
		return o.settled(o.editor, j["id"].(string))
	}
	if j := send(file, ""); j["counts"].(map[string]any)["created"] != 16.0 {
		t.Fatalf("import: %v", j)
	}
	few := strings.Join(strings.SplitAfter(file, "\n")[:5], "")
	j := send(few, "&full_sync=true")
	id := j["id"].(string)
	if j["state"] != "waiting" || j["gone"] != 12.0 || j["stock"] != 16.0 {
		t.Fatalf("full synchronisation: %v", j)
	}
	o.editor.refused(409, "12 listings would be withdrawn, not 3", "POST", "/imports/"+id+"/confirm", map[string]any{"withdrawals": 3})
	o.editor.refused(422, "say how many", "POST", "/imports/"+id+"/confirm", map[string]any{})
	o.editor.refused(422, "is unknown here", "POST", "/imports/"+id+"/confirm", map[string]any{"yes": true})
	o.editor.do(202, "POST", "/imports/"+id+"/confirm", map[string]any{"withdrawals": 12})
	if j := o.settled(o.editor, id); j["state"] != "done" || j["counts"].(map[string]any)["withdrawn"] != 12.0 {
		t.Errorf("confirmed: %v", j)
	}
	o.editor.refused(409, "done already", "POST", "/imports/"+id+"/cancel", nil)
}

func TestImportOfAForm(t *testing.T) {
	o := importing(t)
	at := "/organisations/" + string(o.editor.org) + "/imports?"
	form := func(mapped string, fields int, file string) (string, string) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for i := range fields {
			_ = w.WriteField(fmt.Sprintf("x%d", i), "y")
		}
		if mapped != "" {
			_ = w.WriteField("mapping", mapped)
		}
		if file != "" {
			f, err := w.CreateFormFile("file", "../../etc/off\"ers.csv")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(f, file)
		}
		_ = w.Close()
		return b.String(), w.FormDataContentType()
	}
	own, err := json.Marshal(offersMapping())
	if err != nil {
		t.Fatal(err)
	}
	body, kind := form(string(own), 1, offersCSV)
	j := o.settled(o.editor, o.editor.do(202, "POST", at, body, "Content-Type", kind)["id"].(string))
	if j["state"] != "done" || j["counts"].(map[string]any)["created"] != 2.0 || strings.ContainsAny(j["filename"].(string), "/") {
		t.Errorf("form: %v", j)
	}
	for _, c := range []struct {
		status     int
		want       string
		body, kind string
	}{
		{422, "no media type", "x", "multipart/"},
		{422, "has no file", "x", "multipart/form-data"},
		{422, "has no file", "x", "multipart/form-data; boundary=y"},
		{422, "name a kept mapping", offersCSV, "text/csv"},
	} {
		o.editor.refused(c.status, c.want, "POST", at, c.body, "Content-Type", c.kind)
	}
	for want, c := range map[string]struct {
		mapped string
		fields int
		file   string
	}{
		"has no file":      {string(own), 0, ""},
		"too many fields":  {"", 9, offersCSV},
		"is not a mapping": {"[]", 0, offersCSV},
	} {
		body, kind := form(c.mapped, c.fields, c.file)
		o.editor.refused(422, want, "POST", at, body, "Content-Type", kind)
	}
	o.editor.refused(409, "a kept mapping", "POST", at+"full_sync=true&dry_run=true", offersCSV, "Content-Type", "text/csv")
	o.editor.refused(422, "is no parameter", "POST", at+"dryrun=true", offersCSV, "Content-Type", "text/csv")
	if all := o.editor.do(200, "GET", at, nil)["imports"].([]any); len(all) != 1 {
		t.Errorf("%d imports, want 1", len(all))
	}
}

// TestUploadBreaksOff: nothing is left of a file that did not arrive whole.
func TestUploadBreaksOff(t *testing.T) {
	o := importing(t)
	server := httptest.NewServer(o.api.Operator())
	defer server.Close()
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/api/v1/organisations/"+string(o.editor.org)+"/imports?dry_run=true&format=csv", r)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			err = fmt.Errorf("answered %s", resp.Status)
			_ = resp.Body.Close()
		}
		answered <- err
	}()
	if _, err := w.Write([]byte(offersCSV)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-answered; ctx.Err() == nil || strings.Contains(err.Error(), "answered") {
		t.Error(err)
	}
	server.Close() // waits for the request to end
	if all := o.editor.do(200, "GET", "/organisations/"+string(o.editor.org)+"/imports", nil)["imports"].([]any); len(all) != 0 {
		t.Errorf("left: %v", all)
	}
}

func TestRepositories(t *testing.T) {
	o := newOffice(t, func(c *house.Config) {})
	at := "/organisations/" + string(o.editor.org) + "/sources"
	if p := o.editor.refused(422, "several", "PUT", at+"/theses", map[string]any{"url": "ftp://x", "hours": 9999, "mapping": "none"}, "If-None-Match", "*"); len(p.Errors) != 3 {
		t.Errorf("faults: %v", p.Errors)
	}
	o.editor.refused(422, "a whole number", "PUT", at+"/theses", map[string]any{"hours": "1"}, "If-None-Match", "*")
	made := o.editor.do(201, "PUT", at+"/theses", map[string]any{"url": "https://repository.example.org/oai", "hours": 24}, "If-None-Match", "*")
	o.editor.refused(428, "If-Match", "PUT", at+"/theses", map[string]any{"url": "https://repository.example.org/oai"})
	o.editor.do(200, "PUT", at+"/theses", map[string]any{"url": "https://repository.example.org/oai", "keep_deleted": true}, "If-Match", made["etag"].(string))
	if all := o.editor.do(200, "GET", at, nil)["sources"].([]any); len(all) != 1 || all[0].(map[string]any)["keep_deleted"] != true {
		t.Errorf("sources: %v", all)
	}
	for _, address := range []string{"http://127.0.0.1:1/oai", "http://[::1]/oai", "http://169.254.169.254/latest/"} {
		w := o.editor.ask("POST", at+"/test", map[string]any{"url": address})
		if p := problem(t, w, w.Code); w.Code < 400 || w.Code >= 500 && w.Code != 503 {
			t.Errorf("%s: %v", address, p)
		}
	}
	j := o.editor.do(202, "POST", at+"/theses/harvest?dry_run=true", nil)
	o.editor.refused(409, "is being harvested", "POST", at+"/theses/harvest", nil)
	o.editor.do(202, "POST", "/imports/"+j["id"].(string)+"/cancel", nil)
	o.editor.refused(428, "If-Match", "DELETE", at+"/theses", nil)
	o.editor.do(204, "DELETE", at+"/theses", nil, "If-Match", `"2"`)
	o.editor.refused(404, "no repository", "GET", at+"/theses", nil)
}
