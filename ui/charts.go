package ui

import (
	"fmt"
	"html/template"
	"time"

	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// Charts are SVG without a viewBox: widths are percentages and text keeps its size, so that they can be read on a phone.
// All looks come from classes.

type barChart struct {
	ID                string
	Title, Note, Desc template.HTML
	Bars              []bar
}

type bar struct {
	Label template.HTML
	Count string
	Width string // percent of the longest one
}

func bars(p *lang.Printer, d dimension) barChart {
	c := barChart{ID: d.ID, Title: d.Title, Note: d.Note}
	most, best := 0, template.HTML("")
	for _, v := range d.Values {
		if v.Count > most {
			most, best = v.Count, v.Label
		}
	}
	for _, v := range d.Values {
		width := 0.0
		if most > 0 {
			width = 100 * float64(v.Count) / float64(most)
		}
		c.Bars = append(c.Bars, bar{v.Label, v.number(p.Number, p.T("figures.missing")), percent(width)})
	}
	c.Desc = p.HTMLN("figures.bars", len(d.Values))
	if best != "" {
		c.Desc += " " + p.HTML("figures.longest", "Name", best, "Listings", p.HTMLN("count.listings", most))
	}
	return c
}

const (
	plotTop    = 24
	plotHeight = 120
	plotMonths = 36 // the newest; the table has all
)

type monthChart struct {
	Desc         template.HTML
	StockMost    string
	FlowMost     string
	Columns      []column
	First, Last  string
	Lines        []line
	Rows         []monthRow
	Base, Height int
	Axis         int // y of the month names
	Short        bool
}

type column struct {
	Month      string
	X, X2, W   string // percent
	In, InTop  int
	Out, OutTo int
	Published  int
	Withdrawn  int
}

type line struct {
	X1, X2 string
	Y1, Y2 int
}

type monthRow struct{ Month, Published, Withdrawn, Stock string }

func months(p *lang.Printer, all []stats.Month) monthChart {
	c := monthChart{Base: plotTop + plotHeight, Height: plotTop + plotHeight + 24, Axis: plotTop + plotHeight + 18}
	for i := len(all) - 1; i >= 0; i-- {
		m := all[i]
		c.Rows = append(c.Rows, monthRow{monthName(p, m.Month), p.Number(m.Published), p.Number(m.Withdrawn), p.Number(m.Stock)})
	}
	shown := all[max(0, len(all)-plotMonths):]
	c.Short = len(shown) < len(all)
	if len(shown) == 0 {
		return c
	}
	stock, flow := 1, 1
	for _, m := range shown {
		stock, flow = max(stock, m.Stock), max(flow, m.Published, m.Withdrawn)
	}
	step := 100 / float64(len(shown))
	for i, m := range shown {
		x := float64(i) * step
		in, out := plotHeight*m.Published/flow, plotHeight*m.Withdrawn/flow
		c.Columns = append(c.Columns, column{
			Month: m.Month, X: percent(x + step*.12), X2: percent(x + step*.52), W: percent(step * .36),
			In: in, InTop: c.Base - in, Out: out, OutTo: c.Base - out, Published: m.Published, Withdrawn: m.Withdrawn,
		})
		if i > 0 {
			y := func(n int) int { return c.Base - plotHeight*max(n, 0)/stock }
			c.Lines = append(c.Lines, line{percent(x - step/2), percent(x + step/2), y(shown[i-1].Stock), y(m.Stock)})
		}
	}
	last := shown[len(shown)-1]
	c.First, c.Last = monthName(p, shown[0].Month), monthName(p, last.Month)
	c.StockMost, c.FlowMost = p.Number(stock), p.Number(flow)
	c.Desc = p.HTML("figures.stock-says", "From", c.First, "To", c.Last, "Listings", p.HTMLN("count.listings", last.Stock))
	return c
}

// monthName is a month such as 2026-09 in words.
func monthName(p *lang.Printer, month string) string {
	t, err := time.Parse("2006-01", month)
	if err != nil {
		return month
	}
	return p.Month(protocol.DateOf(t))
}

func percent(f float64) string { return fmt.Sprintf("%.2f%%", f) }
