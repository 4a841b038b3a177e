package record

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Caps are how many records a member's readers are shown on one day, each reader and record counted once; and of their documents
// as many times MaxDocuments.
type Caps struct {
	Registered int // 0: 5,000
	Restricted int // 0: 1,000; level invited has as many of its own
}

func (c Caps) of(level protocol.Level) int {
	or := func(n, otherwise int) int {
		if n == 0 {
			return otherwise
		}
		return n
	}
	switch level {
	case protocol.LevelRegistered:
		return or(c.Registered, 5000)
	case protocol.LevelRestricted, protocol.LevelInvited:
		return or(c.Restricted, 1000)
	}
	return 0
}

// ServerConfig of a Server. Store, Member, Roster and Now are required.
type ServerConfig struct {
	Store  *store.Store
	Member protocol.MemberID
	Roster func() *protocol.Roster
	Now    func() time.Time
	Caps   Caps
	// Owner is the organisation whose own listing it is, "" where there is none. nil: nobody's.
	Owner func(tx *store.Tx, id protocol.ListingID) (access.OrganisationID, error)
	// Summary of a listing of level invited, which is not in the catalogue; nil where there is none.
	Summary func(tx *store.Tx, id protocol.ListingID) (*protocol.Listing, error)
	// Document gives the bytes of a document, CodeNotFound where it is not here.
	Document func(hash protocol.Hash) (io.ReadCloser, error)
	Log      *slog.Logger // nil: none
}

// Server is the origin's side: it keeps the full records of its own listings, and shows of them what a reader may see. A record
// is shown only beside its listing: while that is withdrawn or on hold there is nothing.
type Server struct {
	cfg    ServerConfig
	grants Grants
	ledger ledger
	nonces nonces
}

// NewServer makes one.
func NewServer(cfg ServerConfig) *Server {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{
		cfg:    cfg,
		grants: Grants{member: cfg.Member, now: cfg.Now, owner: cfg.Owner},
		ledger: ledger{store: cfg.Store, now: cfg.Now},
	}
}

// Grants of the server's listings.
func (s *Server) Grants() *Grants { return &s.grants }

// Prune deletes log entries older than LogDays. Once a day is enough.
func (s *Server) Prune() error { return s.ledger.prune() }

// Parts implements p2p.Library: what the entitlement's reader may see of an own record.
//
// Errors: those of Roster.VerifyEntitlement and Entitlement.MeantFor; CodeReplayed for an entitlement that was used before;
// CodeNotFound, in the same words for what is not there and for what is there for others; CodeNotPermitted where the public
// summary shows that there is a record, but the reader may see nothing of it; CodeUnavailable beyond the day's cap.
func (s *Server) Parts(_ context.Context, from protocol.MemberID, e *protocol.SignedEntitlement) (*protocol.RecordAnswer, error) {
	h, seen, err := s.admit(from, e)
	if err != nil {
		return nil, err
	}
	if err := s.note(Served, e, top(seen), protocol.Hash{}); err != nil {
		return nil, err
	}
	a := new(protocol.RecordAnswer)
	for _, p := range seen {
		a.Parts = append(a.Parts, p.Bytes())
	}
	if h.invited {
		a.Listing = h.listing.Encode()
	}
	return a, nil
}

// Document implements p2p.Library: a document that one of the parts names which the reader may see. Errors are those of Parts.
func (s *Server) Document(_ context.Context, from protocol.MemberID, e *protocol.SignedEntitlement, hash protocol.Hash) (io.ReadCloser, error) {
	_, seen, err := s.admit(from, e)
	if err != nil {
		return nil, err
	}
	p := naming(seen, hash)
	if p == nil || s.cfg.Document == nil {
		return nil, nothing()
	}
	if err := s.note(ServedDocument, e, p.Level, hash); err != nil {
		return nil, err
	}
	return s.cfg.Document(hash)
}

// naming is the part that has the document, nil where none has.
func naming(parts []*protocol.Part, hash protocol.Hash) *protocol.Part {
	for _, p := range parts {
		if _, _, ok := p.Record.Document(hash); ok {
			return p
		}
	}
	return nil
}

// admit verifies the entitlement and finds what its reader may see, which is never nothing.
func (s *Server) admit(from protocol.MemberID, e *protocol.SignedEntitlement) (h *held, seen []*protocol.Part, err error) {
	if e.Member != from {
		return nil, nil, protocol.Errorf(protocol.CodeNotPermitted, "entitlement.member", "%s may not ask for readers of %s", from, e.Member)
	}
	if err := s.cfg.Roster().VerifyEntitlement(e); err != nil {
		return nil, nil, err
	}
	if err := e.MeantFor(s.cfg.Member, s.cfg.Now()); err != nil {
		return nil, nil, err
	}
	if err := s.nonces.take(from, e.Nonce, s.cfg.Now()); err != nil {
		return nil, nil, err
	}
	id, ok := protocol.ListingIDOf(e.RecordKey)
	if !ok {
		return nil, nil, nothing()
	}
	r := access.Resource{Member: s.cfg.Member}
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		if h, err = s.load(tx, id); err != nil {
			return err
		}
		if e.Level == protocol.LevelInvited {
			r.Invited, err = s.grants.holds(tx, id, from, e.ReaderInvitee, e.OrganisationInvitee)
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	asked := h.parts
	for len(asked) > 0 && !e.Level.Covers(top(asked)) {
		asked = asked[:len(asked)-1]
	}
	if seen, _ = entitled(guest(e), asked, r); len(seen) == 0 {
		return nil, nil, h.refusal()
	}
	return h, seen, nil
}

// guest is the reader that the entitlement speaks of, as the rules see it: somebody else's reader, of no organisation here.
func guest(e *protocol.SignedEntitlement) access.Actor {
	if e.Level == protocol.LevelPublic {
		return access.Actor{}
	}
	return access.Actor{
		User: access.UserID(e.Reader.String()), Member: e.Member, Foreign: true, Roles: []access.Role{access.Reader},
		OrganisationType: e.OrganisationType, Country: e.Country,
	}
}

// held is an own record that may be shown to somebody.
type held struct {
	listing *protocol.Listing
	parts   []*protocol.Part
	invited bool // by invitation as a whole
}

// refusal for who may see none of it. What is by invitation is not there for others; the rest the summary tells anyway.
func (h *held) refusal() error {
	if h.invited || len(h.parts) == 0 {
		return nothing()
	}
	level := h.parts[0].Level
	if level == protocol.LevelRestricted {
		return protocol.Errorf(protocol.CodeNotPermitted, "level", "this record is shown to organisations of certain types or countries only; write to the listing's contact point")
	}
	return protocol.Errorf(protocol.CodeNotPermitted, "level", "this record is shown from level %s on: sign in at your own node", level)
}

// load reads an own record beside its listing.
//
// Errors: CodeNotFound where there is none that may be shown.
func (s *Server) load(tx *store.Tx, id protocol.ListingID) (*held, error) {
	change, err := tx.Record(s.cfg.Member, id.Key())
	if err != nil {
		return nil, err
	}
	full, err := tx.Full(id.Key())
	if err != nil {
		return nil, err
	}
	if full == nil || change != nil && change.Kind != protocol.Put {
		return nil, nothing()
	}
	record, parts, err := protocol.DecodeRecord(full)
	if err != nil {
		return nil, ownFault("own full record of %s", id, err)
	}
	h := &held{parts: parts, invited: record.Visibility() == protocol.LevelInvited}
	switch {
	case change != nil:
		h.listing, err = protocol.DecodeListing(change.Body)
	case h.invited && s.cfg.Summary != nil:
		h.listing, err = s.cfg.Summary(tx, id)
	}
	if err != nil {
		return nil, ownFault("summary of %s", id, err)
	}
	if h.listing == nil {
		return nil, nothing()
	}
	for _, p := range parts {
		if p.Level == protocol.LevelInvited {
			continue
		}
		if err := p.Verify(h.listing); err != nil {
			return nil, ownFault("own full record of %s", id, err)
		}
	}
	return h, nil
}

// ownFault hides a fault of what is kept here, whose code would tell the reader that the fault is his.
func ownFault(what string, id protocol.ListingID, err error) error {
	return &protocol.Error{Code: protocol.CodeInternal, Message: "internal fault", Err: fmt.Errorf(what+": %w", id, err)}
}

// note writes down what a member's reader is about to be shown. Only what is public is shown without: a full disk must not hide it.
func (s *Server) note(way Way, e *protocol.SignedEntitlement, level protocol.Level, document protocol.Hash) error {
	id, _ := protocol.ListingIDOf(e.RecordKey)
	return s.write(Reading{Way: way, Member: e.Member, Level: level, Listing: id, Document: document,
		Reader: e.Reader.String(), Organisation: e.Organisation, Type: e.OrganisationType, Country: e.Country})
}

// write notes a reading, of what is public without its reader.
func (s *Server) write(r Reading) error {
	if r.Level == protocol.LevelPublic {
		r.Reader, r.Organisation, r.Type, r.Country = "", protocol.Hash{}, "", ""
	}
	most := 0
	if r.Member != s.cfg.Member {
		switch r.Way {
		case Served:
			most = s.cfg.Caps.of(r.Level)
		case ServedDocument: // or a member that invents readers would fill the log with them
			most = protocol.MaxDocuments * s.cfg.Caps.of(r.Level)
		}
	}
	err := s.ledger.note(r, most)
	if err != nil && r.Level == protocol.LevelPublic {
		s.cfg.Log.Warn("what is public was shown without an entry in the log", "error", err)
		return nil
	}
	if protocol.CodeOf(err) == protocol.CodeReadOnly {
		return &protocol.Error{Code: protocol.CodeUnavailable, Err: err,
			Message: "this node cannot write down who reads now, and so shows nothing that is not public: try again later"}
	}
	return err
}

// own is what one of this node's own people, or a stranger, may see of an own record.
func (s *Server) own(a access.Actor, id protocol.ListingID, person protocol.Hash) (h *held, seen []*protocol.Part, err error) {
	r := access.Resource{Member: s.cfg.Member}
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		if h, err = s.load(tx, id); err != nil {
			return err
		}
		if s.cfg.Owner != nil {
			if r.Organisation, err = s.cfg.Owner(tx, id); err != nil {
				return err
			}
		}
		if h.invited && !a.Anonymous() {
			r.Invited, err = s.grants.holds(tx, id, a.Member, person, organisationInvitee(a, s.cfg.Member, id))
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	seen, why := entitled(a, h.parts, r)
	switch {
	case len(seen) > 0:
	case h.invited || why == nil:
		return nil, nil, nothing()
	default:
		return nil, nil, why
	}
	return h, seen, s.write(Reading{Way: Served, Member: s.cfg.Member, Level: top(seen), Listing: id, Reader: readerID(a)})
}

// readerID is the actor in the log: an id that says nothing.
func readerID(a access.Actor) string {
	if a.Operator {
		return "operator"
	}
	return string(a.User)
}

func organisationInvitee(a access.Actor, origin protocol.MemberID, id protocol.ListingID) protocol.Hash {
	if a.Organisation == "" {
		return protocol.Hash{}
	}
	return protocol.Invitee(origin, id.Key(), a.Member, string(a.Organisation))
}
