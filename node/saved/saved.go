// Package saved keeps the searches that people want to run again: a name, and the address of the search as the pages write it. What
// the address means is theirs; here it is a text. A search belongs to one person, is seen by nobody else, and goes when the person
// is erased. One that was deleted can be put back for a day.
package saved

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Limits.
const (
	MaxSearches = 50   // of one person
	MaxAddress  = 1990 // bytes of a search: with what stands before it, no longer than an address that pages lead to
	MaxName     = 100  // characters

	kept       = 24 * time.Hour // what was deleted
	maxDeleted = 10             // of one person
)

// Search that a person saved.
type Search struct {
	ID      string           `json:"id"`
	Name    string           `json:"name"`
	Address string           `json:"address"` // its query, as in q=drying+fish&kind=TO
	Saved   protocol.Instant `json:"saved"`
	Looked  protocol.Instant `json:"looked"`            // when it was run last; at first as Saved
	Deleted protocol.Instant `json:"deleted,omitempty"` // 0: it stands
}

// Searches of all people. They are safe for concurrent use.
type Searches struct {
	store *store.Store
	now   func() time.Time
}

// New searches over a store.
func New(s *store.Store, now func() time.Time) *Searches { return &Searches{s, now} }

// List the searches of a person, by name.
func (x *Searches) List(person string) (list []Search, err error) {
	err = x.store.View(func(tx *store.Tx) error {
		list, err = List(tx, person)
		return err
	})
	return list, err
}

// List is List in a transaction.
func List(tx *store.Tx, person string) ([]Search, error) {
	all, err := every(tx, person)
	return slices.DeleteFunc(all, func(s Search) bool { return s.Deleted != 0 }), err
}

// Get a search of a person that was not deleted.
//
// Errors: CodeNotFound.
func (x *Searches) Get(person, id string) (s Search, err error) {
	err = x.store.View(func(tx *store.Tx) error {
		s, err = get(tx, person, id)
		return err
	})
	if err == nil && s.Deleted != 0 {
		err = none()
	}
	return s, err
}

// Add a search.
//
// Errors: CodeValue, CodeRequired and CodeTooLarge (name, address), CodeConflict where the person has that address already,
// CodeQuota.
func (x *Searches) Add(person, name, address string) (Search, error) {
	name, err := nameOf(name)
	if err != nil {
		return Search{}, err
	}
	if address == "" || len(address) > MaxAddress || !utf8.ValidString(address) {
		return Search{}, protocol.Errorf(protocol.CodeTooLarge, "", "this search has %d bytes, and at most %d can be saved: use fewer words", len(address), MaxAddress)
	}
	at := protocol.InstantOf(x.now())
	s := Search{ID: rand.Text(), Name: name, Address: address, Saved: at, Looked: at}
	return s, x.store.Update(func(tx *store.Tx) error {
		all, err := x.stand(tx, person)
		if err != nil {
			return err
		}
		if len(all) >= MaxSearches {
			return protocol.Errorf(protocol.CodeQuota, "", "you have saved %d searches, which is the most: delete one first", len(all))
		}
		for _, other := range all {
			if other.Address == address {
				return protocol.Errorf(protocol.CodeConflict, "", "you have saved this search already, as “%s”", other.Name)
			}
		}
		return put(tx, person, s)
	})
}

// Rename a search.
//
// Errors: CodeValue, CodeRequired (name), CodeNotFound.
func (x *Searches) Rename(person, id, name string) error {
	name, err := nameOf(name)
	if err != nil {
		return err
	}
	return x.change(person, id, func(s *Search) { s.Name = name })
}

// Look notes that a search is run now. Running it again within a minute changes nothing.
//
// Errors: CodeNotFound.
func (x *Searches) Look(person, id string) (Search, error) {
	s, err := x.Get(person, id)
	at := protocol.InstantOf(x.now())
	if err != nil || s.Looked <= at && at-s.Looked < 60 {
		return s, err
	}
	return s, x.change(person, id, func(s *Search) { s.Looked = at })
}

// Delete a search, which Restore puts back.
//
// Errors: CodeNotFound.
func (x *Searches) Delete(person, id string) error {
	return x.change(person, id, func(s *Search) { s.Deleted = protocol.InstantOf(x.now()) })
}

// Deleted is a search that Restore would put back.
//
// Errors: CodeNotFound.
func (x *Searches) Deleted(person, id string) (s Search, err error) {
	err = x.store.View(func(tx *store.Tx) error {
		s, err = get(tx, person, id)
		return err
	})
	if err == nil && (s.Deleted == 0 || x.over(s)) {
		err = none()
	}
	return s, err
}

// Restore a search that was deleted within a day. One that stands is left as it is.
//
// Errors: CodeNotFound, CodeQuota, CodeConflict where the person saved that address again meanwhile.
func (x *Searches) Restore(person, id string) error {
	return x.store.Update(func(tx *store.Tx) error {
		s, err := get(tx, person, id)
		if err != nil || s.Deleted == 0 {
			return err
		}
		if x.over(s) {
			return none()
		}
		all, err := List(tx, person)
		if err != nil {
			return err
		}
		for _, other := range all {
			if other.Address == s.Address {
				return protocol.Errorf(protocol.CodeConflict, "", "you have saved this search again already, as “%s”", other.Name)
			}
		}
		if len(all) >= MaxSearches {
			return protocol.Errorf(protocol.CodeQuota, "", "you have saved %d searches, which is the most: delete one first", len(all))
		}
		s.Deleted = 0
		return put(tx, person, s)
	})
}

// Held are all searches that the node holds of a person, those that were deleted and can still be put back among them.
func Held(tx *store.Tx, person string) ([]Search, error) { return every(tx, person) }

// Erase all searches of a person.
func Erase(tx *store.Tx, person string) error {
	all, err := every(tx, person)
	for _, s := range all {
		if err := tx.DeleteRow(store.TableSearch, key(person, s.ID)); err != nil {
			return err
		}
	}
	return err
}

// swept rows are looked at in one transaction.
const swept = 500

// Sweep lets go of what was deleted more than a day ago. To be called now and then; it takes short transactions.
func (x *Searches) Sweep() error {
	for after, more := "", true; more; {
		var gone []string
		more = false
		if err := x.store.View(func(tx *store.Tx) error {
			seen := 0
			return tx.Rows(store.TableSearch, "", after, func(key string, b []byte) (bool, error) {
				if seen++; seen > swept {
					more = true
					return false, nil
				}
				after = key
				var s Search
				if err := json.Unmarshal(b, &s); err != nil {
					return false, fmt.Errorf("read search: %w", err)
				}
				if s.Deleted != 0 && x.over(s) {
					gone = append(gone, key)
				}
				return true, nil
			})
		}); err != nil {
			return err
		}
		if len(gone) == 0 {
			continue
		}
		if err := x.store.Update(func(tx *store.Tx) error { // after a day nobody can have put one back
			for _, key := range gone {
				if err := tx.DeleteRow(store.TableSearch, key); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// change a search that stands.
func (x *Searches) change(person, id string, f func(*Search)) error {
	return x.store.Update(func(tx *store.Tx) error {
		if _, err := x.stand(tx, person); err != nil {
			return err
		}
		s, err := get(tx, person, id)
		if err == nil && s.Deleted != 0 {
			err = none()
		}
		if err != nil {
			return err
		}
		f(&s)
		return put(tx, person, s)
	})
}

func (x *Searches) over(s Search) bool { return x.now().Sub(s.Deleted.Time()) > kept }

// stand lists what stands, and lets go of what was deleted long ago or is too much.
func (x *Searches) stand(tx *store.Tx, person string) (list []Search, err error) {
	all, err := every(tx, person)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b Search) int { return int(b.Deleted - a.Deleted) })
	deleted := 0
	for _, s := range all {
		if s.Deleted == 0 {
			list = append(list, s)
			continue
		}
		if deleted++; deleted >= maxDeleted || x.over(s) {
			if err := tx.DeleteRow(store.TableSearch, key(person, s.ID)); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

func nameOf(name string) (string, error) {
	name = strings.Join(strings.Fields(name), " ")
	switch {
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return "", protocol.Errorf(protocol.CodeText, "name", "has characters that cannot be shown")
	case name == "":
		return "", protocol.Errorf(protocol.CodeRequired, "name", "give the search a name")
	case utf8.RuneCountInString(name) > MaxName:
		return "", protocol.Errorf(protocol.CodeTooLarge, "name", "has %d characters, at most %d", utf8.RuneCountInString(name), MaxName)
	}
	return name, nil
}

func none() error {
	return protocol.Errorf(protocol.CodeNotFound, "", "there is no such search: it may have been deleted")
}

func key(person, id string) string { return person + "/" + id }

func get(tx *store.Tx, person, id string) (s Search, err error) {
	if person == "" || id == "" || len(id) > 64 {
		return s, none()
	}
	b, err := tx.Row(store.TableSearch, key(person, id))
	if err != nil {
		return s, err
	}
	if b == nil {
		return s, none()
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("read search: %w", err)
	}
	return s, nil
}

func put(tx *store.Tx, person string, s Search) error {
	if person == "" {
		return protocol.Errorf(protocol.CodeNotPermitted, "", "searches are saved for people")
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return tx.SetRow(store.TableSearch, key(person, s.ID), b)
}

func every(tx *store.Tx, person string) (all []Search, err error) {
	all = []Search{}
	err = tx.Rows(store.TableSearch, key(person, ""), "", func(_ string, b []byte) (bool, error) {
		var s Search
		if err := json.Unmarshal(b, &s); err != nil {
			return false, fmt.Errorf("read search: %w", err)
		}
		all = append(all, s)
		return true, nil
	})
	slices.SortStableFunc(all, func(a, b Search) int { return strings.Compare(a.Name, b.Name) })
	return all, err
}
