package api

import (
	"context"
	"io"
	"net/http"

	"github.com/asean-tmh/tmh/node/intake/mapping"
)

// Streams is what bounds streams of events.
type Streams = streams

type EventStream = eventStream

func (s *streams) Enter(who string) (*EventStream, error) {
	e := new(eventStream)
	return e, s.enter(who, e, func() {})
}

func (s *streams) Leave(who string, e *EventStream) { s.leave(who, e) }

func (a *API) Events(w http.ResponseWriter, r *http.Request, fill func(context.Context, *EventStream) error) {
	a.events(w, r, fill)
}

// FileOf is what a request's body is read as.
func FileOf(body io.Reader, contentType, name string) (io.Reader, string, *mapping.Mapping, error) {
	f, err := fileOf(body, contentType, name)
	return f.Reader, f.name, f.inline, err
}
