package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/asean-tmh/tmh/protocol"
)

// statuses is the one map from codes to HTTP. A code that is missing here is answered as 500.
func statuses() map[protocol.Code]int {
	const (
		faulty   = http.StatusUnprocessableEntity
		conflict = http.StatusConflict
	)
	return map[protocol.Code]int{
		protocol.CodeTruncated: http.StatusBadRequest, protocol.CodeOrder: faulty, protocol.CodeRepeated: faulty,
		protocol.CodeVarint: faulty, protocol.CodeZero: faulty, protocol.CodeWireType: faulty, protocol.CodeUnknown: faulty,
		protocol.CodeRequired: faulty, protocol.CodeLength: faulty, protocol.CodeTooLarge: faulty, protocol.CodeText: faulty,
		protocol.CodeValue: faulty, protocol.CodeFederation: faulty, protocol.CodeOrigin: http.StatusNotFound,
		protocol.CodeCharter: conflict, protocol.CodeKey: faulty, protocol.CodeSignature: faulty, protocol.CodeBody: faulty,
		protocol.CodeThreshold: faulty, protocol.CodeVersion: conflict, protocol.CodeReplayed: conflict, protocol.CodeGap: conflict,
		protocol.CodeEpoch: conflict, protocol.CodeChain: conflict, protocol.CodePrevious: conflict, protocol.CodeFork: conflict,
		protocol.CodeCount: conflict, protocol.CodeDigest: conflict, protocol.CodeFloor: conflict, protocol.CodeRestart: conflict,
		protocol.CodeQuota: http.StatusTooManyRequests, protocol.CodeNotFound: http.StatusNotFound,
		protocol.CodeUnavailable: http.StatusServiceUnavailable, protocol.CodeReadOnly: http.StatusServiceUnavailable,
		protocol.CodeConflict: conflict, protocol.CodeWithdrawn: http.StatusGone, protocol.CodeNotPermitted: http.StatusForbidden,
		protocol.CodeInternal: http.StatusInternalServerError, protocol.CodeHolder: http.StatusBadGateway,
		protocol.CodeUnprovenFinal: http.StatusServiceUnavailable,
	}
}

// Problem is the body of every answer that is not a success, as RFC 9457 has it.
type Problem struct {
	Type   string          `json:"type" format:"uri-reference" doc:"address of a page that explains the code"`
	Title  string          `json:"title" doc:"the status in words"`
	Status int             `json:"status" doc:"the HTTP status"`
	Detail string          `json:"detail" doc:"what is wrong and, where there is one, the next step"`
	Code   protocol.Code   `json:"code" doc:"the first fault's code, which never changes its meaning"`
	Errors protocol.Errors `json:"errors" doc:"every fault of the request, by field"`
	// Instance is the answer's X-Request-Id, under which the node's log has the request.
	Instance string `json:"instance,omitempty" format:"uri-reference" doc:"names this answer: the X-Request-Id, by which the operator finds it in the node's log"`
	// Tombstone of a listing that was withdrawn.
	Tombstone *protocol.Tombstone `json:"tombstone,omitempty"`

	cause error // for the log, until it stands there
}

const problemType = "application/problem+json"

// Error, GetStatus and ContentType make a Problem huma's kind of error.
func (p *Problem) Error() string               { return p.Detail }
func (p *Problem) GetStatus() int              { return p.Status }
func (p *Problem) ContentType(_ string) string { return problemType }

func newProblem(status int, faults protocol.Errors) *Problem {
	p := &Problem{
		Type: problemsPath + "/" + string(faults[0].Code), Title: http.StatusText(status), Status: status, Code: faults[0].Code,
		Detail: faults[0].Message, Errors: faults,
	}
	if len(faults) > 1 {
		p.Detail = "several things are wrong; errors names each"
	}
	return p
}

// problem says err to a stranger: protocol's errors as they are, all others as a fault of the node whose cause stands in
// the log alone.
func (a *API) problem(err error) *Problem {
	faults := protocol.All(err)
	status, ok := statuses()[faults[0].Code]
	if !ok {
		status = http.StatusInternalServerError
	}
	for _, f := range faults {
		if f.Code == protocol.CodeInternal || !ok {
			p := newProblem(http.StatusInternalServerError, protocol.Errors{internal()})
			p.cause = err
			return p
		}
	}
	p := newProblem(status, faults)
	if status >= http.StatusInternalServerError {
		p.cause = err
	}
	return p
}

// complete says in a problem which answer it is, and writes its cause into the log under the same name.
func (a *API) complete(p *Problem, h http.Header) *Problem {
	id := h.Get(requestIDHeader)
	if id != "" {
		p.Instance = "urn:uuid:" + id
	}
	p.Type = a.site + problemsPath + "/" + string(p.Code)
	switch {
	case p.cause == nil:
	case p.Code == protocol.CodeInternal:
		a.cfg.Log.Error("request failed", "request", id, "error", p.cause)
	default:
		a.cfg.Log.Warn("request refused", "request", id, "error", p.cause)
	}
	p.cause = nil
	return p
}

func internal() *protocol.Error {
	return protocol.Errorf(protocol.CodeInternal, "", "a fault of this node; its log says more. Try again, and tell its operator if it stays")
}

func (a *API) fail(w http.ResponseWriter, err error) { a.write(w, a.problem(err)) }

func (a *API) write(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(a.complete(p, w.Header()))
}

// explain turns the faults that huma found itself into a Problem without echoing what was sent. It is a transformer of this
// API's configuration, so that huma.NewError, a variable of its package, stays as it is.
func (a *API) explain(ctx huma.Context, _ string, v any) (any, error) {
	p, ok := v.(*Problem)
	if e, theirs := v.(*huma.ErrorModel); theirs {
		p, ok = inOurForm(e), true
	}
	if !ok {
		return v, nil
	}
	_, w := humachi.Unwrap(ctx)
	return a.complete(p, w.Header()), nil
}

func inOurForm(e *huma.ErrorModel) *Problem {
	if e.Status >= http.StatusInternalServerError {
		p := newProblem(e.Status, protocol.Errors{internal()})
		p.cause = errors.New(e.Detail)
		return p
	}
	var faults protocol.Errors
	for _, d := range e.Errors {
		code, ok := d.Value.(protocol.Code)
		switch {
		case ok: // one of our own
		case strings.HasPrefix(d.Message, "required "):
			code = protocol.CodeRequired
		default:
			code = protocol.CodeValue
		}
		_, field, found := strings.Cut(d.Location, ".")
		if !found {
			field = d.Location
		}
		f := &protocol.Error{Code: code, Field: field, Message: d.Message}
		if !ok {
			inOurWords(f)
		}
		faults = append(faults, f)
	}
	if len(faults) == 0 {
		faults = protocol.Errors{protocol.Errorf(protocol.CodeValue, "", "%s", e.Detail)}
	}
	if e.Status == http.StatusUnsupportedMediaType {
		faults = protocol.Errors{wrongType()}
	}
	return newProblem(e.Status, faults)
}

func wrongType() *protocol.Error {
	return protocol.Errorf(protocol.CodeValue, "Content-Type", "send application/json")
}

// inOurWords says what huma finds most often as all other faults are said: about the member, with the next step.
func inOurWords(f *protocol.Error) {
	before, after, _ := strings.Cut(validation.MsgExpectedRequiredProperty, "%s")
	name, absent := strings.CutPrefix(f.Message, before)
	switch {
	case absent:
		name = strings.TrimSuffix(name, after)
		if f.Field != "body" {
			name = f.Field + "." + name
		}
		f.Code, f.Field, f.Message = protocol.CodeRequired, name, "is absent: give it"
	case f.Message == validation.MsgUnexpectedProperty:
		f.Code, f.Message = protocol.CodeUnknown, "is not known here: leave it out"
	case strings.HasPrefix(f.Message, "required ") && strings.HasSuffix(f.Message, " parameter is missing"):
		f.Message = "is absent: give it as a " + strings.TrimSuffix(strings.TrimPrefix(f.Message, "required "), " is missing")
	}
}

// finding is a fault that one of our resolvers found, on its way through huma to explain.
type finding struct {
	fault  *protocol.Error
	status int
}

func (f finding) Error() string { return f.fault.Error() }

func (f finding) ErrorDetail() *huma.ErrorDetail {
	return &huma.ErrorDetail{Message: f.fault.Message, Location: "." + f.fault.Field, Value: f.fault.Code}
}

func (f finding) GetStatus() int { return f.status }
