package passkey

import (
	"container/list"
	"crypto/rand"
	"encoding/base64"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"
)

// A ceremony is what Finish must know of its Begin.
type ceremony struct {
	user    string // who adds a passkey; "" for a sign-in
	session webauthn.SessionData
	until   time.Time
}

// pending holds the ceremonies that were begun. Where it is full the oldest goes: strangers who begin many cannot keep
// others from signing in for longer than they keep on, and take a fixed amount of memory.
type pending struct {
	mu    sync.Mutex
	limit int
	byID  map[string]*list.Element
	order *list.List // of entry, the oldest first
}

type entry struct {
	id string
	ceremony
}

func newPending(limit int) *pending {
	return &pending{limit: limit, byID: map[string]*list.Element{}, order: list.New()}
}

// put keeps a ceremony and names it.
func (p *pending) put(c ceremony) string {
	raw := make([]byte, ceremonySize)
	_, _ = rand.Read(raw) // never fails
	id := base64.RawURLEncoding.EncodeToString(raw)
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.order.Len() >= p.limit {
		p.drop(p.order.Front())
	}
	p.byID[id] = p.order.PushBack(entry{id, c})
	return id
}

// take gives a ceremony out once, and only before its time is over.
func (p *pending) take(id string, now time.Time) (ceremony, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.byID[id]
	if !ok {
		return ceremony{}, false
	}
	p.drop(e)
	c := e.Value.(entry).ceremony
	return c, now.Before(c.until)
}

func (p *pending) drop(e *list.Element) {
	delete(p.byID, e.Value.(entry).id)
	p.order.Remove(e)
}
