package house

import (
	"errors"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/access/oidc"
	"github.com/asean-tmh/tmh/node/access/passkey"
	"github.com/asean-tmh/tmh/node/audit"
	"github.com/asean-tmh/tmh/node/document"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/node/saved"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Where the parts of the house touch each other.

func kindOf(operator bool, person, token string) audit.ActorKind {
	switch {
	case operator:
		return audit.Operator
	case token != "":
		return audit.Token
	case person != "":
		return audit.Person
	}
	return audit.Node
}

func (h *House) auditAccess(tx *store.Tx, e access.Event) error {
	ev := audit.Event{
		Kind: kindOf(e.ByKind == "operator", string(e.By), string(e.Token)), Actor: string(e.By), Token: string(e.Token),
		Action: e.Action, ResourceKind: e.Kind, Resource: e.ID, Detail: e.Detail,
	}
	if e.Kind == "user" {
		ev.ResourceKind = audit.ResourcePerson
	}
	return h.Audit.Append(tx, ev)
}

func (h *House) auditPosting(tx *store.Tx, e posting.Event) error {
	if err := h.ended(tx, e); err != nil {
		return err
	}
	ev := audit.Event{
		Kind: kindOf(e.Operator, string(e.Actor), string(e.Token)), Actor: string(e.Actor), Token: string(e.Token), Action: e.Action,
		ResourceKind: "posting", Resource: string(e.ID), Detail: e.Detail,
	}
	if err := h.Audit.Append(tx, ev); err != nil || e.Reviewer == "" {
		return err
	}
	ev.ResourceKind, ev.Resource, ev.Detail = audit.ResourcePerson, string(e.Reviewer), map[string]string{"listing": string(e.ID)}
	return h.Audit.Append(tx, ev) // the same deed once more, about the person: the log holds people by their pseudonyms alone
}

func (h *House) auditImport(tx *store.Tx, e intake.Event) error {
	return h.Audit.Append(tx, audit.Event{
		Kind: kindOf(e.Operator, string(e.Actor), string(e.Token)), Actor: string(e.Actor), Token: string(e.Token), Action: e.Action,
		ResourceKind: e.Kind, Resource: e.ID, Detail: e.Detail,
	})
}

// goesOn is who began something that goes on by itself, as he stands at this moment: what a token began ends with the token.
func (h *House) goesOn(person access.UserID, token access.TokenID) (a access.Actor, err error) {
	if token == "" {
		return h.Colleague(person)
	}
	if a, err = h.People.ActingBy(token); err == nil && a.User != person {
		err = protocol.Errorf(protocol.CodeNotPermitted, "", "this token is somebody else's")
	}
	return a, err
}

// importer is what an import says of an organisation where its source says nothing.
func (h *House) importer(id access.OrganisationID) (o intake.Organisation, err error) {
	err = h.Store.View(func(tx *store.Tx) error {
		found, err := h.People.LookupOrganisation(tx, id)
		if err == nil {
			o = intake.Organisation{Name: found.Name, Type: found.Type, Country: found.Country, Disabled: found.Disabled}
		}
		return err
	})
	return o, err
}

// note writes into the audit log what somebody did to a thing of the house that is no posting and no account.
func (h *House) note(tx *store.Tx, a access.Actor, action, kind, id string, detail map[string]string) error {
	return h.Audit.Append(tx, audit.Event{
		Kind: kindOf(a.Operator, string(a.User), string(a.Token)), Actor: string(a.User), Token: string(a.Token), Action: action,
		ResourceKind: kind, Resource: id, Detail: detail,
	})
}

// Note writes into the audit log what somebody did past the house, in a transaction of its own: on the node itself, to its
// catalogue, papers or backups. What was done stands; where it cannot be noted the node's own log says so.
func (h *House) Note(a access.Actor, action, kind, id string, detail map[string]string) {
	if err := h.Store.Update(func(tx *store.Tx) error { return h.note(tx, a, action, kind, id, detail) }); err != nil {
		h.cfg.Log.Error("not noted in the audit log", "action", action, "resource", id, "error", err)
	}
}

// erase forgets a person in what the registry does not keep itself.
func (h *House) erase(tx *store.Tx, id access.UserID) error {
	u, err := h.People.LookupUser(tx, id)
	if err != nil && protocol.CodeOf(err) != protocol.CodeNotFound {
		return err
	}
	errs := []error{passkey.Erase(tx, string(id)), oidc.Erase(tx, string(id)), h.Audit.Erase(tx, string(id)), saved.Erase(tx, string(id))}
	if u != nil && u.Email != "" {
		errs = append(errs, h.Mail.Forget(tx, u.Email), h.Library.Grants().Erase(tx, h.cfg.Member, u.Email))
	}
	return errors.Join(errs...)
}

func (h *House) standing(tx *store.Tx, id access.OrganisationID) (posting.Standing, error) {
	o, err := h.People.LookupOrganisation(tx, id)
	if err != nil {
		return posting.Standing{}, err
	}
	return posting.Standing{LastScore: o.LastScore, SelfPublish: o.SelfPublish, Disabled: o.Disabled}, nil
}

// contact is where to ask about an organisation's listings: at its own desk, else at the agency; of none, at the agency.
func (h *House) contact(tx *store.Tx, id access.OrganisationID) (protocol.Contact, error) {
	if id == "" {
		return protocol.Contact(h.cfg.Agency), nil
	}
	o, err := h.People.LookupOrganisation(tx, id)
	if err != nil {
		return protocol.Contact{}, err
	}
	if c := o.Contact; c.Email != "" || c.Phone != "" || c.URL != "" {
		if c.Name == "" {
			c.Name = o.Name
		}
		return protocol.Contact(c), nil
	}
	return protocol.Contact(h.cfg.Agency), nil
}

func (h *House) setStanding(tx *store.Tx, id access.OrganisationID, s posting.Standing) error {
	return h.People.SetStanding(tx, access.Actor{Member: h.cfg.Member}, id, s.LastScore, s.SelfPublish)
}

// attach keeps exactly the documents that a posting names. A new one is its organisation's own, which sent it here.
func (h *House) attach(tx *store.Tx, p *posting.Posting, all []protocol.Document) error {
	id := p.ID
	have, err := document.Attached(tx, id)
	if err != nil {
		return err
	}
	want := make(map[protocol.Hash]bool)
	for _, d := range all {
		want[d.Hash] = true
	}
	kept := make(map[protocol.Hash]bool)
	for _, d := range have {
		if kept[d.Hash] = want[d.Hash]; !want[d.Hash] {
			if err := document.Detach(tx, id, d.Hash); err != nil {
				return err
			}
		}
	}
	for i, d := range all {
		if err := asKept(tx, d, i, kept[d.Hash], p.Organisation); err != nil {
			return err
		}
		if kept[d.Hash] {
			continue
		}
		if err := document.Attach(tx, id, d.Hash, h.cfg.Documents); err != nil {
			return ofRecord(err)
		}
	}
	return nil
}

func (h *House) emailOf(id access.UserID) (email string, err error) {
	err = h.Store.View(func(tx *store.Tx) error {
		u, err := h.People.LookupUser(tx, id)
		if err == nil && u.Verified && !u.Disabled && !u.Erased {
			email = u.Email
		}
		return err
	})
	return email, err
}
