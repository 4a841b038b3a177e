package access

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Tokens, by which programs act for people.

// MaxTokenLife bounds how long a token lasts.
const MaxTokenLife = 400 * 24 * time.Hour

const (
	tokenMark = "tmh_"
	tokenSize = len(tokenMark) + 64 + 8 // the mark, 32 random bytes, and their CRC-32
	maxTokens = 50                      // of a person
)

// Token lets a program act for a person, within its scopes and never beyond what the person may.
type Token struct {
	ID          TokenID   `json:"id"`
	User        UserID    `json:"user"`
	Name        string    `json:"name"`
	Scopes      []Scope   `json:"scopes"`
	Created     time.Time `json:"created"`
	Expires     time.Time `json:"expires"`
	Used        time.Time `json:"used,omitzero"` // last, to five minutes
	Unconfirmed bool      `json:"unconfirmed,omitempty"`
}

// token is the row.
type token struct {
	Token
	Hash       string `json:"hash"`
	Generation uint64 `json:"generation"` // of the node: see restore.go
}

// newToken of 256 random bits. The mark lets scanners of published code find it; the checksum tells a mistyped token from one
// that was revoked, without asking the store.
func newToken() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	body := tokenMark + hex.EncodeToString(b)
	return fmt.Sprintf("%s%08x", body, crc32.ChecksumIEEE([]byte(body)))
}

func wellFormedToken(s string) bool {
	if len(s) != tokenSize || !strings.HasPrefix(s, tokenMark) {
		return false
	}
	body := s[:tokenSize-8]
	return s[tokenSize-8:] == fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(body)))
}

// scopes takes a list of scopes: known ones that a person of these roles can use, each once.
func (f *faults) scopes(in []Scope, owner []Role) (out []Scope) {
	for _, s := range in {
		switch {
		case !slices.Contains(Scopes(), s):
			f.add("scopes", "%q is no scope: take read, write, review or admin", cut(string(s)))
			return nil
		case !useful(s, owner):
			f.add("scopes", "the scope %q is beyond what the roles of this account may: leave it out", s)
			return nil
		}
	}
	for _, s := range Scopes() {
		if slices.Contains(in, s) {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		f.add("scopes", "at least one scope: read, write, review or admin")
	}
	return out
}

// useful reports whether some rule lets one of the roles do something that needs the scope.
// ScopesOf lists the scopes in which a token of somebody with these roles may do anything.
func ScopesOf(roles []Role) []Scope {
	return slices.DeleteFunc(Scopes(), func(s Scope) bool { return !useful(s, roles) })
}

func useful(s Scope, owner []Role) bool {
	return slices.ContainsFunc(rules(), func(x rule) bool { return slices.Contains(owner, x.role) && needOf(x.action).scope == s })
}

// CreateToken for a person. The secret is shown once: the node cannot show it again.
//
// Errors: CodeNotPermitted, also where the sign-in is too long ago; CodeNotFound; CodeValue, a fault a field; CodeQuota where the
// person has fifty.
func (r *Registry) CreateToken(by Actor, owner UserID, name string, scopes []Scope, lasts time.Duration) (secret string, t Token, err error) {
	if err := Can(by, CreateToken, Resource{User: owner}); err != nil {
		return "", t, err
	}
	err = r.update(func(tx *store.Tx) error {
		u, err := userOf(tx, owner)
		if err != nil {
			return err
		}
		if u.Erased {
			return notFound("person")
		}
		if by.Session != "" {
			if err := r.Fresh(tx, by); err != nil {
				return err
			}
		}
		var f faults
		t = Token{ID: TokenID(newID("t")), User: owner, Name: f.line("name", name, 1, 80), Scopes: f.scopes(scopes, u.Roles), Created: r.now(), Expires: r.now().Add(lasts)}
		if lasts < time.Minute || lasts > MaxTokenLife {
			f.add("expires", "a token lasts between a minute and 400 days")
		}
		if err := f.err(); err != nil {
			return err
		}
		have, err := keys(tx, store.TableToken, "u/"+string(owner)+"/", "", maxTokens)
		if err != nil {
			return err
		}
		if len(have) == maxTokens {
			return protocol.Errorf(protocol.CodeQuota, "", "an account has at most %d tokens: revoke one that is no longer used", maxTokens)
		}
		g, err := generationOf(tx, store.TableToken)
		if err != nil {
			return err
		}
		secret = newToken()
		row := token{Token: t, Hash: hashOf(secret), Generation: g.Current}
		if err := write(tx, store.TableToken, "t/"+string(t.ID), row); err != nil {
			return err
		}
		if err := tx.SetRow(store.TableToken, "h/"+row.Hash, []byte(t.ID)); err != nil {
			return err
		}
		if err := index(tx, store.TableToken, "u/"+string(owner)+"/"+string(t.ID)); err != nil {
			return err
		}
		return r.log(tx, by, "token.create", "user", string(owner), map[string]string{
			"token": string(t.ID), "scopes": joined(t.Scopes), "expires": t.Expires.Format(time.DateOnly),
		})
	})
	if err != nil {
		return "", Token{}, err
	}
	return secret, t, nil
}

// AuthenticateToken tells for whom a token acts. Revoked, expired and unknown tokens are refused alike but for the words that
// help its owner, who has to hold the secret to hear them.
//
// Errors: CodeNotPermitted.
func (r *Registry) AuthenticateToken(secret string) (a Actor, err error) {
	if !wellFormedToken(secret) {
		return a, tokenFault("this is no token of a TMH node, or it was not copied whole: it begins with “%s” and has %d characters", tokenMark, tokenSize)
	}
	var t *token
	err = r.view(func(tx *store.Tx) error {
		id, err := tx.Row(store.TableToken, "h/"+hashOf(secret))
		if err != nil {
			return err
		}
		if id != nil {
			t, err = read[token](tx, store.TableToken, "t/"+string(id))
		}
		if err != nil {
			return err
		}
		a, err = r.actingBy(tx, t)
		return err
	})
	if err != nil {
		return Actor{}, err
	}
	if r.now().Sub(t.Used) >= seenEvery {
		_ = r.update(func(tx *store.Tx) error { // as with sessions
			t, err := read[token](tx, store.TableToken, "t/"+string(t.ID))
			if err != nil || t == nil {
				return err
			}
			t.Used = r.now()
			return write(tx, store.TableToken, "t/"+string(t.ID), t)
		})
	}
	return a, nil
}

func tokenFault(format string, args ...any) error {
	return protocol.Errorf(protocol.CodeNotPermitted, "", format, args...)
}

// actingBy is who acts by a token; nil is none.
func (r *Registry) actingBy(tx *store.Tx, t *token) (a Actor, err error) {
	if t == nil {
		return a, tokenFault("this token is not known here, or was revoked: create a new one")
	}
	g, err := generationOf(tx, store.TableToken)
	if err != nil {
		return a, err
	}
	switch {
	case !r.now().Before(t.Expires):
		return a, tokenFault("this token has expired: create a new one")
	case t.Generation < g.Accepted:
		return a, tokenFault("this node was restored from a backup, and this token waits until an administrator confirms it")
	}
	u, err := userOf(tx, t.User)
	if err != nil {
		return a, err
	}
	if a, err = r.actorOf(tx, u); err != nil {
		return a, err
	}
	a.Token, a.Scopes = t.ID, slices.Clone(t.Scopes)
	return a, nil
}

// ActingBy is who acts by a token at this moment, for work that somebody began with it and that goes on without him.
//
// Errors: as AuthenticateToken.
func (r *Registry) ActingBy(id TokenID) (a Actor, err error) {
	err = r.view(func(tx *store.Tx) error {
		t, err := read[token](tx, store.TableToken, "t/"+string(id))
		if err == nil {
			a, err = r.actingBy(tx, t)
		}
		return err
	})
	return a, err
}

func tokensOf(tx *store.Tx, id UserID) (all []Token, err error) {
	g, err := generationOf(tx, store.TableToken)
	if err != nil {
		return nil, err
	}
	ids, err := keys(tx, store.TableToken, "u/"+string(id)+"/", "", everything)
	for _, x := range ids {
		t, err := read[token](tx, store.TableToken, "t/"+x)
		if err != nil {
			return nil, err
		}
		if t != nil {
			t.Unconfirmed = t.Generation < g.Accepted
			all = append(all, t.Token)
		}
	}
	slices.SortFunc(all, func(a, b Token) int { return b.Created.Compare(a.Created) })
	return all, err
}

// Tokens of a person, the newest first.
//
// Errors: CodeNotPermitted.
func (r *Registry) Tokens(by Actor, id UserID) (all []Token, err error) {
	if err := Can(by, ReadToken, Resource{User: id}); err != nil {
		return nil, err
	}
	err = r.view(func(tx *store.Tx) error {
		all, err = tokensOf(tx, id)
		return err
	})
	return all, err
}

// AllTokens of the node, by id; of those that wait for confirmation only, where unconfirmed is set. A page may be short
// although another follows.
//
// Errors: CodeNotPermitted, CodeValue.
func (r *Registry) AllTokens(by Actor, unconfirmed bool, p Page) (all []Token, next string, err error) {
	if err := Can(by, ReadToken, Resource{}); err != nil {
		return nil, "", err
	}
	if p, err = p.check(); err != nil {
		return nil, "", err
	}
	err = r.view(func(tx *store.Tx) error {
		g, err := generationOf(tx, store.TableToken)
		if err != nil {
			return err
		}
		ids, err := keys(tx, store.TableToken, "t/", p.Cursor, maxLook+1)
		if err != nil {
			return err
		}
		for i, id := range ids {
			if len(all) == p.Limit || i == maxLook {
				next = ids[i-1]
				return nil
			}
			t, err := read[token](tx, store.TableToken, "t/"+id)
			if err != nil {
				return err
			}
			if t.Unconfirmed = t.Generation < g.Accepted; t.Unconfirmed || !unconfirmed {
				all = append(all, t.Token)
			}
		}
		return nil
	})
	return all, next, err
}

// tokenFor reads a token for somebody who may do that with it; to others there is no such token.
func tokenFor(tx *store.Tx, by Actor, action Action, id TokenID) (*token, error) {
	t, err := read[token](tx, store.TableToken, "t/"+string(id))
	if err != nil {
		return nil, err
	}
	if t == nil {
		if err := Can(by, action, Resource{}); err != nil {
			return nil, err
		}
		return nil, notFound("token")
	}
	return t, Can(by, action, Resource{User: t.User})
}

func dropToken(tx *store.Tx, t *token) error {
	for _, key := range []string{"t/" + string(t.ID), "h/" + t.Hash, "u/" + string(t.User) + "/" + string(t.ID)} {
		if err := tx.DeleteRow(store.TableToken, key); err != nil {
			return err
		}
	}
	return nil
}

// RevokeToken ends a token.
//
// Errors: CodeNotPermitted, CodeNotFound.
func (r *Registry) RevokeToken(by Actor, id TokenID) error {
	return r.update(func(tx *store.Tx) error {
		t, err := tokenFor(tx, by, RevokeToken, id)
		if err != nil {
			return err
		}
		if err := dropToken(tx, t); err != nil {
			return err
		}
		return r.log(tx, by, "token.revoke", "user", string(t.User), map[string]string{"token": string(id)})
	})
}

// ConfirmToken lets a token from before a restore work again.
//
// Errors: CodeNotPermitted, CodeNotFound.
func (r *Registry) ConfirmToken(by Actor, id TokenID) error {
	return r.update(func(tx *store.Tx) error {
		t, err := tokenFor(tx, by, ConfirmTokens, id)
		if err != nil {
			return err
		}
		g, err := generationOf(tx, store.TableToken)
		if err != nil {
			return err
		}
		t.Generation = g.Current
		if err := write(tx, store.TableToken, "t/"+string(id), t); err != nil {
			return err
		}
		return r.log(tx, by, "token.confirm", "user", string(t.User), map[string]string{"token": string(id)})
	})
}

// ConfirmAllTokens lets all tokens from before a restore work again.
//
// Errors: CodeNotPermitted.
func (r *Registry) ConfirmAllTokens(by Actor) error {
	if err := Can(by, ConfirmTokens, Resource{}); err != nil {
		return err
	}
	return r.update(func(tx *store.Tx) error {
		g, err := generationOf(tx, store.TableToken)
		if err != nil {
			return err
		}
		g.Accepted = 0
		if err := write(tx, store.TableToken, "generation", g); err != nil {
			return err
		}
		return r.log(tx, by, "token.confirm-all", "node", "", map[string]string{"generation": strconv.FormatUint(g.Current, 10)})
	})
}
