package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A lab is a small network of the kernel's own: a network namespace for every member, joined by a bridge in one more. Nothing
// leads out of it. What goes wrong goes wrong on the bridge, as it would between members.
type lab struct {
	name    string // of this run and subtest: the beginning of the names of all its namespaces
	members []string
	faults  bool // the rules of nftables are set up
}

const labPort = 4001

// newLab makes the namespaces, or skips the test with the reason why it may not.
func newLab(t *testing.T, title string, members ...string) *lab {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces want root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("ip is not installed: apt-get install iproute2")
	}
	l := &lab{name: fmt.Sprintf("tmh-%d-%s", os.Getpid(), title), members: members}
	l.janitor(t)
	l.setUp(t, "netns", "add", l.bridge())
	l.setUp(t, "-n", l.bridge(), "link", "add", "br0", "type", "bridge")
	l.setUp(t, "-n", l.bridge(), "link", "set", "br0", "up")
	for i, m := range members {
		ns := l.of(m)
		l.setUp(t, "netns", "add", ns)
		l.setUp(t, "-n", ns, "link", "set", "lo", "up")
		l.setUp(t, "-n", ns, "link", "add", "eth0", "type", "veth", "peer", "name", m, "netns", l.bridge())
		// Packets as they are on a wire: else one drop would take up to 64 KiB at once.
		l.setUp(t, "-n", ns, "link", "set", "eth0", "gso_max_segs", "1")
		l.setUp(t, "-n", ns, "address", "add", l.address(i)+"/24", "dev", "eth0")
		l.setUp(t, "-n", ns, "link", "set", "eth0", "up")
		l.setUp(t, "-n", l.bridge(), "link", "set", m, "master", "br0", "up")
	}
	return l
}

func (l *lab) bridge() string            { return l.name + "-bridge" }
func (l *lab) of(member string) string   { return l.name + "-" + member }
func (l *lab) address(member int) string { return fmt.Sprintf("10.77.0.%d", member+1) }

// janitor removes the namespaces, and whatever still runs in them, when the test ends: also when the test process is killed,
// because the pipe that the janitor waits on ends with it.
func (l *lab) janitor(t *testing.T) {
	t.Helper()
	names := []string{l.bridge()}
	for _, m := range l.members {
		names = append(names, l.of(m))
	}
	const script = `cat
		for ns; do
			[ -e "/run/netns/$ns" ] || continue
			for pid in $(ip netns pids "$ns"); do kill -9 "$pid"; done
			ip netns delete "$ns"
		done`
	cmd := exec.Command("sh", append([]string{"-c", script, "sh"}, names...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal is not for it
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(lifeline.Close(), cmd.Wait()); err != nil {
			t.Errorf("namespaces not removed: %v\n%s", err, &said)
		}
		for _, ns := range names {
			if _, err := os.Stat("/run/netns/" + ns); err == nil {
				t.Errorf("%s is still there: ip netns delete %s", ns, ns)
			}
		}
	})
}

// setUp runs ip. What a kernel or container does not permit skips the test.
func (l *lab) setUp(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Skipf("not permitted or not known here: ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// start runs the node of dir in its member's namespace.
func (l *lab) start(t *testing.T, member, dir string) *process {
	t.Helper()
	return start(t, dir, "ip", "netns", "exec", l.of(member))
}

// Rules that the bridge applies to everything that passes between members.
const (
	noUDP  = `ip protocol udp counter name "lost" drop`
	noTCP  = `ip protocol tcp counter name "lost" drop`
	losing = `numgen random mod 100 < 20 counter name "lost" drop`
)

// severed is a silent cut: neither side is told.
func severed(member string) string {
	const rule = `%sifname %q counter name "lost" drop`
	return fmt.Sprintf(rule+"\nadd rule bridge tmh faults "+rule, "i", member, "o", member)
}

// rules replaces the faults of the network; none makes it whole. What passes is counted.
func (l *lab) rules(t *testing.T, faults ...string) {
	t.Helper()
	var script strings.Builder
	if !l.faults {
		fmt.Fprintf(&script, `table bridge tmh {
	counter by_tcp { }
	counter by_udp { }
	counter upgrades { }
	counter lost { }
	chain faults { }
	chain forward {
		type filter hook forward priority 0; policy accept;
		jump faults
		ip protocol tcp counter name "by_tcp"
		ip protocol udp counter name "by_udp"
		tcp dport %d @ih,0,32 0x47455420 counter name "upgrades"
	}
}
`, labPort) // "GET ", with which a WebSocket begins
	}
	fmt.Fprintln(&script, "flush chain bridge tmh faults")
	for _, f := range faults {
		fmt.Fprintln(&script, "add rule bridge tmh faults", f)
	}
	cmd := exec.Command("ip", "netns", "exec", l.bridge(), "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(script.String())
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skip("nft is not installed: apt-get install nftables")
	}
	switch out, err := cmd.CombinedOutput(); {
	case err == nil:
		l.faults = true
	case strings.Contains(string(out), "syntax error"):
		t.Fatalf("nft: %s\n%s", out, &script)
	default:
		t.Skipf("this kernel or nft does not know what the test wants of nftables (bridge, numgen, payload): %s", out)
	}
}

// passed is how many packets and bytes a counter of the bridge has seen.
func (l *lab) passed(t *testing.T, counter string) (packets, octets int) {
	t.Helper()
	out, err := exec.Command("ip", "netns", "exec", l.bridge(), "nft", "list", "counter", "bridge", "tmh", counter).Output()
	m := regexp.MustCompile(`packets (\d+) bytes (\d+)`).FindSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("counter %s: %v\n%s", counter, err, out)
	}
	packets, err = strconv.Atoi(string(m[1]))
	if err == nil {
		octets, err = strconv.Atoi(string(m[2]))
	}
	if err != nil {
		t.Fatal(err)
	}
	return packets, octets
}

// octets is what passed in all.
func (l *lab) octets(t *testing.T) int {
	t.Helper()
	_, tcp := l.passed(t, "by_tcp")
	_, udp := l.passed(t, "by_udp")
	return tcp + udp
}

// narrow limits the rate of every member's line, each way by itself.
func (l *lab) narrow(t *testing.T, rate string) {
	t.Helper()
	if _, err := exec.LookPath("tc"); err != nil {
		t.Skip("tc is not installed: apt-get install iproute2")
	}
	for _, m := range l.members {
		for ns, dev := range map[string]string{l.of(m): "eth0", l.bridge(): m} {
			args := []string{"-n", ns, "qdisc", "replace", "dev", dev, "root", "tbf", "rate", rate, "burst", "16kb", "latency", "400ms"}
			if out, err := exec.Command("tc", args...).CombinedOutput(); err != nil {
				t.Skipf("this kernel has no tbf: tc %s: %v: %s", strings.Join(args, " "), err, out)
			}
		}
	}
}

// feed imports listings and returns what the command printed.
func feed(t *testing.T, p *process, rows io.Reader) string {
	t.Helper()
	cmd := exec.Command("tmh", "import", "--dir", p.dir, "--format", "jsonl", "-")
	cmd.Stdin = rows
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("tmh import: %v\n%s", err, out)
	}
	return string(out)
}
