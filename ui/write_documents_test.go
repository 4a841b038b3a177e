package ui_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/document"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui"
	"github.com/asean-tmh/tmh/ui/lang"
)

// paper is a PDF of one page that links to an address and is signed.
func paper(title string) []byte {
	var b bytes.Buffer
	var at []int
	b.WriteString("%PDF-1.7\n")
	body := "BT /F1 12 Tf 72 720 Td (" + title + ") Tj ET"
	for i, o := range []string{
		"<</Type/Catalog/Pages 2 0 R/AcroForm<</SigFlags 3/Fields[]>>>>", "<</Type/Pages/Count 1/MediaBox[0 0 595 842]/Kids[3 0 R]>>",
		"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>/Annots[6 0 R]>>",
		fmt.Sprintf("<</Length %d>>stream\n%s\nendstream", len(body), body), "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
		"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(http://secret.example)>>>>",
	} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return b.Bytes()
}

func picture(t *testing.T, shade uint8) []byte {
	m := image.NewGray(image.Rect(0, 0, 40, 30))
	for i := range m.Pix {
		m.Pix[i] = color.Gray{Y: shade}.Y
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// upload a file by the form of the page.
func (b *browser) upload(target, name string, data []byte) *httptest.ResponseRecorder {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name="file"; filename=%q`, name)}})
	if err == nil {
		_, err = part.Write(data)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, target, &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.RemoteAddr = b.address
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return record(b.h, r)
}

// sent uploads a file that is taken, and looks at the page that asks what it is.
func (b *browser) sent(target, name string, data []byte, want ...string) (*html.Node, string) {
	b.t.Helper()
	w := b.upload(target, name, data)
	if w.Code != http.StatusSeeOther {
		root, _ := html.Parse(w.Body)
		b.t.Fatalf("%s: %d\n%s", name, w.Code, strings.Join(strings.Fields(text(root)), " "))
	}
	to := w.Header().Get("Location")
	at, _, _ := strings.Cut(to, "?")
	return b.look(to, 200, want...), at
}

// names of the documents of the listing, with their levels.
func (o *office) papers() (list []string) {
	o.t.Helper()
	for _, d := range o.content(o.id).Record.Documents {
		list = append(list, strings.TrimSuffix(d.Name+" "+string(d.Level), " "))
	}
	return list
}

// edit the listing past the pages.
func (o *office) edit(change func(*posting.Content)) {
	o.t.Helper()
	c := o.content(o.id)
	change(c)
	if _, err := o.house.Postings.Edit(o.t.Context(), o.actor(o.editor), o.id, o.posting().Version, *c); err != nil {
		o.t.Fatal(err)
	}
}

func TestPapersAndPicturesOfADraft(t *testing.T) {
	o := newOffice(t)
	b, all := o.editor, o.path+"/edit/documents"
	if got := links(b.look(o.path+"/edit", 200))["Papers and pictures"]; got != all {
		t.Errorf("the task leads to %s", got)
	}
	form := b.look(all, 200, "No papers or pictures yet", "PDF, at most 21\u00a0MB", "Add a file")
	if n := find(form, func(n *html.Node) bool {
		return attr(n, "enctype") == "multipart/form-data" && attr(n, "action") == all
	}); len(n) != 1 {
		t.Fatal("there is no form that sends a file")
	}

	// A paper: its name is offered, what was taken out is told, and nothing is in the listing before it is said.
	page, sheet := b.sent(all, "Data sheet.pdf", paper("one"), "It is not in the listing yet", "digital signatures: they do not hold", "links to web addresses", "Author, dates and program")
	if strings.Contains(text(page), "attached files") {
		t.Error("what was not in the file is said to be taken out")
	}
	if got := o.papers(); got != nil {
		t.Errorf("the draft names %v", got)
	}
	b.press(page, sheet, url.Values{"title": {" "}}, 422, "Give it a title")
	b.press(page, sheet, url.Values{"title": {strings.Repeat("ក", 117)}}, 422, "At most 116 characters")
	b.press(page, sheet, url.Values{"title": {"left\u202eright"}}, 422, "control or direction-changing")
	b.follow(page, sheet, nil, "Saved", "Data sheet")
	b.look(o.path+"/preview?as=registered", 200, "Data sheet.pdf")

	// A picture: what it shows has to be said, and is its name.
	page, photo := b.sent(all, "IMG_2041.jpeg", picture(t, 90), "What the picture shows", "people who cannot see the picture", "Place, time and camera")
	if n := find(page, func(n *html.Node) bool { return attr(n, "name") == "title" }); attr(n[0], "value") != "" {
		t.Errorf("the camera's name %s stands for what is seen", attr(n[0], "value"))
	}
	small := find(page, tag("img"))
	if len(small) == 0 || attr(small[len(small)-1], "src") != photo+"/picture" || attr(small[len(small)-1], "alt") == "" {
		t.Fatal("the picture is not shown to who describes it")
	}
	if w := b.send(http.MethodGet, photo+"/picture", nil); w.Code != 200 || w.Header().Get("Content-Type") != "image/jpeg" || !bytes.HasPrefix(w.Body.Bytes(), []byte("\xFF\xD8")) {
		t.Errorf("the picture: %d %s", w.Code, w.Header().Get("Content-Type"))
	}
	b.press(page, photo, nil, 422, "What the picture shows: Say what the picture shows")
	b.follow(page, photo, url.Values{"title": {"Dryer and/or store, lid open"}, "level": {"restricted"}}, "Saved", "for chosen organisations")
	if got := strings.Join(o.papers(), "|"); got != "Data sheet.pdf|Dryer and-or store, lid open.jpg restricted" {
		t.Errorf("the draft names %s", got)
	}

	// It is shown to chosen readers, of whom none are chosen yet.
	b.look(all, 200, "What has to be put right")
	o.edit(func(c *posting.Content) { c.Record.Audience.Types = []string{"sme"} })
	if strings.Contains(text(b.look(all, 200)), "What has to be put right") {
		t.Error("something is to be put right still")
	}

	// Who sees what: in the preview as on the page of the record, and the file itself.
	for as, want := range map[string]bool{"public": false, "registered": false, "restricted": true} {
		if got := strings.Contains(text(b.look(o.path+"/preview?as="+as, 200)), "lid open.jpg"); got != want {
			t.Errorf("%s: the picture is seen: %t", as, got)
		}
	}
	levels := find(b.look(photo, 200), func(n *html.Node) bool {
		return n.Data == "option" && n.Parent != nil && attr(n.Parent, "name") == "level"
	})
	if len(levels) != 2 || attr(levels[0], "value") != "" || text(levels[0]) != "Signed-in readers" || attr(levels[1], "value") != "restricted" {
		t.Errorf("a document can be shown at %d levels", len(levels))
	}

	// Order, words, another file in the same place.
	b.follow(b.look(all, 200), photo+"/move", url.Values{"to": {"up"}}, "Dryer")
	if got := strings.Join(o.papers(), "|"); !strings.HasPrefix(got, "Dryer") {
		t.Errorf("the order is %s", got)
	}
	b.follow(b.look(all, 200), photo+"/move", url.Values{"to": {"up"}}) // it is the first already
	old := b.look(photo, 200)
	b.follow(old, photo, url.Values{"title": {"Dryer, lid open"}, "level": {""}}, "Saved")
	b.press(old, photo, url.Values{"title": {"Something else"}}, 409, "Somebody changed this meanwhile")
	b.look(all+"?replaces="+strings.TrimPrefix(photo, all+"/"), 200, "Replace the file: Dryer, lid open", "New file")
	page, newer := b.sent(all+"?replaces="+strings.TrimPrefix(photo, all+"/"), "IMG_2042.jpg", picture(t, 160), "It is not in the listing yet")
	b.follow(page, newer, nil, "Saved")
	if got := strings.Join(o.papers(), "|"); got != "Dryer, lid open.jpg|Data sheet.pdf" || o.content(o.id).Record.Documents[0].Hash.String() != strings.TrimPrefix(newer, all+"/") {
		t.Errorf("after the file was replaced: %s", got)
	}

	// Removing is a change of the draft, and can be undone.
	page = b.removed(all, newer, "Removed from the draft: Dryer, lid open.")
	if got := strings.Join(o.papers(), "|"); got != "Data sheet.pdf" {
		t.Errorf("after removing: %s", got)
	}
	page = b.look(links(page)["Put it back"], 200, "It is not in the listing yet")
	b.follow(page, newer, nil, "Dryer, lid open")
	b.removed(all, newer)
	w := b.send(http.MethodPost, newer+"/remove", url.Values{})
	if w.Code != 303 {
		t.Errorf("removed twice: %d", w.Code)
	}
	b.check("moved though it is gone", b.send(http.MethodPost, newer+"/move", url.Values{"to": {"up"}}), 404, []string{"Send it again"})
}

// removed presses “Remove”, which has its own address.
func (b *browser) removed(all, at string, want ...string) *html.Node {
	b.t.Helper()
	button := find(b.look(all, 200), func(n *html.Node) bool { return attr(n, "formaction") == at+"/remove" })
	if len(button) != 1 {
		b.t.Fatal("there is no button that removes it")
	}
	w := b.send(http.MethodPost, at+"/remove", url.Values{})
	if w.Code != http.StatusSeeOther {
		b.t.Fatalf("remove: %d", w.Code)
	}
	return b.look(w.Header().Get("Location"), 200, want...)
}

func TestPapersAreBoundedAndForTheirPeople(t *testing.T) {
	o := newOfficeWith(t, func(c *house.Config) {
		c.Documents = document.Limits{PDF: 4 << 10, Picture: 4 << 10, Documents: 2, Waiting: 8 << 10}
	})
	b, all := o.editor, o.path+"/edit/documents"
	big := append(paper("big"), bytes.Repeat([]byte("\n"), 20<<10)...)
	locked := bytes.Replace(paper("x"), []byte("/Root"), []byte("/Encrypt 9 0 R/Root"), 1)
	for name, tc := range map[string]struct {
		file string
		data []byte
		want string
	}{
		"too large":   {"big.pdf", big, "may have up to 4 KiB: make it smaller"},
		"far larger":  {"huge.pdf", bytes.Repeat([]byte("x"), 300<<10), "may have up to 4 KiB"},
		"encrypted":   {"locked.pdf", locked, "save it without a password"},
		"no such":     {"offer.docx", append([]byte("PK\x03\x04"), "word/document.xml"...), "save it as PDF and send that"},
		"program":     {"run.pdf", []byte("#!/bin/sh"), "send a PDF that describes it"},
		"empty":       {"empty.pdf", nil, "the file is empty"},
		"wrong name":  {"picture.png", paper("x"), "rename it to end in .pdf"},
		"none chosen": {"", nil, "Choose a file"},
	} {
		page := b.check(name, b.upload(all, tc.file, tc.data), 422, nil)
		if !strings.Contains(strings.ToLower(text(page)), strings.ToLower(tc.want)) {
			t.Errorf("%s: no %q", name, tc.want)
		}
		if n := find(page, func(n *html.Node) bool { return attr(n, "id") == "file" }); len(n) != 1 || attr(n[0], "aria-invalid") != "true" || !strings.Contains(attr(n[0], "aria-describedby"), "file-wrong") {
			t.Errorf("%s: the field is not marked", name)
		}
	}
	b.check("no form", b.send(http.MethodPost, all, url.Values{"file": {"x"}}), 422, []string{"Choose a file"})

	for i, name := range []string{"one", "two"} {
		page, at := b.sent(all, name+".pdf", paper(name))
		b.follow(page, at, nil, name)
		if i == 0 {
			again, same := b.sent(all, "again.pdf", paper(name))
			if same != at || strings.Contains(text(again), "not in the listing yet") {
				t.Error("the same file is offered a second time")
			}
		}
	}
	if n := find(b.look(all, 200, "as many papers and pictures as it may have"), func(n *html.Node) bool { return attr(n, "id") == "file" }); len(n) != 0 {
		t.Error("a third can be sent")
	}
	b.check("a third", b.upload(all, "three.pdf", paper("three")), 422, []string{"Remove one to add another"})
	if len(o.papers()) != 2 {
		t.Errorf("the draft names %v", o.papers())
	}
	first := o.content(o.id).Record.Documents[0]
	replacing := all + "?replaces=" + first.Hash.String()
	b.sent(replacing, "three.pdf", paper("three"))

	// What is sent and named by nothing is bounded in bytes.
	refused := 0
	for i := range 12 {
		w := b.upload(replacing, "more.pdf", paper(strings.Repeat("y", 100*i+1)))
		if w.Code == http.StatusTooManyRequests {
			refused++
			b.check("too many bytes", w, 429, []string{"that no listing names"})
		}
	}
	if refused == 0 || refused == 12 {
		t.Errorf("%d of 12 are refused", refused)
	}

	// Others see nothing of it, and another organisation's file cannot be named.
	at := all + "/" + first.Hash.String()
	for _, target := range []string{all, at, at + "/picture"} {
		o.other.look(target, 404, "There is no such listing")
		if w := o.browser().send(http.MethodGet, target, nil); w.Code != 303 {
			t.Errorf("a stranger at %s: %d", target, w.Code)
		}
	}
	before := o.posting().Version
	for _, target := range []string{at, at + "/move", at + "/remove"} {
		o.other.check(target, o.other.send(http.MethodPost, target, url.Values{"title": {"x"}}), 404, nil)
		if w := o.reviewer.send(http.MethodPost, target, url.Values{"title": {"x"}}); w.Code != 403 && w.Code != 409 {
			t.Errorf("a reviewer at %s: %d", target, w.Code)
		}
	}
	o.other.check("a file for another's listing", o.other.upload(all, "theirs.pdf", paper("theirs")), 404, nil)
	if o.posting().Version != before {
		t.Error("somebody else changed it")
	}
	mine := o.draftOf(o.other, "Their own offer")
	b.look(at, 200)
	o.other.look("/postings/"+string(mine)+"/edit/documents/"+first.Hash.String(), 404, "Send it again")
	o.other.check("another's file", o.other.send(http.MethodPost, "/postings/"+string(mine)+"/edit/documents/"+first.Hash.String(), url.Values{"title": {"x"}}), 404, nil)
	for _, none := range []string{"x", strings.Repeat("0", 64), strings.Repeat("g", 64), "%3Cb%3E"} {
		b.look(all+"/"+none, 404, "Send it again")
	}

	// It was sent for review meanwhile.
	if _, _, err := o.house.Postings.Submit(t.Context(), o.actor(b), o.id, o.posting().Version); err != nil {
		t.Fatal(err)
	}
	b.check("while it is reviewed", b.upload(all, "late.pdf", paper("late")), 409, nil)
}

// draftOf a person.
func (o *office) draftOf(b *browser, title string) protocol.ListingID {
	o.t.Helper()
	a := o.actor(b)
	h, err := o.house.Postings.Create(a, a.Organisation, "", titledOffer(title))
	if err != nil {
		o.t.Fatal(err)
	}
	return h.ID
}

func TestPapersInEveryLanguage(t *testing.T) {
	o := newOffice(t)
	all := o.path + "/edit/documents"
	page, at := o.editor.sent(all, "Data sheet.pdf", paper("one"))
	o.editor.follow(page, at, nil)
	_, photo := o.editor.sent(all, "photo.jpg", picture(t, 9))
	keys := messageKeys(t)
	for _, tagged := range ui.Languages() {
		o.editor.cookies["lang"] = string(tagged)
		for _, target := range []string{
			all, all + "?replaces=" + strings.TrimPrefix(at, all+"/"), at, photo + "?sent=yes&left=links&left=fields&left=files&left=media&left=remarks&left=scripts&left=signatures",
			at + "?sent=yes&left=links&left=fields&left=files&left=media&left=remarks&left=scripts&left=signatures", all + "?removed=" + strings.TrimPrefix(photo, all+"/") + "&name=Dryer",
		} {
			root := o.editor.look(target, 200)
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

func TestTwoOfficersWriteTheSameOffer(t *testing.T) {
	o := newOffice(t)
	colleague := o.person("second@institute.example.org", o.actor(o.editor).Organisation, access.Editor)
	title := "Cold store for mangoes run by the sun"
	one, foreign := o.draftOf(o.editor, title), o.draftOf(o.other, title)
	mine := "/postings/" + string(o.draftOf(colleague, "Cold store for mangoes, run by sun"))
	words := mine + "/edit/words-en"
	for _, target := range []string{mine + "/edit", words, mine + "/send"} {
		page := colleague.look(target, 200, "Your organisation may be writing this already", "Draft: has much the same title")
		if got := links(page)[title]; got != "/postings/"+string(one) {
			t.Errorf("%s leads to %s", target, got)
		}
		if strings.Contains(text(page), string(foreign)) {
			t.Errorf("%s tells of another organisation's draft", target)
		}
	}
	colleague.look("/postings/"+string(one), 200, title)
	w := colleague.autosave(words, url.Values{"version": {version(colleague.look(words, 200))}, "page": {"0123456789abcdef"}, "texts.en.title": {title}})
	if said := w.Body.String(); !strings.Contains(said, "may be writing this already") || !strings.Contains(said, `href="/postings/`+string(one)+`"`) {
		t.Errorf("while it is written:\n%s", said)
	}
	w = colleague.autosave(words, url.Values{"version": {"x"}, "page": {"0123456789abcdef"}, "texts.en.title": {"Rapid test for dengue"}})
	if strings.Contains(w.Body.String(), "may be writing this already") {
		t.Error("another subject is said to be the same")
	}
	if page := o.other.look("/postings/"+string(foreign)+"/edit", 200); strings.Contains(text(page), "may be writing this already") {
		t.Error("another organisation learns of these drafts")
	}
}

// TestAnOpenPageSaysWhyItIsNotSaved any more: by real requests, as its script sends them.
func TestAnOpenPageSaysWhyItIsNotSaved(t *testing.T) {
	o := newOffice(t)
	b, words := o.editor, o.path+"/edit/words-en"
	page := b.look(words, 200)
	form := find(page, func(n *html.Node) bool { return attr(n, "hx-post") == words })[0]
	lost := find(page, func(n *html.Node) bool { return attr(n, "id") == attr(form, "data-unsaved") })
	if len(lost) != 1 || !has(lost[0], "hidden") || attr(lost[0], "role") != "alert" || !strings.Contains(text(lost[0]), "could not be reached") {
		t.Fatal("there are no words for a network that is gone")
	}
	send := url.Values{"version": {version(page)}, "page": {"0123456789abcdef"}, "texts.en.title": {"Dryer one"}, "texts.en.abstract": {"Dries."}}
	refused := func(what string, w *httptest.ResponseRecorder, want string) {
		t.Helper()
		said := w.Body.String()
		if w.Code != 200 || strings.Contains(said, "<main") || !strings.Contains(said, `role="alert"`) || !strings.Contains(said, want) ||
			!strings.Contains(said, `name="version" value="`+send.Get("version")+`" form="section"`) {
			t.Errorf("%s: %d\n%s", what, w.Code, said)
		}
		if strings.Contains(said, "Saved at") {
			t.Errorf("%s: it says that it is saved", what)
		}
	}
	if _, _, err := o.house.Postings.Submit(t.Context(), o.actor(b), o.id, o.posting().Version); err != nil {
		t.Fatal(err)
	}
	refused("it was sent meanwhile", b.autosave(words, send), "Somebody sent the listing")
	refused("who may not edit it", o.reviewer.autosave(words, send), "Not saved.")
	refused("another organisation's", o.other.autosave(words, send), "you may not edit it any more")
	if w := b.send(http.MethodPost, words, send); w.Code != 409 || !strings.Contains(w.Body.String(), "<main") {
		t.Errorf("by its button: %d", w.Code)
	}

	// Too often, by one session: others go on.
	var w *httptest.ResponseRecorder
	for range 310 {
		if w = b.autosave(words, send); strings.Contains(w.Body.String(), "too many") {
			break
		}
	}
	refused("too often", w, "too many changes in one minute")
	if w.Header().Get("Retry-After") == "" {
		t.Error("it is not said when to come again")
	}
	if w := b.send(http.MethodPost, words, send); w.Code != 429 {
		t.Errorf("too often by the button: %d", w.Code)
	}
	refused("another session", o.other.autosave(words, send), "you may not edit it any more")
}

func titledOffer(title string) posting.Content {
	return posting.Content{Listing: protocol.Listing{
		Kind: protocol.TechnologyOffer, Country: "KH", Texts: map[protocol.Lang]protocol.Text{"en": {Title: title}},
	}}
}

func messageKeys(t *testing.T) *regexp.Regexp {
	t.Helper()
	bundle, err := lang.Open()
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`\b(` + strings.ReplaceAll(strings.Join(bundle.Keys(), "|"), ".", `\.`) + `)\b`)
}
