package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// The members of the walk: one publishes and is lost, one matches, one matches while the first is away.
const (
	publisher protocol.MemberID = "KH"
	seeker    protocol.MemberID = "VN"
	witness   protocol.MemberID = "TH"
)

const (
	offerID protocol.ListingID = "TO-KH-20261123-901"
	needID  protocol.ListingID = "TR-VN-20261123-902"
)

func walkListings() (offer, need *protocol.Listing) {
	offer = &protocol.Listing{
		ID: offerID, Kind: protocol.TechnologyOffer, Country: "KH", TRL: 6, FORD: []string{"2.7"}, Demonstration: true,
		Texts: map[protocol.Lang]protocol.Text{
			"en": {Title: "Lotus-fibre prefilter that keeps turbidity out of household ceramic pots",
				Abstract: "A disposable pad of retted lotus-stem fibre takes 92% of the turbidity out of pond water before it reaches a ceramic pot filter, so the pot is scrubbed every seven weeks instead of every nine days. Tried in 60 households for one wet season; a pad costs USD 0.40."},
			"km": {Title: "បន្ទះចម្រោះពីសរសៃឈូកសម្រាប់ធុងចម្រោះទឹកសេរ៉ាមិច", Abstract: "បន្ទះសរសៃឈូកដកភាពល្អក់ ៩២% ចេញពីទឹកស្រះ មុនពេលទឹកចូលធុងចម្រោះសេរ៉ាមិច។"},
		},
		Organisation: protocol.Organisation{Name: "Demo Water Workshop (demonstration)", Type: "university"},
	}
	need = &protocol.Listing{
		ID: needID, Kind: protocol.TechnologyRequest, Country: "VN", TRL: 5, FORD: []string{"2.7"}, Demonstration: true,
		Texts: map[protocol.Lang]protocol.Text{
			"en": {Title: "Wanted: cheap pretreatment against turbidity clogging ceramic household water filters",
				Abstract: "Our ceramic pots clog within two weeks when families fill them with river or pond water above 80 NTU. We look for a prefilter or pad below USD 1, from local fibre if possible, that removes at least 85% of turbidity."},
			"vi": {Title: "Cần vật liệu tiền lọc giá rẻ chống tắc bình lọc gốm gia đình", Abstract: "Bình lọc gốm bị tắc trong hai tuần khi dùng nước sông, nước ao có độ đục trên 80 NTU."},
		},
		Organisation: protocol.Organisation{Name: "Demo Filter Cooperative (demonstration)", Type: "sme"},
	}
	return offer, need
}

type walk struct {
	f    *Federation
	out  io.Writer
	skip string
	n    int
}

// step runs one step, prints how long it took, and names it in its error.
func (w *walk) step(ctx context.Context, what string, do func(context.Context) (string, error)) error {
	w.n++
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	start := time.Now()
	seen, err := do(ctx)
	took := float64(time.Since(start).Microseconds()) / 1000
	if err != nil {
		fmt.Fprintf(w.out, "%2d. %-68s %9.1f ms  FAILED\n    %v\n", w.n, what, took, err)
		return fmt.Errorf("step %d, %s: %w", w.n, what, err)
	}
	fmt.Fprintf(w.out, "%2d. %-68s %9.1f ms  ok\n", w.n, what, took)
	if seen != "" {
		fmt.Fprintf(w.out, "    %s\n", seen)
	}
	return nil
}

// Once walks through the main job on a federation of its own and prints every step with its time. skip leaves out an
// action, so that it can be seen that the check after it fails.
func Once(ctx context.Context, cfg Config, out io.Writer, skip string) (err error) {
	f, err := New(cfg)
	if err != nil {
		return err
	}
	w := &walk{f: f, out: out, skip: skip}
	defer func() { err = errors.Join(err, f.Close()) }()
	for _, s := range []func(context.Context) error{w.begin, w.publish, w.match, w.lose, w.withdraw} {
		if err := s(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "Everything held.")
	return nil
}

func (w *walk) begin(ctx context.Context) error {
	if err := w.step(ctx, fmt.Sprintf("start %d nodes", len(w.f.Members())), func(context.Context) (string, error) { return "", w.f.StartAll() }); err != nil {
		return err
	}
	if err := w.step(ctx, "connect each with every other", func(ctx context.Context) (string, error) {
		return "", Await(ctx, "all nodes are connected", w.f.Connected)
	}); err != nil {
		return err
	}
	if err := w.step(ctx, "publish the demonstration content, each listing at its own node", func(ctx context.Context) (string, error) {
		n, err := w.f.PublishContent(ctx)
		return fmt.Sprintf("%d listings", n), err
	}); err != nil {
		return err
	}
	return w.step(ctx, "every node has proven every catalogue", func(ctx context.Context) (string, error) {
		return "", w.equal(ctx)
	})
}

func (w *walk) equal(ctx context.Context) error {
	err := Await(ctx, "all nodes hold the same proven catalogues", func() bool { ok, _ := w.f.Equal(); return ok })
	if err != nil {
		_, why := w.f.Equal()
		return fmt.Errorf("%w: %s", err, why)
	}
	return nil
}

func (w *walk) publish(ctx context.Context) error {
	offer, need := walkListings()
	if err := w.step(ctx, "publish an offer in Cambodia, durable at its origin", func(ctx context.Context) (string, error) {
		if w.skip == "publish" {
			return "left out", nil
		}
		r, err := w.f.Node(publisher).Counter().Publish(ctx, offer)
		return fmt.Sprintf("%s %s at %s", r.Outcome, r.Ref.ID, r.Position), err
	}); err != nil {
		return err
	}
	return w.step(ctx, "publish a need in Viet Nam", func(ctx context.Context) (string, error) {
		r, err := w.f.Node(seeker).Counter().Publish(ctx, need)
		return fmt.Sprintf("%s %s at %s", r.Outcome, r.Ref.ID, r.Position), err
	})
}

// top matches at a node until the wanted listing stands first, and says with what.
func (w *walk) top(ctx context.Context, at protocol.MemberID, ask func(context.Context) (exchange.MatchAnswer, error)) (string, error) {
	var last exchange.MatchAnswer
	var fault error
	err := Await(ctx, fmt.Sprintf("%s finds %s first", at, offerID), func() bool {
		last, fault = ask(ctx)
		return fault == nil && len(last.Hits) > 0 && last.Hits[0].ID == offerID
	})
	if err != nil {
		return "", errors.Join(err, fault)
	}
	h := last.Hits[0]
	seen := fmt.Sprintf("%s/%s, score %.2f, copy %s at %s. %s", h.Origin, h.ID, h.Score, h.Fresh.State, h.Fresh.Position, h.Explanation.Sentence)
	if !h.Fresh.Connected {
		seen += fmt.Sprintf("\n    Its origin is not reachable now; last heard %s, its lease runs until %s.",
			h.Fresh.LastHeard.Time().Format(time.TimeOnly), h.Fresh.LeaseUntil.Time().Format(time.DateTime+" UTC"))
	}
	return seen, nil
}

func (w *walk) byText(ctx context.Context, at protocol.MemberID) (string, error) {
	return w.top(ctx, at, func(ctx context.Context) (exchange.MatchAnswer, error) {
		return w.f.Node(at).Counter().Match(ctx, match.Query{Text: "cheap fibre prefilter against turbidity for ceramic pot filters", Filter: match.Filter{Kinds: []protocol.Kind{protocol.TechnologyOffer}}})
	})
}

func (w *walk) match(ctx context.Context) error {
	if err := w.step(ctx, "match by text, offers only, from Viet Nam", func(ctx context.Context) (string, error) { return w.byText(ctx, seeker) }); err != nil {
		return err
	}
	if err := w.step(ctx, "match the need's listing from Viet Nam", func(ctx context.Context) (string, error) {
		return w.top(ctx, seeker, func(ctx context.Context) (exchange.MatchAnswer, error) {
			return w.f.Node(seeker).Counter().Match(ctx, match.Query{Self: match.Ref{Origin: seeker, ID: needID}, Limit: 5})
		})
	}); err != nil {
		return err
	}
	return w.step(ctx, "every node has proven both", func(ctx context.Context) (string, error) { return "", w.equal(ctx) })
}

func (w *walk) lose(ctx context.Context) error {
	if err := w.step(ctx, "stop Cambodia's node", func(context.Context) (string, error) {
		if w.skip == "stop" {
			return "left out", nil
		}
		return "", w.f.Stop(publisher)
	}); err != nil {
		return err
	}
	return w.step(ctx, "match again from Thailand, while the origin is away", func(ctx context.Context) (string, error) {
		if err := Await(ctx, "Thailand sees that Cambodia is away", func() bool {
			e, err := w.f.Node(witness).Counter().Entry(match.Ref{Origin: publisher, ID: offerID})
			return err == nil && !e.Fresh.Connected
		}); err != nil {
			return "", err
		}
		return w.byText(ctx, witness)
	})
}

func (w *walk) withdraw(ctx context.Context) error {
	if err := w.step(ctx, "start Cambodia's node again", func(ctx context.Context) (string, error) {
		if err := w.f.Start(publisher); err != nil {
			return "", err
		}
		return "", Await(ctx, "all nodes are connected", w.f.Connected)
	}); err != nil {
		return err
	}
	if err := w.step(ctx, "withdraw the offer in Cambodia", func(ctx context.Context) (string, error) {
		if w.skip == "withdraw" {
			return "left out", nil
		}
		r, err := w.f.Node(publisher).Counter().Withdraw(ctx, offerID, protocol.Tombstone{Reason: "agreement"})
		return fmt.Sprintf("%s at %s", r.Outcome, r.Position), err
	}); err != nil {
		return err
	}
	if err := w.step(ctx, "no node shows or finds it any more", func(ctx context.Context) (string, error) {
		return "", Await(ctx, "the withdrawal is seen everywhere", func() bool { return w.gone(ctx) })
	}); err != nil {
		return err
	}
	return w.step(ctx, "every node has proven every catalogue", func(ctx context.Context) (string, error) { return "", w.equal(ctx) })
}

func (w *walk) gone(ctx context.Context) bool {
	for _, m := range w.f.Members() {
		c := w.f.Node(m).Counter()
		e, err := c.Entry(match.Ref{Origin: publisher, ID: offerID})
		if err != nil || e.State != exchange.Withdrawn {
			return false
		}
		a, err := c.Match(ctx, match.Query{Text: "lotus fibre prefilter turbidity ceramic pot", Limit: 100})
		if err != nil {
			return false
		}
		for _, h := range a.Hits {
			if h.ID == offerID {
				return false
			}
		}
	}
	return true
}
