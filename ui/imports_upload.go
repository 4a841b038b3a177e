package ui

import (
	"io"
	"mime/multipart"
	"net/http"
	"time"

	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
)

// A file is sent: once, whatever is decided about it later.

// importUploadPage asks for a file.
type importUploadPage struct {
	frame
	Back, At string
	Form     form
}

// sentForm is what stood before the file in the form that was sent, as far as the page knows it.
type sentForm struct {
	mapping, run     string
	drafts, fullSync bool
	filename         string
	file             io.Reader
}

const maxSmall = 4 << 10 // bytes of a field before the file

func (s *site) uploadPage(_ http.ResponseWriter, r *http.Request, by importer) (view, error) {
	return s.uploadView(r, by, sentForm{run: "dry"}, nil)
}

func (s *site) uploadView(r *http.Request, by importer, sent sentForm, err error) (view, error) {
	if !by.may {
		return view{}, protocol.Errorf(protocol.CodeNotPermitted, "", "importing is for the editors of this organisation: ask one of them")
	}
	all, merr := s.cfg.House.Imports.Mappings(by.Actor, by.org)
	if merr != nil {
		return view{}, merr
	}
	p := printer(r)
	var before group
	if len(all) > 0 {
		known := []option{{Label: p.T("imports.find-out")}}
		for _, m := range all {
			known = append(known, option{Value: m.Name, Label: m.Name, Selected: m.Name == sent.mapping})
		}
		before.Fields = []field{
			{Name: "mapping", Label: p.HTML("imports.mapping"), Hint: p.HTML("imports.mapping-hint"), Type: "select", Choices: known},
			{Name: "run", Label: p.HTML("imports.run"), Type: "select", Choices: []option{
				{Value: "dry", Label: p.T("imports.run.dry"), Selected: sent.run != "now"}, {Value: "now", Label: p.T("imports.run.now"), Selected: sent.run == "now"},
			}},
			{Name: "full_sync", Label: p.HTML("imports.absent"), Type: "checks", Choices: []option{{Value: "1", Label: p.T("imports.full-sync"), Selected: sent.fullSync}}},
		}
	}
	before.Fields = append(before.Fields,
		field{Name: "drafts", Label: p.HTML("imports.ready"), Type: "checks", Choices: []option{{Value: "1", Label: p.T("imports.drafts-only"), Selected: sent.drafts}}},
		field{Name: "file", Label: p.HTML("form.file"), Type: "file", Hint: p.HTML("form.file.hint", "Types", "CSV, XLSX, JSON Lines", "Size", p.Bytes(table.DefaultLimits().File))})
	f := form{ID: "upload", Action: importsPath(by.org) + "/new", Button: p.HTML("act.continue"), Groups: []group{before}}.dress(p, err)
	page := importUploadPage{frame: s.frame(r, "organisation", p.T("imports.new")), Back: importsPath(by.org), At: importsPath(by.org), Form: f}
	code := http.StatusOK
	if err != nil {
		page.Title, code = p.T("layout.error", "Page", page.Title), status(err)
	}
	return view{"imports-new", page, code}, nil
}

// upload takes the file as it arrives: it has no limit as a whole but that of imports, and is held nowhere else.
func (s *site) upload(w http.ResponseWriter, r *http.Request) {
	body := r.Body // pages bound it as they bound forms
	s.ofOrganisation(func(w http.ResponseWriter, r *http.Request, by importer) (view, error) {
		if !by.may {
			return s.uploadView(r, by, sentForm{}, nil)
		}
		rc := http.NewResponseController(w)
		r.Body = body
		in := patient{body, rc}
		sent, err := readForm(r, in)
		var j intake.Job
		if err == nil {
			j, err = s.cfg.House.Imports.Upload(r.Context(), by.Actor, by.org, sent.file, intake.UploadOptions{
				Filename: sent.filename, Mapping: sent.mapping, DryRun: sent.run != "now" || sent.mapping == "", FullSync: sent.fullSync, DraftsOnly: sent.drafts,
			})
		}
		_ = rc.SetWriteDeadline(time.Now().Add(stillness)) // not all connections have deadlines
		switch {
		case err != nil:
			_, _ = io.CopyN(io.Discard, in, maxUnread) // most browsers show an answer only when all is sent
			return s.uploadView(r, by, sent, s.fault(r, err))
		case sent.mapping == "":
			return moved(w, r, importPath(j.ID)+"/columns")
		}
		return moved(w, r, importPath(j.ID))
	})(w, r)
}

// maxUnread is how much of a file that is refused is read all the same.
const maxUnread = 16 << 20

// readForm reads a form up to its file, which comes last.
func readForm(r *http.Request, body io.Reader) (sent sentForm, err error) {
	sent.run = "dry"
	missing := protocol.Errorf(protocol.CodeRequired, "file", "no file was chosen: choose one")
	r.Body = io.NopCloser(body)
	parts, err := r.MultipartReader()
	if err != nil {
		return sent, missing
	}
	for range 8 {
		var part *multipart.Part
		if part, err = parts.NextPart(); err != nil {
			return sent, missing
		}
		if part.FormName() == "file" {
			if part.FileName() == "" {
				return sent, missing
			}
			sent.filename, sent.file = part.FileName(), part
			return sent, nil
		}
		b, err := io.ReadAll(io.LimitReader(part, maxSmall+1))
		if err != nil || len(b) > maxSmall { // the rest of it may have no end
			return sent, missing
		}
		switch value := string(b); part.FormName() {
		case "mapping":
			sent.mapping = value
		case "run":
			sent.run = value
		case "drafts":
			sent.drafts = value == "1"
		case "full_sync":
			sent.fullSync = value == "1"
		}
	}
	return sent, missing
}
