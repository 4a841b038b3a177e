package ui

import (
	"net/http"
)

// Imports of an organisation: files and repositories, mappings, how a job goes on, what it refused.

func (s *site) importPages(_ *http.ServeMux, _, _ func(string, http.HandlerFunc)) {}
