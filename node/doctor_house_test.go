package node_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/mail"
	"github.com/asean-tmh/tmh/store"
)

// TestDoctorSeesTheHouse: an administrator who is missing, a mail server that does not answer, tokens that wait after a
// restore, and a log that broke off.
func TestDoctorSeesTheHouse(t *testing.T) {
	l := newLone(t, t.TempDir())
	l.cfg.House = house.Config{
		PublicURL: "https://hub.example.org",
		Mail:      mail.Server{Host: "127.0.0.1", Port: 1, TLS: mail.None, From: "hub@example.org"}, // where nobody listens
	}
	expect := func(n *node.Node, check string, level exchange.Level, what string) {
		t.Helper()
		all := n.Examine()
		at := slices.IndexFunc(all, func(f exchange.Finding) bool { return f.Check == check })
		if at < 0 || all[at].Level != level || !strings.Contains(all[at].What, what) {
			t.Errorf("%s: got %+v, want %s, %q", check, all, level, what)
		}
	}
	l.run(func(n *node.Node) {
		expect(n, "administrator", exchange.Warning, "nobody is administrator yet")
		expect(n, "mail", exchange.Fault, "127.0.0.1:1 cannot be reached; 0 messages wait")
		people := n.House().People
		link, _, err := people.SetupLink(access.Operator(l.cfg.Member))
		if err != nil {
			t.Fatal(err)
		}
		admin, err := people.Setup(t.Context(), link, "sok@example.org", access.NewAccount{Name: "Sok", Password: "river lantern copper"},
			access.OrganisationFields{Name: "Agency", Type: "agency", Country: "TH"}, access.Client{Address: netip.MustParseAddr("192.0.2.1")})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := people.CreateToken(admin.Actor, admin.Actor.User, "script", []access.Scope{access.ScopeAdmin}, time.Hour); err != nil {
			t.Fatal(err)
		}
		expect(n, "administrator", exchange.Fine, "there is one")
		expect(n, "tokens", exchange.Fine, "none")
		expect(n, "audit log", exchange.Fine, "ends at entry ")
	})
	change := func(f func(*store.Store) error) {
		t.Helper()
		s, err := store.Open(l.cfg.Store)
		if err != nil {
			t.Fatal(err)
		}
		if err := f(s); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	change(func(s *store.Store) error { return house.AfterRestore(s, l.cfg.Member, time.Now) })
	l.run(func(n *node.Node) { expect(n, "tokens", exchange.Warning, "1 token from before a restore") })
	change(func(s *store.Store) error {
		return s.Update(func(tx *store.Tx) error {
			last, _, err := tx.LastRow(store.TableAudit, "")
			if err != nil {
				return err
			}
			return tx.DeleteRow(store.TableAudit, last)
		})
	})
	l.run(func(n *node.Node) { expect(n, "audit log", exchange.Fault, "is missing or damaged") })
}
