package access

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

func TestPasswords(t *testing.T) {
	for _, c := range []struct{ password, want string }{
		{"elevenchars", "at least 12"},
		{strings.Repeat("x", 257), "at most 256"},
		{strings.Repeat("ab cd efgh ", 30), "at most 256"},
		{"twelve\xffchars!!", "at most 256 bytes of text"},
		{"aaaaaaaaaaaa", "anybody tries"},
		{"qwertyuiop123", "anybody tries"},
		{"QwertyUiop123", "anybody tries"},
		{"chan.vy@u.example", "your own name"},
		{"Chan.Vy-1234", "your own name"},
		{"Sophea2026!!", "your own name"},
		{"u.example u.example", "your own name"},
		{good, ""},
		{"Sophea likes nine lanterns", ""},
		{"ភាសាខ្មែរល្អណាស់", ""},
	} {
		var f faults
		f.password(c.password, "chan.vy@u.example", "Chan Sophea")
		if err := f.err(); c.want == "" && err != nil {
			t.Errorf("%q: %v", c.password, err)
		} else if c.want != "" {
			refused(t, err, protocol.CodeValue, c.want)
		}
	}
	for line := range strings.Lines(worst) {
		if s := strings.TrimSpace(line); len(s) < minPassword || fold(s) != s {
			t.Errorf("worst.txt: %q is never reached", s)
		}
	}
	// Composed and decomposed accents are one password.
	h, err := newHasher(1, 1)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := h.hash(bg, "caf\u00e9 au lait fort")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("hash %q, %v", hash, err)
	}
	for password, want := range map[string]bool{"cafe\u0301 au lait fort": true, "cafe au lait fort": false, "": false, strings.Repeat("x", 5000): false} {
		if got, err := h.verify(bg, password, hash); err != nil || got != want {
			t.Errorf("%.20q: %v, %v", password, got, err)
		}
	}
	if got, err := h.verify(bg, "", ""); got || err != nil {
		t.Errorf("no password fits no account: %v, %v", got, err)
	}
}

func TestHashesAreBounded(t *testing.T) {
	h, err := newHasher(1, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.enter(bg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(bg)
	var wg sync.WaitGroup
	errs := make(chan error, 2)
	for range 2 {
		wg.Go(func() {
			_, err := h.verify(ctx, good, "")
			errs <- err
		})
	}
	for h.waiting.Load() < 2 { // both wait for the one slot
		select {
		case err := <-errs:
			t.Fatalf("one did not wait: %v", err)
		default:
		}
	}
	_, err = h.hash(bg, good)
	refused(t, err, protocol.CodeUnavailable, "try again")
	cancel()
	wg.Wait()
	refused(t, <-errs, protocol.CodeUnavailable, "try again")
	h.leave()
	if _, err = h.hash(bg, good); err != nil || h.waiting.Load() != 0 {
		t.Errorf("afterwards: %v, %d waiting", err, h.waiting.Load())
	}
}

func TestFiveWrongPasswords(t *testing.T) {
	h := furnished(t)
	h.person("w@u.example", h.agency, good, Reader)
	// Known or not, an address or not: the same answers.
	for _, email := range []string{"w@u.example", "unknown@u.example", "not an address"} {
		var words []string
		for n := range 7 {
			password := "a wrong password"
			if n >= 5 {
				password = good
			}
			_, err := h.signIn(email, password)
			words = append(words, err.Error())
			switch {
			case n < 5:
				refused(t, err, protocol.CodeNotPermitted, "do not belong together")
			default:
				refused(t, err, protocol.CodeUnavailable, "closed here for 15 minutes")
			}
		}
		if strings.Join(words, "") != strings.Join(wordsOf(words[0], words[5]), "") {
			t.Errorf("%s: %q", email, words)
		}
	}
	if e := h.events[len(h.events)-1]; e.Action != "signin.closed" {
		t.Errorf("last event %+v", e)
	}
	if got := h.rowsWith("h", "u.example"); len(got) > 0 {
		t.Errorf("throttle rows name who tried: %v", got)
	}
	// A restart does not help; a new password by mail does; so does time.
	h.open()
	_, err := h.signIn("w@u.example", good)
	refused(t, err, protocol.CodeUnavailable, "closed")
	h.tick(15*time.Minute - time.Second)
	_, err = h.signIn("w@u.example", good)
	refused(t, err, protocol.CodeUnavailable, "closed")
	link, err := h.ResetLink(h.admin, h.mustUser("w@u.example"))
	h.must(err)
	h.must(h.Reset(bg, link, "seven quiet mango orchards"))
	_, err = h.signIn("w@u.example", "seven quiet mango orchards")
	h.must(err)
	_, err = h.signIn("unknown@u.example", good)
	refused(t, err, protocol.CodeUnavailable, "closed")
	h.tick(time.Second)
	_, err = h.signIn("unknown@u.example", good)
	refused(t, err, protocol.CodeNotPermitted, "do not belong together")
	// Five in a row: a right one in between begins anew.
	for range 3 {
		for range 4 {
			_, err = h.signIn("w@u.example", "a wrong password")
			refused(t, err, protocol.CodeNotPermitted, "do not belong")
		}
		_, err = h.signIn("w@u.example", "seven quiet mango orchards")
		h.must(err)
	}
}

func wordsOf(wrong, closed string) []string {
	return []string{wrong, wrong, wrong, wrong, wrong, closed, closed}
}

// More at once than in a row does not give more attempts.
func TestWrongPasswordsAtOnce(t *testing.T) {
	h := furnished(t)
	h.person("w@u.example", h.agency, good, Reader)
	var wg sync.WaitGroup
	errs := make([]error, 12)
	for n := range errs {
		wg.Go(func() {
			_, errs[n] = h.signIn("w@u.example", "a wrong password")
		})
	}
	wg.Wait()
	tried := 0
	for _, err := range errs {
		if protocol.CodeOf(err) == protocol.CodeNotPermitted {
			tried++
		}
	}
	if tried > lockAfter {
		t.Errorf("%d passwords were tried at once", tried)
	}
	if len(h.pending) != 0 {
		t.Errorf("%d attempts under way for ever", len(h.pending))
	}
}

func TestThrottleByAddress(t *testing.T) {
	h := furnished(t)
	h.person("w@u.example", h.agency, good, Reader)
	from := func(a string) Client { return Client{Address: netip.MustParseAddr(a)} }
	// Counted without hashing: what failed does of fifty wrong passwords for fifty people.
	h.must(h.store.Update(func(tx *store.Tx) error {
		for n := range addressMost {
			if _, err := h.failed(tx, fmt.Sprintf("p%d@u.example", n), network(netip.MustParseAddr("2001:db8:1:2::9"))); err != nil {
				return err
			}
		}
		return nil
	}))
	_, err := h.SignIn(bg, "w@u.example", good, from("2001:db8:1:2:ffff::1")) // another address of the same line
	refused(t, err, protocol.CodeUnavailable, "closed")
	if _, err = h.SignIn(bg, "w@u.example", good, from("2001:db8:1:3::1")); err != nil {
		t.Errorf("from another line: %v", err)
	}
	h.tick(addressIn)
	if _, err = h.SignIn(bg, "w@u.example", good, from("2001:db8:1:2::9")); err != nil {
		t.Errorf("after a quarter of an hour: %v", err)
	}
	for a, want := range map[string]string{"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "fe80::1%eth0": "fe80::/64"} {
		if got := network(netip.MustParseAddr(a)); got != want {
			t.Errorf("network of %s is %s", a, got)
		}
	}
	if network(netip.Addr{}) != "unknown" {
		t.Error("no address")
	}
}

func TestThrottleIsBounded(t *testing.T) {
	h := newHouse(t)
	shut := func() (shut bool) {
		h.must(h.store.View(func(tx *store.Tx) (err error) { shut, err = h.shut(tx, "victim@u.example"); return err }))
		return shut
	}
	lock := func() {
		h.must(h.store.Update(func(tx *store.Tx) error {
			for range lockAfter {
				_, err := h.failed(tx, "victim@u.example", "192.0.2.1")
				h.must(err)
			}
			return nil
		}))
	}
	lock()
	for done := 0; done < maxThrottle+1000; {
		h.must(h.store.Update(func(tx *store.Tx) error {
			h.must(throttleKey(tx))
			for range 500 {
				key, err := subject(tx, wrongEmail, fmt.Sprint(done))
				h.must(err)
				_, err = h.count(tx, key, forgetAfter)
				h.must(err)
				done++
			}
			h.clock = h.clock.Add(time.Second)
			return nil
		}))
	}
	if got := len(h.rowsWith("h", "count")); got > maxThrottle {
		t.Errorf("%d rows", got)
	}
	if !shut() {
		t.Error("who fills the table opens what is closed")
	}
	var first, last attempts
	h.must(h.store.View(func(tx *store.Tx) error {
		for n, a := range map[int]*attempts{0: &first, maxThrottle + 999: &last} {
			key, err := subject(tx, wrongEmail, fmt.Sprint(n))
			h.must(err)
			*a, err = h.attemptsOf(tx, key)
			h.must(err)
		}
		return nil
	}))
	if first.Count != 0 || last.Count != 1 {
		t.Errorf("the oldest %+v, the newest %+v", first, last)
	}
	h.tick(forgetAfter)
	for range 5 {
		h.must(h.Sweep())
	}
	if got := len(h.rowsWith("h", "count")); got != 0 {
		t.Errorf("%d rows after they all ended", got)
	}
}

func TestSessions(t *testing.T) {
	h := furnished(t)
	h.person("s@u.example", h.agency, good, Reader)
	one, err := h.signIn("s@u.example", good)
	h.must(err)
	two, err := h.SignIn(bg, "s@u.example", good, Client{Agent: "Phone\x00\x1b[31m/2" + strings.Repeat("y", 400)})
	h.must(err)
	me := one.Actor
	if len(h.rowsWith(tables, one.Secret)) > 0 {
		t.Error("a session's secret is in the store")
	}
	for _, secret := range []string{"", "x", strings.Repeat("A", 43), one.Secret + "A", one.Secret[:42], string(me.Session), strings.Repeat("A", 1<<20)} {
		_, err := h.Authenticate(secret)
		refused(t, err, protocol.CodeNotPermitted, "has ended")
	}
	all, err := h.Sessions(me, me.User)
	h.must(err)
	if len(all) != 3 || all[0].Agent == "" || strings.ContainsAny(all[0].Agent+all[1].Agent+all[2].Agent, "\x00\x1b") || len(all[0].Agent) > 200 {
		t.Errorf("sessions %+v", all)
	}
	_, err = h.Sessions(h.admin, me.User)
	refused(t, err, protocol.CodeNotPermitted, "the person whose account it is may")
	refused(t, h.EndSession(h.admin, me.User, me.Session), protocol.CodeNotPermitted, "the person")
	refused(t, h.EndSession(me, me.User, h.admin.Session), protocol.CodeNotFound, "session")
	h.must(h.EndSession(me, me.User, two.Actor.Session))
	_, err = h.Authenticate(two.Secret)
	refused(t, err, protocol.CodeNotPermitted, "has ended")

	// Idle for twelve hours; noted to five minutes.
	h.tick(seenEvery - time.Second)
	row := func() string { return fmt.Sprint(h.rowsWith("s", h.clock.Format("15:04:05"))) }
	_, err = h.Authenticate(one.Secret)
	h.must(err)
	if row() != "[]" {
		t.Error("a request within five minutes was written")
	}
	h.tick(time.Second)
	_, err = h.Authenticate(one.Secret)
	h.must(err)
	if row() == "[]" {
		t.Error("a request after five minutes was not written")
	}
	h.tick(SessionIdle - time.Second)
	_, err = h.Authenticate(one.Secret)
	h.must(err)
	h.tick(SessionIdle)
	_, err = h.Authenticate(one.Secret)
	refused(t, err, protocol.CodeNotPermitted, "has ended")
	// Seven days at most.
	long, err := h.signIn("s@u.example", good)
	h.must(err)
	for range 15 {
		h.tick(SessionIdle - time.Hour)
		_, err = h.Authenticate(long.Secret)
		h.must(err)
	}
	h.tick(SessionIdle - time.Hour)
	_, err = h.Authenticate(long.Secret)
	refused(t, err, protocol.CodeNotPermitted, "has ended")
	h.must(h.Sweep())
	if got := h.rowsWith("s", string(me.User)); len(got) > 0 {
		t.Errorf("ended sessions left: %v", got)
	}
}

func TestWhatEndsSessions(t *testing.T) {
	h := furnished(t)
	h.person("s@u.example", h.agency, good, Reader)
	id := h.mustUser("s@u.example")
	signIn := func() SignedIn {
		t.Helper()
		var s SignedIn
		h.must(h.store.Update(func(tx *store.Tx) (err error) {
			s, err = h.SignInAs(tx, id, "passkey", here)
			return err
		}))
		return s
	}
	dead := func(why string, s SignedIn) {
		t.Helper()
		if _, err := h.Authenticate(s.Secret); protocol.CodeOf(err) != protocol.CodeNotPermitted {
			t.Errorf("%s: %v", why, err)
		}
	}
	s := signIn()
	_, err := h.ChangeRoles(h.admin, id, h.user(id).Version, h.agency, []Role{Editor})
	h.must(err)
	dead("other roles", s)

	s = signIn()
	_, err = h.SetDisabled(h.admin, id, h.user(id).Version, true)
	h.must(err)
	dead("disabled", s)
	_, err = h.signIn("s@u.example", good)
	refused(t, err, protocol.CodeNotPermitted, "disabled: ask an administrator")
	_, err = h.SetDisabled(h.admin, id, h.user(id).Version, false)
	h.must(err)
	dead("enabled again", s)

	s = signIn()
	h.must(h.EndSessions(h.admin, id, false))
	dead("signed out by an administrator", s)

	s = signIn()
	other := signIn()
	h.must(h.EndSessions(s.Actor, id, true))
	dead("signed out elsewhere", other)
	if _, err := h.Authenticate(s.Secret); err != nil {
		t.Errorf("the session that asked: %v", err)
	}
	stranger := Actor{User: "u-else", Roles: []Role{Reader}}
	refused(t, h.EndSessions(stranger, id, false), protocol.CodeNotPermitted, "the person")

	// A new password ends the others, and this one gets a new secret.
	other = signIn()
	const next = "seven quiet mango orchards"
	_, err = h.ChangePassword(bg, s.Secret, "a wrong password", next, here)
	refused(t, err, protocol.CodeNotPermitted, "not your current password")
	_, err = h.ChangePassword(bg, s.Secret, good, "short", here)
	refused(t, err, protocol.CodeValue, "at least 12")
	now, err := h.ChangePassword(bg, s.Secret, good, next, here)
	h.must(err)
	dead("new password, elsewhere", other)
	dead("new password, the old secret", s)
	if a, err := h.Authenticate(now.Secret); err != nil || a.User != id {
		t.Errorf("the new secret: %v", err)
	}
	if len(h.rowsWith(tables, next)) > 0 {
		t.Error("a password is in the store")
	}
	// Who found a session open cannot try passwords for ever.
	for range lockAfter {
		_, err = h.ChangePassword(bg, now.Secret, "a wrong password", next, here)
		refused(t, err, protocol.CodeNotPermitted, "not your current password")
	}
	_, err = h.ChangePassword(bg, now.Secret, next, good, here)
	refused(t, err, protocol.CodeUnavailable, "closed")
	h.tick(lockFor)

	// The organisation.
	u := h.person("o@u.example", h.organisation("Institute", "research-institute"), "", Reader)
	o, err := h.Organisation(h.admin, u.Actor.Organisation)
	h.must(err)
	_, err = h.EditOrganisation(h.admin, o.ID, o.Version, OrganisationFields{Name: o.Name, Type: o.Type, Country: o.Country, Disabled: true})
	h.must(err)
	_, err = h.Authenticate(u.Secret)
	refused(t, err, protocol.CodeNotPermitted, "the organisation of this account is disabled")

	// More than twenty at once.
	var all []SignedIn
	h.must(h.store.Update(func(tx *store.Tx) error {
		for range maxSessions + 1 {
			h.tick(time.Second)
			s, err := h.SignInAs(tx, id, "passkey", here)
			if err != nil {
				return err
			}
			all = append(all, s)
		}
		return nil
	}))
	dead("the idlest of twenty-one", all[0])
	if _, err := h.Authenticate(all[1].Secret); err != nil {
		t.Error(err)
	}
}

// An account without a password gets one in a session that is fresh.
func TestFirstPassword(t *testing.T) {
	h := furnished(t)
	s := h.person("p@u.example", h.agency, "", Reader)
	h.tick(freshFor + time.Second)
	_, err := h.ChangePassword(bg, s.Secret, "", good, here)
	refused(t, err, protocol.CodeNotPermitted, "sign in again")
	h.must(h.store.Update(func(tx *store.Tx) (err error) {
		s, err = h.SignInAs(tx, s.Actor.User, "passkey", here)
		return err
	}))
	_, err = h.ChangePassword(bg, s.Secret, "", good, here)
	h.must(err)
	_, err = h.signIn("p@u.example", good)
	h.must(err)
}
