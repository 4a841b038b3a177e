package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func TestWherePagesAre(t *testing.T) {
	for listens, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080", "[::]:8080": "http://localhost:8080", "0.0.0.0:80": "http://localhost:80",
		"[2001:db8::1]:443": "http://[2001:db8::1]:443", "": "",
	} {
		if got := here(listens, false); got != want {
			t.Errorf("%s: %s, want %s", listens, got, want)
		}
	}
	if got := here("[::]:443", true); got != "https://localhost:443" {
		t.Errorf("with a certificate: %s", got)
	}
}

func TestMoment(t *testing.T) {
	now := time.Date(2026, 9, 21, 8, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Time{
		"24h": now.Add(-24 * time.Hour), "2026-09-01": time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC),
		"2026-09-21T08:00:00+07:00": now.Add(-7 * time.Hour), "0s": now,
	} {
		if got, err := moment(s, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "-1h", "yesterday", "2026-13-01"} {
		if got, err := moment(s, now); err == nil {
			t.Errorf("%q is %v", s, got)
		}
	}
}

// TestLinksCanBeOpened: without a public address the printed link leads to where this machine finds the pages.
func TestLinksCanBeOpened(t *testing.T) {
	for link, want := range map[string]string{
		"/invitation?key=k":                        "http://127.0.0.1:8080/invitation?key=k",
		"https://hub.example.org/invitation?key=k": "https://hub.example.org/invitation?key=k",
	} {
		var out bytes.Buffer
		cmd := new(cobra.Command)
		cmd.SetOut(&out)
		client{pages: here("127.0.0.1:8080", false)}.showLink(cmd, "It", false, link, time.Now())
		if !strings.Contains(out.String(), "\n  "+want+"\n") {
			t.Errorf("%s is printed as %s", link, out.String())
		}
	}
}
