package ui

import (
	"net/http"
)

// Searches that a person keeps.

func (s *site) savedPages(_, _ func(string, http.HandlerFunc)) {}
