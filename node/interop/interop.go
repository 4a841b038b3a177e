// Package interop writes listings in the forms that other programs read: schema.org and DCAT-AP as JSON-LD, Atom, Dublin
// Core, an XML form of our own, rows of tables, and sitemaps. All of them are made from the one listing that its origin
// signed, so they say the same; a listing's texts come from strangers and are escaped by each form's own encoder.
//
// What a form has no word for is left out rather than bent, except that an invented listing says so in every form. Only
// our own XML and JSON Lines carry every public field.
package interop

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// Site is the node that writes.
type Site struct {
	Member     protocol.MemberID
	MemberName string
	PublicURL  string                                // of this node's pages, as https://hub.example.org; needed, for JSON-LD and feeds know no relative address
	URL        func(origin protocol.MemberID) string // of an origin's own pages, as its card says; "" or nil: not known
	Namespace  string                                // like a domain's name; the same on all nodes, for ids that last
	Now        func() time.Time
}

// Canonical is the one address of a listing's page: at its origin, or here where the origin has told no usable address.
func Canonical(s Site, ref match.Ref) string {
	if ref.Origin != s.Member && s.URL != nil {
		if base := pages(s.URL(ref.Origin)); base != "" {
			return base + pagePath(ref)
		}
	}
	return s.here(ref)
}

func (s Site) here(ref match.Ref) string { return s.at(pagePath(ref)) }

// at is an address of this node.
func (s Site) at(path string) string { return strings.TrimSuffix(iri(s.PublicURL), "/") + path }

// pagePath is where every node has a listing's page. Ids are letters, digits and -._~, but an entry may be of any making.
func pagePath(ref match.Ref) string {
	return "/listings/" + url.PathEscape(string(ref.Origin)) + "/" + url.PathEscape(string(ref.ID))
}

// pages is the address below which a member's pages are, "" where its card says none that a link may lead to.
func pages(card string) string {
	u, err := url.Parse(iri(card))
	if err != nil || u.Host == "" || u.User != nil || u.Opaque != "" {
		return ""
	}
	u.RawQuery, u.Fragment, u.ForceQuery = "", "", false
	return strings.TrimSuffix(u.String(), "/")
}

// iri is an http address as JSON-LD and XML may carry it: what no address may hold is percent-encoded. "": it is none.
func iri(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok || scheme != "https" && scheme != "http" {
		return ""
	}
	host, rest := cutHost(rest)
	path, fragment, hasFragment := strings.Cut(rest, "#")
	out := scheme + "://" + encode(host, "") + encode(path, "[]")
	if hasFragment {
		out += "#" + encode(fragment, "[]#")
	}
	if _, err := url.Parse(out); err != nil {
		return ""
	}
	return out
}

func cutHost(s string) (host, rest string) {
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// encode percent-encodes what may stand nowhere in an address, what else is said, and % where it encodes nothing.
func encode(s, more string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i, c := range []byte(s) {
		stray := c == '%' && (i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]))
		if c <= ' ' || c >= 0x7f || stray || strings.IndexByte("\"<>\\^`{|}", c) >= 0 || strings.IndexByte(more, c) >= 0 {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

// tag is an id of RFC 4151: it stays the same whatever the addresses become.
func (s Site) tag(specific string) string { return "tag:" + s.Namespace + ",2026:" + specific }

func name(ref match.Ref) string { return string(ref.Origin) + "/" + string(ref.ID) }

const (
	notNamed = "not named" // the organisation of a listing that keeps it to itself

	// demonstration is said wherever an invented listing could be taken for a real one.
	demonstration = "Demonstration: this listing is invented and offers or seeks nothing."
)

// publisher of a listing in words.
func publisher(l *protocol.Listing) string {
	if l.Organisation.Name == "" {
		return notNamed
	}
	return l.Organisation.Name
}

// modified is when the origin last signed the listing, as well as that is known.
func modified(l *protocol.Listing) time.Time {
	if l.Updated == 0 && l.Published != 0 {
		return l.Published.Time()
	}
	return l.Updated.Time()
}

// strs is the list as plain strings.
func strs[S ~string](list []S) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// each calls f for every language of the listing, English first, since readers that take one text take the first.
func each(l *protocol.Listing, f func(lang protocol.Lang, t protocol.Text)) {
	all := l.Languages()
	if i := slices.Index(all, "en"); i > 0 {
		all = slices.Insert(slices.Delete(all, i, i+1), 0, "en")
	}
	for _, lang := range all {
		f(lang, l.Texts[lang])
	}
}
