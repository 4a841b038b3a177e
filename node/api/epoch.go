package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

// Operator is what the API asks of the node for its operator alone: only the unix socket offers it, with no token over
// HTTP, because it decides what this member's history is.
type Operator interface {
	// ProposeEpoch makes the opening that the node's history wants now; CodeConflict where there is no reason for one.
	ProposeEpoch(reason, note string) (exchange.EpochProposal, error)
	// OpenEpoch takes a signed opening in its wire form. It returns when the epoch is open and durable.
	OpenEpoch(ctx context.Context, signed []byte) (exchange.EpochReceipt, error)
	// Seal tells what stands at a position of the own catalogue; the zero position is its end.
	Seal(at protocol.Position) (exchange.Seal, error)
	// Examine checks the running node.
	Examine() []exchange.Finding
}

func (a *API) operatorRoutes(r chi.Router) {
	if a.cfg.Operator == nil {
		return
	}
	r.Get(base+"/operator/epoch", func(w http.ResponseWriter, r *http.Request) {
		p, err := a.cfg.Operator.ProposeEpoch(r.URL.Query().Get("reason"), r.URL.Query().Get("note"))
		a.reply(w, p, err)
	})
	r.Post(base+"/operator/epoch", func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, protocol.MaxBody))
		if err != nil {
			a.fail(w, protocol.Errorf(protocol.CodeTooLarge, "opening", "at most %d bytes", protocol.MaxBody))
			return
		}
		receipt, err := a.cfg.Operator.OpenEpoch(r.Context(), b)
		a.reply(w, receipt, err)
	})
	r.Get(base+"/operator/seal", func(w http.ResponseWriter, r *http.Request) {
		at, err := parsePosition(r.URL.Query().Get("at"))
		if err != nil {
			a.fail(w, err)
			return
		}
		s, err := a.cfg.Operator.Seal(at)
		a.reply(w, s, err)
	})
	r.Get(base+"/operator/doctor", func(w http.ResponseWriter, _ *http.Request) {
		a.reply(w, a.cfg.Operator.Examine(), nil)
	})
}

func (a *API) reply(w http.ResponseWriter, v any, err error) {
	if err != nil {
		a.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// parsePosition reads epoch.seq; nothing is the zero position.
func parsePosition(s string) (p protocol.Position, err error) {
	if s == "" {
		return p, nil
	}
	epoch, seq, _ := strings.Cut(s, ".")
	if p.Epoch, err = strconv.ParseUint(epoch, 10, 53); err == nil {
		p.Seq, err = strconv.ParseUint(seq, 10, 53)
	}
	if err != nil || p.Epoch == 0 || p.Seq == 0 {
		return p, protocol.Errorf(protocol.CodeValue, "at", "%q is no position: write it as 1.8", s[:min(len(s), 40)])
	}
	return p, nil
}
