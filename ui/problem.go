package ui

import (
	"net/http"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

// problemPage says what went wrong and what to do next.
type problemPage struct {
	frame
	Heading string
	Text    string
	Faults  []string
	Next    string // in words
	Retry   bool   // trying again may help
}

func (s *site) unknown(r *http.Request) (view, error) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return s.problemView(http.StatusMethodNotAllowed, "These pages are for reading",
			"Nothing can be sent to this address.", "Programs find their addresses in the API of this node, under /api/v1/openapi.json."), nil
	}
	return s.problemView(http.StatusNotFound, "There is no such page",
		"The address may have been mistyped, or the page was moved.", "Search for what you were looking for, or go back to the start."), nil
}

func (s *site) problemView(status int, heading, text, next string) view {
	return view{"problem", problemPage{frame: s.frame("", heading), Heading: heading, Text: text, Next: next}, status}
}

// problem is the page for err. Causes that are not meant for people are logged and not shown.
func (s *site) problem(err error) view {
	faults := protocol.All(err)
	switch faults[0].Code {
	case protocol.CodeNotFound, protocol.CodeOrigin:
		return s.problemView(http.StatusNotFound, "There is no such listing",
			"This node holds nothing under that address. The listing may have been withdrawn long ago, or not have arrived yet.",
			"Search the catalogue, or try again in a minute if the listing is new.")
	case protocol.CodeNotPermitted:
		return s.problemView(http.StatusForbidden, "Not for you", said(faults[0].Message), "Sign in with an account that may, or ask the agency that hosts this node.")
	case protocol.CodeConflict:
		return retry(s.problemView(http.StatusConflict, "This cannot be done now", said(faults[0].Message), "Look at how things stand, then try again."))
	case protocol.CodeQuota:
		return s.problemView(http.StatusTooManyRequests, "Too much at once", said(faults[0].Message), "Try again later.")
	case protocol.CodeUnavailable, protocol.CodeReadOnly, protocol.CodeUnprovenFinal, protocol.CodeHolder:
		v := s.problemView(http.StatusServiceUnavailable, "Not available right now", faults[0].Message, "Try again in a few minutes.")
		return retry(v)
	case protocol.CodeValue, protocol.CodeRequired, protocol.CodeTooLarge, protocol.CodeText, protocol.CodeUnknown, protocol.CodeLength:
		v := s.problemView(http.StatusBadRequest, "The search could not be understood", "", "Change the search and send it again.")
		p, _ := v.model.(problemPage)
		for _, f := range faults {
			p.Faults = append(p.Faults, sentence(f))
		}
		v.model = p
		return v
	default:
		s.cfg.Log.Error("page failed", "error", err)
		v := s.problemView(http.StatusInternalServerError, "A fault of this node",
			"The page could not be made. What went wrong is written in the node's log.",
			"Try again; tell the operator of this node if it stays.")
		return retry(v)
	}
}

func retry(v view) view {
	p, _ := v.model.(problemPage)
	p.Retry = true
	v.model = p
	return v
}

func sentence(e *protocol.Error) string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

// gone is the page of a listing that was withdrawn.
func (s *site) gone(e exchange.Entry) view {
	if e.Tombstone != nil && e.Tombstone.Reason == protocol.OnHold {
		return s.problemView(http.StatusGone, "This listing is on hold",
			"Its origin, "+string(e.Origin)+", took it out of the catalogue for a while, and may bring it back.", "Search for others like it.")
	}
	v := s.problemView(http.StatusGone, "This listing was withdrawn", "Its origin, "+string(e.Origin)+", took it out of the catalogue for ever.",
		"Search for others like it.")
	p, _ := v.model.(problemPage)
	if t := e.Tombstone; t != nil {
		p.Text = "Its origin, " + string(e.Origin) + ", took it out of the catalogue"
		if t.At != 0 {
			p.Text += " on " + t.At.Time().Format("2 January 2006")
		}
		p.Text += ". Reason: " + reason(t.Reason) + "."
		if t.ReplacedBy != "" {
			p.Faults = []string{"It was replaced by the listing " + string(t.ReplacedBy) + " of " + string(e.Origin) + "."}
		}
	}
	v.model = p
	return v
}

func reason(code string) string {
	switch code {
	case "agreement":
		return "an agreement was made"
	case "expired":
		return "its time was over"
	case "no-longer-available":
		return "it is no longer available"
	case "duplicate":
		return "it stood in the catalogue twice"
	case "superseded":
		return "another listing took its place"
	case "revoked":
		return "the national agency revoked it"
	case "error":
		return "it was published in error"
	}
	return "not said"
}
