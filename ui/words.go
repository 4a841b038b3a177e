package ui

import (
	"fmt"
	"strconv"
	"time"

	"golang.org/x/text/language"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

// freshness says in words how far a copy can be trusted. Tone is good, wait or bad.
type freshness struct {
	Tone, Short, Long string
	At                string // RFC 3339, for <time>; may be empty
}

func fresh(f exchange.Freshness, now time.Time) freshness {
	heard := "never"
	out := freshness{}
	if f.LastHeard != 0 {
		out.At = f.LastHeard.Time().Format(time.RFC3339)
		heard = ago(now.Sub(f.LastHeard.Time()))
	}
	switch f.State {
	case exchange.Own:
		out.Tone, out.Short, out.Long = "good", "published here", "This node is the origin of this listing."
	case exchange.Proven:
		out.Tone, out.Short = "good", "proven, heard "+heard
		out.Long = "This copy is equal to what its origin signed. The origin was last heard " + heard + "."
	case exchange.CatchingUp:
		out.Tone, out.Short = "wait", "catching up"
		out.Long = "Newer changes of this origin are being fetched; the catalogue as a whole is not proven yet."
	case exchange.Stale:
		since := "ever"
		if f.LastHeard != 0 {
			since = moment(f.LastHeard)
		}
		out.Tone, out.Short = "bad", "stale: not heard since "+since
		out.Long = "The origin has not been heard since " + since + ". What is shown may be out of date."
	case exchange.Disputed:
		out.Tone, out.Short = "bad", "disputed"
		out.Long = "What the origin signed is in dispute. The copy is frozen as it stood."
	default:
		out.Tone, out.Short, out.Long = "bad", "never heard", "Nothing was ever received from this origin."
	}
	return out
}

func ago(d time.Duration) string {
	for _, u := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := int(d / u.size); n >= 1 {
			return count(n, u.name) + " ago"
		}
	}
	return "just now"
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

// number groups digits by thin spaces that do not break: 12 345.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

func moment(i protocol.Instant) string {
	if i == 0 {
		return ""
	}
	return i.Time().Format("2 Jan 2006, 15:04 UTC")
}

func day(d protocol.Date) string {
	if d == 0 {
		return ""
	}
	return d.Time().Format("2 January 2006")
}

// preferred are the visitor's languages that listings may be written in, best first.
func preferred(acceptLanguage string) (langs []protocol.Lang) {
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return nil
	}
	for _, t := range tags {
		b, _ := t.Base()
		langs = append(langs, protocol.Lang(t.String()), protocol.Lang(b.String()))
	}
	return langs[:min(len(langs), 20)]
}

// label of a code, with the code itself behind it where that says more.
func label(in codes.List, code string) string {
	if l := in.Label(code); l != "" {
		return l
	}
	return code
}

func coded(in codes.List, code string) string {
	l := in.Label(code)
	if l == "" {
		if p := in.Parent(code); p != "" {
			return fmt.Sprintf("%s (%s, within %s)", in.Label(p), code, p)
		}
		return code
	}
	return l + " (" + code + ")"
}

// languageName in the language itself and in English.
func languageName(l protocol.Lang) (own, english string) {
	all := codes.Language()
	own, english = all.Parent(string(l)), all.Label(string(l))
	if own == "" {
		return string(l), string(l)
	}
	return own, english
}
