package access

import (
	"cmp"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/unicode/norm"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Passwords: which are taken, what hashing them may cost, and how they are changed.

const (
	minPassword = 12  // characters
	maxPassword = 256 // bytes, so that nobody makes the node hash a book
)

// hasher bounds what passwords cost: each hash takes 19 MiB and some 40 ms of a core.
type hasher struct {
	params  argon2id.Params
	slots   chan struct{} // one a hash under way
	waiting atomic.Int64
	queue   int64
	dummy   string // in the form of a hash, but of nothing: an unknown account costs as much as a wrong password
}

func newHasher(hashes, queue int) (*hasher, error) {
	h := &hasher{
		params: argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32},
		slots:  make(chan struct{}, hashes), queue: int64(queue),
	}
	noise := make([]byte, h.params.SaltLength+h.params.KeyLength)
	if _, err := rand.Read(noise); err != nil {
		return nil, err
	}
	text := base64.RawStdEncoding.EncodeToString
	h.dummy = fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", h.params.Memory, h.params.Iterations, h.params.Parallelism,
		text(noise[:h.params.SaltLength]), text(noise[h.params.SaltLength:]))
	return h, nil
}

// enter waits for a slot; leave gives it back.
//
// Errors: CodeUnavailable where too many wait already, or ctx ends.
func (h *hasher) enter(ctx context.Context) error {
	busy := protocol.Errorf(protocol.CodeUnavailable, "", "too many people are signing in at this moment: try again in a few seconds")
	select {
	case h.slots <- struct{}{}:
		return nil
	default:
	}
	defer h.waiting.Add(-1)
	if h.waiting.Add(1) > h.queue {
		return busy
	}
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		busy.Err = ctx.Err()
		return busy
	}
}

func (h *hasher) leave() { <-h.slots }

func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	return argon2id.CreateHash(normal(password), &h.params)
}

// verify a password against a hash; "" is an account without one, or no account.
func (h *hasher) verify(ctx context.Context, password, hash string) (bool, error) {
	if err := h.enter(ctx); err != nil {
		return false, err
	}
	defer h.leave()
	known := hash != "" && len(password) <= maxPassword
	if !known {
		password, hash = "", h.dummy
	}
	same, err := argon2id.ComparePasswordAndHash(normal(password), hash)
	return same && known, err
}

// normal form of a password: keyboards differ in how they put accents and vowel signs together.
func normal(password string) string { return norm.NFC.String(password) }

//go:embed worst.txt
var worst string

// password looks whether a person of that address and name may have this password.
func (f *faults) password(password, email, name string) {
	if len(password) > maxPassword || !utf8.ValidString(password) {
		f.add("password", "at most %d bytes of text", maxPassword)
		return
	}
	if n := utf8.RuneCountInString(normal(password)); n < minPassword {
		f.add("password", "at least %d characters, not %d: a few words that do not belong together are easy to remember", minPassword, n)
		return
	}
	folded := fold(password)
	seen := make(map[rune]bool)
	for _, c := range folded {
		seen[c] = true
	}
	bad := len(seen) < 5
	for line := range strings.Lines(worst) {
		bad = bad || folded == strings.TrimSpace(line)
	}
	if bad {
		f.add("password", "this is among the first passwords that anybody tries: take a few words that do not belong together")
		return
	}
	local, domain, _ := strings.Cut(email, "@")
	rest := folded
	for _, own := range append([]string{email, local, domain, fold(name)}, strings.Fields(fold(name))...) {
		if utf8.RuneCountInString(own) >= 3 {
			rest = strings.ReplaceAll(rest, own, "")
		}
	}
	if rest != folded && utf8.RuneCountInString(rest) < 8 {
		f.add("password", "this is little more than your own name or e-mail address: take a few words that do not belong together")
	}
}

// hashNew password of a person, if that one may have it.
func (r *Registry) hashNew(ctx context.Context, u *user, password string) (string, error) {
	var f faults
	f.password(password, u.Email, u.Name)
	if err := f.err(); err != nil {
		return "", err
	}
	return r.hasher.hash(ctx, password)
}

// setPassword ends all sessions and the links for a new password that are under way, and forgets wrong attempts.
func (r *Registry) setPassword(tx *store.Tx, by Actor, before, u *user, hash string) error {
	u.PasswordHash = hash
	u.Epoch++
	if err := endSessions(tx, u.ID, ""); err != nil {
		return err
	}
	if err := replaceLink(tx, PurposeReset, string(u.ID)); err != nil {
		return err
	}
	if err := r.pardon(tx, u.Email); err != nil {
		return err
	}
	if err := putUser(tx, before, u); err != nil {
		return err
	}
	return r.log(tx, by, "user.password", "user", string(u.ID), nil)
}

const freshFor = 15 * time.Minute

// Fresh refuses what a session that somebody found open, or took, must not do, unless its person signed in just now: above all
// whatever opens the account when that session has long ended.
//
// Errors: CodeNotPermitted.
func (r *Registry) Fresh(tx *store.Tx, by Actor) error {
	s, err := read[session](tx, store.TableSession, "s/"+string(by.Session))
	if err != nil {
		return err
	}
	if s == nil || s.User != by.User || r.now().Sub(s.Created) > freshFor {
		return protocol.Errorf(protocol.CodeNotPermitted, "", "this needs a sign-in of the last %d minutes: sign out, sign in again, then repeat it", int(freshFor.Minutes()))
	}
	return nil
}

// ChangePassword of the person whose session it is. The other sessions end, and this one gets a new secret. An account that
// has no password yet needs a fresh sign-in instead of the current one.
//
// Errors: CodeNotPermitted where the session has ended or the current password is wrong; CodeUnavailable after too many wrong
// ones; CodeValue.
func (r *Registry) ChangePassword(ctx context.Context, secret, current, password string, c Client) (next SignedIn, err error) {
	by, err := r.Authenticate(secret)
	if err != nil {
		return next, err
	}
	if err := Can(by, EditAccount, Resource{User: by.User}); err != nil {
		return next, err
	}
	var u *user
	if err := r.view(func(tx *store.Tx) error {
		if u, err = userOf(tx, by.User); err == nil && u.PasswordHash == "" {
			err = r.Fresh(tx, by)
		}
		return err
	}); err != nil {
		return next, err
	}
	old := u.PasswordHash
	address := network(c.Address)
	end, err := r.begin(u.Email, address)
	if err != nil {
		return next, err
	}
	defer end()
	if old != "" {
		right, err := r.hasher.verify(ctx, current, old)
		if err != nil {
			return next, err
		}
		if !right {
			if err := r.update(func(tx *store.Tx) error { _, err := r.failed(tx, u.Email, address); return err }); err != nil {
				return next, err
			}
			return next, protocol.Errors{protocol.Errorf(protocol.CodeNotPermitted, "current", "this is not your current password")}
		}
	}
	hash, err := r.hashNew(ctx, u, password)
	if err != nil {
		return next, err
	}
	err = r.update(func(tx *store.Tx) error {
		s, u, err := r.find(tx, secret)
		if err != nil {
			return err
		}
		if shut, err := r.shut(tx, u.Email); err != nil || shut {
			return cmp.Or(err, closed())
		}
		if u.PasswordHash != old {
			return r.sessionEnded()
		}
		before := *u
		if err := r.setPassword(tx, by, &before, u, hash); err != nil {
			return err
		}
		if next.Actor, err = r.actorOf(tx, u); err != nil {
			return err
		}
		if next.Secret, err = r.putSession(tx, u, s); err != nil {
			return err
		}
		next.Actor.Session, next.Expires = s.ID, s.Expires
		return nil
	})
	if err != nil {
		return SignedIn{}, err
	}
	return next, nil
}
