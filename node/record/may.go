package record

import (
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
)

// Ref names a listing. It converts to and from match.Ref.
type Ref struct {
	Origin protocol.MemberID
	ID     protocol.ListingID
}

// nothing is the one answer about what is not there, is there no more, or is there for others only: it must not tell which.
func nothing() *protocol.Error {
	return protocol.Errorf(protocol.CodeNotFound, "id", "there is no such record, or not for you")
}

// may asks the rules whether the actor reads what is shown from a level on.
func may(a access.Actor, level protocol.Level, r access.Resource) error {
	switch level {
	case protocol.LevelPublic:
		return access.Can(a, access.ReadPublic, r)
	case protocol.LevelRegistered:
		return access.Can(a, access.ReadRegistered, r)
	case protocol.LevelRestricted:
		return access.Can(a, access.ReadRestricted, r)
	case protocol.LevelInvited:
		return access.Can(a, access.ReadInvited, r)
	}
	return access.Can(a, "", r)
}

// entitled are those of the parts that the actor may see. why is what forbids the first of the others.
func entitled(a access.Actor, parts []*protocol.Part, r access.Resource) (seen []*protocol.Part, why error) {
	for _, p := range parts {
		err := mayPart(a, p, r)
		if err == nil {
			seen = append(seen, p)
		} else if why == nil {
			why = err
		}
	}
	return seen, why
}

func mayPart(a access.Actor, p *protocol.Part, r access.Resource) error {
	if p.Level == protocol.LevelRestricted {
		r.Audience = audienceOf(p)
	}
	return may(a, p.Level, r)
}

func audienceOf(p *protocol.Part) *access.Audience {
	a := &access.Audience{Types: p.Record.Audience.Types}
	for _, c := range p.Record.Audience.Countries {
		a.Countries = append(a.Countries, string(c))
	}
	return a
}

// top is the highest level of the parts, which ascend.
func top(parts []*protocol.Part) protocol.Level {
	if len(parts) == 0 {
		return ""
	}
	return parts[len(parts)-1].Level
}
