package node_test

import (
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/mail"
	"github.com/asean-tmh/tmh/store"
)

// TestInvitationSaysForWhat: who is invited reads in the mail for which organisation, and as what.
func TestInvitationSaysForWhat(t *testing.T) {
	l := newLone(t, t.TempDir())
	l.cfg.House = house.Config{
		PublicURL: "https://hub.example.org",
		Mail:      mail.Server{Host: "127.0.0.1", Port: 1, TLS: mail.None, From: "hub@example.org"}, // where nobody listens: it waits
	}
	l.run(func(n *node.Node) {
		operator, people := access.Operator(l.cfg.Member), n.House().People
		o, err := people.CreateOrganisation(operator, access.OrganisationFields{Name: "Institute of Rice", Type: "university", Country: "TH"})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := people.Invite(operator, "office@example.org", o.ID, []access.Role{access.Editor, access.Reviewer}, ""); err != nil {
			t.Fatal(err)
		}
		var waiting []string
		err = n.House().Store.View(func(tx *store.Tx) error {
			return tx.Rows(store.TableMail, "q/", "", func(_ string, row []byte) (bool, error) {
				waiting = append(waiting, string(row))
				return true, nil
			})
		})
		if err != nil || len(waiting) != 1 || !strings.Contains(waiting[0], "for Institute of Rice as editor, reviewer.") {
			t.Errorf("got %q, %v", waiting, err)
		}
	})
}
