package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/api"
)

func orgCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "org", Short: "Organisations whose people use the running node", Long: "Organisations whose people use the running node. ORG is an organisation's id or its name."}
	cmd.AddCommand(orgListCmd(), orgShowCmd(), orgCreateCmd(), orgEditCmd())
	return cmd
}

// organisation of an id or a name.
func (c client) organisation(ctx context.Context, name string) (o access.Organisation, err error) {
	err = pages(ctx, c, "/api/v1/organisations", nil, func(p api.OrganisationsPage) string {
		for _, x := range p.Organisations {
			if string(x.ID) == name || strings.EqualFold(x.Name, name) {
				o = x
				return ""
			}
		}
		return p.Next
	})
	if err == nil && o.ID == "" {
		err = fmt.Errorf("there is no organisation %q here: tmh org list shows them, tmh org create adds one", name)
	}
	return o, err
}

func orgListCmd() *cobra.Command {
	return nodeCommand("list", "List the organisations", cobra.NoArgs, func(cmd *cobra.Command, c client, _ []string) error {
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 2, 0, 2, ' ', 0)
		fmt.Fprintln(w, "ID\tNAME\tTYPE\tCOUNTRY\tPUBLISHES\tSTATE")
		if err := pages(cmd.Context(), c, "/api/v1/organisations", nil, func(p api.OrganisationsPage) string {
			for _, o := range p.Organisations {
				publishes, state := "after review", "active"
				if o.SelfPublish {
					publishes = "by itself"
				}
				if o.Disabled {
					state = "disabled"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", o.ID, o.Name, o.Type, o.Country, publishes, state)
			}
			return p.Next
		}); err != nil {
			return err
		}
		return w.Flush()
	})
}

func orgShowCmd() *cobra.Command {
	return nodeCommand("show ORG", "Print an organisation as JSON", cobra.ExactArgs(1), func(cmd *cobra.Command, c client, args []string) error {
		o, err := c.organisation(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		b, err := json.MarshalIndent(o, "", "  ")
		if err != nil {
			return err
		}
		cmd.Println(string(b))
		return nil
	})
}

// orgFlags are the fields that can be said; only those that are said are sent.
func orgFlags(cmd *cobra.Command) func(o access.Organisation) map[string]any {
	texts := map[string]*string{}
	for name, doc := range map[string]string{
		"name": "name", "type": "university, tto, research-institute, start-up, sme, large-company, agency …", "size": "size class, or empty",
		"country": "two letters, such as KH", "ror": "identifier of the Research Organization Registry",
		"contact-name": "desk that answers for its listings", "contact-email": "its e-mail address", "contact-phone": "its telephone", "contact-url": "its page",
	} {
		texts[name] = cmd.Flags().String(name, "", doc)
	}
	self := cmd.Flags().Bool("self-publish", false, "its listings are published without review")
	disabled := cmd.Flags().Bool("disabled", false, "its people can neither sign in nor use tokens")
	return func(o access.Organisation) map[string]any {
		said := map[string]any{}
		contact := map[string]*string{"contact-name": &o.Contact.Name, "contact-email": &o.Contact.Email, "contact-phone": &o.Contact.Phone, "contact-url": &o.Contact.URL}
		for name, value := range texts {
			if !cmd.Flags().Changed(name) {
				continue
			}
			if field := contact[name]; field != nil {
				*field = *value
				said["contact"] = &o.Contact
			} else {
				said[name] = *value
			}
		}
		if cmd.Flags().Changed("self-publish") {
			said["self_publish"] = *self
		}
		if cmd.Flags().Changed("disabled") {
			said["disabled"] = *disabled
		}
		return said
	}
}

func orgCreateCmd() *cobra.Command {
	var fields func(access.Organisation) map[string]any
	cmd := nodeCommand("create --name NAME --type TYPE --country CC", "Add an organisation", cobra.NoArgs, func(cmd *cobra.Command, c client, _ []string) error {
		var o access.Organisation
		if err := c.send(cmd.Context(), http.MethodPost, "/api/v1/organisations", 0, fields(o), &o); err != nil {
			return err
		}
		cmd.Printf("%s is added under the id %s.\n", o.Name, o.ID)
		return nil
	})
	fields = orgFlags(cmd)
	return cmd
}

func orgEditCmd() *cobra.Command {
	var fields func(access.Organisation) map[string]any
	cmd := nodeCommand("edit ORG", "Change an organisation; what is not said stays", cobra.ExactArgs(1), func(cmd *cobra.Command, c client, args []string) error {
		o, err := c.organisation(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		if err := c.send(cmd.Context(), http.MethodPatch, "/api/v1/organisations/"+url.PathEscape(string(o.ID)), o.Version, fields(o), &o); err != nil {
			return err
		}
		cmd.Printf("%s is changed.\n", o.Name)
		return nil
	})
	fields = orgFlags(cmd)
	return cmd
}
