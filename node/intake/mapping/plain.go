package mapping

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Texts of sources have markup, entities that were escaped twice, and the line breaks of the page that they were copied from.

// plain is s without markup, in Unicode NFC, with single spaces; line feeds stay where lines is true.
func plain(s string, lines bool) string {
	if simple(s) {
		return s
	}
	for range 2 { // what was escaped twice shows its tags only now
		if !strings.ContainsAny(s, "<&") {
			break
		}
		s = unescape(untag(s))
	}
	if strings.IndexByte(s, '<') >= 0 {
		s = untag(s)
	}
	return tidy(norm.NFC.String(s), lines)
}

// simple reports whether nothing has to be done.
func simple(s string) bool {
	space := true
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c > '~' || c == '<' || c == '&' || (c == ' ' && space) {
			return false
		}
		space = c == ' '
	}
	return !space || s == ""
}

// tidy leaves out what cannot be seen, and at most one empty line between paragraphs.
func tidy(s string, lines bool) string {
	var b strings.Builder
	b.Grow(len(s))
	space, breaks := false, 0
	for i, c := range s {
		switch {
		case c == '\r' && i+1 < len(s) && s[i+1] == '\n':
		case c == '\n', c == '\r', c == '\u2028', c == '\u2029', c == '\v', c == '\f':
			breaks++
		case unicode.IsSpace(c):
			space = true
		case unicode.IsControl(c), hidden(c):
		default:
			switch {
			case b.Len() == 0:
			case breaks > 0 && lines:
				b.WriteString("\n\n"[:min(breaks, 2)])
			case breaks > 0, space:
				b.WriteByte(' ')
			}
			space, breaks = false, 0
			b.WriteRune(c)
		}
	}
	return b.String()
}

// hidden are a soft hyphen, a byte order mark, and what changes the direction of the text after it.
func hidden(c rune) bool {
	return c == 0xAD || c == 0xFEFF || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069)
}

// unescape reads complete entities alone: "R&D" and "a&copy=1" stay.
func unescape(s string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '&')
		if i < 0 {
			break
		}
		b.WriteString(s[:i])
		s = s[i:]
		end := 1
		for end < len(s) && end < 32 && (s[end] == '#' || alnum(s[end])) {
			end++
		}
		if end < len(s) && s[end] == ';' {
			end++
			b.WriteString(html.UnescapeString(s[:end]))
		} else {
			b.WriteString(s[:end])
		}
		s = s[end:]
	}
	b.WriteString(s)
	return b.String()
}

// untag leaves out the tags of HTML, and of the JATS that publishers give; "p<0.05" and "a <b" stay. Where an end is missing once it is
// not looked for again: a text of nothing but beginnings would take the square of its length.
func untag(s string) string {
	var b strings.Builder
	comments, scripts := true, true
	for {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			break
		}
		b.WriteString(s[:i])
		s = s[i:]
		if strings.HasPrefix(s, "<!--") && comments {
			if end := strings.Index(s, "-->"); end > 0 {
				s = s[end+3:]
				continue
			}
			comments = false
		}
		name, closing, size := tag(s)
		switch {
		case size == 0:
			b.WriteByte('<')
			size = 1
		case (name == "script" || name == "style") && !closing && scripts:
			if end := indexFold(s, "</"+name); end > 0 {
				size = end
			} else {
				scripts = false
			}
		case breaking(name):
			b.WriteByte('\n')
		}
		s = s[size:]
	}
	b.WriteString(s)
	return b.String()
}

const maxTag = 2000

// tag reads one at the beginning of s; size 0 is none.
func tag(s string) (name string, closing bool, size int) {
	i := 1
	if i < len(s) && s[i] == '/' {
		i, closing = 2, true
	}
	from := i
	for i < len(s) && i < from+20 && (alnum(s[i]) || s[i] == ':') {
		i++
	}
	if i == len(s) || i == from || (s[i] != '>' && s[i] != '/' && s[i] != ' ' && s[i] != '\n' && s[i] != '\t' && s[i] != '\r') {
		return "", false, 0
	}
	name = strings.TrimPrefix(strings.ToLower(s[from:i]), "jats:")
	end := strings.IndexAny(s[i:min(len(s), i+maxTag)], "<>") // none is within another
	if !element(name) || end < 0 || s[i+end] != '>' {
		return "", false, 0
	}
	return name, closing, i + end + 1
}

func breaking(name string) bool {
	switch name {
	case "p", "br", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "tr", "table", "blockquote", "section", "sec", "title", "hr", "pre", "dd", "dt":
		return true
	}
	return false
}

func element(name string) bool {
	switch name {
	case "a", "abbr", "b", "body", "center", "cite", "code", "dl", "em", "font", "html", "i", "img", "italic", "bold", "label", "small", "span", "strong", "strike",
		"s", "sub", "sup", "sc", "tbody", "td", "th", "thead", "tt", "u", "underline", "script", "style", "head", "meta", "link", "iframe", "object", "list", "input", "form", "button", "svg", "video":
		return true
	}
	return breaking(name)
}

func indexFold(s, part string) int {
	for i := 0; i+len(part) <= len(s); i++ {
		if s[i] == '<' && strings.EqualFold(s[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}

// cut shortens s to so many characters, at a word where there is one near.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	end, n := 0, 0
	for i := range s {
		if n++; n == most {
			end = i
			break
		}
	}
	word := end
	for word > 0 && s[word] != ' ' && s[word] != '\n' {
		word--
	}
	if word >= end*4/5 {
		end = word
	} else { // a script without spaces: not between a letter and its marks
		for end > 0 {
			if c, _ := utf8.DecodeRuneInString(s[end:]); !unicode.IsMark(c) {
				break
			}
			_, size := utf8.DecodeLastRuneInString(s[:end])
			end -= size
		}
	}
	return strings.TrimRight(s[:end], " \n,;:") + "…"
}

// fold is the form in which names and labels are compared: small letters without accents, single spaces, no punctuation.
func fold(s string) string {
	ascii := true
	for i := range len(s) {
		if s[i] >= 0x80 {
			ascii = false
			break
		}
	}
	if !ascii {
		s = norm.NFKD.String(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, c := range s {
		switch {
		case c >= 0x300 && c <= 0x36F, c == '\'', c == '’':
			continue
		case c == 'đ', c == 'Đ':
			c = 'd'
		case unicode.IsLetter(c), unicode.IsDigit(c), unicode.IsMark(c):
			c = unicode.ToLower(c)
		default:
			space = true
			continue
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(c)
	}
	return b.String()
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
func alnum(c byte) bool {
	return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
}
