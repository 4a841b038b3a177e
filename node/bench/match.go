package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// MatchConfig of a measurement of the match engine alone, without a node round it.
type MatchConfig struct {
	Dir      string
	Listings int
	Queries  int // of each kind
	Changes  int // a second, in the second round
	Corpus   *Corpus
	Peer     string // program or source folder of the engine to measure beside; "": none
	Out      io.Writer
	Progress io.Writer
}

// Match measures the match engine. With a peer the last line is “ratio listing p50 bleve/tmh N”.
func Match(ctx context.Context, c MatchConfig) error {
	if c.Listings < 1 || c.Queries < 1 {
		return errors.New("there is nothing to measure: want one listing and one query or more")
	}
	var peer *peer
	if c.Peer != "" { // before the long work: it may be missing
		var err error
		if peer, err = findPeer(ctx, c.Peer, c.Dir, c.Progress); err != nil {
			return err
		}
	}
	m := &matchBench{MatchConfig: c, v: newVaried(c.Corpus), dir: filepath.Join(c.Dir, "index")}
	defer func() {
		if m.e != nil {
			_ = m.e.close()
		}
	}()
	if err := m.build(ctx); err != nil {
		return err
	}
	if err := m.restart(ctx); err != nil {
		return err
	}
	m.q = m.v.ask(c.Listings+c.Listings/2+1_000_000, c.Queries)
	if err := m.latencies(ctx); err != nil {
		return err
	}
	if err := m.typing(ctx); err != nil {
		return err
	}
	if err := m.changing(ctx); err != nil {
		return err
	}
	if peer == nil {
		return nil
	}
	err := m.e.close()
	m.e = nil
	debug.FreeOSMemory()
	if err != nil {
		return err
	}
	return m.beside(ctx, peer)
}

type matchBench struct {
	MatchConfig
	v       *varied
	dir     string
	e       *engine
	q       questions
	listing time.Duration // p50 of a whole listing asked with, for the ratio
}

func (m *matchBench) say(format string, args ...any) {
	fmt.Fprintf(m.Progress, "\r"+format+"      ", args...)
}

// build fills an empty index, as a node does that has lost its own.
func (m *matchBench) build(ctx context.Context) error {
	var err error
	if m.e, err = openEngine(m.dir); err != nil {
		return err
	}
	var making atomic.Int64
	var payload, words, made atomic.Int64
	start := time.Now()
	err = m.e.load(ctx, m.Listings, func(i int) (match.Ref, *protocol.Listing) {
		begun := time.Now()
		ref, l := m.v.listing(i, 0)
		making.Add(int64(time.Since(begun)))
		payload.Add(int64(Payload(l)))
		words.Add(int64(len(strings.Fields(textOf(l)))))
		if n := made.Add(1); n%10_000 == 0 {
			m.say("%d indexed", n)
		}
		return ref, l
	})
	if err != nil {
		return err
	}
	loaded := time.Since(start)
	m.say("learning")
	start = time.Now()
	if err := m.e.learn(ctx); err != nil {
		return err
	}
	learnt := time.Since(start)
	if m.e.len() != m.Listings {
		return fmt.Errorf("the index holds %d listings of %d", m.e.len(), m.Listings)
	}
	n := float64(m.Listings)
	m.say("")
	t := newTable(m.Out, fmt.Sprintf("\nmatch: %d listings of %.0f words, %.0f bytes of text each; %d cores", m.Listings, float64(words.Load())/n, float64(payload.Load())/n, runtime.GOMAXPROCS(0)))
	t.row("build from texts", "%.1f s", loaded.Seconds())
	t.row("of which making the texts, on one core", "%.1f s", time.Duration(making.Load()).Seconds())
	t.row("topics and vocabulary learnt in", "%.1f s", learnt.Seconds())
	t.memory("after the build", n)
	return t.w.Flush()
}

// restart closes the index and opens it again.
func (m *matchBench) restart(ctx context.Context) error {
	n := float64(m.Listings)
	start := time.Now()
	if err := m.e.close(); err != nil {
		return err
	}
	closed := time.Since(start)
	disk := diskUse(m.dir)
	m.e = nil
	debug.FreeOSMemory()
	start = time.Now()
	e, err := openEngine(m.dir)
	if err != nil {
		return err
	}
	m.e = e
	opened := time.Since(start)
	if m.e.len() != m.Listings {
		return fmt.Errorf("after a restart the index holds %d listings of %d", m.e.len(), m.Listings)
	}
	start = time.Now()
	if err := m.e.learn(ctx); err != nil {
		return err
	}
	learnt := time.Since(start)
	t := newTable(m.Out, "\nrestart")
	t.row("close", "%.2f s", closed.Seconds())
	t.row("on disk, per listing", "%.0f bytes", float64(disk)/n)
	t.row("on disk", "%d MiB", disk>>20)
	t.row("open: ready to answer after", "%.3f s", opened.Seconds())
	t.row("typeahead ready after another", "%.3f s", learnt.Seconds())
	t.memory("after the restart", n)
	return t.w.Flush()
}

// memory rows: what the process holds, and what it holds of it per listing.
func (t table) memory(when string, n float64) {
	heap, anon := memory()
	file := status("RssFile:")
	t.row("heap "+when, "%d MiB", heap>>20)
	t.row("heap per listing "+when, "%.0f bytes", float64(heap)/n)
	t.row("RssAnon "+when, "%d MiB", anon>>20)
	t.row("RssFile "+when, "%d MiB", file>>20)
}

// status is a size in /proc/self/status, in bytes; 0 where there is none.
func status(name string) uint64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			kb, _ := strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// columns is a table with several figures a row.
type columns struct{ w *tabwriter.Writer }

func newColumns(out io.Writer, title string, heads ...string) columns {
	t := columns{tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)}
	fmt.Fprintf(t.w, "%s\t%s\t\n", title, strings.Join(heads, "\t"))
	return t
}

func (t columns) row(name string, figures ...string) {
	fmt.Fprintf(t.w, "%s\t%s\t\n", name, strings.Join(figures, "\t"))
}

func ms(d time.Duration) string { return strconv.FormatFloat(d.Seconds()*1000, 'f', 3, 64) }
