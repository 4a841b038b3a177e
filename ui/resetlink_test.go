package ui_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/asean-tmh/tmh/node/access"
)

// Where a node sends no mail, nobody who merely asks ends the link that an administrator handed over.
func TestAskingForALinkNobodyGetsEndsNone(t *testing.T) {
	x := newHome(t, nil)
	admin := x.setUp()
	secret, err := x.house.People.ResetLink(access.Operator("KH"), x.actor(admin).User)
	if err != nil {
		t.Fatal(err)
	}
	b := x.browser()
	b.look("/reset", 200, "This node sends no mail")
	if w := b.send(http.MethodPost, "/reset", url.Values{"email": {"dara@agency.example.org"}}); w.Code != http.StatusOK {
		t.Errorf("asked without the form: %d", w.Code)
	}
	b.look("/reset?key="+secret, 200, "Set a new password")
}
