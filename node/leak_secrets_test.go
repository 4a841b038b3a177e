package node_test

import (
	"bytes"
	"compress/zlib"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

// Secrets that are seeded, and who may see them.

// mayRead says, for each class of secret and each place, whether the secret may show up there. Places are what all peers receive
// outside the record stream (peers), what an origin is told by who asks (asked), the nodes' logs, what is kept in a node's store,
// and what each kind of reader is shown: by the record stream, by the node itself, and over HTTP. It is written by hand from the
// rules, and not made from the code that it is compared with. Of persons, oneself may always.
const mayRead = `
             peers  asked  log  kh:store  la:store  vn:store  kh:stranger  kh:outside  kh:rival  kh:editor  kh:reviewer  kh:admin  la:stranger  la:analyst  la:outside  la:audience  la:invited  vn:scout
summary        x      -     -       x         x         x          x            x          x         x           x           x          x            x           x           x            x          x
public         -      -     -       x         x         x          x            x          x         x           x           x          x            x           x           x            x          x
registered     -      -     -       x         x         x          -            x          x         x           x           x          -            -           x           x            x          x
restricted     -      -     -       x         x         -          -            -          -         x           x           x          -            -           -           x            -          -
invited        -      -     -       x         -         -          -            -          -         x           x           x          -            -           -           -            x          -
draft          -      -     -       x         -         -          -            -          -         x           x           x          -            -           -           -            -          -
held           -      -     -       x         -         -          -            -          -         x           x           x          -            -           -           -            -          -
gone           -      -     -       -         -         -          -            -          -         -           -           -          -            -           -           -            -          -
gone-file      -      -     -       x         -         -          -            -          -         -           -           -          -            -           -           -            -          -
gone-title     -      -     -       x         -         -          -            -          -         x           x           x          -            -           -           -            -          -
desk           -      -     -       x         -         -          -            -          -         x           x           x          -            -           -           -            -          -
person-kh      -      -     -       x         -         -          -            -          -         -           -           x          -            -           -           -            -          -
person-la      -      -     -       -         x         -          -            -          -         -           -           -          -            -           -           -            -          -
person-vn      -      -     -       -         -         x          -            -          -         -           -           -          -            -           -           -            -          -
kept-kh        -      -     -       x         -         -          -            -          -         -           -           -          -            -           -           -            -          -
kept-la        -      -     -       -         x         -          -            -          -         -           -           -          -            -           -           -            -          -
kept-vn        -      -     -       -         -         x          -            -          -         -           -           -          -            -           -           -            -          -
never          -      -     -       -         -         -          -            -          -         -           -           -          -            -           -           -            -          -
`

// rules of mayRead: by class, then by place.
func rules(t testing.TB) map[string]map[string]bool {
	lines := strings.Split(strings.TrimSpace(mayRead), "\n")
	places := strings.Fields(lines[0])
	all := make(map[string]map[string]bool)
	for _, l := range lines[1:] {
		f := strings.Fields(l)
		if len(f) != len(places)+1 {
			t.Fatalf("row %s has %d marks for %d places", f[0], len(f)-1, len(places))
		}
		row := make(map[string]bool)
		for i, mark := range f[1:] {
			if mark != "x" && mark != "-" {
				t.Fatalf("row %s: %q", f[0], mark)
			}
			row[places[i]] = mark == "x"
		}
		all[f[0]] = row
	}
	return all
}

// secret that nobody could mistake for something else.
type secret struct {
	name    string
	class   string
	listing string // of which it is
	owner   string // whose it is, of persons
	read    bool   // it is shown to people: who may see it does
}

// word is 24 random characters that every field and form takes.
func word() string {
	b := make([]byte, 12)
	_, _ = rand.Read(b)
	return "q" + hex.EncodeToString(b)[1:]
}

// formsOf a value as it may lie in other bytes: as it is, in hexadecimal, and in base64 at each of the three alignments.
func formsOf(v []byte) (forms [][]byte) {
	forms = [][]byte{v, []byte(hex.EncodeToString(v)), []byte(strings.ToUpper(hex.EncodeToString(v)))}
	for skip := range 3 {
		s := base64.RawStdEncoding.EncodeToString(append(make([]byte, skip), v...))
		s = s[[]int{0, 2, 3}[skip]:]
		if (skip+len(v))%3 != 0 {
			s = s[:len(s)-1]
		}
		forms = append(forms, []byte(s), []byte(strings.NewReplacer("+", "-", "/", "_").Replace(s)))
	}
	return forms
}

// views of bytes in which a secret is looked for: as they are; in small letters; without the escapes of JSON, HTML and addresses;
// and what is packed in the streams of a PDF.
func views(b []byte) [][]byte {
	all := [][]byte{b, bytes.ToLower(b)}
	for mark, unescape := range map[string]func(string) string{`\u`: jsonText, "&": html.UnescapeString, "%": func(s string) string { u, _ := url.QueryUnescape(s); return u }} {
		if bytes.Contains(b, []byte(mark)) {
			s := unescape(string(b))
			all = append(all, []byte(s), bytes.ToLower([]byte(s)))
		}
	}
	for rest := b; ; {
		_, after, ok := bytes.Cut(rest, []byte("stream"))
		if !ok {
			return all
		}
		rest = after
		if z, err := zlib.NewReader(bytes.NewReader(bytes.TrimLeft(after, "\r\n"))); err == nil {
			s, _ := io.ReadAll(io.LimitReader(z, 8<<20))
			all = append(all, s)
		}
	}
}

// jsonText is every string of a JSON text, or of JSON lines.
func jsonText(s string) string {
	var out strings.Builder
	d := json.NewDecoder(strings.NewReader(s))
	for {
		token, err := d.Token()
		if err != nil {
			return out.String()
		}
		if x, ok := token.(string); ok {
			out.WriteString(x + "\n")
		}
	}
}

// vault holds what was seeded.
type vault struct {
	t     testing.TB
	rules map[string]map[string]bool
	all   []*secret
	forms map[uint64][]form // by their first eight bytes
	some  [1 << 13]uint64   // bits for those: what is not set is no beginning of a form
	known map[protocol.Hash]map[*secret]bool
}

type form struct {
	b  []byte
	of *secret
}

func beginning(b []byte) (first uint64, word, bit int) {
	first = binary.LittleEndian.Uint64(b)
	h := first * 0x9E3779B97F4A7C15 >> 45
	return first, int(h >> 6), int(h & 63)
}

// find the secrets in b. What was searched before is not searched again.
func (v *vault) find(b []byte) map[*secret]bool {
	sum := protocol.Sum(b)
	if found, ok := v.known[sum]; ok {
		return found
	}
	found := make(map[*secret]bool)
	for _, b := range views(b) {
		for ; len(b) >= 8; b = b[1:] {
			first, word, bit := beginning(b)
			if v.some[word]>>bit&1 == 0 {
				continue
			}
			for _, f := range v.forms[first] {
				if bytes.HasPrefix(b, f.b) {
					found[f.of] = true
				}
			}
		}
	}
	v.known[sum] = found
	return found
}

// seed makes a secret of a class; it is shown to people.
func (v *vault) seed(class, listing, name string) string {
	w := word()
	v.add(&secret{name: name, class: class, listing: listing, read: true}, []byte(w))
	return w
}

func (v *vault) add(s *secret, value []byte) {
	if v.rules[s.class] == nil {
		v.t.Fatalf("no row for %q", s.class)
	}
	if len(value) < 12 {
		v.t.Fatalf("%s is too short to be unmistakable", s.name)
	}
	v.all = append(v.all, s)
	if v.forms == nil {
		v.forms = make(map[uint64][]form)
	}
	v.known = make(map[protocol.Hash]map[*secret]bool)
	for _, b := range formsOf(value) {
		first, word, bit := beginning(b)
		v.forms[first] = append(v.forms[first], form{b, s})
		v.some[word] |= 1 << bit
	}
}

// retire puts the secrets of a listing into another class, and its title into one of its own: what was public may be a secret now.
func (v *vault) retire(listing, class, ofTitle string) {
	for _, s := range v.all {
		switch {
		case s.listing != listing || strings.HasPrefix(s.class, "gone") || s.class == "never":
		case s.name == "title":
			s.class = ofTitle
		case s.name == fileText && class == "gone":
			s.class = "gone-file"
		default:
			s.class = class
		}
	}
}

// fileText lies in a document. A document outlives its listing for a day, and those who work on a listing that is not published
// reach it in another way than by its record.
const fileText = "text of the document"

// leaks are the secrets in b that may not be seen at the place.
func (v *vault) leaks(place string, b []byte) (all []string) {
	if _, ok := v.rules["public"][place]; !ok {
		v.t.Fatalf("no column for %q", place)
	}
	for s := range v.find(b) {
		if !v.rules[s.class][place] && s.owner != place {
			all = append(all, fmt.Sprintf("%s (%s)", s.name, s.class))
		}
	}
	slices.Sort(all)
	return all
}

// missing are the secrets of a listing that the place should have seen, and did not in any of these.
func (v *vault) missing(place, listing string, all ...[]byte) (names []string) {
	found := make(map[*secret]bool)
	for _, b := range all {
		maps.Copy(found, v.find(b))
	}
	for _, s := range v.all {
		elsewhere := s.name == fileText && (s.class == "draft" || s.class == "held")
		if s.listing == listing && s.read && v.rules[s.class][place] && !elsewhere && !found[s] {
			names = append(names, fmt.Sprintf("%s (%s)", s.name, s.class))
		}
	}
	return names
}

// The search finds a secret in every form in which a careless program could send it.
func TestLeakFinder(t *testing.T) {
	v := &vault{t: t, rules: rules(t)}
	w := v.seed("invited", "a", "a secret")
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write([]byte("BT (" + w + ") Tj ET"))
	_ = z.Close()
	escaped := ""
	for _, c := range w {
		escaped += fmt.Sprintf(`\u%04x`, c)
	}
	for name, b := range map[string]string{
		"raw": "x" + w + "y", "capitals": strings.ToUpper(w), "hexadecimal": hex.EncodeToString([]byte("ab" + w)), "JSON": `{"a":["` + escaped + `"]}`,
		"key": `{"` + escaped + `":1}`, "HTML": "<p>&#" + fmt.Sprint(w[0]) + ";" + w[1:], "address": "?q=%" + hex.EncodeToString([]byte(w[:1])) + w[1:],
		"base64": base64.StdEncoding.EncodeToString([]byte(w)), "base64, one before": base64.StdEncoding.EncodeToString([]byte("?" + w + "?")),
		"base64, two before": base64.URLEncoding.EncodeToString([]byte("??" + w)), "PDF": "obj\nstream\r\n" + packed.String() + "\nendstream",
	} {
		if len(v.leaks("la:stranger", []byte(b))) != 1 || len(v.leaks("kh:editor", []byte(b))) != 0 || len(v.missing("kh:editor", "a", []byte(b))) != 0 {
			t.Errorf("not found in %s: %q", name, b)
		}
	}
	if len(v.leaks("la:stranger", []byte(w[:len(w)-1]))) != 0 || len(v.missing("kh:editor", "a", []byte(w[1:]))) != 1 {
		t.Error("half a secret is found")
	}
}

// asJSON is several values one after the other; what cannot be written is left out.
func asJSON(values ...any) (b []byte) {
	for _, v := range values {
		j, err := json.Marshal(v)
		if err != nil {
			continue
		}
		b = append(append(b, j...), '\n')
	}
	return b
}
