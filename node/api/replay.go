package api

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/replay"
	"github.com/asean-tmh/tmh/protocol"
)

// Requests that make something may carry an Idempotency-Key, so that they can be sent again without making it twice.

const (
	replayKeyHeader = "Idempotency-Key"
	replayedHeader  = "Idempotency-Replayed"
)

// replayable are the addresses whose POST takes a key, with the bytes that a body may have. {} stands for one segment.
// The other requests can be repeated without it: they replace, or say in If-Match what they began at, or are found by content.
func replayable() map[string]int64 {
	return map[string]int64{
		base + "/postings": maxManuscript, base + "/postings/{}/grants": maxBody, base + "/tokens": maxBody, base + "/invitations": maxBody,
		base + "/organisations": maxBody, base + "/people/{}/reset-link": maxBody, base + "/setup/link": maxBody,
	}
}

// replayableBody is how large a body may be where the address takes a key.
func replayableBody(known map[string]int64, path string) (most int64, ok bool) {
	if most, ok = known[path]; ok {
		return most, true
	}
	parts := strings.Split(path, "/")
	if len(parts) != 6 { // "", api, v1, a list, an id, what is made there
		return 0, false
	}
	parts[4] = "{}"
	most, ok = known[strings.Join(parts, "/")]
	return most, ok
}

// replayed carries out a request with a key once. Strangers make nothing, so their keys have no effect.
func (a *API) replayed(next http.Handler) http.Handler {
	if a.cfg.Replay == nil {
		return next
	}
	known := replayable()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := r.Header[replayKeyHeader]
		actor := door.ActorOf(r.Context())
		if len(header) == 0 || r.Method != http.MethodPost || actor.Anonymous() {
			next.ServeHTTP(w, r)
			return
		}
		most, ok := replayableBody(known, r.URL.Path)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store") // what is made here is somebody's
		key, err := replay.ParseKey(strings.Join(header, ", "))
		if err != nil {
			a.fail(w, err)
			return
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, most+1))
		switch {
		case err != nil:
			a.write(w, newProblem(http.StatusBadRequest, protocol.Errors{protocol.Errorf(protocol.CodeTruncated, "body", "ended before it was complete")}))
			return
		case int64(len(body)) > most:
			a.write(w, newProblem(http.StatusRequestEntityTooLarge, protocol.Errors{protocol.Errorf(protocol.CodeTooLarge, "body", "at most %d bytes", most)}))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		who := "operator"
		if !actor.Operator {
			who = visitorOf(r)
		}
		claim, before, err := a.cfg.Replay.Begin(replay.Request{
			Actor: who, Method: r.Method, Path: r.URL.Path, Key: key, Body: append([]byte(r.URL.RawQuery+"\n"+r.Header.Get("Content-Type")+"\n"), body...),
		})
		switch {
		case replay.Other(err):
			a.write(w, newProblem(http.StatusUnprocessableEntity, protocol.All(err)))
		case err != nil:
			if protocol.CodeOf(err) == protocol.CodeConflict {
				w.Header().Set("Retry-After", "1")
			}
			a.fail(w, err)
		case before != nil:
			a.again(w, before)
		default:
			a.once(w, r, next, claim)
		}
	})
}

// once carries the request out and keeps its answer before it is given.
func (a *API) once(w http.ResponseWriter, r *http.Request, next http.Handler, claim *replay.Claim) {
	out := &unsent{header: w.Header(), status: http.StatusOK}
	next.ServeHTTP(out, r) // after a panic the key stays refused
	var err error
	switch {
	case out.status < http.StatusMultipleChoices:
		kept := replay.Answer{Status: out.status, Header: map[string]string{}, Body: out.body.Bytes()}
		for _, name := range []string{"Content-Type", "Location", "ETag", "Link"} {
			if v := out.header.Get(name); v != "" {
				kept.Header[name] = v
			}
		}
		err = claim.Keep(kept)
	case out.status < http.StatusInternalServerError || out.status == http.StatusServiceUnavailable:
		err = claim.Forget() // it was refused, and made nothing
	} // after a fault of the node nobody knows what was made
	if err != nil {
		a.cfg.Log.Warn("answer to a request with an idempotency key not kept", "request", out.header.Get(requestIDHeader), "error", err)
	}
	w.WriteHeader(out.status)
	_, _ = w.Write(out.body.Bytes())
}

// again gives an answer that was given before.
func (a *API) again(w http.ResponseWriter, before *replay.Answer) {
	h := w.Header()
	h.Set(replayedHeader, "true")
	if before.Cut {
		a.write(w, newProblem(http.StatusConflict, protocol.Errors{protocol.Errorf(protocol.CodeConflict, replayKeyHeader,
			"the request was carried out, and its answer with status %d was too large to keep: read what it made", before.Status)}))
		return
	}
	for name, value := range before.Header {
		h.Set(name, value)
	}
	h.Set("Content-Length", strconv.Itoa(len(before.Body)))
	w.WriteHeader(before.Status)
	_, _ = w.Write(before.Body)
}

// unsent is an answer that is not given yet.
type unsent struct {
	header http.Header
	status int
	begun  bool
	body   bytes.Buffer
}

func (o *unsent) Header() http.Header { return o.header }

func (o *unsent) WriteHeader(status int) {
	if !o.begun {
		o.status, o.begun = status, true
	}
}

func (o *unsent) Write(b []byte) (int, error) {
	o.begun = true
	return o.body.Write(b)
}
