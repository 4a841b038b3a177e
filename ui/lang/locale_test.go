package lang

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/protocol"
)

const hour = time.Hour

func morning() time.Time { return time.Date(2026, 9, 21, 8, 5, 0, 0, time.UTC) }

func TestLocales(t *testing.T) {
	b := opened(t)
	for _, c := range []struct {
		tag                                Tag
		number, decimal, date, month, list string
	}{
		{"en", "1,234,567", "1.5", "21 September 2026", "September 2026", "a, b and c"},
		{"id", "1.234.567", "1,5", "21 September 2026", "September 2026", "a, b, dan c"},
		{"ms", "1,234,567", "1.5", "21 September 2026", "September 2026", "a, b dan c"},
		{"th", "1,234,567", "1.5", "21 กันยายน พ.ศ. 2569", "กันยายน พ.ศ. 2569", "a b และc"},
		{"vi", "1.234.567", "1,5", "21 tháng 9, 2026", "tháng 9, 2026", "a, b và c"},
		{"fil", "1,234,567", "1.5", "Setyembre 21, 2026", "Setyembre 2026", "a, b, at c"},
		{"km", "1.234.567", "1,5", "21 កញ្ញា 2026", "កញ្ញា 2026", "a, b និង c"},
		{"lo", "1.234.567", "1,5", "21 ກັນຍາ 2026", "ກັນຍາ 2026", "a, b ແລະ c"},
		{"my", "1,234,567", "1.5", "2026၊ စက်တင်ဘာ 21", "2026၊ စက်တင်ဘာ", "a၊ bနှင့် c"},
		{"zh", "1,234,567", "1.5", "2026年9月21日", "2026年9月", "a、b和c"},
		{"ta", "1,234,567", "1.5", "21 செப்டம்பர், 2026", "செப்டம்பர் 2026", "a, b மற்றும் c"},
		{"pt", "1.234.567", "1,5", "21 de setembro de 2026", "setembro de 2026", "a, b e c"},
		{"tet", "1.234.567", "1,5", "21 Setembru 2026", "Setembru 2026", "a, b no c"},
	} {
		p, day := b.Printer(c.tag), protocol.DateOf(morning())
		got := []string{p.Number(1234567), p.Decimal(1.5, 1), p.Date(day), p.Month(day), p.List([]string{"a", "b", "c"})}
		if want := []string{c.number, c.decimal, c.date, c.month, c.list}; !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", c.tag, got, want)
		}
		if c.tag.Own() == "" || c.tag.English() == "" || c.tag.Dir() != "ltr" {
			t.Errorf("%s has no name", c.tag)
		}
		if b.Checked(c.tag) != (c.tag == English) {
			t.Errorf("%s: checked is %v", c.tag, b.Checked(c.tag))
		}
	}
}

func TestEveryLocaleIsComplete(t *testing.T) {
	b := opened(t)
	for _, tag := range Tags() {
		l := b.Printer(tag).locale
		for _, s := range append(l.Months[:], l.Group, l.Decimal, l.Date, l.Moment, l.MonthYear, l.Comma, l.And, l.Pair) {
			if s == "" {
				t.Errorf("%s: something is empty: %+v", tag, l)
			}
		}
		if unique := slices.Compact(slices.Sorted(slices.Values(l.Months[:]))); len(unique) != 12 {
			t.Errorf("%s: a month stands twice", tag)
		}
		for d := range 366 { // no day shares its words with another
			at := time.Date(2028, 1, 1+d, 0, 0, 0, 0, time.UTC)
			if p := b.Printer(tag); p.Date(protocol.DateOf(at)) == p.Date(protocol.DateOf(at.AddDate(0, 0, 1))) {
				t.Errorf("%s: two days are one at %v", tag, at)
			}
		}
	}
}

func TestFigures(t *testing.T) {
	en, pt := opened(t).Printer("en"), opened(t).Printer("pt")
	for _, c := range []struct{ got, want string }{
		{en.Number(0), "0"}, {en.Number(-999), "-999"}, {en.Number(-1000), "-1,000"}, {en.Number(1000), "1,000"}, {en.Number(math.MinInt64), "-9,223,372,036,854,775,808"},
		{en.Decimal(-1234.567, 2), "-1,234.57"}, {pt.Decimal(1234.5, 1), "1.234,5"}, {en.Decimal(math.NaN(), 1), "NaN"}, {en.Decimal(math.Inf(-1), 0), "-Inf"},
		{en.Percent(0), "0%"}, {en.Percent(.001), "<1%"}, {en.Percent(.5), "50%"}, {en.Percent(.999), ">99%"}, {en.Percent(1), "100%"}, {en.Percent(math.NaN()), "–"},
		{en.Bytes(0), "0\u00a0B"}, {en.Bytes(999), "999\u00a0B"}, {en.Bytes(1000), "1.0\u00a0kB"}, {pt.Bytes(1234567), "1,2\u00a0MB"}, {en.Bytes(999_950), "1.0\u00a0MB"},
		{en.Bytes(20_000_000), "20\u00a0MB"}, {en.Bytes(5e15), "5,000\u00a0TB"},
		{en.Date(0), ""}, {en.Moment(0), ""}, {en.Month(0), ""}, {en.Moment(protocol.InstantOf(morning())), "21 September 2026, 08:05 UTC"},
		{en.Ago(-hour), "just now"}, {en.Ago(59 * time.Second), "just now"}, {en.Ago(61 * time.Second), "1 minute ago"}, {en.Ago(25 * hour), "1 day ago"},
		{en.Ago(40 * 24 * hour), "1 month ago"}, {en.Ago(800 * 24 * hour), "2 years ago"}, {en.Ago(math.MaxInt64), "292 years ago"},
		{en.List(nil), ""}, {en.List([]string{"a"}), "a"}, {en.List([]string{"a", "b"}), "a and b"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// TestOrder has names that the order of bytes puts wrongly in each of these languages.
func TestOrder(t *testing.T) {
	b := opened(t)
	for tag, want := range map[Tag][]string{
		"en":  {"apple", "Banana", "éclair", "fig"},
		"vi":  {"Cần Thơ", "Dương", "Đà Nẵng", "Huế"},
		"th":  {"กรุงเทพ", "เกาะ", "ขอนแก่น", "เชียงใหม่", "นครปฐม"},
		"lo":  {"ກາບ", "ແກວ", "ຂອບ", "ເຊກອງ"},
		"zh":  {"北京", "上海", "浙江"},
		"pt":  {"Água", "Baía", "Évora", "Faro"},
		"tet": {"Aileu", "Baucau", "Ermera", "Lautein"},
	} {
		got := slices.Clone(want)
		slices.Reverse(got)
		b.Printer(tag).Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", tag, got, want)
		}
	}
	type named struct{ name, which string }
	list := []named{{"b", "1"}, {"a", "2"}, {"b", "3"}, {"a", "4"}}
	SortBy(b.Printer("en"), list, func(n named) string { return n.name })
	if want := []named{{"a", "2"}, {"a", "4"}, {"b", "1"}, {"b", "3"}}; !slices.Equal(list, want) {
		t.Errorf("equal names moved: %v", list)
	}
}
