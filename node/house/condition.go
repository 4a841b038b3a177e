package house

import (
	"context"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/audit"
	"github.com/asean-tmh/tmh/node/mail"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Condition is how the house is, for its operator.
type Condition struct {
	Administered bool         // somebody can sign in as administrator
	Unconfirmed  int          // tokens from before a restore that still wait for an administrator
	Mail         mail.Health  // of the queue
	MailFault    string       // why the mail server could not be used just now; "" where it could, or none is configured
	Log          audit.Anchor // the newest entry of the audit log
	LogBroken    bool         // that entry is missing or damaged
}

// probeTimeout bounds how long the mail server may take to answer.
const probeTimeout = 15 * time.Second

// Condition looks at everything once, and tries the mail server.
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
	err = h.Store.View(func(tx *store.Tx) error {
		if c.Log, err = h.Audit.Head(tx); err != nil || c.Log.Seq == 0 {
			return err
		}
		newest, _, err := h.Audit.List(tx, audit.Filter{}, 0, 1)
		c.LogBroken = len(newest) == 0 || newest[0].Seq != c.Log.Seq || newest[0].Hash != c.Log.Hash
		return err
	})
	if err != nil || !c.Mail.Enabled {
		return c, err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if err := h.cfg.Mail.Probe(ctx); err != nil {
		c.MailFault = protocol.All(err)[0].Message
	}
	return c, nil
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
