package protocol

import (
	"maps"
	"slices"
)

// Record is the full record of a listing: what stays at its origin while the summary, Listing, goes everywhere. Readers get
// it in parts, one a level, and never a section below its level. Numbers are those of the wire form of a part.
type Record struct {
	// Level is the lowest level at which anything beyond the summary is shown; "" is registered.
	Level Level `json:"level,omitempty"`
	// Sections has those that are shown from a higher level on than the record's. A level below it says nothing.
	Sections map[Section]Level `json:"sections,omitempty"`
	Audience Audience          `json:"audience,omitzero"` // 4: of what is restricted

	Texts        map[Lang]RecordText `json:"texts,omitempty"`        // 5
	Comparison   []Comparison        `json:"comparison,omitempty"`   // 6
	Stage        string              `json:"stage,omitempty"`        // 7: in words, what the summary's TRL says as a number
	Rights       []Right             `json:"rights,omitempty"`       // 8
	Terms        Terms               `json:"terms,omitzero"`         // 9
	Partner      Partner             `json:"partner,omitzero"`       // 10: sought
	Organisation Owner               `json:"organisation,omitzero"`  // 11
	People       []Person            `json:"people,omitempty"`       // 12
	Contact      Contact             `json:"contact,omitzero"`       // 13: of the broker
	Funding      Funding             `json:"funding,omitzero"`       // 14
	Publications []string            `json:"publications,omitempty"` // 15: DOIs
	Documents    []Document          `json:"documents,omitempty"`    // 16
	Provenance   Provenance          `json:"provenance,omitzero"`    // 17
	Controls     Controls            `json:"controls,omitzero"`      // 18
}

// RecordText is what a full record says in one language.
type RecordText struct {
	Description  string   `json:"description,omitempty"`  // 2
	Problem      string   `json:"problem,omitempty"`      // 3: that it solves, or that wants a solution
	Advantages   string   `json:"advantages,omitempty"`   // 4
	Applications []string `json:"applications,omitempty"` // 5
}

// Comparison with what is in use today, in figures.
type Comparison struct {
	Metric   string `json:"metric"`             // 1
	Unit     string `json:"unit,omitempty"`     // 2
	Baseline string `json:"baseline"`           // 3: what is in use
	Ours     string `json:"ours"`               // 4
	Evidence string `json:"evidence,omitempty"` // 5
}

// Right that protects the technology. The number may be left out where the owner stays unnamed.
type Right struct {
	Type   string `json:"type"`             // 1: a code of the list ipr
	Office string `json:"office,omitempty"` // 2: two letters, WIPO ST.3
	Number string `json:"number,omitempty"` // 3
	Date   Date   `json:"date,omitzero"`    // 4
	Status string `json:"status,omitempty"` // 5
}

// Terms on which the owner would deal.
type Terms struct {
	Models      []string `json:"models,omitempty"`      // 1
	Price       string   `json:"price,omitempty"`       // 2: a note
	Exclusivity string   `json:"exclusivity,omitempty"` // 3
	Field       string   `json:"field,omitempty"`       // 4: of use
	Territory   string   `json:"territory,omitempty"`   // 5
}

// Partner that is looked for.
type Partner struct {
	Types     []string  `json:"types,omitempty"`     // 1: organisation types
	Role      string    `json:"role,omitempty"`      // 2
	Task      string    `json:"task,omitempty"`      // 3
	Area      string    `json:"area,omitempty"`      // 4: of activity
	Countries []Country `json:"countries,omitempty"` // 5
}

// Owner is the organisation behind the listing, in full.
type Owner struct {
	Name           string   `json:"name,omitempty"`           // 1
	ROR            string   `json:"ror,omitempty"`            // 2: "03yrm5c26", without the address before it
	Type           string   `json:"type,omitempty"`           // 3
	Size           string   `json:"size,omitempty"`           // 4
	Since          uint16   `json:"since,omitempty"`          // 5: year
	Turnover       string   `json:"turnover,omitempty"`       // 6: a band
	Transnational  bool     `json:"transnational,omitempty"`  // 7: has worked across borders before
	Certifications []string `json:"certifications,omitempty"` // 8
	Languages      []Lang   `json:"languages,omitempty"`      // 9
}

// Person who made it or answers for it.
type Person struct {
	Name  string `json:"name"`            // 1
	ORCID string `json:"orcid,omitempty"` // 2: "0000-0002-1825-0097", without the address before it
	Role  string `json:"role,omitempty"`  // 3
}

// Contact at the agency or broker.
type Contact struct {
	Name  string `json:"name,omitempty"`  // 1
	Email string `json:"email,omitempty"` // 2
	Phone string `json:"phone,omitempty"` // 3
	URL   string `json:"url,omitempty"`   // 4
}

// Funding call that is offered, or that a consortium applies to.
type Funding struct {
	Call     string          `json:"call,omitempty"`     // 1: the funder's id
	Deadline Instant         `json:"deadline,omitzero"`  // 2
	Zone     string          `json:"zone,omitempty"`     // 3: in which the deadline is meant: "Asia/Bangkok"
	Budget   string          `json:"budget,omitempty"`   // 4
	Eligible string          `json:"eligible,omitempty"` // 5: who may apply
	Track    string          `json:"track,omitempty"`    // 6
	Partners []FundedPartner `json:"partners,omitempty"` // 7: so far
}

// FundedPartner of a consortium.
type FundedPartner struct {
	Name     string  `json:"name,omitempty"`     // 1
	Country  Country `json:"country"`            // 2
	Type     string  `json:"type,omitempty"`     // 3
	Eligible bool    `json:"eligible,omitempty"` // 4: for money of this call
}

// Document is named here and kept beside the record.
type Document struct {
	Hash    Hash   `json:"hash"`             // 1: SHA-256 of its bytes
	Name    string `json:"name"`             // 2
	Type    string `json:"type"`             // 3: media type
	Size    uint64 `json:"size"`             // 4: bytes
	Preview Hash   `json:"preview,omitzero"` // 5: of a small picture of it
	Level   Level  `json:"level,omitempty"`  // where it is above the section's; not on the wire: a part has one level
}

// Provenance of a listing that came from another system.
type Provenance struct {
	System   string  `json:"system,omitempty"`  // 1
	ID       string  `json:"id,omitempty"`      // 2: there
	Imported Instant `json:"imported,omitzero"` // 3
	Licence  string  `json:"licence,omitempty"` // 4
}

// Controls by law that a partner has to know of.
type Controls struct {
	Export bool `json:"export,omitempty"` // 1: export control, dual use
	Nagoya bool `json:"nagoya,omitempty"` // 2: genetic resources under the Nagoya Protocol
}

// Audience of what is restricted: a reader belongs to it whose organisation has one of the types and one of the countries.
// An empty list holds everybody.
type Audience struct {
	Types     []string  `json:"types,omitempty"`     // 1: organisation types
	Countries []Country `json:"countries,omitempty"` // 2
}

func (a Audience) same(b Audience) bool {
	return slices.Equal(a.Types, b.Types) && slices.Equal(a.Countries, b.Countries)
}

func (a Audience) empty() bool { return len(a.Types) == 0 && len(a.Countries) == 0 }

// Level from which on something is shown.
type Level string

// The levels, from the lowest. A reader of one reads what is below it too.
const (
	LevelPublic     Level = "public"     // to everybody
	LevelRegistered Level = "registered" // to people of a member's node
	LevelRestricted Level = "restricted" // to those of them who belong to the audience
	LevelInvited    Level = "invited"    // to those whom the owner named; a listing as a whole, which is not in the catalogue
)

// Levels in the order of their wire numbers, which begin at 1.
func Levels() []Level { return []Level{LevelPublic, LevelRegistered, LevelRestricted, LevelInvited} }

func (l Level) wire() uint64 { return uint64(slices.Index(Levels(), l) + 1) }

func levelOf(n uint64) (Level, bool) {
	if n < 1 || n > uint64(len(Levels())) {
		return "", false
	}
	return Levels()[n-1], true
}

// Covers reports whether a reader of level l reads what is shown from level m on.
func (l Level) Covers(m Level) bool { return m.wire() > 0 && l.wire() >= m.wire() }

func higher(a, b Level) Level {
	if b.wire() > a.wire() {
		return b
	}
	return a
}

// Section of a record: the name of its member in JSON.
type Section string

// The sections.
const (
	SectionTexts        Section = "texts"
	SectionComparison   Section = "comparison"
	SectionStage        Section = "stage"
	SectionRights       Section = "rights"
	SectionTerms        Section = "terms"
	SectionPartner      Section = "partner"
	SectionOrganisation Section = "organisation"
	SectionPeople       Section = "people"
	SectionContact      Section = "contact"
	SectionFunding      Section = "funding"
	SectionPublications Section = "publications"
	SectionDocuments    Section = "documents"
	SectionProvenance   Section = "provenance"
	SectionControls     Section = "controls"
)

// RecordSections in the order of their wire numbers, which begin at 5.
func RecordSections() []Section {
	return []Section{
		SectionTexts, SectionComparison, SectionStage, SectionRights, SectionTerms, SectionPartner, SectionOrganisation,
		SectionPeople, SectionContact, SectionFunding, SectionPublications, SectionDocuments, SectionProvenance, SectionControls,
	}
}

// Visibility is the record's level, where nothing was said the default.
func (r *Record) Visibility() Level {
	if r.Level == "" {
		return LevelRegistered
	}
	return r.Level
}

// LevelOf a section: its own, or the record's where that is higher.
func (r *Record) LevelOf(s Section) Level { return higher(r.Visibility(), r.Sections[s]) }

// Document finds what the record says of the document, or of the preview, with this hash, and its level.
func (r *Record) Document(h Hash) (Document, Level, bool) {
	for _, d := range r.Documents {
		if h != (Hash{}) && (d.Hash == h || d.Preview == h) {
			return d, r.levelOf(d), true
		}
	}
	return Document{}, "", false
}

func (r *Record) levelOf(d Document) Level { return higher(r.LevelOf(SectionDocuments), d.Level) }

// Languages of the record's texts in the order of their tags.
func (r *Record) Languages() []Lang { return slices.Sorted(maps.Keys(r.Texts)) }

// take copies one section of another record.
func (r *Record) take(s Section, from *Record) {
	switch s {
	case SectionTexts:
		r.Texts = from.Texts
	case SectionComparison:
		r.Comparison = from.Comparison
	case SectionStage:
		r.Stage = from.Stage
	case SectionRights:
		r.Rights = from.Rights
	case SectionTerms:
		r.Terms = from.Terms
	case SectionPartner:
		r.Partner = from.Partner
	case SectionOrganisation:
		r.Organisation = from.Organisation
	case SectionPeople:
		r.People = from.People
	case SectionContact:
		r.Contact = from.Contact
	case SectionFunding:
		r.Funding = from.Funding
	case SectionPublications:
		r.Publications = from.Publications
	case SectionDocuments:
		r.Documents = from.Documents
	case SectionProvenance:
		r.Provenance = from.Provenance
	case SectionControls:
		r.Controls = from.Controls
	}
}
