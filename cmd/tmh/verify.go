package main

import (
	"fmt"
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
		Use:   "verify DIR",
		Short: "Check everything that a stopped node holds: signatures, digests, indexes",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := config.Load(args[0])
			if err != nil {
				return err
			}
			if !store.Exists(cfg.Data) {
				return fmt.Errorf("%s holds no database", filepath.Clean(cfg.Data))
			}
			if (client{cfg.Socket}).alive(cmd.Context()) {
				return fmt.Errorf("the node is running: stop it first, so that what is checked stands still")
			}
			shown := false
			v, err := node.Verify(store.Config{Dir: cfg.Data, MinFree: 1, Memtable: int64(cfg.Memtable)}, func(n int) {
				shown = true
				cmd.PrintErrf("\r%d records ", n)
			})
			if shown {
				cmd.PrintErr("\r\x1b[K")
			}
			if err != nil {
				return err
			}
			return showVerification(cmd, v, protocol.MemberID(cfg.Member))
		},
	}
}

func showVerification(cmd *cobra.Command, v node.Verification, self protocol.MemberID) error {
	own := false
	for _, f := range v.Findings {
		own = own || f.Origin == self
		if f.Record == "" {
			cmd.Printf("%s: %s\n", f.Origin, f.Text)
		} else {
			cmd.Printf("%s %s: %s\n", f.Origin, f.Record, f.Text)
		}
	}
	cmd.Printf("%d records of %d members checked in %s: %d findings\n", v.Records, v.Origins, v.Took.Round(time.Millisecond), len(v.Findings))
	switch {
	case own:
		return fmt.Errorf("the store is damaged in this node's own catalogue, which no other node may sign again: delete nothing; put the newest good copy of the data folder in its place")
	case len(v.Findings) > 0:
		return fmt.Errorf("the store is damaged in other members' catalogues only: move its data folder away, but never its guard, keys and papers; then put the newest good copy in its place")
	}
	return nil
}
