package api

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/asean-tmh/tmh/protocol"
)

// What holds for every request, whatever it asks.

// requestIDHeader names an answer, so that somebody who got a problem can tell the operator which. It is the node's own: what a
// client sends under that name is not looked at.
const requestIDHeader = "X-Request-Id"

// maxTarget bounds the bytes of path and query. A q of 2,000 characters in Khmer takes 18,000.
const maxTarget = 24 << 10

// newRequestID is a random UUID.
func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0F|0x40, b[8]&0x3F|0x80
	var s [36]byte
	hex.Encode(s[:], b[:4])
	hex.Encode(s[9:], b[4:6])
	hex.Encode(s[14:], b[6:8])
	hex.Encode(s[19:], b[8:10])
	hex.Encode(s[24:], b[10:])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}

// common sets what every answer carries, and turns a panic into a problem.
func (a *API) common(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set(requestIDHeader, newRequestID())
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-cache")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler: //nolint:errorlint // the documented way to recognise it
				panic(p)
			default:
				a.cfg.Log.Error("request panicked", "request", h.Get(requestIDHeader), "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
				for _, name := range []string{"Content-Length", "ETag", "Location", "Link"} {
					h.Del(name) // of the answer that did not come about
				}
				a.write(w, newProblem(http.StatusInternalServerError, protocol.Errors{internal()}))
			}
		}()
		if len(r.URL.Path)+len(r.URL.RawQuery) > maxTarget {
			a.write(w, newProblem(http.StatusRequestURITooLong, protocol.Errors{protocol.Errorf(protocol.CodeTooLarge, "",
				"the address has over %d bytes: send long texts in the body, by POST", maxTarget)}))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Denied answers what door.ProtectWith refuses: a browser that another site's page sent.
func (a *API) Denied() http.Handler {
	return a.common(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/") {
			http.Error(w, "Another site's page sent this request. Open the page here, and do it from there.", http.StatusForbidden)
			return
		}
		a.write(w, newProblem(http.StatusForbidden, protocol.Errors{protocol.Errorf(protocol.CodeNotPermitted, "Origin",
			"a page of another site sent this, in your name: programs send a token in Authorization, and no cookie")}))
	}))
}

// acceptable refuses who takes no form in which the operation answers. Who says nothing takes any.
func (a *API) acceptable(ctx huma.Context, next func(huma.Context)) {
	accept := ctx.Header("Accept")
	if accept == "" || takes(accept, problemType) {
		next(ctx)
		return
	}
	typed := false
	for status, response := range ctx.Operation().Responses {
		if !strings.HasPrefix(status, "2") {
			continue
		}
		for kind := range response.Content {
			typed = true
			if takes(accept, kind) {
				next(ctx)
				return
			}
		}
	}
	if !typed { // it answers without a body
		next(ctx)
		return
	}
	_, w := humachi.Unwrap(ctx)
	a.write(w, newProblem(http.StatusNotAcceptable, protocol.Errors{protocol.Errorf(protocol.CodeValue, "Accept",
		"names no form in which this address answers: send application/json, or leave it out")}))
}

// takes reports whether an Accept header admits a media type.
func takes(accept, kind string) bool {
	family, _, _ := strings.Cut(kind, "/")
	for part := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(part, ";")
		switch name = strings.ToLower(strings.TrimSpace(name)); name {
		case "*/*", family + "/*", kind:
			weight := strings.TrimSpace(params)
			if q, found := strings.CutPrefix(weight, "q="); !found || strings.Trim(q, "0.") != "" {
				return true
			}
		}
	}
	return false
}
