package api_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"testing"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/exchange/exchangetest"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// office is a hub whose listings are signed into the catalogue, and people of two universities and the agency.
type office struct {
	*hub
	desk                           *exchange.Desk
	journal                        *exchangetest.Journal
	admin                          *visitor
	editor, other, reader          *visitor // of the Institute, of the College, of a company
	reviewer, second, officeEditor *visitor // of the agency
}

func newOffice(t *testing.T, change ...func(*house.Config)) *office {
	t.Helper()
	o := new(office)
	seed := sha256.Sum256([]byte("record key of KH"))
	o.hub = newHub(t, append(change, func(c *house.Config) {
		o.journal = &exchangetest.Journal{Member: "KH", Store: c.Store, Signer: protocol.NewSigner(ed25519.NewKeyFromSeed(seed[:]))}
		o.desk = exchange.NewDesk("KH", nil, o.journal, nil, c.Now)
		c.Desk = o.desk
		c.Agency = house.Agency{Name: "National Agency", Email: "desk@agency.example"}
	})...)
	o.admin = o.hub.admin()
	institute, college := o.admin.organisation("Institute"), o.admin.organisation("College")
	o.editor = o.admin.person("editor@institute.example", institute, access.Editor)
	o.other = o.admin.person("editor@college.example", college, access.Editor)
	o.reader = o.admin.person("reader@college.example", college, access.Reader)
	o.reviewer = o.admin.person("reviewer@agency.example", o.admin.org, access.Reviewer)
	o.second = o.admin.person("second@agency.example", o.admin.org, access.Reviewer)
	o.officeEditor = o.admin.person("editor@agency.example", o.admin.org, access.Editor)
	return o
}

// offer that can be published.
func offer(title string) map[string]any {
	return map[string]any{
		"listing": map[string]any{
			"kind": "TO", "country": "KH", "trl": 5, "ford": []string{"2.11"},
			"texts": map[string]any{"en": map[string]any{"title": title, "abstract": "Dries a batch in six hours."}},
		},
		"record": map[string]any{
			"texts": map[string]any{"en": map[string]any{"description": "Air is heated below a black plate."}},
		},
	}
}

// step does something to a posting at the version that it has, and returns it.
func (v *visitor) step(m map[string]any, verb string, body any) map[string]any {
	v.hub.t.Helper()
	return v.do(200, "POST", "/postings/"+id(m)+"/"+verb, body, "If-Match", m["etag"].(string))
}

func id(m map[string]any) string { return m["posting"].(map[string]any)["id"].(string) }

// scores of 14, of 9, and of 18 with a zero.
func scores(a, b, c, d int) map[string]any {
	return map[string]any{"scores": map[string]int{"advantages": a, "clarity": b, "cooperation": c, "guidelines": d}, "comment": "The figures want a source."}
}

// publish takes content through review.
func (o *office) publish(content map[string]any) map[string]any {
	o.t.Helper()
	m := o.editor.do(201, "POST", "/postings", content)
	m = o.editor.step(m, "submit", nil)
	if m["state"] == "published" {
		return m
	}
	m = o.reviewer.step(m, "take", nil)
	return o.reviewer.step(m, "review", scores(4, 3, 4, 3))
}

// catalogued is the newest change of a listing of this node.
func (o *office) catalogued(id string) (c *protocol.Change) {
	o.t.Helper()
	err := o.store.View(func(tx *store.Tx) (err error) {
		c, err = tx.Record("KH", protocol.ListingID(id).Key())
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return c
}

// company is an organisation of another type than the others.
func (o *office) company() access.OrganisationID {
	o.t.Helper()
	return access.OrganisationID(o.admin.do(201, "POST", "/organisations", map[string]any{"name": "Company", "type": "sme", "country": "KH"})["id"].(string))
}
