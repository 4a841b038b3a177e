package node

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/audit"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/mail"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// TestJudgements: what the doctor makes of figures that no test can bring about on a real machine in time.
func TestJudgements(t *testing.T) {
	at := func(seq uint64) protocol.Position { return protocol.Position{Epoch: 1, Seq: seq} }
	one, other := protocol.Sum([]byte("one")), protocol.Sum([]byte("other"))
	type skew = map[protocol.MemberID]time.Duration
	clock := func(ahead skew) func(*exchange.Findings) {
		return func(f *exchange.Findings) { judgeClock(f, ahead) }
	}
	guard := func(m store.Mark, held protocol.Position) func(*exchange.Findings) {
		return func(f *exchange.Findings) { examineGuard(f, m, held, one) }
	}
	space := func(free, wanted uint64, readOnly bool) func(*exchange.Findings) {
		return func(f *exchange.Findings) { examineSpace(f, free, wanted, readOnly) }
	}
	backups := func(c BackupConfig) func(*exchange.Findings) {
		return func(f *exchange.Findings) { ExamineBackups(f, c, "KH", time.Now()) }
	}
	for name, c := range map[string]struct {
		check func(*exchange.Findings)
		want  exchange.Level
	}{
		"nobody's clock":           {clock(nil), exchange.Fine},
		"clocks agree":             {clock(skew{"KH": 0, "LA": -9 * time.Minute}), exchange.Fine},
		"one clock ahead":          {clock(skew{"KH": 0, "LA": 2 * time.Minute}), exchange.Warning},
		"our clock behind":         {clock(skew{"KH": 3 * time.Minute, "LA": 2 * time.Minute, "MM": 0}), exchange.Fault},
		"our clock ahead":          {clock(skew{"KH": -time.Hour, "LA": -2 * time.Hour}), exchange.Fault},
		"one silent for long":      {clock(skew{"KH": -time.Hour, "LA": 0}), exchange.Fine},
		"guard agrees":             {guard(store.Mark{Pos: at(3), Header: one}, at(3)), exchange.Fine},
		"guard of a new node":      {guard(store.Mark{}, protocol.Start), exchange.Fine},
		"guard knows more":         {guard(store.Mark{Pos: at(4), Header: other}, at(3)), exchange.Fault},
		"guard knows less":         {guard(store.Mark{Pos: at(2), Header: other}, at(3)), exchange.Warning},
		"guard of another history": {guard(store.Mark{Pos: at(3), Header: other}, at(3)), exchange.Fault},
		"room":                     {space(9, 3, false), exchange.Fine},
		"little room":              {space(5, 3, false), exchange.Warning},
		"no room":                  {space(2, 3, false), exchange.Fault},
		"no room a moment ago":     {space(9, 3, true), exchange.Fault},
		"no backups on schedule":   {backups(BackupConfig{}), exchange.Warning},
		"no backup yet":            {backups(BackupConfig{Dir: t.TempDir(), Every: time.Hour}), exchange.Warning},
	} {
		var f exchange.Findings
		c.check(&f)
		if len(f) != 1 || f[0].Level != c.want || f[0].What == "" || (f[0].Next == "") != (c.want == exchange.Fine) {
			t.Errorf("%s: got %+v, want %s", name, f, c.want)
		}
	}
}

func TestLagAndAddresses(t *testing.T) {
	for _, c := range []struct {
		signed, proven protocol.Position
		want           uint64
	}{
		{protocol.Position{}, protocol.Start, 0},
		{protocol.Position{Epoch: 1, Seq: 9}, protocol.Position{Epoch: 1, Seq: 9}, 0},
		{protocol.Position{Epoch: 1, Seq: 12}, protocol.Position{Epoch: 1, Seq: 9}, 3},
		{protocol.Position{Epoch: 2, Seq: 12}, protocol.Position{Epoch: 1, Seq: 9}, 3},
		{protocol.Position{Epoch: 2, Seq: 5}, protocol.Position{Epoch: 1, Seq: 9}, 1}, // of a copy that stands on void changes
		{protocol.Position{Epoch: 1, Seq: 12}, protocol.Position{Epoch: 2, Seq: 9}, 0},
	} {
		if got := lag(c.signed, c.proven); got != c.want {
			t.Errorf("lag of %s after %s is %d, want %d", c.signed, c.proven, got, c.want)
		}
	}
	for multiaddr, want := range map[string]string{
		"/ip4/192.0.2.1/tcp/4001": "192.0.2.1:4001", "/ip6/2001:db8::1/tcp/4001": "[2001:db8::1]:4001", "/dns4/node.example/tcp/443/wss": "node.example:443",
		"/ip4/192.0.2.1/udp/4001/quic-v1": "", "/unix/a/tcp/1": "", "/ip4/192.0.2.1/tcp": "", "": "",
	} {
		if got, ok := tcpOf(multiaddr); got != want || ok != (want != "") {
			t.Errorf("%q is %q, want %q", multiaddr, got, want)
		}
	}
}

// TestHouseIsJudged: people, mail and the audit log, as the doctor tells of them.
func TestHouseIsJudged(t *testing.T) {
	now := time.Now()
	well := house.Condition{Administered: true, Log: audit.Anchor{Seq: 7}}
	mailing := mail.Health{Enabled: true, Waiting: 1, Oldest: now.Add(-time.Minute)}
	for name, c := range map[string]struct {
		change func(*house.Condition)
		check  string
		want   exchange.Level
		what   string
	}{
		"well, without mail":    {func(*house.Condition) {}, "mail", exchange.Fine, "none is sent"},
		"no administrator":      {func(c *house.Condition) { c.Administered = false }, "administrator", exchange.Warning, "nobody"},
		"one token waits":       {func(c *house.Condition) { c.Unconfirmed = 1 }, "tokens", exchange.Warning, "1 token "},
		"mail goes out":         {func(c *house.Condition) { c.Mail = mailing }, "mail", exchange.Fine, "1 message waits"},
		"mail cannot go out":    {func(c *house.Condition) { c.Mail, c.MailFault = mailing, "no such host" }, "mail", exchange.Fault, "no such host; 1 message waits"},
		"mail could not go out": {func(c *house.Condition) { c.Mail = mailing; c.Mail.Trouble = "answers 421" }, "mail", exchange.Warning, "answers 421"},
		"mail waits for long":   {func(c *house.Condition) { c.Mail = mailing; c.Mail.Oldest = now.Add(-2 * time.Hour) }, "mail", exchange.Warning, "1 message waits since"},
		"mail was given up":     {func(c *house.Condition) { c.Mail, c.MailLost = mail.Health{Enabled: true, Failed: 1}, "reset: refused" }, "mail", exchange.Warning, "1 message was given up; the newest, reset: refused"},
		"a provider is away":    {func(c *house.Condition) { c.Provider, c.ProviderFault = "https://login.example.org", "away" }, "sign-in elsewhere", exchange.Fault, "away"},
		"a provider answers":    {func(c *house.Condition) { c.Provider = "https://login.example.org" }, "sign-in elsewhere", exchange.Fine, "answers"},
		"a log without entries": {func(c *house.Condition) { c.Log.Seq = 0 }, "audit log", exchange.Fine, "empty"},
		"a log that ends":       {func(*house.Condition) {}, "audit log", exchange.Fine, "entry 7"},
		"an import waits":       {func(c *house.Condition) { c.Imports.Waiting = 1 }, "imports", exchange.Warning, "1 import waits to be confirmed"},
		"imports are under way": {func(c *house.Condition) { c.Imports.Unfinished = 2 }, "imports", exchange.Fine, "2 imports are not finished"},
		"a repository is away":  {func(c *house.Condition) { c.Imports.Failing = []intake.Trouble{{Repository: "o/theses", Why: "404"}} }, "harvest of o/theses", exchange.Warning, "never, failed: 404"},
		"a harvest is late":     {func(c *house.Condition) { c.Imports.Overdue = []intake.Trouble{{Repository: "o/theses", Since: now}} }, "harvest of o/theses", exchange.Warning, "was due"},
		"a log that broke off":  {func(c *house.Condition) { c.LogBroken = true }, "audit log", exchange.Fault, "7, is missing"},
	} {
		condition := well
		c.change(&condition)
		var f exchange.Findings
		judgeHouse(&f, condition, now)
		for _, x := range f {
			switch want := c.want; {
			case x.Check != c.check && x.Level != exchange.Fine:
				t.Errorf("%s: got %+v", name, x)
			case x.Check == c.check && (x.Level != want || !strings.Contains(x.What, c.what) || (x.Next == "") != (want == exchange.Fine)):
				t.Errorf("%s: got %+v, want %s, %q", name, x, want, c.what)
			}
		}
		if !slices.ContainsFunc(f, func(x exchange.Finding) bool { return x.Check == c.check }) {
			t.Errorf("%s: got %+v", name, f)
		}
	}
}

func TestCertificateIsExamined(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writePair(t, 48, cert, key) // for 48 hours
	now := time.Now()
	for name, c := range map[string]struct {
		cert string
		now  time.Time
		want exchange.Level
	}{
		"ends soon":          {cert, now, exchange.Warning},
		"not valid yet":      {cert, now.Add(-2 * time.Hour), exchange.Fault},
		"ended":              {cert, now.Add(49 * time.Hour), exchange.Fault},
		"not there":          {cert + "x", now, exchange.Fault},
		"no certificate":     {key, now, exchange.Fault},
		"none is configured": {"", now, ""},
	} {
		var f exchange.Findings
		ExamineCertificate(&f, c.cert, key, c.now)
		if c.want == "" && len(f) == 0 {
			continue
		}
		if len(f) != 1 || f[0].Level != c.want || f[0].Next == "" {
			t.Errorf("%s: got %+v, want %s", name, f, c.want)
		}
	}
	writePair(t, 24*30, cert, key)
	var f exchange.Findings
	if ExamineCertificate(&f, cert, key, now); len(f) != 1 || f[0].Level != exchange.Fine || f[0].Next != "" {
		t.Errorf("got %+v", f)
	}
}

func TestDoctorAsksForTheAgency(t *testing.T) {
	for _, c := range []struct {
		agency house.Agency
		want   exchange.Level
	}{{house.Agency{Name: "National agency"}, exchange.Warning}, {house.Agency{Phone: "+855 23 123 456"}, exchange.Fine}} {
		var f exchange.Findings
		judgeAgency(&f, c.agency)
		if len(f) != 1 || f[0].Level != c.want || (f[0].Next == "") != (c.want == exchange.Fine) {
			t.Errorf("%+v: got %+v", c.agency, f)
		}
	}
}
