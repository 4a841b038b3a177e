package ui_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui"
)

var now = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

// desk stands in for the node: it answers what a test put into it.
type desk struct {
	entries []exchange.Entry
	members []exchange.MemberState
	details map[protocol.MemberID]exchange.MemberDetail
	figures stats.Report
	health  exchange.Health
	answer  exchange.MatchAnswer
	next    match.Ref
	broken  error
	query   match.Query
}

func (d *desk) Entry(ref match.Ref) (exchange.Entry, error) {
	for _, e := range d.entries {
		if e.Ref == ref {
			return e, d.broken
		}
	}
	return exchange.Entry{}, protocol.Errorf(protocol.CodeNotFound, "", "nothing there")
}

func (d *desk) Entries(match.Filter, match.Ref, int) (exchange.Page, error) {
	return exchange.Page{Entries: d.entries, Next: d.next}, d.broken
}

func (d *desk) Match(_ context.Context, q match.Query) (exchange.MatchAnswer, error) {
	d.query = q
	if !q.All {
		return d.answer, d.broken
	}
	a := exchange.MatchAnswer{Total: d.answer.Total, Listed: d.answer.Total, Facets: d.answer.Facets, Indexing: d.health.Indexing}
	for _, e := range d.entries {
		if e.Listing != nil {
			a.Hits = append(a.Hits, exchange.Hit{Entry: e})
		}
	}
	if d.next != (match.Ref{}) {
		a.Next = "on"
	}
	if q.After != "" {
		a.Place, a.Prev = 20, "back"
	}
	return a, d.broken
}

func (d *desk) Counterparts(_ context.Context, ref match.Ref, _ match.Filter, _, _ int) (exchange.MatchAnswer, error) {
	d.query.Self = ref
	return d.answer, d.broken
}
func (d *desk) Members() []exchange.MemberState { return d.members }
func (d *desk) Member(id protocol.MemberID) (exchange.MemberDetail, error) {
	for _, m := range d.members {
		if m.ID == id {
			detail := d.details[id]
			detail.MemberState = m
			return detail, d.broken
		}
	}
	return exchange.MemberDetail{}, protocol.Errorf(protocol.CodeNotFound, "", "no such member")
}
func (d *desk) Figures() stats.Report   { return d.figures }
func (d *desk) Health() exchange.Health { return d.health }

func pages(d *desk) http.Handler { return pagesOf(d) }

func pagesOf(d ui.Desk) http.Handler {
	return ui.New(ui.Config{
		Desk: d, Name: "Cambodia", Demonstration: true, Version: "0.1", Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	})
}

func day(s string) (d protocol.Date) {
	if err := d.UnmarshalText([]byte(s)); err != nil {
		panic(err)
	}
	return d
}

func since(d time.Duration) protocol.Instant { return protocol.InstantOf(now.Add(-d)) }

const khmer = "ម៉ាស៊ីនសម្ងួតត្រីដោយថាមពលព្រះអាទិត្យសម្រាប់សហគមន៍នេសាទជុំវិញបឹងទន្លេសាប"

const khmerDrying = "សម្ងួតត្រី"

func entry(origin protocol.MemberID, id protocol.ListingID, state exchange.CopyState, l protocol.Listing) exchange.Entry {
	l.ID = id
	return exchange.Entry{
		Ref: match.Ref{Origin: origin, ID: id}, State: exchange.Current, Listing: &l, Position: protocol.Position{Epoch: 1, Seq: 4711},
		Header: protocol.Sum([]byte(id)),
		Fresh:  exchange.Freshness{State: state, LastHeard: since(3 * time.Minute), LeaseUntil: since(-24 * time.Hour), Connected: true},
	}
}

func samples() []exchange.Entry {
	dryer := entry("KH", "TO-KH-20260114-001", exchange.Own, protocol.Listing{
		Kind: protocol.TechnologyOffer, Country: "KH", Region: "KH-12", TRL: 7, Demonstration: true,
		Texts: map[protocol.Lang]protocol.Text{
			"en": {
				Title: "Solar tunnel dryer for freshwater fish with a biomass back-up",
				Value: "Dries 200 kg of fish in 14 hours, also in the rainy season",
				Abstract: "A polycarbonate tunnel with two fans driven by a 300 W panel keeps 55 °C; a rice-husk burner takes over when clouds come. " +
					"Moisture falls from 72 to 15% in 14 hours, against three days on mats, and losses to flies vanish.\nFour units run in Kampong Chhnang.",
				Keywords: []string{"solar drying", "fish", "rice husk", "food safety"},
			},
			"km": {Title: khmer, Abstract: khmer + " " + khmer, Keywords: []string{"សម្ងួតត្រី", "ថាមពលព្រះអាទិត្យ"}},
		},
		Organisation: protocol.Organisation{Name: "Demo Institute of Food Technology", Type: "research-institute", Size: "medium"},
		IPR:          []string{"utility-model"}, Cooperation: []string{"licence", "technical"},
		Seeks: protocol.Seeks{Types: []string{"sme", "ngo"}, Countries: []protocol.Country{"LA", "MM", "TH"}},
		FORD:  []string{"2.11", "4.1"}, ISIC: []string{"C10"}, IPC: []string{"F26B", "A23"}, SDG: []uint16{2, 7},
		Published: day("2026-01-14"), ValidUntil: day("2027-01-14"), URL: "https://example.org/dryer", Full: protocol.Sum([]byte(`{"a":1}`)), Updated: since(time.Hour),
	})
	thai := entry("TH", "TR-TH-7", exchange.Proven, protocol.Listing{
		Kind: protocol.TechnologyRequest, Country: "TH", TRL: 6,
		Texts: map[protocol.Lang]protocol.Text{"th": {
			Title:    "ต้องการเครื่องอบแห้งปลาพลังงานแสงอาทิตย์สำหรับวิสาหกิจชุมชน",
			Abstract: "วิสาหกิจชุมชนริมทะเลสาบสงขลาผลิตปลาแห้งปีละสี่สิบตันและสูญเสียผลผลิตหนึ่งในสามในฤดูฝนจึงมองหาเครื่องอบแห้งที่ทำงานได้ทั้งกลางวันและกลางคืนโดยใช้แกลบเป็นเชื้อเพลิงสำรองและทำความสะอาดได้ง่ายตามมาตรฐานอาหารปลอดภัยทั้งนี้ต้องซ่อมบำรุงได้เองในพื้นที่และมีราคาไม่เกินสามแสนบาทต่อเครื่องพร้อมการอบรมผู้ใช้งานอย่างน้อยสองครั้งต่อปี",
		}},
		Organisation: protocol.Organisation{Type: "sme"}, Published: day("2026-10-01"),
	})
	burmese := entry("MM", "RD-MM-3", exchange.Stale, protocol.Listing{
		Kind: protocol.ResearchPartner, Country: "MM", Published: day("2026-05-01"), ValidUntil: day("2026-11-01"),
		Texts: map[protocol.Lang]protocol.Text{"my": {Title: "နေရောင်ခြည်စွမ်းအင်သုံး ငါးအခြောက်ခံစက် သုတေသနလုပ်ဖော်ကိုင်ဖက် ရှာဖွေခြင်း", Value: "ရေချိုငါးများကို သန့်ရှင်းစွာ အခြောက်ခံရန် နည်းပညာ"}},
	})
	burmese.State, burmese.Fresh.LastHeard, burmese.Fresh.Connected = exchange.Expired, since(75*time.Hour), false
	hostile := entry("LA", "EX-LA-1", exchange.CatchingUp, protocol.Listing{
		Kind: protocol.Expertise, Country: "LA",
		Texts: map[protocol.Lang]protocol.Text{"en": {Title: `<script>alert("x")</script> & 'Smoke" onmouseover=y`, Value: "</p><img src=x>"}},
		URL:   "https://example.org/?a=1&b=2",
	})
	broken := exchange.Entry{
		Ref: match.Ref{Origin: "VN", ID: "TO-VN-9"}, State: exchange.Unusable, Reason: "texts: a listing has a title in at least one language",
		Fresh: exchange.Freshness{State: exchange.Disputed},
	}
	gone := exchange.Entry{
		Ref: match.Ref{Origin: "VN", ID: "TO-VN-8"}, State: exchange.Withdrawn, Fresh: exchange.Freshness{State: exchange.Proven},
		Tombstone: &protocol.Tombstone{Reason: "agreement", At: since(48 * time.Hour), ReplacedBy: "TO-VN-9"},
	}
	held := gone
	held.Ref.ID, held.Tombstone = "TO-VN-7", &protocol.Tombstone{Reason: protocol.OnHold, At: since(48 * time.Hour)}
	return []exchange.Entry{dryer, thai, burmese, hostile, broken, gone, held}
}

func signed(seq uint64, kind string, key protocol.RecordKey, lang protocol.Lang, title string) exchange.SignedChange {
	return exchange.SignedChange{Position: protocol.Position{Epoch: 1, Seq: seq}, Kind: kind, Key: key, Lang: lang, Title: title, Header: protocol.Sum([]byte(key))}
}

func full() *desk {
	d := &desk{entries: samples(), next: match.Ref{Origin: "VN", ID: "TO-VN-9"}}
	why := match.Explanation{Sentence: "Strong match: shares “fish” and “" + khmerDrying + "” (drying, here “drying”); both are in FORD 2.11.", Parts: []match.Part{
		{Kind: match.PartTerm, Term: "fish", Fields: []string{"title", "abstract"}, Weight: 4.125},
		{Kind: match.PartTerm, Term: khmerDrying, Means: "drying", Found: "dryer", Fields: []string{"title"}, Weight: 2.5},
		{Kind: match.PartBigram, Term: "solar drying", Fields: []string{"keywords"}, Weight: 1.25},
		{Kind: match.PartCode, Term: "FORD 2.11", Level: 2, Weight: .5},
		{Kind: match.PartCode, Term: "IPC F26B", Level: 3, Weight: .25},
		{Kind: match.PartCode, Term: "SDG 7", Level: 1, Weight: .0625},
		{Kind: match.PartTopic, Term: khmerDrying, Means: "drying", Found: "moisture", Fields: []string{"abstract"}, Weight: .125},
		{Kind: match.PartTopic, Weight: .0625},
		{Kind: match.PartExpansion, Term: "biomass", Fields: []string{"title"}, Weight: .0625},
		{Kind: match.PartExpansion, Term: "husk", Weight: .015625},
		{Kind: match.PartExpansion, Term: "ម៉ាស៊ីន", Means: "machine", Weight: .015625},
		{Kind: match.PartExpansion, Term: "a", Weight: .015625},
		{Kind: match.PartExpansion, Term: "b", Weight: .0078125},
		{Kind: match.PartExpansion, Term: "b", Weight: .00390625},
		{Kind: match.PartExpansion, Term: "c", Weight: .00390625},
		{Kind: match.PartFit, Term: "readiness", Weight: .125},
		{Kind: match.PartStale, Weight: -1.25},
		{Kind: match.PartOther, Weight: .375},
	}}
	verdicts := []match.Verdict{match.Strong, match.Fair, match.Weak, match.Weak}
	for i, e := range d.entries[:4] {
		d.answer.Hits = append(d.answer.Hits, exchange.Hit{Entry: e, Score: 8.25, Strength: .5, Verdict: verdicts[i], Explanation: why})
	}
	dryer := &d.answer.Hits[0]
	dryer.Same = []exchange.Same{{Ref: match.Ref{Origin: "TH", ID: "TO-TH-1"}, Lang: "th", Title: "เครื่องอบแห้ง"}}
	dryer.Highlights = map[protocol.Lang]match.Marked{"en": {
		Title:    []match.Piece{{Text: "Solar tunnel "}, {Text: "dryer", Hit: true}, {Text: " for freshwater "}, {Text: "fish", Hit: true}, {Text: " with a biomass back-up"}},
		Value:    []match.Piece{{Text: "A promise. "}},
		Abstract: []match.Piece{{Text: strings.Repeat("Before it come many words. ", 20)}, {Text: "Drying", Hit: true}, {Text: strings.Repeat(" and so on", 60)}},
	}}
	d.answer.Next, d.answer.Verdict, d.answer.Languages, d.answer.Meant = "bmV4dA", match.Strong, []string{"id", "ms"}, "solar "+khmerDrying
	d.answer.Facets = &match.Facets{
		Kinds:     []match.FacetCount{{Value: "TO", Count: 1200}, {Value: "TR", Count: 34}},
		Countries: []match.FacetCount{{Value: "KH", Count: 1100}, {Value: "LA", Count: 134}},
		FORD:      []match.FacetCount{{Value: "2", Count: 900}}, TRL: []match.FacetCount{{Value: "7", Count: 80}},
		Languages: []match.FacetCount{{Value: "km", Count: 12}},
	}
	d.answer.Total, d.answer.Listed, d.answer.Ranker, d.answer.Indexing = 1234, 951, match.Digest{0xab, 0xcd}, .25
	d.answer.Counts = match.Counts{Cut: 234, Folded: 1, Weak: 50, Near: 2}
	names := []string{"Cambodia", "Thailand", "Myanmar", "Lao People's Democratic Republic", "Viet Nam", "Secretariat"}
	states := []exchange.CopyState{exchange.Own, exchange.Proven, exchange.Stale, exchange.CatchingUp, exchange.Disputed, exchange.Unheard}
	for i, id := range []protocol.MemberID{"KH", "TH", "MM", "LA", "VN", "SEC"} {
		m := exchange.MemberState{
			ID: id, Name: names[i], Country: protocol.Country(id), Role: "member", Self: i == 0, Connected: i%2 == 1, State: states[i],
			Position: protocol.Position{Epoch: 1, Seq: uint64(12000 + i)}, Claimed: protocol.Position{Epoch: 1, Seq: 12003}, Digest: protocol.Sum([]byte(id)),
			Records: 12000, Listings: 11000 - 1900*i, LastHeard: since(time.Duration(i*i*i) * 20 * time.Minute), LeaseUntil: since(time.Duration(i-2) * time.Hour), URL: "https://example.org/" + string(id),
		}
		if id == "SEC" {
			m = exchange.MemberState{ID: id, Name: names[i], Role: "secretariat", State: exchange.Unheard, Why: "nothing was ever received"}
		}
		m.Proven = i == 1 || i == 2 || i == 4
		switch i {
		case 1:
			m.Acknowledged = protocol.Position{Epoch: 1, Seq: 12000}
		case 2:
			m.Damage, m.Staging = "listing/x: digest", &exchange.Staging{Drawn: protocol.Position{Epoch: 1, Seq: 400}, Mends: true}
		case 3:
			m.Why, m.Unusable, m.Lag = "412 changes still to come", 2, 412
			m.Acknowledged = protocol.Position{Epoch: 1, Seq: 11990}
		}
		d.members = append(d.members, m)
	}
	d.answer.Behind = d.members[2:4]
	d.details = map[protocol.MemberID]exchange.MemberDetail{"LA": {Unacknowledged: 10}, "VN": {
		Forks: []exchange.Fork{
			{One: signed(9, "put", "listing/TO-VN-1", "en", "Brick kiln"), Other: signed(9, "withdraw", "listing/TO-VN-8", "", "")},
			{One: signed(7, "put", "listing/TO-VN-7", "my", "ငါးအခြောက်ခံစက်"), Other: signed(8, "put", "listing/TO-VN-9", "", ""), Over: true},
		},
		Faults: []exchange.MemberFault{{Code: "signature", Count: 3}, {Code: "gossip-rate", Count: 12000}, {Code: "gossip-varint", Count: 1}},
	}, "TH": {Epochs: []exchange.Epoch{{
		Position: protocol.Position{Epoch: 2, Seq: 15}, Base: protocol.Position{Epoch: 1, Seq: 9}, Last: protocol.Position{Epoch: 1, Seq: 14},
		Reason: "fork", Note: "Two machines <ran> at once.", OpenedAt: since(30 * time.Hour), Void: []exchange.SignedChange{signed(10, "put", "listing/TO-TH-1", "th", "เครื่องอบแห้งพลังงานแสงอาทิตย์")},
	}}}}
	d.figures = stats.Report{
		Listings: 38210, ByMember: map[string]int{"KH": 11000, "TH": 9100, "MM": 7200, "LA": 5300, "VN": 3400}, ByCountry: map[string]int{"KH": 11000, "TH": 9100, "JP": 3},
		ByKind: map[string]int{"TO": 15000, "TR": 9000, "RD": 6000, "EX": 4000, "FC": 3000, "FN": 1210},
		ByFORD: map[string]int{"1": 4000, "2": 12000, "3": 5000, "4": 14000, "5": 1500, "6": 300, "": 3410}, ByTRL: map[string]int{"": 9000, "4": 6000, "7": 12000, "9": 2000},
		ByLang: map[string]int{"en": 30000, "km": 8000, "th": 7000, "my": 2000},
	}
	stock := 20000
	for i := range 40 {
		m := stats.Month{Month: now.AddDate(0, i-39, -5).Format("2006-01"), Published: 300 + i*i, Withdrawn: 100 + (i*37)%90}
		stock += m.Published - m.Withdrawn
		m.Stock = stock
		d.figures.Months = append(d.figures.Months, m)
	}
	d.health = exchange.Health{Ready: true, Faults: []string{"The disk is nearly full: free at least 2 GB."}, Warnings: []string{"Started with --alone."}}
	return d
}
