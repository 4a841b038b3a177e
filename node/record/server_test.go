package record

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Every byte that an origin answers to an entitlement holds the secrets of the levels it entitles to, and no other.
func TestPartsOfAnEntitlement(t *testing.T) {
	w := found(t, false, nil)
	a := w.nodes["AA"]
	w.publish("AA", "three", a.threeLevels())
	for _, tt := range []struct {
		from   protocol.MemberID
		level  protocol.Level
		change func(*protocol.Entitlement)
		want   protocol.Level
	}{
		{"BB", pub, nil, pub},
		{"BB", reg, nil, reg},
		{"BB", rest, nil, rest},
		{"BB", inv, nil, rest},
		{"CC", rest, nil, reg},
		{"CC", inv, nil, reg},
		{"BB", rest, func(x *protocol.Entitlement) { x.OrganisationType = "" }, reg},
		{"BB", rest, func(x *protocol.Entitlement) { x.Country = "" }, reg},
		{"BB", rest, func(x *protocol.Entitlement) { x.Country = "CC" }, reg},
	} {
		answer, err := a.Parts(t.Context(), tt.from, w.entitlement(tt.from, "AA", "three", tt.level, tt.change))
		if err != nil {
			t.Errorf("%s for %s: %v", tt.from, tt.level, err)
			continue
		}
		all := string(bytes.Join(answer.Parts, nil)) + string(answer.Listing)
		for _, level := range protocol.Levels()[:3] {
			if got := strings.Contains(all, secret(level)); got != tt.want.Covers(level) {
				t.Errorf("%s for %s: has what is %s: %v", tt.from, tt.level, level, got)
			}
		}
	}
}

func TestEntitlementsAreRefused(t *testing.T) {
	w := found(t, false, nil)
	a := w.nodes["AA"]
	w.publish("AA", "three", a.threeLevels())
	entitle := func(change func(*protocol.Entitlement)) *protocol.SignedEntitlement {
		return w.entitlement("BB", "AA", "three", reg, change)
	}
	used := entitle(nil)
	if _, err := a.Parts(t.Context(), "BB", used); err != nil {
		t.Fatal(err)
	}
	forged := entitle(nil).Bytes()
	forged[len(forged)-1] ^= 1
	flipped, err := protocol.DecodeEntitlement(forged)
	if err != nil {
		t.Fatal(err)
	}
	byCC, err := protocol.SignEntitlement(w.nodes["CC"].seat.Record, entitle(nil).Entitlement)
	if err != nil {
		t.Fatal(err)
	}
	at := func(d time.Duration) func(*protocol.Entitlement) {
		return func(x *protocol.Entitlement) { x.IssuedAt = protocol.InstantOf(w.now().Add(d)) }
	}
	for _, tt := range []struct {
		name string
		from protocol.MemberID
		e    *protocol.SignedEntitlement
		want protocol.Code
	}{
		{"replayed", "BB", used, protocol.CodeReplayed},
		{"forged", "BB", flipped, protocol.CodeSignature},
		{"another member's signature", "BB", byCC, protocol.CodeKey},
		{"passed on by another member", "CC", entitle(nil), protocol.CodeNotPermitted},
		{"too old", "BB", entitle(at(-11 * time.Minute)), protocol.CodeReplayed},
		{"from the future", "BB", entitle(at(11 * time.Minute)), protocol.CodeReplayed},
		{"old but fresh", "BB", entitle(at(-9 * time.Minute)), ""},
		{"for another origin", "BB", entitle(func(x *protocol.Entitlement) { x.Origin = "CC" }), protocol.CodeOrigin},
		{"for another record", "BB", entitle(func(x *protocol.Entitlement) { x.RecordKey = "listing/other" }), protocol.CodeNotFound},
		{"for a report", "BB", entitle(func(x *protocol.Entitlement) { x.RecordKey = "report/2026-01/r1" }), protocol.CodeNotFound},
		{"of another federation", "BB", entitle(func(x *protocol.Entitlement) { x.Federation = protocol.Hash{1} }), protocol.CodeFederation},
		{"under a later charter", "BB", entitle(func(x *protocol.Entitlement) { x.CharterVersion = 2 }), protocol.CodeCharter},
	} {
		if _, err := a.Parts(t.Context(), tt.from, tt.e); protocol.CodeOf(err) != tt.want {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
		if tt.want != "" && tt.want != protocol.CodeNotFound {
			if _, err := a.Server.Document(t.Context(), tt.from, tt.e, protocol.Hash{1}); protocol.CodeOf(err) != tt.want {
				t.Errorf("%s, for a document: got %v, want %q", tt.name, err, tt.want)
			}
		}
	}
	// A nonce is remembered as long as its entitlement can pass for fresh, and no longer.
	ahead := entitle(at(10 * time.Minute))
	for i, want := range []protocol.Code{"", protocol.CodeReplayed, protocol.CodeReplayed} {
		if _, err := a.Parts(t.Context(), "BB", ahead); protocol.CodeOf(err) != want {
			t.Errorf("dated ahead, time %d: got %v", i+1, err)
		}
		if i > 0 {
			w.wait(20 * time.Minute)
		}
	}
	if _, err := a.Parts(t.Context(), "BB", entitle(nil)); err != nil {
		t.Fatal(err)
	}
	w.wait(30 * time.Minute)
	if err := a.nonces.take("BB", protocol.Nonce{}, w.now()); err != nil || len(a.nonces.used["BB"].seen) != 1 {
		t.Errorf("%d nonces are remembered, %v", len(a.nonces.used["BB"].seen), err)
	}
}

func TestNoncesAreBounded(t *testing.T) {
	w := found(t, false, nil)
	n := new(nonces)
	for range maxNonces {
		if err := n.take("BB", w.nonce(), w.now()); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.take("BB", w.nonce(), w.now()); protocol.CodeOf(err) != protocol.CodeUnavailable {
		t.Errorf("one more: %v", err)
	}
	if err := n.take("CC", w.nonce(), w.now()); err != nil {
		t.Errorf("another member: %v", err)
	}
	w.wait(21 * time.Minute)
	if err := n.take("BB", w.nonce(), w.now()); err != nil || len(n.used["BB"].order) != 1 {
		t.Errorf("later: %v, %d", err, len(n.used["BB"].order))
	}
}

func reader(n byte) func(*protocol.Entitlement) {
	return func(x *protocol.Entitlement) {
		if x.Level != pub {
			x.Reader = protocol.Hash{n, 1}
		}
	}
}

// A member's readers are shown so many records of a level on one day. A second reading is none; a restart changes nothing; other
// members, other levels, and the next day have their own.
func TestCaps(t *testing.T) {
	w := found(t, false, func(c *ServerConfig, _ *ReaderConfig) { c.Caps = Caps{Registered: 3, Restricted: 2} })
	a := w.nodes["AA"]
	w.publish("AA", "three", a.threeLevels())
	ask := func(s *Server, from protocol.MemberID, level protocol.Level, n byte) protocol.Code {
		_, err := s.Parts(t.Context(), from, w.entitlement(from, "AA", "three", level, reader(n)))
		return protocol.CodeOf(err)
	}
	for n := range byte(3) {
		for range 2 {
			if got := ask(a.Server, "BB", reg, n); got != "" {
				t.Errorf("reader %d: %q", n, got)
			}
		}
	}
	again := NewServer(a.cfg)
	for _, s := range []*Server{a.Server, again} {
		if got := ask(s, "BB", reg, 3); got != protocol.CodeUnavailable {
			t.Errorf("one more: %q", got)
		}
		if got := ask(s, "BB", reg, 1); got != "" {
			t.Errorf("who was shown it today: %q", got)
		}
		if got := ask(s, "BB", pub, 0); got != "" {
			t.Errorf("public: %q", got)
		}
	}
	if got := ask(again, "CC", reg, 3); got != "" {
		t.Errorf("another member: %q", got)
	}
	for n, want := range []protocol.Code{"", "", protocol.CodeUnavailable} {
		if got := ask(again, "BB", rest, byte(n)); got != want {
			t.Errorf("restricted, reader %d: %q", n, got)
		}
	}
	if got := len(a.readings(t)); got != 3+1+1+2 {
		t.Errorf("the log has %d entries", got)
	}
	w.wait(24 * time.Hour)
	if got := ask(again, "BB", reg, 3); got != "" {
		t.Errorf("the next day: %q", got)
	}
}

// A member that invents readers cannot fill the log with documents that it had shown to them.
func TestCapOfDocuments(t *testing.T) {
	w := found(t, false, func(c *ServerConfig, _ *ReaderConfig) { c.Caps = Caps{Registered: 1} })
	a := w.nodes["AA"]
	r := a.threeLevels()
	w.publish("AA", "three", r)
	for n := range protocol.MaxDocuments + 1 {
		f, err := a.Server.Document(t.Context(), "BB", w.entitlement("BB", "AA", "three", reg, reader(byte(n))), r.Documents[0].Hash)
		if n < protocol.MaxDocuments && err == nil {
			err = f.Close()
		}
		if got := protocol.CodeOf(err); (got == protocol.CodeUnavailable) != (n == protocol.MaxDocuments) || n < protocol.MaxDocuments && err != nil {
			t.Errorf("reader %d: %v", n, err)
		}
	}
	if got := len(a.readings(t)); got != protocol.MaxDocuments {
		t.Errorf("the log has %d entries", got)
	}
}

// Who reads is on record before he reads, without a name. Where that cannot be, only what is public is shown.
func TestLog(t *testing.T) {
	w := found(t, false, nil)
	a := w.nodes["AA"]
	w.publish("AA", "three", a.threeLevels())
	get := func(level protocol.Level) error {
		_, err := a.Parts(t.Context(), "BB", w.entitlement("BB", "AA", "three", level, nil))
		return err
	}
	for range 3 {
		for _, level := range []protocol.Level{pub, reg, rest} {
			if err := get(level); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := a.reader.Get(t.Context(), Ref{"AA", "three"}, a.actor(access.Editor)); err != nil {
		t.Fatal(err)
	}
	day, at := protocol.DateOf(w.now()), protocol.InstantOf(w.now())
	want := []Reading{
		{Day: day, At: at, Way: Served, Member: "AA", Level: rest, Listing: "three", Reader: "u-AA"},
		{Day: day, At: at, Way: Served, Member: "BB", Level: pub, Listing: "three"},
		{Day: day, At: at, Way: Served, Member: "BB", Level: reg, Listing: "three", Reader: protocol.Hash{1}.String()},
		{Day: day, At: at, Way: Served, Member: "BB", Level: rest, Listing: "three", Reader: protocol.Hash{1}.String(), Organisation: protocol.Hash{2}, Type: "university", Country: "BB"},
	}
	got := a.readings(t)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got\n%+v, want\n%+v", got, want)
	}
	a.free.Store(0)
	w.eventually("a full disk", func() bool { return a.store.Space().ReadOnly })
	if err := get(reg); err != nil {
		t.Errorf("read already today: %v", err)
	}
	w.wait(24 * time.Hour)
	if err := get(pub); err != nil {
		t.Errorf("public, disk full: %v", err)
	}
	for _, level := range []protocol.Level{reg, rest} {
		if err := get(level); protocol.CodeOf(err) != protocol.CodeUnavailable {
			t.Errorf("%s, disk full: %v", level, err)
		}
	}
	if got := a.ledger.counts; len(got) != 2 || got[(&Reading{Day: day + 1, Way: Served, Member: "BB", Level: reg}).prefix()] != 0 {
		t.Errorf("counted though not written: %v", got)
	}
}

func TestLogIsPruned(t *testing.T) {
	w := found(t, false, nil)
	a := w.nodes["AA"]
	l := &a.ledger
	for range 3 {
		for i := range 700 {
			if err := l.note(Reading{Way: Served, Member: "BB", Level: pub, Listing: protocol.ListingID(fmt.Sprint("l", i))}, 0); err != nil {
				t.Fatal(err)
			}
		}
		w.wait(24 * time.Hour)
	}
	for _, tt := range []struct{ days, want int }{{LogDays - 3, 2100}, {1, 1400}, {1, 700}, {1, 0}} {
		w.wait(time.Duration(tt.days) * 24 * time.Hour)
		if err := a.Prune(); err != nil {
			t.Fatal(err)
		}
		if got := len(a.readings(t)); got != tt.want {
			t.Errorf("%d are left, want %d", got, tt.want)
		}
	}
}

// Many at a time are all written down, and none over the cap.
func TestManyReaders(t *testing.T) {
	w := found(t, false, nil)
	l := &w.nodes["AA"].ledger
	const many, most = 64, 50
	var wg sync.WaitGroup
	refused := make(chan error, many)
	for i := range many {
		wg.Go(func() {
			refused <- l.note(Reading{Way: Served, Member: "BB", Level: reg, Listing: "a", Reader: fmt.Sprint(i)}, most)
		})
	}
	wg.Wait()
	close(refused)
	n := 0
	for err := range refused {
		if err == nil {
			n++
		} else if protocol.CodeOf(err) != protocol.CodeUnavailable {
			t.Error(err)
		}
	}
	if got := len(w.nodes["AA"].readings(t)); n != most || got != most {
		t.Errorf("%d were let through and %d noted, want %d", n, got, most)
	}
}

func TestGrants(t *testing.T) {
	w := found(t, false, nil)
	a := w.nodes["AA"]
	g := a.Grants()
	day := func(n int) protocol.Instant {
		return protocol.InstantOf(w.now().Add(time.Duration(n) * 24 * time.Hour))
	}
	do := func(f func(tx *store.Tx) error) error { return a.store.Update(f) }
	editor := a.actor(access.Editor)
	create := func(actor access.Actor, in Invitation) (x Grant, err error) {
		err = do(func(tx *store.Tx) error { x, err = g.Create(tx, actor, "a", in); return err })
		return x, err
	}
	good := Invitation{Member: "BB", Expires: day(10)}
	other := editor
	other.Organisation = "o-2"
	for name, actor := range map[string]access.Actor{"stranger": {}, "reader": a.actor(access.Reader), "other organisation": other, "admin": a.actor(access.Admin), "another member's": w.nodes["BB"].actor(access.Editor)} {
		if _, err := create(actor, good); protocol.CodeOf(err) != protocol.CodeNotPermitted {
			t.Errorf("%s: got %v", name, err)
		}
		for what, f := range map[string]func(tx *store.Tx) error{
			"list":   func(tx *store.Tx) error { _, err := g.List(tx, actor, "a"); return err },
			"revoke": func(tx *store.Tx) error { return g.Revoke(tx, actor, "a", strings.Repeat("0", 32)) },
		} {
			if err := do(f); protocol.CodeOf(err) != protocol.CodeNotPermitted {
				t.Errorf("%s, %s: got %v", name, what, err)
			}
		}
	}
	for name, tt := range map[string]struct {
		in     Invitation
		fields string
	}{
		"nothing":       {Invitation{}, "member expires"},
		"member":        {Invitation{Member: "b", Expires: day(1)}, "member"},
		"over":          {Invitation{Member: "BB", Expires: day(0)}, "expires"},
		"too long":      {Invitation{Member: "BB", Expires: day(401)}, "expires"},
		"email":         {Invitation{Member: "BB", Email: "nobody", Expires: day(1)}, "email"},
		"email, line":   {Invitation{Member: "BB", Email: "a@b\nc", Expires: day(1)}, "email"},
		"long email":    {Invitation{Member: "BB", Email: strings.Repeat("a", 250) + "@b.cd", Expires: day(1)}, "email"},
		"both":          {Invitation{Member: "BB", Email: "a@b.cd", Organisation: "o", Expires: day(1)}, "organisation"},
		"long id":       {Invitation{Member: "BB", Organisation: access.OrganisationID(strings.Repeat("o", 65)), Expires: day(1)}, "organisation"},
		"all at a time": {Invitation{Member: "b", Email: "x", Organisation: "o"}, "member email organisation expires"},
	} {
		_, err := create(editor, tt.in)
		var fields []string
		for _, e := range protocol.All(err) {
			fields = append(fields, e.Field)
		}
		if strings.Join(fields, " ") != tt.fields {
			t.Errorf("%s: got %v, want faults of %s", name, err, tt.fields)
		}
	}
	x, err := create(editor, good)
	if err != nil {
		t.Fatal(err)
	}
	person, err := create(editor, Invitation{Member: "BB", Email: "A@b.cd", Expires: day(1)})
	if err != nil {
		t.Fatal(err)
	}
	good.Expires = day(20)
	if again, err := create(editor, good); err != nil || again.ID != x.ID {
		t.Errorf("the same again: %v, %v", again, err)
	}
	if err := do(func(tx *store.Tx) error {
		all, err := g.List(tx, editor, "a")
		if err != nil || len(all) != 2 {
			t.Errorf("%d stand, %v", len(all), err)
		}
		for _, x := range all {
			if want := map[string]protocol.Instant{x.ID: day(20), person.ID: day(1)}[x.ID]; x.Expires != want || x.Listing != "a" || x.By != "u-AA" || strings.Contains(fmt.Sprint(x), "@") {
				t.Errorf("%+v", x)
			}
		}
		b, err := tx.Row(store.TableGrant, "a/"+person.ID)
		if err != nil || b == nil || bytes.Contains(b, []byte("b.cd")) {
			t.Errorf("kept is %s, %v", b, err)
		}
		for _, id := range []string{"", "/", "../a", strings.Repeat("0", 32), x.ID + "0"} {
			if err := g.Revoke(tx, editor, "a", id); protocol.CodeOf(err) != protocol.CodeNotFound {
				t.Errorf("revoke %q: %v", id, err)
			}
		}
		for _, in := range [][2]string{{"CC", "a@b.cd"}, {"BB", "b@b.cd"}, {"BB", ""}, {"BB", " A@B.CD"}} {
			if err := g.Erase(tx, protocol.MemberID(in[0]), in[1]); err != nil {
				t.Error(err)
			}
			all, err := g.List(tx, editor, "a")
			if want := map[string]int{" A@B.CD": 1}[in[1]]; err != nil || want == 0 && len(all) != 2 || want > 0 && (len(all) != 1 || all[0].ID != x.ID) {
				t.Errorf("erased %q, and %+v stand, %v", in, all, err)
			}
		}
		return g.Revoke(tx, editor, "a", x.ID)
	}); err != nil {
		t.Fatal(err)
	}
	if err := do(func(tx *store.Tx) error {
		for i := range maxGrants {
			if _, err := g.Create(tx, editor, "a", Invitation{Member: "BB", Organisation: access.OrganisationID(fmt.Sprint("o", i)), Expires: day(1)}); err != nil {
				return err
			}
			if i == 5 { // counting them each time takes its time: the rest at once
				for j := i + 1; j < maxGrants; j++ {
					y := Grant{ID: fmt.Sprintf("%032d", j), Listing: "a"}
					if err := tx.SetRow(store.TableGrant, y.key(), []byte("{}")); err != nil {
						return err
					}
				}
				break
			}
		}
		_, err := g.Create(tx, editor, "a", Invitation{Member: "CC", Expires: day(1)})
		if protocol.CodeOf(err) != protocol.CodeTooLarge {
			t.Errorf("one too many: %v", err)
		}
		_, err = g.Create(tx, editor, "a", Invitation{Member: "BB", Organisation: "o0", Expires: day(2)})
		return err
	}); err != nil {
		t.Errorf("one that stands already: %v", err)
	}
	if err := do(func(tx *store.Tx) error { return g.Drop(tx, "a") }); err != nil {
		t.Fatal(err)
	}
	if err := do(func(tx *store.Tx) error {
		all, err := g.List(tx, editor, "a")
		if len(all) != 0 {
			t.Errorf("%d are left", len(all))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// A record that is not what its summary names is not served: an internal fault, of which the reader learns nothing.
func TestDamagedRecord(t *testing.T) {
	w := found(t, false, nil)
	a := w.nodes["AA"]
	w.publish("AA", "three", a.threeLevels())
	other := a.threeLevels()
	other.Stage = "something else"
	w.keep("AA", "three", other)
	ask := func() error {
		_, err := a.Parts(context.Background(), "BB", w.entitlement("BB", "AA", "three", reg, nil))
		return err
	}
	if err := ask(); protocol.CodeOf(err) != protocol.CodeInternal {
		t.Errorf("got %v", err)
	}
	if err := a.store.Update(func(tx *store.Tx) error { return tx.SetFull("listing/three", []byte("opaque")) }); err != nil {
		t.Fatal(err)
	}
	if err := ask(); protocol.CodeOf(err) != protocol.CodeInternal {
		t.Errorf("got %v", err)
	}
}

func BenchmarkParts(b *testing.B) {
	w := found(b, false, nil)
	a := w.nodes["AA"]
	w.publish("AA", "three", a.threeLevels())
	es := make([]*protocol.SignedEntitlement, b.N)
	for i := range es {
		es[i] = w.entitlement("BB", "AA", "three", rest, func(x *protocol.Entitlement) {
			x.Nonce = protocol.Nonce{1, byte(i), byte(i >> 8), byte(i >> 16), byte(i >> 24)}
		})
	}
	b.ResetTimer()
	for i := range b.N {
		if i%maxNonces == 0 {
			a.nonces = nonces{}
		}
		if _, err := a.Parts(b.Context(), "BB", es[i]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGet is a record fetched over loopback by a reader who read it today, so that nothing is written.
func BenchmarkGet(b *testing.B) {
	w := found(b, true, nil)
	a, n := w.nodes["AA"], w.nodes["BB"]
	w.publish("AA", "three", a.threeLevels())
	b.ResetTimer()
	for range b.N {
		if _, err := n.reader.Get(b.Context(), Ref{"AA", "three"}, n.actor(access.Reader)); err != nil {
			b.Fatal(err)
		}
	}
}
