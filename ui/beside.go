package ui

import (
	"context"
	"runtime"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/asean-tmh/tmh/node/posting"
)

// Pages of those who are signed in show beside what they are about what the whole catalogue has to be asked for: listings like
// one that is written, what answers one, how many a saved search finds. That takes as much work as a search, and is worth less
// than one: all pages together do so little of it at once that searches always have processors left. What has to wait longer
// than its page can is left out.

// comparing is how long a page waits for listings like one.
const comparing = 2 * time.Second

func newBeside() *semaphore.Weighted {
	return semaphore.NewWeighted(int64(max(1, runtime.GOMAXPROCS(0)/2)))
}

// besides does such work. Its error is that of ctx where there was no place in time.
func (s *site) besides(ctx context.Context, work func() error) error {
	if err := s.beside.Acquire(ctx, 1); err != nil {
		return err
	}
	defer s.beside.Release(1)
	return work()
}

// like are listings like one that is written; none where nobody has time to look.
func (s *site) like(ctx context.Context, c *posting.Content) []posting.Suspect {
	list, _ := s.alike(ctx, c)
	return list
}

// alike are listings like one that is judged. An error means that nobody had the time to look, or to look through all: then none
// found says nothing.
func (s *site) alike(ctx context.Context, c *posting.Content) (list []posting.Suspect, err error) {
	ctx, cancel := context.WithTimeout(ctx, comparing)
	defer cancel()
	err = s.besides(ctx, func() error {
		list, err = s.cfg.House.Postings.Compare(ctx, c)
		return err
	})
	return list, err
}
