package harvest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/protocol"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// decodeText gives a body as UTF-8. The protocol wants nothing else; old repositories send what their database had. What is UTF-8 is taken
// as such whatever it calls itself, since no text in another charset is by chance.
func decodeText(body []byte, contentType string) ([]byte, error) {
	var from encoding.Encoding
	switch {
	case bytes.HasPrefix(body, []byte("\xef\xbb\xbf")):
		return body[3:], nil
	case bytes.HasPrefix(body, []byte("\xff\xfe")), bytes.HasPrefix(body, []byte("\xfe\xff")):
		from = unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM)
	case utf8.Valid(body):
		return body, nil
	default:
		name := declared(body, contentType)
		switch name {
		case "", "utf-8", "utf8":
			return body, nil // broken in places, which clean replaces
		case "iso-8859-1", "latin1", "latin-1", "windows-1252", "cp1252", "us-ascii", "ascii":
			from = charmap.Windows1252 // has all of ISO 8859-1 that can be seen
		case "iso-8859-15":
			from = charmap.ISO8859_15
		case "tis-620", "windows-874", "iso-8859-11":
			from = charmap.Windows874
		case "windows-1258":
			from = charmap.Windows1258
		default:
			return nil, protocol.Errorf(protocol.CodeText, "url", "the repository answers in the charset %s, not in UTF-8: tell its keepers", clip(name, 30))
		}
	}
	out, err := gather(from.NewDecoder().Reader(bytes.NewReader(body)), make([]byte, 0, len(body)+len(body)/4), maxText)
	if err != nil {
		return nil, protocol.Errorf(protocol.CodeText, "url", "the repository's answer is not in the charset that it declares: tell its keepers")
	}
	if len(out) > maxText {
		return nil, tooLong()
	}
	return out, nil
}

// declared is the charset that the XML declaration, or else the header, names.
func declared(body []byte, contentType string) string {
	if head, _, whole := strings.Cut(string(body[:min(len(body), 200)]), "?>"); whole && strings.HasPrefix(head, "<?xml") {
		if _, rest, found := strings.Cut(head, "encoding="); found && rest != "" {
			if name, _, closed := strings.Cut(rest[1:], rest[:1]); closed && name != "" {
				return strings.ToLower(strings.TrimSpace(name))
			}
		}
	}
	_, name, _ := strings.Cut(strings.ToLower(contentType), "charset=")
	name, _, _ = strings.Cut(name, ";")
	return strings.Trim(name, `"' `)
}

// gather adds what r has to b, up to most bytes and one more. It grows b by fours, as io.ReadAll leaves several times a long text behind.
func gather(r io.Reader, b []byte, most int) ([]byte, error) {
	for len(b) <= most {
		if len(b) == cap(b) {
			b = slices.Grow(b, min(max(3*len(b), 64<<10), most+1-len(b)))
		}
		n, err := r.Read(b[len(b):min(cap(b), most+1)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
	return b, nil
}

func tooLong() error {
	return protocol.Errorf(protocol.CodeTooLarge, "url", "the repository's answer is too long: ask its keepers for shorter pages")
}

// cleaner makes of a text what the XML decoder takes, byte after byte: comments go, CDATA becomes text, and what is no XML is replaced.
type cleaner struct {
	in       []byte
	out      []byte
	done     int // of in that is in out
	repaired int

	// What was looked for and found, or not, is not looked for again: else a hostile text could cost time without end.
	uncommented bool // no comment ends from here on
	cdataEnd    int  // of the next CDATA section; len(in) where there is none
}

// put replaces in[from:to].
func (c *cleaner) put(from, to int, with string) {
	if c.out == nil {
		c.out = make([]byte, 0, len(c.in)+len(c.in)/4)
	}
	c.out = append(append(c.out, c.in[c.done:from]...), with...)
	c.done = to
}

func (c *cleaner) repair(from, to int, with string) int {
	c.repaired++
	c.put(from, to, with)
	return to
}

// clean gives the text mended, and how many places were. Document types are refused: they declare entities.
func clean(in []byte) ([]byte, int, error) {
	c := &cleaner{in: in}
	for i := 0; i < len(in); {
		b := in[i]
		var err error
		switch {
		case b == '<':
			i, err = c.markup(i)
		case b == '&':
			i = c.reference(i)
		case b == '>' && i >= 2 && in[i-1] == ']' && in[i-2] == ']':
			i = c.repair(i, i+1, "&gt;")
		case b < ' ' && b != '\t' && b != '\n' && b != '\r':
			i = c.repair(i, i+1, " ")
		case b < utf8.RuneSelf:
			i++
		default:
			i = c.rune(i)
		}
		if err != nil {
			return nil, 0, err
		}
		if len(c.out) > maxText {
			return nil, 0, tooLong()
		}
	}
	if c.done == 0 {
		return in, c.repaired, nil
	}
	return append(c.out, in[c.done:]...), c.repaired, nil
}

func (c *cleaner) rune(i int) int {
	r, n := utf8.DecodeRune(c.in[i:])
	if r == utf8.RuneError && n == 1 || r == 0xfffe || r == 0xffff {
		return c.repair(i, i+n, "\ufffd")
	}
	return i + n
}

// reference keeps references to characters that XML has, and makes plain text of other ampersands.
func (c *cleaner) reference(i int) int {
	end := bytes.IndexByte(c.in[i:min(len(c.in), i+40)], ';')
	if end < 2 {
		return c.repair(i, i+1, "&amp;")
	}
	name := string(c.in[i+1 : i+end])
	next := i + end + 1
	if name[0] != '#' {
		switch name {
		case "amp", "lt", "gt", "quot", "apos":
			return next
		}
		if _, known := xml.HTMLEntity[name]; known {
			return next
		}
		return c.repair(i, i+1, "&amp;")
	}
	if r, ok := number(name[1:]); !ok {
		return c.repair(i, i+1, "&amp;")
	} else if !isXML(r) {
		return c.repair(i, next, " ")
	}
	return next
}

// number reads "169" or "xa9".
func number(s string) (rune, bool) {
	base := rune(10)
	if strings.HasPrefix(s, "x") {
		base, s = 16, s[1:]
	}
	if s == "" {
		return 0, false
	}
	var n rune
	for _, b := range []byte(s) {
		d := rune(strings.IndexByte("0123456789abcdef", b|0x20))
		if b < 'A' {
			d = rune(strings.IndexByte("0123456789", b))
		}
		if d < 0 || d >= base {
			return 0, false
		}
		n = min(n*base+d, utf8.MaxRune+1)
	}
	return n, true
}

func isXML(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r < 0xd800 || r >= 0xe000 && r < 0xfffe || r >= 0x10000 && r <= utf8.MaxRune
}

// markup reads what begins with <.
func (c *cleaner) markup(i int) (int, error) {
	rest := c.in[i:]
	switch {
	case bytes.HasPrefix(rest, []byte("<!--")):
		if c.uncommented {
			break
		}
		if end := bytes.Index(rest[4:], []byte("-->")); end >= 0 {
			end += i + 7
			c.put(i, end, strings.Repeat("\n", bytes.Count(c.in[i:end], []byte("\n"))))
			return end, nil
		}
		c.uncommented = true
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		if c.cdataEnd < i+9 {
			c.cdataEnd = len(c.in)
			if end := bytes.Index(rest[9:], []byte("]]>")); end >= 0 {
				c.cdataEnd = i + 9 + end
			}
		}
		// With another one before its end, its own end is missing, and it would swallow what follows.
		if end := c.cdataEnd; end < len(c.in) && !bytes.Contains(c.in[i+9:end], []byte("<![CDATA[")) {
			return c.cdata(i, end), nil
		}
	case len(rest) > 1 && rest[1] == '!':
		word := strings.ToUpper(string(rest[2:min(len(rest), 10)]))
		for _, d := range []string{"DOCTYPE", "ENTITY", "ELEMENT", "ATTLIST", "NOTATION"} {
			if strings.HasPrefix(word, d) {
				return 0, protocol.Errorf(protocol.CodeValue, "url", "the repository's answer has a document type or entities, which OAI-PMH does not: it is not read")
			}
		}
	case len(rest) > 1 && nameStart(rest[1]):
		for j, b := range rest[1:min(len(rest), maxTag)] {
			if b == '>' || b == '<' {
				return i + 1, nil
			} else if j == maxTag-2 {
				return 0, tooLong()
			}
		}
		return i + 1, nil
	}
	return c.repair(i, i+1, "&lt;"), nil
}

func nameStart(b byte) bool {
	return b == '_' || b == ':' || b == '/' || b == '?' || b >= utf8.RuneSelf || b|0x20 >= 'a' && b|0x20 <= 'z'
}

// cdata makes text of what stands between i and end.
func (c *cleaner) cdata(i, end int) int {
	c.put(i, i+9, "")
	for j := i + 9; j < end && len(c.out) <= maxText; { // beyond that clean refuses it
		switch b := c.in[j]; {
		case b == '&':
			c.put(j, j+1, "&amp;")
			j++
		case b == '<':
			c.put(j, j+1, "&lt;")
			j++
		case b == '>':
			c.put(j, j+1, "&gt;")
			j++
		case b < ' ' && b != '\t' && b != '\n' && b != '\r':
			j = c.repair(j, j+1, " ")
		case b < utf8.RuneSelf:
			j++
		default:
			j = c.rune(j)
		}
	}
	c.put(end, end+3, "")
	return end + 3
}
