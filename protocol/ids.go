package protocol

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Hash is a SHA-256 digest. Its zero value means "none".
type Hash [sha256.Size]byte

// Sum is the SHA-256 of b.
func Sum(b []byte) Hash { return sha256.Sum256(b) }

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Short is the first eight hexadecimal digits, for people.
func (h Hash) Short() string { return hex.EncodeToString(h[:4]) }

// MarshalText writes h as 64 hexadecimal digits, and the zero value as "".
func (h Hash) MarshalText() ([]byte, error) {
	if h == (Hash{}) {
		return nil, nil
	}
	return []byte(h.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (h *Hash) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*h = Hash{}
		return nil
	}
	if len(b) != 2*len(h) {
		return Errorf(CodeLength, "", "a digest has %d hexadecimal digits, not %d", 2*len(h), len(b))
	}
	_, err := hex.Decode(h[:], b)
	return err
}

// MemberID names a member of the federation: its ISO 3166-1 alpha-2 code by custom ("KH"), or a short name ("SEC").
type MemberID string

// ParseMemberID accepts 2 to 16 of A–Z and 0–9, beginning with a letter.
func ParseMemberID(s string) (MemberID, error) {
	if len(s) < 2 || len(s) > 16 || s[0] < 'A' || s[0] > 'Z' {
		return "", Errorf(CodeValue, "member", "%q is no member id: 2 to 16 capital letters and digits, beginning with a letter", clip(s))
	}
	for _, c := range []byte(s) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return "", Errorf(CodeValue, "member", "%q is no member id: 2 to 16 capital letters and digits", clip(s))
		}
	}
	return MemberID(s), nil
}

// RecordKey names a record within its origin: "listing/ID" or "report/YYYY-MM/rN".
type RecordKey string

// ListingPrefix begins the record key of every listing.
const ListingPrefix = "listing/"

// ParseRecordKey accepts 1 to 128 printable ASCII characters without spaces.
func ParseRecordKey(s string) (RecordKey, error) {
	if s == "" || len(s) > MaxRecordKey {
		return "", Errorf(CodeValue, "record_key", "has %d bytes, want 1 to %d", len(s), MaxRecordKey)
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return "", Errorf(CodeValue, "record_key", "%q has a character outside printable ASCII", clip(s))
		}
	}
	return RecordKey(s), nil
}

// ListingID is the id that a listing's origin gave it, unique within that origin.
type ListingID string

// ParseListingID accepts 1 to 64 letters, digits and -._~ (what a URL path carries unescaped).
func ParseListingID(s string) (ListingID, error) {
	if s == "" || len(s) > 64 {
		return "", Errorf(CodeValue, "id", "has %d characters, want 1 to 64", len(s))
	}
	for _, c := range []byte(s) {
		if !isAlnum(c) && !strings.ContainsRune("-._~", rune(c)) {
			return "", Errorf(CodeValue, "id", "%q may hold only letters, digits and - . _ ~", clip(s))
		}
	}
	if s == "." || s == ".." {
		return "", Errorf(CodeValue, "id", "%q is not usable in an address", s)
	}
	return ListingID(s), nil
}

// Key is the record key of the listing.
func (id ListingID) Key() RecordKey { return RecordKey(ListingPrefix + string(id)) }

// ListingIDOf is the listing's id in key; ok is false where key names no listing.
func ListingIDOf(key RecordKey) (id ListingID, ok bool) {
	s, ok := strings.CutPrefix(string(key), ListingPrefix)
	return ListingID(s), ok
}

// Position is a place in an origin's history. Seq rises by one a change and never starts over; Epoch rises only where
// history was lost. The zero value is before everything.
type Position struct {
	Epoch uint64 `json:"epoch"`
	Seq   uint64 `json:"seq"`
}

// Start is the position of an origin that has published nothing.
var Start = Position{Epoch: 1} //nolint:gochecknoglobals // a constant: Go has none of struct type

// Compare orders positions by epoch, then seq.
func (p Position) Compare(q Position) int {
	switch {
	case p.Epoch != q.Epoch:
		if p.Epoch < q.Epoch {
			return -1
		}
		return 1
	case p.Seq < q.Seq:
		return -1
	case p.Seq > q.Seq:
		return 1
	}
	return 0
}

func (p Position) String() string { return fmt.Sprintf("%d.%d", p.Epoch, p.Seq) }

// Date is a calendar day in UTC, as days since 1970-01-01. The zero value means "not said".
type Date uint32

// DateOf is the UTC day of t.
func DateOf(t time.Time) Date { return Date(t.Unix() / 86400) }

// Time is the beginning of the day, in UTC.
func (d Date) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

func (d Date) String() string {
	if d == 0 {
		return ""
	}
	return d.Time().Format(time.DateOnly)
}

// Month is "2026-09", and "" for the zero value.
func (d Date) Month() string {
	if d == 0 {
		return ""
	}
	return d.Time().Format("2006-01")
}

// MarshalText writes YYYY-MM-DD.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads YYYY-MM-DD, from 1970-01-02 to 9999-12-31, or "".
func (d *Date) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = 0
		return nil
	}
	t, err := time.Parse(time.DateOnly, string(b))
	if err != nil || t.Unix() < 86400 {
		return Errorf(CodeValue, "", "%q is no date: write YYYY-MM-DD", clip(string(b)))
	}
	*d = DateOf(t)
	return nil
}

const maxDate = 2932896 // 9999-12-31

// Kind of a listing.
type Kind string

// The six kinds.
const (
	TechnologyOffer   Kind = "TO"
	TechnologyRequest Kind = "TR"
	ResearchPartner   Kind = "RD"
	Expertise         Kind = "EX"
	Facility          Kind = "FC"
	FundingCall       Kind = "FN"
)

// Kinds in the order of their wire numbers, which begin at 1.
func Kinds() []Kind {
	return []Kind{TechnologyOffer, TechnologyRequest, ResearchPartner, Expertise, Facility, FundingCall}
}

func (k Kind) wire() uint64 {
	for i, x := range Kinds() {
		if x == k {
			return uint64(i + 1)
		}
	}
	return 0
}

func kindOf(n uint64) (Kind, bool) {
	if n < 1 || n > uint64(len(Kinds())) {
		return "", false
	}
	return Kinds()[n-1], true
}

// Country is an ISO 3166-1 alpha-2 code.
type Country string

func (c Country) wellFormed() bool { return len(c) == 2 && isUpper(c[0]) && isUpper(c[1]) }

// Lang is a BCP 47 language tag in its usual case ("th", "zh-Hant").
type Lang string

func (l Lang) wellFormed() bool {
	parts := strings.Split(string(l), "-")
	if len(l) > 20 || len(parts[0]) < 2 || len(parts[0]) > 3 {
		return false
	}
	for i, p := range parts {
		if p == "" || len(p) > 8 {
			return false
		}
		for _, c := range []byte(p) {
			if !isAlnum(c) || (i == 0 && (c < 'a' || c > 'z')) {
				return false
			}
		}
	}
	return true
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isAlnum(c byte) bool { return isUpper(c) || isDigit(c) || (c >= 'a' && c <= 'z') }

// clip shortens what a stranger wrote before it is quoted back.
func clip(s string) string {
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}

// oneOf names what may be chosen.
func oneOf[T ~string](all []T) string {
	var b strings.Builder
	for i, s := range all {
		switch {
		case i > 0 && i == len(all)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(string(s))
	}
	return b.String()
}

// Instant is a point in time in whole seconds, as Unix seconds on the wire and RFC 3339 in JSON. Zero means "not said".
type Instant int64

// InstantOf truncates t to seconds.
func InstantOf(t time.Time) Instant { return Instant(t.Unix()) }

// Time in UTC.
func (i Instant) Time() time.Time { return time.Unix(int64(i), 0).UTC() }

// MarshalJSON writes RFC 3339, and null for the zero value.
func (i Instant) MarshalJSON() ([]byte, error) {
	if i == 0 {
		return []byte("null"), nil
	}
	return []byte(strconv.Quote(i.Time().Format(time.RFC3339))), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (i *Instant) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil || s == "" {
		*i = 0
		return err
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return Errorf(CodeValue, "", "%q is no time: write it as 2026-09-14T08:30:00Z", clip(s))
	}
	*i = InstantOf(t)
	return nil
}

const maxInstant = 253402300799 // 9999-12-31T23:59:59Z
