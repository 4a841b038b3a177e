package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
)

// TestNamespaces runs nodes as processes that have a kernel's network between them, which loopback is not: with lines that
// lose, are cut, are narrow, or let one transport through.
func TestNamespaces(t *testing.T) {
	t.Parallel()
	const (
		tcp  = "/ip4/%s/tcp/%d"
		ws   = "/ip4/%s/tcp/%d/ws"
		quic = "/ip4/%s/udp/%d/quic-v1"
	)
	for _, s := range []struct {
		name      string
		long      bool // left out of short runs
		members   int
		addresses []string
		run       func(*testing.T, *lab, *scene)
	}{
		{"cut", true, 4, []string{tcp, quic}, cutAndHealed},
		{"udp-blocked-in-use", true, 3, []string{tcp, quic}, blockedInUse},
		{"loss", true, 3, []string{tcp, quic}, lossy},
		{"narrow", true, 2, []string{tcp, quic}, narrowLine},
		{"udp-blocked", true, 3, []string{tcp, quic}, onlyBy("by_tcp", noUDP)},
		{"tcp-alone", true, 3, []string{tcp}, onlyBy("by_tcp")},
		{"websocket-alone", true, 3, []string{ws}, onlyBy("upgrades")},
		{"quic-alone", true, 3, []string{quic}, onlyBy("by_udp")},
		{"all-transports", false, 4, []string{tcp, quic}, allTransports},
	} {
		t.Run(s.name, func(t *testing.T) {
			if s.long && testing.Short() {
				t.Skip("short runs have all-transports alone")
			}
			t.Parallel()
			members := []string{"kh", "la", "my", "vn"}[:s.members]
			l := newLab(t, s.name, members...)
			dirs := foundTogether(t, t.TempDir(), members, func(i int) (listen []string) {
				for _, form := range s.addresses {
					listen = append(listen, fmt.Sprintf(form, l.address(i), labPort))
				}
				return listen
			})
			sc := &scene{members: members, dirs: dirs}
			s.run(t, l, sc)
			if t.Skipped() {
				return
			}
			for _, p := range sc.nodes {
				p.stop(t)
				verified(t, p.dir)
			}
		})
	}
}

// A scene is a federation in a lab. Its nodes are those that run, in the order of members.
type scene struct {
	members, dirs []string
	nodes         []*process
}

// begin starts the nodes that do not run yet, up to n of them.
func (s *scene) begin(t *testing.T, l *lab, n int) {
	t.Helper()
	from := len(s.nodes)
	for i := from; i < n; i++ {
		s.nodes = append(s.nodes, l.start(t, s.members[i], s.dirs[i]))
	}
	for _, p := range s.nodes[from:] {
		p.ready(t)
	}
}

// exchanged publishes at every node, and waits until all of them hold all of it.
func (s *scene) exchanged(t *testing.T, name string, within time.Duration) time.Duration {
	t.Helper()
	for _, p := range s.nodes {
		published(t, p, name, 20)
	}
	return agree(t, s.nodes, within)
}

// slack is what a healthy network gets on a machine that is busy with other tests. It took 1 to 5 seconds on an idle one.
const slack = 45 * time.Second

func allTransports(t *testing.T, l *lab, s *scene) {
	s.begin(t, l, len(s.members))
	took := s.exchanged(t, "ALL", slack)
	first, last := s.nodes[0], s.nodes[len(s.nodes)-1]
	if _, err := first.publish(listing("FOUND", "Solar tunnel dryer for fish", 100)); err != nil {
		t.Fatal(err)
	}
	agree(t, s.nodes, slack)
	awaited(t, s.nodes, slack, func() error { // the index follows
		if out := tmh(t, "match", "--dir", last.dir, "tunnel", "dryer"); !strings.Contains(out, "KH/FOUND") {
			return fmt.Errorf("tmh match: %s", out)
		}
		return nil
	})
	t.Logf("%d members: equal %s after the last publication", len(s.nodes), took.Round(time.Millisecond))
}

// onlyBy has the federation work over the transport that a counter of the bridge sees, and over nothing else.
func onlyBy(counter string, faults ...string) func(*testing.T, *lab, *scene) {
	return func(t *testing.T, l *lab, s *scene) {
		l.rules(t, faults...)
		s.begin(t, l, len(s.members))
		took := s.exchanged(t, "ONLY", slack)
		tcp, tcpBytes := l.passed(t, "by_tcp")
		udp, udpBytes := l.passed(t, "by_udp")
		upgrades, _ := l.passed(t, "upgrades")
		seen := map[string]bool{"by_tcp": tcp > 0 && udp == 0 && upgrades == 0, "upgrades": upgrades > 0 && udp == 0, "by_udp": udp > 0 && tcp == 0}
		if lost, _ := l.passed(t, "lost"); len(faults) > 0 && lost == 0 {
			t.Error("the network had nothing to block")
		}
		if !seen[counter] {
			t.Errorf("not by %s alone: %d packets of TCP, %d of UDP, %d requests for a WebSocket", counter, tcp, udp, upgrades)
		}
		t.Logf("equal %s after the last publication; TCP %d packets, %d bytes; UDP %d, %d; %d requests for a WebSocket",
			took.Round(time.Millisecond), tcp, tcpBytes, udp, udpBytes, upgrades)
	}
}

// blockedInUse takes away what all connections are made of.
func blockedInUse(t *testing.T, l *lab, s *scene) {
	l.rules(t, noTCP)
	s.begin(t, l, len(s.members))
	together(t, s.nodes, slack)
	s.exchanged(t, "QUIC", slack)
	if tcp, _ := l.passed(t, "by_tcp"); tcp > 0 {
		t.Fatalf("%d packets of TCP passed where it is blocked", tcp)
	}
	quic, _ := l.passed(t, "by_udp")
	l.rules(t, noUDP)
	// QUIC gives a silent connection up after 30 s.
	took := s.exchanged(t, "TCP", 30*time.Second+slack)
	tcp, _ := l.passed(t, "by_tcp")
	if quic == 0 || tcp == 0 {
		t.Errorf("%d packets of UDP passed before the block, %d of TCP after it", quic, tcp)
	}
	t.Logf("equal %s after UDP was blocked under connections of QUIC", took.Round(100*time.Millisecond))
}

// lossy loses every fifth packet, each way, of gossip and of what a member draws that was away.
func lossy(t *testing.T, l *lab, s *scene) {
	l.rules(t, losing)
	s.begin(t, l, len(s.members))
	took := s.exchanged(t, "LOSS", 2*slack)
	last := len(s.nodes) - 1
	s.nodes[last].stop(t)
	s.nodes = s.nodes[:last]
	published(t, s.nodes[0], "AWAY", 400)
	s.begin(t, l, len(s.members))
	drew := agree(t, s.nodes, 2*slack)
	lost, _ := l.passed(t, "lost")
	tcp, _ := l.passed(t, "by_tcp")
	udp, _ := l.passed(t, "by_udp")
	share := float64(lost) / float64(lost+tcp+udp)
	if share < 0.12 || share > 0.28 { // of about 1,000
		t.Errorf("%.1f%% of the packets were lost, instead of 20%%", 100*share)
	}
	t.Logf("%.1f%% of %d packets lost: equal %s after the last publication, and %s after one was away",
		100*share, lost+tcp+udp, took.Round(time.Millisecond), drew.Round(time.Millisecond))
}

// cutAndHealed cuts one member off for longer than any connection lives, with changes on both sides.
func cutAndHealed(t *testing.T, l *lab, s *scene) {
	const cutFor, within = 45 * time.Second, 60 * time.Second
	l.rules(t)
	s.begin(t, l, len(s.members))
	s.exchanged(t, "BEFORE", slack)
	l.rules(t, severed(s.members[0]))
	over := time.After(cutFor)
	for _, p := range s.nodes {
		published(t, p, "DURING", 40)
	}
	agree(t, s.nodes[1:], slack)
	awaited(t, s.nodes, slack, func() error {
		var h exchange.Health
		if err := s.nodes[0].get("/api/v1/health", &h); err != nil || h.Peers == 0 {
			return err
		}
		return fmt.Errorf("%d connections outlive the cut", h.Peers)
	})
	<-over // the length of the cut is what is tested
	if difference(s.nodes) == nil {
		t.Fatal("the cut cuts nothing")
	}
	l.rules(t)
	took := agree(t, s.nodes, within)
	t.Logf("equal and proven %s after a cut of %s", took.Round(100*time.Millisecond), cutFor)
}

// narrowLine has a member draw what it missed over a line of 1 Mbit/s.
func narrowLine(t *testing.T, l *lab, s *scene) {
	const rows, bitsPerSecond = 2000, 1_000_000
	l.rules(t)
	l.narrow(t, "1mbit")
	s.begin(t, l, 2)
	s.exchanged(t, "BEFORE", slack)
	s.nodes[1].stop(t)
	s.nodes = s.nodes[:1]
	rng := rand.New(rand.NewPCG(3, 8)) // the same text in every run
	var file strings.Builder
	for i := range rows {
		fmt.Fprintf(&file, `{"id":"ROW-%d","kind":"TO","country":"KH","texts":{"en":{"title":%q,"abstract":%q}}}`+"\n", i, words(rng, 60), words(rng, 600))
	}
	if out := feed(t, s.nodes[0], strings.NewReader(file.String())); !strings.Contains(out, fmt.Sprintf("%d rows: %d published", rows, rows)) {
		t.Fatalf("tmh import: %s", out)
	}
	before := l.octets(t)
	begin := time.Now()
	s.begin(t, l, 2)
	agree(t, s.nodes, 60*time.Second+slack)
	took, drawn := time.Since(begin), l.octets(t)-before
	if least := time.Duration(drawn) * 8 * time.Second / (2 * bitsPerSecond); took < least { // both ways together
		t.Errorf("%d bytes in %s: the line is not narrow", drawn, took)
	}
	t.Logf("%d listings, a file of %d bytes: proven %s after the start, with %d bytes on the line", rows, file.Len(), took.Round(100*time.Millisecond), drawn)
}
