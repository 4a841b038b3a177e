package posting

import (
	"slices"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
)

// Action changes a posting.
type Action string

// The actions. Pass, Return and Reject follow from a review's scores, as Clear and Fault from an audit's; Publish from
// submitting where the organisation publishes by itself.
const (
	Create    Action = "create"
	Edit      Action = "edit"
	Discard   Action = "discard"
	Submit    Action = "submit"
	Publish   Action = "publish"
	Recall    Action = "recall" // a submission that nobody has taken yet
	Take      Action = "take"
	Release   Action = "release"
	HandOver  Action = "hand-over"
	TakeAway  Action = "take-away" // by an administrator, from a reviewer who is absent
	Pass      Action = "pass"
	Return    Action = "return"
	Reject    Action = "reject"
	Renew     Action = "renew"
	Hold      Action = "hold"
	Lift      Action = "lift"
	Withdraw  Action = "withdraw"
	Supersede Action = "supersede"
	Revoke    Action = "revoke"
	Inspect   Action = "inspect" // take a published listing that is to be audited
	PassOn    Action = "pass-on" // an audit, to another reviewer
	Clear     Action = "clear"
	Fault     Action = "fault"
	Adopt     Action = "adopt" // after a restore, from the catalogue
)

// Actions that change a posting which is there, in the order of the table.
func Actions() []Action {
	var all []Action
	for _, r := range table() {
		if !slices.Contains(all, r.action) {
			all = append(all, r.action)
		}
	}
	return all
}

const same State = "same"

// rule says from which states an action leads where, and who may. A nil list is any state.
type rule struct {
	action                   Action
	who                      access.Action
	live, draft, audit       []State
	toLive, toDraft, toAudit State
}

func final() []State { return []State{Withdrawn, Superseded, Revoked} }

func table() []rule {
	open, up := []State{None, Published, OnHold}, []State{Published, OnHold}
	one := func(s State) []State { return []State{s} }
	still := []State{None, Draft, Rejected} // the draft beside what is audited
	return []rule{
		{Edit, access.EditDraft, open, []State{None, Draft}, nil, same, Draft, same},
		{Discard, access.DiscardDraft, open, []State{Draft, Rejected}, nil, same, None, same},
		{Submit, access.SubmitDraft, open, one(Draft), nil, same, Submitted, None}, // the review is of all of it
		{Publish, access.SubmitDraft, []State{None, Published}, one(Draft), nil, Published, None, same},
		{Publish, access.SubmitDraft, one(OnHold), one(Draft), nil, same, None, same},
		{Recall, access.SubmitDraft, open, one(Submitted), nil, same, Draft, same},

		{Take, access.ReviewPosting, open, []State{Submitted, InReview}, nil, same, InReview, same},
		{Release, access.ReviewPosting, open, one(InReview), nil, same, Submitted, same},
		{Release, access.ReviewPosting, up, still, one(InReview), same, same, Due},
		{TakeAway, access.ReassignPosting, open, one(InReview), nil, same, Submitted, same},
		{TakeAway, access.ReassignPosting, up, still, one(InReview), same, same, Due},
		{HandOver, access.ReviewPosting, open, one(InReview), nil, same, same, same},
		{Pass, access.ReviewPosting, []State{None, Published}, one(InReview), nil, Published, None, same},
		{Pass, access.ReviewPosting, one(OnHold), one(InReview), nil, same, None, same},
		{Return, access.ReviewPosting, open, one(InReview), nil, same, Draft, same},
		{Reject, access.ReviewPosting, open, one(InReview), nil, same, Rejected, same},

		{Renew, access.RenewPosting, one(Published), nil, nil, same, same, same},
		{Hold, access.HoldPosting, one(Published), nil, nil, OnHold, same, same},
		{Lift, access.HoldPosting, one(OnHold), nil, nil, Published, same, same},
		{Withdraw, access.WithdrawPosting, up, nil, nil, Withdrawn, None, None},
		{Supersede, access.WithdrawPosting, up, nil, nil, Superseded, None, None},
		{Revoke, access.RevokePosting, up, nil, nil, Revoked, None, None},

		{Inspect, access.ReviewPosting, up, nil, []State{Due, InReview}, same, same, InReview},
		{PassOn, access.ReviewPosting, up, nil, one(InReview), same, same, same},
		{Clear, access.ReviewPosting, up, nil, one(InReview), same, same, None},
		{Fault, access.ReviewPosting, up, nil, one(InReview), same, same, None},
	}
}

// find the rule for an action on a posting as it stands.
//
// Errors: CodeConflict, saying what to do instead.
func find(action Action, p *Posting) (rule, error) {
	for _, r := range table() {
		if r.action == action && in(r.live, p.Live) && in(r.draft, p.Draft) && in(r.audit, p.Audit) {
			return r, nil
		}
	}
	return rule{}, protocol.Errorf(protocol.CodeConflict, "state", "%s", advice(action, p))
}

func in(list []State, s State) bool { return list == nil || slices.Contains(list, s) }

// who may do it, whatever the state.
func who(action Action) access.Action {
	for _, r := range table() {
		if r.action == action {
			return r.who
		}
	}
	return "" // which no rule of access allows
}

// advice says what the matter is with the posting, and the next step.
func advice(action Action, p *Posting) string {
	ofDraft := slices.Contains([]Action{Edit, Discard, Submit, Publish, Recall, Take, Release, HandOver, Pass, Return, Reject}, action)
	switch {
	case p.Ended():
		return "the listing has ended: write a new one"
	case (action == Release || action == TakeAway) && p.Draft != InReview:
		return "the listing is with no reviewer now: load the page again"
	case slices.Contains([]Action{Inspect, PassOn, Clear, Fault}, action):
		return "the listing is not taken for an audit: choose one from the list of audits"
	case !ofDraft && p.Live == None:
		return "the listing was never published: submit its draft, or discard it"
	case action == Lift:
		return "the listing is not on hold: nothing is to be done"
	case !ofDraft:
		return "the listing is on hold: lift the hold first"
	case p.Draft == None:
		return "the listing has no draft: edit it first"
	case p.Draft == Draft:
		return "the listing is a draft: submit it first"
	case p.Draft == Submitted:
		return "the listing waits for its review: recall it to change it, or take it to review it"
	case p.Draft == InReview:
		return "the listing is in review: wait for the decision, or ask the reviewer to release it"
	}
	return "the listing was rejected: discard it, and write a new draft"
}

// move takes the posting along the rule.
func (r rule) move(p *Posting) {
	for _, x := range []struct {
		state *State
		to    State
	}{{&p.Live, r.toLive}, {&p.Draft, r.toDraft}, {&p.Audit, r.toAudit}} {
		if x.to != same {
			*x.state = x.to
		}
	}
}
