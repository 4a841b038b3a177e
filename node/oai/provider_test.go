package oai

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
	"github.com/asean-tmh/tmh/store"
)

func TestIdentify(t *testing.T) {
	s := newSite(t)
	before := s.ask("verb", "Identify")
	if before.Identify.Earliest != stampOf(start) {
		t.Errorf("earliest datestamp of an empty repository: %s", before.Identify.Earliest)
	}
	s.put("KH", "A", "A")
	s.settled()
	s.clock += 1000
	got := s.ask("verb", "Identify")
	if i := got.Identify; i.Name != "Test & more" || i.Deleted != "persistent" || i.Earliest != stampOf(start) || i.Sample != "oai:tmh.example.org:AB/2026-001" {
		t.Errorf("got %+v", i)
	}
	if got.Date != stampOf(s.clock) || got.Request.URL != "https://hub.example.org/oai" {
		t.Errorf("at %s of %s", got.Date, got.Request.URL)
	}
}

// Every error condition, with the arguments repeated only where they can be understood.
func TestErrors(t *testing.T) {
	s := newSite(t)
	for _, id := range []string{"A", "B", "C", "D"} {
		s.put("KH", id, id)
	}
	s.settled()
	page := s.ask("verb", "ListRecords", "metadataPrefix", "oai_dc")
	token := page.RecToken.Token
	flipped := []byte(token)
	flipped[9] ^= 1
	id := "oai:tmh.example.org:KH/A"
	for _, c := range []struct{ query, want, attrs string }{
		{"", "badVerb", ""},
		{"verb=Nothing", "badVerb", ""},
		{"verb=Identify&verb=Identify", "badVerb", ""},
		{"verb=Identify&x=1", "badArgument", ""},
		{"verb=Identify&x=%zz", "badArgument", ""},
		{"verb=Identify;x", "badVerb", ""},
		{"verb=GetRecord", "badArgument badArgument", ""},
		{"verb=GetRecord&metadataPrefix=oai_dc&metadataPrefix=oai_dc&identifier=" + id, "badArgument", ""},
		{"verb=GetRecord&metadataPrefix=oai_dc&identifier=" + id, "", "GetRecord " + id + " oai_dc"},
		{"verb=GetRecord&metadataPrefix=marc&identifier=" + id, "cannotDisseminateFormat", "GetRecord " + id + " marc"},
		{"verb=GetRecord&metadataPrefix=%3Cx%3E&identifier=" + id, "badArgument", ""},
		{"verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:tmh.example.org:KH/Z", "idDoesNotExist", "GetRecord oai:tmh.example.org:KH/Z oai_dc"},
		{"verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:other.example.org:KH/A", "idDoesNotExist", "GetRecord oai:other.example.org:KH/A oai_dc"},
		{"verb=GetRecord&metadataPrefix=oai_dc&identifier=%00%3C\xff", "idDoesNotExist", "GetRecord oai_dc"},
		{"verb=ListMetadataFormats&identifier=nothing", "idDoesNotExist", "ListMetadataFormats"},
		{"verb=ListMetadataFormats&identifier=" + id, "", "ListMetadataFormats " + id},
		{"verb=ListSets&resumptionToken=x", "badResumptionToken", "ListSets x"},
		{"verb=ListRecords", "badArgument", ""},
		{"verb=ListRecords&metadataPrefix=", "badArgument", ""},
		{"verb=ListRecords&metadataPrefix=marc", "cannotDisseminateFormat", "ListRecords marc"},
		{"verb=ListRecords&metadataPrefix=oai_dc&from=yesterday&until=2027-13-01", "badArgument badArgument", ""},
		{"verb=ListRecords&metadataPrefix=oai_dc&from=2027-01-01T00:00:00.5Z", "badArgument", ""},
		{"verb=ListRecords&metadataPrefix=oai_dc&from=2027-1-01", "badArgument", ""},
		{"verb=ListRecords&metadataPrefix=oai_dc&from=0000-01-01", "badArgument", ""},
		{"verb=ListRecords&metadataPrefix=oai_dc&from=2027-01-01&until=2027-01-01T00:00:00Z", "badArgument", ""},
		{"verb=ListRecords&metadataPrefix=oai_dc&from=2027-01-02&until=2027-01-01", "badArgument", ""},
		{"verb=ListRecords&metadataPrefix=oai_dc&from=9999-01-01", "noRecordsMatch", "ListRecords oai_dc 9999-01-01"},
		{"verb=ListRecords&metadataPrefix=oai_dc&until=0001-01-01", "noRecordsMatch", "ListRecords oai_dc 0001-01-01"},
		{"verb=ListRecords&metadataPrefix=oai_dc&set=origin:ZZ", "noRecordsMatch", "ListRecords oai_dc origin:ZZ"},
		{"verb=ListRecords&metadataPrefix=oai_dc&set=kind:--", "noRecordsMatch", "ListRecords oai_dc kind:--"},
		{"verb=ListRecords&metadataPrefix=oai_dc&set=a::b", "badArgument", ""},
		{"verb=ListRecords&resumptionToken=" + token + "&metadataPrefix=oai_dc", "badArgument", ""},
		{"verb=ListRecords&resumptionToken=", "badResumptionToken", "ListRecords "},
		{"verb=ListRecords&resumptionToken=" + string(flipped), "badResumptionToken", "ListRecords " + string(flipped)},
		{"verb=ListIdentifiers&resumptionToken=" + token, "badResumptionToken", "ListIdentifiers " + token},
		{"verb=ListRecords&resumptionToken=" + token, "", "ListRecords " + token},
		{"verb=Identify&x=" + strings.Repeat("x", maxQuery), "badArgument", ""},
	} {
		got := s.raw(c.query)
		var attrs []string
		for _, a := range got.Request.Attrs {
			attrs = append(attrs, a.Value)
		}
		if got.codes() != c.want || strings.Join(attrs, " ") != c.attrs {
			t.Errorf("%.200s: %q %q, want %q %q", c.query, got.codes(), attrs, c.want, c.attrs)
		}
		for _, e := range got.Errors {
			if len(e.Text) < 20 {
				t.Errorf("%s: %q does not help", c.query, e.Text)
			}
		}
	}
}

// GET and POST over a real connection; what else is there is refused.
func TestMethods(t *testing.T) {
	s := newSite(t)
	server := httptest.NewServer(s.provider)
	defer server.Close()
	do := func(method, query, kind, body string) (int, *http.Response, []byte) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+"?"+query, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", kind)
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		b, err := io.ReadAll(a.Body)
		if err != nil {
			t.Fatal(err)
		}
		return a.StatusCode, a, b
	}
	const form = "application/x-www-form-urlencoded"
	for _, c := range []struct{ method, query, kind, body, want string }{
		{"GET", "verb=Identify", "", "", ""},
		{"POST", "", form, "verb=Identify", ""},
		{"POST", "", form + "; charset=utf-8", "verb=Identify", ""},
		{"POST", "verb=Identify", form, "", "badVerb"},
		{"POST", "verb=Identify", "application/json", "{}", "badArgument"},
		{"POST", "", form, "verb=Identify&x=" + strings.Repeat("x", 2*maxQuery), "badArgument"},
	} {
		code, a, body := do(c.method, c.query, c.kind, c.body)
		if got := s.read(code, body, c.query); got.codes() != c.want || a.Header.Get("Content-Type") != "text/xml; charset=UTF-8" {
			t.Errorf("%s %s %.40s: %s", c.method, c.query, c.body, got.codes())
		}
	}
	if code, a, _ := do("PUT", "verb=Identify", "", ""); code != http.StatusMethodNotAllowed || a.Header.Get("Allow") == "" {
		t.Errorf("PUT: %d", code)
	}
	if code, _, body := do("HEAD", "verb=Identify", "", ""); code != http.StatusOK || len(body) > 0 {
		t.Errorf("HEAD: %d", code)
	}
}

// ids lists what a list gives, a deleted one with a minus before it.
func (s *site) ids(verb string, args ...string) (all []string) {
	s.t.Helper()
	got := s.ask(append([]string{"verb", verb, "metadataPrefix", "oai_dc"}, args...)...)
	for {
		token := got.RecToken
		for _, h := range got.Headers {
			all, token = append(all, brief(h)), got.IDToken
		}
		for _, r := range got.Records {
			if (r.Head.Status == "deleted") != (len(r.Titles) == 0) {
				s.t.Errorf("%+v", r)
			}
			all = append(all, brief(r.Head))
		}
		if token == nil || token.Token == "" {
			return all
		}
		got = s.ask("verb", verb, "resumptionToken", token.Token)
	}
}

func brief(h headElement) string {
	id := strings.TrimPrefix(h.ID, "oai:tmh.example.org:")
	if h.Status == "deleted" {
		return "-" + id
	}
	return id
}

func (s *site) want(what string, want, got []string) {
	s.t.Helper()
	if !slices.Equal(want, got) {
		s.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestListsAndSets(t *testing.T) {
	s := newSite(t)
	for _, o := range []protocol.MemberID{"ABC", "AB", "KH"} {
		for _, id := range []string{"A", "B", "R1", "R2"} {
			s.put(o, id, id)
		}
		s.settled()
	}
	all := []string{"AB/A", "AB/B", "AB/R1", "AB/R2", "ABC/A", "ABC/B", "ABC/R1", "ABC/R2", "KH/A", "KH/B", "KH/R1", "KH/R2"}
	for _, verb := range listVerbs() {
		s.want("all", all, s.ids(verb))
		s.want("by origin", all[:4], s.ids(verb, "set", "origin:AB"))
		s.want("by kind", []string{"AB/R1", "AB/R2", "ABC/R1", "ABC/R2", "KH/R1", "KH/R2"}, s.ids(verb, "set", "kind:TR"))
		s.want("above", all, s.ids(verb, "set", "kind"))
		s.want("from", all[8:], s.ids(verb, "from", stampOf(start+2)))
		s.want("until", all[4:8], s.ids(verb, "until", stampOf(start)))
		s.want("one second", all[:4], s.ids(verb, "from", stampOf(start+1), "until", stampOf(start+1)))
		s.want("one day", all, s.ids(verb, "from", stampOf(start)[:10], "until", stampOf(start)[:10]))
		s.want("the day after", nil, s.ids(verb, "from", stampOf(start + 86400)[:10]))
	}
	got := s.ask("verb", "ListSets")
	s.want("sets", []string{"origin", "origin:AB", "origin:ABC", "origin:KH", "origin:LA", "kind", "kind:TO", "kind:TR", "kind:RD", "kind:EX", "kind:FC", "kind:FN"}, got.Sets)
	if !slices.Contains(got.Names, "Published by KH, Cambodia") {
		t.Errorf("names %q", got.Names)
	}
	s.want("formats", []string{"oai_dc", "tmh"}, s.ask("verb", "ListMetadataFormats").Formats)
	own := s.ask("verb", "GetRecord", "metadataPrefix", "tmh", "identifier", "oai:tmh.example.org:KH/R1")
	if len(own.Got) != 1 || !strings.Contains(own.Got[0].Own, "/listings/KH/R1") {
		t.Errorf("own format: %+v", own.Got)
	}
	s.want("sets of a record", []string{"kind:TR", "origin:KH"}, own.Got[0].Head.Sets)
}

// A second is shown when it is over, and what a harvester was not shown comes later than the time it was told.
func TestSecondsThatAreOver(t *testing.T) {
	s := newSite(t)
	s.put("KH", "A", "A")
	s.catchUp()
	if got := s.ask("verb", "ListRecords", "metadataPrefix", "oai_dc"); got.codes() != "noRecordsMatch" || got.Date != stampOf(start) {
		t.Errorf("within the second: %+v", got)
	}
	s.clock++
	s.put("KH", "B", "B")
	s.catchUp()
	first := s.ask("verb", "ListRecords", "metadataPrefix", "oai_dc")
	if len(first.Records) != 1 || first.Date != stampOf(start+1) {
		t.Errorf("%d records at %s", len(first.Records), first.Date)
	}
	s.clock -= 500 // the machine's clock is set back
	s.put("KH", "C", "C")
	s.catchUp()
	s.put("KH", "D", "D")
	s.catchUp()
	s.want("after the clock went back", []string{"KH/B", "KH/C", "KH/D"}, s.ids("ListIdentifiers", "from", first.Date))
	// A transaction that is under way holds back the time of responses with what is shown.
	s.clock += 1000
	at := s.provider.clock.begin()
	s.clock += 5
	if got := s.ask("verb", "Identify"); got.Date != stampOf(at) {
		t.Errorf("at %s while rows of %s are being written", got.Date, stampOf(at))
	}
	s.provider.clock.done()
	if got := s.ask("verb", "Identify"); got.Date != stampOf(s.clock) {
		t.Errorf("at %s", got.Date)
	}
}

// What was shown as over stays so after a restart with a clock that went back, after a clean end and after a crash.
func TestRestart(t *testing.T) {
	s := newSite(t)
	s.put("KH", "A", "A")
	s.settled()
	for _, clean := range []bool{true, false} {
		s.clock += 5000
		shown := s.ask("verb", "ListIdentifiers", "metadataPrefix", "oai_dc").Date
		if clean {
			s.provider.settle()
		}
		s.clock -= 4000
		s.restart()
		s.put("KH", "A", "again "+shown)
		s.settled()
		s.want("new after "+shown, []string{"KH/A"}, s.ids("ListIdentifiers", "from", shown))
		s.clock += 4000 + 2*reserve
	}
	// What was written and not shown yet does not wait until a clock that went back is that late again.
	s.put("KH", "B", "B")
	s.catchUp()
	s.clock -= 5000
	s.restart()
	s.want("not shown yet", []string{"KH/A", "KH/B"}, s.ids("ListIdentifiers"))
}

// A listing is a record, on hold, again a record, withdrawn, forgotten: deleted for ever, and dated when it was learnt.
func TestPersistentDeletes(t *testing.T) {
	s := newSite(t)
	steps := []func(){
		func() { s.put("KH", "A", "one") },
		func() { s.withdraw("KH", "A", protocol.OnHold) },
		func() { s.put("KH", "A", "two") },
		func() { s.author("KH", protocol.Put, "A", []byte("this is no listing")) },
		func() { s.put("KH", "A", "three") },
		func() { s.withdraw("KH", "A", "agreement") },
		func() { s.raiseFloor("KH") },
		func() { s.put("KH", "B", "B") },
	}
	wants := []string{"KH/A", "-KH/A", "KH/A", "-KH/A", "KH/A", "-KH/A", "-KH/A", "-KH/A"}
	stamps := []int64{0, 1, 2, 3, 4, 5, 5, 5}
	for i, step := range steps {
		step()
		if got := s.ask("verb", "GetRecord", "metadataPrefix", "oai_dc", "identifier", "oai:tmh.example.org:KH/A"); len(got.Got) != 1 || brief(got.Got[0].Head) != wants[i] {
			t.Errorf("step %d at once: %+v", i, got)
		}
		s.settled()
		got := s.ask("verb", "GetRecord", "metadataPrefix", "oai_dc", "identifier", "oai:tmh.example.org:KH/A")
		if len(got.Got) != 1 || brief(got.Got[0].Head) != wants[i] || got.Got[0].Head.Stamp != stampOf(start+stamps[i]) {
			t.Errorf("step %d: %+v", i, got)
		}
		s.want("kept in its sets", []string{"kind:TO", "origin:KH"}, got.Got[0].Head.Sets)
		for _, verb := range listVerbs() {
			if list := s.ids(verb, "set", "kind:TO"); !slices.Contains(list, wants[i]) {
				t.Errorf("step %d, %s: %q", i, verb, list)
			}
		}
	}
	at, deleted, ok, err := s.provider.DatestampOf(match.Ref{Origin: "KH", ID: "A"})
	if err != nil || !ok || !deleted || at.Unix() != start+5 {
		t.Errorf("%v %v %v %v", at, deleted, ok, err)
	}
	if _, _, ok, err := s.provider.DatestampOf(match.Ref{Origin: "KH", ID: "Z"}); ok || err != nil {
		t.Errorf("a listing that never was: %v %v", ok, err)
	}
}

// raiseFloor forgets all withdrawals of an origin.
func (s *site) raiseFloor(origin protocol.MemberID) {
	s.t.Helper()
	if err := s.node(origin).Step(func(c *replica.Copy, set replicatest.Set) error {
		d := s.fed.Draft(protocol.Put, replicatest.ReportKey(0))
		d.Floor = c.Proven.Seq
		_, err := c.Author(set, replicatest.RecordSigner(origin), d, []byte("report"))
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
}

// What was published, withdrawn and forgotten between two looks was never a record; what had been one is deleted.
func TestForgottenUnseen(t *testing.T) {
	s := newSite(t)
	s.put("KH", "A", "A")
	s.put("KH", "B", "B")
	s.settled()
	s.withdraw("KH", "A", "error")
	s.put("KH", "C", "C")
	s.withdraw("KH", "C", "error")
	s.raiseFloor("KH")
	s.settled()
	s.want("all", []string{"KH/B", "-KH/A"}, s.ids("ListRecords"))
}

// A copy that is being drawn is followed when it is proven as a whole.
func TestUnproven(t *testing.T) {
	s, far := newSite(t), newSite(t)
	for _, id := range []string{"A", "B", "C", "D", "E"} {
		far.put("KH", id, id)
	}
	n := s.node("KH")
	for _, want := range [][]string{nil, nil, {"KH/A", "KH/B", "KH/C", "KH/D", "KH/E"}} {
		b, err := far.node("KH").Serve(s.proven("KH").Ask(), 2)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Draw(b); err != nil {
			t.Fatal(err)
		}
		s.settled()
		s.want("drawn", want, s.ids("ListRecords"))
	}
}

// Another history may take the place of what was held at the same position, or lie below a later one.
func TestOtherHistory(t *testing.T) {
	for _, more := range []bool{false, true} {
		s, far := newSite(t), newSite(t)
		s.put("KH", "A", "A")
		s.put("KH", "B", "B")
		s.settled()
		far.put("KH", "A", "A")
		far.put("KH", "C", "C")
		want := []string{"KH/A", "KH/C", "-KH/B"}
		if more {
			far.put("KH", "D", "D")
			want = []string{"KH/A", "KH/C", "KH/D", "-KH/B"}
		}
		staged := &replicatest.Node{Store: shelf{s.store, "KH", true}, Origin: "KH"}
		b, err := far.node("KH").Serve(replica.New("KH").Ask(), 9)
		if err != nil {
			t.Fatal(err)
		}
		if err := staged.Draw(b); err != nil {
			t.Fatal(err)
		}
		if err := s.store.Swap("KH", store.Swapping{
			Ready: func(_, _ *store.Origin) error { return nil },
			Fate:  func(*store.Origin, *protocol.SignedHeader) store.Fate { return store.Kept },
			Each:  func(store.Replacement) {},
		}); err != nil {
			t.Fatal(err)
		}
		s.settled()
		got := s.ids("ListRecords")
		slices.SortFunc(got, func(a, b string) int { return strings.Compare(strings.Trim(a, "-"), strings.Trim(b, "-")) })
		slices.SortFunc(want, func(a, b string) int { return strings.Compare(strings.Trim(a, "-"), strings.Trim(b, "-")) })
		s.want("after", want, got)
		checkRows(t, s)
	}
}

// A node that was restored from an older state says of what an epoch left behind that it is deleted: it may have been
// harvested before.
func TestVoidAfterRestore(t *testing.T) {
	s, before := newSite(t), newSite(t)
	for _, x := range []*site{s, before} {
		x.put("KH", "A", "A")
	}
	lost := []*protocol.Change{before.put("KH", "B", "B"), before.put("KH", "A", "A again")}
	s.settled()
	c := s.proven("KH")
	h, body, err := s.fed.Open(c, "loss", lost[1].Pos, lost)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.Update(func(tx *store.Tx) error {
		set := tx.Origin("KH")
		for _, ch := range lost {
			if err := set.AddVoided(&ch.SignedHeader); err != nil {
				return err
			}
		}
		if _, err := c.Author(set, replicatest.RecordSigner("KH"), h, body); err != nil {
			return err
		}
		return set.SetFrontier(c.Encode())
	}); err != nil {
		t.Fatal(err)
	}
	s.settled()
	s.want("after", []string{"-KH/B", "KH/A"}, s.ids("ListRecords"))
	s.want("again", []string{"-KH/B", "KH/A"}, s.ids("ListIdentifiers"))
}

// Run follows what it is told of, and ends cleanly.
func TestRun(t *testing.T) {
	s := newSite(t)
	s.put("KH", "A", "A")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.provider.Run(ctx); close(done) }()
	await := func(id protocol.ListingID) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
			_, _, ok, err := s.provider.DatestampOf(match.Ref{Origin: "KH", ID: id})
			if err != nil || time.Now().After(deadline) {
				t.Fatalf("%s is not in the chronicle: %v", id, err)
			}
			if ok {
				return
			}
		}
	}
	await("A")
	s.put("KH", "B", "B")
	s.provider.Changed("KH")
	await("B")
	cancel()
	<-done
}

// What a member that left had published is deleted, and a record again when it returns.
func TestMembersLeave(t *testing.T) {
	s := newSite(t)
	s.put("LA", "A", "A")
	s.put("KH", "B", "B")
	s.settled()
	s.members = []protocol.MemberID{"AB", "ABC", "KH"}
	if got := s.ask("verb", "GetRecord", "metadataPrefix", "oai_dc", "identifier", "oai:tmh.example.org:LA/A"); brief(got.Got[0].Head) != "-LA/A" {
		t.Errorf("at once: %+v", got.Got)
	}
	s.settled()
	s.restart()
	s.want("left", []string{"KH/B", "-LA/A"}, s.ids("ListRecords"))
	left := s.clock
	s.settled()
	s.want("not told twice", nil, s.ids("ListRecords", "from", stampOf(left)))
	s.members = append(s.members, "LA")
	s.settled()
	s.want("returned", []string{"LA/A"}, s.ids("ListRecords", "from", stampOf(left)))
	s.members = nil
	s.settled()
	s.members = []protocol.MemberID{"AB", "ABC", "KH", "LA"}
	s.want("nobody leaves where no member is known", []string{"KH/B", "LA/A"}, s.ids("ListRecords"))
}

// All that is left of a list may change before the next page is asked for: the page is not empty, and the list ends.
func TestRestOfAListMoves(t *testing.T) {
	s := newSite(t)
	for _, id := range []string{"A", "B", "C", "D"} {
		s.put("KH", id, id)
	}
	s.settled()
	for _, verb := range listVerbs() {
		first := s.ask("verb", verb, "metadataPrefix", "oai_dc")
		token := first.RecToken
		if token == nil {
			token = first.IDToken
		}
		if token == nil || token.Cursor != "0" {
			t.Fatalf("%+v", first)
		}
		for _, id := range []string{"A", "B", "C", "D"} {
			s.put("KH", id, verb+id)
		}
		s.settled()
		got := s.ask("verb", verb, "resumptionToken", token.Token)
		end := got.RecToken
		if end == nil {
			end = got.IDToken
		}
		if len(got.Records)+len(got.Headers) != 1 || end == nil || end.Token != "" || end.Cursor != "3" {
			t.Errorf("%+v", got)
		}
		s.want("what changed", []string{"KH/A", "KH/B", "KH/C", "KH/D"}, s.ids(verb, "from", first.Date))
	}
}

// A long page ends early, and nothing is left out by that.
func TestLongPages(t *testing.T) {
	s := newSite(t)
	cfg := s.config()
	cfg.PageSize = 1000
	cfg.Formats[0].Encode = func(_ protocol.MemberID, l *protocol.Listing) ([]byte, error) {
		return []byte(`<?xml version="1.0"?><dc xmlns="http://www.openarchives.org/OAI/2.0/oai_dc/"><dc:title xmlns:dc="http://purl.org/dc/elements/1.1/">` + strings.Repeat(string(l.ID), maxBody/3) + `</dc:title></dc>`), nil
	}
	var err error
	if s.provider, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	want := []string{}
	for _, id := range []string{"A", "B", "C", "D", "E", "F", "G"} {
		s.put("KH", id, id)
		want = append(want, "KH/"+id)
	}
	s.settled()
	first := s.ask("verb", "ListRecords", "metadataPrefix", "oai_dc")
	if len(first.Records) >= 7 {
		t.Errorf("a page of %d records", len(first.Records))
	}
	s.want("all", want, s.ids("ListRecords"))
	s.answers = nil // minimal metadata
}

// Parts of the usual size fit into a transaction of the smallest store, with the longest ids.
func TestFullParts(t *testing.T) {
	if testing.Short() {
		t.Skip("signs 3,000 listings")
	}
	s := newSite(t)
	s.provider.batch = batch
	signer := replicatest.RecordSigner("KH")
	var want []string
	for from := 0; from < 3000; from += 500 {
		if err := s.node("KH").Step(func(c *replica.Copy, set replicatest.Set) error {
			for n := from; n < from+500; n++ {
				id := fmt.Sprintf("%064d", n)
				want = append(want, "KH/"+id)
				if _, err := c.Author(set, signer, s.fed.Draft(protocol.Put, protocol.ListingID(id).Key()), listing(id, id).Encode()); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	s.provider.cfg.PageSize = 1000
	s.settled()
	s.want("all", want, s.ids("ListIdentifiers"))
	s.members = s.members[:1]
	s.settled()
	for i := range want {
		want[i] = "-" + want[i]
	}
	s.want("gone", want, s.ids("ListIdentifiers"))
}

func TestConfigFaults(t *testing.T) {
	s := newSite(t)
	cfg := s.config()
	cfg.Namespace, cfg.PageSize, cfg.Secret, cfg.Formats = "localhost", -1, []byte("short"), cfg.Formats[1:]
	_, err := New(cfg)
	for _, field := range []string{"oai.namespace", "oai.page_size", "oai.secret", "oai.formats"} {
		if !slices.ContainsFunc(protocol.All(err), func(e *protocol.Error) bool { return e.Field == field }) {
			t.Errorf("%s is not named: %v", field, err)
		}
	}
	cfg = s.config()
	cfg.Secret = nil
	for _, address := range []string{"", "help@localhost"} { // which an agency may have, and the node has to start
		cfg.AdminEmail = address
		if p, err := New(cfg); err != nil || p.cfg.AdminEmail != "postmaster@tmh.example.org" {
			t.Errorf("agency at %q: %v", address, err)
		}
	}
}
