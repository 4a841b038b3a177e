package ui

import (
	"net/http"
)

// Administration of the node: people, organisations, audit log, backup, checks.

func (s *site) adminPages(_, _ func(string, http.HandlerFunc)) {}
