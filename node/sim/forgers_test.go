package sim

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/klauspost/compress/zstd"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"google.golang.org/protobuf/proto"

	"github.com/asean-tmh/tmh/node/p2p"
	"github.com/asean-tmh/tmh/protocol"
)

// Forgeries are lies about form: what a member signs, or says that another one signed, and no node of ours would send.
func forgeries() map[string]lie {
	return map[string]lie{
		"wrong-count":        bent("signs a change that counts a record too few", func(h *protocol.Header) { h.Count-- }),
		"wrong-digest":       bent("signs a change with the digest of another set", func(h *protocol.Header) { h.Digest[0] ^= 1 }),
		"wrong-previous":     bent("signs a change that says to replace one that it does not replace", func(h *protocol.Header) { h.PrevSeq = h.Pos.Seq - 1 }),
		"wrong-chain":        bent("signs a change that does not follow its last one", func(h *protocol.Header) { h.Prev[0] ^= 1 }),
		"served-wrong-chain": {about: "serves a change that does not follow its last one", quiet: true, begin: func(l *liar) { l.bend(func(h *protocol.Header) { h.Prev[0] ^= 1 }) }},
		"foreign":            bent("signs a change for another federation", func(h *protocol.Header) { h.Federation[0] ^= 1 }),
		"unopened":           bent("signs on in an epoch that nobody opened", func(h *protocol.Header) { h.Pos.Epoch++ }),
		"high-floor":         bent("signs a change that forgets withdrawals, of which there are none", func(h *protocol.Header) { h.Floor = 3 }),
		"low-floor":          bent("signs a change whose floor goes back", func(h *protocol.Header) { h.Floor = 1 }),
		"forged":             {about: "gossips and serves a change whose signature is wrong", quiet: true, begin: forged(), each: once(func(l *liar, ctx context.Context) { l.raw(ctx, "changes", l.packed()) })},
		"half-opened":        {about: "opens an epoch without its governance key", quiet: true, begin: halfOpened, each: once(func(l *liar, ctx context.Context) { l.raw(ctx, "changes", l.packed()) })},
		"idle": {about: "answers with batches that hold nothing, and never with a last one", quiet: true,
			feed: func(l *liar, ctx context.Context, s *shelf, _ *protocol.Request, send sender) error {
				for {
					if err := send(&protocol.Answer{Head: s.head.Bytes()}); err != nil {
						return err
					}
					select {
					case <-time.After(time.Second):
					case <-ctx.Done():
						return ctx.Err()
					case <-l.done:
						return nil
					}
				}
			}},
		"anew": {about: "tells everybody to begin anew, without a reason", quiet: true,
			feed: func(_ *liar, _ context.Context, s *shelf, _ *protocol.Request, send sender) error {
				return send(&protocol.Answer{Refused: protocol.CodeRestart, Head: s.head.Bytes()})
			}},
		"snoop": {about: "asks for what others hold of catalogues that are not its own, proven or not",
			each: func(l *liar, ctx context.Context, _ int) {
				for _, m := range l.net.Connected() {
					r := &protocol.Request{Kind: protocol.AskOwn, Origin: m, Proven: protocol.Start, Cursor: protocol.Start}
					_ = l.net.Ask(ctx, m, r, func(a *protocol.Answer) error {
						if len(a.Changes) > 0 {
							l.p.t.Errorf("%s told %s what it stores of %s", m, l.id, m)
						}
						return nil
					})
				}
			}},
		"slander": {about: "claims that every other member forked, and shows headers that it signed itself", quiet: true,
			claim: func(c *protocol.Claim) { c.Forked = true },
			feed: func(l *liar, _ context.Context, s *shelf, r *protocol.Request, send sender) error {
				if r.Kind != protocol.AskForks {
					return sendFeed(s, s.above(r.Cursor), send)
				}
				e, err := l.against(s.head)
				if err != nil {
					return err
				}
				return send(&protocol.Answer{Forks: [][]byte{e.Encode()}, Last: true})
			},
			each: once(func(l *liar, ctx context.Context) { l.slander(ctx) })},
		"impostor": {about: "makes head statements in the name of others", quiet: true, each: once(func(l *liar, ctx context.Context) { l.impose(ctx) }),
			claim: func(c *protocol.Claim) { c.Counter += 1000 }},
		"far-counter": {about: "makes a head statement with a counter of next year", each: once(func(l *liar, ctx context.Context) {
			l.mu.Lock()
			before := l.counter
			l.counter += 365 * 24 * 60 * 60
			var header protocol.Hash
			if s := l.shelves[l.id]; s.head != nil {
				header = s.head.Raw
			}
			h := l.sign(l.shelves[l.id].pos(), header)
			l.counter = before
			l.mu.Unlock()
			_ = l.net.PublishHead(ctx, h) // refused where it should be
		})},
	}
}

// bent signs and gossips one change that differs from an honest one, and serves it.
func bent(about string, how func(*protocol.Header)) lie {
	return lie{about: about, quiet: true,
		begin: func(l *liar) { l.bend(how) },
		each:  once(func(l *liar, ctx context.Context) { l.raw(ctx, "changes", l.packed()) })}
}

// once does something at first, and then what an honest liar does.
func once(do func(l *liar, ctx context.Context)) func(*liar, context.Context, int) {
	done := false
	return func(l *liar, ctx context.Context, _ int) {
		if !done {
			done = true
			do(l, ctx)
		}
		l.meet(ctx)
	}
}

// bend signs the next change of its own. The caller holds l.mu.
func (l *liar) bend(how func(*protocol.Header)) {
	s := l.shelves[l.id]
	l.made++
	key := protocol.ListingID(string(l.id) + "-bent").Key()
	body := []byte("bent")
	h := protocol.Header{
		Federation: l.roster.Federation(), Origin: l.id, CharterVersion: 1, Pos: protocol.Position{Epoch: s.pos().Epoch, Seq: s.pos().Seq + 1},
		RecordKey: key, Kind: protocol.Put, BodyLen: uint64(len(body)), BodyHash: protocol.Sum(body), Count: uint64(len(s.newest)) + 1, Prev: s.head.Raw, Floor: s.head.Floor,
	}
	if old := s.newest[key]; old != nil {
		h.PrevSeq, h.Count = old.Pos.Seq, h.Count-1
	}
	prev := h.Prev
	how(&h)
	sum := s.hash
	if old := s.newest[key]; old != nil {
		sum.Remove(old.Element())
	}
	sum.Add(h.Element())
	digest := sum.Digest()
	for i := range digest {
		h.Digest[i] ^= digest[i]
	}
	c, err := protocol.SignChange(l.seat.Record, h, body)
	if err != nil {
		l.p.t.Errorf("%s signs nothing: %v", l.id, err)
		return
	}
	s.put(c)
	if c.Digest == digest && c.Federation == l.roster.Federation() && c.Pos.Epoch == 1 && c.Count == uint64(len(s.newest)) && c.Prev == prev {
		l.p.model.note(l.id, &c.SignedHeader)
		l.p.odd[c.Raw] = true
	}
}

func forged() func(l *liar) {
	return func(l *liar) {
		l.bend(func(*protocol.Header) {})
		s := l.shelves[l.id]
		c := s.newest[protocol.ListingID(string(l.id)+"-bent").Key()]
		b := c.Bytes()
		b[len(b)-len(c.Body)-2-5] ^= 1 // in the signature
		c, err := protocol.DecodeChange(b)
		if err != nil {
			l.p.t.Errorf("%s forges nothing: %v", l.id, err)
			return
		}
		s.newest[c.RecordKey], s.head = c, &c.SignedHeader
	}
}

func halfOpened(l *liar) {
	s := l.shelves[l.id]
	pos := protocol.Position{Epoch: 2, Seq: s.pos().Seq + 1}
	o, err := protocol.SignOpening(l.seat.Record, protocol.Opening{
		Federation: l.roster.Federation(), Origin: l.id, Pos: pos, Base: s.pos(), BaseHeader: s.head.Raw, BaseDigest: s.hash.Digest(),
		Reason: "loss", Last: s.pos(), IssuedAt: protocol.InstantOf(time.Now()),
	})
	if err != nil {
		l.p.t.Error(err)
		return
	}
	h := protocol.Header{Federation: l.roster.Federation(), Origin: l.id, CharterVersion: 1, Pos: pos, RecordKey: protocol.EpochKey(2),
		Kind: protocol.OpenEpoch, BodyLen: uint64(len(o.Bytes())), BodyHash: protocol.Sum(o.Bytes()), Count: uint64(len(s.newest)) + 1, Prev: s.head.Raw}
	sum := s.hash
	sum.Add(h.Element())
	h.Digest = sum.Digest()
	c, err := protocol.SignChange(l.seat.Record, h, o.Bytes())
	if err != nil {
		l.p.t.Error(err)
		return
	}
	s.put(c)
}

// packed is its last change, as it is gossiped.
func (l *liar) packed() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.shelves[l.id]
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		l.p.t.Error(err)
		return nil
	}
	return enc.EncodeAll(protocol.EncodeGossip([]*protocol.Change{s.newest[s.head.RecordKey]}), nil)
}

// against is evidence of a fork: the header of another, and one that it signs itself.
func (l *liar) against(head *protocol.SignedHeader) (protocol.Evidence, error) {
	h := head.Header
	h.Digest[0] ^= 1
	c, err := protocol.SignChange(l.seat.Record, h, []byte("another"))
	if err != nil {
		return protocol.Evidence{}, err
	}
	e, _ := protocol.NewEvidence(head, &c.SignedHeader)
	return e, nil
}

// slander gossips such evidence.
func (l *liar) slander(ctx context.Context) {
	for _, m := range l.p.f.ids {
		l.mu.Lock()
		head := l.shelves[m].head
		l.mu.Unlock()
		if m == l.id || head == nil {
			continue
		}
		e, err := l.against(head)
		if err != nil {
			l.p.t.Error(err)
			return
		}
		l.raw(ctx, "control", e.Encode())
	}
}

// impose states of others that they stand where they do not.
func (l *liar) impose(ctx context.Context) {
	for _, m := range l.p.f.ids {
		if m == l.id {
			continue
		}
		now := protocol.InstantOf(time.Now())
		h, err := protocol.SignHead(l.seat.Record, protocol.Head{
			Federation: l.roster.Federation(), Origin: m, CharterVersion: 1, CharterHash: l.roster.Charter().Hash,
			Pos: protocol.Position{Epoch: 1, Seq: 1000}, Header: protocol.Sum([]byte("nothing")),
			Counter: uint64(now) + 500, IssuedAt: now, LeaseUntil: now + protocol.Instant(protocol.Lease/time.Second),
		})
		if err != nil {
			l.p.t.Error(err)
			return
		}
		l.mu.Lock()
		l.heads[m] = h
		l.mu.Unlock()
		l.raw(ctx, "heads", h.Bytes())
	}
}

// raw gossips to everybody what node/p2p would not.
func (l *liar) raw(ctx context.Context, name string, data []byte) {
	federation := l.roster.Federation()
	topic := "/tmh/" + hex.EncodeToString(federation[:8]) + "/" + name + "/1"
	body, err := proto.Marshal(&pb.RPC{Publish: []*pb.Message{{Data: data, Topic: &topic}}})
	if err != nil {
		l.p.t.Error(err)
		return
	}
	x, err := l.newNoise()
	if err != nil {
		l.p.t.Error(err)
		return
	}
	defer func() {
		if err := x.close(); err != nil {
			l.p.t.Errorf("%s: end of noise: %v", l.id, err)
		}
	}()
	for _, m := range l.p.f.up() {
		to, err := peer.Decode(p2p.PeerIDOf(l.p.f.seats[l.p.f.member(m)].Transport.Public().(ed25519.PublicKey)))
		if err != nil {
			l.p.t.Error(err)
			return
		}
		where, err := ma.NewMultiaddr(address(l.p.f.index(m)))
		if err != nil {
			l.p.t.Error(err)
			return
		}
		if err := x.host.Connect(ctx, peer.AddrInfo{ID: to, Addrs: []ma.Multiaddr{where}}); err != nil {
			continue // cut off
		}
		s, err := x.host.NewStream(ctx, to, pubsub.GossipSubID_v12)
		if err != nil {
			continue
		}
		_, _ = s.Write(append(binary.AppendUvarint(nil, uint64(len(body))), body...)) // it may be reset
		_ = s.CloseWrite()
	}
	select {
	case <-time.After(2 * time.Second):
	case <-l.done:
	}
}
