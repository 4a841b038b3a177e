package posting

import (
	"testing"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// TestContactKeepsOwnerUnnamed: a listing that names no contact gets one, and that of its organisation only where the listing
// names the organisation anyway: a desk's name and address tell whose it is.
func TestContactKeepsOwnerUnnamed(t *testing.T) {
	h := newHouse(t, "")
	h.Postings.cfg.Contact = func(_ *store.Tx, id access.OrganisationID) (protocol.Contact, error) {
		if id == "" {
			return protocol.Contact{Name: "Agency"}, nil
		}
		return protocol.Contact{Name: "Desk of " + string(id)}, nil
	}
	for owner, want := range map[string]string{"": "Agency", "Royal University": "Desk of " + string(editor.Organisation)} {
		c := content()
		c.Listing.Organisation.Name = owner
		x := h.publish(c)
		_, live, err := h.Content(editor, x.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got := live.Record.Contact.Name; got != want {
			t.Errorf("organisation %q: contact %q, want %q", owner, got, want)
		}
	}
}
