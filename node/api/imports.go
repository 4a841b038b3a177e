package api

import (
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

// idle is how long an import may stand still in either direction: it has no time limit as a whole.
const idle = 2 * time.Minute

// imports streams listings in and the running report out, at the same time.
func (a *API) imports(w http.ResponseWriter, r *http.Request) {
	format := r.URL.Query().Get("format")
	if format != "jsonl" && format != "csv" {
		a.fail(w, protocol.Errorf(protocol.CodeValue, "format", "say ?format=jsonl or ?format=csv"))
		return
	}
	s := &stream{w: w, rc: http.NewResponseController(w)}
	if err := s.rc.EnableFullDuplex(); err != nil && r.ProtoMajor == 1 {
		// Without it the report comes when the file is read, which is still correct.
		a.cfg.Log.Debug("import cannot report while it reads", "error", err)
	}
	err := a.cfg.Desk.Import(r.Context(), format, patient{r.Body, s.rc}, s.send)
	switch {
	case err == nil || s.ended:
	case !s.begun:
		a.fail(w, err)
	case s.broken:
		a.cfg.Log.Info("import's caller went away", "error", err)
	default:
		_ = s.send(exchange.ImportEvent{Fault: a.complete(a.problem(err), w.Header()).Errors[0]})
	}
}

type stream struct {
	w                    http.ResponseWriter
	rc                   *http.ResponseController
	begun, ended, broken bool
}

// send writes one event as a line and pushes it out at once.
func (s *stream) send(e exchange.ImportEvent) error {
	if !s.begun {
		s.w.Header().Set("Content-Type", "application/x-ndjson")
		s.w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the report back
		s.begun = true
	}
	_ = s.rc.SetWriteDeadline(time.Now().Add(idle)) // not all writers have deadlines
	if e.Fault != nil && e.Fault.Code == protocol.CodeInternal {
		e.Fault = internal()
	}
	s.ended = e.Done != nil || e.Fault != nil
	err := json.NewEncoder(s.w).Encode(e)
	if err == nil {
		err = s.rc.Flush()
	}
	s.broken = err != nil
	return err
}

// patient gives every read its own deadline, in place of the server's for whole requests.
type patient struct {
	io.Reader
	rc *http.ResponseController
}

func (p patient) Read(b []byte) (int, error) {
	_ = p.rc.SetReadDeadline(time.Now().Add(idle))
	return p.Reader.Read(b)
}
