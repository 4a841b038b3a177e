package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

// foundTogether makes the folders of the nodes of a federation below root as its operators would, each with the addresses that
// it listens on and has on its card, and the smallest memtable.
func foundTogether(t *testing.T, root string, members []string, addresses func(i int) []string) []string {
	t.Helper()
	charter := filepath.Join(root, "charter.tmh")
	draft := []string{"charter", "new", "--name", "Together", "--out", charter}
	dirs, cards := make([]string, len(members)), make([]string, len(members))
	governance := func(i int) string { return filepath.Join(dirs[i], "keys", "governance.pem") }
	for i, m := range members {
		dirs[i] = filepath.Join(root, m)
		cards[i] = filepath.Join(dirs[i], strings.ToUpper(m)+".tmh")
		tmh(t, "init", "--dir", dirs[i], "--member", strings.ToUpper(m), "--listen", strings.Join(addresses(i), ","), "--http", "127.0.0.1:0")
		draft = append(draft, "--member", fmt.Sprintf("%s,Member %s,%s", strings.ToUpper(m), m, strings.TrimSpace(tmh(t, "key", "show", governance(i)))))
		for key, value := range map[string]string{"memtable": "8MiB", "min_free": "64MiB"} {
			if err := setting(dirs[i], key, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	tmh(t, draft...)
	for i := range members {
		tmh(t, "charter", "sign", "--key", governance(i), charter)
	}
	for i, dir := range dirs {
		tmh(t, "charter", "import", "--dir", dir, charter)
		tmh(t, "card", "new", "--dir", dir, "--address", strings.Join(addresses(i), ","))
	}
	for i, dir := range dirs {
		others := append(append([]string{}, cards[:i]...), cards[i+1:]...)
		tmh(t, append([]string{"card", "import", "--dir", dir}, others...)...)
	}
	return dirs
}

// states is what the node shows of every member.
func (p *process) states() ([]exchange.MemberState, error) {
	var body struct {
		Members []exchange.MemberState `json:"members"`
	}
	err := p.get("/api/v1/members", &body)
	return body.Members, err
}

// difference says what keeps the nodes from holding equal catalogues, all proven; nil if nothing does.
func difference(nodes []*process) error {
	own := make(map[protocol.MemberID]exchange.MemberState)
	views := make([][]exchange.MemberState, len(nodes))
	for i, p := range nodes {
		var err error
		if views[i], err = p.states(); err != nil {
			return err
		}
		for _, s := range views[i] {
			if s.Self {
				own[s.ID] = s
			}
		}
	}
	var errs []error
	for i, p := range nodes {
		for _, s := range views[i] {
			o, runs := own[s.ID]
			if runs && !s.Self && (s.State != exchange.Proven || s.Position != o.Position || s.Digest != o.Digest) {
				errs = append(errs, fmt.Errorf("%s holds %s as %s at %s %s, which stands at %s %s",
					filepath.Base(p.dir), s.ID, s.State, s.Position, s.Digest.Short(), o.Position, o.Digest.Short()))
			}
		}
	}
	return errors.Join(errs...)
}

// agree waits until the nodes hold equal catalogues, all proven, and returns how long that took.
func agree(t *testing.T, nodes []*process, within time.Duration) time.Duration {
	t.Helper()
	return awaited(t, nodes, within, func() error { return difference(nodes) })
}

// together waits until every node is connected with all others.
func together(t *testing.T, nodes []*process, within time.Duration) time.Duration {
	t.Helper()
	return awaited(t, nodes, within, func() error {
		for _, p := range nodes {
			var h exchange.Health
			if err := p.get("/api/v1/health", &h); err != nil {
				return err
			}
			if h.Peers != len(nodes)-1 {
				return fmt.Errorf("%s is connected with %d members", filepath.Base(p.dir), h.Peers)
			}
		}
		return nil
	})
}

// awaited polls until missing finds nothing. On failure it ends the nodes, to show what they logged last.
func awaited(t *testing.T, nodes []*process, within time.Duration, missing func() error) time.Duration {
	t.Helper()
	begin := time.Now()
	var last error
	for time.Since(begin) < within {
		if last = missing(); last == nil {
			return time.Since(begin)
		}
		<-time.After(pollEvery)
	}
	for _, p := range nodes {
		_ = p.end(os.Kill)
		logged := p.log.String()
		t.Logf("%s logged last:\n%s", filepath.Base(p.dir), logged[max(0, len(logged)-3000):])
	}
	t.Fatalf("after %s still: %v", within, last)
	return 0
}

// published publishes n listings at a node, which may have to wait for the others before it takes the first, and returns the
// id of the last.
func published(t *testing.T, p *process, name string, n int) (id string) {
	t.Helper()
	for i := range n {
		id = fmt.Sprintf("%s-%s-%d", strings.ToUpper(filepath.Base(p.dir)), name, i)
		end := time.Now().Add(slack)
		for {
			_, err := p.publish(listing(id, "Listing "+id, 400))
			if err == nil {
				break
			}
			var no refused
			if !errors.As(err, &no) || !no.forNow() || time.Now().After(end) {
				t.Fatalf("%s: %v", id, err)
			}
			<-time.After(pollEvery)
		}
	}
	return id
}

// forNow reports whether the same may be tried again: the node is read-only, or waits for the others after a start.
func (r refused) forNow() bool {
	return r.status == 503 && (strings.Contains(r.body, `"read-only"`) || strings.Contains(r.body, `"unavailable"`))
}

// words is a text of about n bytes that compresses no better than one that people wrote.
func words(rng *rand.Rand, n int) string {
	syllables := strings.Fields("ba de ki lo mu na pe ri so tu va we xi yo zu cha phe thi ngo khu sra bla dre kli plo stu")
	var b strings.Builder
	for b.Len() < n {
		for range 2 + rng.IntN(3) {
			b.WriteString(syllables[rng.IntN(len(syllables))])
		}
		b.WriteByte(' ')
	}
	return strings.TrimSpace(b.String())
}
