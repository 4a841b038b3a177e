package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/config"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

func backupCmd() *cobra.Command {
	var dir, out string
	cmd := &cobra.Command{
		Use:   "backup --dir DIR",
		Short: "Write everything that the node holds into one file, also while it runs",
		Long: "Write everything that the node holds, at one moment, into one compressed file with a checksum. A running node goes\n" +
			"on meanwhile. Keys, papers, configuration and the guard file are not in it: keep the keys apart, and never copy the\n" +
			"guard file, which remembers how far this node has signed.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(dir)
			if err != nil {
				return err
			}
			line := newLine(cmd)
			var written uint64
			save := store.Saving{
				Path: out, Data: cfg.Data, MinFree: uint64(cfg.MinFree),
				Progress: func(n uint64) { line.show("%d entries · %s ", n, megabytes(written)) },
			}
			if out == "" {
				if save.Dir = cfg.Backup.Dir; save.Dir == "" {
					save.Dir = "."
				}
			}
			source, end, err := backupSource(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			save.Produce = func(w io.Writer) error { return source(counting{w, &written}) }
			start := time.Now()
			path, h, n, err := store.SaveBackup(save)
			line.clear()
			if err = errors.Join(err, end()); err != nil {
				return interrupted(cmd.Context(), err, "no backup was kept")
			}
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			cmd.Printf("Wrote %s: %d entries, %s (%s compressed), as of %s, in %.1f s. It was read back, and its checksum is right.\n",
				path, n.Entries, megabytes(n.Bytes), megabytes(uint64(info.Size())), h.Created.UTC().Format(time.DateTime+" UTC"), time.Since(start).Seconds())
			cmd.Printf("Not in it, on purpose: keys, papers, configuration, and the guard file. Keep %s and the papers apart; never copy the guard file.\n", filepath.Dir(cfg.RecordKey))
			return nil
		},
	}
	dirFlag(cmd, &dir)
	cmd.Flags().StringVar(&out, "out", "", "file to write (default MEMBER-TIME.tmhbackup in backup.dir, or here)")
	return cmd
}

// backupSource is the running node, or the store of a stopped one; end is to be called afterwards.
func backupSource(ctx context.Context, cfg config.File) (source func(io.Writer) error, end func() error, err error) {
	if c := (client{socket: cfg.Socket}); c.alive(ctx) {
		return func(w io.Writer) error {
			body, err := c.do(ctx, http.MethodGet, "/api/v1/backup", nil, "")
			if err != nil {
				return err
			}
			defer body.Close()
			_, err = io.Copy(w, body)
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return fmt.Errorf("the node stopped before the backup was complete: look into its log, and try again")
			}
			return err
		}, func() error { return nil }, nil
	}
	if !store.Exists(cfg.Data) {
		return nil, nil, fmt.Errorf("%s holds no database, so there is nothing to back up", cfg.Data)
	}
	release, err := store.LockGuard(cfg.Guard)
	if err != nil {
		return nil, nil, err
	}
	s, err := store.OpenReadOnly(store.Config{Dir: cfg.Data, Memtable: int64(cfg.Memtable)})
	if err != nil {
		return nil, nil, errors.Join(err, release())
	}
	h := store.BackupHeader{Member: protocol.MemberID(cfg.Member), Created: time.Now().UTC(), Version: buildVersion()}
	if err := s.View(func(tx *store.Tx) error {
		roster, err := tx.Roster()
		if roster != nil {
			h.Federation = roster.Federation()
		}
		return err
	}); err != nil {
		return nil, nil, errors.Join(err, s.Close(), release())
	}
	return func(w io.Writer) error {
		_, err := s.Backup(ctx, w, h)
		return err
	}, func() error { return errors.Join(s.Close(), release()) }, nil
}

// interrupted says of a step that the user ended what became of it: run takes the context's own error for success.
func interrupted(ctx context.Context, err error, became string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted: %s", became)
	}
	return err
}

type counting struct {
	w io.Writer
	n *uint64
}

func (c counting) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	*c.n += uint64(n)
	return n, err
}

func megabytes(n uint64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// line is progress on the terminal's last line, a few times a second.
type line struct {
	cmd   *cobra.Command
	last  time.Time
	shown bool
}

func newLine(cmd *cobra.Command) *line { return &line{cmd: cmd} }

func (l *line) show(format string, args ...any) {
	if time.Since(l.last) < 200*time.Millisecond {
		return
	}
	l.last, l.shown = time.Now(), true
	l.cmd.PrintErrf("\r"+format, args...)
}

func (l *line) clear() {
	if l.shown {
		l.cmd.PrintErr("\r\x1b[K")
	}
	l.shown = false
}
