package lang

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"github.com/asean-tmh/tmh/protocol"
)

// Numbers, dates, lists and the order of names. They come from our own table, because the data of x/text is that of 2017 and has no
// dates and no Tetum.

// locale is a line of locales.json. Patterns hold {day}, {month}, {year}, {date}, {time}.
type locale struct {
	Checked bool `json:"checked"` // by a native speaker

	Group   string `json:"group"`   // between thousands
	Decimal string `json:"decimal"` // before fractions

	Date      string     `json:"date"`
	Moment    string     `json:"moment"`
	MonthYear string     `json:"month_year"`
	YearAdd   int        `json:"year_add,omitempty"` // to the Gregorian year
	Months    [12]string `json:"months"`

	Comma string `json:"comma"` // between the parts of a list
	And   string `json:"and"`   // before the last
	Pair  string `json:"pair"`  // between two
}

func readLocales(from fs.FS) (map[Tag]locale, error) {
	text, err := fs.ReadFile(from, "locales.json")
	if err != nil {
		return nil, fmt.Errorf("read locales: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var all map[Tag]locale
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("locales.json: %w", err)
	}
	return all, nil
}

// Number groups thousands: 12,345.
func (p *Printer) Number(n int) string { return p.grouped(strconv.Itoa(n)) }

// Decimal is Number with that many digits of the fraction.
func (p *Printer) Decimal(x float64, digits int) string {
	s, fraction, found := strings.Cut(strconv.FormatFloat(x, 'f', max(0, digits), 64), ".")
	if !found {
		return p.grouped(s)
	}
	return p.grouped(s) + p.locale.Decimal + fraction
}

func (p *Printer) grouped(s string) string {
	first := 0
	if strings.HasPrefix(s, "-") {
		first = 1
	}
	for i := len(s) - 3; i > first; i -= 3 {
		if s[i-1] < '0' || s[i-1] > '9' {
			break // NaN, Inf
		}
		s = s[:i] + p.locale.Group + s[i:]
	}
	return s
}

// Percent is a share of 1 in whole percent. What is not quite nothing or all is not said to be.
func (p *Printer) Percent(share float64) string {
	switch n := math.Round(share * 100); {
	case math.IsNaN(share):
		return "–"
	case n == 0 && share > 0:
		return "<1%"
	case n == 100 && share < 1:
		return ">99%"
	default:
		return p.Decimal(n, 0) + "%"
	}
}

// Bytes is a size in decimal units: 1.2 MB.
func (p *Printer) Bytes(n int64) string {
	if n > -1000 && n < 1000 {
		return p.Number(int(n)) + "\u00a0B"
	}
	x, unit := float64(n), ""
	for _, unit = range []string{"kB", "MB", "GB", "TB"} {
		if x /= 1000; math.Abs(x) < 999.5 {
			break
		}
	}
	digits := 1
	if math.Abs(x) >= 9.95 {
		digits = 0
	}
	return p.Decimal(x, digits) + "\u00a0" + unit
}

// Date is a day in words: 21 September 2026; "" for none.
func (p *Printer) Date(d protocol.Date) string {
	if d == 0 {
		return ""
	}
	return p.day(d.Time())
}

// Moment is a point in time, in UTC, and says so: the pages do not know where their reader is. It is "" for none.
func (p *Printer) Moment(i protocol.Instant) string {
	if i == 0 {
		return ""
	}
	t := i.Time()
	return strings.NewReplacer("{date}", p.day(t), "{time}", t.Format("15:04")).Replace(p.locale.Moment)
}

// Month is the month of a day: September 2026; "" for none.
func (p *Printer) Month(d protocol.Date) string {
	if d == 0 {
		return ""
	}
	return p.dated(p.locale.MonthYear, d.Time())
}

func (p *Printer) day(t time.Time) string { return p.dated(p.locale.Date, t) }

func (p *Printer) dated(pattern string, t time.Time) string {
	return strings.NewReplacer(
		"{day}", strconv.Itoa(t.Day()), "{month}", p.locale.Months[t.Month()-1], "{year}", strconv.Itoa(t.Year()+p.locale.YearAdd),
	).Replace(pattern)
}

// Ago says how long ago something was, in the largest unit that fits: 3 hours ago.
func (p *Printer) Ago(d time.Duration) string { return p.AgoText(d).Text }

// AgoText is Ago with the language that was found.
func (p *Printer) AgoText(d time.Duration) Text {
	for _, u := range []struct {
		size time.Duration
		key  string
	}{
		{365 * 24 * time.Hour, "ago.years"}, {30 * 24 * time.Hour, "ago.months"}, {24 * time.Hour, "ago.days"},
		{time.Hour, "ago.hours"}, {time.Minute, "ago.minutes"},
	} {
		if n := int(d / u.size); n >= 1 {
			return p.TextN(u.key, n)
		}
	}
	return p.Text("ago.now")
}

// List joins as a sentence does: a, b and c.
func (p *Printer) List(parts []string) string {
	switch n := len(parts); n {
	case 0:
		return ""
	case 1:
		return parts[0]
	case 2:
		return parts[0] + p.locale.Pair + parts[1]
	default:
		return strings.Join(parts[:n-1], p.locale.Comma) + p.locale.And + parts[n-1]
	}
}

// Sort puts names in the language's order. Tetum has that of the root: letters without regard to accents and case.
func (p *Printer) Sort(names []string) { SortBy(p, names, func(s string) string { return s }) }

// SortBy puts values in the order of their names; equal names stay as they were.
func SortBy[T any](p *Printer, list []T, name func(T) string) {
	order := language.Und
	if p.tag != "tet" {
		order = language.MustParse(string(p.tag))
	}
	type keyed struct {
		key   []byte
		value T
	}
	c, buf, all := collate.New(order), &collate.Buffer{}, make([]keyed, len(list)) // a Collator is of one goroutine
	for i, v := range list {
		all[i] = keyed{c.KeyFromString(buf, name(v)), v}
	}
	slices.SortStableFunc(all, func(a, b keyed) int { return bytes.Compare(a.key, b.key) })
	for i := range all {
		list[i] = all[i].value
	}
}
