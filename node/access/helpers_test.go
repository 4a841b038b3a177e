package access

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

const good = "river lantern copper sail"

// house is a registry with a clock that the test moves, and what it told of.
type house struct {
	*Registry
	t       testing.TB
	store   *store.Store
	clock   time.Time
	events  []Event
	mail    []Delivery
	erased  []UserID
	onErase func(*store.Tx, UserID)
	agency  OrganisationID
	admin   Actor // signed in
	secret  string
}

func (h *house) tick(d time.Duration) { h.clock = h.clock.Add(d) }

// newHouse without anybody.
func newHouse(t testing.TB) *house {
	t.Helper()
	s, err := store.Open(store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	h := &house{t: t, store: s, clock: time.Date(2026, 9, 21, 9, 0, 0, 0, time.UTC)}
	h.open()
	return h
}

// open a registry over the store: as after a restart.
func (h *house) open() {
	h.t.Helper()
	r, err := New(Config{
		Store: h.store, Member: "KH", Now: func() time.Time { return h.clock },
		Audit: func(_ *store.Tx, e Event) error {
			h.events = append(h.events, e)
			return nil
		},
		Deliver: func(_ *store.Tx, d Delivery) error {
			h.mail = append(h.mail, d)
			return nil
		},
		OnErase: []func(*store.Tx, UserID) error{func(tx *store.Tx, id UserID) error {
			h.erased = append(h.erased, id)
			if h.onErase != nil {
				h.onErase(tx, id)
			}
			return nil
		}},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.Registry = r
}

var agencyFields = OrganisationFields{Name: "Agency of Innovation", Type: "agency", Size: "medium", Country: "KH", Contact: Contact{Email: "desk@agency.example"}}

// furnished house: with an administrator, whose account is made by the setup link.
func furnished(t testing.TB) *house {
	t.Helper()
	h := newHouse(t)
	secret, _, err := h.SetupLink(Operator("KH"))
	h.must(err)
	s, err := h.Setup(context.Background(), secret, "Admin@agency.example", NewAccount{Name: "Sok Dara", Password: good, Language: "km"}, agencyFields, here)
	h.must(err)
	h.admin, h.secret, h.agency = s.Actor, s.Secret, s.Actor.Organisation
	return h
}

var here = Client{Address: netip.MustParseAddr("192.0.2.7"), Agent: "Browser/1"}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// refused checks an error's code, and that it has the words.
func refused(t testing.TB, err error, code protocol.Code, words string) {
	t.Helper()
	if protocol.CodeOf(err) != code || !strings.Contains(err.Error(), words) {
		t.Helper()
		t.Errorf("got %v, want %s with %q", err, code, words)
	}
}

func (h *house) organisation(name, kind string) OrganisationID {
	h.t.Helper()
	o, err := h.CreateOrganisation(h.admin, OrganisationFields{Name: name, Type: kind, Country: "KH"})
	h.must(err)
	return o.ID
}

// person invited with roles, with the password good unless told otherwise.
func (h *house) person(email string, o OrganisationID, password string, roles ...Role) SignedIn {
	h.t.Helper()
	secret, _, err := h.Invite(h.admin, email, o, roles, "en")
	h.must(err)
	s, err := h.Accept(context.Background(), secret, NewAccount{Name: "Person of " + email, Password: password, WithoutPassword: password == ""}, here)
	h.must(err)
	return s
}

func (h *house) user(id UserID) User {
	h.t.Helper()
	var x User
	h.must(h.store.View(func(tx *store.Tx) error {
		u, err := h.LookupUser(tx, id)
		if err == nil {
			x = *u
		}
		return err
	}))
	return x
}

func (h *house) signIn(email, password string) (SignedIn, error) {
	return h.SignIn(context.Background(), email, password, here)
}

// rows of a table whose key or value holds a text.
func (h *house) rowsWith(tables, text string) (found []string) {
	h.t.Helper()
	h.must(h.store.View(func(tx *store.Tx) error {
		for _, table := range []byte(tables) {
			if err := tx.Rows(store.Table(table), "", "", func(key string, value []byte) (bool, error) {
				if strings.Contains(key, text) || strings.Contains(string(value), text) {
					found = append(found, string(table)+" "+key)
				}
				return true, nil
			}); err != nil {
				return err
			}
		}
		return nil
	}))
	return found
}

const tables = "oulisth" // all of this package's
