package house

import (
	"context"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/audit"
	"github.com/asean-tmh/tmh/node/document"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/mail"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// How the house is, for whoever keeps the node running.

// Condition is how the house is, for its operator.
type Condition struct {
	Administered  bool         // somebody can sign in as administrator
	Unconfirmed   int          // tokens from before a restore that still wait for an administrator
	Mail          mail.Health  // of the queue
	MailFault     string       // why the mail server could not be used just now; "" where it could, or none is configured
	MailLost      string       // why the newest message that was given up was not delivered
	Provider      string       // the provider of identities; "" where none is configured
	ProviderFault string       // why it could not be asked just now
	Log           audit.Anchor // the newest entry of the audit log
	LogBroken     bool         // that entry is missing or damaged
	Imports       intake.Health
}

// probeTimeout bounds how long the mail server and the provider of identities may take to answer.
const probeTimeout = 15 * time.Second

// Condition looks at everything once, and tries the mail server and the provider of identities.
func (h *House) Condition(ctx context.Context) (c Condition, err error) {
	needed, err := h.People.SetupNeeded()
	if err != nil {
		return c, err
	}
	c.Administered = !needed
	if c.Unconfirmed, err = h.unconfirmed(); err != nil {
		return c, err
	}
	if c.Mail, err = h.Mail.Health(); err != nil {
		return c, err
	}
	if h.Imports != nil {
		if c.Imports, err = h.Imports.Health(); err != nil {
			return c, err
		}
	}
	if err = h.Store.View(func(tx *store.Tx) error { return h.kept(tx, &c) }); err != nil {
		return c, err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if c.Mail.Enabled {
		if err := h.cfg.Mail.Probe(ctx); err != nil {
			c.MailFault = protocol.All(err)[0].Message
		}
	}
	if h.Provider != nil {
		c.Provider = h.cfg.Provider.Issuer
		if err := h.Provider.Check(ctx); err != nil {
			c.ProviderFault = protocol.All(err)[0].Message
		}
	}
	return c, nil
}

// kept is what the database says of mail and log.
func (h *House) kept(tx *store.Tx, c *Condition) error {
	lost, err := h.Mail.Failures(tx)
	if err != nil {
		return err
	}
	if n := len(lost); n > 0 {
		c.MailLost = lost[n-1].Kind + ": " + lost[n-1].Reason
	}
	if c.Log, err = h.Audit.Head(tx); err != nil || c.Log.Seq == 0 {
		return err
	}
	newest, _, err := h.Audit.List(tx, audit.Filter{}, 0, 1)
	c.LogBroken = len(newest) == 0 || newest[0].Seq != c.Log.Seq || newest[0].Hash != c.Log.Hash
	return err
}

// VerifyDocuments reads every document of a store that no node has open, and reports those that are damaged or missing
// (CodeNotFound).
func VerifyDocuments(ctx context.Context, s *store.Store, report func(protocol.Hash, error)) error {
	return document.New(document.Config{Store: s}).Verify(ctx, report)
}

func (h *House) unconfirmed() (count int, err error) {
	now := h.cfg.Now()
	for p := (access.Page{Limit: 500}); ; {
		all, next, err := h.People.AllTokens(access.Operator(h.cfg.Member), true, p)
		if err != nil {
			return count, err
		}
		for _, t := range all {
			if now.Before(t.Expires) {
				count++
			}
		}
		if p.Cursor = next; next == "" {
			return count, nil
		}
	}
}
