// Package door finds out who asks, once for every request, for the API and for the pages alike: the operator at the socket; the
// owner of a token in the Authorization header; the person whose session the cookie names; a stranger. What he may do is judged
// by access.Can alone.
package door

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"strings"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/protocol"
)

// Keeper of a door.
type Keeper struct {
	House   *house.House // nil: nobody has a session or a token
	Member  protocol.MemberID
	Token   string         // the operator's, which never ends; "": none
	Proxies []netip.Prefix // whose word about where a request came from is taken
}

type (
	actorKey  struct{}
	clientKey struct{}
)

// ActorOf a request that a Keeper let in. The zero Actor is a stranger.
func ActorOf(ctx context.Context) access.Actor {
	a, _ := ctx.Value(actorKey{}).(access.Actor)
	return a
}

// ClientOf a request: where it came from.
func ClientOf(ctx context.Context) access.Client {
	c, _ := ctx.Value(clientKey{}).(access.Client)
	return c
}

// Identify says who asks, to ActorOf and ClientOf. A token that proves nothing is refused (CodeNotPermitted); a cookie that does
// is passed over, as its session may just have ended.
func (k *Keeper) Identify(r *http.Request) (*http.Request, error) {
	ctx := context.WithValue(r.Context(), clientKey{}, access.Client{Address: clientAddress(k.Proxies, r), Agent: clip(r.UserAgent())})
	var actor access.Actor
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, token, _ := strings.Cut(header, " ")
		var err error
		if actor, err = k.bearer(scheme, strings.TrimSpace(token)); err != nil {
			return r, err
		}
	} else if secret := k.Session(r); secret != "" && k.House != nil {
		actor, _ = k.House.People.Authenticate(secret)
	}
	return r.WithContext(context.WithValue(ctx, actorKey{}, actor)), nil
}

// AsOperator is for requests that only the node's operator can make.
func (k *Keeper) AsOperator(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), actorKey{}, access.Operator(k.Member)))
}

// bearer is whose token it is. The comparison takes the same time whatever is shown.
func (k *Keeper) bearer(scheme, token string) (access.Actor, error) {
	wrong := protocol.Errorf(protocol.CodeNotPermitted, "Authorization", "this is no token of this node: send “Authorization: Bearer” with a token that its pages, or tmh token create, gave")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return access.Actor{}, wrong
	}
	if want, got := sha256.Sum256([]byte(k.Token)), sha256.Sum256([]byte(token)); k.Token != "" && subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
		return access.Operator(k.Member), nil
	}
	if k.House == nil {
		return access.Actor{}, wrong
	}
	return k.House.People.AuthenticateToken(token)
}

// Names of the session's cookie. Browsers take the first only over https, and for the whole site.
const (
	secureCookie = "__Host-tmh"
	plainCookie  = "tmh" // on a node without https, such as on one's own machine
)

// Secure reports whether people reach the node by https alone.
func (k *Keeper) Secure() bool {
	return k.House != nil && strings.HasPrefix(k.House.PublicURL(), "https://")
}

func (k *Keeper) cookieName() string {
	if k.Secure() {
		return secureCookie
	}
	return plainCookie
}

// Session is the secret that the request's cookie carries, "" for none.
func (k *Keeper) Session(r *http.Request) string {
	c, err := r.Cookie(k.cookieName())
	if err != nil || len(c.Value) > 200 {
		return ""
	}
	return c.Value
}

// Keep gives the session to the browser. The zero SignedIn ends it there.
func (k *Keeper) Keep(w http.ResponseWriter, s access.SignedIn) {
	c := &http.Cookie{
		Name: k.cookieName(), Value: s.Secret, Path: "/", Expires: s.Expires, HttpOnly: true, Secure: k.Secure(), SameSite: http.SameSiteLaxMode,
	}
	if s.Secret == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// briefName of a cookie: as the session's, so that no neighbouring domain can plant one.
func (k *Keeper) briefName(name string) string { return k.cookieName() + "-" + name }

// Brief keeps a value of a ceremony in the browser for some minutes: of a passkey's, or of a sign-in elsewhere. "" ends it.
func (k *Keeper) Brief(w http.ResponseWriter, name, value string, site http.SameSite, seconds int) {
	if value == "" {
		seconds = -1
	}
	http.SetCookie(w, &http.Cookie{Name: k.briefName(name), Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, Secure: k.Secure(), SameSite: site})
}

// BriefOf is what Brief kept; "" for nothing.
func (k *Keeper) BriefOf(r *http.Request, name string) string {
	c, err := r.Cookie(k.briefName(name))
	if err != nil || len(c.Value) > 4<<10 {
		return ""
	}
	return c.Value
}

// Protect refuses what another site's page makes a browser send, except where the request brings its own proof: with an
// Authorization header the cookie is not looked at.
func Protect(next http.Handler) http.Handler { return ProtectWith(next, nil) }

// ProtectWith is Protect, and denied answers what is refused; nil: a few words do.
func ProtectWith(next, denied http.Handler) http.Handler {
	rules := http.NewCrossOriginProtection()
	if denied != nil {
		rules.SetDenyHandler(denied)
	}
	protected := rules.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			next.ServeHTTP(w, r)
			return
		}
		protected.ServeHTTP(w, r)
	})
}

func clip(s string) string {
	if len(s) > 120 {
		s = s[:120]
	}
	return strings.ToValidUTF8(s, "")
}
