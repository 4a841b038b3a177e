package p2p

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/quic-go/quic-go"
)

// pace bounds how long a slow other side may hold a stream: what passes while we wait for it must be at least paceLeast
// bytes in every paceWindow of waiting. Our own time, between two messages, does not count.
type pace struct {
	bytes  int
	waited time.Duration
}

const (
	paceWindow = 30 * time.Second
	paceLeast  = 32 << 10
)

var errSlow = errors.New("too slow") //nolint:gochecknoglobals // a constant

func (p *pace) add(bytes int, waited time.Duration) error {
	p.bytes += bytes
	if p.waited += waited; p.waited < paceWindow {
		return nil
	}
	slow := p.bytes < paceLeast
	*p = pace{}
	if slow {
		return errSlow
	}
	return nil
}

// tally counts what is read.
type tally struct {
	io.Reader
	bytes int
}

func (t *tally) Read(b []byte) (n int, err error) {
	n, err = t.Reader.Read(b)
	t.bytes += n
	return n, err
}

// late reports whether a read or write ended because the other side took too long.
func late(err error) bool {
	var t interface{ Timeout() bool }
	var cut *quic.IdleTimeoutError // the network's work
	return errors.Is(err, errSlow) || errors.As(err, &t) && t.Timeout() && !errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &cut)
}
