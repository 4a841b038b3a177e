package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/asean-tmh/tmh/node/demo"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/protocol"
)

// Config of a measurement.
type Config struct {
	Dir      string // for the nodes' data
	Listings int
	Corpus   *Corpus
	NoIndex  bool // measure everything but the match index
	Out      io.Writer
	Progress io.Writer
}

// table prints rows of what, figure and unit.
type table struct{ w *tabwriter.Writer }

func newTable(out io.Writer, title string) table {
	fmt.Fprintf(out, "%s\n", title)
	return table{tabwriter.NewWriter(out, 2, 0, 2, ' ', tabwriter.AlignRight)}
}

func (t table) row(what, format string, args ...any) {
	fmt.Fprintf(t.w, "%s\t%s\t\n", what, fmt.Sprintf(format, args...))
}

func (c Config) federation(n int) (*demo.Federation, error) {
	return demo.New(demo.Config{Dir: c.Dir, Members: founding.Members(n), Memtable: 64 << 20, Version: "bench", Alone: true, WithoutIndex: c.NoIndex})
}

// load publishes the corpus at a member's node, as tmh import does, and returns the payload.
func (c Config) load(ctx context.Context, f *demo.Federation, m protocol.MemberID) (payload int64, took time.Duration, err error) {
	// The texts are made and written as JSON beforehand in pieces, so that this is not measured.
	const piece = 20_000
	for from := 0; from < c.Listings; from += piece {
		src := &source{c: c.Corpus, next: from, n: min(from+piece, c.Listings)}
		lines, err := io.ReadAll(src)
		if err != nil {
			return 0, 0, err
		}
		payload += src.payload
		start := time.Now()
		err = f.Node(m).Counter().Import(ctx, "jsonl", bytes.NewReader(lines), func(e exchange.ImportEvent) error {
			if len(e.Errors) > 0 {
				return e.Errors
			}
			return nil
		})
		took += time.Since(start)
		if err != nil {
			return 0, 0, err
		}
		fmt.Fprintf(c.Progress, "\r%d imported ", min(from+piece, c.Listings))
	}
	fmt.Fprint(c.Progress, "\r")
	return payload, took, nil
}

// Import measures a node alone: import, size, memory, restart.
func Import(ctx context.Context, c Config) error {
	f, err := c.federation(1)
	if err != nil {
		return err
	}
	defer f.Close()
	m := f.Members()[0]
	if err := f.Start(m); err != nil {
		return err
	}
	payload, took, err := c.load(ctx, f, m)
	if err != nil {
		return err
	}
	waiting := f.Node(m).Waiting()
	start := time.Now()
	if err := demo.Await(ctx, "all is indexed", func() bool { return f.Node(m).Waiting() == 0 }); err != nil {
		return err
	}
	lag := time.Since(start)
	heap, anon := memory()
	t := newTable(c.Out, fmt.Sprintf("import: %d listings, %.0f bytes of text each, one node, SyncWrites, %d cores", c.Listings, float64(payload)/float64(c.Listings), runtime.GOMAXPROCS(0)))
	t.row("signed and durable", "%.0f /s", float64(c.Listings)/took.Seconds())
	t.row("took", "%.1f s", took.Seconds())
	t.row("listings still to index at the end", "%d", waiting)
	t.row("until the index had them too", "%.1f s", lag.Seconds())
	index := "index included"
	if c.NoIndex {
		index = "without index"
	}
	t.row("heap, "+index, "%d MiB", heap>>20)
	t.row("RssAnon, "+index, "%d MiB", anon>>20)
	t.row("on disk", "%d MiB", diskUse(f.Folder(m))>>20)
	if err := f.Stop(m); err != nil {
		return err
	}
	start = time.Now()
	if err := f.Start(m); err != nil {
		return err
	}
	t.row("restart: doors open after", "%.2f s", time.Since(start).Seconds())
	if err := demo.Await(ctx, "the catalogue is read in", func() bool { h := f.Node(m).Health(); return h.Ready }); err != nil {
		return err
	}
	t.row("restart: read in after", "%.1f s", time.Since(start).Seconds())
	_, anon = memory()
	t.row("RssAnon after restart, "+index, "%d MiB", anon>>20)
	digests, signatures, err := f.Node(m).Audit(ctx)
	if err != nil {
		return err
	}
	t.row("audit of the digest, at half of one core", "%.1f s", digests.Seconds())
	t.row("audit of all signatures, at a quarter of one core", "%.1f s", signatures.Seconds())
	return t.w.Flush()
}

// Replica measures two nodes over loopback: one holds everything, the other joins and draws it.
func Replica(ctx context.Context, c Config) error {
	f, err := c.federation(2)
	if err != nil {
		return err
	}
	defer f.Close()
	origin, joiner := f.Members()[0], f.Members()[1]
	if err := f.Start(origin); err != nil {
		return err
	}
	payload, _, err := c.load(ctx, f, origin)
	if err != nil {
		return err
	}
	if err := demo.Await(ctx, "all is indexed", func() bool { return f.Node(origin).Waiting() == 0 }); err != nil {
		return err
	}
	start := time.Now()
	if err := f.Start(joiner); err != nil {
		return err
	}
	if err := demo.Await(ctx, "the nodes are connected", f.Connected); err != nil {
		return err
	}
	connected := time.Now()
	in0, _ := f.Node(joiner).Net().Traffic()
	proven := func() bool {
		for _, s := range f.Node(joiner).Members() {
			if s.ID == origin {
				return s.Records == uint64(c.Listings) && s.State == exchange.Proven
			}
		}
		return false
	}
	if err := demo.Await(ctx, "everything is proven", proven); err != nil {
		return err
	}
	took := time.Since(connected)
	in1, _ := f.Node(joiner).Net().Traffic()
	waiting := f.Node(joiner).Waiting()
	if err := demo.Await(ctx, "all is indexed", func() bool { return f.Node(joiner).Waiting() == 0 }); err != nil {
		return err
	}
	indexed := time.Since(connected)
	_, anon := memory()
	t := newTable(c.Out, fmt.Sprintf("replica: %d listings, %.0f bytes of text each, drawn over QUIC on loopback; both nodes and both indexes on the same %d cores", c.Listings, float64(payload)/float64(c.Listings), runtime.GOMAXPROCS(0)))
	t.row("connected after", "%.2f s", connected.Sub(start).Seconds())
	t.row("verified, durable and proven", "%.0f /s", float64(c.Listings)/took.Seconds())
	t.row("took", "%.1f s", took.Seconds())
	t.row("bytes received per byte of text", "%.3f", float64(in1-in0)/float64(payload))
	t.row("listings still to index when proven", "%d", waiting)
	t.row("searchable in full after", "%.1f s", indexed.Seconds())
	t.row("RssAnon of both nodes", "%d MiB", anon>>20)
	return t.w.Flush()
}

// memory after a collection: the heap, and what the process holds beside mapped files.
func memory() (heap, anon uint64) {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return m.HeapAlloc, 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, _ := strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
			return m.HeapAlloc, kb << 10
		}
	}
	return m.HeapAlloc, 0
}
