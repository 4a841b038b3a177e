// Package replay lets a request that makes something be sent twice: whoever got no answer sends it again with the same
// Idempotency-Key, and gets the answer of the first time instead of a second thing.
//
// A key belongs to who sent it, to the method and to the address, for 24 hours. Its row is written before the request is worked on
// and is completed with the answer. Meanwhile the same key is refused (CodeConflict), and likewise with another body
// (Other). Where the node stopped in between nobody knows whether the request was carried out: the key stays refused
// for its time, and the refusal says so, because guessing could do the thing twice. A request that was refused, and so made
// nothing, is forgotten: it may be mended and sent again under its key.
//
// Answers may hold secrets, such as a new token. The store has them encrypted under a key that is derived from the
// Idempotency-Key, which it does not have: who can read the disk can read no answer, and who sends the key again is who knew the
// answer anyway. That wants keys that cannot be guessed, so short ones are refused.
package replay

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Limits.
const (
	Lifetime = 24 * time.Hour
	MinKey   = 16 // characters
	MaxKey   = 128
	MaxBody  = 64 << 10 // bytes of an answer that is kept; of a larger one only that it was given
	MaxKeys  = 10_000   // of one actor at a time

	hung = 2 * time.Minute // no request takes longer
)

// errOtherRequest is behind the refusal of a key that came with another request before.
var errOtherRequest = errors.New("key was used for another request") //nolint:gochecknoglobals // a sentinel, never changed

// Other reports whether Begin refused a key because it came with another body before.
func Other(err error) bool { return errors.Is(err, errOtherRequest) }

// Log of answers. It is made by New and safe for concurrent use.
type Log struct {
	store *store.Store
	now   func() time.Time
	began time.Time // what began before it and is not done was cut off by a stop

	sweeping sync.Mutex
}

// New log over a store.
func New(s *store.Store, now func() time.Time) *Log {
	return &Log{store: s, now: now, began: now()}
}

// Request that carries a key.
type Request struct {
	Actor  string // who asks; never ""
	Method string
	Path   string
	Key    string // as ParseKey gave it
	Body   []byte // with what else tells the request apart
}

// Answer to a request.
type Answer struct {
	Status int
	Header map[string]string
	Body   []byte
	Cut    bool // the body was over MaxBody and was not kept
}

// Claim is a request that is being worked on. Exactly one of Keep and Forget ends it; where neither does, its key stays refused.
type Claim struct {
	log *Log
	id  string
	row row
	enc []byte // key of the answer
}

// row of the store, under "k/actor/request". Counts of keys lie under "n/actor".
type row struct {
	Began  int64  `json:"began"` // Unix milliseconds
	Done   bool   `json:"done,omitempty"`
	Salt   []byte `json:"salt"`
	Print  []byte `json:"print"`            // of the body, under a key derived from the Idempotency-Key
	Sealed []byte `json:"sealed,omitempty"` // nonce and encrypted answer
}

// ParseKey reads the header's value: a structured field's string in quotes, or the same without them.
func ParseKey(header string) (string, error) {
	key := header
	if quoted, found := strings.CutPrefix(key, `"`); found {
		inner, ended := strings.CutSuffix(quoted, `"`)
		if !ended {
			return "", badKey()
		}
		key = inner
	}
	if len(key) < MinKey || len(key) > MaxKey || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
		return "", badKey()
	}
	return key, nil
}

func badKey() error {
	return protocol.Errorf(protocol.CodeValue, "Idempotency-Key", "has to be %d to %d visible ASCII characters that nobody can guess: take a new random UUID for every request", MinKey, MaxKey)
}

// name of what a request's row lies under, and of its actor's count.
func (r *Request) name() (id, count string) {
	actor := sum("actor", r.Actor)
	return "k/" + actor + "/" + sum("request", r.Actor, r.Method, r.Path, r.Key), "n/" + actor
}

func sum(parts ...string) string {
	h := sha256.New()
	for _, p := range append([]string{"tmh/replay/1"}, parts...) {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p)))) // a hash does not fail
		_, _ = io.WriteString(h, p)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

// keys derived from an Idempotency-Key: one encrypts the answer, one marks the body.
func (r *Request) keys(salt []byte) (enc, mark []byte, err error) {
	b, err := hkdf.Key(sha256.New, []byte(r.Key), salt, "tmh/replay/1 "+r.Actor, 64)
	if err != nil {
		return nil, nil, fmt.Errorf("derive keys: %w", err)
	}
	return b[:32], b[32:], nil
}

func mark(key, body []byte) []byte {
	m := hmac.New(sha256.New, key)
	_, _ = m.Write(body) // a hash does not fail
	return m.Sum(nil)
}

// Begin a request: a claim where it is new, its answer where it was given before. CodeConflict: it is being worked on, or was cut
// off, or (Other) its key came with another body. CodeQuota: the actor has MaxKeys.
func (l *Log) Begin(r Request) (*Claim, *Answer, error) {
	id, count := r.name()
	now := l.now()
	c := &Claim{log: l, id: id, row: row{Began: now.UnixMilli(), Salt: make([]byte, 16)}}
	_, _ = rand.Read(c.row.Salt) // never fails
	enc, marking, err := r.keys(c.row.Salt)
	if err != nil {
		return nil, nil, err
	}
	c.enc, c.row.Print = enc, mark(marking, r.Body)
	var before *row
	err = l.store.Update(func(tx *store.Tx) error {
		before = nil
		stands, err := read(tx, id)
		if err != nil {
			return err
		}
		if stands != nil && !stands.over(now) {
			before = stands
			return nil
		}
		if stands == nil {
			n, err := counted(tx, count)
			if err != nil {
				return err
			}
			if n >= MaxKeys {
				return protocol.Errorf(protocol.CodeQuota, "Idempotency-Key", "%d keys were used within a day: go on without them, or tomorrow", MaxKeys)
			}
			if err := tx.SetRow(store.TableReplay, count, strconv.AppendInt(nil, int64(n+1), 10)); err != nil {
				return err
			}
		}
		return c.write(tx)
	})
	if err != nil {
		return nil, nil, err
	}
	if before == nil {
		return c, nil, nil
	}
	a, err := l.again(r, id, before)
	return nil, a, err
}

// again answers a request whose key is known.
func (l *Log) again(r Request, id string, stands *row) (*Answer, error) {
	enc, marking, err := r.keys(stands.Salt)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(stands.Print, mark(marking, r.Body)) {
		e := protocol.Errorf(protocol.CodeConflict, "Idempotency-Key", "came with another request before: take a new key for what is not the same request")
		e.Err = errOtherRequest
		return nil, e
	}
	if !stands.Done {
		began := time.UnixMilli(stands.Began)
		if l.now().Sub(began) > hung || began.Before(l.began.Truncate(time.Millisecond)) {
			return nil, protocol.Errorf(protocol.CodeConflict, "Idempotency-Key",
				"the first request with this key was cut off, and nobody knows whether it was carried out: look whether what it should make is there; if not, send it with a new key")
		}
		return nil, protocol.Errorf(protocol.CodeConflict, "Idempotency-Key", "the first request with this key is still being worked on: ask again in a second")
	}
	return unseal(enc, id, stands.Sealed)
}

// over reports whether a row's time is up. A clock that was set back does not lengthen it without end.
func (w *row) over(now time.Time) bool {
	age := now.Sub(time.UnixMilli(w.Began))
	return age >= Lifetime || age < -Lifetime
}

// Keep the answer. It returns when that is durable.
func (c *Claim) Keep(a Answer) error {
	if len(a.Body) > MaxBody {
		a.Body, a.Cut = nil, true
	}
	plain, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	aead, err := sealer(c.enc)
	if err != nil {
		return err
	}
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	c.row.Done, c.row.Sealed = true, aead.Seal(nonce, nonce, plain, []byte(c.id))
	return c.log.store.Update(c.write)
}

// Forget a request that made nothing.
func (c *Claim) Forget() error {
	return c.log.store.Update(func(tx *store.Tx) error { return drop(tx, c.id) })
}

func (c *Claim) write(tx *store.Tx) error {
	b, err := json.Marshal(c.row)
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	return tx.SetRow(store.TableReplay, c.id, b)
}

func sealer(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("answer's key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("answer's key: %w", err)
	}
	return aead, nil
}

func unseal(key []byte, id string, sealed []byte) (*Answer, error) {
	aead, err := sealer(key)
	if err != nil {
		return nil, err
	}
	if len(sealed) < aead.NonceSize() {
		return nil, errors.New("kept answer is cut short")
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(id))
	if err != nil {
		return nil, fmt.Errorf("open kept answer: %w", err)
	}
	a := new(Answer)
	if err := json.Unmarshal(plain, a); err != nil {
		return nil, fmt.Errorf("read kept answer: %w", err)
	}
	return a, nil
}
