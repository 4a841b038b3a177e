package ui

import (
	"strconv"
	"strings"
	"testing"
)

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
