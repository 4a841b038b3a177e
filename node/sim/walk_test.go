package sim

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// Random walks over the verbs: go test ./node/sim -run TestWalks -args -seed 7 -walks 1 -steps 400
var (
	seedFlag  = flag.Uint64("seed", 0, "first seed of the random walks; 0: 1, and 1001 for the soak")
	walksFlag = flag.Int("walks", 0, "number of random walks; 0: 20, 4 with -short, 500 for the soak")
	stepsFlag = flag.Int("steps", 200, "steps of each random walk")
)

// walker writes a script. It keeps in mind what makes sense, roughly: steps that do not fit are passed over.
type walker struct {
	rnd   *rand.Rand
	who   []string // who runs a node
	kept  []string // of them, those on disk
	liar  string   // "": none
	saved []string // backups and snapshots made, each with its member: "KH b1"
	twins []string // second copies that were ever made
	lines []string
}

func (w *walker) say(format string, v ...any) { w.lines = append(w.lines, fmt.Sprintf(format, v...)) }

func (w *walker) one(of []string) string { return of[w.rnd.IntN(len(of))] }

// walk writes the script of a seed: who takes part, so many steps, and how all is made whole again.
func walk(seed uint64, steps int) (head, body, tail []string) {
	w := &walker{rnd: rand.New(rand.NewPCG(seed, 4))}
	all := strings.Fields("ID KH LA MY VN")
	w.rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	all = all[:3+w.rnd.IntN(3)]
	w.who = slices.Clone(all)
	if seed%3 == 0 {
		if len(all) == 3 { // a liar and two others could not outvote anything, but they must agree
			all = append(all, "PH")
			w.who = append(w.who, "PH")
		}
		w.liar, w.who = w.who[0], w.who[1:]
	}
	w.kept = w.who[:2]
	w.say("# A random walk: nothing that members do or suffer makes them hold what was not signed, or keeps them apart for good.")
	w.say("members %s", strings.Join(all, " "))
	w.say("on-disk %s", strings.Join(w.kept, " "))
	if w.liar != "" {
		w.say("liar %s", w.liar)
	}
	w.say("seed %d", seed%(1<<31))
	head, w.lines = w.lines, nil

	table := ways()
	sum := 0
	for _, x := range table {
		sum += x.weight
	}
	for range steps {
		n := w.rnd.IntN(sum)
		for _, x := range table {
			if n -= x.weight; n < 0 {
				x.say(w)
				break
			}
		}
	}
	body, w.lines = w.lines, nil

	if w.liar != "" {
		w.say("lie %s honest", w.liar)
	}
	for _, m := range w.twins {
		w.say("stop %s", m)
	}
	w.say("heal")
	w.say("lose 0%% %s", strings.Join(all, " "))
	for _, m := range w.who {
		w.say("room %s", m)
		w.say("clock %s 0", m)
	}
	for _, m := range w.kept {
		w.say("start %s", m)
	}
	w.say("linked within 5m")
	w.say("wait 30s") // everybody is asked what it holds, and forks come to light
	for _, m := range w.kept {
		w.say("mend %s", m)
	}
	w.say("wait 15s")
	for _, m := range w.kept {
		w.say("mend %s", m)
	}
	w.say("equal within 5m")
	return head, body, w.lines
}

// save keeps a copy of somebody's store, under a name that begins with kind.
func (w *walker) save(verb, kind string) {
	w.saved = append(w.saved, fmt.Sprintf("%s %s%d", w.one(w.kept), kind, len(w.saved)))
	w.say("%s %s", verb, w.saved[len(w.saved)-1])
}

// savedOf are the names of what was kept of a member's store.
func (w *walker) savedOf(m, kind string) (names []string) {
	for _, x := range w.saved {
		if name, ok := strings.CutPrefix(x, m+" "+kind); ok {
			names = append(names, kind+name)
		}
	}
	return names
}

// putBack puts what was kept of somebody's store back, and often waits until the node knows what it lost.
func (w *walker) putBack(verb, kind string) {
	m := w.one(w.kept)
	of := w.savedOf(m, kind)
	if len(of) == 0 {
		return
	}
	w.say("crash %s", m)
	w.say("%s %s %s", verb, m, w.one(of))
	w.say("start %s", m)
	if w.rnd.IntN(2) == 0 {
		w.say("wait %ds", 1+w.rnd.IntN(10))
	}
}

// A way is a verb and how often it is taken.
type way struct {
	weight int
	say    func(w *walker)
}

func ways() []way {
	return []way{
		{30, func(w *walker) { w.say("publish %s %d", w.one(w.who), 1+w.rnd.IntN(4)) }},
		{2, func(w *walker) { w.say("publish %s %d", w.one(w.who), 50+w.rnd.IntN(40)) }},      // more than gossip carries
		{1, func(w *walker) { w.say("publish %s %d long", w.one(w.who), 30+w.rnd.IntN(60)) }}, // more than one batch holds
		{15, func(w *walker) { w.say("revise %s %d", w.one(w.who), 1+w.rnd.IntN(3)) }},
		{12, func(w *walker) { w.say("withdraw %s 1", w.one(w.who)) }},
		{4, func(w *walker) { w.say("report %s", w.one(w.who)) }},
		{40, func(w *walker) { w.say("wait %dms", 20*(1+w.rnd.IntN(100))) }},
		{3, func(w *walker) { w.say("wait %ds", 5+w.rnd.IntN(30)) }},
		{6, func(w *walker) {
			all := slices.Clone(w.who)
			w.rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			w.say("cut %s", strings.Join(all[:1+w.rnd.IntN(len(all)-1)], " "))
		}},
		{6, func(w *walker) { w.say("heal") }},
		{5, func(w *walker) { w.say("lose %d%% %s", 5*w.rnd.IntN(6), w.one(w.who)) }},
		{4, func(w *walker) { w.say("crash %s", w.one(w.kept)) }},
		{3, func(w *walker) { w.say("stop %s", w.one(w.kept)) }},
		{10, func(w *walker) { w.say("start %s", w.one(w.kept)) }},
		{2, func(w *walker) { w.say("restart %s", w.one(w.kept)) }},
		{3, func(w *walker) { w.say("fill %s", w.one(w.who)) }},
		{5, func(w *walker) { w.say("room %s", w.one(w.who)) }},
		{3, func(w *walker) { w.say("clock %s %dm", w.one(w.who), w.rnd.IntN(240)-120) }},
		{3, func(w *walker) { w.save("backup", "b") }},
		{4, func(w *walker) { w.putBack("restore", "b") }},
		{3, func(w *walker) { w.save("snapshot", "s") }},
		{3, func(w *walker) { w.putBack("rollback", "s") }},
		{3, func(w *walker) {
			m, from := w.one(w.kept), ""
			if of := w.savedOf(m, "b"); len(of) > 0 && w.rnd.IntN(2) == 0 {
				from = " " + w.one(of)
			}
			w.say("twin %s%s", m, from)
			if !slices.Contains(w.twins, m+"2") {
				w.twins = append(w.twins, m+"2")
			}
			if w.rnd.IntN(2) == 0 { // before they meet
				all := slices.DeleteFunc(slices.Clone(w.who), func(x string) bool { return x == m })
				w.rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
				w.say("cut %s2 %s | %s", m, strings.Join(all[:1+w.rnd.IntN(len(all))], " "), m)
			}
		}},
		{8, func(w *walker) {
			if len(w.twins) > 0 {
				w.say("publish %s %d", w.one(w.twins), 1+w.rnd.IntN(3))
			}
		}},
		{5, func(w *walker) {
			if len(w.twins) > 0 {
				w.say("stop %s", w.one(w.twins))
			}
		}},
		{2, func(w *walker) { w.say("epoch %s %s", w.one(w.kept), w.one([]string{"loss", "fork", "fork"})) }},
		{2, func(w *walker) { w.say("mend %s", w.one(w.kept)) }},
		{4, func(w *walker) {
			if w.liar != "" {
				w.say("publish %s %d", w.liar, 1+w.rnd.IntN(3))
			}
		}},
		{4, func(w *walker) {
			if w.liar != "" {
				w.say("lie %s %s", w.liar, w.one([]string{"honest", "honest", "withhold", "alter", "reorder", "replay 3", "garbage",
					"flood 5", "noise 2", "advertise", "slow", "stall", "fork", "alarm"}))
			}
		}},
	}
}

// try plays a walk's lines, and gives those that were not passed over.
func try(t *testing.T, head, body, tail []string) (*failure, []string) {
	t.Helper()
	text := slices.Concat(head, body, tail)
	s, err := parse(strings.Join(text, "\n") + "\n")
	if err != nil {
		t.Fatalf("a walk is no script:\n%v", err)
	}
	bad, passedOver := perform(t, s, true)
	var done []string
	for i, line := range body {
		if !passedOver[len(head)+i+1] {
			done = append(done, line)
		}
	}
	if bad != nil && bad.line > len(head) && bad.line <= len(head)+len(body) { // nothing came after it
		done = done[:len(done)-(len(head)+len(body)-bad.line)]
	}
	return bad, done
}

// Bounds of shrinking: plays, and time of them all.
const (
	shrinkTries = 60
	shrinkTime  = 2 * time.Minute
)

// shrink leaves out lines, in ever smaller runs, as long as the same invariant fails.
func shrink(body []string, bad *failure, try func(lines []string) (*failure, []string)) ([]string, *failure) {
	start, tries := time.Now(), 0
	for size := max(len(body)/2, 1); size > 0; size /= 2 {
		for at := 0; at < len(body); {
			if tries++; tries > shrinkTries || time.Since(start) > shrinkTime {
				return body, bad
			}
			fewer := slices.Concat(body[:at], body[min(at+size, len(body)):])
			if again, done := try(fewer); again != nil && again.invariant == bad.invariant {
				body, bad = done, again
			} else {
				at += size
			}
		}
	}
	return body, bad
}

// needed is the lines of a tail that undo something.
func needed(body, tail []string) []string {
	text := "\n" + strings.Join(body, "\n") + "\n"
	undoes := map[string][]string{"heal": {"cut"}, "lose": {"lose"}, "lie": {"lie"}, "room": {"fill"}, "clock": {"clock"}, "start": {"stop", "crash"}, "stop": {"twin"}, "mend": {"restore", "rollback", "twin"}}
	return slices.DeleteFunc(slices.Clone(tail), func(line string) bool {
		words := strings.Fields(line)
		verbs, ok := undoes[words[0]]
		return ok && !slices.ContainsFunc(verbs, func(v string) bool {
			if words[0] == "stop" {
				return strings.Contains(text, "\ntwin "+strings.TrimSuffix(words[1], "2"))
			}
			if words[0] == "room" || words[0] == "clock" || words[0] == "start" {
				v += " " + words[1]
			}
			return strings.Contains(text, "\n"+v)
		})
	})
}

// walks walks from one seed to another, and writes what fails as a script that can be put into testdata.
func walks(t *testing.T, first uint64, n int) {
	for seed := first; seed < first+uint64(n); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			head, body, tail := walk(seed, *stepsFlag)
			bad, done := try(t, head, body, tail)
			if bad == nil {
				return
			}
			t.Errorf("seed %d: %v", seed, bad)
			small, last := shrink(done, bad, func(lines []string) (*failure, []string) {
				if _, err := parse(strings.Join(slices.Concat(head, lines, needed(lines, tail)), "\n") + "\n"); err != nil {
					return nil, nil // what a later line names was left out
				}
				return try(t, head, lines, needed(lines, tail))
			})
			t.Errorf("of %d steps %d are enough (%v):\n%s", *stepsFlag, len(small), last, strings.Join(slices.Concat(head, small, needed(small, tail)), "\n"))
		})
	}
}

func orElse[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

// TestWalks: whatever verbs follow each other, the invariants hold, and all agree once all is whole.
func TestWalks(t *testing.T) {
	n := 20
	if testing.Short() {
		n = 4
	}
	walks(t, orElse(*seedFlag, 1), orElse(*walksFlag, n))
}

// TestSoakWalks takes about half an hour.
func TestSoakWalks(t *testing.T) {
	if os.Getenv("TMH_SOAK") == "" {
		t.Skip("takes half an hour: set TMH_SOAK=1")
	}
	first, n := orElse(*seedFlag, 1001), orElse(*walksFlag, 500)
	start := time.Now()
	walks(t, first, n)
	fmt.Fprintf(t.Output(), "| random walks | seeds %d to %d, %d steps each | %.0f s |\n", first, first+uint64(n)-1, *stepsFlag, time.Since(start).Seconds())
}
