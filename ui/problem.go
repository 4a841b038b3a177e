package ui

import (
	"html/template"
	"net/http"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// problemPage says what went wrong and what to do next.
type problemPage struct {
	frame
	Heading template.HTML
	Text    template.HTML
	Faults  []template.HTML
	Next    template.HTML // in words
	Retry   bool          // trying again may help
}

func (s *site) unknown(r *http.Request) (view, error) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return s.problemView(r, http.StatusMethodNotAllowed, "method"), nil
	}
	return s.problemView(r, http.StatusNotFound, "page"), nil
}

// problemView is the page of the keys trouble.<what>.title, .text and .next; args fill the placeholders of all three.
func (s *site) problemView(r *http.Request, status int, what string, args ...any) view {
	p, key := printer(r), "trouble."+what
	return view{"problem", problemPage{
		frame: s.frame(r, "", p.T(key+".title", args...)), Heading: p.HTML(key+".title", args...), Text: p.HTML(key+".text", args...), Next: p.HTML(key+".next", args...),
	}, status}
}

// told is the page for an error that says itself what is wrong.
func (s *site) told(r *http.Request, status int, e *protocol.Error) view {
	p := printer(r)
	title, next := p.Problem(e.Code)
	return view{"problem", problemPage{frame: s.frame(r, "", title.Text), Heading: p.Say(title), Text: stated(p, e.Message), Next: p.Say(next)}, status}
}

// problem is the page for err. Causes that are not meant for people are logged and not shown.
func (s *site) problem(r *http.Request, err error) view {
	faults := protocol.All(err)
	switch faults[0].Code {
	case protocol.CodeNotFound, protocol.CodeOrigin:
		return s.problemView(r, http.StatusNotFound, "listing")
	case protocol.CodeNotPermitted:
		return s.told(r, http.StatusForbidden, faults[0])
	case protocol.CodeConflict:
		return retry(s.told(r, http.StatusConflict, faults[0]))
	case protocol.CodeQuota:
		return s.told(r, http.StatusTooManyRequests, faults[0])
	case protocol.CodeUnavailable, protocol.CodeReadOnly, protocol.CodeUnprovenFinal, protocol.CodeHolder:
		return retry(s.told(r, http.StatusServiceUnavailable, faults[0]))
	case protocol.CodeValue, protocol.CodeRequired, protocol.CodeTooLarge, protocol.CodeText, protocol.CodeUnknown, protocol.CodeLength:
		v := s.problemView(r, http.StatusBadRequest, "search")
		p, _ := v.model.(problemPage)
		for _, f := range faults {
			p.Faults = append(p.Faults, searchFault(printer(r), f))
		}
		v.model = p
		return v
	default:
		s.cfg.Log.Error("page failed", "error", err)
		return retry(s.problemView(r, http.StatusInternalServerError, "fault"))
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
func (s *site) gone(r *http.Request, e exchange.Entry) view {
	p, origin, t := printer(r), s.memberName(printer(r), e.Origin), e.Tombstone
	if t != nil && t.Reason == protocol.OnHold {
		return s.problemView(r, http.StatusGone, "held", "Member", origin)
	}
	code := ""
	if t != nil {
		code = t.Reason
	}
	v := s.problemView(r, http.StatusGone, "withdrawn", "Member", origin, "Reason", reason(p, code))
	page, _ := v.model.(problemPage)
	if t != nil && t.At != 0 {
		page.Text = p.HTML("trouble.withdrawn.text-on", "Member", origin, "Reason", reason(p, code), "Date", protocol.DateOf(t.At.Time()))
	}
	if t != nil && t.ReplacedBy != "" {
		page.Faults = []template.HTML{p.HTML("trouble.withdrawn.replaced", "Listing", string(t.ReplacedBy), "Member", origin)}
	}
	v.model = page
	return v
}

func reason(p *lang.Printer, code string) lang.Text {
	switch code {
	case "agreement", "expired", "no-longer-available", "duplicate", "superseded", "revoked", "error":
		return p.Text("reason." + code)
	}
	return p.Text("reason.other")
}
