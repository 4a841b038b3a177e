package record

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/node/p2p"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

var (
	_ Network     = (*p2p.Net)(nil)
	_ p2p.Library = (*Server)(nil)
)

const patience = 10 * time.Second

// world is a federation of nodes that know nothing but records, with one clock.
type world struct {
	t     testing.TB
	clock atomic.Int64
	nodes map[protocol.MemberID]*node
	seq   map[protocol.MemberID]uint64
	fed   protocol.Hash
}

type node struct {
	*Server
	reader    *Reader
	net       *p2p.Net
	seat      founding.Seat
	roster    atomic.Pointer[protocol.Roster]
	store     *store.Store
	free      atomic.Uint64
	owner     access.OrganisationID // of all listings
	summaries map[protocol.ListingID]*protocol.Listing
	documents map[protocol.Hash][]byte
	emails    map[access.UserID]string
	stop      func()
}

// handler of a node that knows nothing but records.
type handler struct{ *node }

func (handler) Changes(protocol.MemberID, []*protocol.Change) {}
func (handler) Head(protocol.MemberID, *protocol.SignedHead)  {}
func (handler) Evidence(protocol.MemberID, protocol.Evidence) {}
func (handler) Connected(protocol.MemberID)                   {}
func (handler) Disconnected(protocol.MemberID)                {}
func (handler) Papers(uint64) *protocol.Papers                { return new(protocol.Papers) }
func (handler) Answer(context.Context, protocol.MemberID, *protocol.Request, func(*protocol.Answer) error) error {
	return protocol.Errorf(protocol.CodeUnavailable, "", "nothing of that here")
}

func (w *world) now() time.Time       { return time.Unix(w.clock.Load(), 0).UTC() }
func (w *world) wait(d time.Duration) { w.clock.Add(int64(d / time.Second)) }
func (n *node) actor(roles ...access.Role) access.Actor {
	return access.Actor{User: "u-" + access.UserID(n.seat.Member.ID), Member: n.seat.Member.ID, Organisation: "o-1", OrganisationType: "university",
		Country: n.seat.Member.Country, Roles: roles}
}

// found makes nodes of AA, BB and CC; connected says whether over real hosts.
func found(t testing.TB, connected bool, change func(*ServerConfig, *ReaderConfig)) *world {
	t.Helper()
	w := &world{t: t, nodes: make(map[protocol.MemberID]*node), seq: make(map[protocol.MemberID]uint64)}
	w.clock.Store(1_800_000_000)
	var seats []founding.Seat
	for _, id := range []protocol.MemberID{"AA", "BB", "CC"} {
		s, err := founding.NewSeat(protocol.Member{ID: id, Name: string(id), Country: protocol.Country(id), Role: protocol.RoleMember}, "record")
		if err != nil {
			t.Fatal(err)
		}
		s.Addresses = []string{"/ip4/127.0.0.1/udp/1/quic-v1"}
		seats = append(seats, s)
	}
	roster := w.papers(seats)
	w.fed = roster.Federation()
	for i, s := range seats {
		n := &node{seat: s, owner: "o-1", summaries: map[protocol.ListingID]*protocol.Listing{}, documents: map[protocol.Hash][]byte{}, emails: map[access.UserID]string{}, stop: func() {}}
		w.nodes[s.Member.ID] = n
		n.roster.Store(roster)
		if connected {
			var err error
			if n.net, err = p2p.New(p2p.Config{Member: s.Member.ID, Key: s.Transport, Listen: []string{"/ip4/127.0.0.1/udp/0/quic-v1"}, Roster: roster}); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = n.net.Close() })
			seats[i].Addresses = n.net.Addrs()
		}
		w.open(n, change)
	}
	if connected {
		w.connect(w.papers(seats))
	}
	return w
}

func (w *world) papers(seats []founding.Seat) *protocol.Roster {
	p, err := founding.Found("record", seats, w.now())
	if err != nil {
		w.t.Fatal(err)
	}
	r := protocol.NewRoster(p.Charters[0])
	for _, c := range p.Cards {
		if r, err = r.WithCard(c); err != nil {
			w.t.Fatal(err)
		}
	}
	return r
}

func (w *world) open(n *node, change func(*ServerConfig, *ReaderConfig)) {
	w.t.Helper()
	n.free.Store(1 << 40)
	var err error
	if n.store, err = store.Open(store.Config{Free: func() (uint64, uint64, error) { return n.free.Load(), 1 << 41, nil }}); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = n.store.Close() })
	sc := ServerConfig{
		Store: n.store, Member: n.seat.Member.ID, Roster: n.roster.Load, Now: w.now,
		Owner: func(*store.Tx, protocol.ListingID) (access.OrganisationID, error) { return n.owner, nil },
		Summary: func(_ *store.Tx, id protocol.ListingID) (*protocol.Listing, error) {
			return n.summaries[id], nil
		},
		Document: func(h protocol.Hash) (io.ReadCloser, error) {
			b, ok := n.documents[h]
			if !ok {
				return nil, nothing()
			}
			return io.NopCloser(bytes.NewReader(b)), nil
		},
	}
	rc := ReaderConfig{
		Network: n.net, Secret: bytes.Repeat([]byte(n.seat.Member.ID), 16),
		Sign: func(x protocol.Entitlement) (*protocol.SignedEntitlement, error) {
			return protocol.SignEntitlement(n.seat.Record, x)
		},
		Email: func(u access.UserID) (string, error) { return n.emails[u], nil },
	}
	if change != nil {
		change(&sc, &rc)
	}
	n.Server = NewServer(sc)
	rc.Server = n.Server
	if n.reader, err = NewReader(rc); err != nil {
		w.t.Fatal(err)
	}
}

// connect runs the hosts and waits until all are connected.
func (w *world) connect(r *protocol.Roster) {
	w.t.Helper()
	for _, n := range w.nodes {
		n.roster.Store(r)
		n.net.SetRoster(r)
	}
	for _, n := range w.nodes {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- n.net.Run(ctx, handler{n}) }()
		ended := false
		n.stop = func() {
			if cancel(); !ended {
				ended = true
				if err := <-done; err != nil {
					w.t.Error(err)
				}
			}
		}
		w.t.Cleanup(n.stop)
	}
	for _, n := range w.nodes {
		w.eventually("connections of "+string(n.seat.Member.ID), func() bool { return len(n.net.Connected()) == len(w.nodes)-1 })
	}
}

func (w *world) eventually(what string, cond func() bool) {
	w.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			w.t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// silence stops a node's host and waits until the others noticed.
func (w *world) silence(id protocol.MemberID) {
	w.t.Helper()
	w.nodes[id].stop()
	for _, n := range w.nodes {
		if n.seat.Member.ID != id {
			w.eventually("loss of "+string(id), func() bool { return !slices.Contains(n.net.Connected(), id) })
		}
	}
}

// secret is what a record of the tests says at a level and nowhere else.
func secret(level protocol.Level) string { return "secret of level " + string(level) }

// threeLevels is a record with something at each level but invited, and a document at level registered and restricted.
func (n *node) threeLevels() *protocol.Record {
	document := func(name string, level protocol.Level, size int) protocol.Document {
		b := bytes.Repeat([]byte(name), size/len(name)+1)
		d := protocol.Document{Hash: protocol.Sum(b), Name: name + ".pdf", Type: "application/pdf", Size: uint64(len(b)), Level: level}
		n.documents[d.Hash] = b
		return d
	}
	picture := document("picture", protocol.LevelRegistered, 10)
	picture.Preview = document("preview", "", 5).Hash
	return &protocol.Record{
		Level: protocol.LevelPublic,
		Sections: map[protocol.Section]protocol.Level{
			protocol.SectionStage: protocol.LevelRegistered, protocol.SectionTerms: protocol.LevelRestricted, protocol.SectionDocuments: protocol.LevelRegistered,
		},
		Audience:  protocol.Audience{Types: []string{"university"}, Countries: []protocol.Country{"BB"}},
		Texts:     map[protocol.Lang]protocol.RecordText{"en": {Description: secret(protocol.LevelPublic)}},
		Stage:     secret(protocol.LevelRegistered),
		Terms:     protocol.Terms{Price: secret(protocol.LevelRestricted)},
		Documents: []protocol.Document{picture, document("large", protocol.LevelRestricted, 300<<10)},
	}
}

func (n *node) invitedOnly() *protocol.Record {
	r := n.threeLevels()
	r.Level, r.Sections, r.Documents, r.Audience = protocol.LevelInvited, nil, nil, protocol.Audience{}
	r.Stage, r.Terms = secret(protocol.LevelInvited), protocol.Terms{}
	return r
}

func listing(origin protocol.MemberID, id protocol.ListingID) *protocol.Listing {
	return &protocol.Listing{ID: id, Kind: protocol.TechnologyOffer, Country: protocol.Country(origin), Texts: map[protocol.Lang]protocol.Text{"en": {Title: "Title of " + string(id)}}}
}

// publish writes a listing of origin's with its record into every node's catalogue, as replication does; a nil record is none.
func (w *world) publish(origin protocol.MemberID, id protocol.ListingID, r *protocol.Record) []*protocol.Part {
	w.t.Helper()
	l := listing(origin, id)
	parts := w.keep(origin, id, r)
	l.BindFull(parts)
	w.sign(origin, id, protocol.Put, l.Encode(), 0)
	return parts
}

// keep stores the full record at its origin.
func (w *world) keep(origin protocol.MemberID, id protocol.ListingID, r *protocol.Record) (parts []*protocol.Part) {
	w.t.Helper()
	var blob []byte
	if r != nil {
		var err error
		if parts, err = r.Parts(id, nil, nil); err != nil {
			w.t.Fatal(err)
		}
		blob = protocol.EncodeRecord(r, parts)
	}
	if err := w.nodes[origin].store.Update(func(tx *store.Tx) error { return tx.SetFull(id.Key(), blob) }); err != nil {
		w.t.Fatal(err)
	}
	return parts
}

// withdraw it everywhere.
func (w *world) withdraw(origin protocol.MemberID, id protocol.ListingID) {
	w.t.Helper()
	w.keep(origin, id, nil)
	t := protocol.Tombstone{Reason: "agreement"}
	w.sign(origin, id, protocol.Withdraw, t.Encode(), 1)
}

// sign a change and apply it on the nodes named, or all.
func (w *world) sign(origin protocol.MemberID, id protocol.ListingID, kind protocol.ChangeKind, body []byte, previous uint64, at ...protocol.MemberID) {
	w.t.Helper()
	w.seq[origin]++
	h := protocol.Header{Federation: w.fed, Origin: origin, CharterVersion: 1, Pos: protocol.Position{Epoch: 1, Seq: w.seq[origin]}, RecordKey: id.Key(),
		Kind: kind, PrevSeq: previous, Count: 1, Digest: protocol.Hash{1}}
	if h.Pos.Seq > 1 {
		h.Prev = protocol.Hash{1}
	}
	c, err := protocol.SignChange(w.nodes[origin].seat.Record, h, body)
	if err != nil {
		w.t.Fatal(err)
	}
	for m, n := range w.nodes {
		if len(at) > 0 && !slices.Contains(at, m) {
			continue
		}
		if err := n.store.Update(func(tx *store.Tx) error {
			o := tx.Origin(origin)
			old, ok, err := o.Newest(id.Key())
			if err != nil || !ok {
				return o.Replace(c, nil)
			}
			return o.Replace(c, &old)
		}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// entitlement of a reader of from's for a listing of to's.
func (w *world) entitlement(from, to protocol.MemberID, id protocol.ListingID, level protocol.Level, change func(*protocol.Entitlement)) *protocol.SignedEntitlement {
	w.t.Helper()
	x := protocol.Entitlement{Federation: w.fed, Member: from, CharterVersion: 1, Origin: to, RecordKey: id.Key(), Level: level,
		IssuedAt: protocol.InstantOf(w.now()), Nonce: w.nonce()}
	if level != protocol.LevelPublic {
		x.Reader = protocol.Hash{1}
	}
	if level.Covers(protocol.LevelRestricted) {
		x.Organisation, x.OrganisationType, x.Country = protocol.Hash{2}, "university", protocol.Country(from)
	}
	if change != nil {
		change(&x)
	}
	e, err := protocol.SignEntitlement(w.nodes[from].seat.Record, x)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

var nonceCount atomic.Uint64

func (w *world) nonce() (n protocol.Nonce) {
	copy(n[:], fmt.Sprintf("%016d", nonceCount.Add(1)))
	return n
}

// readings is the whole log of a node.
func (n *node) readings(t testing.TB) (all []Reading) {
	t.Helper()
	if err := n.store.View(func(tx *store.Tx) error {
		return Readings(tx, 0, func(r Reading) (bool, error) { all = append(all, r); return true, nil })
	}); err != nil {
		t.Fatal(err)
	}
	return all
}
