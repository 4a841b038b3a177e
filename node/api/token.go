package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/asean-tmh/tmh/protocol"
)

// wantsToken lets through who shows the operator's token. The comparison takes the same time whatever is shown.
func (a *API) wantsToken(next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(a.cfg.Token))
	refuse := func(w http.ResponseWriter, status int, challenge, message string) {
		if challenge != "" {
			w.Header().Set("WWW-Authenticate", challenge)
		}
		write(w, newProblem(status, protocol.Errors{protocol.Errorf(protocol.CodeNotPermitted, "", "%s", message)}))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		got := sha256.Sum256([]byte(strings.TrimSpace(token)))
		switch {
		case a.cfg.Token == "":
			refuse(w, http.StatusForbidden, "",
				"this node has no operator token, so it takes this only through its unix socket: use the tmh command on the node, or set a token in its configuration")
		case !strings.EqualFold(scheme, "Bearer"):
			refuse(w, http.StatusUnauthorized, `Bearer realm="tmh"`,
				"only the operator may: send the header “Authorization: Bearer” with the operator token of this node")
		case subtle.ConstantTimeCompare(got[:], want[:]) != 1:
			refuse(w, http.StatusUnauthorized, `Bearer realm="tmh", error="invalid_token"`,
				"this is not the operator token of this node: it stands in the node's configuration")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// guardOperation makes an operation of huma's pass the guard first.
func guardOperation(g guard) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humachi.Unwrap(ctx)
		g(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { next(ctx) })).ServeHTTP(w, r)
	}
}
