package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/asean-tmh/tmh/protocol"
)

// What a node does when more is asked than it can answer: it works on few requests at once, lets some wait a moment, and refuses
// the rest at once with 503 and Retry-After. So those that it serves are served as fast as ever, and it is itself again as soon as
// the rush is over.

// Load bounds what is worked on at the same time. The operator's listener is not bounded.
type Load struct {
	Heavy Gate // matching, suggestions, pages of lists
	Light Gate // one listing, members, figures
}

// Gate bounds one kind of request.
type Gate struct {
	AtOnce  int           // 0: no bound
	Waiting int           // how many may wait
	Wait    time.Duration // for how long
}

// DefaultLoad is for answers within 100 ms (heavy) and 20 ms (light), whatever is asked. Heavy work keeps a processor busy: more of it
// at once than there are processors answers no more requests, and delays every one of them.
func DefaultLoad() Load {
	return Load{
		Heavy: Gate{AtOnce: runtime.GOMAXPROCS(0), Waiting: 64, Wait: 50 * time.Millisecond},
		Light: Gate{AtOnce: 32 * runtime.GOMAXPROCS(0), Waiting: 64, Wait: 5 * time.Millisecond},
	}
}

// gate admits requests, who came first first. Where there was a queue for so long that it is no burst, who came last goes first: that
// one's time is not up yet, while who waited long is likely to be too late anyway.
type gate struct {
	cfg Gate

	mu      sync.Mutex
	working int
	waiting []*waiter // the last came last
	since   time.Time // there has been somebody waiting
}

// rush is how many times the longest wait makes a queue more than a burst.
const rush = 4

// waiter is told true when it may go on, false when it was pushed out. Its channel holds one answer.
type waiter struct {
	told  chan bool
	timer *time.Timer
}

// enter waits for a place. Who entered leaves.
func (g *gate) enter(ctx context.Context) bool {
	g.mu.Lock()
	if g.working < g.cfg.AtOnce {
		g.working++
		g.mu.Unlock()
		return true
	}
	if g.cfg.Waiting <= 0 || g.cfg.Wait <= 0 {
		g.mu.Unlock()
		return false
	}
	if len(g.waiting) >= g.cfg.Waiting { // the one that waits longest gives way
		g.waiting[0].told <- false
		g.waiting = append(g.waiting[:0], g.waiting[1:]...)
	}
	if len(g.waiting) == 0 {
		g.since = time.Now()
	}
	me := &waiter{told: make(chan bool, 1), timer: time.NewTimer(g.cfg.Wait)}
	g.waiting = append(g.waiting, me)
	g.mu.Unlock()
	defer me.timer.Stop()
	select {
	case in := <-me.told:
		return in
	case <-me.timer.C:
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, w := range g.waiting {
		if w == me {
			g.waiting = append(g.waiting[:i], g.waiting[i+1:]...)
			return false
		}
	}
	return <-me.told // was told in the same moment
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := len(g.waiting); n > 0 { // its place is handed over
		next := 0
		if time.Since(g.since) > rush*g.cfg.Wait {
			next = n - 1
		}
		g.waiting[next].told <- true
		g.waiting = slices.Delete(g.waiting, next, next+1)
		return
	}
	g.working--
}

// admission has a gate for each kind of request.
type admission struct {
	api          *API
	heavy, light *gate
}

func newAdmission(a *API, cfg *Load) *admission {
	if cfg == nil {
		all := DefaultLoad()
		cfg = &all
	}
	return &admission{api: a, heavy: &gate{cfg: cfg.Heavy}, light: &gate{cfg: cfg.Light}}
}

// gateOf a request, nil where it is not bounded: what waits for the network or for a disk, or streams, has bounds of its own, and
// monitors are always answered.
func (ad *admission) gateOf(r *http.Request) (g *gate) {
	path, ours := strings.CutPrefix(r.URL.Path, base+"/")
	if !ours {
		return nil
	}
	get := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case path == "match":
		g = ad.heavy
	case !get:
	case path == "suggest", path == "listings", path == "match.atom", path == "catalogue.jsonld":
		g = ad.heavy
	case strings.HasPrefix(path, "imports/") && strings.HasSuffix(path, "/rows"): // read off a report
		g = ad.heavy
	case path == "members", path == "statistics":
		g = ad.light
	case strings.HasPrefix(path, "listings/"):
		if strings.Count(path, "/") <= 2 || strings.HasSuffix(path, "/schema.jsonld") {
			g = ad.light
		}
	case strings.HasPrefix(path, "members/"):
		if !strings.HasSuffix(path, "/feed") {
			g = ad.light
		}
	}
	if g != nil && g.cfg.AtOnce <= 0 {
		return nil
	}
	return g
}

// admit lets through what the node can answer now. A place is held for as long as the answer is worked on: neither while the
// body arrives, nor while the answer leaves, so that nobody who is slow holds it.
func (ad *admission) admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g := ad.gateOf(r); g != nil {
			ad.pass(g, w, r, next, http.HandlerFunc(ad.refuse))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (ad *admission) pass(g *gate, w http.ResponseWriter, r *http.Request, next, refused http.Handler) {
	if r.Method == http.MethodPost {
		b, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
		if err != nil && !errors.Is(err, io.EOF) {
			r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(b), broken{err}))
		} else {
			r.Body = io.NopCloser(bytes.NewReader(b))
		}
	}
	if !g.enter(r.Context()) {
		if ad.api.cfg.Refused != nil {
			ad.api.cfg.Refused()
		}
		w.Header().Set("Retry-After", "1")
		refused.ServeHTTP(w, r)
		return
	}
	held := &placed{ResponseWriter: w, gate: g}
	defer held.release()
	next.ServeHTTP(held, r)
}

func (ad *admission) refuse(w http.ResponseWriter, _ *http.Request) {
	ad.api.write(w, newProblem(http.StatusServiceUnavailable, protocol.Errors{busy()}))
}

// through the gate of costly requests, whatever the address is.
func (ad *admission) through(next, refused http.Handler) http.Handler {
	if ad.heavy.cfg.AtOnce <= 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { ad.pass(ad.heavy, w, r, next, refused) })
}

func busy() *protocol.Error {
	return protocol.Errorf(protocol.CodeUnavailable, "", "this node has more to do than it can answer in time: ask again in a second")
}

// broken is the end of a body that did not arrive.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// placed gives the place back when the answer begins to leave.
type placed struct {
	http.ResponseWriter
	gate *gate
}

func (p *placed) release() {
	if p.gate != nil {
		p.gate.leave()
		p.gate = nil
	}
}

func (p *placed) Write(b []byte) (int, error) {
	p.release()
	return p.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (p *placed) Unwrap() http.ResponseWriter { return p.ResponseWriter }
