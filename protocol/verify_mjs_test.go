package protocol

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// testdata/verify.mjs is a second reader of the protocol, written from the documents alone. These tests hold the two
// against each other: what it accepts and what it refuses, in the corpus and in exported feeds.

// secondChecker runs verify.mjs and returns what it printed.
func secondChecker(t *testing.T, args ...string) (out string, accepted bool) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("Node.js is not installed, so the second checker cannot run: .ci/tools installs it")
	}
	b, err := exec.Command(node, append([]string{filepath.Join("testdata", "verify.mjs")}, args...)...).CombinedOutput()
	if exit, ok := err.(*exec.ExitError); ok && exit.ExitCode() != 1 || err != nil && !ok { //nolint:errorlint // Command gives it as it is
		t.Fatalf("verify.mjs did not run: %v\n%s", err, b)
	}
	return string(b), err == nil
}

func TestSecondCheckerAcceptsCorpus(t *testing.T) {
	t.Parallel()
	if out, ok := secondChecker(t); !ok {
		t.Error(out)
	}
}

// A checker that accepts everything would pass the test above.
func TestSecondCheckerRefusesAnotherCorpus(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	edit := func(path, pattern, with string) {
		path = filepath.Join(dir, path)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		at := regexp.MustCompile(pattern).FindStringSubmatchIndex(string(b))
		if at == nil {
			t.Fatalf("%s has no %s", path, pattern)
		}
		if err := os.WriteFile(path, slices.Concat(b[:at[2]], []byte(with), b[at[3]:]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	edit("valid/change-put.json", `"bytes": "[0-9a-f]*([0-9a-f]{2})"`, "ff")
	edit("valid/listing-full.json", `"trl": (9)`, "8")
	edit("valid/set-order.json", `"seq": (\d+)`, "77")
	edit("invalid/header-roster-sealed.json", `"refused": "(fork)"`, "chain")
	edit("feed.json", `"count": (2)`, "3")
	out, ok := secondChecker(t, "--corpus", dir)
	if ok {
		t.Fatalf("accepted:\n%s", out)
	}
	for _, path := range []string{"valid/change-put.json", "valid/listing-full.json", "valid/set-order.json", "invalid/header-roster-sealed.json", "feed.json"} {
		if !strings.Contains(out, path+": ") {
			t.Errorf("%s is not named:\n%s", path, out)
		}
	}
}

// exported is a feed in the form of tmh export.
type exported []exportedLine

type exportedLine struct {
	Type  string `json:"type"`
	Bytes string `json:"bytes"`
}

func (e exported) check(t *testing.T) (out string, accepted bool) {
	t.Helper()
	var b strings.Builder
	for _, l := range e {
		line, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	path := filepath.Join(t.TempDir(), "feed.jsonl")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return secondChecker(t, path)
}

func lineOf(typ string, b []byte) exportedLine { return exportedLine{typ, hex.EncodeToString(b)} }

// exportOf gives a feed of the corpus as a node would export it after the last of its changes.
func exportOf(t *testing.T, name string) (e exported, fed *federation) {
	t.Helper()
	var f feedFile
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	if err != nil {
		t.Fatal(err)
	}
	records := make(map[RecordKey]*Change)
	var head *Change
	for _, step := range f.Changes {
		b, err := hex.DecodeString(step.Bytes)
		if err == nil {
			head, err = DecodeChange(b)
		}
		if err != nil {
			t.Fatal(err)
		}
		records[head.RecordKey] = head
		for key, c := range records {
			if c.Kind == Withdraw && c.Pos.Seq <= head.Floor {
				delete(records, key)
			}
		}
	}
	fed = theFederation()
	papers := Papers{Charters: []*SignedCharter{fed.charters["charter-1"]}, Cards: []*SignedCard{fed.cards["KH-1"], fed.cards["LA-1"]}}
	statement := plainHead(func(h *Head) { h.Pos, h.Header = head.Pos, head.Raw })
	e = exported{lineOf("papers", papers.Encode()), lineOf("head", head.SignedHeader.Bytes()), lineOf("statement", headBytes(recordKey("KH"), statement))}
	var feed []*Change
	for _, c := range records {
		feed = append(feed, c)
	}
	slices.SortFunc(feed, func(a, b *Change) int { return a.Pos.Compare(b.Pos) })
	for _, c := range feed {
		e = append(e, lineOf("change", c.Bytes()))
	}
	return e, fed
}

func TestSecondCheckerAcceptsFeeds(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"feed.json", "feed-floors.json", "feed-epochs.json", "feed-epoch-from-nothing.json"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, fed := exportOf(t, name)
			out, ok := e.check(t)
			if want := fmt.Sprintf(": %d records", len(e)-3); !ok || !strings.Contains(out, want) || !strings.Contains(out, fed.charters["charter-1"].Hash.String()) {
				t.Errorf("accepted: %v, without %q:\n%s", ok, want, out)
			}
			withoutStatement := slices.Delete(slices.Clone(e), 2, 3)
			if out, ok := withoutStatement.check(t); !ok {
				t.Errorf("without the statement: %s", out)
			}
		})
	}
}

// flip turns one bit over in the signature, header or body of a change or signed header.
func (l *exportedLine) flip(t *testing.T, part string) {
	t.Helper()
	b, err := hex.DecodeString(l.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	d := newDecoder("line", b, MaxChange)
	header := d.bytes(1, "header", MaxHeader)
	at := map[string]int{"header": len(header) - 1, "signature": len(header) + 2 + 3 + 20, "body": len(b) - 2}[part]
	b[at] ^= 4
	l.Bytes = hex.EncodeToString(b)
}

func (e exported) change(t *testing.T, line int) *Change {
	t.Helper()
	b, err := hex.DecodeString(e[line-1].Bytes)
	if err != nil {
		t.Fatal(err)
	}
	c, err := DecodeChange(b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSecondCheckerRefusesTamperedFeeds(t *testing.T) {
	t.Parallel()
	const epochs, floors, plain = "feed-epochs.json", "feed-floors.json", "feed.json"
	// The first change is on line 4. resigned puts a change that the record key signed all the same.
	resigned := func(t *testing.T, e exported, line int, alter func(*Header), body []byte) {
		h := e.change(t, line).Header
		alter(&h)
		e[line-1] = lineOf("change", rawChange(recordKey("KH"), h, body).Bytes())
	}
	opening := func(t *testing.T, e exported) int {
		t.Helper()
		for i, l := range e {
			if l.Type == "change" && e.change(t, i+1).Kind == OpenEpoch {
				return i + 1
			}
		}
		t.Fatal("no epoch was opened")
		return 0
	}
	papers := func(fed *federation, cards ...*SignedCard) exportedLine {
		p := Papers{Charters: []*SignedCharter{fed.charters["charter-1"]}, Cards: cards}
		return lineOf("papers", p.Encode())
	}
	tests := []struct {
		name, feed string
		tamper     func(t *testing.T, e exported, fed *federation) exported
		want       string // of a line that is printed
	}{
		{"signature of a change", plain, func(t *testing.T, e exported, _ *federation) exported { e[4].flip(t, "signature"); return e }, `^line 5: signature: `},
		{"header of a change", plain, func(t *testing.T, e exported, _ *federation) exported { e[4].flip(t, "header"); return e }, `^line 5: signature: `},
		{"body of a change", plain, func(t *testing.T, e exported, _ *federation) exported { e[4].flip(t, "body"); return e }, `^line 5: body: `},
		{"signature of the head", plain, func(t *testing.T, e exported, _ *federation) exported { e[1].flip(t, "signature"); return e }, `^line 2: signature: `},
		{"signature of the statement", plain, func(t *testing.T, e exported, _ *federation) exported { e[2].flip(t, "signature"); return e }, `^line 3: signature: `},
		{"a change is left out", plain, func(_ *testing.T, e exported, _ *federation) exported { return slices.Delete(e, 5, 6) }, `^line 2: digest: `},
		{"the count shows it too", plain, func(_ *testing.T, e exported, _ *federation) exported { return slices.Delete(e, 5, 6) }, `^line 2: count: `},
		{"the last change is left out", plain, func(_ *testing.T, e exported, _ *federation) exported { return e[:len(e)-1] }, `^line 2: holder: the last change is not the head`},
		{"a change stands twice", plain, func(_ *testing.T, e exported, _ *federation) exported { return slices.Insert(e, 5, e[4]) }, `^line 6: previous: .* line 5`},
		{"two changes are swapped", plain, func(_ *testing.T, e exported, _ *federation) exported { e[4], e[5] = e[5], e[4]; return e }, `^line 6: holder: .* stands after`},
		{"an older change in place of the newest", plain, func(_ *testing.T, e exported, fed *federation) exported {
			old := theFeed(fed.charters["charter-1"].Hash)[2] // the third listing, which was withdrawn later
			return slices.Insert(e, 3, lineOf("change", old.Bytes()))
		}, `^line \d+: previous: .* is also that of line 4`},
		{"a foreign card", plain, func(_ *testing.T, e exported, fed *federation) exported {
			e[0] = papers(fed, signCard(governance("LA"), fed.cards["KH-1"].Card))
			return e
		}, `^line 1: signature: card\.signature`},
		{"a card of another federation", plain, func(_ *testing.T, e exported, fed *federation) exported {
			c := fed.cards["KH-1"].Card
			c.Federation = Sum([]byte("other"))
			e[0] = papers(fed, signCard(governance("KH"), c))
			return e
		}, `^line 1: federation: card\.federation`},
		{"no card of the origin", plain, func(_ *testing.T, e exported, fed *federation) exported {
			e[0] = papers(fed, fed.cards["LA-1"])
			return e
		}, `^line 4: charter: `},
		{"a charter that too few signed", plain, func(_ *testing.T, e exported, _ *federation) exported {
			p := Papers{Charters: []*SignedCharter{signCharter(charter1(), "KH", "LA")}}
			e[0] = lineOf("papers", p.Encode())
			return e
		}, `^line 1: threshold: `},
		{"an older head", plain, func(_ *testing.T, e exported, fed *federation) exported {
			e[1] = lineOf("head", theFeed(fed.charters["charter-1"].Hash)[7].SignedHeader.Bytes())
			return e
		}, `^line \d+: holder: .* is above the head`},
		{"another head at the same position", plain, func(t *testing.T, e exported, _ *federation) exported {
			h := e.change(t, len(e)).Header
			h.Digest = Sum([]byte("other"))
			e[1] = lineOf("head", rawChange(recordKey("KH"), h, nil).SignedHeader.Bytes())
			return e
		}, `^line 3: fork: `},
		{"a head that states another set", plain, func(t *testing.T, e exported, _ *federation) exported {
			h := e.change(t, len(e)).Header
			h.Digest = Sum([]byte("other"))
			e[1] = lineOf("head", rawChange(recordKey("KH"), h, nil).SignedHeader.Bytes())
			return e
		}, `^line 2: digest: `},
		{"a statement that names another header", plain, func(_ *testing.T, e exported, _ *federation) exported {
			statement := plainHead(func(h *Head) { h.Pos.Seq, h.Header = 8, Sum([]byte("other")) })
			e[2] = lineOf("statement", headBytes(recordKey("KH"), statement))
			return e
		}, `^line \d+: fork: header: the statement of line 3`},
		{"the chain is broken", plain, func(t *testing.T, e exported, _ *federation) exported {
			resigned(t, e, len(e), func(h *Header) { h.Prev = Sum([]byte("other")) }, e.change(t, len(e)).Body)
			return e
		}, `^line \d+: chain: `},
		{"a key that is not of this position", plain, func(_ *testing.T, e exported, fed *federation) exported {
			e[0] = papers(fed, signCard(governance("KH"), corpusCard(fed.charters["charter-1"].Hash, "KH", 1, openFrom(recordKey("KH second"), 1))))
			return e
		}, `^line 4: key: `},
		{"another header than the sealed one", plain, func(t *testing.T, e exported, fed *federation) exported {
			e[0] = papers(fed, fed.cards["KH-2"]) // seals 1.12
			resigned(t, e, len(e), func(h *Header) { h.Count++ }, e.change(t, len(e)).Body)
			return e
		}, `^line \d+: fork: .* sealed`},
		{"a withdrawal below the floor", floors, func(t *testing.T, e exported, fed *federation) exported {
			h := e.change(t, len(e)).Header
			h.Pos, h.Kind, h.RecordKey, h.PrevSeq, h.Floor, h.Prev = Position{1, 2}, Withdraw, "listing/gone", 1, 0, Sum(nil)
			h.Count, h.BodyLen, h.BodyHash = 2, 0, Sum(nil)
			return slices.Insert(e, 3, lineOf("change", rawChange(recordKey("KH"), h, nil).Bytes()))
		}, `^line \d+: floor: .* has left the set`},
		{"an opening without countersignature", epochs, func(t *testing.T, e exported, _ *federation) exported {
			at := opening(t, e)
			c := e.change(t, at)
			o, err := DecodeOpening(c.Body)
			if err != nil {
				t.Fatal(err)
			}
			body := field(1, o.raw)
			resigned(t, e, at, func(h *Header) { h.BodyLen, h.BodyHash = uint64(len(body)), Sum(body) }, body)
			return e
		}, `^line \d+: required: opening\.signature`},
		{"an opening that the record key countersigned", epochs, func(t *testing.T, e exported, _ *federation) exported {
			at := opening(t, e)
			o, err := DecodeOpening(e.change(t, at).Body)
			if err != nil {
				t.Fatal(err)
			}
			body := sealedBy(recordKey("KH"), domainEpoch, o.raw)
			resigned(t, e, at, func(h *Header) { h.BodyLen, h.BodyHash = uint64(len(body)), Sum(body) }, body)
			return e
		}, `^line \d+: signature: opening\.signature`},
		{"an opening is left out", epochs, func(t *testing.T, e exported, _ *federation) exported {
			at := opening(t, e)
			return slices.Delete(e, at-1, at)
		}, `^line 2: epoch: the feed does not hold the change that opened epoch`},
		{"a change that an epoch left behind", epochs, func(t *testing.T, e exported, _ *federation) exported {
			at := opening(t, e)
			o, err := DecodeOpening(e.change(t, at).Body)
			if err != nil {
				t.Fatal(err)
			}
			h := e.change(t, at-1).Header
			h.Pos, h.RecordKey, h.PrevSeq, h.Kind, h.Prev = o.Base, "listing/left-behind", 0, Put, o.BaseHeader
			h.Pos.Seq++
			h.BodyLen, h.BodyHash = 0, Sum(nil)
			return slices.Insert(e, at-1, lineOf("change", rawChange(recordKey("KH"), h, nil).Bytes()))
		}, `^line \d+: epoch: 1\.\d+ is void`},
		{"no papers", plain, func(_ *testing.T, e exported, _ *federation) exported { return e[1:] }, `^line 1: the head stands on line 2`},
		{"no head", plain, func(_ *testing.T, e exported, _ *federation) exported { return slices.Delete(e, 1, 2) }, `^line 2: head: there is none`},
		{"a line of another type", plain, func(_ *testing.T, e exported, _ *federation) exported {
			return slices.Insert(e, 5, exportedLine{"note", "00"})
		}, `^line 6: is of no type`},
		{"a line is cut", plain, func(_ *testing.T, e exported, _ *federation) exported {
			e[5].Bytes = e[5].Bytes[:40]
			return e
		}, `^line 6: truncated: `},
		{"nothing", plain, func(*testing.T, exported, *federation) exported { return nil }, `^line 1: the file is empty`},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			e, fed := exportOf(t, x.feed)
			out, ok := x.tamper(t, e, fed).check(t)
			if ok || !regexp.MustCompile("(?m)"+x.want).MatchString(out) {
				t.Errorf("accepted: %v; want a line %s in\n%s", ok, x.want, out)
			}
		})
	}
}

// A whole feed of another federation is consistent in itself: only the id tells.
func TestSecondCheckerComparesFederation(t *testing.T) {
	t.Parallel()
	e, fed := exportOf(t, "feed.json")
	path := filepath.Join(t.TempDir(), "feed.jsonl")
	var b strings.Builder
	for _, l := range e {
		fmt.Fprintf(&b, "{\"type\":%q,\"bytes\":%q}\n", l.Type, l.Bytes)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, ok := secondChecker(t, path, "--federation", fed.charters["charter-1"].Hash.String()); !ok {
		t.Error(out)
	}
	if out, ok := secondChecker(t, path, "--federation", Sum([]byte("other")).String()); ok || !strings.HasPrefix(out, "line 1: federation: ") {
		t.Errorf("accepted: %v\n%s", ok, out)
	}
}
