package bench

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// results of the load as vegeta writes them: what was sent when, and what came back.
func results(rows ...string) *strings.Reader {
	const polite, silent = "Retry-After: 1\r\n", "Content-Type: text/plain\r\n"
	header := map[string]string{"200": silent, "503": polite, "429": polite, "500": polite, "0": ""}
	var b strings.Builder
	for i, row := range rows {
		var at, took int64
		var status, more string
		fmt.Sscan(row, &at, &status, &took, &more) //nolint:errcheck // our own rows
		h := header[status]
		if more == "silent" {
			h = silent
		}
		fmt.Fprintf(&b, "%d,%s,%d,0,9,,,,%d,GET,http://127.0.0.1/,%s\n", at*1e6, status, took*1e6, i, base64.StdEncoding.EncodeToString([]byte(h)))
	}
	return strings.NewReader(b.String())
}

func TestAttack(t *testing.T) {
	a := &attack{}
	err := a.parse(results("1000 200 30", "1010 503 1", "1005 200 10", "1020 429 2", "1030 503 2 silent", "1040 500 3", "1050 0 10", "1100 200 20"))
	if err != nil {
		t.Fatal(err)
	}
	if len(a.took) != 3 || a.p50() != 20*time.Millisecond || a.slowest() != 30*time.Millisecond {
		t.Errorf("served: %v", a.took)
	}
	if a.refused != 2 || a.faults != 3 {
		t.Errorf("%d refused politely, %d other faults: want 2 and 3", a.refused, a.faults)
	}
	if a.offered != 70 || a.duration != 120*time.Millisecond || a.holds(time.Second) {
		t.Errorf("offered %v in %v, holds %v", a.offered, a.duration, a.holds(time.Second))
	}
	for _, bad := range []string{"", "1,200\n", "x,200,1,,,,,,,,,\ny,200,1,,,,,,,,,\n"} {
		if (&attack{}).parse(strings.NewReader(bad)) == nil {
			t.Errorf("%q was taken for results", bad)
		}
	}
}

func TestRecovered(t *testing.T) {
	for _, c := range []struct {
		rows []string
		want time.Duration
	}{
		{[]string{"1005 200 7", "1300 200 7"}, 12 * time.Millisecond},
		{[]string{"1005 503 1", "1300 200 7"}, 250 * time.Millisecond},
		{[]string{"1005 200 7", "1300 200 40", "1600 200 7"}, 500 * time.Millisecond},
	} {
		a := &attack{}
		if err := a.parse(results(c.rows...)); err != nil {
			t.Fatal(err)
		}
		if got := a.recovered(time.UnixMilli(1000), 20*time.Millisecond); got != c.want {
			t.Errorf("%v: normal again after %v, want %v", c.rows, got, c.want)
		}
	}
}

// No question is asked twice, also when there are more of them than titles.
func TestTitlesDoNotRepeat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "needs.jsonl")
	var b strings.Builder
	for i := range leastTitles {
		fmt.Fprintf(&b, "{\"title\":\"a%d b%d c%d d%d\"}\n", i, i, i, i)
	}
	b.WriteString("{\"title\":\"a1  b1 c1 d1\"}\n{\"title\":\"\"}\n")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	titles, err := readTitles(path)
	if err != nil || len(titles) != leastTitles {
		t.Fatal(len(titles), err)
	}
	d := newDoorsBench(DoorsConfig{})
	d.titles = titles
	all := slices.Concat(d.match(leastTitles), d.match(5*leastTitles))
	seen := map[string]bool{}
	for _, q := range all {
		if seen[q] {
			t.Fatalf("%s twice", q)
		}
		seen[q] = true
	}
}
