package api

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/ingest"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
)

// Listings that are being written: drafts, and what helps to write them.

// Manuscript is a request's body that holds a listing and its full record.
type Manuscript struct{ bytes []byte }

// maxManuscript leaves room beside the draft for what else the request says.
const maxManuscript = posting.MaxDraft + 4<<10

// Resolve implements huma.Resolver.
func (m *Manuscript) Resolve(ctx huma.Context) (faults []error) {
	m.bytes, faults = readJSON(ctx, maxManuscript)
	return faults
}

// ContentRequest is a listing and its full record, as far as they are written.
type ContentRequest struct {
	Listing protocol.Listing `json:"listing"`
	Record  *protocol.Record `json:"record,omitempty"`
}

// DraftRequest begins a listing.
type DraftRequest struct {
	ContentRequest
	Organisation access.OrganisationID `json:"organisation,omitempty" doc:"whose listing it is; one's own by default"`
	SourceID     string                `json:"source_id,omitempty" maxLength:"200" doc:"its id in the system that it comes from, unique in the organisation"`
}

type draftInput struct {
	Known
	Manuscript
}

type draftEdit struct {
	Known
	IfMatch
	ID string `path:"id" maxLength:"100"`
	Manuscript
}

type PostingChange struct {
	Known
	IfMatch
	ID string `path:"id" maxLength:"100"`
}

type checklistOutput struct{ Body posting.Checklist }

// SuspectsView are listings that look like one.
type SuspectsView struct {
	Suspects []posting.Suspect `json:"suspects" doc:"for people to look at: they hinder nothing"`
}

type suspectsOutput struct{ Body SuspectsView }

func (a *API) draftRoutes(h huma.API) {
	const get, post, put, remove = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	create := a.permitted("draft", post, "/postings", "Begin a listing. Only what is wrong is refused; what is absent can be added later", access.CreateDraft)
	create.DefaultStatus = http.StatusCreated
	create.Description = "Of the listing and its record any member may be absent until the draft is submitted. The listing's id is the node's to give."
	huma.Register(h, create, a.createDraft)
	huma.Register(h, a.permitted("edit-draft", put, "/postings/{id}/draft", "Replace the draft, or begin a revision of what is published", access.EditDraft), a.editDraft)
	huma.Register(h, a.permitted("discard-draft", remove, "/postings/{id}/draft", "Discard the draft: 204 where the posting went with it, as it was never published", access.DiscardDraft), a.discardDraft)
	huma.Register(h, a.permitted("submit", post, "/postings/{id}/submit", "Submit the draft for review; it is published at once where the organisation publishes by itself", access.SubmitDraft), a.submit)
	a.change(h, "recall", "Recall a submission that no reviewer has taken yet", access.SubmitDraft, a.recall)
	huma.Register(h, a.permitted("suspects", get, "/postings/{id}/suspects", "Listings of the whole region that look like this one", access.ReadPosting), a.suspects)
	huma.Register(h, a.permitted("checklist", post, "/checklist", "How complete a listing is; nothing is kept", access.CreateDraft), a.checklist)
	huma.Register(h, a.permitted("suspects-of", post, "/suspects", "Listings of the whole region that look like the one that is sent; nothing is kept", access.CreateDraft), a.suspectsOf)
	doc := h.OpenAPI()
	begun, written := bodyOf[DraftRequest](doc), bodyOf[ContentRequest](doc)
	doc.Paths[base+"/postings"].Post.RequestBody = begun
	doc.Paths[base+"/postings/{id}/draft"].Put.RequestBody = written
	doc.Paths[base+"/checklist"].Post.RequestBody, doc.Paths[base+"/suspects"].Post.RequestBody = written, written
}

func bodyOf[T any](doc *huma.OpenAPI) *huma.RequestBody {
	schema := doc.Components.Schemas.Schema(typeOf[T](), true, "")
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
}

// unnamed is the id of a listing that has none yet, towards doors that want one.
const unnamed protocol.ListingID = "draft"

// kept reads what is to be kept as the draft of a posting; id is "" for a new one. Without a country it is that of the
// author's organisation.
func (a *API) kept(by access.Actor, body []byte, id protocol.ListingID, more map[string]any) (*posting.Content, error) {
	c, err := a.manuscript(body, more)
	if err == nil && c.Listing.ID != "" && c.Listing.ID != id {
		err = protocol.Errorf(protocol.CodeValue, "listing.id", "is this node's to give: leave it out")
	}
	if err == nil && c.Listing.Country == "" {
		c.Listing.Country = by.Country
	}
	return c, err
}

// manuscript reads what is being written. What is absent is no fault yet.
func (a *API) manuscript(body []byte, more map[string]any) (*posting.Content, error) {
	var listing, record json.RawMessage
	into := map[string]any{"listing": &listing, "record": &record}
	maps.Copy(into, more)
	faults := object(body, "", into)
	c := new(posting.Content)
	switch {
	case given(listing):
		l, err := a.draftListing(listing)
		faults = append(faults, within("listing", err)...)
		if l == nil {
			break
		}
		if c.Listing = *l; l.ID == unnamed {
			c.Listing.ID = ""
		}
	case len(faults) == 0:
		faults = append(faults, protocol.Errorf(protocol.CodeRequired, "listing", "is absent: send the public summary, as far as it is written"))
	}
	if given(record) {
		r, err := draftRecord(record)
		faults = append(faults, within("record", err)...)
		if r != nil {
			c.Record = *r
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return c, nil
}

// draftListing reads a listing that somebody is still writing: what is absent is no fault, all else is judged as in a publication.
func (a *API) draftListing(raw json.RawMessage) (*protocol.Listing, error) {
	l, err := a.cfg.Decode(withID(raw, string(unnamed)))
	if err == nil {
		return l, nil
	}
	var said map[string]json.RawMessage
	_ = json.Unmarshal(raw, &said) // no object: a fault of its own
	var faults protocol.Errors
	for _, f := range protocol.All(err) {
		basic := slices.Contains([]string{"id", "kind", "country"}, f.Field)
		if f.Code != protocol.CodeRequired && (!basic || given(said[f.Field]) && string(said[f.Field]) != `""`) {
			faults = append(faults, f)
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	unfinished := new(protocol.Listing)
	if json.Unmarshal(raw, unfinished) != nil {
		return nil, err
	}
	return unfinished, nil
}

// draftRecord reads a full record likewise.
func draftRecord(raw json.RawMessage) (*protocol.Record, error) {
	r, err := ingest.DecodeRecordJSON(raw)
	if err == nil {
		return r, nil
	}
	var faults protocol.Errors
	for _, f := range protocol.All(err) {
		if f.Field == "full record" { // as a whole
			moved := *f
			moved.Field, f = "", &moved
		}
		if f.Code != protocol.CodeRequired || f.Field == "" {
			faults = append(faults, f)
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	unfinished := new(protocol.Record)
	if json.Unmarshal(raw, unfinished) != nil {
		return nil, err
	}
	return unfinished, nil
}

func (a *API) createDraft(ctx context.Context, in *draftInput) (*postingOutput, error) {
	actor := door.ActorOf(ctx)
	org, source := actor.Organisation, ""
	c, err := a.kept(actor, in.bytes, "", map[string]any{"organisation": &org, "source_id": &source})
	if err != nil {
		return nil, a.problem(err)
	}
	h, err := a.cfg.House.Postings.Create(actor, org, source, *c)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	out := a.changed(actor, h)
	out.Status, out.Location = http.StatusCreated, base+"/postings/"+string(h.ID)
	return out, nil
}

func (a *API) editDraft(ctx context.Context, in *draftEdit) (*postingOutput, error) {
	at, err := a.begin(ctx, in.ID, &in.IfMatch, access.EditDraft)
	if err != nil {
		return nil, err
	}
	c, err := a.kept(at.actor, in.bytes, at.id, nil)
	if err != nil {
		return nil, a.problem(err)
	}
	h, err := a.cfg.House.Postings.Edit(ctx, at.actor, at.id, at.version, *c)
	return a.outcome(ctx, at.actor, h, err)
}

func (a *API) discardDraft(ctx context.Context, in *PostingChange) (*postingOutput, error) {
	at, err := a.begin(ctx, in.ID, &in.IfMatch, access.DiscardDraft)
	if err != nil {
		return nil, err
	}
	h, err := a.cfg.House.Postings.Discard(ctx, at.actor, at.id, at.version)
	out, err := a.outcome(ctx, at.actor, h, err)
	if err == nil && h.Live == posting.None {
		out = &postingOutput{Status: http.StatusNoContent}
	}
	return out, err
}

func (a *API) submit(ctx context.Context, in *PostingChange) (*postingOutput, error) {
	at, err := a.begin(ctx, in.ID, &in.IfMatch, access.SubmitDraft)
	if err != nil {
		return nil, err
	}
	h, suspects, err := a.cfg.House.Postings.Submit(ctx, at.actor, at.id, at.version)
	out, err := a.outcome(ctx, at.actor, h, ofContent(err))
	if err == nil {
		out.Body.Suspects = suspects
	}
	return out, err
}

// ofContent says of a draft's faults whether they are of the listing or of its record.
func ofContent(err error) error {
	switch protocol.CodeOf(err) {
	case "", protocol.CodeConflict, protocol.CodeNotPermitted, protocol.CodeUnavailable, protocol.CodeReadOnly, protocol.CodeInternal:
		return err
	}
	var all protocol.Errors
	for _, f := range protocol.All(err) {
		moved := *f
		if f.Field != "" && f.Field != "record" && !strings.HasPrefix(f.Field, "record.") {
			moved.Field = "listing." + f.Field
		}
		all = append(all, &moved)
	}
	return all
}

func (a *API) recall(ctx context.Context, at place) (*posting.Posting, error) {
	return a.cfg.House.Postings.Recall(ctx, at.actor, at.id, at.version)
}

func (a *API) suspects(ctx context.Context, in *PostingInput) (*suspectsOutput, error) {
	if _, err := a.posting(ctx, in.ID, access.ReadPosting); err != nil {
		return nil, err
	}
	all, err := a.cfg.House.Postings.Similar(ctx, door.ActorOf(ctx), protocol.ListingID(in.ID))
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	return &suspectsOutput{SuspectsView{append([]posting.Suspect{}, all...)}}, nil
}

func (a *API) checklist(_ context.Context, in *draftInput) (*checklistOutput, error) {
	c, err := a.manuscript(in.bytes, nil)
	if err != nil {
		return nil, a.problem(err)
	}
	return &checklistOutput{posting.Completeness(&c.Listing, &c.Record)}, nil
}

func (a *API) suspectsOf(ctx context.Context, in *draftInput) (*suspectsOutput, error) {
	c, err := a.manuscript(in.bytes, nil)
	if err != nil {
		return nil, a.problem(err)
	}
	found, _ := a.cfg.House.Postings.Compare(ctx, c) // none where there was no time to look: it is a help
	return &suspectsOutput{SuspectsView{append([]posting.Suspect{}, found...)}}, nil
}
