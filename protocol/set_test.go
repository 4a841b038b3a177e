package protocol

import (
	"crypto/sha256"
	"crypto/sha3"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"
)

// naiveSet is the definition of LtHash16 read aloud: 1,024 numbers of 16 bits, added one by one.
type naiveSet [1024]uint16

func naiveBytes(e Element) (b []byte) {
	eight := func(v uint64) {
		for i := 7; i >= 0; i-- {
			b = append(b, byte(v>>(8*i)))
		}
	}
	b = append(b, "tmh/set/1\x00"...)
	b = append(append(b, byte(len(e.Origin))), e.Origin...)
	eight(e.Pos.Epoch)
	eight(e.Pos.Seq)
	b = append(append(b, byte(e.Kind), byte(len(e.Key))), e.Key...)
	return append(b, e.Body[:]...)
}

func naiveLanes(e Element) (lanes [1024]uint16) {
	out := sha3.SumSHAKE128(naiveBytes(e), 2048)
	for i := range lanes {
		lanes[i] = uint16(out[2*i]) + 256*uint16(out[2*i+1])
	}
	return lanes
}

func (s *naiveSet) add(e Element) {
	for i, v := range naiveLanes(e) {
		s[i] += v
	}
}

func (s *naiveSet) remove(e Element) {
	for i, v := range naiveLanes(e) {
		s[i] -= v
	}
}

func (s *naiveSet) digest() Hash {
	var b []byte
	for _, v := range s {
		b = append(b, byte(v%256), byte(v/256))
	}
	return sha256.Sum256(b)
}

func randomElements(r *rand.Rand, n int) (all []Element) {
	for i := range n {
		e := Element{Origin: MemberID(fmt.Sprintf("M%d", r.IntN(12))), Pos: Position{1 + r.Uint64N(3), r.Uint64N(MaxNumber)},
			Kind: ChangeKind(1 + r.IntN(3)), Key: RecordKey(fmt.Sprintf("listing/%d-%d", i, r.Uint64()))}
		for j := range e.Body {
			e.Body[j] = byte(r.Uint32())
		}
		all = append(all, e)
	}
	return all
}

func TestSetHashAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var fast SetHash
	var naive naiveSet
	elements := randomElements(r, 200)
	for i, e := range elements {
		fast.Add(e)
		naive.add(e)
		if i%3 == 2 { // takes out one that is in, or one that is not: borrows
			x := elements[r.IntN(len(elements))]
			fast.Remove(x)
			naive.remove(x)
		}
		if got, want := fast.Digest(), naive.digest(); got != want {
			t.Fatalf("after %d elements: %s, want %s", i+1, got, want)
		}
	}
}

func TestSetHashHasNoOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	elements := randomElements(r, 50)
	var want SetHash
	for _, e := range elements {
		want.Add(e)
	}
	for range 10 {
		r.Shuffle(len(elements), func(i, j int) { elements[i], elements[j] = elements[j], elements[i] })
		var got SetHash
		for _, e := range elements {
			got.Add(e)
		}
		if got != want {
			t.Fatal("another order gives another hash")
		}
	}
}

func TestSetHashRemoveUndoesAdd(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var s SetHash
	for _, e := range randomElements(r, 20) {
		s.Add(e)
	}
	before := s
	for _, e := range randomElements(r, 20) {
		s.Add(e)
		s.Remove(e)
		if s != before {
			t.Fatal("adding and removing leaves a trace")
		}
		s.Remove(e)
		s.Add(e)
		if s != before {
			t.Fatal("removing and adding leaves a trace")
		}
	}
}

// Every part of an element changes its hash, and parts cannot run into each other.
func TestElementsDiffer(t *testing.T) {
	e := Element{"KH", Position{1, 2}, Put, "listing/a", Hash{1}}
	others := []Element{{"KHL", Position{1, 2}, Put, "listing/a", Hash{1}}, {"KH", Position{2, 2}, Put, "listing/a", Hash{1}},
		{"KH", Position{1, 3}, Put, "listing/a", Hash{1}}, {"KH", Position{1, 2}, Withdraw, "listing/a", Hash{1}},
		{"KH", Position{1, 2}, Put, "listing/ab", Hash{1}}, {"KH", Position{1, 2}, Put, "listing/a", Hash{2}}}
	seen := map[Hash]bool{}
	for _, x := range append(others, e) {
		var s SetHash
		s.Add(x)
		seen[s.Digest()] = true
	}
	if len(seen) != len(others)+1 {
		t.Errorf("%d different hashes of %d elements", len(seen), len(others)+1)
	}
}

// exampleLines are the numbers of the worked example in docs/PROTOCOL.md: the first steps of set-two-records.json.
func exampleLines(t *testing.T) (lines []string) {
	steps := readCorpus(t, "valid")["set-two-records.json"].Steps
	var s naiveSet
	for _, step := range steps[:2] {
		e := step.element()
		lanes := naiveLanes(e)
		s.add(e)
		lines = append(lines, hex.EncodeToString(naiveBytes(e)), fmt.Sprintf("%d %d %d", lanes[0], lanes[1], lanes[1023]),
			fmt.Sprintf("%d %d %d", s[0], s[1], s[1023]), step.Digest.String())
	}
	return lines
}
