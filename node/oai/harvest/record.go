package harvest

import (
	"bytes"
	"encoding/xml"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
)

// record reads one whose element was begun. Where that fails it is what was read before.
func (r *reader) record() (Record, error) {
	var rec Record
	headed, filled := false, false
	err := r.children(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "header":
			if headed {
				return r.skip()
			}
			headed = true
			return r.header(e, &rec)
		case "metadata":
			if filled {
				return r.skip()
			}
			filled = true
			return r.metadata(&rec)
		}
		return r.skip()
	})
	switch {
	case err != nil:
	case rec.Identifier == "":
		rec.Err = protocol.Errorf(protocol.CodeRequired, "identifier", "the record has none that can be read: tell the repository's keepers")
	case rec.Deleted:
		rec.Fields, rec.Err = nil, nil
	case rec.Err == nil && len(rec.Fields) == 0:
		rec.Err = protocol.Errorf(protocol.CodeRequired, "metadata", "the record has none in this format")
	}
	return rec, err
}

func (r *reader) header(e xml.StartElement, rec *Record) error {
	var h Record
	h.Deleted = strings.EqualFold(attribute(e, "status"), "deleted")
	err := r.children(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "identifier":
			return r.text(&h.Identifier, maxName)
		case "datestamp":
			return r.stamp(&h.Datestamp)
		case "setSpec":
			var s string
			err := r.text(&s, maxSet)
			if s != "" && len(h.Sets) < maxHeader {
				h.Sets = append(h.Sets, s)
			}
			return err
		}
		return r.skip()
	})
	if err != nil { // of half a header only the name is taken: nothing may be withdrawn by it
		rec.Identifier = h.Identifier
		return err
	}
	*rec = h
	return nil
}

// node of metadata.
type node struct {
	name     string
	lang     string
	parts    []part
	children bool
	words    bool // has text of its own
}

// part is a text or a node.
type part struct {
	text string
	node *node
}

// metadata reads the elements of a record. What is beyond the limits makes the record unreadable, not the page.
func (r *reader) metadata(rec *Record) error {
	m := &metadata{r: r}
	top := &node{}
	if err := m.fill(top, 0); err != nil {
		return err
	}
	if m.over {
		rec.Err = protocol.Errorf(protocol.CodeTooLarge, "metadata", "the record has more than %d fields, or %d KB, or %d elements within each other",
			maxFields, maxMetadata>>10, maxNested)
		return nil
	}
	for _, p := range top.parts {
		if p.node == nil {
			continue
		}
		if !p.node.children { // no container: it is the value itself
			rec.Fields = p.node.fields(rec.Fields)
			continue
		}
		for _, q := range p.node.parts {
			if q.node != nil {
				rec.Fields = q.node.fields(rec.Fields)
			}
		}
	}
	return nil
}

type metadata struct {
	r     *reader
	nodes int
	size  int
	over  bool
}

// fill reads the content of n up to its end.
func (m *metadata) fill(n *node, depth int) error {
	for {
		t, err := m.r.next()
		if err != nil {
			return err
		}
		switch e := t.(type) {
		case xml.EndElement:
			return nil
		case xml.CharData:
			m.size += len(e)
			m.over = m.over || m.size > maxMetadata
			if !m.over {
				n.parts = append(n.parts, part{text: string(e)})
				n.words = n.words || len(bytes.TrimSpace(e)) > 0
			}
		case xml.StartElement:
			m.nodes++
			m.over = m.over || m.nodes > maxFields || depth >= maxNested
			if m.over {
				if err := m.r.skip(); err != nil {
					return err
				}
				continue
			}
			child := &node{name: m.r.name(e.Name), lang: language(e, n.lang)}
			if depth > 1 { // below the container and its fields
				child.name = n.name + "." + strings.TrimPrefix(child.name, prefix(n.name))
			}
			m.over = m.over || len(child.name) > maxPath
			n.children = true
			n.parts = append(n.parts, part{node: child})
			if err := m.fill(child, depth+1); err != nil {
				return err
			}
		}
	}
}

// fields adds what n says. Elements among words are markup: they make one value.
func (n *node) fields(to []Field) []Field {
	if n.words || !n.children {
		var b strings.Builder
		n.write(&b)
		if v := strings.TrimSpace(b.String()); v != "" {
			to = append(to, Field{Name: n.name, Lang: n.lang, Value: v})
		}
		return to
	}
	for _, p := range n.parts {
		if p.node != nil {
			to = p.node.fields(to)
		}
	}
	return to
}

// prefix of a name: "dc:" of "dc:title".
func prefix(name string) string {
	p, _, found := strings.Cut(name, ":")
	if !found {
		return ""
	}
	return p + ":"
}

func (n *node) write(b *strings.Builder) {
	for _, p := range n.parts {
		b.WriteString(p.text)
		if p.node != nil {
			p.node.write(b)
		}
	}
}

// name with the prefix by which its namespace is known, or else with the one that the answer declares.
func (r *reader) name(n xml.Name) string {
	var p string
	switch strings.TrimSuffix(strings.Replace(n.Space, "https://", "http://", 1), "/") {
	case "http://purl.org/dc/elements/1.1":
		p = "dc"
	case "http://purl.org/dc/terms":
		p = "dcterms"
	default:
		p = r.prefixes[n.Space]
		if p == "" && !strings.ContainsAny(n.Space, ":/") {
			p = n.Space // undeclared: it is the prefix itself
		}
	}
	if p == "" {
		return n.Local
	}
	return p + ":" + n.Local
}

func language(e xml.StartElement, above string) string {
	for _, a := range e.Attr {
		if a.Name.Local == "lang" && len(a.Value) <= 35 {
			if v := strings.TrimSpace(a.Value); v != "" {
				return v
			}
		}
	}
	return above
}
