package oai

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
)

// A resumption token is base64url of: version 1, verb 1, from 8, until 8, given 8, then prefix, set and the key of the
// last row given, each after its length in 2 bytes; then 16 bytes of HMAC-SHA-256 over all that. Nothing is kept of it
// here, so it does not expire.

const (
	tokenVersion = 1
	tokenMAC     = 16
	maxToken     = 1 << 10
)

// A list is what a harvester goes through, in pages.
type list struct {
	verb        string
	prefix, set string
	from, until int64  // seconds, both included; until is over: nothing is added to what lies below it
	given       uint64 // records in the pages before
	last        string // key of the last row given; "" at the beginning
}

func listVerbs() []string { return []string{"ListIdentifiers", "ListRecords"} }

func (p *Provider) mac(b []byte) []byte {
	m := hmac.New(sha256.New, p.key)
	m.Write(b)
	return m.Sum(nil)[:tokenMAC]
}

func (p *Provider) token(l list) string {
	verb := byte(0)
	if l.verb == listVerbs()[1] {
		verb = 1
	}
	b := []byte{tokenVersion, verb}
	for _, n := range []uint64{uint64(l.from), uint64(l.until), l.given} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	for _, s := range []string{l.prefix, l.set, l.last} {
		b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
		b = append(b, s...)
	}
	return base64.RawURLEncoding.EncodeToString(append(b, p.mac(b)...))
}

// parseToken reads what token wrote with the same secret, and nothing else.
func (p *Provider) parseToken(s string) (l list, ok bool) {
	if len(s) > maxToken || strings.ContainsAny(s, "\r\n") { // which the decoder would pass over
		return l, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) < tokenMAC {
		return l, false
	}
	b, sum := b[:len(b)-tokenMAC], b[len(b)-tokenMAC:]
	if !hmac.Equal(sum, p.mac(b)) {
		return l, false
	}
	if len(b) < 2+3*8 || b[0] != tokenVersion || b[1] > 1 {
		return l, false
	}
	l.verb = listVerbs()[b[1]]
	l.from, l.until, l.given = int64(binary.BigEndian.Uint64(b[2:])), int64(binary.BigEndian.Uint64(b[10:])), binary.BigEndian.Uint64(b[18:])
	b = b[26:]
	for _, to := range []*string{&l.prefix, &l.set, &l.last} {
		if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
			return l, false
		}
		n := int(binary.BigEndian.Uint16(b))
		*to, b = string(b[2:2+n]), b[2+n:]
	}
	if _, err := decodeEntry(l.last, []byte{0}); err != nil || len(b) > 0 {
		return l, false
	}
	return l, true
}
