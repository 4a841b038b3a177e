package door

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
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

// Policy is a limit that tells every request how much is left, in the fields RateLimit-Policy and RateLimit of
// draft-ietf-httpapi-ratelimit-headers: the name, q the quota, w its window and t the time to its end in seconds, r what remains.
type Policy struct {
	Name   string
	Most   int
	Window time.Duration
}

// Guard bounds the requests of one key likewise as Limit.
func (p Policy) Guard(key func(*http.Request) string, refused http.HandlerFunc) func(http.Handler) http.Handler {
	const remaining, reset = "Tmh-Remaining", "Tmh-Reset" // on their way from the counter, never sent
	limiter := httprate.NewRateLimiter(p.Most, p.Window,
		httprate.WithResponseHeaders(httprate.ResponseHeaders{Remaining: remaining, Reset: reset, RetryAfter: "Retry-After"}))
	policy := fmt.Sprintf("%q;q=%d;w=%d", p.Name, p.Most, int(p.Window.Seconds()))
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			over := limiter.OnLimit(w, r, key(r))
			h := w.Header()
			end, _ := strconv.ParseInt(h.Get(reset), 10, 64) // ours
			left, _ := strconv.Atoi(h.Get(remaining))        // ours
			h.Del(remaining)
			h.Del(reset)
			h.Add("RateLimit-Policy", policy)
			h.Add("RateLimit", fmt.Sprintf("%q;r=%d;t=%d", p.Name, max(left, 0), max(end-time.Now().Unix(), 0)))
			if over {
				refused(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
