package text

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// shared reads lines of the data that nobody here wrote.
func shared(t testing.TB, name string) []string {
	t.Helper()
	b, err := os.ReadFile("../../../../shared/data/" + name)
	if err != nil {
		t.Skip("needs ../shared/data/" + name + " beside the repository")
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

func TestZawgyi(t *testing.T) {
	for zg, want := range map[string]string{
		"ေရသန္႔စင္စနစ္":                     "ရေသန့်စင်စနစ်",
		"စက္႐ုံမ်ားအတြက္ နည္းပညာ":           "စက်ရုံများအတွက် နည်းပညာ",
		"ကၽြန္ေတာ္ အဂၤလိပ္စာ ျမန္မာ ပစၥည္း": "ကျွန်တော် အင်္ဂလိပ်စာ မြန်မာ ပစ္စည်း",
		"ေနေရာင္ျခည္ျဖင့္ AI ၂၅ kW":         "နေရောင်ခြည်ဖြင့် AI ၂၅ kW",
	} {
		if got := Normalise(zg); got != Normalise(want) || zawgyi([]rune(want)) {
			t.Errorf("%s: %s (%+q), want %s (%+q)", zg, got, got, want, want)
		}
	}
}

// slipped finds typing that the other tool stumbles over: E after its letter, KINZI after a vowel ("အဂါၤ" for "အဂၤါ").
var slipped = regexp.MustCompile("[\u102b-\u1032\u103a-\u103d]\u1064|\u1031[\u1037\u1094\u1095\u1038\u102b-\u1030\u103c]")

// Two conversions of the same news agree: ours and one that others made.
func TestZawgyiOnNews(t *testing.T) {
	zg, uni := shared(t, "ntrex/my.txt"), shared(t, "ntrex/my_unicode.txt")
	equal, left, slips := 0, 0, 0
	for i := range zg {
		got, want := Normalise(zg[i]), Normalise(uni[i])
		if zg[i] == uni[i] { // the other tool left it in Zawgyi, or it has no Burmese
			left++
		}
		switch {
		case got == want:
			equal++
		case slipped.MatchString(zg[i]):
			slips++
		default:
			t.Logf("%d\n%s\n%s\n%s", i+1, zg[i], got, want)
		}
		if zg[i] != uni[i] && zawgyi([]rune(compose(uni[i]))) {
			t.Errorf("Unicode taken for Zawgyi: %s", uni[i])
		}
		if zawgyi([]rune(got)) {
			t.Errorf("still Zawgyi: %s", got)
		}
	}
	t.Logf("%d of %d lines equal, %d differ by slips in typing; the other tool left %d as they were", equal, len(zg), slips, left)
	if (equal+slips)*100 < 99*len(zg) {
		t.Error("fewer than 99 of 100 lines are converted as by the other tool")
	}
}

func FuzzZawgyi(f *testing.F) {
	f.Add("ေရသန္႔စင္စနစ္")
	f.Add("ရေသန့်စင်စနစ်")
	f.Add("\u1031\u103b\u1064\u1039\u1088")
	f.Fuzz(func(t *testing.T, s string) {
		rs := []rune(s)
		out := fromZawgyi(rs)
		if len(out) > 4*len(rs)+4 {
			t.Errorf("%d runes became %d", len(rs), len(out))
		}
		n := Normalise(s)
		if again := Normalise(n); again != n {
			t.Errorf("%+q\n%+q\n%+q", s, n, again)
		}
	})
}
