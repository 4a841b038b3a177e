package record

import (
	"sync"
	"time"

	"github.com/asean-tmh/tmh/protocol"
)

// nonces remember which entitlements were used, as long as they would pass for fresh. They are lost with the process; but what
// one member signed, another cannot use, so that only a member that repeats itself gains: a second entry of the same reading.
type nonces struct {
	mu   sync.Mutex
	used map[protocol.MemberID]*window
}

// maxNonces of one member: more than its budget of requests (20 a second, see p2p) has room for in a window.
const maxNonces = 1 << 15

type window struct {
	seen  map[protocol.Nonce]struct{}
	order []use
}

type use struct {
	nonce protocol.Nonce
	until time.Time
}

// take reports whether the nonce is new.
//
// Errors: CodeReplayed where it is not; CodeUnavailable where no more can be remembered.
func (n *nonces) take(m protocol.MemberID, nonce protocol.Nonce, now time.Time) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.used == nil {
		n.used = make(map[protocol.MemberID]*window)
	}
	w := n.used[m]
	if w == nil {
		w = &window{seen: make(map[protocol.Nonce]struct{})}
		n.used[m] = w
	}
	gone := 0
	for gone < len(w.order) && !w.order[gone].until.After(now) {
		delete(w.seen, w.order[gone].nonce)
		gone++
	}
	w.order = w.order[gone:]
	if _, again := w.seen[nonce]; again {
		return protocol.Errorf(protocol.CodeReplayed, "entitlement.nonce", "was used before: sign a new one for every request")
	}
	if len(w.order) >= maxNonces {
		return protocol.Errorf(protocol.CodeUnavailable, "", "too many requests; ask later")
	}
	w.seen[nonce] = struct{}{}
	// One that is dated ahead as far as may be stays fresh for two windows.
	w.order = append(w.order, use{nonce, now.Add(2*protocol.EntitlementWindow + time.Second)})
	return nil
}
