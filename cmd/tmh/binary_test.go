package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
)

const (
	patience  = 20 * time.Second
	pollEvery = 30 * time.Millisecond
)

// tmh runs the binary to its end, which has to be a success, and returns what it printed.
func tmh(t *testing.T, args ...string) string {
	t.Helper()
	var faults bytes.Buffer
	cmd := exec.Command("tmh", args...)
	cmd.Stderr = &faults
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tmh %s: %v\n%s%s", strings.Join(args, " "), err, out, &faults)
	}
	return string(out)
}

// lonelyNode makes the folder of a node that is the only member of its federation, with the smallest memtable.
func lonelyNode(t *testing.T, dir string) {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	listen := fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", port)
	charter, governance := filepath.Join(dir, "charter.tmh"), filepath.Join(dir, "keys", "governance.pem")
	tmh(t, "init", "--dir", dir, "--member", "KH", "--listen", listen, "--http", "127.0.0.1:0")
	tmh(t, "charter", "new", "--name", "Alone", "--member", "KH,Cambodia,"+strings.TrimSpace(tmh(t, "key", "show", governance)), "--out", charter)
	tmh(t, "charter", "sign", "--key", governance, charter)
	tmh(t, "charter", "import", "--dir", dir, charter)
	tmh(t, "card", "new", "--dir", dir, "--address", listen)
	for key, value := range map[string]string{"memtable": "8MiB", "min_free": "64MiB"} {
		if err := setting(dir, key, value); err != nil {
			t.Fatal(err)
		}
	}
}

// A process is a node that runs.
type process struct {
	dir  string
	cmd  *exec.Cmd
	log  bytes.Buffer // valid after ended
	done chan error
	http *http.Client
}

// start runs the node of dir, under the program before where one is given. It is killed at the end of the test at the latest.
func start(t *testing.T, dir string, before ...string) *process {
	t.Helper()
	args := append(before, "tmh", "serve", "--dir", dir)
	p := &process{dir: dir, cmd: exec.Command(args[0], args[1:]...), done: make(chan error, 1), http: socketClient(dir)}
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	t.Cleanup(func() { _ = p.end(os.Kill) })
	return p
}

// ready waits until the node answers over a complete index.
func (p *process) ready(t *testing.T) exchange.Health {
	t.Helper()
	var last error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(pollEvery) {
		select {
		case err := <-p.done:
			p.done <- err
			t.Fatalf("the node ended (%v):\n%s", err, &p.log)
		default:
		}
		var h exchange.Health
		if last = p.get("/api/v1/health", &h); last == nil && h.Ready {
			return h
		}
	}
	t.Fatalf("the node is not ready after %s: %v", patience, last)
	return exchange.Health{}
}

// end sends the signal and waits until the process is gone.
func (p *process) end(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	err := <-p.done
	p.done <- err
	p.http.CloseIdleConnections()
	return err
}

func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.end(syscall.SIGINT); err != nil {
		t.Fatalf("the node did not stop cleanly: %v\n%s", err, &p.log)
	}
}

func socketClient(dir string) *http.Client {
	return &http.Client{Timeout: patience, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", filepath.Join(dir, "tmh.sock"))
	}}}
}

// ask sends a request over the administration socket.
func ask(c *http.Client, method, path string, body io.Reader) (status int, answer []byte, err error) {
	r, err := http.NewRequest(method, "http://node"+path, body)
	if err != nil {
		return 0, nil, err
	}
	resp, err := c.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, b, err
}

func (p *process) get(path string, into any) error {
	status, b, err := ask(p.http, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("%s: %d %s", path, status, b)
	}
	return json.Unmarshal(b, into)
}

// refused is what the node said to a change that it did not take.
type refused struct {
	status int
	body   string
}

func (r refused) Error() string { return fmt.Sprintf("%d %s", r.status, r.body) }

// publish sends a listing. An error that is not refused leaves open whether it was taken.
func (p *process) publish(listing string) (r exchange.Receipt, err error) {
	status, b, err := ask(p.http, http.MethodPost, "/api/v1/listings", strings.NewReader(listing))
	if err != nil {
		return r, err
	}
	if status >= 400 {
		return r, refused{status, string(b)}
	}
	return r, json.Unmarshal(b, &r)
}

// listing is one in JSON, of about size bytes.
func listing(id, title string, size int) string {
	return fmt.Sprintf(`{"id":%q,"kind":"TO","country":"KH","texts":{"en":{"title":%q,"abstract":%q}}}`, id, title, padding(size))
}

// padding is text of n bytes without repeated words, which makes a listing as large as a real one.
func padding(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "w%d ", i%37)
	}
	return strings.TrimSpace(b.String()[:min(n, b.Len())])
}

// verified runs tmh verify, which has to find nothing.
func verified(t *testing.T, dir string) string {
	t.Helper()
	out := tmh(t, "verify", dir)
	if !strings.Contains(out, ": 0 findings\n") {
		t.Fatalf("tmh verify: %s", out)
	}
	return out
}
