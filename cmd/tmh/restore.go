package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/config"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

func restoreCmd() *cobra.Command {
	var dir string
	var dry bool
	cmd := &cobra.Command{
		Use:   "restore --dir DIR FILE",
		Short: "Make a stopped node's database of a backup, in an empty place",
		Long: "Make the database of a stopped node of a backup. Everything in the backup is verified before it takes its place, and\n" +
			"nothing is overwritten. Keys, papers and the guard file stay as they are: leave the guard file where it is, for it\n" +
			"knows what was signed since the backup.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := config.Load(dir)
			if err != nil {
				return err
			}
			r := node.Restoring{
				File: args[0], Dry: dry, Member: protocol.MemberID(cfg.Member), Data: cfg.Data, Guard: cfg.Guard,
				Store: store.Config{MinFree: uint64(cfg.MinFree), Memtable: int64(cfg.Memtable)},
			}
			out, err := restore(cmd, r)
			if err != nil {
				return err
			}
			if dry {
				cmd.Printf("Nothing was changed. Without --dry-run it would be restored into %s.\n", cfg.Data)
				return nil
			}
			sayNext(cmd, cfg, out)
			return nil
		},
	}
	dirFlag(cmd, &dir)
	cmd.Flags().BoolVar(&dry, "dry-run", false, "verify the backup and say what it holds, and change nothing")
	return cmd
}

// restore shows what the backup holds, and what is wrong with it.
func restore(cmd *cobra.Command, r node.Restoring) (node.Restored, error) {
	l := newLine(cmd)
	r.Progress = func(step string, n uint64) { l.show("%d %s ", n, step) }
	out, err := node.Restore(cmd.Context(), r)
	l.clear()
	if out.Count.Entries > 0 && out.Verification.Took > 0 {
		h := out.Header
		cmd.Printf("%s is a backup of %s, federation %s, as of %s, written by tmh %s: %d entries, %s. Its checksum is right.\n", r.File,
			h.Member, h.Federation.Short(), h.Created.UTC().Format(time.DateTime+" UTC"), h.Version, out.Count.Entries, megabytes(out.Count.Bytes))
		for _, c := range out.Verification.Catalogues {
			cmd.Printf("  %-16s up to %-10s %d records\n", c.Origin, c.Proven, c.Records)
		}
		if shown := showVerification(cmd, out.Verification); err == nil {
			err = shown
		}
	}
	return out, interrupted(cmd.Context(), err, "nothing was changed")
}

// sayNext says in words what the node will do.
func sayNext(cmd *cobra.Command, cfg config.File, out node.Restored) {
	m := out.Header.Member
	own := out.Verification.Own(m).Proven
	cmd.Printf("Restored into %s. The own catalogue of %s ends at %s there.\n", cfg.Data, m, own)
	switch {
	case out.Signed == store.Mark{}:
		cmd.Printf("There is no guard file that says how far %s has signed since: only the other members know.\n", m)
	case out.Signed.Pos.Compare(own) > 0:
		cmd.Printf("The guard file knows that %s signed up to %s: what lies between is missing here, and the other members hold it.\n", m, out.Signed.Pos)
	}
	cmd.Printf("Next: tmh serve --dir %s. The node answers queries at once. It asks the other members for what it signed since the backup, and\n"+
		"publishes again only when it knows that it has all of it; tmh status says how that stands. Everybody else's newer listings come by themselves.\n", cmd.Flag("dir").Value)
	cmd.Printf("Sessions and links have ended, and tokens wait for tmh token confirm. Erase again who was erased since the backup (tmh user erase),\n" +
		"before people come in; docs/operations.md says what else came back.\n" +
		"Imports that were not finished have failed, and no repository is harvested by the clock: adopt what came back without its posting first.\n")
}
