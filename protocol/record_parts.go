package protocol

import (
	"bytes"
	"slices"
)

// Salt makes the hash of a part say nothing of what stands in it, even where that could be guessed.
type Salt [32]byte

// Part of a full record: all that is shown from one level on, and not below it. It is kept, hashed and served as the
// bytes that Bytes gives.
type Part struct {
	Listing ListingID
	Level   Level
	Salt    Salt
	Record  Record // with the part's level, its sections alone, and of level restricted the audience

	raw []byte
}

// Bytes of the part. The caller does not change them.
func (p *Part) Bytes() []byte { return p.raw }

// Hash stands in the listing's signed summary, but for parts of level invited.
func (p *Part) Hash() Hash { return Sum(p.raw) }

// Parts splits a record of the listing, one part a level that has anything to show, from the lowest. What did not change
// since before keeps its salt and so its hash: publishing the same again signs nothing. newSalt gives random salts; nil
// means crypto/rand.
func (r *Record) Parts(id ListingID, before []*Part, newSalt func() Salt) ([]*Part, error) {
	return nil, nil
}

// Merge gives what a reader of several parts of one record sees.
func Merge(parts ...*Part) (*Record, error) { return nil, nil }

// EncodeRecord is the form in which an origin keeps a record: what its owner chose, and the parts.
func EncodeRecord(r *Record, parts []*Part) []byte { return nil }

// DecodeRecord reads what EncodeRecord writes.
func DecodeRecord(b []byte) (*Record, []*Part, error) { return nil, nil, nil }

// DecodePart reads and validates a part. Fields of later versions are passed over.
func DecodePart(b []byte) (*Part, error) { return nil, nil }

// Verify refuses a part that is not the one which the summary names: CodeBody.
func (p *Part) Verify(l *Listing) error { return nil }

// FullHash is the hash of the record's part of this level in the summary, zero where there is none.
func (l *Listing) FullHash(level Level) Hash {
	switch level {
	case LevelPublic:
		return l.Full
	case LevelRegistered:
		return l.FullRegistered
	case LevelRestricted:
		return l.FullRestricted
	}
	return Hash{}
}

// HasFull reports whether the summary names a full record, of whatever level.
func (l *Listing) HasFull() bool {
	return slices.ContainsFunc(Levels(), func(level Level) bool { return l.FullHash(level) != Hash{} })
}

// BindFull names the parts in the summary, in place of those that it named.
func (l *Listing) BindFull(parts []*Part) {
	l.Full, l.FullRegistered, l.FullRestricted = Hash{}, Hash{}, Hash{}
	for _, p := range parts {
		switch p.Level {
		case LevelPublic:
			l.Full = p.Hash()
		case LevelRegistered:
			l.FullRegistered = p.Hash()
		case LevelRestricted:
			l.FullRestricted = p.Hash()
		}
	}
}

var _ = bytes.Equal

// Validate reports every fault of the record. Form and limits only, as Listing's.
func (r *Record) Validate() error { return nil }
