package match

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"

	"github.com/asean-tmh/tmh/protocol"
)

// algorithm names the code's share of the ranking in the digest: change it with any change that changes an answer.
const algorithm = "ranking-2"

// Digest names a ranker: weights, lexicon, trained topics and catalogue. Equal digests give equal answers, to the last bit,
// on every node.
type Digest [sha256.Size]byte

func (r *ranking) digest() Digest {
	h := sha256.New()
	h.Write([]byte(algorithm))
	_ = json.NewEncoder(h).Encode(r.x.weights) // a hash does not fail; infinite weights are no ranker
	h.Write(r.x.settings[:])
	if r.snap.model != nil {
		d := r.snap.model.Digest()
		h.Write(d[:])
	}
	for _, n := range append(r.snap.set[:], r.snap.named[:]...) {
		_ = binary.Write(h, binary.LittleEndian, n)
	}
	r.second.embedding.name(h, r.x.embedding)
	return Digest(h.Sum(nil))
}

func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText writes 64 hexadecimal digits.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Digest) UnmarshalText(b []byte) error { return (*protocol.Hash)(d).UnmarshalText(b) }
