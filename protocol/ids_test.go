package protocol

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// parses runs a table of texts, those before the bar accepted.
func parses[T ~string](t *testing.T, parse func(string) (T, error), good, bad []string) {
	t.Helper()
	for _, s := range good {
		if got, err := parse(s); err != nil || string(got) != s {
			t.Errorf("%q: %q, %v; want it accepted as it is", s, got, err)
		}
	}
	for _, s := range bad {
		if got, err := parse(s); CodeOf(err) != CodeValue || got != "" {
			t.Errorf("%q: %q, %v; want it refused as a value", s, got, err)
		}
	}
}

func TestParse(t *testing.T) {
	parses(t, ParseMemberID, []string{"KH", "SEC", "A1", strings.Repeat("A", 16)},
		[]string{"", "K", "kh", "1A", "K-H", "KÉ", "K H", strings.Repeat("A", 17), "KH\x00"})
	parses(t, ParseRecordKey, []string{"a", "listing/x", "report/2026-09/r1", "!", "~", strings.Repeat("k", 128)},
		[]string{"", " ", "a b", "é", "a\x7f", "a\n", strings.Repeat("k", 129)})
	parses(t, ParseListingID, []string{"a", "A-._~9", "...", strings.Repeat("a", 64)},
		[]string{"", ".", "..", "a/b", "a b", "é", "a%20", strings.Repeat("a", 65)})
}

func TestListingIDOf(t *testing.T) {
	if id, ok := ListingIDOf(ListingID("x").Key()); id != "x" || !ok {
		t.Errorf("got %q, %v", id, ok)
	}
	if _, ok := ListingIDOf("report/2026-09/r1"); ok {
		t.Error("a report is taken for a listing")
	}
}

func TestPositionOrder(t *testing.T) {
	ascending := []Position{{}, {0, 9}, {1, 0}, {1, 1}, {1, 1 << 60}, {2, 0}}
	for i, p := range ascending {
		for j, q := range ascending {
			if got, want := p.Compare(q), sign(i-j); got != want {
				t.Errorf("%s against %s: %d, want %d", p, q, got, want)
			}
		}
	}
}

func sign(n int) int { return min(1, max(-1, n)) }

func TestDateText(t *testing.T) {
	for text, want := range map[string]Date{"": 0, "1970-01-02": 1, "2000-02-29": 11016, "2026-09-14": 20710, "9999-12-31": maxDate} {
		var d Date
		if err := d.UnmarshalText([]byte(text)); err != nil || d != want || d.String() != text {
			t.Errorf("%q: %d (%s), %v; want %d", text, d, d, err, want)
		}
	}
	for _, text := range []string{"1970-01-01", "1969-12-31", "0000-01-01", "2026-9-14", "2026-02-29", "10000-01-01", "14.9.2026", "2026-09-14T00:00:00Z", " "} {
		var d Date
		if err := d.UnmarshalText([]byte(text)); CodeOf(err) != CodeValue {
			t.Errorf("%q: %v, want it refused as a value", text, err)
		}
	}
	if got := Date(20710).Month(); got != "2026-09" {
		t.Errorf("month %q", got)
	}
	if got := DateOf(time.Date(2026, 9, 14, 23, 59, 59, 0, time.UTC)); got != 20710 {
		t.Errorf("the end of a day is on day %d", got)
	}
}

func TestInstantText(t *testing.T) {
	for text, want := range map[string]Instant{"null": 0, `""`: 0, `"2026-09-01T00:00:00Z"`: corpusTime,
		`"2026-09-01T07:00:00+07:00"`: corpusTime, `"2026-09-01T00:00:00.9Z"`: corpusTime, `"9999-12-31T23:59:59Z"`: maxInstant} {
		var i Instant
		if err := json.Unmarshal([]byte(text), &i); err != nil || i != want {
			t.Errorf("%s: %d, %v; want %d", text, i, err, want)
		}
	}
	for _, text := range []string{`"2026-09-01"`, `"now"`, `12`, `"2026-13-01T00:00:00Z"`} {
		var i Instant
		if err := json.Unmarshal([]byte(text), &i); err == nil {
			t.Errorf("%s is accepted as %d", text, i)
		}
	}
	if b, _ := json.Marshal(corpusTime); string(b) != `"2026-09-01T00:00:00Z"` {
		t.Errorf("written %s", b)
	}
}

func TestHashText(t *testing.T) {
	for _, h := range []Hash{{}, Sum(nil)} {
		b, err := h.MarshalText()
		var again Hash
		if err != nil || again.UnmarshalText(b) != nil || again != h {
			t.Errorf("%s is read back as %s", h, again)
		}
	}
	var h Hash
	for _, s := range []string{"00", strings.Repeat("z", 64), strings.Repeat("0", 66)} {
		if h.UnmarshalText([]byte(s)) == nil {
			t.Errorf("%q is accepted", s)
		}
	}
}

func TestLangForm(t *testing.T) {
	for _, s := range []Lang{"en", "fil", "zh-Hant", "km-KH", "sr-Latn-RS"} {
		if !s.wellFormed() {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range []Lang{"", "e", "EN", "engl", "en-", "-en", "en--GB", "en_GB", "en-abcdefghi", "zh-Hant-aaaaaaaa-bbbbb"} {
		if s.wellFormed() {
			t.Errorf("%q is accepted", s)
		}
	}
}

func TestPublicKeyText(t *testing.T) {
	want := governance("KH").Public()
	b, _ := want.MarshalText()
	var got PublicKey
	if err := got.UnmarshalText(b); err != nil || got != want {
		t.Errorf("%s is read back as %s: %v", want, got, err)
	}
	for name, k := range badKeys() {
		if err := got.UnmarshalText([]byte(k.String())); CodeOf(err) != CodeKey {
			t.Errorf("%s: %v, want it refused as a key", name, err)
		}
	}
}
