package door

import (
	"net/http"
	"net/netip"
	"time"

	"github.com/go-chi/httprate"
)

// How often somebody may knock.

// Limit bounds how often requests of one key pass in a window of time; refused answers the rest, which learn by Retry-After when
// to come again.
func Limit(most int, window time.Duration, key func(*http.Request) string, refused http.HandlerFunc) func(http.Handler) http.Handler {
	return httprate.LimitBy(most, window, func(r *http.Request) (string, error) { return key(r), nil },
		httprate.WithResponseHeaders(httprate.ResponseHeaders{RetryAfter: "Retry-After"}), httprate.WithLimitHandler(refused))
}

// NetworkOf a request: its address, or the network that one customer usually has.
func NetworkOf(r *http.Request) string {
	a := ClientOf(r.Context()).Address
	if a.Is6() {
		return netip.PrefixFrom(a, 64).Masked().String()
	}
	return a.String()
}
