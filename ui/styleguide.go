package ui

import "net/http"

// Every component of docs/design.md as it looks, for those who write pages. It is served by builds that are nobody's release alone
// (Config.Development), and speaks English as they do.

type stylePage struct {
	frame
	Kinds, Verdicts, Fresh, Shades []string
}

func (s *site) styleguide(r *http.Request) (view, error) {
	p := stylePage{
		frame:    s.frame(r, "", "Style guide"),
		Kinds:    []string{"TO", "TR", "RD", "EX", "FC", "FN"},
		Verdicts: []string{"strong", "fair", "weak"},
		Fresh:    []string{"own", "proven", "catching-up", "stale", "never", "disputed"},
		Shades:   []string{"0", "1", "2", "3", "4"},
	}
	p.Live = true
	return view{"styleguide", p, http.StatusOK}, nil
}
