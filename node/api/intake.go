package api

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
)

// Imports as jobs: of files, and of repositories. What is an import's own stands at /imports/{id}, whoever's it is; the rest is the
// organisation's.

// ImportJob is an import.
type ImportJob struct{ intake.Job }

type importOutput struct {
	Status   int
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     ImportJob
}

// ImportInput names an import.
type ImportInput struct {
	Known
	ID intake.JobID `path:"id" maxLength:"40"`
}

type importsInput struct {
	Known
	PageParams
	ID access.OrganisationID `path:"id" maxLength:"40"`
}

// ImportsPage is a page of an organisation's imports, the newest first.
type ImportsPage struct {
	Imports []ImportJob `json:"imports"`
	Next    string      `json:"next,omitempty" doc:"cursor of the next page; absent at the end. The last page may be empty"`
}

type importsOutput struct {
	Link string `header:"Link"`
	Body ImportsPage
}

type confirmInput struct {
	Known
	ID intake.JobID `path:"id" maxLength:"40"`
	Payload
}

// ConfirmRequest says how many listings may be withdrawn.
type ConfirmRequest struct {
	Withdrawals int `json:"withdrawals" minimum:"1" doc:"the import's gone, as it was read"`
}

func (a *API) intakeRoutes(h huma.API, lim limits) {
	if a.cfg.House.Imports == nil {
		return
	}
	const get, post, remove = http.MethodGet, http.MethodPost, http.MethodDelete
	conflict := &huma.Response{Ref: "#/components/responses/" + failureName("409")}
	a.uploadRoutes(h)
	a.reportRoutes(h)
	a.mappingRoutes(h)
	a.sourceRoutes(h, lim)
	huma.Register(h, a.permitted("organisation-imports", get, "/organisations/{id}/imports", "Imports of an organisation, the newest first", access.ReadImport), a.organisationImports)
	huma.Register(h, a.permitted("import-job", get, "/imports/{id}", "One import: how far it is, and what became of its rows", access.ReadImport), a.importJob)
	a.importVerb(h, "cancel", "Cancel an import: what it did stays, and it withdraws nothing any more", func(by access.Actor, id intake.JobID) (intake.JobID, error) {
		return id, a.cfg.House.Imports.Cancel(by, id)
	})
	a.importVerb(h, "apply", "Carry out what a finished dry run was about: the same file, mapping and options. The answer is another import", func(by access.Actor, id intake.JobID) (intake.JobID, error) {
		j, err := a.cfg.House.Imports.Apply(by, id)
		return j.ID, err
	})
	confirm := a.permitted("import-confirm", post, "/imports/{id}/confirm", "Let an import that waits withdraw as many listings as it says", access.ImportPosting)
	confirm.DefaultStatus = http.StatusAccepted
	huma.Register(h, confirm, a.confirmImport)
	discard := a.permitted("import-discard", remove, "/imports/{id}", "Delete the files of a finished import: what was sent, and the report. Its counts and its listings stay", access.ImportPosting)
	huma.Register(h, discard, func(ctx context.Context, in *ImportInput) (*struct{}, error) {
		if err := a.ofImport(ctx, in.ID, access.ImportPosting); err != nil {
			return nil, err
		}
		return a.done(ctx, a.cfg.House.Imports.Discard(door.ActorOf(ctx), in.ID))
	})
	doc := h.OpenAPI()
	doc.Paths[confirm.Path].Post.RequestBody = bodyOf[ConfirmRequest](doc)
	for _, path := range []string{"/imports/{id}", "/imports/{id}/errors", "/imports/{id}/cancel", "/imports/{id}/apply", "/imports/{id}/confirm", "/organisations/{id}/imports", "/organisations/{id}/sources/{name}/harvest"} {
		for op := range operations(&huma.OpenAPI{Paths: map[string]*huma.PathItem{"": doc.Paths[base+path]}}) {
			if op.Method != http.MethodGet || op.OperationID == "import-errors" {
				op.Responses["409"] = conflict
			}
		}
	}
	explainImports(doc)
}

// ofImport asks whether the actor may do that with an import. Whose it is not learns nothing of it, not even that it is.
func (a *API) ofImport(ctx context.Context, id intake.JobID, action access.Action) error {
	j, err := a.cfg.House.Imports.Job(unscoped(ctx), id)
	if c := protocol.CodeOf(err); c == protocol.CodeNotFound || c == protocol.CodeNotPermitted {
		err = protocol.Errorf(protocol.CodeNotFound, "id", "there is no such import on this node, or not for you: look for it in the list of your organisation's")
	}
	if err == nil {
		err = a.ofOrganisation(ctx, j.Organisation, action)
	}
	if err != nil {
		return a.refusal(ctx, err)
	}
	return nil
}

// ofOrganisation asks before anything else is said of a request.
func (a *API) ofOrganisation(ctx context.Context, org access.OrganisationID, action access.Action) error {
	return access.Can(door.ActorOf(ctx), action, access.Resource{Member: a.cfg.Member, Organisation: org})
}

// importVerb registers what takes no more than the import.
func (a *API) importVerb(h huma.API, verb, summary string, do func(access.Actor, intake.JobID) (intake.JobID, error)) {
	op := a.permitted("import-"+verb, http.MethodPost, "/imports/{id}/"+verb, summary, access.ImportPosting)
	op.DefaultStatus = http.StatusAccepted
	huma.Register(h, op, func(ctx context.Context, in *ImportInput) (*importOutput, error) {
		if err := a.ofImport(ctx, in.ID, access.ImportPosting); err != nil {
			return nil, err
		}
		id, err := do(door.ActorOf(ctx), in.ID)
		return a.accepted(ctx, id, err)
	})
}

// accepted is a job that goes on by itself.
func (a *API) accepted(ctx context.Context, id intake.JobID, err error) (*importOutput, error) {
	var j intake.Job
	if err == nil {
		j, err = a.cfg.House.Imports.Job(unscoped(ctx), id)
	}
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	out := jobOutput(j)
	out.Status, out.Location = http.StatusAccepted, base+"/imports/"+string(j.ID)
	return out, nil
}

func jobOutput(j intake.Job) *importOutput {
	return &importOutput{Status: http.StatusOK, ETag: versionTag(j.Version), Body: ImportJob{j}}
}

func (a *API) importJob(ctx context.Context, in *ImportInput) (*importOutput, error) {
	if err := a.ofImport(ctx, in.ID, access.ReadImport); err != nil {
		return nil, err
	}
	j, err := a.cfg.House.Imports.Job(door.ActorOf(ctx), in.ID)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	return jobOutput(j), nil
}

func (a *API) organisationImports(ctx context.Context, in *importsInput) (*importsOutput, error) {
	by, list := door.ActorOf(ctx), "imports "+string(in.ID)
	if err := a.ofOrganisation(ctx, in.ID, access.ReadImport); err != nil {
		return nil, a.refusal(ctx, err)
	}
	after, err := a.cursorPlace(by, list, in.Cursor)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	all, err := a.cfg.House.Imports.Jobs(by, in.ID, intake.JobID(after), in.Limit)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	out := &importsOutput{Body: ImportsPage{Imports: make([]ImportJob, len(all))}}
	for i, j := range all {
		out.Body.Imports[i] = ImportJob{j}
	}
	if n := len(all); n == in.Limit {
		out.Body.Next = a.placeCursor(by, list, string(all[n-1].ID))
	}
	out.Link = nextLink(base+"/organisations/"+url.PathEscape(string(in.ID))+"/imports", nil, in.Limit, out.Body.Next)
	return out, nil
}

func (a *API) confirmImport(ctx context.Context, in *confirmInput) (*importOutput, error) {
	if err := a.ofImport(ctx, in.ID, access.ImportPosting); err != nil {
		return nil, err
	}
	gone := 0
	if faults := object(in.bytes, "", map[string]any{"withdrawals": &gone}); len(faults) > 0 {
		return nil, a.problem(faults)
	}
	if gone < 1 {
		return nil, a.problem(protocol.Errorf(protocol.CodeRequired, "withdrawals", "is absent: say how many listings may be withdrawn, as the import says it in gone"))
	}
	err := a.cfg.House.Imports.Confirm(door.ActorOf(ctx), in.ID, gone)
	return a.accepted(ctx, in.ID, err)
}

// explainImports says what the members mean of types that know nothing of huma.
func explainImports(doc *huma.OpenAPI) {
	all := doc.Components.Schemas.Map()
	const (
		mapped = "name of the organisation's mapping; absent for one of the import's own"
		who    = "id of the person; absent for the operator"
	)
	for name, members := range map[string]map[string]string{
		"ImportJob": {
			"state": "queued, fetching (from a repository), running, waiting (to be confirmed), done, failed or cancelled", "version": "rises with every change",
			"filename": "as the sender calls it", "format": "csv, xlsx, jsonl; of a harvest oai-pmh", "repository": "name of the repository that is harvested", "mapping": mapped, "mapping_version": "of the mapping, as it was when the import began",
			"dry_run": "says what would be done, and changes nothing", "full_sync": "what came from the same origin before, and is not in it any more, is withdrawn",
			"drafts_only": "nothing is submitted", "all": "of a repository: everything, not only what changed since the last time", "applies": "the dry run that it carries out",
			"by": who, "token": "by which it was started", "operator": "the operator started it", "scheduled": "the clock started it",
			"bytes_read": "of the file, in this pass", "size": "bytes of the file", "fetched": "records that the repository gave", "expected": "records that the repository has, where it says so",
			"unused": "columns that no rule reads", "missing": "columns that a rule reads, and that the file does not have",
			"gone": "listings that would be withdrawn, to be confirmed", "stock": "listings that came from this origin", "confirmed": "how many somebody agreed to withdraw",
			"notice": "what was not done, and why", "delayed": "why it does not go on just now", "error": "why it failed", "files": "file and report are still here",
		},
		"IntakeCounts": {
			"rows": "that the report covers", "created": "new listings", "changed": "listings that the source says otherwise now", "unchanged": "as they were", "refused": "at fault: the report says why",
			"ended": "people ended the listing here, and it does not return by itself", "deleted": "the repository says that the record is no more", "withdrawn": "listings whose source is no more",
		},
		"ImportRow": {
			"n": "number of the row, as the sender's editor counts: a header is row 1; absent of a listing that is withdrawn since its source is gone", "source": "its id at the source",
			"unnamed": "its id at the source could not be read", "outcome": strings.Join(outcomes(), ", ") + "; in a dry run what it would be", "state": "of the listing, afterwards",
			"faults": "all of the row", "diff": "of a dry run: what would change", "edited": "of a dry run: people changed the listing here since, which is overwritten",
		},
		"IntakeSaved": {"version": "rises with every change", "by": who, "name": "by which imports and repositories name it"},
		"Mapping": {
			"title": "for people", "id": "columns that hold the id at the source, the first that is there counts; an empty text is the repository's own identifier", "rules": "what fills the members of a listing",
		},
		"MappingRule": {
			"to": "the member that it fills: a path of mapping-targets", "from": "columns, in order; an empty text is the repository's own identifier", "lang": "only values that the source declares to be in this language; und: in none",
			"join": "several values become one, with this between; absent: the first counts", "split": "a value becomes several at this; “; ,” is either", "values": "what a value of the source means here; an empty text leaves it out",
			"only": "values that values does not have are left out", "fit": "values that are not of the target's kind are left out, and no fault", "date": "how the source writes dates, such as DD/MM/YYYY",
			"cut": "what is too long is cut at a word, and no fault", "else": "of a target with *: language of values that do not tell theirs", "constant": "where the source says nothing",
		},
		"MappingTarget": {
			"path": "of the member", "label": "in words", "value": "kind of value that it takes", "codes": "name of the code list", "list": "takes several values", "required": "a listing cannot do without it; of titles, one language is enough",
			"max": "characters of a value", "most": "values of the list",
		},
		"Repository": {
			"version": "of what people said of it", "by": who + ". In that person's name it is harvested by the clock", "last_all": "when everything was harvested",
			"since": "by the repository's clock: what the last whole harvest knows", "granularity": "of the repository's dates", "url": "base address of the OAI-PMH interface", "prefix": "metadata format; absent: oai_dc",
			"set": "of the repository; absent: everything", "mapping": "name of the organisation's mapping; absent: Dublin Core", "hours": "between two harvests; 0: by hand", "first": "when the first of these is; absent: at once", "next": "harvest by the clock",
			"keep_deleted": "listings stay when the repository says that their records are deleted", "drafts_only": "nothing is submitted",
		},
	} {
		s := all[name]
		if s == nil {
			panic("api: no schema " + name + " to explain") // a fault of the build: every test meets it
		}
		for member, words := range members {
			p := s.Properties[member]
			switch {
			case p == nil:
				panic("api: " + name + " has no " + member + " to explain")
			case p.Ref != "":
				s.Properties[member] = &huma.Schema{Description: words, AllOf: []*huma.Schema{p}}
			default:
				p.Description = cmp.Or(p.Description, words)
			}
		}
	}
}

// outcomes of rows.
func outcomes() []string {
	return []string{string(posting.ImportCreated), string(posting.ImportChanged), string(posting.ImportUnchanged), string(posting.ImportRefused), string(posting.ImportEnded),
		string(intake.Deleted), string(posting.ImportWithdrawn)}
}
