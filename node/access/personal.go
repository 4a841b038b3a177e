package access

import (
	"slices"

	"github.com/asean-tmh/tmh/store"
)

// PersonalData is everything that this package holds about a person. Secrets and their hashes are none of it: they are not
// about the person, and a copy of them would open the account.
type PersonalData struct {
	Profile      User          `json:"profile"`
	HasPassword  bool          `json:"has_password"`
	Organisation *Organisation `json:"organisation,omitempty"`
	Sessions     []Session     `json:"sessions"`
	Tokens       []Token       `json:"tokens"`
	Links        []LinkSent    `json:"links"` // sent to the person
	Invited      []Invitation  `json:"invited"`
}

// LinkSent tells of a link, not what it proves.
type LinkSent struct {
	Purpose Purpose    `json:"purpose"`
	Link    Invitation `json:"link"`
	Used    bool       `json:"used"`
}

// links of a person: sent to it (mine), and the invitations that it sent (sent).
func linksOf(tx *store.Tx, u *user) (mine map[string]*link, sent map[string]*link, err error) {
	mine, sent = make(map[string]*link), make(map[string]*link)
	hashes, err := keys(tx, store.TableInvitation, "l/", "", everything)
	for _, h := range hashes {
		l, err := read[link](tx, store.TableInvitation, "l/"+h)
		if err != nil {
			return nil, nil, err
		}
		if l.Subject == string(u.ID) || l.Email != "" && l.Email == u.Email {
			mine[h] = l
		}
		if l.By == u.ID && l.Purpose == PurposeInvitation {
			sent[h] = l
		}
	}
	return mine, sent, err
}

// Export gathers a person's data.
//
// Errors: CodeNotPermitted, CodeNotFound.
func (r *Registry) Export(by Actor, id UserID) (d PersonalData, err error) {
	if err := Can(by, ExportPerson, Resource{User: id}); err != nil {
		return d, err
	}
	err = r.view(func(tx *store.Tx) error {
		u, err := userOf(tx, id)
		if err != nil {
			return err
		}
		d = PersonalData{Profile: u.User, HasPassword: u.PasswordHash != ""}
		if u.Organisation != "" {
			if d.Organisation, err = r.LookupOrganisation(tx, u.Organisation); err != nil {
				return err
			}
		}
		if d.Sessions, err = r.sessionsOf(tx, u); err != nil {
			return err
		}
		if d.Tokens, err = tokensOf(tx, id); err != nil {
			return err
		}
		mine, sent, err := linksOf(tx, u)
		for h, l := range mine {
			d.Links = append(d.Links, LinkSent{Purpose: l.Purpose, Link: l.invitation(h), Used: l.Used})
		}
		for h, l := range sent {
			d.Invited = append(d.Invited, l.invitation(h))
		}
		slices.SortFunc(d.Links, func(a, b LinkSent) int { return a.Link.Created.Compare(b.Link.Created) })
		slices.SortFunc(d.Invited, func(a, b Invitation) int { return a.Created.Compare(b.Created) })
		return err
	})
	return d, err
}

// Erase removes a person: profile, address, password, sessions, tokens, links, and by the hooks what other packages hold. What
// refers to the person keeps an id that names nobody. It cannot be taken back.
//
// Errors: CodeNotPermitted, CodeNotFound; CodeConflict where it is the last administrator.
func (r *Registry) Erase(by Actor, id UserID) error {
	if err := Can(by, ErasePerson, Resource{User: id}); err != nil {
		return err
	}
	return r.update(func(tx *store.Tx) error {
		u, err := userOf(tx, id)
		if err != nil {
			return err
		}
		if u.Erased {
			return notFound("person")
		}
		if u.administers() {
			if err := keepsAdmin(tx, func(x *user) bool { return x.ID != id }); err != nil {
				return err
			}
		}
		// The event comes first: a hook may forget whose pseudonym it is.
		if err := r.log(tx, by, "user.erase", "user", string(id), nil); err != nil {
			return err
		}
		for _, hook := range r.cfg.OnErase {
			if err := hook(tx, id); err != nil {
				return err
			}
		}
		return r.eraseRows(tx, u)
	})
}

func (r *Registry) eraseRows(tx *store.Tx, u *user) error {
	if err := endSessions(tx, u.ID, ""); err != nil {
		return err
	}
	tokens, err := tokensOf(tx, u.ID)
	if err != nil {
		return err
	}
	for _, x := range tokens {
		t, err := read[token](tx, store.TableToken, "t/"+string(x.ID))
		if err != nil {
			return err
		}
		if err := dropToken(tx, t); err != nil {
			return err
		}
	}
	mine, _, err := linksOf(tx, u)
	if err != nil {
		return err
	}
	for h := range mine {
		if err := dropLink(tx, h); err != nil {
			return err
		}
	}
	for _, kind := range []string{wrongEmail, resetEmail} {
		key, err := subject(tx, kind, u.Email)
		if err != nil {
			return err
		}
		if err := r.forget(tx, key); err != nil {
			return err
		}
	}
	gone := &user{User: User{ID: u.ID, Erased: true, Disabled: true, Version: u.Version}, Epoch: u.Epoch + 1}
	return putUser(tx, u, gone)
}
