package api

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
)

// Pages of lists, and versions of what is edited.

// PageParams ask for a page of a list.
type PageParams struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string `query:"cursor" maxLength:"900" doc:"opaque: the next of the page before"`
}

// placeCursor is opaque to callers but no secret: the check sum refuses what was cut off, altered, or made for another list or
// other filters. list says which.
func placeCursor(list, place string) string {
	if place == "" {
		return ""
	}
	sum := protocol.Sum([]byte("tmh/cursor/2 " + list + "\x00" + place))
	return base64.RawURLEncoding.EncodeToString(append(sum[:8], place...))
}

// cursorPlace is what placeCursor was given.
func cursorPlace(list, s string) (string, error) {
	if s == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) < 9 || placeCursor(list, string(b[8:])) != s {
		return "", protocol.Errorf(protocol.CodeValue, "cursor", "is not one that this list gave for these filters: begin without it, and follow the next links")
	}
	return string(b[8:]), nil
}

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
