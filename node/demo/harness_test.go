package demo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/demo"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/protocol"
)

// federation that a test runs.
type federation struct {
	*demo.Federation
	t *testing.T
}

// smaller is the secretariat and the first n national members.
func smaller(n int) (few []protocol.Member) {
	nationals := 0
	for _, m := range founding.ASEAN() {
		if m.Role != protocol.RoleSecretariat {
			nationals++
		}
		if m.Role == protocol.RoleSecretariat || nationals <= n {
			few = append(few, m)
		}
	}
	return few
}

// newFederation of the members, nil for all twelve. It is stopped when the test ends, and stopping it must succeed.
func newFederation(t *testing.T, members []protocol.Member) *federation {
	t.Helper()
	inner, err := demo.New(demo.Config{Dir: t.TempDir(), Members: members, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := inner.Close(); err != nil {
			t.Errorf("stop the federation: %v", err)
		}
	})
	return &federation{inner, t}
}

// admitted is how many changes of others a node applied since it was started, by pull and by gossip.
func (f *federation) admitted(at protocol.MemberID) (pulled, gossiped int) {
	f.t.Helper()
	c := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(f.Folder(at), "tmh.sock"))
	}}}
	defer c.CloseIdleConnections()
	r, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, "http://node/api/v1/metrics", nil)
	if err != nil {
		f.t.Fatal(err)
	}
	answer, err := c.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		f.t.Fatalf("metrics of %s: %s %v", at, answer.Status, err)
	}
	for line := range strings.Lines(string(b)) {
		var n float64
		if k, _ := fmt.Sscanf(line, `tmh_changes_admitted_total{way="pull"} %g`, &n); k == 1 {
			pulled = int(n)
		}
		if k, _ := fmt.Sscanf(line, `tmh_changes_admitted_total{way="gossip"} %g`, &n); k == 1 {
			gossiped = int(n)
		}
	}
	return pulled, gossiped
}

// start the members' nodes, all where none is named, and connect each with every other.
func (f *federation) start(ids ...protocol.MemberID) {
	f.t.Helper()
	if len(ids) == 0 {
		ids = f.Members()
	}
	for _, m := range ids {
		if err := f.Start(m); err != nil {
			f.t.Fatal(err)
		}
	}
	f.await(time.Minute, "all nodes are connected", f.Connected)
}

func (f *federation) await(limit time.Duration, what string, ok func() bool) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), limit)
	defer cancel()
	if err := demo.Await(ctx, what, ok); err != nil {
		f.t.Fatal(err)
	}
}

// equal waits until all running nodes hold the same proven catalogues, compares them origin by origin, and returns how
// long that took.
func (f *federation) equal(limit time.Duration) time.Duration {
	f.t.Helper()
	start := time.Now()
	ctx, cancel := context.WithTimeout(f.t.Context(), limit)
	defer cancel()
	if err := demo.Await(ctx, "all nodes are equal", func() bool { ok, _ := f.Equal(); return ok }); err != nil {
		_, why := f.Equal()
		f.t.Fatalf("%v: %s", err, why)
	}
	took := time.Since(start)
	f.await(limit, "all nodes have heard of all members that run", f.vouched)
	f.compare()
	return took
}

// proven reports whether every running node holds so many records of others and its own; they may not be indexed yet.
func (f *federation) proven(records int) bool {
	for _, at := range f.running() {
		held := 0
		for _, m := range f.Node(at).Members() {
			if m.Digest != (protocol.Hash{}) {
				held += int(m.Records)
			}
		}
		if held != records {
			return false
		}
	}
	return true
}

// vouched reports whether every running node calls its copies of all running members proven.
func (f *federation) vouched() bool {
	for _, at := range f.running() {
		for _, m := range f.Node(at).Members() {
			if m.State != exchange.Proven && m.State != exchange.Own && f.Node(m.ID) != nil {
				return false
			}
		}
	}
	return true
}

// compare checks position and digest of every origin on every running node against the first's.
func (f *federation) compare() {
	f.t.Helper()
	type state struct {
		pos     protocol.Position
		digest  protocol.Hash
		records uint64
		current int
	}
	want := make(map[protocol.MemberID]state)
	var first protocol.MemberID
	for _, at := range f.running() {
		all := f.Node(at).Members()
		if len(all) != len(f.Members()) {
			f.t.Errorf("%s knows %d members of %d", at, len(all), len(f.Members()))
		}
		for _, m := range all {
			got := state{m.Position, m.Digest, m.Records, m.Listings}
			if first == "" || first == at {
				first, want[m.ID] = at, got
			}
			if got != want[m.ID] {
				f.t.Errorf("%s holds %s as %+v, %s as %+v", at, m.ID, got, first, want[m.ID])
			}
		}
	}
}

func (f *federation) running() []protocol.MemberID {
	return slices.DeleteFunc(f.Members(), func(m protocol.MemberID) bool { return f.Node(m) == nil })
}

// ask a member's node over HTTP and decode the answer into v. A nil body asks with GET.
func (f *federation) ask(at protocol.MemberID, path string, body, v any) {
	f.t.Helper()
	if err := f.tryAsk(at, path, body, v); err != nil {
		f.t.Fatalf("%s %s: %v", at, path, err)
	}
}

func (f *federation) tryAsk(at protocol.MemberID, path string, body, v any) error {
	method, sent := http.MethodGet, []byte(nil)
	if body != nil {
		method = http.MethodPost
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(f.t.Context(), method, strings.TrimSuffix(f.URL(at), "/")+path, bytes.NewReader(sent))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", answer.Status, b)
	}
	return json.Unmarshal(b, v)
}

// memoryPeak is the largest resident size of this process so far, in MiB, or 0 where the system does not tell.
func memoryPeak() (mib int) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		var kib int
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib >> 10
		}
	}
	return 0
}
