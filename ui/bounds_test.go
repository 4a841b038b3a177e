package ui

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/stats"
)

// Strangers may ask how the federation stood as often as they like: it is read now and then.
func TestHistoryIsReadNowAndThen(t *testing.T) {
	at, reads, broken := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC), 0, error(nil)
	s := newSite(Config{Now: func() time.Time { return at }, History: func(int) ([]stats.Day, error) {
		reads++
		return []stats.Day{{}}, broken
	}})
	ask := func(want int) {
		t.Helper()
		if days, err := s.days(); !errors.Is(err, broken) || len(days) != 1 || reads != want {
			t.Errorf("%d days, %v, read %d times, want %d", len(days), err, reads, want)
		}
	}
	ask(1)
	ask(1)
	at = at.Add(recordedHold)
	broken = errors.New("disk gone")
	ask(2)
	ask(3) // a fault is not kept
	broken = nil
	ask(4)
	at = at.Add(-time.Hour) // the clock was ahead
	ask(5)
	ask(5)
}

// Who saves says which page it is: what is remembered of it has a bound all the same.
func TestLastWritersAreBounded(t *testing.T) {
	l := &lastWriters{}
	l.set("one words-en", "0123456789abcdef", "aa")
	if !l.was("one words-en", "0123456789abcdef", "aa") || l.was("one words-en", "0123456789abcdef", "bb") || l.was("one words-en", "", "aa") {
		t.Error("the page that saved last is not known")
	}
	long := strings.Repeat("p", 200<<10)
	l.set("one words-en", long, "bb")
	if l.was("one words-en", long, "bb") || l.was("one words-en", "0123456789abcdef", "aa") {
		t.Error("a page of no such name is remembered, or the one before it")
	}
	for i := range 3 * keptWriters {
		l.set(strconv.Itoa(i), long, "cc")
		l.set("x"+strconv.Itoa(i), "0123456789abcdef", "cc")
	}
	held := 0
	for k, v := range l.last {
		held += len(k) + len(v)
	}
	if len(l.last) > keptWriters || held > 100*keptWriters {
		t.Errorf("%d sections, %d bytes", len(l.last), held)
	}
}
