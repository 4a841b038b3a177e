package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/protocol"
)

// identify says who asks, for all that follows. What he may do is access.Can's to say.
func (a *API) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		known, err := a.door.Identify(r)
		if err != nil {
			w.Header().Set("WWW-Authenticate", `Bearer realm="tmh", error="invalid_token"`)
			a.write(w, newProblem(http.StatusUnauthorized, protocol.All(err)))
			return
		}
		next.ServeHTTP(w, known)
	})
}

// asOperator is for a listener that only the node's operator reaches.
func (a *API) asOperator(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, a.door.AsOperator(r)) })
}

// wants lets through who may do that with the node as a whole.
func (a *API) wants(action access.Action) guard {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			actor := door.ActorOf(r.Context())
			if err := access.Can(actor, action, access.Resource{Member: a.cfg.Member}); err != nil {
				a.refuse(w, actor, err)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// refuse says no: 401 to a stranger, who may prove who he is and try again, else 403.
func (a *API) refuse(w http.ResponseWriter, actor access.Actor, err error) {
	p := a.problem(err)
	if p.Status == http.StatusForbidden && actor.Anonymous() {
		p.Status, p.Title = http.StatusUnauthorized, http.StatusText(http.StatusUnauthorized)
		w.Header().Set("WWW-Authenticate", `Bearer realm="tmh"`)
	}
	a.write(w, p)
}

// guardOperation makes an operation of huma's pass the guard first.
func guardOperation(g guard) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humachi.Unwrap(ctx)
		g(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { next(ctx) })).ServeHTTP(w, r)
	}
}
