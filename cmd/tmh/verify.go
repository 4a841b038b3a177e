package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/config"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

func verifyCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "verify DIR|FILE",
		Short: "Check everything that a stopped node or a backup holds: signatures, digests, indexes",
		Long: "Check everything that a stopped node, or a backup file, holds, and change nothing. Every fault is named by member and\n" +
			"record, with what to do about it. The exit status is 0 where nothing is wrong.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if info, err := os.Stat(args[0]); err == nil && info.Mode().IsRegular() {
				_, err := restore(cmd, node.Restoring{File: args[0], Dry: true, Store: store.Config{MinFree: 1}})
				return err
			}
			return verifyNode(cmd, args[0])
		},
	}
}

func verifyNode(cmd *cobra.Command, dir string) error {
	cfg, err := config.Load(dir)
	if err != nil {
		return err
	}
	if !store.Exists(cfg.Data) {
		return fmt.Errorf("%s holds no database", filepath.Clean(cfg.Data))
	}
	if (client{socket: cfg.Socket}).alive(cmd.Context()) {
		return fmt.Errorf("the node is running: stop it first, so that what is checked stands still")
	}
	l := newLine(cmd)
	v, err := node.Verify(cmd.Context(), node.VerifyConfig{
		Store: store.Config{Dir: cfg.Data, Memtable: int64(cfg.Memtable)}, Member: protocol.MemberID(cfg.Member), Guard: cfg.Guard,
		Progress: func(n int) { l.show("%d records ", n) },
	})
	l.clear()
	if shown := showVerification(cmd, v); err == nil {
		err = shown
	}
	return interrupted(cmd.Context(), err, "not everything was checked")
}

// mostFindings are printed one by one; in a disk that fell apart nobody reads more.
const mostFindings = 100

// showVerification prints what was found, and once each what to do about it.
func showVerification(cmd *cobra.Command, v node.Verification) error {
	said := make(map[string]bool)
	var advice []string
	for i, f := range v.Findings {
		if i < mostFindings {
			cmd.Println(f)
		}
		if !said[f.Do] {
			said[f.Do] = true
			advice = append(advice, f.Do)
		}
	}
	if more := len(v.Findings) - mostFindings; more > 0 {
		cmd.Printf("and %d more\n", more)
	}
	if len(v.Catalogues) > 0 || len(v.Findings) > 0 {
		cmd.Printf("%d records of %d members checked in %s: %d findings\n", v.Records, len(v.Catalogues), v.Took.Round(time.Millisecond), len(v.Findings))
	}
	for _, do := range advice {
		cmd.Printf("→ %s\n", do)
	}
	if n := len(v.Findings); n > 0 {
		return fmt.Errorf("%d things are wrong", n)
	}
	return nil
}
