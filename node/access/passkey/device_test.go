package passkey

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"testing"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
)

// A device is an authenticator and the browser before it, in software: ES256, no attestation, like the phones that people
// have. Its fields can be bent between calls, to answer as an attacker would.
type device struct {
	t       testing.TB
	domain  string
	origin  string
	id      []byte
	key     *ecdsa.PrivateKey
	handle  []byte
	counter uint32
	step    uint32 // how much the counter grows with each use; 0: a synced passkey
	flags   byte
	kind    string // of the client data, where it is bent
	asked   string // the challenge that is answered, where it is bent
}

const (
	userPresent    = 0x01
	userVerified   = 0x04
	backupEligible = 0x08
	backedUp       = 0x10
	attested       = 0x40
)

func newDevice(t testing.TB) *device {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d := &device{t: t, domain: testDomain, origin: testOrigin, id: make([]byte, 32), key: key, step: 1, flags: userPresent | userVerified}
	_, _ = rand.Read(d.id)
	return d
}

// options is what both kinds of options share, as far as a device looks at them.
type options struct {
	PublicKey struct {
		Challenge string `json:"challenge"`
		RPID      string `json:"rpId"`
		RP        struct {
			ID, Name string
		} `json:"rp"`
		User struct {
			ID, Name, DisplayName string
		} `json:"user"`
		ExcludeCredentials []struct {
			ID string `json:"id"`
		} `json:"excludeCredentials"`
		AllowCredentials       []any  `json:"allowCredentials"`
		UserVerification       string `json:"userVerification"`
		Attestation            string `json:"attestation"`
		AuthenticatorSelection struct {
			ResidentKey        string `json:"residentKey"`
			RequireResidentKey bool   `json:"requireResidentKey"`
			UserVerification   string `json:"userVerification"`
		} `json:"authenticatorSelection"`
	} `json:"publicKey"`
}

func (d *device) options(raw []byte) (o options) {
	d.t.Helper()
	if err := json.Unmarshal(raw, &o); err != nil {
		d.t.Fatalf("options %s: %v", raw, err)
	}
	return o
}

func text(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func bytesOf(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (d *device) clientData(kind, challenge string) []byte {
	if d.kind != "" {
		kind = d.kind
	}
	if d.asked != "" {
		challenge = d.asked
	}
	b, _ := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": d.origin, "crossOrigin": false})
	return b
}

func (d *device) data(flags byte) []byte {
	sum := sha256.Sum256([]byte(d.domain))
	b := append(sum[:], flags)
	return binary.BigEndian.AppendUint32(b, d.counter)
}

// create answers the options of a registration.
func (d *device) create(begun Begun) []byte {
	d.t.Helper()
	o := d.options(begun.Options)
	d.handle = bytesOf(d.t, o.PublicKey.User.ID)
	point, err := d.key.PublicKey.Bytes()
	if err != nil {
		d.t.Fatal(err)
	}
	cose, err := webauthncbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]})
	if err != nil {
		d.t.Fatal(err)
	}
	data := d.data(d.flags | attested)
	data = append(data, make([]byte, 16)...) // AAGUID
	data = binary.BigEndian.AppendUint16(data, uint16(len(d.id)))
	data = append(append(data, d.id...), cose...)
	object, err := webauthncbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})
	if err != nil {
		d.t.Fatal(err)
	}
	return d.answer(map[string]any{
		"clientDataJSON":    text(d.clientData("webauthn.create", o.PublicKey.Challenge)),
		"attestationObject": text(object),
		"transports":        []string{"internal", "hybrid", "quantum"},
	})
}

// get answers the options of a sign-in.
func (d *device) get(begun Begun) []byte {
	d.t.Helper()
	o := d.options(begun.Options)
	d.counter += d.step
	data := d.data(d.flags)
	client := d.clientData("webauthn.get", o.PublicKey.Challenge)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte(nil), data...), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, digest[:])
	if err != nil {
		d.t.Fatal(err)
	}
	return d.answer(map[string]any{
		"clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(signature), "userHandle": text(d.handle),
	})
}

func (d *device) answer(response map[string]any) []byte {
	b, err := json.Marshal(map[string]any{
		"id": text(d.id), "rawId": text(d.id), "type": "public-key", "authenticatorAttachment": "platform",
		"clientExtensionResults": map[string]any{"credProps": map[string]any{"rk": true}}, "response": response,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return b
}

var errRollBack = errors.New("rolled back")

// challengeIn reads the challenge out of client data in base64.
func challengeIn(clientData string) (string, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(clientData)
	if err != nil {
		return "", false
	}
	var c struct {
		Challenge string `json:"challenge"`
	}
	return c.Challenge, json.Unmarshal(raw, &c) == nil && c.Challenge != ""
}
