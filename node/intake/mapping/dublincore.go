package mapping

// DublinCore is the mapping that records in oai_dc begin with. The country is for the organisation to give (SetConstant); until
// then it does not pass Validate. The organisation is not taken from dc:publisher, which is mostly that of the journal.
func DublinCore() Mapping {
	return Mapping{
		Title: "Dublin Core",
		ID:    []string{"", "dc:identifier"},
		Rules: []Rule{
			{To: pathKind, Constant: "TO"},
			{To: pathCountry},
			{To: "listing.texts.*.title", From: []string{"dc:title"}, Cut: true},
			{To: "listing.texts.*.abstract", From: []string{"dc:description"}, Join: "\n\n", Cut: true},
			{To: "listing.texts.*.keywords", From: []string{"dc:subject"}, Split: "; ,", Cut: true},
			{To: "listing.published", From: []string{"dc:date"}, Fit: true},
			{To: "listing.url", From: []string{"dc:identifier", "dc:relation"}, Fit: true},
			{To: "record.people", From: []string{"dc:creator", "dc:contributor"}, Cut: true},
			{To: "record.publications", From: []string{"dc:identifier", "dc:relation"}, Fit: true, Cut: true},
			{To: "record.provenance.id", From: []string{""}, Cut: true},
			{To: "record.provenance.licence", From: []string{"dc:rights"}, Cut: true},
		},
	}
}
