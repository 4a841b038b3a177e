package harvest

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/protocol"
)

// argument of a request.
type argument struct{ name, value string }

// later is a fault that may be gone when the same is asked again.
type later struct {
	err   error
	after time.Duration // that the repository asks for; 0 where it does not
}

func (l *later) Error() string { return l.err.Error() }
func (l *later) Unwrap() error { return l.err }

// ask sends a request until it is answered, a few times at most.
func (c *Client) ask(ctx context.Context, s Source, verb string, args []argument) (answer, error) {
	if err := s.Validate(); err != nil {
		return answer{}, err
	}
	base, err := s.base()
	if err != nil {
		return answer{}, err
	}
	address := query(base, verb, args)
	tries := c.Tries
	if tries <= 0 {
		tries = maxTries
	}
	for try := 0; ; try++ {
		a, err := c.fetch(ctx, address, verb)
		if stopped := ctx.Err(); err != nil && stopped != nil {
			return answer{}, stopped
		}
		var l *later
		if err == nil || !errors.As(err, &l) {
			return a, a.refusal(err, args)
		}
		pause := l.after
		if pause == 0 {
			pause = c.backoff(try)
		}
		end, bounded := ctx.Deadline()
		if try+1 >= tries || pause > maxPause || bounded && time.Until(end) < pause {
			return a, l.err
		}
		if err := wait(ctx, pause); err != nil {
			return answer{}, err
		}
	}
}

// query adds a request to a base address, which may have arguments of its own.
func query(base *url.URL, verb string, args []argument) string {
	u := *base
	q := "verb=" + verb
	for _, a := range args {
		q += "&" + a.name + "=" + strings.ReplaceAll(url.QueryEscape(a.value), "+", "%20")
	}
	if u.RawQuery != "" {
		q = u.RawQuery + "&" + q
	}
	u.RawQuery = q
	return u.String()
}

// backoff doubles with every try, and is a little different each time, so that not everybody comes back at once.
func (c *Client) backoff(try int) time.Duration {
	d := c.Backoff
	if d <= 0 {
		d = 2 * time.Second
	}
	d <<= try
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return d
	}
	return d + time.Duration(binary.BigEndian.Uint64(b[:])%uint64(d/2+1))
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (c *Client) fetch(ctx context.Context, address, verb string) (answer, error) {
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = 5 * time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, protocol.Errorf(protocol.CodeValue, "url", "is no address")
	}
	agent := c.UserAgent
	if agent == "" {
		agent = "tmh-harvest"
	}
	req.Header.Set("User-Agent", agent)
	req.Header.Set("Accept", "text/xml, application/xml;q=0.9, */*;q=0.1")
	resp, err := c.client().Do(req)
	if err != nil {
		return answer{}, unreachable(err)
	}
	defer resp.Body.Close()
	most := maxAnswer
	if resp.StatusCode != http.StatusOK {
		most = maxRefusal
	}
	// A long answer takes memory, and much more when it is parsed: long ones take turns. One that is slow has its turn for so long only
	// that those who wait for theirs do not give up.
	body, err := gather(resp.Body, nil, maxHead)
	if err == nil && len(body) > maxHead && most > maxHead {
		if c.turn.Acquire(ctx, 1) != nil {
			return answer{}, &later{err: protocol.Errorf(protocol.CodeUnavailable, "url", "other repositories are being read just now: try again in a minute")}
		}
		defer c.turn.Release(1)
		ending := time.AfterFunc(timeout/turns, cancel)
		body, err = gather(resp.Body, body, most)
		ending.Stop()
	}
	if resp.StatusCode != http.StatusOK {
		return c.refused(resp, body, verb)
	}
	if err != nil {
		return answer{}, &later{err: &protocol.Error{Code: protocol.CodeUnavailable, Field: "url",
			Message: "the repository's answer did not come whole: try again later", Err: err}}
	}
	if len(body) > most {
		return answer{}, protocol.Errorf(protocol.CodeTooLarge, "url", "the repository sends over %d MB in one answer: ask its keepers for shorter pages", most>>20)
	}
	a, err := parse(body, resp.Header.Get("Content-Type"), verb)
	// A proxy's clock may be beside the repository's: the earlier of the two misses nothing.
	if sent, no := http.ParseTime(resp.Header.Get("Date")); no == nil && (a.response.IsZero() || sent.Before(a.response)) {
		a.response = sent.UTC()
	}
	return a, err
}

// unreachable says why there is no answer. What is wrong with the address stays so; all else may pass.
func unreachable(err error) error {
	var whole *url.Error
	if errors.As(err, &whole) {
		err = whole.Err // the address may have a key in it, and this goes to the log
	}
	var ours *protocol.Error
	var name *net.DNSError
	var cert *tls.CertificateVerificationError
	wrong := func(message string) error {
		return &protocol.Error{Code: protocol.CodeValue, Field: "url", Message: message, Err: err}
	}
	switch {
	case errors.Is(err, ErrAddress):
		return wrong("is not an address of the public internet, or leads to one that is not: give the repository's public address")
	case errors.As(err, &ours):
		return ours
	case errors.As(err, &name) && name.IsNotFound:
		return wrong("no host has this name: check the address")
	case errors.As(err, &cert):
		return wrong("the repository's certificate is not valid: its keepers have to renew it")
	}
	return &later{err: &protocol.Error{Code: protocol.CodeUnavailable, Field: "url",
		Message: "the repository does not answer: try again later, or check the address", Err: err}}
}

// refused reads an answer with another status than 200. Some repositories say by it what belongs into an answer.
func (c *Client) refused(resp *http.Response, body []byte, verb string) (answer, error) {
	status := resp.StatusCode
	err := &protocol.Error{Code: protocol.CodeValue, Field: "url", Err: fmt.Errorf("status %d", status)}
	switch status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
		http.StatusRequestTimeout:
		err.Code = protocol.CodeUnavailable
		err.Message = fmt.Sprintf("the repository cannot answer now (status %d): try again later", status)
		after := retryAfter(resp.Header, c.now())
		if after > maxPause {
			err.Message = fmt.Sprintf("the repository cannot answer for the next %v: try again then", after.Round(time.Minute))
		}
		return answer{}, &later{err: err, after: after}
	}
	if a, bad := parse(body, resp.Header.Get("Content-Type"), verb); bad == nil && len(a.faults) > 0 {
		return a, nil
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		err.Message = fmt.Sprintf("the repository lets only those in whom it knows (status %d): ask its keepers to open its OAI-PMH interface", status)
	case http.StatusNotFound, http.StatusGone:
		err.Message = fmt.Sprintf("nothing is there (status %d): give the repository's OAI-PMH base address", status)
	default:
		err.Message = fmt.Sprintf("the repository answers with status %d: check the address", status)
	}
	return answer{}, err
}

// retryAfter is how long a repository asks us to wait, by its own clock where it tells the time; 0 where it does not ask.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseUint(v, 10, 32); err == nil {
		return max(time.Duration(n)*time.Second, time.Millisecond)
	}
	until, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	if sent, err := http.ParseTime(h.Get("Date")); err == nil {
		now = sent
	}
	return max(until.Sub(now), time.Millisecond)
}

// refusal is what an answer refuses, where err is nil.
func (a *answer) refusal(err error, args []argument) error {
	if err != nil {
		return err
	}
	resumed := len(args) > 0 && args[0].name == "resumptionToken"
	worst := protocol.Errorf(protocol.CodeValue, "url", "")
	for _, f := range a.faults {
		said := fmt.Sprintf("the repository says %s", clip(f.code, 50))
		if f.text != "" {
			said += ": " + clip(f.text, 200)
		}
		switch {
		case f.code == "badResumptionToken", f.code == "badArgument" && resumed: // the token is the only argument then
			return &protocol.Error{Code: protocol.CodeConflict, Field: "token", Message: said + ". The list has to be fetched from its beginning", Err: ErrToken}
		case f.code == "noRecordsMatch":
			continue
		case f.code == "cannotDisseminateFormat":
			return &protocol.Error{Code: protocol.CodeValue, Field: "prefix", Message: said + ". Take a format that it lists", Err: ErrFormat}
		case f.code == "noSetHierarchy":
			return &protocol.Error{Code: protocol.CodeValue, Field: "set", Message: said + ". Leave the set out", Err: ErrNoSets}
		}
		worst.Message = said
	}
	if worst.Message != "" {
		return worst
	}
	return nil
}
