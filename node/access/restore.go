package access

import (
	"time"

	"github.com/asean-tmh/tmh/store"
)

// What ends: by a restore, everything that opens a door; in time, what has run out.

// generation of a node's sessions or tokens. A restore begins another one: what a backup holds may have been signed out or
// revoked since. One row is changed instead of all, so that a restore is quick and nothing is missed.
type generation struct {
	Current  uint64 `json:"current"`
	Accepted uint64 `json:"accepted"` // tokens from this one on work; sessions only those of the current one
}

func generationOf(tx *store.Tx, table store.Table) (generation, error) {
	g, err := read[generation](tx, table, "generation")
	if g == nil || err != nil {
		return generation{}, err
	}
	return *g, nil
}

// AfterRestore ends all sessions, marks all tokens unconfirmed until an administrator confirms them, and ends all links that
// were under way. It belongs in the first transaction after a restore, before any door opens.
func (r *Registry) AfterRestore(tx *store.Tx) error {
	for _, table := range []store.Table{store.TableSession, store.TableToken, store.TableInvitation} {
		g, err := generationOf(tx, table)
		if err != nil {
			return err
		}
		g.Current++
		g.Accepted = g.Current
		if err := write(tx, table, "generation", g); err != nil {
			return err
		}
	}
	return r.log(tx, Actor{Operator: true}, "access.restored", "node", "", nil)
}

// How long what ended still says so: a link that was used, replaced or expired, and a token in its owner's list.
const (
	keepLinks  = 7 * 24 * time.Hour
	keepTokens = 30 * 24 * time.Hour
)

// Sweep removes what ended: sessions, links, tokens, attempts. To be called now and then; it takes short transactions.
func (r *Registry) Sweep() error {
	dead := func(table store.Table, prefix string, ended func(tx *store.Tx, key string) (bool, error), drop func(tx *store.Tx, key string) error) error {
		after := ""
		for {
			more := false
			err := r.update(func(tx *store.Tx) error {
				all, err := keys(tx, table, prefix, after, 500)
				if err != nil {
					return err
				}
				for _, k := range all {
					after = k
					if gone, err := ended(tx, k); err != nil {
						return err
					} else if !gone {
						continue
					}
					if err := drop(tx, k); err != nil {
						return err
					}
				}
				more = len(all) == 500
				return nil
			})
			if err != nil || !more {
				return err
			}
		}
	}
	err := dead(store.TableSession, "s/", func(tx *store.Tx, k string) (bool, error) {
		s, err := read[session](tx, store.TableSession, "s/"+k)
		if err != nil || s == nil {
			return false, err
		}
		u, err := userOf(tx, s.User)
		if err != nil {
			return false, err
		}
		alive, err := r.alive(tx, s, u)
		return !alive, err
	}, func(tx *store.Tx, k string) error {
		s, err := read[session](tx, store.TableSession, "s/"+k)
		if err != nil {
			return err
		}
		return dropSession(tx, s.User, s.ID)
	})
	if err != nil {
		return err
	}
	err = dead(store.TableInvitation, "l/", func(tx *store.Tx, k string) (bool, error) {
		l, err := read[link](tx, store.TableInvitation, "l/"+k)
		return err == nil && l != nil && r.now().After(l.Expires.Add(keepLinks)), err
	}, dropLink)
	if err != nil {
		return err
	}
	err = dead(store.TableToken, "t/", func(tx *store.Tx, k string) (bool, error) {
		t, err := read[token](tx, store.TableToken, "t/"+k)
		return err == nil && t != nil && r.now().After(t.Expires.Add(keepTokens)), err
	}, func(tx *store.Tx, k string) error {
		t, err := read[token](tx, store.TableToken, "t/"+k)
		if err != nil {
			return err
		}
		return dropToken(tx, t)
	})
	if err != nil {
		return err
	}
	return r.update(func(tx *store.Tx) error { return r.dropAttempts(tx, maxThrottle) })
}
