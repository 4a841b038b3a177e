package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/exchange"
)

func statusCmd() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "status --dir DIR",
		Short: "Show how the running node stands with every member",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := dial(dir)
			if err != nil {
				return err
			}
			var health exchange.Health
			var members struct {
				Members []exchange.MemberState `json:"members"`
			}
			if err := c.get(cmd.Context(), "/api/v1/health", &health); err != nil {
				return err
			}
			if err := c.get(cmd.Context(), "/api/v1/members", &members); err != nil {
				return err
			}
			showStatus(cmd, health, members.Members)
			return nil
		},
	}
	dirFlag(cmd, &dir)
	return cmd
}

func showStatus(cmd *cobra.Command, h exchange.Health, members []exchange.MemberState) {
	cmd.Printf("%s · tmh %s · %d of %d other members connected\n", h.Member, h.Version, h.Peers, h.Members-1)
	if h.Indexing > 0 {
		cmd.Printf("reading the catalogue in: %.0f%% to go\n", 100*h.Indexing)
	}
	for _, f := range h.Faults {
		cmd.Printf("! %s\n", f)
	}
	for _, f := range h.Warnings {
		cmd.Printf("~ %s\n", f)
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 2, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MEMBER\tSTATE\tPROVEN\tDIGEST\tLISTINGS\tLAST HEARD\tCONNECTED")
	for _, m := range members {
		lastHeard := "never"
		if m.LastHeard != 0 {
			lastHeard = time.Since(m.LastHeard.Time()).Round(time.Second).String() + " ago"
		}
		connected := "no"
		if m.Self {
			connected = "-"
		} else if m.Connected {
			connected = "yes"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", m.ID, m.State, m.Position, m.Digest.Short(), m.Listings, lastHeard, connected)
	}
	_ = w.Flush()
	for _, m := range members {
		if m.Why != "" {
			cmd.Printf("%s: %s\n", m.ID, m.Why)
		}
	}
}
