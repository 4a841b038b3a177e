package node

import (
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// What the system should grant a node.
const (
	wantFiles = 4096    // open files: connections, tables of the database, requests
	wantUDP   = 7 << 20 // bytes of a UDP buffer, as QUIC asks for
)

// ExamineSystem checks what the operating system grants this process.
func ExamineSystem(f *exchange.Findings, listen []string) {
	limit := debug.SetMemoryLimit(-1) // only asks
	granted := number("/sys/fs/cgroup/memory.max")
	switch {
	case granted > 0 && limit > granted:
		f.Warn("memory limit", "Set memory_limit in tmh.yaml to about four fifths of it.", "the system ends this process above %d MiB, and memory_limit is not below that", granted>>20)
	case limit == math.MaxInt64:
		f.Fine("memory limit", "none: the node takes what it needs")
	default:
		f.Fine("memory limit", "%d MiB", limit>>20)
	}
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		f.Warn("open files", "Look at ulimit -n.", "limit not known: %s", err)
	} else if files.Cur < wantFiles {
		f.Warn("open files", "Raise it: LimitNOFILE=65536 in the service, or ulimit -n.", "at most %d may be open, %d are wanted", files.Cur, wantFiles)
	} else {
		f.Fine("open files", "at most %d may be open", files.Cur)
	}
	for _, l := range listen {
		if !strings.Contains(l, "/udp/") {
			continue
		}
		receive, send := number("/proc/sys/net/core/rmem_max"), number("/proc/sys/net/core/wmem_max")
		if smaller := min(receive, send); smaller > 0 && smaller < wantUDP {
			f.Warn("UDP buffers", "Run sysctl -w net.core.rmem_max=7500000 net.core.wmem_max=7500000, and write both into /etc/sysctl.d/tmh.conf.",
				"at most %d KiB, and QUIC asks for %d: it works, but slower under load", smaller>>10, wantUDP>>10)
		} else {
			f.Fine("UDP buffers", "large enough, or set by the system")
		}
		break
	}
}

// number reads a file of the system that holds one; 0 where there is none.
func number(path string) int64 {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	k, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return 0
	}
	return k
}

// ExamineStopped checks what a node that does not run has on its disk, and changes nothing there. papers are what it would
// take in at its start; nil: none.
func ExamineStopped(f *exchange.Findings, cfg store.Config, guard string, member protocol.MemberID, papers *protocol.Papers) {
	mark, held, err := store.ReadGuard(guard)
	switch {
	case protocol.CodeOf(err) == protocol.CodeConflict:
		f.Fault("process", "Look for it with ps, and stop it; or repair the socket's folder.", "a process holds the guard file, but nobody answers at the administration socket")
		return
	case err != nil:
		f.Fault("guard", "Do not delete it. Move it away only if you know that this store is the newest: the node then asks the others.", "cannot be read: %s", err)
	}
	if !store.Exists(cfg.Dir) {
		if held && mark.Pos.Seq > 0 {
			f.Fault("store", "Put the newest backup in place (tmh restore), or start the node: it draws its catalogue back from the other members, but full records are in backups only.",
				"there is no database, and this node signed up to %s", mark.Pos)
		} else {
			f.Warn("store", "Nothing: it is made when the node starts.", "there is no database yet")
		}
		return
	}
	db, err := store.OpenReadOnly(cfg)
	if err != nil {
		f.Fault("store", "Run tmh verify; it says what is damaged. Otherwise put the newest backup in place (tmh restore).", "cannot be opened: %s", err)
		return
	}
	err = examineStore(f, db, mark, held, member, papers)
	if err = errors.Join(err, db.Close()); err != nil {
		f.Fault("store", "Run tmh verify; it says what is damaged.", "cannot be read: %s", err)
	}
}

func examineStore(f *exchange.Findings, db *store.Store, mark store.Mark, held bool, member protocol.MemberID, papers *protocol.Papers) error {
	return db.View(func(tx *store.Tx) error {
		roster, err := tx.Roster()
		if err != nil {
			return err
		}
		if roster == nil {
			f.Warn("store", "Start the node, which takes the papers in; if it ran before, run tmh verify.", "holds no charter")
			return nil
		}
		roster = withPapers(roster, papers)
		for _, m := range roster.Charter().Members {
			set := tx.Origin(m.ID)
			c, err := loadCopy(set, m.ID)
			if err != nil {
				return err
			}
			if m.ID == member && !held {
				f.Warn("guard", "Nothing, if you removed it on purpose: the node asks the others before it signs. Never restore one from a backup.", "there is no guard file")
			} else if m.ID == member {
				examineGuard(f, mark, c.Proven, c.Header)
			}
			check := "catalogue of " + string(m.ID)
			forks, err := set.Evidence()
			if err != nil {
				return err
			}
			switch {
			case c.Disputed && m.ID == member:
				f.Fault(check, "Start one copy of this node only, and run tmh epoch open --reason fork.", "two histories were signed; held is %s", c.Proven)
			case c.Disputed:
				f.Fault(check, "Call its operator.", "two histories were signed; held is %s", c.Proven)
			case c.CatchingUp():
				f.Warn(check, "Start the node: it draws on.", "was being drawn when the node stopped; proven is %s", c.Proven)
			case len(forks) > 0:
				f.Fine(check, "%d records at %s; %s of an earlier epoch kept", c.Count, c.Proven, count(len(forks), "contradiction"))
			default:
				f.Fine(check, "%d records at %s", c.Count, c.Proven)
			}
		}
		if err := examineSeal(f, tx, roster, member); err != nil {
			return err
		}
		rivals, err := tx.Rivals()
		if len(rivals) > 0 {
			f.Fault("charter", "The members must agree which one holds.", "there are two valid charters %d", rivals[0].Version)
		}
		return err
	})
}

// withPapers adds what is valid and newer; the rest is passed over, as it is at a start.
func withPapers(r *protocol.Roster, p *protocol.Papers) *protocol.Roster {
	if p == nil {
		return r
	}
	for _, c := range p.Charters {
		if next, err := r.WithCharter(c); err == nil {
			r = next
		}
	}
	for _, c := range p.Cards {
		if next, err := r.WithCard(c); err == nil {
			r = next
		}
	}
	return r
}

// ExamineBackups checks the backups on schedule of a node that may run or not.
func ExamineBackups(f *exchange.Findings, c BackupConfig, member protocol.MemberID, now time.Time) {
	if c.Dir == "" {
		f.Warn("backups", "Set backup.dir in tmh.yaml to a folder on another disk. Full records are on this node alone.", "none are taken on schedule")
		return
	}
	_, times, err := store.Backups(c.Dir, member)
	switch {
	case err != nil:
		f.Fault("backups", "Mend the folder, or take one by hand with tmh backup.", "%s", err)
	case len(times) == 0:
		f.Warn("backups", "Wait for the first, or take one by hand with tmh backup.", "there is none in %s yet", c.Dir)
	case now.Sub(times[len(times)-1]) > 2*c.Every:
		f.Fault("backups", "Look for \"backup\" in the log; take one by hand with tmh backup.", "the newest is of %s, and one every %s was wanted", times[len(times)-1].UTC().Format(time.DateTime), c.Every)
	default:
		f.Fine("backups", "%d kept, the newest of %s", len(times), times[len(times)-1].UTC().Format(time.DateTime+" UTC"))
	}
}

func (n *Node) examineBackups(f *exchange.Findings) {
	ExamineBackups(f, n.cfg.Backup, n.cfg.Member, n.cfg.Now())
	n.backups.mu.Lock()
	defer n.backups.mu.Unlock()
	if n.backups.failures > 0 {
		f.Fault("backups", "Mend it, or take one by hand with tmh backup.", "the last %s failed: %s", count(n.backups.failures, "scheduled one"), n.backups.why)
	}
}

// knockTimeout bounds a try of one address.
const knockTimeout = 2 * time.Second

// knock tries the TCP addresses on the cards of members that are not connected, and says what came of it.
func (n *Node) knock(away []protocol.MemberID) string {
	if n.cfg.ListenUDP != nil { // simulated: there is no real network
		return ""
	}
	roster := n.roster.Load()
	said := make([]string, len(away))
	var all sync.WaitGroup
	for i, m := range away {
		card := roster.Card(m)
		if card == nil {
			said[i] = fmt.Sprintf("no card of %s is held", m)
			continue
		}
		all.Go(func() { said[i] = tryCard(card) })
	}
	all.Wait()
	return "; " + strings.Join(said, "; ")
}

func tryCard(card *protocol.SignedCard) string {
	for _, p := range card.Peers {
		for _, a := range p.Addresses {
			address, ok := tcpOf(a)
			if !ok {
				continue
			}
			conn, err := (&net.Dialer{Timeout: knockTimeout}).Dial("tcp", address)
			if err != nil {
				return fmt.Sprintf("%s: %s", card.Member, err)
			}
			_ = conn.Close()
			return fmt.Sprintf("%s: something answers at %s", card.Member, address)
		}
	}
	return fmt.Sprintf("%s: no TCP address is on its card", card.Member)
}

// tcpOf is host and port of a multiaddr such as /ip4/192.0.2.1/tcp/4001.
func tcpOf(multiaddr string) (address string, ok bool) {
	parts := strings.Split(multiaddr, "/")
	if len(parts) < 5 || parts[3] != "tcp" || !slices.Contains([]string{"ip4", "ip6", "dns", "dns4", "dns6"}, parts[1]) {
		return "", false
	}
	return net.JoinHostPort(parts[2], parts[4]), true
}
