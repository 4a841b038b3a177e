package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// Pages of lists, and versions of what is edited.

// PageParams ask for a page of a list.
type PageParams struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string `query:"cursor" maxLength:"900" doc:"opaque: the next of the page before"`
}

// A cursor names a place in a list: a code of authentication under a secret of the node, and the place. It tells a caller
// nothing that the page did not, and is taken only where it was given: for the list with its filters, and, of lists about
// people and their work, for the same organisation.

const (
	cursorMAC   = 16  // bytes of the code
	placeLength = 600 // bytes, more than any list's
)

// seal a place of a list.
func (a *API) seal(list, place string) string {
	if place == "" {
		return ""
	}
	mac := hmac.New(sha256.New, a.secret)
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(len(list)))
	for _, part := range []string{"tmh/cursor/3\x00", string(size[:]), list, place} {
		_, _ = io.WriteString(mac, part) // a hash does not fail
	}
	return base64.RawURLEncoding.EncodeToString(append(mac.Sum(nil)[:cursorMAC], place...))
}

// unseal a cursor of a list: "" for none.
func (a *API) unseal(list, field, s string) (string, error) {
	if s == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) <= cursorMAC || len(b) > cursorMAC+placeLength || !hmac.Equal([]byte(a.seal(list, string(b[cursorMAC:]))), []byte(s)) {
		return "", protocol.Errorf(protocol.CodeValue, field, "is not one that this list gave for these filters: begin without it, and follow the next links")
	}
	return string(b[cursorMAC:]), nil
}

// placeCursor is for lists about people and their work.
func (a *API) placeCursor(by access.Actor, list, place string) string {
	return a.seal(owned(by, list), place)
}

// cursorPlace is what placeCursor was given.
func (a *API) cursorPlace(by access.Actor, list, s string) (string, error) {
	return a.unseal(owned(by, list), "cursor", s)
}

func owned(by access.Actor, list string) string { return string(by.Organisation) + "\x00" + list }

// cursor of the catalogue's list.
func (a *API) cursor(next match.Ref, f match.Filter) string {
	if next == (match.Ref{}) {
		return ""
	}
	return a.seal(catalogueList(f), string(next.Origin)+"/"+string(next.ID))
}

func (a *API) parseCursor(s string, f match.Filter) (match.Ref, error) {
	place, err := a.unseal(catalogueList(f), "cursor", s)
	if err != nil || place == "" {
		return match.Ref{}, err
	}
	origin, id, _ := strings.Cut(place, "/")
	return match.ParseRef(origin, id)
}

func catalogueList(f match.Filter) string {
	f.Today = 0 // a list may be followed past midnight
	return fmt.Sprintf("listings %+v", f)
}

// matchList seals what package match gives as places in its answers, which say themselves of which query they are.
const matchList = "match"

// nextLink is the Link header of a page, "" at the end.
func nextLink(path string, filters url.Values, limit int, next string) string {
	if next == "" {
		return ""
	}
	q := url.Values{"cursor": {next}, "limit": {strconv.Itoa(limit)}}
	for k, v := range filters {
		if v[0] != "" {
			q[k] = v
		}
	}
	return "<" + path + "?" + q.Encode() + `>; rel="next"`
}

// IfMatch says which version an edit saw.
type IfMatch struct {
	IfMatch string `header:"If-Match" doc:"the ETag that the address gave when it was read; 428 without it, 412 when something changed since"`
}

func versionTag(v uint64) string { return `"` + strconv.FormatUint(v, 10) + `"` }

// version that the edit saw: 428 where it does not say, 412 where it is none of ours.
func (in *IfMatch) version() (uint64, error) {
	if in.IfMatch == "" {
		return 0, newProblem(http.StatusPreconditionRequired, protocol.Errors{protocol.Errorf(protocol.CodeRequired, "If-Match",
			"say which version your change began at: read the address, and send its ETag as If-Match")})
	}
	bare, found := strings.CutPrefix(in.IfMatch, `"`)
	bare, ended := strings.CutSuffix(bare, `"`)
	v, err := strconv.ParseUint(bare, 10, 64)
	if !found || !ended || err != nil {
		return 0, newProblem(http.StatusPreconditionFailed, protocol.Errors{protocol.Errorf(protocol.CodeConflict, "If-Match",
			"is no ETag of this address: read it again, and send its ETag as If-Match")})
	}
	return v, nil
}

// outdated reports whether an edit was refused because something changed since the version that it saw.
func outdated(err error) bool {
	f := protocol.All(err)[0]
	return f.Code == protocol.CodeConflict && f.Field == "version"
}
