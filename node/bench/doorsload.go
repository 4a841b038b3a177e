package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// attack is what became of one series of requests.
type attack struct {
	took     []time.Duration // of those that were served, the shortest first
	each     []answer        // in the order of when they were sent
	refused  int             // politely: 503 or 429 that say when to come again
	faults   int             // whatever else: other answers, refusals that say nothing, connections that broke, no answer in time
	offered  float64         // a second
	duration time.Duration   // first to last answer
	ended    time.Time
	memory   uint64  // largest RssAnon of the node
	node     float64 // cores that it took
	load     float64 // and that the load took
}

type answer struct {
	sent   time.Time
	took   time.Duration
	served bool
}

func (a *attack) rate() float64          { return float64(len(a.took)) / a.duration.Seconds() }
func (a *attack) p50() time.Duration     { return of(a.took, p50) }
func (a *attack) p99() time.Duration     { return of(a.took, p99) }
func (a *attack) slowest() time.Duration { return of(a.took, slices.Max) }

func of(took []time.Duration, f func([]time.Duration) time.Duration) time.Duration {
	if len(took) == 0 {
		return 0
	}
	return f(took)
}

// holds reports whether all were served in time, as fast as they were sent.
func (a *attack) holds(most time.Duration) bool {
	return a.refused == 0 && a.faults == 0 && len(a.took) > 0 && a.p99() <= most
}

// recovered is how long after a moment it was until every quarter of a second from then on was served within a time, one in a
// hundred aside.
func (a *attack) recovered(from time.Time, most time.Duration) (after time.Duration) {
	const window = 250 * time.Millisecond
	count, late := map[time.Duration]int{}, map[time.Duration]int{}
	for _, x := range a.each {
		w := x.sent.Sub(from) / window
		count[w]++
		if !x.served || x.took > most {
			late[w]++
		}
	}
	for w, n := range late {
		if 100*n > count[w] {
			after = max(after, (w+1)*window)
		}
	}
	if after == 0 && len(a.each) > 0 { // from the first answer on
		after = max(0, a.each[0].sent.Add(a.each[0].took).Sub(from))
	}
	return after
}

// attack sends requests at a rate over so many connections. What waits for a connection waits on the clock.
func (b *doorsBench) attack(ctx context.Context, name string, ask func(int) []string, rate, connections, seconds int) (a *attack, err error) {
	b.say("%s, %d/s, %d connections", name, rate, connections)
	b.files++
	targets, results := filepath.Join(b.Dir, fmt.Sprintf("targets%d", b.files)), filepath.Join(b.Dir, fmt.Sprintf("results%d", b.files))
	if err := os.WriteFile(targets, []byte(strings.Join(ask(rate*seconds), "\n")+"\n"), 0o600); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.Remove(targets), os.Remove(results)) }()
	a = &attack{}
	watched := watch()
	before := cpuTime()
	cmd := exec.CommandContext(ctx, b.Vegeta, "attack", "-targets", targets, "-rate", strconv.Itoa(rate), "-duration", fmt.Sprintf("%ds", seconds), "-output", results,
		"-connections", strconv.Itoa(connections), "-max-connections", strconv.Itoa(connections), "-max-workers", "20000", "-timeout", "10s", "-max-body", "0", "-http2=false") //nolint:gosec // the program that the operator names
	out, err := cmd.CombinedOutput()
	nodeTime := cpuTime() - before
	if a.memory = watched(); err != nil {
		return nil, fmt.Errorf("vegeta: %w: %s", err, bytes.TrimSpace(out))
	}
	if err := a.read(ctx, b.Vegeta, results); err != nil {
		return nil, err
	}
	a.node = nodeTime.Seconds() / a.duration.Seconds()
	a.load = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds() / a.duration.Seconds()
	return a, nil
}

// read what vegeta wrote.
func (a *attack) read(ctx context.Context, program, results string) error {
	cmd := exec.CommandContext(ctx, program, "encode", "-to", "csv", results)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = a.parse(out)
	if ended := cmd.Wait(); ended != nil {
		err = errors.Join(err, fmt.Errorf("vegeta encode: %w", ended))
	}
	return err
}

// parse rows of: time sent, status, nanoseconds, bytes out and in, error, body, attack, number, method, address, header.
func (a *attack) parse(r io.Reader) error {
	rows := csv.NewReader(bufio.NewReaderSize(r, 1<<20))
	rows.ReuseRecord, rows.FieldsPerRecord = true, -1
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || len(row) < 12 {
			return errors.Join(fmt.Errorf("results with rows of %d columns", len(row)), err)
		}
		at, err1 := strconv.ParseInt(row[0], 10, 64)
		took, err2 := strconv.ParseInt(row[2], 10, 64)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		x := answer{sent: time.Unix(0, at), took: time.Duration(took), served: row[1] == "200"}
		switch {
		case x.served:
			a.took = append(a.took, x.took)
		case (row[1] == "503" || row[1] == "429") && retryAfter(row[11]):
			a.refused++
		default:
			a.faults++
		}
		a.each = append(a.each, x)
		if end := x.sent.Add(x.took); end.After(a.ended) {
			a.ended = end
		}
	}
	if len(a.each) < 2 {
		return errors.New("vegeta sent nothing")
	}
	slices.Sort(a.took)
	slices.SortFunc(a.each, func(x, y answer) int { return x.sent.Compare(y.sent) })
	first, last := a.each[0].sent, a.each[len(a.each)-1].sent
	a.duration = a.ended.Sub(first)
	a.offered = float64(len(a.each)-1) / max(last.Sub(first), time.Millisecond).Seconds()
	return nil
}

func retryAfter(header string) bool {
	b, err := base64.StdEncoding.DecodeString(header)
	return err == nil && bytes.Contains(b, []byte("Retry-After:"))
}

// cpuTime that this process took.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// watch the memory of this process until the result is called: it is the most that there was.
func watch() func() uint64 {
	var most uint64
	end := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		t := time.NewTicker(20 * time.Millisecond)
		defer t.Stop()
		for {
			most = max(most, rssAnon())
			select {
			case <-end:
				return
			case <-t.C:
			}
		}
	})
	return func() uint64 {
		close(end)
		wg.Wait()
		return most
	}
}

// rssAnon is what the process holds beside mapped files.
func rssAnon() uint64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), "RssAnon:")
	fields := strings.Fields(rest[:min(len(rest), 64)])
	if len(fields) == 0 {
		return 0
	}
	kb, _ := strconv.ParseUint(fields[0], 10, 64) //nolint:errcheck // the system's own figure
	return kb << 10
}
