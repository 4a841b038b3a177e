package ui

import (
	"html/template"
	"math"
	"net/http"
	"slices"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// How the federation stood day by day, as this node wrote it down: a plot of the whole, one of each member, and the same numbers as
// a table. A day that was missed is a gap: nobody knows how it was.

// historyPoints are shown at most: a phone has no room for more, and the table has all that the plots show.
const historyPoints = 60

type overTime struct {
	Says    template.HTML // since when, and what is left out
	Whole   linePlot
	Each    []linePlot
	Members []lang.Text
	Rows    []historyDay
}

type linePlot struct {
	ID          string
	Name        template.HTML
	Now, Most   string
	Desc        template.HTML
	Label       int // y of the greatest value in figures
	Top, Base   int // y of the greatest value and of 0
	Height      int
	Lines       []line
	Dots        []point
	First, Last string
}

type point struct {
	X string // percent
	Y int
}

type historyDay struct {
	Day, Total string
	Cells      []historyCell
}

type historyCell struct {
	Count string
	Says  template.HTML // behind, or not heard
}

// dated is a count of a day; one that is not known breaks the line.
type dated struct {
	day   protocol.Date
	count int
	known bool
	gap   bool // days before it were missed
}

// overTime is nil where nothing is recorded.
func (s *site) overTime(r *http.Request, members []exchange.MemberState) (*overTime, error) {
	if s.cfg.History == nil {
		return nil, nil
	}
	days, err := s.cfg.History(historyPoints)
	if err != nil || len(days) == 0 {
		return nil, err
	}
	p := printer(r)
	first, last := days[0].Day, days[len(days)-1].Day
	o := &overTime{Says: p.HTML("history.since", "Date", first)}
	if int(last-first) >= historyPoints {
		o.Says += " " + p.HTML("history.thinned")
	}
	ids, names := membersOf(p, days, members)
	o.Members = names
	var whole []dated
	for _, d := range days {
		whole = append(whole, dated{d.Day, d.Listings(), true, d.Gap})
	}
	if len(days) > 1 {
		o.Whole = plotted(p, "history-all", p.HTML("history.all"), whole, plotTop, plotHeight)
		for i, id := range ids {
			var one []dated
			for _, d := range days {
				m, known := d.Members[id]
				one = append(one, dated{d.Day, m.Listings(), known, d.Gap})
			}
			o.Each = append(o.Each, plotted(p, "history-"+string(id), p.Say(names[i]), one, smallTop, smallHeight))
		}
	}
	for _, d := range slices.Backward(days) {
		row := historyDay{Day: p.Date(d.Day), Total: p.Number(d.Listings())}
		for _, id := range ids {
			row.Cells = append(row.Cells, historyCellOf(p, d, id))
		}
		o.Rows = append(o.Rows, row)
	}
	return o, nil
}

func historyCellOf(p *lang.Printer, d stats.Day, id protocol.MemberID) historyCell {
	m, known := d.Members[id]
	if !known {
		return historyCell{Count: "–"}
	}
	c := historyCell{Count: p.Number(m.Listings())}
	switch {
	case !m.Heard:
		c.Says = p.HTML("history.not-heard")
	case m.Lag > 0:
		c.Says = p.HTMLN("history.behind", int(min(m.Lag, math.MaxInt32)))
	}
	return c
}

// membersOf the history that ever had a listing, the present ones first.
func membersOf(p *lang.Printer, days []stats.Day, now []exchange.MemberState) (ids []protocol.MemberID, names []lang.Text) {
	recorded := map[protocol.MemberID]bool{}
	for _, d := range days {
		for id, m := range d.Members {
			if m.Listings() > 0 {
				recorded[id] = true
			}
		}
	}
	for _, m := range now {
		if recorded[m.ID] {
			delete(recorded, m.ID)
			ids, names = append(ids, m.ID), append(names, memberText(p, m))
		}
	}
	var left []protocol.MemberID
	for id := range recorded {
		left = append(left, id)
	}
	slices.Sort(left)
	for _, id := range left {
		ids, names = append(ids, id), append(names, lang.Text{Text: string(id)})
	}
	return ids, names
}

const (
	smallTop    = 24
	smallHeight = 56
)

// plotted is a line from the first day to the last, with the days where time puts them.
func plotted(p *lang.Printer, id string, name template.HTML, days []dated, top, height int) linePlot {
	c := linePlot{ID: id, Name: name, Label: top - 8, Top: top, Base: top + height, Height: top + height + 6}
	first, last, most := days[0].day, days[len(days)-1].day, 1
	now := dated{}
	for _, d := range days {
		if d.known {
			most, now = max(most, d.count), d
		}
	}
	x := func(d dated) string { return percent(100 * float64(d.day-first) / float64(max(1, last-first))) }
	y := func(d dated) int { return c.Base - height*d.count/most }
	for i, d := range days {
		if !d.known {
			continue
		}
		joined := i > 0 && days[i-1].known && !d.gap
		if joined {
			c.Lines = append(c.Lines, line{x(days[i-1]), x(d), y(days[i-1]), y(d)})
		}
		alone := !joined && (i+1 == len(days) || !days[i+1].known || days[i+1].gap)
		if alone || d == now {
			c.Dots = append(c.Dots, point{x(d), y(d)})
		}
	}
	c.First, c.Last, c.Most, c.Now = p.Date(first), p.Date(last), p.Number(most), p.Number(now.count)
	c.Desc = p.HTML("history.says", "From", c.First, "To", c.Last, "Listings", p.HTMLN("count.listings", now.count))
	return c
}
