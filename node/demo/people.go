package demo

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
)

// Password of everybody in the demonstration. It protects nothing: all is invented and stays on one machine.
const Password = "papaya kites over mekong"

// Address of the demonstration's person with a role at a member's node.
func Address(m protocol.MemberID, role access.Role) string {
	return fmt.Sprintf("%s@%s.example", role, strings.ToLower(string(m)))
}

// Populate gives every national member's node an agency with an administrator and a reviewer, a university that publishes by itself
// with an editor, and a company with a scout.
func (f *Federation) Populate(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2) // hashing a password takes a core
	for _, m := range f.cfg.Members {
		if m.Role != protocol.RoleSecretariat && f.Node(m.ID) != nil {
			g.Go(func() error {
				if err := f.populate(ctx, m); err != nil {
					return fmt.Errorf("people of %s: %w", m.ID, err)
				}
				return nil
			})
		}
	}
	return g.Wait()
}

func (f *Federation) populate(ctx context.Context, m protocol.Member) error {
	people := f.Node(m.ID).House().People
	operator := access.Operator(m.ID)
	needed, err := people.SetupNeeded()
	if err != nil || !needed {
		return err
	}
	account := func(what string) access.NewAccount {
		return access.NewAccount{Name: fmt.Sprintf("Demonstration %s (%s)", what, m.ID), Language: "en", Password: Password}
	}
	secret, _, err := people.SetupLink(operator)
	if err != nil {
		return err
	}
	agency := access.OrganisationFields{Name: m.Name, Type: "agency", Country: m.Country}
	if _, err := people.Setup(ctx, secret, Address(m.ID, access.Admin), account("administrator"), agency, access.Client{}); err != nil {
		return err
	}
	all, _, err := people.Organisations(operator, access.Page{Limit: 1})
	if err != nil || len(all) == 0 {
		return fmt.Errorf("the agency is not there: %w", err)
	}
	university, err := people.CreateOrganisation(operator, access.OrganisationFields{
		Name: fmt.Sprintf("Demonstration university of %s", m.ID), Type: "university", Country: m.Country, SelfPublish: true,
	})
	if err != nil {
		return err
	}
	company, err := people.CreateOrganisation(operator, access.OrganisationFields{
		Name: fmt.Sprintf("Demonstration company of %s", m.ID), Type: "sme", Country: m.Country,
	})
	if err != nil {
		return err
	}
	for role, at := range map[access.Role]access.OrganisationID{access.Reviewer: all[0].ID, access.Editor: university.ID, access.Scout: company.ID} {
		secret, _, err := people.Invite(operator, Address(m.ID, role), at, []access.Role{role}, "en")
		if err != nil {
			return err
		}
		if _, err := people.Accept(ctx, secret, account(string(role)), access.Client{}); err != nil {
			return err
		}
	}
	return nil
}
