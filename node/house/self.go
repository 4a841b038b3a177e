package house

import (
	"context"
	"io"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/access/oidc"
	"github.com/asean-tmh/tmh/node/access/passkey"
	"github.com/asean-tmh/tmh/node/audit"
	"github.com/asean-tmh/tmh/node/saved"
	"github.com/asean-tmh/tmh/store"
)

// What the parts of the house hold about a person, and what the log says.

// PersonalData is everything that the node holds about a person.
type PersonalData struct {
	access.PersonalData
	Passkeys   []passkey.Passkey `json:"passkeys"`
	Identities []oidc.Link       `json:"identities"`
	Searches   []saved.Search    `json:"searches"`
	Acts       []audit.Entry     `json:"acts"` // the newest of what the audit log says that the person did
}

// Export gathers what the node holds about a person.
func (h *House) Export(by access.Actor, id access.UserID) (d PersonalData, err error) {
	if d.PersonalData, err = h.People.Export(by, id); err != nil { // judges who asks
		return d, err
	}
	if by.User != id && !d.Profile.Erased { // who looks at another's data is on record
		if err := h.Store.Update(func(tx *store.Tx) error {
			return h.note(tx, by, "user.export", audit.ResourcePerson, string(id), nil)
		}); err != nil {
			return PersonalData{}, err
		}
	}
	err = h.Store.View(func(tx *store.Tx) (err error) {
		if d.Passkeys, err = passkey.List(tx, string(id)); err != nil {
			return err
		}
		if d.Identities, err = oidc.Links(tx, string(id)); err != nil {
			return err
		}
		if d.Searches, err = saved.List(tx, string(id)); err != nil {
			return err
		}
		d.Acts, _, err = h.Audit.List(tx, audit.Filter{Actor: string(id)}, 0, audit.MaxPage)
		return err
	})
	return d, err
}

// HasPassword reports whether a person can sign in by password.
func (h *House) HasPassword(id access.UserID) (has bool, err error) {
	err = h.Store.View(func(tx *store.Tx) error {
		has, err = h.People.HasPassword(tx, id)
		return err
	})
	return has, err
}

// OrganisationOf the actor, whom no rule has to allow to know it.
func (h *House) OrganisationOf(a access.Actor) (o *access.Organisation, err error) {
	if a.Organisation == "" {
		return nil, nil
	}
	err = h.Store.View(func(tx *store.Tx) error {
		o, err = h.People.LookupOrganisation(tx, a.Organisation)
		return err
	})
	return o, err
}

// LogEntry is an entry of the audit log, with the people whom its pseudonyms stand for as long as they are not erased.
type LogEntry struct {
	audit.Entry
	ActorUser    string `json:"actor_user,omitempty"`
	ResourceUser string `json:"resource_user,omitempty"`
}

// Log lists entries of the audit log, the newest first, from before a number on; 0: from the newest. While next is not 0 there
// is more, also after an empty page.
func (h *House) Log(by access.Actor, f audit.Filter, before uint64, limit int) (list []LogEntry, next uint64, err error) {
	if err := access.Can(by, access.ReadAudit, access.Resource{Member: h.cfg.Member}); err != nil {
		return nil, 0, err
	}
	list = []LogEntry{}
	err = h.Store.View(func(tx *store.Tx) error {
		all, more, err := h.Audit.List(tx, f, before, limit)
		if next = more; err != nil {
			return err
		}
		for _, e := range all {
			x := LogEntry{Entry: e}
			if x.ActorUser, err = h.Audit.PersonOf(tx, e.Actor); err != nil {
				return err
			}
			if e.ResourceKind == audit.ResourcePerson {
				if x.ResourceUser, err = h.Audit.PersonOf(tx, e.Resource); err != nil {
					return err
				}
			}
			list = append(list, x)
		}
		return nil
	})
	return list, next, err
}

// ExportLog writes the audit log as JSON Lines.
func (h *House) ExportLog(ctx context.Context, by access.Actor, w io.Writer, f audit.Filter) error {
	if err := access.Can(by, access.ReadAudit, access.Resource{Member: h.cfg.Member}); err != nil {
		return err
	}
	_, err := h.Audit.Export(ctx, h.Store, w, f)
	return err
}

// LogHead is the newest entry of the audit log: what has to be noted outside the node for a truncation to be found.
func (h *House) LogHead(by access.Actor) (head audit.Anchor, err error) {
	if err := access.Can(by, access.ReadAudit, access.Resource{Member: h.cfg.Member}); err != nil {
		return head, err
	}
	err = h.Store.View(func(tx *store.Tx) error {
		head, err = h.Audit.Head(tx)
		return err
	})
	return head, err
}

// VerifyLog reads the whole audit log and its chain of hashes, and reports every fault.
func (h *House) VerifyLog(by access.Actor, report func(audit.Fault)) (head audit.Anchor, err error) {
	if err := access.Can(by, access.ReadAudit, access.Resource{Member: h.cfg.Member}); err != nil {
		return head, err
	}
	err = h.Store.View(func(tx *store.Tx) error {
		if head, err = h.Audit.Head(tx); err != nil {
			return err
		}
		_, err = audit.Verify(tx, h.cfg.Member, report)
		return err
	})
	return head, err
}
