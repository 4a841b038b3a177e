package lang

import (
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/protocol"
)

// Names of what has a code: code lists, countries, languages, reasons of refusal.

// Label is the name of a code in one of the lists of configs/codes, which goes by the name of its file: kind, ford, isic, sdg, trl,
// cooperation, organisation, ipr, country, language and the others. It is English where the language lacks it, and the code itself
// where there is no such code.
func (p *Printer) Label(list, code string) Text {
	switch list {
	case "country":
		return p.Country(code)
	case "language":
		return p.Language(code)
	}
	if t, ok := p.quiet(list + "." + code); ok {
		return t
	}
	if own := codes.LabelIn(string(p.tag), list, code); own != "" {
		return Text{Lang: string(p.tag), Text: own}
	}
	return p.english(listOf(list).Label(code), code)
}

// quiet is Text without a miss, and tells whether the key is in this language.
func (p *Printer) quiet(key string) (Text, bool) {
	if m := p.bundle.messages[p.tag][key]; m != nil && m.ready {
		return Text{Lang: string(p.tag), Text: m.Other}, true
	}
	return Text{}, false
}

func (p *Printer) english(name, code string) Text {
	if name == "" {
		return Text{Lang: string(p.tag), Text: code}
	}
	return Text{string(English), name, p.tag != English}
}

// Country is the name of a country. Those of the members of ASEAN are ours, the others CLDR's.
func (p *Printer) Country(code string) Text {
	if t, ok := p.quiet("country." + code); ok {
		return t
	}
	name := codes.Country().Label(code)
	if p.tag == English || p.tag == "tet" || name == "" {
		return p.english(name, code)
	}
	if r, err := language.ParseRegion(code); err == nil {
		if s := display.Regions(p.display()).Name(r); s != "" {
			return Text{Lang: string(p.tag), Text: s}
		}
	}
	return p.english(name, code)
}

// Language is the name of a language; Tag.Own is its name in itself.
func (p *Printer) Language(code string) Text {
	if t, ok := p.quiet("language." + code); ok {
		return t
	}
	name := codes.Language().Label(code)
	if p.tag == English || p.tag == "tet" || name == "" {
		return p.english(name, code)
	}
	if s := display.Languages(p.display()).Name(language.MustParse(code)); s != "" {
		return Text{Lang: string(p.tag), Text: s}
	}
	return p.english(name, code)
}

// display is the tag under which CLDR has the names. Not asked for Tetum, of which it has none.
func (p *Printer) display() language.Tag {
	if p.tag == "pt" {
		return language.EuropeanPortuguese
	}
	return language.MustParse(string(p.tag))
}

func listOf(name string) codes.List {
	switch name {
	case "ford":
		return codes.FORD()
	case "isic":
		return codes.ISIC()
	case "ipc":
		return codes.IPC()
	case "sdg":
		return codes.SDG()
	case "trl":
		return codes.TRL()
	case "kind":
		return codes.Kind()
	case "ipr":
		return codes.IPR()
	case "cooperation":
		return codes.Cooperation()
	case "organisation":
		return codes.Organisation()
	case "size":
		return codes.Size()
	case "right":
		return codes.Right()
	case "terms":
		return codes.Terms()
	case "exclusivity":
		return codes.Exclusivity()
	case "turnover":
		return codes.Turnover()
	case "track":
		return codes.Track()
	case "office":
		return codes.Office()
	}
	return codes.List{}
}

// Problem says what an error's code means to people, and what to do next. Codes after which people do the same have the same words.
func (p *Printer) Problem(code protocol.Code) (title, next Text) {
	group := problemGroup(code)
	return p.Text("problem." + group + ".title"), p.Text("problem." + group + ".next")
}

func problemGroup(code protocol.Code) string {
	switch code {
	case protocol.CodeTruncated, protocol.CodeOrder, protocol.CodeRepeated, protocol.CodeVarint, protocol.CodeZero, protocol.CodeWireType, protocol.CodeLength:
		return "damaged"
	case protocol.CodeKey, protocol.CodeSignature, protocol.CodeBody, protocol.CodeThreshold, protocol.CodeChain, protocol.CodePrevious,
		protocol.CodeCount, protocol.CodeDigest, protocol.CodeHolder, protocol.CodeUnprovenFinal:
		return "unproven"
	case protocol.CodeReplayed, protocol.CodeGap, protocol.CodeEpoch, protocol.CodeFloor, protocol.CodeRestart:
		return "behind"
	case protocol.CodeVersion, protocol.CodeConflict:
		return "conflict"
	case protocol.CodeUnknown, protocol.CodeRequired, protocol.CodeTooLarge, protocol.CodeText, protocol.CodeValue, protocol.CodeFederation,
		protocol.CodeOrigin, protocol.CodeCharter, protocol.CodeFork, protocol.CodeQuota, protocol.CodeNotFound, protocol.CodeUnavailable,
		protocol.CodeReadOnly, protocol.CodeWithdrawn, protocol.CodeNotPermitted:
		return string(code)
	}
	return "internal"
}
