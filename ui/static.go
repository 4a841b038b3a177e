package ui

// What pages are drawn with: files made by `make ui-assets`, committed under static/ with a manifest of them. Each is served under a
// name made from its content, so that browsers and caches may keep it for ever, and packed where the visitor can unpack.

import (
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
)

//go:embed static
var staticFiles embed.FS

// staticURL is where the files are served.
const staticURL = "/static/"

// made is a file as the manifest tells of it.
type made struct {
	Name     string `json:"name"`
	Bytes    int    `json:"bytes"`
	SHA256   string `json:"sha256"`
	Of       string `json:"of"` // digest of what this is the packed form of
	Packages []struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Licence string `json:"licence"`
	} `json:"packages"`
}

// staticFile is one file in the forms in which it can be sent.
type staticFile struct {
	contentType string
	plain       []byte
	packed      []packed // best first
}

type packed struct {
	encoding string
	body     []byte
}

// static serves the files; it does not change once the pages are served.
type static struct {
	paths map[string]string     // by name: "theme.css"
	files map[string]staticFile // by path: "/static/theme-0123456789ab.css"
}

// newStatic reads the files that are built in. An error is a fault of the build: run `make ui-assets`.
func newStatic() (*static, error) {
	b, err := staticFiles.ReadFile("static/MANIFEST.json")
	if err != nil {
		return nil, err
	}
	var manifest struct {
		Files []made `json:"files"`
	}
	if err := json.Unmarshal(b, &manifest); err != nil {
		return nil, fmt.Errorf("read the manifest of static files: %w", err)
	}
	s := &static{paths: map[string]string{}, files: map[string]staticFile{}}
	forms := map[string][]packed{} // by the digest of what is packed
	for _, m := range manifest.Files {
		body, err := staticFiles.ReadFile("static/" + m.Name)
		if err != nil {
			return nil, err
		}
		digest := protocol.Sum(body)
		if digest.String() != m.SHA256 {
			return nil, fmt.Errorf("static file %s is not the one of the manifest", m.Name)
		}
		if m.Of != "" {
			p := packed{"gzip", body}
			if path.Ext(m.Name) == ".br" {
				p.encoding = "br"
			}
			forms[m.Of] = append(forms[m.Of], p)
			continue
		}
		at := staticURL + strings.TrimSuffix(m.Name, path.Ext(m.Name)) + "-" + hex.EncodeToString(digest[:6]) + path.Ext(m.Name)
		s.paths[m.Name] = at
		s.files[at] = staticFile{contentType: contentTypeOf(m.Name), plain: body}
	}
	for at, f := range s.files {
		f.packed = forms[protocol.Sum(f.plain).String()] // the manifest is sorted: br comes before gz
		s.files[at] = f
	}
	return s, nil
}

// add a file that is not made by `make ui-assets`, and give its address.
func (s *static) add(name string, body []byte) string {
	digest := protocol.Sum(body)
	at := staticURL + strings.TrimSuffix(name, path.Ext(name)) + "-" + hex.EncodeToString(digest[:6]) + path.Ext(name)
	s.paths[name], s.files[at] = at, staticFile{contentType: contentTypeOf(name), plain: body}
	return at
}

// contentTypeOf does not ask the system, whose table differs from one to the next.
func contentTypeOf(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".json":
		return "application/json"
	case ".woff2":
		return "font/woff2"
	}
	return "application/octet-stream"
}

// path is the address of a file by its name, and panics where there is none: names are written in our own pages, which tests execute.
func (s *static) path(name string) string {
	at, ok := s.paths[name]
	if !ok {
		panic("ui: no static file " + strconv.Quote(name))
	}
	return at
}

// read is the content of a file, for what pages are made of: map.json.
func (s *static) read(name string) []byte { return s.files[s.path(name)].plain }

// serve answers for all below staticURL; found is false, and nothing is written, where there is no such file.
func (s *static) serve(w http.ResponseWriter, r *http.Request) (found bool) {
	f, ok := s.files[r.URL.Path]
	if !ok {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	body := f.plain
	if len(f.packed) > 0 {
		h.Set("Vary", "Accept-Encoding") // alone: a file is the same for every visitor
		if p, ok := choose(f.packed, r.Header.Get("Accept-Encoding")); ok {
			h.Set("Content-Encoding", p.encoding)
			body = p.body
		}
	} else {
		h.Del("Vary")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
	return true
}

// choose takes the first of forms that accept allows. A form counts as refused only by a weight of zero: our files are small, and
// finer wishes are not worth the time.
func choose(forms []packed, accept string) (packed, bool) {
	allowed := map[string]bool{}
	for part := range strings.SplitSeq(accept[:min(len(accept), 256)], ",") {
		name, parameters, _ := strings.Cut(part, ";")
		weight, weighted := strings.CutPrefix(strings.TrimSpace(parameters), "q=")
		q, err := strconv.ParseFloat(weight, 64)
		allowed[strings.ToLower(strings.TrimSpace(name))] = !weighted || err == nil && q > 0
	}
	for _, form := range forms {
		if ok, named := allowed[form.encoding]; ok || !named && allowed["*"] {
			return form, true
		}
	}
	return packed{}, false
}
