package protocol

import (
	"bytes"
	"fmt"
	"slices"
)

func validParts(c *corpus) {
	least := &Part{Listing: "solar-pump", Level: LevelPublic, Salt: Salt(Sum([]byte("least"))), Record: Record{Stage: "Runs."}}
	c.valid("least", "part", "One section of one listing.", least.encode(), nil)
	c.valid("full", "part", "Every section, with every field.", plainPart(nil).encode(), nil)
	c.valid("restricted", "part", "The restricted part has the audience with it.", plainPart(func(p *Part) {
		p.Level, p.Record = LevelRestricted, Record{Contact: fullRecord().Contact, Audience: Audience{[]string{"sme", "start-up"}, []Country{"KH", "TH"}}}
	}).encode(), nil)
	c.valid("invited", "part", "A record by invitation has one part.", plainPart(func(p *Part) { p.Level = LevelInvited }).encode(), nil)
	c.valid("nothing", "part", "A part may show nothing that this version knows.", (&Part{Listing: "a", Level: LevelPublic, Salt: Salt{1}}).encode(), nil)
	c.valid("later-fields", "part", "Fields above 18, and above the known ones of nested messages, are passed over: a later version may have added them.",
		slices.Concat(least.encode(), field(9, slices.Concat(field(2, []byte("1 USD")), number(6, 1))), field(18, slices.Concat(number(1, 1), field(3, []byte("new")))), number(19, 1), field(19, nil)), nil)
}

// plainPart is the public part of the full record, with a salt that is the same in every run.
func plainPart(change func(p *Part)) *Part {
	p := &Part{Listing: "solar-pump", Level: LevelPublic, Salt: Salt(Sum([]byte("plain"))), Record: *fullRecord()}
	if change != nil {
		change(p)
	}
	return p
}

func buildParts(c *corpus) {
	for _, x := range recordFaults() {
		if x.stored {
			continue
		}
		p := plainPart(nil)
		x.change(&p.Record)
		c.invalid(x.name, "part", fmt.Sprintf("Refused as %s: %s.", x.code, x.field), p.encode(), nil, x.code)
	}
	bad := func(name, about string, code Code, change func(p *Part)) {
		c.invalid(name, "part", about, plainPart(change).encode(), nil, code)
	}
	bad("listing-absent", "The part names no listing.", CodeValue, func(p *Part) { p.Listing = "" })
	bad("listing-form", "A listing id has no slash.", CodeValue, func(p *Part) { p.Listing = "a/b" })
	bad("level-absent", "The level is absent.", CodeValue, func(p *Part) { p.Level = "" })
	bad("salt-zero", "A salt of 32 zero bytes is none.", CodeRequired, func(p *Part) { p.Salt = Salt{} })
	bad("audience-of-public", "The public part has no audience.", CodeValue, func(p *Part) { p.Record.Audience.Types = []string{"sme"} })
	bad("audience-absent", "The restricted part has an audience.", CodeRequired, func(p *Part) { p.Level = LevelRestricted })
	restricted := func(change func(a *Audience)) func(p *Part) {
		return func(p *Part) {
			p.Level = LevelRestricted
			p.Record.Audience.Types = []string{"sme"}
			change(&p.Record.Audience)
		}
	}
	bad("audience-type", "An organisation type is no code.", CodeValue, restricted(func(a *Audience) { a.Types = []string{"SME"} }))
	bad("audience-country", "A country is not well formed.", CodeValue, restricted(func(a *Audience) { a.Countries = []Country{"K1"} }))
	bad("audience-twice", "A country stands twice.", CodeRepeated, restricted(func(a *Audience) { a.Countries = []Country{"KH", "KH"} }))

	shape := func(name, about string, code Code, b ...[]byte) {
		c.invalid(name, "part", about, slices.Concat(b...), nil, code)
	}
	id, level, salt := field(1, []byte("solar-pump")), number(2, 1), field(3, make32(7))
	head, stage := slices.Concat(id, level, salt), field(7, []byte("x"))
	text := func(lang string) []byte {
		return field(5, slices.Concat(field(1, []byte(lang)), field(2, []byte("x"))))
	}
	shape("level-5", "Level 5 is none.", CodeValue, id, number(2, 5), salt, stage)
	shape("salt-absent", "The salt is absent.", CodeRequired, id, level, stage)
	shape("salt-short", "A salt has 32 bytes.", CodeLength, id, level, field(3, make([]byte, 31)), stage)
	shape("salt-twice", "There is one salt.", CodeRepeated, id, level, salt, salt, stage)
	shape("audience-empty", "An empty audience is written out.", CodeZero, head, field(4, nil), stage)
	shape("languages-descend", "Languages ascend.", CodeOrder, head, text("th"), text("en"))
	shape("language-twice", "A language stands twice.", CodeOrder, head, text("en"), text("en"))
	shape("language-absent", "A text names no language.", CodeRequired, head, field(5, field(2, []byte("x"))))
	shape("right-empty", "A right is empty.", CodeRequired, head, field(8, nil))
	shape("stage-empty", "An empty remark is written out.", CodeZero, head, field(7, nil))
	shape("stage-not-utf8", "A remark is not UTF-8.", CodeText, head, field(7, []byte{0xff}))
	shape("terms-empty", "Empty terms are written out.", CodeZero, head, field(9, nil))
	shape("since-large", "A year that is not one of 16 bits.", CodeValue, head, field(11, number(5, 1<<16+2000)))
	shape("transnational-2", "Transnational is absent or 1.", CodeValue, head, field(11, number(7, 2)))
	shape("deadline-year-10000", "A deadline is after the year 9999.", CodeValue, head, field(14, number(2, maxInstant+1)))
	shape("eligible-2", "Eligible is absent or 1.", CodeValue, head, field(14, field(7, slices.Concat(field(2, []byte("KH")), number(4, 2)))))
	shape("hash-zero", "A hash of zero bytes is written out.", CodeZero, head, field(16, field(1, make([]byte, 32))))
	shape("controls-2", "A flag is absent or 1.", CodeValue, head, field(18, number(2, 2)))
	shape("sections-descend", "Sections ascend.", CodeOrder, head, field(18, number(1, 1)), stage)
	shape("contact-twice", "There is one contact.", CodeRepeated, head, field(13, field(1, []byte("a"))), field(13, field(1, []byte("a"))))
	shape("later-zero", "Fields of later versions are not written out when zero.", CodeZero, head, stage, number(19, 0))
	shape("later-fixed", "Fields of later versions are numbers and bytes too.", CodeWireType, head, stage, tag(19, 5), make([]byte, 4))
	var large []byte
	for i := range 12 {
		passage := bytes.Repeat([]byte("\xe7\xa8\xbb"), MaxPassage)
		large = append(large, field(5, slices.Concat(field(1, []byte{'q', byte('a' + i)}), field(2, slices.Concat(passage, passage)), field(3, passage), field(4, passage[:3600])))...)
	}
	shape("sections-large", "The sections have at most 258,048 bytes, so that all parts of a record fit together.", CodeTooLarge, head, large)
	shape("empty", "No bytes are no part.", CodeValue)
}
