package protocol

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// The corpus has one fault a file, which somebody thought of. Here the files of the corpus are altered at random, and the
// two readers have to agree on what is a message and what is not.

// readers are the decoders of this package, by the types of the corpus.
func readers() map[string]func([]byte) error {
	only := func(_ any, err error) error { return err }
	return map[string]func([]byte) error{
		"change":    func(b []byte) error { return only(DecodeChange(b)) },
		"header":    func(b []byte) error { return only(DecodeSignedHeader(b)) },
		"head":      func(b []byte) error { return only(DecodeHead(b)) },
		"charter":   func(b []byte) error { return only(DecodeCharter(b)) },
		"card":      func(b []byte) error { return only(DecodeCard(b)) },
		"opening":   func(b []byte) error { return only(DecodeOpening(b)) },
		"evidence":  func(b []byte) error { return only(DecodeEvidence(b)) },
		"listing":   func(b []byte) error { return only(DecodeListing(b)) },
		"part":      func(b []byte) error { return only(DecodePart(b)) },
		"tombstone": func(b []byte) error { return only(DecodeTombstone(b)) },
		"request":   func(b []byte) error { return only(DecodeRequest(b)) },
		"answer":    func(b []byte) error { return only(DecodeAnswer(b)) },
		"gossip":    func(b []byte) error { return only(DecodeGossip(b)) },
		"papers":    func(b []byte) error { return only(DecodePapers(b)) },
	}
}

var errPanicked = errors.New("panicked")

// safely reports a panic as an error that names it.
func safely(read func([]byte) error, b []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errPanicked, p)
		}
	}()
	return read(b)
}

type wireField struct {
	num protowire.Number
	typ protowire.Type
	n   uint64
	b   []byte
}

// fieldsOf takes a message apart; ok is false where it is none.
func fieldsOf(b []byte) (all []wireField, ok bool) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, false
		}
		f := wireField{num: num, typ: typ}
		b = b[n:]
		switch typ {
		case protowire.VarintType:
			f.n, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			f.b, n = protowire.ConsumeBytes(b)
		default:
			return nil, false
		}
		if n < 0 {
			return nil, false
		}
		b = b[n:]
		all = append(all, f)
	}
	return all, len(all) > 0
}

func (f wireField) append(b []byte) []byte {
	if f.typ == protowire.VarintType {
		return protowire.AppendVarint(protowire.AppendTag(b, f.num, f.typ), f.n)
	}
	return protowire.AppendBytes(protowire.AppendTag(b, f.num, f.typ), f.b)
}

// alter changes one thing in a message, at any depth, and keeps the lengths right most of the time.
func alter(r *rand.Rand, b []byte) []byte {
	fields, ok := fieldsOf(b)
	if !ok || r.IntN(12) == 0 {
		return alterBytes(r, b)
	}
	fields = slices.Clone(fields)
	i := r.IntN(len(fields))
	switch r.IntN(8) {
	case 0:
		fields = slices.Delete(fields, i, i+1)
	case 1:
		fields = slices.Insert(fields, i, fields[i])
	case 2:
		j := r.IntN(len(fields))
		fields[i], fields[j] = fields[j], fields[i]
	case 3:
		fields = append(fields, wireField{num: fields[len(fields)-1].num + protowire.Number(r.IntN(3)), typ: protowire.BytesType, b: []byte("en")})
	default:
		if f := &fields[i]; f.typ == protowire.BytesType {
			f.b = alter(r, f.b)
		} else {
			f.n = alterNumber(r, f.n)
		}
	}
	var out []byte
	for _, f := range fields {
		out = f.append(out)
	}
	return out
}

func alterNumber(r *rand.Rand, n uint64) uint64 {
	numbers := []uint64{0, 1, 2, 3, 4, 6, 7, 9, 10, 17, 18, 256, 257, maxDate, maxDate + 1, maxInstant, maxInstant + 1, MaxNumber, MaxNumber + 1, 1<<64 - 1}
	switch k := r.IntN(len(numbers) + 4); {
	case k < len(numbers):
		return numbers[k]
	case k%2 == 0:
		return n + 1
	}
	return n - 1
}

func alterBytes(r *rand.Rand, b []byte) []byte {
	pieces := []string{"", "\x00", "\n", " ", "\u0085", "\u00a0", "\u2028", "\u200b", "\u202e", "\u2066", "\ufeff", "\ufffe", "\U0001ffff", "\xed\xa0\x80", "\xc0\x80", "\xff",
		"\xf4\x90\x80\x80", "\u1780", "\U0001f33e", "A", "z", "0", "-", ".", "..", "/", "\"", "~", "epoch/2", "listing/", "https://", "http:///", "KH"}
	piece := pieces[r.IntN(len(pieces))]
	at := r.IntN(len(b) + 1)
	switch end := min(len(b), at+r.IntN(4)); r.IntN(6) {
	case 0:
		return []byte(piece)
	case 1:
		return slices.Concat(b[:at], []byte(piece), b[at:])
	case 2:
		return slices.Concat(b[:at], []byte(piece), b[end:])
	case 3:
		return slices.Concat(b, []byte(piece))
	case 4:
		return slices.Clone(b[:at])
	default:
		c := slices.Clone(b)
		if len(c) > 0 {
			c[at%len(c)] ^= 1 << r.IntN(8)
		}
		return c
	}
}

func TestTwoReadersAgree(t *testing.T) {
	t.Parallel()
	rounds := map[string]int{"valid": 80, "invalid": 6} // of alterations to each file
	if testing.Short() {
		rounds = map[string]int{"valid": 10, "invalid": 1}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	federation, err := os.ReadFile("testdata/federation.json")
	for _, d := range []string{"valid", "invalid"} {
		if err == nil {
			err = os.Mkdir(filepath.Join(dir, d), 0o700)
		}
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "federation.json"), federation, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	decode := readers()
	accepted, refused := 0, 0
	for _, from := range []string{"valid", "invalid"} {
		for name, f := range readCorpus(t, from) {
			read := decode[f.Type]
			if read == nil {
				continue
			}
			b, err := hex.DecodeString(f.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			for i := range rounds[from] {
				// later-fields in the name: what later versions added need not be written again.
				to, x := "valid", corpusFile{About: "altered", Type: f.Type, Bytes: hex.EncodeToString(alter(r, b))}
				altered, _ := hex.DecodeString(x.Bytes)
				if err := safely(read, altered); err != nil {
					if errors.Is(err, errPanicked) {
						t.Errorf("seed %d: reading an altered %s of %d bytes: %v", seed, f.Type, len(altered), err)
					}
					to, x.Refused = "invalid", "any"
					refused++
				} else {
					accepted++
				}
				out, err := json.Marshal(x)
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, to, fmt.Sprintf("later-fields-%d-%s-%s", i, from, name)), out, 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if accepted < refused/20 || refused == 0 {
		t.Errorf("%d altered messages accepted, %d refused: the test says little", accepted, refused)
	}
	out, ok := secondChecker(t, "--corpus", dir)
	if !ok {
		t.Errorf("seed %d: this package accepts %d and refuses %d; the second checker does not agree:\n%s", seed, accepted, refused, out)
	}
	t.Logf("%d accepted, %d refused by both", accepted, refused)
}
