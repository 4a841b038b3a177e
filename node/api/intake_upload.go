package api

import (
	"cmp"
	"context"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/intake/mapping"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
)

// Files that are imported: they arrive as the body itself, or in a form. They have no time limit as a whole.

// FileInput is a file of an organisation.
type FileInput struct {
	Known
	ID          access.OrganisationID `path:"id" maxLength:"40"`
	Filename    string                `query:"filename" maxLength:"500" doc:"what the sender calls the file; its ending helps to tell the format"`
	Format      string                `query:"format" maxLength:"20" doc:"csv, xlsx or jsonl; by the file where it is absent"`
	ContentType string                `header:"Content-Type" maxLength:"300" doc:"multipart/form-data with one file, or any other for the file itself"`
}

type uploadInput struct {
	FileInput
	Mapping  string `query:"mapping" maxLength:"400" doc:"name of one of the organisation's mappings. A form may have the mapping itself, in the field mapping before the file. In a dry run neither is needed: one is suggested then"`
	DryRun   bool   `query:"dry_run" doc:"say what would be done, row by row, and change nothing"`
	FullSync bool   `query:"full_sync" doc:"withdraw what came by this mapping before, and is not in the file any more"`
	Drafts   bool   `query:"drafts" doc:"submit nothing"`
}

// InspectionView is what a file looks like.
type InspectionView struct {
	Format  table.Format    `json:"format" doc:"csv, xlsx or jsonl"`
	Columns []string        `json:"columns"`
	Sample  []SampleRow     `json:"sample" doc:"first rows; long values are shortened"`
	Mapping mapping.Mapping `json:"mapping" doc:"a proposal, to be looked at and saved"`
	Lacks   []string        `json:"lacks" doc:"paths of what every listing has to have, and the proposal does not fill"`
	Unused  []string        `json:"unused" doc:"columns that the proposal does not read"`
}

// SampleRow is one row of a file, or record of a repository.
type SampleRow struct {
	N          int             `json:"n" doc:"as the sender's editor counts: a header is row 1"`
	Identifier string          `json:"identifier,omitempty" doc:"of a repository's record"`
	Deleted    bool            `json:"deleted,omitempty" doc:"the repository says that the record is no more"`
	Fields     []SampleField   `json:"fields"`
	Faults     protocol.Errors `json:"faults,omitempty" doc:"why the row cannot be read"`
}

// SampleField is what stands under a name.
type SampleField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Lang  string `json:"lang,omitempty" doc:"that the source declares"`
}

type inspectionOutput struct{ Body InspectionView }

func (a *API) uploadRoutes(h huma.API) {
	send := a.permitted("organisation-import", http.MethodPost, "/organisations/{id}/imports", "Send a file to be imported; what becomes of it is asked at its Location", access.ImportPosting)
	send.DefaultStatus = http.StatusAccepted
	send.Description = "The answer comes when the whole file is kept and its mapping fits it. The import goes on by itself, also after a restart of the node. A file can be sent again: what did not change stays."
	huma.Register(h, send, a.upload)
	inspect := a.permitted("mapping-inspect", http.MethodPost, "/organisations/{id}/mappings/inspect", "Look at a file, or at its beginning, and propose a mapping; nothing is kept", access.ImportPosting)
	huma.Register(h, inspect, a.inspect)
	binary := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	doc := h.OpenAPI()
	doc.Components.Schemas.Schema(typeOf[mapping.Mapping](), true, "")
	for _, path := range []string{send.Path, inspect.Path} {
		form := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"file": binary}, Required: []string{"file"}}
		if path == send.Path {
			form.Properties["mapping"] = &huma.Schema{Type: huma.TypeString, Description: "a mapping in JSON, before the file; in place of the name of one"}
		}
		doc.Paths[path].Post.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/octet-stream": {Schema: binary}, "multipart/form-data": {Schema: form}, "text/csv": {Schema: binary},
			"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {Schema: binary}, "application/jsonl": {Schema: binary},
		}}
	}
}

// sentFile is the file of a request.
type sentFile struct {
	io.Reader
	name   string
	inline *mapping.Mapping
}

// finished lets the answer take its time after the last byte was read.
func finished(ctx context.Context) {
	_ = http.NewResponseController(browserOf(ctx).w).SetWriteDeadline(time.Now().Add(idle)) // not all connections have deadlines
}

// sent finds the file in a request: the body itself, or the first file of a form, after the mapping if there is one.
func (a *API) sent(ctx context.Context, in *FileInput) (f sentFile, err error) {
	b := browserOf(ctx)
	return fileOf(patient{b.r.Body, http.NewResponseController(b.w)}, in.ContentType, in.Filename)
}

func fileOf(body io.Reader, contentType, name string) (f sentFile, err error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if contentType != "" && err != nil {
		return f, protocol.Errorf(protocol.CodeValue, "Content-Type", "is no media type such as text/csv")
	}
	if kind != "multipart/form-data" {
		return sentFile{Reader: body, name: name}, nil
	}
	form := multipart.NewReader(body, params["boundary"])
	for range 8 { // a form has few fields
		part, err := form.NextPart()
		if err != nil {
			return f, &protocol.Error{Code: protocol.CodeRequired, Field: "file", Message: "the form has no file: send one in the field file", Err: err}
		}
		switch {
		case part.FormName() == "mapping":
			raw, err := io.ReadAll(io.LimitReader(part, mapping.MaxMapping+1))
			if err != nil {
				return f, &protocol.Error{Code: protocol.CodeTruncated, Field: "mapping", Message: "did not arrive whole: send it again", Err: err}
			}
			if f.inline, err = mapping.Decode(raw); err != nil {
				return f, within("mapping", err)
			}
		case part.FileName() != "":
			f.Reader, f.name = part, cmp.Or(name, part.FileName())
			return f, nil
		}
	}
	return f, protocol.Errorf(protocol.CodeTooLarge, "file", "the form has too many fields before its file")
}

func (a *API) upload(ctx context.Context, in *uploadInput) (*importOutput, error) {
	if err := a.ofOrganisation(ctx, in.ID, access.ImportPosting); err != nil {
		return nil, a.refusal(ctx, err)
	}
	f, err := a.sent(ctx, &in.FileInput)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	j, err := a.cfg.House.Imports.Upload(ctx, door.ActorOf(ctx), in.ID, f, intake.UploadOptions{
		Filename: f.name, Format: table.Format(in.Format), Mapping: in.Mapping, Inline: f.inline, DryRun: in.DryRun, FullSync: in.FullSync, DraftsOnly: in.Drafts,
	})
	finished(ctx)
	return a.accepted(ctx, j.ID, err)
}

func (a *API) inspect(ctx context.Context, in *FileInput) (*inspectionOutput, error) {
	if err := a.ofOrganisation(ctx, in.ID, access.ImportPosting); err != nil {
		return nil, a.refusal(ctx, err)
	}
	f, err := a.sent(ctx, in)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	i, err := a.cfg.House.Imports.Inspect(ctx, door.ActorOf(ctx), in.ID, f, f.name, table.Format(in.Format))
	finished(ctx)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	return &inspectionOutput{InspectionView{
		Format: i.Format, Columns: listOf(i.Names), Sample: sampleOf(i.Sample), Mapping: wholeMapping(i.Mapping),
		Lacks: listOf(i.Mapping.Lacks()), Unused: listOf(i.Mapping.Unused(i.Names)),
	}}, nil
}

// wholeMapping has lists where others have none.
func wholeMapping(m mapping.Mapping) mapping.Mapping {
	m.ID, m.Rules = listOf(m.ID), listOf(m.Rules)
	return m
}

func listOf[T any](all []T) []T { return append([]T{}, all...) }

const (
	sampleValue  = 300 // bytes of a value that are shown
	sampleFields = 500 // of a row
)

func sampleOf(rows []table.Row) []SampleRow {
	all := make([]SampleRow, len(rows))
	for i, r := range rows {
		s := SampleRow{N: r.N, Identifier: r.ID, Deleted: r.Deleted, Fields: []SampleField{}}
		for _, f := range r.Fields[:min(len(r.Fields), sampleFields)] {
			s.Fields = append(s.Fields, SampleField{shorter(f.Name), shorter(f.Value), shorter(f.Lang)})
		}
		if r.Err != nil {
			s.Faults = protocol.All(r.Err)
		}
		all[i] = s
	}
	return all
}

func shorter(s string) string {
	if len(s) <= sampleValue {
		return s
	}
	end := sampleValue
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
