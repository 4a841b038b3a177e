package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

func TestEntrySurvivesTheStore(t *testing.T) {
	s, l := open(t, store.Config{}), New("KH", func() time.Time { return start })
	var name string
	update(t, s, func(tx *store.Tx) (err error) {
		if err := l.Append(tx, Event{Kind: Node, Action: "node.start"}); err != nil {
			return err
		}
		if name, err = l.Pseudonym(tx, someone(1)); err != nil {
			return err
		}
		return l.Append(tx, Event{Kind: Token, Actor: someone(1), Token: "t123", Action: "posting.withdraw", ResourceKind: "listing",
			Resource: "x", Detail: map[string]string{"reason": strings.Repeat("ក", 300), "bad": "a\xffb"}, After: protocol.Sum(nil)})
	})
	first, err := decode(rowOf(t, s, 1))
	if err != nil {
		t.Fatal(err)
	}
	at := start.Truncate(time.Millisecond)
	if d := cmp.Diff(&Entry{Seq: 1, At: at, Kind: Node, Action: "node.start", Hash: first.Hash}, first); d != "" {
		t.Error(d)
	}
	second, err := decode(rowOf(t, s, 2))
	if err != nil {
		t.Fatal(err)
	}
	want := &Entry{Seq: 2, At: at, Kind: Token, Actor: name, Token: "t123", Action: "posting.withdraw", ResourceKind: "listing", Resource: "x",
		Detail: map[string]string{"reason": strings.Repeat("ក", 169) + "…", "bad": "a\uFFFDb"}, After: protocol.Sum(nil), Prev: first.Hash, Hash: second.Hash}
	if d := cmp.Diff(want, second); d != "" {
		t.Error(d)
	}
	if v := second.Detail["reason"]; len(v) > maxValue || !utf8.ValidString(v) {
		t.Errorf("a long value became %d bytes", len(v))
	}
}

func TestAppendFailsWithItsTransaction(t *testing.T) {
	l, s := filled(t, 1)
	stop := protocol.Errorf(protocol.CodeConflict, "", "stop")
	if err := s.Update(func(tx *store.Tx) error {
		if err := l.Append(tx, event(1)); err != nil {
			return err
		}
		return stop
	}); err == nil {
		t.Fatal("the transaction was not stopped")
	}
	view(t, s, func(tx *store.Tx) error {
		head, err := l.Head(tx)
		if head.Seq != 1 {
			t.Errorf("the newest entry is %d, want 1", head.Seq)
		}
		return err
	})
	if f := faults(t, s, "KH", Anchor{}); f != nil {
		t.Errorf("%q", f)
	}
}

func TestRefusedEvents(t *testing.T) {
	l, s := filled(t, 1)
	many := make(map[string]string)
	for i := range maxDetails + 1 {
		many[fmt.Sprint(i)] = "x"
	}
	long := strings.Repeat("x", 300)
	for name, ev := range map[string]Event{
		"no kind":             {Action: "a"},
		"no actor":            {Kind: Person, Action: "a"},
		"an operator's actor": {Kind: Operator, Actor: someone(1), Action: "a"},
		"no action":           {Kind: Node},
		"long action":         {Kind: Node, Action: long},
		"long resource":       {Kind: Node, Action: "a", Resource: long},
		"resource not UTF-8":  {Kind: Node, Action: "a", Resource: "\xff"},
		"too many details":    {Kind: Node, Action: "a", Detail: many},
		"detail without name": {Kind: Node, Action: "a", Detail: map[string]string{"": "x"}},
		"detail's long name":  {Kind: Node, Action: "a", Detail: map[string]string{long: "x"}},
		"long actor":          {Kind: Person, Actor: long, Action: "a"},
	} {
		if err := s.Update(func(tx *store.Tx) error { return l.Append(tx, ev) }); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestList(t *testing.T) {
	l, s := filled(t, 1200)
	all := func(f Filter, limit int) (seqs []uint64) {
		before := uint64(0)
		for {
			var entries []Entry
			var next uint64
			view(t, s, func(tx *store.Tx) (err error) { entries, next, err = l.List(tx, f, before, limit); return err })
			if len(entries) > limit {
				t.Fatalf("a page of %d, limit %d", len(entries), limit)
			}
			for _, e := range entries {
				seqs = append(seqs, e.Seq)
			}
			if next == 0 {
				return seqs
			}
			if before = next; before <= 1 {
				t.Fatal("a page behind the last")
			}
		}
	}
	for name, c := range map[string]struct {
		f           Filter
		count       int
		first, last uint64
	}{
		"everything":   {Filter{}, 1200, 1200, 1},
		"by actor":     {Filter{Actor: someone(2)}, 400, 1200, 3},
		"by action":    {Filter{Action: "posting.renew"}, 400, 1199, 2},
		"by prefix":    {Filter{Action: "posting."}, 800, 1199, 1},
		"by kind":      {Filter{Kind: Operator}, 0, 0, 0},
		"by resource":  {Filter{ResourceKind: "listing", Resource: "TO-KH-20260921-700"}, 1, 701, 701},
		"other kind":   {Filter{ResourceKind: "document"}, 0, 0, 0},
		"nobody":       {Filter{Actor: someone(9)}, 0, 0, 0},
		"since":        {Filter{From: start.Truncate(time.Millisecond).Add(1190 * time.Second)}, 11, 1200, 1190},
		"until":        {Filter{Until: start.Add(10 * time.Second).Truncate(time.Millisecond)}, 9, 9, 1},
		"an hour":      {Filter{From: start.Add(time.Hour)}, 0, 0, 0},
		"not a prefix": {Filter{Action: "posting"}, 0, 0, 0},
	} {
		for _, limit := range []int{7, 400, 500} {
			got := all(c.f, limit)
			if len(got) != c.count || c.count > 0 && (got[0] != c.first || got[len(got)-1] != c.last) {
				t.Errorf("%s by %d: %d entries, want %d from %d to %d", name, limit, len(got), c.count, c.first, c.last)
			}
		}
	}
}

// A filter that nothing fits is answered in bounded pieces.
func TestListIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 20,100 entries")
	}
	l, s := filled(t, maxLooked+100)
	view(t, s, func(tx *store.Tx) error {
		entries, next, err := l.List(tx, Filter{Action: "none"}, 0, 10)
		if len(entries) != 0 || next != 101 {
			t.Errorf("%d entries and next %d, want none and 101", len(entries), next)
		}
		return err
	})
}

func TestExport(t *testing.T) {
	l, s := filled(t, 1201)
	var b bytes.Buffer
	n, err := l.Export(t.Context(), s, &b, Filter{})
	if err != nil || n != 1201 {
		t.Fatalf("%d entries: %v", n, err)
	}
	if strings.Contains(b.String(), someone(1)) {
		t.Error("the export names a person's id")
	}
	// Whoever has the lines and the description can compute every hash again.
	prev := protocol.Hash{}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	for i, text := range lines {
		var e Entry
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		if e.Seq != uint64(i+1) || e.Prev != prev || hashOf("KH", e.body()) != e.Hash {
			t.Fatalf("line %d does not verify: %s", i+1, text)
		}
		prev = e.Hash
	}
	if len(lines) != 1201 {
		t.Errorf("%d lines", len(lines))
	}
	b.Reset()
	if n, err := l.Export(t.Context(), s, &b, Filter{Actor: someone(1)}); err != nil || n != 400 {
		t.Errorf("of one person: %d entries: %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Export(ctx, s, &b, Filter{}); err == nil {
		t.Error("an export whose reader went away went on")
	}
}

// The format is frozen: an entry of this build must verify for ever.
func TestFormatIsFrozen(t *testing.T) {
	e := Entry{Seq: 1, At: time.UnixMilli(1789979400123).UTC(), Kind: Person, Actor: "n1", Token: "", Action: "posting.publish",
		ResourceKind: "listing", Resource: "r", Detail: map[string]string{"b": "2", "a": "1"}, After: protocol.Sum([]byte("x")), Prev: protocol.Sum([]byte("y"))}
	row := e.encode("KH")
	want := "\x00\x00\x00\x00\x00\x00\x00\x01" + "\x00\x00\x01\xa0\xc3\x16\x17\xbb" + "\x00\x06person" + "\x00\x02n1" + "\x00\x00" +
		"\x00\x0fposting.publish" + "\x00\x07listing" + "\x00\x01r" + "\x02" + "\x00\x01a\x00\x011" + "\x00\x01b\x00\x012" + "\x00" +
		"\x01" + string(sum("x")) + string(sum("y"))
	if got := string(row[:len(row)-32]); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if want := protocol.Sum([]byte("tmh/audit/1\x00" + "\x00\x02KH" + want)); e.Hash != want {
		t.Errorf("hash %s, want %s", e.Hash, want)
	}
}

func sum(s string) []byte { h := protocol.Sum([]byte(s)); return h[:] }

func FuzzDecode(f *testing.F) {
	e := Entry{Seq: 7, At: start, Kind: Token, Actor: "n1", Token: "t1", Action: "a.b", Detail: map[string]string{"k": "v", "l": "w"}, Before: protocol.Sum(nil)}
	f.Add(e.encode("KH"))
	f.Add((&Entry{Kind: Node, Action: "x"}).encode("KH"))
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 300))
	f.Fuzz(func(t *testing.T, row []byte) {
		e, err := decode(row)
		if err != nil {
			return
		}
		if got := append(e.body(), e.Hash[:]...); !bytes.Equal(got, row) {
			t.Errorf("two rows say the same entry:\n%x\n%x", row, got)
		}
	})
}

// One entry in a transaction of its own on disk: what a person's action costs.
func BenchmarkAppendDurable(b *testing.B) {
	s, l := open(b, store.Config{Dir: b.TempDir()}), New("KH", ticking())
	for i := 0; b.Loop(); i++ {
		update(b, s, func(tx *store.Tx) error { return l.Append(tx, event(i)) })
	}
}

// 256 entries in one transaction, as an import makes them.
func BenchmarkAppendBatch(b *testing.B) {
	s, l := open(b, store.Config{Dir: b.TempDir()}), New("KH", ticking())
	for b.Loop() {
		update(b, s, func(tx *store.Tx) error {
			for i := range 256 {
				if err := l.Append(tx, event(i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/256, "µs/entry")
}

func BenchmarkVerify100000(b *testing.B) {
	_, s := filled(b, 100_000)
	for b.Loop() {
		view(b, s, func(tx *store.Tx) error {
			_, err := Verify(tx, "KH", func(f Fault) { b.Error(f) })
			return err
		})
	}
}
