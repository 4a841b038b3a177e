package ui

import (
	"math"
	"net/http"
	"time"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

// federationPage tells of every member how far this node's copy of its catalogue can be trusted.
type federationPage struct {
	frame
	Members   []memberRow
	Connected int
	Proven    int
	Faults    []string // of this node
	Warnings  []string
	Details   []memberPart
}

type memberRow struct {
	ID, Name, Country, Role string
	Self, Connected         bool
	State                   freshness
	StateName               string
	Why                     string
	Position, Behind        string
	Digest, DigestWhole     string
	Records, Listings       string
	Unusable                string
	Heard, HeardAt          string
	Lease, LeaseAt          string
	URL, Search             string
}

func (s *site) federation(*http.Request) (view, error) {
	health := s.cfg.Desk.Health()
	p := federationPage{frame: s.frame("federation", "Federation"), Faults: health.Faults, Warnings: health.Warnings}
	now := s.cfg.Now()
	for _, m := range s.cfg.Desk.Members() {
		p.Members = append(p.Members, row(m, now))
		if m.Connected {
			p.Connected++
		}
		if m.State == exchange.Own || m.State == exchange.Proven {
			p.Proven++
		}
		d, err := s.cfg.Desk.Member(m.ID)
		if protocol.CodeOf(err) == protocol.CodeNotFound {
			continue // it left just now
		}
		if err != nil {
			return view{}, err
		}
		p.Details = append(p.Details, part(d))
	}
	return view{"federation", p, http.StatusOK}, nil
}

func row(m exchange.MemberState, now time.Time) memberRow {
	r := memberRow{
		ID: string(m.ID), Name: m.Name, Role: m.Role, Self: m.Self, Connected: m.Connected || m.Self, State: fresh(freshnessOf(m), now),
		StateName: stateName(m.State), Why: m.Why, Position: m.Position.String(), Digest: "–", Records: number(int(m.Records)),
		Listings: number(m.Listings), Heard: "never", Lease: "–", URL: m.URL, Search: "/?origin=" + string(m.ID),
	}
	if m.Self {
		r.State.Long = "This node is the origin: what it holds is the catalogue."
	}
	if m.State == exchange.Unheard { // missing, not zero
		r.Position, r.Records, r.Listings = "–", "", "–"
	}
	if m.Country != "" {
		r.Country = label(codes.Country(), string(m.Country))
	}
	if r.Name == "" {
		r.Name = r.ID
	}
	if m.Digest != (protocol.Hash{}) {
		r.Digest, r.DigestWhole = m.Digest.Short(), m.Digest.String()
	}
	if m.Lag > 0 {
		r.Behind = count(int(min(m.Lag, math.MaxInt32)), "change") + " behind " + m.Claimed.String()
	}
	if m.Unusable > 0 {
		r.Unusable = number(m.Unusable) + " unusable"
	}
	if m.LastHeard != 0 {
		r.Heard, r.HeardAt = ago(now.Sub(m.LastHeard.Time())), m.LastHeard.Time().Format(time.RFC3339)
	}
	if m.LeaseUntil != 0 {
		r.LeaseAt = m.LeaseUntil.Time().Format(time.RFC3339)
		if left := m.LeaseUntil.Time().Sub(now); left > 0 {
			r.Lease = "until " + moment(m.LeaseUntil)
		} else {
			r.Lease = "ended " + ago(-left)
		}
	}
	return r
}

func stateName(s exchange.CopyState) string {
	switch s {
	case exchange.Own:
		return "Own catalogue"
	case exchange.Proven:
		return "Proven"
	case exchange.CatchingUp:
		return "Catching up"
	case exchange.Stale:
		return "Stale"
	case exchange.Disputed:
		return "Disputed"
	default:
		return "Never heard"
	}
}
