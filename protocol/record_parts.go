package protocol

import (
	"bytes"
	"crypto/rand"
	"slices"
)

// Salt makes the hash of a part say nothing of what stands in it, even where that could be guessed.
type Salt [32]byte

// Part of a full record: all that is shown from one level on, and not below it. It is kept, hashed and served as the
// bytes that Bytes gives.
type Part struct {
	Listing ListingID
	Level   Level
	Salt    Salt
	Record  Record // the sections of this level; of level restricted also the audience

	raw []byte
}

// Bytes of the part. The caller does not change them.
func (p *Part) Bytes() []byte { return p.raw }

// Hash stands in the listing's signed summary, but for parts of level invited.
func (p *Part) Hash() Hash { return Sum(p.raw) }

// Verify refuses a part that is not the one which the summary names: CodeBody. No summary names a part of level invited.
func (p *Part) Verify(l *Listing) error {
	if p.Listing != l.ID || l.FullHash(p.Level) != p.Hash() {
		return Errorf(CodeBody, "full", "the %s part is not the one that the signed summary of %s names", p.Level, l.ID)
	}
	return nil
}

// Parts splits the record of a listing, one part a level that has anything to show, the lowest first. What did not change
// since before keeps its salt and so its hash: publishing the same again signs nothing. newSalt gives random salts; nil
// stands for the system's randomness.
//
// Errors: what Validate finds.
func (r *Record) Parts(id ListingID, before []*Part, newSalt func() Salt) ([]*Part, error) {
	if _, err := ParseListingID(string(id)); err != nil {
		return nil, err
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if newSalt == nil {
		newSalt = randomSalt
	}
	var parts []*Part
	said := r.said()
	for _, level := range Levels() {
		p := &Part{Listing: id, Level: level}
		if !r.show(level, said, &p.Record) {
			continue
		}
		p, err := p.seal(before, newSalt)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// show fills in what is shown from this very level on, and reports whether that is anything.
func (r *Record) show(level Level, said said, into *Record) (any bool) {
	for _, s := range RecordSections() {
		if s != SectionDocuments && r.LevelOf(s) == level && said.has(s) {
			into.take(s, r)
			any = true
		}
	}
	for _, d := range r.Documents {
		if r.levelOf(d) == level {
			into.Documents = append(into.Documents, d)
			any = true
		}
	}
	if level == LevelRestricted {
		into.Audience = r.Audience
	}
	return any
}

// seal gives the part the salt and bytes that it had before, or new ones where it says something else.
func (p *Part) seal(before []*Part, newSalt func() Salt) (*Part, error) {
	for _, old := range before {
		if p.Salt = old.Salt; bytes.Equal(p.encode(), old.raw) {
			return old, nil
		}
	}
	p.Salt = newSalt()
	return DecodePart(p.encode()) // as every reader does: it shares nothing with the record, and what is signed can be read
}

func randomSalt() (s Salt) {
	_, _ = rand.Read(s[:]) // never fails
	return s
}

// Merge gives what a reader of these parts sees. Its documents stand in the order of their levels.
//
// Errors: CodeValue where they are not parts of one record, each level once, each section but documents in one of them.
func Merge(parts ...*Part) (*Record, error) {
	r := new(Record)
	sorted := slices.SortedFunc(slices.Values(parts), func(a, b *Part) int { return int(a.Level.wire()) - int(b.Level.wire()) })
	for i, p := range sorted {
		if i > 0 && (p.Level == sorted[i-1].Level || p.Listing != sorted[0].Listing) {
			return nil, Errorf(CodeValue, "level", "these are not parts of one record")
		}
		if i == 0 {
			r.Level = p.Level
		}
		if err := r.add(p); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *Record) add(p *Part) error {
	mine, its := r.said(), p.Record.said()
	for _, s := range RecordSections() {
		if !its.has(s) {
			continue
		}
		twice := mine.has(s)
		switch {
		case s == SectionDocuments:
			for _, d := range p.Record.Documents {
				if twice && r.LevelOf(s) != p.Level {
					d.Level = p.Level
				}
				r.Documents = append(r.Documents, d)
			}
		case twice:
			return Errorf(CodeValue, string(s), "stands in parts of two levels")
		default:
			r.take(s, &p.Record)
		}
		if !twice && p.Level != r.Level {
			if r.Sections == nil {
				r.Sections = make(map[Section]Level)
			}
			r.Sections[s] = p.Level
		}
	}
	if p.Level == LevelRestricted {
		r.Audience = p.Record.Audience
	}
	return nil
}

// EncodeRecord is the form in which an origin keeps a record: {1: level, 2: audience, 3: rep {1: number of the section, 2:
// level}, 4: rep part}. What the owner chose for sections that are still empty is nobody else's business, and is in no part.
func EncodeRecord(r *Record, parts []*Part) []byte {
	s := storedRecord{r: *r}
	for _, p := range parts {
		s.parts = append(s.parts, p.raw)
	}
	c := coder{e: new(encoder)}
	c.stored(&s)
	return c.e.buf
}

type storedRecord struct {
	r     Record
	parts [][]byte
}

type sectionLevel struct {
	section uint64
	level   Level
}

const firstSection = 5 // number of its field in a part

func (c *coder) stored(s *storedRecord) {
	c.level(1, &s.r.Level)
	c.message(2, "audience", func(c *coder) { c.audience(&s.r.Audience) })
	var list []sectionLevel
	for i, name := range RecordSections() {
		if level, ok := s.r.Sections[name]; ok {
			list = append(list, sectionLevel{uint64(i + firstSection), level})
		}
	}
	messages(c, 3, "sections", len(RecordSections()), &list, func(c *coder, v *sectionLevel) {
		whole(c, 1, "section", MaxNumber, &v.section)
		c.level(2, &v.level)
	})
	if c.e != nil {
		for _, p := range s.parts {
			c.e.element(4, p)
		}
		return
	}
	c.sectionLevels(&s.r, list)
	c.known = 4
	c.d.each(4, "parts", len(Levels()), func(b []byte) { s.parts = append(s.parts, b) })
}

func (c *coder) sectionLevels(r *Record, list []sectionLevel) {
	if len(list) > 0 {
		r.Sections = make(map[Section]Level, len(list))
	}
	all := RecordSections()
	for i, x := range list {
		if x.section < firstSection || x.section >= firstSection+uint64(len(all)) || x.level == "" {
			c.d.fail(CodeValue, "sections", "%d is no section, or its level none", x.section)
			return
		}
		if i > 0 && x.section <= list[i-1].section {
			c.d.fail(CodeOrder, "sections", "they ascend, each once")
		}
		r.Sections[all[x.section-firstSection]] = x.level
	}
}

// DecodeRecord reads and validates what EncodeRecord writes. Nothing in it is below its level.
func DecodeRecord(b []byte) (*Record, []*Part, error) {
	c := coder{d: newDecoder("record", b, MaxFullRecord)}
	var s storedRecord
	c.stored(&s)
	if err := c.d.endOpen(c.known); err != nil {
		return nil, nil, err
	}
	parts := make([]*Part, len(s.parts))
	for i, b := range s.parts {
		var err error
		if parts[i], err = DecodePart(b); err != nil {
			return nil, nil, err
		}
		if i > 0 && parts[i].Level.wire() <= parts[i-1].Level.wire() {
			return nil, nil, Errorf(CodeOrder, "record.parts", "they ascend by level")
		}
	}
	seen, err := Merge(parts...)
	if err != nil {
		return nil, nil, err
	}
	r, said := &s.r, seen.said()
	for _, name := range RecordSections() {
		if name != SectionDocuments && said.has(name) && seen.LevelOf(name) != r.LevelOf(name) {
			return nil, nil, Errorf(CodeValue, "record."+string(name), "stands in the part of another level than its own")
		}
		r.take(name, seen)
	}
	for i, d := range r.Documents {
		if at, own := seen.levelOf(d), r.LevelOf(SectionDocuments); own == at {
			r.Documents[i].Level = ""
		} else if r.Documents[i].Level = at; own.Covers(at) {
			return nil, nil, Errorf(CodeValue, "record.documents", "one stands in the part of a lower level than its own")
		}
	}
	if !seen.Audience.empty() && !seen.Audience.same(r.Audience) {
		return nil, nil, Errorf(CodeValue, "record.audience", "is another than that of the restricted part")
	}
	if err := r.Validate(); err != nil {
		return nil, nil, err
	}
	return r, parts, nil
}

// FullHash is the hash of the record's part of this level in the summary, zero where there is none.
func (l *Listing) FullHash(level Level) Hash {
	switch level {
	case LevelPublic:
		return l.Full
	case LevelRegistered:
		return l.FullRegistered
	case LevelRestricted:
		return l.FullRestricted
	case LevelInvited:
	}
	return Hash{}
}

// HasFull reports whether the summary names a full record, of whatever level.
func (l *Listing) HasFull() bool {
	return slices.ContainsFunc(Levels(), func(level Level) bool { return l.FullHash(level) != Hash{} })
}

// BindFull names the parts in the summary, in place of those that it named.
func (l *Listing) BindFull(parts []*Part) {
	l.Full, l.FullRegistered, l.FullRestricted = Hash{}, Hash{}, Hash{}
	for _, p := range parts {
		switch p.Level {
		case LevelPublic:
			l.Full = p.Hash()
		case LevelRegistered:
			l.FullRegistered = p.Hash()
		case LevelRestricted:
			l.FullRestricted = p.Hash()
		case LevelInvited:
		}
	}
}

// KeepFull names the parts that an older summary of the listing names, where this one names none.
func (l *Listing) KeepFull(old *Listing) {
	if !l.HasFull() {
		l.Full, l.FullRegistered, l.FullRestricted = old.Full, old.FullRegistered, old.FullRestricted
	}
}
