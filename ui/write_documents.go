package ui

import (
	"bytes"
	"context"
	"html/template"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/document"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// Papers and pictures of a listing: those that it has, and sending another. A file is kept first and named in the draft then
// (write_document.go), so that nobody has to send it twice because a word was missing.

const (
	documentsAnHour = 120 // that one organisation sends by its pages
	aroundFile      = 64 << 10
	transit         = 10 * time.Minute // that a file may take as a whole
)

// documentsPage are the documents of a draft.
type documentsPage struct {
	frame
	draftHead
	Wrong     []mistake
	Saved     bool
	Removed   template.HTML // and how it is put back
	Documents []documentRow
	Full      bool
	Broken    bool          // something of the record has to be put right before they can be shown
	Replaces  template.HTML // name of what the file is to take the place of
	Action    string
	Hint      template.HTML
	Fault     template.HTML // of the file
}

type documentRow struct {
	ID, At, Href string // in the page; its own page; the file
	Picture      string // address; "" for none
	Title        string
	Kind         string
	Size         uint64
	Level        template.HTML
	First, Last  bool
}

func (s *site) documentPages(get, post func(string, http.HandlerFunc)) {
	const all = "/postings/{id}/edit/documents"
	get(all, s.behind(s.written(true, func(_ http.ResponseWriter, r *http.Request, _ access.Actor, h *posting.Posting, c *posting.Content) (view, error) {
		return s.documentsView(r, h, c, nil), nil
	})))
	organisation := func(r *http.Request) string { return string(door.ActorOf(r.Context()).Organisation) }
	often := door.Limit(documentsAnHour, time.Hour, organisation, s.behind(s.written(true, func(_ http.ResponseWriter, r *http.Request, _ access.Actor, h *posting.Posting, c *posting.Content) (view, error) {
		return s.documentsView(r, h, c, protocol.Errorf(protocol.CodeQuota, "file", "more than %d documents an hour by one organisation: go on in an hour", documentsAnHour)), nil
	})))
	post(all, often(http.HandlerFunc(s.sendDocument)).ServeHTTP)
	get(all+"/{hash}", s.behind(s.written(true, s.documentPage)))
	post(all+"/{hash}", s.behind(s.written(true, s.saveDocument)))
	get(all+"/{hash}/picture", s.behind(s.written(true, s.documentPicture)))
	post(all+"/{hash}/move", s.behind(s.written(true, s.moveDocument)))
	post(all+"/{hash}/remove", s.behind(s.written(true, s.removeDocument)))
}

func documentsPath(h *posting.Posting) string { return postingPath(h.ID) + "/edit/documents" }

// drawDocuments has no fields of a section's form: it tells the list of tasks what there is, and where a fault belongs.
func drawDocuments(w *writing, c *posting.Content) {
	for _, d := range c.Record.Documents {
		w.hold("record.documents", d.Hash.String())
	}
	w.names = append(w.names, "record.documents")
}

// documentsView shows the documents; err is why a file was not taken.
func (s *site) documentsView(r *http.Request, h *posting.Posting, c *posting.Content, err error) view {
	say, limits := printer(r), s.cfg.House.DocumentLimits()
	name, _ := heading(say, h)
	p := documentsPage{
		frame: s.frame(r, "organisation", say.T("write.documents")), draftHead: draftHead{name, postingPath(h.ID), "", true}, Action: documentsPath(h),
		Full: len(c.Record.Documents) >= limits.Documents,
		Hint: say.HTML("write.file.says", "Paper", say.Bytes(limits.PDF), "Picture", say.Bytes(limits.Picture)),
	}
	for i, d := range c.Record.Documents {
		_, level, _ := c.Record.Document(d.Hash)
		row := documentRow{
			ID: "d-" + d.Hash.String()[:16], At: documentPath(h, d.Hash), Href: "/api/v1" + postingPath(h.ID) + "/documents/" + d.Hash.String(),
			Title: documentTitle(d), Kind: kindOfDocument(d.Type), Size: d.Size, Level: levelWords(say, level), First: i == 0, Last: i == len(c.Record.Documents)-1,
		}
		if d.Preview != (protocol.Hash{}) {
			row.Picture = row.At + "/picture"
		}
		p.Documents = append(p.Documents, row)
	}
	p.Broken = len(p.Documents) > 0 && slices.ContainsFunc(s.faults(h, c), func(e *protocol.Error) bool {
		return e.Field == "record.audience" || strings.HasPrefix(e.Field, "record.documents")
	})
	query := r.URL.Query()
	if old, ok := attached(c, query.Get("replaces")); ok {
		p.Replaces, p.Full = voice(documentTitle(old)), false
		p.Action += "?replaces=" + old.Hash.String()
	}
	code := http.StatusOK
	if err != nil {
		code, p.Title = status(err), say.T("layout.error", "Page", p.Title)
		for _, e := range protocol.All(s.fault(r, err)) {
			text := documentFault(say, e)
			p.Wrong = append(p.Wrong, mistake{"file", text})
			if p.Fault != "" {
				p.Fault += " "
			}
			p.Fault += text
		}
		if p.Full {
			p.Wrong[0].ID = ""
		}
	} else if r.Method == http.MethodGet {
		p.Saved = query.Get("done") == "saved"
		p.Removed = s.removedDocument(r, h, c)
	}
	return view{"write-documents", p, code}
}

// removedDocument says what was removed just now and how it is put back, while it is still here.
func (s *site) removedDocument(r *http.Request, h *posting.Posting, c *posting.Content) template.HTML {
	query := r.URL.Query()
	hash, ok := parseHash(query.Get("removed"))
	if _, has := attached(c, query.Get("removed")); !ok || has {
		return ""
	}
	d, err := s.cfg.House.SentDocument(door.ActorOf(r.Context()), h, hash)
	if err != nil {
		return ""
	}
	d.Name = asTitle(query.Get("name"))
	back := url.Values{"name": {d.Name}, "level": {asCode(query.Get("level"))}}
	return printer(r).HTML("write.document.removed", "Name", d.Name, lang.NewSlot("a", "href", documentPath(h, hash)+"?"+back.Encode()))
}

// sendDocument takes a file as it arrives. It is clean when it is kept, and the draft does not name it yet.
func (s *site) sendDocument(w http.ResponseWriter, r *http.Request) {
	body := r.Body // pages bound it as they bound forms
	s.behind(s.written(true, func(w http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting, c *posting.Content) (view, error) {
		limits := s.cfg.House.DocumentLimits()
		rc := http.NewResponseController(w)
		in := http.MaxBytesReader(w, struct {
			io.Reader
			io.Closer
		}{patient{body, rc}, body}, max(limits.PDF, limits.Picture)+aroundFile)
		ctx, cancel := context.WithTimeout(r.Context(), transit)
		defer cancel()
		_, replaces := attached(c, r.URL.Query().Get("replaces"))
		var clean *document.Clean
		err := mayWrite(a, h)
		if err == nil && len(c.Record.Documents) >= limits.Documents && !replaces {
			err = protocol.Errorf(protocol.CodeTooLarge, "full", "as many as may be")
		}
		if err == nil {
			clean, err = s.takeDocument(ctx, a, h, r, in, limits)
		}
		_ = rc.SetWriteDeadline(time.Now().Add(stillness)) // not all connections have deadlines
		if err != nil {
			_, _ = io.CopyN(io.Discard, in, maxUnread) // most browsers show an answer only when all is sent
			return s.documentsView(r, h, c, err), nil
		}
		q := url.Values{"name": {strings.TrimSuffix(clean.Name, path.Ext(clean.Name))}, "sent": {"yes"}}
		for _, x := range clean.Left {
			q.Add("left", string(x))
		}
		if replaces {
			q.Set("replaces", r.URL.Query().Get("replaces"))
		}
		return moved(w, r, documentPath(h, clean.Hash)+"?"+q.Encode())
	}))(w, r)
}

func mayWrite(a access.Actor, h *posting.Posting) error {
	return access.Can(a, access.WriteDocument, access.Resource{Member: a.Member, Organisation: h.Organisation})
}

func (s *site) takeDocument(ctx context.Context, a access.Actor, h *posting.Posting, r *http.Request, in io.ReadCloser, limits document.Limits) (*document.Clean, error) {
	part, err := fileOf(r, in)
	if err != nil {
		return nil, err
	}
	kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
	clean, err := s.cfg.House.Documents.Accept(ctx, part, document.Declared{Name: part.FileName(), Type: kind}, limits)
	if err != nil {
		return nil, err
	}
	return clean, s.cfg.House.KeepDocument(ctx, a, h, clean)
}

// fileOf is the file of a form that has nothing else in it.
func fileOf(r *http.Request, in io.ReadCloser) (*multipart.Part, error) {
	missing := protocol.Errorf(protocol.CodeRequired, "file", "choose a file")
	r.Body = in
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, missing
	}
	part, err := parts.NextPart()
	if err != nil || part.FormName() != "file" || part.FileName() == "" {
		return nil, missing
	}
	return part, nil
}

// documentPicture is the small picture of a picture, for who writes about it.
func (s *site) documentPicture(w http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting, c *posting.Content) (view, error) {
	hash, ok := parseHash(r.PathValue("hash"))
	d, has := attached(c, r.PathValue("hash"))
	if ok && !has {
		sent, err := s.cfg.House.SentDocument(a, h, hash)
		if err != nil {
			return view{}, err
		}
		d = sent.Entry()
	}
	if d.Preview == (protocol.Hash{}) {
		return s.unknown(r)
	}
	f, err := s.cfg.House.Documents.Open(d.Preview)
	if err != nil {
		return view{}, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, 4<<20)) // it is small: nothing else makes one
	if err != nil {
		return view{}, err
	}
	w.Header().Set("Content-Type", document.TypeJPEG)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	return view{}, nil
}

// moveDocument up or down in the list.
func (s *site) moveDocument(w http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting, c *posting.Content) (view, error) {
	d, ok := attached(c, r.PathValue("hash"))
	if !ok {
		return s.documentsView(r, h, c, goneDocument()), nil
	}
	list := c.Record.Documents
	i := slices.IndexFunc(list, func(x protocol.Document) bool { return x.Hash == d.Hash })
	j := i + 1
	if r.PostFormValue("to") == "up" {
		j = i - 1
	}
	if j >= 0 && j < len(list) {
		list[i], list[j] = list[j], list[i]
		if _, err := s.cfg.House.Postings.Edit(r.Context(), a, h.ID, h.Version, *c); err != nil {
			return s.documentsView(r, h, c, err), nil
		}
	}
	return moved(w, r, documentsPath(h)+"#d-"+d.Hash.String()[:16])
}

// removeDocument takes it out of the draft alone: what is published keeps it until the draft is.
func (s *site) removeDocument(w http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting, c *posting.Content) (view, error) {
	d, ok := attached(c, r.PathValue("hash"))
	if !ok { // somebody did it already
		return moved(w, r, documentsPath(h))
	}
	c.Record.Documents = slices.DeleteFunc(c.Record.Documents, func(x protocol.Document) bool { return x.Hash == d.Hash })
	if _, err := s.cfg.House.Postings.Edit(r.Context(), a, h.ID, h.Version, *c); err != nil {
		return s.documentsView(r, h, c, err), nil
	}
	q := url.Values{"removed": {d.Hash.String()}, "name": {documentTitle(d)}, "level": {string(d.Level)}}
	return moved(w, r, documentsPath(h)+"?"+q.Encode())
}
