package harvest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/protocol"
)

// answer to any request.
type answer struct {
	response   time.Time
	repaired   int
	faults     []fault
	identity   Identity
	identified bool
	version    string
	records    []Record
	listed     bool // the list was whole
	token      string
	size       int
	sets       []Set
	formats    []Format
}

// fault that the repository states.
type fault struct{ code, text string }

// broken is XML that cannot be read, and where.
type broken struct {
	line int
	err  error
}

func (b *broken) Error() string { return "line " + strconv.Itoa(b.line) + ": " + b.err.Error() }
func (b *broken) Unwrap() error { return b.err }

// parse reads an answer. What was read before an error is in it.
func parse(body []byte, contentType, verb string) (answer, error) {
	text, err := decodeText(body, contentType)
	if err != nil {
		return answer{}, err
	}
	text = bytes.TrimLeft(text, " \t\r\n")
	if bytes.HasPrefix(text, []byte("<?xml")) { // says what is known by now
		if _, rest, whole := bytes.Cut(text, []byte("?>")); whole {
			text = rest
		}
	}
	if isPage(text) {
		return answer{}, protocol.Errorf(protocol.CodeValue, "url", "a page for people is there, not the repository's OAI-PMH interface: check the address, or try again later")
	}
	text, repaired, err := clean(text)
	if err != nil {
		return answer{}, err
	}
	a := answer{repaired: repaired}
	r := newReader(text, 0)
	err = r.document(&a)
	var b *broken
	switch {
	case err == nil && verb == "ListRecords" && !a.listed && len(a.faults) == 0:
		return a, protocol.Errorf(protocol.CodeValue, "url", "the repository's answer has no list of records: check the address")
	case !errors.As(err, &b):
		return a, err
	case a.listed: // what is broken is behind the list
		return a, nil
	case r.root == "":
		return answer{}, &protocol.Error{Code: protocol.CodeValue, Field: "url", Message: "what is there is no XML: give the repository's OAI-PMH base address", Err: err}
	case verb == "ListRecords" && len(a.faults) == 0:
		err = a.salvage(text)
	default:
		err = &protocol.Error{Code: protocol.CodeValue, Field: "url", Message: "the repository's answer is broken XML at " + clip(b.Error(), 120) + ": tell its keepers", Err: err}
	}
	return a, err
}

// isPage says whether a text is HTML.
func isPage(text []byte) bool {
	head := strings.ToLower(string(text[:min(len(text), 200)]))
	return strings.HasPrefix(head, "<!doctype html") || strings.HasPrefix(head, "<html") || strings.HasPrefix(head, "<head")
}

// reader walks through the XML of an answer and counts what it meets.
type reader struct {
	d        *xml.Decoder
	line     int // before the text
	depth    int
	elements int
	root     string
	prefixes map[string]string // of namespaces, as the answer declares them
}

func newReader(text []byte, line int) *reader {
	d := xml.NewDecoder(bytes.NewReader(text))
	d.Entity = xml.HTMLEntity
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // it is UTF-8 by now
	return &reader{d: d, line: line, prefixes: map[string]string{}}
}

// next token.
func (r *reader) next() (xml.Token, error) {
	t, err := r.d.Token()
	if err != nil {
		line, _ := r.d.InputPos()
		var syntax *xml.SyntaxError
		if errors.As(err, &syntax) {
			err = errors.New(syntax.Msg) // its own line number begins with the text
		}
		return nil, &broken{r.line + line, err}
	}
	switch e := t.(type) {
	case xml.StartElement:
		r.depth++
		r.elements += 1 + len(e.Attr)
		if r.depth > maxDepth || r.elements > maxElements {
			return nil, tooLong()
		}
		for _, a := range e.Attr {
			if a.Name.Space == "xmlns" && len(r.prefixes) < 1000 && len(a.Value) <= maxName {
				r.prefixes[a.Value] = a.Name.Local
			}
		}
	case xml.EndElement:
		r.depth--
	case xml.Directive:
		return nil, protocol.Errorf(protocol.CodeValue, "url", "the repository's answer has a document type: it is not read")
	}
	return t, nil
}

// children calls do for every element within the one that was begun, which do reads to its end.
func (r *reader) children(do func(xml.StartElement) error) error {
	for {
		t, err := r.next()
		if err != nil {
			return err
		}
		switch e := t.(type) {
		case xml.StartElement:
			if err := do(e); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		}
	}
}

func (r *reader) skip() error {
	for from := r.depth; r.depth >= from; {
		if _, err := r.next(); err != nil {
			return err
		}
	}
	return nil
}

// text of the element that was begun, and of those within; not beyond most bytes, as that is no value then.
func (r *reader) text(to *string, most int) error {
	var b strings.Builder
	over := false
	for from := r.depth; r.depth >= from; {
		t, err := r.next()
		if err != nil {
			return err
		}
		if c, ok := t.(xml.CharData); ok && !over {
			over = b.Len()+len(c) > most
			b.Write(c)
		}
	}
	if s := strings.TrimSpace(b.String()); !over || len(s) <= most {
		*to = s
	}
	return nil
}

func (r *reader) stamp(to *time.Time) error {
	var s string
	err := r.text(&s, 40)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if t, bad := time.Parse(layout, s); bad == nil {
			*to = t.UTC()
			break
		}
	}
	return err
}

// document reads the whole answer.
func (r *reader) document(a *answer) error {
	for r.root == "" {
		t, err := r.next()
		if err != nil {
			return err
		}
		if e, ok := t.(xml.StartElement); ok {
			if e.Name.Local != "OAI-PMH" {
				return protocol.Errorf(protocol.CodeValue, "url", "what is there is XML, but no OAI-PMH (it begins with “%s”): check the address", clip(e.Name.Local, 40))
			}
			r.root = e.Name.Local
		}
	}
	err := r.children(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "responseDate":
			return r.stamp(&a.response)
		case "error":
			f := fault{code: attribute(e, "code")}
			err := r.text(&f.text, maxName)
			if len(a.faults) < 10 {
				a.faults = append(a.faults, f)
			}
			return err
		case "Identify":
			return r.identify(a)
		case "ListRecords":
			err := r.children(func(e xml.StartElement) error { return r.listed(e, a) })
			a.listed = err == nil
			return err
		case "ListSets", "ListMetadataFormats":
			return r.children(func(e xml.StartElement) error { return r.listed(e, a) })
		}
		return r.skip()
	})
	// What follows the root is not judged: some append a comment or a script's warning.
	return err
}

func (r *reader) identify(a *answer) error {
	a.identified = true
	a.identity = Identity{Deleted: "no", Granularity: Day}
	return r.children(func(e xml.StartElement) error {
		var s string
		switch e.Name.Local {
		case "repositoryName":
			err := r.text(&s, maxName)
			a.identity.Name = clip(s, 300)
			return err
		case "protocolVersion":
			return r.text(&a.version, 20)
		case "earliestDatestamp":
			return r.stamp(&a.identity.Earliest)
		case "deletedRecord":
			err := r.text(&s, 20)
			if s == "persistent" || s == "transient" {
				a.identity.Deleted = s
			}
			return err
		case "granularity":
			err := r.text(&s, 40)
			if strings.EqualFold(s, Second) {
				a.identity.Granularity = Second
			}
			return err
		}
		return r.skip()
	})
}

// listed reads one element of a list.
func (r *reader) listed(e xml.StartElement, a *answer) error {
	switch e.Name.Local {
	case "record":
		rec, err := r.record()
		if err != nil {
			return err
		}
		if len(a.records) == maxRecords {
			return tooLong()
		}
		a.records = append(a.records, rec)
		return nil
	case "resumptionToken":
		return r.resumption(e, a)
	case "set":
		var s Set
		err := r.children(func(e xml.StartElement) error {
			switch e.Name.Local {
			case "setSpec":
				return r.text(&s.Spec, maxSet)
			case "setName":
				return r.text(&s.Name, maxName)
			}
			return r.skip()
		})
		if s.Spec != "" && len(a.sets) < maxSets {
			a.sets = append(a.sets, s)
		}
		return err
	case "metadataFormat":
		var f Format
		err := r.children(func(e xml.StartElement) error {
			switch e.Name.Local {
			case "metadataPrefix":
				return r.text(&f.Prefix, maxPrefix)
			case "metadataNamespace":
				return r.text(&f.Namespace, maxName)
			}
			return r.skip()
		})
		if f.Prefix != "" && len(a.formats) < 1000 {
			a.formats = append(a.formats, f)
		}
		return err
	}
	return r.skip()
}

// token reads a resumption token that stands alone.
func (r *reader) token(t xml.Token, a *answer) error {
	e, ok := t.(xml.StartElement)
	if !ok {
		return ErrCut
	}
	return r.resumption(e, a)
}

func (r *reader) resumption(e xml.StartElement, a *answer) error {
	if n, err := strconv.ParseUint(attribute(e, "completeListSize"), 10, 31); err == nil {
		a.size = int(n)
	}
	var s string
	if err := r.text(&s, maxAnswer); err != nil {
		return err
	}
	if len(s) > maxToken {
		return protocol.Errorf(protocol.CodeTooLarge, "token", "the repository's token of the next page is over %d bytes long", maxToken)
	}
	a.token = s
	return nil
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return strings.TrimSpace(a.Value)
		}
	}
	return ""
}
