package api

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"github.com/asean-tmh/tmh/protocol"
)

// FeedLine is one line of an exported feed: an object with the members type and bytes, which is hexadecimal there. The
// lines are papers, head, perhaps statement, and one change a record in the order of positions.
type FeedLine struct {
	Type  string
	Bytes []byte
}

// An export reads one state of the store for as long as it takes, so few may run at once and none for ever.
const (
	feedsAtOnce = 2                // on each listener: strangers cannot take the operator's
	feedLongest = time.Hour        // in all
	feedStalls  = 30 * time.Second // for 64 KiB
	feedBuffer  = 64 << 10
)

// errSaid ends an export of which only the headers were asked for.
var errSaid = errors.New("headers only")

// feed streams a member's whole feed: what its origin signed, for whoever wants to check it. It is public, as the feed is
// that every member holds.
func (a *API) feed() http.HandlerFunc {
	slots := make(chan struct{}, feedsAtOnce)
	return func(w http.ResponseWriter, r *http.Request) {
		origin, err := protocol.ParseMemberID(chi.URLParam(r, "id"))
		if err != nil {
			a.fail(w, protocol.Errorf(protocol.CodeNotFound, "id", "no member has such an id"))
			return
		}
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		default:
			w.Header().Set("Retry-After", "60")
			a.fail(w, protocol.Errorf(protocol.CodeUnavailable, "", "%d feeds are being exported already: try again in a minute", feedsAtOnce))
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), feedLongest)
		defer cancel()
		begun := false
		out := bufio.NewWriterSize(steady{w, http.NewResponseController(w)}, feedBuffer)
		err = a.cfg.Desk.Feed(ctx, origin, func(l FeedLine) error {
			if !begun {
				w.Header().Set("Content-Type", "application/jsonl")
				w.Header().Set("X-Accel-Buffering", "no")
				begun = true
			}
			if r.Method == http.MethodHead {
				return errSaid
			}
			b := append(out.AvailableBuffer(), `{"type":"`...)
			b = append(b, l.Type...)
			b = append(b, `","bytes":"`...)
			b = hex.AppendEncode(b, l.Bytes)
			_, err := out.Write(append(b, "\"}\n"...))
			return err
		})
		if err == nil {
			err = out.Flush()
		}
		switch {
		case err == nil || errors.Is(err, errSaid):
		case !begun:
			a.fail(w, err)
		default:
			a.cfg.Log.Info("export of a feed ended early", "member", origin, "error", err)
			panic(http.ErrAbortHandler) // so that the reader sees that it is not complete
		}
	}
}

// steady gives every write its own deadline, in place of the server's for whole answers.
type steady struct {
	http.ResponseWriter
	rc *http.ResponseController
}

func (s steady) Write(b []byte) (int, error) {
	_ = s.rc.SetWriteDeadline(time.Now().Add(feedStalls)) // not all writers have deadlines
	return s.ResponseWriter.Write(b)
}

// feedOperation describes feed.
func feedOperation(responses map[string]*huma.Response) *huma.Operation {
	return &huma.Operation{
		OperationID: "feed", Method: http.MethodGet, Path: base + "/members/{id}/feed",
		Summary: "Everything a member has signed and not replaced, with what proves it, of one moment: JSON Lines with type (papers, head, " +
			"statement, change) and bytes in hexadecimal; 503 while the copy is not proven",
		Parameters: []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}},
		Responses:  responses,
	}
}
