package protocol

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"
)

// fullRecord has every field, all shown from one level on.
func fullRecord() *Record {
	return &Record{
		Level: LevelPublic,
		Texts: map[Lang]RecordText{
			"en": {Description: "First line.\nSecond line.", Problem: "Rice spoils.", Advantages: "Half the fuel.", Applications: []string{"Rice mills", "Coffee"}},
			"th": {Description: "เครื่องอบข้าว"},
		},
		Comparison: []Comparison{{"Fuel", "kg/t", "40", "19", "Trial of 2025,\n12 mills"}, {Metric: "Price", Baseline: "1", Ours: "0.8"}},
		Stage:      "Runs in two mills.",
		Rights:     []Right{{"patent-granted", "TH", "TH 12345", 20000, "granted"}, {Type: "secret-know-how"}},
		Terms:      Terms{[]string{"royalty", "lump-sum"}, "From USD 2,500", "non-exclusive", "Food", "ASEAN"},
		Partner:    Partner{[]string{"sme"}, "Maker", "Build and sell it", "Food processing", []Country{"KH", "LA"}},
		Organisation: Owner{"Institute of Rice", "03yrm5c26", "research-institute", "medium", 1987, "under-1m", true,
			[]string{"ISO 9001"}, []Lang{"th", "en"}},
		People:       []Person{{"Somchai Example", "0000-0002-1825-0097", "Inventor"}, {Name: "Malee Example"}},
		Contact:      Contact{"Technology transfer office", "office@tto.example.org", "+66 2 123 4567 (8)", "https://tto.example.org/contact"},
		Funding:      Funding{"JFS-9", corpusTime, "Asia/Bangkok", "EUR 300,000", "Two regions", "innovation", []FundedPartner{{"University", "TH", "university", true}, {Country: "DE"}}},
		Publications: []string{"10.1000/182", "10.1002/(SICI)1097-4571(199806)49:8<693::AID-ASI4>3.0.CO;2-O"},
		Documents: []Document{{Hash: Sum([]byte("a")), Name: "ข้อมูล sheet.pdf", Type: "application/pdf", Size: MaxDocument, Preview: Sum([]byte("small a"))},
			{Hash: Sum([]byte("b")), Name: "dryer.jpg", Type: "image/jpeg", Size: 1}},
		Provenance: Provenance{"TTO database", "R-77", corpusTime, "CC-BY-4.0"},
		Controls:   Controls{true, true},
	}
}

// someSalts gives salts that differ, the same in every run.
func someSalts() func() Salt {
	n := 0
	return func() Salt { n++; return Salt(Sum(fmt.Appendf(nil, "salt %d", n))) }
}

func split(t testing.TB, r *Record, before ...*Part) []*Part {
	t.Helper()
	parts, err := r.Parts("solar-pump", before, nil)
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

// scattered raises sections and documents of a record to levels at random.
func scattered(r *rand.Rand) *Record {
	rec := fullRecord()
	rec.Level = []Level{"", LevelPublic, LevelRegistered, LevelRestricted, LevelInvited}[r.IntN(5)]
	levels := Levels()[:3]
	if rec.Level == LevelInvited {
		levels = Levels()
	}
	rec.Audience = Audience{[]string{"sme", "large-company"}, []Country{"KH"}}
	for _, s := range RecordSections() {
		switch r.IntN(4) {
		case 0: // as the record
		case 1:
			rec.take(s, &Record{}) // says nothing
		default:
			if rec.Sections == nil {
				rec.Sections = map[Section]Level{}
			}
			rec.Sections[s] = levels[r.IntN(len(levels))]
		}
	}
	for i := range rec.Documents {
		if r.IntN(2) == 0 {
			rec.Documents[i].Level = levels[r.IntN(len(levels))]
		}
	}
	return rec
}

// shownOf gives each section in JSON, and each document with its own level apart.
func shownOf(t *testing.T, r *Record) map[string]string {
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, s := range RecordSections() {
		if s != SectionDocuments && all[string(s)] != nil {
			out[string(s)] = string(r.LevelOf(s)) + " " + string(all[string(s)])
		}
	}
	for _, d := range r.Documents {
		_, level, _ := r.Document(d.Hash)
		d.Level = ""
		out[d.Name] = fmt.Sprint(level, d)
	}
	return out
}

func TestRecordRoundTrips(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		r := scattered(rnd)
		parts := split(t, r)
		merged, err := Merge(parts...)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := shownOf(t, merged), shownOf(t, r); !maps.Equal(got, want) {
			t.Fatalf("merged\n%v, want\n%v", got, want)
		}
		b := EncodeRecord(r, parts)
		got, gotParts, err := DecodeRecord(b)
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(shownOf(t, got), shownOf(t, r)) || got.Level != r.Level || !maps.Equal(got.Sections, r.Sections) || !reflect.DeepEqual(got.Audience, r.Audience) {
			t.Fatalf("kept\n%+v, want\n%+v", got, r)
		}
		if !reflect.DeepEqual(gotParts, parts) || !bytes.Equal(EncodeRecord(got, gotParts), b) {
			t.Fatal("the parts are not those that were kept")
		}
		again, err := got.Parts("solar-pump", gotParts, func() Salt { t.Fatal("a new salt for what did not change"); return Salt{} })
		if err != nil || !reflect.DeepEqual(again, parts) {
			t.Fatalf("split again it has other parts (%v)", err)
		}
		if j, err := json.Marshal(got); err != nil || json.Unmarshal(j, &merged) != nil {
			t.Fatalf("no JSON: %v %s", err, j)
		}
	}
}

func TestRecordInJSON(t *testing.T) {
	r := fullRecord()
	r.Sections, r.Audience = map[Section]Level{SectionContact: LevelRestricted}, Audience{Types: []string{"sme"}}
	r.Documents[1].Level = LevelRegistered
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	got := new(Record)
	if err := json.Unmarshal(b, got); err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("%+v, %v\nwant %+v", got, err, r)
	}
	if b, _ := json.Marshal(Record{}); string(b) != "{}" {
		t.Errorf("an empty record is %s", b)
	}
}

// TestNothingStandsBelowItsLevel seeds a secret in every text of a record, and looks for it in every lower part: in its
// bytes, in their hexadecimal, and in its JSON.
func TestNothingStandsBelowItsLevel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	found := map[Level]int{}
	for range 300 {
		r := scattered(rnd)
		secrets := seed(rnd, r)
		parts := split(t, r)
		for _, p := range parts {
			hay := encodings(t, p.Bytes(), p.Record)
			for secret, level := range secrets {
				switch in := strings.Contains(hay, secret); {
				case in && !p.Level.Covers(level):
					t.Fatalf("%s of level %s stands in the %s part", secret, level, p.Level)
				case in:
					found[level]++
				case p.Level == level:
					t.Fatalf("%s is missing in its part of level %s", secret, level)
				}
			}
		}
	}
	for _, level := range Levels() {
		if found[level] < 100 {
			t.Errorf("level %s had only %d secrets", level, found[level])
		}
	}
}

// seed puts a secret into each section and document that the record has, and tells their levels.
func seed(rnd *rand.Rand, r *Record) map[string]Level {
	secrets := map[string]Level{}
	secret := func(level Level) string {
		s := fmt.Sprintf("zq%016x", rnd.Uint64())
		secrets[s] = level
		return s
	}
	said := r.said()
	for _, s := range RecordSections() {
		if !said.has(s) {
			continue
		}
		level := highest(r.Level, r.Sections[s])
		put := map[Section]func(string){
			SectionTexts: func(v string) {
				r.Texts["en"] = RecordText{Description: v, Applications: []string{secret(level)}}
			},
			SectionComparison:   func(v string) { r.Comparison[1].Evidence = v },
			SectionStage:        func(v string) { r.Stage = v },
			SectionRights:       func(v string) { r.Rights[1].Number = v },
			SectionTerms:        func(v string) { r.Terms.Price = v },
			SectionPartner:      func(v string) { r.Partner.Task = v },
			SectionOrganisation: func(v string) { r.Organisation.Certifications[0] = v },
			SectionPeople:       func(v string) { r.People[1].Name = v },
			SectionContact:      func(v string) { r.Contact.Email = v + "@example.org" },
			SectionFunding:      func(v string) { r.Funding.Partners[0].Name = v },
			SectionPublications: func(v string) { r.Publications[0] = "10.1000/" + v },
			SectionProvenance:   func(v string) { r.Provenance.ID = v },
		}[s]
		if put != nil { // controls have no text, and documents come next
			put(secret(level))
		}
	}
	for i, d := range r.Documents {
		level := highest(r.Level, r.Sections[SectionDocuments], d.Level)
		r.Documents[i].Name = secret(level)
		h := Sum([]byte(r.Documents[i].Name))
		r.Documents[i].Hash = h
		secrets[hex.EncodeToString(h[:])] = level
	}
	return secrets
}

// highest is what the rule says in words, apart from the code that is tested.
func highest(record Level, raised ...Level) Level {
	if record == "" {
		record = LevelRegistered
	}
	order := []Level{"", LevelPublic, LevelRegistered, LevelRestricted, LevelInvited}
	for _, l := range raised {
		record = order[max(slices.Index(order, record), slices.Index(order, l))]
	}
	return record
}

func encodings(t *testing.T, b []byte, r Record) string {
	j, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n" + string(j) + "\n" + hex.EncodeToString(b)
}

// A salt keeps the hash of a part that could be guessed from telling anything, and stays while the part says the same.
func TestSalts(t *testing.T) {
	r := &Record{Level: LevelPublic, Stage: "Yes", Contact: Contact{Email: "a@example.org"}, Sections: map[Section]Level{SectionContact: LevelRegistered}}
	one, other := split(t, r), split(t, r)
	if len(one) != 2 || one[0].Hash() == other[0].Hash() || one[0].Salt == one[1].Salt || one[0].Salt == (Salt{}) {
		t.Errorf("hashes %s and %s with salts %x", one[0].Hash(), other[0].Hash(), one[0].Salt)
	}
	r.Contact.Email = "b@example.org"
	changed := split(t, r, one...)
	if changed[0].Hash() != one[0].Hash() {
		t.Error("what did not change has another hash")
	}
	if changed[1].Salt == one[1].Salt || changed[1].Hash() == one[1].Hash() {
		t.Error("what changed has its old salt: who knows both hashes can guess at the difference")
	}
	if x, err := r.Parts("another", one, nil); err != nil || x[0].Hash() == one[0].Hash() {
		t.Error("the part of one listing is taken for another's")
	}
}

func TestLevels(t *testing.T) {
	r := &Record{Sections: map[Section]Level{SectionTerms: LevelPublic, SectionPeople: LevelRestricted}}
	for s, want := range map[Section]Level{SectionTexts: LevelRegistered, SectionTerms: LevelRegistered, SectionPeople: LevelRestricted} {
		if got := r.LevelOf(s); got != want {
			t.Errorf("%s: %s, want %s", s, got, want)
		}
	}
	for i, a := range Levels() {
		for j, b := range Levels() {
			if a.Covers(b) != (i >= j) {
				t.Errorf("%s covers %s: %v", a, b, a.Covers(b))
			}
		}
		if a.Covers("") || Level("").Covers(a) || a.Covers("secret") {
			t.Errorf("%s and no level", a)
		}
	}
	r = fullRecord()
	r.Documents[0].Level = LevelRestricted
	if _, level, ok := r.Document(r.Documents[0].Preview); !ok || level != LevelRestricted {
		t.Errorf("a preview is of level %s, %v", level, ok)
	}
	if _, _, ok := r.Document(Hash{}); ok {
		t.Error("no hash names a document")
	}
}

func TestSummaryNamesParts(t *testing.T) {
	r := fullRecord()
	r.Sections = map[Section]Level{SectionContact: LevelRegistered, SectionTerms: LevelRestricted}
	r.Audience = Audience{Types: []string{"sme"}}
	l := leastListing()
	if l.HasFull() {
		t.Error("a summary names a record that it has not")
	}
	parts := split(t, r)
	l.BindFull(parts)
	l, err := DecodeListing(l.Encode())
	if err != nil || len(parts) != 3 || !l.HasFull() {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	for i, p := range parts {
		if err := p.Verify(l); err != nil {
			t.Error(err)
		}
		if got, err := DecodePart(p.Bytes()); err != nil || got.Verify(l) != nil {
			t.Errorf("the part that arrived: %v", err)
		}
		if got := l.FullHash(p.Level); got != p.Hash() {
			t.Errorf("%s: %s", p.Level, got)
		}
		other := split(t, r)[i]
		if CodeOf(other.Verify(l)) != CodeBody {
			t.Errorf("another %s part is taken", p.Level)
		}
		elsewhere := *l
		elsewhere.ID = "another"
		if CodeOf(p.Verify(&elsewhere)) != CodeBody {
			t.Errorf("the %s part of another listing is taken", p.Level)
		}
	}
	l.BindFull(parts[1:2])
	if l.Full != (Hash{}) || l.FullRestricted != (Hash{}) || l.FullRegistered != parts[1].Hash() || !l.HasFull() {
		t.Error("hashes of parts that are no more")
	}
	bare := leastListing()
	bare.KeepFull(l)
	if bare.FullHash(LevelRegistered) != parts[1].Hash() {
		t.Error("a revision that says nothing of the full record loses it")
	}
	if bare.BindFull(parts[:1]); bare.HasFull() {
		bare.KeepFull(l)
	}
	if bare.Full != parts[0].Hash() || bare.FullRegistered != (Hash{}) {
		t.Error("a revision of the full record keeps a part that is no more")
	}
	r = &Record{Level: LevelInvited, Stage: "x"}
	l.BindFull(split(t, r))
	if l.HasFull() || CodeOf(split(t, r)[0].Verify(l)) != CodeBody || l.FullHash(LevelInvited) != (Hash{}) {
		t.Error("a summary names what is by invitation")
	}
}

func TestMergeRefusesWhatDoesNotBelongTogether(t *testing.T) {
	part := func(id ListingID, level Level, stage string) *Part {
		parts, err := (&Record{Level: level, Stage: stage, Audience: Audience{Types: []string{"sme"}}}).Parts(id, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return parts[0]
	}
	terms := func(id ListingID, level Level) *Part {
		parts, err := (&Record{Level: level, Terms: Terms{Price: "x"}}).Parts(id, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return parts[0]
	}
	a := part("a", LevelPublic, "x")
	if r, err := Merge(terms("a", LevelRegistered), a); err != nil || r.LevelOf(SectionStage) != LevelPublic || r.LevelOf(SectionTerms) != LevelRegistered {
		t.Errorf("parts that belong together: %+v, %v", r, err)
	}
	for name, parts := range map[string][]*Part{
		"a level twice":             {a, terms("a", LevelPublic)},
		"two listings":              {a, terms("b", LevelRegistered)},
		"a section of two levels":   {a, part("a", LevelRegistered, "y")},
		"the same in another order": {part("a", LevelRegistered, "y"), a},
	} {
		if r, err := Merge(parts...); CodeOf(err) != CodeValue {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	if r, err := Merge(); err != nil || !reflect.DeepEqual(r, &Record{}) {
		t.Errorf("of nothing: %+v, %v", r, err)
	}
}

// What an origin keeps is judged too when it is read: a part under a setting that it does not follow is served to nobody.
func TestStoredRecordsFollowTheirSettings(t *testing.T) {
	r := &Record{Level: LevelPublic, Stage: "x", Documents: fullRecord().Documents[:1], Audience: Audience{Types: []string{"sme"}}}
	r.Sections = map[Section]Level{SectionDocuments: LevelRestricted}
	parts := split(t, r)
	for name, change := range map[string]func(r *Record){
		"a section below its level": func(r *Record) {
			r.Sections = map[Section]Level{SectionStage: LevelRegistered, SectionDocuments: LevelRestricted}
		},
		"a section above its level": func(r *Record) { r.Sections = nil; r.Documents = nil; r.Level = LevelRegistered },
		"a record below its level":  func(r *Record) { r.Level = LevelInvited },
		"another audience":          func(r *Record) { r.Audience.Types = []string{"ngo"} },
		"no audience":               func(r *Record) { r.Audience = Audience{} },
	} {
		other := *r
		change(&other)
		if _, _, err := DecodeRecord(EncodeRecord(&other, parts)); err == nil {
			t.Errorf("%s is read", name)
		}
	}
	low := &Record{Level: LevelPublic, Documents: r.Documents}
	lowParts := split(t, low)
	low.Sections = map[Section]Level{SectionDocuments: LevelRegistered}
	for name, b := range map[string][]byte{
		"a document in the part of a lower level": EncodeRecord(low, lowParts),
		"parts in another order":                  EncodeRecord(r, []*Part{parts[1], parts[0]}),
		"a part twice":                            EncodeRecord(r, []*Part{parts[0], parts[0]}),
		"section 4":                               field(3, append(number(1, 4), number(2, 1)...)),
		"section 19":                              field(3, append(number(1, 19), number(2, 1)...)),
		"level 9 of a section":                    field(3, append(number(1, 5), number(2, 9)...)),
		"sections descend":                        append(field(3, append(number(1, 6), number(2, 1)...)), field(3, append(number(1, 5), number(2, 1)...))...),
		"an empty part":                           field(4, nil),
	} {
		if _, _, err := DecodeRecord(b); err == nil {
			t.Errorf("%s: is read", name)
		}
	}
	if got, none, err := DecodeRecord(nil); err != nil || none == nil || len(none) != 0 || !reflect.DeepEqual(got, &Record{}) {
		t.Errorf("of no bytes: %+v, %v, %v", got, none, err)
	}
}

// The largest record that Validate accepts fits, in any split, into the bytes that a node keeps and serves.
func TestLargestRecord(t *testing.T) {
	r := fullRecord()
	fill := func(n int) {
		for i := range MaxLanguages {
			r.Texts[Lang(fmt.Sprintf("q%c", 'a'+i))] = RecordText{Description: strings.Repeat("稻", MaxDescription), Problem: strings.Repeat("稻", MaxPassage), Advantages: strings.Repeat("稻", n)}
		}
	}
	clear(r.Texts)
	fits := sort.Search(MaxPassage, func(n int) bool { fill(n); return r.Validate() != nil }) - 1
	if fill(fits + 1); CodeOf(r.Validate()) != CodeTooLarge || fits < 1 {
		t.Fatalf("%d characters more fit: %v", fits, r.Validate())
	}
	fill(fits)
	codes := make([]string, MaxCodes)
	countries := make([]Country, MaxCodes)
	for i := range codes {
		codes[i], countries[i] = strings.Repeat("a", 39)+string(rune('a'+i)), Country(fmt.Sprintf("A%c", 'A'+i))
	}
	r.Audience = Audience{codes, countries}
	r.Sections = map[Section]Level{SectionTerms: LevelRestricted}
	for _, s := range RecordSections()[5:] {
		r.Sections[s] = LevelRestricted
	}
	parts := split(t, r)
	b := EncodeRecord(r, parts)
	if n := len(b); n > MaxFullRecord || n < MaxFullRecord-2*partsRoom {
		t.Errorf("%d bytes, at most %d", n, MaxFullRecord)
	}
	if _, _, err := DecodeRecord(b); err != nil {
		t.Error(err)
	}
}

// Every limit and form of a record, with the fault that breaking it alone gives.
func TestRecordLimits(t *testing.T) {
	if err := fullRecord().Validate(); err != nil {
		t.Fatal(err)
	}
	for _, x := range recordFaults() {
		t.Run(x.name, func(t *testing.T) {
			r := fullRecord()
			x.change(r)
			all := All(r.Validate())
			if len(all) != 1 || all[0].Code != x.code || all[0].Field != x.field {
				t.Errorf("%v, want one fault: %s %s", all, x.code, x.field)
			}
			if _, err := r.Parts("solar-pump", nil, nil); CodeOf(err) != x.code {
				t.Errorf("it is split all the same: %v", err)
			}
		})
	}
	r := &Record{Level: "secret", Stage: "\x00", People: []Person{{}}, Publications: []string{"x"}}
	if n := len(All(r.Validate())); n != 4 {
		t.Errorf("%d faults of 4: %v", n, r.Validate())
	}
}

type recordFault struct {
	name   string
	code   Code
	field  string
	change func(r *Record)
	stored bool // of what is in no part: settings of the owner, numbers below zero
}

func recordFaults() []recordFault {
	long := func(n int) string { return strings.Repeat("稻", n+1) }
	var all []recordFault
	add := func(name string, code Code, field string, change func(r *Record)) {
		all = append(all, recordFault{name, code, field, change, false})
	}
	setting := func(name string, code Code, field string, change func(r *Record)) {
		all = append(all, recordFault{name, code, field, change, true})
	}
	en := func(change func(t *RecordText)) func(r *Record) {
		return func(r *Record) { x := r.Texts["en"]; change(&x); r.Texts["en"] = x }
	}
	text := func(name, field string, limit int, multiline bool, at func(r *Record) *string) {
		add(name+"-long", CodeTooLarge, field, func(r *Record) { *at(r) = long(limit) })
		bad := "a\x7f"
		if !multiline {
			bad = "a\nb"
		}
		add(name+"-text", CodeText, field, func(r *Record) { *at(r) = bad })
	}
	setting("level", CodeValue, "level", func(r *Record) { r.Level = "secret" })
	setting("section", CodeUnknown, "sections", func(r *Record) { r.Sections = map[Section]Level{"secrets": LevelPublic} })
	setting("section-level", CodeValue, "sections.terms", func(r *Record) { r.Sections = map[Section]Level{SectionTerms: "secret"} })
	setting("section-invited", CodeValue, "sections.terms", func(r *Record) { r.Sections = map[Section]Level{SectionTerms: LevelInvited} })
	setting("sections-many", CodeTooLarge, "sections", func(r *Record) {
		r.Sections = map[Section]Level{}
		for i := range 15 {
			r.Sections[Section(fmt.Sprint(i))] = LevelPublic
		}
	})
	setting("audience", CodeRequired, "audience", func(r *Record) { r.Level = LevelRestricted })
	setting("audience-document", CodeRequired, "audience", func(r *Record) { r.Documents[0].Level = LevelRestricted })
	setting("audience-types", CodeValue, "audience.types", func(r *Record) { r.Audience.Types = []string{"Small"} })
	setting("audience-countries", CodeValue, "audience.countries", func(r *Record) { r.Audience.Countries = []Country{"kh"} })
	add("texts-14", CodeTooLarge, "texts", func(r *Record) {
		for i := range 13 {
			r.Texts[Lang(fmt.Sprintf("q%c", 'a'+i))] = RecordText{Problem: "x"}
		}
	})
	add("text-empty", CodeRequired, "texts.en", func(r *Record) { r.Texts["en"] = RecordText{} })
	add("language", CodeValue, "texts", func(r *Record) { r.Texts["EN"] = RecordText{Problem: "x"} })
	add("description-long", CodeTooLarge, "texts.en.description", en(func(x *RecordText) { x.Description = long(MaxDescription) }))
	add("description-text", CodeText, "texts.en.description", en(func(x *RecordText) { x.Description = "\u202e" }))
	add("problem-long", CodeTooLarge, "texts.en.problem", en(func(x *RecordText) { x.Problem = long(MaxPassage) }))
	add("advantages-long", CodeTooLarge, "texts.en.advantages", en(func(x *RecordText) { x.Advantages = long(MaxPassage) }))
	add("applications-21", CodeTooLarge, "texts.en.applications", en(func(x *RecordText) { x.Applications = slices.Repeat([]string{"x"}, 21) }))
	add("application-empty", CodeRequired, "texts.en.applications[1]", en(func(x *RecordText) { x.Applications = []string{"x", " "} }))
	add("application-long", CodeTooLarge, "texts.en.applications[0]", en(func(x *RecordText) { x.Applications = []string{long(MaxShort)} }))
	add("comparison-21", CodeTooLarge, "comparison", func(r *Record) { r.Comparison = slices.Repeat(r.Comparison[:1], 21) })
	text("comparison-metric", "comparison[0].metric", MaxShort, false, func(r *Record) *string { return &r.Comparison[0].Metric })
	text("comparison-unit", "comparison[0].unit", MaxUnit, false, func(r *Record) *string { return &r.Comparison[0].Unit })
	text("comparison-baseline", "comparison[0].baseline", MaxShort, false, func(r *Record) *string { return &r.Comparison[0].Baseline })
	text("comparison-ours", "comparison[0].ours", MaxShort, false, func(r *Record) *string { return &r.Comparison[0].Ours })
	text("comparison-evidence", "comparison[0].evidence", MaxNote, true, func(r *Record) *string { return &r.Comparison[0].Evidence })
	add("comparison-metric", CodeRequired, "comparison[1].metric", func(r *Record) { r.Comparison[1].Metric = "" })
	add("comparison-baseline", CodeRequired, "comparison[1].baseline", func(r *Record) { r.Comparison[1].Baseline = "" })
	add("comparison-ours", CodeRequired, "comparison[1].ours", func(r *Record) { r.Comparison[1].Ours = "\u3000" })
	text("stage", "stage", MaxNote, true, func(r *Record) *string { return &r.Stage })
	add("rights-33", CodeTooLarge, "rights", func(r *Record) { r.Rights = slices.Repeat(r.Rights[:1], 33) })
	add("right-type", CodeRequired, "rights[0].type", func(r *Record) { r.Rights[0].Type = "" })
	add("right-type-form", CodeValue, "rights[0].type", func(r *Record) { r.Rights[0].Type = "Patent" })
	add("right-office", CodeValue, "rights[0].office", func(r *Record) { r.Rights[0].Office = "wo" })
	text("right-number", "rights[0].number", MaxUnit, false, func(r *Record) *string { return &r.Rights[0].Number })
	add("right-date", CodeValue, "rights[0].date", func(r *Record) { r.Rights[0].Date = maxDate + 1 })
	add("right-status", CodeValue, "rights[0].status", func(r *Record) { r.Rights[0].Status = "in force" })
	add("terms-models", CodeValue, "terms.models", func(r *Record) { r.Terms.Models = []string{"a b"} })
	add("terms-models-twice", CodeRepeated, "terms.models", func(r *Record) { r.Terms.Models = []string{"a", "a"} })
	text("terms-price", "terms.price", MaxNote, true, func(r *Record) *string { return &r.Terms.Price })
	add("terms-exclusivity", CodeValue, "terms.exclusivity", func(r *Record) { r.Terms.Exclusivity = "Sole" })
	text("terms-field", "terms.field", MaxShort, false, func(r *Record) *string { return &r.Terms.Field })
	text("terms-territory", "terms.territory", MaxShort, false, func(r *Record) *string { return &r.Terms.Territory })
	add("partner-types-17", CodeTooLarge, "partner.types", func(r *Record) { r.Partner.Types = slices.Repeat([]string{"a"}, 17) })
	text("partner-role", "partner.role", MaxNote, true, func(r *Record) *string { return &r.Partner.Role })
	text("partner-task", "partner.task", MaxNote, true, func(r *Record) *string { return &r.Partner.Task })
	text("partner-area", "partner.area", MaxShort, false, func(r *Record) *string { return &r.Partner.Area })
	add("partner-countries", CodeValue, "partner.countries", func(r *Record) { r.Partner.Countries = []Country{"K1"} })
	text("organisation-name", "organisation.name", MaxOrganisation, false, func(r *Record) *string { return &r.Organisation.Name })
	add("organisation-ror", CodeValue, "organisation.ror", func(r *Record) { r.Organisation.ROR = "03yrm5c27" })
	add("organisation-type", CodeValue, "organisation.type", func(r *Record) { r.Organisation.Type = "X" })
	add("organisation-size", CodeValue, "organisation.size", func(r *Record) { r.Organisation.Size = "X" })
	add("organisation-since", CodeValue, "organisation.since", func(r *Record) { r.Organisation.Since = 99 })
	add("organisation-turnover", CodeValue, "organisation.turnover", func(r *Record) { r.Organisation.Turnover = "1 m" })
	add("certifications-17", CodeTooLarge, "organisation.certifications", func(r *Record) { r.Organisation.Certifications = slices.Repeat([]string{"x"}, 17) })
	add("certification-long", CodeTooLarge, "organisation.certifications[0]", func(r *Record) { r.Organisation.Certifications[0] = long(MaxShort) })
	add("organisation-languages", CodeValue, "organisation.languages", func(r *Record) { r.Organisation.Languages = []Lang{"Thai"} })
	add("people-33", CodeTooLarge, "people", func(r *Record) { r.People = slices.Repeat(r.People[:1], 33) })
	add("person-name", CodeRequired, "people[1].name", func(r *Record) { r.People[1].Name = "" })
	text("person-name", "people[0].name", MaxShort, false, func(r *Record) *string { return &r.People[0].Name })
	add("person-orcid", CodeValue, "people[0].orcid", func(r *Record) { r.People[0].ORCID = "0000-0002-1825-0098" })
	text("person-role", "people[0].role", MaxShort, false, func(r *Record) *string { return &r.People[0].Role })
	text("contact-name", "contact.name", MaxShort, false, func(r *Record) *string { return &r.Contact.Name })
	add("contact-email", CodeValue, "contact.email", func(r *Record) { r.Contact.Email = "office at example.org" })
	add("contact-phone", CodeValue, "contact.phone", func(r *Record) { r.Contact.Phone = "call me" })
	add("contact-url", CodeValue, "contact.url", func(r *Record) { r.Contact.URL = "javascript:alert(1)" })
	text("funding-call", "funding.call", MaxShort, false, func(r *Record) *string { return &r.Funding.Call })
	setting("funding-deadline", CodeValue, "funding.deadline", func(r *Record) { r.Funding.Deadline = -1 })
	add("funding-zone", CodeValue, "funding.zone", func(r *Record) { r.Funding.Zone = "../etc" })
	text("funding-budget", "funding.budget", MaxShort, false, func(r *Record) *string { return &r.Funding.Budget })
	text("funding-eligible", "funding.eligible", MaxNote, true, func(r *Record) *string { return &r.Funding.Eligible })
	add("funding-track", CodeValue, "funding.track", func(r *Record) { r.Funding.Track = "Innovation" })
	add("partners-33", CodeTooLarge, "funding.partners", func(r *Record) { r.Funding.Partners = slices.Repeat(r.Funding.Partners[:1], 33) })
	text("partner-name", "funding.partners[0].name", MaxOrganisation, false, func(r *Record) *string { return &r.Funding.Partners[0].Name })
	add("partner-country", CodeValue, "funding.partners[1].country", func(r *Record) { r.Funding.Partners[1].Country = "" })
	add("partner-type", CodeValue, "funding.partners[0].type", func(r *Record) { r.Funding.Partners[0].Type = "X" })
	add("publications-51", CodeTooLarge, "publications", func(r *Record) { r.Publications = slices.Repeat(r.Publications[:1], 51) })
	add("publication", CodeValue, "publications[1]", func(r *Record) { r.Publications[1] = "https://doi.org/10.1000/182" })
	add("publication-twice", CodeRepeated, "publications[1]", func(r *Record) { r.Publications = []string{"10.1000/a", "10.1000/A"} })
	add("documents-21", CodeTooLarge, "documents", func(r *Record) { r.Documents = slices.Repeat(r.Documents[:1], 21) })
	add("document-hash", CodeRequired, "documents[0].hash", func(r *Record) { r.Documents[0].Hash = Hash{} })
	add("document-twice", CodeRepeated, "documents[1].hash", func(r *Record) { r.Documents[1].Hash = r.Documents[0].Hash })
	add("document-name", CodeRequired, "documents[0].name", func(r *Record) { r.Documents[0].Name = "" })
	add("document-path", CodeValue, "documents[0].name", func(r *Record) { r.Documents[0].Name = `..\a` })
	text("document-name", "documents[0].name", MaxDocumentName, false, func(r *Record) *string { return &r.Documents[0].Name })
	add("document-type", CodeValue, "documents[0].type", func(r *Record) { r.Documents[0].Type = "pdf" })
	add("document-empty", CodeValue, "documents[0].size", func(r *Record) { r.Documents[0].Size = 0 })
	add("document-large", CodeValue, "documents[0].size", func(r *Record) { r.Documents[0].Size = MaxDocument + 1 })
	setting("document-level", CodeValue, "documents[0].level", func(r *Record) { r.Documents[0].Level = "secret" })
	setting("document-invited", CodeValue, "documents[0].level", func(r *Record) { r.Documents[0].Level = LevelInvited })
	text("provenance-system", "provenance.system", MaxShort, false, func(r *Record) *string { return &r.Provenance.System })
	text("provenance-id", "provenance.id", MaxShort, false, func(r *Record) *string { return &r.Provenance.ID })
	add("provenance-imported", CodeValue, "provenance.imported", func(r *Record) { r.Provenance.Imported = maxInstant + 1 })
	text("provenance-licence", "provenance.licence", MaxShort, false, func(r *Record) *string { return &r.Provenance.Licence })
	return all
}

func BenchmarkRecord(b *testing.B) {
	r := fullRecord()
	r.Sections = map[Section]Level{SectionContact: LevelRegistered, SectionTerms: LevelRestricted}
	r.Audience = Audience{Types: []string{"sme"}}
	parts := split(b, r)
	stored := EncodeRecord(r, parts)
	b.Run("split", func(b *testing.B) {
		for b.Loop() {
			if _, err := r.Parts("solar-pump", parts, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read stored", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := DecodeRecord(stored); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read part", func(b *testing.B) {
		for b.Loop() {
			if _, err := DecodePart(parts[0].Bytes()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
