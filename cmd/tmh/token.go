package main

import (
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/api"
)

func tokenCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "Tokens by which programs act for people on the running node"}
	cmd.AddCommand(tokenListCmd(), tokenCreateCmd(), tokenRevokeCmd(), tokenConfirmCmd())
	return cmd
}

func tokenListCmd() *cobra.Command {
	var unconfirmed bool
	cmd := nodeCommand("list", "List everybody's tokens", cobra.NoArgs, func(cmd *cobra.Command, c client, _ []string) error {
		q := url.Values{"all": {"true"}}
		if unconfirmed {
			q.Set("unconfirmed", "true")
		}
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 2, 0, 2, ' ', 0)
		fmt.Fprintln(w, "ID\tOWNER\tNAME\tSCOPES\tEXPIRES\tLAST USED\tSTATE")
		if err := pages(cmd.Context(), c, "/api/v1/tokens", q, func(p api.TokensPage) string {
			for _, t := range p.Tokens {
				state, used := "works", "never"
				switch {
				case t.Unconfirmed:
					state = "waits to be confirmed"
				case !time.Now().Before(t.Expires):
					state = "expired"
				}
				if !t.Used.IsZero() {
					used = t.Used.UTC().Format(time.DateTime)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.User, t.Name, commas(t.Scopes), t.Expires.UTC().Format(time.DateOnly), used, state)
			}
			return p.Next
		}); err != nil {
			return err
		}
		return w.Flush()
	})
	cmd.Flags().BoolVar(&unconfirmed, "unconfirmed", false, "only those that wait to be confirmed after a restore")
	return cmd
}

func tokenCreateCmd() *cobra.Command {
	var owner, name string
	var scopes []string
	var days int
	cmd := nodeCommand("create --for USER --scope SCOPE", "Make a token; its secret is printed once", cobra.NoArgs, func(cmd *cobra.Command, c client, _ []string) error {
		u, err := c.person(cmd.Context(), owner)
		if err != nil {
			return err
		}
		var t api.NewTokenView
		err = c.send(cmd.Context(), http.MethodPost, "/api/v1/tokens", 0, map[string]any{"name": name, "scopes": append([]string{}, scopes...), "days": days, "user": u.ID}, &t)
		if err != nil {
			return err
		}
		cmd.PrintErrf("A token of %s with the scopes %s, until %s. It is not shown again:\n", u.Email, commas(t.Scopes), t.Expires.UTC().Format(time.DateOnly))
		cmd.Println(t.Secret) // alone on standard output, for a file or a variable
		return nil
	})
	cmd.Flags().StringVar(&owner, "for", "", "id or e-mail address of the person for whom it acts")
	cmd.Flags().StringVar(&name, "name", "made by the operator", "what it is for")
	cmd.Flags().StringSliceVar(&scopes, "scope", nil, "read, write, review or admin; several by commas")
	cmd.Flags().IntVar(&days, "days", 90, "how long it lasts, at most 400")
	_ = cmd.MarkFlagRequired("for")
	_ = cmd.MarkFlagRequired("scope")
	return cmd
}

func tokenRevokeCmd() *cobra.Command {
	return nodeCommand("revoke ID", "End a token", cobra.ExactArgs(1), func(cmd *cobra.Command, c client, args []string) error {
		if err := c.send(cmd.Context(), http.MethodDelete, "/api/v1/tokens/"+url.PathEscape(args[0]), 0, nil, nil); err != nil {
			return err
		}
		cmd.Println("The token is revoked.")
		return nil
	})
}

func tokenConfirmCmd() *cobra.Command {
	var all bool
	cmd := nodeCommand("confirm ID | confirm --all", "Let tokens from before a restore work again", cobra.MaximumNArgs(1), func(cmd *cobra.Command, c client, args []string) error {
		path := "/api/v1/tokens/confirm"
		switch {
		case all == (len(args) == 1):
			return fmt.Errorf("say which token, or --all: tmh token list --unconfirmed shows those that wait")
		case !all:
			path = "/api/v1/tokens/" + url.PathEscape(args[0]) + "/confirm"
		}
		if err := c.send(cmd.Context(), http.MethodPost, path, 0, nil, nil); err != nil {
			return err
		}
		cmd.Println("Confirmed.")
		return nil
	})
	cmd.Flags().BoolVar(&all, "all", false, "all that wait")
	return cmd
}
