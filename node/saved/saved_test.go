package saved_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/saved"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

type bench struct {
	*saved.Searches
	t     *testing.T
	store *store.Store
	clock time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	s, err := store.Open(store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b := &bench{t: t, store: s, clock: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}
	b.Searches = saved.New(s, func() time.Time { return b.clock })
	return b
}

func (b *bench) add(person, name, address string) saved.Search {
	b.t.Helper()
	s, err := b.Add(person, name, address)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *bench) names(person string) (all string) {
	b.t.Helper()
	list, err := b.List(person)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, s := range list {
		all += s.Name + ";"
	}
	return all
}

func (b *bench) refused(what string, err error, code protocol.Code) {
	b.t.Helper()
	if protocol.CodeOf(err) != code {
		b.t.Errorf("%s: %v, want %s", what, err, code)
	}
}

// rows of the table, those of deleted searches included.
func (b *bench) rows() (n int) {
	b.t.Helper()
	if err := b.store.View(func(tx *store.Tx) error {
		return tx.Rows(store.TableSearch, "", "", func(string, []byte) (bool, error) { n++; return true, nil })
	}); err != nil {
		b.t.Fatal(err)
	}
	return n
}

func TestSearchesAreTheirPersons(t *testing.T) {
	b := newBench(t)
	s := b.add("ann", "  Fish\n dryers ", "q=drying+fish")
	b.add("ann", "Cassava", "q=cassava")
	b.add("ann2", "Hers", "q=cassava")
	if got := b.names("ann"); got != "Cassava;Fish dryers;" {
		t.Errorf("ann has %s", got)
	}
	for what, err := range map[string]error{
		"renaming": b.Rename("bob", s.ID, "Mine"), "deleting": b.Delete("bob", s.ID), "restoring": b.Restore("bob", s.ID), "no id": b.Delete("ann", ""),
	} {
		b.refused(what+" another's", err, protocol.CodeNotFound)
	}
	_, err := b.Get("an", "n/"+s.ID)
	b.refused("another's by a key", err, protocol.CodeNotFound)
	_, err = b.Look("bob", s.ID)
	b.refused("running another's", err, protocol.CodeNotFound)
	if err := b.Rename("ann", s.ID, "Dryers"); err != nil {
		t.Fatal(err)
	}
	if err := b.store.Update(func(tx *store.Tx) error { return saved.Erase(tx, "ann") }); err != nil {
		t.Fatal(err)
	}
	if got := b.names("ann"); got != "" || b.rows() != 1 || b.names("ann2") != "Hers;" {
		t.Errorf("after erasure: %s, %d rows", got, b.rows())
	}
}

func TestLimits(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		name, address string
		code          protocol.Code
	}{
		{"", "q=x", protocol.CodeRequired},
		{" \t", "q=x", protocol.CodeRequired},
		{strings.Repeat("ក", saved.MaxName+1), "q=x", protocol.CodeTooLarge},
		{"a\x00b", "q=x", protocol.CodeText},
		{"a\xff", "q=x", protocol.CodeText},
		{"x", "", protocol.CodeTooLarge},
		{"x", "q=" + strings.Repeat("x", saved.MaxAddress), protocol.CodeTooLarge},
	} {
		_, err := b.Add("ann", c.name, c.address)
		b.refused(fmt.Sprintf("%q", c.name), err, c.code)
	}
	for i := range saved.MaxSearches {
		b.add("ann", fmt.Sprint("n", i), fmt.Sprint("q=", i))
	}
	_, err := b.Add("ann", "again", "q=3")
	b.refused("one too many", err, protocol.CodeQuota)
	b.add("bob", strings.Repeat("ក", saved.MaxName), "q="+strings.Repeat("x", saved.MaxAddress-2))
	_, err = b.Add("bob", "again", "q="+strings.Repeat("x", saved.MaxAddress-2))
	b.refused("the same again", err, protocol.CodeConflict)
	_, err = b.Add("", "nobody's", "q=1")
	b.refused("nobody's", err, protocol.CodeNotPermitted)
}

func TestDeletedComesBackForADay(t *testing.T) {
	b := newBench(t)
	s := b.add("ann", "Dryers", "q=1")
	if err := b.Delete("ann", s.ID); err != nil {
		t.Fatal(err)
	}
	_, err := b.Get("ann", s.ID)
	b.refused("a deleted one", err, protocol.CodeNotFound)
	b.refused("deleting twice", b.Delete("ann", s.ID), protocol.CodeNotFound)
	if was, err := b.Deleted("ann", s.ID); err != nil || was.Name != "Dryers" {
		t.Errorf("got %+v, %v", was, err)
	}
	for range 2 {
		if err := b.Restore("ann", s.ID); err != nil || b.names("ann") != "Dryers;" {
			t.Fatalf("not back: %v", err)
		}
	}
	if err := b.Delete("ann", s.ID); err != nil {
		t.Fatal(err)
	}
	again := b.add("ann", "Driers", "q=1")
	b.refused("there again", b.Restore("ann", s.ID), protocol.CodeConflict)
	if got := b.names("ann"); got != "Driers;" {
		t.Errorf("saved twice: %s", got)
	}
	if err := b.Delete("ann", again.ID); err != nil {
		t.Fatal(err)
	}
	b.clock = b.clock.Add(25 * time.Hour)
	b.refused("after a day", b.Restore("ann", s.ID), protocol.CodeNotFound)
	b.add("ann", "Next", "q=2")
	if n := b.rows(); n != 1 {
		t.Errorf("%d rows are left", n)
	}
	// However often one saves and deletes, little stays.
	for i := range 40 {
		if err := b.Delete("ann", b.add("ann", "x", fmt.Sprint("q=x", i)).ID); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.rows(); n > 12 {
		t.Errorf("%d rows are left", n)
	}
}

// What was deleted goes after its day, though its person never comes again.
func TestDeletedIsSweptAfterADay(t *testing.T) {
	b := newBench(t)
	for _, person := range []string{"ann", "bob", "eve"} {
		for i := range saved.MaxSearches {
			b.add(person, "x", fmt.Sprint("q=", i))
		}
	}
	s := b.add("zoe", "Dryers", "q=1")
	for _, person := range []string{"ann", "eve"} {
		if err := b.Delete(person, b.search(person, "q=7").ID); err != nil {
			t.Fatal(err)
		}
	}
	sweep := func(want int) {
		t.Helper()
		if err := b.Sweep(); err != nil || b.rows() != want {
			t.Errorf("%d rows are left, %v; want %d", b.rows(), err, want)
		}
	}
	b.clock = b.clock.Add(23 * time.Hour)
	sweep(151)
	if err := b.Delete("zoe", s.ID); err != nil {
		t.Fatal(err)
	}
	b.clock = b.clock.Add(2 * time.Hour)
	sweep(149)
	if err := b.Restore("zoe", s.ID); err != nil {
		t.Error(err)
	}
	// More than one transaction's.
	for i := range 12 {
		for j := range saved.MaxSearches {
			b.add(fmt.Sprint("p", i), "x", fmt.Sprint("q=", j))
		}
		if err := b.Delete(fmt.Sprint("p", i), b.search(fmt.Sprint("p", i), "q=3").ID); err != nil {
			t.Fatal(err)
		}
	}
	b.clock = b.clock.Add(25 * time.Hour)
	sweep(149 + 12*(saved.MaxSearches-1))
}

func (b *bench) search(person, address string) saved.Search {
	b.t.Helper()
	list, err := b.List(person)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, s := range list {
		if s.Address == address {
			return s
		}
	}
	b.t.Fatalf("%s has no %s", person, address)
	return saved.Search{}
}

func TestLooking(t *testing.T) {
	b := newBench(t)
	s := b.add("ann", "Dryers", "q=1")
	b.clock = b.clock.Add(time.Hour)
	if was, err := b.Look("ann", s.ID); err != nil || was.Looked != s.Looked {
		t.Fatalf("it says %+v, %v: what is new counts from the look before", was, err)
	}
	now, err := b.Get("ann", s.ID)
	if err != nil || now.Looked != protocol.InstantOf(b.clock) {
		t.Errorf("looked at %v, %v", now.Looked.Time(), err)
	}
	b.clock = b.clock.Add(-48 * time.Hour) // the clock was ahead
	if _, err := b.Look("ann", s.ID); err != nil {
		t.Fatal(err)
	}
	if now, err = b.Get("ann", s.ID); err != nil || now.Looked != protocol.InstantOf(b.clock) {
		t.Errorf("looked at %v, %v", now.Looked.Time(), err)
	}
}
