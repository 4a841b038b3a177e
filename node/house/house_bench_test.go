package house_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/demo"
	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/node/record"
	"github.com/asean-tmh/tmh/protocol"
)

const secret = "river lantern copper sail"

// inhabited house of a running node, with a database on disk: an editor and a reader of two organisations, and listings of
// the editor's.
func inhabited(b *testing.B, listings int) (h *house.House, editor, reader access.SignedIn, ids []protocol.ListingID) {
	b.Helper()
	members := founding.Members(1)
	f, err := demo.New(demo.Config{Dir: b.TempDir(), Members: members, Alone: true, Version: "bench"})
	must(b, err)
	b.Cleanup(func() { must(b, f.Close()) })
	must(b, f.Start(members[0].ID))
	h = f.Node(members[0].ID).House()
	settle := func(i int, role access.Role) (s access.SignedIn) {
		o, err := h.People.CreateOrganisation(access.Operator(members[0].ID), access.OrganisationFields{
			Name: fmt.Sprint("Organisation ", i), Type: "university", Country: "KH", SelfPublish: true,
		})
		must(b, err)
		link, _, err := h.People.Invite(access.Operator(members[0].ID), fmt.Sprintf("person%d@example.org", i), o.ID, []access.Role{role}, "en")
		must(b, err)
		s, err = h.People.Accept(b.Context(), link, access.NewAccount{Name: "Person", Password: secret}, access.Client{Address: netip.MustParseAddr("10.0.0.1")})
		must(b, err)
		return s
	}
	editor, reader = settle(1, access.Editor), settle(2, access.Reader)
	for i := range listings {
		ids = append(ids, post(b, h, editor.Actor, i))
	}
	return h, editor, reader, ids
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func content(i int) posting.Content {
	text := fmt.Sprintf("Membrane number %d keeps salt back and lets water through at %d bar, for villages that have brackish wells and little power. ", i, i%40)
	return posting.Content{
		Listing: protocol.Listing{
			Kind: protocol.TechnologyOffer, Country: "KH", TRL: 6, FORD: []string{"2.10"}, ISIC: []string{"C20"}, IPR: []string{"patent-granted"},
			Texts: map[protocol.Lang]protocol.Text{"en": {Title: fmt.Sprintf("Membrane %d for brackish water", i), Abstract: text + text, Keywords: []string{"membrane", "water"}}},
		},
		Record: protocol.Record{
			Texts:      map[protocol.Lang]protocol.RecordText{"en": {Description: text + text + text + text, Problem: text, Advantages: text}},
			Comparison: []protocol.Comparison{{Metric: "energy", Unit: "kWh/m3", Baseline: "3.5", Ours: "1.9"}},
			Rights:     []protocol.Right{{Type: "patent-granted", Office: "SG", Number: fmt.Sprintf("1120%08d", i)}},
			Contact:    protocol.Contact{Name: "Transfer desk", Email: "desk@example.org"},
		},
	}
}

// post a listing: drafted, submitted, looked for duplicates of, signed, published; durable at each step.
func post(b *testing.B, h *house.House, a access.Actor, i int) protocol.ListingID {
	b.Helper()
	p, err := h.Postings.Create(a, a.Organisation, "", content(i))
	must(b, err)
	p, _, err = h.Postings.Submit(b.Context(), a, p.ID, p.Version)
	must(b, err)
	if p.Live != posting.Published {
		b.Fatalf("the listing is %s", p.Draft)
	}
	return p.ID
}

// BenchmarkHouse is what people do most, at 300 listings; tmh bench house measures the same at 100,000.
func BenchmarkHouse(b *testing.B) {
	const listings = 300
	h, editor, reader, ids := inhabited(b, listings)
	a := editor.Actor
	posted := listings
	b.Run("post", func(b *testing.B) {
		for b.Loop() {
			post(b, h, a, posted)
			posted++
		}
	})
	b.Run("own listings, page of 25", func(b *testing.B) {
		for b.Loop() {
			page, err := h.Postings.List(a, posting.Filter{Organisation: a.Organisation}, "", 25)
			if err != nil || len(page.Postings) != 25 {
				b.Fatal(len(page.Postings), err)
			}
		}
	})
	b.Run("own listing with its checklist", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			_, c, err := h.Postings.Content(a, ids[n%len(ids)])
			must(b, err)
			posting.Completeness(&c.Listing, &c.Record)
		}
	})
	for name, who := range map[string]access.SignedIn{"own record": editor, "another organisation's record": reader} {
		b.Run(name, func(b *testing.B) {
			for n := 0; b.Loop(); n++ {
				_, err := h.Records.Get(b.Context(), record.Ref{Origin: a.Member, ID: ids[n%len(ids)]}, who.Actor)
				must(b, err)
			}
		})
	}
	b.Run("session", func(b *testing.B) {
		for b.Loop() {
			_, err := h.People.Authenticate(editor.Secret)
			must(b, err)
		}
	})
	b.Run("sign in", func(b *testing.B) {
		for b.Loop() {
			_, err := h.People.SignIn(b.Context(), "person1@example.org", secret, access.Client{Address: netip.MustParseAddr("10.0.0.1")})
			must(b, err)
		}
	})
}
