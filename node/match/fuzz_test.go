package match

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/node/match/text"
	"github.com/asean-tmh/tmh/protocol"
	gocmp "github.com/google/go-cmp/cmp"
)

// Any bytes as listings and as a query: all is indexed, hits are in order, and parts sum to their score.
func FuzzMatch(f *testing.F) {
	for _, s := range []string{
		"membrane filter", "โซลาร์เซลล์", "ការច្រោះទឹក", "膜过滤", "\xff\xfe", "1.2.3,4 10^6 kWh/m2", "a-b-c-d e'f", "\u0301\u0301", "id/th/en", "",
		"\ufdfa\u200b\u0e01", "PM2.5 (OH)2 5G", "நீர் வடிகட்டி", "\x00 \x00",
	} {
		f.Add(s, "filter "+s, "en", uint8(3))
		f.Add(s, s, "th", uint8(0xff))
	}
	words := lexicon.Builtin()
	f.Fuzz(func(t *testing.T, doc, query, lang string, form uint8) {
		if len(doc) > 4096 || len(query) > 4096 || len(lang) > 20 {
			return
		}
		o := Options{}
		if form&1 != 0 {
			o.Lexicon = words
		}
		x, listings := New(o), make(catalogue)
		for i := range 4 {
			half := doc[:len(doc)*(i+1)/4]
			l := listing(fmt.Sprint(i), protocol.Kinds()[i], protocol.Lang(lang), protocol.Text{Title: half, Keywords: []string{half}, Abstract: doc})
			l.Texts["km"] = protocol.Text{Title: query, Value: doc}
			x.Put(Ref{"KH", l.ID}, l)
			listings[Ref{"KH", l.ID}] = l
		}
		if x.Len() != 4 {
			t.Fatalf("%d of 4 listings are indexed", x.Len())
		}
		if form&2 != 0 {
			x.spell()
		}
		q := Query{Text: query, Lang: protocol.Lang(lang), Facets: form&4 != 0, Sort: []Sort{ByScore, ByNewest}[form>>3&1]}
		if form&16 != 0 {
			q = Query{Listing: listing("q", protocol.Kinds()[form>>5%6], protocol.Lang(lang), protocol.Text{Title: query, Abstract: doc})}
		}
		a, err := x.Match(t.Context(), q)
		if err != nil {
			return
		}
		checkParts(t, "fuzzed", a)
		if a.Total > 4 || len(a.Hits) > a.Total+4 {
			t.Errorf("%d hits of %d", len(a.Hits), a.Total)
		}
		wording := a.Matched.Wording(&q)
		for _, h := range a.Hits {
			l := listings[h.Ref]
			read := wording.Read(l)
			read.Reword(&h.Explanation)
			for lang, m := range read.Marked() {
				for plain, pieces := range map[string][]Piece{l.Texts[lang].Title: m.Title, l.Texts[lang].Value: m.Value, l.Texts[lang].Abstract: m.Abstract} {
					all := ""
					for _, p := range pieces {
						all += p.Text
					}
					if all != plain && all != text.Normalise(plain) {
						t.Errorf("%q is shown as %q", plain, all)
					}
				}
			}
		}
	})
}

// Any bytes as a cursor: refused, or a place in the list.
func FuzzCursor(f *testing.F) {
	x := New(Options{})
	for i := range 30 {
		l := listing(fmt.Sprint(i), "TO", "en", protocol.Text{Title: "membrane " + words[i%len(words)]})
		x.Put(Ref{"KH", l.ID}, l)
	}
	q := Query{Text: "membrane", Limit: 7}
	a, err := x.Match(f.Context(), q)
	if err != nil || a.Next == "" {
		f.Fatal(err)
	}
	f.Add(a.Next, uint8(0))
	f.Add("", uint8(1))
	f.Add("AAAA", uint8(2))
	f.Fuzz(func(t *testing.T, after string, by uint8) {
		q := q
		q.After, q.Sort = after, []Sort{ByScore, ByNewest, ByEnd, ByTRL, ByCountry}[by%5]
		a, err := x.Match(t.Context(), q)
		if _, ok := parseCursor(after); err == nil && after != "" && !ok {
			t.Errorf("%q is taken", after)
		}
		if err == nil && len(a.Hits) > 7 {
			t.Errorf("%d hits", len(a.Hits))
		}
	})
}

// Codes read back as they are written, and every filter that is taken passes a listing of its own codes.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{"2", "2.4", "2.11", "C", "C10", "C12N", "H01M", "6.255", "A00", "U99", "17", "C+1", "2.+4", "02.04", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, parse := range map[string]func(string) (Code, bool){"FORD": ParseFORD, "ISIC": ParseISIC, "IPC": ParseIPC, "SDG": ParseSDG} {
			c, ok := parse(s)
			if !ok {
				continue
			}
			again, found := strings.CutPrefix(c.String(), name+" ")
			if d, ok := parse(again); !found || !ok || d != c {
				t.Errorf("%s %q is %s, which is %v (%v)", name, s, c, d, ok)
			}
			if !c.covers(c) {
				t.Errorf("%s does not cover itself", c)
			}
			for _, mask := range c.levels() {
				if broad := c & mask; !broad.covers(c) || broad != c && c.covers(broad) {
					t.Errorf("%s and %s", broad, c)
				}
			}
			l, filter := listing("1", "TO", "en", protocol.Text{}), Filter{}
			switch name {
			case "FORD":
				l.FORD, filter.FORD = []string{s}, []string{s}
			case "ISIC":
				l.ISIC, filter.ISIC = []string{s}, []string{s}
			case "IPC":
				l.IPC, filter.IPC = []string{s}, []string{s}
			default:
				continue
			}
			if err := filter.check(); err != nil || !filter.Passes(Ref{"KH", "1"}, l) {
				t.Errorf("%s %q does not pass its own filter: %v", name, s, err)
			}
		}
	})
}

// Any manifest: the index opens, and after the catalogue was put in once more it answers as one built afresh.
func FuzzManifest(f *testing.F) {
	dir := f.TempDir()
	o := Options{Dir: dir, Log: slog.New(slog.DiscardHandler)}
	changes := func(n int) (list []Change) {
		for i := range n {
			l := listing(fmt.Sprint(i), "TO", "en", protocol.Text{Title: "membrane " + words[i%len(words)], Abstract: words[i*i%len(words)]})
			list = append(list, Change{Ref: Ref{"KH", l.ID}, Listing: l})
		}
		return list
	}
	for n := 10; n <= 30; n += 10 {
		x, err := Open(o)
		if err != nil {
			f.Fatal(err)
		}
		x.Apply(changes(n)...)
		if err := x.Close(); err != nil {
			f.Fatal(err)
		}
	}
	whole, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		f.Fatal(err)
	}
	plain, _, _ := strings.Cut(string(whole), "\n")
	var m manifest
	if err := json.Unmarshal([]byte(plain), &m); err != nil || len(m.Segments) != 3 {
		f.Fatalf("%d segments: %v", len(m.Segments), err)
	}
	f.Add([]byte(plain))
	f.Add(whole)
	f.Add([]byte(strings.Replace(plain, `"number":1`, `"number":4294967295`, 1)))
	f.Add([]byte(strings.Replace(plain, `{"number":`, `{"dead":"/////w==","number":`, 2)))
	f.Add([]byte(strings.Replace(plain, `"segments":[`, `"segments":[{"number":2},`, 1)))
	f.Add([]byte(strings.Replace(plain, `"next":`, `"model":"../../../x.model","next":`, 1)))
	f.Add([]byte(strings.Replace(plain, `"next":`, `"model":"0123456789abcdef.model","next":1`, 1)))
	f.Add(binary.LittleEndian.AppendUint64(nil, 7))
	fresh := New(Options{})
	fresh.Apply(changes(30)...)
	q := Query{Text: "membrane filter rice", Facets: true}
	want := ask(f, fresh, q)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, sealed := range []bool{false, true} {
			o := o
			o.Dir = filepath.Join(t.TempDir(), "x")
			if err := os.CopyFS(o.Dir, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			b := slices.Clone(b)
			if sealed { // as if one who knows how had written it
				b = append(append(b, '\n'), protocol.Sum(b).String()+"\n"...)
			}
			if err := os.WriteFile(filepath.Join(o.Dir, manifestName), b, 0o600); err != nil {
				t.Fatal(err)
			}
			x, err := Open(o)
			if err != nil {
				t.Fatal(err)
			}
			if err := x.Reconcile(func(have func(Ref, protocol.Hash) bool) error {
				for _, c := range changes(30) {
					if !have(c.Ref, protocol.Sum(c.Listing.Encode())) {
						x.Apply(c)
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(want, ask(t, x, q)); diff != "" {
				t.Errorf("afresh (-), from this manifest (+):\n%s", diff)
			}
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
			y, err := Open(o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(want, ask(t, y, q)); diff != "" {
				t.Errorf("afresh (-), opened again (+):\n%s", diff)
			}
			if err := y.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
