package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/asean-tmh/tmh/protocol"
)

func TestPapers(t *testing.T) {
	f := federation(t)
	both(t, func(t *testing.T, s *Store) {
		view(t, s, func(tx *Tx) error {
			if r, err := tx.Roster(); r != nil || err != nil {
				t.Errorf("a roster in an empty store: %v", err)
			}
			return nil
		})
		update(t, s, func(tx *Tx) error {
			for _, c := range f.Roster.Cards() {
				if err := tx.SetCard(c); err != nil {
					return err
				}
			}
			return tx.AddCharter(f.Roster.Charter())
		})
		view(t, s, func(tx *Tx) error {
			chain, err := tx.Charters()
			if err != nil || len(chain) != 1 || chain[0].Hash != f.Roster.Charter().Hash {
				t.Errorf("%d charters, %v", len(chain), err)
			}
			cards, err := tx.Cards()
			if err != nil || len(cards) != 4 {
				t.Errorf("%d cards, %v", len(cards), err)
			}
			r, err := tx.Roster()
			if err != nil {
				return err
			}
			var got, want []protocol.MemberID
			for i, c := range r.Cards() {
				got, want = append(got, c.Member), append(want, f.Roster.Cards()[i].Member)
			}
			if d := cmp.Diff(want, got); d != "" || r.Federation() != f.Roster.Federation() {
				t.Errorf("the roster built from papers: %s", d)
			}
			return nil
		})
	})
}

// A charter whose signatures do not suffice is found when the roster is built, not believed because it is stored.
func TestRosterVerifies(t *testing.T) {
	s := open(t, Config{})
	c, err := protocol.NewCharter(federation(t).Roster.Charter().Charter)
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *Tx) error { return tx.AddCharter(c) })
	if err := s.View(func(tx *Tx) error { _, err := tx.Roster(); return err }); protocol.CodeOf(err) != protocol.CodeThreshold {
		t.Errorf("got %v", err)
	}
}

func TestFullRecordsAndMeta(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		get := func(f func(tx *Tx) ([]byte, error)) (b []byte) {
			view(t, s, func(tx *Tx) (err error) { b, err = f(tx); return err })
			return b
		}
		full := func(tx *Tx) ([]byte, error) { return tx.Full("listing/a") }
		fact := func(tx *Tx) ([]byte, error) { return tx.Meta("member") }
		if get(full) != nil || get(fact) != nil {
			t.Error("something in an empty store")
		}
		update(t, s, func(tx *Tx) error { return tx.SetFull("listing/a", []byte("full")) })
		update(t, s, func(tx *Tx) error { return tx.SetFull("listing/a2", []byte("other")) })
		update(t, s, func(tx *Tx) error { return tx.SetMeta("member", []byte("KH")) })
		if string(get(full)) != "full" || string(get(fact)) != "KH" {
			t.Errorf("got %q and %q", get(full), get(fact))
		}
		update(t, s, func(tx *Tx) error { return tx.SetFull("listing/a", nil) })
		if get(full) != nil {
			t.Error("the full record was not deleted")
		}
	})
}

// Damaged bytes are an error that names what is damaged and what to do, never a panic.
func TestDamagedValues(t *testing.T) {
	f := federation(t)
	s := open(t, Config{})
	made := mustAuthor(t, s, f, "KH", puts(0, 2, "x")...)
	pos := made[0].Pos
	for name, x := range map[string]struct {
		key  []byte
		read func(tx *Tx) error
	}{
		"record": {recordKey(keyRecord, "KH", made[1].RecordKey), func(tx *Tx) error { _, err := tx.Record("KH", made[1].RecordKey); return err }},
		"records": {recordKey(keyRecord, "KH", made[1].RecordKey), func(tx *Tx) error {
			return tx.Records("KH", "", func(*protocol.Change) (bool, error) { return true, nil })
		}},
		"header": {posKey(keyHeader, "LA", pos), func(tx *Tx) error { _, err := tx.Origin("LA").HeaderAt(pos); return err }},
		"index":  {posKey(keySeq, "LA", pos), func(tx *Tx) error { _, err := tx.Origin("LA").HeaderAt(pos); return err }},
		"feed": {posKey(keySeq, "LA", pos), func(tx *Tx) error {
			return tx.Origin("LA").Feed(protocol.Start, func(protocol.Position, []byte) (bool, error) { return true, nil })
		}},
		"head":       {originKey(keyHead, "KH", 0), func(tx *Tx) error { _, err := tx.Origin("KH").Head(); return err }},
		"evidence":   {posKey(keyEvidence, "KH", pos), func(tx *Tx) error { _, err := tx.Origin("KH").Evidence(); return err }},
		"withdrawal": {posKey(keyWithdrawn, "KH", pos), func(tx *Tx) error { _, err := tx.Origin("KH").Withdrawn(9, 9); return err }},
		"opening":    {recordKey(keyRecord, "KH", protocol.EpochKey(2)), func(tx *Tx) error { _, err := tx.Origin("KH").Opening(2); return err }},
		"void":       {append(posKey(keyVoided, "KH", pos), made[0].Raw[:]...), func(tx *Tx) error { _, err := tx.Origin("KH").Voided(); return err }},
		"staged":     {recordKey(keyRecord-upper, "KH", "listing/x"), func(tx *Tx) error { _, err := tx.Staged("KH").Record("listing/x"); return err }},
		"charter":    {charterKey(1), func(tx *Tx) error { _, err := tx.Charters(); return err }},
		"card":       {named(keyCard, "KH"), func(tx *Tx) error { _, err := tx.Cards(); return err }},
	} {
		update(t, s, func(tx *Tx) error { return tx.set(x.key, []byte("\x01listing/none")) })
		if err := s.View(x.read); protocol.CodeOf(err) != protocol.CodeInternal || err == nil {
			t.Errorf("%s: got %v", name, err)
		}
	}
	// An index entry that leads to a record of another position.
	update(t, s, func(tx *Tx) error { return tx.set(posKey(keySeq, "KH", pos), seqValue(made[1])) })
	if err := s.View(func(tx *Tx) error { _, err := tx.Origin("KH").HeaderAt(pos); return err }); protocol.CodeOf(err) != protocol.CodeInternal {
		t.Errorf("an index entry of another record: %v", err)
	}
}
