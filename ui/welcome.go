package ui

import (
	"net/http"
)

// The first steps of a node that was just set up.

func (s *site) welcomePages(_, _ func(string, http.HandlerFunc)) {}
