package node

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// metrics of a node, in a registry of its own. What can be asked at any time is read when it is asked. The table in
// docs/operations.md says of each what to make of it; a test keeps the two equal.
type metrics struct {
	admitted *prometheus.CounterVec // by way: gossip, pull
	refused  *prometheus.CounterVec // by reason
	pulls    *prometheus.CounterVec // by end: proven, or a code
	forks    *prometheus.CounterVec // by origin
	staged   *prometheus.CounterVec // by origin
	faults   *prometheus.CounterVec // by member, fault
	repairs  *prometheus.CounterVec // by origin
	twins    prometheus.Counter
	gossiped prometheus.Counter
	served   prometheus.Counter

	blamed  *prometheus.Registry // of faults alone, for whoever is told of one member
	audited atomic.Int64         // Unix seconds of the end of the last audit; of the start before the first
	all     []prometheus.Collector
}

func newMetrics(n *Node) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "tmh", Name: name, Help: help}, labels)
	}
	m := &metrics{
		admitted: counter("changes_admitted_total", "Changes of other members applied.", "way"),
		refused:  counter("changes_refused_total", "Changes and statements not applied, by reason.", "reason"),
		pulls:    counter("pulls_total", "Pulls by how they ended.", "end"),
		forks:    counter("forks_total", "Contradicting signed headers seen.", "origin"),
		staged:   counter("staged_total", "Copies drawn anew beside the ones held.", "origin"),
		faults:   counter("member_faults_total", "What members did that no node of ours does, by member and code.", "member", "fault"),
		repairs:  counter("audit_damaged_total", "Copies in which the audit found damage.", "origin"),
		twins:    prometheus.NewCounter(prometheus.CounterOpts{Namespace: "tmh", Name: "twins_total", Help: "Times that another copy of this node was noticed."}),
		gossiped: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "tmh", Name: "changes_gossiped_total", Help: "Own changes sent by gossip."}),
		served:   prometheus.NewCounter(prometheus.CounterOpts{Namespace: "tmh", Name: "changes_served_total", Help: "Changes sent to members who pull."}),
	}
	m.audited.Store(n.cfg.Now().Unix())
	m.blamed = prometheus.NewRegistry()
	m.blamed.MustRegister(m.faults)
	gauge := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "tmh", Name: name, Help: help}, f)
	}
	m.all = []prometheus.Collector{
		m.admitted, m.refused, m.pulls, m.forks, m.staged, m.faults, m.repairs, m.twins, m.gossiped, m.served,
		gauge("inbox", "Changes from gossip that wait to be applied; at 8192 gossip waits.", func() float64 { return float64(len(n.inbox)) }),
		gauge("outbox", "Own changes that wait to be gossiped.", func() float64 { return float64(n.outbox.size()) }),
		gauge("index_waiting", "Listings that wait to be indexed.", func() float64 { return float64(n.follow.waiting()) }),
		gauge("pulls_running", "Catalogues that are being drawn.", func() float64 { return float64(len(n.pulling)) }),
		gauge("pulls_waiting", "Catalogues that somebody connected claims to hold further and that are not being drawn.", n.pullsWaiting),
		gauge("listings", "Current listings of all members.", func() float64 { return float64(n.counts.Total()) }),
		gauge("disk_free_bytes", "Free space under the store.", func() float64 { return float64(n.store.Space().Free) }),
		gauge("disk_wanted_bytes", "Free space below which no change is taken.", func() float64 { return float64(n.store.Space().MinFree) }),
		gauge("read_only", "1 while the disk is too full to take changes.", func() float64 { return one(n.store.Space().ReadOnly) }),
		gauge("store_bytes", "Size of the store.", func() float64 { return float64(n.store.Size()) }),
		gauge("connected_members", "Other members connected.", func() float64 { return float64(len(n.net.Connected())) }),
		gauge("silent_members", "Other members that did not say since the start what they hold of this node's catalogue.", func() float64 {
			_, silent := n.heardOwn()
			return float64(len(silent))
		}),
		gauge("publishing_blocked", "1 while this node signs nothing; tmh status says why.", func() float64 { return one(!n.mayPublish()) }),
		gauge("alone", "1 where the node was started with --alone.", func() float64 { return one(n.cfg.Alone) }),
		gauge("twin", "1 once another running copy of this node was noticed.", func() float64 { return one(n.twin() != "") }),
		gauge("own_stray", "Own changes that others hold and that do not follow what is held here.", func() float64 { return float64(n.strays()) }),
		gauge("charter_version", "Version of the charter in force.", func() float64 { return float64(n.roster.Load().Charter().Version) }),
		gauge("rival_charter", "1 while two valid charters of one version stop amendments.", func() float64 { return one(n.rival() != nil) }),
		gauge("audit_age_seconds", "Since the last audit of everything held ended; since the start before the first.", func() float64 {
			return float64(n.cfg.Now().Unix() - m.audited.Load())
		}),
		gauge("mail_waiting", "Messages that wait to be sent.", func() float64 { waiting, _ := n.mailWaiting(); return float64(waiting) }),
		gauge("mail_trouble", "1 while the mail server takes nothing.", func() float64 { _, trouble := n.mailWaiting(); return one(trouble) }),
		gauge("imports_unfinished", "Imports that are queued or worked on.", func() float64 { return float64(n.imports().Unfinished) }),
		gauge("imports_waiting", "Imports that wait until somebody confirms what they withdraw.", func() float64 { return float64(n.imports().Waiting) }),
		gauge("harvests_failing", "Repositories whose newest harvest failed, or that are overdue by hours.", func() float64 {
			h := n.imports()
			return float64(len(h.Failing) + len(h.Overdue))
		}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: "tmh", Name: "http_refused_total", Help: "Requests that were told to come again, since the node was busy."}, func() float64 {
			return float64(n.refused.Load())
		}),
		gauge("certificate_end_seconds", "When the certificate of pages and API ends, in Unix seconds; 0 without one.", func() float64 {
			if c := n.pair.Load(); c != nil {
				return float64(c.expires().Unix())
			}
			return 0
		}),
		newOriginStates(n),
	}
	n.cfg.Metrics.MustRegister(append(m.all, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))...)
	return m
}

// mailWaiting is how many messages wait, and whether the mail server takes nothing.
func (n *Node) mailWaiting() (waiting int, trouble bool) {
	h, err := n.house.Mail.Health()
	if err != nil {
		n.log.Error("mail queue not read", "error", err)
	}
	return h.Waiting, h.Trouble != ""
}

// imports and harvests, as they stand.
func (n *Node) imports() (h intake.Health) {
	if n.house.Imports == nil {
		return h
	}
	h, err := n.house.Imports.Health()
	if err != nil {
		n.log.Error("imports not read", "error", err)
	}
	return h
}

// forNetwork is the registry for package p2p, whose count of members' faults is told of each member too.
func (m *metrics) forNetwork(r prometheus.Registerer) prometheus.Registerer {
	return networkRegisterer{r, m}
}

type networkRegisterer struct {
	prometheus.Registerer
	m *metrics
}

func (r networkRegisterer) Register(c prometheus.Collector) error {
	r.m.all = append(r.m.all, c)
	if slices.ContainsFunc(namesOf(c), func(name string) bool { return strings.HasSuffix(name, "_member_faults_total") }) {
		if err := r.m.blamed.Register(c); err != nil {
			return err
		}
	}
	return r.Registerer.Register(c)
}

// namesOf lists what a collector may ever show. A description tells its name in its text only.
func namesOf(c prometheus.Collector) (names []string) {
	all := make(chan *prometheus.Desc)
	go func() { c.Describe(all); close(all) }()
	for d := range all {
		_, rest, _ := strings.Cut(d.String(), `fqName: "`)
		name, _, _ := strings.Cut(rest, `"`)
		names = append(names, name)
	}
	return names
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (n *Node) twin() string {
	n.own.mu.Lock()
	defer n.own.mu.Unlock()
	return n.own.twin
}

func (n *Node) strays() int {
	n.own.mu.Lock()
	defer n.own.mu.Unlock()
	return len(n.own.stray)
}

func (o *outbox) size() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.waiting)
}

func (n *Node) pullsWaiting() float64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	wanted := 0
	for origin, c := range n.claims {
		if have := n.wants(origin); c.Top().Compare(have.Proven) > 0 {
			wanted++
		}
	}
	return float64(max(wanted-len(n.pulling), 0))
}

// originStates are gauges of every member's catalogue, read together.
type originStates struct {
	n    *Node
	each []originGauge
}

type originGauge struct {
	desc *prometheus.Desc
	of   func(exchange.MemberState) float64
}

func newOriginStates(n *Node) originStates {
	o := originStates{n: n}
	gauge := func(name, help string, of func(exchange.MemberState) float64) {
		o.each = append(o.each, originGauge{prometheus.NewDesc("tmh_origin_"+name, help, []string{"origin"}, nil), of})
	}
	type state = exchange.MemberState
	gauge("lag", "Changes that an origin was seen to have signed and that are not proven here.", func(m state) float64 { return float64(m.Lag) })
	gauge("proven", "1 where the copy equals, as a whole, what its origin signed.", func(m state) float64 { return one(m.Proven) })
	gauge("disputed", "1 where the origin signed two histories: its catalogue is frozen.", func(m state) float64 { return one(m.State == exchange.Disputed) })
	gauge("stale", "1 where the lease of the origin's last statement has ended.", func(m state) float64 { return one(m.State == exchange.Stale) })
	gauge("heard_age_seconds", "Since the origin's newest head statement; -1 for never.", func(m state) float64 {
		if m.LastHeard == 0 {
			return -1
		}
		return n.cfg.Now().Sub(m.LastHeard.Time()).Truncate(time.Second).Seconds()
	})
	gauge("staging", "1 while a second copy is drawn beside the one shown.", func(m state) float64 { return one(m.Staging != nil) })
	gauge("damaged", "1 where the audit found damage that is not mended yet.", func(m state) float64 { return one(m.Damage != "") })
	gauge("unusable", "Listings that the origin signed and that are not valid.", func(m state) float64 { return float64(m.Unusable) })
	gauge("epoch", "Epoch of the copy: above 1 after a loss, a fork or a stolen key.", func(m state) float64 { return float64(m.Position.Epoch) })
	gauge("floor", "Seq up to which withdrawals have left the copy.", func(m state) float64 {
		n.mu.Lock()
		defer n.mu.Unlock()
		return float64(n.copies[m.ID].Floor)
	})
	gauge("evidence", "Pairs of contradicting signed headers kept of the origin.", func(m state) float64 { return float64(n.evidenceCount(m.ID)) })
	gauge("unacknowledged", "Changes of this node's catalogue that the member does not say to have proven.", func(m state) float64 {
		n.mu.Lock()
		defer n.mu.Unlock()
		if m.Self {
			return 0
		}
		return float64(lag(n.copies[n.cfg.Member].Proven, m.Acknowledged))
	})
	return o
}

func (n *Node) evidenceCount(origin protocol.MemberID) (count int) {
	err := n.store.View(func(tx *store.Tx) error {
		all, err := tx.Origin(origin).Evidence()
		count = len(all)
		return err
	})
	if err != nil {
		n.log.Error("evidence not read", "origin", origin, "error", err)
	}
	return count
}

func (o originStates) Describe(ch chan<- *prometheus.Desc) {
	for _, g := range o.each {
		ch <- g.desc
	}
}

func (o originStates) Collect(ch chan<- prometheus.Metric) {
	for _, m := range o.n.Members() {
		for _, g := range o.each {
			ch <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, g.of(m), string(m.ID))
		}
	}
}

// blame counts what a member did that no node of ours does. Codes are ours: a code that a peer invented is "refused". A
// fork is its origin's doing, and counted apart: who holds the other history may be as honest as we are.
func (n *Node) blame(m protocol.MemberID, code protocol.Code) {
	switch code {
	case "", protocol.CodeFork, protocol.CodeInternal, protocol.CodeUnavailable, protocol.CodeReadOnly, protocol.CodeRestart, protocol.CodeCharter, protocol.CodeReplayed, protocol.CodeTooLarge, protocol.CodeQuota:
		return
	}
	n.metrics.faults.WithLabelValues(string(m), string(code)).Inc()
}
