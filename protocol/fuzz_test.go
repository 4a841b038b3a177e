package protocol

import (
	"bytes"
	"encoding/hex"
	"runtime"
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
func FuzzDecodeHead(f *testing.F)         { fuzz(f, "head", false) }
func FuzzDecodeCharter(f *testing.F)      { fuzz(f, "charter", false) }
func FuzzDecodeCard(f *testing.F)         { fuzz(f, "card", false) }
func FuzzDecodeListing(f *testing.F)      { fuzz(f, "listing", true) }
func FuzzDecodeTombstone(f *testing.F)    { fuzz(f, "tombstone", true) }
func FuzzDecodeRequest(f *testing.F)      { fuzz(f, "request", false) }
func FuzzDecodeAnswer(f *testing.F)       { fuzz(f, "answer", false) }
func FuzzDecodeGossip(f *testing.F)       { fuzz(f, "gossip", false) }
func FuzzDecodePapers(f *testing.F)       { fuzz(f, "papers", false) }
