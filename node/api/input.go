package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/protocol"
)

const (
	maxBody  = 64 << 10 // bytes of a listing or a match request
	maxQuery = 2000     // characters of ?q=; longer texts are POSTed
)

// Known refuses query parameters that the operation does not have, or that stand twice: a misspelt filter must not widen
// an answer silently.
type Known struct{}

// Resolve implements huma.Resolver.
func (*Known) Resolve(ctx huma.Context) (faults []error) {
	u := ctx.URL()
	query := u.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		known := slices.ContainsFunc(ctx.Operation().Parameters, func(p *huma.Param) bool { return p.In == "query" && p.Name == name })
		switch {
		case !known:
			faults = append(faults, found(protocol.CodeUnknown, clip(name), "is no parameter of this address"))
		case len(query[name]) > 1:
			faults = append(faults, found(protocol.CodeRepeated, name, "stands twice; separate several values by commas"))
		}
	}
	return faults
}

func found(code protocol.Code, field, message string) error {
	return finding{protocol.Errorf(code, field, "%s", message), http.StatusUnprocessableEntity}
}

// Payload is a request's body of at most maxBody bytes.
type Payload struct{ bytes []byte }

// Resolve implements huma.Resolver.
func (p *Payload) Resolve(ctx huma.Context) (faults []error) {
	p.bytes, faults = readJSON(ctx, maxBody)
	return faults
}

func readJSON(ctx huma.Context, most int) ([]byte, []error) {
	if ct := ctx.Header("Content-Type"); ct != "" && !strings.HasPrefix(ct, "application/json") {
		return nil, []error{finding{wrongType(), http.StatusUnsupportedMediaType}}
	}
	b, err := io.ReadAll(io.LimitReader(ctx.BodyReader(), int64(most)+1))
	var network net.Error
	switch {
	case errors.As(err, &network) && network.Timeout():
		return nil, []error{finding{protocol.Errorf(protocol.CodeTruncated, "body", "did not arrive in time"), http.StatusRequestTimeout}}
	case err != nil:
		return nil, []error{finding{protocol.Errorf(protocol.CodeTruncated, "body", "ended before it was complete"), http.StatusBadRequest}}
	case len(b) > most:
		return nil, []error{finding{protocol.Errorf(protocol.CodeTooLarge, "body", "at most %d bytes", most), http.StatusRequestEntityTooLarge}}
	}
	return b, nil
}

// object reads the members of a JSON object into the values that into points at, and names every fault. Unknown members are
// faults; null is absent.
func object(raw []byte, at string, into map[string]any) protocol.Errors {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil || all == nil {
		return protocol.Errors{protocol.Errorf(protocol.CodeText, orBody(at), "has to be a JSON object in { }")}
	}
	var faults protocol.Errors
	for _, name := range slices.Sorted(maps.Keys(all)) {
		target, ok := into[name]
		if !ok {
			faults = append(faults, protocol.Errorf(protocol.CodeUnknown, at+clip(name),
				"is unknown here; known are %s", strings.Join(slices.Sorted(maps.Keys(into)), ", ")))
			continue
		}
		if err := json.Unmarshal(all[name], target); err != nil {
			faults = append(faults, protocol.Errorf(protocol.CodeWireType, at+name, "has to be %s", wanted(target)))
		}
	}
	return faults
}

func orBody(at string) string {
	if at == "" {
		return "body"
	}
	return strings.TrimSuffix(at, ".")
}

func wanted(target any) string {
	switch target.(type) {
	case *string, *protocol.ListingID, *protocol.MemberID, *protocol.Lang:
		return "text in quotes"
	case *int:
		return "a whole number without quotes"
	case *bool:
		return "true or false"
	case *[]int:
		return "a list of whole numbers in [ ]"
	default:
		return "a list of texts in [ ]"
	}
}

// withID puts the id of the address into a listing that does not say one itself.
func withID(listing []byte, id string) []byte {
	var all map[string]json.RawMessage
	if json.Unmarshal(listing, &all) != nil || all["id"] != nil {
		return listing
	}
	member := fmt.Sprintf("{%q:%q", "id", id)
	if len(all) > 0 {
		member += ","
	}
	return bytes.Replace(listing, []byte("{"), []byte(member), 1)
}

func clip(s string) string {
	if len(s) > 40 {
		s = strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}
