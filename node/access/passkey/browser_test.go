package passkey

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	tmh "github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

//go:embed testdata/page.html testdata/passkey.js
var pages embed.FS

const browserTests = "../../../ui/e2e"

// TestBrowser registers and uses passkeys in Chromium, with its virtual authenticator. What it does there is in ui/e2e.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("short: no browser")
	}
	path := map[string]string{}
	for _, tool := range []string{"node", "npm", "chromium"} {
		p, err := exec.LookPath(tool)
		if err != nil {
			t.Skipf("%s is not installed: .ci/tools installs it", tool)
		}
		path[tool] = p
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if _, err := os.Stat(filepath.Join(browserTests, "node_modules", "playwright-core")); err != nil {
		if out, err := run(ctx, nil, path["npm"], "ci", "--ignore-scripts", "--no-audit", "--no-fund"); err != nil {
			t.Skipf("npm ci in ui/e2e: %v\n%s", err, out)
		}
	}
	// Reading them makes the go command run this test again when they change.
	for _, file := range []string{"package-lock.json", "browser.js", "passkey.js", "passkey.test.js"} {
		if _, err := os.ReadFile(filepath.Join(browserTests, file)); err != nil {
			t.Fatal(err)
		}
	}
	out, err := run(ctx, []string{"TMH_E2E_URL=" + serve(t), "CHROMIUM=" + path["chromium"]},
		path["node"], "--test", "--test-reporter=tap", "--test-timeout=60000", "passkey.test.js")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// A run in which nothing ran ends well too.
	if strings.Contains(out, "# pass 0\n") || !strings.Contains(out, "# skipped 0\n") {
		t.Errorf("not all of the tests ran:\n%s", out)
	}
}

// run runs a command in ui/e2e. Asked to stop, Playwright takes its browser along.
func run(ctx context.Context, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = browserTests, append(os.Environ(), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// serve serves two pages and the four steps, each for a person of its own per browser profile, and gives the address.
func serve(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	base := "http://localhost:" + port
	rows, err := store.Open(store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	})
	service, err := New(Config{Store: rows, RPID: "localhost", Origins: []string{base}, Name: "Test hub"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler(t, service, rows))
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return base
}

func handler(t *testing.T, service *Service, rows *store.Store) http.Handler {
	page := template.Must(template.ParseFS(pages, "testdata/page.html"))
	show := func(add bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; connect-src 'self'")
			if _, err := r.Cookie("person"); add && err != nil {
				raw := newDevice(t).id[:8]
				http.SetCookie(w, &http.Cookie{Name: "person", Value: "u" + text(raw), Path: "/", HttpOnly: true})
			}
			if err := page.Execute(w, map[string]bool{"Add": add}); err != nil {
				t.Error(err)
			}
		}
	}
	cookie := func(r *http.Request, name string) string {
		c, err := r.Cookie(name)
		if err != nil {
			return ""
		}
		return c.Value
	}
	person := func(r *http.Request) User {
		return User{ID: cookie(r, "person"), Login: "sok@example.org", Name: "Sok Dara"}
	}
	fail := func(w http.ResponseWriter, err error) {
		var e *tmh.Error
		if !errors.As(err, &e) {
			t.Error(err)
			e = tmh.Errorf(tmh.CodeInternal, "", "internal fault")
		}
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(e)
	}
	begun := func(w http.ResponseWriter, b Begun, err error) {
		if err != nil {
			fail(w, err)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "ceremony", Value: b.Ceremony, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
		_, _ = w.Write(b.Options)
	}
	said := func(w http.ResponseWriter, message string) {
		_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /account/passkeys", show(true))
	mux.HandleFunc("GET /sign-in", show(false))
	mux.HandleFunc("GET /passkey.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, pages, "testdata/passkey.js")
	})
	mux.HandleFunc("POST /passkeys/begin", func(w http.ResponseWriter, r *http.Request) {
		b, err := service.BeginRegistration(person(r))
		begun(w, b, err)
	})
	mux.HandleFunc("POST /sign-in/begin", func(w http.ResponseWriter, _ *http.Request) {
		b, err := service.BeginSignIn()
		begun(w, b, err)
	})
	mux.HandleFunc("POST /passkeys/finish", func(w http.ResponseWriter, r *http.Request) {
		answer, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxResponse))
		if err != nil {
			fail(w, err)
			return
		}
		var made Passkey
		if err := rows.Update(func(tx *store.Tx) (err error) {
			made, err = service.FinishRegistration(tx, person(r), cookie(r, "ceremony"), answer, r.URL.Query().Get("name"))
			return err
		}); err != nil {
			fail(w, err)
			return
		}
		said(w, "Added "+made.Name)
	})
	mux.HandleFunc("POST /sign-in/finish", func(w http.ResponseWriter, r *http.Request) {
		answer, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxResponse))
		if err != nil {
			fail(w, err)
			return
		}
		in, err := service.FinishSignIn(cookie(r, "ceremony"), answer, nil)
		if err != nil {
			fail(w, err)
			return
		}
		message := "Signed in as Sok Dara with " + in.Passkey.Name
		if in.Verified {
			message += ", verified"
		}
		said(w, message)
	})
	return mux
}
