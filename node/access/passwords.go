package access

import (
	"context"
	_ "embed"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/unicode/norm"

	"github.com/asean-tmh/tmh/protocol"
)

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
	dummy   string // hash of nothing that anybody knows: an unknown account costs as much as a wrong password
}

func newHasher(hashes, queue int) (*hasher, error) {
	h := &hasher{
		params: argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32},
		slots:  make(chan struct{}, hashes), queue: int64(queue),
	}
	secret, _ := newSecret()
	var err error
	h.dummy, err = argon2id.CreateHash(secret, &h.params)
	return h, err
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
