package api

import (
	"net/http"
	"time"

	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/protocol"
)

// How much one visitor may ask of the node in a minute. The operator's listener has no limits.
const (
	doorsPerMinute  = 30  // attempts to get in and uses of links, by network address
	writesPerMinute = 600 // by token or session

	documentsPerHour = 120 // by organisation
)

type limits struct{ doors, writes, documents guard }

func noLimits() limits {
	none := func(next http.Handler) http.Handler { return next }
	return limits{doors: none, writes: none, documents: none}
}

func newLimits() limits {
	limit := func(most int, window time.Duration, key func(*http.Request) string, words string) guard {
		return door.Limit(most, window, key, func(w http.ResponseWriter, _ *http.Request) {
			write(w, newProblem(http.StatusTooManyRequests, protocol.Errors{protocol.Errorf(protocol.CodeQuota, "", words, most)}))
		})
	}
	return limits{
		doors: limit(doorsPerMinute, time.Minute, door.NetworkOf, "more than %d attempts a minute from your network address: wait a minute"),
		writes: onlyWrites(limit(writesPerMinute, time.Minute, func(r *http.Request) string {
			a := door.ActorOf(r.Context())
			return string(a.Token) + "/" + string(a.Session)
		}, "more than %d writes a minute by one session or token: wait a minute, or import many listings at once")),
		documents: limit(documentsPerHour, time.Hour, func(r *http.Request) string {
			return string(door.ActorOf(r.Context()).Organisation)
		}, "more than %d documents an hour by one organisation: go on in an hour"),
	}
}

// onlyWrites leaves out what changes nothing, and strangers, who may write nothing.
func onlyWrites(g guard) guard {
	return func(next http.Handler) http.Handler {
		limited := g(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			reads := r.Method == http.MethodGet || r.Method == http.MethodHead || r.URL.Path == base+"/match"
			if reads || door.ActorOf(r.Context()).Anonymous() {
				next.ServeHTTP(w, r)
				return
			}
			limited.ServeHTTP(w, r)
		})
	}
}
