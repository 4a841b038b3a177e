package oidc

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// invitations are the open ones, by e-mail address. Whoever has an account has none.
type invitations map[string]string

func (i invitations) accept(_ *store.Tx, email, name string) (string, error) {
	user := i[email]
	delete(i, email)
	switch {
	case user == "ufull":
		return "", protocol.Errorf(protocol.CodeReadOnly, "", "the disk is nearly full")
	case email == "sok@example.org":
		return "", protocol.Errorf(protocol.CodeConflict, "", "there is an account with this address")
	case user == "" || name == "":
		return "", protocol.Errorf(protocol.CodeNotFound, "", "no open invitation for this address")
	}
	return user, nil
}

func TestLinking(t *testing.T) {
	s, err := store.Open(store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	now := time.Date(2026, 9, 21, 8, 0, 0, 0, time.UTC)
	const issuer = "https://login.example.org"
	open := invitations{"new@example.org": "unew", "full@example.org": "ufull"}
	signIn := func(id Identity, session string) (user string, err error) {
		err = s.Update(func(tx *store.Tx) (err error) {
			user, err = SignIn(tx, id, session, open.accept, now)
			return err
		})
		return user, err
	}
	refused := func(what string, id Identity, session string, code protocol.Code) {
		t.Helper()
		if user, err := signIn(id, session); protocol.CodeOf(err) != code {
			t.Errorf("%s: %q, %v; want %s", what, user, err, code)
		}
	}
	is := func(what string, id Identity, session, want string) {
		t.Helper()
		if user, err := signIn(id, session); err != nil || user != want {
			t.Errorf("%s: %q, %v; want %q", what, user, err, want)
		}
	}
	sok := Identity{Issuer: issuer, Subject: "1", Email: "sok@example.org", EmailVerified: true} // usok has this address
	refused("the address of an account", sok, "", protocol.CodeNotPermitted)
	refused("in somebody's session, but not begun for it", sok, "usok", protocol.CodeNotPermitted)
	sok.For = "usok"
	refused("begun for one, finished in another's session", sok, "uother", protocol.CodeNotPermitted)
	refused("begun for one, finished in nobody's session", sok, "", protocol.CodeNotPermitted)
	is("linked while signed in", sok, "usok", "usok")
	is("linked again", sok, "usok", "usok")
	sok.For = ""
	is("later", sok, "", "usok")
	sok.Email, sok.EmailVerified = "other@example.org", false
	is("after the address changed", sok, "", "usok")
	sok.For = "uother"
	refused("linked to a second account", sok, "uother", protocol.CodeConflict)
	refused("same subject elsewhere", Identity{Issuer: "https://evil.example", Subject: "1"}, "", protocol.CodeNotPermitted)
	refused("subject and issuer shifted", Identity{Issuer: issuer + "1", Subject: ""}, "", protocol.CodeNotPermitted)

	invited := Identity{Issuer: issuer, Subject: "2", Email: "new@example.org"}
	refused("invited, but the address is not verified", invited, "", protocol.CodeNotPermitted)
	invited.EmailVerified = true
	thief := Identity{Issuer: issuer, Subject: "3", Email: "new@example.org", EmailVerified: true}
	is("invited", invited, "", "unew")
	is("after the invitation", invited, "", "unew")
	refused("invited, while nothing can be written", Identity{Issuer: issuer, Subject: "6", Email: "full@example.org", EmailVerified: true}, "", protocol.CodeReadOnly)
	refused("a second one with the address", thief, "", protocol.CodeNotPermitted)

	// The message is the same whether or not the address is known here.
	_, known := signIn(Identity{Issuer: issuer, Subject: "4", Email: "sok@example.org", EmailVerified: true}, "")
	_, stranger := signIn(Identity{Issuer: issuer, Subject: "5", Email: "nobody@example.org", EmailVerified: true}, "")
	if known.Error() != stranger.Error() {
		t.Errorf("%v\n%v", known, stranger)
	}

	for n := 1; n < MaxLinks; n++ {
		is("more", Identity{Issuer: issuer, Subject: strings.Repeat("x", n), For: "usok"}, "usok", "usok")
	}
	refused("an eleventh", Identity{Issuer: issuer, Subject: "one more", For: "usok"}, "usok", protocol.CodeConflict)
	refused("a user's id that is a path", Identity{Issuer: issuer, Subject: "z", For: "u/sok"}, "u/sok", protocol.CodeValue)

	links := func(user string) (all []Link) {
		t.Helper()
		if err := s.View(func(tx *store.Tx) (err error) { all, err = Links(tx, user); return err }); err != nil {
			t.Fatal(err)
		}
		return all
	}
	if all := links("unew"); len(all) != 1 || all[0].ID != LinkID(issuer, "2") || all[0].Created != now {
		t.Errorf("links %+v", all)
	}
	if all := links("us"); len(all) != 0 {
		t.Errorf("links of a user whose id another's begins with: %+v", all)
	}
	unlink := func(user, id string) (left int, err error) {
		err = s.Update(func(tx *store.Tx) (err error) { left, err = Unlink(tx, user, id); return err })
		return left, err
	}
	if _, err := unlink("usok", LinkID(issuer, "2")); protocol.CodeOf(err) != protocol.CodeNotFound {
		t.Errorf("removed another's: %v", err)
	}
	if left, err := unlink("usok", LinkID(issuer, "1")); err != nil || left != MaxLinks-1 {
		t.Errorf("%d left, %v", left, err)
	}
	sok.For = ""
	refused("after it was removed", sok, "", protocol.CodeNotPermitted)
	if err := s.Update(func(tx *store.Tx) error {
		return errors.Join(Erase(tx, "usok"), Erase(tx, "unew"), Erase(tx, "nobody"))
	}); err != nil {
		t.Fatal(err)
	}
	var left []string
	if err := s.View(func(tx *store.Tx) error {
		return tx.Rows(store.TableIdentity, "", "", func(key string, _ []byte) (bool, error) { left = append(left, key); return true, nil })
	}); err != nil || len(left) != 0 {
		t.Errorf("after erasing: %v, %v", left, err)
	}
}
