package main

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/config"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/p2p"
	"github.com/asean-tmh/tmh/protocol"
)

func cardCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "card", Short: "Make, show and take in member cards: where a node is reached, and which keys sign for it"}
	cmd.AddCommand(cardNewCmd(), cardShowCmd(), cardImportCmd())
	return cmd
}

// cardWish is what a new card is to say. What is left out stays as the card before says it.
type cardWish struct {
	governance, url, seal, recordKey string
	addresses                        []string
	urlSaid                          bool
}

func cardNewCmd() *cobra.Command {
	var dir, out string
	var wish cardWish
	cmd := &cobra.Command{
		Use:   "new --dir DIR --address MULTIADDR...",
		Short: "Make and sign this node's card, and rotate its record key",
		Long: "Make and sign this node's card. What is left out stays as the card before says it.\n\n" +
			"A record key is replaced by sealing it: make the next one with tmh key new keys/record-2.pem, then\n" +
			"  tmh card new --seal head --record-key keys/record-2.pem   in the ordinary way, with the node stopped. The old key\n" +
			"                                                            signed all up to the end of the catalogue, the new one goes on.\n" +
			"  tmh card new --seal 1.8 --record-key keys/record-2.pem    where the old key was stolen: name the last position that you\n" +
			"                                                            know is yours. What was signed above it, by whomever, counts for\n" +
			"                                                            nothing; what was signed up to it can never be contested.\n" +
			"Sealing too low voids what is yours, sealing too high lets stand what is not: tmh export --feed lists what was signed.\n" +
			"The configuration then names the new key. It says what to do next; docs/operations.md tells more.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(dir)
			if err != nil {
				return err
			}
			if wish.governance == "" {
				wish.governance = filepath.Join(dir, "keys", "governance.pem")
			}
			if out == "" {
				out = filepath.Join(dir, cfg.Member+".tmh")
			}
			wish.urlSaid = cmd.Flags().Changed("url")
			if wish.recordKey != "" && wish.seal == "" {
				return fmt.Errorf("--record-key goes with --seal, which says up to where the key before signed: --seal head, or a position")
			}
			card, sealed, err := makeCard(cmd.Context(), cfg, wish)
			if err != nil {
				return err
			}
			if err := writePaper(out, pemCard, card.Bytes()); err != nil {
				return err
			}
			cmd.Printf("Made card %d of %s: %s. Give it to the other members.\n", card.Version, card.Member, out)
			if sealed == nil {
				return importPapers(cmd.Context(), cmd, dir, []string{out})
			}
			return rotated(cmd, dir, cfg, wish, card, sealed)
		},
	}
	dirFlag(cmd, &dir)
	cmd.Flags().StringVar(&wish.governance, "key", "", "governance key (default keys/governance.pem in the node's folder)")
	cmd.Flags().StringSliceVar(&wish.addresses, "address", nil, "multiaddr at which the other members reach this node (default announce of the configuration, or as on the card before)")
	cmd.Flags().StringVar(&wish.url, "url", "", "public address of the node's pages")
	cmd.Flags().StringVar(&wish.seal, "seal", "", "close the record key in use at this position, such as 1.8, or head for the end of the catalogue")
	cmd.Flags().StringVar(&wish.recordKey, "record-key", "", "with --seal: file of the record key that follows (default record_key of the configuration)")
	cmd.Flags().StringVar(&out, "out", "", "file to write (default ID.tmh in the node's folder)")
	return cmd
}

func makeCard(ctx context.Context, cfg config.File, wish cardWish) (card *protocol.SignedCard, sealed *exchange.Seal, err error) {
	papers, err := readPaperFolder(cfg.Papers)
	if err != nil {
		return nil, nil, err
	}
	charter, err := checkCharters(papers.Charters, nil)
	if err != nil {
		return nil, nil, err
	}
	if charter == nil {
		return nil, nil, fmt.Errorf("no charter is here yet: run tmh charter import first")
	}
	g, err := readSigner(wish.governance)
	if err != nil {
		return nil, nil, err
	}
	m, ok := charter.Member(protocol.MemberID(cfg.Member))
	if !ok || m.Governance != g.Public() {
		return nil, nil, fmt.Errorf("%s is not the governance key that the charter names for %s", wish.governance, cfg.Member)
	}
	before, sealed, err := cardBefore(ctx, cfg, papers, wish.seal)
	if err != nil {
		return nil, nil, err
	}
	transport, err := readKeyFile(cfg.TransportKey)
	if err != nil {
		return nil, nil, err
	}
	next := protocol.Card{Federation: charter.FederationID(), Member: m.ID, Version: 1, URL: wish.url, IssuedAt: protocol.InstantOf(time.Now())}
	peer := protocol.Peer{ID: p2p.PeerIDOf(transport.Public().(ed25519.PublicKey)), Addresses: wish.addresses}
	if len(peer.Addresses) == 0 {
		peer.Addresses = cfg.Announce
	}
	if before != nil {
		next.Version = before.Version + 1
		if !wish.urlSaid {
			next.URL = before.URL
		}
		for _, p := range before.Peers {
			if p.ID == peer.ID && len(peer.Addresses) == 0 {
				peer.Addresses = p.Addresses
			}
		}
	}
	if err := checkAddresses(peer.Addresses); err != nil {
		return nil, nil, err
	}
	next.Peers = []protocol.Peer{peer}
	if next.Keys, err = keyRanges(cfg, wish, before, sealed); err != nil {
		return nil, nil, err
	}
	card, err = protocol.SignCard(g, next)
	return card, sealed, err
}

func checkAddresses(all []string) error {
	for _, a := range all {
		if err := p2p.CheckAddress(a); err != nil {
			return fmt.Errorf("address %s: %w", a, err)
		}
	}
	if len(all) == 0 {
		return fmt.Errorf("say with --address how the other members reach this node, such as --address /dns4/node.example/tcp/4001")
	}
	return nil
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
					cmd.Printf("  record key %s from %s", k.Key, k.From)
					if k.Seal != (protocol.Hash{}) {
						cmd.Printf(" to %s, sealed %s", k.To, k.Seal.Short())
					}
					cmd.Println()
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
