package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/oai/harvest"
	"github.com/asean-tmh/tmh/protocol"
)

// Repositories that an organisation has harvested.

// Repository with what became of its harvests.
type Repository struct{ intake.Source }

type repositoryOutput struct {
	Status int
	ETag   string `header:"ETag"`
	Body   Repository
}

// RepositoriesList is all repositories of an organisation.
type RepositoriesList struct {
	Sources []Repository `json:"sources"`
}

type repositoriesOutput struct{ Body RepositoriesList }

// RepositoryTrialRequest names a repository that is tried.
type RepositoryTrialRequest struct {
	URL    string `json:"url" doc:"base address of its OAI-PMH interface"`
	Prefix string `json:"prefix,omitempty" doc:"metadata format; absent: oai_dc"`
	Set    string `json:"set,omitempty" doc:"absent: everything"`
}

// RepositoryRequest is a repository as people write it.
type RepositoryRequest struct {
	RepositoryTrialRequest
	Mapping string `json:"mapping,omitempty" doc:"name of the organisation's mapping; absent: Dublin Core"`
	Hours   int    `json:"hours,omitempty" minimum:"0" maximum:"744" doc:"between two harvests; 0: by hand"`
	First   string `json:"first,omitempty" format:"date-time" doc:"when the first of these is, such as a night's; absent: at once"`
	Keep    bool   `json:"keep_deleted,omitempty" doc:"listings stay when the repository says that their records are deleted"`
	Drafts  bool   `json:"drafts_only,omitempty" doc:"nothing is submitted"`
}

type repositoryEdit struct {
	Known
	ID   access.OrganisationID `path:"id" maxLength:"40"`
	Name string                `path:"name" maxLength:"400"`
	Versioned
	Payload
}

type trialInput struct {
	Known
	ID access.OrganisationID `path:"id" maxLength:"40"`
	Payload
}

// RepositoryTrial is what a repository answers.
type RepositoryTrial struct {
	Identity RepositoryIdentity `json:"identity"`
	Size     int                `json:"size,omitempty" doc:"records, where the repository says so"`
	Columns  []string           `json:"columns" doc:"names of the fields in the sample, for a mapping"`
	Sample   []SampleRow        `json:"sample" doc:"its first records; long values are shortened"`
	Formats  []RepositoryFormat `json:"formats" doc:"that it lists, 200 at most; none where it does not answer soon"`
	Sets     []RepositorySet    `json:"sets" doc:"that it lists, 200 at most; none where it does not answer soon"`
}

// RepositoryFormat is a format of metadata that a repository has.
type RepositoryFormat struct {
	Prefix    string `json:"prefix"`
	Namespace string `json:"namespace"`
}

// RepositorySet is a part of a repository.
type RepositorySet struct {
	Spec string `json:"spec" doc:"by which it is asked for"`
	Name string `json:"name"`
}

// RepositoryIdentity is what a repository says of itself.
type RepositoryIdentity struct {
	Name        string    `json:"name"`
	Deleted     string    `json:"deleted" doc:"no, transient or persistent: whether it says of records that they are no more"`
	Granularity string    `json:"granularity" doc:"of its dates"`
	Earliest    time.Time `json:"earliest"`
}

type trialOutput struct{ Body RepositoryTrial }

type harvestInput struct {
	NamedInput
	DryRun   bool `query:"dry_run" doc:"say what would be done, record by record, and change nothing"`
	All      bool `query:"all" doc:"everything, not only what changed since the last harvest"`
	FullSync bool `query:"full_sync" doc:"everything, and what the repository does not have any more is withdrawn"`
}

const trialTime = 45 * time.Second // that a repository has to say who it is

func (a *API) sourceRoutes(h huma.API, lim limits) {
	const get, post, put, remove = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	const list, one = "/organisations/{id}/sources", "/organisations/{id}/sources/{name}"
	imports := a.cfg.House.Imports
	huma.Register(h, a.permitted("sources", get, list, "Repositories of an organisation, by name, and what became of their harvests", access.ReadImport),
		func(ctx context.Context, in *organisationOf) (*repositoriesOutput, error) {
			all, err := imports.Sources(door.ActorOf(ctx), in.ID)
			if err != nil {
				return nil, a.refusal(ctx, err)
			}
			out := &repositoriesOutput{RepositoriesList{make([]Repository, len(all))}}
			for i, s := range all {
				out.Body.Sources[i] = Repository{s}
			}
			return out, nil
		})
	huma.Register(h, a.permitted("source", get, one, "A repository, and what became of its harvests", access.ReadImport), func(ctx context.Context, in *NamedInput) (*repositoryOutput, error) {
		s, err := imports.Source(door.ActorOf(ctx), in.ID, in.Name)
		return a.repository(ctx, s, http.StatusOK, err)
	})
	save := a.permitted("source-save", put, one, "Keep a repository under a name: a new one (201), or another in its place", access.ImportPosting)
	huma.Register(h, save, a.saveSource)
	huma.Register(h, a.permitted("source-delete", remove, one, "Delete a repository; what came from it stays", access.ImportPosting), func(ctx context.Context, in *namedDelete) (*struct{}, error) {
		if err := a.ofOrganisation(ctx, in.ID, access.ImportPosting); err != nil {
			return nil, a.refusal(ctx, err)
		}
		v, err := in.version()
		if err != nil {
			return nil, err
		}
		return a.done(ctx, imports.DeleteSource(door.ActorOf(ctx), in.ID, in.Name, v))
	})
	harvest := a.permitted("source-harvest", post, one+"/harvest", "Harvest a repository; what becomes of it is asked at its Location", access.ImportPosting)
	harvest.DefaultStatus = http.StatusAccepted
	huma.Register(h, harvest, func(ctx context.Context, in *harvestInput) (*importOutput, error) {
		j, err := imports.Harvest(door.ActorOf(ctx), in.ID, in.Name, intake.HarvestOptions{DryRun: in.DryRun, All: in.All, FullSync: in.FullSync})
		return a.accepted(ctx, j.ID, err)
	})
	trial := a.permitted("source-test", post, list+"/test", "Ask a repository who it is, and for its first records; nothing is kept", access.ImportPosting)
	trial.Middlewares = append(trial.Middlewares, guardOperation(lim.doors)) // it makes the node ask others
	huma.Register(h, trial, a.trySource)
	doc := h.OpenAPI()
	made(doc.Paths[save.Path].Put)
	doc.Paths[save.Path].Put.RequestBody = bodyOf[RepositoryRequest](doc)
	doc.Paths[trial.Path].Post.RequestBody = bodyOf[RepositoryTrialRequest](doc)
}

func (a *API) repository(ctx context.Context, s intake.Source, status int, err error) (*repositoryOutput, error) {
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	return &repositoryOutput{status, versionTag(s.Version), Repository{s}}, nil
}

func (a *API) saveSource(ctx context.Context, in *repositoryEdit) (*repositoryOutput, error) {
	if err := a.ofOrganisation(ctx, in.ID, access.ImportPosting); err != nil {
		return nil, a.refusal(ctx, err)
	}
	version, err := in.version()
	if err != nil {
		return nil, a.asProblem(ctx, err)
	}
	var d intake.Definition
	first := ""
	faults := object(in.bytes, "", map[string]any{
		"url": &d.URL, "prefix": &d.Prefix, "set": &d.Set, "mapping": &d.Mapping, "hours": &d.Hours, "keep_deleted": &d.Keep, "drafts_only": &d.DraftsOnly,
		"first": &first,
	})
	if first != "" {
		t, err := time.Parse(time.RFC3339, first)
		if err != nil {
			faults = append(faults, protocol.Errorf(protocol.CodeValue, "first", "is no time such as 2026-09-21T19:00:00Z"))
		}
		d.First = protocol.InstantOf(t)
	}
	if len(faults) > 0 {
		return nil, a.problem(faults)
	}
	status := http.StatusOK
	if version == 0 {
		status = http.StatusCreated
	}
	s, err := a.cfg.House.Imports.SaveSource(door.ActorOf(ctx), in.ID, in.Name, d, version)
	return a.repository(ctx, s, status, err)
}

func (a *API) trySource(ctx context.Context, in *trialInput) (*trialOutput, error) {
	by := door.ActorOf(ctx)
	if err := a.ofOrganisation(ctx, in.ID, access.ImportPosting); err != nil {
		return nil, a.refusal(ctx, err)
	}
	var s harvest.Source
	if faults := object(in.bytes, "", map[string]any{"url": &s.URL, "prefix": &s.Prefix, "set": &s.Set}); len(faults) > 0 {
		return nil, a.problem(faults)
	}
	rc := http.NewResponseController(browserOf(ctx).w)
	_ = rc.SetReadDeadline(time.Time{}) // not all connections have deadlines
	_ = rc.SetWriteDeadline(time.Now().Add(2 * trialTime))
	asked, cancel := context.WithTimeout(ctx, trialTime)
	defer cancel()
	t, err := a.cfg.House.Imports.Test(asked, by, in.ID, s)
	switch {
	case err == nil:
	case errors.Is(asked.Err(), context.DeadlineExceeded):
		return nil, a.problem(&protocol.Error{Code: protocol.CodeUnavailable, Field: "url", Message: "the repository did not answer in time: try again, or ask its keepers", Err: err})
	default:
		return nil, a.refusal(ctx, err)
	}
	out := &trialOutput{RepositoryTrial{Identity: RepositoryIdentity(t.Identity), Size: t.Size, Columns: listOf(t.Names), Sample: sampleOf(t.Sample),
		Formats: make([]RepositoryFormat, len(t.Formats)), Sets: make([]RepositorySet, len(t.Sets))}}
	for i, f := range t.Formats {
		out.Body.Formats[i] = RepositoryFormat(f)
	}
	for i, s := range t.Sets {
		out.Body.Sets[i] = RepositorySet(s)
	}
	return out, nil
}
