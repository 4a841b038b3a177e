package main

import (
	"crypto/ed25519"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/config"
	"github.com/asean-tmh/tmh/node/p2p"
	"github.com/asean-tmh/tmh/protocol"
)

func keyCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "key", Short: "Make keys and show their public parts"}
	cmd.AddCommand(&cobra.Command{
		Use:   "new FILE",
		Short: "Make a key, such as a governance key on a machine without a network",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := newKeyFile(args[0])
			if err != nil {
				return err
			}
			cmd.Printf("public key %s\n", protocol.NewSigner(key).Public())
			return nil
		},
	}, keyShowCmd())
	return cmd
}

func keyShowCmd() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "show [FILE]",
		Short: "Show the public part of a key file, or of all keys of a node",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				s, err := readSigner(args[0])
				if err != nil {
					return err
				}
				cmd.Println(s.Public())
				return nil
			}
			cfg, err := config.Load(dir)
			if err != nil {
				return err
			}
			record, err := readSigner(cfg.RecordKey)
			if err != nil {
				return err
			}
			transport, err := readKeyFile(cfg.TransportKey)
			if err != nil {
				return err
			}
			if g, err := readSigner(filepath.Join(dir, "keys", "governance.pem")); err == nil {
				cmd.Printf("governance  %s\n", g.Public())
			} else {
				cmd.Printf("governance  (not on this machine)\n")
			}
			cmd.Printf("record      %s\n", record.Public())
			cmd.Printf("transport   %s\n", p2p.PeerIDOf(transport.Public().(ed25519.PublicKey)))
			return nil
		},
	}
	dirFlag(cmd, &dir)
	return cmd
}
