package record

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// seen lists the levels whose secrets stand in what is shown, wherever.
func seen(t testing.TB, x *Shown) (levels []protocol.Level) {
	t.Helper()
	b, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range x.parts {
		b = append(b, p.Bytes()...)
	}
	for _, level := range protocol.Levels() {
		if strings.Contains(string(b), secret(level)) {
			levels = append(levels, level)
		}
	}
	return levels
}

const (
	pub  = protocol.LevelPublic
	reg  = protocol.LevelRegistered
	rest = protocol.LevelRestricted
	inv  = protocol.LevelInvited
)

// Each level, to who is entitled and who is not, at the origin and at other members' nodes.
func TestLevels(t *testing.T) {
	w := found(t, true, nil)
	a, b, c := w.nodes["AA"], w.nodes["BB"], w.nodes["CC"]
	w.publish("AA", "three", a.threeLevels())
	registered := a.threeLevels()
	registered.Level, registered.Sections, registered.Terms = reg, nil, protocol.Terms{}
	registered.Documents = nil
	w.publish("AA", "registered", registered)
	restricted := a.threeLevels()
	restricted.Level, restricted.Sections, restricted.Documents = rest, nil, nil
	restricted.Stage = ""
	w.publish("AA", "restricted", restricted)
	w.publish("AA", "bare", nil)
	with := func(x access.Actor, change func(*access.Actor)) access.Actor { change(&x); return x }
	company := func(x *access.Actor) { x.OrganisationType = "sme-small" }
	scopes := func(s ...access.Scope) func(*access.Actor) { return func(x *access.Actor) { x.Scopes = s } }
	other := func(x *access.Actor) { x.Organisation = "o-2" }
	for _, tt := range []struct {
		name  string
		node  *node
		actor access.Actor
		id    protocol.ListingID
		want  []protocol.Level
		code  protocol.Code
	}{
		{"stranger", b, access.Actor{}, "three", []protocol.Level{pub}, ""},
		{"stranger", b, access.Actor{}, "registered", nil, protocol.CodeNotPermitted},
		{"stranger", b, access.Actor{}, "restricted", nil, protocol.CodeNotPermitted},
		{"stranger", b, access.Actor{}, "bare", nil, protocol.CodeNotFound},
		{"stranger", b, access.Actor{}, "none", nil, protocol.CodeNotFound},
		{"analyst", b, b.actor(access.Analyst), "three", []protocol.Level{pub}, ""},
		{"analyst", b, b.actor(access.Analyst), "registered", nil, protocol.CodeNotPermitted},
		{"reader, audience", b, b.actor(access.Reader), "three", []protocol.Level{pub, reg, rest}, ""},
		{"reader, audience", b, b.actor(access.Reader), "registered", []protocol.Level{pub, reg}, ""},
		{"scout, audience", b, b.actor(access.Scout), "restricted", []protocol.Level{pub, rest}, ""},
		{"other type", b, with(b.actor(access.Reader), company), "three", []protocol.Level{pub, reg}, ""},
		{"other type", b, with(b.actor(access.Reader), company), "restricted", nil, protocol.CodeNotPermitted},
		{"other country", c, c.actor(access.Reader), "three", []protocol.Level{pub, reg}, ""},
		{"other country", c, c.actor(access.Reader), "restricted", nil, protocol.CodeNotPermitted},
		{"foreign admin is a guest", c, c.actor(access.Admin), "three", []protocol.Level{pub, reg}, ""},
		{"foreign editor of an organisation of the owner's id", c, c.actor(access.Editor), "restricted", nil, protocol.CodeNotPermitted},
		{"token without scope", b, with(b.actor(access.Reader), scopes(access.ScopeWrite)), "three", []protocol.Level{pub}, ""},
		{"token", b, with(b.actor(access.Reader), scopes(access.ScopeRead)), "three", []protocol.Level{pub, reg, rest}, ""},
		{"stranger at the origin", a, access.Actor{}, "three", []protocol.Level{pub}, ""},
		{"stranger at the origin", a, access.Actor{}, "registered", nil, protocol.CodeNotPermitted},
		{"own editor", a, a.actor(access.Editor), "three", []protocol.Level{pub, reg, rest}, ""},
		{"other organisation at the origin", a, with(a.actor(access.Editor), other), "three", []protocol.Level{pub, reg}, ""},
		{"reviewer", a, with(a.actor(access.Reviewer), other), "restricted", []protocol.Level{pub, rest}, ""},
		{"operator", a, access.Operator("AA"), "restricted", []protocol.Level{pub, rest}, ""},
		{"nothing more", a, a.actor(access.Editor), "bare", nil, protocol.CodeNotFound},
	} {
		x, err := tt.node.reader.Get(t.Context(), Ref{"AA", tt.id}, tt.actor)
		if protocol.CodeOf(err) != tt.code {
			t.Errorf("%s, %s: got %v, want %q", tt.name, tt.id, err, tt.code)
			continue
		}
		if err != nil {
			continue
		}
		want := tt.want // the text says "public", also where the record as a whole is at a higher level
		if got := seen(t, x); !slices.Equal(got, want) {
			t.Errorf("%s, %s: sees %q, want %q", tt.name, tt.id, got, want)
		}
		if tt.id == "three" && (x.Level != want[len(want)-1] || len(x.Withheld) != 3-len(want) || !x.Verified || x.FromCache && x.Level != pub || x.Age != 0) {
			t.Errorf("%s: got level %q, %q withheld, verified %v, from cache %v, age %v", tt.name, x.Level, x.Withheld, x.Verified, x.FromCache, x.Age)
		}
	}
}

// What is not there, is no longer there, and is there for others only, is refused in the same words.
func TestInvitedTellsNothing(t *testing.T) {
	w := found(t, true, nil)
	a, b := w.nodes["AA"], w.nodes["BB"]
	w.keep("AA", "invited", a.invitedOnly())
	a.summaries["invited"] = listing("AA", "invited")
	w.keep("AA", "stored", a.threeLevels()) // and in nobody's catalogue
	w.publish("AA", "withdrawn", a.threeLevels())
	w.withdraw("AA", "withdrawn")
	a.summaries["stored"] = listing("AA", "stored")
	w.publish("AA", "left", a.threeLevels())
	w.withdraw("AA", "left")
	w.keep("AA", "left", a.threeLevels()) // though it should not be there
	b.emails["u-BB"] = "b@example.org"
	for _, id := range []protocol.ListingID{"none", "invited", "stored", "withdrawn", "left"} {
		for _, actor := range []access.Actor{{}, b.actor(access.Reader), b.actor(access.Admin)} {
			_, err := b.reader.Get(t.Context(), Ref{"AA", id}, actor)
			if e := new(protocol.Error); !errors.As(err, &e) || e.Error() != nothing().Error() && e.Error() != protocol.Errorf(protocol.CodeNotFound, "", "%s", nothing().Message).Error() {
				t.Errorf("%s: got %v", id, err)
			}
		}
		for _, level := range protocol.Levels() {
			_, err := a.Parts(t.Context(), "BB", w.entitlement("BB", "AA", id, level, nil))
			if err == nil || err.Error() != nothing().Error() {
				t.Errorf("%s, asked for %s: got %v", id, level, err)
			}
			_, err = a.Server.Document(t.Context(), "BB", w.entitlement("BB", "AA", id, level, nil), protocol.Hash{1})
			if err == nil || err.Error() != nothing().Error() {
				t.Errorf("document of %s, asked for %s: got %v", id, level, err)
			}
		}
		if _, err := a.reader.Get(t.Context(), Ref{"AA", id}, access.Actor{}); err == nil || err.Error() != nothing().Error() {
			t.Errorf("%s, at the origin: got %v", id, err)
		}
	}
	x, err := a.reader.Get(t.Context(), Ref{"AA", "invited"}, a.actor(access.Editor))
	if err != nil || x.Verified || x.Level != inv {
		t.Errorf("its own editor: got %+v, %v", x, err)
	}
	if got := len(b.reader.copies.kept); got != 0 {
		t.Errorf("%d copies are kept", got)
	}
}

func TestInvited(t *testing.T) {
	w := found(t, true, nil)
	a, b, c := w.nodes["AA"], w.nodes["BB"], w.nodes["CC"]
	w.keep("AA", "invited", a.invitedOnly())
	a.summaries["invited"] = listing("AA", "invited")
	b.emails["u-BB"] = "b@example.org"
	c.emails["u-CC"] = "b@example.org" // CC's word, which does not count for what BB is asked
	until := protocol.InstantOf(w.now().Add(time.Hour))
	editor := a.actor(access.Editor)
	for name, in := range map[string]Invitation{
		"person":       {Member: "BB", Email: " B@Example.org ", Expires: until},
		"organisation": {Member: "BB", Organisation: "o-1", Expires: until},
		"member":       {Member: "BB", Expires: until},
	} {
		var g Grant
		if err := a.store.Update(func(tx *store.Tx) (err error) {
			g, err = a.Grants().Create(tx, editor, "invited", in)
			return err
		}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		get := func(n *node, actor access.Actor) error {
			x, err := n.reader.Get(t.Context(), Ref{"AA", "invited"}, actor)
			if err == nil && (!slices.Contains(seen(t, x), inv) || x.Listing.ID != "invited" || x.Verified) {
				t.Errorf("%s: shown is %+v", name, x)
			}
			return err
		}
		if err := get(b, b.actor(access.Reader)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for what, other := range map[string]func() error{
			"another member's":     func() error { return get(c, c.actor(access.Reader)) },
			"a stranger":           func() error { return get(b, access.Actor{}) },
			"without reading role": func() error { return get(b, b.actor(access.Analyst)) },
			"somebody else": func() error {
				if name == "member" {
					return nothing()
				}
				return get(b, access.Actor{User: "u-other", Organisation: "o-2", Member: "BB", Roles: []access.Role{access.Reader}})
			},
		} {
			if err := other(); protocol.CodeOf(err) != protocol.CodeNotFound {
				t.Errorf("%s, %s: got %v", name, what, err)
			}
		}
		w.wait(time.Hour)
		if err := get(b, b.actor(access.Reader)); protocol.CodeOf(err) != protocol.CodeNotFound {
			t.Errorf("%s, over: got %v", name, err)
		}
		w.wait(-time.Hour)
		if err := a.store.Update(func(tx *store.Tx) error { return a.Grants().Revoke(tx, editor, "invited", g.ID) }); err != nil {
			t.Fatal(err)
		}
		if err := get(b, b.actor(access.Reader)); protocol.CodeOf(err) != protocol.CodeNotFound {
			t.Errorf("%s, revoked: got %v", name, err)
		}
	}
}

// An own person of another organisation is invited as anybody is.
func TestInvitedAtTheOrigin(t *testing.T) {
	w := found(t, false, nil)
	a := w.nodes["AA"]
	w.keep("AA", "invited", a.invitedOnly())
	a.summaries["invited"] = listing("AA", "invited")
	a.emails["u-guest"] = "Guest@example.org"
	guest := access.Actor{User: "u-guest", Member: "AA", Organisation: "o-2", Roles: []access.Role{access.Scout}}
	get := func() protocol.Code {
		_, err := a.reader.Get(t.Context(), Ref{"AA", "invited"}, guest)
		return protocol.CodeOf(err)
	}
	if got := get(); got != protocol.CodeNotFound {
		t.Errorf("not invited: %q", got)
	}
	if err := a.store.Update(func(tx *store.Tx) error {
		_, err := a.Grants().Create(tx, a.actor(access.Editor), "invited", Invitation{Member: "AA", Email: "guest@example.org", Expires: protocol.InstantOf(w.now().Add(time.Hour))})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if got := get(); got != "" {
		t.Errorf("invited: %q", got)
	}
}

// What was fetched is shown with its age while the origin is away, to who may see it and to nobody else.
func TestCopyWhileTheOriginIsAway(t *testing.T) {
	w := found(t, true, nil)
	a, b := w.nodes["AA"], w.nodes["BB"]
	w.publish("AA", "three", a.threeLevels())
	w.publish("AA", "other", a.threeLevels())
	ref := Ref{"AA", "three"}
	audience, company := b.actor(access.Reader), b.actor(access.Reader)
	company.OrganisationType = "sme-small"
	if _, err := b.reader.Get(t.Context(), ref, audience); err != nil {
		t.Fatal(err)
	}
	w.silence("AA")
	w.wait(3 * time.Hour)
	for name, tt := range map[string]struct {
		actor access.Actor
		want  []protocol.Level
	}{
		"audience": {audience, []protocol.Level{pub, reg, rest}},
		"company":  {company, []protocol.Level{pub, reg}},
		"stranger": {access.Actor{}, []protocol.Level{pub}},
	} {
		x, err := b.reader.Get(t.Context(), ref, tt.actor)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := seen(t, x); !slices.Equal(got, tt.want) || !x.FromCache || x.Age != 3*time.Hour || !x.Verified {
			t.Errorf("%s: sees %q, from cache %v, age %v", name, got, x.FromCache, x.Age)
		}
	}
	if _, err := b.reader.Get(t.Context(), Ref{"AA", "other"}, audience); protocol.CodeOf(err) != protocol.CodeUnavailable {
		t.Errorf("never fetched: got %v", err)
	}
	if got := b.readings(t); len(got) != 3 || slices.ContainsFunc(got, func(r Reading) bool { return r.Way != FromCopy || r.Member != "AA" || r.Listing != "three" }) {
		t.Errorf("the log has %+v", got)
	}
	w.wait(CopyLife - 3*time.Hour)
	if _, err := b.reader.Get(t.Context(), ref, audience); err != nil {
		t.Errorf("after seven days: %v", err)
	}
	w.wait(time.Second)
	if _, err := b.reader.Get(t.Context(), ref, audience); protocol.CodeOf(err) != protocol.CodeUnavailable {
		t.Errorf("after more than seven days: got %v", err)
	}
	if err := b.reader.Sweep(); err != nil || len(b.copyRows(t)) != 0 {
		t.Errorf("after a sweep: %q, %v", b.copyRows(t), err)
	}
}

func (n *node) copyRows(t testing.TB) (keys []string) {
	t.Helper()
	if err := n.store.View(func(tx *store.Tx) error {
		return tx.Rows(store.TableCopy, "", "", func(key string, _ []byte) (bool, error) { keys = append(keys, key); return true, nil })
	}); err != nil {
		t.Fatal(err)
	}
	return keys
}

// What is public is asked for again after an hour only; what is not, each time, as the origin wants to know.
func TestPublicCopyServesForAnHour(t *testing.T) {
	w := found(t, true, nil)
	a, b := w.nodes["AA"], w.nodes["BB"]
	w.publish("AA", "three", a.threeLevels())
	for i, tt := range []struct {
		actor access.Actor
		wait  time.Duration
		copy  bool
	}{
		{access.Actor{}, 0, false}, {access.Actor{}, 59 * time.Minute, true}, {b.actor(access.Reader), 0, false},
		{access.Actor{}, time.Minute, false}, {b.actor(access.Reader), 0, false}, {access.Actor{}, time.Minute, true},
	} {
		w.wait(tt.wait)
		if x, err := b.reader.Get(t.Context(), Ref{"AA", "three"}, tt.actor); err != nil || x.FromCache != tt.copy {
			t.Errorf("%d: from cache %v, %v", i+1, x.FromCache, err)
		}
	}
}

// A withdrawal drops copies, and a revision those of the parts that it changed; with a Purge at once, without one at the next reading.
func TestCopiesFollowTheCatalogue(t *testing.T) {
	w := found(t, true, nil)
	a, b := w.nodes["AA"], w.nodes["BB"]
	actor := b.actor(access.Reader)
	record := a.threeLevels()
	parts := w.publish("AA", "three", record)
	w.publish("AA", "other", a.threeLevels())
	ref, other := Ref{"AA", "three"}, Ref{"AA", "other"}
	for _, r := range []Ref{ref, other} {
		if _, err := b.reader.Get(t.Context(), r, actor); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.copyRows(t); len(got) != 12 {
		t.Fatalf("kept: %q", got)
	}
	if err := b.reader.Purge(ref, other, Ref{"AA", "none"}); err != nil || len(b.copyRows(t)) != 12 {
		t.Errorf("nothing changed, and kept is %q, %v", b.copyRows(t), err)
	}
	// Only what is registered changes.
	record.Stage = "another stage"
	changed, err := record.Parts("three", parts, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := listing("AA", "three")
	l.BindFull(changed)
	w.sign("AA", "three", protocol.Put, l.Encode(), 1)
	w.silence("AA")
	x, err := b.reader.Get(t.Context(), ref, actor)
	if err != nil || !slices.Equal(x.Withheld, []protocol.Level{reg}) || slices.Contains(seen(t, x), reg) {
		t.Errorf("a part that the summary no longer names: %+v, %v", x, err)
	}
	if err := b.reader.Purge(ref); err != nil || len(b.copyRows(t)) != 10 {
		t.Errorf("after a revision: %q, %v", b.copyRows(t), err)
	}
	w.withdraw("AA", "three")
	if _, err := b.reader.Get(t.Context(), ref, actor); protocol.CodeOf(err) != protocol.CodeNotFound {
		t.Errorf("after the withdrawal: %v", err)
	}
	if got := b.copyRows(t); len(got) != 6 || b.reader.copies.total == 0 {
		t.Errorf("after the withdrawal: %q", got)
	}
	w.withdraw("AA", "other")
	if err := b.reader.Purge(other); err != nil || len(b.copyRows(t)) != 0 || b.reader.copies.total != 0 {
		t.Errorf("after both: %q, %d bytes, %v", b.copyRows(t), b.reader.copies.total, err)
	}
}

// What an origin does not show any more is not kept, though its withdrawal did not arrive yet.
func TestRefusalOfTheOriginDropsTheCopy(t *testing.T) {
	w := found(t, true, nil)
	a, b := w.nodes["AA"], w.nodes["BB"]
	w.publish("AA", "three", a.threeLevels())
	if _, err := b.reader.Get(t.Context(), Ref{"AA", "three"}, b.actor(access.Reader)); err != nil {
		t.Fatal(err)
	}
	w.keep("AA", "three", nil)
	if _, err := b.reader.Get(t.Context(), Ref{"AA", "three"}, b.actor(access.Reader)); protocol.CodeOf(err) != protocol.CodeNotFound {
		t.Errorf("got %v", err)
	}
	if got := b.copyRows(t); len(got) != 0 {
		t.Errorf("kept: %q", got)
	}
}

// An origin that sends something else than it signed is not believed.
func TestForgedParts(t *testing.T) {
	w := found(t, true, nil)
	a, b := w.nodes["AA"], w.nodes["BB"]
	w.publish("AA", "three", a.threeLevels())
	other := a.threeLevels()
	other.Stage = "something else"
	parts, err := other.Parts("three", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := listing("AA", "three")
	l.BindFull(parts)
	w.keepParts("AA", "three", other, parts)
	w.sign("AA", "three", protocol.Put, l.Encode(), 1, "AA", "CC") // BB does not know of it yet
	if _, err := b.reader.Get(t.Context(), Ref{"AA", "three"}, b.actor(access.Reader)); protocol.CodeOf(err) != protocol.CodeBody {
		t.Errorf("got %v", err)
	}
	if got := b.copyRows(t); len(got) != 0 {
		t.Errorf("kept: %q", got)
	}
	for name, raw := range map[string][][]byte{
		"none":            nil,
		"no part":         {[]byte("x")},
		"another record":  {mustParts(t, other, "four")[0].Bytes()},
		"a level twice":   {parts[0].Bytes(), parts[0].Bytes()},
		"levels descend":  {parts[1].Bytes(), parts[0].Bytes()},
		"with a bad tail": {append(slices.Clone(parts[0].Bytes()), 0)},
	} {
		if _, err := readParts(Ref{"AA", "three"}, raw); err == nil || protocol.CodeOf(err) == protocol.CodeInternal {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// liar is an origin that sends more than it was asked for.
type liar struct {
	Network
	parts []*protocol.Part
}

func (l liar) FetchParts(context.Context, protocol.MemberID, *protocol.SignedEntitlement) (*protocol.RecordAnswer, error) {
	a := new(protocol.RecordAnswer)
	for _, p := range l.parts {
		a.Parts = append(a.Parts, p.Bytes())
	}
	return a, nil
}

// Whatever an origin sends, a node shows its readers what they may see.
func TestOriginThatSendsTooMuch(t *testing.T) {
	w := found(t, false, nil)
	b := w.nodes["BB"]
	b.reader.cfg.Network = liar{parts: w.publish("AA", "three", w.nodes["AA"].threeLevels())}
	company := b.actor(access.Reader)
	company.OrganisationType = "sme-small"
	for name, tt := range map[string]struct {
		actor access.Actor
		want  []protocol.Level
	}{"stranger": {access.Actor{}, []protocol.Level{pub}}, "company": {company, []protocol.Level{pub, reg}}} {
		x, err := b.reader.Get(t.Context(), Ref{"AA", "three"}, tt.actor)
		if err != nil {
			t.Fatal(err)
		}
		if got := seen(t, x); !slices.Equal(got, tt.want) {
			t.Errorf("%s sees %q", name, got)
		}
	}
}

func mustParts(t testing.TB, r *protocol.Record, id protocol.ListingID) []*protocol.Part {
	t.Helper()
	parts, err := r.Parts(id, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

func (w *world) keepParts(origin protocol.MemberID, id protocol.ListingID, r *protocol.Record, parts []*protocol.Part) {
	w.t.Helper()
	if err := w.nodes[origin].store.Update(func(tx *store.Tx) error { return tx.SetFull(id.Key(), protocol.EncodeRecord(r, parts)) }); err != nil {
		w.t.Fatal(err)
	}
}

// Copies are bounded in bytes, the oldest go first, and what is kept is known again after a restart.
func TestCopiesAreBounded(t *testing.T) {
	w := found(t, false, nil)
	b := w.nodes["BB"]
	part := func(id protocol.ListingID) []*protocol.Part {
		r := b.invitedOnly()
		r.Level, r.Stage = pub, strings.Repeat("x", 100)
		return mustParts(t, r, id)
	}
	size := int64(len(part("p0")[0].Bytes()))
	c, err := openCopies(b.store, w.now, 3*size)
	if err != nil {
		t.Fatal(err)
	}
	ids := []protocol.ListingID{"p0", "p1", "p2", "p3", "p4"}
	for _, id := range ids {
		if err := c.put(Ref{"AA", id}, part(id)); err != nil {
			t.Fatal(err)
		}
		w.wait(time.Minute)
	}
	check := func(c *copies, want ...protocol.ListingID) {
		t.Helper()
		for _, id := range ids {
			if _, ok := c.kept[copyKey{Ref{"AA", id}, pub}]; ok != slices.Contains(want, id) {
				t.Errorf("%s is kept: %v", id, ok)
			}
		}
		if got := len(b.copyRows(t)); got != 2*len(want) || c.total != int64(len(want))*size {
			t.Errorf("%d rows, %d bytes", got, c.total)
		}
	}
	check(c, "p2", "p3", "p4")
	w.wait(fresh)
	if err := c.put(Ref{"AA", "p2"}, part("p2")); err != nil { // again: now it is the newest
		t.Fatal(err)
	}
	if err := c.put(Ref{"AA", "p0"}, part("p0")); err != nil {
		t.Fatal(err)
	}
	check(c, "p0", "p2", "p4")
	if c, err = openCopies(b.store, w.now, 3*size); err != nil {
		t.Fatal(err)
	}
	check(c, "p0", "p2", "p4")
	if c, err = openCopies(b.store, w.now, size-1); err != nil {
		t.Fatal(err)
	}
	if err := c.put(Ref{"AA", "p1"}, part("p1")); err != nil {
		t.Fatal(err)
	}
	check(c, "p0", "p2", "p4")
}

func TestDocuments(t *testing.T) {
	w := found(t, true, nil)
	a, b := w.nodes["AA"], w.nodes["BB"]
	record := a.threeLevels()
	w.publish("AA", "three", record)
	picture, large := record.Documents[0], record.Documents[1]
	ref := Ref{"AA", "three"}
	company := b.actor(access.Reader)
	company.OrganisationType = "sme-small"
	for _, tt := range []struct {
		name  string
		node  *node
		actor access.Actor
		hash  protocol.Hash
		code  protocol.Code
	}{
		{"audience", b, b.actor(access.Reader), large.Hash, ""},
		{"audience", b, b.actor(access.Reader), picture.Hash, ""},
		{"preview", b, b.actor(access.Reader), picture.Preview, ""},
		{"company", b, company, picture.Hash, ""},
		{"company", b, company, large.Hash, protocol.CodeNotFound},
		{"stranger", b, access.Actor{}, picture.Hash, protocol.CodeNotFound},
		{"unknown", b, b.actor(access.Reader), protocol.Hash{9}, protocol.CodeNotFound},
		{"zero", b, b.actor(access.Reader), protocol.Hash{}, protocol.CodeNotFound},
		{"own editor", a, a.actor(access.Editor), large.Hash, ""},
		{"stranger at the origin", a, access.Actor{}, large.Hash, protocol.CodeNotFound},
	} {
		d, err := tt.node.reader.Document(t.Context(), ref, tt.hash, tt.actor)
		if protocol.CodeOf(err) != tt.code {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.code)
		}
		if err != nil {
			continue
		}
		got, err := io.ReadAll(d)
		if err != nil || string(got) != string(a.documents[tt.hash]) || d.Type != "application/pdf" {
			t.Errorf("%s: %d bytes of %s, %v", tt.name, len(got), d.Type, err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	// A document that is asked for directly is judged by the part that names it.
	for level, code := range map[protocol.Level]protocol.Code{pub: protocol.CodeNotFound, reg: protocol.CodeNotFound, rest: ""} {
		if _, err := a.Server.Document(t.Context(), "BB", w.entitlement("BB", "AA", "three", level, nil), large.Hash); protocol.CodeOf(err) != code {
			t.Errorf("at level %s: %v", level, err)
		}
	}
	if _, err := a.Server.Document(t.Context(), "CC", w.entitlement("CC", "AA", "three", rest, nil), large.Hash); protocol.CodeOf(err) != protocol.CodeNotFound {
		t.Errorf("outside of the audience: %v", err)
	}
	served := 0
	for _, r := range a.readings(t) {
		if r.Way == ServedDocument && r.Document == large.Hash && r.Member == "BB" && r.Level == rest {
			served++
		}
	}
	if served != 2 { // by its reader's pseudonym, and by the one of the direct question
		t.Errorf("the log has %d entries of the large document", served)
	}
	// It ends in the middle where the reader goes away, and nothing hangs.
	d, err := b.reader.Document(t.Context(), ref, large.Hash, b.actor(access.Reader))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadAll(d); err == nil {
		t.Error("it could be read after its end")
	}
	a.documents[large.Hash] = append([]byte("forged"), a.documents[large.Hash][6:]...)
	if d, err = b.reader.Document(t.Context(), ref, large.Hash, b.actor(access.Reader)); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(d); protocol.CodeOf(err) != protocol.CodeBody || len(got) >= len(a.documents[large.Hash]) {
		t.Errorf("forged: %d bytes, %v", len(got), err)
	}
	_ = d.Close()
	w.silence("AA")
	if _, err := b.reader.Document(t.Context(), ref, large.Hash, b.actor(access.Reader)); protocol.CodeOf(err) != protocol.CodeUnavailable {
		t.Errorf("while the origin is away: %v", err)
	}
}
