package record

import (
	"context"
	"crypto/rand"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
)

// ask signs what this node asserts of the actor and sends it. Own time is shorter than the caller's, so that somebody waits for the
// copy no longer than need be.
func (r *Reader) ask(ctx context.Context, ref Ref, a access.Actor, level protocol.Level, copied bool) (*protocol.RecordAnswer, error) {
	e, err := r.entitlement(ref, a, level)
	if err != nil {
		return nil, err
	}
	within := askTime
	if copied {
		within = askTimeShort
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return r.cfg.Network.FetchParts(ctx, ref.Origin, e)
}

// entitlement says of the actor what the level's rule looks at, and no more.
func (r *Reader) entitlement(ref Ref, a access.Actor, level protocol.Level) (*protocol.SignedEntitlement, error) {
	roster := r.server.cfg.Roster()
	x := protocol.Entitlement{
		Federation: roster.Federation(), Member: r.member, CharterVersion: roster.Charter().Version, Origin: ref.Origin,
		RecordKey: ref.ID.Key(), Level: level, IssuedAt: protocol.InstantOf(r.server.cfg.Now()),
	}
	_, _ = rand.Read(x.Nonce[:]) // never fails
	if level != protocol.LevelPublic {
		x.Reader = protocol.Pseudonym(r.cfg.Secret, "reader", ref.Origin, readerID(a))
	}
	if level.Covers(protocol.LevelRestricted) && a.Organisation != "" {
		x.Organisation = protocol.Pseudonym(r.cfg.Secret, "organisation", ref.Origin, string(a.Organisation))
		x.OrganisationType, x.Country = a.OrganisationType, a.Country
	}
	if level == protocol.LevelInvited {
		var err error
		if x.ReaderInvitee, err = r.personInvitee(a, ref); err != nil {
			return nil, err
		}
		x.OrganisationInvitee = organisationInvitee(a, ref.Origin, ref.ID)
	}
	return r.cfg.Sign(x)
}

func (r *Reader) personInvitee(a access.Actor, ref Ref) (protocol.Hash, error) {
	if r.cfg.Email == nil || a.User == "" {
		return protocol.Hash{}, nil
	}
	email, err := r.cfg.Email(a.User)
	if err != nil || email == "" {
		return protocol.Hash{}, err
	}
	return protocol.Invitee(ref.Origin, ref.ID.Key(), a.Member, normal(email)), nil
}
