package protocol

import (
	"crypto/sha256"
	"crypto/sha3"
	"encoding/binary"
)

// SetHash is LtHash16 with 1,024 lanes (Lewi, Kim, Maykov and Weis, ePrint 2019/227) over SHAKE128: a hash of a set
// that one element can be added to or taken from in constant time, in any order. Its zero value is the empty set's.
// It is not safe for concurrent use.
type SetHash [2048]byte

// laneHigh is the highest bit of each of the four 16-bit lanes in a word.
const laneHigh = 0x8000800080008000

// Element is a member of an origin's set: the newest record of one key.
type Element struct {
	Origin MemberID
	Pos    Position
	Kind   ChangeKind
	Key    RecordKey
	Body   Hash
}

func (e Element) expand(out *SetHash) {
	b := make([]byte, 0, 96+len(e.Origin)+len(e.Key))
	b = append(b, domainSet...)
	b = append(b, byte(len(e.Origin)))
	b = append(b, e.Origin...)
	b = binary.BigEndian.AppendUint64(b, e.Pos.Epoch)
	b = binary.BigEndian.AppendUint64(b, e.Pos.Seq)
	b = append(b, byte(e.Kind), byte(len(e.Key)))
	b = append(b, e.Key...)
	b = append(b, e.Body[:]...)
	h := sha3.NewSHAKE128()
	h.Write(b)
	h.Read(out[:])
}

// Add puts e into the set. Adding an element twice is a mistake of the caller's: the set counts it twice.
func (s *SetHash) Add(e Element) {
	var x SetHash
	e.expand(&x)
	for i := 0; i < len(s); i += 8 {
		a, b := binary.LittleEndian.Uint64(s[i:]), binary.LittleEndian.Uint64(x[i:])
		binary.LittleEndian.PutUint64(s[i:], ((a&^laneHigh)+(b&^laneHigh))^((a^b)&laneHigh))
	}
}

// Remove takes e out of the set.
func (s *SetHash) Remove(e Element) {
	var x SetHash
	e.expand(&x)
	for i := 0; i < len(s); i += 8 {
		a, b := binary.LittleEndian.Uint64(s[i:]), binary.LittleEndian.Uint64(x[i:])
		binary.LittleEndian.PutUint64(s[i:], ((a|laneHigh)-(b&^laneHigh))^((a^^b)&laneHigh))
	}
}

// Digest is the SHA-256 of the 2,048 bytes: the state_digest of a change header.
func (s *SetHash) Digest() Hash { return sha256.Sum256(s[:]) }

// Buckets is into how many parts a set is divided to find where two copies differ.
const Buckets = 256

// BucketOf a record: the first byte of SHA-256 over its key.
func BucketOf(key RecordKey) byte { return Sum([]byte(key))[0] }

// BucketSet is a set of buckets, bucket i being bit i%8 of byte i/8.
type BucketSet [Buckets / 8]byte

// Add puts a bucket into the set.
func (s *BucketSet) Add(i byte) { s[i/8] |= 1 << (i % 8) }

// Has reports whether the set holds a bucket.
func (s *BucketSet) Has(i byte) bool { return s[i/8]&(1<<(i%8)) != 0 }
