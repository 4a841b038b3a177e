package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/config"
	"github.com/asean-tmh/tmh/protocol"
)

func charterCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "charter", Short: "Draft, sign, show and take in the charter of the federation"}
	cmd.AddCommand(charterNewCmd(), charterSignCmd(), charterMergeCmd(), charterShowCmd(), charterImportCmd())
	return cmd
}

func charterNewCmd() *cobra.Command {
	var name, out, secretariat string
	var members []string
	cmd := &cobra.Command{
		Use:   "new --name NAME --member ID,NAME,KEY... --out FILE",
		Short: "Draft charter 1",
		Long: "Draft charter 1 of a new federation. --member is given once for every member:\n" +
			"its id, which is also its ISO 3166-1 country code, its name, and its governance key as tmh key show prints it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c := protocol.Charter{Version: 1, Name: name, IssuedAt: protocol.InstantOf(time.Now())}
			for _, text := range members {
				m, err := parseMember(text, protocol.RoleMember)
				if err != nil {
					return err
				}
				c.Members = append(c.Members, m)
			}
			if secretariat != "" {
				m, err := parseMember(secretariat, protocol.RoleSecretariat)
				if err != nil {
					return err
				}
				c.Members = append(c.Members, m)
			}
			slices.SortFunc(c.Members, func(a, b protocol.Member) int { return strings.Compare(string(a.ID), string(b.ID)) })
			signed, err := protocol.NewCharter(c)
			if err != nil {
				return err
			}
			if err := writePaper(out, pemCharter, signed.Bytes()); err != nil {
				return err
			}
			cmd.Printf("Drafted %s.\n", out)
			showCharter(cmd, signed)
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the federation (required)")
	cmd.Flags().StringArrayVar(&members, "member", nil, "a member, as ID,NAME,KEY")
	cmd.Flags().StringVar(&secretariat, "secretariat", "", "the secretariat, as ID,NAME,KEY")
	cmd.Flags().StringVar(&out, "out", "charter.tmh", "file to write")
	_ = cmd.MarkFlagRequired("name")
	return cmd
}

func parseMember(text string, role protocol.Role) (m protocol.Member, err error) {
	id, rest, _ := strings.Cut(text, ",")
	i := strings.LastIndex(rest, ",")
	if i < 0 {
		return m, fmt.Errorf("%q is no member: write it as ID,NAME,KEY", text)
	}
	if m.ID, err = protocol.ParseMemberID(id); err != nil {
		return m, err
	}
	m.Name, m.Role = strings.TrimSpace(rest[:i]), role
	if role == protocol.RoleMember {
		m.Country = protocol.Country(id)
	}
	if err := m.Governance.UnmarshalText([]byte(strings.TrimSpace(rest[i+1:]))); err != nil {
		return m, fmt.Errorf("governance key of %s: %w", id, err)
	}
	return m, nil
}

func charterSignCmd() *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use:   "sign --key KEYFILE FILE",
		Short: "Add a signature with your governance key",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := onlyCharter(args[0])
			if err != nil {
				return err
			}
			s, err := readSigner(key)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(c.Members, func(m protocol.Member) bool { return m.Governance == s.Public() }) {
				return fmt.Errorf("%s is the governance key of no member of this charter", key)
			}
			c.Sign(s)
			if err := writePaper(args[0], pemCharter, c.Bytes()); err != nil {
				return err
			}
			showCharter(cmd, c)
			return nil
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "your governance key (required)")
	_ = cmd.MarkFlagRequired("key")
	return cmd
}

func charterMergeCmd() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "merge FILE FILE... --out FILE",
		Short: "Join the signatures of several copies of one charter",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var all *protocol.SignedCharter
			for _, path := range args {
				c, err := onlyCharter(path)
				if err != nil {
					return err
				}
				if all == nil {
					all = c
				} else if err := all.Merge(c); err != nil {
					return err
				}
			}
			if err := writePaper(out, pemCharter, all.Bytes()); err != nil {
				return err
			}
			showCharter(cmd, all)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "charter.tmh", "file to write")
	return cmd
}

func charterShowCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "show FILE",
		Short: "Show a charter, and who has signed it",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := onlyCharter(args[0])
			if err != nil {
				return err
			}
			showCharter(cmd, c)
			return nil
		},
	}
}

func showCharter(cmd *cobra.Command, c *protocol.SignedCharter) {
	cmd.Printf("Charter %d of %q, drafted %s\n", c.Version, c.Name, c.IssuedAt.Time().Format(time.DateOnly))
	cmd.Printf("federation %s\n", c.FederationID())
	signed := c.Signers(&c.Charter)
	for _, m := range c.Members {
		mark := "        "
		if slices.Contains(signed, m.ID) {
			mark = "signed  "
		}
		cmd.Printf("  %s%-4s %-11s %s  %s\n", mark, m.ID, m.Role, m.Governance, m.Name)
	}
	if n, want := len(signed), c.Threshold(); n < want {
		cmd.Printf("%d of the %d signatures wanted: pass the file on, and let more members run tmh charter sign.\n", n, want)
	} else {
		cmd.Printf("%d signatures, %d wanted: in force for whoever takes it in (tmh charter import).\n", n, want)
	}
}

func charterImportCmd() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "import --dir DIR FILE...",
		Short: "Take a charter in, whether the node runs or not",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return importPapers(cmd.Context(), cmd, dir, args)
		},
	}
	dirFlag(cmd, &dir)
	return cmd
}

// importPapers keeps papers in the node's folder, where they are taken at start, and gives them to the node if it runs.
func importPapers(ctx context.Context, cmd *cobra.Command, dir string, paths []string) error {
	cfg, err := config.Load(dir)
	if err != nil {
		return err
	}
	p, err := readPapers(paths...)
	if err != nil {
		return err
	}
	held, err := readPaperFolder(cfg.Papers)
	if err != nil {
		return err
	}
	charter, err := checkCharters(held.Charters, p.Charters)
	if err != nil {
		return err
	}
	if charter == nil {
		return fmt.Errorf("no charter is here yet: take it in first, with tmh charter import --dir %s FILE", dir)
	}
	for _, c := range p.Cards {
		if err := c.Verify(charter); err != nil {
			return fmt.Errorf("card of %s not taken in (this node follows charter %d of %q): %w", c.Member, charter.Version, charter.Name, err)
		}
	}
	if err := os.MkdirAll(cfg.Papers, 0o700); err != nil {
		return err
	}
	for _, c := range p.Charters {
		if err := writePaper(filepath.Join(cfg.Papers, fmt.Sprintf("charter-%04d.tmh", c.Version)), pemCharter, c.Bytes()); err != nil {
			return err
		}
		cmd.Printf("Took in charter %d of %q.\n", c.Version, c.Name)
	}
	for _, c := range p.Cards {
		if err := writePaper(filepath.Join(cfg.Papers, fmt.Sprintf("card-%s-%04d.tmh", c.Member, c.Version)), pemCard, c.Bytes()); err != nil {
			return err
		}
		cmd.Printf("Took in card %d of %s.\n", c.Version, c.Member)
	}
	if c := (client{socket: cfg.Socket}); c.alive(ctx) {
		if err := c.sendPapers(ctx, p); err != nil {
			return fmt.Errorf("the running node did not take them: %w", err)
		}
		cmd.Println("The running node has them.")
	}
	return nil
}

// checkCharters judges new charters together with those held, as the node will at its next start, and returns the one
// then in force; nil where there is none at all.
func checkCharters(held, more []*protocol.SignedCharter) (last *protocol.SignedCharter, err error) {
	if len(held) > 0 {
		for _, c := range more {
			if c.FederationID() != held[0].FederationID() {
				return nil, fmt.Errorf("charter %d of %q is of federation %s, but this node belongs to %q, %s: nothing was taken in. "+
					"For a node in another federation use another folder (tmh init)", c.Version, c.Name, c.FederationID().Short(), held[0].Name, held[0].FederationID().Short())
			}
		}
	}
	all := slices.Concat(held, more)
	slices.SortStableFunc(all, func(a, b *protocol.SignedCharter) int { return cmp.Compare(a.Version, b.Version) })
	var prev *protocol.SignedCharter
	for _, c := range all {
		if last != nil && c.Version == last.Version {
			if c.Hash != last.Hash {
				return nil, fmt.Errorf("there are two different charters %d: ask the other members which one holds; nothing was taken in", c.Version)
			}
		} else {
			prev, last = last, c
		}
		if err := c.Follows(prev); err != nil {
			return nil, fmt.Errorf("charter %d not taken in: %w", c.Version, err)
		}
	}
	return last, nil
}
