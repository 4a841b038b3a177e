package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

// operator stands in for the node: it remembers what it was asked.
type operator struct {
	reason, note string
	opening      string
	at           protocol.Position
}

func (o *operator) ProposeEpoch(reason, note string) (exchange.EpochProposal, error) {
	o.reason, o.note = reason, note
	return exchange.EpochProposal{}, protocol.Errorf(protocol.CodeConflict, "reason", "nothing is lost")
}

func (o *operator) OpenEpoch(_ context.Context, signed []byte) (exchange.EpochReceipt, error) {
	o.opening = string(signed)
	return exchange.EpochReceipt{Saved: 3}, nil
}

func (o *operator) Seal(at protocol.Position) (exchange.Seal, error) {
	o.at = at
	return exchange.Seal{Head: protocol.Position{Epoch: 1, Seq: 9}}, nil
}

func (o *operator) Examine() []exchange.Finding {
	return []exchange.Finding{{Check: "disk", Level: exchange.Fault, What: "is full"}}
}

// TestOnlyTheOperatorDecidesOnHistory: epochs, seals and findings are offered on the operator's listener alone, with no
// token over HTTP.
func TestOnlyTheOperatorDecidesOnHistory(t *testing.T) {
	o := new(operator)
	a := api.New(api.Config{Desk: newDesk(t), Operator: o, Door: &door.Keeper{Token: "0123456789abcdef0123"}})
	without := api.New(api.Config{Desk: newDesk(t)})
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/operator/epoch?reason=loss&note=a+disk", "", http.StatusConflict, "nothing is lost"},
		{"POST", "/operator/epoch", "signed", http.StatusOK, `"saved":3`},
		{"POST", "/operator/epoch", strings.Repeat("x", protocol.MaxBody+1), http.StatusUnprocessableEntity, "at most"},
		{"GET", "/operator/seal?at=1.8", "", http.StatusOK, `"seq":9`},
		{"GET", "/operator/seal?at=1", "", http.StatusUnprocessableEntity, "is no position"},
		{"GET", "/operator/seal?at=1.0", "", http.StatusUnprocessableEntity, "is no position"},
		{"GET", "/operator/doctor", "", http.StatusOK, `"what":"is full"`},
	} {
		for name, h := range map[string]http.Handler{"public": a.Public(), "without": without.Operator(), "operator": a.Operator()} {
			r := httptest.NewRequest(c.method, "/api/v1"+c.path, strings.NewReader(c.body))
			r.Header.Set("Authorization", "Bearer 0123456789abcdef0123")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if name != "operator" {
				if w.Code != http.StatusNotFound {
					t.Errorf("%s: %s %s is answered %d", name, c.method, c.path, w.Code)
				}
			} else if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
			}
		}
	}
	if o.reason != "loss" || o.note != "a disk" || o.opening != "signed" || o.at != (protocol.Position{Epoch: 1, Seq: 8}) {
		t.Errorf("got %+v", o)
	}
}

func TestMemberInDetail(t *testing.T) {
	a := api.New(api.Config{Desk: newDesk(t)})
	for id, want := range map[string]int{"KH": http.StatusOK, "XX": http.StatusNotFound} {
		w := httptest.NewRecorder()
		a.Public().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/members/"+id, nil))
		if w.Code != want || want == http.StatusOK && !strings.Contains(w.Body.String(), `"forks":[]`) {
			t.Errorf("%s: %d %s", id, w.Code, w.Body)
		}
	}
}
