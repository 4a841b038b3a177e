package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/intake/mapping"
	"github.com/asean-tmh/tmh/protocol"
)

// Mappings that an organisation keeps.

// ImportTargets are all members that a rule of a mapping can fill.
type ImportTargets struct {
	Targets []mapping.Target `json:"targets"`
}

type targetsOutput struct{ Body ImportTargets }

func targets(context.Context, *plainInput) (*targetsOutput, error) {
	return &targetsOutput{ImportTargets{slices.Clip(mapping.Targets())}}, nil
}

// Versioned says which version a PUT replaces: that of If-Match, or none.
type Versioned struct {
	IfMatch     string `header:"If-Match" doc:"the ETag that the address gave when it was read; 412 when something changed since"`
	IfNoneMatch string `header:"If-None-Match" doc:"* to make a new one: 412 where there is one of this name"`
}

func (in *Versioned) version() (uint64, error) {
	switch {
	case in.IfNoneMatch == "*" && in.IfMatch == "":
		return 0, nil
	case in.IfNoneMatch != "":
		return 0, protocol.Errorf(protocol.CodeValue, "If-None-Match", "has to be *, without an If-Match, to make a new one")
	case in.IfMatch == "":
		return 0, newProblem(http.StatusPreconditionRequired, protocol.Errors{protocol.Errorf(protocol.CodeRequired, "If-Match",
			"say which version your change began at: read the address, and send its ETag as If-Match; or If-None-Match: * to make a new one")})
	}
	return madeVersion(in.IfMatch)
}

// madeVersion is a version of what there is, which begins at 1.
func madeVersion(tag string) (uint64, error) {
	v, err := (&IfMatch{IfMatch: tag}).version()
	if err == nil && v == 0 {
		v, err = (&IfMatch{IfMatch: "0"}).version() // no tag of ours
	}
	return v, err
}

// MappingBody is judged where mappings are.
type MappingBody struct{ bytes []byte }

// Resolve implements huma.Resolver.
func (m *MappingBody) Resolve(ctx huma.Context) (faults []error) {
	m.bytes, faults = readJSON(ctx, mapping.MaxMapping)
	return faults
}

// NamedInput is what an organisation keeps under a name.
type NamedInput struct {
	Known
	ID   access.OrganisationID `path:"id" maxLength:"40"`
	Name string                `path:"name" maxLength:"400"`
}

type namedDelete struct {
	NamedInput
	IfMatch
}

type mappingEdit struct {
	Known
	ID   access.OrganisationID `path:"id" maxLength:"40"`
	Name string                `path:"name" maxLength:"400"`
	Versioned
	MappingBody
}

type mappingOutput struct {
	Status   int
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     intake.Saved
}

// MappingsList is all mappings of an organisation.
type MappingsList struct {
	Mappings []intake.Saved `json:"mappings"`
}

type mappingsOutput struct{ Body MappingsList }

type organisationOf struct {
	Known
	ID access.OrganisationID `path:"id" maxLength:"40"`
}

func (a *API) mappingRoutes(h huma.API) {
	const get, put, remove = http.MethodGet, http.MethodPut, http.MethodDelete
	const list, one = "/organisations/{id}/mappings", "/organisations/{id}/mappings/{name}"
	imports := a.cfg.House.Imports
	huma.Register(h, huma.Operation{
		OperationID: "mapping-targets", Method: get, Path: base + "/mapping-targets", Summary: "What a mapping can fill: all members of a listing and its full record",
	}, targets)
	huma.Register(h, a.permitted("mappings", get, list, "Mappings of an organisation, by name", access.ReadImport), func(ctx context.Context, in *organisationOf) (*mappingsOutput, error) {
		all, err := imports.Mappings(door.ActorOf(ctx), in.ID)
		if err != nil {
			return nil, a.refusal(ctx, err)
		}
		for i := range all {
			all[i].Mapping = wholeMapping(all[i].Mapping)
		}
		return &mappingsOutput{MappingsList{listOf(all)}}, nil
	})
	huma.Register(h, a.permitted("mapping", get, one, "A mapping: which column of a file becomes which member of a listing", access.ReadImport),
		func(ctx context.Context, in *NamedInput) (*mappingOutput, error) {
			m, err := imports.Mapping(door.ActorOf(ctx), in.ID, in.Name)
			return a.savedMapping(ctx, m, http.StatusOK, err)
		})
	save := a.permitted("mapping-save", put, one, "Keep a mapping under a name: a new one (201), or another in its place", access.ImportPosting)
	huma.Register(h, save, func(ctx context.Context, in *mappingEdit) (*mappingOutput, error) {
		if err := a.ofOrganisation(ctx, in.ID, access.ImportPosting); err != nil {
			return nil, a.refusal(ctx, err)
		}
		version, err := in.version()
		if err != nil {
			return nil, a.asProblem(ctx, err)
		}
		m, err := mapping.Decode(in.bytes)
		if err != nil {
			return nil, a.refusal(ctx, err)
		}
		status := http.StatusOK
		if version == 0 {
			status = http.StatusCreated
		}
		s, err := imports.SaveMapping(door.ActorOf(ctx), in.ID, in.Name, *m, version)
		return a.savedMapping(ctx, s, status, err)
	})
	huma.Register(h, a.permitted("mapping-delete", remove, one, "Delete a mapping that no repository needs", access.ImportPosting), func(ctx context.Context, in *namedDelete) (*struct{}, error) {
		if err := a.ofOrganisation(ctx, in.ID, access.ImportPosting); err != nil {
			return nil, a.refusal(ctx, err)
		}
		v, err := in.version()
		if err != nil {
			return nil, err
		}
		return a.done(ctx, imports.DeleteMapping(door.ActorOf(ctx), in.ID, in.Name, v))
	})
	doc := h.OpenAPI()
	made(doc.Paths[save.Path].Put)
	doc.Paths[save.Path].Put.RequestBody = bodyOf[mapping.Mapping](doc)
}

// made says that a PUT answers 201 as well.
func made(op *huma.Operation) {
	ok := op.Responses["200"]
	op.Responses["201"] = &huma.Response{Description: "Created", Headers: ok.Headers, Content: ok.Content}
}

// asProblem leaves an answer that has its status already.
func (a *API) asProblem(ctx context.Context, err error) error {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return a.refusal(ctx, err)
}

func (a *API) savedMapping(ctx context.Context, m intake.Saved, status int, err error) (*mappingOutput, error) {
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	m.Mapping = wholeMapping(m.Mapping)
	return &mappingOutput{Status: status, ETag: versionTag(m.Version), Body: m}, nil
}
