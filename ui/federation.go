package ui

import (
	"html/template"
	"math"
	"net/http"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// federationPage tells of every member how far this node's copy of its catalogue can be trusted.
type federationPage struct {
	frame
	Members   []memberRow
	Map       federationMap
	Connected int
	Proven    int
	Faults    []template.HTML // of this node
	Warnings  []template.HTML
	Details   []memberPart
	Recorded  bool      // this node writes down how the federation stands
	Over      *overTime // nil: nothing is written down yet
}

type memberRow struct {
	ID                  string
	Name                lang.Text
	Country             template.HTML
	Secretariat         bool
	Self, Connected     bool
	Class               string
	State, Says         template.HTML
	Position            string
	Behind              template.HTML
	Digest, DigestWhole string
	Known               bool // something was received: the numbers are numbers
	Records, Listings   int
	Unusable            int
	Heard, Lease        template.HTML
	HeardAt, LeaseAt    string
	URL, Search         string
}

func (s *site) federation(r *http.Request) (view, error) {
	health, say := s.cfg.Desk.Health(), printer(r)
	p := federationPage{frame: s.frame(r, "federation", say.T("nav.federation"))}
	for _, f := range health.Faults {
		p.Faults = append(p.Faults, stated(say, f))
	}
	for _, w := range health.Warnings {
		p.Warnings = append(p.Warnings, stated(say, w))
	}
	now, members := s.cfg.Now(), s.cfg.Desk.Members()
	for _, m := range members {
		p.Members = append(p.Members, row(say, m, now))
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
		p.Details = append(p.Details, part(say, d))
	}
	p.Map, p.Recorded = s.land.drawn(say, members), s.cfg.History != nil
	over, err := s.overTime(r, members)
	if err != nil { // the page is worth showing without it
		s.cfg.Log.Warn("history not read", "error", err)
	}
	p.Over = over
	return view{"federation", p, http.StatusOK}, nil
}

func row(p *lang.Printer, m exchange.MemberState, now time.Time) memberRow {
	f := fresh(p, freshnessOf(m), now)
	r := memberRow{
		ID: string(m.ID), Name: memberText(p, m), Country: named(p, "country", string(m.Country)), Secretariat: m.Role == "secretariat",
		Self: m.Self, Connected: m.Connected || m.Self, Class: f.Class, State: stateName(p, m.State), Says: f.Long, Position: m.Position.String(),
		Known: m.State != exchange.Unheard, Records: int(min(m.Records, math.MaxInt32)), Listings: m.Listings, Unusable: m.Unusable,
		Heard: p.HTML("word.never"), URL: m.URL, Search: "/?origin=" + string(m.ID),
	}
	switch {
	case m.Self:
		r.Says = p.HTML("federation.self")
	case m.Why != "" && m.State == exchange.CatchingUp && m.Lag > 0:
		r.Says = p.HTMLN("federation.to-come", int(min(m.Lag, math.MaxInt32)))
	}
	if m.Digest != (protocol.Hash{}) {
		r.Digest, r.DigestWhole = m.Digest.Short(), m.Digest.String()
	}
	if m.Lag > 0 {
		r.Behind = p.HTMLN("federation.behind", int(min(m.Lag, math.MaxInt32)), "Position", m.Claimed.String())
	}
	if m.LastHeard != 0 {
		r.Heard, r.HeardAt = p.Say(p.AgoText(now.Sub(m.LastHeard.Time()))), m.LastHeard.Time().Format(time.RFC3339)
	}
	if m.LeaseUntil != 0 {
		r.LeaseAt = m.LeaseUntil.Time().Format(time.RFC3339)
		if left := m.LeaseUntil.Time().Sub(now); left > 0 {
			r.Lease = p.HTML("when.until", "Date", p.Moment(m.LeaseUntil))
		} else {
			r.Lease = p.HTML("federation.lease-ended", "Ago", p.AgoText(-left))
		}
	}
	return r
}

// stateName is a state in one or two words.
func stateName(p *lang.Printer, s exchange.CopyState) template.HTML {
	return p.HTML("federation.state." + classOf(s))
}
