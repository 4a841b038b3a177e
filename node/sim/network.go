package sim

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/marcopolo/simnet"
)

// network is the simulated network: a link of fixed bandwidth for every node, and a fixed delay for every pair. Every
// member has two places in it: node i's, and i+n for a second copy of it, in the same city.
type network struct {
	sim   *simnet.Simnet
	link  simnet.NodeBiDiLinkSettings
	group []atomic.Int32 // of each place; packets pass within a group
	loss  []atomic.Int32 // of each place: packets lost on its link of a hundred, each way

	mu     sync.Mutex
	cables [][]*cable // of each place, those that were closed included
	rnd    *rand.Rand // which packets are lost
}

func newNetwork(nodes, mbits int, seed uint64, oneWay func(i, j int) time.Duration) *network {
	places := 2 * nodes
	delay := make([][]time.Duration, places)
	for i := range delay {
		delay[i] = make([]time.Duration, places)
		for j := range delay[i] {
			if i != j {
				delay[i][j] = oneWay(i%nodes, j%nodes)
			}
		}
	}
	rate := simnet.LinkSettings{BitsPerSecond: mbits * simnet.Mibps}
	w := &network{
		link:   simnet.NodeBiDiLinkSettings{Downlink: rate, Uplink: rate},
		group:  make([]atomic.Int32, places),
		loss:   make([]atomic.Int32, places),
		cables: make([][]*cable, places),
		rnd:    rand.New(rand.NewPCG(seed, 2)),
	}
	w.sim = &simnet.Simnet{
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		LatencyFunc: func(p *simnet.Packet) time.Duration {
			i, j := w.node(p.From), w.node(p.To)
			if i < 0 || j < 0 {
				return time.Millisecond
			}
			return delay[i][j]
		},
	}
	w.sim.Start()
	return w
}

// address is where node i listens.
func address(i int) string { return fmt.Sprintf("/ip4/%s/udp/8000/quic-v1", simnet.IntToPublicIPv4(i)) }

// node at an address, or -1.
func (w *network) node(a net.Addr) int {
	u, ok := a.(*net.UDPAddr)
	if !ok {
		return -1
	}
	ip := u.IP.To4()
	if ip == nil {
		return -1
	}
	i := int(ip[2])<<8 + int(ip[3]) - 1
	if i < 0 || i >= len(w.group) {
		return -1
	}
	return i
}

// plug connects node i, in the place of the cable that it had before.
func (w *network) plug(i int, a *net.UDPAddr) net.PacketConn {
	c := &cable{SimConn: w.sim.NewEndpoint(a, w.link), net: w, self: i}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cables[i] = append(w.cables[i], c)
	return c
}

// pull pulls node i's plug: nothing leaves it any more, and nothing arrives.
func (w *network) pull(i int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.cables[i] {
		c.pulled.Store(true)
	}
}

// received is the bytes of UDP payload that have arrived at node i since the beginning.
func (w *network) received(i int) (sum int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.cables[i] {
		sum += int64(c.Stats().BytesRcvd)
	}
	return sum
}

// cable is a node's end of its link. It embeds the connection so that quic-go finds the buffer settings it looks for.
type cable struct {
	*simnet.SimConn
	net    *network
	self   int
	pulled atomic.Bool
}

// lost reports whether a packet from place i to place j is lost on one of their links.
func (w *network) lost(i, j int) bool {
	a, b := w.loss[i].Load(), w.loss[j].Load()
	if a == 0 && b == 0 {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rnd.Int32N(100) < a || w.rnd.Int32N(100) < b
}

// WriteTo loses what would leave the group, and what the links lose.
func (c *cable) WriteTo(b []byte, to net.Addr) (int, error) {
	j := c.net.node(to)
	if c.pulled.Load() || j >= 0 && (c.net.group[c.self].Load() != c.net.group[j].Load() || c.net.lost(c.self, j)) {
		return len(b), nil
	}
	return c.SimConn.WriteTo(b, to)
}

// ReadFrom loses what arrives at a cable that was pulled.
func (c *cable) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.SimConn.ReadFrom(b)
		if err != nil || !c.pulled.Load() {
			return n, from, err
		}
	}
}

// places is the seats of founding.ASEAN in its order: latitude and longitude in degrees.
func places() [][2]float64 {
	return [][2]float64{
		{4.9, 114.9},   // BN Bandar Seri Begawan
		{-6.2, 106.8},  // ID Jakarta
		{11.6, 104.9},  // KH Phnom Penh
		{18.0, 102.6},  // LA Vientiane
		{19.8, 96.1},   // MM Nay Pyi Taw
		{3.1, 101.7},   // MY Kuala Lumpur
		{14.6, 121.0},  // PH Manila
		{-6.24, 106.8}, // SEC Jakarta
		{1.35, 103.8},  // SG Singapore
		{13.8, 100.5},  // TH Bangkok
		{-8.6, 125.6},  // TL Dili
		{21.0, 105.8},  // VN Hanoi
	}
}

// ASEAN is the default delay one way: 4 ms within a city, growing with the distance to 48 ms between the two capitals
// furthest apart. Members beyond the twelfth live in the same cities again.
func ASEAN(i, j int) time.Duration {
	const near, far = 4 * time.Millisecond, 48 * time.Millisecond
	const furthest = 4474 // km from Nay Pyi Taw to Dili
	all := places()
	a, b := all[i%len(all)], all[j%len(all)]
	return min(near+time.Duration(float64(far-near)*kilometres(a, b)/furthest), far)
}

// kilometres between two places along the great circle.
func kilometres(a, b [2]float64) float64 {
	const radius, degree = 6371, math.Pi / 180
	s, t := math.Sin((b[0]-a[0])*degree/2), math.Sin((b[1]-a[1])*degree/2)
	return 2 * radius * math.Asin(math.Sqrt(s*s+math.Cos(a[0]*degree)*math.Cos(b[0]*degree)*t*t))
}
