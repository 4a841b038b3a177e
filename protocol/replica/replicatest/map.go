package replicatest

import (
	"bytes"
	"maps"
	"slices"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
)

// Set is one origin's records with their feed and frontier, within a transaction.
type Set interface {
	replica.Set
	Feed(above protocol.Position, f func(pos protocol.Position, change []byte) (bool, error)) error
	Frontier() ([]byte, error)
	SetFrontier(b []byte) error
}

// Transactions over one copy: Update leaves nothing behind where f fails.
type Transactions interface {
	Update(f func(Set) error) error
	View(f func(Set) error) error
}

// Store of one origin: the copy in force, and one that may be built beside it.
type Store interface {
	Transactions
	Staged() Transactions
	// Wipe deletes up to limit keys of the staged copy, or of what a swap left. done reports that nothing is left.
	Wipe(limit int) (done bool, err error)
	// Swap puts the staged copy in the place of the one in force, where ready does not fail. void tells what the new
	// copy's epoch left behind.
	Swap(ready func(staged, held Set) (void func(protocol.Position) bool, err error)) error
}

// Map is the simplest Store. Its zero value is empty; it is not safe for concurrent use.
type Map struct {
	records  map[protocol.RecordKey]*protocol.Change
	at       map[protocol.Position]protocol.RecordKey
	headers  map[protocol.Position]*protocol.SignedHeader // of superseded records; not of a staged copy
	voided   []*protocol.SignedHeader
	frontier []byte
	undo     []func()
	staged   *Map
	beside   bool // this is the staged one
}

func (m *Map) make() {
	if m.records == nil {
		m.records = make(map[protocol.RecordKey]*protocol.Change)
		m.at = make(map[protocol.Position]protocol.RecordKey)
		m.headers = make(map[protocol.Position]*protocol.SignedHeader)
	}
}

// Update implements Store.
func (m *Map) Update(f func(Set) error) error {
	m.make()
	m.undo = m.undo[:0]
	err := f(m)
	if err != nil {
		for _, u := range slices.Backward(m.undo) {
			u()
		}
	}
	return err
}

// View implements Store.
func (m *Map) View(f func(Set) error) error { return f(m) }

// Staged implements Store.
func (m *Map) Staged() Transactions {
	if m.staged == nil {
		m.staged = &Map{beside: true}
	}
	return m.staged
}

// Wipe implements Store.
func (m *Map) Wipe(int) (bool, error) { m.staged = nil; return true, nil }

// Swap implements Store.
func (m *Map) Swap(ready func(staged, held Set) (func(protocol.Position) bool, error)) error {
	m.make()
	m.Staged()
	s := m.staged
	s.make()
	void, err := ready(s, m)
	if err != nil {
		return err
	}
	for pos, h := range m.headers {
		if void(pos) {
			m.voided = append(m.voided, h)
			delete(m.headers, pos)
		}
	}
	for key, old := range m.records {
		switch is := s.records[key]; {
		case is != nil && bytes.Equal(is.Bytes(), old.Bytes()):
		case void(old.Pos):
			m.voided = append(m.voided, &old.SignedHeader)
		default:
			m.headers[old.Pos] = &old.SignedHeader
		}
	}
	m.records, m.at, m.frontier, m.staged = s.records, s.at, s.frontier, nil
	return nil
}

// Newest implements replica.Set.
func (m *Map) Newest(key protocol.RecordKey) (protocol.Element, bool, error) {
	c, ok := m.records[key]
	if !ok {
		return protocol.Element{}, false, nil
	}
	return c.Element(), true, nil
}

// HeaderAt implements replica.Set.
func (m *Map) HeaderAt(pos protocol.Position) (*protocol.SignedHeader, error) {
	if key, ok := m.at[pos]; ok {
		return &m.records[key].SignedHeader, nil
	}
	return m.headers[pos], nil
}

// Replace implements replica.Set.
func (m *Map) Replace(c *protocol.Change, old *protocol.Element) error {
	if old != nil {
		was := m.records[c.RecordKey]
		delete(m.at, was.Pos)
		if !m.beside {
			m.headers[was.Pos] = &was.SignedHeader
		}
		m.undo = append(m.undo, func() {
			m.records[c.RecordKey], m.at[was.Pos] = was, c.RecordKey
			delete(m.headers, was.Pos)
		})
	} else {
		m.undo = append(m.undo, func() { delete(m.records, c.RecordKey) })
	}
	m.undo = append(m.undo, func() { delete(m.at, c.Pos) })
	m.records[c.RecordKey], m.at[c.Pos] = c, c.RecordKey
	return nil
}

// Withdrawn implements replica.Set.
func (m *Map) Withdrawn(upTo uint64, limit int) (all []protocol.Element, err error) {
	for _, pos := range m.order() {
		if c := m.records[m.at[pos]]; c.Kind == protocol.Withdraw && pos.Seq <= upTo && len(all) < limit {
			all = append(all, c.Element())
		}
	}
	return all, nil
}

func (m *Map) order() []protocol.Position {
	return slices.SortedFunc(maps.Keys(m.at), protocol.Position.Compare)
}

// Drop implements replica.Set.
func (m *Map) Drop(e protocol.Element) error {
	was := m.records[e.Key]
	delete(m.records, e.Key)
	delete(m.at, e.Pos)
	if !m.beside {
		m.headers[e.Pos] = &was.SignedHeader
	}
	m.undo = append(m.undo, func() {
		m.records[e.Key], m.at[e.Pos] = was, e.Key
		delete(m.headers, e.Pos)
	})
	return nil
}

// Opening implements replica.Set.
func (m *Map) Opening(epoch uint64) (*protocol.Opening, error) {
	c, ok := m.records[protocol.EpochKey(epoch)]
	if !ok {
		return nil, nil
	}
	o, err := protocol.DecodeOpening(c.Body)
	if err != nil {
		return nil, err
	}
	return &o.Opening, nil
}

// Feed implements Set.
func (m *Map) Feed(above protocol.Position, f func(protocol.Position, []byte) (bool, error)) error {
	for _, pos := range m.order() {
		if pos.Compare(above) <= 0 {
			continue
		}
		if more, err := f(pos, m.records[m.at[pos]].Bytes()); err != nil || !more {
			return err
		}
	}
	return nil
}

// Frontier implements Set.
func (m *Map) Frontier() ([]byte, error) { return m.frontier, nil }

// SetFrontier implements Set.
func (m *Map) SetFrontier(b []byte) error {
	was := m.frontier
	m.undo = append(m.undo, func() { m.frontier = was })
	m.frontier = b
	return nil
}

// Forget drops the retained header of a superseded record, as a ring does.
func (m *Map) Forget(pos protocol.Position) { delete(m.headers, pos) }

// Len is the number of records.
func (m *Map) Len() int { return len(m.records) }
