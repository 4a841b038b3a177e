package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Config of a registry.
type Config struct {
	Store  *store.Store
	Member protocol.MemberID // whose node this is
	Now    func() time.Time

	// Audit writes an event in the transaction of what it tells of, which fails with it. nil: nobody listens.
	Audit func(tx *store.Tx, e Event) error
	// Deliver puts a link's mail into the queue, in the transaction that makes the link. Without mail it does nothing, and the
	// administrator hands over the link that Invite and ResetLink return. nil: the same.
	Deliver func(tx *store.Tx, d Delivery) error
	// OnErase is called when a person is erased, so that passkeys, identities and pseudonyms go in the same transaction. The
	// person can still be looked up then; the event is written already.
	OnErase []func(tx *store.Tx, u UserID) error

	Hashes int // passwords hashed at once, 19 MiB each. 0: GOMAXPROCS
	Queue  int // requests that may wait for that. 0: 64
}

// Event is something that somebody did. Detail holds codes, roles and numbers, never a name, an address or a secret.
type Event struct {
	At       time.Time
	By       UserID // "" for the operator, the node itself and strangers
	ByKind   string // as Actor.Kind, or "node"
	Token    TokenID
	Action   string // "organisation.create", "session.start" …
	Kind, ID string // of what it was done to: "organisation", "user", "invitation", "node". A person's id stands here only
	Detail   map[string]string
}

// Delivery is a link on its way to a person. Secret is the part of the link that proves; it must not be logged.
type Delivery struct {
	Purpose  Purpose
	Email    string
	Name     string // "" where the person has no account yet
	Language string // a code of configs/codes, "" where unknown
	Secret   string
	Expires  time.Time

	Organisation OrganisationID // of an invitation
	Roles        []Role
}

// Registry of people and organisations. Its methods are safe for concurrent use. Those that take a *store.Tx take part in the
// caller's transaction; the others have their own, durable when they return.
type Registry struct {
	cfg    Config
	hasher *hasher

	mu       sync.Mutex
	pending  map[string]int // sign-ins under way, by throttle key
	throttle int            // rows of TableThrottle, about
}

// New registry over a store. It starts nothing.
func New(cfg Config) (*Registry, error) {
	if cfg.Hashes <= 0 {
		cfg.Hashes = runtime.GOMAXPROCS(0)
	}
	if cfg.Queue <= 0 {
		cfg.Queue = 64
	}
	r := &Registry{cfg: cfg, pending: make(map[string]int)}
	var err error
	if r.hasher, err = newHasher(cfg.Hashes, cfg.Queue); err != nil {
		return nil, err
	}
	err = cfg.Store.View(func(tx *store.Tx) error {
		return tx.Rows(store.TableThrottle, "", "", func(string, []byte) (bool, error) {
			r.throttle++
			return true, nil
		})
	})
	return r, err
}

func (r *Registry) now() time.Time { return r.cfg.Now().UTC().Truncate(time.Millisecond) }

func (r *Registry) update(f func(tx *store.Tx) error) error { return r.cfg.Store.Update(f) }

func (r *Registry) view(f func(tx *store.Tx) error) error { return r.cfg.Store.View(f) }

func (r *Registry) log(tx *store.Tx, by Actor, action, kind, id string, detail map[string]string) error {
	if r.cfg.Audit == nil {
		return nil
	}
	return r.cfg.Audit(tx, Event{
		At: r.now(), By: by.User, ByKind: by.Kind(), Token: by.Token, Action: action, Kind: kind, ID: id, Detail: detail,
	})
}

// read a row; nil where there is none.
func read[T any](tx *store.Tx, table store.Table, key string) (*T, error) {
	b, err := tx.Row(table, key)
	if b == nil || err != nil {
		return nil, err
	}
	x := new(T)
	if err := json.Unmarshal(b, x); err != nil {
		return nil, fmt.Errorf("row of table %c: %w", table, err)
	}
	return x, nil
}

func write(tx *store.Tx, table store.Table, key string, x any) error {
	b, err := json.Marshal(x)
	if err != nil {
		return fmt.Errorf("row of table %c: %w", table, err)
	}
	return tx.SetRow(table, key, b)
}

// index writes a row that only says that something is there.
func index(tx *store.Tx, table store.Table, key string) error {
	return tx.SetRow(table, key, []byte{'1'})
}

// keys of the rows under a prefix, without it, from after on but without it, at most n.
func keys(tx *store.Tx, table store.Table, prefix, after string, n int) ([]string, error) {
	var all []string
	if after != "" {
		after = prefix + after
	}
	err := tx.Rows(table, prefix, after, func(key string, _ []byte) (bool, error) {
		all = append(all, strings.TrimPrefix(key, prefix))
		return len(all) < n, nil
	})
	return all, err
}

const everything = 1 << 30 // as keys' n, where another bound holds already

// newID of 128 random bits behind a letter.
func newID(letter string) string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	return letter + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
}

// newSecret of 256 random bits, and the hash under which it is kept.
func newSecret() (secret, hash string) {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	secret = base64.RawURLEncoding.EncodeToString(b)
	return secret, hashOf(secret)
}

// hashOf a secret that nobody can guess: one round is enough.
func hashOf(secret string) string {
	h := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(h[:])
}

// Page of a list, asked for: at most Limit entries (1 to 500, 0: 100) after Cursor ("" for the first).
type Page struct {
	Cursor string
	Limit  int
}

func (p Page) check() (Page, error) {
	if p.Limit == 0 {
		p.Limit = 100
	}
	if p.Limit < 1 || p.Limit > 500 {
		return p, protocol.Errorf(protocol.CodeValue, "limit", "at most 500 at once, at least 1")
	}
	if len(p.Cursor) > 400 {
		return p, protocol.Errorf(protocol.CodeValue, "cursor", "this is no cursor of this list: begin without one")
	}
	return p, nil
}

func notFound(what string) error {
	return protocol.Errorf(protocol.CodeNotFound, "", "there is no such %s", what)
}

// stale is the refusal of an edit that did not see the newest state.
func stale(have, want uint64) error {
	if have == want {
		return nil
	}
	return protocol.Errorf(protocol.CodeConflict, "version",
		"somebody changed this meanwhile (version %d, yours began at %d): read it again and repeat the change", have, want)
}
