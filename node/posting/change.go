package posting

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// How an action is carried out: written down first, then signed by the desk, then done.

// deskTime bounds the wait for the desk. Who asked may be gone by then: the action is written down already.
const deskTime = 30 * time.Second

// What the desk has to sign.
const (
	signNothing  = ""
	signPut      = "put"
	signWithdraw = "withdraw"
)

// Pending is an action on its way.
type Pending struct {
	Action   Action           `json:"action"`
	At       protocol.Instant `json:"at"`
	Actor    access.UserID    `json:"actor,omitempty"`
	Token    access.TokenID   `json:"token,omitempty"`
	Operator bool             `json:"operator,omitempty"`
	Note     string           `json:"note,omitempty"`

	Sign       string             `json:"sign,omitempty"`
	Content    bool               `json:"content,omitempty"` // n/ID holds what is to be live
	Level      protocol.Level     `json:"level,omitempty"`   // of what is live afterwards
	Reason     string             `json:"reason,omitempty"`  // of a withdrawal
	ReplacedBy protocol.ListingID `json:"replaced_by,omitempty"`
	Review     *Review            `json:"review,omitempty"`
	Reviewer   access.UserID      `json:"reviewer,omitempty"` // whom the case was handed to, or taken from
	Sampled    bool               `json:"sampled,omitempty"`
	Import     *imported          `json:"import,omitempty"` // it came with many others
}

func (p *Postings) step(a access.Actor, action Action) *Pending {
	return &Pending{Action: action, At: p.now(), Actor: a.User, Token: a.Token, Operator: a.Operator}
}

// change carries out an action on one posting. build is called in the first transaction when the actor, the version and
// the states are found to allow it; it may write what belongs to the action, and narrow down which action it is.
func (p *Postings) change(ctx context.Context, a access.Actor, id protocol.ListingID, version uint64, action Action, build func(tx *store.Tx, h *Posting, s *Pending) error) (*Posting, error) {
	if !p.claim(id) {
		return nil, protocol.Errorf(protocol.CodeConflict, "", "the listing is being changed at this moment: load it again")
	}
	defer p.unclaim(id)
	var h *Posting
	s := p.step(a, action)
	err := p.cfg.Store.Update(func(tx *store.Tx) (err error) {
		if h, err = get(tx, id); err != nil {
			return err
		}
		if err := h.can(a, who(action)); err != nil {
			return err
		}
		if h.Version != version {
			return protocol.Errorf(protocol.CodeConflict, "version", "the listing was changed meanwhile: it is at version %d now, and yours is %d. Load it again", h.Version, version)
		}
		if h.Pending != nil {
			return protocol.Errorf(protocol.CodeConflict, "state", "a change was asked for already and waits to be signed: try again in a minute")
		}
		if _, err := find(action, h); err != nil {
			return err
		}
		was := index(h)
		if build != nil {
			if err := build(tx, h, s); err != nil {
				return err
			}
		}
		r, err := find(s.Action, h)
		if err != nil {
			return err
		}
		if s.Sign = toSign(r, h, s); s.Sign == signNothing {
			return p.finish(tx, h, s, was)
		}
		h.Pending = s
		h.Version++
		return put(tx, h, was)
	})
	if err != nil || s.Sign == signNothing {
		return h, err
	}
	return p.carryOut(context.WithoutCancel(ctx), id)
}

// toSign says what a step means for the catalogue.
func toSign(r rule, h *Posting, s *Pending) string {
	to := r.toLive
	if to == same {
		to = h.Live
	}
	if !s.Content {
		s.Level = h.Level
	}
	switch {
	case s.Level == protocol.LevelInvited:
		return signNothing
	case to == Published && (s.Content || h.Live == OnHold):
		return signPut
	case to != h.Live && to != Published:
		return signWithdraw
	}
	return signNothing
}

// carryOut has the desk do what is pending, and finishes it. The caller has claimed the posting.
func (p *Postings) carryOut(ctx context.Context, id protocol.ListingID) (*Posting, error) {
	ctx, cancel := context.WithTimeout(ctx, deskTime)
	defer cancel()
	var h *Posting
	var x *printed
	err := p.cfg.Store.View(func(tx *store.Tx) (err error) {
		if h, err = get(tx, id); err != nil || h.Pending == nil {
			return err
		}
		kind := "l"
		if h.Pending.Content {
			kind = "n"
		}
		x, err = readPrinted(tx, kind, id)
		return err
	})
	if err != nil || h.Pending == nil {
		return h, err
	}
	refusal := p.sign(ctx, h, x)
	if refusal != nil && !forGood(refusal) {
		return nil, &protocol.Error{Code: protocol.CodeUnavailable, Err: refusal, Message: "it is noted, and is signed as soon as this node can: " + protocol.All(refusal)[0].Message}
	}
	err = p.cfg.Store.Update(func(tx *store.Tx) (err error) {
		if h, err = get(tx, id); err != nil {
			return err
		}
		was, s := index(h), h.Pending
		if refusal == nil {
			return p.finish(tx, h, s, was)
		}
		return p.undo(tx, h, was, refusal)
	})
	if err == nil {
		err = refusal
	}
	return h, err
}

// undo what the desk refused for good.
func (p *Postings) undo(tx *store.Tx, h *Posting, was map[string]string, refusal error) error {
	s := h.Pending
	h.Pending = nil
	if s.Import != nil && s.Import.Outcome == ImportCreated {
		return undoImport(tx, h, s.Import, was)
	}
	h.Version++
	h.record(Entry{At: p.now(), Action: s.Action, From: h.states(), To: h.states(), Actor: s.Actor, Note: clip("refused: "+protocol.All(refusal)[0].Message, MaxNote)})
	if err := tx.DeleteRow(store.TablePosting, rowOf("n", h.ID)); err != nil {
		return err
	}
	return put(tx, h, was)
}

func (p *Postings) sign(ctx context.Context, h *Posting, x *printed) error {
	s := h.Pending
	if s.Sign == signWithdraw {
		_, err := p.cfg.Desk.Withdraw(ctx, h.ID, protocol.Tombstone{Reason: s.Reason, ReplacedBy: s.ReplacedBy})
		if c := protocol.CodeOf(err); c == protocol.CodeNotFound || c == protocol.CodeWithdrawn {
			return nil // it is not in the catalogue, or no longer: as wanted
		}
		return err
	}
	l, err := x.decode(h.ID)
	if err != nil {
		return err
	}
	results, err := p.cfg.Desk.PublishAll(ctx, []exchange.Publication{publication(l)})
	if err != nil {
		return err
	}
	return results[0].Err
}

// publication of a listing that names the parts of its record, which finish keeps.
func publication(l *protocol.Listing) exchange.Publication {
	what := exchange.Publication{Listing: l}
	if !l.HasFull() {
		what.Record = new(protocol.Record) // there is none, or no longer
	}
	return what
}

// forGood reports whether asking the desk again would change nothing.
func forGood(err error) bool {
	return slices.Contains([]protocol.Code{
		protocol.CodeValue, protocol.CodeRequired, protocol.CodeTooLarge, protocol.CodeText, protocol.CodeRepeated, protocol.CodeLength,
		protocol.CodeWithdrawn, protocol.CodeNotFound, protocol.CodeQuota, protocol.CodeConflict, protocol.CodeNotPermitted,
	}, protocol.CodeOf(err))
}

// Resume carries out what a crash, or a node that could not sign, left pending. The node calls it at start and from time
// to time.
func (p *Postings) Resume(ctx context.Context) error {
	var ids []protocol.ListingID
	err := p.cfg.Store.View(func(tx *store.Tx) error {
		return tx.Rows(store.TablePostingIndex, keyPending, "", func(key string, _ []byte) (bool, error) {
			ids = append(ids, protocol.ListingID(strings.TrimPrefix(key, keyPending)))
			return true, nil
		})
	})
	for _, id := range ids {
		if !p.claim(id) {
			continue
		}
		_, carryErr := p.carryOut(ctx, id)
		p.unclaim(id)
		switch {
		case carryErr == nil:
		case forGood(carryErr):
			p.cfg.Log.Warn("a pending listing was refused", "listing", id, "error", carryErr)
		default:
			err = errors.Join(err, fmt.Errorf("resume %s: %w", id, carryErr))
		}
	}
	return err
}
