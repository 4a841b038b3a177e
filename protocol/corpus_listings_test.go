package protocol

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

func buildListings(c *corpus) {
	bad := func(name, about string, code Code, change func(*Listing)) {
		l := fullListing()
		change(l)
		c.invalid(name, "listing", about, l.Encode(), nil, code)
	}
	en := func(change func(*Text)) func(*Listing) {
		return func(l *Listing) { t := l.Texts["en"]; change(&t); l.Texts["en"] = t }
	}
	bad("id-absent", "The id is absent.", CodeValue, func(l *Listing) { l.ID = "" })
	bad("id-slash", "An id has no slash.", CodeValue, func(l *Listing) { l.ID = "a/b" })
	bad("id-dots", "An id is not two dots.", CodeValue, func(l *Listing) { l.ID = ".." })
	bad("id-long", "An id has at most 64 characters.", CodeTooLarge, func(l *Listing) { l.ID = ListingID(strings.Repeat("a", 65)) })
	bad("kind-absent", "The kind is absent.", CodeValue, func(l *Listing) { l.Kind = "" })
	bad("country-absent", "The country is absent.", CodeValue, func(l *Listing) { l.Country, l.Region = "", "" })
	bad("country-form", "A country has capital letters.", CodeValue, func(l *Listing) { l.Country, l.Region = "th", "" })
	bad("country-long", "A country has two letters.", CodeTooLarge, func(l *Listing) { l.Country, l.Region = "THA", "" })
	bad("region-other", "The region is of another country.", CodeValue, func(l *Listing) { l.Region = "KH-1" })
	bad("region-empty", "A region has a part after the hyphen.", CodeValue, func(l *Listing) { l.Region = "TH-" })
	bad("region-form", "A region has capital letters and digits.", CodeValue, func(l *Listing) { l.Region = "TH-a" })
	bad("region-long", "A region has at most three characters after the hyphen.", CodeTooLarge, func(l *Listing) { l.Region = "TH-5000" })
	bad("texts-absent", "There is no text.", CodeRequired, func(l *Listing) { l.Texts = nil })
	bad("texts-14", "There are at most 13 languages.", CodeTooLarge, func(l *Listing) {
		for i := range MaxLanguages {
			l.Texts[Lang(fmt.Sprintf("q%c", 'a'+i))] = Text{Title: "t"}
		}
	})
	bad("language-absent", "A text names no language.", CodeRequired, func(l *Listing) { l.Texts[""] = Text{Title: "t"} })
	bad("language-form", "A language tag begins with small letters.", CodeValue, func(l *Listing) { l.Texts["TH"] = Text{Title: "t"} })
	bad("language-long", "A language tag has at most 20 characters.", CodeTooLarge, func(l *Listing) { l.Texts["th-aaaaaaaa-bbbbbbbb-c"] = Text{Title: "t"} })
	bad("title-absent", "A text has no title.", CodeRequired, en(func(t *Text) { t.Title = "" }))
	bad("title-blank", "A title is blank.", CodeRequired, en(func(t *Text) { t.Title = " \u3000" }))
	bad("title-long", "A title has at most 255 characters.", CodeTooLarge, en(func(t *Text) { t.Title = strings.Repeat("稻", 256) }))
	bad("title-two-lines", "A title has one line.", CodeText, en(func(t *Text) { t.Title = "a\nb" }))
	bad("title-not-utf8", "A title is not UTF-8.", CodeText, en(func(t *Text) { t.Title = "a\xff" }))
	bad("title-direction", "A title turns the direction of writing (U+202E).", CodeText, en(func(t *Text) { t.Title = "a\u202eb" }))
	bad("title-isolate", "A title has a directional isolate (U+2066).", CodeText, en(func(t *Text) { t.Title = "a\u2066b" }))
	bad("title-bom", "A title has a byte order mark (U+FEFF).", CodeText, en(func(t *Text) { t.Title = "\ufeffa" }))
	bad("title-noncharacter", "A title has U+FFFE.", CodeText, en(func(t *Text) { t.Title = "a\ufffe" }))
	bad("value-long", "A value statement has at most 200 characters.", CodeTooLarge, en(func(t *Text) { t.Value = strings.Repeat("v", 201) }))
	bad("value-control", "A value statement has a control character.", CodeText, en(func(t *Text) { t.Value = "a\x7fb" }))
	bad("abstract-long", "An abstract has at most 2,000 characters.", CodeTooLarge, en(func(t *Text) { t.Abstract = strings.Repeat("a", 2001) }))
	bad("abstract-control", "An abstract has no control character but the line feed.", CodeText, en(func(t *Text) { t.Abstract = "a\r\nb" }))
	bad("keywords-11", "A text has at most ten keywords.", CodeTooLarge, en(func(t *Text) { t.Keywords = slices.Repeat([]string{"k"}, 11) }))
	bad("keyword-empty", "A keyword is empty.", CodeRequired, en(func(t *Text) { t.Keywords = []string{""} }))
	bad("keyword-long", "A keyword has at most 80 characters.", CodeTooLarge, en(func(t *Text) { t.Keywords = []string{strings.Repeat("k", 81)} }))
	bad("keyword-not-utf8", "A keyword is not UTF-8.", CodeText, en(func(t *Text) { t.Keywords = []string{"\xff"} }))
	bad("organisation-long", "An organisation's name has at most 200 characters.", CodeTooLarge, func(l *Listing) { l.Organisation.Name = strings.Repeat("o", 201) })
	bad("organisation-control", "An organisation's name has a control character.", CodeText, func(l *Listing) { l.Organisation.Name = "a\tb" })
	bad("organisation-type", "An organisation's type is no code.", CodeValue, func(l *Listing) { l.Organisation.Type = "Research" })
	bad("organisation-size", "An organisation's size is no code.", CodeValue, func(l *Listing) { l.Organisation.Size = "very large" })
	bad("trl-10", "A TRL is at most 9.", CodeValue, func(l *Listing) { l.TRL = 10 })
	bad("url-form", "The address is neither http nor https.", CodeValue, func(l *Listing) { l.URL = "javascript:alert(1)" })
	bad("url-host", "The address has no host.", CodeValue, func(l *Listing) { l.URL = "https:///x" })
	bad("url-quote", "An address has no quotation mark.", CodeValue, func(l *Listing) { l.URL = "https://a/\"" })
	bad("url-long", "An address has at most 512 bytes.", CodeTooLarge, func(l *Listing) { l.URL = "https://" + strings.Repeat("a", 505) })
	bad("published-year-10000", "The day of publication is after the year 9999.", CodeValue, func(l *Listing) { l.Published, l.ValidUntil = maxDate+1, 0 })
	bad("valid-year-10000", "The last valid day is after the year 9999.", CodeValue, func(l *Listing) { l.ValidUntil = maxDate + 1 })
	bad("valid-before-published", "The last valid day is before the day of publication.", CodeValue, func(l *Listing) { l.ValidUntil = l.Published - 1 })
	bad("updated-year-10000", "Updated is after the year 9999.", CodeValue, func(l *Listing) { l.Updated = maxInstant + 1 })
	buildCodes(c, bad)
	buildListingShapes(c)
	buildTombstones(c)
}

func buildCodes(c *corpus, bad func(string, string, Code, func(*Listing))) {
	lists := []struct {
		name, bad string
		list      func(*Listing) *[]string
	}{
		{"ipr", "Patent", func(l *Listing) *[]string { return &l.IPR }},
		{"cooperation", "joint venture", func(l *Listing) *[]string { return &l.Cooperation }},
		{"seeks-types", strings.Repeat("a", 41), func(l *Listing) *[]string { return &l.Seeks.Types }},
		{"ford", "7", func(l *Listing) *[]string { return &l.FORD }},
		{"isic", "V", func(l *Listing) *[]string { return &l.ISIC }},
		{"ipc", "C12n", func(l *Listing) *[]string { return &l.IPC }},
	}
	for _, x := range lists {
		bad(x.name+"-form", "A code is not well formed.", CodeValue, func(l *Listing) { *x.list(l) = []string{x.bad} })
		bad(x.name+"-empty", "A code is empty.", CodeValue, func(l *Listing) { *x.list(l) = []string{""} })
		bad(x.name+"-twice", "A code stands twice.", CodeRepeated, func(l *Listing) { *x.list(l) = append(*x.list(l), (*x.list(l))[0]) })
		bad(x.name+"-17", "A list has at most 16 codes.", CodeTooLarge, func(l *Listing) { *x.list(l) = slices.Repeat([]string{"1"}, 17) })
	}
	for _, s := range []string{"2.", "2.0", "2.01", "2.111", "2.1x", "22"} {
		bad("ford-"+strings.ReplaceAll(s, ".", "-"), "FORD code "+s+" is not well formed.", CodeValue, func(l *Listing) { l.FORD = []string{s} })
	}
	for _, s := range []string{"C1", "C100", "10"} {
		bad("isic-"+s, "ISIC code "+s+" is not well formed.", CodeValue, func(l *Listing) { l.ISIC = []string{s} })
	}
	for _, s := range []string{"I01", "C1", "C12NN"} {
		bad("ipc-"+s, "IPC code "+s+" is not well formed.", CodeValue, func(l *Listing) { l.IPC = []string{s} })
	}
	bad("seeks-countries-form", "A country has two capital letters.", CodeValue, func(l *Listing) { l.Seeks.Countries = []Country{"kh"} })
	bad("seeks-countries-twice", "A country stands twice.", CodeRepeated, func(l *Listing) { l.Seeks.Countries = []Country{"KH", "KH"} })
	bad("sdg-18", "There are 17 SDGs.", CodeValue, func(l *Listing) { l.SDG = []uint16{18} })
	bad("sdg-twice", "A goal stands twice.", CodeRepeated, func(l *Listing) { l.SDG = []uint16{2, 2} })
}

func buildListingShapes(c *corpus) {
	shape := func(name, about string, code Code, b ...[]byte) {
		c.invalid(name, "listing", about, slices.Concat(b...), nil, code)
	}
	head := slices.Concat(field(1, []byte("solar-pump")), number(2, 1), field(3, []byte("KH")))
	text := func(lang, title string) []byte {
		return field(5, slices.Concat(field(1, []byte(lang)), field(2, []byte(title))))
	}
	en := text("en", "Solar pump")
	shape("kind-7", "Kind 7 is none.", CodeValue, field(1, []byte("solar-pump")), number(2, 7), field(3, []byte("KH")), en)
	shape("languages-descend", "Languages do not ascend.", CodeOrder, head, text("th", "t"), en)
	shape("language-twice", "A language stands twice.", CodeOrder, head, en, en)
	shape("text-empty", "A text is empty.", CodeRequired, head, field(5, nil), en)
	shape("organisation-empty", "An empty organisation is written out.", CodeZero, head, en, field(6, nil))
	shape("organisation-twice", "The organisation stands twice.", CodeRepeated, head, en, field(6, field(1, []byte("a"))), field(6, field(1, []byte("a"))))
	shape("organisation-large", "The organisation is over 1,024 bytes.", CodeTooLarge, head, en, field(6, field(4, make([]byte, 1024))))
	shape("trl-257", "TRL 257 is not TRL 1.", CodeValue, head, en, number(7, 257))
	shape("sdg-zero", "A goal of zero is written out.", CodeZero, head, en, number(15, 0))
	shape("sdg-258", "Goal 258 is not goal 2.", CodeValue, head, en, number(15, 258))
	shape("sdg-17", "A list has at most 16 goals.", CodeTooLarge, head, en, slices.Repeat(number(15, 1), 17))
	shape("sdg-large", "A goal is over 2^53-1.", CodeTooLarge, head, en, number(15, 1<<63))
	shape("published-large", "A day that is not one of 32 bits.", CodeValue, head, en, number(16, 1<<32+1))
	shape("demonstration-2", "Demonstration is absent or 1.", CodeValue, head, en, number(20, 2))
	shape("full-registered-zero", "An absent hash is written out.", CodeZero, head, en, field(22, make([]byte, 32)))
	shape("full-restricted-short", "A hash has 32 bytes.", CodeLength, head, en, field(23, make([]byte, 31)))
	shape("full-restricted-number", "A hash is no number.", CodeWireType, head, en, number(23, 1))
	shape("later-descend", "Fields of later versions ascend too.", CodeOrder, head, en, number(25, 1), number(24, 1))
	shape("later-zero", "Fields of later versions are not written out when zero.", CodeZero, head, en, number(24, 0))
	shape("later-fixed", "Fields of later versions are numbers and bytes too.", CodeWireType, head, en, tag(24, 5), make([]byte, 4))
	shape("known-after-later", "A known field stands after one of a later version.", CodeOrder, head, en, number(24, 1), number(21, 1))
	shape("too-large", "A body is over 16,384 bytes.", CodeTooLarge, head, en, field(24, make([]byte, MaxBody)))
	shape("empty", "A body of no bytes is no listing.", CodeValue)
}

func buildTombstones(c *corpus) {
	bad := func(name, about string, code Code, t Tombstone) {
		c.invalid(name, "tombstone", about, t.Encode(), nil, code)
	}
	bad("reason-absent", "The reason is absent.", CodeValue, Tombstone{})
	bad("reason-unknown", "The reason is none of the list.", CodeValue, Tombstone{Reason: "because"})
	bad("reason-long", "A reason has at most 40 bytes.", CodeTooLarge, Tombstone{Reason: strings.Repeat("r", 41)})
	bad("replaced-by-form", "The listing to look at instead is no listing id.", CodeValue, Tombstone{Reason: "other", ReplacedBy: "a b"})
	bad("country-form", "The country is not well formed.", CodeValue, Tombstone{Reason: "other", Country: "K1"})
	bad("at-year-10000", "The time is after the year 9999.", CodeValue, Tombstone{Reason: "other", At: maxInstant + 1})
	bad("published-year-10000", "The day of publication is after the year 9999.", CodeValue, Tombstone{Reason: "other", Published: maxDate + 1})
	reason := Tombstone{Reason: "other"}.Encode()
	shape := func(name, about string, code Code, b ...[]byte) {
		c.invalid(name, "tombstone", about, slices.Concat(b...), nil, code)
	}
	shape("kind-7", "Kind 7 is none.", CodeValue, reason, number(4, 7))
	shape("published-large", "A day that is not one of 32 bits.", CodeValue, reason, number(6, 1<<32+1))
	shape("reason-twice", "The reason stands twice.", CodeRepeated, reason, reason)
	shape("too-large", "A body is over 16,384 bytes.", CodeTooLarge, reason, field(7, make([]byte, MaxBody)))
}

func buildMessages(c *corpus) {
	bad := func(typ, name, about string, code Code, b ...[]byte) {
		c.invalid(name, typ, about, slices.Concat(b...), nil, code)
	}
	origin, claim := field(2, []byte("KH")), (&Claim{Origin: "KH"}).encode()
	bad("request", "kind-absent", "The kind is absent.", CodeValue, origin)
	bad("request", "kind-7", "Kind 7 is none.", CodeValue, number(1, 7))
	bad("request", "origin-absent", "A request for changes names an origin.", CodeValue, number(1, 2))
	bad("request", "origin-form", "The origin is no member id.", CodeValue, number(1, 2), field(2, []byte("kh")))
	bad("request", "origin-of-vector", "A request for a vector names no origin.", CodeValue, number(1, 1), origin)
	bad("request", "origin-of-heads", "A request for heads names no origin.", CodeValue, number(1, 3), origin)
	bad("request", "origin-absent-own", "A request for the own catalogue names it.", CodeValue, number(1, 4))
	bad("request", "origin-absent-buckets", "A request for buckets names an origin.", CodeValue, number(1, 5))
	bad("request", "origin-absent-forks", "A request for evidence names an origin.", CodeValue, number(1, 6))
	all := field(9, bytes.Repeat([]byte{0xff}, 32))
	bad("request", "buckets-of-vector", "Buckets are of a request for changes.", CodeValue, number(1, 1), all)
	bad("request", "buckets-of-own", "Buckets are of a request for changes.", CodeValue, number(1, 4), origin, all)
	bad("request", "buckets-above-proven", "Buckets are of a feed from its beginning.", CodeValue, number(1, 2), origin, number(3, 1), number(4, 3), field(5, make32(1)), all, number(10, 3))
	bad("request", "above-proven", "The end of the buckets is of a feed from its beginning.", CodeValue, number(1, 2), origin, number(3, 1), number(4, 3), field(5, make32(1)), number(10, 3))
	bad("request", "above-alone", "Buckets and their end are both there or neither.", CodeValue, number(1, 2), origin, number(10, 3))
	bad("request", "buckets-alone", "Buckets and their end are both there or neither.", CodeValue, number(1, 2), origin, all)
	bad("request", "buckets-short", "A set of buckets has 32 bytes.", CodeLength, number(1, 2), origin, field(9, make([]byte, 31)))
	bad("request", "buckets-twice", "There is one set of buckets.", CodeRepeated, number(1, 2), origin, all, all)
	bad("request", "above-large", "The end of the buckets is over 2^53-1.", CodeTooLarge, number(1, 2), origin, number(10, MaxNumber+1))
	bad("request", "claim-forked-2", "Forked is absent or 1.", CodeValue, number(1, 1), field(8, append(slices.Clone(claim), number(6, 2)...)))
	bad("request", "claim-origin", "A claim names no origin.", CodeValue, number(1, 1), field(8, number(2, 1)))
	bad("request", "claim-empty", "A claim is empty.", CodeValue, number(1, 1), field(8, nil))
	bad("request", "claim-large", "A claim is over 256 bytes.", CodeTooLarge, number(1, 1), field(8, append(slices.Clone(claim), field(6, make([]byte, 256))...)))
	bad("answer", "last-2", "Last is absent or 1.", CodeValue, number(4, 2))
	bad("answer", "refused-long", "A code has at most 40 bytes.", CodeTooLarge, field(1, []byte(strings.Repeat("c", 41))))
	bad("answer", "head-large", "A signed header has at most 1,152 bytes.", CodeTooLarge, field(2, make([]byte, MaxHeader+129)))
	bad("answer", "changes-1025", "A batch has at most 1,024 changes.", CodeTooLarge, slices.Repeat(field(3, nil), 1025))
	bad("answer", "forks-17", "An answer has at most 16 pieces of evidence.", CodeTooLarge, slices.Repeat(field(6, nil), 17))
	bad("answer", "buckets-one", "There are 256 digests of buckets or none.", CodeLength, field(7, make([]byte, 32)))
	bad("answer", "buckets-33-bytes", "Digests of buckets have 32 bytes each.", CodeLength, field(7, make([]byte, 33)))
	bad("answer", "buckets-257", "There are 256 digests of buckets.", CodeTooLarge, field(7, make([]byte, 257*32)))
	bad("answer", "buckets-empty", "Absent buckets are written out.", CodeZero, field(7, nil))
	bad("answer", "heads-257", "An answer has at most 256 heads.", CodeTooLarge, slices.Repeat(field(5, nil), 257))
	bad("answer", "claims-257", "A vector has at most 256 claims.", CodeTooLarge, slices.Repeat(field(8, claim), 257))
	bad("gossip", "empty", "A message without changes says nothing.", CodeRequired)
	bad("gossip", "change-bad", "One of the changes is malformed.", CodeRequired, field(1, nil))
	bad("gossip", "unknown-field", "A message has no field 2.", CodeUnknown, field(1, theFeed(Hash{1})[0].Bytes()), number(2, 1))
	bad("papers", "charter-bad", "A charter is malformed.", CodeRequired, field(1, nil))
	bad("papers", "card-bad", "A card is malformed.", CodeRequired, field(2, nil))
	bad("papers", "descending", "A charter stands after a card.", CodeOrder, field(2, theFederation().cards["LA-1"].Bytes()), field(1, theFederation().charters["charter-1"].Bytes()))
}

func make32(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }
