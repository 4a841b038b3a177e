package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
)

// line is a document or a query: bench.PeerLine of the main module.
type line struct {
	ID, Title, Text string
	Query, Row      string
}

// result is bench.PeerResult of the main module.
type result struct {
	Name  string             `json:"name"`
	Build float64            `json:"build_seconds"`
	Disk  int64              `json:"disk_bytes"`
	Heap  uint64             `json:"heap_bytes"`
	Anon  uint64             `json:"rss_anon_bytes"`
	File  uint64             `json:"rss_file_bytes"`
	P50   map[string]float64 `json:"p50_ms"`
	P99   map[string]float64 `json:"p99_ms"`
}

// hits in one answer, as many as the engine beside gives.
const hits = 10

// feed measures the default parameters on one text field. The time to read the documents from the pipe does not count.
func feed(ctx context.Context, dir string, in io.Reader) (r result, err error) {
	e, err := open(dir, oneField)
	if err != nil {
		return r, err
	}
	defer e.index.Close()
	r = result{Name: "bleve v2.6.3", P50: make(map[string]float64), P99: make(map[string]float64)}
	var build time.Duration
	asked := make(map[string][]string)
	dec := json.NewDecoder(in)
	for n := 1; ; n++ {
		var l line
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return r, fmt.Errorf("line %d: %w", n, err)
		}
		if l.Query != "" {
			asked[l.Row] = append(asked[l.Row], l.Query)
			continue
		}
		start := time.Now()
		if err := e.add(l.ID, l.Title, l.Text); err != nil {
			return r, err
		}
		build += time.Since(start)
	}
	start := time.Now()
	if err := e.flush(); err != nil {
		return r, err
	}
	r.Build = (build + time.Since(start)).Seconds()
	if err := settle(ctx, dir); err != nil {
		return r, err
	}
	for row, list := range asked {
		for _, q := range list[:min(20, len(list))] { // to warm up
			if _, err := e.find(ctx, q, hits); err != nil {
				return r, err
			}
		}
		took := make([]float64, 0, len(list))
		for _, q := range list {
			start := time.Now()
			if _, err := e.find(ctx, q, hits); err != nil {
				return r, err
			}
			took = append(took, time.Since(start).Seconds()*1000)
		}
		slices.Sort(took)
		r.P50[row], r.P99[row] = took[(len(took)-1)/2], took[(len(took)-1)*99/100]
	}
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	r.Disk, r.Heap, r.Anon, r.File = size(dir), m.HeapAlloc, status("RssAnon:"), status("RssFile:")
	return r, nil
}

// settle waits until merging in the background has ended: the files stay as they are for a second.
func settle(ctx context.Context, dir string) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	before := int64(-1)
	for range 60 {
		now := size(dir)
		if now == before {
			return nil
		}
		before = now
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

func size(dir string) (sum int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				sum += info.Size()
			}
		}
		return nil
	})
	return sum
}

// status is a size in /proc/self/status, in bytes; 0 where there is none.
func status(name string) uint64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for l := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(l, name); ok {
			kb, _ := strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}
