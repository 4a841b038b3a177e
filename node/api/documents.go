package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/document"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/record"
	"github.com/asean-tmh/tmh/protocol"
)

// Documents and pictures: on their way in they are made clean, on their way out they are files that no browser runs.

const (
	lull    = 30 * time.Second // that a document on its way may stand still
	transit = 10 * time.Minute // that it may take as a whole
	around  = 64 << 10         // bytes that a form may have around the file
)

type sentDocument struct {
	Known
	ID          string `path:"id" maxLength:"100"`
	Name        string `query:"name" maxLength:"500" doc:"of the file, where it is the body itself"`
	ContentType string `header:"Content-Type" maxLength:"300" doc:"multipart/form-data with one file, or the file's own type"`
}

// DocumentView is a document that was made clean and is kept.
type DocumentView struct {
	Document protocol.Document `json:"document" doc:"to be named so in the record's documents within a day; otherwise it is deleted"`
	Width    int               `json:"width,omitempty"`
	Height   int               `json:"height,omitempty"`
	Pages    int               `json:"pages,omitempty"`
}

type sentOutput struct {
	Location string `header:"Location"`
	Body     DocumentView
}

type draftDocumentInput struct {
	Known
	ID   string       `path:"id" maxLength:"100"`
	Hash documentHash `path:"hash" maxLength:"64"`
}

type documentInput struct {
	Known
	RefInput
	Hash documentHash `path:"hash" maxLength:"64"`
}

// documentHash is what a document is found by.
type documentHash string

func (h documentHash) parse() (hash protocol.Hash, err error) {
	if hash.UnmarshalText([]byte(h)) != nil || hash == (protocol.Hash{}) {
		err = protocol.Errorf(protocol.CodeNotFound, "hash", "there is no such document: follow the hash of one of the record's documents")
	}
	return hash, err
}

func (a *API) documentRoutes(h huma.API, lim limits) {
	const at = "/postings/{id}/documents"
	send := a.permitted("send-document", http.MethodPost, at, "Send a document or picture, to be named in the record then: PDF, JPEG, PNG or WebP", access.WriteDocument)
	send.DefaultStatus = http.StatusCreated
	send.Middlewares = append(send.Middlewares, guardOperation(lim.documents))
	huma.Register(h, send, a.sendDocument)
	read := a.permitted("draft-document", http.MethodGet, at+"/{hash}", "A document of a listing at its origin, as its draft names it, or a preview", access.ReadDocument)
	huma.Register(h, read, a.draftDocument)
	public := ours("document", http.MethodGet, "/listings/{origin}/{id}/documents/{hash}", "A document, or a preview, that the full record names")
	public.Security = append(public.Security, map[string][]string{}) // strangers read what is public
	huma.Register(h, public, a.document)
	doc := h.OpenAPI()
	binary := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	file := map[string]*huma.MediaType{document.TypePDF: {Schema: binary}, document.TypeJPEG: {Schema: binary}, document.TypePNG: {Schema: binary}}
	for _, address := range []string{read.Path, public.Path} {
		doc.Paths[address].Get.Responses["200"] = &huma.Response{Description: "OK", Content: file}
	}
	form := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"file": binary}, Required: []string{"file"}}
	doc.Paths[send.Path].Post.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"multipart/form-data": {Schema: form}, document.TypePDF: {Schema: binary}, document.TypeJPEG: {Schema: binary}, document.TypePNG: {Schema: binary},
		"image/webp": {Schema: binary},
	}}
}

func (a *API) sendDocument(ctx context.Context, in *sentDocument) (*sentOutput, error) {
	h, err := a.posting(ctx, in.ID, access.WriteDocument)
	if err != nil {
		return nil, err
	}
	if h.Ended() {
		return nil, a.problem(protocol.Errorf(protocol.CodeConflict, "state", "the listing is %s for ever: write a new one", h.Live))
	}
	archive, limits := a.cfg.House.Documents, a.cfg.House.DocumentLimits()
	b := browserOf(ctx)
	ctx, cancel := context.WithTimeout(ctx, transit)
	defer cancel()
	body := awaited{http.MaxBytesReader(b.w, b.r.Body, max(limits.PDF, limits.Picture)+around), http.NewResponseController(b.w)}
	file, declared, err := arriving(body, in)
	if err != nil {
		return nil, a.problem(err)
	}
	clean, err := archive.Accept(ctx, file, declared, limits)
	if err == nil {
		err = a.cfg.House.KeepDocument(ctx, door.ActorOf(ctx), h, clean)
	}
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	return &sentOutput{
		Location: base + "/postings/" + in.ID + "/documents/" + clean.Hash.String(),
		Body:     DocumentView{clean.Entry(), clean.Width, clean.Height, clean.Pages},
	}, nil
}

// arriving is the file of a request: the only one of a form, or the body itself.
func arriving(body io.Reader, in *sentDocument) (io.Reader, document.Declared, error) {
	kind, params, err := mime.ParseMediaType(in.ContentType)
	if in.ContentType != "" && err != nil {
		return nil, document.Declared{}, protocol.Errorf(protocol.CodeValue, "Content-Type", "is no media type such as application/pdf")
	}
	if kind != "multipart/form-data" {
		return body, document.Declared{Name: in.Name, Type: kind}, nil
	}
	form := multipart.NewReader(body, params["boundary"])
	for range 8 { // a form has few fields
		part, err := form.NextPart()
		if err != nil {
			return nil, document.Declared{}, &protocol.Error{Code: protocol.CodeRequired, Field: "file", Message: "the form has no file: send one in the field file", Err: err}
		}
		if part.FileName() == "" {
			continue
		}
		kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		return part, document.Declared{Name: part.FileName(), Type: kind}, nil
	}
	return nil, document.Declared{}, protocol.Errorf(protocol.CodeTooLarge, "file", "the form has too many fields before its file")
}

// awaited gives every read its own deadline: a document has longer than other requests.
type awaited struct {
	io.Reader
	rc *http.ResponseController
}

func (r awaited) Read(b []byte) (int, error) {
	now := time.Now()
	_ = r.rc.SetReadDeadline(now.Add(lull)) // not all connections have deadlines
	_ = r.rc.SetWriteDeadline(now.Add(2 * time.Minute))
	return r.Reader.Read(b)
}

func (a *API) draftDocument(ctx context.Context, in *draftDocumentInput) (*huma.StreamResponse, error) {
	h, err := a.posting(ctx, in.ID, access.ReadDocument)
	if err != nil {
		return nil, err
	}
	hash, err := in.Hash.parse()
	if err != nil {
		return nil, a.problem(err)
	}
	_, c, err := a.cfg.House.Postings.Content(door.ActorOf(ctx), h.ID)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	var d protocol.Document
	named := false
	if c != nil {
		d, _, named = c.Record.Document(hash)
	}
	if !named {
		return nil, a.problem(protocol.Errorf(protocol.CodeNotFound, "hash", "the listing names no such document: name it in the record first"))
	}
	f, err := a.cfg.House.Documents.Open(hash)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer func() { _ = f.Close() }()
		r, w := humachi.Unwrap(hc)
		fileHeader(w, d, hash)
		http.ServeContent(delivery(w), r, "", time.Time{}, f)
	}}, nil
}

func (a *API) document(ctx context.Context, in *documentInput) (*huma.StreamResponse, error) {
	ref, err := match.ParseRef(in.Origin, in.ID)
	if err != nil {
		return nil, a.problem(err)
	}
	hash, err := in.Hash.parse()
	if err != nil {
		return nil, a.problem(err)
	}
	ctx, cancel := context.WithTimeout(ctx, transit)
	d, err := a.cfg.House.Records.Document(ctx, record.Ref(ref), hash, door.ActorOf(ctx))
	if err != nil {
		cancel()
		return nil, a.refusal(ctx, a.foreign(ref, err))
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer cancel()
		defer func() { _ = d.Close() }()
		r, w := humachi.Unwrap(hc)
		fileHeader(w, d.Document, hash)
		if d.Hash == hash { // the size of a preview stands nowhere
			w.Header().Set("Content-Length", strconv.FormatUint(d.Size, 10))
		}
		if r.Method == http.MethodHead {
			return
		}
		if _, err := io.Copy(delivery(w), d); err != nil {
			if !errors.Is(err, context.Canceled) {
				a.cfg.Log.Info("a document was not delivered whole", "origin", ref.Origin, "error", err)
			}
			panic(http.ErrAbortHandler) // so that its receiver sees it
		}
	}}, nil
}

// fileHeader makes an answer a file to be saved, of a type that is one of ours.
func fileHeader(w http.ResponseWriter, d protocol.Document, hash protocol.Hash) {
	kind, name := d.Type, d.Name
	if d.Preview == hash {
		kind, name = document.TypeJPEG, strings.TrimSuffix(name, path.Ext(name))+"-preview.jpg"
	}
	switch kind {
	case document.TypePDF, document.TypeJPEG, document.TypePNG:
	default: // another node says so
		kind = "application/octet-stream"
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", "attachment")
	if s := mime.FormatMediaType("attachment", map[string]string{"filename": name}); s != "" && name != "" {
		h.Set("Content-Disposition", s)
	}
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("ETag", `"`+hash.String()+`"`)
}

// delivery gives every write its own deadline.
func delivery(w http.ResponseWriter) http.ResponseWriter {
	return deliveryWriter{w, http.NewResponseController(w), time.Now().Add(transit)}
}

type deliveryWriter struct {
	http.ResponseWriter
	rc  *http.ResponseController
	end time.Time
}

func (d deliveryWriter) Write(b []byte) (int, error) {
	until := time.Now().Add(lull)
	if until.After(d.end) {
		until = d.end
	}
	_ = d.rc.SetWriteDeadline(until) // not all connections have deadlines
	return d.ResponseWriter.Write(b)
}
