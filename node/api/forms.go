package api

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/protocol"
)

// What the members of a listing and of its full record mean. Their types belong to protocol, which knows nothing of huma, so
// the description gets the words here.

// listed names the codes of a short list.
func listed(what string, l codes.List) string {
	var all []string
	for _, c := range l.All() {
		all = append(all, c.Code)
	}
	return what + ": " + strings.Join(all, ", ")
}

func upTo(n int, what string) string { return fmt.Sprintf("%s; at most %d characters", what, n) }

func meanings() map[string]map[string]string {
	const country = "two letters of ISO 3166-1, such as KH"
	organisations, kinds := listed("types of organisation", codes.Organisation()), listed("technology offer, technology request, research partner, expertise, facility, funding call", codes.Kind())
	protected := listed("states of protection", codes.IPR())
	level := "from which on it is shown: public (to everybody), registered (to who is signed in at a member's node), restricted (of those, to the audience) or invited (to whom the owner names; the whole listing)"
	return map[string]map[string]string{
		"Listing": {
			"id": "letters, digits and - . _, for ever the same; the node gives it to drafts", "kind": kinds, "country": "of the listing, " + country, "region": "ISO 3166-2, such as KH-12",
			"texts": "by language (BCP 47, such as km); one at least, best English among them", "trl": "technology readiness, 1 to 9",
			"ipr": protected, "cooperation": listed("forms of cooperation", codes.Cooperation()),
			"ford": "fields of research (OECD FORD), such as 2.7", "isic": "industries (ISIC rev. 4), such as E36", "ipc": "patent classes (IPC), such as C02F",
			"sdg": "development goals, 1 to 17", "published": "the node sets it", "valid_until": "a day, such as 2027-09-14; a year ahead where it is absent", "updated": "the node sets it",
			"url": "of a page about it", "demonstration": "true where it is invented",
			"full": "hash of the public part of the full record; the node sets it", "full_registered": "likewise of what is for people signed in", "full_restricted": "likewise of what is for the audience",
		},
		"Text": {
			"title": upTo(protocol.MaxTitle, "names the technology and its use"), "value": upTo(protocol.MaxValue, "what a user gains, in a sentence"),
			"abstract": upTo(protocol.MaxAbstract, "what it is, what it does, and for whom"), "keywords": fmt.Sprintf("at most %d", protocol.MaxKeywords),
		},
		"Organisation": {"name": "may be absent", "type": organisations, "size": listed("size classes", codes.Size())},
		"Seeks":        {"types": organisations, "countries": country + "; empty: any"},
		"Record": {
			"level": level + "; registered where it is absent", "sections": "those that are shown from a higher level on than the record's: its member here and the level",
			"audience": "of what is restricted", "texts": "by language", "comparison": "with what is in use today, in figures", "stage": upTo(protocol.MaxNote, "of development, in words"),
			"publications": "DOIs, such as 10.1000/182", "people": "who made it or answers for it", "contact": "who answers: an office rather than a person; where it is absent, the organisation's desk if the listing names the organisation, else the agency",
			"organisation": "behind the listing, in full", "partner": "that is sought", "funding": "of a call, or of a consortium that applies", "terms": "on which the owner would deal",
			"controls": "by law that a partner has to know of", "provenance": "of a listing that came from another system", "documents": "sent to the draft first", "rights": "that protect it",
		},
		"RecordText": {
			"description": upTo(protocol.MaxDescription, "in full"), "problem": upTo(protocol.MaxPassage, "that it solves, or that wants a solution"),
			"advantages": upTo(protocol.MaxPassage, "over what is in use"), "applications": upTo(protocol.MaxShort, "uses, one an item"),
		},
		"Comparison": {"metric": "what is measured", "baseline": "of what is in use", "evidence": "where the figures come from"},
		"Right": {
			"type": protected, "office": "of two letters (WIPO ST.3), such as KH or WO", "number": "may stay out", "date": "such as 2025-03-01", "status": listed("states of a right", codes.Right()),
		},
		"Terms": {
			"models": listed("ways to pay", codes.Terms()), "exclusivity": listed("kinds", codes.Exclusivity()), "price": "a remark", "field": "of use", "territory": "in words",
		},
		"Partner": {"types": organisations, "area": "of activity", "countries": country},
		"Owner": {
			"type": organisations, "size": listed("size classes", codes.Size()), "turnover": listed("bands", codes.Turnover()), "since": "the year",
			"ror": "such as 03yrm5c26", "transnational": "has worked across borders before", "languages": "BCP 47, such as km",
		},
		"Person":        {"orcid": "such as 0000-0002-1825-0097", "role": "in words, such as inventor"},
		"Funding":       {"call": "the funder's id", "zone": "in which the deadline is meant, such as Asia/Bangkok", "track": listed("tracks", codes.Track()), "eligible": "who may apply"},
		"FundedPartner": {"country": country, "type": organisations, "eligible": "for money of this call"},
		"Document":      {"hash": "SHA-256 of its bytes", "preview": "hash of a small picture of it", "level": "where it is above that of the section"},
		"Audience":      {"types": organisations + "; empty: any", "countries": country + "; empty: any"},
		"Controls":      {"export": "export control or dual use", "nagoya": "genetic resources under the Nagoya Protocol"},
	}
}

// explainForms writes the meanings into the description, and gives drafts a form in which nothing is required.
func explainForms(all map[string]*huma.Schema) {
	for name, members := range meanings() {
		s := all[name]
		if s == nil { // of a node without people
			continue
		}
		for member, words := range members {
			p := s.Properties[member]
			if p.Ref == "" { // beside a reference nothing else counts in all tools, so the words are its own copy's
				p.Description = words
				continue
			}
			s.Properties[member] = &huma.Schema{Description: words, AllOf: []*huma.Schema{p}}
		}
	}
	if all["DraftRequest"] == nil {
		return
	}
	draft := *all["Listing"]
	draft.Description = "A listing that is being written: what is absent can be added later."
	draft.Required, draft.Properties = nil, maps.Clone(draft.Properties)
	for _, set := range []string{"id", "full", "full_registered", "full_restricted", "published", "updated"} {
		delete(draft.Properties, set)
	}
	draft.Properties["country"] = &huma.Schema{Type: huma.TypeString, Description: "two letters of ISO 3166-1; that of the author's organisation where it is absent"}
	all["ListingDraft"] = &draft
	for _, name := range []string{"DraftRequest", "ContentRequest"} {
		all[name].Properties["listing"] = &huma.Schema{Ref: "#/components/schemas/ListingDraft"}
	}
	scores := all["PostingScores"]
	words := map[string]string{
		"advantages": "what is new, and better than what is in use", "clarity": "can it be understood, does it hold together",
		"cooperation": "is it said what is expected of a partner", "guidelines": "are they followed, is the language right",
	}
	for _, member := range slices.Sorted(maps.Keys(words)) {
		scores.Properties[member].Description = "0 to 5: " + words[member]
	}
}
