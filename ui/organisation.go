package ui

import (
	"net/http"
	"net/url"

	"github.com/asean-tmh/tmh/node/access"
)

// An organisation as its own people see it: listings and their matches, reviews, members, tokens.

func organisationPath(id access.OrganisationID) string {
	return "/organisations/" + url.PathEscape(string(id))
}

func (s *site) organisationPages(_, _ func(string, http.HandlerFunc)) {}
