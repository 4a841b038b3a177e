package ui_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

const dryerPage = "/listings/KH/TO-KH-20260114-001"

// rich is a record with everything, in three levels.
func rich() *protocol.Record {
	return &protocol.Record{
		Level: protocol.LevelPublic,
		Sections: map[protocol.Section]protocol.Level{
			protocol.SectionRights: protocol.LevelRegistered, protocol.SectionPeople: protocol.LevelRegistered, protocol.SectionTerms: protocol.LevelRestricted,
		},
		Audience: protocol.Audience{Types: []string{"large-company"}},
		Texts: map[protocol.Lang]protocol.RecordText{
			"en": {Description: "A tunnel of polycarbonate.\nIt has two fans.", Problem: "Flies.", Advantages: "Clean.", Applications: []string{"Fish", "Fruit"}},
			"km": {Description: khmer},
		},
		Comparison:   []protocol.Comparison{{Metric: "Drying time", Unit: "h", Baseline: "72", Ours: "14", Evidence: "<i>measured</i> in " + khmerDrying}},
		Stage:        "Four units run.",
		Rights:       []protocol.Right{{Type: "patent-granted", Office: "KH", Number: "KH/P/123", Date: day("2024-02-03"), Status: "granted"}, {Type: "secret-know-how"}},
		Terms:        protocol.Terms{Models: []string{"royalty"}, Price: "3% of sales", Exclusivity: "sole", Field: "Fish", Territory: "ASEAN"},
		Partner:      protocol.Partner{Types: []string{"sme"}, Role: "Maker", Task: "Build it", Area: "Metal work", Countries: []protocol.Country{"LA"}},
		Organisation: protocol.Owner{Name: "Demo Institute", ROR: "03yrm5c26", Type: "research-institute", Size: "small", Since: 1999, Turnover: "1m-10m", Transnational: true, Certifications: []string{"ISO 9001"}, Languages: []protocol.Lang{"km"}},
		People:       []protocol.Person{{Name: "Sok Vanna", ORCID: "0000-0002-1825-0097", Role: "Inventor"}, {Name: khmerDrying}},
		Funding: protocol.Funding{Call: "C-1", Deadline: protocol.InstantOf(now), Zone: "Asia/Bangkok", Budget: "USD 1", Eligible: "All", Track: "science",
			Partners: []protocol.FundedPartner{{Name: "Lao Works", Country: "LA", Type: "sme", Eligible: true}}},
		Publications: []string{"10.1000/182"},
		Documents:    []protocol.Document{{Hash: protocol.Sum([]byte("x")), Name: "Data sheet " + khmerDrying + ".pdf", Type: "application/pdf", Size: 2048}},
		Provenance:   protocol.Provenance{System: "Old register", ID: "4711", Imported: protocol.InstantOf(now), Licence: "CC BY"},
		Controls:     protocol.Controls{Export: true, Nagoya: true},
	}
}

func TestFullRecordByLevel(t *testing.T) {
	x := newHome(t, nil)
	x.publish(0, rich())
	everybody := []string{
		"A tunnel of polycarbonate.", "Advantages", "Drying time (h) <i>measured</i> in " + khmerDrying, "Four units run.", "Metal work", "Has worked across borders before",
		"23 November 2026, 16:30 in Asia/Bangkok, which is 23 November 2026, 09:30 UTC", "Science and technology (TRL 1 to 3)", "Lao Works, ", "10.1000/182", "2.0 kB",
		"Old register", "Export control or dual use", "Equal to what the origin signed", "help@agency.example.org",
	}
	stranger := x.browser()
	page := stranger.look(dryerPage+"/full", 200, append(everybody, "people with an account at a member’s node", "organisations of certain types or countries, to people who are signed in")...)
	if said := text(page); strings.Contains(said, "KH/P/123") || strings.Contains(said, "Sok Vanna") || strings.Contains(said, "3% of sales") {
		t.Error("a stranger reads more than is public")
	}
	if n := find(page, func(n *html.Node) bool {
		return n.Data == "a" && strings.HasSuffix(attr(n, "href"), "/documents/"+protocol.Sum([]byte("x")).String())
	}); len(n) != 1 || !strings.HasPrefix(attr(n[0], "href"), "/api/v1"+dryerPage) {
		t.Error("no link to the document")
	}
	if n := find(page, func(n *html.Node) bool { return n.Data == "a" && text(n) == "Sign in" }); len(n) != 2 { // in the head, and beside what is withheld
		t.Errorf("%d links to sign in", len(n))
	}
	if got := links(page)["Sign in"]; got != "/sign-in?from="+url.QueryEscape(dryerPage+"/full") {
		t.Errorf("to sign in: %s", got)
	}

	x.setUp()
	reader := x.browser()
	reader.follow(reader.look(x.invite("sok@agency.example.org", access.Scout), 200), "/invitation", url.Values{"name": {"Sok Vanna"}, "password": {password}})
	// The reader's organisation owns nothing here, but an agency is no large company.
	page = reader.look(dryerPage+"/full", 200, append(everybody, "KH/P/123", "Granted and in force", "ORCID 0000-0002-1825-0097", "among which yours is not: ask the contact point")...)
	if strings.Contains(text(page), "3% of sales") {
		t.Error("a reader outside of the audience reads what is restricted")
	}
	admin := x.browser()
	admin.follow(admin.look("/sign-in?from="+url.QueryEscape(dryerPage+"/full"), 200), "/sign-in", url.Values{"email": {"dara@agency.example.org"}, "password": {password}},
		append(everybody, "KH/P/123", "3% of sales", "Royalties", "Sole: the owner alone goes on using it", "for chosen organisations")...)
}

func TestFullRecordRefused(t *testing.T) {
	x := newHome(t, nil)
	registered := &protocol.Record{Stage: "Runs."}
	x.publish(0, registered)
	x.publish(1, registered) // Thailand's, which nobody reaches
	stranger := x.browser()
	for _, c := range []struct {
		b      *browser
		target string
		status int
		want   []string
	}{
		{stranger, dryerPage + "/full", 403, []string{"Sign in", "if you have an account at this node", "help@agency.example.org", "The public summary is unaffected"}},
		{stranger, "/listings/TH/TR-TH-7/full", 403, []string{"Sign in"}},
		{stranger, "/listings/MM/RD-MM-3/full", 404, []string{"There is no full record of this listing, or not for you"}},
		{stranger, "/listings/VN/TO-VN-8/full", 410, []string{"an agreement was made"}},
		{stranger, "/listings/KH/TO-KH-none/full", 404, []string{"There is no such listing"}},
		{stranger, "/listings/vn/a%20b/full", 404, []string{"There is no such listing"}},
		{x.setUp(), "/listings/TH/TR-TH-7/full", 503, []string{"cannot be reached now", "Try again"}},
	} {
		c.b.look(c.target, c.status, c.want...)
	}
	x.desk.entries[0].State = exchange.Current
	if err := x.store.Close(); err != nil {
		t.Fatal(err)
	}
	w := stranger.send("GET", dryerPage+"/full", nil)
	if w.Code != 500 || strings.Contains(w.Body.String(), errors.ErrUnsupported.Error()) {
		t.Errorf("a broken store: %d", w.Code)
	}
}
