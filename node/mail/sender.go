package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	netmail "net/mail"
	"net/textproto"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Sending what waits: when, in which order, and what is given up.

// How the sender goes about it.
const (
	firstPause  = time.Minute        // after the first failure; it doubles from there
	longPause   = 6 * time.Hour      // and grows no longer than this, for one message
	serverPause = 30 * time.Minute   // or this, while the server cannot be used at all
	giveUp      = 3 * 24 * time.Hour // after a message was made
	atOnce      = 20                 // messages over one connection
	keptFailed  = 200                // failures that are remembered
	grace       = 5 * time.Second    // for what is half said when the node stops
)

func backoff(attempts int, most time.Duration) time.Duration {
	return min(firstPause<<min(max(attempts-1, 0), 16), most)
}

// Run sends what waits until ctx ends. It returns nil then.
func (q *Queue) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		var next time.Time
		if q.Enabled() {
			next = q.round(ctx)
		}
		wait := time.Minute
		if !next.IsZero() {
			wait = min(max(next.Sub(q.cfg.Now()), 10*time.Millisecond), wait)
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-q.wake:
		}
		t.Stop()
	}
	return nil
}

// waits is a message in the queue with its key.
type waits struct {
	key string
	it  item
}

// round sends what is due, up to atOnce messages, and tells when the next round is; zero: when something is put in.
func (q *Queue) round(ctx context.Context) (next time.Time) {
	due, next, err := q.due()
	if err != nil {
		q.cfg.Log.Warn("mail waits: the queue cannot be changed", "error", err)
		return q.cfg.Now().Add(time.Minute)
	}
	if len(due) == 0 {
		return next
	}
	now := q.cfg.Now()
	if p := q.paused(); p.After(now) {
		return p
	}
	c, err := q.cfg.Server.dial(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return time.Time{}
		}
		return q.unusable(err)
	}
	defer c.close()
	stop := context.AfterFunc(ctx, func() { _ = c.raw.SetDeadline(time.Now().Add(grace)) })
	defer stop()
	for _, w := range due {
		if ctx.Err() != nil {
			return time.Time{}
		}
		if err := q.one(c, w); err != nil {
			return q.unusable(err)
		}
	}
	return q.cfg.Now()
}

// due gathers what is to be sent now, and gives up what is too old. It is a writing transaction so that it sees what the one
// before it put in.
func (q *Queue) due() (list []waits, next time.Time, err error) {
	now := q.cfg.Now()
	err = q.cfg.Store.Update(func(tx *store.Tx) error {
		var old []waits
		var broken []string
		if err := tx.Rows(store.TableMail, rowWaits, "", func(key string, value []byte) (bool, error) {
			w := waits{key: key}
			at, _, ok := dueOf(rowWaits, key)
			switch {
			case !ok || json.Unmarshal(value, &w.it) != nil:
				broken = append(broken, key)
			case at.After(now):
				next = at
				return false, nil
			case now.Sub(w.it.Created) > giveUp:
				old = append(old, w)
			default:
				list = append(list, w)
			}
			return len(list) < atOnce && len(old)+len(broken) < 100, nil
		}); err != nil {
			return err
		}
		for _, key := range broken {
			if err := remove(tx, key); err != nil {
				return err
			}
		}
		for _, w := range old {
			if err := q.fail(tx, w.key, &w.it, "not delivered within three days"); err != nil {
				return err
			}
		}
		if len(list) == 0 && len(old)+len(broken) > 0 && next.IsZero() {
			next = now
		}
		return nil
	})
	return list, next, err
}

// one marks a message as tried, sends it, and settles what became of it. The error is one of the connection or the node, with
// which the others need not be tried.
func (q *Queue) one(c *connection, w waits) error {
	_, id, _ := dueOf(rowWaits, w.key)
	w.it.Attempts++
	again := dueKey(rowWaits, q.cfg.Now().Add(backoff(w.it.Attempts, longPause)), id)
	gone := false
	if err := q.cfg.Store.Update(func(tx *store.Tx) error {
		row, err := tx.Row(store.TableMail, w.key)
		if gone = row == nil; err != nil || gone {
			return err
		}
		if err := tx.DeleteRow(store.TableMail, w.key); err != nil {
			return err
		}
		return setItem(tx, again, &w.it)
	}); err != nil || gone {
		return err
	}
	msg, err := q.compose(&w.it)
	if err != nil {
		return q.cfg.Store.Update(func(tx *store.Tx) error { return q.fail(tx, again, &w.it, "the message could not be written") })
	}
	err = c.client.SendWithSMTPClient(c.smtp, msg)
	if err == nil || msg.IsDelivered() { // a fault after the server took it is none of this message's
		q.delivered()
		if serr := q.cfg.Store.Update(func(tx *store.Tx) error { return remove(tx, again) }); serr != nil {
			return serr
		}
		if err != nil {
			_, _, broken := judge(err)
			return ifBroken(broken)
		}
		return nil
	}
	reason, final, broken := judge(err)
	q.cfg.Log.Warn("mail not delivered", "kind", w.it.Kind, "message", w.it.MessageID, "attempt", w.it.Attempts, "reason", reason, "final", final)
	if serr := q.cfg.Store.Update(func(tx *store.Tx) error {
		if final {
			return q.fail(tx, again, &w.it, reason)
		}
		row, err := tx.Row(store.TableMail, again)
		if err != nil || row == nil {
			return err
		}
		w.it.Reason = reason
		return setItem(tx, again, &w.it)
	}); serr != nil {
		return serr
	}
	return ifBroken(broken)
}

// ifBroken is the fault of a connection, without the library's text, which names recipients.
func ifBroken(broken bool) error {
	if !broken {
		return nil
	}
	return protocol.Errorf(protocol.CodeUnavailable, "", "the connection to the mail server broke")
}

// compose makes the message as it goes over the wire.
func (q *Queue) compose(it *item) (*gomail.Msg, error) {
	from, err := q.cfg.Server.sender()
	if err != nil {
		return nil, err
	}
	if _, err := CheckAddress(it.To); err != nil {
		return nil, err
	}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(from)
	m.AddToMailAddress(&netmail.Address{Address: it.To})
	m.Subject(line(it.Subject))
	m.SetMessageIDWithValue(it.MessageID)
	m.SetDateWithValue(it.Created)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: out-of-office programs keep silent
	m.SetBodyString(gomail.TypeTextPlain, it.Text)
	m.AddAlternativeString(gomail.TypeTextHTML, it.HTML)
	return m, nil
}

// judge says why a message was not taken, without the server's own words, which may hold the address; whether to give it up;
// and whether the connection is of no more use.
func judge(err error) (reason string, final, broken bool) {
	var s *gomail.SendError
	if !errors.As(err, &s) || s.ErrorCode() == 0 {
		return "the connection to the mail server broke", false, true
	}
	code := fmt.Sprint(s.ErrorCode())
	if e := s.EnhancedStatusCode(); e != "" {
		code += " " + e
	}
	permanent := s.ErrorCode() >= 500
	switch s.Reason {
	case gomail.ErrSMTPMailFrom:
		return "the mail server refuses the sender (" + code + "): see smtp.from", false, false
	case gomail.ErrSMTPRcptTo:
		// What the server's rules forbid, such as relaying, is for the operator to repair, and not the recipient's fault.
		rule := s.ErrorCode() == 530 || strings.HasPrefix(s.EnhancedStatusCode(), "5.7.")
		return "the mail server refuses the recipient (" + code + ")", permanent && !rule, false
	case gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		return "the mail server refuses the message (" + code + ")", permanent, false
	}
	return "the mail server answers " + code, false, true
}

// fail gives a message up: its row stays for a while, without the text.
func (q *Queue) fail(tx *store.Tx, key string, it *item, reason string) error {
	row, err := tx.Row(store.TableMail, key)
	if err != nil || row == nil {
		return err // forgotten meanwhile
	}
	if it.Reason != "" && reason == "not delivered within three days" {
		reason += ": " + it.Reason
	}
	if err := remove(tx, key); err != nil {
		return err
	}
	_, id, _ := dueOf(rowWaits, key)
	f := item{Kind: it.Kind, To: it.To, MessageID: it.MessageID, Created: it.Created, Attempts: it.Attempts, Reason: reason}
	if err := setItem(tx, dueKey(rowFailed, q.cfg.Now(), id), &f); err != nil {
		return err
	}
	var kept []string
	if err := tx.Rows(store.TableMail, rowFailed, "", func(key string, _ []byte) (bool, error) {
		kept = append(kept, key)
		return true, nil
	}); err != nil || len(kept) <= keptFailed {
		return err
	}
	return drop(tx, kept[:len(kept)-keptFailed])
}

func (q *Queue) paused() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.pause
}

func (q *Queue) delivered() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sent++
	q.lastSent = q.cfg.Now()
	q.failures, q.trouble, q.since, q.pause = 0, "", time.Time{}, time.Time{}
}

// unusable remembers why nothing can be sent now, and tells when to try again.
func (q *Queue) unusable(err error) time.Time {
	var own *protocol.Error
	var said *textproto.Error
	text := q.cfg.Server.trouble(err)
	switch {
	case errors.As(err, &own):
		text = own.Message
	case errors.As(err, &said):
		err = fmt.Errorf("answer %d", said.Code) // what else a server says may repeat what it was told
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.cfg.Now()
	q.failures++
	if q.trouble == "" {
		q.since = now
	}
	q.trouble = text
	q.pause = now.Add(backoff(q.failures, serverPause))
	q.cfg.Log.Warn("no mail can be sent", "reason", text, "error", err, "again", q.pause)
	return q.pause
}
