package protocol

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"

	"filippo.io/edwards25519"
)

// Every signature covers one of these domains before the signed bytes, so that a signature made for one purpose never
// serves another.
const (
	domainChange  = "tmh/change/1\x00"
	domainHead    = "tmh/head/1\x00"
	domainCharter = "tmh/charter/1\x00"
	domainCard    = "tmh/card/1\x00"
	domainEpoch   = "tmh/epoch/1\x00"
	domainKey     = "tmh/key/1\x00"
	domainSet     = "tmh/set/1\x00"
)

// PublicKey is an ed25519 public key. It is comparable, so distinct signers can be counted.
type PublicKey [ed25519.PublicKeySize]byte

func (k PublicKey) String() string { return hex.EncodeToString(k[:]) }

// MarshalText writes 64 hexadecimal digits.
func (k PublicKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads 64 hexadecimal digits and refuses a key that Check refuses.
func (k *PublicKey) UnmarshalText(b []byte) error {
	if len(b) != 2*len(k) {
		return Errorf(CodeLength, "", "a public key has 64 hexadecimal digits, not %d", len(b))
	}
	if _, err := hex.Decode(k[:], b); err != nil {
		return Errorf(CodeValue, "", "a public key is written in hexadecimal digits")
	}
	return k.Check()
}

// KeyID names a public key in headers: the first 8 bytes of SHA-256 over "tmh/key/1\0" and the key.
type KeyID [8]byte

func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// ID of the key.
func (k PublicKey) ID() (id KeyID) {
	sum := sha256.Sum256(append([]byte(domainKey), k[:]...))
	copy(id[:], sum[:])
	return id
}

// Check refuses what is no point on the curve or not its one encoding, and the points of small order: under such a key
// one signature can verify for many messages, and nobody honest has one.
func (k PublicKey) Check() error {
	p, err := new(edwards25519.Point).SetBytes(k[:])
	if err != nil || !bytes.Equal(p.Bytes(), k[:]) {
		return Errorf(CodeKey, "", "not an ed25519 public key")
	}
	if new(edwards25519.Point).MultByCofactor(p).Equal(edwards25519.NewIdentityPoint()) == 1 {
		return Errorf(CodeKey, "", "a key of small order, which nobody can own alone")
	}
	return nil
}

// Signature is an ed25519 signature, verified by the rule of crypto/ed25519: the one rule of the federation.
type Signature [ed25519.SignatureSize]byte

func (k PublicKey) verify(domain string, msg []byte, sig Signature) bool {
	return ed25519.Verify(k[:], append([]byte(domain), msg...), sig[:])
}

// Signer holds a private key. It signs only what this package builds.
type Signer struct {
	key ed25519.PrivateKey
	pub PublicKey
}

// NewSigner wraps a private key.
func NewSigner(key ed25519.PrivateKey) *Signer {
	s := &Signer{key: key}
	copy(s.pub[:], key.Public().(ed25519.PublicKey))
	return s
}

// Public is the signer's public key.
func (s *Signer) Public() PublicKey { return s.pub }

func (s *Signer) sign(domain string, msg []byte) (sig Signature) {
	copy(sig[:], ed25519.Sign(s.key, append([]byte(domain), msg...)))
	return sig
}
