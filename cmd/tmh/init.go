package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/configs"
	"github.com/asean-tmh/tmh/node/config"
	"github.com/asean-tmh/tmh/protocol"
)

func initCmd() *cobra.Command {
	var dir, member, http string
	var listen []string
	cmd := &cobra.Command{
		Use:   "init --dir DIR --member ID",
		Short: "Make the folder of a new node: configuration and keys",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			id, err := protocol.ParseMemberID(member)
			if err != nil {
				return err
			}
			return initNode(cmd, dir, id, http, listen)
		},
	}
	dirFlag(cmd, &dir)
	cmd.Flags().StringVar(&member, "member", "", "member id, such as KH (required)")
	cmd.Flags().StringVar(&http, "http", "", "address of pages and API (default as in the sample configuration)")
	cmd.Flags().StringSliceVar(&listen, "listen", nil, "multiaddrs to listen on (default as in the sample configuration)")
	_ = cmd.MarkFlagRequired("member")
	return cmd
}

func initNode(cmd *cobra.Command, dir string, member protocol.MemberID, http string, listen []string) error {
	path := filepath.Join(dir, config.Name)
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s exists already: nothing was changed", path)
	}
	text := strings.Replace(configs.Sample, `member: ""`, "member: "+string(member), 1)
	if http != "" {
		text = strings.Replace(text, "http: 127.0.0.1:8080", "http: "+http, 1)
	}
	if len(listen) > 0 {
		text = strings.Replace(text, "  - /ip4/0.0.0.0/tcp/4001\n  - /ip4/0.0.0.0/udp/4001/quic-v1\n", "  - "+strings.Join(listen, "\n  - ")+"\n", 1)
	}
	if _, err := config.Parse([]byte(text)); err != nil {
		return err
	}
	for _, d := range []string{dir, filepath.Join(dir, "keys"), filepath.Join(dir, "papers")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	for _, name := range []string{"record", "transport", "governance"} {
		if _, err := newKeyFile(filepath.Join(dir, "keys", name+".pem")); err != nil {
			return err
		}
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	governance, err := readSigner(filepath.Join(dir, "keys", "governance.pem"))
	if err != nil {
		return err
	}
	cmd.Printf("Made the node of %s in %s.\n\n", member, dir)
	cmd.Printf("Governance key, for the charter:\n  %s\n\n", governance.Public())
	cmd.Printf("Next:\n")
	cmd.Printf("  1. Give the governance key above to whoever drafts the charter (tmh charter new), sign the charter\n     (tmh charter sign), and take it in: tmh charter import --dir %s FILE\n", dir)
	cmd.Printf("  2. Make your member card (tmh card new --dir %s), exchange cards with the other members, and take theirs in:\n     tmh card import --dir %s FILE...\n", dir, dir)
	cmd.Printf("  3. Move %s offline: whoever has it speaks for %s.\n", filepath.Join(dir, "keys", "governance.pem"), member)
	cmd.Printf("  4. tmh serve --dir %s\n", dir)
	return nil
}
