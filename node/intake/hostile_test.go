package intake

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// One organisation that sends slowly leaves places to the others.
func TestUploadsOfOneOrganisation(t *testing.T) {
	o := newOffice(t, t.TempDir())
	ends := make(chan error, uploads)
	var stop []*io.PipeWriter
	for range uploads / 2 {
		r, w := io.Pipe()
		stop = append(stop, w)
		go func() {
			_, err := o.Inspect(t.Context(), editor, org, r, "a.csv", "")
			ends <- err
		}()
		if _, err := w.Write([]byte("a")); err != nil { // it is being read
			t.Fatal(err)
		}
	}
	_, err := o.Inspect(t.Context(), editor, org, strings.NewReader("a,b\n1,2\n"), "b.csv", table.CSV)
	wantCode(t, "one file more of the same organisation", err, protocol.CodeUnavailable)
	if _, err := o.Inspect(t.Context(), stranger, other, strings.NewReader("a,b\n1,2\n"), "b.csv", table.CSV); err != nil {
		t.Errorf("a file of another organisation: %v", err)
	}
	for _, w := range stop {
		_ = w.CloseWithError(errors.New("gone"))
		wantCode(t, "a file that did not arrive", <-ends, protocol.CodeTruncated)
	}
	if _, err := o.Inspect(t.Context(), editor, org, strings.NewReader("a,b\n1,2\n"), "b.csv", table.CSV); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// What comes slower than any network holds its place for minutes only.
func TestSlowUpload(t *testing.T) {
	for _, c := range []struct {
		since time.Duration
		n     int64
		slow  bool
	}{{headStart - time.Minute, 0, false}, {headStart + time.Minute, 0, true}, {headStart + time.Minute, 120 * leastPace, false}, {time.Hour, 120 * leastPace, true}} {
		in := &arriving{ctx: t.Context(), r: strings.NewReader("a"), since: time.Now().Add(-c.since), n: c.n}
		_, err := in.Read(make([]byte, 1))
		if broken := (*brokenOff)(nil); (errors.As(err, &broken) && errors.Is(broken.error, errSlow)) != c.slow {
			t.Errorf("%d bytes in %v: %v", c.n, c.since, err)
		}
	}
}

// A mapping of many rules makes much of a short row: what a report says of rows is bounded as a whole.
func TestLongReport(t *testing.T) {
	o := newOffice(t, t.TempDir())
	w := &work{p: o.Imports, rec: record{Job: Job{ID: o.newID(), Organisation: org}}}
	f, err := os.Create(o.path(w.rec.ID, reportEnd))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w.report = f
	line := func() []Row {
		return []Row{{N: 1, Outcome: posting.ImportRefused, Faults: []*protocol.Error{{Code: "a"}, {Code: "b"}}, Diff: []Change{{Path: "p"}}}}
	}
	for _, c := range []struct {
		at           int64
		faults, diff int
	}{{0, 2, 1}, {maxReport + 1, 1, 0}} {
		all, next := line(), w.rec
		next.At.Report = c.at
		if err := o.store.Update(func(tx *store.Tx) error { return w.append(tx, &next, all) }); err != nil {
			t.Fatal(err)
		}
		if len(all[0].Faults) != c.faults || len(all[0].Diff) != c.diff {
			t.Errorf("after %d bytes: %+v", c.at, all[0])
		}
	}
}
