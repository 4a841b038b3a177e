package access

import (
	"net/mail"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/asean-tmh/tmh/protocol"
)

// What people type, checked and brought into one form before it is kept.

// faults gathers everything that is wrong with one input.
type faults struct{ list protocol.Errors }

func (f *faults) add(field, format string, args ...any) {
	f.list = append(f.list, protocol.Errorf(protocol.CodeValue, field, format, args...))
}

func (f *faults) err() error {
	if len(f.list) == 0 {
		return nil
	}
	return f.list
}

// fold makes texts that differ in case or form only equal.
func fold(s string) string { return cases.Fold().String(norm.NFKC.String(s)) }

// line takes one line of text from a person: normalised, of visible characters, at most max of them.
func (f *faults) line(field, s string, least, max int) string {
	if len(s) > max*8 || !utf8.ValidString(s) {
		f.add(field, "at most %d characters of text", max)
		return ""
	}
	s = strings.Join(strings.Fields(norm.NFC.String(s)), " ")
	if n := utf8.RuneCountInString(s); n < least || n > max {
		f.add(field, "%d to %d characters, not %d", least, max, n)
		return ""
	}
	// Marks that turn the direction of writing can make a name look like another one.
	bad := func(c rune) bool {
		return unicode.IsControl(c) || c >= 0x202A && c <= 0x202E || c >= 0x2066 && c <= 0x2069 || c == 0xFEFF || c == utf8.RuneError
	}
	if strings.ContainsFunc(s, bad) {
		f.add(field, "no control characters")
		return ""
	}
	return s
}

const maxEmail = 254

// Email normalises an e-mail address: the form under which an account is found.
//
// Errors: CodeValue.
func Email(s string) (string, error) {
	bad := func(why string) (string, error) {
		return "", protocol.Errorf(protocol.CodeValue, "email", "%s: an e-mail address looks like name@example.org", why)
	}
	s = strings.TrimSpace(s)
	if len(s) > maxEmail {
		return bad("over 254 characters")
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || strings.IndexByte(`"(),:;<>[\]`, c) >= 0 {
			return bad("a character that no address here may have")
		}
	}
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || len(local) > 64 || !strings.Contains(domain, ".") || strings.Contains(domain, "@") {
		return bad("not an address")
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "-") != label || strings.ContainsFunc(label, func(c rune) bool {
			return c != '-' && !unicode.IsLetter(c) && !unicode.IsDigit(c)
		}) {
			return bad("not a domain behind the @")
		}
	}
	if a, err := mail.ParseAddress(s); err != nil || a.Address != s || a.Name != "" {
		return bad("not an address")
	}
	return strings.ToLower(s), nil
}

func (f *faults) email(s string) string {
	e, err := Email(s)
	if err != nil {
		f.list = append(f.list, protocol.All(err)...)
	}
	return e
}

// web takes an address of a page, or nothing.
func (f *faults) web(field, s string) string {
	if s == "" {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || len(s) > 400 || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil ||
		strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c == 0x7F }) {
		f.add(field, "an address of a page that begins with https://, at most 400 characters")
		return ""
	}
	return s
}

const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// ror takes an identifier of the Research Organization Registry, or nothing: a zero, six characters of Crockford's base 32 and
// two check digits, as in ISO 7064 (mod 97-10).
func (f *faults) ror(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	s = strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "ror.org/")
	if s == "" {
		return ""
	}
	n, check, ok := 0, 0, len(s) == 9 && s[0] == '0'
	for i := 1; ok && i < 7; i++ {
		d := strings.IndexByte(crockford, s[i])
		n, ok = n*32+d, d >= 0
	}
	for i := 7; ok && i < 9; i++ {
		check, ok = check*10+int(s[i]-'0'), s[i] >= '0' && s[i] <= '9'
	}
	if !ok || check != 98-n*100%97 {
		f.add("ror", "no ROR identifier (such as 0 and eight more characters, behind https://ror.org/), or mistyped: its check digits do not fit")
		return ""
	}
	return s
}
