package protocol

import (
	"encoding/hex"
)

// A feedFile is a valid history and what copies of it do with messages. protocol/replica runs it.
type feedFile struct {
	About   string     `json:"about"`
	Origin  MemberID   `json:"origin"`
	Roster  string     `json:"roster"`
	Changes []feedStep `json:"changes"`
	Void    []string   `json:"void,omitempty"` // changes that an epoch left behind; they follow the base of the first epoch opened
	Refused []feedNext `json:"refused"`        // one change offered by gossip
	Pulls   []feedPull `json:"pulls"`          // a feed drawn from a holder
	Asked   []feedAsk  `json:"asked"`          // a request to a holder who applied all changes
}

type feedStep struct {
	About    string   `json:"about"`
	Position Position `json:"position"`
	Bytes    string   `json:"bytes"`
	Count    uint64   `json:"count"`
	Digest   Hash     `json:"state_digest"`
}

type feedNext struct {
	About   string `json:"about"`
	After   int    `json:"after"`                    // so many of the changes were applied before
	Void    int    `json:"void,omitempty"`           // and then so many of the void ones
	Erased  bool   `json:"headers_erased,omitempty"` // the receiver no longer retains the headers it applied
	Bytes   string `json:"bytes"`
	Refused Code   `json:"refused"`
}

type feedPull struct {
	About   string   `json:"about"`
	After   int      `json:"after"`
	Void    int      `json:"void,omitempty"`
	Head    string   `json:"head"` // a signed header
	Changes []string `json:"changes"`
	Refused Code     `json:"refused,omitempty"`
}

type feedAsk struct {
	About   string `json:"about"`
	Request string `json:"request"`
	Refused Code   `json:"refused,omitempty"` // absent where the feed may begin
}

// history authors changes as an origin does, with the least that this package offers: the reference for feed.json.
type history struct {
	signer  *Signer
	fed     Hash
	origin  MemberID
	set     SetHash
	records map[RecordKey]Element
	changes []*Change
	floor   uint64
}

func newHistory(fed Hash) *history {
	return &history{signer: recordKey("KH"), fed: fed, origin: "KH", records: make(map[RecordKey]Element)}
}

// add appends a change; tamper may falsify the header before it is signed.
func (h *history) add(kind ChangeKind, key RecordKey, body []byte, tamper ...func(*Header)) *Change {
	pos := Position{1, 1}
	if n := len(h.changes); n > 0 {
		pos = h.changes[n-1].Pos
		pos.Seq++
	}
	return h.addAt(pos, kind, key, body, tamper...)
}

func (h *history) addAt(pos Position, kind ChangeKind, key RecordKey, body []byte, tamper ...func(*Header)) *Change {
	head := Header{Federation: h.fed, Origin: h.origin, Key: h.signer.Public().ID(), CharterVersion: 1, Pos: pos,
		RecordKey: key, Kind: kind, BodyLen: uint64(len(body)), BodyHash: Sum(body), Floor: h.floor}
	if n := len(h.changes); n > 0 {
		head.Prev = h.changes[n-1].Raw
	}
	if old, ok := h.records[key]; ok {
		head.PrevSeq = old.Pos.Seq
		h.set.Remove(old)
	}
	h.records[key] = head.Element()
	h.set.Add(head.Element())
	for key, e := range h.records {
		if e.Kind == Withdraw && e.Pos.Seq <= h.floor {
			h.set.Remove(e)
			delete(h.records, key)
		}
	}
	head.Count, head.Digest = uint64(len(h.records)), h.set.Digest()
	for _, f := range tamper {
		f(&head)
	}
	c := rawChange(h.signer, head, body)
	h.changes = append(h.changes, c)
	return c
}

// open goes on in a new epoch from where the history stands.
func (h *history) open(pos, last Position, reason string, void []*Change, tamper ...func(*Opening)) *Change {
	o := Opening{Federation: h.fed, Origin: h.origin, Pos: pos, Base: Start, BaseDigest: h.set.Digest(), Reason: reason, Last: last,
		Voided: voidedBy(void), IssuedAt: corpusTime}
	if n := len(h.changes); n > 0 {
		o.Base, o.BaseHeader = h.changes[n-1].Pos, h.changes[n-1].Raw
	}
	for _, f := range tamper {
		f(&o)
	}
	return h.addAt(pos, OpenEpoch, EpochKey(pos.Epoch), openingBytes(governance("KH"), o))
}

// feed is what a holder of the history serves above a seq: the newest change of each record.
func (h *history) feed(above uint64) (out []*Change) {
	for _, c := range h.changes {
		if e, ok := h.records[c.RecordKey]; ok && e.Pos == c.Pos && c.Pos.Seq > above {
			out = append(out, c)
		}
	}
	return out
}

func (h *history) head() *Change { return h.changes[len(h.changes)-1] }

// rawChange signs a header as it stands, valid or not.
func rawChange(s *Signer, h Header, body []byte) *Change {
	c := &Change{Body: body}
	c.Header, c.raw = h, h.encode()
	c.Raw, c.sig = Sum(c.raw), s.sign(domainChange, c.raw)
	return c
}

func feedListing(id ListingID, title string) *Listing {
	return &Listing{ID: id, Kind: TechnologyOffer, Country: "KH", Texts: map[Lang]Text{"en": {Title: title}}, Demonstration: true, Updated: corpusTime}
}

var feedAbout = []string{
	"the first change", "a second listing", "a third listing", "the first listing is revised", "a listing in Khmer and English",
	"the second listing is withdrawn, and replaced by the first", "a statistical report", "the first listing is revised again",
	"the third listing is withdrawn", "the report is revised", "a fifth listing", "the listing in two languages is revised",
}

// authorFeed plays the first n changes of the feed.
func authorFeed(fed Hash, n int) *history {
	h := newHistory(fed)
	put := func(id ListingID, title string) { h.add(Put, id.Key(), feedListing(id, title).Encode()) }
	gone := func(id ListingID, t Tombstone) {
		t.At, t.Kind, t.Country = corpusTime+3600, TechnologyOffer, "KH"
		h.add(Withdraw, id.Key(), t.Encode())
	}
	bilingual := func(title string) {
		l := feedListing("rice-dryer", title)
		l.Texts["km"] = Text{Title: "ម៉ាស៊ីនសម្ងួតស្រូវ"}
		h.add(Put, l.ID.Key(), l.Encode())
	}
	steps := []func(){
		func() { put("water-filter", "Ceramic water filter") },
		func() { put("solar-pump", "Solar pump") },
		func() { put("fish-feed", "Fish feed from cassava leaves") },
		func() { put("water-filter", "Ceramic water filter with silver") },
		func() { bilingual("Rice dryer") },
		func() { gone("solar-pump", Tombstone{Reason: "duplicate", ReplacedBy: "water-filter"}) },
		func() { h.add(Put, "report/2026-09/r1", []byte("a report is opaque to replication")) },
		func() { put("water-filter", "Ceramic water filter with silver, certified") },
		func() { gone("fish-feed", Tombstone{Reason: "agreement"}) },
		func() { h.add(Put, "report/2026-09/r1", nil) },
		func() { put("husk-brick", "Bricks from rice husk ash") },
		func() { bilingual("Rice dryer for ten tonnes") },
	}
	for _, step := range steps[:n] {
		step()
	}
	return h
}

func theFeed(fed Hash) []*Change { return authorFeed(fed, len(feedAbout)).changes }

// buildFeeds gives the feeds by the names of their files.
func buildFeeds() map[string]feedFile {
	fed := theFederation().charters["charter-1"].Hash
	return map[string]feedFile{"feed.json": plainFeed(fed), "feed-floors.json": floorsFeed(fed), "feed-epochs.json": epochsFeed(fed),
		"feed-epoch-from-nothing.json": nothingFeed(fed)}
}

func feedSteps(about []string, changes []*Change) (out []feedStep) {
	for i, c := range changes {
		out = append(out, feedStep{about[i], c.Pos, hex.EncodeToString(c.Bytes()), c.Count, c.Digest})
	}
	return out
}

func plainFeed(fed Hash) feedFile {
	f := feedFile{About: "A valid history of Cambodia under its first record key, what a copy of it refuses by gossip, and pulls with their outcome.",
		Origin: "KH", Roster: "first", Changes: feedSteps(feedAbout, theFeed(fed)), Refused: feedRefusals(fed), Pulls: feedPulls(fed)}
	all := theFeed(fed)
	f.ask("", "from nothing", Position{}, Hash{})
	f.ask("", "from 1.4", all[3].Pos, all[3].Raw)
	f.ask("", "from the head", all[11].Pos, all[11].Raw)
	f.ask(CodeUnavailable, "from above what is held", Position{1, 13}, Hash{1})
	f.ask(CodeUnavailable, "from an epoch that is not known here", Position{2, 13}, Hash{1})
	f.ask(CodeFork, "from another header at 1.4", all[3].Pos, Hash{1})
	return f
}

func (f *feedFile) ask(code Code, about string, pos Position, header Hash) {
	r := Request{Kind: AskChanges, Origin: f.Origin, Proven: pos, Header: header, Cursor: pos}
	f.Asked = append(f.Asked, feedAsk{about, hex.EncodeToString(r.Encode()), code})
}

func (f *feedFile) refuse(after, void int, code Code, about string, c *Change) {
	f.Refused = append(f.Refused, feedNext{About: about, After: after, Void: void, Bytes: hex.EncodeToString(c.Bytes()), Refused: code})
}

func (f *feedFile) pull(after, void int, code Code, about string, head *Change, changes []*Change) {
	p := feedPull{About: about, After: after, Void: void, Head: hex.EncodeToString(head.SignedHeader.Bytes()), Refused: code, Changes: []string{}}
	for _, c := range changes {
		p.Changes = append(p.Changes, hex.EncodeToString(c.Bytes()))
	}
	f.Pulls = append(f.Pulls, p)
}

func feedRefusals(fed Hash) (out []feedNext) {
	all := theFeed(fed)
	refuse := func(after int, code Code, about string, c *Change) {
		out = append(out, feedNext{About: about, After: after, Erased: code == CodeChain, Bytes: hex.EncodeToString(c.Bytes()), Refused: code})
	}
	// next is a change that would follow the first six, falsified.
	next := func(tamper func(*Header)) *Change {
		return authorFeed(fed, 6).add(Put, "listing/husk-brick", feedListing("husk-brick", "Bricks").Encode(), tamper)
	}
	refuse(6, CodeReplayed, "the newest change comes again", all[5])
	refuse(6, CodeReplayed, "an old change comes again", all[1])
	refuse(6, CodeGap, "a change comes before the one it follows", all[7])
	refuse(0, CodeGap, "the history does not begin at its beginning", all[1])
	refuse(6, CodeChain, "prev_hash is not the hash of 1.6, and the header at 1.6 is no longer retained",
		next(func(h *Header) { h.Prev = Sum([]byte("another header")) }))
	refuse(6, CodePrevious, "prev_seq is absent though the record exists", authorFeed(fed, 6).add(Put, "listing/water-filter",
		feedListing("water-filter", "Filter").Encode(), func(h *Header) { h.PrevSeq = 0 }))
	refuse(6, CodePrevious, "prev_seq names an older change of the record", authorFeed(fed, 6).add(Put, "listing/water-filter",
		feedListing("water-filter", "Filter").Encode(), func(h *Header) { h.PrevSeq = 1 }))
	refuse(6, CodePrevious, "prev_seq names a change though the record is new", next(func(h *Header) { h.PrevSeq = 3 }))
	refuse(6, CodeCount, "count is one too high", next(func(h *Header) { h.Count++ }))
	refuse(6, CodeDigest, "state_digest is that of the set before", next(func(h *Header) { h.Digest = all[5].Digest }))
	refuse(6, CodeEpoch, "the change is of an epoch that was not opened", next(func(h *Header) { h.Pos.Epoch = 2 }))
	refuse(6, CodeFork, "another header is signed at a position already applied", authorFeed(fed, 4).add(Put, "listing/other", []byte("other")))
	branch := authorFeed(fed, 5)
	branch.add(Put, "listing/other", []byte("other"))
	refuse(6, CodeFork, "the next change follows another header than the one held at 1.6", branch.add(Put, "listing/more", []byte("more")))
	return out
}

func feedPulls(fed Hash) (out []feedPull) {
	all := theFeed(fed)
	header := func(c *Change) string { return hex.EncodeToString(c.SignedHeader.Bytes()) }
	pull := func(after int, code Code, about string, head *Change, seqs ...int) {
		p := feedPull{About: about, After: after, Head: header(head), Refused: code, Changes: []string{}}
		for _, n := range seqs {
			p.Changes = append(p.Changes, hex.EncodeToString(all[n-1].Bytes()))
		}
		out = append(out, p)
	}
	last := all[11]
	pull(0, "", "everything from nothing: the newest change of each record", last, 6, 8, 9, 10, 11, 12)
	pull(3, "", "what came after 1.3", last, 6, 8, 9, 10, 11, 12)
	pull(8, "", "what came after 1.8", last, 9, 10, 11, 12)
	pull(4, "", "a holder that is itself at 1.8", all[7], 5, 6, 7, 8)
	pull(8, "", "a feed with changes that gossip brought meanwhile", last, 6, 8, 9, 10, 11, 12)
	pull(0, CodeUnprovenFinal, "a withdrawal was withheld", last, 8, 9, 10, 11, 12)
	pull(3, CodeUnprovenFinal, "a revision was withheld", last, 6, 9, 10, 11, 12)
	pull(3, CodeUnprovenFinal, "an empty feed under a head that is further", last)
	pull(3, CodeHolder, "the changes are not in order", last, 8, 6, 9, 10, 11, 12)
	pull(3, CodeHolder, "a change is above the head under which it is served", all[7], 6, 8, 9)
	pull(8, CodeReplayed, "the head is not above what is proven", all[7])
	false1 := authorFeed(fed, 6)
	wrong := false1.add(Put, "listing/water-filter", []byte("x"), func(h *Header) { h.PrevSeq = 1 })
	out = append(out, feedPull{About: "prev_seq differs from the record proven at 1.6", After: 6, Head: header(wrong), Changes: []string{hex.EncodeToString(wrong.Bytes())}, Refused: CodePrevious})
	other := authorFeed(fed, 5)
	other.add(Put, "listing/other", []byte("other"))
	fork := other.add(Put, "listing/more", []byte("more"))
	out = append(out, feedPull{About: "the change after the proven head follows another header", After: 6, Head: header(fork), Changes: []string{hex.EncodeToString(fork.Bytes())}, Refused: CodeFork})
	return out
}
