package ui

import (
	"encoding/hex"
	"html/template"
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/document"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// One paper or picture: what it is called, who sees it, what was taken out of it. A record names a document by one line of words. Of a
// picture these are what it shows, for they stand in its place wherever it cannot be seen; so a picture without them is not taken in.

// documentPage is a document of a draft, or one that is about to be.
type documentPage struct {
	frame
	draftHead
	Wrong    []mistake
	All      string // address of the documents
	At       string
	Hash     string
	Here     bool // the draft names it
	Sent     bool // just now
	Is       bool // a picture
	Picture  string
	Kind     string
	Size     uint64
	Left     []template.HTML // what else was taken out
	Words    field           // by which it is named
	Levels   []option
	Stood    string // how it stood when the form was made; "" where the draft does not name it
	Replaces string
}

func documentPath(h *posting.Posting, hash protocol.Hash) string {
	return documentsPath(h) + "/" + hash.String()
}

func parseHash(s string) (hash protocol.Hash, ok bool) {
	return hash, len(s) == 2*len(hash) && hash.UnmarshalText([]byte(s)) == nil && hash != (protocol.Hash{})
}

// attached is the document of the draft that the hash names. That of a preview names none.
func attached(c *posting.Content, s string) (protocol.Document, bool) {
	hash, ok := parseHash(s)
	i := slices.IndexFunc(c.Record.Documents, func(d protocol.Document) bool { return d.Hash == hash })
	if !ok || i < 0 {
		return protocol.Document{}, false
	}
	return c.Record.Documents[i], true
}

func kindOfDocument(kind string) string {
	switch kind {
	case document.TypePDF:
		return "PDF"
	case document.TypeJPEG:
		return "JPEG"
	case document.TypePNG:
		return "PNG"
	}
	return kind
}

// documentTitle is its name without the ending.
func documentTitle(d protocol.Document) string { return strings.TrimSuffix(d.Name, documentEnding(d)) }

func documentEnding(d protocol.Document) string {
	switch d.Type {
	case document.TypePDF:
		return ".pdf"
	case document.TypeJPEG:
		if e := path.Ext(d.Name); strings.EqualFold(e, ".jpeg") {
			return e
		}
		return ".jpg"
	case document.TypePNG:
		return ".png"
	}
	return path.Ext(d.Name)
}

// asTitle is what was typed, as a name of a file can have it.
func asTitle(s string) string {
	s = strings.Map(func(c rune) rune {
		if c == '/' || c == '\\' {
			return '-'
		}
		return c
	}, typedText(s, false))
	for n := 0; len(s) > 4*protocol.MaxDocumentName; n++ { // far more than fits is no title
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}

func goneDocument() error {
	return protocol.Errorf(protocol.CodeNotFound, "document", "gone")
}

// documentFault in words, of the page's language where there are some.
func documentFault(p *lang.Printer, e *protocol.Error) template.HTML {
	switch {
	case e.Field == "full":
		return p.HTML("write.documents.full")
	case e.Field == "file" && e.Code == protocol.CodeRequired:
		return p.HTML("write.file.none")
	case e.Field == "document" && e.Code == protocol.CodeNotFound:
		return p.HTML("write.document.gone")
	case e.Code == protocol.CodeConflict && e.Field == "version":
		return p.HTML("form.changed")
	}
	return stated(p, e.Message)
}

// digestOf what people said of a document.
func digestOf(d protocol.Document) string {
	sum := protocol.Sum([]byte(d.Name + "\x00" + string(d.Level)))
	return hex.EncodeToString(sum[:8])
}

// theDocument is that of the address: as the draft names it, or one that was sent and is named by nothing yet.
func (s *site) theDocument(r *http.Request, a access.Actor, h *posting.Posting, c *posting.Content) (d protocol.Document, here bool, err error) {
	if d, here = attached(c, r.PathValue("hash")); here {
		return d, true, nil
	}
	hash, ok := parseHash(r.PathValue("hash"))
	if !ok {
		return d, false, goneDocument()
	}
	sent, err := s.cfg.House.SentDocument(a, h, hash)
	if protocol.CodeOf(err) == protocol.CodeNotFound {
		err = goneDocument()
	}
	return sent.Entry(), false, err
}

func (s *site) documentPage(_ http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting, c *posting.Content) (view, error) {
	d, here, err := s.theDocument(r, a, h, c)
	if err != nil {
		return s.documentsView(r, h, c, err), nil
	}
	q := r.URL.Query()
	title, old, level := documentTitle(d), "", d.Level
	if !here {
		title, level = asTitle(q.Get("name")), protocol.Level(asCode(q.Get("level")))
		if was, ok := attached(c, q.Get("replaces")); ok {
			title, level, old = documentTitle(was), was.Level, was.Hash.String()
		} else if isPicture(d) && q.Get("sent") != "" {
			title = "" // the name that a camera gave tells nothing
		}
	}
	return s.documentView(r, h, c, d, here, title, level, old, "", nil), nil
}

func isPicture(d protocol.Document) bool { return d.Type != document.TypePDF }

func (s *site) documentView(r *http.Request, h *posting.Posting, c *posting.Content, d protocol.Document, here bool, title string, level protocol.Level, replaces string, wrong template.HTML, err error) view {
	say := printer(r)
	name, _ := heading(say, h)
	p := documentPage{
		frame: s.frame(r, "organisation", say.T("write.document")), draftHead: draftHead{name, postingPath(h.ID), "", true}, All: documentsPath(h), At: documentPath(h, d.Hash), Hash: d.Hash.String(),
		Here: here, Sent: r.URL.Query().Get("sent") != "", Is: isPicture(d), Kind: kindOfDocument(d.Type), Size: d.Size, Replaces: replaces,
	}
	if here {
		p.Stood = digestOf(d)
	}
	if d.Preview != (protocol.Hash{}) {
		p.Picture = p.At + "/picture"
	}
	for _, x := range []document.Left{
		document.LeftSignatures, document.LeftLinks, document.LeftFields, document.LeftFiles, document.LeftMedia, document.LeftRemarks, document.LeftScripts,
	} {
		if p.Sent && !p.Is && slices.Contains(r.URL.Query()["left"], string(x)) {
			p.Left = append(p.Left, say.HTML("write.taken."+string(x)))
		}
	}
	p.Words = field{Name: "title", ID: "title", Type: "text", Autocomplete: "off", Value: title, Label: say.HTML("field.title"), Hint: say.HTML("write.document.title.says")}
	if p.Is {
		p.Words.Label, p.Words.Hint = say.HTML("write.document.shows"), say.HTML("write.document.shows.says")
	}
	p.Levels = documentLevels(say, c, level)
	code := http.StatusOK
	if wrong != "" {
		code, p.Words.Wrong = http.StatusUnprocessableEntity, wrong
		p.Wrong = append(p.Wrong, mistake{"title", say.HTML("form.fault", "Field", p.Words.Label, "Fault", wrong)})
	}
	if err != nil {
		code = status(err)
		for _, e := range protocol.All(s.fault(r, err)) {
			p.Wrong = append(p.Wrong, mistake{Text: documentFault(say, e)})
		}
	}
	if len(p.Wrong) > 0 {
		p.Title = say.T("layout.error", "Page", p.Title)
	}
	return view{"write-document", p, code}
}

// documentLevels are those at which a document can be shown: that of the record's documents, and those above.
func documentLevels(p *lang.Printer, c *posting.Content, chosen protocol.Level) (list []option) {
	base := c.Record.LevelOf(protocol.SectionDocuments)
	list = append(list, option{Label: p.T("level." + string(base)), Selected: chosen == ""})
	for _, x := range protocol.Levels() {
		if !base.Covers(x) && x != protocol.LevelInvited { // which is for whole listings
			list = append(list, option{Value: string(x), Label: p.T("level." + string(x)), Selected: chosen == x})
		}
	}
	return list
}

// saveDocument names a document in the draft, or says otherwise what it is.
func (s *site) saveDocument(w http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting, c *posting.Content) (view, error) {
	d, here, err := s.theDocument(r, a, h, c)
	if err != nil {
		return s.documentsView(r, h, c, err), nil
	}
	say, old := printer(r), r.PostFormValue("replaces")
	title, level := asTitle(r.PostFormValue("title")), protocol.Level(asCode(r.PostFormValue("level")))
	if here && r.PostFormValue("stood") != digestOf(d) {
		return s.documentView(r, h, c, d, here, documentTitle(d), d.Level, old, "", protocol.Errorf(protocol.CodeConflict, "version", "changed")), nil
	}
	now := d
	now.Name, now.Level = title+documentEnding(d), ""
	if slices.ContainsFunc(documentLevels(say, c, level), func(o option) bool { return o.Value == string(level) }) {
		now.Level = level
	}
	if wrong := titleFault(say, now, title); wrong != "" {
		return s.documentView(r, h, c, d, here, title, level, old, wrong, nil), nil
	}
	nameDocument(c, now, old)
	if _, err = s.cfg.House.Postings.Edit(r.Context(), a, h.ID, h.Version, *c); err != nil {
		return s.documentView(r, h, c, d, here, title, level, old, "", err), nil
	}
	return moved(w, r, documentsPath(h)+"?done=saved#d-"+d.Hash.String()[:16])
}

// titleFault says what is wrong with the words that a document is named by; "" for nothing.
func titleFault(p *lang.Printer, d protocol.Document, title string) template.HTML {
	most := protocol.MaxDocumentName - len(documentEnding(d))
	switch {
	case title == "" && isPicture(d):
		return p.HTML("write.document.no-words")
	case title == "":
		return p.HTML("write.document.no-title")
	case utf8.RuneCountInString(title) > most:
		return p.HTML("form.at-most", "Max", most)
	}
	d.Level = ""
	if all := protocol.All((&protocol.Record{Documents: []protocol.Document{d}}).Validate()); len(all) > 0 {
		return stated(p, all[0].Message)
	}
	return ""
}

// nameDocument in its own place, in that of another one, or last.
func nameDocument(c *posting.Content, d protocol.Document, replaces string) {
	for i, x := range c.Record.Documents {
		if x.Hash == d.Hash {
			c.Record.Documents[i] = d
			return
		}
	}
	for i, x := range c.Record.Documents {
		if x.Hash.String() == replaces {
			c.Record.Documents[i] = d
			return
		}
	}
	c.Record.Documents = append(c.Record.Documents, d)
}
