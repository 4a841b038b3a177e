package ui_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/saved"
	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui"
	"github.com/asean-tmh/tmh/ui/lang"
)

// fetch the part of the page of results, as htmx does.
func fetch(h http.Handler, target string, header ...string) (string, http.Header, int) {
	w := get(h, target, append(header, "HX-Request", "true", "HX-Target", "div#found")...)
	return w.Body.String(), w.Header(), w.Code
}

func TestFoundIsFetchedAlone(t *testing.T) {
	h := pages(full())
	body, header, code := fetch(h, "/?q=fish&kind=TO&country=&trl_min=&utm=x")
	if code != 200 || header.Get("Cache-Control") != "no-store" || header.Get("HX-Replace-Url") != "/?kind=TO&q=fish" || !slices.Contains(header.Values("Vary"), "HX-Request, HX-Target") {
		t.Errorf("%d %v", code, header)
	}
	for _, never := range []string{"<html", "<header", "<h1", "<script", `name="q"`} {
		if strings.Contains(body, never) {
			t.Errorf("the part has %s", never)
		}
	}
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	told := find(root, func(n *html.Node) bool { return attr(n, "id") == "told" })
	if len(told) != 1 || text(told[0]) != "1,234 listings found" || !has(told[0], "hx-swap-oob") {
		t.Errorf("told is %v", told)
	}
	if found := find(root, func(n *html.Node) bool { return attr(n, "id") == "found" }); len(found) != 1 || len(find(found[0], classed("tmh-card"))) != 4 {
		t.Errorf("found: %d", len(found))
	}
	if title := find(root, tag("title")); len(title) != 1 || text(title[0]) != "fish – TMH Cambodia" {
		t.Errorf("titles: %v", title)
	}

	// The page itself has where the part goes, and says that it changes with who asks.
	w := get(h, "/?q=fish")
	whole := audit(t, "page", w)
	if len(find(whole, func(n *html.Node) bool {
		return attr(n, "id") == "told" && attr(n, "role") == "status" && text(n) == ""
	})) != 1 || !slices.Contains(w.Header().Values("Vary"), "HX-Request, HX-Target") {
		t.Error("nobody is told, or the page does not vary")
	}
	input := find(whole, func(n *html.Node) bool { return has(n, "hx-get") })
	if len(input) != 1 || attr(input[0], "hx-sync") != "this:replace" || attr(input[0], "hx-target") != "#found" || attr(input[0], "hx-nonce") == "" {
		t.Errorf("asks %v", input)
	}
	// Whoever wants the page back from the history gets the whole of it.
	if w := get(h, "/?q=fish", "HX-Request", "true", "HX-Target", "body", "HX-History-Restore-Request", "true"); !strings.Contains(w.Body.String(), "<html") {
		t.Error("the history gets a part")
	}
}

func TestFoundSaysWhatIsWrong(t *testing.T) {
	body, header, code := fetch(pages(full()), "/?q=x&kind=zz")
	if code != 400 || !strings.Contains(body, "not one of the choices") || !strings.HasPrefix(body, `<div id="found">`) || header.Get("HX-Replace-Url") != "" {
		t.Errorf("%d %s", code, body)
	}
	d := full()
	d.broken = errors.New("disk gone")
	if body, _, code = fetch(pages(d), "/?q=x"); code != 500 || !strings.Contains(body, "A fault of this node") || strings.Contains(body, "disk gone") {
		t.Errorf("%d %s", code, body)
	}
}

func TestAllChoicesAreTakenOff(t *testing.T) {
	for target, want := range map[string]string{
		"/?q=fish&kind=TO&trl_min=3&sort=newest": "/?q=fish&sort=newest", "/?q=fish&kind=TO": "/?q=fish", "/?kind=TO&country=TH": "/", "/?kind=TO": "", "/?q=fish": "",
	} {
		root := audit(t, target, get(pages(full()), target))
		all, got := find(root, classed("tmh-chosen__all")), ""
		if len(all) == 1 {
			got = attr(all[0], "href")
		}
		if got != want {
			t.Errorf("%s: leads to %q, want %q", target, got, want)
		}
	}
}

func TestTheLanguageOfAListingIsSaid(t *testing.T) {
	root := audit(t, "thai", get(pages(full()), "/?q=fish", "Accept-Language", "en"))
	var said []string
	for _, n := range find(root, classed("tmh-card")) {
		own := attr(find(n, tag("h3"))[0], "lang")
		tags := strings.Join(strings.Fields(text(find(n, classed("tmh-meta"))[0])), " ")
		said = append(said, own+": "+tags)
		if strings.Contains(tags, "In Thai") != (own == "th") {
			t.Errorf("a listing in %s says %s", own, tags)
		}
	}
	if !strings.Contains(strings.Join(said, "; "), "In Thai") {
		t.Errorf("no listing of the samples is in Thai: %v", said)
	}
}

func TestSimilarListings(t *testing.T) {
	d := full()
	root := audit(t, "listing", get(pages(d), dryerPage))
	if q := d.query; q.Listing == nil || q.Self.ID != "TO-KH-20260114-001" || len(q.Filter.Kinds) != 1 || q.Filter.Kinds[0] != "TO" || q.Limit != 3 || q.Filter.Today == 0 {
		t.Errorf("asked %+v", d.query)
	}
	section := find(root, func(n *html.Node) bool { return attr(n, "aria-labelledby") == "similar" })
	if len(section) != 1 || len(find(section[0], classed("tmh-card"))) == 0 || len(find(section[0], classed("tmh-why"))) == 0 {
		t.Fatal("no similar listings that are explained")
	}
	if len(find(section[0], classed("tmh-verdict--weak"))) > 0 {
		t.Error("what is not alike is called similar")
	}
	d.answer.Verdict = match.Weak
	if root = audit(t, "listing", get(pages(d), dryerPage)); strings.Contains(text(root), "Similar listings") {
		t.Error("what is not alike is called similar")
	}
}

func TestSearchesAreSaved(t *testing.T) {
	home := newHome(t, nil)
	b := home.setUp()
	if stranger := home.browser(); links(stranger.look("/?q=fish", 200))["Save this search"] != "" {
		t.Error("a stranger is asked to save")
	}
	if w := home.browser().send(http.MethodGet, "/saved", nil); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/sign-in?from=%2Fsaved" {
		t.Errorf("a stranger gets %d %s", w.Code, w.Header())
	}
	b.look("/saved", 200, "You have not saved a search yet")
	at := links(b.look("/?q=drying+fish&kind=TO&page=1", 200))["Save this search"]
	if at != "/saved/new?kind=TO&q=drying+fish" {
		t.Fatalf("saved at %q", at)
	}
	form := b.look(at, 200, "“drying fish” and Technology offer")
	if name := find(form, func(n *html.Node) bool { return attr(n, "name") == "name" })[0]; attr(name, "value") != "drying fish" {
		t.Errorf("suggests %q", attr(name, "value"))
	}
	b.press(form, "/saved/new", url.Values{"name": {" "}}, 422, "Give the search a name")
	b.follow(form, "/saved/new", url.Values{"name": {"Dryers <b>"}}, "The search is saved.", "Dryers <b>", "1,234 listings", "last opened just now")
	b.press(form, "/saved/new", url.Values{"name": {"Again"}}, 409, "saved this search already, as “Dryers <b>”")

	// What was published since is new.
	listing := home.desk.answer.Hits[0].Listing
	published, updated := listing.Published, listing.Updated
	home.clock.Add(2 * 86400)
	b.follow(b.look("/sign-in", 200), "/sign-in", url.Values{"email": {"dara@agency.example.org"}, "password": {password}})
	listing.Published, listing.Updated = protocol.DateOf(now)+1, protocol.InstantOf(now.Add(24*time.Hour))
	page := b.look("/saved", 200, "1 new", "last opened 2 days ago")
	if home.desk.query.Sort != match.ByNewest || home.desk.query.Text != "drying fish" || home.desk.query.Filter.Kinds[0] != "TO" {
		t.Errorf("asked %+v", home.desk.query)
	}
	run := links(find(page, tag("main"))[0])["Dryers <b>"]
	if w := b.send(http.MethodGet, run, nil); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/?kind=TO&q=drying+fish" {
		t.Fatalf("running it: %d %s", w.Code, w.Header().Get("Location"))
	}
	if page = b.look("/saved", 200, "last opened just now"); strings.Contains(text(page), "1 new") {
		t.Error("what was looked at is new")
	}
	listing.Published, listing.Updated = published, updated

	// Another name; gone, and back again.
	page = b.follow(b.look(run+"/rename", 200, "Rename a saved search"), run+"/rename", url.Values{"name": {"Driers"}}, "The search has its new name.", "Driers")
	b.press(b.look(run+"/rename", 200), run+"/rename", url.Values{"name": {strings.Repeat("x", 101)}}, 422, "at most 100")
	page = b.follow(page, run+"/delete", nil, "“Driers” was deleted.", "You have not saved a search yet")
	b.look(run, 404, "There is no such search")
	if data := b.send(http.MethodGet, "/account/data", nil).Body.String(); !strings.Contains(data, "Driers") {
		t.Error("the personal data lack what was deleted and is still here")
	}
	if again, err := home.house.Searches.Add(string(home.actor(b).User), "Again", "kind=TO&q=drying+fish"); err != nil {
		t.Fatal(err)
	} else {
		b.follow(page, run+"/restore", nil, "“Driers” was not put back: the same search is in your list again already.", "Again")
		if err := home.house.Searches.Delete(string(home.actor(b).User), again.ID); err != nil {
			t.Fatal(err)
		}
	}
	b.follow(page, run+"/restore", nil, "The search is back.", "Driers")

	// The longest is led to whole.
	long, err := home.house.Searches.Add(string(home.actor(b).User), "Long", "q="+strings.Repeat("x", saved.MaxAddress-2))
	if err != nil {
		t.Fatal(err)
	}
	if w := b.send(http.MethodGet, "/saved/"+long.ID, nil); w.Header().Get("Location") != "/?"+long.Address {
		t.Errorf("the longest leads to %.20s", w.Header().Get("Location"))
	}

	// Nobody else's.
	other := home.browser()
	other.follow(other.look(home.invite("scout@agency.example.org", access.Scout), 200), "/invitation", url.Values{"name": {"Sok Vanna"}, "password": {password}})
	for _, target := range []string{run, run + "/rename"} {
		other.look(target, 404, "There is no such search")
	}
	if w := other.send(http.MethodPost, run+"/delete", url.Values{}); w.Code != 404 {
		t.Errorf("deleting another's: %d", w.Code)
	}
	b.look("/saved", 200, "Driers")
	if data := b.send(http.MethodGet, "/account/data", nil).Body.String(); !strings.Contains(data, "kind=TO\\u0026q=drying+fish") || !strings.Contains(data, "Driers") {
		t.Error("the personal data lack the search")
	}
	// They go with their person.
	admin, who := home.actor(b), home.actor(other).User
	if _, err := home.house.Searches.Add(string(who), "Mine", "q=x"); err != nil {
		t.Fatal(err)
	}
	if err := home.house.People.Erase(admin, who); err != nil {
		t.Fatal(err)
	}
	if left, err := home.house.Searches.List(string(who)); err != nil || len(left) != 0 {
		t.Errorf("after erasure: %v, %v", left, err)
	}
}

func TestSavedSearchesWithoutWords(t *testing.T) {
	home := newHome(t, nil)
	b := home.setUp()
	form := b.look("/saved/new?kind=TR&country=LA", 200)
	if name := find(form, func(n *html.Node) bool { return attr(n, "name") == "name" })[0]; attr(name, "value") != "Technology request, Lao People's Democratic Republic" && attr(name, "value") != "Technology request, Laos" {
		t.Errorf("suggests %q", attr(name, "value"))
	}
	home.desk.next = match.Ref{Origin: "VN", ID: "TO-VN-9"}
	b.follow(form, "/saved/new", nil, "at least ", "Technology request")
	b.look("/saved/new", 404)
	b.look("/saved/new?kind=zz", 400)
	if w := b.send(http.MethodPost, "/saved/new", url.Values{"search": {"kind=%zz"}, "name": {"x"}}); w.Code != 400 {
		t.Errorf("an unreadable search: %d", w.Code)
	}
	home.desk.broken = errors.New("disk gone")
	b.look("/saved", 200, "open it to see how many it finds")
}

// overTime is pages over a federation of which these days were recorded.
func overTime(days []stats.Day, err error) http.Handler {
	return ui.New(ui.Config{
		Desk: full(), Name: "Cambodia", Demonstration: true, Version: "0.1", Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
		History: func(most int) ([]stats.Day, error) { return days[max(0, len(days)-most):], err },
	})
}

func recordedDays() (days []stats.Day) {
	for i, d := range []int{-9, -8, -7, -4, -3, -1, 0} { // days of this November, against today
		day := stats.Day{Day: protocol.Date(int(protocol.DateOf(now)) + d), Gap: i == 3 || i == 5, Members: map[protocol.MemberID]stats.MemberDay{
			"KH": {Kinds: map[string]int{"TO": 1000 + 10*i, "TR": 5}, Heard: true},
			"TH": {Kinds: map[string]int{"TO": 50}, Lag: 412 * uint64(i%2), Heard: i != 4},
		}}
		if i == 1 {
			day.Members["XX"] = stats.MemberDay{Kinds: map[string]int{"EX": 1}}
		}
		days = append(days, day)
	}
	return days
}

func TestTheFederationOverTime(t *testing.T) {
	root := audit(t, "over time", get(overTime(recordedDays(), nil), "/federation"))
	section := find(root, func(n *html.Node) bool { return attr(n, "aria-labelledby") == "over-time" })[0]
	plots := find(section, tag("svg"))
	if len(plots) != 4 {
		t.Fatalf("%d plots, want the whole and three members", len(plots))
	}
	// Seven days with two gaps: three days, two, two. What was missed is no line.
	if lines := find(plots[0], classed("tmh-chart__line")); len(lines) != 4 || attr(lines[2], "x1") != "55.56%" || attr(lines[3], "x1") != "88.89%" {
		t.Errorf("%d lines", len(lines))
	}
	if got := text(find(plots[0], tag("desc"))[0]); got != "From 14 November 2026 to 23 November 2026. At the end there are 1,115 listings." {
		t.Errorf("says %s", got)
	}
	if lone := plots[3]; len(find(lone, classed("tmh-chart__line"))) != 0 || len(find(lone, tag("circle"))) != 1 {
		t.Error("a day alone is a point")
	}
	rows := find(find(section, tag("tbody"))[0], tag("tr"))
	for i, want := range []string{"23 November 2026 1,115 1,065 50 –", "22 November 2026 1,105 1,055 50 412 changes behind –", "20 November 2026 1,095 1,045 50 not heard –"} {
		var cells []string
		for _, c := range find(rows[i], tag("th", "td")) {
			cells = append(cells, strings.Join(strings.Fields(text(c)), " "))
		}
		if got := strings.Join(cells, " "); got != want {
			t.Errorf("row %d: %s, want %s", i, got, want)
		}
	}
	for what, h := range map[string]http.Handler{
		"Nothing is recorded yet.": overTime(nil, nil), "The first figures were recorded on 14 November 2026.": overTime(recordedDays()[:1], nil),
		"The federation, as this node sees it": overTime(nil, errors.New("disk gone")),
	} {
		if got := text(audit(t, what, get(h, "/federation"))); !strings.Contains(got, what) {
			t.Errorf("no %q", what)
		}
	}
}

func TestStyleGuide(t *testing.T) {
	if w := get(pages(full()), "/styleguide"); w.Code != 404 {
		t.Errorf("a release answers %d", w.Code)
	}
	h := ui.New(ui.Config{Desk: full(), Name: "Cambodia", Version: "x", Development: true, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)})
	root := audit(t, "style guide", get(h, "/styleguide", "Accept-Language", "km"))
	main := find(root, tag("main"))[0]
	if got := find(main, func(n *html.Node) bool { return attr(n, "lang") == "en" }); len(got) == 0 {
		t.Error("does not say that it is in English")
	}
}

// findPages of who is signed in.
func findPages() []string {
	return []string{"/saved", "/saved?done=saved", "/saved/new?q=fish&kind=TO", "/?q=fish&kind=TO&country=TH", "/saved/none"}
}

func TestFindingInEveryLanguage(t *testing.T) {
	bundle, err := lang.Open()
	if err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile(`\b(` + strings.ReplaceAll(strings.Join(bundle.Keys(), "|"), ".", `\.`) + `)\b`)
	home := newHome(t, nil)
	b := home.setUp()
	b.follow(b.look("/saved/new?q=fish", 200), "/saved/new", nil)
	who := string(home.actor(b).User)
	kept, err := home.house.Searches.List(who)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := home.house.Searches.Add(who, "Gone", "q=gone")
	if err == nil {
		err = home.house.Searches.Delete(who, gone.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, tagged := range ui.Languages() {
		b.cookies["lang"] = string(tagged)
		all := map[string]*html.Node{}
		for _, target := range findPages() {
			status := 200
			if target == "/saved/none" {
				status = 404
			}
			all[target] = b.look(target, status)
		}
		all["rename"] = b.look("/saved/"+kept[0].ID+"/rename", 200)
		all["deleted"] = b.look("/saved?done=deleted&id="+gone.ID, 200, "Gone")
		for name, days := range map[string][]stats.Day{"over time": recordedDays(), "first day": recordedDays()[:1], "no day": nil} {
			all[name] = audit(t, string(tagged)+" "+name, get(overTime(days, nil), "/federation", "Accept-Language", string(tagged)))
		}
		for _, target := range []string{"/?q=fish", "/?kind=zz"} {
			body, _, _ := fetch(pages(full()), target, "Accept-Language", string(tagged))
			if all["part "+target], err = html.Parse(strings.NewReader(body)); err != nil {
				t.Fatal(err)
			}
		}
		for name, root := range all {
			if found := keys.FindString(text(root)); found != "" && strings.Contains(found, ".") {
				t.Errorf("%s %s: shows the key %s", tagged, name, found)
			}
			for _, bad := range []string{"{{", "&lt;a&gt;", "<no value>", "%!"} {
				if strings.Contains(text(root), bad) {
					t.Errorf("%s %s: shows %s", tagged, name, bad)
				}
			}
		}
	}
}
