package protocol

import (
	"bytes"
	"encoding/hex"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// fuzz feeds a decoder with the corpus and what the fuzzer makes of it. Whatever decodes is written again, from the
// decoded values, to the very same bytes; and decoding allocates no more than a multiple of what it was given.
func fuzz(f *testing.F, typ string, later bool) {
	for _, dir := range []string{"valid", "invalid"} {
		for _, x := range readCorpus(f, dir) {
			b, err := hex.DecodeString(x.Bytes)
			if err != nil {
				f.Fatal(err)
			}
			if x.Type == typ && len(b) < 4<<10 { // larger ones only slow the fuzzer down
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		again, err := rewrite(typ, b)
		runtime.ReadMemStats(&after)
		if got, most := after.TotalAlloc-before.TotalAlloc, uint64(1<<20+200*len(b)); got > most {
			t.Errorf("%d bytes allocated for %d", got, len(b))
		}
		if err != nil {
			if CodeOf(err) == CodeInternal {
				t.Errorf("refused without a code: %v", err)
			}
			return
		}
		if !bytes.Equal(again, b) && !(later && len(again) < len(b)) {
			t.Errorf("decodes, but is written again as\n%x, not\n%x", again, b)
		}
		if later { // what this version writes of it is canonical
			twice, err := rewrite(typ, again)
			if err != nil || !bytes.Equal(twice, again) {
				t.Errorf("written again it is\n%x, and then\n%x (%v)", again, twice, err)
			}
		}
	})
}

func FuzzDecodeChange(f *testing.F)       { fuzz(f, "change", false) }
func FuzzDecodeSignedHeader(f *testing.F) { fuzz(f, "header", false) }
func FuzzDecodeOpening(f *testing.F)      { fuzz(f, "opening", false) }
func FuzzDecodeEvidence(f *testing.F)     { fuzz(f, "evidence", false) }
func FuzzDecodeHead(f *testing.F)         { fuzz(f, "head", false) }
func FuzzDecodeCharter(f *testing.F)      { fuzz(f, "charter", false) }
func FuzzDecodeCard(f *testing.F)         { fuzz(f, "card", false) }
func FuzzDecodeListing(f *testing.F)      { fuzz(f, "listing", true) }
func FuzzDecodePart(f *testing.F)         { fuzz(f, "part", true) }
func FuzzDecodeTombstone(f *testing.F)    { fuzz(f, "tombstone", true) }
func FuzzDecodeRequest(f *testing.F)      { fuzz(f, "request", false) }
func FuzzDecodeAnswer(f *testing.F)       { fuzz(f, "answer", false) }
func FuzzDecodeGossip(f *testing.F)       { fuzz(f, "gossip", false) }
func FuzzDecodePapers(f *testing.F)       { fuzz(f, "papers", false) }

// The form in which an origin keeps a record is its own business and not in the corpus.
func FuzzDecodeRecord(f *testing.F) {
	rnd := rand.New(rand.NewPCG(5, 6))
	f.Add(EncodeRecord(&Record{}, nil))
	for range 20 {
		r := scattered(rnd)
		parts, err := r.Parts("a", nil, someSalts())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(EncodeRecord(r, parts))
	}
	fuzz(f, "record", true)
}

// Every decoder of the package has its fuzz target, called after it.
func TestEveryDecoderIsFuzzed(t *testing.T) {
	functions := func(test bool) map[string]bool {
		out := make(map[string]bool)
		paths, err := filepath.Glob("*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") != test {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
					out[fn.Name.Name] = true
				}
			}
		}
		return out
	}
	targets, decoders := functions(true), 0
	for name := range functions(false) {
		if !strings.HasPrefix(name, "Decode") {
			continue
		}
		decoders++
		if !targets["Fuzz"+name] {
			t.Errorf("%s has no fuzz target", name)
		}
	}
	if decoders < 13 {
		t.Errorf("found only %d decoders", decoders)
	}
}
