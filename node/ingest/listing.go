// Package ingest takes listings in from outside, and their full records. This file is its one door for a listing in JSON form,
// record.go that for a full record; every format ends there, so that what an origin may sign is judged in one place.
package ingest

import (
	"strconv"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/protocol"
)

// DecodeListingJSON reads one listing in protocol.Listing's JSON form, as strictly as its origin must before it signs:
// every member has to be one of the form's, of the right type, once; every code has to stand in its list (configs/codes);
// and protocol's own Validate has to agree. Members that are null are read as absent.
//
// An error is a protocol.Errors with every fault found, in the order of the form's members. What was sent is quoted back
// only shortened.
func DecodeListingJSON(b []byte) (*protocol.Listing, error) {
	root, fault := parse("listing", b)
	if fault != nil {
		return nil, protocol.Errors{fault}
	}
	return decodeListing(root)
}

func decodeListing(root node) (*protocol.Listing, error) {
	l := new(protocol.Listing)
	r := form{what: "listing"}
	if _, ok := root.value.([]member); !ok {
		r.wrongType("listing", root, "an object in { }")
		return nil, r.faults
	}
	r.object("", root, listingForm(&r, l))
	r.codes(l)
	if err := r.judged(l.Validate(), memberNames()); err != nil {
		return nil, err
	}
	return l, nil
}

// memberNames of a listing, in the order in which its form and its faults are shown.
func memberNames() []string {
	return []string{
		"id", "kind", "country", "region", "texts", "organisation", "trl", "ipr", "cooperation", "seeks", "ford", "isic", "ipc",
		"sdg", "published", "valid_until", "url", "full", "demonstration", "updated",
		"full_registered", "full_restricted",
	}
}

const digits64 = "64 hexadecimal digits in quotes"

func listingForm(r *form, l *protocol.Listing) members {
	return members{
		"id": text(r, &l.ID), "kind": text(r, &l.Kind), "country": text(r, &l.Country), "region": text(r, &l.Region),
		"texts": func(at string, n node) {
			byLang(r, at, n, &l.Texts, func(t *protocol.Text) members {
				return members{"title": text(r, &t.Title), "value": text(r, &t.Value), "abstract": text(r, &t.Abstract), "keywords": texts(r, &t.Keywords)}
			})
		},
		"organisation": func(at string, n node) {
			o := &l.Organisation
			r.object(at, n, members{"name": text(r, &o.Name), "type": text(r, &o.Type), "size": text(r, &o.Size)})
		},
		"trl": whole(r, &l.TRL, 8),
		"ipr": texts(r, &l.IPR), "cooperation": texts(r, &l.Cooperation),
		"seeks": func(at string, n node) {
			r.object(at, n, members{"types": texts(r, &l.Seeks.Types), "countries": texts(r, &l.Seeks.Countries)})
		},
		"ford": texts(r, &l.FORD), "isic": texts(r, &l.ISIC), "ipc": texts(r, &l.IPC),
		"sdg": func(at string, n node) {
			for i, e := range r.list(at, n) {
				var goal uint16
				whole(r, &goal, 8)(element(at, i), e)
				l.SDG = append(l.SDG, goal)
			}
		},
		"published": read(r, &l.Published, aDate), "valid_until": read(r, &l.ValidUntil, aDate),
		"url": text(r, &l.URL), "full": read(r, &l.Full, digits64),
		"full_registered": read(r, &l.FullRegistered, digits64), "full_restricted": read(r, &l.FullRestricted, digits64),
		"demonstration": truth(r, &l.Demonstration),
		"updated":       read(r, &l.Updated, aTime),
	}
}

// codes judges every code against its list.
func (r *form) codes(l *protocol.Listing) {
	for _, lang := range l.Languages()[:min(len(l.Texts), protocol.MaxLanguages)] {
		r.code("texts."+clip(string(lang)), string(lang), codes.Language(), languages, "th")
	}
	r.code("kind", string(l.Kind), codes.Kind(), "the kinds of listing", "TO")
	r.code("country", string(l.Country), codes.Country(), "the countries (ISO 3166-1 alpha-2)", "KH")
	r.code("organisation.type", l.Organisation.Type, codes.Organisation(), "the types of organisation", "university")
	r.code("organisation.size", l.Organisation.Size, codes.Size(), "the sizes of organisation", "small")
	r.each("ipr", l.IPR, codes.IPR(), "the states of protection (IPR)", "patent-granted")
	r.each("cooperation", l.Cooperation, codes.Cooperation(), "the forms of cooperation", "licence")
	r.each("seeks.types", l.Seeks.Types, codes.Organisation(), "the types of organisation", "sme")
	r.each("seeks.countries", plain(l.Seeks.Countries), codes.Country(), "the countries (ISO 3166-1 alpha-2)", "LA")
	r.each("ford", l.FORD, codes.FORD(), "the fields of research (OECD FORD)", "2.4")
	r.each("isic", l.ISIC, codes.ISIC(), "the industries (ISIC Rev.4)", "C10")
	r.each("ipc", l.IPC, codes.IPC(), "the patent classes (IPC)", "C12N")
	for i, n := range l.SDG[:min(len(l.SDG), protocol.MaxCodes)] {
		r.code(element("sdg", i), strconv.Itoa(int(n)), codes.SDG(), "the sustainable development goals (SDG)", "7")
	}
}
