package node

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics of a node, in a registry of its own. What can be asked at any time is read when it is asked.
type metrics struct {
	admitted *prometheus.CounterVec // by way: gossip, pull
	refused  *prometheus.CounterVec // by reason
	pulls    *prometheus.CounterVec // by end: proven, or a code
	forks    *prometheus.CounterVec // by origin
	gossiped prometheus.Counter
	served   prometheus.Counter
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
		gossiped: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "tmh", Name: "changes_gossiped_total", Help: "Own changes sent by gossip."}),
		served:   prometheus.NewCounter(prometheus.CounterOpts{Namespace: "tmh", Name: "changes_served_total", Help: "Changes sent to members who pull."}),
	}
	gauge := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "tmh", Name: name, Help: help}, f)
	}
	n.cfg.Metrics.MustRegister(m.admitted, m.refused, m.pulls, m.forks, m.gossiped, m.served,
		collectors.NewGoCollector(),
		gauge("inbox", "Changes from gossip that wait to be applied.", func() float64 { return float64(len(n.inbox)) }),
		gauge("index_waiting", "Listings that wait to be indexed.", func() float64 { return float64(n.follow.waiting()) }),
		gauge("listings", "Current listings of all members.", func() float64 { return float64(n.counts.Total()) }),
		gauge("disk_free_bytes", "Free space under the store.", func() float64 { return float64(n.store.Space().Free) }),
		gauge("store_bytes", "Size of the store.", func() float64 { return float64(n.store.Size()) }),
		gauge("connected_members", "Other members connected.", func() float64 { return float64(len(n.net.Connected())) }),
		originLag{n, prometheus.NewDesc("tmh_origin_lag", "Changes that an origin was seen to have signed and that are not proven here.", []string{"origin"}, nil)},
	)
	return m
}

type originLag struct {
	n    *Node
	desc *prometheus.Desc
}

func (o originLag) Describe(ch chan<- *prometheus.Desc) { ch <- o.desc }

func (o originLag) Collect(ch chan<- prometheus.Metric) {
	for _, m := range o.n.Members() {
		lag := 0.0
		if m.Claimed.Compare(m.Position) > 0 {
			lag = float64(m.Claimed.Seq) - float64(m.Position.Seq)
		}
		ch <- prometheus.MustNewConstMetric(o.desc, prometheus.GaugeValue, lag, string(m.ID))
	}
}
