package ui

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

func TestTeaserIsCutBetweenWordsOrCharacters(t *testing.T) {
	for name, text := range map[string]string{
		"words": strings.Repeat("drying fish ", 60), "thai": strings.Repeat("เครื่องอบแห้งปลาที่น้ำ", 30), "khmer": strings.Repeat("ស្រ្តីសម្ងួតត្រី", 40),
		"burmese": strings.Repeat("ငါးအခြောက်ခံစက်က္က", 40), "one letter": strings.Repeat("x", 900),
	} {
		got := whole(snippet(nil, plain(text)))
		cut := strings.TrimSuffix(got, "…")
		if cut == got || utf8.RuneCountInString(cut) > teaserLength || utf8.RuneCountInString(cut) < teaserLength-60 || !strings.HasPrefix(text, cut) {
			t.Errorf("%s: %q", name, got)
		}
		last, _ := utf8.DecodeLastRuneInString(cut)
		next, _ := utf8.DecodeRuneInString(text[len(cut):])
		if joined(last, next) || (name == "words" && next != ' ') {
			t.Errorf("%s: cut between %q and %q", name, last, next)
		}
	}
	if got := whole(snippet(plain("Short."), plain("Long\nstory"))); got != "Short. Long story" {
		t.Errorf("got %q", got)
	}
}

// whole is the text of the pieces.
func whole(pieces []match.Piece) string {
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.Text)
	}
	return b.String()
}

func TestFreshnessInWords(t *testing.T) {
	b, err := lang.Open()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_790_000_000, 0)
	heard := protocol.InstantOf(now.Add(-3 * time.Minute))
	for state, want := range map[exchange.CopyState][2]string{
		exchange.Own: {"own", "Published here"}, exchange.Proven: {"proven", "Proven, heard 3 minutes ago"}, exchange.CatchingUp: {"catching-up", "Catching up"},
		exchange.Stale: {"stale", "Stale: not heard since 21 September 2026, 14:10 UTC"}, exchange.Disputed: {"disputed", "Disputed"}, exchange.Unheard: {"never", "Never heard"},
	} {
		f := fresh(b.Printer(lang.English), exchange.Freshness{State: state, LastHeard: heard}, now)
		if f.Class != want[0] || string(f.Short) != want[1] || f.Long == "" {
			t.Errorf("%s: %+v, want %q", state, f, want)
		}
	}
	f := fresh(b.Printer("th"), exchange.Freshness{State: exchange.Stale, LastHeard: heard}, now)
	if !strings.Contains(string(f.Short), "2569") {
		t.Errorf("in Thai: %s", f.Short)
	}
}

func TestTeaserShowsWhatWasFound(t *testing.T) {
	for name, before := range map[string]string{"words": strings.Repeat("drying fish ", 60), "thai": strings.Repeat("เครื่องอบแห้งปลาที่น้ำ", 30), "near": "short "} {
		got := snippet(nil, []match.Piece{{Text: before}, {Text: "membrane", Hit: true}, {Text: strings.Repeat(" later", 90)}})
		hits, all := 0, whole(got)
		for _, p := range got {
			if p.Hit {
				hits++
			}
		}
		if n := utf8.RuneCountInString(all); hits != 1 || n > teaserLength+2 || strings.HasPrefix(all, "…") == (name == "near") || !strings.HasSuffix(all, "…") {
			t.Errorf("%s: %d hits, %d characters: %s", name, hits, n, all)
		}
		first, _ := utf8.DecodeRuneInString(strings.TrimPrefix(all, "…"))
		if joined('ก', first) {
			t.Errorf("%s: begins within a character: %s", name, all)
		}
	}
}

func TestSpeechIsCutByScript(t *testing.T) {
	for s, want := range map[string]string{
		"plain words": "plain words|",
		"shares “โซลาร์เซลล์” (solar cell)": "shares “|โซลาร์เซลล์|th” (solar cell)|",
		"“น้ำ”, “ปลา” และ rice":             "“|น้ำ”, “ปลา” และ|th rice|",
		"太阳能 ភាសា":                          "太阳能|zh |ភាសា|km",
		"":                                  "",
	} {
		got := ""
		for _, p := range spoken(s) {
			got += p.Text + "|" + string(p.Lang)
		}
		if got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
}
