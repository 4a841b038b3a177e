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
	holder, made := p.later(6, 6)
	b, err := holder.Serve(replica.New("KH").Ask(), 2)
	if err != nil {
		t.Fatal(err)
	}
	across := p.replica(0)
	if err := across.Draw(b); err != nil {
		t.Fatal(err)
	}
	if c := take(across); c.Drawn != made[2].Pos || !c.CatchingUp() {
		t.Fatalf("drawn from %s", c.Drawn)
	}
	disputed := take(p.replica(4))
	disputed.Disputed = true
	return map[string]*replica.Copy{
		"new": replica.New("KH"), "proven": take(p.replica(5)), "drawing": take(drawing), "rewound": rewound,
		"drawing from nothing": take(fresh), "disputed": disputed, "with a floor, in epoch 2": take(holder), "drawing across epochs": take(across),
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
	// Four positions, of which Drawn alone may be of any later epoch; then come two hashes, floor, count, flag and the set's hash.
	const version, drawn, positions = 0, 1 + 4*8, 1 + 8*8
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
				case i == version, i < positions && (i-1)%16 < 8 && (i < drawn || i >= drawn+16): // an epoch
					t.Errorf("%s: bit %d of byte %d: accepted", name, bit, i)
				case *got == *c:
					t.Errorf("%s: bit %d of byte %d does not matter", name, bit, i)
				}
			}
		}
		t.Logf("%s: %d of %d flipped bits before the set's hash refused", name, refused, 8*(len(b)-2048))
	}
}

// What was stored before there were floors is read: no floor, and the first head drawn from is the highest.
func TestCopyOfTheFirstVersion(t *testing.T) {
	const positions, first, hashes, numbers = 1, 1 + 3*16, 1 + 4*16, 1 + 4*16 + 2*32
	for name, c := range copies(t) {
		b := c.Encode()
		old := append([]byte{1}, b[positions:first]...)
		old = append(append(old, b[hashes:numbers]...), b[numbers+3*8:]...)
		want := *c
		want.First, want.Floor, want.Charter, want.Drawing = c.Drawn, 0, 0, 0
		if got, err := replica.Decode("KH", old); err != nil || *got != want {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
		if _, err := replica.Decode("KH", append([]byte{2}, old[1:]...)); protocol.CodeOf(err) != protocol.CodeInternal {
			t.Errorf("%s: bytes of the first version under the second's number: %v", name, err)
		}
	}
}
