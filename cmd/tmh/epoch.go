package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

// An opening travels to an offline governance key and back as a paper.
const (
	pemProposal = "TMH EPOCH PROPOSAL" // not signed
	pemOpening  = "TMH EPOCH OPENING"  // signed
)

func epochCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "epoch",
		Short: "Let this node's history go on after a loss, a fork or the theft of its record key",
		Long: "A new epoch says from which state this node's catalogue goes on. What was signed after that state is void for ever, on\n" +
			"every node. So it is opened only where a node refuses to sign because its history was lost, forked, or signed with a\n" +
			"stolen key, and the governance key must agree. docs/operations.md says what to try before.",
	}
	cmd.AddCommand(epochOpenCmd(), epochProposeCmd(), epochSignCmd(), epochShowCmd())
	return cmd
}

type epochWish struct{ dir, reason, note string }

func (w *epochWish) flags(cmd *cobra.Command) {
	dirFlag(cmd, &w.dir)
	cmd.Flags().StringVar(&w.reason, "reason", "", "loss (changes are gone that nobody holds), fork (two histories were signed) or key (the record key was stolen, and is sealed)")
	cmd.Flags().StringVar(&w.note, "note", "", "a line for the other members: what happened")
}

// propose asks the running node which epoch its history wants.
func (w *epochWish) propose(ctx context.Context, c client) (p exchange.EpochProposal, o protocol.Opening, err error) {
	if w.reason == "" {
		return p, o, fmt.Errorf("say why with --reason: one of %s", strings.Join(protocol.EpochReasons(), ", "))
	}
	q := url.Values{"reason": {w.reason}, "note": {w.note}}
	if err := c.get(ctx, "/api/v1/operator/epoch?"+q.Encode(), &p); err != nil {
		return p, o, err
	}
	o, err = protocol.ParseOpening(p.Opening)
	return p, o, err
}

func epochOpenCmd() *cobra.Command {
	var wish epochWish
	var key string
	var yes bool
	cmd := &cobra.Command{
		Use:   "open --reason REASON | open FILE",
		Short: "Open an epoch on the running node",
		Long: "Open an epoch on the running node: with the governance key on this machine, or with a FILE that was signed elsewhere\n" +
			"(tmh epoch propose, tmh epoch sign). It shows what goes on and what becomes void, and asks before it does anything.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := dial(wish.dir)
			if err != nil {
				return err
			}
			var s *protocol.SignedOpening
			if len(args) == 1 {
				if wish.reason != "" || wish.note != "" || key != "" {
					return fmt.Errorf("the file says reason and note, and is signed already: leave out --reason, --note and --key")
				}
				if s, err = readOpening(args[0]); err != nil {
					return err
				}
				showOpening(cmd, s.Opening, nil)
			} else if s, err = wish.sign(cmd, c, key); err != nil {
				return err
			}
			if !yes && !confirmed(cmd) {
				return fmt.Errorf("nothing was opened: answer yes, or add --yes")
			}
			return openEpoch(cmd, c, s)
		},
	}
	wish.flags(cmd)
	cmd.Flags().StringVar(&key, "key", "", "governance key (default keys/governance.pem in the node's folder)")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// sign shows the epoch that the node wants and signs it here.
func (w *epochWish) sign(cmd *cobra.Command, c client, key string) (*protocol.SignedOpening, error) {
	p, o, err := w.propose(cmd.Context(), c)
	if err != nil {
		return nil, err
	}
	showOpening(cmd, o, p.Void)
	showHeard(cmd, p)
	if key == "" {
		key = filepath.Join(w.dir, "keys", "governance.pem")
		if _, err := os.Stat(key); err != nil {
			return nil, fmt.Errorf("the governance key is not on this machine (%s): name it with --key, or run tmh epoch propose here and tmh epoch sign where it is", key)
		}
	}
	governance, err := readSigner(key)
	if err != nil {
		return nil, err
	}
	return protocol.SignOpening(governance, o)
}

func openEpoch(cmd *cobra.Command, c client, s *protocol.SignedOpening) error {
	body, err := c.do(cmd.Context(), http.MethodPost, "/api/v1/operator/epoch", bytes.NewReader(s.Bytes()), "application/octet-stream")
	if err != nil {
		return err
	}
	defer body.Close()
	var r exchange.EpochReceipt
	if err := json.NewDecoder(body).Decode(&r); err != nil {
		return err
	}
	cmd.Printf("Epoch %d is open at %s. The catalogue goes on from %s; void is %s.\n", r.Position.Epoch, r.Position, r.Base, voidInWords(r.Base, r.Last))
	if r.Saved > 0 {
		cmd.Printf("%d records of lost changes, which other members still held, were published again.\n", r.Saved)
	}
	cmd.Println("Now publish again what is missing, and tell the other members what happened. tmh epoch show lists it.")
	return nil
}

func epochProposeCmd() *cobra.Command {
	var wish epochWish
	var out string
	cmd := &cobra.Command{
		Use:   "propose --reason REASON --out FILE",
		Short: "Write the epoch that the running node wants, for a governance key on another machine",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := dial(wish.dir)
			if err != nil {
				return err
			}
			p, o, err := wish.propose(cmd.Context(), c)
			if err != nil {
				return err
			}
			showOpening(cmd, o, p.Void)
			showHeard(cmd, p)
			if err := writePaper(out, pemProposal, p.Opening); err != nil {
				return err
			}
			cmd.Printf("\nWrote %s. Next: tmh epoch sign --key governance.pem %s, where the governance key is; then, here,\ntmh epoch open --dir %s %s. Publish nothing in between.\n", out, filepath.Base(out), wish.dir, out)
			return nil
		},
	}
	wish.flags(cmd)
	cmd.Flags().StringVar(&out, "out", "epoch.tmh", "file to write")
	return cmd
}

func epochSignCmd() *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use:   "sign --key KEYFILE FILE",
		Short: "Show a proposed epoch and sign it with the governance key",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := readProposal(args[0])
			if err != nil {
				return err
			}
			governance, err := readSigner(key)
			if err != nil {
				return err
			}
			showOpening(cmd, o, nil)
			s, err := protocol.SignOpening(governance, o)
			if err != nil {
				return err
			}
			if err := writePaper(args[0], pemOpening, s.Bytes()); err != nil {
				return err
			}
			cmd.Printf("\nSigned with %s, in %s. Next, on the machine of the node: tmh epoch open %s\n", governance.Public(), args[0], filepath.Base(args[0]))
			return nil
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "governance key (required)")
	_ = cmd.MarkFlagRequired("key")
	return cmd
}

func readProposal(path string) (o protocol.Opening, err error) {
	kind, b, err := readBlock(path)
	switch {
	case err != nil:
		return o, err
	case kind == pemOpening:
		return o, fmt.Errorf("%s is signed already: open it with tmh epoch open %s", path, path)
	case kind != pemProposal:
		return o, fmt.Errorf("%s holds a %s, and a proposal of tmh epoch propose is wanted", path, kind)
	}
	o, err = protocol.ParseOpening(b)
	return o, err
}

func readOpening(path string) (*protocol.SignedOpening, error) {
	kind, b, err := readBlock(path)
	switch {
	case err != nil:
		return nil, err
	case kind == pemProposal:
		return nil, fmt.Errorf("%s is not signed yet: run tmh epoch sign --key governance.pem %s, where the governance key is", path, path)
	case kind != pemOpening:
		return nil, fmt.Errorf("%s holds a %s, and a proposal that tmh epoch sign signed is wanted", path, kind)
	}
	return protocol.DecodeOpening(b)
}

// readBlock reads a file that holds one PEM block.
func readBlock(path string) (kind string, b []byte, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", nil, err
	}
	block, rest := pem.Decode(text)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return "", nil, fmt.Errorf("%s does not hold exactly one paper in PEM", path)
	}
	return block.Type, block.Bytes, nil
}

// confirmed asks for a yes on standard input.
func confirmed(cmd *cobra.Command) bool {
	cmd.Print("\nThis cannot be taken back. Open it? (yes/no) ")
	line, _ := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
	cmd.Println()
	return strings.EqualFold(strings.TrimSpace(line), "yes")
}

func reasonInWords(reason string) string {
	switch reason {
	case "loss":
		return "changes were lost"
	case "fork":
		return "two histories were signed"
	case "key":
		return "the record key was stolen"
	}
	return reason
}

// showOpening says in words what an opening does. named are its void changes with titles, nil where those are not known.
func showOpening(cmd *cobra.Command, o protocol.Opening, named []exchange.SignedChange) {
	cmd.Printf("Epoch %d of %s, because %s (%s). Made %s, federation %s.\n", o.Pos.Epoch, o.Origin, reasonInWords(o.Reason), o.Reason,
		o.IssuedAt.Time().Format(time.DateTime+" UTC"), o.Federation.Short())
	if o.Note != "" {
		cmd.Printf("Note: %s\n", o.Note)
	}
	cmd.Printf("  begins at  %s\n  goes on    with everything up to %s (digest %s)\n", o.Pos, o.Base, o.BaseDigest.Short())
	if o.Last == o.Base && len(o.Voided) == 0 {
		cmd.Printf("  is void    nothing that is known of\n")
		return
	}
	cmd.Printf("  is void    %s\n", voidInWords(o.Base, o.Last))
	if named == nil {
		for _, v := range o.Voided {
			named = append(named, exchange.SignedChange{Position: v.Pos, Kind: v.Kind.String(), Key: v.Key})
		}
	}
	showVoid(cmd, named)
	if len(named) == 0 {
		cmd.Printf("             nobody who was heard holds any of it, so it cannot be listed\n")
	} else if uint64(len(named)) < o.Last.Seq-min(o.Base.Seq, o.Last.Seq) {
		cmd.Printf("             and others that nobody who was heard holds, or that the list has no room for\n")
	}
}

func voidInWords(base, last protocol.Position) string {
	if base == last {
		return "what contradicts it"
	}
	return fmt.Sprintf("what contradicts it, or was signed above it, up to %s", last)
}

func showVoid(cmd *cobra.Command, void []exchange.SignedChange) {
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 2, 0, 2, ' ', 0)
	for _, v := range void {
		fmt.Fprintf(w, "             %s\t%s\t%s\t%s\n", v.Position, v.Kind, v.Key, v.Title)
	}
	_ = w.Flush()
}

func showHeard(cmd *cobra.Command, p exchange.EpochProposal) {
	cmd.Printf("  heard      %d of %d other members said what they hold of this catalogue\n", len(p.Heard), len(p.Heard)+len(p.Silent))
	if len(p.Silent) > 0 {
		var all []string
		for _, m := range p.Silent {
			all = append(all, string(m))
		}
		cmd.Printf("             not heard: %s. They may hold what is missing: if they can be reached soon, wait for them.\n", strings.Join(all, ", "))
	}
}

func epochShowCmd() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "show --dir DIR",
		Short: "List the epochs that members opened so far, and what each left behind",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := dial(dir)
			if err != nil {
				return err
			}
			var list struct {
				Members []exchange.MemberState `json:"members"`
			}
			if err := c.get(cmd.Context(), "/api/v1/members", &list); err != nil {
				return err
			}
			shown := false
			for _, m := range list.Members {
				var d exchange.MemberDetail
				if err := c.get(cmd.Context(), "/api/v1/members/"+url.PathEscape(string(m.ID)), &d); err != nil {
					return err
				}
				for _, e := range d.Epochs {
					shown = true
					cmd.Printf("%s  epoch %d at %s, %s, because %s\n", m.ID, e.Position.Epoch, e.Position, e.OpenedAt.Time().Format(time.DateTime+" UTC"), reasonInWords(e.Reason))
					cmd.Printf("    goes on from %s; void is %s\n", e.Base, voidInWords(e.Base, e.Last))
					if e.Note != "" {
						cmd.Printf("    note: %s\n", e.Note)
					}
					showVoid(cmd, e.Void)
				}
			}
			if !shown {
				cmd.Println("No member opened an epoch: all histories are as they began.")
			}
			return nil
		},
	}
	dirFlag(cmd, &dir)
	return cmd
}
