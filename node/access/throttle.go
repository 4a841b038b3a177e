package access

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// How often somebody may be wrong, by e-mail address and by network.

// Client is where a request came from, as far as this package looks at it.
type Client struct {
	Address netip.Addr // behind trusted proxies the visitor's own
	Agent   string     // as the browser calls itself; a label in the list of sessions
}

// Bounds of attempts.
const (
	lockAfter   = 5                // wrong passwords in a row for one e-mail address
	lockFor     = 15 * time.Minute // and how long signing in with it is closed then
	forgetAfter = 24 * time.Hour   // a row that did not reach five
	addressMost = 50               // wrong passwords from one network address in addressIn
	addressIn   = 15 * time.Minute
	resetMost   = 3 // links for a new password, or to verify, that one e-mail address is sent in resetIn
	resetIn     = time.Hour
	resetAsked  = 20 // and that one network address, or one person, may ask for

	maxThrottle = 20000 // rows; beyond, those that end first are dropped
)

// Kinds of throttle rows.
const (
	wrongEmail   = "e/"
	wrongAddress = "a/"
	resetEmail   = "r/"
	resetAddress = "q/"
)

// attempts of one subject. A row that ended counts as none.
type attempts struct {
	Count  int       `json:"count"`
	Ends   time.Time `json:"ends"`
	Locked bool      `json:"locked,omitempty"`
}

// subject of a throttle row: a keyed hash, so that the rows tell nobody who tried.
func subject(tx *store.Tx, kind, name string) (string, error) {
	key, err := tx.Row(store.TableThrottle, "key")
	if err != nil {
		return "", err
	}
	m := hmac.New(sha256.New, key) // before the first attempt there is no key and there are no rows
	m.Write([]byte(name))
	return kind + hex.EncodeToString(m.Sum(nil)[:16]), nil
}

// throttleKey makes sure that the node has its key.
func throttleKey(tx *store.Tx) error {
	key, err := tx.Row(store.TableThrottle, "key")
	if key != nil || err != nil {
		return err
	}
	key = make([]byte, 32)
	_, _ = rand.Read(key)
	return tx.SetRow(store.TableThrottle, "key", key)
}

// network that one visitor has: an IPv4 address, or the half of an IPv6 address that a provider gives to one line.
func network(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if !a.IsValid() {
		return "unknown"
	}
	if a.Is6() {
		p, _ := a.Prefix(64)
		return p.String()
	}
	return a.String()
}

func (r *Registry) attemptsOf(tx *store.Tx, key string) (attempts, error) {
	a, err := read[attempts](tx, store.TableThrottle, key)
	if a == nil || err != nil || !a.Ends.After(r.now()) {
		return attempts{}, err
	}
	return *a, nil
}

// count one attempt more. The window is the time from the first attempt until the row ends.
func (r *Registry) count(tx *store.Tx, key string, window time.Duration) (attempts, error) {
	a, err := r.attemptsOf(tx, key)
	if err != nil {
		return a, err
	}
	if a.Count == 0 {
		a.Ends = r.now().Add(window)
	}
	a.Count++
	return a, r.setAttempts(tx, key, a)
}

func (r *Registry) setAttempts(tx *store.Tx, key string, a attempts) error {
	old, err := tx.Row(store.TableThrottle, key)
	if err != nil {
		return err
	}
	if old == nil {
		if err := r.makeRoom(tx); err != nil {
			return err
		}
	}
	return write(tx, store.TableThrottle, key, a)
}

func (r *Registry) forget(tx *store.Tx, key string) error {
	return tx.DeleteRow(store.TableThrottle, key)
}

// makeRoom keeps the table bounded: who wants to be forgotten has to fill it with thousands of attempts, at 40 ms each.
func (r *Registry) makeRoom(tx *store.Tx) error {
	r.mu.Lock()
	r.throttle++
	full := r.throttle > maxThrottle
	r.mu.Unlock()
	if !full {
		return nil
	}
	return r.dropAttempts(tx, maxThrottle*9/10)
}

// dropAttempts that ended, and of the others those that end first until at most keep are left; at most 5,000 at once, so that
// it stays one transaction.
func (r *Registry) dropAttempts(tx *store.Tx, keep int) error {
	type row struct {
		key    string
		ends   time.Time
		locked bool
	}
	var all []row
	now := r.now()
	for _, kind := range []string{wrongEmail, wrongAddress, resetEmail, resetAddress} {
		found, err := keys(tx, store.TableThrottle, kind, "", everything)
		if err != nil {
			return err
		}
		for _, k := range found {
			a, err := read[attempts](tx, store.TableThrottle, kind+k)
			if err != nil || a == nil {
				return err
			}
			all = append(all, row{kind + k, a.Ends, a.Locked && a.Ends.After(now)})
		}
	}
	slices.SortFunc(all, func(a, b row) int {
		if a.locked != b.locked { // who fills the table must not open what is closed by it
			if b.locked {
				return -1
			}
			return 1
		}
		return a.ends.Compare(b.ends)
	})
	n := 0
	for n < len(all) && n < 5000 && (!all[n].ends.After(now) || len(all)-n > keep) {
		if err := r.forget(tx, all[n].key); err != nil {
			return err
		}
		n++
	}
	r.mu.Lock()
	r.throttle = len(all) - n
	r.mu.Unlock()
	return nil
}

// closed is what everybody is told while signing in is closed, whether there is such an account or not, and whether the
// password is right or not.
func closed() error {
	return protocol.Errorf(protocol.CodeUnavailable, "",
		"after too many wrong attempts, signing in is closed here for %d minutes: try again later, or set a new password by the link “forgotten password”", int(lockFor.Minutes()))
}

// begin a sign-in: refused while it is closed, and while as many attempts as are left are under way already, so that nobody
// tries more at once than in a row. end must be called when it is over.
func (r *Registry) begin(email, address string) (end func(), err error) {
	var left [2]int
	err = r.view(func(tx *store.Tx) error {
		for i, kind := range []string{wrongEmail, wrongAddress} {
			key, err := subject(tx, kind, []string{email, address}[i])
			if err != nil {
				return err
			}
			a, err := r.attemptsOf(tx, key)
			if err != nil {
				return err
			}
			if left[i] = []int{lockAfter, addressMost}[i] - a.Count; a.Locked {
				left[i] = 0
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	names := [2]string{wrongEmail + email, wrongAddress + address}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, name := range names {
		if r.pending[name] >= left[i] {
			return nil, closed()
		}
	}
	for _, name := range names {
		r.pending[name]++
	}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, name := range names {
			if r.pending[name]--; r.pending[name] <= 0 {
				delete(r.pending, name)
			}
		}
	}, nil
}

// shut reports whether signing in with an e-mail address was closed, perhaps while the password was hashed.
func (r *Registry) shut(tx *store.Tx, email string) (bool, error) {
	key, err := subject(tx, wrongEmail, email)
	if err != nil {
		return false, err
	}
	a, err := r.attemptsOf(tx, key)
	return a.Locked, err
}

// failed counts a wrong password, and reports whether that closed signing in for the e-mail address.
func (r *Registry) failed(tx *store.Tx, email, address string) (locked bool, err error) {
	if err := throttleKey(tx); err != nil {
		return false, err
	}
	key, err := subject(tx, wrongEmail, email)
	if err != nil {
		return false, err
	}
	a, err := r.count(tx, key, forgetAfter)
	if err != nil {
		return false, err
	}
	if a.Count >= lockAfter && !a.Locked {
		a.Locked, a.Ends, locked = true, r.now().Add(lockFor), true
		if err := write(tx, store.TableThrottle, key, a); err != nil {
			return false, err
		}
	}
	key, err = subject(tx, wrongAddress, address)
	if err != nil {
		return false, err
	}
	_, err = r.count(tx, key, addressIn)
	return locked, err
}

// pardon forgets the wrong passwords of an e-mail address.
func (r *Registry) pardon(tx *store.Tx, email string) error {
	key, err := subject(tx, wrongEmail, email)
	if err != nil {
		return err
	}
	return r.forget(tx, key)
}

// label of a browser, short and visible.
func label(agent string) string {
	s := strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return -1
		}
		return c
	}, agent[:min(len(agent), 200)])
	return strings.TrimSpace(s)
}
