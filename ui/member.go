package ui

import (
	"fmt"
	"math"
	"slices"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

// memberPart tells of one member what the table has no room for.
type memberPart struct {
	ID, Name, Short string
	Tone            string
	Open            bool   // there is something that people should read
	Copy, Elsewhere string // of its catalogue here, and of this node's there
	Anew, Damage    string
	Forks           []contradiction
	Epochs          []epochPart
	Faults          []string
}

type contradiction struct {
	Text       string
	One, Other changeName
}

type epochPart struct {
	Text, Note string
	Void       []changeName
	More       string
}

// changeName names a signed change for people.
type changeName struct{ Position, What, Key, Lang, Title, Hash string }

func part(d exchange.MemberDetail) memberPart {
	p := memberPart{
		ID: string(d.ID), Name: d.Name, Short: stateName(d.State), Tone: tone(d.State),
	}
	disputed := d.State == exchange.Disputed || slices.ContainsFunc(d.Forks, func(f exchange.Fork) bool { return !f.Over })
	p.Open = disputed || d.Damage != ""
	if p.Name == "" {
		p.Name = p.ID
	}
	switch {
	case d.Self && disputed:
		p.Copy = "This node is the origin. Its catalogue is disputed, and every member holds it frozen until its operator opens a new epoch."
	case d.Self:
		p.Copy = "This node is the origin."
	case d.State == exchange.Unheard:
		p.Copy = "Nothing of its catalogue is held here."
	case d.State == exchange.Disputed:
		p.Copy = "Its catalogue is frozen as of " + d.Position.String() + ", before its two histories part. Newer changes are taken only when it opens a new epoch."
	case d.Proven && d.Lag == 0:
		p.Copy = "What is held here equals what it signed, up to " + d.Position.String() + ". Nothing newer is known of."
	case d.Proven:
		p.Copy = fmt.Sprintf("What is held here equals what it signed, up to %s. It was seen to have signed up to %s: %s still to come.", d.Position, d.Claimed, changes(d.Lag))
	default:
		p.Copy = fmt.Sprintf("What it signed up to %s was proven here. Newer changes, known of up to %s, are being fetched.", d.Position, d.Claimed)
	}
	if !d.Self && d.State != exchange.Unheard {
		switch {
		case d.Acknowledged == (protocol.Position{}):
			p.Elsewhere = "It has not said yet since the start of this node how far it holds this node's catalogue."
		case d.Unacknowledged == 0:
			p.Elsewhere = "It holds this node's whole catalogue, as it says."
		default:
			p.Elsewhere = fmt.Sprintf("It holds this node's catalogue up to %s, as it says: %s are not there yet.", d.Acknowledged, changes(d.Unacknowledged))
		}
	}
	if s := d.Staging; s != nil {
		p.Anew = fmt.Sprintf("Its catalogue is being drawn from the beginning, so far from a state of %s, beside the copy shown, which stays until the new one is proven.", s.Drawn)
	}
	if d.Damage != "" {
		p.Damage = "The disk of this node damaged its copy. It is drawn anew from other members, and some listings may be missing until then."
	}
	for _, f := range d.Forks {
		p.Forks = append(p.Forks, contradict(f))
	}
	for _, e := range d.Epochs {
		p.Epochs = append(p.Epochs, opened(e))
	}
	for _, f := range d.Faults {
		p.Faults = append(p.Faults, fmt.Sprintf("%s: %s", faultInWords(f.Code), count(int(min(f.Count, math.MaxInt32)), "time")))
	}
	return p
}

func changes(n uint64) string { return count(int(min(n, math.MaxInt32)), "change") }

func tone(s exchange.CopyState) string {
	switch s {
	case exchange.Own, exchange.Proven:
		return "good"
	case exchange.CatchingUp:
		return "wait"
	}
	return "bad"
}

func contradict(f exchange.Fork) contradiction {
	c := contradiction{One: name(f.One), Other: name(f.Other)}
	c.Text = "It signed two different changes at position " + f.One.Position.String() + ". Only one of them can be true."
	if f.One.Position != f.Other.Position {
		c.Text = fmt.Sprintf("Its change at %s does not follow the one at %s, which it signed too. They belong to different histories.", f.Other.Position, f.One.Position)
	}
	if f.Over {
		c.Text += " It ended this later with a new epoch."
	}
	return c
}

func name(c exchange.SignedChange) changeName {
	n := changeName{Position: c.Position.String(), Key: string(c.Key), Lang: string(c.Lang), Title: c.Title, Hash: c.Header.Short()}
	switch c.Kind {
	case "put":
		n.What = "published or revised"
	case "withdraw":
		n.What = "withdrew"
	default:
		n.What = "opened an epoch:"
	}
	return n
}

func opened(e exchange.Epoch) epochPart {
	why := "for a reason that this program does not know"
	switch e.Reason {
	case "loss":
		why = "because changes were lost that no member held any more"
	case "fork":
		why = "because two different histories had been signed"
	case "key":
		why = "because the key that signs its changes was stolen"
	}
	void := "What contradicts that, or was signed after it, up to " + e.Last.String() + ", is void."
	if e.Last == e.Base {
		void = "What contradicts that is void."
	}
	p := epochPart{Text: fmt.Sprintf("Epoch %d, opened %s %s. Its catalogue went on from %s. %s", e.Position.Epoch, moment(e.OpenedAt), why, e.Base, void), Note: e.Note}
	for _, v := range e.Void {
		p.Void = append(p.Void, name(v))
	}
	if span := e.Last.Seq - min(e.Base.Seq, e.Last.Seq); span > uint64(len(e.Void)) {
		p.More = "There may be others that nobody showed when it was opened."
	}
	return p
}

// faultInWords says what a member's node did; a code that has no words stands for itself.
func faultInWords(code string) string {
	for _, w := range [][2]string{
		{"signature", "Passed on something whose signature does not verify"},
		{"holder", "Claimed to hold more than it showed, or answered against the rules"},
		{"unproven", "Showed a catalogue that does not add up to what the origin signed"},
		{"gossip-rate", "Sent more messages than its share"},
		{"origin-changes", "Published faster than its share"},
		{"origin-heads", "Sent more statements than its share"},
		{"origin-evidence", "Caused more evidence than its share"},
		{"request-rate", "Asked more often than its share"},
		{"request-crowd", "Asked too much at a time"},
		{"request-slow", "Opened a request and did not finish it"},
		{"answer-unread", "Did not read what it had asked for"},
		{"answer-slow", "Answered too slowly, or not at all"},
		{"answer-endless", "Answered without end"},
	} {
		if w[0] == code {
			return w[1]
		}
	}
	return "Sent something that breaks the rules (" + code + ")"
}
