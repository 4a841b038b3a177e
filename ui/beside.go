package ui

import (
	"context"
	"html/template"
	"net/http"
	"runtime"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/asean-tmh/tmh/node/door"
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

// twins are drafts of the same organisation like the one that is written; none where nobody has time to look.
func (s *site) twins(r *http.Request, h *posting.Posting, c *posting.Content) (list []twinView) {
	ctx, cancel := context.WithTimeout(r.Context(), comparing)
	defer cancel()
	var all []posting.Twin
	err := s.besides(ctx, func() (err error) {
		all, err = s.cfg.House.Postings.Twins(ctx, door.ActorOf(r.Context()), h, c)
		return err
	})
	if err != nil && ctx.Err() == nil {
		s.cfg.Log.Warn("drafts not compared", "path", r.URL.Path, "error", err)
	}
	p := printer(r)
	for _, x := range all {
		v := twinView{Href: postingPath(x.ID), Title: voice(x.Title), State: stateInWords(p, x.State), Why: p.HTML("write.like." + string(x.Like))}
		if x.Title == "" {
			v.Title = p.HTML("posting.untitled")
		}
		list = append(list, v)
	}
	return list
}

// twinView is a draft that is like another one.
type twinView struct {
	Href              string
	Title, State, Why template.HTML
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
