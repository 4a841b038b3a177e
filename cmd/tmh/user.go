package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/config"
	"github.com/asean-tmh/tmh/protocol"
)

// What stands here goes over the administration socket: whoever may use it is the node's operator.

func userCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "user",
		Short: "People with an account on the running node",
		Long: "People with an account on the running node. USER is a person's id or e-mail address. A node that sends mail mails its links;\n" +
			"without mail they are shown here, to be handed over.",
	}
	cmd.AddCommand(userSetupLinkCmd(), userListCmd(), userInviteCmd(), userRolesCmd(), userDisableCmd(true), userDisableCmd(false), userResetLinkCmd(),
		userExportCmd(), userEraseCmd())
	return cmd
}

// send a JSON body, and read a JSON answer where into is not nil. A version that is not 0 is what an edit saw.
func (c client) send(ctx context.Context, method, path string, version uint64, body, into any) error {
	var b []byte
	if body != nil {
		var err error
		if b, err = json.Marshal(body); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://node"+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if version > 0 {
		r.Header.Set("If-Match", `"`+strconv.FormatUint(version, 10)+`"`)
	}
	resp, err := c.http().Do(r)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
			err = fmt.Errorf("the node is not running (nobody answers at %s): start it with tmh serve", c.socket)
		}
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		return readProblem(resp)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// nodeCommand is a command that asks the running node of --dir.
func nodeCommand(use, short string, args cobra.PositionalArgs, run func(cmd *cobra.Command, c client, args []string) error) *cobra.Command {
	var dir string
	cmd := &cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, args []string) error {
		c, err := dial(dir)
		if err != nil {
			return err
		}
		return run(cmd, c, args)
	}}
	dirFlag(cmd, &dir)
	return cmd
}

// pages calls each with every page of a list.
func pages[T any](ctx context.Context, c client, path string, query url.Values, each func(T) (next string)) error {
	if query == nil {
		query = url.Values{}
	}
	query.Set("limit", "200")
	for {
		var page T
		if err := c.get(ctx, path+"?"+query.Encode(), &page); err != nil {
			return err
		}
		next := each(page)
		if next == "" {
			return nil
		}
		query.Set("cursor", next)
	}
}

// person of an id or an e-mail address.
func (c client) person(ctx context.Context, name string) (u access.User, err error) {
	email, err := access.Email(name)
	if err != nil {
		return u, c.get(ctx, "/api/v1/people/"+url.PathEscape(name), &u)
	}
	err = pages(ctx, c, "/api/v1/people", url.Values{"q": {email}}, func(p api.PeoplePage) string {
		for _, x := range p.People {
			if x.Email == email {
				u = x
				return ""
			}
		}
		return p.Next
	})
	if err == nil && u.ID == "" {
		err = fmt.Errorf("nobody has an account with %s here: tmh user list shows who has", email)
	}
	return u, err
}

// showLink of whatever purpose. Where the node has no public address, the link leads to where this machine finds it.
func (c client) showLink(cmd *cobra.Command, what string, mailed bool, link string, until time.Time) {
	if strings.HasPrefix(link, "/") {
		link = c.pages + link
	}
	if mailed {
		cmd.Printf("%s is on its way by mail. It works once, until %s.\n", what, until.UTC().Format(time.DateTime+" UTC"))
		return
	}
	cmd.Printf("%s works once, until %s. Hand it over to nobody else:\n\n  %s\n", what, until.UTC().Format(time.DateTime+" UTC"), link)
}

func userSetupLinkCmd() *cobra.Command {
	return nodeCommand("setup-link", "Make the link by which the first administrator gets in", cobra.NoArgs, func(cmd *cobra.Command, c client, _ []string) error {
		var v api.LinkView
		if err := c.send(cmd.Context(), http.MethodPost, "/api/v1/setup/link", 0, nil, &v); err != nil {
			return err
		}
		c.showLink(cmd, "The link for the first administrator", false, v.Link, v.Expires)
		return nil
	})
}

// welcome makes, at the first start, the link by which the first administrator gets in, and gives what to print once the node
// serves. The link is printed and never logged: logs go elsewhere.
func welcome(cmd *cobra.Command, n *node.Node, cfg config.File, dir string) (show func()) {
	again := "tmh user setup-link --dir " + dir
	h := n.House()
	needed, err := h.People.SetupNeeded()
	if err != nil || !needed || cfg.Demonstration {
		return func() {}
	}
	secret, _, err := h.People.SetupLink(access.Operator(protocol.MemberID(cfg.Member)))
	if err != nil {
		return func() {
			cmd.PrintErrf("This node has no administrator yet, and no link could be made for the first: %v. Later: %s\n", err, again)
		}
	}
	return func() {
		link := h.Link(access.PurposeSetup, secret)
		if h.PublicURL() == "" {
			address := here(n.HTTPAddr(), cfg.TLS.Cert != "")
			if address == "" {
				cmd.PrintErrf("This node has no administrator yet, and serves no pages: set http in its configuration, then: %s\n", again)
				return
			}
			link = address + link
		}
		cmd.PrintErrf("This node has no administrator yet. Whoever opens this link first becomes it; it works once, for %d minutes:\n\n  %s\n\nFor a new link: %s\n",
			int(access.PurposeSetup.Lasts().Minutes()), link, again)
	}
}

// here is where this machine's own browser finds the pages; "" where there are none.
func here(listens string, tls bool) string {
	host, port, err := net.SplitHostPort(listens)
	if err != nil {
		return ""
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	scheme := "http://"
	if tls {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port)
}

func userListCmd() *cobra.Command {
	return nodeCommand("list", "List the people and the open invitations", cobra.NoArgs, func(cmd *cobra.Command, c client, _ []string) error {
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 2, 0, 2, ' ', 0)
		fmt.Fprintln(w, "ID\tNAME\tE-MAIL\tORGANISATION\tROLES\tSTATE")
		if err := pages(cmd.Context(), c, "/api/v1/people", nil, func(p api.PeoplePage) string {
			for _, u := range p.People {
				state := "active"
				switch {
				case u.Disabled:
					state = "disabled"
				case !u.Verified:
					state = "address not verified"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", u.ID, u.Name, u.Email, u.Organisation, commas(u.Roles), state)
			}
			return p.Next
		}); err != nil {
			return err
		}
		if err := pages(cmd.Context(), c, "/api/v1/invitations", nil, func(p api.InvitationsPage) string {
			for _, i := range p.Invitations {
				fmt.Fprintf(w, "-\t-\t%s\t%s\t%s\tinvited until %s\n", i.Email, i.Organisation, commas(i.Roles), i.Expires.UTC().Format(time.DateTime))
			}
			return p.Next
		}); err != nil {
			return err
		}
		return w.Flush()
	})
}

func commas[T ~string](list []T) string {
	s := make([]string, len(list))
	for i, x := range list {
		s[i] = string(x)
	}
	return strings.Join(s, ",")
}

func userInviteCmd() *cobra.Command {
	var org, language string
	var roles []string
	cmd := nodeCommand("invite EMAIL --org ORG --role ROLE", "Invite somebody to have an account", cobra.ExactArgs(1), func(cmd *cobra.Command, c client, args []string) error {
		o, err := c.organisation(cmd.Context(), org)
		if err != nil {
			return err
		}
		var v api.InvitedView
		err = c.send(cmd.Context(), http.MethodPost, "/api/v1/invitations", 0, map[string]any{
			"email": args[0], "organisation": o.ID, "roles": append([]string{}, roles...), "language": language,
		}, &v)
		if err != nil {
			return err
		}
		c.showLink(cmd, "The invitation of "+v.Email+" to "+o.Name, v.Mailed, v.Link, v.Expires)
		return nil
	})
	cmd.Flags().StringVar(&org, "org", "", "id or name of the organisation (tmh org list)")
	cmd.Flags().StringSliceVar(&roles, "role", nil, "reader, scout, editor, reviewer, admin, analyst or auditor; several by commas")
	cmd.Flags().StringVar(&language, "language", "", "of the person, such as km")
	_ = cmd.MarkFlagRequired("org")
	_ = cmd.MarkFlagRequired("role")
	return cmd
}

func userRolesCmd() *cobra.Command {
	var org string
	cmd := nodeCommand("roles USER ROLE,…", "Give a person other roles; sessions of that person end", cobra.ExactArgs(2), func(cmd *cobra.Command, c client, args []string) error {
		u, err := c.person(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		change := map[string]any{"roles": strings.Split(args[1], ",")}
		if org != "" {
			o, err := c.organisation(cmd.Context(), org)
			if err != nil {
				return err
			}
			change["organisation"] = o.ID
		}
		if err := c.send(cmd.Context(), http.MethodPatch, "/api/v1/people/"+string(u.ID), u.Version, change, &u); err != nil {
			return err
		}
		cmd.Printf("%s now has the roles %s, of %s.\n", u.Email, commas(u.Roles), u.Organisation)
		return nil
	})
	cmd.Flags().StringVar(&org, "org", "", "another organisation for the person")
	return cmd
}

func userDisableCmd(disable bool) *cobra.Command {
	name, short, said := "enable", "Let a person in again", "may sign in again"
	if disable {
		name, short, said = "disable", "Shut a person out: sessions end, tokens sleep", "is shut out"
	}
	return nodeCommand(name+" USER", short, cobra.ExactArgs(1), func(cmd *cobra.Command, c client, args []string) error {
		u, err := c.person(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		if err := c.send(cmd.Context(), http.MethodPost, "/api/v1/people/"+string(u.ID)+"/"+name, u.Version, nil, &u); err != nil {
			return err
		}
		cmd.Printf("%s %s.\n", u.Email, said)
		return nil
	})
}

func userResetLinkCmd() *cobra.Command {
	return nodeCommand("reset-link USER", "Make a link by which a person sets a new password", cobra.ExactArgs(1), func(cmd *cobra.Command, c client, args []string) error {
		u, err := c.person(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		var v api.LinkView
		if err := c.send(cmd.Context(), http.MethodPost, "/api/v1/people/"+string(u.ID)+"/reset-link", 0, nil, &v); err != nil {
			return err
		}
		c.showLink(cmd, "The link for a new password of "+u.Email, v.Mailed, v.Link, v.Expires)
		return nil
	})
}

func userExportCmd() *cobra.Command {
	return nodeCommand("export USER", "Print all that the node holds about a person, as JSON", cobra.ExactArgs(1), func(cmd *cobra.Command, c client, args []string) error {
		u, err := c.person(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return c.copy(cmd, "/api/v1/people/"+string(u.ID)+"/export")
	})
}

// copy an answer to the output as it comes.
func (c client) copy(cmd *cobra.Command, path string) error {
	b, err := c.do(cmd.Context(), http.MethodGet, path, nil, "")
	if err != nil {
		return err
	}
	defer b.Close()
	_, err = io.Copy(cmd.OutOrStdout(), b)
	return err
}

func userEraseCmd() *cobra.Command {
	var yes bool
	cmd := nodeCommand("erase USER", "Erase a person's account and data, for ever", cobra.ExactArgs(1), func(cmd *cobra.Command, c client, args []string) error {
		u, err := c.person(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		if !yes {
			return fmt.Errorf("nothing was erased: this cannot be taken back, so add --yes to erase %s (%s)", u.Name, u.Email)
		}
		if err := c.send(cmd.Context(), http.MethodDelete, "/api/v1/people/"+string(u.ID), 0, nil, nil); err != nil {
			return err
		}
		cmd.Printf("The person is erased. The audit log keeps a pseudonym that nobody can resolve. Backups of before hold the data until they go: write down\n"+
			"the id %s apart from them, and erase it again after a restore.\n", u.ID)
		return nil
	})
	cmd.Flags().BoolVar(&yes, "yes", false, "it cannot be taken back")
	return cmd
}
