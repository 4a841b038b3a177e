package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/protocol"
)

// Limits are how often one visitor may ask. 0 is no limit. The operator's listener has none.
type Limits struct {
	Doors       int // attempts to get in and uses of links a minute, by network address
	Reads       int // a minute, by a stranger's network address
	KnownReads  int // a minute, by a person or token
	Suggestions int // a minute, by either: one a keystroke
	Writes      int // a minute, by a session or token
	Documents   int // an hour, by organisation
}

// DefaultLimits are far above what people do, and what a program needs that goes on from page to page.
func DefaultLimits() Limits {
	return Limits{Doors: 30, Reads: 1200, KnownReads: 6000, Suggestions: 3000, Writes: 600, Documents: 120}
}

type limits struct{ doors, reads, writes, documents guard }

func unhindered(next http.Handler) http.Handler { return next }

func (l limits) orNone() limits {
	for _, g := range []*guard{&l.doors, &l.reads, &l.writes, &l.documents} {
		if *g == nil {
			*g = unhindered
		}
	}
	return l
}

func (a *API) newLimits(cfg *Limits) limits {
	if cfg == nil {
		all := DefaultLimits()
		cfg = &all
	}
	limit := func(name string, most int, window time.Duration, key func(*http.Request) string, words string) guard {
		if most <= 0 {
			return unhindered
		}
		return door.Policy{Name: name, Most: most, Window: window}.Guard(key, func(w http.ResponseWriter, _ *http.Request) {
			a.write(w, newProblem(http.StatusTooManyRequests, protocol.Errors{protocol.Errorf(protocol.CodeQuota, "", words, most)}))
		})
	}
	strangers := limit("reads", cfg.Reads, time.Minute, door.NetworkOf,
		"more than %d requests a minute from your network address: wait a minute, or send a token, which may ask more often")
	known := limit("reads", cfg.KnownReads, time.Minute, visitorOf, "more than %d requests a minute: wait a minute")
	suggestions := limit("suggestions", cfg.Suggestions, time.Minute, func(r *http.Request) string {
		if door.ActorOf(r.Context()).Anonymous() {
			return door.NetworkOf(r)
		}
		return visitorOf(r)
	}, "more than %d suggestions a minute: wait a minute, or ask for less of what is typed")
	return limits{
		doors: limit("doors", cfg.Doors, time.Minute, door.NetworkOf, "more than %d attempts a minute from your network address: wait a minute"),
		reads: func(next http.Handler) http.Handler {
			strangers, known, suggestions := strangers(next), known(next), suggestions(next)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				actor := door.ActorOf(r.Context())
				switch {
				case !reads(r) || actor.Operator || r.URL.Path == base+"/health": // whose monitor must not be shut out
					next.ServeHTTP(w, r)
				case r.URL.Path == base+"/suggest":
					suggestions.ServeHTTP(w, r)
				case actor.Anonymous():
					strangers.ServeHTTP(w, r)
				default:
					known.ServeHTTP(w, r)
				}
			})
		},
		writes: onlyWrites(limit("writes", cfg.Writes, time.Minute, func(r *http.Request) string {
			a := door.ActorOf(r.Context())
			return string(a.Token) + "/" + string(a.Session)
		}, "more than %d writes a minute by one session or token: wait a minute, or import many listings at once")),
		documents: limit("documents", cfg.Documents, time.Hour, func(r *http.Request) string {
			return string(door.ActorOf(r.Context()).Organisation)
		}, "more than %d documents an hour by one organisation: go on in an hour"),
	}
}

// visitorOf tells apart who is known: by token, or by person.
func visitorOf(r *http.Request) string {
	a := door.ActorOf(r.Context())
	if a.Token != "" {
		return "token " + string(a.Token)
	}
	return "person " + string(a.User)
}

// reads reports whether a request changes nothing.
func reads(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead || r.URL.Path == base+"/match" || !strings.HasPrefix(r.URL.Path, "/api/")
}

// onlyWrites leaves out what changes nothing, and strangers, who may write nothing.
func onlyWrites(g guard) guard {
	return func(next http.Handler) http.Handler {
		limited := g(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if reads(r) || door.ActorOf(r.Context()).Anonymous() {
				next.ServeHTTP(w, r)
				return
			}
			limited.ServeHTTP(w, r)
		})
	}
}
