package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/protocol"
)

// OrganisationFields are what is said of an organisation. In an edit, what is left out stays.
type OrganisationFields struct {
	Name        *string           `json:"name,omitempty" maxLength:"1000"`
	Type        *string           `json:"type,omitempty" maxLength:"60" doc:"code of the list of organisation types, such as university"`
	Size        *string           `json:"size,omitempty" maxLength:"60" doc:"code of the list of size classes, such as medium, or empty"`
	Country     *protocol.Country `json:"country,omitempty" maxLength:"60" doc:"ISO 3166-1 alpha-2, such as KH"`
	ROR         *string           `json:"ror,omitempty" maxLength:"100" doc:"identifier of the Research Organization Registry, or empty"`
	Contact     *access.Contact   `json:"contact,omitempty" doc:"a desk, not a person: where to ask about its listings; replaced as a whole"`
	SelfPublish *bool             `json:"self_publish,omitempty" doc:"its listings are published without review"`
	Disabled    *bool             `json:"disabled,omitempty" doc:"its people can neither sign in nor use tokens"`
}

func (f OrganisationFields) fields() access.OrganisationFields { return f.over(access.Organisation{}) }

// over an organisation as it stands.
func (f OrganisationFields) over(o access.Organisation) access.OrganisationFields {
	return access.OrganisationFields{
		Name: or(f.Name, o.Name), Type: or(f.Type, o.Type), Size: or(f.Size, o.Size), Country: or(f.Country, o.Country), ROR: or(f.ROR, o.ROR),
		Contact: or(f.Contact, o.Contact), SelfPublish: or(f.SelfPublish, o.SelfPublish), Disabled: or(f.Disabled, o.Disabled),
	}
}

type organisationInput struct {
	Known
	Body OrganisationFields
}

type organisationEdit struct {
	Known
	IfMatch
	ID   string `path:"id" maxLength:"40"`
	Body OrganisationFields
}

type organisationOutput struct {
	Status int
	ETag   string `header:"ETag"`
	Body   access.Organisation
}

type organisationsInput struct {
	Known
	PageParams
}

// OrganisationsPage is a page of organisations by name.
type OrganisationsPage struct {
	Organisations []access.Organisation `json:"organisations"`
	Next          string                `json:"next,omitempty"`
}

type organisationsOutput struct {
	Link string `header:"Link"`
	Body OrganisationsPage
}

func (a *API) organisationRoutes(h huma.API) {
	people := a.cfg.House.People
	answer := func(ctx context.Context, status int, o access.Organisation, err error) (*organisationOutput, error) {
		if err != nil {
			return nil, a.refusal(ctx, err)
		}
		return &organisationOutput{status, versionTag(o.Version), o}, nil
	}
	huma.Register(h, ours("organisations", http.MethodGet, "/organisations", "Organisations whose people use this node, by name"), a.organisations)
	huma.Register(h, ours("organisation", http.MethodGet, "/organisations/{id}", "One organisation"), func(ctx context.Context, in *idInput) (*organisationOutput, error) {
		o, err := people.Organisation(door.ActorOf(ctx), access.OrganisationID(in.ID))
		return answer(ctx, http.StatusOK, o, err)
	})
	huma.Register(h, ours("organisation-create", http.MethodPost, "/organisations", "Add an organisation"), func(ctx context.Context, in *organisationInput) (*organisationOutput, error) {
		o, err := people.CreateOrganisation(door.ActorOf(ctx), in.Body.fields())
		return answer(ctx, http.StatusCreated, o, err)
	})
	huma.Register(h, ours("organisation-edit", http.MethodPatch, "/organisations/{id}", "Change an organisation; what is left out stays"),
		func(ctx context.Context, in *organisationEdit) (*organisationOutput, error) {
			by, id := door.ActorOf(ctx), access.OrganisationID(in.ID)
			if err := access.Can(by, access.EditOrganisation, access.Resource{Organisation: id}); err != nil {
				return nil, a.refusal(ctx, err)
			}
			v, err := in.version()
			if err != nil {
				return nil, err
			}
			o, err := people.Organisation(unscoped(ctx), id)
			if err == nil {
				o, err = people.EditOrganisation(by, id, v, in.Body.over(o))
			}
			return answer(ctx, http.StatusOK, o, err)
		})
}

func (a *API) organisations(ctx context.Context, in *organisationsInput) (*organisationsOutput, error) {
	const list = "organisations"
	place, err := a.cursorPlace(door.ActorOf(ctx), list, in.Cursor)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	all, next, err := a.cfg.House.People.Organisations(door.ActorOf(ctx), access.Page{Cursor: place, Limit: in.Limit})
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	next = a.placeCursor(door.ActorOf(ctx), list, next)
	return &organisationsOutput{nextLink(base+"/organisations", nil, in.Limit, next), OrganisationsPage{append([]access.Organisation{}, all...), next}}, nil
}
