package exchange

import (
	"bytes"
	"context"
	"time"

	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
)

// Catalogue is what the desk reads: the federated catalogue as this node holds it.
type Catalogue interface {
	// Record is the newest change of a listing, nil where there is none.
	Record(ref match.Ref) (*protocol.Change, error)
	// Scan calls f for the newest change of every listing from a place on, in the order of (origin, id), until f reports
	// false.
	Scan(from match.Ref, f func(*protocol.Change) bool) error
	Members() []MemberState
	// MemberState is one of Members, without looking at all: one listing is what is asked for most.
	MemberState(id protocol.MemberID) (s MemberState, known bool)
	// Member tells more of one; CodeNotFound where there is no such member.
	Member(id protocol.MemberID) (MemberDetail, error)
	Figures() stats.Report
	Health() Health
}

// Journal is where the desk writes: this node's own catalogue. Append returns when all is durable, one Written for every
// intent and in their order. Many or large intents take several transactions, in their order, each durable by itself: after
// an error those at the beginning may have been written and stay so, and the same intents can be appended again.
type Journal interface {
	Append(ctx context.Context, intents []Intent) ([]Written, error)
}

// Intent is a change that somebody wants. Decide is called in the writing transaction with the record as it stands, nil
// for none, and the full record that is kept with it (protocol.EncodeRecord), and says what to sign; nil for nothing.
type Intent struct {
	Key    protocol.RecordKey
	Decide func(current *protocol.Change, full []byte) (*Act, error)
	Ends   []byte // of a final withdrawal, its tombstone: for a hold that has left the set already
}

// Act is what is to be signed; with a zero Kind nothing is, and Full alone is kept.
type Act struct {
	Kind protocol.ChangeKind
	Body []byte
	Full []byte // the full record to keep with a listing; nil leaves what is there, an empty one deletes it
}

// Keeps says which full record is kept after the act, nil for none, and whether that changes what there is.
func (a *Act) Keeps() (full []byte, changes bool) {
	if a.Kind == protocol.Withdraw || a.Full != nil && len(a.Full) == 0 {
		return nil, true
	}
	return a.Full, a.Full != nil
}

// Written is what became of an intent. Err is its own refusal.
type Written struct {
	Header  *protocol.SignedHeader // of the record as it stands now, nil where there is none
	Signed  bool
	Existed bool
	Err     error
}

// Engine is the match index.
type Engine interface {
	Match(ctx context.Context, q match.Query) (match.Answer, error)
	// Suggest completes what is being typed, at most n times, the best first.
	Suggest(typed string, n int) []match.Suggestion
}

// Desk is what people and programs ask of a node.
type Desk struct {
	Catalogue
	journal Journal
	engine  Engine
	member  protocol.MemberID
	now     func() time.Time
}

// NewDesk of the node of member. now tells the wall clock.
func NewDesk(member protocol.MemberID, c Catalogue, j Journal, e Engine, now func() time.Time) *Desk {
	return &Desk{Catalogue: c, journal: j, engine: e, member: member, now: now}
}

func (d *Desk) today() protocol.Date { return protocol.DateOf(d.now()) }

// Publication is a listing with the full record that stays at its origin. A revision without a full record keeps the one
// that is there and its links; one without a published date keeps the date, unless that is still to come. A listing that
// comes without a record and names parts of one is believed: whoever keeps the record has split it.
type Publication struct {
	Listing *protocol.Listing
	Record  *protocol.Record
}

// Publish creates or revises a listing of this node. Publishing what is there already signs nothing.
func (d *Desk) Publish(ctx context.Context, l *protocol.Listing) (Receipt, error) {
	r, err := d.PublishAll(ctx, []Publication{{Listing: l}})
	if err != nil {
		return Receipt{}, err
	}
	return r[0].Receipt, r[0].Err
}

// Result is the receipt of one publication of several, or why it was refused.
type Result struct {
	Receipt
	Err error
}

// PublishAll publishes several listings, which are all durable when it returns. A refusal of one does not touch the
// others. After an error those at the beginning may be published: sending all again signs only what is missing.
func (d *Desk) PublishAll(ctx context.Context, all []Publication) ([]Result, error) {
	results := make([]Result, len(all))
	intents := make([]Intent, 0, len(all))
	at := make([]int, 0, len(all))
	for i, p := range all {
		if err := check(p); err != nil {
			results[i].Err = err
			continue
		}
		intents = append(intents, d.publication(p))
		at = append(at, i)
	}
	if len(intents) == 0 {
		return results, nil
	}
	written, err := d.journal.Append(ctx, intents)
	if err != nil {
		return nil, err
	}
	for i, w := range written {
		results[at[i]] = d.receipt(all[at[i]].Listing.ID, w)
	}
	return results, nil
}

func check(p Publication) error {
	if p.Record != nil {
		if p.Record.Visibility() == protocol.LevelInvited {
			return protocol.Errorf(protocol.CodeValue, "full_record.level", "a listing shown by invitation only is not in the catalogue: post it on the node's pages, or choose another level")
		}
		if err := p.Record.Validate(); err != nil {
			return err
		}
	}
	return p.Listing.Validate()
}

func (d *Desk) receipt(id protocol.ListingID, w Written) Result {
	r := Result{Err: w.Err}
	r.Ref = match.Ref{Origin: d.member, ID: id}
	if w.Err != nil || w.Header == nil {
		return r
	}
	r.Position, r.Header = w.Header.Pos, w.Header.Raw
	switch {
	case !w.Signed:
		r.Outcome = Unchanged
	case w.Header.Kind == protocol.Withdraw:
		r.Outcome = Removed
	case w.Existed:
		r.Outcome = Revised
	default:
		r.Outcome = Published
	}
	return r
}

func (d *Desk) publication(p Publication) Intent {
	return Intent{Key: p.Listing.ID.Key(), Decide: func(current *protocol.Change, held []byte) (*Act, error) {
		l := *p.Listing
		latest := d.today() + 1 // where the day begins earlier than in UTC it may be tomorrow already
		full, err := split(p.Record, &l, held)
		if err != nil {
			return nil, err
		}
		if current != nil {
			if current.Kind == protocol.Withdraw {
				t, err := protocol.DecodeTombstone(current.Body)
				if err != nil || t.Reason != protocol.OnHold {
					return nil, protocol.Errorf(protocol.CodeWithdrawn, "id", "%s was withdrawn, and a withdrawn id never returns: give the listing a new id", l.ID)
				}
				if l.Published == 0 && t.Published <= latest {
					l.Published = t.Published
				}
			} else if old, err := protocol.DecodeListing(current.Body); err == nil {
				if same(&l, old, p.Record != nil) {
					if full != nil && !bytes.Equal(full, held) { // its owner's settings are in no part
						return &Act{Full: full}, nil
					}
					return nil, nil
				}
				carryOver(&l, old, latest, p.Record != nil)
			}
		}
		if l.Published > latest {
			return nil, protocol.Errorf(protocol.CodeValue, "published", "%s is still to come: give the day of publication, %s at the latest, or leave it out", l.Published, latest)
		}
		if l.Published == 0 {
			l.Published = d.today()
		}
		l.Updated = protocol.InstantOf(d.now())
		if err := l.Validate(); err != nil {
			return nil, err
		}
		return &Act{Kind: protocol.Put, Body: l.Encode(), Full: full}, nil
	}}
}

// split names a record's parts in the listing and gives the form in which it is kept. What is unchanged since held keeps its
// hash, so that publishing the same again signs nothing.
func split(r *protocol.Record, l *protocol.Listing, held []byte) ([]byte, error) {
	if r == nil {
		return nil, nil
	}
	var before []*protocol.Part
	if held != nil {
		_, before, _ = protocol.DecodeRecord(held) // a damaged one is replaced
	}
	parts, err := r.Parts(l.ID, before, nil)
	if err != nil {
		return nil, err
	}
	l.BindFull(parts)
	if len(parts) == 0 {
		return []byte{}, nil
	}
	return protocol.EncodeRecord(r, parts), nil
}

// same reports whether l says what old said. What the desk fills in by itself does not count, unless l says it too. Of a full
// record l says something where it came with one, which may be empty.
func same(l, old *protocol.Listing, recorded bool) bool {
	a, b := *l, *old
	a.Updated, b.Updated = 0, 0
	if a.Published == 0 {
		b.Published = 0
	}
	if !a.HasFull() && !recorded {
		b.BindFull(nil)
	}
	return string(a.Encode()) == string(b.Encode())
}

// carryOver keeps in a revision what it does not say and the desk filled in before, except a date after latest.
func carryOver(l, old *protocol.Listing, latest protocol.Date, recorded bool) {
	if !recorded {
		l.KeepFull(old)
	}
	if l.Published == 0 && old.Published <= latest {
		l.Published = old.Published
	}
}

// Withdraw ends a listing of this node: for ever, or until it is published again where the reason is on-hold. Withdrawing
// twice is the same as once.
func (d *Desk) Withdraw(ctx context.Context, id protocol.ListingID, t protocol.Tombstone) (Receipt, error) {
	t.At = protocol.InstantOf(d.now())
	t.Kind, t.Country, t.Published = "", "", 0
	if err := t.Validate(); err != nil {
		return Receipt{}, err
	}
	if _, err := protocol.ParseListingID(string(id)); err != nil {
		return Receipt{}, err
	}
	intent := Intent{Key: id.Key(), Decide: func(current *protocol.Change, _ []byte) (*Act, error) {
		if current == nil {
			return nil, protocol.Errorf(protocol.CodeNotFound, "id", "%s holds no listing %s", d.member, id)
		}
		if current.Kind == protocol.Withdraw {
			held, err := protocol.DecodeTombstone(current.Body)
			if err != nil || held.Reason != protocol.OnHold || t.Reason == protocol.OnHold {
				return nil, nil //nolint:nilerr // a tombstone that does not decode stays as it is
			}
			t.Kind, t.Country, t.Published = held.Kind, held.Country, held.Published
			return &Act{Kind: protocol.Withdraw, Body: t.Encode()}, nil
		}
		if l, err := protocol.DecodeListing(current.Body); err == nil {
			t.Kind, t.Country, t.Published = l.Kind, l.Country, stats.PublishedOn(l)
		}
		return &Act{Kind: protocol.Withdraw, Body: t.Encode()}, nil
	}}
	if t.Reason != protocol.OnHold {
		intent.Ends = t.Encode()
	}
	written, err := d.journal.Append(ctx, []Intent{intent})
	if err != nil {
		return Receipt{}, err
	}
	r := d.receipt(id, written[0])
	if r.Outcome == Unchanged {
		r.Outcome = Removed
	}
	return r.Receipt, r.Err
}
