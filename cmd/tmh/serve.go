package main

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/config"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/match/embed"
	"github.com/asean-tmh/tmh/node/oai/harvest"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

func serveCmd() *cobra.Command {
	var dir string
	var alone bool
	cmd := &cobra.Command{
		Use:   "serve --dir DIR",
		Short: "Run the node",
		Long: "Run the node. Before it signs anything it asks over half of the other members what they hold of its catalogue, so that\n" +
			"a restore from an older state, or a second copy of it, shows before it does harm. --alone leaves that out: only where\n" +
			"they cannot be reached, and no other copy of this node ever signed.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(dir)
			if err != nil {
				return err
			}
			n, err := openNode(cfg, alone)
			if err != nil {
				return err
			}
			show := welcome(cmd, n, cfg, dir)
			go func() {
				<-n.Ready()
				cmd.Printf("The node of %s runs.\n", cfg.Member)
				if a := n.HTTPAddr(); a != "" {
					cmd.Printf("Pages and API: http://%s/\n", a)
				}
				show()
			}()
			return n.Run(cmd.Context())
		},
	}
	dirFlag(cmd, &dir)
	cmd.Flags().BoolVar(&alone, "alone", false, "sign without having heard the other members")
	return cmd
}

func openNode(cfg config.File, alone bool) (*node.Node, error) {
	record, err := readSigner(cfg.RecordKey)
	if err != nil {
		return nil, err
	}
	transport, err := readKeyFile(cfg.TransportKey)
	if err != nil {
		return nil, err
	}
	papers, err := readPaperFolder(cfg.Papers)
	if err != nil {
		return nil, err
	}
	token := ""
	if cfg.TokenFile != "" {
		b, err := os.ReadFile(cfg.TokenFile)
		if err != nil {
			return nil, fmt.Errorf("read the operator's token: %w", err)
		}
		if token = strings.TrimSpace(string(b)); len(token) < 20 {
			return nil, fmt.Errorf("the token in %s is shorter than 20 characters: make one with openssl rand -hex 32", cfg.TokenFile)
		}
	}
	embedder, err := openEmbedder(cfg.Embedding)
	if err != nil {
		return nil, err
	}
	house, err := houseOf(cfg)
	if err != nil {
		return nil, err
	}
	tuneMemory(uint64(cfg.MemoryLimit))
	return node.New(node.Config{
		Member: protocol.MemberID(cfg.Member), Record: record, Transport: transport, Papers: papers,
		Store: store.Config{Dir: cfg.Data, MinFree: uint64(cfg.MinFree), Memtable: int64(cfg.Memtable)}, Guard: cfg.Guard,
		Index: cfg.Index, Lexicon: cfg.Lexicon, Embedder: embedder, EmbedTimeout: cfg.Embedding.Timeout,
		Backup: node.BackupConfig{Dir: cfg.Backup.Dir, Every: cfg.Backup.Every, Keep: cfg.Backup.Keep},
		Listen: cfg.Listen, Announce: cfg.Announce, Relay: cfg.Relay, Alone: alone,
		House: house, Limits: limitsOf(cfg.Limits), Certificate: cfg.TLS.Cert, Key: cfg.TLS.Key, Proxies: cfg.Proxies,
		HTTP: cfg.HTTP, Socket: cfg.Socket, Token: token, Demonstration: cfg.Demonstration, Version: buildVersion(),
		Log: logger(cfg.Log),
	})
}

// houseOf is what the configuration says of people, mail and the agency.
func houseOf(cfg config.File) (h house.Config, err error) {
	h = house.Config{
		PublicURL: cfg.PublicURL, Agency: house.Agency(cfg.Agency), Mail: cfg.SMTP.Server(),
		Provider: house.Provider{Issuer: cfg.OIDC.Issuer, ClientID: cfg.OIDC.ClientID, Name: cfg.OIDC.Name},
	}
	if cfg.OIDC.ClientSecretFile != "" {
		b, err := os.ReadFile(cfg.OIDC.ClientSecretFile)
		if err != nil {
			return h, fmt.Errorf("read the secret of the provider of identities: %w", err)
		}
		h.Provider.ClientSecret = strings.TrimSpace(string(b))
	}
	h.Imports = cfg.Imports.Dir
	if cfg.Imports.PrivateNetworks {
		h.Harvester = &harvest.Client{Allow: func(netip.Addr) bool { return true }}
	}
	return h, nil
}

func limitsOf(c config.Limits) *api.Limits {
	l := api.DefaultLimits()
	l.Reads, l.KnownReads, l.Suggestions, l.Writes = c.Reads, c.KnownReads, c.Suggestions, c.Writes
	return &l
}

// openEmbedder is nil where no embedding endpoint is configured.
func openEmbedder(c config.Embedding) (embed.Embedder, error) {
	if c.URL == "" {
		return nil, nil
	}
	key := ""
	if c.KeyFile != "" {
		b, err := os.ReadFile(c.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("read the key of the embedding endpoint: %w", err)
		}
		if key = strings.TrimSpace(string(b)); key == "" {
			return nil, fmt.Errorf("the key of the embedding endpoint in %s is empty: write it there, or leave embedding.key_file empty", c.KeyFile)
		}
	}
	return embed.New(embed.Config{URL: c.URL, Kind: embed.Kind(c.Kind), Model: c.Model, Key: key})
}

func logger(c config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o))
}
