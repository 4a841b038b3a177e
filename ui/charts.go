package ui

import (
	"fmt"

	"github.com/asean-tmh/tmh/node/stats"
)

// Charts are SVG without a viewBox: widths are percentages and text keeps its size, so that they can be read on a phone.
// All looks come from classes.

type barChart struct {
	ID, Title, Note, Desc string
	Height                int
	Bars                  []bar
}

type bar struct {
	Label, Code string
	Count       string
	Text        int    // y of the label
	Top, Low    int    // y of the bar and of the number beside it
	Width       string // percent
}

const (
	rowHeight = 40
	track     = 76 // percent of the width that the longest bar takes; its number needs the rest on a phone
)

func bars(d dimension) barChart {
	c := barChart{ID: d.ID, Title: d.Title, Note: d.Note}
	most, best := 0, ""
	for _, v := range d.Values {
		if v.Count > most {
			most, best = v.Count, v.Label
		}
	}
	for i, v := range d.Values {
		width := 0.0
		if most > 0 {
			width = track * float64(v.Count) / float64(most)
		}
		c.Bars = append(c.Bars, bar{v.Label, v.Code, v.number(number), rowHeight*i + 14, rowHeight*i + 21, rowHeight*i + 30, fmt.Sprintf("%.2f", width)})
	}
	c.Height = rowHeight * len(d.Values)
	c.Desc = fmt.Sprintf("Bar chart of %s.", count(len(d.Values), "row"))
	if best != "" {
		c.Desc += fmt.Sprintf(" Longest: %s with %s.", best, count(most, "listing"))
	}
	return c
}

const (
	plotTop    = 24
	plotHeight = 120
	plotMonths = 36 // the newest; the table has all
)

type monthChart struct {
	Desc         string
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

func months(all []stats.Month) monthChart {
	c := monthChart{Base: plotTop + plotHeight, Height: plotTop + plotHeight + 24, Axis: plotTop + plotHeight + 18}
	for i := len(all) - 1; i >= 0; i-- {
		m := all[i]
		c.Rows = append(c.Rows, monthRow{m.Month, number(m.Published), number(m.Withdrawn), number(m.Stock)})
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
	c.First, c.Last = shown[0].Month, last.Month
	c.StockMost, c.FlowMost = number(stock), number(flow)
	c.Desc = fmt.Sprintf("From %s to %s. At the end of %s the stock is %s.", c.First, c.Last, c.Last, count(last.Stock, "listing"))
	return c
}

func percent(f float64) string { return fmt.Sprintf("%.2f%%", f) }
