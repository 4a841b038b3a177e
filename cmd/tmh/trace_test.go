package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestAcknowledgementFollowsSync shows what kill -9 cannot, because the page cache survives it: between a request and its
// acknowledgement the kernel was told to write the change to the disk (msync of Badger's log), and after that the guard's
// mark of the very same position (fdatasync).
func TestAcknowledgementFollowsSync(t *testing.T) {
	t.Parallel()
	work := t.TempDir()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is not installed: apt-get install strace")
	}
	if out, err := exec.Command("strace", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace may not trace here (%v): %s", err, out)
	}
	dir, trace := filepath.Join(work, "kh"), filepath.Join(work, "trace")
	lonelyNode(t, dir)
	p := start(t, dir, "strace", "-f", "-tt", "-y", "-xx", "-s", "4096", "-o", trace,
		"-e", "trace=mmap,msync,fsync,fdatasync,pwrite64,read,recvfrom,write,sendto,writev")
	p.ready(t)
	seqs := make(map[string]uint64)
	ids := make([]string, 20)
	for i := range ids {
		ids[i] = fmt.Sprintf("TRACED-%03d-END", i)
		r, err := p.publish(listing(ids[i], "Traced", 200))
		if err != nil {
			t.Fatal(err)
		}
		seqs[ids[i]] = r.Position.Seq
	}
	// strace keeps the signal from itself, so the node is told directly.
	node, err := tracedProcess(p.cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(node, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := <-p.done; err != nil {
		t.Fatalf("%v\n%s", err, &p.log)
	}
	p.done <- nil
	calls, err := readTrace(trace)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if err := acknowledgedLast(calls, id, seqs[id]); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	if t.Failed() {
		return
	}
	t.Logf("%d acknowledgements in %d traced calls: each after the msync of the log and then the fdatasync of the guard's mark", len(ids), len(calls))
}

func tracedProcess(strace int) (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", strace, strace))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(b)))
}

// A call of the trace. Its place in time is from the line where it began to the line where it returned.
type call struct {
	name         string
	began, ended int
	file         string // what the first descriptor, or the memory, belongs to
	text         string // the bytes read or written
}

// acknowledgedLast looks at the calls between the request that names id and the answer that does.
func acknowledgedLast(calls []call, id string, seq uint64) error {
	const never = 1 << 60
	request, log, mark, guard, answer := never, never, never, never, never
	for _, c := range calls {
		switch {
		case request == never:
			// net/http reads the first byte of a request on an idle connection by itself
			if (c.name == "read" || c.name == "recvfrom") && strings.Contains(c.text, "OST /api/v1/listings ") && strings.Contains(c.text, id) {
				request = c.ended
			}
		case answer == never && (c.name == "write" || c.name == "sendto" || c.name == "writev") && strings.HasPrefix(c.text, "HTTP/1.1 20") && strings.Contains(c.text, id):
			answer = c.began
		case log == never && c.name == "msync" && strings.HasSuffix(c.file, ".mem") && c.began > request:
			log = c.ended
		case mark == never && c.name == "pwrite64" && filepath.Base(c.file) == "guard" && markOf(c.text) >= seq && c.began > log:
			mark = c.ended
		case guard == never && c.name == "fdatasync" && filepath.Base(c.file) == "guard" && c.began > mark:
			guard = c.ended
		}
	}
	switch {
	case request == never:
		return fmt.Errorf("its request is not in the trace")
	case answer == never:
		return fmt.Errorf("its answer is not in the trace")
	case log > answer:
		return fmt.Errorf("was acknowledged (line %d) without a sync of the log before (line %d)", answer, log)
	case mark > answer:
		return fmt.Errorf("was acknowledged (line %d) before the guard's mark %d was written (line %d)", answer, seq, mark)
	case guard > answer:
		return fmt.Errorf("was acknowledged (line %d) before the guard file was synced (line %d)", answer, guard)
	}
	return nil
}

// markOf is the sequence number in a slot of the guard file (store/guard.go).
func markOf(slot string) uint64 {
	if len(slot) != 64 || slot[:4] != "TMHG" {
		return 0
	}
	return binary.BigEndian.Uint64([]byte(slot[20:28]))
}

// readTrace reads the output of strace -f -tt -y -xx, joins calls that were interrupted by others, and finds the files of
// memory by their mmap.
func readTrace(path string) ([]call, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	line := regexp.MustCompile(`^(\d+) +[\d:.]+ (.*)$`)
	resumed := regexp.MustCompile(`^<\.\.\. \w+ resumed>(.*)$`)
	type half struct {
		text  string
		began int
	}
	waiting := make(map[string]half)
	var memory []region
	var calls []call
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for n := 1; s.Scan(); n++ {
		m := line.FindStringSubmatch(s.Text())
		if m == nil {
			continue
		}
		pid, h := m[1], half{m[2], n}
		if rest := resumed.FindStringSubmatch(h.text); rest != nil {
			h = half{waiting[pid].text + rest[1], waiting[pid].began}
			delete(waiting, pid)
		} else if head, ok := strings.CutSuffix(h.text, " <unfinished ...>"); ok {
			waiting[pid] = half{head, n}
			continue
		}
		c, ok := parseCall(h.text)
		if !ok {
			continue
		}
		c.began, c.ended = h.began, n
		switch c.name {
		case "mmap":
			memory = append(memory, regionOf(h.text, c.file))
			continue
		case "msync":
			c.file = fileAt(memory, h.text)
		}
		calls = append(calls, c)
	}
	return calls, s.Err()
}

// parseCall reads NAME(FD<FILE>, "BYTES", ...) = RESULT.
func parseCall(text string) (c call, ok bool) {
	m := regexp.MustCompile(`^(\w+)\((.*)$`).FindStringSubmatch(text)
	if m == nil || strings.Contains(text, ") = -1 ") {
		return c, false
	}
	c.name = m[1]
	if file := regexp.MustCompile(`\d+<([^>]*)>`).FindStringSubmatch(m[2]); file != nil {
		c.file = unhex(file[1])
	}
	if bytes := regexp.MustCompile(`"((?:\\x[0-9a-f]{2})*)"`).FindStringSubmatch(m[2]); bytes != nil {
		c.text = unhex(bytes[1])
	}
	return c, true
}

func unhex(s string) string {
	if text, err := strconv.Unquote(`"` + s + `"`); err == nil {
		return text
	}
	return s
}

// A region of memory that shows a file.
type region struct {
	from, to uint64
	file     string
}

func regionOf(text, file string) (r region) {
	m := regexp.MustCompile(`^mmap\([^,]*, (\d+),.*\) = 0x([0-9a-f]+)`).FindStringSubmatch(text)
	if m == nil {
		return r
	}
	size, _ := strconv.ParseUint(m[1], 10, 64)
	r.from, _ = strconv.ParseUint(m[2], 16, 64)
	r.to, r.file = r.from+size, file
	return r
}

// fileAt is the file whose newest mapping holds the address that a call begins with.
func fileAt(memory []region, text string) string {
	m := regexp.MustCompile(`^\w+\(0x([0-9a-f]+)`).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	at, _ := strconv.ParseUint(m[1], 16, 64)
	for i := len(memory) - 1; i >= 0; i-- {
		if memory[i].from <= at && at < memory[i].to {
			return memory[i].file
		}
	}
	return ""
}
