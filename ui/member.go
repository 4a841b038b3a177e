package ui

import (
	"html/template"
	"math"
	"slices"
	"strconv"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// memberPart tells of one member what the table has no room for.
type memberPart struct {
	ID              string
	Name            lang.Text
	Class           string
	Short           template.HTML
	Open            bool          // there is something that people should read
	Copy, Elsewhere template.HTML // of its catalogue here, and of this node's there
	Anew, Damage    template.HTML
	Forks           []contradiction
	Epochs          []epochPart
	Faults          []template.HTML
}

type contradiction struct {
	Text       template.HTML
	Over       bool
	One, Other changeName
}

type epochPart struct {
	Text template.HTML
	Note string
	Void []changeName
	More bool
}

// changeName names a signed change for people.
type changeName struct {
	Position, Key, Lang, Title, Hash string
	What                             template.HTML
}

func part(say *lang.Printer, d exchange.MemberDetail) memberPart {
	p := memberPart{ID: string(d.ID), Name: memberText(say, d.MemberState), Short: stateName(say, d.State), Class: classOf(d.State)}
	disputed := d.State == exchange.Disputed || slices.ContainsFunc(d.Forks, func(f exchange.Fork) bool { return !f.Over })
	p.Open = disputed || d.Damage != ""
	p.Copy = copyOf(say, d, disputed)
	if !d.Self && d.State != exchange.Unheard {
		switch {
		case d.Acknowledged == (protocol.Position{}):
			p.Elsewhere = say.HTML("federation.there.unsaid")
		case d.Unacknowledged == 0:
			p.Elsewhere = say.HTML("federation.there.whole")
		default:
			p.Elsewhere = say.HTMLN("federation.there.part", bounded(d.Unacknowledged), "Position", d.Acknowledged.String())
		}
	}
	if s := d.Staging; s != nil {
		p.Anew = say.HTML("federation.anew-says", "Position", s.Drawn.String())
	}
	if d.Damage != "" {
		p.Damage = say.HTML("federation.damage-says")
	}
	for _, f := range d.Forks {
		p.Forks = append(p.Forks, contradict(say, f))
	}
	for _, e := range d.Epochs {
		p.Epochs = append(p.Epochs, opened(say, e))
	}
	for _, f := range d.Faults {
		p.Faults = append(p.Faults, say.HTMLN("federation.fault-times", bounded(f.Count), "Fault", faultInWords(say, f.Code)))
	}
	return p
}

// copyOf says how this node's copy of a catalogue stands.
func copyOf(say *lang.Printer, d exchange.MemberDetail, disputed bool) template.HTML {
	here, claimed := d.Position.String(), d.Claimed.String()
	switch {
	case d.Self && disputed:
		return say.HTML("federation.copy.own-disputed")
	case d.Self:
		return say.HTML("federation.copy.own")
	case d.State == exchange.Unheard:
		return say.HTML("federation.copy.none")
	case d.State == exchange.Disputed:
		return say.HTML("federation.copy.disputed", "Position", here)
	case d.Proven && d.Lag == 0:
		return say.HTML("federation.copy.whole", "Position", here)
	case d.Proven:
		return say.HTMLN("federation.copy.proven", bounded(d.Lag), "Position", here, "Claimed", claimed)
	}
	return say.HTML("federation.copy.fetching", "Position", here, "Claimed", claimed)
}

func bounded[N ~uint64 | ~int](n N) int { return int(min(n, math.MaxInt32)) }

func contradict(say *lang.Printer, f exchange.Fork) contradiction {
	c := contradiction{One: name(say, f.One), Other: name(say, f.Other), Over: f.Over}
	c.Text = say.HTML("federation.fork.same", "Position", f.One.Position.String())
	if f.One.Position != f.Other.Position {
		c.Text = say.HTML("federation.fork.parted", "Position", f.Other.Position.String(), "Before", f.One.Position.String())
	}
	return c
}

func name(say *lang.Printer, c exchange.SignedChange) changeName {
	n := changeName{Position: c.Position.String(), Key: string(c.Key), Lang: string(c.Lang), Title: c.Title, Hash: c.Header.Short()}
	switch c.Kind {
	case "put", "withdraw":
		n.What = say.HTML("federation.change." + c.Kind)
	default:
		n.What = say.HTML("federation.change.epoch")
	}
	return n
}

func opened(say *lang.Printer, e exchange.Epoch) epochPart {
	why := "unknown"
	switch e.Reason {
	case "loss", "fork", "key":
		why = e.Reason
	}
	p := epochPart{Note: e.Note}
	p.Text = say.HTML("federation.epoch."+why, "Epoch", strconv.FormatUint(e.Position.Epoch, 10), "Date", say.Moment(e.OpenedAt), "Base", e.Base.String())
	if e.Last == e.Base {
		p.Text += " " + say.HTML("federation.epoch.void")
	} else {
		p.Text += " " + say.HTML("federation.epoch.void-to", "Last", e.Last.String())
	}
	for _, v := range e.Void {
		p.Void = append(p.Void, name(say, v))
	}
	p.More = e.Last.Seq-min(e.Base.Seq, e.Last.Seq) > uint64(len(e.Void))
	return p
}

// faultInWords says what a member's node did; a code that has no words stands for itself.
func faultInWords(say *lang.Printer, code string) template.HTML {
	switch code {
	case "signature", "holder", "unproven", "gossip-rate", "origin-changes", "origin-heads", "origin-evidence", "request-rate", "request-crowd",
		"request-slow", "answer-unread", "answer-slow", "answer-endless":
		return say.HTML("federation.fault." + code)
	}
	return say.HTML("federation.fault.other", "Code", code)
}
