package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

// promise is what the node last acknowledged about an id, and what was asked of it since without an answer.
type promise struct {
	receipt  exchange.Receipt
	open     bool // a later request was sent; whether it was taken is not known
	bulk     bool // acknowledged by an import's progress, which names no header
	finished bool // withdrawn
}

// ledger holds every promise of a node over its many deaths.
type ledger struct {
	mu   sync.Mutex
	made map[string]promise
	acks int
}

// ask notes that something is about to be asked about id, answered that it was promised.
func (l *ledger) ask(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.made[id]
	p.open = true
	l.made[id] = p
}

func (l *ledger) answered(id string, p promise) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made[id] = p
	l.acks++
}

// TestKillDuringImport kills a node at random points while several clients and an import write to it, starts it again on the
// same folder, and looks for everything that was acknowledged.
func TestKillDuringImport(t *testing.T) {
	t.Parallel()
	kills := 24
	if testing.Short() {
		kills = 5
	}
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("TMH_SEED"); s != "" {
		if _, err := fmt.Sscan(s, &seed); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("TMH_SEED=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	dir := filepath.Join(t.TempDir(), "kh")
	lonelyNode(t, dir)
	l := &ledger{made: make(map[string]promise)}
	early := 0
	p := start(t, dir)
	for round := range kills {
		if round%6 == 5 { // in the midst of starting
			if err := p.end(os.Kill); err == nil {
				t.Fatal("a killed node exited with 0")
			}
			p = start(t, dir)
			<-time.After(time.Duration(rng.IntN(150)) * time.Millisecond) // as above
			early++
		} else {
			p.ready(t)
			writeUntilKilled(t, p, l, round, rng)
		}
		if err := p.end(os.Kill); err == nil {
			t.Fatal("a killed node exited with 0")
		}
		p = start(t, dir)
		if h := p.ready(t); !h.Writable {
			t.Fatalf("round %d: the node takes no changes after a kill: %v", round, h.Faults)
		}
		l.check(t, p, fmt.Sprintf("-%d-", round))
	}
	l.check(t, p, "")
	bulk := 0
	for _, have := range l.made {
		if have.bulk {
			bulk++
		}
	}
	p.stop(t)
	t.Logf("%d kills, %d of them while starting; %d single acknowledgements, %d listings acknowledged by imports; %s", kills, early, l.acks, bulk, verified(t, dir))
	if l.acks < 10*kills {
		t.Errorf("only %d acknowledgements in %d rounds: the test shows little", l.acks, kills)
	}
}

// writeUntilKilled writes with several clients and kills the node at a random moment after the first acknowledgement.
func writeUntilKilled(t *testing.T, p *process, l *ledger, round int, rng *rand.Rand) {
	var work sync.WaitGroup
	first := make(chan struct{})
	var once sync.Once
	for client := range 4 {
		seed := rng.Uint64()
		work.Go(func() {
			if err := l.client(p, fmt.Sprintf("S-%d-%d", round, client), rand.New(rand.NewPCG(seed, 2)), func() { once.Do(func() { close(first) }) }); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		})
	}
	if round%3 == 0 { // a publication beside an import waits up to a quarter of a second for the index, so few are made
		work.Go(func() { l.importing(p, fmt.Sprintf("B-%d-", round)) })
	}
	select {
	case <-first:
	case <-time.After(patience):
		t.Error("nothing was acknowledged")
	}
	<-time.After(time.Duration(rng.IntN(400)) * time.Millisecond) // not a wait for anything: the point of the kill
	_ = p.end(os.Kill)
	work.Wait()
}

// client publishes, revises and withdraws one listing after another until the node is gone. It returns what the node should
// not have refused.
func (l *ledger) client(p *process, name string, rng *rand.Rand, acknowledged func()) error {
	var mine []string
	for i := 0; ; i++ {
		id := fmt.Sprintf("%s-%d", name, i)
		if len(mine) > 0 && rng.IntN(4) == 0 {
			id = mine[rng.IntN(len(mine))]
		} else {
			mine = append(mine, id)
		}
		l.mu.Lock()
		gone := l.made[id].finished
		l.mu.Unlock()
		if gone {
			continue
		}
		l.ask(id)
		var r exchange.Receipt
		var err error
		withdraw := rng.IntN(12) == 0 && id != mine[len(mine)-1]
		if withdraw {
			r, err = p.withdraw(id)
		} else {
			r, err = p.publish(listing(id, fmt.Sprintf("Listing %d of %s", i, name), rng.IntN(1500)))
		}
		var no refused
		if errors.As(err, &no) {
			return no
		}
		if err != nil {
			return nil // killed
		}
		l.answered(id, promise{receipt: r, finished: withdraw})
		acknowledged()
	}
}

func (p *process) withdraw(id string) (r exchange.Receipt, err error) {
	status, b, err := ask(p.http, http.MethodDelete, "/api/v1/listings/"+id+"?reason=other", nil)
	if err != nil {
		return r, err
	}
	if status >= 400 {
		return r, refused{status, string(b)}
	}
	return r, json.Unmarshal(b, &r)
}

// importing streams a file that has no end, and notes the rows that the running report acknowledges.
func (l *ledger) importing(p *process, name string) {
	pr, pw := io.Pipe()
	go func() {
		for i := 0; ; i++ {
			if _, err := fmt.Fprintln(pw, listing(fmt.Sprint(name, i), fmt.Sprint("Row ", i), 300)); err != nil {
				return
			}
		}
	}()
	defer pr.Close()
	r, err := http.NewRequest(http.MethodPost, "http://node/api/v1/imports?format=jsonl", pr)
	if err != nil {
		return
	}
	resp, err := p.http.Do(r)
	if err != nil {
		return // killed before the first report
	}
	defer resp.Body.Close()
	noted := 0
	for d := json.NewDecoder(resp.Body); ; {
		var e exchange.ImportEvent
		if d.Decode(&e) != nil || e.Progress == nil {
			return
		}
		l.mu.Lock()
		for ; noted < e.Progress.Published; noted++ {
			l.made[fmt.Sprint(name, noted)] = promise{bulk: true}
		}
		l.mu.Unlock()
	}
}

// check asks the node for every id that contains part, "" for all.
func (l *ledger) check(t *testing.T, p *process, part string) {
	t.Helper()
	for id, want := range l.made {
		if part != "" && !strings.Contains(id, part) || want.bulk && part == "" && protocol.Sum([]byte(id))[0] > 16 {
			continue // of the many rows of imports, a sixteenth at the end: each round looked at all of its own
		}
		status, b, err := ask(p.http, http.MethodGet, "/api/v1/listings/KH/"+id, nil)
		if err != nil {
			t.Fatal(err)
		}
		var e exchange.Entry
		switch promised := want.bulk || want.receipt.Position.Seq > 0; {
		case want.finished && status == http.StatusGone:
		case want.open && (status == http.StatusGone || !promised && status == http.StatusNotFound):
		case status != http.StatusOK:
			t.Fatalf("%s was acknowledged at %s: now %d %s", id, want.receipt.Position, status, b)
		default:
			if err := json.Unmarshal(b, &e); err != nil {
				t.Fatal(err)
			}
			same := want.bulk || e.Header == want.receipt.Header
			if later := want.open && e.Position.Compare(want.receipt.Position) > 0; !same && !later {
				t.Fatalf("%s was acknowledged as %s at %s: now %s at %s", id, want.receipt.Header.Short(), want.receipt.Position, e.Header.Short(), e.Position)
			}
		}
	}
}
