package replicatest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A step of a walk is a verb and a number from which the world makes every choice of the step: so that a script is the
// whole walk, and means something with steps taken out.
type step struct {
	verb string
	n    int
}

// verbs of a walk with their weights; world.do says what they do.
func verbs() []step {
	return []step{
		{"publish", 24}, {"revise", 20}, {"withdraw", 12}, {"report", 6}, {"revive", 3}, {"floor", 8}, {"gossip", 70}, {"pull", 50},
		{"rewind", 2}, {"crash", 5}, {"forget", 2}, {"lie", 16}, {"restore", 3}, {"rollback", 1}, {"recover", 16}, {"epoch", 6}, {"twin", 1}, {"tell", 10},
	}
}

// randomScript draws steps by weight.
func randomScript(rnd *rand.Rand, steps int) (script []step) {
	all, sum := verbs(), 0
	for _, v := range all {
		sum += v.n
	}
	for range steps {
		at := rnd.IntN(sum)
		for _, v := range all {
			if at -= v.n; at < 0 {
				script = append(script, step{v.verb, rnd.IntN(1 << 16)})
				break
			}
		}
	}
	return script
}

func formatScript(script []step) string {
	var b strings.Builder
	for i, s := range script {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%s %d", s.verb, s.n)
	}
	return b.String()
}

func parseScript(text string) (script []step, err error) {
	for line := range strings.SplitSeq(text, ";") {
		var s step
		if _, err := fmt.Sscanf(strings.TrimSpace(line), "%s %d", &s.verb, &s.n); err != nil {
			return nil, fmt.Errorf("step %q: %w", line, err)
		}
		if s.verb != "copies" && !slices.ContainsFunc(verbs(), func(v step) bool { return v.verb == s.verb }) {
			return nil, fmt.Errorf("step %q: no such verb", line)
		}
		script = append(script, s)
	}
	return script, nil
}

// shrink takes out chunks of a failing script, and makes its numbers small, as long as it fails.
func shrink(script []step, fails func([]step) bool) []step {
	for size := len(script) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(script); {
			if less := slices.Delete(slices.Clone(script), at, at+size); fails(less) {
				script = less
			} else {
				at += size
			}
		}
	}
	for i := len(script) - 1; i >= 0; i-- {
		if less := slices.Delete(slices.Clone(script), i, i+1); fails(less) {
			script = less
		}
	}
	for i := range script {
		for _, n := range []int{script[i].n % 8, script[i].n % 64, script[i].n % 512} {
			simpler := slices.Clone(script)
			simpler[i].n = n
			if n < script[i].n && fails(simpler) {
				script = simpler
				break
			}
		}
	}
	return script
}
