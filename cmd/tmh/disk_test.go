package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
)

// A smallDisk is a file system of its own, which filler takes away all but some room of.
type smallDisk struct{ dir string }

func newSmallDisk(t *testing.T, size string) smallDisk {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("mounting a small file system wants root")
	}
	d := smallDisk{t.TempDir()}
	if err := syscall.Mount("tmpfs", d.dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a tmpfs may not be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(d.dir, 0); err != nil {
			t.Errorf("unmount, now lazily: %v", errors.Join(err, syscall.Unmount(d.dir, syscall.MNT_DETACH)))
		}
	})
	return d
}

func (d smallDisk) free(t *testing.T) int64 {
	t.Helper()
	var st syscall.Statfs_t
	if err := syscall.Statfs(d.dir, &st); err != nil {
		t.Fatal(err)
	}
	return int64(st.Bavail) * st.Bsize
}

// leave takes or gives room until so much is free.
func (d smallDisk) leave(t *testing.T, free int64) {
	t.Helper()
	path := filepath.Join(d.dir, "filler")
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	size := d.free(t) - free
	if size <= 0 {
		t.Fatalf("%d bytes cannot be left free: it is %d too much", free, -size)
	}
	f, err := os.Create(path)
	if err == nil {
		err = errors.Join(syscall.Fallocate(int(f.Fd()), 0, 0, size), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestFullDisk fills the disk under a node that imports: it says so and takes nothing more, loses nothing that it
// acknowledged, answers queries, and goes on by itself when there is room.
func TestFullDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("imports some hundred MiB")
	}
	t.Parallel()
	d := newSmallDisk(t, "704m")
	dir := filepath.Join(d.dir, "kh")
	lonelyNode(t, dir)
	// More than the guard asks for by itself, which changes while Badger and the index rewrite their files.
	const wanted, tooLittle = 200 << 20, 185 << 20
	if err := setting(dir, "min_free", "200MiB"); err != nil {
		t.Fatal(err)
	}
	p := start(t, dir)
	p.ready(t)
	acknowledged := publishSome(t, p, "BEFORE", 20)
	d.leave(t, wanted+90<<20)

	rows, err := importUntilRefused(t, dir)
	if want := `the import ended early; what was acknowledged stays \(the first \d+ rows at least\), and the same file can be sent again: ` +
		`the disk is nearly full: [\d.]+ MiB free, [\d.]+ MiB wanted\. This node answers queries but takes no changes until there is room`; !regexp.MustCompile(want).MatchString(err) {
		t.Fatalf("import said: %s", err)
	}
	fullAt := d.free(t)
	h := d.full(t, p, tooLittle)
	if h.Writable || len(h.Faults) == 0 || !strings.Contains(h.Faults[0], "The disk is nearly full:") {
		t.Errorf("health: %+v", h)
	}
	if out := tmh(t, "status", "--dir", dir); !strings.Contains(out, "! The disk is nearly full: ") {
		t.Errorf("tmh status does not say that the disk is full:\n%s", out)
	}
	d.full(t, p, tooLittle)
	_, fault := p.publish(listing("TOO-LATE", "Too late", 100))
	var no refused
	if !errors.As(fault, &no) || no.status != http.StatusServiceUnavailable || !strings.Contains(no.body, "the disk is nearly full") {
		t.Errorf("a publication on a full disk: %v", fault)
	}
	if out := tmh(t, "match", "--dir", dir, "kettle"); !strings.Contains(out, "KH/BEFORE-0 ") {
		t.Errorf("match on a full disk:\n%s", out)
	}
	acknowledged.present(t, p)
	present(t, p, rows)

	d.leave(t, wanted+100<<20) // without a restart
	for id, r := range publishSome(t, p, "AFTER", 5) {
		acknowledged[id] = r
	}
	if h := p.ready(t); !h.Writable {
		t.Errorf("there is room again, but: %v", h.Faults)
	}

	// nearly full at start: it starts, and says that it takes no changes
	d.leave(t, tooLittle)
	p.stop(t)
	p = start(t, dir)
	d.leave(t, tooLittle) // it may have given up its ballast to open
	if h := p.ready(t); h.Writable {
		t.Errorf("%d MiB free after the start, but it takes changes", d.free(t)>>20)
	}
	acknowledged.present(t, p)
	p.stop(t)

	// full at start: refused with what is wanted, and nothing is touched
	d.leave(t, 1<<20)
	refusal := serveRefused(t, dir)
	if !regexp.MustCompile(`^tmh: the disk is full: [\d.]+ \w+ free, opening the database needs [\d.]+ MiB\. Make room and start again; nothing acknowledged is lost`).MatchString(refusal) {
		t.Errorf("serve on a full disk said: %s", refusal)
	}
	d.leave(t, tooLittle)
	p = start(t, dir)
	p.ready(t)
	acknowledged.present(t, p)
	present(t, p, rows)
	p.stop(t)
	t.Logf("%d rows acknowledged before the disk was full with %d MiB free; %s%s", rows, fullAt>>20, verified(t, dir), refusal)
}

// full fills the disk until the node says that it is: the database and the index free some of their space by themselves a moment later.
func (d smallDisk) full(t *testing.T, p *process, free int64) (h exchange.Health) {
	t.Helper()
	for range 100 {
		d.leave(t, free)
		if h = p.ready(t); !h.Writable {
			break
		}
		time.Sleep(50 * time.Millisecond) // a real process
	}
	return h
}

type receipts map[string]exchange.Receipt

func publishSome(t *testing.T, p *process, name string, n int) receipts {
	t.Helper()
	all := make(receipts)
	for i := range n {
		id := fmt.Sprintf("%s-%d", name, i)
		r, err := p.publish(listing(id, "Solar kettle "+id, 500))
		if err != nil {
			t.Fatal(err)
		}
		all[id] = r
	}
	return all
}

func (all receipts) present(t *testing.T, p *process) {
	t.Helper()
	for id, r := range all {
		var e exchange.Entry
		if err := p.get("/api/v1/listings/KH/"+id, &e); err != nil || e.Header != r.Header {
			t.Errorf("%s was acknowledged as %s: now %s, %v", id, r.Header.Short(), e.Header.Short(), err)
		}
	}
}

// importUntilRefused imports large rows until the node takes no more. It returns how many were acknowledged, and what
// was said at the end.
func importUntilRefused(t *testing.T, dir string) (rows int, said string) {
	t.Helper()
	cmd := exec.Command("tmh", "import", "--dir", dir, "--format", "jsonl", "-")
	var b strings.Builder
	cmd.Stderr = &b
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for i := range 100_000 {
		if _, err := fmt.Fprintln(in, largeRow(i)); err != nil {
			break // the node has refused, and the program is gone
		}
	}
	_ = in.Close()
	if err := cmd.Wait(); err == nil {
		t.Fatal("the import of more than the disk holds was a success")
	}
	out := b.String()
	said = out[strings.LastIndex(out, "tmh: "):]
	if m := regexp.MustCompile(`the first (\d+) rows`).FindStringSubmatch(said); m != nil {
		_, err = fmt.Sscan(m[1], &rows)
	}
	if err != nil || rows == 0 {
		t.Fatalf("no row was acknowledged: %s", out)
	}
	return rows, said
}

// largeRow has abstracts in several languages, and is near the largest that a listing may be.
func largeRow(i int) string {
	texts := make([]string, 0, 7)
	for _, lang := range []string{"en", "fil", "id", "ms", "vi", "th", "km"} {
		texts = append(texts, fmt.Sprintf(`%q:{"title":"Row %d","abstract":%q}`, lang, i, padding(1900)))
	}
	return fmt.Sprintf(`{"id":"ROW-%d","kind":"TO","country":"KH","texts":{%s}}`, i, strings.Join(texts, ","))
}

// present looks for the first rows, some of them and the last.
func present(t *testing.T, p *process, rows int) {
	t.Helper()
	for i := 0; i < rows; i += max(1, min(97, rows-1-i)) {
		var e exchange.Entry
		if err := p.get(fmt.Sprintf("/api/v1/listings/KH/ROW-%d", i), &e); err != nil {
			t.Errorf("row %d of %d was acknowledged: %v", i, rows, err)
		}
	}
}

func serveRefused(t *testing.T, dir string) string {
	t.Helper()
	p := start(t, dir)
	select {
	case err := <-p.done:
		p.done <- err
		if err == nil {
			t.Errorf("serve ended with 0")
		}
	case <-time.After(patience):
		t.Error("serve runs on a full disk")
	}
	_ = p.end(os.Kill)
	return p.log.String()
}
