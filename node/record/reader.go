package record

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Network asks origins. p2p.Net implements it.
type Network interface {
	FetchParts(ctx context.Context, m protocol.MemberID, e *protocol.SignedEntitlement) (*protocol.RecordAnswer, error)
	FetchDocument(ctx context.Context, m protocol.MemberID, e *protocol.SignedEntitlement, hash protocol.Hash, most uint64, each func([]byte) error) (refused *protocol.Error, err error)
}

// ReaderConfig of a Reader. Server, Network, Sign and Secret are required.
type ReaderConfig struct {
	Server  *Server // of the same node: own listings, the clock, the store and the log
	Network Network
	Sign    func(protocol.Entitlement) (*protocol.SignedEntitlement, error) // with this node's record key
	Secret  []byte                                                          // of pseudonyms; at least 32 bytes, never changed
	// Email is a person's verified address, "" where there is none. nil: nobody is invited as a person.
	Email     func(access.UserID) (string, error)
	CopyBytes int64 // that fetched parts may take. 0: 256 MiB
}

// Reader is the asking side: it shows this node's people, and strangers, the full record of any listing.
type Reader struct {
	cfg    ReaderConfig
	server *Server
	member protocol.MemberID
	copies *copies
	log    *slog.Logger
}

// How long an origin is waited for: less where there is a copy to show instead.
const (
	askTime      = 20 * time.Second
	askTimeShort = 5 * time.Second
)

// NewReader makes one.
func NewReader(cfg ReaderConfig) (*Reader, error) {
	if len(cfg.Secret) < 32 {
		return nil, errors.New("the secret of pseudonyms has under 32 bytes")
	}
	if cfg.CopyBytes == 0 {
		cfg.CopyBytes = 256 << 20
	}
	s := cfg.Server
	c, err := openCopies(s.cfg.Store, s.cfg.Now, cfg.CopyBytes)
	if err != nil {
		return nil, fmt.Errorf("copies of full records: %w", err)
	}
	return &Reader{cfg: cfg, server: s, member: s.cfg.Member, copies: c, log: s.cfg.Log}, nil
}

// Shown is what an actor sees of a full record.
type Shown struct {
	Listing   *protocol.Listing // beside which it stands
	Record    *protocol.Record  // what the actor may see of it
	Level     protocol.Level    // the highest that is shown
	Withheld  []protocol.Level  // of which the summary says that there is more
	Fetched   time.Time         // when the oldest part came from its origin; of own records, now
	Age       time.Duration     // since then
	FromCache bool              // the origin could not be asked; or all is public, and was fetched within the hour
	Verified  bool              // the signed summary names every part; not so of level invited, for which the origin's word stands

	parts []*protocol.Part
}

// Get shows a record to the actor.
//
// Errors: CodeNotFound where there is no such listing, it has no full record, or that is by invitation of others;
// CodeNotPermitted where the actor may see nothing of it; CodeUnavailable where the origin cannot be asked and no copy is here;
// CodeBody where what the origin sent is not what the summary names; and refusals of the origin's.
func (r *Reader) Get(ctx context.Context, ref Ref, a access.Actor) (*Shown, error) {
	if ref.Origin == r.member {
		return r.own(ref, a)
	}
	if _, ok := r.server.cfg.Roster().Member(ref.Origin); !ok {
		return nil, nothing()
	}
	if _, err := protocol.ParseListingID(string(ref.ID)); err != nil {
		return nil, err
	}
	l, known, err := r.summary(ref)
	switch {
	case err != nil:
		return nil, err
	case known && l == nil:
		r.drop(ref)
		return nil, nothing()
	case !known:
		return r.invited(ctx, ref, a)
	}
	level, err := r.mostFor(a, ref, l)
	if err != nil {
		return nil, err
	}
	return r.remote(ctx, ref, a, l, level)
}

func (r *Reader) own(ref Ref, a access.Actor) (*Shown, error) {
	var person protocol.Hash
	var err error
	if person, err = r.personInvitee(a, ref); err != nil {
		return nil, err
	}
	h, seen, err := r.server.own(a, ref.ID, person)
	if err != nil {
		return nil, err
	}
	return r.shown(h.listing, seen, r.server.cfg.Now(), !h.invited)
}

func (r *Reader) summary(ref Ref) (l *protocol.Listing, known bool, err error) {
	err = r.server.cfg.Store.View(func(tx *store.Tx) error {
		l, known, err = summary(tx, ref)
		return err
	})
	return l, known, err
}

// mostFor is the highest level that the listing has and of which the actor may see something, as far as this node knows: whom
// a restricted record is for stands in it.
func (r *Reader) mostFor(a access.Actor, ref Ref, l *protocol.Listing) (level protocol.Level, err error) {
	resource := access.Resource{Member: ref.Origin, Audience: new(access.Audience)}
	var first error
	for _, x := range protocol.Levels() {
		if l.FullHash(x) == (protocol.Hash{}) {
			continue
		}
		if err := may(a, x, resource); err == nil {
			level = x
		} else if first == nil {
			first = err
		}
	}
	switch {
	case level != "":
		return level, nil
	case first != nil:
		return "", first
	}
	return "", protocol.Errorf(protocol.CodeNotFound, "full", "%s has no more than its summary", ref.ID)
}

// remote asks the origin, and looks for a copy where that fails.
func (r *Reader) remote(ctx context.Context, ref Ref, a access.Actor, l *protocol.Listing, level protocol.Level) (*Shown, error) {
	kept, fetched, err := r.copies.get(ref, l)
	if err != nil {
		return nil, err
	}
	resource := access.Resource{Member: ref.Origin}
	kept, _ = entitled(a, kept, resource)
	if level == protocol.LevelPublic && len(kept) > 0 && r.server.cfg.Now().Sub(fetched) < fresh {
		return r.copied(ref, a, l, kept, fetched) // what everybody may see needs nobody's word
	}
	answer, err := r.ask(ctx, ref, a, level, len(kept) > 0)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil && len(kept) == 0:
		return nil, &protocol.Error{Code: protocol.CodeUnavailable, Err: err,
			Message: fmt.Sprintf("%s, where the full record is kept, cannot be reached now: try again later", ref.Origin)}
	case err != nil:
		return r.copied(ref, a, l, kept, fetched)
	case answer.Refused != nil:
		if answer.Refused.Code == protocol.CodeNotFound { // the summary that says so is on its way
			r.drop(ref)
		}
		return nil, answer.Refused
	}
	parts, l, err := r.verified(ref, l, answer.Parts)
	if err != nil {
		return nil, err
	}
	if err := r.copies.put(ref, parts); err != nil {
		r.log.Warn("a full record was fetched and not kept", "origin", ref.Origin, "error", err)
	}
	seen, why := entitled(a, parts, resource)
	if len(seen) == 0 {
		return nil, why
	}
	return r.shown(l, seen, r.server.cfg.Now(), true)
}

func (r *Reader) copied(ref Ref, a access.Actor, l *protocol.Listing, kept []*protocol.Part, fetched time.Time) (*Shown, error) {
	if err := r.server.write(Reading{Way: FromCopy, Member: ref.Origin, Level: top(kept), Listing: ref.ID, Reader: readerID(a)}); err != nil {
		return nil, err
	}
	x, err := r.shown(l, kept, fetched, true)
	if err == nil {
		x.FromCache = true
	}
	return x, err
}

// verified reads parts and compares them with the summary, also with one that came while they were on their way.
func (r *Reader) verified(ref Ref, l *protocol.Listing, raw [][]byte) (parts []*protocol.Part, _ *protocol.Listing, err error) {
	if parts, err = readParts(ref, raw); err != nil {
		return nil, nil, err
	}
	named := func(l *protocol.Listing) (err error) {
		for _, p := range parts {
			err = errors.Join(err, p.Verify(l))
		}
		return err
	}
	if named(l) == nil {
		return parts, l, nil
	}
	now, _, err := r.summary(ref)
	if err != nil {
		return nil, nil, err
	}
	if now == nil || named(now) != nil {
		return nil, nil, protocol.Errorf(protocol.CodeBody, "full",
			"what %s sent is not the record that its signed summary names: it may have been revised just now; try again in a minute", ref.Origin)
	}
	return parts, now, nil
}

func readParts(ref Ref, raw [][]byte) (parts []*protocol.Part, err error) {
	if len(raw) == 0 {
		return nil, protocol.Errorf(protocol.CodeBody, "full", "%s sent no part of the record", ref.Origin)
	}
	for i, b := range raw {
		p, err := protocol.DecodePart(b)
		if err != nil {
			return nil, fmt.Errorf("part %d of %s: %w", i+1, ref.ID, err)
		}
		if p.Listing != ref.ID || i > 0 && (p.Level == top(parts) || !p.Level.Covers(top(parts))) {
			return nil, protocol.Errorf(protocol.CodeBody, "full", "what %s sent is not of this record, or not in the order of levels", ref.Origin)
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// invited asks for a listing that is not in the catalogue. It is never kept: an invitation may end.
func (r *Reader) invited(ctx context.Context, ref Ref, a access.Actor) (*Shown, error) {
	resource := access.Resource{Member: ref.Origin, Invited: true} // as its origin will say, or not
	if err := may(a, protocol.LevelInvited, resource); err != nil {
		return nil, nothing()
	}
	answer, err := r.ask(ctx, ref, a, protocol.LevelInvited, false)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, &protocol.Error{Code: protocol.CodeUnavailable, Err: err,
			Message: fmt.Sprintf("%s cannot be reached now: try again later", ref.Origin)}
	case answer.Refused != nil:
		return nil, answer.Refused
	}
	parts, err := readParts(ref, answer.Parts)
	if err != nil {
		return nil, err
	}
	l, err := protocol.DecodeListing(answer.Listing)
	if err != nil {
		return nil, fmt.Errorf("summary of %s: %w", ref.ID, err)
	}
	if l.ID != ref.ID || len(parts) != 1 || parts[0].Level != protocol.LevelInvited {
		return nil, protocol.Errorf(protocol.CodeBody, "full", "what %s sent is not of this record", ref.Origin)
	}
	return r.shown(l, parts, r.server.cfg.Now(), false)
}

func (r *Reader) shown(l *protocol.Listing, parts []*protocol.Part, fetched time.Time, verified bool) (*Shown, error) {
	merged, err := protocol.Merge(parts...)
	if err != nil {
		return nil, err
	}
	x := &Shown{Listing: l, Record: merged, Level: top(parts), Fetched: fetched, Age: max(r.server.cfg.Now().Sub(fetched), 0), Verified: verified, parts: parts}
	for _, level := range protocol.Levels() {
		if l.FullHash(level) != (protocol.Hash{}) && !slices.ContainsFunc(parts, func(p *protocol.Part) bool { return p.Level == level }) {
			x.Withheld = append(x.Withheld, level)
		}
	}
	return x, nil
}

// Purge drops the copies of these records that their summaries no longer name, of those that were withdrawn all. The catalogue must
// be up to date; refs of which nothing is kept cost nothing.
func (r *Reader) Purge(refs ...Ref) error {
	c := r.copies
	c.mu.Lock()
	defer c.mu.Unlock()
	some := make(map[Ref]bool)
	for _, ref := range refs {
		for _, level := range protocol.Levels() {
			if _, ok := c.kept[copyKey{ref, level}]; ok {
				some[ref] = true
			}
		}
	}
	if len(some) == 0 {
		return nil
	}
	keys, err := c.stale(some)
	if err != nil {
		return err
	}
	return c.remove(keys)
}

// Sweep is Purge for everything kept, and drops what is over its time: at start, and every hour.
func (r *Reader) Sweep() error {
	c := r.copies
	c.mu.Lock()
	defer c.mu.Unlock()
	keys, err := c.stale(nil)
	if err != nil {
		return err
	}
	return c.remove(keys)
}

// drop all copies of a record.
func (r *Reader) drop(ref Ref) {
	c := r.copies
	c.mu.Lock()
	defer c.mu.Unlock()
	var keys []copyKey
	for _, level := range protocol.Levels() {
		if k := (copyKey{ref, level}); c.kept[k].size > 0 {
			keys = append(keys, k)
		}
	}
	if err := c.remove(keys); err != nil {
		r.log.Warn("copies of a record that its origin does not show were not deleted", "origin", ref.Origin, "error", err)
	}
}
