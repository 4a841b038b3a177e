package ui_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/store"
)

// TestBrowser uses the pages of real nodes in Chromium, with its virtual authenticator. What it does there is in e2e.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("short: no browser")
	}
	path := map[string]string{}
	for _, tool := range []string{"node", "chromium"} {
		p, err := exec.LookPath(tool)
		if err != nil {
			t.Skipf("%s is not installed: .ci/tools installs it", tool)
		}
		path[tool] = p
	}
	if _, err := os.Stat(filepath.Join("e2e", "node_modules", "playwright-core")); err != nil {
		t.Skip("the driver of the browser is not installed: .ci/tools installs it")
	}
	// Reading them makes the go command run this test again when they change.
	for _, file := range []string{"package-lock.json", "browser.js", "passkey.js", "accounts.test.js", "pages.test.js"} {
		if _, err := os.ReadFile(filepath.Join("e2e", file)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path["node"], "--test", "--test-reporter=tap", "--test-timeout=60000", "--test-concurrency=1", "accounts.test.js", "pages.test.js")
	cmd.Dir = "e2e"
	cmd.Env = append(os.Environ(), "TMH_E2E_SETUP="+serve(t), "TMH_E2E_PLAIN="+serve(t), "CHROMIUM="+path["chromium"])
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // asked to stop, Playwright takes its browser along
	cmd.WaitDelay = 10 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	// A run in which nothing ran ends well too.
	if strings.Contains(out.String(), "# pass 0\n") || !strings.Contains(out.String(), "# skipped 0\n") {
		t.Errorf("not all of the tests ran:\n%s", out.String())
	}
}

// serve runs the node of a federation of one, and gives its setup link.
func serve(t *testing.T) string {
	t.Helper()
	seat, err := founding.NewSeat(founding.ASEAN()[2], "")
	if err != nil {
		t.Fatal(err)
	}
	seat.Addresses = []string{"/ip4/127.0.0.1/udp/" + freePort(t, "udp") + "/quic-v1"}
	papers, err := founding.Found("Test federation", []founding.Seat{seat}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t, "tcp")
	n, err := node.New(node.Config{
		Member: seat.Member.ID, Record: seat.Record, Transport: seat.Transport, Papers: papers, Listen: seat.Addresses,
		Store: store.Config{Dir: filepath.Join(t.TempDir(), "data"), Memtable: 8 << 20},
		HTTP:  "127.0.0.1:" + port, House: house.Config{PublicURL: "http://localhost:" + port, Hashes: 1}, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-n.Ready():
	case err := <-done:
		done <- err
		t.Fatal("the node did not start")
	}
	secret, _, err := n.House().People.SetupLink(access.Operator(seat.Member.ID))
	if err != nil {
		t.Fatal(err)
	}
	return n.House().Link(access.PurposeSetup, secret)
}

// freePort is below those that systems give to outgoing connections, which could take it in between.
func freePort(t *testing.T, network string) string {
	t.Helper()
	for range 1000 {
		port := 14_000 + rand.IntN(4000)
		address := fmt.Sprintf("127.0.0.1:%d", port)
		var err error
		if network == "udp" {
			var c net.PacketConn
			if c, err = new(net.ListenConfig).ListenPacket(t.Context(), network, address); err == nil {
				err = c.Close()
			}
		} else {
			var l net.Listener
			if l, err = new(net.ListenConfig).Listen(t.Context(), network, address); err == nil {
				err = l.Close()
			}
		}
		if err == nil {
			return fmt.Sprint(port)
		}
	}
	t.Fatal("no free port")
	return ""
}
