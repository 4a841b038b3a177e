package access

import (
	"encoding/base64"
	"strconv"
	"time"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Organisations, which people belong to and act for.

// Organisation whose people use the node. Type, Size and Country are codes of configs/codes; Size may be "".
type Organisation struct {
	ID          OrganisationID   `json:"id"`
	Name        string           `json:"name"`
	Type        string           `json:"type"`
	Size        string           `json:"size,omitempty"`
	Country     protocol.Country `json:"country"`
	ROR         string           `json:"ror,omitempty"` // identifier only, without https://ror.org/
	Contact     Contact          `json:"contact"`
	LastScore   int              `json:"last_score"` // of its last reviewed listing, 0 to 20
	Scored      bool             `json:"scored"`     // whether there was one
	SelfPublish bool             `json:"self_publish"`
	Disabled    bool             `json:"disabled"` // its people can neither sign in nor use tokens
	Created     time.Time        `json:"created"`
	Version     uint64           `json:"version"`
}

// Contact is where to ask about an organisation's listings: a desk, not a person.
type Contact struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	Phone string `json:"phone,omitempty"`
	URL   string `json:"url,omitempty"`
}

// OrganisationFields are what an administrator says of an organisation.
type OrganisationFields struct {
	Name        string
	Type        string
	Size        string
	Country     protocol.Country
	ROR         string
	Contact     Contact
	SelfPublish bool // its listings are published without review
	Disabled    bool
}

// apply the fields, or say all that is wrong with them.
func (o *Organisation) apply(in OrganisationFields) error {
	var f faults
	o.Name = f.line("name", in.Name, 2, 120)
	o.Type, o.Size, o.Country = in.Type, in.Size, in.Country
	if !codes.Organisation().Has(in.Type) {
		f.add("type", "not a type of organisation: take a code of the list, such as “university”")
	}
	if in.Size != "" && !codes.Size().Has(in.Size) {
		f.add("size", "not a size class: take a code of the list, such as “medium”, or leave it out")
	}
	if !codes.Country().Has(string(in.Country)) {
		f.add("country", "not a country: take the two letters of ISO 3166, such as “KH”")
	}
	o.ROR = f.ror(in.ROR)
	o.Contact = Contact{
		Name: f.line("contact.name", in.Contact.Name, 0, 120), Phone: f.line("contact.phone", in.Contact.Phone, 0, 40),
		URL: f.web("contact.url", in.Contact.URL),
	}
	if in.Contact.Email != "" {
		e, err := Email(in.Contact.Email)
		if err != nil {
			f.add("contact.email", "an e-mail address looks like name@example.org")
		}
		o.Contact.Email = e
	}
	o.SelfPublish, o.Disabled = in.SelfPublish, in.Disabled
	return f.err()
}

// nameKey under which a name is found; a long one ends in its hash, so that it stays a key.
func nameKey(name string) string {
	k := fold(name)
	if len(k) > 220 {
		k = k[:150] + hashOf(k)
	}
	return "n/" + k
}

// putOrganisation writes it; before is what it replaces, nil for a new one.
func putOrganisation(tx *store.Tx, before, o *Organisation) error {
	key := nameKey(o.Name)
	if before == nil || nameKey(before.Name) != key {
		taken, err := tx.Row(store.TableOrganisation, key)
		if err != nil {
			return err
		}
		if taken != nil {
			return protocol.Errors{protocol.Errorf(protocol.CodeConflict, "name", "an organisation of this name is here already: use that one, or tell the two apart in the name")}
		}
		if before != nil {
			if err := tx.DeleteRow(store.TableOrganisation, nameKey(before.Name)); err != nil {
				return err
			}
		}
		if err := tx.SetRow(store.TableOrganisation, key, []byte(o.ID)); err != nil {
			return err
		}
	}
	o.Version++
	return write(tx, store.TableOrganisation, "o/"+string(o.ID), o)
}

func (r *Registry) createOrganisation(tx *store.Tx, in OrganisationFields) (*Organisation, error) {
	o := &Organisation{ID: OrganisationID(newID("o")), Created: r.now()}
	if err := o.apply(in); err != nil {
		return nil, err
	}
	return o, putOrganisation(tx, nil, o)
}

// CreateOrganisation enters an organisation.
//
// Errors: CodeNotPermitted; CodeValue, a fault a field; CodeConflict where the name is taken.
func (r *Registry) CreateOrganisation(by Actor, in OrganisationFields) (o Organisation, err error) {
	if err := Can(by, CreateOrganisation, Resource{}); err != nil {
		return o, err
	}
	err = r.update(func(tx *store.Tx) error {
		made, err := r.createOrganisation(tx, in)
		if err != nil {
			return err
		}
		o = *made
		return r.log(tx, by, "organisation.create", "organisation", string(o.ID), map[string]string{"type": o.Type, "country": string(o.Country)})
	})
	return o, err
}

// EditOrganisation replaces the fields of an organisation that is at that version.
//
// Errors: as CreateOrganisation; CodeNotFound; CodeConflict where it is at another version.
func (r *Registry) EditOrganisation(by Actor, id OrganisationID, version uint64, in OrganisationFields) (o Organisation, err error) {
	if err := Can(by, EditOrganisation, Resource{Organisation: id}); err != nil {
		return o, err
	}
	err = r.update(func(tx *store.Tx) error {
		before, err := r.LookupOrganisation(tx, id)
		if err != nil {
			return err
		}
		if err := stale(before.Version, version); err != nil {
			return err
		}
		o = *before
		if err := o.apply(in); err != nil {
			return err
		}
		if o.Disabled && !before.Disabled {
			if err := keepsAdmin(tx, func(u *user) bool { return u.Organisation != id }); err != nil {
				return err
			}
		}
		if err := putOrganisation(tx, before, &o); err != nil {
			return err
		}
		return r.log(tx, by, "organisation.edit", "organisation", string(id), map[string]string{
			"disabled": strconv.FormatBool(o.Disabled), "self_publish": strconv.FormatBool(o.SelfPublish), "version": strconv.FormatUint(o.Version, 10),
		})
	})
	return o, err
}

// SetStanding notes what a review made of an organisation, in the reviewing transaction; whoever calls it has asked Can.
func (r *Registry) SetStanding(tx *store.Tx, by Actor, id OrganisationID, score int, selfPublish bool) error {
	o, err := r.LookupOrganisation(tx, id)
	if err != nil {
		return err
	}
	o.LastScore, o.Scored, o.SelfPublish = score, true, selfPublish
	if err := putOrganisation(tx, o, o); err != nil {
		return err
	}
	return r.log(tx, by, "organisation.standing", "organisation", string(id), map[string]string{
		"score": strconv.Itoa(score), "self_publish": strconv.FormatBool(selfPublish),
	})
}

// LookupOrganisation reads an organisation for another package of the node, which has asked Can.
//
// Errors: CodeNotFound.
func (r *Registry) LookupOrganisation(tx *store.Tx, id OrganisationID) (*Organisation, error) {
	o, err := read[Organisation](tx, store.TableOrganisation, "o/"+string(id))
	if err == nil && o == nil {
		err = notFound("organisation")
	}
	return o, err
}

// Organisation reads one.
//
// Errors: CodeNotPermitted, CodeNotFound.
func (r *Registry) Organisation(by Actor, id OrganisationID) (o Organisation, err error) {
	if err := Can(by, ReadOrganisation, Resource{Organisation: id}); err != nil {
		return o, err
	}
	err = r.view(func(tx *store.Tx) error {
		found, err := r.LookupOrganisation(tx, id)
		if err == nil {
			o = *found
		}
		return err
	})
	return o, err
}

// Organisations lists them by name. next is the cursor of the page that follows, "" where there is none.
//
// Errors: CodeNotPermitted, CodeValue.
func (r *Registry) Organisations(by Actor, p Page) (all []Organisation, next string, err error) {
	if err := Can(by, ReadOrganisation, Resource{}); err != nil {
		return nil, "", err
	}
	if p, err = p.check(); err != nil {
		return nil, "", err
	}
	after, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err != nil {
		return nil, "", protocol.Errorf(protocol.CodeValue, "cursor", "this is no cursor of this list: begin without one")
	}
	from := ""
	if len(after) > 0 {
		from = "n/" + string(after)
	}
	err = r.view(func(tx *store.Tx) error {
		last := ""
		return tx.Rows(store.TableOrganisation, "n/", from, func(key string, id []byte) (bool, error) {
			if len(all) == p.Limit {
				next = base64.RawURLEncoding.EncodeToString([]byte(last))
				return false, nil
			}
			o, err := r.LookupOrganisation(tx, OrganisationID(id))
			if err != nil {
				return false, err
			}
			all, last = append(all, *o), key[2:]
			return true, nil
		})
	})
	return all, next, err
}
