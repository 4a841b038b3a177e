package ui

import (
	"net/http"
	"testing"

	"github.com/asean-tmh/tmh/ui/lang"
)

// Spoken are the pages, and what their texts lacked so far.
func Spoken(cfg Config) (http.Handler, func() []lang.Miss) {
	s := newSite(cfg)
	return s.handler(), s.bundle.Misses
}

// Languages to try pages in: all, or in short tests one of each kind of script.
func Languages() []lang.Tag {
	if testing.Short() {
		return []lang.Tag{lang.English, "th", "km", "vi"}
	}
	return lang.Tags()
}
