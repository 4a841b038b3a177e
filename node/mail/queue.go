package mail

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"errors"
	"log/slog"
	netmail "net/mail"
	"strings"
	"sync"
	"text/template"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// MaxWaiting is how many messages wait at most.
const MaxWaiting = 5000

// ErrNoMail is what Enqueue answers where the node sends no mail: show the link to the administrator instead.
var ErrNoMail = errors.New("this node sends no mail")

// Config of a queue.
type Config struct {
	Store  *store.Store
	Server Server // without a host the node sends no mail
	Site   Site
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: nothing is logged
}

// Queue holds what is to be sent, and sends it while Run runs.
type Queue struct {
	cfg       Config
	templates map[string]*template.Template
	wake      chan struct{}

	mu       sync.Mutex // guards what follows
	sent     uint64
	lastSent time.Time
	trouble  string // why the server takes nothing
	since    time.Time
	failures int // to reach the server, in a row
	pause    time.Time
}

// New makes a queue. It starts nothing.
func New(cfg Config) (*Queue, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	var errs protocol.Errors
	if cfg.Server.Host != "" {
		cfg.Server.Check(func(key, format string, args ...any) {
			errs = append(errs, protocol.Errorf(protocol.CodeValue, "smtp."+key, format, args...))
		})
	}
	if len(errs) > 0 {
		return nil, errs
	}
	t, err := parseTemplates()
	if err != nil {
		return nil, err
	}
	return &Queue{cfg: cfg, templates: t, wake: make(chan struct{}, 1)}, nil
}

// Enabled reports whether the node sends mail.
func (q *Queue) Enabled() bool { return q.cfg.Server.Host != "" }

// Rows of store.TableMail; the package's description says what is in them.
const (
	rowCount  = "n"
	rowWaits  = "q/"
	rowFailed = "f/"
)

// item is a message in the queue. A failed one keeps neither subject nor text.
type item struct {
	Kind      string    `json:"kind"`
	To        string    `json:"to"`
	MessageID string    `json:"message_id"`
	Created   time.Time `json:"created"`
	Attempts  int       `json:"attempts,omitempty"`
	Subject   string    `json:"subject,omitempty"`
	Text      string    `json:"text,omitempty"`
	HTML      string    `json:"html,omitempty"`
	Reason    string    `json:"reason,omitempty"` // of the last failure
}

// Enqueue puts a message to one address into the queue, in the caller's transaction. It must not be called while the caller
// iterates over rows.
//
// Errors: ErrNoMail; CodeValue for an address or link that is none; CodeUnavailable while the queue is full.
func (q *Queue) Enqueue(tx *store.Tx, to string, m Message) error {
	if !q.Enabled() {
		return ErrNoMail
	}
	to, err := CheckAddress(to)
	if err != nil {
		return err
	}
	r, err := q.render(m)
	if err != nil {
		return err
	}
	n, err := waiting(tx)
	if err != nil {
		return err
	}
	if n >= MaxWaiting {
		return protocol.Errorf(protocol.CodeUnavailable, "", "%d messages wait to be sent, and no more are taken: see why the mail server takes none (tmh doctor), then try again", n)
	}
	random := make([]byte, 16)
	rand.Read(random) // never fails
	id := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random))
	now := q.cfg.Now().UTC()
	it := item{Kind: m.template(), To: to, MessageID: id + "@" + q.cfg.Server.domain(), Created: now, Subject: r.subject, Text: r.text, HTML: r.html}
	if err := setItem(tx, dueKey(rowWaits, now, id), &it); err != nil {
		return err
	}
	if err := setWaiting(tx, n+1); err != nil {
		return err
	}
	select { // the sender reads behind this transaction: writers wait for each other
	case q.wake <- struct{}{}:
	default:
	}
	return nil
}

// CheckAddress accepts one bare address in ASCII, as it can stand in a command to a mail server, and returns it with its
// domain in small letters.
func CheckAddress(s string) (string, error) {
	wrong := func() (string, error) {
		return "", protocol.Errorf(protocol.CodeValue, "email", "is no e-mail address: write it as name@example.org, a domain in other scripts in its xn-- form")
	}
	if len(s) > 254 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"<>()[],;:\`, r) }) {
		return wrong()
	}
	a, err := netmail.ParseAddress(s)
	if err != nil || a.Address != s || a.Name != "" {
		return wrong()
	}
	local, domain, _ := strings.Cut(s, "@")
	if local == "" || len(local) > 64 || domain == "" || strings.Contains(domain, "@") {
		return wrong()
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
		}) {
			return wrong()
		}
	}
	return local + "@" + strings.ToLower(domain), nil
}

func dueKey(prefix string, due time.Time, id string) string {
	return prefix + string(binary.BigEndian.AppendUint64(nil, uint64(max(due.UnixMilli(), 0)))) + id
}

// dueOf takes a key apart.
func dueOf(prefix, key string) (due time.Time, id string, ok bool) {
	rest, ok := strings.CutPrefix(key, prefix)
	if !ok || len(rest) < 9 {
		return time.Time{}, "", false
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64([]byte(rest)) & (1<<62 - 1))).UTC(), rest[8:], true
}

func setItem(tx *store.Tx, key string, it *item) error {
	b, err := json.Marshal(it)
	if err != nil {
		return err
	}
	return tx.SetRow(store.TableMail, key, b)
}

// waiting is how many messages wait. The row is kept in the transactions that add and take them.
func waiting(tx *store.Tx) (int, error) {
	b, err := tx.Row(store.TableMail, rowCount)
	if err != nil || len(b) != 8 {
		return 0, err
	}
	return int(min(binary.BigEndian.Uint64(b), 1<<31)), nil
}

func setWaiting(tx *store.Tx, n int) error {
	return tx.SetRow(store.TableMail, rowCount, binary.BigEndian.AppendUint64(nil, uint64(max(n, 0))))
}

// remove takes a waiting message out, if it is there.
func remove(tx *store.Tx, key string) error {
	row, err := tx.Row(store.TableMail, key)
	if err != nil || row == nil {
		return err
	}
	n, err := waiting(tx)
	if err != nil {
		return err
	}
	if err := tx.DeleteRow(store.TableMail, key); err != nil {
		return err
	}
	return setWaiting(tx, n-1)
}

// each calls f with every message, waiting and failed.
func each(tx *store.Tx, f func(key string, it *item)) error {
	for _, prefix := range []string{rowWaits, rowFailed} {
		if err := tx.Rows(store.TableMail, prefix, "", func(key string, value []byte) (bool, error) {
			var it item
			if err := json.Unmarshal(value, &it); err == nil {
				f(key, &it)
			}
			return true, nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// Forget drops everything to an address, waiting or given up: for a person who is erased.
func (q *Queue) Forget(tx *store.Tx, to string) error {
	var keys []string
	if err := each(tx, func(key string, it *item) {
		if strings.EqualFold(it.To, to) {
			keys = append(keys, key)
		}
	}); err != nil {
		return err
	}
	return drop(tx, keys)
}

// Clear drops up to limit messages and reports how many: after a restore, what waited when the backup was taken has been sent
// or is no longer true. Call it in transactions of its own until it reports 0.
func (q *Queue) Clear(tx *store.Tx, limit int) (int, error) {
	var keys []string
	if err := each(tx, func(key string, _ *item) {
		if len(keys) < limit {
			keys = append(keys, key)
		}
	}); err != nil {
		return 0, err
	}
	return len(keys), drop(tx, keys)
}

func drop(tx *store.Tx, keys []string) error {
	for _, key := range keys {
		if strings.HasPrefix(key, rowFailed) {
			if err := tx.DeleteRow(store.TableMail, key); err != nil {
				return err
			}
		} else if err := remove(tx, key); err != nil {
			return err
		}
	}
	return nil
}
