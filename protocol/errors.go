package protocol

import (
	"errors"
	"fmt"
	"strings"
)

// Code names a reason for refusal. Codes are part of the protocol: they travel between nodes, stand in the
// conformance corpus and in metrics, and are never renamed.
type Code string

// Codes about form: what any reader can see without knowing the federation.
const (
	CodeTruncated Code = "truncated" // a length points beyond the end
	CodeOrder     Code = "order"     // field numbers do not ascend
	CodeRepeated  Code = "repeated"  // a single field appears twice
	CodeVarint    Code = "varint"    // not the shortest form, or over 64 bits
	CodeZero      Code = "zero"      // a default value is written out
	CodeWireType  Code = "wire-type" // neither varint nor length-delimited as the field wants
	CodeUnknown   Code = "unknown"   // an unknown field where none may be
	CodeRequired  Code = "required"  // a required field is absent
	CodeLength    Code = "length"    // a fixed-size field of another size
	CodeTooLarge  Code = "too-large" // over a limit of this package
	CodeText      Code = "text"      // not UTF-8, or control characters
	CodeValue     Code = "value"     // outside the field's set of values
)

// Codes about trust and place: what a member of the federation checks.
const (
	CodeFederation    Code = "federation"    // another federation's
	CodeOrigin        Code = "origin"        // no such member
	CodeCharter       Code = "charter"       // under a charter this node does not have
	CodeKey           Code = "key"           // no such key, or not valid at this position
	CodeSignature     Code = "signature"     // does not verify
	CodeBody          Code = "body"          // body differs from what the header binds
	CodeThreshold     Code = "threshold"     // too few distinct signatures
	CodeVersion       Code = "version"       // not the version that follows
	CodeReplayed      Code = "replayed"      // at or below a position already applied
	CodeGap           Code = "gap"           // not the next position
	CodeEpoch         Code = "epoch"         // an epoch that was not opened
	CodeChain         Code = "chain"         // prev_hash differs from the header held
	CodePrevious      Code = "previous"      // prev_seq differs from the record held
	CodeFork          Code = "fork"          // two signed headers at one position
	CodeCount         Code = "count"         // count differs from the set
	CodeDigest        Code = "digest"        // state_digest differs from the set
	CodeFloor         Code = "floor"         // floor goes back, or forgets too much at once
	CodeQuota         Code = "quota"         // over what the charter allows
	CodeNotFound      Code = "not-found"     // nothing under that name
	CodeUnavailable   Code = "unavailable"   // true, but not now: try again later
	CodeReadOnly      Code = "read-only"     // this node takes no writes now
	CodeConflict      Code = "conflict"      // the state does not allow it
	CodeWithdrawn     Code = "withdrawn"     // an id that was withdrawn never returns
	CodeNotPermitted  Code = "not-permitted" // the caller may not
	CodeInternal      Code = "internal"      // a fault of this node
	CodeHolder        Code = "holder"        // a holder answered against the rules of pulling
	CodeUnprovenFinal Code = "unproven"      // a pull that ended without proof
	CodeRestart       Code = "restart"       // the feed can only be had from its beginning, beside what is held
)

// Error is the one error that people and peers see. Message says what is wrong and, where there is one, the next step;
// Err is the cause for the log and is never shown.
type Error struct {
	Code    Code   `json:"code"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
	Err     error  `json:"-"`
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	if e.Field != "" {
		b.WriteString(" ")
		b.WriteString(e.Field)
	}
	b.WriteString(": ")
	b.WriteString(e.Message)
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error about field ("" for the whole).
func Errorf(code Code, field, format string, args ...any) *Error {
	return &Error{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

// CodeOf is the code of the first Error in err's chain, CodeInternal for any other error and "" for nil.
func CodeOf(err error) Code {
	var all Errors
	if errors.As(err, &all) && len(all) > 0 {
		return all[0].Code
	}
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Code
	}
	return CodeInternal
}

// Errors is every fault found in one thing, in field order. It is never returned empty.
type Errors []*Error

func (e Errors) Error() string {
	s := make([]string, len(e))
	for i, x := range e {
		s[i] = x.Error()
	}
	return strings.Join(s, "; ")
}

// All lists the faults in err: those of an Errors, one for an Error, one of CodeInternal otherwise.
func All(err error) Errors {
	var all Errors
	var one *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &all):
		return all
	case errors.As(err, &one):
		return Errors{one}
	}
	return Errors{{Code: CodeInternal, Message: "internal fault", Err: err}}
}

type faults struct{ list Errors }

func (f *faults) add(code Code, field, format string, args ...any) {
	f.list = append(f.list, Errorf(code, field, format, args...))
}

// choice says that a value is absent, or which one is not taken.
func (f *faults) choice(field, got, what, take string) {
	if got == "" {
		f.add(CodeValue, field, "is absent: take %s", take)
		return
	}
	f.add(CodeValue, field, "%q is no %s: take %s", clip(got), what, take)
}

func (f *faults) err() error {
	if len(f.list) == 0 {
		return nil
	}
	return f.list
}
