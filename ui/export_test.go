package ui

import (
	"net/http"

	"github.com/asean-tmh/tmh/ui/lang"
)

// Spoken are the pages, and what their texts lacked so far.
func Spoken(cfg Config) (http.Handler, func() []lang.Miss) {
	s := newSite(cfg)
	return s.handler(), s.bundle.Misses
}
