package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// peer is another engine, a program of its own: it reads PeerLine after PeerLine and in the end writes one PeerResult.
// It indexes all documents before the first query.
type peer struct{ program string }

// PeerLine is a document or a query.
type PeerLine struct {
	ID    string `json:"id,omitempty"`
	Title string `json:"title,omitempty"`
	Text  string `json:"text,omitempty"`
	Query string `json:"query,omitempty"`
	Row   string `json:"row,omitempty"` // of the table, for a query
}

// PeerResult is what the peer measured.
type PeerResult struct {
	Name  string             `json:"name"`
	Build float64            `json:"build_seconds"`
	Disk  int64              `json:"disk_bytes"`
	Heap  uint64             `json:"heap_bytes"`
	Anon  uint64             `json:"rss_anon_bytes"`
	File  uint64             `json:"rss_file_bytes"`
	P50   map[string]float64 `json:"p50_ms"` // by row
	P99   map[string]float64 `json:"p99_ms"`
}

// PeerSource is where the peer's module lies in the source tree.
const PeerSource = "node/match/peer"

// findPeer takes a program, or builds one of a folder that holds the peer's module.
func findPeer(ctx context.Context, path, tmp string, progress io.Writer) (*peer, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("no peer to measure beside: %w: run this in the source tree, or build %s and name the program with --peer=FILE", err, PeerSource)
	}
	if !info.IsDir() {
		path, err = filepath.Abs(path)
		return &peer{path}, err
	}
	program, err := filepath.Abs(filepath.Join(tmp, "peer"))
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(progress, "building %s\n", path)
	build := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	build.Dir, build.Stdout, build.Stderr = path, progress, progress
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("build the peer in %s: %w", path, err)
	}
	return &peer{program}, nil
}

// run feeds the peer and returns what it measured.
func (p *peer) run(ctx context.Context, dir string, lines func(yield func(PeerLine) error) error, progress io.Writer) (r PeerResult, err error) {
	cmd := exec.CommandContext(ctx, p.program, "feed", "-dir", dir)
	cmd.Stderr = progress
	in, err := cmd.StdinPipe()
	if err != nil {
		return r, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return r, err
	}
	if err := cmd.Start(); err != nil {
		return r, fmt.Errorf("start the peer: %w", err)
	}
	w := bufio.NewWriterSize(in, 1<<20)
	enc := json.NewEncoder(w)
	fed := lines(func(l PeerLine) error { return enc.Encode(l) })
	fed = errors.Join(fed, w.Flush(), in.Close())
	err = json.NewDecoder(io.LimitReader(out, 1<<20)).Decode(&r)
	if ended := cmd.Wait(); ended != nil {
		return r, fmt.Errorf("the peer failed: %w", errors.Join(ended, fed))
	}
	return r, errors.Join(fed, err)
}

// beside measures the peer with the same documents and questions, and prints the ratio.
func (m *matchBench) beside(ctx context.Context, p *peer) error {
	rows := []struct {
		name string
		list []string
	}{{"5 words", m.q.five}, {"30 words", m.q.thirty}, {wholeListing, m.q.whole}}
	start := time.Now()
	r, err := p.run(ctx, filepath.Join(m.Dir, "peer-index"), func(yield func(PeerLine) error) error {
		for i := range m.Listings {
			_, l := m.v.listing(i, 0)
			if err := yield(PeerLine{ID: string(l.ID), Title: l.Texts["en"].Title, Text: textOf(l)}); err != nil {
				return err
			}
			if i%10_000 == 0 {
				m.say("%d given to the peer", i)
			}
		}
		for _, row := range rows {
			for _, q := range row.list {
				if err := yield(PeerLine{Query: q, Row: row.name}); err != nil {
					return err
				}
			}
		}
		return nil
	}, m.Progress)
	if err != nil {
		return err
	}
	m.say("")
	t := newTable(m.Out, fmt.Sprintf("\n%s beside, the same documents and questions, one text field, ten hits without explanation", r.Name))
	n := float64(m.Listings)
	t.row("build", "%.1f s", r.Build)
	t.row("on disk, per listing", "%.0f bytes", float64(r.Disk)/n)
	t.row("heap", "%d MiB", r.Heap>>20)
	t.row("RssAnon", "%d MiB", r.Anon>>20)
	t.row("RssFile", "%d MiB", r.File>>20)
	t.row("took in all", "%.1f s", time.Since(start).Seconds())
	if err := t.w.Flush(); err != nil {
		return err
	}
	cols := newColumns(m.Out, "\nms for ten hits", "one client p50", "p99")
	for _, row := range rows {
		cols.row(row.name, fmt.Sprintf("%.3f", r.P50[row.name]), fmt.Sprintf("%.3f", r.P99[row.name]))
	}
	if err := cols.w.Flush(); err != nil {
		return err
	}
	if r.P50[wholeListing] <= 0 || m.listing <= 0 {
		return errors.New("a median of 0 has no ratio: ask with more listings")
	}
	fmt.Fprintf(m.Out, "ratio listing p50 bleve/tmh %.1f\n", r.P50[wholeListing]/(m.listing.Seconds()*1000))
	return nil
}
