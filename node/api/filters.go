package api

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// maxValues of one filter.
const maxValues = 16

// FilterParams are the filters as query parameters.
type FilterParams struct {
	Kind     []string `query:"kind" enum:"TO,TR,RD,EX,FC,FN" maxItems:"6" doc:"kinds of listing, separated by commas"`
	Country  []string `query:"country" pattern:"^[A-Z][A-Z]$" maxItems:"16" doc:"countries of the listing, ISO 3166-1 alpha-2"`
	Origin   []string `query:"origin" pattern:"^[A-Z][A-Z0-9]{1,15}$" maxItems:"16" doc:"members that published it"`
	TRLMin   int      `query:"trl_min" minimum:"1" maximum:"9" doc:"leaves out listings that state no TRL"`
	TRLMax   int      `query:"trl_max" minimum:"1" maximum:"9" doc:"leaves out listings that state no TRL"`
	FORD     []string `query:"ford" pattern:"^[1-6](\\.[1-9][0-9]?)?$" maxItems:"16" doc:"OECD fields of research; 2 covers 2.4"`
	ISIC     []string `query:"isic" pattern:"^[A-U]([0-9][0-9])?$" maxItems:"16" doc:"ISIC Rev.4 industries; C covers C10"`
	IPC      []string `query:"ipc" pattern:"^[A-H]([0-9][0-9][A-Z]?)?$" maxItems:"16" doc:"patent classes; C12 covers C12N"`
	SDG      []int    `query:"sdg" minimum:"1" maximum:"17" maxItems:"16" doc:"sustainable development goals, by number"`
	Language []string `query:"language" pattern:"^[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,2}$" maxItems:"16" doc:"languages that the listing has a text in, such as th"`
	Expired  bool     `query:"expired" doc:"true keeps listings whose validity has ended"`
}

// FilterRequest is FilterParams in JSON.
type FilterRequest struct {
	Kinds     []string `json:"kinds,omitempty" enum:"TO,TR,RD,EX,FC,FN"`
	Countries []string `json:"countries,omitempty" doc:"of the listing, ISO 3166-1 alpha-2"`
	Origins   []string `json:"origins,omitempty" doc:"members that published it"`
	TRLMin    int      `json:"trl_min,omitempty" minimum:"1" maximum:"9" doc:"leaves out listings that state no TRL"`
	TRLMax    int      `json:"trl_max,omitempty" minimum:"1" maximum:"9" doc:"leaves out listings that state no TRL"`
	FORD      []string `json:"ford,omitempty" doc:"OECD fields of research; 2 covers 2.4"`
	ISIC      []string `json:"isic,omitempty" doc:"ISIC Rev.4 industries; C covers C10"`
	IPC       []string `json:"ipc,omitempty" doc:"patent classes; C12 covers C12N"`
	SDG       []int    `json:"sdg,omitempty" doc:"sustainable development goals, 1 to 17"`
	Languages []string `json:"languages,omitempty" doc:"that the listing has a text in, such as th"`
	Expired   bool     `json:"expired,omitempty" doc:"true keeps listings whose validity has ended"`
}

// Resolve implements huma.Resolver.
func (p *FilterParams) Resolve(huma.Context) []error {
	if p.TRLMin > 0 && p.TRLMax > 0 && p.TRLMin > p.TRLMax {
		return []error{found(protocol.CodeValue, "trl_max", "is below trl_min")}
	}
	return nil
}

func (p *FilterParams) filter(today protocol.Date) match.Filter {
	f := match.Filter{
		Kinds: typed[protocol.Kind](p.Kind), Countries: typed[protocol.Country](p.Country), Origins: typed[protocol.MemberID](p.Origin),
		TRLMin: uint8(p.TRLMin), TRLMax: uint8(p.TRLMax), // 0 to 9
		FORD: p.FORD, ISIC: p.ISIC, IPC: p.IPC, Languages: typed[protocol.Lang](p.Language), IncludeExpired: p.Expired, Today: today,
	}
	for _, n := range p.SDG {
		f.SDG = append(f.SDG, uint16(n)) // 1 to 17
	}
	return f
}

// set writes the filters into an address.
func (p *FilterParams) set(q url.Values) {
	for name, list := range map[string][]string{
		"kind": p.Kind, "country": p.Country, "origin": p.Origin, "ford": p.FORD, "isic": p.ISIC, "ipc": p.IPC, "sdg": numbers(p.SDG), "language": p.Language,
	} {
		if len(list) > 0 {
			q.Set(name, strings.Join(list, ","))
		}
	}
	for name, n := range map[string]int{"trl_min": p.TRLMin, "trl_max": p.TRLMax} {
		if n > 0 {
			q.Set(name, strconv.Itoa(n))
		}
	}
	if p.Expired {
		q.Set("expired", "true")
	}
}

func numbers(list []int) []string {
	var out []string
	for _, n := range list {
		out = append(out, strconv.Itoa(n))
	}
	return out
}

func typed[T ~string](list []string) []T {
	var out []T
	for _, s := range list {
		out = append(out, T(s))
	}
	return out
}

func (a *API) parseFilter(raw []byte, into *match.Filter) protocol.Errors {
	var f FilterRequest
	faults := object(raw, "filter.", map[string]any{
		"kinds": &f.Kinds, "countries": &f.Countries, "origins": &f.Origins, "trl_min": &f.TRLMin, "trl_max": &f.TRLMax, "ford": &f.FORD,
		"isic": &f.ISIC, "ipc": &f.IPC, "sdg": &f.SDG, "languages": &f.Languages, "expired": &f.Expired,
	})
	each := func(field string, list []string, ok func(string) bool, want string) {
		if len(list) > maxValues {
			faults = append(faults, protocol.Errorf(protocol.CodeTooLarge, "filter."+field, "%d values, at most %d", len(list), maxValues))
			return
		}
		for _, s := range list {
			if !ok(s) {
				faults = append(faults, protocol.Errorf(protocol.CodeValue, "filter."+field, "“%s” is not %s", clip(s), want))
			}
		}
	}
	each("kinds", f.Kinds, isKind, "one of TO, TR, RD, EX, FC, FN")
	each("countries", f.Countries, isCountry, "a country such as KH")
	each("origins", f.Origins, func(s string) bool { _, err := protocol.ParseMemberID(s); return err == nil }, "a member such as KH")
	each("ford", f.FORD, isFORD, "a field such as 2 or 2.4")
	each("isic", f.ISIC, func(s string) bool { _, ok := match.ParseISIC(s); return ok }, "an industry such as C or C10")
	each("ipc", f.IPC, func(s string) bool { _, ok := match.ParseIPC(s); return ok }, "a patent class such as C, C12 or C12N")
	each("languages", f.Languages, isLanguage, "a language such as th")
	if slices.ContainsFunc(faults, func(e *protocol.Error) bool { return e.Field == "filter.sdg" }) {
		f.SDG = nil // not numbers
	}
	each("sdg", numbers(f.SDG), func(s string) bool { _, ok := match.ParseSDG(s); return ok }, "a goal from 1 to 17")
	if f.TRLMin < 0 || f.TRLMin > 9 || f.TRLMax < 0 || f.TRLMax > 9 || (f.TRLMax != 0 && f.TRLMin > f.TRLMax) {
		faults = append(faults, protocol.Errorf(protocol.CodeValue, "filter.trl_min", "and trl_max go from 1 to 9, trl_min first"))
	}
	p := FilterParams{
		Kind: f.Kinds, Country: f.Countries, Origin: f.Origins, TRLMin: f.TRLMin, TRLMax: f.TRLMax, FORD: f.FORD,
		ISIC: f.ISIC, IPC: f.IPC, SDG: f.SDG, Language: f.Languages, Expired: f.Expired,
	}
	*into = p.filter(0)
	return faults
}

func isKind(s string) bool { return slices.Contains(protocol.Kinds(), protocol.Kind(s)) }

func isCountry(s string) bool {
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}

func isFORD(s string) bool {
	field, sub, dotted := strings.Cut(s, ".")
	if len(field) != 1 || field < "1" || field > "6" {
		return false
	}
	return !dotted || (len(sub) > 0 && len(sub) <= 2 && strings.Trim(sub, "0123456789") == "" && sub[0] != '0')
}

// isLanguage has the form of a tag such as th or zh-Hant.
func isLanguage(s string) bool {
	const lower, digits = "abcdefghijklmnopqrstuvwxyz", "0123456789"
	parts := strings.Split(s, "-")
	for i, p := range parts {
		if i == 0 && (len(p) < 2 || len(p) > 3 || strings.Trim(p, lower) != "") ||
			p == "" || len(p) > 8 || strings.Trim(strings.ToLower(p), lower+digits) != "" {
			return false
		}
	}
	return len(parts) <= 3
}
