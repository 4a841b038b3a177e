package ui_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

func get(h http.Handler, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, key string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

func text(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for c := range n.ChildNodes() {
		b.WriteString(text(c))
	}
	return b.String()
}

func find(root *html.Node, ok func(*html.Node) bool) (out []*html.Node) {
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && ok(n) {
			out = append(out, n)
		}
	}
	return out
}

func tag(names ...string) func(*html.Node) bool {
	return func(n *html.Node) bool { return slices.Contains(names, n.Data) }
}

// audit parses a page and checks what every page has to have.
func audit(t *testing.T, name string, w *httptest.ResponseRecorder) *html.Node {
	t.Helper()
	policy := regexp.MustCompile(`^default-src 'none'; script-src 'self' 'nonce-([\w-]{24})'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; ` +
		`form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types htmx$`)
	nonce := policy.FindStringSubmatch(w.Header().Get("Content-Security-Policy"))
	if nonce == nil {
		t.Fatalf("%s: policy %s", name, w.Header().Get("Content-Security-Policy"))
	}
	root, err := html.Parse(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []string{"h1", "main", "title", "footer"} {
		if n := len(find(root, tag(one))) - len(find(root, func(n *html.Node) bool { return n.Data == "title" && one == "title" && n.Parent.Data == "svg" })); n != 1 {
			t.Errorf("%s: %d of %s", name, n, one)
		}
	}
	if bad := find(root, func(n *html.Node) bool {
		own := strings.HasPrefix(attr(n, "src"), "/static/") && attr(n, "nonce") == nonce[1] && text(n) == ""
		own = own || attr(n, "type") == "application/ld+json" && json.Valid([]byte(text(n))) // data, which no browser runs
		return n.Data == "script" && !own || n.Data == "style" || has(n, "style") || slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return strings.HasPrefix(a.Key, "on") })
	}); len(bad) > 0 {
		t.Errorf("%s: %s is against the policy", name, bad[0].Data)
	}
	ids, level := map[string]bool{}, 0
	for _, n := range find(root, func(n *html.Node) bool { return has(n, "id") }) {
		if ids[attr(n, "id")] {
			t.Errorf("%s: id %s twice", name, attr(n, "id"))
		}
		ids[attr(n, "id")] = true
	}
	for _, n := range find(root, tag("input", "select", "textarea")) {
		if attr(n, "type") != "hidden" && len(find(root, func(l *html.Node) bool { return l.Data == "label" && attr(l, "for") == attr(n, "id") })) != 1 {
			t.Errorf("%s: %s has no label", name, attr(n, "id"))
		}
	}
	for _, n := range find(root, tag("h1", "h2", "h3", "h4")) {
		if attr(n.Parent, "role") == "alert" { // what is wrong comes before the page's own heading
			continue
		}
		l := int(n.Data[1] - '0')
		if l > level+1 {
			t.Errorf("%s: heading %q skips a level", name, text(n))
		}
		level = l
	}
	for _, key := range []string{"aria-labelledby", "aria-describedby"} {
		for _, n := range find(root, func(n *html.Node) bool { return has(n, key) }) {
			for id := range strings.FieldsSeq(attr(n, key)) {
				if !ids[id] {
					t.Errorf("%s: nothing has the id %s", name, id)
				}
			}
		}
	}
	for _, n := range find(root, tag("a")) {
		if to, ok := strings.CutPrefix(attr(n, "href"), "#"); ok && !ids[to] {
			t.Errorf("%s: a link leads to %s, which is not there", name, to)
		}
		if strings.TrimSpace(text(n)) == "" {
			t.Errorf("%s: a link to %s without text", name, attr(n, "href"))
		}
	}
	checkLanguages(t, name, root)
	return root
}

// checkLanguages: text in another script than the page's stands within an element that says its language.
func checkLanguages(t *testing.T, name string, root *html.Node) {
	t.Helper()
	page := attr(find(root, tag("html"))[0], "lang")
	for n := range root.Descendants() {
		if page == "km" || page == "my" || n.Type != html.TextNode || n.Parent.Data == "script" || !strings.ContainsFunc(n.Data, func(r rune) bool { return r >= 0x1000 && r <= 0x109F || r >= 0x1780 && r <= 0x17FF }) {
			continue
		}
		lang := ""
		for p := n.Parent; p != nil && lang == ""; p = p.Parent {
			lang = attr(p, "lang")
		}
		if (lang == "en" || lang == "") && n.Parent.Data != "title" {
			t.Errorf("%s: %.30q is not marked with its language", name, n.Data)
		}
	}
}

func TestEveryPageWithEveryModel(t *testing.T) {
	rich, empty := full(), &desk{}
	troubled := full()
	troubled.broken = errors.New("disk gone")
	nothing := full()
	nothing.answer = exchange.MatchAnswer{Verdict: match.None}
	weak := full()
	weak.answer.Verdict = match.Weak
	weakest := full()
	weakest.answer.Verdict, weakest.answer.Hits = match.Weak, nil
	dryer := "/listings/KH/TO-KH-20260114-001"
	for _, c := range []struct {
		name   string
		d      *desk
		target string
		status int
		want   string
	}{
		{"start", rich, "/", 200, "Find a technology"},
		{"start, empty", empty, "/", 200, "The catalogue is empty"},
		{"search", rich, "/?q=fish", 200, "1,234 listings found"},
		{"search, page 2", rich, "/?q=fish&page=2", 200, "11 to 14"},
		{"search, all filters", rich, "/?q=fish&kind=TR&country=JP&trl_min=2&trl_max=7&ford=2.4&origin=TH", 200, "published by Thailand"},
		{"search, nothing", nothing, "/?q=fish&kind=TR", 200, "Nothing found"},
		{"search, verdicts", rich, "/?q=fish", 200, "Strong match"},
		{"search, no good match", weak, "/?q=fish", 200, "No listing says enough of what you look for. The nearest of 1,234 listings"},
		{"search, sorted, no match", weakest, "/?q=fish&sort=newest", 200, "none of the 1,234 listings that share a word with your search is one. Show the nearest"},
		{"search, other order", rich, "/?q=fish&sort=ending", 200, "1 to 4 of 951, matches only, ending soonest first. Only the best 1,000 are listed"},
		{"search, language", rich, "/?q=fish", 200, "Your words were read as Indonesian and Malay · only as Indonesian · only as Malay"},
		{"search, language said", rich, "/?q=fish&as=ms", 200, "only as Indonesian · recognise the language"},
		{"search, same", rich, "/?q=fish", 200, "The same technology is also listed by:Thailand: เครื่องอบแห้ง"},
		{"listing, nothing good", weak, dryer, 200, "No good match yet. These listings are the nearest."},
		{"browse", rich, "/?kind=TR", 200, "1,234 listings"},
		{"browse, nothing", empty, "/?kind=TR&utm_source=x", 200, "No listing fits these choices"},
		{"browse, later", rich, "/?after=KH/TO-1", 200, "Previous"},
		{"search, faulty", rich, "/?kind=zz&country=%3Cb%3E&trl_min=9&trl_max=1&page=0&after=x", 400, "not one of the choices"},
		{"search, broken", troubled, "/?q=x", 500, "A fault of this node"},
		{"listing", rich, dryer, 200, "Utility model or petty patent"},
		{"listing, Thai", rich, "/listings/TH/TR-TH-7", 200, "Least technology readiness"},
		{"listing, hostile", rich, "/listings/LA/EX-LA-1", 200, `<script>alert("x")</script> & 'Smoke" onmouseover=y`},
		{"listing, alone", nothing, dryer, 200, "Nothing in the catalogue answers"},
		{"listing, unusable", rich, "/listings/VN/TO-VN-9", 200, "texts: a listing has a title"},
		{"listing, withdrawn", rich, "/listings/VN/TO-VN-8", 410, "an agreement was made"},
		{"listing, on hold", rich, "/listings/VN/TO-VN-7", 410, "This listing is on hold"},
		{"listing, none", rich, "/listings/VN/none", 404, "There is no such listing"},
		{"listing, no address", rich, "/listings/vn/a%20b", 404, "There is no such listing"},
		{"full, no house", rich, dryer + "/full", 404, "This node shows summaries only"},
		{"federation", rich, "/federation", 200, "412 changes still to come"},
		{"federation, behind", rich, "/federation", 200, "412 changes behind 1.12003"},
		{"federation, alone", rich, "/federation", 200, "Started with --alone."},
		{"federation, acknowledged", rich, "/federation", 200, "up to 1.11990, as it says: 10 changes are not there yet"},
		{"federation, anew", rich, "/federation", 200, "drawn from the beginning, so far from a state of 1.400"},
		{"federation, damage", rich, "/federation", 200, "The disk of this node damaged its copy"},
		{"federation, fork", rich, "/federation", 200, "It signed two different changes at position 1.9."},
		{"federation, fork over", rich, "/federation", 200, "Its change at 1.8 does not follow the one at 1.7, which it signed too. They belong to different histories. It ended this later"},
		{"federation, epoch", rich, "/federation", 200, "because two different histories had been signed. Its catalogue went on from 1.9. What contradicts that, or was signed after it, up to 1.14, is void."},
		{"federation, note", rich, "/federation", 200, "“Two machines <ran> at once.”"},
		{"federation, void", rich, "/federation", 200, "listing/TO-TH-1 “เครื่องอบแห้งพลังงานแสงอาทิตย์”"},
		{"federation, faults", rich, "/federation", 200, "Passed on something whose signature does not verify: 3 times"},
		{"federation, other faults", rich, "/federation", 200, "breaks the rules (gossip-varint): 1 time"},
		{"federation, broken", troubled, "/federation", 500, "A fault of this node"},
		{"federation, empty", empty, "/federation", 200, "tmh charter import"},
		{"figures", rich, "/figures", 200, "38,210"},
		{"figures, empty", empty, "/figures", 200, "Nothing was published yet"},
		{"no page", rich, "/nowhere", 404, "There is no such page"},
		{"no asset", rich, "/static/none.css", 404, "There is no such page"},
	} {
		w := get(pages(c.d), c.target)
		if w.Code != c.status || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Header().Get("Content-Type"))
		}
		if strings.Contains(w.Body.String(), "disk gone") {
			t.Errorf("%s: shows a cause", c.name)
		}
		root := audit(t, c.name, w)
		if got := text(root); !strings.Contains(got, c.want) && !strings.Contains(strings.Join(strings.FieldsFunc(got, func(r rune) bool { return r == ' ' || r == '\n' }), " "), c.want) {
			t.Errorf("%s: no %q in\n%s", c.name, c.want, strings.Join(strings.Fields(got), " "))
		}
		if !strings.Contains(text(root), "are invented") {
			t.Errorf("%s: is not marked as a demonstration", c.name)
		}
	}
}

func TestMethodsAreRefused(t *testing.T) {
	w := httptest.NewRecorder()
	pages(full()).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/federation", nil))
	if audit(t, "post", w); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
}

func TestAssetsKeepTheirAddress(t *testing.T) {
	h := pages(full())
	root := audit(t, "start", get(h, "/"))
	for _, l := range find(root, tag("link")) {
		w := get(h, attr(l, "href"))
		if w.Code != 200 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Body.Len() < 100 {
			t.Errorf("%s: %d %v", attr(l, "href"), w.Code, w.Header())
		}
	}
}

func TestTheSearchReachesTheDesk(t *testing.T) {
	d := full()
	get(pages(d), "/?q=+drying+fish+&kind=TR&country=LA&trl_min=3&trl_max=8&ford=2&origin=TH&language=km&as=th&sort=newest&page=3")
	f := d.query.Filter
	if d.query.Text != "drying fish" || d.query.Offset != 20 || d.query.Lang != "th" || d.query.Sort != match.ByNewest || !d.query.Facets || f.Languages[0] != "km" || f.Kinds[0] != "TR" || f.Countries[0] != "LA" || f.TRLMin != 3 || f.TRLMax != 8 ||
		f.FORD[0] != "2" || f.Origins[0] != "TH" || f.Today == 0 {
		t.Errorf("got %+v", d.query)
	}
	get(pages(d), "/?kind=TR&after=KH")
	if q := d.query; !q.All || q.Filter.Kinds[0] != "TR" || q.After != "KH" || q.Text != "" || !q.Facets || q.Filter.Today == 0 {
		t.Errorf("got %+v", d.query)
	}
}

func TestPagesLeadOn(t *testing.T) {
	root := audit(t, "search", get(pages(full()), "/?q=fish&kind=TO&page=2&utm=x"))
	links := find(root, func(n *html.Node) bool { return has(n, "rel") && n.Data == "a" })
	if len(links) != 2 || attr(links[0], "href") != "/?kind=TO&q=fish" || attr(links[1], "href") != "/?kind=TO&page=3&q=fish" {
		t.Errorf("got %v", links)
	}
}

func TestTitlesComeInTheVisitorsLanguage(t *testing.T) {
	for accept, want := range map[string]protocol.Lang{"": "en", "km-KH,en;q=.5": "km", "fr, km;q=0.2": "km", "de": "en", "\xff;q=x": "en"} {
		root := audit(t, accept, get(pages(full()), "/listings/KH/TO-KH-20260114-001", "Accept-Language", accept))
		if h := find(root, tag("h1"))[0]; attr(h, "lang") != string(want) {
			t.Errorf("%s: title in %s, want %s", accept, attr(h, "lang"), want)
		}
	}
}

func TestBarsSumToTheScore(t *testing.T) {
	root := audit(t, "search", get(pages(full()), "/?q=fish"))
	table := find(root, tag("table"))[0]
	if got := text(find(table, tag("tfoot"))[0]); !strings.Contains(got, "8.250") {
		t.Errorf("foot: %s", got)
	}
	if rects := find(table, tag("rect")); len(rects) != 12 || attr(rects[0], "width") != "100.00%" || attr(rects[3], "class") != "tmh-chart__bar tmh-chart__bar--2" {
		t.Errorf("%d bars", len(rects))
	}
	rows := find(find(table, tag("tbody"))[0], tag("tr"))
	for i, want := range []string{
		"“fish” word in title and summary 4.125 50%",
		"“សម្ងួតត្រី” → drying, here “dryer” word in title 2.500 30%",
		"“solar drying” neighbouring words in keywords 1.250 15%",
		"Its origin was not heard of for long, so it may be out of date taken off −1.250 −15%",
		"Other engineering and technologies (2.11) shared field of research, level 2 of 2 0.500 6%",
		"Drying (F26B, within F26) shared patent class, level 3 of 3 0.250 3%",
		"“សម្ងួតត្រី” → drying goes with “moisture” related words in summary 0.125 2%",
		"“biomass”, “husk”, “ម៉ាស៊ីន” → machine, “a”, “b” and 1 more words of the best matches 0.125 2%",
		"The technology is as ready as wanted fit 0.125 2%",
		"Affordable and clean energy (7) shared development goal 0.062 1%",
		"The same topic related words, all others together 0.062 1%",
		"Lighter parts together 0.375 5%",
	} {
		var cells []string
		for _, cell := range find(rows[i], tag("th", "td")) {
			cells = append(cells, text(cell))
		}
		if got := strings.Join(strings.Fields(strings.Join(cells, " ")), " "); got != want {
			t.Errorf("row %d:\n got %s\nwant %s", i, got, want)
		}
	}
	sentence := find(root, func(n *html.Node) bool {
		return n.Data == "p" && attr(n.Parent, "class") == "tmh-why" && !has(n, "class")
	})[0]
	if got := text(sentence); got != "“"+khmerDrying+"” goes with “moisture”. Both are in Other engineering and technologies (2.11) and Drying (F26B, within F26). Both fit in readiness." {
		t.Errorf("sentence: %s", got)
	}
	pairs := find(root, func(n *html.Node) bool { return n.Data == "li" && attr(n.Parent, "class") == "tmh-pairs" })
	if got := text(pairs[0]) + " " + text(pairs[1]); got != "fish "+khmerDrying+"dryingdryer" {
		t.Errorf("pairs: %s", got)
	}
	if words := find(sentence, tag("span")); len(words) != 1 || attr(words[0], "lang") != "km" || text(words[0]) != khmerDrying {
		t.Errorf("marked as another language: %v", words)
	}
}

func TestWhatWasLookedForIsMarked(t *testing.T) {
	root := audit(t, "search", get(pages(full()), "/?q=fish"))
	card := find(root, func(n *html.Node) bool { return attr(n, "class") == "tmh-card" })[0]
	var marks []string
	for _, m := range find(card, tag("mark")) {
		marks = append(marks, text(m))
	}
	if got := strings.Join(marks, ", "); got != "dryer, fish, Drying" {
		t.Errorf("marked: %s", got)
	}
	if got := text(find(card, tag("h3"))[0]); got != "Solar tunnel dryer for freshwater fish with a biomass back-up" {
		t.Errorf("title: %s", got)
	}
	if got := text(card); !strings.Contains(got, "…it come many words. Before") && !strings.Contains(got, "…come many words.") || strings.Contains(got, "A promise") {
		t.Errorf("cut at %s", got)
	}
	// The visitor reads Khmer, in whose text nothing was found.
	root = audit(t, "search", get(pages(full()), "/?q=fish", "Accept-Language", "km"))
	if marks := find(root, tag("mark")); len(marks) != 0 {
		t.Errorf("%d marks", len(marks))
	}
}

// links by their text.
func links(root *html.Node) map[string]string {
	all := map[string]string{}
	for _, n := range find(root, tag("a")) {
		all[strings.Join(strings.Fields(text(n)), " ")] = attr(n, "href")
	}
	return all
}

func TestAnswersCanBeNarrowedAndSorted(t *testing.T) {
	root := audit(t, "search", get(pages(full()), "/?q=fish&kind=TO&trl_min=7&trl_max=7&origin=TH&sort=newest&page=2&utm=x"))
	got := links(root)
	for name, want := range map[string]string{
		"Technology request":              "/?kind=TR&origin=TH&q=fish&sort=newest&trl_max=7&trl_min=7",
		"Technology offer, take off":      "/?origin=TH&q=fish&sort=newest&trl_max=7&trl_min=7",
		"Cambodia":                        "/?country=KH&kind=TO&origin=TH&q=fish&sort=newest&trl_max=7&trl_min=7",
		"Engineering and technology":      "/?ford=2&kind=TO&origin=TH&q=fish&sort=newest&trl_max=7&trl_min=7",
		"TRL 7, take off":                 "/?kind=TO&origin=TH&q=fish&sort=newest",
		"Khmer":                           "/?kind=TO&language=km&origin=TH&q=fish&sort=newest&trl_max=7&trl_min=7",
		"Published by Thailand, take off": "/?kind=TO&q=fish&sort=newest&trl_max=7&trl_min=7",
		"Best match":                      "/?kind=TO&origin=TH&q=fish&trl_max=7&trl_min=7",
		"Ending soon":                     "/?kind=TO&origin=TH&q=fish&sort=ending&trl_max=7&trl_min=7",
		"only as Malay":                   "/?as=ms&kind=TO&origin=TH&q=fish&sort=newest&trl_max=7&trl_min=7",
		"solar " + khmerDrying:            "/?kind=TO&origin=TH&q=solar+%E1%9E%9F%E1%9E%98%E1%9F%92%E1%9E%84%E1%9E%BD%E1%9E%8F%E1%9E%8F%E1%9F%92%E1%9E%9A%E1%9E%B8&sort=newest&trl_max=7&trl_min=7",
	} {
		if got[name] != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got[name], want)
		}
	}
	aside := text(find(root, classed("tmh-facets"))[0])
	for _, want := range []string{"Technology offer, take off1,200", "Khmer12"} {
		if !strings.Contains(strings.Join(strings.FieldsFunc(aside, func(r rune) bool { return r == ' ' || r == '\n' }), " "), want) {
			t.Errorf("no %q in %s", want, aside)
		}
	}
	for _, hidden := range find(root, func(n *html.Node) bool { return attr(n, "type") == "hidden" && attr(n, "name") == "sort" }) {
		if attr(hidden, "value") != "newest" {
			t.Errorf("the form forgets the order")
		}
	}
	for _, target := range []string{"/?q=x&sort=score", "/?q=x&language=xx", "/?q=x&as=xx"} {
		if w := get(pages(full()), target); w.Code != 400 {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
}

func TestFiguresAsCSV(t *testing.T) {
	d := full()
	d.members[1].Name = "=cmd()"
	w := get(pages(d), "/figures.csv")
	for _, want := range []string{"\ufeffdimension,code,label,count\n", "total,,listings,38210\n", "member,TH,'=cmd(),9100\n", "ford,2,Engineering and technology,12000\n", ",stock,"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %q in\n%s", want, w.Body)
		}
	}
}
