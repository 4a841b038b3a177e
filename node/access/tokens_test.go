package access

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

func TestTokens(t *testing.T) {
	h := furnished(t)
	me := h.person("e@u.example", h.agency, good, Editor).Actor
	for _, c := range []struct {
		name   string
		scopes []Scope
		lasts  time.Duration
		field  string
	}{
		{"", []Scope{ScopeRead}, time.Hour, "name"},
		{"x", nil, time.Hour, "scopes"},
		{"x", []Scope{"everything"}, time.Hour, "scopes"},
		{"x", []Scope{ScopeReview}, time.Hour, "scopes"}, // beyond an editor
		{"x", []Scope{ScopeAdmin}, time.Hour, "scopes"},
		{"x", []Scope{ScopeRead}, 0, "expires"},
		{"x", []Scope{ScopeRead}, -time.Hour, "expires"},
		{"x", []Scope{ScopeRead}, MaxTokenLife + time.Second, "expires"},
	} {
		_, _, err := h.CreateToken(me, me.User, c.name, c.scopes, c.lasts)
		if all := protocol.All(err); len(all) != 1 || all[0].Field != c.field {
			t.Errorf("%+v: %v", c, err)
		}
	}
	secret, made, err := h.CreateToken(me, me.User, "Nightly import", []Scope{ScopeWrite, ScopeRead, ScopeRead}, 400*24*time.Hour)
	h.must(err)
	if len(secret) != tokenSize || !strings.HasPrefix(secret, "tmh_") || joined(made.Scopes) != "read write" {
		t.Errorf("token %q, %+v", secret, made)
	}
	if len(h.rowsWith(tables, secret)) > 0 || len(h.rowsWith(tables, secret[4:68])) > 0 {
		t.Error("a token's secret is in the store")
	}
	a, err := h.AuthenticateToken(secret)
	h.must(err)
	if a.Token != made.ID || a.User != me.User || a.Kind() != "token" || !slices.Equal(a.Roles, me.Roles) {
		t.Errorf("acts as %+v", a)
	}
	if Can(a, EditDraft, Resource{Organisation: h.agency}) != nil || Can(a, ReadRegistered, Resource{}) != nil {
		t.Error("may not what its scopes allow")
	}
	_, _, err = h.CreateToken(a, me.User, "Child", []Scope{ScopeRead}, time.Hour)
	refused(t, err, protocol.CodeNotPermitted, "no token may create a token")
	_, err = h.VerificationLink(a, me.User, "else@u.example")
	refused(t, err, protocol.CodeNotPermitted, "no token may change an account")

	// Tampered: every character.
	for i := range secret {
		b := []byte(secret)
		if b[i]++; b[i] == 'g' {
			b[i] = '0'
		}
		_, err := h.AuthenticateToken(string(b))
		refused(t, err, protocol.CodeNotPermitted, "not copied whole")
	}
	for _, x := range []string{"", "tmh_", strings.ToUpper(secret), secret + "0", secret[1:], " " + secret} {
		_, err := h.AuthenticateToken(x)
		refused(t, err, protocol.CodeNotPermitted, "not copied whole")
	}
	_, err = h.AuthenticateToken(newToken())
	refused(t, err, protocol.CodeNotPermitted, "not known here")

	// Last use, to five minutes.
	used := func() time.Time {
		all, err := h.Tokens(me, me.User)
		h.must(err)
		return all[0].Used
	}
	first := h.clock
	h.tick(seenEvery - time.Second)
	_, err = h.AuthenticateToken(secret)
	h.must(err)
	if !used().Equal(first) {
		t.Errorf("used %v, want %v", used(), first)
	}
	h.tick(time.Second)
	_, err = h.AuthenticateToken(secret)
	h.must(err)
	if !used().Equal(h.clock) {
		t.Errorf("used %v, want %v", used(), h.clock)
	}

	// Never more than the owner: roles, disabled, expired, revoked.
	_, err = h.ChangeRoles(h.admin, me.User, h.user(me.User).Version, h.agency, []Role{Analyst})
	h.must(err)
	a, err = h.AuthenticateToken(secret)
	h.must(err)
	if Can(a, EditDraft, Resource{Organisation: h.agency}) == nil || Can(a, ReadRegistered, Resource{}) == nil {
		t.Error("the token kept what its owner lost")
	}
	_, err = h.SetDisabled(h.admin, me.User, h.user(me.User).Version, true)
	h.must(err)
	_, err = h.AuthenticateToken(secret)
	refused(t, err, protocol.CodeNotPermitted, "disabled")
	_, err = h.SetDisabled(h.admin, me.User, h.user(me.User).Version, false)
	h.must(err)
	other := h.person("o@u.example", h.agency, "", Reader).Actor
	refused(t, h.RevokeToken(other, made.ID), protocol.CodeNotPermitted, "the person whose account it is or an admin")
	refused(t, h.RevokeToken(other, "tnone"), protocol.CodeNotPermitted, "the person whose account it is or an admin")
	refused(t, h.RevokeToken(h.admin, "tnone"), protocol.CodeNotFound, "token")
	_, _, err = h.CreateToken(h.admin, other.User, "In his name", []Scope{ScopeRead}, time.Hour)
	refused(t, err, protocol.CodeNotPermitted, "the operator, on the node itself, may")
	_, _, err = h.CreateToken(Operator("KH"), other.User, "By the operator", []Scope{ScopeRead}, time.Hour)
	h.must(err)

	h.tick(made.Expires.Sub(h.clock))
	_, err = h.AuthenticateToken(secret)
	refused(t, err, protocol.CodeNotPermitted, "expired")
	h.tick(-time.Hour)
	h.must(h.RevokeToken(h.admin, made.ID))
	_, err = h.AuthenticateToken(secret)
	refused(t, err, protocol.CodeNotPermitted, "was revoked")
	if got := h.rowsWith("t", string(made.ID)); len(got) > 0 {
		t.Errorf("left of a revoked token: %v", got)
	}
	h.tick(keepTokens + 24*time.Hour)
	h.must(h.Sweep())
	if all, err := h.Tokens(other, other.User); err != nil || len(all) != 0 {
		t.Errorf("tokens long expired: %v, %v", all, err)
	}
}

func TestFiftyTokens(t *testing.T) {
	h := furnished(t)
	for n := range maxTokens {
		_, _, err := h.CreateToken(h.admin, h.admin.User, fmt.Sprint("token ", n), []Scope{ScopeAdmin}, time.Hour)
		h.must(err)
	}
	_, _, err := h.CreateToken(h.admin, h.admin.User, "one more", []Scope{ScopeAdmin}, time.Hour)
	refused(t, err, protocol.CodeQuota, "revoke one")
	seen := 0
	for p := (Page{Limit: 20}); ; {
		all, next, err := h.AllTokens(h.admin, false, p)
		h.must(err)
		if seen += len(all); next == "" {
			break
		}
		p.Cursor = next
	}
	if seen != maxTokens {
		t.Errorf("%d tokens listed", seen)
	}
}

func TestAfterRestore(t *testing.T) {
	h := furnished(t)
	e := h.person("e@u.example", h.agency, good, Editor)
	var secrets []string
	var ids []TokenID
	for n := range 3 {
		s, made, err := h.CreateToken(e.Actor, e.Actor.User, fmt.Sprint("token ", n), []Scope{ScopeRead}, 24*time.Hour)
		h.must(err)
		secrets, ids = append(secrets, s), append(ids, made.ID)
	}
	link, _, err := h.Invite(h.admin, "i@u.example", h.agency, []Role{Reader}, "")
	h.must(err)
	h.must(h.store.Update(h.AfterRestore))
	h.open()

	for _, secret := range []string{e.Secret, h.secret} {
		_, err := h.Authenticate(secret)
		refused(t, err, protocol.CodeNotPermitted, "has ended")
	}
	_, err = h.Accept(bg, link, NewAccount{Name: "I", Password: good}, here)
	refused(t, err, protocol.CodeConflict, "restored from a backup")
	if all, _, err := h.Invitations(h.admin, Page{}); err != nil || len(all) != 0 {
		t.Errorf("open invitations %v, %v", all, err)
	}
	for _, s := range secrets {
		_, err := h.AuthenticateToken(s)
		refused(t, err, protocol.CodeNotPermitted, "until an administrator confirms it")
	}
	again, err := h.signIn("e@u.example", good)
	h.must(err)
	if _, err := h.Authenticate(again.Secret); err != nil {
		t.Errorf("a session from after the restore: %v", err)
	}
	after, _, err := h.CreateToken(again.Actor, again.Actor.User, "after", []Scope{ScopeRead}, time.Hour)
	h.must(err)
	if _, err := h.AuthenticateToken(after); err != nil {
		t.Errorf("a token from after the restore: %v", err)
	}
	waiting := func() int {
		t.Helper()
		all, _, err := h.AllTokens(h.admin, true, Page{})
		h.must(err)
		for _, x := range all {
			if !x.Unconfirmed {
				t.Errorf("listed as waiting: %+v", x)
			}
		}
		return len(all)
	}
	if n := waiting(); n != 3 {
		t.Errorf("%d tokens wait", n)
	}
	refused(t, h.ConfirmToken(again.Actor, ids[0]), protocol.CodeNotPermitted, "an admin may")
	refused(t, h.ConfirmAllTokens(again.Actor), protocol.CodeNotPermitted, "an admin may")
	h.must(h.ConfirmToken(h.admin, ids[0]))
	if _, err := h.AuthenticateToken(secrets[0]); err != nil {
		t.Errorf("a confirmed token: %v", err)
	}
	_, err = h.AuthenticateToken(secrets[1])
	refused(t, err, protocol.CodeNotPermitted, "confirms it")
	if n := waiting(); n != 2 {
		t.Errorf("%d tokens wait", n)
	}
	h.must(h.ConfirmAllTokens(h.admin))
	for _, s := range secrets {
		if _, err := h.AuthenticateToken(s); err != nil {
			t.Errorf("confirmed with all: %v", err)
		}
	}
	// And once more: what was confirmed waits again.
	h.must(h.store.Update(func(tx *store.Tx) error { return h.AfterRestore(tx) }))
	if n := waiting(); n != 4 {
		t.Errorf("%d tokens wait after the second restore", n)
	}
	h.must(h.Sweep())
	if got := h.rowsWith("s", "u/"); len(got) > 0 {
		t.Errorf("sessions from before: %v", got)
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	h := furnished(b)
	crowd(b, h, 10000, 1000)
	var sessions, tokens []string
	h.must(h.store.Update(func(tx *store.Tx) error {
		ids, err := keys(tx, store.TableUser, "u/", "", 200)
		h.must(err)
		for _, id := range ids {
			s, err := h.SignInAs(tx, UserID(id), "passkey", here)
			h.must(err)
			sessions = append(sessions, s.Secret)
		}
		return nil
	}))
	for _, s := range sessions {
		a, err := h.Authenticate(s)
		h.must(err)
		if !slices.Contains(a.Roles, Reader) {
			continue
		}
		secret, _, err := h.CreateToken(a, a.User, "bench", []Scope{ScopeRead}, time.Hour)
		h.must(err)
		_, err = h.AuthenticateToken(secret)
		h.must(err)
		tokens = append(tokens, secret)
	}
	b.Run("session", func(b *testing.B) {
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			_, err := h.Authenticate(sessions[n%len(sessions)])
			h.must(err)
		}
	})
	b.Run("token", func(b *testing.B) {
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			_, err := h.AuthenticateToken(tokens[n%len(tokens)])
			h.must(err)
		}
	})
	b.Run("page-of-people", func(b *testing.B) {
		for b.Loop() {
			_, _, err := h.Users(h.admin, UserFilter{}, Page{Limit: 100})
			h.must(err)
		}
	})
	b.Run("rare-text", func(b *testing.B) {
		for b.Loop() {
			_, _, err := h.Users(h.admin, UserFilter{Text: "nobody has it"}, Page{Limit: 100})
			h.must(err)
		}
	})
}

// BenchmarkSignIn is bounded by argon2id: as many at once as there are cores.
func BenchmarkSignIn(b *testing.B) {
	h := furnished(b)
	crowd(b, h, 10000, 1000)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := h.signIn("admin@agency.example", good); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sign-ins/s")
}

// crowd of people in organisations, without passwords.
func crowd(t testing.TB, h *house, people, organisations int) {
	t.Helper()
	var ids []OrganisationID
	for len(ids) < organisations {
		h.must(h.store.Update(func(tx *store.Tx) error {
			for range min(500, organisations-len(ids)) {
				o, err := h.createOrganisation(tx, OrganisationFields{Name: fmt.Sprintf("Organisation %05d", len(ids)), Type: "university", Country: "KH"})
				h.must(err)
				ids = append(ids, o.ID)
			}
			return nil
		}))
	}
	for n := 0; n < people; {
		h.must(h.store.Update(func(tx *store.Tx) error {
			for range min(500, people-n) {
				u := &user{User: User{Name: fmt.Sprintf("Person %d", n), Email: fmt.Sprintf("person%d@u.example", n), Verified: true}}
				h.must(h.create(tx, u, ids[n%len(ids)], []Role{Reader}))
				n++
			}
			return nil
		}))
	}
}
