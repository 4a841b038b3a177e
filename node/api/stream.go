package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/tmaxmax/go-sse"

	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/protocol"
)

// Server-sent events: what happens is told while it happens, over an answer that stays open.

const (
	heartbeat      = 15 * time.Second // between two signs of life, which keep what stands between from closing the connection
	streamTime     = 15 * time.Minute // after which a client asks again, with the rights that it has then
	streamWrite    = 30 * time.Second // that one event may take
	streamsAtOnce  = 1000
	streamsOfOne   = 20
	problemEvent   = "problem"
	eventMediaType = "text/event-stream"
)

// streams are those that are open.
type streams struct {
	mu    sync.Mutex // guards what follows
	open  map[*eventStream]context.CancelFunc
	whose map[string]int
	ended bool
}

func (s *streams) enter(who string, e *eventStream, stop context.CancelFunc) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended:
		return protocol.Errorf(protocol.CodeUnavailable, "", "this node is being stopped: ask again when it runs")
	case s.whose[who] >= streamsOfOne:
		return protocol.Errorf(protocol.CodeQuota, "", "%d streams of events are open to you already: close one", streamsOfOne)
	case len(s.open) >= streamsAtOnce:
		return busy()
	}
	if s.whose == nil {
		s.whose, s.open = map[string]int{}, map[*eventStream]context.CancelFunc{}
	}
	s.open[e] = stop
	s.whose[who]++
	return nil
}

func (s *streams) leave(who string, e *eventStream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, e)
	if s.whose[who]--; s.whose[who] == 0 {
		delete(s.whose, who)
	}
}

// EndStreams ends all streams of events, and refuses new ones: a server that shuts down would wait for them in vain.
func (a *API) EndStreams() {
	s := &a.streams
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for _, stop := range s.open {
		stop()
	}
}

// eventStream is one answer. Its methods are safe for concurrent use.
type eventStream struct {
	LastID string // the newest event that the client had before, "" for none

	mu      sync.Mutex // guards what follows
	session *sse.Session
	rc      *http.ResponseController
	begun   bool
}

// Send an event: its kind, its id ("" for none: a client that comes back says the newest that it had), and what it says, in JSON.
func (e *eventStream) Send(kind, id string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	m := new(sse.Message)
	if m.Type, err = sse.NewType(kind); err != nil {
		return err
	}
	if id != "" {
		if m.ID, err = sse.NewID(id); err != nil {
			return err
		}
	}
	m.AppendData(string(b))
	return e.write(m)
}

// Open tells the client that it is heard, before anything happened. After that, what fails is an event.
func (e *eventStream) Open() error { return e.comment("open") }

func (e *eventStream) comment(s string) error {
	m := new(sse.Message)
	m.AppendComment(s)
	return e.write(m)
}

func (e *eventStream) write(m *sse.Message) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.begun = true
	_ = e.rc.SetWriteDeadline(time.Now().Add(streamWrite)) // not all writers have deadlines
	if err := e.session.Send(m); err != nil {
		return err
	}
	return e.session.Flush()
}

// events opens a stream, has it filled, and closes it where fill returns. The context of fill ends when the client goes away, and
// after a while, when the client shall come back; the stream then simply ends. What fill fails with is the answer, or, where there
// are events already, a last one of the kind "problem".
func (a *API) events(w http.ResponseWriter, r *http.Request, fill func(ctx context.Context, e *eventStream) error) {
	who := door.NetworkOf(r)
	if actor := door.ActorOf(r.Context()); !actor.Anonymous() {
		who = visitorOf(r)
	}
	session, err := sse.Upgrade(w, r)
	if err != nil {
		a.fail(w, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), streamTime)
	defer cancel()
	e := &eventStream{LastID: session.LastEventID.String(), session: session, rc: http.NewResponseController(w)}
	if err := a.streams.enter(who, e, cancel); err != nil {
		a.fail(w, err)
		return
	}
	defer a.streams.leave(who, e)
	_ = e.rc.SetReadDeadline(time.Time{}) // the one for whole requests would end the connection
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Type", eventMediaType)
		return
	}
	var beating sync.WaitGroup
	beating.Go(func() {
		t := time.NewTicker(heartbeat)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
			}
			if e.comment("still here") != nil {
				cancel() // nobody listens
				return
			}
		}
	})
	err = fill(ctx, e)
	cancel()
	beating.Wait()
	a.endEvents(w, r, e, err)
}

func (a *API) endEvents(w http.ResponseWriter, r *http.Request, e *eventStream, err error) {
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), r.Context().Err() != nil:
	case !e.begun:
		a.refuse(w, door.ActorOf(r.Context()), err)
	default:
		if e.Send(problemEvent, "", a.complete(a.problem(err), w.Header())) != nil {
			a.cfg.Log.Debug("a stream of events ended early", "error", err)
		}
	}
}
