// Package house is what a node keeps for itself, behind one door: people and their access, listings on their way to publication,
// full records and documents, mail and the audit log. Each of them has its package; here they are made to fit each other, and
// what takes two of them to do stands here: signing in with a passkey, mailing a link, erasing a person everywhere.
package house

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/access/oidc"
	"github.com/asean-tmh/tmh/node/access/passkey"
	"github.com/asean-tmh/tmh/node/audit"
	"github.com/asean-tmh/tmh/node/document"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/mail"
	"github.com/asean-tmh/tmh/node/oai/harvest"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/node/record"
	"github.com/asean-tmh/tmh/node/replay"
	"github.com/asean-tmh/tmh/node/saved"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Config of a house.
type Config struct {
	Store  *store.Store
	Member protocol.MemberID
	Now    func() time.Time
	Log    *slog.Logger // nil: silent

	Desk    posting.Desk // where listings are published
	Roster  func() *protocol.Roster
	Network record.Network
	Sign    func(protocol.Entitlement) (*protocol.SignedEntitlement, error) // with this node's record key
	Similar func(ctx context.Context, l *protocol.Listing, rights []string) ([]posting.Suspect, error)

	PublicURL string // where people reach the pages; empty: links are handed over without it, and there are no passkeys
	Agency    Agency
	Mail      mail.Server
	Provider  Provider // of identities; zero: none
	Documents document.Limits
	Caps      record.Caps // of what other members' readers are shown a day
	Hashes    int         // passwords hashed at once; 0: GOMAXPROCS

	Imports   string          // folder for files of imports; empty: nobody can import
	Harvester *harvest.Client // nil: one that reaches public networks alone
	Bulk      func(on bool)   // many listings are coming, or no more; nil: nobody needs to know
}

// Agency that hosts the node: the contact point that every listing of it names.
type Agency struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	Phone string `json:"phone,omitempty"`
	URL   string `json:"url,omitempty"`
}

// Provider of identities, as the configuration names it.
type Provider struct {
	Issuer, ClientID, ClientSecret string
	Name                           string // as people know it
}

// House of a node. Its parts are safe for concurrent use.
type House struct {
	People    *access.Registry
	Passkeys  *passkey.Service // nil where there is no public address
	Provider  *oidc.Provider   // nil where none is configured
	Postings  *posting.Postings
	Records   *record.Reader
	Library   *record.Server
	Documents *document.Archive
	Imports   *intake.Imports // nil where there is no folder for them
	Replay    *replay.Log
	Searches  *saved.Searches
	Audit     *audit.Log
	Mail      *mail.Queue
	Store     *store.Store

	cfg Config
	key []byte
}

// Key for one purpose, the same for as long as the node's database lives, and nobody else's.
func (h *House) Key(purpose string) []byte {
	m := hmac.New(sha256.New, h.key)
	m.Write([]byte(purpose))
	return m.Sum(nil)
}

// CallbackPath is where a provider of identities sends people back.
const CallbackPath = "/api/v1/session/provider/callback"

// New house over a store. Run must follow; before that nothing is mailed or reminded of.
func New(cfg Config) (h *House, err error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Documents == (document.Limits{}) {
		cfg.Documents = document.DefaultLimits()
	}
	cfg.PublicURL = strings.TrimSuffix(cfg.PublicURL, "/")
	h = &House{cfg: cfg, Store: cfg.Store, Audit: audit.New(cfg.Member, cfg.Now)}
	site := mail.Site{Name: cfg.Agency.Name, Email: cfg.Agency.Email, Phone: cfg.Agency.Phone, URL: cfg.PublicURL}
	if h.Mail, err = mail.New(mail.Config{Store: cfg.Store, Server: cfg.Mail, Site: site, Now: cfg.Now, Log: cfg.Log}); err != nil {
		return nil, err
	}
	h.People, err = access.New(access.Config{
		Store: cfg.Store, Member: cfg.Member, Now: cfg.Now, Audit: h.auditAccess, Deliver: h.deliver, Hashes: cfg.Hashes,
		OnErase: []func(*store.Tx, access.UserID) error{h.erase},
	})
	if err != nil {
		return nil, err
	}
	if err := h.doors(); err != nil {
		return nil, err
	}
	h.Documents = document.New(document.Config{Store: cfg.Store, Now: cfg.Now})
	h.Postings, err = posting.New(posting.Config{
		Store: cfg.Store, Member: cfg.Member, Desk: cfg.Desk, Now: cfg.Now, Log: cfg.Log, Audit: h.auditPosting,
		Standing: h.standing, SetStanding: h.setStanding, Notify: h.notify, Contact: h.contact, Documents: h.attach, Similar: cfg.Similar,
	})
	if err != nil {
		return nil, err
	}
	secret, err := h.secret()
	if err != nil {
		return nil, err
	}
	h.Library = record.NewServer(record.ServerConfig{
		Store: cfg.Store, Member: cfg.Member, Roster: cfg.Roster, Now: cfg.Now, Caps: cfg.Caps,
		Owner: posting.Owner, Summary: posting.InvitedSummary,
		Document: func(hash protocol.Hash) (io.ReadCloser, error) { return h.Documents.Open(hash) }, Log: cfg.Log,
	})
	h.key = secret
	h.Replay, h.Searches = replay.New(cfg.Store, cfg.Now), saved.New(cfg.Store, cfg.Now)
	if err := h.openImports(); err != nil {
		return nil, err
	}
	h.Records, err = record.NewReader(record.ReaderConfig{
		Server: h.Library, Network: cfg.Network, Sign: cfg.Sign, Secret: secret, Email: h.emailOf,
	})
	return h, err
}

func (h *House) openImports() (err error) {
	if h.cfg.Imports == "" {
		return nil
	}
	h.Imports, err = intake.New(intake.Config{
		Store: h.Store, Dir: h.cfg.Imports, Member: h.cfg.Member, Now: h.cfg.Now, Log: h.cfg.Log, Postings: h.Postings,
		Actor: h.goesOn, Organisation: h.importer, Audit: h.auditImport, Bulk: h.cfg.Bulk, Harvester: h.cfg.Harvester,
	})
	return err
}

// doors makes the ways to sign in beside the password.
func (h *House) doors() error {
	if h.cfg.PublicURL == "" {
		return nil
	}
	u, err := url.Parse(h.cfg.PublicURL)
	if err != nil {
		return fmt.Errorf("public address: %w", err)
	}
	name := h.cfg.Agency.Name
	if name == "" {
		name = "TMH " + string(h.cfg.Member)
	}
	h.Passkeys, err = passkey.New(passkey.Config{Store: h.cfg.Store, RPID: u.Hostname(), Origins: []string{u.Scheme + "://" + u.Host}, Name: name, Now: h.cfg.Now, OnClone: h.cloned})
	if err != nil {
		return fmt.Errorf("passkeys for %s: %w", h.cfg.PublicURL, err)
	}
	if h.cfg.Provider.Issuer == "" {
		return nil
	}
	h.Provider, err = oidc.New(oidc.Config{
		Issuer: h.cfg.Provider.Issuer, ClientID: h.cfg.Provider.ClientID, ClientSecret: h.cfg.Provider.ClientSecret,
		RedirectURL: h.cfg.PublicURL + CallbackPath, Now: h.cfg.Now,
	})
	if err != nil {
		return fmt.Errorf("provider of identities: %w", err)
	}
	return nil
}

// rowSecret keys the pseudonyms under which other nodes know this node's readers.
const rowSecret = "house/secret"

func (h *House) secret() (b []byte, err error) {
	err = h.Store.View(func(tx *store.Tx) (err error) {
		b, err = tx.Row(store.TableSetting, rowSecret)
		return err
	})
	if err != nil || b != nil {
		return b, err
	}
	b = make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return nil, err
	}
	err = h.Store.Update(func(tx *store.Tx) error { return tx.SetRow(store.TableSetting, rowSecret, b) })
	if protocol.CodeOf(err) == protocol.CodeReadOnly {
		return b, nil // the disk is full: these pseudonyms last until the next start
	}
	return b, err
}

// tendEvery is how often the house looks at what time alone brings: ends of validity, reminders, sessions that ended.
const tendEvery = 10 * time.Minute

// Run sends mail and looks after what is due, until ctx ends.
func (h *House) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return h.Mail.Run(ctx) })
	if h.Imports != nil {
		g.Go(func() error { return h.Imports.Run(ctx) })
	}
	g.Go(func() error {
		t := time.NewTicker(tendEvery)
		defer t.Stop()
		for {
			h.tend(ctx)
			select {
			case <-ctx.Done():
				return nil
			case <-t.C:
			}
		}
	})
	return g.Wait()
}

// tend does what is due. What fails is done the next time.
func (h *House) tend(ctx context.Context) {
	_, due := h.Postings.Due(ctx)
	_, swept := h.Documents.Sweep(ctx)
	for what, err := range map[string]error{
		"pending publications": h.Postings.Resume(ctx), "reminders": due, "documents": swept, "people": h.People.Sweep(),
		"copies of records": h.Records.Sweep(), "log of readings": h.Library.Prune(), "answers to repeat": h.Replay.Sweep(),
	} {
		if err != nil && !errors.Is(err, context.Canceled) && protocol.CodeOf(err) != protocol.CodeReadOnly {
			h.cfg.Log.Warn("not looked after", "what", what, "error", err)
		}
	}
}

// Agency that hosts the node.
func (h *House) Agency() Agency { return h.cfg.Agency }

// PublicURL of the pages, without a slash at its end; "" where none is configured.
func (h *House) PublicURL() string { return h.cfg.PublicURL }

// DocumentLimits bound what a listing may hold.
func (h *House) DocumentLimits() document.Limits { return h.cfg.Documents }

// AfterRestore closes what a restored backup would open again: sessions end, tokens wait to be confirmed, mail of that time is
// not sent, and no import goes on by itself.
func AfterRestore(s *store.Store, member protocol.MemberID, now func() time.Time) error {
	log := audit.New(member, now)
	people, err := access.New(access.Config{Store: s, Member: member, Now: now})
	if err != nil {
		return err
	}
	queue, err := mail.New(mail.Config{Store: s, Now: now})
	if err != nil {
		return err
	}
	for more := true; more; {
		err := s.Update(func(tx *store.Tx) error {
			n, err := queue.Clear(tx, 500)
			more = n > 0
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := intake.AfterRestore(s, now); err != nil {
		return err
	}
	return s.Update(func(tx *store.Tx) error {
		return errors.Join(people.AfterRestore(tx), log.Append(tx, audit.Event{Kind: audit.Operator, Action: "node.restore"}))
	})
}
