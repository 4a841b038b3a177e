package node

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/intake"
)

// What the doctor says of people, mail, the audit log and the certificate.

const (
	renewCertificate = 14 * 24 * time.Hour // before its end a certificate should be renewed
	mailIsLate       = time.Hour           // after which mail that waits is worth a look
)

func (n *Node) examineHouse(f *exchange.Findings) {
	c, err := n.house.Condition(context.Background())
	if err != nil {
		f.Fault("people", "Stop the node and run tmh verify.", "accounts, mail or audit log cannot be read: %s", err)
		return
	}
	judgeHouse(f, c, n.cfg.Now())
	judgeAgency(f, n.house.Agency())
}

func judgeAgency(f *exchange.Findings, a house.Agency) {
	if a.Email == "" && a.Phone == "" && a.URL == "" {
		f.Warn("agency", "Set agency.email, phone or url in tmh.yaml, and restart.", "listings that name no contact, or no owner, say of nobody how to be asked")
		return
	}
	f.Fine("agency", "listings that name no contact of their own name it")
}

func judgeHouse(f *exchange.Findings, c house.Condition, now time.Time) {
	if c.Administered {
		f.Fine("administrator", "there is one")
	} else {
		f.Warn("administrator", "Run tmh user setup-link, and open the link that it prints.", "nobody is administrator yet: people cannot be invited on the pages")
	}
	if c.Unconfirmed > 0 {
		f.Warn("tokens", "See tmh token list --unconfirmed; let them work again with tmh token confirm, or end them with tmh token revoke.",
			"%s from before a restore wait to be confirmed, and are refused", count(c.Unconfirmed, "token"))
	} else {
		f.Fine("tokens", "none waits to be confirmed")
	}
	judgeMail(f, c, now)
	judgeImports(f, c.Imports)
	switch {
	case c.ProviderFault != "":
		f.Fault("sign-in elsewhere", "See oidc.issuer in tmh.yaml, and ask the provider's operator. Passwords and passkeys go on working.", "%s: %s", c.Provider, c.ProviderFault)
	case c.Provider != "":
		f.Fine("sign-in elsewhere", "%s answers", c.Provider)
	}
	switch {
	case c.LogBroken:
		f.Fault("audit log", "Stop the node and run tmh verify: it says what is missing. Compare with the entry that you noted last.", "its newest entry, %d, is missing or damaged", c.Log.Seq)
	case c.Log.Seq == 0:
		f.Fine("audit log", "empty")
	default:
		f.Fine("audit log", "ends at entry %d, %s: note both outside this node", c.Log.Seq, c.Log.Hash)
	}
}

func judgeMail(f *exchange.Findings, c house.Condition, now time.Time) {
	m := c.Mail
	switch {
	case !m.Enabled:
		f.Fine("mail", "none is sent: smtp.host is empty, and administrators hand links over themselves")
	case c.MailFault != "":
		f.Fault("mail", "Mend what it names. Mail waits up to three days, and goes out by itself.", "%s; %s", c.MailFault, waits(m.Waiting))
	case m.Trouble != "" || m.Waiting > 0 && now.Sub(m.Oldest) > mailIsLate:
		why := m.Trouble
		if why == "" {
			why = "the server takes some messages later"
		}
		f.Warn("mail", "Nothing at first: it is tried again within half an hour. If it lasts, look for \"mail\" in the log.", "the server answers now, but %s since %s: %s",
			waits(m.Waiting), m.Oldest.UTC().Format(time.DateTime+" UTC"), why)
	case m.Failed > 0:
		f.Warn("mail", "See whether the addresses are right, and make anew what was in them: tmh user invite, tmh user reset-link.",
			"the server answers, but %s given up; the newest, %s", were(m.Failed), c.MailLost)
	default:
		f.Fine("mail", "the server answers; %s", waits(m.Waiting))
	}
}

// judgeImports says what nobody would notice otherwise: an import that waits for a word, a repository that brings nothing any more.
func judgeImports(f *exchange.Findings, h intake.Health) {
	at := func(t time.Time) string {
		if t.IsZero() {
			return "never"
		}
		return t.UTC().Format(time.DateTime + " UTC")
	}
	switch {
	case h.Waiting > 0:
		f.Warn("imports", "Let its organisation look at it: it would withdraw many listings, and confirms or cancels that on the page of the import.",
			"%s to be confirmed, the first of them begun %s", waitsFor(h.Waiting), at(h.Oldest))
	case h.Unfinished > 0:
		f.Fine("imports", "%s not finished yet", are(h.Unfinished, "import"))
	default:
		f.Fine("imports", "none is unfinished")
	}
	for _, t := range h.Failing {
		f.Warn("harvest of "+t.Repository, "Ask who runs the repository, or mend what is said of it, and harvest once by hand.", "the newest one, %s, failed: %s", at(t.Since), t.Why)
	}
	for _, t := range h.Overdue {
		f.Warn("harvest of "+t.Repository, "See whether an import of the same organisation waits to be confirmed, or whether the node does not sign.", "it was due %s and has not begun", at(t.Since))
	}
}

func waitsFor(k int) string {
	if k == 1 {
		return "1 import waits"
	}
	return count(k, "import") + " wait"
}

func are(k int, noun string) string {
	if k == 1 {
		return "1 " + noun + " is"
	}
	return count(k, noun) + " are"
}

func waits(k int) string {
	if k == 1 {
		return "1 message waits"
	}
	return count(k, "message") + " wait"
}

func were(k int) string {
	if k == 1 {
		return "1 message was"
	}
	return count(k, "message") + " were"
}

// ExamineCertificate checks the files of the certificate that pages and API are served with; "" for none.
func ExamineCertificate(f *exchange.Findings, cert, key string, now time.Time) {
	if cert == "" {
		return
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		f.Fault("certificate", "Put certificate and key that belong together where tls.cert and tls.key say. A running node goes on with the pair before.", "cannot be used: %s", err)
		return
	}
	const next = "Renew it and replace the files: the node takes the new pair by itself."
	from, until := pair.Leaf.NotBefore, pair.Leaf.NotAfter
	at := func(t time.Time) string { return t.UTC().Format(time.DateTime + " UTC") }
	switch {
	case now.Before(from):
		f.Fault("certificate", "Set the clock, or put the right certificate there.", "is valid from %s on only", at(from))
	case !now.Before(until):
		f.Fault("certificate", next, "ended on %s: browsers refuse it", at(until))
	case until.Sub(now) < renewCertificate:
		f.Warn("certificate", next, "ends on %s", at(until))
	default:
		f.Fine("certificate", "valid until %s", at(until))
	}
}
