package sim

import (
	"context"
	"time"

	"github.com/asean-tmh/tmh/protocol"
)

// A lie is a row of what a liar can do. What it leaves out, it does honestly.
type lie struct {
	name   string
	about  string
	many   bool                                                                                 // takes a number: times a second
	quiet  bool                                                                                 // does not gossip what it publishes, so that it must be pulled
	silent bool                                                                                 // answers nothing and reads nothing
	begin  func(l *liar)                                                                        // with l.mu held
	each   func(l *liar, ctx context.Context, round int)                                        // instead of meeting the others every few seconds
	claim  func(c *protocol.Claim)                                                              // in its vector
	answer func(l *liar, r *protocol.Request, send sender) error                                // to every request
	feed   func(l *liar, ctx context.Context, s *shelf, r *protocol.Request, send sender) error // to a request for changes
}

type sender = func(*protocol.Answer) error

func lies() map[string]lie {
	return map[string]lie{
		"honest": {about: "tells the truth, like a simple node"},
		"withhold": {about: "leaves the first change out of every feed, and does not gossip its own", quiet: true,
			feed: func(_ *liar, _ context.Context, s *shelf, r *protocol.Request, send sender) error {
				all := s.above(r.Cursor)
				return sendFeed(s, all[min(1, len(all)):], send)
			}},
		"alter": {about: "alters the body of the last change of every feed", quiet: true,
			feed: func(_ *liar, _ context.Context, s *shelf, r *protocol.Request, send sender) error {
				a := &protocol.Answer{Head: s.head.Bytes(), Last: true}
				for _, c := range s.above(r.Cursor) {
					a.Changes = append(a.Changes, c.Bytes())
				}
				if n := len(a.Changes); n > 0 {
					b := append([]byte(nil), a.Changes[n-1]...)
					b[len(b)-1] ^= 1
					a.Changes[n-1] = b
				}
				return send(a)
			}},
		"reorder": {about: "serves every feed from its end to its beginning", quiet: true,
			feed: func(_ *liar, _ context.Context, s *shelf, r *protocol.Request, send sender) error {
				a := &protocol.Answer{Head: s.head.Bytes(), Last: true}
				for _, c := range s.above(r.Cursor) {
					a.Changes = append([][]byte{c.Bytes()}, a.Changes...)
				}
				return send(a)
			}},
		"replay": {about: "serves every catalogue as it was when this began, while it claims what it holds, and gossips old changes again", many: true, quiet: true,
			begin: func(l *liar) {
				for m, s := range l.shelves {
					l.old[m] = s.clone()
				}
			},
			feed: func(_ *liar, _ context.Context, s *shelf, r *protocol.Request, send sender) error {
				return sendFeed(s, s.above(r.Cursor), send)
			},
			each: func(l *liar, ctx context.Context, round int) {
				if round%(3*l.n) == 0 {
					l.meet(ctx)
				}
				l.repeat(ctx, round)
			}},
		"garbage": {about: "answers every request with what is no answer to it, and signs records that are no listings", answer: garbage,
			begin: func(l *liar) {
				c, err := l.change(l.shelves[l.id], "listing/odd", []byte("this is no listing"))
				if err == nil {
					l.p.odd[c.Raw] = true
				}
			}},
		"noise": {about: "sends bytes that are no messages, on streams and by gossip, so many times a second", many: true, each: makeNoise},
		"flood": {about: "signs and gossips so many changes and head statements a second, and repeats old ones as often", many: true, each: flood},
		"advertise": {about: "claims and states positions that nobody signed, and serves nothing",
			claim: func(c *protocol.Claim) { c.Pos.Seq += 1000 },
			begin: func(l *liar) {
				l.sign(protocol.Position{Epoch: 1, Seq: l.shelves[l.id].pos().Seq + 1000}, protocol.Sum([]byte("nothing")))
			},
			feed: func(l *liar, _ context.Context, _ *shelf, _ *protocol.Request, send sender) error {
				if l.toss(2) == 0 {
					return protocol.Errorf(protocol.CodeUnavailable, "", "not now")
				}
				return send(&protocol.Answer{Last: true})
			}},
		"slow": {about: "serves one change every eight seconds", quiet: true,
			feed: func(l *liar, ctx context.Context, s *shelf, r *protocol.Request, send sender) error {
				all := s.above(r.Cursor)
				for i, c := range all {
					if err := send(&protocol.Answer{Head: s.head.Bytes(), Changes: [][]byte{c.Bytes()}, Last: i == len(all)-1}); err != nil {
						return err
					}
					select {
					case <-time.After(8 * time.Second):
					case <-ctx.Done():
						return ctx.Err()
					case <-l.done:
						return ctx.Err()
					}
				}
				return nil
			}},
		"stall": {about: "accepts everything, answers nothing and reads nothing", silent: true, quiet: true},
		"fork": {about: "signs two histories from here on, and shows every other member the second", quiet: true,
			begin: func(l *liar) {
				if l.other == nil {
					l.other = l.shelves[l.id].clone()
				}
			}},
		"alarm": {about: "calls every request for changes a fork, and shows a header that contradicts nothing", quiet: true,
			feed: func(_ *liar, _ context.Context, s *shelf, _ *protocol.Request, send sender) error {
				return send(&protocol.Answer{Refused: protocol.CodeFork, Head: s.head.Bytes()})
			}},
	}
}

func (l *liar) toss(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rnd.IntN(n)
}

// repeat gossips a change that everybody has, in a message that nobody has seen.
func (l *liar) repeat(ctx context.Context, round int) {
	l.mu.Lock()
	s := l.shelves[l.id]
	if l.old[l.id] != nil {
		s = l.old[l.id]
	}
	all := s.above(protocol.Start)
	l.mu.Unlock()
	if len(all) > 0 {
		i := round % len(all)
		var message []*protocol.Change
		for j := range 1 + round/len(all)%4 {
			message = append(message, all[(i+j)%len(all)])
		}
		_ = l.net.PublishChanges(ctx, message) // refused where it is no news to anybody
	}
}

func flood(l *liar, ctx context.Context, round int) {
	l.mu.Lock()
	c, err := l.author(l.shelves[l.id], "flood")
	l.mu.Unlock()
	if err == nil {
		_ = l.net.PublishChanges(ctx, []*protocol.Change{c})
		l.announce()
		l.repeat(ctx, round)
	}
}

// garbage is, by turns, every way to answer in form and without sense.
func garbage(l *liar, r *protocol.Request, send sender) error {
	noise := make([]byte, 64)
	for i := range noise {
		noise[i] = byte(l.toss(256))
	}
	l.mu.Lock()
	own := l.shelves[l.id].clone()
	l.mu.Unlock()
	answers := []*protocol.Answer{
		{Head: noise, Last: true},
		{Changes: [][]byte{noise}, Last: true},
		{Heads: [][]byte{noise}, Last: true},
		{Vector: []protocol.Claim{{Origin: "ZZ", Pos: protocol.Position{Epoch: 1, Seq: 9}}, {Origin: r.Origin, Pos: protocol.Position{Epoch: 9, Seq: 9}}}, Last: true},
		{Refused: protocol.CodeEpoch},
		{},
	}
	if own.head != nil {
		answers = append(answers,
			&protocol.Answer{Head: own.head.Bytes(), Changes: [][]byte{noise}, Last: true},
			&protocol.Answer{Head: own.head.Bytes(), Last: true})
	}
	a := answers[l.toss(len(answers))]
	for range 3 {
		if err := send(a); err != nil || a.Last || a.Refused != "" {
			return err
		}
	}
	return protocol.Errorf(protocol.CodeInternal, "", "no more noise")
}
