package ui

import (
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
)

// What is done to an import by one press of a button, what needs a page of its own first, and what can be taken away as a file.

func (s *site) applyImport(w http.ResponseWriter, r *http.Request, by importer, j intake.Job) (view, error) {
	next, err := s.cfg.House.Imports.Apply(by.Actor, j.ID)
	if err != nil {
		return s.importView(r, by, j, err)
	}
	return moved(w, r, importPath(next.ID))
}

// importActPage asks before something is done that cannot be taken back.
func (s *site) importActPage(verb string) func(http.ResponseWriter, *http.Request, importer, intake.Job) (view, error) {
	return func(w http.ResponseWriter, r *http.Request, by importer, j intake.Job) (view, error) {
		d := importDeedsOf(by, j)
		if map[string]string{"cancel": d.Cancel, "confirm": d.Confirm, "discard": d.Discard}[verb] == "" { // the page says how it stands
			return moved(w, r, importPath(j.ID))
		}
		return s.importActView(r, j, verb, nil), nil
	}
}

func (s *site) importActView(r *http.Request, j intake.Job, verb string, err error) view {
	p, at := printer(r), importPath(j.ID)
	key := "imports." + verb
	lead := []template.HTML{p.HTML("imports.about", "Name", jobName(p, j)), p.HTML(key + ".says")}
	f := form{ID: verb, Action: at + "/" + verb, Button: p.HTML(key + ".button"), Danger: true}
	if verb == "confirm" {
		lead[1] = p.HTMLN("imports.says.waiting", j.Gone, "Stock", j.Stock)
		f.Hidden = []option{{Value: strconv.Itoa(j.Gone), Label: "gone"}}
	}
	return s.formView(r, key+".title", lead, f, err, link(p, at, "act.back"))
}

func (s *site) importAct(verb string) func(http.ResponseWriter, *http.Request, importer, intake.Job) (view, error) {
	return func(w http.ResponseWriter, r *http.Request, by importer, j intake.Job) (view, error) {
		var err error
		all := s.cfg.House.Imports
		switch verb {
		case "cancel":
			err = all.Cancel(by.Actor, j.ID)
		case "discard":
			err = all.Discard(by.Actor, j.ID)
		case "confirm":
			gone, _ := strconv.Atoi(r.PostFormValue("gone")) // none is a number that no import says
			err = all.Confirm(by.Actor, j.ID, gone)
		}
		if err == nil {
			return moved(w, r, importPath(j.ID)+"?done="+verb)
		}
		now, again := all.Job(by.Actor, j.ID)
		if again != nil {
			return view{}, again
		}
		return s.importActView(r, now, verb, s.fault(r, err)), nil
	}
}

// attachment names what is sent as a file.
func attachment(w http.ResponseWriter, kind, name string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", "attachment")
	if s := mime.FormatMediaType("attachment", map[string]string{"filename": name}); s != "" {
		h.Set("Content-Disposition", s)
	}
}

func fileType(f table.Format) string {
	switch f {
	case table.XLSX:
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case table.JSONL:
		return "application/jsonl"
	case table.CSV, intake.Harvested:
		return "text/csv"
	}
	return "application/octet-stream"
}

// importFile is a file that begins with its first byte: what goes wrong before that is a page. Every write has its own deadline.
type importFile struct {
	w          http.ResponseWriter
	kind, name string
	begun      bool
}

func (d *importFile) Write(b []byte) (int, error) {
	if !d.begun {
		d.begun = true
		attachment(d.w, d.kind, d.name)
	}
	_ = http.NewResponseController(d.w).SetWriteDeadline(time.Now().Add(stillness)) // not all connections have deadlines
	return d.w.Write(b)
}

// sendFile answers with what write writes.
func (s *site) sendFile(w http.ResponseWriter, r *http.Request, kind, name string, write func(*importFile) error) (view, error) {
	d := &importFile{w: w, kind: kind, name: name}
	err := write(d)
	switch {
	case err == nil && !d.begun:
		attachment(w, kind, name) // of an empty file
	case err != nil && !d.begun:
		if protocol.CodeOf(err) == protocol.CodeNotFound {
			return s.noImport(r, "imports.file-gone"), nil
		}
		return view{}, err
	case err != nil:
		if !errors.Is(err, context.Canceled) {
			s.cfg.Log.Info("a file about an import was not delivered whole", "error", err)
		}
		panic(http.ErrAbortHandler) // so that its receiver sees it
	}
	return view{}, nil
}

// fileName of something about an import: after the file that was sent.
func fileName(j intake.Job, what string, f table.Format) string {
	name := j.Filename
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	if name = strings.Trim(name, " ."); name == "" {
		name = "import"
	}
	if f == intake.Harvested {
		f = table.CSV
	}
	return name + "." + what + "." + string(f)
}

func (s *site) importErrors(w http.ResponseWriter, r *http.Request, by importer, j intake.Job) (view, error) {
	return s.sendFile(w, r, fileType(j.Format), fileName(j, "errors", j.Format), func(d *importFile) error {
		return s.cfg.House.Imports.Errors(by.Actor, j.ID, d)
	})
}

// importReport is the whole report as a table: a row for each row, what became of it, and why.
func (s *site) importReport(w http.ResponseWriter, r *http.Request, by importer, j intake.Job) (view, error) {
	return s.sendFile(w, r, fileType(table.CSV), fileName(j, "report", table.CSV), func(d *importFile) error {
		var t *table.Writer
		for after := int64(0); ; {
			page, err := s.cfg.House.Imports.Rows(by.Actor, j.ID, nil, after, intake.MaxPage)
			if err != nil {
				return err
			}
			if t == nil {
				if t, err = table.NewWriter(d, table.CSV, []string{"row", "source_id", "outcome", "listing", "state", "title", "faults", "changes"}); err != nil {
					return err
				}
			}
			for _, x := range page.Rows {
				if err := t.Write(reportCells(x)); err != nil {
					return err
				}
			}
			if after = page.Next; after == 0 || len(page.Rows) == 0 || r.Context().Err() != nil {
				return errors.Join(t.Close(), r.Context().Err())
			}
		}
	})
}

func reportCells(x intake.Row) []string {
	n, changes := "", ""
	if x.N > 0 {
		n = strconv.Itoa(x.N)
	}
	var faults []string
	for _, e := range x.Faults {
		faults = append(faults, sentence(e))
	}
	if len(x.Diff) > 0 {
		if b, err := json.Marshal(x.Diff); err == nil {
			changes = string(b)
		}
	}
	return []string{n, x.Source, string(x.Outcome), string(x.Listing), string(x.State), x.Title, strings.Join(faults, "; "), changes}
}
