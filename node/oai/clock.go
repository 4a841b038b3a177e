package oai

import (
	"sync"
	"time"
)

// A clock gives times to rows, and says which seconds are over: no row of such a second is written any more. It never goes
// back, whatever the machine's clock does.
type clock struct {
	now func() time.Time

	mu      sync.Mutex
	writing int64 // time of the rows that are being written, 0 for none
	last    int64 // greatest time given to a row
	over    int64 // greatest second that was said to be over
}

// begin gives the time of rows that are about to be written. One writes at a time; done ends it.
func (c *clock) begin() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = max(c.now().Unix(), c.over+1, c.last, 1)
	c.last = c.writing
	return c.writing
}

func (c *clock) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = 0
}

// horizon is the last second that is over, and when a response made now was made as far as the next request is concerned.
func (c *clock) horizon() (over, now int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now = c.now().Unix()
	over = max(now-1, c.over)
	if c.last > now { // the machine's clock went back: what is written must not wait until it is that late again
		over = max(over, c.last)
	}
	if c.writing != 0 {
		over = min(over, c.writing-1)
	}
	c.over = max(c.over, over)
	return over, min(now, over+1)
}
