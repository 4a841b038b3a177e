package main

import (
	"crypto/ed25519"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/config"
	"github.com/asean-tmh/tmh/node/p2p"
	"github.com/asean-tmh/tmh/protocol"
)

func cardCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "card", Short: "Make, show and take in member cards: where a node is reached, and which keys sign for it"}
	cmd.AddCommand(cardNewCmd(), cardShowCmd(), cardImportCmd())
	return cmd
}

func cardNewCmd() *cobra.Command {
	var dir, governance, out, url string
	var addresses []string
	cmd := &cobra.Command{
		Use:   "new --dir DIR --address MULTIADDR...",
		Short: "Make and sign this node's card",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(dir)
			if err != nil {
				return err
			}
			if governance == "" {
				governance = filepath.Join(dir, "keys", "governance.pem")
			}
			if out == "" {
				out = filepath.Join(dir, cfg.Member+".tmh")
			}
			if len(addresses) == 0 {
				addresses = cfg.Announce
			}
			card, err := makeCard(cfg, governance, url, addresses)
			if err != nil {
				return err
			}
			if err := writePaper(out, pemCard, card.Bytes()); err != nil {
				return err
			}
			cmd.Printf("Made card %d of %s: %s. Give it to the other members.\n", card.Version, card.Member, out)
			return importPapers(cmd.Context(), cmd, dir, []string{out})
		},
	}
	dirFlag(cmd, &dir)
	cmd.Flags().StringVar(&governance, "key", "", "governance key (default keys/governance.pem in the node's folder)")
	cmd.Flags().StringSliceVar(&addresses, "address", nil, "multiaddr at which the other members reach this node (default announce of the configuration)")
	cmd.Flags().StringVar(&url, "url", "", "public address of the node's pages")
	cmd.Flags().StringVar(&out, "out", "", "file to write (default ID.tmh in the node's folder)")
	return cmd
}

func makeCard(cfg config.File, governance, url string, addresses []string) (*protocol.SignedCard, error) {
	for _, a := range addresses {
		if err := p2p.CheckAddress(a); err != nil {
			return nil, fmt.Errorf("address %s: %w", a, err)
		}
	}
	if len(addresses) == 0 {
		return nil, fmt.Errorf("say with --address how the other members reach this node, such as --address /dns4/node.example/tcp/4001")
	}
	papers, err := readPaperFolder(cfg.Papers)
	if err != nil {
		return nil, err
	}
	charter, err := checkCharters(papers.Charters, nil)
	if err != nil {
		return nil, err
	}
	if charter == nil {
		return nil, fmt.Errorf("no charter is here yet: run tmh charter import first")
	}
	g, err := readSigner(governance)
	if err != nil {
		return nil, err
	}
	m, ok := charter.Member(protocol.MemberID(cfg.Member))
	if !ok || m.Governance != g.Public() {
		return nil, fmt.Errorf("%s is not the governance key that the charter names for %s", governance, cfg.Member)
	}
	record, err := readSigner(cfg.RecordKey)
	if err != nil {
		return nil, err
	}
	transport, err := readKeyFile(cfg.TransportKey)
	if err != nil {
		return nil, err
	}
	version := uint64(1)
	for _, c := range papers.Cards {
		if c.Member == m.ID {
			version = max(version, c.Version+1)
		}
	}
	return protocol.SignCard(g, protocol.Card{
		Federation: charter.FederationID(), Member: m.ID, Version: version, URL: url, IssuedAt: protocol.InstantOf(time.Now()),
		Peers: []protocol.Peer{{ID: p2p.PeerIDOf(transport.Public().(ed25519.PublicKey)), Addresses: addresses}},
		Keys:  []protocol.RecordKeyRange{{Key: record.Public(), From: protocol.Position{Epoch: 1, Seq: 1}}},
	})
}

func cardShowCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "show FILE...",
		Short: "Show member cards",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := readPapers(args...)
			if err != nil {
				return err
			}
			for _, c := range p.Cards {
				cmd.Printf("Card %d of %s, made %s, federation %s\n", c.Version, c.Member, c.IssuedAt.Time().Format(time.DateOnly), c.Federation.Short())
				for _, peer := range c.Peers {
					cmd.Printf("  peer %s\n", peer.ID)
					for _, a := range peer.Addresses {
						cmd.Printf("    %s\n", a)
					}
				}
				for _, k := range c.Keys {
					cmd.Printf("  record key %s from %s\n", k.Key, k.From)
				}
				if c.URL != "" {
					cmd.Printf("  pages %s\n", c.URL)
				}
			}
			return nil
		},
	}
}

func cardImportCmd() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "import --dir DIR FILE...",
		Short: "Take other members' cards in, whether the node runs or not",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return importPapers(cmd.Context(), cmd, dir, args)
		},
	}
	dirFlag(cmd, &dir)
	return cmd
}
