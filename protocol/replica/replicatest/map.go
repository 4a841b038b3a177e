package replicatest

import (
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

// Store of one origin: Update leaves nothing behind where f fails.
type Store interface {
	Update(f func(Set) error) error
	View(f func(Set) error) error
}

// Map is the simplest Store. Its zero value is empty; it is not safe for concurrent use.
type Map struct {
	records  map[protocol.RecordKey]*protocol.Change
	at       map[protocol.Position]protocol.RecordKey
	headers  map[protocol.Position]*protocol.SignedHeader
	frontier []byte
	undo     []func()
}

// Update implements Store.
func (m *Map) Update(f func(Set) error) error {
	if m.records == nil {
		m.records = make(map[protocol.RecordKey]*protocol.Change)
		m.at = make(map[protocol.Position]protocol.RecordKey)
		m.headers = make(map[protocol.Position]*protocol.SignedHeader)
	}
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
		m.headers[was.Pos] = &was.SignedHeader
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

// Feed implements Set.
func (m *Map) Feed(above protocol.Position, f func(protocol.Position, []byte) (bool, error)) error {
	for _, pos := range slices.SortedFunc(maps.Keys(m.at), protocol.Position.Compare) {
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
