package lang

import (
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// Which language a visitor is shown.

// Known reports whether a language of the interface goes by that tag.
func Known(tag string) bool { return slices.Contains(Tags(), Tag(tag)) }

// mostAccepted bounds the header that is read: browsers send fewer than a hundred bytes.
const mostAccepted = 1000

// Match is the language to show: the one asked for in the address, else the one chosen before, else the first that the browser
// names and that we have, else English. All three come from the visitor and may be anything.
//
// The variety does not matter but for Chinese: those who read traditional characters get simplified ones only if they name no
// other language of ours.
func (b *Bundle) Match(acceptLanguage, cookie, query string) Tag {
	for _, chosen := range []string{query, cookie} {
		if Known(chosen) {
			return Tag(chosen)
		}
	}
	if len(acceptLanguage) > mostAccepted {
		return English
	}
	tags, qualities, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return English
	}
	var second Tag
	for i, t := range tags {
		base, confidence := t.Base()
		if qualities[i] <= 0 || confidence == language.No || strings.HasPrefix(t.String(), "und") || strings.HasPrefix(t.String(), "mul") {
			continue
		}
		script, _ := t.Script()
		switch ours := Tag(base.String()); {
		case !Known(string(ours)):
		case ours == "zh" && script.String() == "Hant":
			second = ours
		default:
			return ours
		}
	}
	if second != "" {
		return second
	}
	return English
}
