package house

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/mail"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// What the house writes to people, and where its links lead.

// Link is the address of the page that a link of this purpose opens. Without a public address it is the path alone.
func (h *House) Link(p access.Purpose, secret string) string {
	path := map[access.Purpose]string{
		access.PurposeSetup: "/setup", access.PurposeInvitation: "/invitation", access.PurposeVerification: "/verify", access.PurposeReset: "/reset",
	}[p]
	return h.cfg.PublicURL + path + "?key=" + url.QueryEscape(secret)
}

// deliver puts a link's mail into the queue. Without mail the administrator gets the link, who asked for it.
func (h *House) deliver(tx *store.Tx, d access.Delivery) error {
	link := h.Link(d.Purpose, d.Secret)
	var m mail.Message
	switch d.Purpose {
	case access.PurposeInvitation:
		o, err := h.People.LookupOrganisation(tx, d.Organisation)
		if err != nil {
			return err
		}
		roles := make([]string, len(d.Roles))
		for i, r := range d.Roles {
			roles[i] = string(r)
		}
		m = mail.Invitation{Name: d.Name, Organisation: o.Name, Role: strings.Join(roles, ", "), Link: link, Until: d.Expires}
	case access.PurposeVerification:
		m = mail.Verification{Name: d.Name, Link: link, Until: d.Expires}
	case access.PurposeReset:
		m = mail.Reset{Name: d.Name, Link: link, Until: d.Expires}
	default:
		return nil
	}
	return h.enqueue(tx, d.Email, m)
}

func (h *House) enqueue(tx *store.Tx, to string, m mail.Message) error {
	if err := h.Mail.Enqueue(tx, to, m); err != nil && !errors.Is(err, mail.ErrNoMail) {
		return err
	}
	return nil
}

// notify tells the author of a listing what became of it, or the organisation where the author is gone.
func (h *House) notify(tx *store.Tx, n posting.Notice) error {
	to, name, err := h.addressee(tx, n.Author, n.Organisation)
	if err != nil || to == "" {
		return err
	}
	link := h.cfg.PublicURL + "/postings/" + string(n.ID)
	switch n.Occasion {
	case posting.OnReminder:
		return h.enqueue(tx, to, mail.Reminder{Name: name, Title: n.Title, Reference: n.Reference, Link: link, Days: n.Days, Until: n.ValidUntil.Time()})
	case posting.OnPublished, posting.OnReturned, posting.OnRejected, posting.OnFault:
		outcome := map[posting.Occasion]string{
			posting.OnPublished: "published", posting.OnReturned: "returned, to be revised", posting.OnRejected: "rejected",
			posting.OnFault: "published, but an audit found it wanting",
		}[n.Occasion]
		return h.enqueue(tx, to, mail.Decision{
			Name: name, Title: n.Title, Reference: n.Reference, Link: link, Outcome: outcome, Score: fmt.Sprintf("%d of 20", n.Score), Comment: n.Comment,
		})
	case posting.OnImportEnds:
		return h.enqueue(tx, to, mail.Notice{
			Name: name, What: "The validity of listings that came from “" + n.Origin + "” ends on " + n.ValidUntil.String() + " and later",
			Details: "“" + n.Title + "” is one of them. Import them again, or let the repository be harvested: what the source still has is renewed. You hear of each origin once a day at most.",
			Link:    h.cfg.PublicURL + "/account", At: h.cfg.Now(),
		})
	case posting.OnRevoked:
		return h.enqueue(tx, to, mail.Notice{Name: name, What: "Your listing “" + n.Title + "” was revoked by the agency", Details: n.Comment, Link: link, At: h.cfg.Now()})
	case posting.OnExpired:
		return h.enqueue(tx, to, mail.Notice{Name: name, What: "The validity of your listing “" + n.Title + "” has ended; one action renews it", Link: link, At: h.cfg.Now()})
	}
	return nil
}

func (h *House) addressee(tx *store.Tx, author access.UserID, org access.OrganisationID) (to, name string, err error) {
	if author != "" {
		u, err := h.People.LookupUser(tx, author)
		if err != nil && protocol.CodeOf(err) != protocol.CodeNotFound {
			return "", "", err
		}
		if u != nil && !u.Erased && !u.Disabled && u.Verified {
			return u.Email, u.Name, nil
		}
	}
	o, err := h.People.LookupOrganisation(tx, org)
	if o == nil || err != nil {
		if protocol.CodeOf(err) == protocol.CodeNotFound {
			err = nil
		}
		return "", "", err
	}
	return o.Contact.Email, o.Contact.Name, nil
}
