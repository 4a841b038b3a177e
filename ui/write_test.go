package ui_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// TestListingIsWrittenAndSent walks the whole way of somebody who has no script: from nothing to the catalogue.
func TestListingIsWrittenAndSent(t *testing.T) {
	o := newOffice(t)
	b := o.editor
	page := b.look("/post", 200, "What do you want to post?", "You have a problem, and look for a technology.")
	b.press(page, "/post", url.Values{"kind": {"no such"}, "languages": nil}, 422, "Choose what you want to post", "Choose a language")
	w := b.send(http.MethodPost, "/post", url.Values{"kind": {"TO"}, "languages": {"en", "km", "tlh"}})
	at, ok := strings.CutSuffix(w.Header().Get("Location"), "/edit")
	if w.Code != 303 || !ok {
		t.Fatalf("%d to %s", w.Code, w.Header().Get("Location"))
	}
	page = b.look(at+"/edit", 200, "A listing without a title", "Technology offer", "Title and summary: English", "Title and summary: ខ្មែរ", "Not started", "of 100 points")
	if got := links(page)["Title and summary: English"]; got != at+"/edit/words-en" {
		t.Errorf("the task leads to %s", got)
	}

	words := at + "/edit/words-en"
	page = b.look(words, 200, "Save and continue")
	page = b.written(page, words, url.Values{
		"texts.en.title": {"Solar dryer for small fish landing sites"}, "texts.en.value": {" Dries fish\r\nin six hours "},
		"texts.en.abstract": {strings.Repeat("Air is heated below a black plate. ", 8) + "\r\n<script>alert(1)</script>"}, "texts.en.keywords": {"drying\n\n fish \nsolar"},
	}, "Saved", "Solar dryer for small fish landing sites")
	if got := status(page, "task-words-en"); got != "Done" {
		t.Errorf("the task is %s", got)
	}
	id := protocol.ListingID(strings.TrimPrefix(at, "/postings/"))
	c := o.content(id)
	if x := c.Listing.Texts["en"]; x.Value != "Dries fish  in six hours" && x.Value != "Dries fish in six hours" || strings.Join(x.Keywords, "|") != "drying|fish|solar" || !strings.HasSuffix(x.Abstract, "\n<script>alert(1)</script>") {
		t.Errorf("kept is %+v", x)
	}
	b.look(words, 200, "<script>alert(1)</script>") // as text: audit refuses a script of no nonce

	// Khmer is taken off again, on a page that asks.
	page = b.look(at+"/languages", 200, "ខ្មែរ")
	b.follow(b.look(at+"/languages/km/remove", 200, "Remove ខ្មែរ"), at+"/languages/km/remove", nil, "English")
	b.look(at+"/languages/km/remove", 404)
	b.press(page, at+"/languages", url.Values{"language": {"tlh"}}, 422, "Choose a language")

	fields := at + "/edit/fields"
	b.look(fields, 200, "Medical and health sciences", "Patent subclasses")
	w = b.send(http.MethodPost, fields, url.Values{"version": {version(b.look(fields, 200))}, "ford": {"2.11", "2.3"}, "isic": {"C10"}, "ipc": {"A23"}, "ipc.subclasses": {"c12n; A23B"}, "sdg": {"2", "99"}})
	if w.Code != 303 {
		t.Errorf("fields: %d", w.Code)
	}
	if l := o.content(id).Listing; strings.Join(l.FORD, " ") != "2.11 2.3" || strings.Join(l.IPC, " ") != "A23 C12N A23B" || len(l.SDG) != 1 {
		t.Errorf("fields are %v %v %v", l.FORD, l.IPC, l.SDG)
	}

	// Rows: a second is added, the first removed.
	figures := at + "/edit/figures"
	row := url.Values{"record.comparison[0].metric": {"Energy"}, "record.comparison[0].baseline": {"3 kg of wood"}, "record.comparison[0].ours": {"none"}, "stay": {"yes"}}
	w = b.send(http.MethodPost, figures, with(row, "version", version(b.look(figures, 200))))
	page = b.look(w.Header().Get("Location"), 200, "Figure 1", "Figure 2")
	if n := find(page, func(n *html.Node) bool { return attr(n, "name") == "record.comparison[1].metric" }); len(n) != 1 {
		t.Error("there is no second row")
	}
	w = b.send(http.MethodPost, figures, with(row, "version", version(page), "drop", "record.comparison[0]", "record.comparison[1].metric", "Time", "record.comparison[1].baseline", "two days", "record.comparison[1].ours", "six hours"))
	if got := o.content(id).Record.Comparison; w.Code != 303 || len(got) != 1 || got[0].Metric != "Time" {
		t.Errorf("%d, rows are %+v", w.Code, got)
	}

	// Who sees what, and the preview of it.
	story := at + "/edit/story-en"
	b.written(b.look(story, 200), story, url.Values{"record.texts.en.description": {"Below a black plate."}})
	levels := at + "/edit/visibility"
	w = b.send(http.MethodPost, levels, url.Values{"version": {version(b.look(levels, 200, "Everyone can see it, on every node."))}, "record.level": {"public"}, "record.sections.comparison": {"restricted"}})
	if w.Code != 422 {
		t.Errorf("restricted without an audience: %d", w.Code)
	}
	b.check("levels", w, 422, []string{"What you wrote is saved", "Names nobody"})
	b.look(at+"/preview?as=public", 200, "Something in the full record has to be put right")
	b.written(b.look(levels, 200), levels, url.Values{"record.level": {"public"}, "record.audience.types": {"sme"}})
	for as, want := range map[string]bool{"public": false, "registered": false, "restricted": true, "invited": true} {
		page = b.look(at+"/preview?as="+as, 200, "Below a black plate.", "Solar dryer for small")
		if got := strings.Contains(text(page), "two days"); got != want {
			t.Errorf("%s: the figures are seen: %t", as, got)
		}
	}
	if before := o.content(id); before.Record.Sections["comparison"] != protocol.LevelRestricted {
		t.Errorf("levels are %v", before.Record.Sections)
	}

	page = b.look(at+"/send", 200, "A reviewer of the agency looks at it first")
	page = b.follow(page, at+"/send", nil, "The listing was sent to the reviewers.", "StateSubmitted")
	b.follow(page, at+"/recall", nil, "The submission was taken back.", "StateDraft")
	b.press(b.look(at+"/send", 200), at+"/send", url.Values{"version": {"1"}}, 409, "Somebody changed this meanwhile")
	b.follow(b.look(at+"/send", 200), at+"/send", nil, "StateSubmitted")
	b.look(at+"/edit", 409, "cannot be done with the listing as it stands now")

	// It is judged; then it is revised, the revision discarded, and the listing withdrawn with a reason.
	judge := o.actor(o.reviewer)
	h := o.get(id)
	h, err := o.house.Postings.Take(t.Context(), judge, id, h.Version)
	if err == nil {
		_, err = o.house.Postings.Judge(t.Context(), judge, id, h.Version, posting.Scores{Advantages: 4, Clarity: 4, Cooperation: 4, Guidelines: 4}, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	b.look(at, 200, "StatePublished", "Revise", "For programs: this listing is /api/v1"+at)
	b.written(b.look(words, 200), words, url.Values{"texts.en.title": {"Solar dryer for small and large fish landing sites"}}, "Revision of a published listing")
	b.follow(b.look(at+"/discard", 200, "Deletes what was written and not published."), at+"/discard", nil, "Done: Draft discarded.")
	if c := o.content(id); c.Listing.Texts["en"].Title != "Solar dryer for small fish landing sites" {
		t.Errorf("after the draft was discarded: %s", c.Listing.Texts["en"].Title)
	}
	page = b.look(at+"/withdraw", 200, "an agreement was made")
	b.press(page, at+"/withdraw", nil, 422, "Choose one")
	b.press(b.look(at+"/supersede", 200), at+"/supersede", url.Values{"replaced_by": {"TO-KH-20200101-001"}}, 422, "no listing of your organisation")
	b.follow(page, at+"/withdraw", url.Values{"reason": {"agreement"}, "note": {"With a maker in Siem Reap"}}, "StateWithdrawn", "Done: Withdrawn.", "With a maker in Siem Reap")
	b.look(at+"/edit", 409)

	// What was never published is gone when it is discarded.
	page = b.look(o.path+"/discard", 200)
	b.press(page, o.path+"/discard", nil, 200, "The draft is gone.")
	b.look(o.path, 404)
}

func (o *office) content(id protocol.ListingID) *posting.Content {
	o.t.Helper()
	_, c, err := o.house.Postings.Content(o.actor(o.editor), id)
	if err != nil {
		o.t.Fatal(err)
	}
	return c
}

func (o *office) get(id protocol.ListingID) *posting.Posting {
	o.t.Helper()
	h, err := o.house.Postings.Get(o.actor(o.editor), id)
	if err != nil {
		o.t.Fatal(err)
	}
	return h
}

func status(page *html.Node, task string) string {
	for _, n := range find(page, func(n *html.Node) bool { return attr(n, "id") == task+"-status" }) {
		return strings.TrimSpace(text(n))
	}
	return "not there"
}

// version that the section's form carries.
func version(page *html.Node) string {
	return attr(find(page, func(n *html.Node) bool { return attr(n, "name") == "version" && attr(n, "form") == "section" })[0], "value")
}

// fill in a section and press its button: all of its fields are sent, also those that stand beside it.
func (b *browser) fill(page *html.Node, target string, values url.Values) *httptest.ResponseRecorder {
	b.t.Helper()
	all := url.Values{}
	for _, n := range find(page, tag("input", "select", "textarea")) {
		inside := attr(n, "form") == "section"
		for up := n.Parent; up != nil; up = up.Parent {
			inside = inside || attr(up, "id") == "section"
		}
		name := attr(n, "name")
		switch kind := attr(n, "type"); {
		case !inside || (kind == "checkbox" || kind == "radio") && !has(n, "checked"):
		case n.Data == "textarea":
			all.Add(name, strings.TrimPrefix(text(n), "\n"))
		case n.Data == "select":
			for _, o := range find(n, func(o *html.Node) bool { return o.Data == "option" && has(o, "selected") }) {
				all.Add(name, attr(o, "value"))
			}
		default:
			all.Add(name, attr(n, "value"))
		}
	}
	for name, v := range values {
		if name != "keep" && len(find(page, func(n *html.Node) bool { return attr(n, "name") == name })) == 0 {
			b.t.Fatalf("the section of %s has no field %s", target, name)
		}
		all[name] = v
	}
	return b.send(http.MethodPost, target, all)
}

// written sends a section that has no faults, and looks at the tasks.
func (b *browser) written(page *html.Node, target string, values url.Values, want ...string) *html.Node {
	b.t.Helper()
	w := b.fill(page, target, values)
	if w.Code != http.StatusSeeOther {
		root, _ := html.Parse(w.Body)
		b.t.Fatalf("POST %s: %d\n%s", target, w.Code, strings.Join(strings.Fields(text(root)), " "))
	}
	to, _, _ := strings.Cut(w.Header().Get("Location"), "#")
	return b.look(to, http.StatusOK, want...)
}

func with(form url.Values, pairs ...string) url.Values {
	all := url.Values{}
	for name, v := range form {
		all[name] = v
	}
	for i := 0; i < len(pairs); i += 2 {
		all.Set(pairs[i], pairs[i+1])
	}
	return all
}

// autosave sends a section as the page's script does.
func (b *browser) autosave(target string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("HX-Request", "true")
	r.RemoteAddr = b.address
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return record(b.h, r)
}

func TestDraftsAreSavedWhileTheyAreWritten(t *testing.T) {
	o := newOffice(t)
	b, words := o.editor, o.path+"/edit/words-en"
	page := b.look(words, 200, "Solar dryer")
	form := find(page, func(n *html.Node) bool { return attr(n, "hx-post") == words })
	if len(form) != 1 || attr(form[0], "hx-nonce") == "" || attr(form[0], "hx-target") != "#live" {
		t.Fatal("the form is not saved while one writes")
	}
	first := version(page)
	if n := find(form[0], tag("button")); attr(n[0], "name") != "" { // which the Enter key presses
		t.Errorf("the first button of the form is %s", text(n[0]))
	}
	send := url.Values{"version": {first}, "page": {"0123456789abcdef"}, "texts.en.title": {"Dryer one"}, "texts.en.abstract": {"Dries."}, "texts.en.value": {""}, "texts.en.keywords": {""}}
	w := b.autosave(words, send)
	said := w.Body.String()
	if w.Code != 200 || strings.Contains(said, "<main") || strings.Contains(said, "texts.en.title") || !regexp.MustCompile(`Saved at \d\d:\d\d UTC`).MatchString(said) {
		t.Errorf("%d:\n%s", w.Code, said)
	}
	next := regexp.MustCompile(`name="version" value="([0-9a-f]{16})" form="section"`).FindStringSubmatch(said)
	if next == nil || next[1] == first {
		t.Fatal("the version does not follow")
	}
	stands := o.posting().Version
	b.autosave(words, with(send, "version", next[1]))
	if got := o.posting().Version; got != stands {
		t.Error("saving the same again is a change")
	}

	// The answer was lost on the way: the page's own saving is no conflict. A section beside is none either.
	if w = b.autosave(words, with(send, "texts.en.title", "Dryer two")); strings.Contains(w.Body.String(), "Two versions") || o.content(o.id).Listing.Texts["en"].Title != "Dryer two" {
		t.Errorf("its own saving is in its way: %s", w.Body.String())
	}
	terms := o.path + "/edit/terms"
	old := version(b.look(terms, 200))
	b.autosave(words, with(send, "texts.en.title", "Dryer three"))
	if w = b.autosave(terms, url.Values{"version": {old}, "record.terms.price": {"1 %"}}); strings.Contains(w.Body.String(), "Two versions") {
		t.Error("another section is in its way")
	}

	// Another tab: nothing is saved, it is said once, and both ways are open.
	other := with(send, "page", "fedcba9876543210", "texts.en.title", "Dryer of another tab")
	w = b.autosave(words, other)
	if said = w.Body.String(); !strings.Contains(said, "Two versions of this section") || !strings.Contains(said, `name="keep" value="mine"`) || !strings.Contains(said, `href="`+words+`"`) {
		t.Errorf("a conflict is told as\n%s", said)
	}
	if w = b.autosave(words, with(other, "stopped", "yes")); w.Code != http.StatusNoContent {
		t.Errorf("it is told again: %d", w.Code)
	}
	if got := o.content(o.id).Listing.Texts["en"].Title; got != "Dryer three" {
		t.Errorf("saved is %s", got)
	}
	page = b.check("by its button", b.send(http.MethodPost, words, other), 409, []string{"Two versions of this section", "Save mine over it"})
	if n := find(page, func(n *html.Node) bool { return attr(n, "name") == "texts.en.title" }); attr(n[0], "value") != "Dryer of another tab" {
		t.Error("what was typed is lost")
	}
	b.written(page, words, url.Values{"keep": {"mine"}}, "Dryer of another tab")

	// What cannot be kept is named; the rest is saved.
	valid := o.path + "/edit/validity"
	w = b.autosave(valid, url.Values{"version": {version(b.look(valid, 200))}, "valid_until": {"2027-02-30"}})
	if !strings.Contains(w.Body.String(), "This cannot be kept as it is written") || !strings.Contains(w.Body.String(), "Enter a date that exists") {
		t.Errorf("a day that does not exist:\n%s", w.Body.String())
	}
	b.check("a day that does not exist", b.send(http.MethodPost, valid, url.Values{"version": {version(b.look(valid, 200))}, "valid_until": {"2027-02-30"}}), 422, []string{"Enter a date that exists"})

	// The history shows one saving of many.
	if n := strings.Count(text(b.look(o.path, 200)), "Edited"); n != 1 {
		t.Errorf("%d times edited", n)
	}
	for name := range b.cookies {
		delete(b.cookies, name)
	}
	if w = b.autosave(words, send); w.Code != 200 || !strings.Contains(w.Body.String(), "You are signed out") || strings.Contains(w.Body.String(), "<main") {
		t.Errorf("after the session: %d\n%s", w.Code, w.Body.String())
	}
}

func TestWritingIsBoundedAndForItsPeople(t *testing.T) {
	o := newOffice(t)
	b, words := o.editor, o.path+"/edit/words-en"
	page := b.check("faults", b.fill(b.look(words, 200), words, url.Values{"texts.en.title": {strings.Repeat("ក", 300)}, "texts.en.value": {"left\u202eright"}}), 422, []string{
		"What you wrote is saved", "300 characters, at most 255", "control or direction-changing"})
	if n := find(page, func(n *html.Node) bool { return attr(n, "aria-invalid") == "true" }); len(n) != 2 {
		t.Errorf("%d fields are marked", len(n))
	}
	b.look(o.path+"/send", 200, "This has to be put right before it can be sent", "300 characters")
	b.check("sent anyway", b.send(http.MethodPost, o.path+"/send", url.Values{"version": {value(b.look(o.path+"/send", 200))}}), 422, []string{"300 characters"})

	fields := o.path + "/edit/fields"
	w := b.send(http.MethodPost, fields, url.Values{"version": {version(b.look(fields, 200))}, "ford": {"9.9", "<b>", strings.Repeat("x", 5000)}})
	b.check("unknown codes", w, 422, []string{"9.9", "well formed"})
	b.look(fields, 200, "9.9")
	many := url.Values{"version": {version(b.look(o.path+"/edit/people", 200))}}
	for i := range 200 {
		many.Set("record.people["+strconv.Itoa(i)+"].name", "Somebody")
	}
	b.check("too many rows", b.send(http.MethodPost, o.path+"/edit/people", many), 422, []string{"at most 32"})
	if w := b.send(http.MethodPost, words, url.Values{"texts.en.abstract": {strings.Repeat("x", 300<<10)}}); w.Code != 400 {
		t.Errorf("too much: %d", w.Code)
	}
	for _, none := range []string{"nothing", "words-tlh", "words-%3Cb%3E"} {
		b.look(o.path+"/edit/"+none, 404)
	}

	for _, at := range []string{"/edit", "/edit/words-en", "/languages", "/send", "/preview", "/discard", "/withdraw"} {
		o.other.look(o.path+at, 404, "There is no such listing")
		if w := o.browser().send(http.MethodGet, o.path+at, nil); w.Code != 303 {
			t.Errorf("a stranger at %s: %d", at, w.Code)
		}
	}
	before := o.posting().Version
	for _, at := range []string{"/edit/words-en", "/languages", "/send", "/discard", "/withdraw", "/revoke"} {
		o.other.check(at, o.other.send(http.MethodPost, o.path+at, url.Values{"version": {"3"}}), 404, nil)
		if w := o.reviewer.send(http.MethodPost, o.path+at, url.Values{"version": {"3"}}); w.Code != 403 && w.Code != 409 {
			t.Errorf("a reviewer at %s: %d", at, w.Code)
		}
	}
	if o.posting().Version != before {
		t.Error("somebody else changed it")
	}
	o.reviewer.look("/post", 403, "Only editors of an organisation post listings.")
	o.reviewer.look(o.path+"/preview", 200, "This is what everyone sees")
}

// writtenPages are those of a listing that is written.
func (o *office) writtenPages() (list []string) {
	list = []string{"/post", o.path, o.path + "/edit", o.path + "/languages", o.path + "/languages/en/remove", o.path + "/send", o.path + "/discard"}
	for _, as := range protocol.Levels() {
		list = append(list, o.path+"/preview?as="+string(as))
	}
	for _, x := range []string{"basics", "words-en", "story-en", "fields", "figures", "rights", "funding", "papers", "partner", "terms", "organisation", "people", "visibility", "validity"} {
		list = append(list, o.path+"/edit/"+x)
	}
	return list
}

func TestWritingInEveryLanguage(t *testing.T) {
	o := newOffice(t)
	h, c, err := o.house.Postings.Content(o.actor(o.editor), o.id)
	if err != nil {
		t.Fatal(err)
	}
	c.Record.Funding.Call = "CALL-1"
	c.Record.Level, c.Record.Sections = protocol.LevelPublic, map[protocol.Section]protocol.Level{protocol.SectionRights: protocol.LevelRestricted}
	c.Record.Audience.Types = []string{"sme"}
	if _, err := o.house.Postings.Edit(t.Context(), o.actor(o.editor), o.id, h.Version, *c); err != nil {
		t.Fatal(err)
	}
	bundle, err := lang.Open()
	if err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile(`\b(` + strings.ReplaceAll(strings.Join(bundle.Keys(), "|"), ".", `\.`) + `)\b`)
	published := o.person("second@institute.example.org", o.actor(o.editor).Organisation, access.Editor)
	for _, tagged := range lang.Tags() {
		o.editor.cookies["lang"], published.cookies["lang"] = string(tagged), string(tagged)
		for _, target := range o.writtenPages() {
			root := o.editor.look(target, 200)
			if got := attr(find(root, tag("html"))[0], "lang"); got != string(tagged) {
				t.Errorf("%s %s: is in %s", tagged, target, got)
			}
			if found := keys.FindString(text(root)); strings.Contains(found, ".") {
				t.Errorf("%s %s: shows the key %s", tagged, target, found)
			}
			for _, bad := range []string{"{{", "<no value>", "%!", "write."} {
				if strings.Contains(text(root), bad) {
					t.Errorf("%s %s: shows %s", tagged, target, bad)
				}
			}
		}
	}
}
