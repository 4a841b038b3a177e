package mail

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// parts is a letter's two bodies, decoded.
func parts(t testing.TB, l letter) (text, html string) {
	t.Helper()
	m := parsed(t, l)
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return text, html
		}
		if err != nil {
			t.Fatal(err)
		}
		var body io.Reader = p
		switch p.Header.Get("Content-Transfer-Encoding") {
		case "quoted-printable":
			body = quotedprintable.NewReader(p)
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, p)
		}
		b, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		b = []byte(strings.ReplaceAll(string(b), "\r\n", "\n"))
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
			html = string(b)
		} else {
			text = string(b)
		}
	}
}

func TestDelivered(t *testing.T) {
	b := newPostbox(t)
	d := newDesk(t, local(b))
	d.enqueue(t, "sok@rice.EXAMPLE", invitation("Sok Dara"))
	if next := d.round(t.Context()); next.IsZero() {
		t.Error("no further round")
	}
	got := b.letters()
	if len(got) != 1 || got[0].from != "hub@agency.example" || len(got[0].to) != 1 || got[0].to[0] != "sok@rice.example" {
		t.Fatalf("%+v", got)
	}
	m := parsed(t, got[0])
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	id := m.Header.Get("Message-ID")
	if !strings.HasSuffix(id, "@agency.example>") || strings.Contains(id, host) || b.hello != "agency.example" {
		t.Errorf("message id %q, greeting %q", id, b.hello)
	}
	for key, want := range map[string]string{
		"Subject": "Invitation to Agency of Technology", "To": "<sok@rice.example>", "From": `"National Hub" <hub@agency.example>`,
		"Date": "Mon, 21 Sep 2026 08:00:00 +0000", "Auto-Submitted": "auto-generated", "Bcc": "", "Cc": "", "Received": "",
	} {
		if got := m.Header.Get(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	if host != "agency.example" && strings.Contains(string(got[0].raw), host) {
		t.Errorf("the letter names this machine:\n%s", got[0].raw)
	}
	text, html := parts(t, got[0])
	want := `Dear Sok Dara,

You are invited to work on Agency of Technology, the technology-matching hub, for Institute of Rice as editor.

Open this link to accept. It works once, until 28 September 2026, 08:00 UTC:

https://hub.agency.example/join/0123456789abcdef

If you did not expect this, ignore this message: nothing happens without the link.

--
Agency of Technology
https://hub.agency.example
Questions: help@agency.example +855 23 000 000
`
	if text != want {
		t.Errorf("%s", text)
	}
	if !strings.Contains(html, `<p><a href="https://hub.agency.example/join/0123456789abcdef">`) || !strings.Contains(html, "<p>Dear Sok Dara,</p>") {
		t.Errorf("%s", html)
	}
	if h := d.health(t); h.Waiting != 0 || h.Sent != 1 || !h.LastSent.Equal(d.clock.now()) || h.Failed != 0 {
		t.Errorf("%+v", h)
	}
	d.round(t.Context())
	if n := len(b.letters()); n != 1 {
		t.Errorf("%d letters after another round", n)
	}
}

// Every kind of message is written whole, with its link.
func TestEveryKind(t *testing.T) {
	d := newDesk(t, Server{Host: "127.0.0.1", Port: 25, TLS: None, From: "hub@agency.example"})
	at, link := d.clock.now(), "https://hub.agency.example/x?a=1&b=2"
	for _, c := range []struct {
		m       Message
		subject string
		holds   []string
	}{
		{Invitation{Link: link, Until: at}, "Invitation to Agency of Technology", []string{"Good day,", "hub.\n"}},
		{Verification{Name: "A", Link: link, Until: at}, "Confirm your address for Agency of Technology", []string{"Dear A,", "21 September 2026, 08:00 UTC"}},
		{Reset{Name: "A", Link: link, Until: at}, "New password for Agency of Technology", []string{"stays as it is"}},
		{Reminder{Title: "Solar dryer", Reference: "TO-KH-20260921-001", Days: 30, Link: link, Until: at}, "TO-KH-20260921-001 ends in 30 days", []string{"Solar dryer (TO-KH-20260921-001)"}},
		{Reminder{Title: "Solar dryer", Reference: "TO-KH-20260921-001", Days: 1, Link: link, Until: at}, "TO-KH-20260921-001 ends tomorrow", nil},
		{Reminder{Title: "Solar dryer", Reference: "TO-KH-20260921-001", Days: -3, Link: link, Until: at}, "TO-KH-20260921-001 ends today", nil},
		{Decision{Title: "Solar dryer", Reference: "TO-KH-20260921-001", Outcome: "published", Score: "14 of 20", Comment: "Good.\n\nName the\nfield.", Link: link}, "TO-KH-20260921-001: published",
			[]string{"reviewed: published, 14 of 20 points.", "What the reviewer says:\n\nGood.\n\nName the\nfield.\n\nSee"}},
		{Decision{Title: "Solar dryer", Reference: "R", Outcome: "to be revised", Link: link}, "R: to be revised", []string{"reviewed: to be revised.\n\nSolar dryer (R)\n\nSee"}},
		{Decision{Title: "Solar dryer", Outcome: "rejected", Link: link}, "Solar dryer: rejected", []string{"reviewed: rejected.\n\nSolar dryer\n\nSee"}},
		{Notice{What: "Your listing was revoked", At: at, Details: "Nobody answers.", Link: link}, "Your listing was revoked (Agency of Technology)", []string{"\n\nYour listing was revoked (21 September 2026, 08:00 UTC).\n\nNobody answers.\n\nSee more"}},
	} {
		r, err := d.render(c.m)
		if err != nil {
			t.Errorf("%T: %v", c.m, err)
			continue
		}
		if r.subject != c.subject {
			t.Errorf("%T: subject %q, want %q", c.m, r.subject, c.subject)
		}
		for _, s := range append(c.holds, "\n\n"+link+"\n\n", "\n--\nAgency of Technology\n") {
			if !strings.Contains(r.text, s) {
				t.Errorf("%T: %q is not in\n%s", c.m, s, r.text)
			}
		}
		if strings.Contains(r.text, "\n\n\n") || strings.Contains(r.text, "<no value>") || !strings.Contains(r.html, `<a href="https://hub.agency.example/x?a=1&amp;b=2">`) {
			t.Errorf("%T:\n%s\n%s", c.m, r.text, r.html)
		}
	}
}

func TestServerDownThenUp(t *testing.T) {
	b := newPostbox(t)
	d := newDesk(t, local(b))
	b.close(t)
	d.enqueue(t, "a@uni.example", invitation("A"))
	next := d.round(t.Context())
	if got := next.Sub(d.clock.now()); got != time.Minute {
		t.Errorf("tries again after %s, want 1m", got)
	}
	h := d.health(t)
	if h.Waiting != 1 || !strings.Contains(h.Trouble, "cannot be reached") || !h.Since.Equal(d.clock.now()) || !h.Oldest.Equal(d.clock.now()) {
		t.Errorf("%+v", h)
	}
	b.open(t, b.port, nil, false)
	d.round(t.Context())
	if len(b.letters()) != 0 {
		t.Error("the pause was not kept")
	}
	d.clock.pass(time.Minute)
	d.round(t.Context())
	if h := d.health(t); len(b.letters()) != 1 || h.Waiting != 0 || h.Trouble != "" || !h.Since.IsZero() {
		t.Errorf("%d letters, %+v\n%s", len(b.letters()), h, d.log)
	}
}

// Pauses grow to half an hour while the server is away, and after three days a message is given up.
func TestGivesUp(t *testing.T) {
	b := newPostbox(t)
	d := newDesk(t, local(b))
	b.close(t)
	d.enqueue(t, "a@uni.example", invitation("A"))
	var last time.Duration
	for rounds := 0; d.health(t).Waiting > 0; rounds++ {
		if rounds > 400 {
			t.Fatal("never given up")
		}
		next := d.round(t.Context())
		if next.IsZero() || d.health(t).Waiting == 0 {
			break
		}
		wait := next.Sub(d.clock.now())
		if wait < last || wait < time.Minute || wait > serverPause {
			t.Fatalf("a pause of %s after one of %s", wait, last)
		}
		last = wait
		d.clock.pass(wait)
	}
	if age := d.clock.now().Sub(time.Date(2026, 9, 21, 8, 0, 0, 0, time.UTC)); age < giveUp || age > giveUp+time.Hour {
		t.Errorf("given up after %s", age)
	}
	f := d.failed(t)
	if len(f) != 1 || f[0].Kind != "invitation" || f[0].To != "a@uni.example" || !strings.Contains(f[0].Reason, "three days") || d.health(t).Failed != 1 {
		t.Errorf("%+v", f)
	}
	if row := dump(t, d); strings.Contains(row, "0123456789abcdef") {
		t.Errorf("what was given up keeps the link:\n%s", row)
	}
}

// dump is every row of the queue.
func dump(t testing.TB, d *desk) string {
	t.Helper()
	var b strings.Builder
	if err := d.store.View(func(tx *store.Tx) error {
		return tx.Rows(store.TableMail, "", "", func(key string, value []byte) (bool, error) {
			fmt.Fprintf(&b, "%q %s\n", key, value)
			return true, nil
		})
	}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		set    func(b *postbox)
		final  bool
		reason string
	}{
		"no such recipient": {func(b *postbox) {
			b.refuse["a@uni.example"] = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "<a@uni.example> unknown"}
		}, true, "the mail server refuses the recipient (550 5.1.1)"},
		"recipient busy": {func(b *postbox) {
			b.refuse["a@uni.example"] = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted"}
		}, false, "the mail server refuses the recipient (451 4.7.1)"},
		"relaying forbidden": {func(b *postbox) {
			b.refuse["a@uni.example"] = &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "relay access denied"}
		}, false, "the mail server refuses the recipient (554 5.7.1)"},
		"sender refused": {func(b *postbox) {
			b.sender = &smtp.SMTPError{Code: 553, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "not yours"}
		}, false, "the mail server refuses the sender (553 5.7.1): see smtp.from"},
		"content refused": {func(b *postbox) {
			b.content = &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "a@uni.example no"}
		}, true, "the mail server refuses the message (554 5.6.0)"},
		"content later": {func(b *postbox) {
			b.content = &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "disk full"}
		}, false, "the mail server refuses the message (452 4.3.1)"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newPostbox(t)
			c.set(b)
			d := newDesk(t, local(b))
			d.enqueue(t, "a@uni.example", invitation("A"))
			d.clock.pass(time.Second)
			d.enqueue(t, "b@uni.example", invitation("B"))
			d.round(t.Context())
			f := d.failed(t)
			if c.final {
				if len(f) == 0 || f[0].Reason != c.reason || f[0].Attempts != 1 {
					t.Fatalf("%+v", f)
				}
			} else if len(f) != 0 || !strings.Contains(dump(t, d), `"reason":"`+c.reason+`"`) {
				t.Fatalf("%+v\n%s", f, dump(t, d))
			}
			if strings.Contains(d.log.String(), "uni.example") {
				t.Errorf("the log names an address:\n%s", d.log)
			}
			if b.refuse["a@uni.example"] != nil && len(b.letters()) != 1 {
				t.Error("one refused recipient kept the next from its letter")
			}
			if c.final {
				return
			}
			// It is tried again, with pauses that double, and delivered once the server takes it.
			var tries []time.Duration
			for range 5 {
				next := d.round(t.Context())
				tries = append(tries, next.Sub(d.clock.now()))
				d.clock.pass(tries[len(tries)-1])
				d.round(t.Context())
			}
			if tries[0] > time.Minute || tries[4] < 2*tries[3]-time.Minute || tries[4] > longPause {
				t.Errorf("pauses %s", tries)
			}
			b.mu.Lock()
			clear(b.refuse)
			b.sender, b.content = nil, nil
			b.mu.Unlock()
			d.clock.pass(longPause)
			d.round(t.Context())
			if h := d.health(t); len(b.letters()) != 2 || h.Waiting != 0 {
				t.Errorf("%d letters, %+v", len(b.letters()), h)
			}
		})
	}
}

// Where the connection breaks after the server took a message, nobody can know: it is sent again, under the same id.
func TestAtLeastOnce(t *testing.T) {
	b := newPostbox(t)
	b.drop = true
	d := newDesk(t, local(b))
	d.enqueue(t, "a@uni.example", invitation("A"))
	d.round(t.Context())
	if h := d.health(t); h.Waiting != 1 || h.Trouble == "" {
		t.Fatalf("%+v", h)
	}
	d.clock.pass(time.Minute)
	d.round(t.Context())
	got := b.letters()
	if len(got) != 2 || d.health(t).Waiting != 0 {
		t.Fatalf("%d letters, %+v", len(got), d.health(t))
	}
	if a, b := parsed(t, got[0]).Header.Get("Message-ID"), parsed(t, got[1]).Header.Get("Message-ID"); a != b || a == "" {
		t.Errorf("message ids %q and %q", a, b)
	}
}

// Nothing that people write gets into a header or a command.
func TestInjection(t *testing.T) {
	b := newPostbox(t)
	d := newDesk(t, local(b))
	for _, to := range []string{
		"", "a", "@uni.example", "a@", "a@uni..example", "a@-uni.example", "a@[127.0.0.1]", "a@uni.example\r\nRCPT TO:<b@uni.example>", "a@uni.example\nBcc: b@uni.example",
		"a@uni.example, b@uni.example", "A <a@uni.example>", "a b@uni.example", `"a b"@uni.example`, "a@uni.example>", "a\x00@uni.example", "ក@uni.example",
		"a@ក.example", strings.Repeat("a", 65) + "@uni.example", "a@" + strings.Repeat("a.", 130) + "b", "a@b@uni.example", " a@uni.example", "a@uni.example ",
	} {
		if err := d.store.Update(func(tx *store.Tx) error { return d.Enqueue(tx, to, invitation("A")) }); protocol.CodeOf(err) != protocol.CodeValue {
			t.Errorf("to %q: %v", to, err)
		}
	}
	for _, link := range []string{"", "javascript:alert(1)", "/join/1", "https://hub.example/\r\nBcc: b@uni.example", "https://hub.example/ x", "https://" + strings.Repeat("a", 3000)} {
		m := invitation("A")
		m.Link = link
		if err := d.store.Update(func(tx *store.Tx) error { return d.Enqueue(tx, "a@uni.example", m) }); protocol.CodeOf(err) != protocol.CodeValue {
			t.Errorf("link %.40q: %v", link, err)
		}
	}
	const evil = "x\r\nBcc: b@uni.example\r\n\r\n<script>alert(1)</script>\u202e\u2028\u0085.\r\n.\r\nMAIL FROM:<c@uni.example>"
	m := invitation(evil)
	m.Organisation, m.Role = evil, evil
	d.enqueue(t, "a@uni.example", m)
	d.enqueue(t, "a@uni.example", Decision{Name: evil, Title: evil, Reference: evil, Outcome: evil, Score: evil, Comment: evil + "\n--\nAgency", Link: "https://hub.example/"})
	d.enqueue(t, "a@uni.example", Notice{Name: evil, What: evil, Details: evil, Link: "https://hub.example/"})
	d.enqueue(t, "a@uni.example", Reminder{Name: "{{.Site}}", Title: strings.Repeat("ក", 10000), Reference: evil, Link: "https://hub.example/"})
	d.round(t.Context())
	got := b.letters()
	if len(got) != 4 {
		t.Fatalf("%d letters", len(got))
	}
	for _, l := range got {
		m := parsed(t, l)
		if len(l.to) != 1 || l.to[0] != "a@uni.example" || m.Header.Get("Bcc") != "" || len(m.Header["Subject"]) != 1 {
			t.Errorf("%+v %+v", l.to, m.Header)
		}
		head, _, _ := strings.Cut(string(l.raw), "\r\n\r\n")
		for line := range strings.SplitSeq(head, "\r\n") {
			if name, _, ok := strings.Cut(line, ":"); !strings.HasPrefix(line, " ") && (!ok || !strings.Contains(" Date MIME-Version Message-ID Subject Auto-Submitted From To Content-Type ", " "+name+" ")) {
				t.Errorf("header line %q", line)
			}
		}
		text, html := parts(t, l)
		if strings.Contains(html, "<script") || strings.Contains(text, "\u202e") || len(text) > 20000 || strings.Count(text, "\n--\n") != 1 {
			t.Errorf("%.3000s\n%.3000s", text, html)
		}
	}
}

func TestWithoutServer(t *testing.T) {
	d := newDesk(t, Server{})
	err := d.store.Update(func(tx *store.Tx) error { return d.Enqueue(tx, "a@uni.example", invitation("A")) })
	if !errors.Is(err, ErrNoMail) || d.Enabled() || d.health(t).Enabled {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Run(ctx); err != nil {
		t.Error(err)
	}
}

func TestQueueIsBounded(t *testing.T) {
	b := newPostbox(t)
	d := newDesk(t, local(b))
	if err := d.store.Update(func(tx *store.Tx) error { return setWaiting(tx, MaxWaiting-1) }); err != nil {
		t.Fatal(err)
	}
	d.enqueue(t, "a@uni.example", invitation("A"))
	err := d.store.Update(func(tx *store.Tx) error { return d.Enqueue(tx, "a@uni.example", invitation("A")) })
	if protocol.CodeOf(err) != protocol.CodeUnavailable {
		t.Errorf("%v", err)
	}
	d.round(t.Context())
	d.enqueue(t, "a@uni.example", invitation("A"))
}

// What a transaction that fails put in is not there.
func TestEnqueueFollowsItsTransaction(t *testing.T) {
	d := newDesk(t, local(newPostbox(t)))
	stop := errors.New("stop")
	if err := d.store.Update(func(tx *store.Tx) error { return errors.Join(d.Enqueue(tx, "a@uni.example", invitation("A")), stop) }); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if s := dump(t, d); s != "" {
		t.Error(s)
	}
}

func TestForgetAndClear(t *testing.T) {
	b := newPostbox(t)
	b.refuse["a@uni.example"] = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "unknown"}
	d := newDesk(t, local(b))
	d.enqueue(t, "a@uni.example", invitation("A"))
	d.round(t.Context())
	b.close(t)
	d.clock.pass(time.Hour)
	for i := range 7 {
		d.enqueue(t, "a@uni.example", invitation("A"))
		d.enqueue(t, fmt.Sprintf("b%d@uni.example", i), invitation("B"))
	}
	if err := d.store.Update(func(tx *store.Tx) error { return d.Forget(tx, "A@uni.example") }); err != nil {
		t.Fatal(err)
	}
	if h, s := d.health(t), dump(t, d); h.Waiting != 7 || h.Failed != 0 || strings.Contains(s, "a@uni.example") {
		t.Errorf("%+v\n%s", h, s)
	}
	var cleared []int
	for n := -1; n != 0; {
		if err := d.store.Update(func(tx *store.Tx) (err error) { n, err = d.Clear(tx, 5); return err }); err != nil {
			t.Fatal(err)
		}
		cleared = append(cleared, n)
	}
	if h := d.health(t); fmt.Sprint(cleared) != "[5 2 0]" || h.Waiting != 0 || !h.Oldest.IsZero() {
		t.Errorf("%v %+v", cleared, h)
	}
}

func TestDamagedRowsAreDropped(t *testing.T) {
	b := newPostbox(t)
	d := newDesk(t, local(b))
	if err := d.store.Update(func(tx *store.Tx) error {
		for _, key := range []string{"q/", "q/x", "q/12345678", dueKey(rowWaits, d.clock.now(), "x")} {
			if err := tx.SetRow(store.TableMail, key, []byte("{")); err != nil {
				return err
			}
		}
		return setWaiting(tx, 4)
	}); err != nil {
		t.Fatal(err)
	}
	d.enqueue(t, "a@uni.example", invitation("A"))
	d.round(t.Context())
	d.round(t.Context())
	if h := d.health(t); len(b.letters()) != 1 || h.Waiting != 0 {
		t.Errorf("%d letters, %+v\n%s", len(b.letters()), h, dump(t, d))
	}
}

// Only so many failures are remembered.
func TestFailuresAreBounded(t *testing.T) {
	d := newDesk(t, local(newPostbox(t)))
	for i := range keptFailed + 30 {
		d.enqueue(t, fmt.Sprintf("a%d@uni.example", i), invitation("A"))
	}
	d.clock.pass(giveUp + time.Hour)
	for range 10 {
		d.round(t.Context())
		d.clock.pass(time.Second)
	}
	if h := d.health(t); h.Waiting != 0 || h.Failed != keptFailed {
		t.Errorf("%+v", h)
	}
}

// The running sender is woken by what is put in, and stops when it is told to.
func TestRun(t *testing.T) {
	b := newPostbox(t)
	d := newDesk(t, local(b))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	for i := range 45 {
		d.enqueue(t, fmt.Sprintf("a%d@uni.example", i), invitation("A"))
	}
	for range 45 {
		select {
		case <-b.arrived:
		case <-time.After(20 * time.Second):
			t.Fatalf("%d letters\n%s", len(b.letters()), d.log)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	seen := map[string]bool{}
	for _, l := range b.letters() {
		if seen[l.to[0]] {
			t.Errorf("two letters to %s", l.to[0])
		}
		seen[l.to[0]] = true
	}
}

func FuzzCheckAddress(f *testing.F) {
	for _, s := range []string{"a@b.c", "A.b+c@Example.ORG", "a@b\r\n", `"x"@y.z`, "a@[1.2.3.4]", "@"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := CheckAddress(s)
		if err != nil {
			return
		}
		if !strings.EqualFold(got, s) || strings.ContainsAny(got, "\r\n\x00 <>,;:\"\\()[]") || strings.Count(got, "@") != 1 {
			t.Errorf("%q became %q", s, got)
		}
		if again, err := CheckAddress(got); err != nil || again != got {
			t.Errorf("%q is not accepted again: %q, %v", got, again, err)
		}
	})
}

func FuzzRender(f *testing.F) {
	f.Add("name\r\nSubject: x", "block\n--\n\u202e")
	d := newDesk(f, Server{})
	f.Fuzz(func(t *testing.T, one, many string) {
		for _, m := range []Message{Invitation{Name: one, Organisation: one, Role: one, Link: "https://h/"}, Decision{Title: one, Reference: one, Outcome: one, Comment: many, Link: "https://h/"},
			Notice{What: one, Details: many, Link: "https://h/"}} {
			r, err := d.render(m)
			if err != nil {
				t.Fatal(err)
			}
			if strings.ContainsAny(r.subject, "\r\n\x00") || strings.Contains(r.html, "<script") || strings.Count(r.text, "\n--\n") != 1 {
				t.Errorf("%q\n%s\n%s", r.subject, r.text, r.html)
			}
		}
	})
}
