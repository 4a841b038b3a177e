package posting

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/protocol"
)

// longest validity from today on, in months.
const longest = 24

// validate reports every fault that hinders submitting; those of the full record under "record.".
func (c *Content) validate(h *Posting, today protocol.Date) error {
	l := &c.Listing
	all := slices.Clone(protocol.All(l.Validate()))
	all = append(all, unlisted(l)...)
	for _, e := range protocol.All(c.Record.Validate()) {
		x := *e
		x.Field = "record." + x.Field
		all = append(all, &x)
	}
	add := func(field, format string, args ...any) {
		all = append(all, protocol.Errorf(protocol.CodeValue, field, format, args...))
	}
	switch {
	case l.ValidUntil != 0 && l.ValidUntil < today:
		add("valid_until", "%s is past: give a day to come, or leave it out for a year", l.ValidUntil)
	case l.ValidUntil > later(today, longest):
		add("valid_until", "%s is more than %d months ahead: give an earlier day, and renew the listing in time", l.ValidUntil, longest)
	}
	if h.Live != None {
		if l.Kind != h.Kind || l.Country != h.Country {
			add("kind", "a published listing keeps its kind and country, %s and %s: withdraw it, and write a new one", h.Kind, h.Country)
		}
		if h.Level != protocol.LevelInvited && c.Record.Visibility() == protocol.LevelInvited {
			add("record.level", "the listing is in the catalogue, so it cannot become one for invited readers alone: withdraw it, and write a new one")
		}
	}
	if len(all) > 0 {
		return all
	}
	return nil
}

// unlisted names codes that stand in no list.
func unlisted(l *protocol.Listing) (faults []*protocol.Error) {
	check := func(field string, list codes.List, all ...string) {
		for _, c := range all {
			if c != "" && !list.Has(c) {
				faults = append(faults, protocol.Errorf(protocol.CodeValue, field, "“%s” is not in the code list: choose one that is", clip(c, 40)))
			}
		}
	}
	check("country", codes.Country(), string(l.Country))
	check("organisation.type", codes.Organisation(), l.Organisation.Type)
	check("organisation.size", codes.Size(), l.Organisation.Size)
	check("ipr", codes.IPR(), bounded(l.IPR)...)
	check("cooperation", codes.Cooperation(), bounded(l.Cooperation)...)
	check("seeks.types", codes.Organisation(), bounded(l.Seeks.Types)...)
	for _, c := range bounded(l.Seeks.Countries) {
		check("seeks.countries", codes.Country(), string(c))
	}
	check("ford", codes.FORD(), bounded(l.FORD)...)
	check("isic", codes.ISIC(), bounded(l.ISIC)...)
	check("ipc", codes.IPC(), bounded(l.IPC)...)
	for _, n := range bounded(l.SDG) {
		check("sdg", codes.SDG(), strconv.Itoa(int(n)))
	}
	return faults
}

// bounded leaves out what a list has too much: Validate names that.
func bounded[T any](list []T) []T { return list[:min(len(list), protocol.MaxCodes)] }

// text takes a note or comment as somebody typed it.
func text(field, s string, most int) (string, error) {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
	switch {
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
	}):
		return "", protocol.Errorf(protocol.CodeText, field, "holds control or direction-changing characters, or is not UTF-8: type it anew")
	case utf8.RuneCountInString(s) > most:
		return "", protocol.Errorf(protocol.CodeTooLarge, field, "%d characters, at most %d: shorten it", utf8.RuneCountInString(s), most)
	}
	return s, nil
}

func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
