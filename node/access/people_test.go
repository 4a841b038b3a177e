package access

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

func TestOrganisations(t *testing.T) {
	h := furnished(t)
	full := OrganisationFields{
		Name: "  National   University ", Type: "university", Size: "large", Country: "SG", ROR: "https://ror.org/01TGYZW49",
		Contact: Contact{Name: "Desk", Email: "Desk@NUS.example", Phone: "+65 1", URL: "https://nus.example/tto"}, SelfPublish: true,
	}
	o, err := h.CreateOrganisation(h.admin, full)
	h.must(err)
	if o.Name != "National University" || o.ROR != "01tgyzw49" || o.Contact.Email != "desk@nus.example" || o.Version != 1 {
		t.Errorf("%+v", o)
	}
	_, err = h.CreateOrganisation(h.admin, OrganisationFields{
		Name: "x", Type: "club", Size: "vast", Country: "kh", ROR: "01tgyzw48", Contact: Contact{Email: "@", Phone: "1\n2\x00", URL: "javascript:alert(1)"},
	})
	var fields []string
	for _, x := range protocol.All(err) {
		fields = append(fields, x.Field)
	}
	if got := strings.Join(fields, " "); got != "name type size country ror contact.phone contact.url contact.email" {
		t.Errorf("faults of fields %q", got)
	}
	_, err = h.CreateOrganisation(h.admin, OrganisationFields{Name: "NATIONAL university", Type: "university", Country: "SG"})
	refused(t, err, protocol.CodeConflict, "is here already")
	editor := Actor{User: "u1", Organisation: o.ID, Roles: []Role{Editor}}
	_, err = h.CreateOrganisation(editor, full)
	refused(t, err, protocol.CodeNotPermitted, "an admin may")
	_, err = h.EditOrganisation(editor, o.ID, 1, full)
	refused(t, err, protocol.CodeNotPermitted, "an admin may")

	renamed := full
	renamed.Name = "University of the Nation"
	two, err := h.EditOrganisation(h.admin, o.ID, 1, renamed)
	h.must(err)
	_, err = h.EditOrganisation(h.admin, o.ID, 1, full)
	refused(t, err, protocol.CodeConflict, "read it again")
	if two.Version != 2 || !two.Created.Equal(o.Created) {
		t.Errorf("%+v", two)
	}
	_, err = h.CreateOrganisation(h.admin, OrganisationFields{Name: "National University", Type: "university", Country: "SG"}) // is free again
	h.must(err)
	_, err = h.EditOrganisation(h.admin, o.ID, 2, OrganisationFields{Name: "National University", Type: "university", Country: "SG"})
	refused(t, err, protocol.CodeConflict, "is here already")
	_, err = h.EditOrganisation(h.admin, "onone", 1, full)
	refused(t, err, protocol.CodeNotFound, "organisation")

	h.must(h.store.Update(func(tx *store.Tx) error { return h.SetStanding(tx, h.admin, o.ID, 16, false) }))
	got, err := h.Organisation(editor, o.ID)
	h.must(err)
	if got.LastScore != 16 || !got.Scored || got.SelfPublish || got.Name != renamed.Name || got.Version != 3 {
		t.Errorf("%+v", got)
	}
	_, err = h.Organisation(editor, h.agency)
	refused(t, err, protocol.CodeNotPermitted, "of its organisation")
	_, _, err = h.Organisations(editor, Page{})
	refused(t, err, protocol.CodeNotPermitted, "an admin may")

	crowd(t, h, 0, 250)
	long := strings.Repeat("សាកលវិទ្យាល័យ", 9)
	_, err = h.CreateOrganisation(h.admin, OrganisationFields{Name: long, Type: "university", Country: "KH"})
	h.must(err)
	var names []string
	for p := (Page{Limit: 100}); ; {
		all, next, err := h.Organisations(h.admin, p)
		h.must(err)
		for _, o := range all {
			names = append(names, fold(o.Name))
		}
		if p.Cursor = next; next == "" {
			break
		}
	}
	if len(names) != 254 || !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != 254 {
		t.Errorf("%d organisations listed", len(names))
	}
	for _, p := range []Page{{Limit: -1}, {Limit: 501}, {Cursor: "?"}, {Cursor: strings.Repeat("A", 401)}} {
		_, _, err := h.Organisations(h.admin, p)
		refused(t, err, protocol.CodeValue, "")
	}
}

func TestROR(t *testing.T) {
	for _, s := range []string{"01tgyzw49", "02jx3x895", "03vek6s52", "ror.org/02jx3x895", "https://ror.org/03VEK6S52", ""} {
		var f faults
		if f.ror(s); f.err() != nil {
			t.Errorf("%s: %v", s, f.err())
		}
	}
	for _, s := range []string{"01tgyzw50", "10tgyzw49", "01tgyzw4", "01tgyzw499", "01tgyiw49", "0ötgyzw49", "01tgyzwx9", "https://example.org/01tgyzw49"} {
		var f faults
		if f.ror(s); f.err() == nil {
			t.Errorf("%s is taken", s)
		}
	}
}

func TestEmail(t *testing.T) {
	for in, want := range map[string]string{" A.B+c@Ex-ample.ORG ": "a.b+c@ex-ample.org", "o'neil@a.bc": "o'neil@a.bc"} {
		if got, err := Email(in); err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{
		"", "a", "a@b", "@b.c", "a@", "a@b..c", "a@.b.c", "a@-b.c", "a b@c.d", "a@b.c\r\nBcc: x@y.z", "<a@b.c>", "A <a@b.c>", "a@b.c,d@e.f", "a@b@c.d",
		"\"a\"@b.c", "a@[192.0.2.1]", "ä@b.c", "a@b\u0430.c", "a\x00@b.c", strings.Repeat("a", 65) + "@b.c", "a@" + strings.Repeat("b.", 130) + "c", ".a@b.c", "a@b_c.d",
	} {
		if got, err := Email(in); err == nil {
			t.Errorf("%q is taken as %q", in, got)
		}
	}
}

func FuzzEmail(f *testing.F) {
	f.Add("a.b+c@ex-ample.org")
	f.Add("a@b.c\r\nBcc: x@y.z")
	f.Fuzz(func(t *testing.T, in string) {
		out, err := Email(in)
		if err != nil {
			return
		}
		if again, err := Email(out); err != nil || again != out || strings.ContainsAny(out, "\r\n <>,\"") || len(out) > maxEmail {
			t.Errorf("%q gives %q, and that %q, %v", in, out, again, err)
		}
	})
}

func FuzzLine(f *testing.F) {
	f.Add("Sok  Dara\u202e")
	f.Fuzz(func(t *testing.T, in string) {
		var one, two faults
		out := one.line("name", in, 1, 120)
		one.ror(in)
		one.web("url", in)
		_ = nameKey(in)
		if len(nameKey(out)) > 400 {
			t.Errorf("%q has a key of %d bytes", out, len(nameKey(out)))
		}
		if out != "" && (two.line("name", out, 1, 120) != out || strings.ContainsAny(out, "\n\r\x00\u202e")) {
			t.Errorf("%q gives %q, which changes again", in, out)
		}
	})
}

func TestPeople(t *testing.T) {
	h := furnished(t)
	me := h.person("p@u.example", h.agency, "", Reader).Actor
	other := h.person("q@u.example", h.organisation("Institute", "research-institute"), "", Editor, Reviewer).Actor

	u, err := h.User(me, me.User)
	h.must(err)
	_, err = h.User(me, other.User)
	refused(t, err, protocol.CodeNotPermitted, "the person whose account it is or an admin may")
	_, err = h.User(h.admin, "unone")
	refused(t, err, protocol.CodeNotFound, "person")
	u, err = h.EditAccount(me, me.User, u.Version, "Renamed  Person", "th")
	h.must(err)
	if u.Name != "Renamed Person" || u.Language != "th" {
		t.Errorf("%+v", u)
	}
	_, err = h.EditAccount(me, me.User, u.Version-1, "Again", "th")
	refused(t, err, protocol.CodeConflict, "somebody changed this meanwhile")
	_, err = h.EditAccount(me, me.User, u.Version, "\u202egnp.exe", "xx")
	if len(protocol.All(err)) != 2 {
		t.Errorf("faults: %v", err)
	}
	_, err = h.EditAccount(h.admin, me.User, u.Version, "By another", "")
	refused(t, err, protocol.CodeNotPermitted, "the person")
	_, err = h.ChangeRoles(me, me.User, u.Version, h.agency, []Role{Admin})
	refused(t, err, protocol.CodeNotPermitted, "an admin may")
	_, err = h.SetDisabled(me, other.User, 1, true)
	refused(t, err, protocol.CodeNotPermitted, "an admin may")
	_, err = h.ChangeRoles(h.admin, me.User, u.Version, h.agency, nil)
	refused(t, err, protocol.CodeValue, "at least one role")
	_, err = h.ChangeRoles(h.admin, me.User, u.Version, "onone", []Role{Reader})
	refused(t, err, protocol.CodeNotFound, "organisation")
	_, err = h.ChangeRoles(h.admin, me.User, u.Version, other.Organisation, []Role{Scout})
	h.must(err)

	names := func(f UserFilter) string {
		t.Helper()
		all, _, err := h.Users(h.admin, f, Page{})
		h.must(err)
		var s []string
		for _, x := range all {
			s = append(s, x.Email)
		}
		slices.Sort(s)
		return strings.Join(s, " ")
	}
	for _, c := range []struct {
		f    UserFilter
		want string
	}{
		{UserFilter{}, "admin@agency.example p@u.example q@u.example"},
		{UserFilter{Organisation: other.Organisation}, "p@u.example q@u.example"},
		{UserFilter{Organisation: h.agency}, "admin@agency.example"},
		{UserFilter{Role: Reviewer}, "q@u.example"},
		{UserFilter{Text: "RENAMED"}, "p@u.example"},
		{UserFilter{Text: "u.example", Organisation: h.agency}, ""},
	} {
		if got := names(c.f); got != c.want {
			t.Errorf("%+v: %q, want %q", c.f, got, c.want)
		}
	}
	_, _, err = h.Users(me, UserFilter{}, Page{})
	refused(t, err, protocol.CodeNotPermitted, "an admin may")

	crowd(t, h, 130, 3)
	seen := make(map[UserID]bool)
	for p := (Page{Limit: 50}); ; {
		all, next, err := h.Users(h.admin, UserFilter{Text: "person"}, p)
		h.must(err)
		for _, x := range all {
			seen[x.ID] = true
		}
		if p.Cursor = next; next == "" {
			break
		}
	}
	if len(seen) != 132 {
		t.Errorf("%d people listed", len(seen))
	}
}

func TestTheLastAdministrator(t *testing.T) {
	h := furnished(t)
	id := h.admin.User
	const words = "without an administrator"
	_, err := h.ChangeRoles(h.admin, id, h.user(id).Version, h.agency, []Role{Reader})
	refused(t, err, protocol.CodeConflict, words)
	_, err = h.SetDisabled(h.admin, id, h.user(id).Version, true)
	refused(t, err, protocol.CodeConflict, words)
	refused(t, h.Erase(h.admin, id), protocol.CodeConflict, words)
	o, err := h.Organisation(h.admin, h.agency)
	h.must(err)
	off := agencyFields
	off.Disabled = true
	_, err = h.EditOrganisation(h.admin, h.agency, o.Version, off)
	refused(t, err, protocol.CodeConflict, words)
	if _, err := h.Authenticate(h.secret); err != nil {
		t.Errorf("after all refusals: %v", err)
	}
	// One whose organisation is disabled, or who is disabled, does not count.
	second := h.person("b@u.example", h.organisation("Ministry", "agency"), "", Admin).Actor
	_, err = h.SetDisabled(h.admin, second.User, h.user(second.User).Version, true)
	h.must(err)
	refused(t, h.Erase(h.admin, id), protocol.CodeConflict, words)
	_, err = h.SetDisabled(h.admin, second.User, h.user(second.User).Version, false)
	h.must(err)
	m, err := h.Organisation(h.admin, second.Organisation)
	h.must(err)
	_, err = h.EditOrganisation(h.admin, m.ID, m.Version, OrganisationFields{Name: m.Name, Type: m.Type, Country: m.Country, Disabled: true})
	h.must(err)
	refused(t, h.Erase(h.admin, id), protocol.CodeConflict, words)
	_, err = h.EditOrganisation(h.admin, m.ID, m.Version+1, OrganisationFields{Name: m.Name, Type: m.Type, Country: m.Country})
	h.must(err)
	h.must(h.Erase(h.admin, id)) // now there is another
	refused(t, h.Erase(second, second.User), protocol.CodeConflict, words)
}

func TestExportAndErase(t *testing.T) {
	h := furnished(t)
	s := h.person("gone@u.example", h.agency, good, Editor, Admin)
	me := s.Actor
	secret, tok, err := h.CreateToken(me, me.User, "A token", []Scope{ScopeWrite}, time.Hour)
	h.must(err)
	_, i, err := h.Invite(me, "friend@u.example", h.agency, []Role{Reader}, "")
	h.must(err)
	h.tick(time.Second)
	h.must(h.RequestReset("gone@u.example", here))
	_, err = h.signIn("gone@u.example", "a wrong password")
	refused(t, err, protocol.CodeNotPermitted, "do not belong")

	stranger := Actor{User: "u-else", Roles: []Role{Reviewer, Auditor}}
	_, err = h.Export(stranger, me.User)
	refused(t, err, protocol.CodeNotPermitted, "the person whose account it is or an admin may")
	refused(t, h.Erase(stranger, me.User), protocol.CodeNotPermitted, "the person whose account it is or an admin may")
	d, err := h.Export(me, me.User)
	h.must(err)
	if d.Profile.Email != "gone@u.example" || !d.HasPassword || d.Organisation.ID != h.agency || len(d.Sessions) != 1 || len(d.Tokens) != 1 ||
		len(d.Links) != 2 || d.Links[0].Purpose != PurposeInvitation || !d.Links[0].Used || d.Links[1].Purpose != PurposeReset || len(d.Invited) != 1 || d.Invited[0].ID != i.ID {
		t.Errorf("%+v", d)
	}
	b, err := json.Marshal(d)
	h.must(err)
	for _, x := range []string{"argon2id", secret, s.Secret, "hash"} {
		if strings.Contains(string(b), x) {
			t.Errorf("the export holds %q", x)
		}
	}

	h.onErase = func(tx *store.Tx, id UserID) {
		if u, err := h.LookupUser(tx, id); err != nil || u.Email != "gone@u.example" {
			t.Errorf("the hook sees %+v, %v", u, err)
		}
	}
	h.must(h.Erase(h.admin, me.User))
	for _, x := range []string{"gone@u.example", "Person of gone", "A token"} {
		if got := h.rowsWith(tables, x); len(got) > 0 {
			t.Errorf("%q is left in %v", x, got)
		}
	}
	// What still says the id: the tombstone, and the invitation that the person sent.
	if got := h.rowsWith(tables, string(me.User)); len(got) != 2 || !strings.HasPrefix(got[1], "i l/") && !strings.HasPrefix(got[0], "i l/") {
		t.Errorf("rows that name the id: %v", got)
	}
	u := h.user(me.User)
	if !u.Erased || u.Name != "" {
		t.Errorf("tombstone %+v", u)
	}
	if !slices.Equal(h.erased, []UserID{me.User}) {
		t.Errorf("hooks were called for %v", h.erased)
	}
	_, err = h.Authenticate(s.Secret)
	refused(t, err, protocol.CodeNotPermitted, "has ended")
	_, err = h.AuthenticateToken(secret)
	refused(t, err, protocol.CodeNotPermitted, "not known")
	_, err = h.signIn("gone@u.example", good)
	refused(t, err, protocol.CodeNotPermitted, "do not belong together")
	refused(t, h.Erase(h.admin, me.User), protocol.CodeNotFound, "person")
	_, err = h.SetDisabled(h.admin, me.User, u.Version, false)
	refused(t, err, protocol.CodeNotFound, "person")
	_, _, err = h.CreateToken(Operator("KH"), me.User, "x", []Scope{ScopeRead}, time.Hour)
	refused(t, err, protocol.CodeNotFound, "person")
	h.must(h.store.Update(func(tx *store.Tx) error {
		_, err := h.SignInAs(tx, me.User, "passkey", here)
		if err == nil {
			t.Error("an erased person signs in")
		}
		return nil
	}))
	refused(t, h.RevokeToken(h.admin, tok.ID), protocol.CodeNotFound, "token")
	if d, err := h.Export(h.admin, me.User); err != nil || d.Profile.Email != "" || len(d.Links)+len(d.Sessions)+len(d.Tokens) != 0 {
		t.Errorf("exported after erasure: %+v, %v", d, err)
	}
	// The address is free for somebody else.
	h.person("gone@u.example", h.agency, "", Reader)
	h.must(h.Sweep())
}

// Every change leaves an event, and no event holds anything of a person.
func TestEvents(t *testing.T) {
	h := furnished(t)
	s := h.person("hidden.name@u.example", h.agency, good, Reader)
	secret, made, err := h.CreateToken(s.Actor, s.Actor.User, "Secret project", []Scope{ScopeRead}, time.Hour)
	h.must(err)
	a, err := h.AuthenticateToken(secret)
	h.must(err)
	h.must(h.RequestReset("hidden.name@u.example", here))
	link, err := h.VerificationLink(s.Actor, s.Actor.User, "hidden.name@u.example")
	h.must(err)
	_, err = h.Verify(link)
	h.must(err)
	for range lockAfter {
		_, _ = h.signIn("hidden.name@u.example", "a wrong password")
	}
	h.must(h.RevokeToken(h.admin, made.ID))
	h.must(h.EndSessions(s.Actor, s.Actor.User, true))
	h.must(h.Erase(s.Actor, s.Actor.User))
	h.must(h.store.Update(h.AfterRestore))
	got := make(map[string]int)
	for _, e := range h.events {
		got[e.Action]++
		if e.At.IsZero() || e.ByKind == "" || e.Kind == "" {
			t.Errorf("event %+v", e)
		}
		for _, x := range e.Detail {
			if x == string(s.Actor.User) {
				t.Errorf("event %+v names a person outside of its resource", e)
			}
		}
		for _, bad := range []string{"hidden", "u.example", "Secret", "Person", secret, s.Secret, link, good, "192.0.2.7", "Sok"} {
			if strings.Contains(fmt.Sprint(e), bad) {
				t.Errorf("event %+v holds %q", e, bad)
			}
		}
	}
	want := "access.restored invitation.create session.end-all session.start setup.done setup.link signin.closed token.create token.revoke user.create user.erase user.reset-link user.verification-link user.verified"
	if s := strings.Join(slices.Sorted(maps.Keys(got)), " "); s != want {
		t.Errorf("events\n%s, want\n%s", s, want)
	}
	if a.Token != made.ID {
		t.Errorf("%+v", a)
	}
}

// Where the log cannot be written, nothing is done.
func TestNothingWithoutTheLog(t *testing.T) {
	h := furnished(t)
	h.cfg.Audit = func(*store.Tx, Event) error { return fmt.Errorf("no room") }
	if _, err := h.CreateOrganisation(h.admin, OrganisationFields{Name: "Unlogged", Type: "sme", Country: "LA"}); err == nil {
		t.Error("created without a line in the log")
	}
	if got := h.rowsWith("o", "nlogged"); len(got) > 0 {
		t.Errorf("left: %v", got)
	}
}
