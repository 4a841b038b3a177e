package access

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

var bg = context.Background()

func TestSetup(t *testing.T) {
	h := newHouse(t)
	in := NewAccount{Name: "Sok Dara", Password: good}
	if needed, err := h.SetupNeeded(); err != nil || !needed {
		t.Errorf("setup needed: %v, %v", needed, err)
	}
	_, _, err := h.SetupLink(Actor{})
	refused(t, err, protocol.CodeNotPermitted, "the operator, on the node itself, may")

	first, expires, err := h.SetupLink(Operator("KH"))
	h.must(err)
	if got := expires.Sub(h.clock); got != 30*time.Minute {
		t.Errorf("a setup link lasts %v", got)
	}
	second, _, err := h.SetupLink(Operator("KH"))
	h.must(err)
	_, err = h.Setup(bg, first, "a@b.example", in, agencyFields, here)
	refused(t, err, protocol.CodeConflict, "a newer link")
	for _, secret := range []string{"", "x", strings.Repeat("A", 43), second[:42] + "!", strings.Repeat("A", 9000)} {
		_, err = h.Setup(bg, secret, "a@b.example", in, agencyFields, here)
		refused(t, err, protocol.CodeNotFound, "not valid")
	}
	h.tick(30 * time.Minute)
	_, err = h.Setup(bg, second, "a@b.example", in, agencyFields, here)
	refused(t, err, protocol.CodeConflict, "expired")

	third, _, err := h.SetupLink(Operator("KH"))
	h.must(err)
	_, err = h.Setup(bg, third, "nobody", NewAccount{Password: "short"}, OrganisationFields{Country: "XX"}, here)
	var fields []string
	for _, x := range protocol.All(err) {
		fields = append(fields, x.Field)
	}
	if got := strings.Join(fields, " "); got != "email name password organisation.name organisation.type organisation.country" {
		t.Errorf("faults of fields %q", got)
	}
	s, err := h.Setup(bg, third, "a@b.example", in, agencyFields, here)
	h.must(err)
	if a, err := h.Authenticate(s.Secret); err != nil || a.User != s.Actor.User || Can(a, EditSettings, Resource{}) != nil {
		t.Errorf("the first administrator: %+v, %v", a, err)
	}
	_, err = h.Setup(bg, third, "c@b.example", in, agencyFields, here)
	refused(t, err, protocol.CodeConflict, "used already")
	_, _, err = h.SetupLink(Operator("KH"))
	refused(t, err, protocol.CodeConflict, "an administrator already")
	if len(h.rowsWith(tables, third)) > 0 {
		t.Error("a link's secret is in the store")
	}
}

// A setup link that was made while there was no administrator does not make a second one.
func TestSetupLinkFromBeforeTheFirstAdministrator(t *testing.T) {
	h := newHouse(t)
	secret, _, err := h.SetupLink(Operator("KH"))
	h.must(err)
	h.must(h.store.Update(func(tx *store.Tx) error {
		o, err := h.createOrganisation(tx, agencyFields)
		if err != nil {
			return err
		}
		return h.create(tx, &user{User: User{Name: "X", Email: "x@y.example", Verified: true}}, o.ID, []Role{Admin})
	}))
	_, err = h.Setup(bg, secret, "a@b.example", NewAccount{Name: "Y", Password: good}, agencyFields, here)
	refused(t, err, protocol.CodeConflict, "an administrator already")
}

func TestInvitation(t *testing.T) {
	h := furnished(t)
	o := h.organisation("University of Phnom Penh", "university")

	_, _, err := h.Invite(Actor{User: "u1", Roles: []Role{Editor}, Organisation: o}, "e@u.example", o, []Role{Editor}, "")
	refused(t, err, protocol.CodeNotPermitted, "an admin may")
	_, _, err = h.Invite(h.admin, "not an address", o, []Role{"king"}, "xx")
	if n := len(protocol.All(err)); n != 3 {
		t.Errorf("%d faults, want 3: %v", n, err)
	}
	_, _, err = h.Invite(h.admin, "e@u.example", "onone", []Role{Editor}, "")
	refused(t, err, protocol.CodeNotFound, "organisation")
	_, _, err = h.Invite(h.admin, "ADMIN@agency.example", o, []Role{Editor}, "")
	refused(t, err, protocol.CodeConflict, "has an account already")

	secret, i, err := h.Invite(h.admin, "E@U.example", o, []Role{Reviewer, Editor, Editor}, "km")
	h.must(err)
	if m := h.mail[len(h.mail)-1]; m.Secret != secret || m.Email != "e@u.example" || m.Purpose != PurposeInvitation || m.Language != "km" {
		t.Errorf("delivered %+v", m)
	}
	if got := i.Expires.Sub(h.clock); got != 7*24*time.Hour || joined(i.Roles) != "editor reviewer" {
		t.Errorf("invitation %+v", i)
	}
	if got, org, err := h.OpenInvitation(secret); err != nil || got.Email != "e@u.example" || org.ID != o {
		t.Errorf("opened: %+v, %+v, %v", got, org, err)
	}
	// Only one of many at once gets the account.
	var wg sync.WaitGroup
	results := make([]error, 4)
	for n := range results {
		wg.Go(func() {
			_, results[n] = h.Accept(bg, secret, NewAccount{Name: "Chan Vy", Password: good}, here)
		})
	}
	wg.Wait()
	made := 0
	for _, err := range results {
		if err == nil {
			made++
		} else {
			refused(t, err, protocol.CodeConflict, "used already")
		}
	}
	if made != 1 {
		t.Errorf("%d accounts made by one invitation", made)
	}
	s, err := h.signIn("e@u.EXAMPLE", good)
	h.must(err)
	if s.Actor.Organisation != o || s.Actor.OrganisationType != "university" || joined(s.Actor.Roles) != "editor reviewer" || s.Actor.Country != "KH" {
		t.Errorf("signed in as %+v", s.Actor)
	}

	// Expired, taken back, replaced, wrong purpose.
	late, _, err := h.Invite(h.admin, "late@u.example", o, []Role{Reader}, "")
	h.must(err)
	h.tick(7 * 24 * time.Hour)
	_, err = h.Accept(bg, late, NewAccount{Name: "Late", Password: good}, here)
	refused(t, err, protocol.CodeConflict, "expired")
	back, i, err := h.Invite(h.admin, "back@u.example", o, []Role{Reader}, "")
	h.must(err)
	if all, _, err := h.Invitations(h.admin, Page{}); err != nil || len(all) != 1 || all[0].ID != i.ID {
		t.Errorf("open invitations %+v, %v", all, err)
	}
	h.must(h.CancelInvitation(h.admin, i.ID))
	_, err = h.Accept(bg, back, NewAccount{Name: "Back", Password: good}, here)
	refused(t, err, protocol.CodeConflict, "taken back")
	old, _, err := h.Invite(h.admin, "again@u.example", o, []Role{Reader}, "")
	h.must(err)
	again, _, err := h.Invite(h.admin, "again@u.example", o, []Role{Scout}, "")
	h.must(err)
	_, err = h.Accept(bg, old, NewAccount{Name: "Again", Password: good}, here)
	refused(t, err, protocol.CodeConflict, "a newer link")
	refused(t, h.OpenReset(again), protocol.CodeNotFound, "not valid")
	h.must(h.CancelInvitation(h.admin, h.events[len(h.events)-1].ID))
	refused(t, h.CancelInvitation(h.admin, "zz"), protocol.CodeNotFound, "invitation")
}

func TestAcceptForAVerifiedAddress(t *testing.T) {
	h := furnished(t)
	accept := func(email string) (id UserID, err error) {
		err = h.store.Update(func(tx *store.Tx) error {
			id, err = h.AcceptFor(tx, email, "From a provider")
			return err
		})
		return id, err
	}
	_, err := accept("p@u.example")
	refused(t, err, protocol.CodeNotFound, "no open invitation")
	_, err = accept("admin@agency.example") // an account that exists is not taken over
	refused(t, err, protocol.CodeNotFound, "no open invitation")
	secret, _, err := h.Invite(h.admin, "p@u.example", h.agency, []Role{Reader}, "")
	h.must(err)
	id, err := accept("P@u.example")
	h.must(err)
	if u := h.user(id); u.Email != "p@u.example" || !u.Verified || joined(u.Roles) != "reader" {
		t.Errorf("%+v", u)
	}
	_, err = accept("p@u.example")
	refused(t, err, protocol.CodeNotFound, "no open invitation")
	_, err = h.Accept(bg, secret, NewAccount{Name: "Twice", Password: good}, here)
	refused(t, err, protocol.CodeConflict, "used already")
	_, err = h.signIn("p@u.example", "") // has no password: none fits
	refused(t, err, protocol.CodeNotPermitted, "do not belong together")
	h.must(h.store.Update(func(tx *store.Tx) error {
		s, err := h.SignInAs(tx, id, "oidc", here)
		if err == nil && s.Actor.User != id {
			t.Errorf("signed in as %+v", s.Actor)
		}
		return err
	}))
}

func TestReset(t *testing.T) {
	h := furnished(t)
	h.person("r@u.example", h.agency, good, Reader)
	id := h.mustUser("r@u.example")
	old, err := h.signIn("r@u.example", good)
	h.must(err)
	h.mail = nil
	for _, email := range []string{"r@u.example", "unknown@u.example"} {
		if err := h.RequestReset(email, here); err != nil {
			t.Errorf("asking for a link for %s: %v", email, err)
		}
	}
	if len(h.mail) != 1 || h.mail[0].Email != "r@u.example" || h.mail[0].Purpose != PurposeReset {
		t.Fatalf("sent %+v", h.mail)
	}
	secret := h.mail[0].Secret
	h.must(h.OpenReset(secret))
	refused(t, h.Reset(bg, secret, "too short"), protocol.CodeValue, "at least 12")
	const next = "seven quiet mango orchards"
	h.must(h.Reset(bg, secret, next))
	refused(t, h.Reset(bg, secret, next), protocol.CodeConflict, "used already")
	_, err = h.Authenticate(old.Secret)
	refused(t, err, protocol.CodeNotPermitted, "has ended")
	_, err = h.signIn("r@u.example", good)
	refused(t, err, protocol.CodeNotPermitted, "do not belong together")
	_, err = h.signIn("r@u.example", next)
	h.must(err)

	link, err := h.ResetLink(h.admin, id)
	h.must(err)
	h.tick(time.Hour)
	refused(t, h.Reset(bg, link, good), protocol.CodeConflict, "expired")
	refused(t, h.Reset(bg, strings.Repeat("b", 43), good), protocol.CodeNotFound, "not valid")
	_, err = h.ResetLink(Actor{User: id, Roles: []Role{Reader}}, id)
	refused(t, err, protocol.CodeNotPermitted, "an admin may")

	// At most three mails an hour to one address, twenty requests from one network, in the same words for all.
	h.mail = nil
	for range 5 {
		h.must(h.RequestReset("r@u.example", here))
	}
	if len(h.mail) != 3 {
		t.Errorf("%d links sent within an hour", len(h.mail))
	}
	for range 15 {
		h.must(h.RequestReset("x@u.example", here))
	}
	refused(t, h.RequestReset("r@u.example", here), protocol.CodeUnavailable, "too many links")
	refused(t, h.RequestReset("x@u.example", here), protocol.CodeUnavailable, "too many links")
	h.tick(time.Hour)
	h.must(h.RequestReset("r@u.example", here))
	// A disabled account gets no link, and nobody is told.
	h.mail = nil
	_, err = h.SetDisabled(h.admin, id, h.user(id).Version, true)
	h.must(err)
	h.must(h.RequestReset("r@u.example", here))
	if len(h.mail) != 0 {
		t.Error("a disabled account was sent a link")
	}
}

func (h *house) mustUser(email string) (id UserID) {
	h.t.Helper()
	h.must(h.store.View(func(tx *store.Tx) error {
		u, err := userBy(tx, email)
		if err == nil && u == nil {
			err = notFound("person")
		}
		if err == nil {
			id = u.ID
		}
		return err
	}))
	return id
}

func TestVerification(t *testing.T) {
	h := furnished(t)
	s := h.person("v@u.example", h.agency, good, Reader)
	me := s.Actor
	h.must(h.RequestReset("v@u.example", here))
	reset := h.mail[len(h.mail)-1].Secret

	_, err := h.VerificationLink(h.admin, me.User, "evil@u.example")
	refused(t, err, protocol.CodeNotPermitted, "the person whose account it is may")
	secret, err := h.VerificationLink(me, me.User, "new@u.example")
	h.must(err)
	if h.user(me.User).Email != "v@u.example" {
		t.Error("the address changed before it was proven")
	}
	id, err := h.Verify(secret)
	h.must(err)
	if u := h.user(id); id != me.User || u.Email != "new@u.example" || !u.Verified {
		t.Errorf("%+v", u)
	}
	_, err = h.Verify(secret)
	refused(t, err, protocol.CodeConflict, "used already")
	refused(t, h.Reset(bg, reset, "seven quiet mango orchards"), protocol.CodeConflict, "a newer link") // lies in the old mailbox
	if len(h.rowsWith("l", "v@u.example")) > 0 {
		t.Error("the old address still signs in")
	}
	// Nobody makes the node send mail for ever.
	for range 3 {
		_, err = h.VerificationLink(me, me.User, "victim@u.example")
		h.must(err)
	}
	sent := len(h.mail)
	_, err = h.VerificationLink(me, me.User, "victim@u.example")
	refused(t, err, protocol.CodeUnavailable, "too many links")
	if len(h.mail) != sent {
		t.Error("a fourth link was sent")
	}
	// An address that somebody else has is refused only to who proves to have it.
	secret, err = h.VerificationLink(me, me.User, "admin@agency.example")
	h.must(err)
	_, err = h.Verify(secret)
	refused(t, err, protocol.CodeConflict, "is here already")
	secret, err = h.VerificationLink(me, me.User, "third@u.example")
	h.must(err)
	h.tick(24 * time.Hour)
	_, err = h.Verify(secret)
	refused(t, err, protocol.CodeConflict, "expired")
	// A session found open an hour later does not move the account elsewhere.
	h.tick(-23 * time.Hour)
	_, err = h.VerificationLink(me, me.User, "thief@u.example")
	refused(t, err, protocol.CodeNotPermitted, "sign in again")

	// Until its address is verified, an account's roles sleep.
	h.must(h.store.Update(func(tx *store.Tx) error {
		u, err := userOf(tx, me.User)
		if err != nil {
			return err
		}
		after := *u
		after.Verified = false
		return putUser(tx, u, &after)
	}))
	fresh, err := h.signIn("new@u.example", good)
	h.must(err)
	if len(fresh.Actor.Roles) != 0 || Can(fresh.Actor, ReadRegistered, Resource{}) == nil || Can(fresh.Actor, EditAccount, Resource{User: me.User}) != nil {
		t.Errorf("an unverified account acts as %+v", fresh.Actor)
	}
}
