package intake

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/intake/mapping"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// What an organisation keeps for its imports: mappings.

const (
	maxName    = 80        // characters of the name of a mapping or repository
	maxMapping = 256 << 10 // bytes of a mapping
)

// Saved is a mapping that an organisation keeps under a name.
type Saved struct {
	Organisation access.OrganisationID `json:"organisation"`
	Name         string                `json:"name"`
	Version      uint64                `json:"version"`
	Updated      protocol.Instant      `json:"updated"`
	By           access.UserID         `json:"by,omitempty"` // who saved it; "" for the operator
	Mapping      mapping.Mapping       `json:"mapping"`
}

// checkName accepts what can stand in an address and in a list: letters and digits of any script, and a little between them.
func checkName(s string) error {
	switch {
	case s == "":
		return protocol.Errorf(protocol.CodeRequired, "name", "is absent: give it a name such as “annual list”")
	case !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxName:
		return protocol.Errorf(protocol.CodeTooLarge, "name", "is over %d characters: shorten it", maxName)
	case strings.TrimSpace(s) != s || s[0] == '.' || strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.M, unicode.Nd) && !strings.ContainsRune(" -_.()", r)
	}):
		return protocol.Errorf(protocol.CodeValue, "name", "has characters that a name cannot have: take letters, digits, spaces and - _ . ( )")
	}
	return nil
}

func mappingKey(org access.OrganisationID, name string) string {
	return "m/" + string(org) + "/" + name
}

func sourceKey(org access.OrganisationID, name string) string { return "r/" + string(org) + "/" + name }

// load a row of JSON; false where there is none.
func load(tx *store.Tx, key string, into any) (bool, error) {
	b, err := tx.Row(store.TableIntake, key)
	if err != nil || b == nil {
		return false, err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return false, &protocol.Error{Code: protocol.CodeInternal, Message: "what is kept of imports is damaged", Err: err}
	}
	return true, nil
}

func save(tx *store.Tx, key string, x any) error {
	b, err := json.Marshal(x)
	if err != nil {
		return err
	}
	return tx.SetRow(store.TableIntake, key, b)
}

// under counts the rows below a prefix.
func under(tx *store.Tx, prefix string) (n int, err error) {
	err = tx.Rows(store.TableIntake, prefix, "", func(string, []byte) (bool, error) {
		n++
		return true, nil
	})
	return n, err
}

// atVersion refuses a change of what was changed meanwhile.
func atVersion(what string, is, want uint64) error {
	switch {
	case is == want:
		return nil
	case is == 0:
		return protocol.Errorf(protocol.CodeNotFound, "name", "there is no such %s: the list has those that there are", what)
	case want == 0:
		return protocol.Errorf(protocol.CodeConflict, "version", "there is a %s of this name already: take another name, or change that one from its version %d", what, is)
	}
	return protocol.Errorf(protocol.CodeConflict, "version", "the %s was changed meanwhile: it is at version %d now, and yours is %d. Load it again", what, is, want)
}

// SaveMapping keeps a mapping under a name: a new one (version 0), or in place of the one that is at that version.
//
// Errors: all faults of name and mapping; CodeConflict where it is at another version; CodeQuota where there are too many.
func (p *Imports) SaveMapping(a access.Actor, org access.OrganisationID, name string, m mapping.Mapping, version uint64) (s Saved, err error) {
	if _, err := p.may(a, org); err != nil {
		return s, err
	}
	faults := protocol.All(checkName(name))
	if err := m.Validate(); err != nil {
		faults = append(faults, protocol.All(err)...)
	}
	if b, err := json.Marshal(m); err != nil || len(b) > maxMapping {
		faults = append(faults, protocol.Errorf(protocol.CodeTooLarge, "mapping", "is over %d KiB: shorten its lists of values", maxMapping>>10))
	}
	if len(faults) > 0 {
		return s, faults
	}
	key := mappingKey(org, name)
	err = p.cfg.Store.Update(func(tx *store.Tx) error {
		s = Saved{}
		if _, err := load(tx, key, &s); err != nil {
			return err
		}
		if err := atVersion("mapping", s.Version, version); err != nil {
			return err
		}
		if n, err := under(tx, mappingKey(org, "")); err != nil {
			return err
		} else if s.Version == 0 && n >= p.cfg.Limits.Mappings {
			return protocol.Errorf(protocol.CodeQuota, "", "this organisation has %d mappings, and no more are kept: delete one", n)
		}
		s = Saved{Organisation: org, Name: name, Version: version + 1, Updated: p.now(), By: a.User, Mapping: m}
		if err := save(tx, key, &s); err != nil {
			return err
		}
		return p.audit(tx, a, "mapping.save", "mapping", name, org, nil)
	})
	return s, err
}

// Mapping of an organisation.
func (p *Imports) Mapping(a access.Actor, org access.OrganisationID, name string) (s Saved, err error) {
	if err := access.Can(a, access.ReadImport, p.resource(org)); err != nil {
		return s, err
	}
	err = p.cfg.Store.View(func(tx *store.Tx) error {
		s, err = p.saved(tx, org, name)
		return err
	})
	return s, err
}

func (p *Imports) saved(tx *store.Tx, org access.OrganisationID, name string) (s Saved, err error) {
	if len(name) > 4*maxName {
		name = ""
	}
	found, err := load(tx, mappingKey(org, name), &s)
	if err == nil && !found {
		err = protocol.Errorf(protocol.CodeNotFound, "mapping", "there is no mapping of this name: the list of mappings has those that there are")
	}
	return s, err
}

// Mappings of an organisation, by name.
func (p *Imports) Mappings(a access.Actor, org access.OrganisationID) (all []Saved, err error) {
	if err := access.Can(a, access.ReadImport, p.resource(org)); err != nil {
		return nil, err
	}
	err = p.cfg.Store.View(func(tx *store.Tx) error {
		return tx.Rows(store.TableIntake, mappingKey(org, ""), "", func(_ string, b []byte) (bool, error) {
			var s Saved
			err := json.Unmarshal(b, &s)
			all = append(all, s)
			return true, err
		})
	})
	return all, err
}

// DeleteMapping that is at a version. Jobs that began with it go on with it.
//
// Errors: CodeConflict where it is at another version, or a repository uses it.
func (p *Imports) DeleteMapping(a access.Actor, org access.OrganisationID, name string, version uint64) error {
	if _, err := p.may(a, org); err != nil {
		return err
	}
	return p.cfg.Store.Update(func(tx *store.Tx) error {
		s, err := p.saved(tx, org, name)
		if err != nil {
			return err
		}
		if err := atVersion("mapping", s.Version, version); err != nil {
			return err
		}
		all, err := sources(tx, org)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(all, func(s Source) bool { return s.Mapping == name }); i >= 0 {
			return protocol.Errorf(protocol.CodeConflict, "mapping", "the repository “%s” is harvested by this mapping: give it another one first", all[i].Name)
		}
		if err := tx.DeleteRow(store.TableIntake, mappingKey(org, name)); err != nil {
			return err
		}
		return p.audit(tx, a, "mapping.delete", "mapping", name, org, nil)
	})
}

// filled says what the mapping leaves unsaid and the organisation knows: its country, and who posts.
func filled(m mapping.Mapping, o Organisation) mapping.Mapping {
	m.Rules = slices.Clone(m.Rules)
	if o.Country != "" && !slices.ContainsFunc(m.Rules, func(r mapping.Rule) bool { return r.To == "listing.country" && r.Constant != "" }) {
		m.SetConstant("listing.country", string(o.Country))
	}
	if slices.ContainsFunc(m.Rules, func(r mapping.Rule) bool { return strings.HasPrefix(r.To, "listing.organisation.") }) {
		return m
	}
	if o.Name != "" {
		m.SetConstant("listing.organisation.name", o.Name)
	}
	if o.Type != "" {
		m.SetConstant("listing.organisation.type", o.Type)
	}
	return m
}
