package oidc

import (
	"container/list"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync"
)

// kept is what the browser holds for us between Begin and Finish. Sealed, because the verifier is a secret and the time of
// its end is ours to say.
type kept struct {
	ID       string `json:"i"`
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"`
	For      string `json:"f,omitempty"`
	Until    int64  `json:"u"`
}

type sealer struct{ aead cipher.AEAD }

// newSealer makes a sealer with a key of its own: what another process sealed does not open.
func newSealer() (*sealer, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make a seal: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make a seal: %w", err)
	}
	return &sealer{aead}, nil
}

func (s *sealer) seal(k kept) (string, error) {
	b, err := json.Marshal(k)
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, b, nil)), nil
}

func (s *sealer) open(value string) (k kept, err error) {
	b, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return k, fmt.Errorf("unseal: %w", err)
	}
	if b, err = s.aead.Open(nil, nil, b, nil); err != nil {
		return k, fmt.Errorf("unseal: %w", err)
	}
	if err := json.Unmarshal(b, &k); err != nil {
		return k, fmt.Errorf("unseal: %w", err)
	}
	return k, nil
}

// used remembers which sign-ins were answered, the newest limit of them.
type used struct {
	mu    sync.Mutex
	limit int
	seen  map[string]bool
	order *list.List
}

func newUsed(limit int) *used {
	return &used{limit: limit, seen: map[string]bool{}, order: list.New()}
}

// take reports whether id comes for the first time.
func (u *used) take(id string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.seen[id] {
		return false
	}
	if u.order.Len() >= u.limit {
		delete(u.seen, u.order.Remove(u.order.Front()).(string))
	}
	u.seen[id] = true
	u.order.PushBack(id)
	return true
}
