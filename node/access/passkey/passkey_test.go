package passkey

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	tmh "github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

const (
	testDomain = "hub.example.org"
	testOrigin = "https://hub.example.org"
)

var (
	sok   = User{ID: "uaaaa", Login: "sok@example.org", Name: "Sok Dara"}
	chanh = User{ID: "ubbbb", Login: "chanh@example.org", Name: "Chanh Le"}
)

// A desk is a Service on a store in memory, with a clock of its own.
type desk struct {
	*Service
	t     testing.TB
	store *store.Store
	mu    sync.Mutex
	time  time.Time
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	s, err := store.Open(store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	d := &desk{t: t, store: s, time: time.Date(2026, 9, 21, 8, 0, 0, 0, time.UTC)}
	now := func() time.Time {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.time
	}
	if d.Service, err = New(Config{Store: s, RPID: testDomain, Origins: []string{testOrigin}, Name: "Hub", Now: now}); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) pass(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.time = d.time.Add(by)
}

func (d *desk) beginRegistration(u User) Begun {
	d.t.Helper()
	b, err := d.BeginRegistration(u)
	if err != nil {
		d.t.Fatal(err)
	}
	return b
}

func (d *desk) beginSignIn() Begun {
	d.t.Helper()
	b, err := d.BeginSignIn()
	if err != nil {
		d.t.Fatal(err)
	}
	return b
}

func (d *desk) finishRegistration(u User, ceremony string, response []byte, name string) (p Passkey, err error) {
	err = d.store.Update(func(tx *store.Tx) (err error) {
		p, err = d.FinishRegistration(tx, u, ceremony, response, name)
		return err
	})
	return p, err
}

// add registers a device's key for a user.
func (d *desk) add(u User, dev *device) Passkey {
	d.t.Helper()
	b := d.beginRegistration(u)
	p, err := d.finishRegistration(u, b.Ceremony, dev.create(b), "phone")
	if err != nil {
		d.t.Fatalf("register: %v", err)
	}
	return p
}

func (d *desk) signIn(dev *device) (SignIn, error) {
	d.t.Helper()
	b := d.beginSignIn()
	return d.FinishSignIn(b.Ceremony, dev.get(b), nil)
}

func (d *desk) list(user string) (all []Passkey) {
	d.t.Helper()
	if err := d.store.View(func(tx *store.Tx) (err error) {
		all, err = List(tx, user)
		return err
	}); err != nil {
		d.t.Fatal(err)
	}
	return all
}

func TestRegisterAndSignIn(t *testing.T) {
	d, phone := newDesk(t), newDevice(t)
	made := d.add(sok, phone)
	if made.Name != "phone" || made.Synced || !made.LastUsed.IsZero() || made.Created != d.time {
		t.Errorf("made %+v", made)
	}
	d.pass(time.Hour)
	got, err := d.signIn(phone)
	if err != nil {
		t.Fatal(err)
	}
	if got.User != sok.ID || got.Passkey.ID != made.ID || !got.Verified || got.Passkey.LastUsed != d.time {
		t.Errorf("signed in as %+v", got)
	}
	phone.flags = userPresent // touched only
	if got, err = d.signIn(phone); err != nil || got.Verified {
		t.Errorf("touched only: %+v, %v", got, err)
	}
	if list := d.list(sok.ID); len(list) != 1 || list[0].LastUsed != d.time {
		t.Errorf("list %+v", list)
	}
	// A second device for the same person opens the same account; another person's opens his.
	key, other := newDevice(t), newDevice(t)
	d.add(sok, key)
	d.add(chanh, other)
	for dev, want := range map[*device]string{phone: sok.ID, key: sok.ID, other: chanh.ID} {
		if got, err := d.signIn(dev); err != nil || got.User != want {
			t.Errorf("signed in as %q, %v; want %q", got.User, err, want)
		}
	}
}

func TestOptions(t *testing.T) {
	d, phone := newDesk(t), newDevice(t)
	first := phone.options(d.beginRegistration(sok).Options).PublicKey
	if first.RP.ID != testDomain || first.User.Name != sok.Login || first.User.DisplayName != sok.Name {
		t.Errorf("shown by the device: %+v", first)
	}
	if s := first.AuthenticatorSelection; s.ResidentKey != "required" || !s.RequireResidentKey || s.UserVerification != "preferred" {
		t.Errorf("selection %+v", s)
	}
	if first.Attestation != "none" && first.Attestation != "" {
		t.Errorf("attestation %q is asked for", first.Attestation)
	}
	if h := bytesOf(t, first.User.ID); len(h) != handleSize || bytes.Contains(h, []byte(sok.ID)) {
		t.Errorf("handle %x", h)
	}
	if second := phone.options(d.beginRegistration(sok).Options).PublicKey; second.User.ID == first.User.ID || second.Challenge == first.Challenge {
		t.Error("handle or challenge was given twice before anything was registered")
	}
	d.add(sok, phone)
	next := phone.options(d.beginRegistration(sok).Options).PublicKey
	if !bytes.Equal(bytesOf(t, next.User.ID), phone.handle) {
		t.Error("a person's second passkey has another handle")
	}
	if len(next.ExcludeCredentials) != 1 || next.ExcludeCredentials[0].ID != text(phone.id) {
		t.Errorf("excluded: %+v", next.ExcludeCredentials)
	}
	signIn := phone.options(d.beginSignIn().Options).PublicKey
	if len(signIn.AllowCredentials) != 0 || signIn.RPID != testDomain || signIn.UserVerification != "preferred" {
		t.Errorf("sign-in options %+v", signIn)
	}
	if n := len(bytesOf(t, signIn.Challenge)); n < 16 {
		t.Errorf("challenge of %d bytes", n)
	}
}

// Every way to answer a sign-in wrongly is refused, says the same to everybody, and uses the challenge up.
func TestSignInRefused(t *testing.T) {
	cases := map[string]func(d *desk, dev *device, b *Begun) []byte{
		"another challenge": func(d *desk, dev *device, b *Begun) []byte { return dev.get(d.beginSignIn()) },
		"a page elsewhere": func(d *desk, dev *device, b *Begun) []byte {
			dev.origin = "https://hub.example.net"
			return dev.get(*b)
		},
		"a page over http": func(d *desk, dev *device, b *Begun) []byte { dev.origin = "http://hub.example.org"; return dev.get(*b) },
		"a key of another domain": func(d *desk, dev *device, b *Begun) []byte {
			dev.domain = "example.org"
			return dev.get(*b)
		},
		"a registration's client data": func(d *desk, dev *device, b *Begun) []byte { dev.kind = "webauthn.create"; return dev.get(*b) },
		"nobody touched it":            func(d *desk, dev *device, b *Begun) []byte { dev.flags = 0; return dev.get(*b) },
		"it became syncable":           func(d *desk, dev *device, b *Begun) []byte { dev.flags |= backupEligible; return dev.get(*b) },
		"another key": func(d *desk, dev *device, b *Begun) []byte {
			dev.key = newDevice(d.t).key
			return dev.get(*b)
		},
		"a changed signature": func(d *desk, dev *device, b *Begun) []byte {
			raw := dev.get(*b)
			at := bytes.Index(raw, []byte(`"signature":"`)) + 30
			raw[at] ^= 1
			return raw
		},
		"an unknown passkey": func(d *desk, dev *device, b *Begun) []byte { dev.id = newDevice(d.t).id; return dev.get(*b) },
		"an unknown handle":  func(d *desk, dev *device, b *Begun) []byte { dev.handle = make([]byte, handleSize); return dev.get(*b) },
		"no handle":          func(d *desk, dev *device, b *Begun) []byte { dev.handle = nil; return dev.get(*b) },
		"another person's handle": func(d *desk, dev *device, b *Begun) []byte {
			other := newDevice(d.t)
			d.add(chanh, other)
			dev.handle = other.handle
			return dev.get(*b)
		},
		"no JSON": func(*desk, *device, *Begun) []byte { return []byte("{") },
		"nothing": func(*desk, *device, *Begun) []byte { return nil },
		"another person's key under one's own handle": func(d *desk, dev *device, b *Begun) []byte {
			other := newDevice(d.t)
			d.add(chanh, other)
			dev.id, dev.key = other.id, other.key
			return dev.get(*b)
		},
		"a removed passkey": func(d *desk, dev *device, b *Begun) []byte {
			if err := d.store.Update(func(tx *store.Tx) error { _, err := Remove(tx, sok.ID, PasskeyID(dev.id)); return err }); err != nil {
				d.t.Fatal(err)
			}
			return dev.get(*b)
		},
		"an erased person": func(d *desk, dev *device, b *Begun) []byte {
			if err := d.store.Update(func(tx *store.Tx) error { return Erase(tx, sok.ID) }); err != nil {
				d.t.Fatal(err)
			}
			return dev.get(*b)
		},
	}
	for name, answer := range cases {
		t.Run(name, func(t *testing.T) {
			d, dev := newDesk(t), newDevice(t)
			d.add(sok, dev)
			right := *dev
			b := d.beginSignIn()
			_, err := d.FinishSignIn(b.Ceremony, answer(d, dev, &b), nil)
			if tmh.CodeOf(err) != tmh.CodeNotPermitted || !strings.Contains(err.Error(), "the passkey was not accepted: try again, or sign in another way") {
				t.Fatalf("got %v", err)
			}
			if _, err := d.FinishSignIn(b.Ceremony, right.get(b), nil); tmh.CodeOf(err) != tmh.CodeNotPermitted || !strings.Contains(err.Error(), "begin again") {
				t.Errorf("the challenge was good for a second answer: %v", err)
			}
		})
	}
}

func TestCeremonyOnceAndInTime(t *testing.T) {
	d, dev := newDesk(t), newDevice(t)
	d.add(sok, dev)
	over := func(what string, err error) {
		t.Helper()
		if tmh.CodeOf(err) != tmh.CodeNotPermitted || !strings.Contains(err.Error(), "begin again") {
			t.Errorf("%s: %v", what, err)
		}
	}
	b := d.beginSignIn()
	answer := dev.get(b)
	if _, err := d.FinishSignIn(b.Ceremony, answer, nil); err != nil {
		t.Fatal(err)
	}
	_, err := d.FinishSignIn(b.Ceremony, answer, nil)
	over("replayed", err)
	_, err = d.FinishSignIn("", answer, nil)
	over("without a ceremony", err)

	b = d.beginSignIn()
	answer = dev.get(b)
	d.pass(Lifetime)
	_, err = d.FinishSignIn(b.Ceremony, answer, nil)
	over("late sign-in", err)
	if d.signIns.order.Len() != 0 {
		t.Errorf("%d ceremonies are left", d.signIns.order.Len())
	}

	b = d.beginSignIn()
	d.pass(Lifetime - 1)
	if _, err = d.FinishSignIn(b.Ceremony, dev.get(b), nil); err != nil {
		t.Errorf("just in time: %v", err)
	}

	key := newDevice(t)
	b = d.beginRegistration(sok)
	_, err = d.finishRegistration(chanh, b.Ceremony, key.create(b), "")
	over("another person's registration", err)
	_, err = d.finishRegistration(sok, b.Ceremony, key.create(b), "")
	over("after it", err)
	b = d.beginRegistration(sok)
	d.pass(Lifetime)
	_, err = d.finishRegistration(sok, b.Ceremony, key.create(b), "")
	over("late registration", err)
	b = d.beginSignIn()
	_, err = d.finishRegistration(sok, b.Ceremony, []byte("{}"), "")
	over("a sign-in's challenge for a registration", err)
	if n := len(d.list(sok.ID)) + len(d.list(chanh.ID)); n != 1 {
		t.Errorf("%d passkeys", n)
	}

	// Of many who answer one challenge at the same time, one is let in.
	b = d.beginSignIn()
	answer = dev.get(b)
	var in atomic.Int32
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			if _, err := d.FinishSignIn(b.Ceremony, answer, nil); err == nil {
				in.Add(1)
			}
		})
	}
	group.Wait()
	if in.Load() != 1 {
		t.Errorf("one challenge let in %d", in.Load())
	}
}

func TestRegistrationRefused(t *testing.T) {
	cases := map[string]func(d *desk, dev *device, b Begun) []byte{
		"a page elsewhere":        func(d *desk, dev *device, b Begun) []byte { dev.origin = "https://evil.example"; return dev.create(b) },
		"a key of another domain": func(d *desk, dev *device, b Begun) []byte { dev.domain = "evil.example"; return dev.create(b) },
		"a sign-in's client data": func(d *desk, dev *device, b Begun) []byte { dev.kind = "webauthn.get"; return dev.create(b) },
		"another challenge":       func(d *desk, dev *device, b Begun) []byte { return dev.create(d.beginRegistration(sok)) },
		"nobody touched it":       func(d *desk, dev *device, b Begun) []byte { dev.flags = 0; return dev.create(b) },
		"backed up, not syncable": func(d *desk, dev *device, b Begun) []byte { dev.flags |= backedUp; return dev.create(b) },
		"an empty object":         func(d *desk, dev *device, b Begun) []byte { return []byte("{}") },
	}
	for name, answer := range cases {
		t.Run(name, func(t *testing.T) {
			d, dev := newDesk(t), newDevice(t)
			b := d.beginRegistration(sok)
			if _, err := d.finishRegistration(sok, b.Ceremony, answer(d, dev, b), ""); tmh.CodeOf(err) != tmh.CodeNotPermitted {
				t.Errorf("got %v", err)
			}
			if n := d.rows(); n != 0 {
				t.Errorf("%d rows were written", n)
			}
		})
	}
	d, dev := newDesk(t), newDevice(t)
	for name, want := range map[string]tmh.Code{strings.Repeat("x", MaxName+1): tmh.CodeTooLarge, "a\x00b": tmh.CodeText, "a\xff": tmh.CodeText} {
		b := d.beginRegistration(sok)
		if _, err := d.finishRegistration(sok, b.Ceremony, dev.create(b), name); tmh.CodeOf(err) != want {
			t.Errorf("named %q: %v", name, err)
		}
		// The name is judged before the challenge: the person corrects it and goes on.
		if _, err := d.finishRegistration(sok, b.Ceremony, newDevice(t).create(b), "right"); err != nil {
			t.Errorf("after a wrong name: %v", err)
		}
	}
	for _, u := range []User{{}, {ID: "a/b"}, {ID: strings.Repeat("u", maxUser+1)}, {ID: "u", Name: strings.Repeat("n", maxShown+1)}} {
		if _, err := d.BeginRegistration(u); err == nil {
			t.Errorf("registered for %q", u.ID)
		}
	}
	b := d.beginRegistration(sok)
	if _, err := d.finishRegistration(sok, b.Ceremony, make([]byte, MaxResponse+1), ""); tmh.CodeOf(err) != tmh.CodeTooLarge {
		t.Errorf("a long answer: %v", err)
	}
	b = d.beginSignIn()
	if _, err := d.FinishSignIn(b.Ceremony, make([]byte, MaxResponse+1), nil); tmh.CodeOf(err) != tmh.CodeTooLarge {
		t.Errorf("a long answer: %v", err)
	}
}

func TestOnePasskeyOneAccount(t *testing.T) {
	d, dev := newDesk(t), newDevice(t)
	d.add(sok, dev)
	for _, u := range []User{sok, chanh} {
		b := d.beginRegistration(u)
		if _, err := d.finishRegistration(u, b.Ceremony, dev.create(b), ""); tmh.CodeOf(err) != tmh.CodeConflict {
			t.Errorf("registered again for %s: %v", u.ID, err)
		}
	}
	// Two first registrations at once: the second's device holds a handle that is not the person's.
	one, two := d.beginRegistration(chanh), d.beginRegistration(chanh)
	if _, err := d.finishRegistration(chanh, one.Ceremony, newDevice(t).create(one), ""); err != nil {
		t.Fatal(err)
	}
	if _, err := d.finishRegistration(chanh, two.Ceremony, newDevice(t).create(two), ""); tmh.CodeOf(err) != tmh.CodeConflict {
		t.Errorf("two handles for one person: %v", err)
	}
	for len(d.list(chanh.ID)) < MaxPasskeys-1 {
		d.add(chanh, newDevice(t))
	}
	late := d.beginRegistration(chanh)
	d.add(chanh, newDevice(t))
	if _, err := d.BeginRegistration(chanh); tmh.CodeOf(err) != tmh.CodeConflict {
		t.Errorf("began an eleventh: %v", err)
	}
	if _, err := d.finishRegistration(chanh, late.Ceremony, newDevice(t).create(late), ""); tmh.CodeOf(err) != tmh.CodeConflict {
		t.Errorf("added an eleventh: %v", err)
	}
}

// What the caller does with a sign-in is written with it, or neither is.
func TestSignInInOneTransaction(t *testing.T) {
	d, phone := newDesk(t), newDevice(t)
	d.add(sok, phone)
	fails := tmh.Errorf(tmh.CodeNotPermitted, "", "this account is disabled")
	for _, want := range []error{fails, nil} {
		b := d.beginSignIn()
		in, err := d.FinishSignIn(b.Ceremony, phone.get(b), func(tx *store.Tx, in SignIn) error {
			if in.User != sok.ID {
				t.Errorf("signed in %+v", in)
			}
			if err := tx.SetRow(store.TableSession, "a session", []byte(in.User)); err != nil {
				return err
			}
			return want
		})
		var session []byte
		if viewErr := d.store.View(func(tx *store.Tx) (err error) {
			session, err = tx.Row(store.TableSession, "a session")
			return err
		}); viewErr != nil {
			t.Fatal(viewErr)
		}
		noted := !d.list(sok.ID)[0].LastUsed.IsZero()
		if !errors.Is(err, want) || (in.User != "") != (want == nil) || (session != nil) != (want == nil) || noted != (want == nil) {
			t.Errorf("%v: %+v, %v; session %q, noted %v", want, in, err, session, noted)
		}
	}
}

// A copied key gives itself away by a counter that does not grow. From then on neither of the two opens the account.
func TestClone(t *testing.T) {
	d, phone := newDesk(t), newDevice(t)
	var heard []string
	d.cfg.OnClone = func(_ *store.Tx, user, passkey string) error {
		heard = append(heard, user+" "+passkey)
		return nil
	}
	made := d.add(sok, phone)
	if _, err := d.signIn(phone); err != nil {
		t.Fatal(err)
	}
	copied := *phone
	if _, err := d.signIn(&copied); err != nil { // the thief is first, and looks like the owner
		t.Fatal(err)
	}
	last, found := d.time, d.time.Add(time.Hour)
	for i, dev := range []*device{phone, phone, &copied} {
		d.pass(time.Hour)
		b := d.beginSignIn()
		_, err := d.FinishSignIn(b.Ceremony, dev.get(b), func(*store.Tx, SignIn) error {
			t.Error("a session was made")
			return nil
		})
		var clone *CloneError
		if !errors.As(err, &clone) || clone.User != sok.ID || clone.Passkey != made.ID || tmh.CodeOf(err) != tmh.CodeNotPermitted {
			t.Errorf("use %d after the copy: %v", i, err)
		}
	}
	if want := sok.ID + " " + made.ID; len(heard) != 3 || heard[0] != want {
		t.Errorf("heard %q", heard)
	}
	list := d.list(sok.ID)
	if len(list) != 1 || list[0].Suspected != found || list[0].LastUsed != last {
		t.Errorf("list %+v", list)
	}
	// Another device of the same person still opens it.
	key := newDevice(t)
	d.add(sok, key)
	if _, err := d.signIn(key); err != nil {
		t.Error(err)
	}
}

func TestSyncedPasskeyCountsNothing(t *testing.T) {
	d, dev := newDesk(t), newDevice(t)
	dev.step, dev.flags = 0, dev.flags|backupEligible|backedUp
	if made := d.add(sok, dev); !made.Synced {
		t.Errorf("made %+v", made)
	}
	for range 3 {
		if _, err := d.signIn(dev); err != nil {
			t.Fatal(err)
		}
	}
	dev.counter = 7 // a provider that begins to count
	if _, err := d.signIn(dev); err != nil {
		t.Fatal(err)
	}
	dev.counter = 0
	var clone *CloneError
	if _, err := d.signIn(dev); !errors.As(err, &clone) {
		t.Errorf("back to zero: %v", err)
	}
}

func (d *desk) rows() (n int) {
	d.t.Helper()
	if err := d.store.View(func(tx *store.Tx) error {
		return tx.Rows(store.TablePasskey, "", "", func(string, []byte) (bool, error) { n++; return true, nil })
	}); err != nil {
		d.t.Fatal(err)
	}
	return n
}

func TestManage(t *testing.T) {
	d, phone, key := newDesk(t), newDevice(t), newDevice(t)
	made := d.add(sok, phone)
	d.add(sok, key)
	d.add(chanh, newDevice(t))
	if all := d.list(sok.ID); len(all) != 2 || all[0].ID != made.ID || all[1].ID != PasskeyID(key.id) {
		t.Errorf("list %+v", all)
	}
	update := func(f func(*store.Tx) error) error { return d.store.Update(f) }
	if err := update(func(tx *store.Tx) error {
		got, err := Rename(tx, sok.ID, made.ID, "  ទូរស័ព្ទ ")
		if got.Name != "ទូរស័ព្ទ" {
			t.Errorf("renamed to %q", got.Name)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if got := d.list(sok.ID)[0].Name; got != "ទូរស័ព្ទ" {
		t.Errorf("named %q", got)
	}
	for name, want := range map[string]tmh.Code{" ": tmh.CodeRequired, "\u0007": tmh.CodeText, strings.Repeat("ក", MaxName+1): tmh.CodeTooLarge} {
		if err := update(func(tx *store.Tx) error { _, err := Rename(tx, sok.ID, made.ID, name); return err }); tmh.CodeOf(err) != want {
			t.Errorf("renamed to %q: %v", name, err)
		}
	}
	// Nobody touches another's.
	if err := update(func(tx *store.Tx) error { _, err := Rename(tx, chanh.ID, made.ID, "mine"); return err }); tmh.CodeOf(err) != tmh.CodeNotFound {
		t.Errorf("renamed another's: %v", err)
	}
	if err := update(func(tx *store.Tx) error { _, err := Remove(tx, chanh.ID, made.ID); return err }); tmh.CodeOf(err) != tmh.CodeNotFound {
		t.Errorf("removed another's: %v", err)
	}
	var left int
	if err := update(func(tx *store.Tx) (err error) { left, err = Remove(tx, sok.ID, made.ID); return err }); err != nil || left != 1 {
		t.Fatalf("%d left, %v", left, err)
	}
	if err := update(func(tx *store.Tx) error { _, err := Remove(tx, sok.ID, made.ID); return err }); tmh.CodeOf(err) != tmh.CodeNotFound {
		t.Errorf("removed twice: %v", err)
	}
	if _, err := d.signIn(key); err != nil {
		t.Errorf("the other passkey: %v", err)
	}
	// What was removed can be added anew: its handle is still the person's.
	d.add(sok, phone)
	if _, err := d.signIn(phone); err != nil {
		t.Errorf("added anew: %v", err)
	}
	if err := update(func(tx *store.Tx) error { return errors.Join(Erase(tx, sok.ID), Erase(tx, "nobody")) }); err != nil {
		t.Fatal(err)
	}
	if n, all := d.rows(), d.list(sok.ID); n != 3 || len(all) != 0 {
		t.Errorf("after erasing one of two people %d rows are left, and %+v", n, all)
	}
}

// A registration is written with its account, or not at all.
func TestRegistrationRollsBack(t *testing.T) {
	d, dev := newDesk(t), newDevice(t)
	b := d.beginRegistration(sok)
	answer := dev.create(b)
	fails := errors.New("the account could not be made")
	if err := d.store.Update(func(tx *store.Tx) error {
		if _, err := d.FinishRegistration(tx, sok, b.Ceremony, answer, ""); err != nil {
			return err
		}
		return fails
	}); !errors.Is(err, fails) {
		t.Fatal(err)
	}
	if n := d.rows(); n != 0 {
		t.Errorf("%d rows", n)
	}
}

func TestPendingIsBounded(t *testing.T) {
	p := newPending(3)
	now := time.Date(2026, 9, 21, 8, 0, 0, 0, time.UTC)
	var ids []string
	for i := range 5 {
		ids = append(ids, p.put(ceremony{user: fmt.Sprint(i), until: now.Add(time.Minute)}))
	}
	if p.order.Len() != 3 || len(p.byID) != 3 {
		t.Errorf("%d and %d kept", p.order.Len(), len(p.byID))
	}
	for i, id := range ids {
		c, ok := p.take(id, now)
		if ok != (i >= 2) || ok && c.user != fmt.Sprint(i) {
			t.Errorf("%d: %+v, %v", i, c, ok)
		}
	}
}

func TestConfig(t *testing.T) {
	s := newDesk(t).store
	for name, c := range map[string]struct {
		cfg  Config
		want string // "" for fine
	}{
		"https":            {Config{RPID: "hub.example.org", Origins: []string{"https://hub.example.org"}}, ""},
		"a port":           {Config{RPID: "hub.example.org", Origins: []string{"https://hub.example.org:8443"}}, ""},
		"a wider domain":   {Config{RPID: "example.org", Origins: []string{"https://hub.example.org", "https://www.example.org"}}, ""},
		"this machine":     {Config{RPID: "localhost", Origins: []string{"http://localhost:8080"}}, ""},
		"plain http":       {Config{RPID: "hub.example.org", Origins: []string{"http://hub.example.org"}}, "over https"},
		"another domain":   {Config{RPID: "hub.example.org", Origins: []string{"https://hub.example.net"}}, "outside of the domain"},
		"a suffix, no dot": {Config{RPID: "example.org", Origins: []string{"https://badexample.org"}}, "outside of the domain"},
		"a path":           {Config{RPID: "hub.example.org", Origins: []string{"https://hub.example.org/"}}, "no origin"},
		"no origin":        {Config{RPID: "hub.example.org"}, "required"},
		"no domain":        {Config{Origins: []string{"https://hub.example.org"}}, "required"},
	} {
		c.cfg.Store, c.cfg.Name = s, "Hub"
		_, err := New(c.cfg)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
