package ui

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func openStatic(t testing.TB) *static {
	t.Helper()
	s, err := newStatic()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func manifest(t testing.TB) []made {
	t.Helper()
	var m struct{ Files []made }
	b, err := staticFiles.ReadFile("static/MANIFEST.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m.Files
}

// What is not in the manifest has no known source and no known licence.
func TestStaticManifest(t *testing.T) {
	openStatic(t) // compares every digest
	licences, err := staticFiles.ReadFile("static/LICENSES.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"MANIFEST.json": true, "LICENSES.txt": true}
	for _, m := range manifest(t) {
		known[m.Name] = true
		for _, p := range m.Packages {
			if !strings.Contains(string(licences), "== "+p.Name+" "+p.Version+" ("+p.Licence+") ==") {
				t.Errorf("%s: LICENSES.txt lacks the licence of %s %s", m.Name, p.Name, p.Version)
			}
		}
	}
	files, err := fs.ReadDir(staticFiles, "static")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !known[f.Name()] {
			t.Errorf("static/%s is not in the manifest", f.Name())
		}
	}
	if len(files) != len(known) {
		t.Errorf("%d files, the manifest knows %d", len(files), len(known))
	}
}

func TestStaticServed(t *testing.T) {
	s := openStatic(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept-Language, Cookie") // as all pages have it
		if !s.serve(w, r) {
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	get := func(method, at, accept string) (*http.Response, []byte) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+at, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", accept)
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, b
	}

	css := s.path("theme.css")
	if !regexp.MustCompile(`^/static/theme-[0-9a-f]{12}\.css$`).MatchString(css) {
		t.Errorf("theme.css is at %s", css)
	}
	for _, c := range []struct{ accept, encoding string }{
		{"", ""}, {"identity", ""}, {"gzip", "gzip"}, {"gzip, deflate, br", "br"}, {"br;q=0, gzip;q=0.5", "gzip"},
		{"gzip;q=0,br;q=0", ""}, {"*", "br"}, {"*;q=0", ""}, {"BR", "br"}, {"br;q=x", ""}, {"*, br;q=0", "gzip"}, {strings.Repeat("x,", 500) + "gzip", ""},
	} {
		resp, body := get(http.MethodGet, css, c.accept)
		if got := resp.Header.Get("Content-Encoding"); got != c.encoding {
			t.Errorf("Accept-Encoding %.40q: got %q, want %q", c.accept, got, c.encoding)
		}
		if got := resp.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("Cache-Control: %q", got)
		}
		if got := resp.Header.Get("Vary"); got != "Accept-Encoding" {
			t.Errorf("Vary: %q", got)
		}
		if resp.ContentLength != int64(len(body)) || len(body) == 0 {
			t.Errorf("Content-Length %d of %d bytes", resp.ContentLength, len(body))
		}
	}
	if resp, body := get(http.MethodHead, css, ""); resp.StatusCode != http.StatusOK || len(body) != 0 || resp.ContentLength != int64(len(s.read("theme.css"))) {
		t.Errorf("HEAD: %s, length %d", resp.Status, resp.ContentLength)
	}
	if resp, _ := get(http.MethodGet, s.path("sans-khmer.woff2"), "br"); resp.Header.Get("Content-Type") != "font/woff2" || resp.Header.Get("Vary") != "" || resp.Header.Get("Content-Encoding") != "" {
		t.Errorf("a font: %v", resp.Header)
	}
	for _, at := range []string{"/static/theme.css", "/static/theme-000000000000.css", "/static/MANIFEST.json", "/static/../static.go", css + ".gz", "/static/"} {
		if resp, _ := get(http.MethodGet, at, ""); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", at, resp.Status)
		}
	}
}

// The packed forms are made by other programs than the plain one: they must hold the same. Brotli is unpacked by the build itself.
func TestStaticPacked(t *testing.T) {
	for at, f := range openStatic(t).files {
		if strings.HasSuffix(at, ".woff2") {
			if !bytes.HasPrefix(f.plain, []byte("wOF2")) {
				t.Errorf("%s is no font", at)
			}
			continue
		}
		if len(f.packed) != 2 || f.packed[0].encoding != "br" || f.packed[1].encoding != "gzip" {
			t.Fatalf("%s is packed as %d forms", at, len(f.packed))
		}
		z, err := gzip.NewReader(bytes.NewReader(f.packed[1].body))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(z); err != nil || !bytes.Equal(b, f.plain) {
			t.Errorf("%s: the packed form holds other bytes (%v)", at, err)
		}
	}
}

// What visitors on slow links wait for.
func TestStaticWeight(t *testing.T) {
	s := openStatic(t)
	for name, most := range map[string]int{"theme.css": 20_000, "htmx.js": 16_500, "app.js": 6_000, "hero.svg": 4_000, "map.json": 20_000} {
		if got := len(s.files[s.path(name)].packed[1].body); got > most {
			t.Errorf("%s has %d bytes packed, at most %d are allowed", name, got, most)
		}
	}
	for name, most := range map[string]int{"sans-latin.woff2": 25_000, "sans-myanmar.woff2": 70_000, "menu-khmer.woff2": 3_000} {
		if got := len(s.read(name)); got > most {
			t.Errorf("%s has %d bytes, at most %d are allowed", name, got, most)
		}
	}
}

func TestThemeRefersToServed(t *testing.T) {
	s := openStatic(t)
	css := string(s.read("theme.css"))
	urls := regexp.MustCompile(`url\(([^)]*)\)`).FindAllStringSubmatch(css, -1)
	if len(urls) < 10 {
		t.Fatalf("%d addresses in the style sheet", len(urls))
	}
	for _, u := range urls {
		if _, ok := s.files[staticURL+u[1]]; !ok {
			t.Errorf("the style sheet refers to %s, which is not served", u[1])
		}
	}
	for _, bad := range []string{"GDS Transport", "crown", "http:", "https:", "@import", "expression("} {
		if strings.Contains(css, bad) {
			t.Errorf("the style sheet has %q", bad)
		}
	}
	for _, name := range []string{"app.js", "htmx.js", "htmx-sse.js"} {
		if strings.Contains(string(s.read(name)), "sourceMappingURL") {
			t.Errorf("%s refers to a map that is not served", name)
		}
	}
}

// colours are those that the theme is built from: light, dark.
func colours(t *testing.T) (table map[string][2]string, pairs [][3]any) {
	t.Helper()
	var c struct {
		Colours map[string][2]string
		Pairs   [][3]any
	}
	b, err := os.ReadFile("assets/colours.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	return c.Colours, c.Pairs
}

// contrast is that of WCAG 2.2.
func contrast(a, b string) float64 {
	luminance := func(hex string) (l float64) {
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			v, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
			if err != nil {
				return math.NaN()
			}
			c := float64(v) / 255
			if c <= 0.04045 {
				c /= 12.92
			} else {
				c = math.Pow((c+0.055)/1.055, 2.4)
			}
			l += weight * c
		}
		return l
	}
	x, y := luminance(a)+0.05, luminance(b)+0.05
	return max(x/y, y/x)
}

func TestContrast(t *testing.T) {
	if got := contrast("#000000", "#ffffff"); math.Abs(got-21) > 0.01 {
		t.Fatalf("black on white: %.2f", got)
	}
	table, pairs := colours(t)
	css := string(openStatic(t).read("theme.css"))
	for name, both := range table {
		if n := strings.Count(css, "--tmh-"+name+":"+both[0]); n < 1 {
			t.Errorf("theme.css lacks %s of the light mode: run make ui-assets", name)
		}
		if n := strings.Count(css, "--tmh-"+name+":"+both[1]); n < 2 {
			t.Errorf("theme.css has %s of the dark mode %d times, of the system's choice and of the visitor's", name, n)
		}
	}
	if len(pairs) < 50 {
		t.Fatalf("%d pairs", len(pairs))
	}
	for _, p := range pairs {
		above, below, least := table[p[0].(string)], table[p[1].(string)], p[2].(float64)
		for i, mode := range []string{"light", "dark"} {
			if got := contrast(above[i], below[i]); !(got >= least) {
				t.Errorf("%s: %s on %s has %.2f, needs %.1f", mode, p[0], p[1], got, least)
			}
		}
	}
}

// The table of contrasts in the design note is the one of the colours. TMH_UPDATE=1 writes it.
func TestDesignNote(t *testing.T) {
	const from, to = "<!-- contrast -->\n", "<!-- end of contrast -->\n"
	table, pairs := colours(t)
	b := &strings.Builder{}
	fmt.Fprintf(b, "| on | colour | light | dark | needs |\n|---|---|---|---|---|\n")
	slices.SortStableFunc(pairs, func(x, y [3]any) int { return strings.Compare(x[1].(string), y[1].(string)) })
	for _, p := range pairs {
		above, below := table[p[0].(string)], table[p[1].(string)]
		fmt.Fprintf(b, "| %s | %s | %.1f | %.1f | %.1f |\n", p[1], p[0], contrast(above[0], below[0]), contrast(above[1], below[1]), p[2])
	}
	const file = "../docs/design.md"
	note, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(note), from)
	old, after, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		t.Fatal("docs/design.md lacks the place for the table")
	}
	if old == b.String() {
		return
	}
	if os.Getenv("TMH_UPDATE") == "" {
		t.Fatal("the table of contrasts in docs/design.md is not that of ui/assets/colours.json: TMH_UPDATE=1 go test ./ui -run TestDesignNote")
	}
	if err := os.WriteFile(file, []byte(before+from+b.String()+to+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Every class that the design note shows must exist, or page writers copy what has no effect.
func TestDesignNoteClasses(t *testing.T) {
	note, err := os.ReadFile("../docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	css := string(openStatic(t).read("theme.css"))
	script := string(openStatic(t).read("app.js"))
	seen := 0
	for _, m := range regexp.MustCompile(`class="([^"]*)"`).FindAllStringSubmatch(string(note), -1) {
		for _, class := range strings.Fields(m[1]) {
			seen++
			if !regexp.MustCompile(`\.`+regexp.QuoteMeta(class)+`[^a-zA-Z0-9_-]`).MatchString(css) && !strings.Contains(script, class) {
				t.Errorf("docs/design.md has class %q, which theme.css does not know", class)
			}
		}
	}
	if seen < 100 {
		t.Errorf("%d classes in the design note", seen)
	}
}

// Every member is on the map and on a tile of its own.
func TestMap(t *testing.T) {
	var m struct {
		ViewBox string
		Members map[string]struct {
			D    string
			X, Y int
			Dot  []int
		}
		Tiles map[string][2]int
	}
	s := openStatic(t)
	if err := json.Unmarshal(s.read("map.json"), &m); err != nil {
		t.Fatal(err)
	}
	var width, height int
	if _, err := fmt.Sscanf(m.ViewBox, "0 0 %d %d", &width, &height); err != nil {
		t.Fatal(err)
	}
	taken := map[[2]int]string{}
	css := string(s.read("theme.css"))
	for _, id := range strings.Fields("BN ID KH LA MM MY PH SG TH TL VN") {
		shape, ok := m.Members[id]
		if !ok || !regexp.MustCompile(`^(M\d+,\d+l(-?\d+,-?\d+ ?)+z)+$`).MatchString(shape.D) {
			t.Errorf("%s has no outline", id)
		}
		if shape.X <= 0 || shape.X >= width || shape.Y <= 0 || shape.Y >= height {
			t.Errorf("the label of %s is outside", id)
		}
		tile, ok := m.Tiles[id]
		if other := taken[tile]; !ok || other != "" {
			t.Errorf("%s has no tile of its own (%q)", id, other)
		}
		taken[tile] = id
		if class := fmt.Sprintf(".tmh-at-%d-%d{", tile[0], tile[1]); !strings.Contains(css, class) {
			t.Errorf("the style sheet lacks %s", class)
		}
	}
	if len(m.Members) != 11 || len(m.Tiles) != 11 {
		t.Errorf("%d members, %d tiles", len(m.Members), len(m.Tiles))
	}
	for _, id := range []string{"BN", "SG"} {
		if len(m.Members[id].Dot) != 2 {
			t.Errorf("%s is too small to be seen without a dot", id)
		}
	}
}

func FuzzAcceptEncoding(f *testing.F) {
	for _, s := range []string{"", "gzip, br", "*;q=0", "br;q=1e999", ";;,,q=", "gzip;q=0.0001", "\x00,br\xff"} {
		f.Add(s)
	}
	forms := []packed{{"br", nil}, {"gzip", nil}}
	f.Fuzz(func(t *testing.T, accept string) {
		p, ok := choose(forms, accept)
		lower := strings.ToLower(accept)
		if ok && !strings.Contains(lower, p.encoding) && !strings.Contains(lower, "*") {
			t.Errorf("%q was answered with %s", accept, p.encoding)
		}
	})
}

// TestPagesArePacked: a page is sent packed to who takes it so, and what comes out is the same page.
func TestPagesArePacked(t *testing.T) {
	h := New(Config{Name: "Cambodia", Now: func() time.Time { return time.Unix(1_790_000_000, 0) }, Log: slog.New(slog.DiscardHandler)})
	page := func(encoding string) (*httptest.ResponseRecorder, string) {
		r := httptest.NewRequest(http.MethodGet, "/nowhere", nil)
		r.Header.Set("Accept-Encoding", encoding)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		body := io.Reader(w.Body)
		if w.Header().Get("Content-Encoding") == "gzip" {
			var err error
			if body, err = gzip.NewReader(body); err != nil {
				t.Fatal(err)
			}
		}
		b, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		return w, regexp.MustCompile(`nonce="[^"]+"`).ReplaceAllString(string(b), "")
	}
	plain, want := page("")
	packed, got := page("gzip, br")
	if got != want || packed.Code != plain.Code || packed.Header().Get("Content-Encoding") != "gzip" || !slices.Contains(packed.Header().Values("Vary"), "Accept-Encoding") {
		t.Errorf("%d, %v: %d bytes, want %d", packed.Code, packed.Header(), len(got), len(want))
	}
	if plain.Header().Get("Content-Encoding") != "" || !strings.Contains(want, "</html>") {
		t.Errorf("%v", plain.Header())
	}
}
