package mapping

// The JSON forms that the strict door reads, written straight from the cells.

// document writes the JSON form of the listing, or of the record.
func (w *work) document(record bool) []byte {
	b := make([]byte, 0, 2048)
	b = append(b, '{')
	if !record {
		b = append(b, `"id":"x"`...) // the posting has one of its own
	}
	var open []string
	for i := range w.c.outlets {
		o, x := &w.c.outlets[i], &w.cells[i]
		if o.record != record || len(x.values) == 0 {
			continue
		}
		common := 0
		for common < len(open) && common < len(o.path)-1 && open[common] == o.path[common] {
			common++
		}
		for range open[common:] {
			b = append(b, '}')
		}
		open = o.path[:len(o.path)-1]
		for _, name := range open[common:] {
			b = append(comma(b), '"')
			b = append(append(b, name...), `":{`...)
		}
		b = append(comma(b), '"')
		b = append(append(b, o.path[len(o.path)-1]...), `":`...)
		b = x.append(b)
	}
	for range open {
		b = append(b, '}')
	}
	return append(b, '}')
}

func comma(b []byte) []byte {
	if b[len(b)-1] == '{' {
		return b
	}
	return append(b, ',')
}

func (x *cell) append(b []byte) []byte {
	one := func(b []byte, v string) []byte {
		if x.rule.raw() {
			return append(b, v...)
		}
		return jsonText(b, v)
	}
	if !x.rule.target.List {
		return one(b, x.values[0])
	}
	b = append(b, '[')
	for i, v := range x.values {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b, v)
	}
	return append(b, ']')
}
