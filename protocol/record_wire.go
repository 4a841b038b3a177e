package protocol

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// A coder writes a message, or reads it, by one list of its fields: so that both cannot differ, in what has as many fields
// as a record. Exactly one of e and d is set.
type coder struct {
	e     *encoder
	d     *decoder
	known protowire.Number // the highest field named
}

func str[S ~string](c *coder, num protowire.Number, field string, limit int, v *S) {
	c.known = num
	if c.e != nil {
		c.e.string(num, string(*v))
		return
	}
	*v = S(c.d.string(num, field, limit))
}

func strs[S ~string](c *coder, num protowire.Number, field string, most, limit int, list *[]S) {
	c.known = num
	if c.e != nil {
		elements(c.e, num, *list)
		return
	}
	c.d.each(num, field, most, func(b []byte) {
		if len(b) > limit {
			c.d.fail(CodeTooLarge, field, "one has %d bytes, at most %d", len(b), limit)
		}
		*list = append(*list, S(b))
	})
}

func whole[N ~uint16 | ~uint32 | ~uint64 | ~int64](c *coder, num protowire.Number, field string, most uint64, v *N) {
	c.known = num
	if c.e != nil {
		c.e.uint(num, uint64(*v))
		return
	}
	u := c.d.uint(num, field)
	if u > most {
		c.d.fail(CodeValue, field, "%d, at most %d", u, most)
		return
	}
	*v = N(u)
}

func yes(c *coder, num protowire.Number, field string, v *bool) {
	var u uint64
	if *v {
		u = 1
	}
	whole(c, num, field, 1, &u)
	*v = u == 1
}

func (c *coder) hash(num protowire.Number, field string, h *Hash) {
	c.known = num
	if c.e != nil {
		c.e.hash(num, *h)
		return
	}
	*h = c.d.hash(num, field)
}

// message is a nested one, absent where it has no fields.
func (c *coder) message(num protowire.Number, field string, fields func(c *coder)) {
	c.known = num
	if c.e != nil {
		x := coder{e: new(encoder)}
		fields(&x)
		c.e.bytes(num, x.e.buf)
		return
	}
	if b := c.d.bytes(num, field, MaxFullRecord); b != nil {
		c.nested(field, b, fields)
	}
}

func (c *coder) nested(field string, b []byte, fields func(c *coder)) {
	x := coder{d: newDecoder(c.d.name+"."+field, b, MaxFullRecord)}
	fields(&x)
	c.d.adopt(x.d.endOpen(x.known))
}

// messages is a repeated one.
func messages[T any](c *coder, num protowire.Number, field string, most int, list *[]T, fields func(c *coder, v *T)) {
	c.known = num
	if c.e != nil {
		for i := range *list {
			x := coder{e: new(encoder)}
			fields(&x, &(*list)[i])
			c.e.element(num, x.e.buf)
		}
		return
	}
	c.d.each(num, field, most, func(b []byte) {
		var v T
		c.nested(field, b, func(x *coder) { fields(x, &v) })
		*list = append(*list, v)
	})
}

// wide is how many bytes so many characters may take.
func wide(characters int) int { return 4 * characters }

// part is the list of a part's fields.
func (c *coder) part(p *Part) {
	str(c, 1, "listing", 64, &p.Listing)
	c.level(2, &p.Level)
	c.salt(3, &p.Salt)
	c.message(4, "audience", func(c *coder) { c.audience(&p.Record.Audience) })
	c.sections(&p.Record)
}

// sections has the number of a section's field from its place in RecordSections.
func (c *coder) sections(r *Record) {
	c.texts(5, r)
	messages(c, 6, "comparison", MaxComparisons, &r.Comparison, func(c *coder, v *Comparison) {
		str(c, 1, "metric", wide(MaxShort), &v.Metric)
		str(c, 2, "unit", wide(MaxUnit), &v.Unit)
		str(c, 3, "baseline", wide(MaxShort), &v.Baseline)
		str(c, 4, "ours", wide(MaxShort), &v.Ours)
		str(c, 5, "evidence", wide(MaxNote), &v.Evidence)
	})
	str(c, 7, "stage", wide(MaxNote), &r.Stage)
	messages(c, 8, "rights", MaxRights, &r.Rights, func(c *coder, v *Right) {
		str(c, 1, "type", 40, &v.Type)
		str(c, 2, "office", 2, &v.Office)
		str(c, 3, "number", wide(MaxUnit), &v.Number)
		whole(c, 4, "date", maxDate, &v.Date)
		str(c, 5, "status", 40, &v.Status)
	})
	c.message(9, "terms", func(c *coder) {
		v := &r.Terms
		strs(c, 1, "models", MaxCodes, 40, &v.Models)
		str(c, 2, "price", wide(MaxNote), &v.Price)
		str(c, 3, "exclusivity", 40, &v.Exclusivity)
		str(c, 4, "field", wide(MaxShort), &v.Field)
		str(c, 5, "territory", wide(MaxShort), &v.Territory)
	})
	c.message(10, "partner", func(c *coder) {
		v := &r.Partner
		strs(c, 1, "types", MaxCodes, 40, &v.Types)
		str(c, 2, "role", wide(MaxNote), &v.Role)
		str(c, 3, "task", wide(MaxNote), &v.Task)
		str(c, 4, "area", wide(MaxShort), &v.Area)
		strs(c, 5, "countries", MaxCodes, 2, &v.Countries)
	})
	c.message(11, "organisation", func(c *coder) { c.owner(&r.Organisation) })
	messages(c, 12, "people", MaxPeople, &r.People, func(c *coder, v *Person) {
		str(c, 1, "name", wide(MaxShort), &v.Name)
		str(c, 2, "orcid", 19, &v.ORCID)
		str(c, 3, "role", wide(MaxShort), &v.Role)
	})
	c.message(13, "contact", func(c *coder) {
		v := &r.Contact
		str(c, 1, "name", wide(MaxShort), &v.Name)
		str(c, 2, "email", MaxEmail, &v.Email)
		str(c, 3, "phone", MaxPhone, &v.Phone)
		str(c, 4, "url", MaxURL, &v.URL)
	})
	c.message(14, "funding", func(c *coder) { c.funding(&r.Funding) })
	strs(c, 15, "publications", MaxPublications, MaxDOI, &r.Publications)
	messages(c, 16, "documents", MaxDocuments, &r.Documents, func(c *coder, v *Document) {
		c.hash(1, "hash", &v.Hash)
		str(c, 2, "name", wide(MaxDocumentName), &v.Name)
		str(c, 3, "type", MaxMediaType, &v.Type)
		whole(c, 4, "size", MaxDocument, &v.Size)
		c.hash(5, "preview", &v.Preview)
	})
	c.message(17, "provenance", func(c *coder) {
		v := &r.Provenance
		str(c, 1, "system", wide(MaxShort), &v.System)
		str(c, 2, "id", wide(MaxShort), &v.ID)
		whole(c, 3, "imported", maxInstant, &v.Imported)
		str(c, 4, "licence", wide(MaxShort), &v.Licence)
	})
	c.message(18, "controls", func(c *coder) {
		yes(c, 1, "export", &r.Controls.Export)
		yes(c, 2, "nagoya", &r.Controls.Nagoya)
	})
}

// level of another number than the known ones is read as "".
func (c *coder) level(num protowire.Number, v *Level) {
	n := v.wire()
	whole(c, num, "level", MaxNumber, &n)
	*v, _ = levelOf(n)
}

func (c *coder) salt(num protowire.Number, v *Salt) {
	c.known = num
	if c.e != nil {
		c.e.element(num, v[:])
		return
	}
	c.d.fixed(num, "salt", v[:])
}

func (c *coder) texts(num protowire.Number, r *Record) {
	type text struct {
		lang Lang
		RecordText
	}
	var list []text
	for _, lang := range r.Languages() {
		list = append(list, text{lang, r.Texts[lang]})
	}
	messages(c, num, "texts", MaxLanguages, &list, func(c *coder, v *text) {
		str(c, 1, "lang", 20, &v.lang)
		str(c, 2, "description", wide(MaxDescription), &v.Description)
		str(c, 3, "problem", wide(MaxPassage), &v.Problem)
		str(c, 4, "advantages", wide(MaxPassage), &v.Advantages)
		strs(c, 5, "applications", MaxApplications, wide(MaxShort), &v.Applications)
	})
	if c.d == nil || len(list) == 0 {
		return
	}
	r.Texts = make(map[Lang]RecordText, len(list))
	var last Lang
	for _, t := range list {
		if t.lang == "" {
			c.d.fail(CodeRequired, "texts.lang", "is absent")
		}
		if t.lang <= last {
			c.d.fail(CodeOrder, "texts", "languages ascend, each once")
		}
		r.Texts[t.lang], last = t.RecordText, t.lang
	}
}

func (c *coder) audience(v *Audience) {
	strs(c, 1, "types", MaxCodes, 40, &v.Types)
	strs(c, 2, "countries", MaxCodes, 2, &v.Countries)
}

func (c *coder) owner(v *Owner) {
	str(c, 1, "name", wide(MaxOrganisation), &v.Name)
	str(c, 2, "ror", 9, &v.ROR)
	str(c, 3, "type", 40, &v.Type)
	str(c, 4, "size", 40, &v.Size)
	whole(c, 5, "since", 9999, &v.Since)
	str(c, 6, "turnover", 40, &v.Turnover)
	yes(c, 7, "transnational", &v.Transnational)
	strs(c, 8, "certifications", MaxCertifications, wide(MaxShort), &v.Certifications)
	strs(c, 9, "languages", MaxLanguages, 20, &v.Languages)
}

func (c *coder) funding(v *Funding) {
	str(c, 1, "call", wide(MaxShort), &v.Call)
	whole(c, 2, "deadline", maxInstant, &v.Deadline)
	str(c, 3, "zone", MaxZone, &v.Zone)
	str(c, 4, "budget", wide(MaxShort), &v.Budget)
	str(c, 5, "eligible", wide(MaxNote), &v.Eligible)
	str(c, 6, "track", 40, &v.Track)
	messages(c, 7, "partners", MaxPartners, &v.Partners, func(c *coder, p *FundedPartner) {
		str(c, 1, "name", wide(MaxOrganisation), &p.Name)
		str(c, 2, "country", 2, &p.Country)
		str(c, 3, "type", 40, &p.Type)
		yes(c, 4, "eligible", &p.Eligible)
	})
}

// encode writes the part from its fields.
func (p *Part) encode() []byte {
	c := coder{e: new(encoder)}
	c.part(p)
	return c.e.buf
}

// DecodePart reads and validates a part. Fields of later versions are passed over.
func DecodePart(b []byte) (*Part, error) {
	p := &Part{raw: slices.Clone(b)}
	c := coder{d: newDecoder("part", p.raw, MaxFullRecord)}
	c.part(p)
	if err := c.d.endOpen(c.known); err != nil {
		return nil, err
	}
	if _, err := ParseListingID(string(p.Listing)); err != nil {
		return nil, err
	}
	switch {
	case p.Level == "":
		return nil, Errorf(CodeValue, "part.level", "is none of %v", Levels())
	case p.Salt == Salt{}:
		return nil, Errorf(CodeRequired, "part.salt", "is absent")
	case p.Level != LevelRestricted && !p.Record.Audience.empty():
		return nil, Errorf(CodeValue, "part.audience", "is of level restricted only")
	case p.Level == LevelRestricted && p.Record.Audience.empty():
		return nil, Errorf(CodeRequired, "part.audience", "names nobody")
	}
	p.Record.Level = p.Level
	if err := p.Record.Validate(); err != nil {
		return nil, err
	}
	return p, nil
}
