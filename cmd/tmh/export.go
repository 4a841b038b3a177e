package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/protocol"
)

func exportCmd() *cobra.Command {
	var dir, origin, out string
	var quiet bool
	cmd := &cobra.Command{
		Use:   "export --feed MEMBER --dir DIR [--out FILE]",
		Short: "Write what a member signed, with everything that proves it, for others to check",
		Long: "Write the feed of a member as the running node holds and serves it, of one moment: the charter chain and the cards,\n" +
			"the signed header that proves the copy, the newest head statement, and the newest change of every record. The file is\n" +
			"JSON Lines. It can be checked without this program: see protocol/testdata/verify.mjs and docs/PROTOCOL.md.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := dial(dir)
			if err != nil {
				return err
			}
			if _, err := protocol.ParseMemberID(origin); err != nil {
				return fmt.Errorf("--feed wants the id of a member, such as KH: tmh status lists them")
			}
			if out == "" {
				_, err = exportFeed(cmd.Context(), cmd, c, origin, cmd.OutOrStdout(), quiet)
				return err
			}
			return exportTo(cmd.Context(), cmd, c, origin, out, quiet)
		},
	}
	dirFlag(cmd, &dir)
	cmd.Flags().StringVar(&origin, "feed", "", "id of the member whose feed is wanted")
	cmd.Flags().StringVar(&out, "out", "", "file to write (default: standard output)")
	cmd.Flags().BoolVar(&quiet, "quiet", false, "show no progress")
	_ = cmd.MarkFlagRequired("feed") // fails only where there is no such flag
	return cmd
}

// exportTo writes a file that is either complete or not there.
func exportTo(ctx context.Context, cmd *cobra.Command, c client, origin, path string, quiet bool) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	start := time.Now()
	n, err := exportFeed(ctx, cmd, c, origin, f, quiet)
	if err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil { // it is public
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	cmd.Printf("%d records of %s in %s, in %.1f s\n", n, origin, path, time.Since(start).Seconds())
	return nil
}

// exportFeed copies the feed to w and counts its records, so that one which ends early is noticed.
func exportFeed(ctx context.Context, cmd *cobra.Command, c client, origin string, w io.Writer, quiet bool) (n uint64, err error) {
	body, err := c.do(ctx, http.MethodGet, "/api/v1/members/"+url.PathEscape(origin)+"/feed", nil, "")
	if err != nil {
		return 0, err
	}
	defer body.Close()
	out := bufio.NewWriterSize(w, 1<<20)
	p := exportProgress{cmd: cmd, quiet: quiet, told: time.Now()}
	defer p.clear()
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 0, 1<<20), 2*protocol.MaxPapers+1024) // papers are the longest, in hexadecimal
	for lines.Scan() {
		if err := p.see(lines.Bytes()); err != nil {
			return p.n, err
		}
		if _, err := fmt.Fprintf(out, "%s\n", lines.Bytes()); err != nil {
			return p.n, err
		}
	}
	if err := lines.Err(); err != nil {
		return p.n, fmt.Errorf("the node stopped before the export was complete: try again (%w)", err)
	}
	if p.n != p.of || p.n == 0 {
		return p.n, fmt.Errorf("the node sent %d records, and its head says %d: try again, and if it stays, stop the node and run tmh verify", p.n, p.of)
	}
	return p.n, out.Flush()
}

// exportProgress counts the lines of changes and says how many there are.
type exportProgress struct {
	cmd   *cobra.Command
	n, of uint64
	told  time.Time
	quiet bool
	shown bool
}

const exportTells = 250 * time.Millisecond

func (p *exportProgress) see(line []byte) error {
	var l struct{ Type, Bytes string }
	if err := json.Unmarshal(line, &l); err != nil {
		return fmt.Errorf("the node stopped before the export was complete: try again")
	}
	switch l.Type {
	case "head":
		b, err := hex.DecodeString(l.Bytes)
		if err != nil {
			return err
		}
		head, err := protocol.DecodeSignedHeader(b)
		if err != nil {
			return fmt.Errorf("the head that the node sent: %w", err)
		}
		p.of = head.Count
	case "change":
		p.n++
	}
	if !p.quiet && p.of > 0 && time.Since(p.told) >= exportTells {
		p.told, p.shown = time.Now(), true
		p.cmd.PrintErrf("\r%d of %d records ", p.n, p.of)
	}
	return nil
}

func (p *exportProgress) clear() {
	if p.shown {
		p.cmd.PrintErr("\r\x1b[K")
	}
}
