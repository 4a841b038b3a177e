// Package passkey lets people sign in with passkeys (Web Authentication, level 3): a key pair that a device or a password
// manager keeps for exactly this node's domain, so that nothing can be phished or stolen from the node.
//
// Each ceremony has two steps. Begin makes a challenge, keeps it here and gives the options for the browser; Finish takes
// the browser's answer. A challenge is good for five minutes and for one answer, wrong ones too.
//
// Rows of store.TablePasskey: "u/" and the user hold the user's handle and passkeys; "h/" and the handle, and "c/" and a
// passkey's id, name the user. The handle is what a device keeps beside the key: 64 random bytes that say nothing about
// whom they stand for. Of the attestation nothing is kept, nor is the make of the device.
//
// Passkeys belong to a domain. Where a node's public address moves to another one they are all lost, so people keep a
// second way to sign in.
package passkey

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	tmh "github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Config of a Service.
type Config struct {
	Store   *store.Store
	RPID    string           // the domain of the node's public address, "hub.example.org"
	Origins []string         // where its pages are served: "https://hub.example.org"
	Name    string           // of the node, as devices show it
	Now     func() time.Time // nil: time.Now

	// OnClone hears of each use of a passkey that seems to be copied, in the transaction that shuts it, which fails with it:
	// for the audit log. nil: nobody does.
	OnClone func(tx *store.Tx, user, passkey string) error
}

// Limits.
const (
	MaxPasskeys  = 10              // a user may have
	MaxName      = 64              // characters of a passkey's name
	MaxResponse  = 64 << 10        // bytes of a browser's answer
	Lifetime     = 5 * time.Minute // of a challenge
	maxSignIns   = 8192            // challenges kept for strangers; the oldest goes first
	maxRegisters = 1024            // challenges kept for people who add a passkey
	maxKey       = 4 << 10         // bytes of a public key
	maxUser      = 64              // bytes of a user's id
	maxShown     = 1024            // bytes of the names that devices show
	handleSize   = 64              // bytes of a user handle
	ceremonySize = 16              // random bytes that name a ceremony
)

// User is whom a passkey is for. Login and Name are shown by the device when it asks which passkey to use.
type User struct {
	ID    string
	Login string // e-mail address
	Name  string
}

// Passkey of a user, as its owner sees it.
type Passkey struct {
	ID        string    `json:"id"` // derived from the credential's id
	Name      string    `json:"name"`
	Created   time.Time `json:"created"`
	LastUsed  time.Time `json:"last_used,omitzero"`
	Synced    bool      `json:"synced"`             // kept by a password manager, not by one device
	Suspected time.Time `json:"suspected,omitzero"` // when a copy of it seemed to be in use; it opens nothing since
}

// Begun is a ceremony's first step. Ceremony goes back to Finish and should travel in a cookie that scripts cannot read;
// Options is the JSON for navigator.credentials.
type Begun struct {
	Ceremony string
	Options  []byte
}

// SignIn is a proven sign-in.
type SignIn struct {
	User     string
	Passkey  Passkey
	Verified bool // the device checked a finger, face or PIN; without it, it only knows that somebody touched it
}

// CloneError is returned where a passkey's counter did not grow since its last use: two devices seem to hold the same key.
// The passkey opens nothing from then on, for either of them.
type CloneError struct {
	User    string
	Passkey string
	err     *tmh.Error
}

func (e *CloneError) Error() string { return e.err.Error() }

// Unwrap gives what people are told.
func (e *CloneError) Unwrap() error { return e.err }

// Service runs the ceremonies of one node. Its methods are safe for concurrent use.
type Service struct {
	cfg       Config
	library   *webauthn.WebAuthn
	registers *pending
	signIns   *pending
}

// New makes a Service. It fails where the domain and the origins do not fit together, since no browser would use them.
func New(cfg Config) (*Service, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Store == nil || cfg.Name == "" || cfg.RPID == "" || len(cfg.Origins) == 0 {
		return nil, errors.New("passkeys: store, domain, name and origins are required")
	}
	for _, origin := range cfg.Origins {
		if err := checkOrigin(origin, cfg.RPID); err != nil {
			return nil, err
		}
	}
	resident := true
	library, err := webauthn.New(&webauthn.Config{
		RPID: cfg.RPID, RPDisplayName: cfg.Name, RPOrigins: cfg.Origins,
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: &resident,
			UserVerification: protocol.VerificationPreferred,
		},
		// Sent to the browser only: what expires here is judged by cfg.Now.
		Timeouts: webauthn.TimeoutsConfig{
			Login:        webauthn.TimeoutConfig{Timeout: Lifetime, TimeoutUVD: Lifetime},
			Registration: webauthn.TimeoutConfig{Timeout: Lifetime, TimeoutUVD: Lifetime},
		},
		// What a client says unasked about extensions changes nothing here, so it is no reason to refuse it.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	return &Service{cfg: cfg, library: library, registers: newPending(maxRegisters), signIns: newPending(maxSignIns)}, nil
}

// checkOrigin reports why a browser would refuse passkeys for domain on pages of origin.
func checkOrigin(origin, domain string) error {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != origin {
		return fmt.Errorf("passkeys: %q is no origin: write it as https://hub.example.org", origin)
	}
	host := u.Hostname()
	local := host == "localhost" || strings.HasSuffix(host, ".localhost")
	if u.Scheme != "https" && !(u.Scheme == "http" && local) {
		return fmt.Errorf("passkeys: %q: browsers offer passkeys only over https, or on http://localhost", origin)
	}
	if host != domain && !strings.HasSuffix(host, "."+domain) {
		return fmt.Errorf("passkeys: origin %q lies outside of the domain %q", origin, domain)
	}
	return nil
}
