package ui

import (
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"slices"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/ui/lang"
)

// The federation as tiles and as outlines: how many listings by shade, how fresh by border, both in words beside it.

// landscape is static/map.json.
type landscape struct {
	ViewBox string `json:"viewBox"`
	Members map[string]struct {
		D   string  `json:"d"`
		X   int     `json:"x"`
		Y   int     `json:"y"`
		Dot *[2]int `json:"dot"`
	} `json:"members"`
	Tiles map[string][2]int `json:"tiles"`
}

func readLandscape(b []byte) (l landscape, err error) {
	if err = json.Unmarshal(b, &l); err != nil {
		err = fmt.Errorf("read the map: %w", err)
	}
	return l, err
}

type federationMap struct {
	ViewBox string
	Places  []place
	Tiles   []place
}

// place is a member on the map.
type place struct {
	ID       string
	Name     lang.Text
	Listings template.HTML
	Count    string
	State    template.HTML
	Shade    int    // 0 to 4
	Border   string // "wait", "bad" or ""
	At       string // class of its tile
	D        string
	X, Y     int
	Dot      bool
	DX, DY   int
}

// drawn are the members that have a place on the map. The smallest catalogue has the lightest shade but none, the largest the
// darkest.
func (l *landscape) drawn(p *lang.Printer, members []exchange.MemberState) federationMap {
	out := federationMap{ViewBox: l.ViewBox}
	least, most := math.MaxInt, 0
	for _, m := range members {
		if _, ok := l.Members[string(m.ID)]; ok && m.Listings > 0 {
			least, most = min(least, m.Listings), max(most, m.Listings)
		}
	}
	for _, m := range members {
		shape, ok := l.Members[string(m.ID)]
		if !ok {
			continue
		}
		x := place{
			ID: string(m.ID), Name: memberText(p, m), Listings: p.HTMLN("count.listings", m.Listings), Count: p.Number(m.Listings), State: stateName(p, m.State),
			D: shape.D, X: shape.X, Y: shape.Y,
		}
		if m.State == exchange.Unheard {
			x.Listings, x.Count = p.HTML("federation.not-known"), "–"
		} else if m.Listings > 0 {
			x.Shade = 1 + 3*(m.Listings-least)/max(1, most-least)
		}
		switch classOf(m.State) {
		case "catching-up":
			x.Border = "wait"
		case "stale", "disputed", "never":
			x.Border = "bad"
		}
		if shape.Dot != nil {
			x.Dot, x.DX, x.DY = true, shape.Dot[0], shape.Dot[1]
		}
		if at, ok := l.Tiles[x.ID]; ok {
			x.At = fmt.Sprintf("tmh-at-%d-%d", at[0], at[1])
			out.Tiles = append(out.Tiles, x)
		}
		out.Places = append(out.Places, x)
	}
	// Read aloud, tiles come as they are seen: row by row.
	slices.SortStableFunc(out.Tiles, func(a, b place) int {
		x, y := l.Tiles[a.ID], l.Tiles[b.ID]
		return (x[1]-y[1])*10 + x[0] - y[0]
	})
	return out
}
