package protocol

import (
	"slices"
	"strings"
)

func buildValid(c *corpus) {
	fed := theFederation()
	feed := theFeed(fed.charters["charter-1"].Hash)
	c.valid("put", "change", "The first change of feed.json, verified under the first roster.", feed[0].Bytes(), underFirst)
	c.valid("withdraw", "change", "A withdrawal; its body is a tombstone.", feed[5].Bytes(), underFirst)
	c.valid("empty-body", "change", "A body may be empty: field 3 and body_len are then absent.", feed[9].Bytes(), underFirst)
	c.valid("closed-key", "change", "A key whose range is closed still verifies what it signed within it.", feed[3].Bytes(), underRotated)
	c.valid("sealed", "change", "The header at the end of a closed range is the one that the card seals.", feed[11].Bytes(), underRotated)
	c.valid("largest-body", "change", "A body of 16,384 bytes.", rawChange(recordKey("KH"), plainHeader(1, make([]byte, MaxBody)), make([]byte, MaxBody)).Bytes(), underFirst)
	c.valid("alone", "header", "A header without its body verifies alone.", feed[4].SignedHeader.Bytes(), underFirst)
	c.valid("second-key", "header", "The first position of the second key.", rawChange(recordKey("KH second"), plainHeader(13, nil, bySecond), nil).SignedHeader.Bytes(), underRotated)
	h := plainHeader(MaxNumber, nil)
	c.valid("largest-numbers", "header", "Seq, count and prev_seq as large as they may be.",
		rawChange(recordKey("KH"), with(h, func(h *Header) {
			h.Count, h.PrevSeq, h.RecordKey = MaxNumber, MaxNumber-1, RecordKey(strings.Repeat("~", MaxRecordKey))
		}), nil).SignedHeader.Bytes(), underFirst)
	c.valid("floor", "header", "Floor may be as high as one below seq.", rawChange(recordKey("KH"), with(h, func(h *Header) { h.Floor = MaxNumber - 1 }), nil).SignedHeader.Bytes(), underFirst)
	c.valid("epoch", "header", "A change that opens epoch 2, without its body.", epochChange(recordKey("KH"), plainOpening(nil), governance("KH")).SignedHeader.Bytes(), underFirst)
	validOpenings(c)
	validEvidence(c)

	c.valid("published", "head", "A head statement at 1.12.", headBytes(recordKey("KH"), plainHead(nil)), underFirst)
	c.valid("nothing-yet", "head", "A member that published nothing states seq 0 and no head hash.",
		headBytes(recordKey("LA"), plainHead(func(h *Head) { h.Origin, h.Pos.Seq, h.Header, h.Key = "LA", 0, Hash{}, recordKey("LA").Public().ID() })), underFirst)
	c.valid("sealed", "head", "A head statement by the closed key at its sealed position.", headBytes(recordKey("KH"), plainHead(nil)), underRotated)

	none, one, two := "", "charter-1", "charter-2"
	c.valid("first", "charter", "Charter 1, signed by three of four members.", fed.charters["charter-1"].Bytes(), &corpusContext{Follows: &none})
	c.valid("second", "charter", "Charter 2 admits a member; over half of both charters signed.", fed.charters["charter-2"].Bytes(), &corpusContext{Follows: &one})
	c.valid("third", "charter", "Charter 3 gives a member another governance key.", fed.charters["charter-3"].Bytes(), &corpusContext{Follows: &two})
	c.valid("more-signatures", "charter", "Signatures of strangers, and invalid ones, are carried and not counted.",
		withSignatures(signCharter(charter1(), "KH", "LA", "TH", "stranger"), "SEC").Bytes(), &corpusContext{Follows: &none})
	c.valid("unsigned", "charter", "A charter without signatures decodes: it is on its way to be signed.", signCharter(charter1()).Bytes(), nil)
	for _, name := range []string{"KH-1", "KH-2", "LA-1"} {
		c.valid(strings.ToLower(name), "card", "A card of federation.json.", fed.cards[name].Bytes(), &corpusContext{Charter: "charter-1"})
	}
	for _, name := range []string{"KH-3", "VN-1"} {
		c.valid(strings.ToLower(name), "card", "A card of federation.json.", fed.cards[name].Bytes(), &corpusContext{Charter: "charter-3"})
	}
	c.valid("newer", "card", "A newer card takes the place of the one held.", fed.cards["KH-2"].Bytes(), underFirst)
	validListings(c)
	validParts(c)
	validMessages(c)
}

// with copies h and changes the copy.
func with(h Header, change func(*Header)) Header {
	change(&h)
	return h
}

func bySecond(h *Header) { h.Key = recordKey("KH second").Public().ID() }

func validListings(c *corpus) {
	c.valid("least", "listing", "All that a listing must have: id, kind, country, a title.", leastListing().Encode(), nil)
	full := fullListing()
	c.valid("full", "listing", "Every field.", full.Encode(), nil)
	c.valid("later-fields", "listing", "Fields above 23, and above the known ones of nested messages, are passed over: a later version may have added them.",
		laterListing(), nil)
	c.valid("full", "tombstone", "Every field.", Tombstone{"duplicate", "water-filter", corpusTime, TechnologyOffer, "KH", 20000}.Encode(), nil)
	c.valid("least", "tombstone", "A reason is enough.", Tombstone{Reason: "other"}.Encode(), nil)
	c.valid("later-fields", "tombstone", "Fields above 6 are passed over.", append(Tombstone{Reason: "other"}.Encode(), number(7, 1)...), nil)
}

func laterListing() []byte {
	text := slices.Concat(field(1, []byte("en")), field(2, []byte("Solar pump")), field(6, []byte("new")))
	org := slices.Concat(field(1, []byte("Institute")), number(4, 1<<60))
	return slices.Concat(field(1, []byte("solar-pump")), number(2, 1), field(3, []byte("KH")), field(5, text), field(6, org),
		number(24, 1<<60), field(24, nil), field(1000, []byte("new")))
}

func leastListing() *Listing {
	return &Listing{ID: "solar-pump", Kind: TechnologyOffer, Country: "KH", Texts: map[Lang]Text{"en": {Title: "Solar pump"}}}
}

func fullListing() *Listing {
	return &Listing{ID: "A-Z_a.z~09", Kind: FundingCall, Country: "TH", Region: "TH-50",
		Texts: map[Lang]Text{
			"en":      {Title: "Rice dryer", Value: "Dries a tonne an hour", Abstract: "First line.\nSecond line.", Keywords: []string{"rice", "drying"}},
			"th":      {Title: "เครื่องอบข้าว"},
			"zh-Hant": {Title: strings.Repeat("稻", MaxTitle)},
		},
		Organisation: Organisation{Name: "Institute of Rice", Type: "research", Size: "large"}, TRL: 9,
		IPR: []string{"patent-granted"}, Cooperation: []string{"licence", "joint-venture"},
		Seeks: Seeks{Types: []string{"company"}, Countries: []Country{"KH", "LA"}},
		FORD:  []string{"2", "2.11", "4.1"}, ISIC: []string{"A", "C10"}, IPC: []string{"F", "F26", "F26B"}, SDG: []uint16{2, 12, 17},
		Published: 20696, ValidUntil: maxDate, URL: "https://tmh.example/l/1?a=b", Full: Sum([]byte("full")), Demonstration: true, Updated: corpusTime,
		FullRegistered: Sum([]byte("registered")), FullRestricted: Sum([]byte("restricted"))}
}

func validMessages(c *corpus) {
	fed := theFederation()
	feed := theFeed(fed.charters["charter-1"].Hash)
	claims := []Claim{{"KH", Position{1, 12}, feed[11].Raw, 1788220900, true}, {"LA", Position{1, 0}, Hash{}, 0, false}}
	request := func(name, about string, r Request) { c.valid(name, "request", about, r.Encode(), nil) }
	request("vector", "What do you hold? With the asker's own vector.", Request{Kind: AskVector, Vector: claims})
	request("heads", "The newest head statements.", Request{Kind: AskHeads})
	request("changes", "The feed of Cambodia above 1.3, continued after 1.8.", Request{Kind: AskChanges, Origin: "KH", Proven: Position{1, 3}, Header: feed[2].Raw, Cursor: Position{1, 8}})
	request("changes-from-nothing", "The feed from its beginning.", Request{Kind: AskChanges, Origin: "KH", Proven: Start, Cursor: Start})
	var some BucketSet
	for _, n := range []byte{0, 1, 200, 255} {
		some.Add(n)
	}
	request("changes-in-buckets", "The feed from its beginning; up to seq 12 only the records in buckets 0, 1, 200 and 255.",
		Request{Kind: AskChanges, Origin: "KH", Proven: Start, Cursor: Position{1, 3}, Buckets: &some, Above: 12})
	request("changes-in-no-bucket", "No bucket is wanted: 32 zero bytes are no absent hash, and are written out.",
		Request{Kind: AskChanges, Origin: "KH", Proven: Start, Buckets: new(BucketSet), Above: 12})
	request("own", "What do you hold of my own catalogue above 1.3?", Request{Kind: AskOwn, Origin: "KH", Proven: Position{1, 3}, Header: feed[2].Raw, Cursor: Position{1, 3}})
	request("own-from-nothing", "Everything that you hold of my own catalogue.", Request{Kind: AskOwn, Origin: "KH"})
	request("buckets", "The digests of the buckets of Cambodia's set.", Request{Kind: AskBuckets, Origin: "KH"})
	request("forks", "The evidence against Cambodia.", Request{Kind: AskForks, Origin: "KH"})
	answer := func(name, about string, a Answer) { c.valid(name, "answer", about, a.Encode(), nil) }
	answer("batch", "A batch that is not the last.", Answer{Head: feed[11].SignedHeader.Bytes(), Changes: [][]byte{feed[8].Bytes(), feed[9].Bytes()}})
	answer("last", "The end of a feed.", Answer{Head: feed[11].SignedHeader.Bytes(), Changes: [][]byte{feed[11].Bytes()}, Last: true})
	answer("fork", "Refused, with the other header.", Answer{Refused: CodeFork, Head: feed[2].SignedHeader.Bytes()})
	answer("heads", "Head statements.", Answer{Heads: [][]byte{headBytes(recordKey("KH"), plainHead(nil))}, Last: true})
	answer("vector", "A vector.", Answer{Vector: claims, Last: true})
	answer("restart", "Refused: the feed must be drawn from its beginning.", Answer{Refused: CodeRestart})
	answer("own", "Of the asker's own catalogue: proven head, newest head statement, and changes.",
		Answer{Head: feed[11].SignedHeader.Bytes(), Changes: [][]byte{feed[10].Bytes(), feed[11].Bytes()}, Last: true, Heads: [][]byte{headBytes(recordKey("KH"), plainHead(nil))}})
	e := corpusEvidence()
	answer("forks", "Evidence of a fork.", Answer{Forks: [][]byte{e["position"].Encode(), e["following"].Encode()}, Last: true})
	var sets [Buckets]SetHash
	for _, x := range authorFeed(fed.charters["charter-1"].Hash, 12).records {
		sets[BucketOf(x.Key)].Add(x)
	}
	digests := make([]Hash, Buckets)
	for i := range sets {
		digests[i] = sets[i].Digest()
	}
	answer("buckets", "The digests of the 256 buckets at the end of feed.json; most are empty.", Answer{Head: feed[11].SignedHeader.Bytes(), Last: true, Buckets: digests})
	answer("empty", "An answer of no bytes: no batch, and not the last.", Answer{})
	c.valid("two", "gossip", "Two changes in one message.", EncodeGossip(feed[:2]), nil)
	p := Papers{Charters: []*SignedCharter{fed.charters["charter-1"], fed.charters["charter-2"]}, Cards: []*SignedCard{fed.cards["KH-2"], fed.cards["LA-1"]}}
	c.valid("chain", "papers", "Two charters and two cards.", p.Encode(), nil)
	c.valid("empty", "papers", "A node that has nothing newer answers with no bytes.", nil, nil)
}
