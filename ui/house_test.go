package ui_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/mail"
	"github.com/asean-tmh/tmh/node/p2p"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
	"github.com/asean-tmh/tmh/ui"
)

// home is the pages over a real house.
type home struct {
	t     *testing.T
	h     http.Handler
	house *house.House
	store *store.Store
	desk  *desk
	seats map[protocol.MemberID]founding.Seat
	fed   protocol.Hash
	clock atomic.Int64
	seq   uint64
}

func newHome(t *testing.T, change func(*house.Config)) *home {
	t.Helper()
	x := &home{t: t, desk: full()}
	x.clock.Store(now.Unix())
	clock := func() time.Time { return time.Unix(x.clock.Load(), 0).UTC() }
	var seats []founding.Seat
	x.seats = map[protocol.MemberID]founding.Seat{}
	for _, m := range founding.ASEAN() {
		if m.ID != "KH" && m.ID != "TH" {
			continue
		}
		seat, err := founding.NewSeat(m, "ui")
		if err != nil {
			t.Fatal(err)
		}
		seat.Addresses = []string{"/ip4/127.0.0.1/udp/1/quic-v1"}
		seats = append(seats, seat)
		x.seats[m.ID] = seat
	}
	papers, err := founding.Found("ui", seats, now)
	if err != nil {
		t.Fatal(err)
	}
	roster := protocol.NewRoster(papers.Charters[0])
	x.fed = roster.Federation()
	network, err := p2p.New(p2p.Config{Member: "KH", Key: x.seats["KH"].Transport, Listen: []string{"/ip4/127.0.0.1/udp/0/quic-v1"}, Roster: roster})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = network.Close() })
	if x.store, err = store.Open(store.Config{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.store.Close(); err != nil {
			t.Error(err)
		}
	})
	cfg := house.Config{
		Store: x.store, Member: "KH", Now: clock, Roster: func() *protocol.Roster { return roster }, Network: network, PublicURL: "http://localhost:8080",
		Agency: house.Agency{Name: "Agency of Technology", Email: "help@agency.example.org", Phone: "+855 23 000 000"}, Hashes: 1,
		Sign: func(e protocol.Entitlement) (*protocol.SignedEntitlement, error) {
			e.Federation = x.fed
			return protocol.SignEntitlement(x.seats["KH"].Record, e)
		},
	}
	if change != nil {
		change(&cfg)
	}
	if x.house, err = house.New(cfg); err != nil {
		t.Fatal(err)
	}
	x.h = x.pagesOver(x.desk)
	return x
}

// pagesOver a desk.
func (x *home) pagesOver(d ui.Desk) http.Handler {
	return door.Protect(ui.New(ui.Config{
		Desk: d, House: x.house, Door: &door.Keeper{House: x.house, Member: "KH"}, Name: "Cambodia", Demonstration: true, Version: "0.1",
		Now: func() time.Time { return time.Unix(x.clock.Load(), 0).UTC() }, Log: slog.New(slog.DiscardHandler),
	}))
}

func mailed(c *house.Config) {
	c.Mail = mail.Server{Host: "localhost", Port: 25, TLS: "none", From: "hub@agency.example.org"}
}

// browser keeps cookies, as one does.
type browser struct {
	*home
	cookies map[string]string
	address string
}

func (x *home) browser() *browser {
	return &browser{home: x, cookies: map[string]string{}, address: "192.0.2.7:4711"}
}

func (b *browser) send(method, target string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.RemoteAddr = b.address
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	b.h.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if b.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return w
}

// look at a page, which has to have this status and say this.
func (b *browser) look(target string, status int, want ...string) *html.Node {
	b.t.Helper()
	return b.check("GET "+target, b.send(http.MethodGet, target, nil), status, want)
}

// press the button of a form of the page: all of its fields are sent, with those values.
func (b *browser) press(page *html.Node, action string, values url.Values, status int, want ...string) *html.Node {
	b.t.Helper()
	return b.check("POST "+action, b.post(page, action, values), status, want)
}

func (b *browser) post(page *html.Node, action string, values url.Values) *httptest.ResponseRecorder {
	b.t.Helper()
	forms := find(page, func(n *html.Node) bool { return n.Data == "form" && attr(n, "action") == action })
	if len(forms) == 0 {
		b.t.Fatalf("no form that sends to %s in\n%s", action, text(page))
	}
	all := url.Values{}
	for _, n := range find(forms[0], tag("input", "select")) {
		switch name := attr(n, "name"); {
		case name == "" || attr(n, "type") == "checkbox" && !has(n, "checked"):
		case n.Data == "select":
			for _, o := range find(n, func(o *html.Node) bool { return o.Data == "option" && has(o, "selected") }) {
				all.Set(name, attr(o, "value"))
			}
		default:
			all.Add(name, attr(n, "value"))
		}
	}
	for name, v := range values {
		if len(find(forms[0], func(n *html.Node) bool { return attr(n, "name") == name })) == 0 {
			b.t.Fatalf("the form of %s has no field %s", action, name)
		}
		all[name] = v
	}
	return b.send(http.MethodPost, action, all)
}

// follow sends a form that answers with another page, and looks at that.
func (b *browser) follow(page *html.Node, action string, values url.Values, want ...string) *html.Node {
	b.t.Helper()
	w := b.post(page, action, values)
	if w.Code != http.StatusSeeOther {
		root, _ := html.Parse(w.Body)
		b.t.Fatalf("POST %s: %d\n%s", action, w.Code, strings.Join(strings.Fields(text(root)), " "))
	}
	to, _, _ := strings.Cut(w.Header().Get("Location"), "#")
	return b.look(to, http.StatusOK, want...)
}

func (b *browser) check(what string, w *httptest.ResponseRecorder, status int, want []string) *html.Node {
	b.t.Helper()
	body := w.Body.String()
	if w.Code != status {
		b.t.Errorf("%s: %d, want %d, to %s", what, w.Code, status, w.Header().Get("Location"))
	}
	w.Body.Reset()
	w.Body.WriteString(body)
	root := audit(b.t, what, w)
	said := strings.Join(strings.FieldsFunc(text(root), func(r rune) bool { return r == ' ' || r == '\n' }), " ")
	for _, x := range want {
		if !strings.Contains(said, x) {
			b.t.Errorf("%s: no %q in\n%s", what, x, said)
		}
	}
	return root
}

const password = "three green paper boats"

// setUp gives the node its first administrator, by its pages.
func (x *home) setUp() *browser {
	x.t.Helper()
	secret, _, err := x.house.People.SetupLink(access.Operator("KH"))
	if err != nil {
		x.t.Fatal(err)
	}
	b := x.browser()
	page := b.look("/setup?key="+secret, 200, "Set up this node")
	b.follow(page, "/setup", url.Values{"name": {"Chan Dara"}, "email": {"dara@agency.example.org"}, "password": {password}},
		"This node is set up, and you are its administrator.", "Chan Dara")
	return b
}

// invite somebody, and give the address of the page that the invitation opens.
func (x *home) invite(email string, roles ...access.Role) string {
	x.t.Helper()
	admin := access.Operator("KH")
	all, _, err := x.house.People.Organisations(admin, access.Page{})
	if err != nil || len(all) == 0 {
		x.t.Fatal(err, len(all))
	}
	secret, _, err := x.house.People.Invite(admin, email, all[0].ID, roles, "km")
	if err != nil {
		x.t.Fatal(err)
	}
	return "/invitation?key=" + secret
}

func record(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// publish a listing of the samples with a full record. Only this node's own record is kept here.
func (x *home) publish(i int, r *protocol.Record) {
	x.t.Helper()
	e := &x.desk.entries[i]
	l := *e.Listing
	l.Full = protocol.Hash{}
	parts, err := r.Parts(l.ID, nil, nil)
	if err != nil {
		x.t.Fatal(err)
	}
	l.BindFull(parts)
	e.Listing = &l
	x.seq++
	h := protocol.Header{
		Federation: x.fed, Origin: e.Ref.Origin, CharterVersion: 1, Pos: protocol.Position{Epoch: 1, Seq: x.seq}, RecordKey: l.ID.Key(),
		Kind: protocol.Put, Count: x.seq, Digest: protocol.Hash{1},
	}
	if x.seq > 1 {
		h.Prev = protocol.Hash{1}
	}
	c, err := protocol.SignChange(x.seats[e.Ref.Origin].Record, h, l.Encode())
	if err != nil {
		x.t.Fatal(err)
	}
	if err := x.store.Update(func(tx *store.Tx) error {
		if e.Ref.Origin == "KH" {
			if err := tx.SetFull(l.ID.Key(), protocol.EncodeRecord(r, parts)); err != nil {
				return err
			}
		}
		return tx.Origin(e.Ref.Origin).Replace(c, nil)
	}); err != nil {
		x.t.Fatal(err)
	}
}
