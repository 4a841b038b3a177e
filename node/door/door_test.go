package door

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// A neighbouring domain can plant cookies of any name but those that begin with __Host-, and so could have people finish a
// ceremony that it began.
func TestCookiesOverHTTPSCannotBePlanted(t *testing.T) {
	s, err := store.Open(store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	h, err := house.New(house.Config{Store: s, Member: "KH", Now: time.Now, Roster: func() *protocol.Roster { return nil }, PublicURL: "https://hub.example.org", Hashes: 1})
	if err != nil {
		t.Fatal(err)
	}
	k := &Keeper{House: h, Member: "KH"}
	w := httptest.NewRecorder()
	k.Brief(w, "link", "sealed", http.SameSiteLaxMode, 60)
	made := w.Result().Cookies()[0]
	if !strings.HasPrefix(made.Name, "__Host-") || !made.Secure || made.Path != "/" || made.Domain != "" {
		t.Errorf("made %+v", made)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: "tmh-link", Value: "planted"})
	if got := k.BriefOf(r, "link"); got != "" {
		t.Errorf("took %q, which another domain may have planted", got)
	}
	r.AddCookie(made)
	if got := k.BriefOf(r, "link"); got != "sealed" {
		t.Errorf("lost what was kept: %q", got)
	}
}
