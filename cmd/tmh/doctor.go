package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/config"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/p2p"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

func doctorCmd() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "doctor --dir DIR",
		Short: "Say what is wrong with a node, running or stopped, and what to do next",
		Long: "Check a node: its files, keys and papers, and, where it runs, whether it signs, how it stands with every member, its\n" +
			"disk, its clock, its backups, its mail server, its certificate and what the system grants it. It changes nothing. The exit\n" +
			"code is 1 where it found a fault.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(dir)
			if err != nil {
				return err
			}
			return showFindings(cmd, examine(cmd.Context(), cfg))
		},
	}
	dirFlag(cmd, &dir)
	return cmd
}

func showFindings(cmd *cobra.Command, found exchange.Findings) error {
	urgency := []exchange.Level{exchange.Fault, exchange.Warning, exchange.Fine}
	slices.SortStableFunc(found, func(a, b exchange.Finding) int {
		return slices.Index(urgency, a.Level) - slices.Index(urgency, b.Level)
	})
	number := make(map[exchange.Level]int)
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 2, 0, 2, ' ', 0)
	for _, f := range found {
		number[f.Level]++
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.Level, f.Check, f.What)
		if f.Next != "" {
			fmt.Fprintf(w, "\t\t→ %s\n", f.Next)
		}
	}
	_ = w.Flush()
	cmd.Printf("ok: %d, warnings: %d, faults: %d\n", number[exchange.Fine], number[exchange.Warning], number[exchange.Fault])
	if k := number[exchange.Fault]; k > 0 {
		return fmt.Errorf("faults: %d; the lines above say what to do about each", k)
	}
	return nil
}

func examine(ctx context.Context, cfg config.File) (f exchange.Findings) {
	examineKeys(&f, cfg)
	papers := examinePapers(&f, cfg)
	c := client{socket: cfg.Socket}
	if c.alive(ctx) {
		f.Fine("process", "runs")
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		var told []exchange.Finding
		if err := c.get(ctx, "/api/v1/operator/doctor", &told); err != nil {
			f.Fault("process", "Look into the node's log; restart it if it does not answer.", "the running node did not say how it is: %s", err)
		}
		return append(f, told...)
	}
	f.Warn("process", "Start it with tmh serve, unless it is stopped on purpose.", "does not run: nobody answers at %s", cfg.Socket)
	examineDisk(&f, cfg)
	examinePorts(ctx, &f, cfg)
	node.ExamineCertificate(&f, cfg.TLS.Cert, cfg.TLS.Key, time.Now())
	tuneMemory(uint64(cfg.MemoryLimit)) // as the node would
	node.ExamineSystem(&f, cfg.Listen)
	node.ExamineStopped(&f, store.Config{Dir: cfg.Data, Memtable: int64(cfg.Memtable)}, cfg.Guard, protocol.MemberID(cfg.Member), papers)
	node.ExamineBackups(&f, node.BackupConfig{Dir: cfg.Backup.Dir, Every: cfg.Backup.Every}, protocol.MemberID(cfg.Member), time.Now())
	return f
}

func examineKeys(f *exchange.Findings, cfg config.File) {
	for _, k := range [][2]string{{"record key", cfg.RecordKey}, {"transport key", cfg.TransportKey}} {
		switch _, err := readSigner(k[1]); {
		case errors.Is(err, fs.ErrNotExist):
			f.Fault(k[0], "Put it back from where keys are kept. If it is lost, make one with tmh key new and a new card with tmh card new (a record key: with --seal).", "%s is not there", k[1])
		case err != nil:
			f.Fault(k[0], "Put the right file there, readable for the node's user alone.", "%s", err)
		default:
			f.Fine(k[0], "%s", k[1])
		}
	}
	governance := filepath.Join(filepath.Dir(cfg.RecordKey), "governance.pem")
	if _, err := os.Stat(governance); err == nil {
		f.Warn("governance key", "Move it to a place without a network, with a copy, and delete it here.", "%s lies on the node: whoever takes it speaks for %s", governance, cfg.Member)
	} else {
		f.Fine("governance key", "not on this machine")
	}
	if cfg.TokenFile != "" {
		info, err := os.Stat(cfg.TokenFile)
		switch {
		case err != nil:
			f.Fault("operator token", "Make it with openssl rand -hex 32, or leave token_file empty.", "%s", err)
		case info.Mode().Perm()&0o077 != 0:
			f.Warn("operator token", "Run chmod 600 "+cfg.TokenFile+".", "others may read %s", cfg.TokenFile)
		default:
			f.Fine("operator token", "%s", cfg.TokenFile)
		}
	}
}

// examinePapers returns what the node would take in, nil where it could not start.
func examinePapers(f *exchange.Findings, cfg config.File) *protocol.Papers {
	const next = "Take in what is missing: tmh charter import, tmh card import."
	p, err := readPaperFolder(cfg.Papers)
	if err != nil {
		f.Fault("papers", "Move the file away, and take the paper in again from whoever made it.", "%s", err)
		return nil
	}
	charter, err := checkCharters(p.Charters, nil)
	if err != nil {
		f.Fault("papers", next, "%s", err)
		return nil
	}
	if charter == nil {
		if !store.Exists(cfg.Data) {
			f.Fault("papers", "Take it in with tmh charter import.", "there is no charter in %s", cfg.Papers)
		}
		return p
	}
	m, ok := charter.Member(protocol.MemberID(cfg.Member))
	if !ok {
		f.Fault("papers", "Mend the member id in the configuration, or ask the members to amend the charter.", "%s is no member under charter %d of %q", cfg.Member, charter.Version, charter.Name)
		return nil
	}
	var own *protocol.SignedCard
	members := make(map[protocol.MemberID]bool)
	for _, c := range p.Cards {
		if members[c.Member] = true; c.Member == m.ID && (own == nil || c.Version > own.Version) {
			own = c
		}
	}
	f.Fine("papers", "charter %d of %q, cards of %d of its %d members in %s", charter.Version, charter.Name, len(members), len(charter.Members), cfg.Papers)
	examineCard(f, cfg, charter, own)
	return p
}

func examineCard(f *exchange.Findings, cfg config.File, charter *protocol.SignedCharter, own *protocol.SignedCard) {
	if own == nil {
		f.Fault("card", "Make it with tmh card new, and give it to the other members.", "there is no card of %s in %s", cfg.Member, cfg.Papers)
		return
	}
	if err := own.Verify(charter); err != nil {
		f.Fault("card", "Make it anew with tmh card new.", "card %d does not verify: %s", own.Version, err)
		return
	}
	record, err := readSigner(cfg.RecordKey)
	if err == nil && own.Keys[len(own.Keys)-1].Key != record.Public() {
		f.Fault("card", "Set record_key in tmh.yaml to the key that the card names, or rotate with tmh card new --seal.", "card %d names another record key than %s holds", own.Version, cfg.RecordKey)
		return
	}
	transport, err := readKeyFile(cfg.TransportKey)
	if err != nil {
		return // told already
	}
	id := p2p.PeerIDOf(transport.Public().(ed25519.PublicKey))
	if !slices.ContainsFunc(own.Peers, func(p protocol.Peer) bool { return p.ID == id }) {
		f.Fault("card", "Make it anew with tmh card new: the other members let in only who is on a card.", "card %d does not name this node's transport key (peer %s)", own.Version, id)
		return
	}
	f.Fine("card", "card %d names both keys", own.Version)
}

func examineDisk(f *exchange.Findings, cfg config.File) {
	where := cfg.Data
	if !store.Exists(where) {
		where = filepath.Dir(where)
	}
	if err := store.RoomFor(where, 0, where, uint64(cfg.MinFree)); err != nil {
		f.Fault("disk", "Make room: remove old backups or logs, or give the disk more space. Delete nothing in the data folder.", "%s", err)
		return
	}
	f.Fine("disk", "there is room")
}

// examinePorts tries to listen where the node would.
func examinePorts(ctx context.Context, f *exchange.Findings, cfg config.File) {
	var l net.ListenConfig
	try := func(what, network, address string) {
		var err error
		if network == "tcp" {
			var x net.Listener
			if x, err = l.Listen(ctx, network, address); err == nil {
				err = x.Close()
			}
		} else {
			var x net.PacketConn
			if x, err = l.ListenPacket(ctx, network, address); err == nil {
				err = x.Close()
			}
		}
		if err != nil {
			f.Fault(what, "Find what listens there (ss -tulpn), or name another address in tmh.yaml.", "the node could not listen: %s", err)
		} else {
			f.Fine(what, "%s %s is free", network, address)
		}
	}
	if cfg.HTTP != "" {
		try("pages and API", "tcp", cfg.HTTP)
	}
	for _, a := range cfg.Listen {
		if parts := strings.Split(a, "/"); len(parts) >= 5 && (parts[1] == "ip4" || parts[1] == "ip6") && (parts[3] == "tcp" || parts[3] == "udp") {
			try("network", parts[3], net.JoinHostPort(parts[2], parts[4]))
		}
	}
}
