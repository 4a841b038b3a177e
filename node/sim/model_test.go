package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// The model is what was signed, as the origins themselves showed it when they acknowledged it: a tree of changes for each
// origin, which has one branch unless a fork was made on purpose. Nodes are held to it after every step.
type model struct {
	signed map[protocol.Hash]*protocol.SignedHeader                             // by header hash
	at     map[protocol.MemberID]map[protocol.Position][]*protocol.SignedHeader // by origin
	acked  map[protocol.MemberID]*protocol.SignedHeader                         // by running copy: the last that it acknowledged
	lost   map[protocol.MemberID]bool                                           // by running copy: an older store was put in place
	stood  map[protocol.MemberID]map[protocol.MemberID]protocol.Position        // by node and origin: never less
	seen   map[protocol.MemberID]map[protocol.MemberID]exchange.MemberState     // by node and origin: when its records were last compared
	valid  map[protocol.Hash]bool                                               // whole changes whose signature was verified
	roster *protocol.Roster                                                     // of the newest charter and cards
	past   []*protocol.Roster                                                   // those before: who was away may still go by them
}

func newModel(papers *protocol.Papers) (*model, error) {
	m := &model{
		signed: make(map[protocol.Hash]*protocol.SignedHeader), at: make(map[protocol.MemberID]map[protocol.Position][]*protocol.SignedHeader),
		acked: make(map[protocol.MemberID]*protocol.SignedHeader), lost: make(map[protocol.MemberID]bool),
		stood: make(map[protocol.MemberID]map[protocol.MemberID]protocol.Position),
		seen:  make(map[protocol.MemberID]map[protocol.MemberID]exchange.MemberState),
		valid: make(map[protocol.Hash]bool), roster: protocol.NewRoster(papers.Charters[0]),
	}
	for _, c := range papers.Cards {
		r, err := m.roster.WithCard(c)
		if err != nil {
			return nil, err
		}
		m.roster = r
	}
	return m, nil
}

// amend takes new charters and cards.
func (m *model) amend(p *protocol.Papers) error {
	m.past = append(m.past, m.roster)
	r := m.roster
	var err error
	for _, c := range p.Charters {
		if r, err = r.WithCharter(c); err != nil {
			return err
		}
	}
	for _, c := range p.Cards {
		if r, err = r.WithCard(c); err != nil {
			return err
		}
	}
	m.roster = r
	return nil
}

// verify reports whether a change was validly signed under papers that are or were in force.
func (m *model) verify(c *protocol.Change) (err error) {
	for _, r := range append([]*protocol.Roster{m.roster}, m.past...) {
		if err = r.VerifyChange(c); err == nil {
			return nil
		}
	}
	return err
}

// note takes what the copy named of says to have signed.
func (m *model) note(of protocol.MemberID, h *protocol.SignedHeader) {
	if m.signed[h.Raw] == nil {
		m.signed[h.Raw] = h
		if m.at[h.Origin] == nil {
			m.at[h.Origin] = make(map[protocol.Position][]*protocol.SignedHeader)
		}
		m.at[h.Origin][h.Pos] = append(m.at[h.Origin][h.Pos], h)
	}
	if last := m.acked[of]; last == nil || m.lost[of] || h.Pos.Compare(last.Pos) > 0 {
		m.acked[of] = h
	}
}

// set is the newest change of every record as of h.
func (m *model) set(h *protocol.SignedHeader) map[protocol.RecordKey]*protocol.SignedHeader {
	all := make(map[protocol.RecordKey]*protocol.SignedHeader)
	for ; h != nil; h = m.signed[h.Prev] { // the change that opens an epoch names its base
		if _, newer := all[h.RecordKey]; !newer && h.Kind != protocol.OpenEpoch {
			all[h.RecordKey] = h
		}
	}
	return all
}

// live is the listings that are not withdrawn as of h, the one that was changed longest ago first.
func (m *model) live(h *protocol.SignedHeader) (all []*protocol.SignedHeader) {
	for key, h := range m.set(h) {
		if _, ok := protocol.ListingIDOf(key); ok && h.Kind == protocol.Put {
			all = append(all, h)
		}
	}
	slices.SortFunc(all, func(a, b *protocol.SignedHeader) int { return a.Pos.Compare(b.Pos) })
	return all
}

// parted reports whether an origin signed two histories.
func (m *model) parted(origin protocol.MemberID) bool {
	for _, all := range m.at[origin] {
		if len(all) > 1 {
			return true
		}
	}
	return false
}

// restored says that a copy's store was put back: it may stand at an earlier position, and may not know what it said.
func (m *model) restored(of protocol.MemberID) {
	m.lost[of] = true
	m.forget(of)
}

// forget what a copy stood at: it comes back with another store, or with none.
func (m *model) forget(of protocol.MemberID) {
	delete(m.stood, of)
	delete(m.seen, of)
}

// broken is an invariant that does not hold.
type broken struct{ invariant, text string }

func (b *broken) Error() string { return b.invariant + ": " + b.text }

func breach(invariant, format string, v ...any) error {
	return &broken{invariant, fmt.Sprintf(format, v...)}
}

// The invariants.
const (
	unverifiable = "no unverifiable record is stored"
	notSigned    = "a proven copy equals what its origin signed" // and so two that proved the same position hold the same
	notKept      = "acknowledged changes survive at their origin"
	shown        = "what was withdrawn is not shown as current"
	wentBack     = "positions never go back"
	overGap      = "nothing is applied over a gap"
	atFault      = "a store at rest is without fault"
	notSaid      = "what a node says is what it holds"
)

// check holds all running nodes to the model. Nothing moves meanwhile: the caller has waited until all goroutines block.
func (p *play) check() error {
	for _, id := range p.f.up() {
		n := p.f.Node(id)
		moved := false
		for _, s := range n.Members() {
			if err := p.model.position(id, s, p.f.member(id) == s.ID); err != nil {
				return err
			}
			if s.Digest == (protocol.Hash{}) || s.Position.Seq == 0 {
				continue
			}
			if _, err := p.model.proven(id, s); err != nil {
				return err
			}
			moved = moved || p.model.seen[id][s.ID] != standing(s)
		}
		if moved {
			if err := p.model.records(id, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// standing is what of a member's state changes with its records.
func standing(s exchange.MemberState) exchange.MemberState {
	return exchange.MemberState{ID: s.ID, Position: s.Position, Digest: s.Digest, Records: s.Records}
}

// position of a node must not be less than before, nor at its origin less than what was acknowledged.
func (m *model) position(id protocol.MemberID, s exchange.MemberState, own bool) error {
	if m.stood[id] == nil {
		m.stood[id] = make(map[protocol.MemberID]protocol.Position)
	}
	if before := m.stood[id][s.ID]; s.Position.Compare(before) < 0 {
		return breach(wentBack, "%s stood at %s of %s, and now at %s", id, before, s.ID, s.Position)
	}
	m.stood[id][s.ID] = s.Position
	last := m.acked[id]
	if !own || last == nil {
		return nil
	}
	if s.Position.Compare(last.Pos) >= 0 {
		delete(m.lost, id)
	} else if !m.lost[id] {
		return breach(notKept, "%s acknowledged %s and stands at %s", id, last.Pos, s.Position)
	}
	return nil
}

// proven finds the state that a node says to have proven among those that were signed.
func (m *model) proven(id protocol.MemberID, s exchange.MemberState) (*protocol.SignedHeader, error) {
	for _, h := range m.at[s.ID][s.Position] {
		if h.Digest == s.Digest {
			if s.Records != h.Count {
				return nil, breach(notSaid, "%s counts %d records of %s at %s, which signed %d", id, s.Records, s.ID, s.Position, h.Count)
			}
			return h, nil
		}
	}
	return nil, breach(notSigned, "%s holds %s at %s with digest %s, which was never signed", id, s.ID, s.Position, s.Digest.Short())
}

// records compares all listings that a node stores with what was signed.
func (m *model) records(id protocol.MemberID, n *node.Node) error {
	held := make(map[protocol.MemberID]map[protocol.RecordKey]*protocol.Change)
	var fault error
	err := n.Scan(match.Ref{}, func(c *protocol.Change) bool {
		if whole := protocol.Sum(c.Bytes()); !m.valid[whole] {
			if err := m.verify(c); err != nil || protocol.Sum(c.Body) != c.BodyHash {
				fault = breach(unverifiable, "%s stores %s of %s at %s: %v", id, c.RecordKey, c.Origin, c.Pos, err)
				return false
			}
			m.valid[whole] = true
		}
		if held[c.Origin] == nil {
			held[c.Origin] = make(map[protocol.RecordKey]*protocol.Change)
		}
		held[c.Origin][c.RecordKey] = c
		return true
	})
	if err == nil {
		err = fault
	}
	if err != nil {
		return err
	}
	m.seen[id] = make(map[protocol.MemberID]exchange.MemberState)
	for _, s := range n.Members() {
		m.seen[id][s.ID] = standing(s)
		if s.Digest == (protocol.Hash{}) || s.Position.Seq == 0 {
			continue // a pull is under way: its records are signed, and not proven as a whole
		}
		h, err := m.proven(id, s)
		if err == nil {
			err = m.same(id, n, h, held[s.ID])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// same compares an origin's listings, as a node stores and shows them, with those signed as of h.
func (m *model) same(id protocol.MemberID, n *node.Node, h *protocol.SignedHeader, held map[protocol.RecordKey]*protocol.Change) error {
	left := maps.Clone(held)
	for key, want := range m.set(h) {
		listing, ok := protocol.ListingIDOf(key)
		if !ok {
			continue
		}
		got := left[key]
		delete(left, key)
		if want.Kind == protocol.Withdraw && want.Pos.Seq <= h.Floor && want != h {
			if got != nil {
				return breach(notSigned, "%s proved %s at %s, and holds %s, which was withdrawn at %s, at or below the floor %d", id, h.Origin, h.Pos, key, want.Pos, h.Floor)
			}
			continue
		}
		if got == nil || got.Raw != want.Raw {
			return breach(notSigned, "%s proved %s at %s without %s as of %s", id, h.Origin, h.Pos, key, want.Pos)
		}
		if want.Kind == protocol.Withdraw {
			if e, err := n.Desk().Entry(match.Ref{Origin: h.Origin, ID: listing}); err == nil && e.State != exchange.Withdrawn {
				return breach(shown, "%s shows %s of %s as %s, which was withdrawn at %s", id, listing, h.Origin, e.State, want.Pos)
			}
		}
	}
	for key := range left {
		return breach(notSigned, "%s proved %s at %s with %s, which is not part of it", id, h.Origin, h.Pos, key)
	}
	return nil
}

// settled holds nodes that have nothing left to do to what they count and find.
func (p *play) settled() error {
	for _, id := range p.f.up() {
		n := p.f.Node(id)
		for _, s := range n.Members() {
			h, err := p.model.proven(id, s)
			if s.Position.Seq == 0 || s.Digest == (protocol.Hash{}) {
				continue
			}
			if err != nil {
				return err
			}
			live, unusable := 0, 0
			for key, r := range p.model.set(h) {
				switch _, ok := protocol.ListingIDOf(key); {
				case ok && r.Kind == protocol.Put && p.odd[r.Raw]:
					unusable++
				case ok && r.Kind == protocol.Put:
					live++
				}
			}
			if n.Waiting() == 0 && (s.Listings != live || s.Unusable != unusable) {
				return breach(notSaid, "%s counts %d listings of %s and %d unusable, of %d and %d", id, s.Listings, s.ID, s.Unusable, live, unusable)
			}
		}
	}
	return nil
}

// verifyAtRest checks the stores of nodes that have ended.
func (p *play) verifyAtRest(id protocol.MemberID) error {
	guard := guardOf(p.f.dirs[id])
	if p.model.lost[id] {
		guard = "" // it knows better, as it must
	}
	v, err := p.f.verify(id, guard)
	if err != nil {
		return breach(atFault, "%s: %v", id, err)
	}
	var all []string
	for _, f := range v.Findings {
		if p.model.parted(f.Origin) {
			continue // its statements and changes contradict each other, as they were signed
		}
		all = append(all, fmt.Sprintf("%s %s: %s", f.Origin, f.Record, f.Text))
	}
	if len(all) > 0 {
		return breach(atFault, "%s: %s", id, strings.Join(all, "; "))
	}
	return nil
}
