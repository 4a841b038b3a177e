package interop

import (
	"iter"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

func site() Site {
	return Site{
		Member: "KH", MemberName: "Demonstration node of Cambodia", PublicURL: "https://kh.example.org", Namespace: "tmh.example.org",
		URL: func(origin protocol.MemberID) string {
			return map[protocol.MemberID]string{"TH": "https://th.example.org/"}[origin]
		},
		Now: func() time.Time { return time.Date(2026, 9, 20, 12, 0, 0, 0, time.UTC) },
	}
}

func date(y int, m time.Month, d int) protocol.Date {
	return protocol.DateOf(time.Date(y, m, d, 0, 0, 0, 0, time.UTC))
}

func entryOf(origin protocol.MemberID, l *protocol.Listing) exchange.Entry {
	return exchange.Entry{
		Ref: match.Ref{Origin: origin, ID: l.ID}, State: exchange.Current, Listing: l, Position: protocol.Position{Epoch: 1, Seq: 7},
		Header: protocol.Sum([]byte(l.ID)),
		Fresh:  exchange.Freshness{State: exchange.Proven, LastHeard: protocol.InstantOf(time.Date(2026, 9, 20, 11, 0, 0, 0, time.UTC))},
	}
}

// examples are four invented records: all fields; as few as may be; characters that break out of careless forms; withdrawn.
func examples() map[string]exchange.Entry {
	updated := protocol.InstantOf(time.Date(2026, 9, 14, 8, 30, 0, 0, time.UTC))
	full := &protocol.Listing{
		ID: "demo-full_1~a.b", Kind: protocol.TechnologyOffer, Country: "TH", Region: "TH-10",
		Texts: map[protocol.Lang]protocol.Text{
			"en": {Title: "Invented coating for bottles", Value: "Bottles that need no label", Abstract: "A coating that nobody has made.\nIt is invented for demonstration.", Keywords: []string{"coating", "bottles"}},
			"th": {Title: "สารเคลือบขวดสมมติ", Value: "ขวดที่ไม่ต้องมีฉลาก", Abstract: "สารเคลือบที่ยังไม่มีใครผลิต", Keywords: []string{"สารเคลือบ"}},
		},
		Organisation: protocol.Organisation{Name: "Demonstration University", Type: "university", Size: "large"},
		TRL:          6, IPR: []string{"patent-applied", "secret-know-how"}, Cooperation: []string{"licence", "research"},
		Seeks: protocol.Seeks{Types: []string{"sme", "large-company"}, Countries: []protocol.Country{"VN", "LA"}},
		FORD:  []string{"2.4", "2"}, ISIC: []string{"C10", "C"}, IPC: []string{"C12N", "B65", "C"}, SDG: []uint16{9, 12},
		Published: date(2026, 9, 1), ValidUntil: date(2027, 9, 1), URL: "https://uni.example.org/coating?a=1&b=2#top",
		Full: protocol.Sum([]byte("full")), FullRegistered: protocol.Sum([]byte("registered")), FullRestricted: protocol.Sum([]byte("restricted")),
		Demonstration: true, Updated: updated,
	}
	minimal := &protocol.Listing{
		ID: "demo-minimal", Kind: protocol.TechnologyRequest, Country: "KH", Demonstration: true,
		Texts: map[protocol.Lang]protocol.Text{"en": {Title: "Invented need"}}, Updated: updated,
	}
	odd := &protocol.Listing{
		ID: "demo-odd", Kind: protocol.Facility, Country: "VN", Demonstration: true, Updated: updated, Published: date(2026, 9, 2),
		Texts: map[protocol.Lang]protocol.Text{
			"en": {
				Title: `=1+1 </script><script>alert("1")</script> <!-- & ]]> 'x'`, Value: "\u2028line \U0001F9EA \"quoted\"",
				Abstract: "<b>bold</b> &amp; ]]> <![CDATA[ <?xml?>\n\n- list\n\u2029end\\", Keywords: []string{"<i>", "a & b", `"`},
			},
			"fil":     {Title: "مختبر تجريبي (عربي)", Abstract: "نص من اليمين إلى اليسار, 123"},
			"km":      {Title: "មន្ទីរពិសោធន៍\u200bសាកល្បង"},
			"zh-Hant": {Title: "示範設施，，;", Keywords: []string{"示範"}},
		},
		Organisation: protocol.Organisation{Name: `O'Neil & "Söhne" <gmbh>`, Type: "sme", Size: "micro"}, TRL: 1,
		Seeks: protocol.Seeks{Countries: []protocol.Country{"TH"}}, SDG: []uint16{17}, URL: "http://ex.example.org/ü|{}[1]?q=']]&%zz",
	}
	withdrawn := exchange.Entry{
		Ref: match.Ref{Origin: "TH", ID: "demo-gone"}, State: exchange.Withdrawn, Position: protocol.Position{Epoch: 1, Seq: 9},
		Header: protocol.Sum([]byte("gone")), Fresh: exchange.Freshness{State: exchange.Stale},
		Tombstone: &protocol.Tombstone{Reason: "superseded", ReplacedBy: "demo-full_1~a.b", At: updated, Kind: "TO", Country: "TH", Published: date(2026, 1, 5)},
	}
	return map[string]exchange.Entry{"full": entryOf("TH", full), "minimal": entryOf("KH", minimal), "odd": entryOf("VN", odd), "withdrawn": withdrawn}
}

func names() []string { return slices.Sorted(maps.Keys(examples())) }

func all(entries ...exchange.Entry) iter.Seq2[exchange.Entry, error] {
	return func(yield func(exchange.Entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func TestExamplesAreListings(t *testing.T) {
	for name, e := range examples() {
		if e.Listing == nil {
			if err := e.Tombstone.Validate(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err := e.Listing.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !e.Listing.Demonstration {
			t.Errorf("%s is not marked as invented", name)
		}
	}
}
