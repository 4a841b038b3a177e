package replica_test

import (
	"bytes"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
)

// copies in every state that a copy can be in.
func copies(t testing.TB) map[string]*replica.Copy {
	t.Helper()
	p := newPast(t)
	take := func(n *replicatest.Node) *replica.Copy {
		c, err := n.Copy()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	drawing := p.replica(3)
	if err := p.draw(drawing, p.at(8), false, p.at(4), p.at(5)); err != nil {
		t.Fatal(err)
	}
	rewound := take(drawing)
	rewound.Rewind()
	fresh := p.replica(0)
	if err := p.draw(fresh, p.at(8), false, p.at(4)); err != nil {
		t.Fatal(err)
	}
	disputed := take(p.replica(4))
	disputed.Disputed = true
	return map[string]*replica.Copy{
		"new": replica.New("KH"), "proven": take(p.replica(5)), "drawing": take(drawing), "rewound": rewound,
		"drawing from nothing": take(fresh), "disputed": disputed,
	}
}

func TestCopyRoundTrip(t *testing.T) {
	for name, c := range copies(t) {
		got, err := replica.Decode(c.Origin, c.Encode())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if *got != *c {
			t.Errorf("%s: got %+v, want %+v", name, got, c)
		}
	}
	if c, err := replica.Decode("KH", nil); err != nil || *c != *replica.New("KH") {
		t.Errorf("nothing stored is %+v, %v", c, err)
	}
}

// Bytes of another length or version, and positions that cannot stand beside one another, are refused; nothing panics
// and nothing decodes to the copy that was stored.
func TestDamagedCopyIsRefused(t *testing.T) {
	const version, positions = 0, 1 + 6*8 // three positions; then come two hashes, the count, the flag and the set's hash
	for name, c := range copies(t) {
		b := c.Encode()
		for _, damaged := range [][]byte{{}, b[:1], b[:len(b)-1], append(bytes.Clone(b), 0), b[1:]} {
			if _, err := replica.Decode("KH", damaged); protocol.CodeOf(err) != protocol.CodeInternal {
				t.Errorf("%s: %d bytes of %d: %v", name, len(damaged), len(b), err)
			}
		}
		refused := 0
		for i := range len(b) - 2048 {
			for bit := range 8 {
				damaged := bytes.Clone(b)
				damaged[i] ^= 1 << bit
				got, err := replica.Decode("KH", damaged)
				switch {
				case err != nil:
					refused++
				case i == version, i < positions && (i-1)%16 < 8: // an epoch
					t.Errorf("%s: bit %d of byte %d: accepted", name, bit, i)
				case *got == *c:
					t.Errorf("%s: bit %d of byte %d does not matter", name, bit, i)
				}
			}
		}
		t.Logf("%s: %d of %d flipped bits before the set's hash refused", name, refused, 8*(len(b)-2048))
	}
}
