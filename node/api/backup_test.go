package api_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/protocol"
)

// A backup holds full records: the operator's listener alone gives it out, the token does not help.
func TestBackupIsForTheOperatorsListenerAlone(t *testing.T) {
	var fault error
	begin := "begun"
	a := api.New(api.Config{Desk: &desk{}, Door: &door.Keeper{Token: "a token of twenty characters"}, Backup: func(_ context.Context, w io.Writer) error {
		if _, err := io.WriteString(w, begin); err != nil {
			return err
		}
		return fault
	}})
	get := func(h http.Handler) (int, string, error) {
		s := httptest.NewServer(h)
		defer s.Close()
		r, err := http.NewRequest(http.MethodGet, s.URL+"/api/v1/backup", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer a token of twenty characters")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0, "", err
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b), err
	}
	if status, body, err := get(a.Public()); status != http.StatusNotFound || err != nil {
		t.Errorf("the public listener answered %d %s %v", status, body, err)
	}
	if status, body, err := get(a.Operator()); status != http.StatusOK || body != begin || err != nil {
		t.Errorf("the operator got %d %q %v", status, body, err)
	}
	fault = errors.New("half-way")
	begin = strings.Repeat("x", 100_000)
	if status, body, err := get(a.Operator()); err == nil {
		t.Errorf("a backup that failed on its way ended as if it were whole: %d, %d bytes", status, len(body))
	}
	a = api.New(api.Config{Desk: &desk{}, Backup: func(context.Context, io.Writer) error {
		return protocol.Errorf(protocol.CodeConflict, "", "another backup is being written")
	}})
	if status, body, err := get(a.Operator()); status != http.StatusConflict || !strings.Contains(body, "another backup") || err != nil {
		t.Errorf("a second one at a time got %d %s %v", status, body, err)
	}
}
