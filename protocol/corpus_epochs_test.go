package protocol

import (
	"encoding/hex"
	"slices"
)

var floorsAbout = []string{
	"the first change", "a second listing", "the second listing is withdrawn", "a third listing", "the first listing is withdrawn",
	"floor 3: the withdrawal at 1.3 leaves the set", "floor 4: there is nothing to forget up to there",
	"the record of the forgotten withdrawal comes again, as a new one", "the third listing is withdrawn",
	"floor 6, and the change replaces the withdrawal at 1.5, which the floor covers", "floor 9: the withdrawal at 1.9 leaves the set",
}

// authorFloors plays the first n changes of feed-floors.json.
func authorFloors(fed Hash, n int) *history {
	h := newHistory(fed)
	put := func(floor uint64, id ListingID, title string) func() {
		return func() { h.floor = max(h.floor, floor); h.add(Put, id.Key(), feedListing(id, title).Encode()) }
	}
	gone := func(id ListingID) func() {
		return func() { h.add(Withdraw, id.Key(), Tombstone{Reason: "agreement", At: corpusTime}.Encode()) }
	}
	for _, step := range []func(){
		put(0, "water-filter", "Ceramic water filter"), put(0, "solar-pump", "Solar pump"), gone("solar-pump"),
		put(0, "fish-feed", "Fish feed"), gone("water-filter"),
		put(3, "husk-brick", "Bricks"), put(4, "rice-dryer", "Rice dryer"), put(4, "solar-pump", "Another pump"), gone("fish-feed"),
		put(6, "water-filter", "Another filter"), put(9, "husk-brick", "Bricks, certified"),
	}[:n] {
		step()
	}
	return h
}

func floorsFeed(fed Hash) feedFile {
	at := func(n int) *history { return authorFloors(fed, n) }
	end := at(len(floorsAbout))
	all := end.changes
	f := feedFile{About: "A history in which the floor rises, so that withdrawals leave the set.", Origin: "KH", Roster: "first",
		Changes: feedSteps(floorsAbout, all)}

	// raised is a change after the first five which raises the floor to 3, falsified.
	raised := func(tamper ...func(*Header)) *Change {
		h := at(5)
		h.floor = 3
		return h.add(Put, "listing/husk-brick", feedListing("husk-brick", "Bricks").Encode(), tamper...)
	}
	kept := at(5).add(Put, "listing/husk-brick", feedListing("husk-brick", "Bricks").Encode())
	f.refuse(5, 0, CodeCount, "floor 3, but count still holds the withdrawal at 1.3", raised(func(h *Header) { h.Count++ }))
	f.refuse(5, 0, CodeDigest, "floor 3, but state_digest still holds the withdrawal at 1.3", raised(func(h *Header) { h.Digest = kept.Digest }))
	f.refuse(5, 0, CodeCount, "the withdrawal at 1.3 left the set, but floor is absent", raised(func(h *Header) { h.Floor = 0 }))
	back := at(7)
	back.floor = 3
	lower := back.add(Put, "listing/solar-pump", []byte("x"))
	f.refuse(7, 0, CodeFloor, "floor goes back from 4 to 3", lower)
	f.refuse(7, 0, CodePrevious, "prev_seq names the withdrawal at 1.3, which is forgotten",
		at(7).add(Put, "listing/solar-pump", []byte("x"), func(h *Header) { h.PrevSeq = 3 }))

	f.pull(0, 0, "", "everything from nothing: of what was forgotten, nothing", end.head(), end.feed(0))
	f.pull(9, 0, "", "the withdrawal at 1.9 is held, and forgotten at the end of the feed", end.head(), end.feed(9))
	f.pull(10, 0, "", "one change", end.head(), end.feed(10))
	f.pull(5, 0, "", "the floor that the feed ends with is below what is proven", at(7).head(), at(7).feed(5))
	f.pull(4, 0, "", "the record of a withdrawal that is held, and that the floor covers, comes again", at(8).head(), at(8).feed(4))
	f.pull(3, 0, "", "the newest change held is a withdrawal that the floor covers", at(6).head(), at(6).feed(3))
	f.pull(0, 0, "", "the holder still sends the withdrawal at 1.9, which its floor covers", end.head(),
		slices.Insert(end.feed(0), 2, all[8]))
	f.pull(2, 0, CodeRestart, "the withdrawal at 1.3 may have been missed: floor 4 is above 1.2", at(7).head(), at(7).feed(2))
	f.pull(8, 0, CodeRestart, "the withdrawal at 1.9 was missed: floor 9 is above 1.8", end.head(), end.feed(8))
	f.pull(7, 0, CodeFloor, "floor goes back from 4 to 3", lower, []*Change{lower})
	f.pull(0, 0, CodeUnprovenFinal, "a withdrawal above the floor was withheld", at(9).head(), slices.DeleteFunc(at(9).feed(0), func(c *Change) bool { return c.Pos.Seq == 5 }))
	f.pull(0, 0, CodeUnprovenFinal, "a record below the floor that was not withdrawn was withheld", end.head(), slices.DeleteFunc(end.feed(0), func(c *Change) bool { return c.Pos.Seq == 7 }))

	f.ask("", "from nothing", Position{}, Hash{})
	f.ask("", "from the floor", all[8].Pos, all[8].Raw)
	f.ask("", "from above the floor", all[9].Pos, all[9].Raw)
	f.ask(CodeRestart, "from below the floor", all[7].Pos, all[7].Raw)
	f.ask(CodeFork, "from another header above the floor", all[9].Pos, Hash{1})
	f.ask(CodeFork, "from another header below the floor", all[7].Pos, Hash{1})
	return f
}

var epochsAbout = append(slices.Clone(feedAbout[:8]), "epoch 2 is opened: what follows 1.8 is void, and 1.12 is the last seq that was used",
	"a fifth listing, signed anew", "the third listing is withdrawn, and floor 6 forgets the withdrawal at 1.6",
	"epoch 3 is opened: 2.16 was signed, but nobody holds it", "the report is revised")

// authorEpochs plays the first n changes of feed-epochs.json; epoch may change what opens epoch 2.
func authorEpochs(fed Hash, n int, epoch ...func(*Opening)) *history {
	h := authorFeed(fed, min(n, 8))
	steps := []func(){
		func() { h.open(Position{2, 13}, Position{1, 12}, "fork", theFeed(fed)[8:], epoch...) },
		func() { h.add(Put, "listing/husk-brick", feedListing("husk-brick", "Bricks").Encode()) },
		func() {
			h.floor = 6
			h.add(Withdraw, "listing/fish-feed", Tombstone{Reason: "agreement", At: corpusTime}.Encode())
		},
		func() { h.open(Position{3, 17}, Position{2, 16}, "key", nil) },
		func() { h.add(Put, "report/2026-09/r1", []byte("revised")) },
	}
	for _, step := range steps[:max(n, 8)-8] {
		step()
	}
	return h
}

func epochsFeed(fed Hash) feedFile {
	at := func(n int) *history { return authorEpochs(fed, n) }
	end := at(len(epochsAbout))
	all := end.changes
	void := theFeed(fed)[8:]
	f := feedFile{About: "A history in which epoch 2 goes on from 1.8 and voids what followed, and epoch 3 goes on from the end of epoch 2.",
		Origin: "KH", Roster: "first", Changes: feedSteps(epochsAbout, all)}
	for _, c := range void {
		f.Void = append(f.Void, hex.EncodeToString(c.Bytes()))
	}

	opening := all[8]
	f.refuse(7, 0, CodeEpoch, "epoch 2 goes on from 1.8, and 1.7 is held", opening)
	f.refuse(8, 2, CodeEpoch, "epoch 2 goes on from 1.8, and what it voids is held", opening)
	f.refuse(8, 0, CodeEpoch, "epoch 2 goes on from another digest than the one held", authorEpochs(fed, 9, func(o *Opening) { o.BaseDigest = Hash{1} }).head())
	twin := authorFeed(fed, 8)
	twin.changes[7] = rawChange(twin.signer, with(twin.changes[7].Header, func(h *Header) { h.CharterVersion++ }), nil)
	f.refuse(8, 0, CodeEpoch, "epoch 2 goes on from another header at 1.8 than the one held", twin.open(Position{2, 13}, Position{1, 12}, "fork", nil))
	f.refuse(8, 0, CodeEpoch, "a change of epoch 2 comes before the one that opens it", all[9])
	f.refuse(8, 0, CodeEpoch, "epoch 3 goes on from 2.15, and 1.8 is held", all[11])
	f.refuse(9, 0, CodeReplayed, "the change that opens the epoch comes again", opening)
	f.refuse(9, 0, CodeReplayed, "a void change comes after the epoch was opened", void[0])
	other := authorFeed(fed, 7)
	f.refuse(9, 0, CodeReplayed, "another header is signed in an epoch that is over: that is settled", other.add(Put, "listing/other", nil))
	f.refuse(9, 0, CodeGap, "a change comes before the one it follows", all[10])
	f.refuse(9, 0, CodeFork, "two headers open epoch 2", authorEpochs(fed, 9, func(o *Opening) { o.Reason = "loss" }).head())
	branch := authorEpochs(fed, 9, func(o *Opening) { o.Reason = "loss" })
	f.refuse(9, 0, CodeFork, "the next change follows another opening than the one held", branch.add(Put, "listing/husk-brick", nil))

	f.pull(0, 0, "", "everything from nothing", end.head(), end.feed(0))
	f.pull(6, 0, "", "from below the base, across two epochs", end.head(), end.feed(6))
	f.pull(8, 0, "", "from the base", end.head(), end.feed(8))
	f.pull(8, 0, "", "the head is the change that opens the epoch", opening, at(9).feed(8))
	f.pull(10, 0, "", "from the middle of epoch 2", end.head(), end.feed(14))
	f.pull(11, 0, "", "from the end of epoch 2, though 2.16 is missing", end.head(), end.feed(15))
	f.pull(9, 0, "", "a feed that begins with another header of an epoch that is over: that is settled", end.head(),
		slices.Concat([]*Change{other.head()}, end.feed(13)))
	f.pull(9, 0, CodeReplayed, "the head is of an epoch that is over", void[3], void)
	f.pull(8, 2, CodePrevious, "void changes are held, so that prev_seq differs: this copy must begin anew", end.head(), end.feed(10))
	f.pull(8, 1, CodeUnprovenFinal, "a void change is held, so that the digest differs: this copy must begin anew", at(10).head(), at(10).feed(9))
	f.pull(8, 0, CodeUnprovenFinal, "the change that opens epoch 2 was withheld", at(10).head(), at(10).feed(13))
	f.pull(8, 0, CodeHolder, "a change is of a later epoch than the head", at(11).head(), slices.Concat(at(11).feed(8), []*Change{all[11]}))
	f.pull(8, 0, CodeHolder, "a change of epoch 2 has a seq of epoch 1", at(10).head(), []*Change{void[0], authorFeed(fed, 8).addAt(Position{2, 9}, Put, "listing/other", nil)})
	early := authorFeed(fed, 8)
	early.open(Position{2, 11}, Position{1, 10}, "loss", nil)
	f.pull(8, 4, CodeRestart, "the epoch begins at a seq that is held already: what it did not know is void", early.head(), early.feed(8))
	stolen := authorFeed(fed, 8)
	c := stolen.addAt(Position{2, 13}, Put, "listing/other", nil)
	f.pull(8, 0, CodeEpoch, "the head is of an epoch that nobody opened: a record key alone does not", c, []*Change{c})

	f.ask("", "from nothing", Position{}, Hash{})
	f.ask("", "from 1.7, which led to epoch 3", all[6].Pos, all[6].Raw)
	f.ask("", "from the base of epoch 2", all[7].Pos, all[7].Raw)
	f.ask("", "from the change that opened epoch 2", opening.Pos, opening.Raw)
	f.ask("", "from the base of epoch 3", all[10].Pos, all[10].Raw)
	f.ask(CodeRestart, "from below the floor", all[4].Pos, all[4].Raw)
	f.ask(CodeRestart, "from a void change", void[1].Pos, void[1].Raw)
	f.ask(CodeRestart, "from another header at the base of epoch 2", all[7].Pos, Hash{1})
	f.ask(CodeRestart, "from a change of epoch 2 that epoch 3 left behind", Position{2, 16}, Hash{1})
	f.ask(CodeFork, "from another header in epoch 3", all[12].Pos, Hash{1})
	f.ask(CodeUnavailable, "from an epoch that is not known here", Position{4, 20}, Hash{1})
	return f
}

// nothingFeed begins with an epoch: its origin lost everything that feed.json holds.
func nothingFeed(fed Hash) feedFile {
	void := theFeed(fed)
	author := func(n int) *history {
		h := newHistory(fed)
		h.open(Position{2, 13}, Position{1, 12}, "loss", nil)
		for _, id := range []ListingID{"husk-brick", "rice-dryer"}[:n-1] {
			h.add(Put, id.Key(), feedListing(id, "Published again").Encode())
		}
		return h
	}
	end := author(3)
	f := feedFile{About: "A history that begins with epoch 2: nothing of epoch 1 was left.", Origin: "KH", Roster: "first",
		Changes: feedSteps([]string{"epoch 2 is opened from nothing", "a listing", "a second listing"}, end.changes)}
	for _, c := range void {
		f.Void = append(f.Void, hex.EncodeToString(c.Bytes()))
	}
	f.refuse(0, 12, CodeEpoch, "epoch 2 goes on from nothing, and 1.12 is held", end.changes[0])
	f.refuse(1, 0, CodeReplayed, "a change of epoch 1 comes late", void[0])
	f.refuse(0, 0, CodeEpoch, "a change of epoch 2 comes before the one that opens it", end.changes[1])
	f.pull(0, 0, "", "everything from nothing", end.head(), end.feed(0))
	f.pull(1, 0, "", "from the change that opened the epoch", end.head(), end.feed(13))
	f.pull(0, 12, CodePrevious, "what the epoch left behind is held, a record of the same key too: this copy must begin anew", end.head(), end.feed(0))
	f.pull(0, 0, CodeUnprovenFinal, "the change that opens the epoch was withheld", end.head(), end.feed(13))
	f.ask("", "from nothing", Position{}, Hash{})
	f.ask("", "from the change that opened the epoch", end.changes[0].Pos, end.changes[0].Raw)
	f.ask(CodeRestart, "from the end of what was lost", void[11].Pos, void[11].Raw)
	f.ask(CodeRestart, "from the beginning of what was lost", void[0].Pos, void[0].Raw)
	return f
}
