package bench

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

const (
	withPassword = 256 // people: hashing takes long, and the others get in by passkeys and providers
	withToken    = 256
	together     = 50 // people who are settled in one transaction
	password     = "river lantern copper sail"
)

// addressOf a client: bounds of sign-in count by network address.
func addressOf(i int) access.Client {
	return access.Client{Address: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), Agent: "bench"}
}

// found the organisations. Their listings are published without review.
func (b *houseBench) found() (ids []access.OrganisationID, err error) {
	types, countries := []string{"university", "research-institute", "sme", "large-company"}, b.v.members
	for i := range b.Organisations {
		o, err := b.house().People.CreateOrganisation(access.Operator(b.m), access.OrganisationFields{
			Name: fmt.Sprintf("Organisation %06d", i), Type: types[i%len(types)], Size: "medium", Country: countries[i%len(countries)].Country,
			Contact: access.Contact{Name: "Desk", Email: fmt.Sprintf("desk%d@example.org", i)}, SelfPublish: true,
		})
		if err != nil {
			return nil, err
		}
		ids = append(ids, o.ID)
	}
	return ids, nil
}

// invite everybody: the first to each organisation edits, the others read.
func (b *houseBench) invite(ctx context.Context, organisations []access.OrganisationID) error {
	start, people := time.Now(), b.house().People
	first := max(0, b.Users-withPassword) // of those with a password
	secrets := make([]string, b.Users)
	for i := range b.Users {
		roles := []access.Role{access.Reader, access.Scout}[i%2:][:1]
		if i < b.Organisations {
			roles = []access.Role{access.Editor}
		}
		r := &resident{email: fmt.Sprintf("person%d@example.org", i)}
		var err error
		if secrets[i], _, err = people.Invite(access.Operator(b.m), r.email, organisations[i%b.Organisations], roles, "en"); err != nil {
			return err
		}
		b.people = append(b.people, r)
		if i%500 == 0 {
			b.say("%d invited", i)
		}
	}
	for from := 0; from < first; from += together {
		if err := b.accept(from, min(from+together, first)); err != nil {
			return err
		}
	}
	b.provided = time.Since(start)
	start = time.Now()
	_, err := timed(ctx, b.Users-first, 2, func(i int) error {
		r := b.people[first+i]
		s, err := people.Accept(ctx, secrets[first+i], access.NewAccount{Name: fmt.Sprintf("Person %d", first+i), Password: password}, addressOf(i))
		r.actor, r.secret = s.Actor, s.Secret
		return err
	})
	b.passwords, b.hashed = b.people[first:], time.Since(start)
	for _, r := range b.people[:min(withToken, b.Organisations)] {
		if err == nil {
			r.token, _, err = people.CreateToken(r.actor, r.actor.User, "bench", []access.Scope{access.ScopeRead, access.ScopeWrite}, 24*time.Hour)
		}
	}
	return err
}

// accept the invitations of some people together, as a provider's word does, and sign them in.
func (b *houseBench) accept(from, to int) error {
	people := b.house().People
	return b.house().Store.Update(func(tx *store.Tx) error {
		for i := from; i < to; i++ {
			r := b.people[i]
			id, err := people.AcceptFor(tx, r.email, fmt.Sprintf("Person %d", i))
			if err != nil {
				return err
			}
			s, err := people.SignInAs(tx, id, "passkey", addressOf(i))
			if err != nil {
				return err
			}
			r.actor, r.secret = s.Actor, s.Secret
		}
		return nil
	})
}

// signing in with right passwords, by ever more clients at once.
func (b *houseBench) signing(ctx context.Context) error {
	t := newColumns(b.Out, "\nsigning in with a password, so many at once", "/s", "p50 ms", "p99 ms", "let in", "refused")
	for _, clients := range []int{1, 4, 16, 64, 256} {
		b.say("%d sign in", clients)
		clients = min(clients, len(b.passwords))
		var refused, in atomic.Int64
		waits := make([]time.Duration, max(min(200, b.Questions), clients))
		start := time.Now()
		_, err := timed(ctx, len(waits), clients, func(i int) error {
			r, began := b.passwords[i%len(b.passwords)], time.Now()
			_, err := b.house().People.SignIn(ctx, r.email, password, addressOf(i))
			switch {
			case err == nil:
				in.Add(1)
				waits[i] = time.Since(began)
			case protocol.CodeOf(err) == protocol.CodeUnavailable:
				refused.Add(1)
				err = nil
			}
			return err
		})
		if err != nil {
			return err
		}
		took := time.Since(start)
		waits = slices.DeleteFunc(waits, func(d time.Duration) bool { return d == 0 })
		slices.Sort(waits)
		t.row(fmt.Sprint(clients), fmt.Sprintf("%.1f", float64(in.Load())/took.Seconds()), ms(p50(waits)), ms(p99(waits)), fmt.Sprint(in.Load()), fmt.Sprint(refused.Load()))
	}
	b.say("")
	return t.w.Flush()
}
