package harvest

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
)

// salvage reads a list whose XML is broken, record by record: each is an XML text of its own then, and what is wrong in one does not hide the
// others. The token of the next page counts only where it stands behind the last record.
//
// The text has no comments and no CDATA any more, so that what looks like a tag is one. A record begins where its header follows, as metadata
// may have elements called record too.
func (a *answer) salvage(text []byte) error {
	begin := regexp.MustCompile(`<((?:[A-Za-z_][\w.-]{0,30}:)?)record(?:\s[^<>]*)?>\s*<(?:[A-Za-z_][\w.-]{0,30}:)?header[\s>]`)
	starts := begin.FindAllSubmatchIndex(text, maxRecords+1)
	a.records, a.token, a.size = nil, "", 0
	switch {
	case len(starts) > maxRecords:
		return tooLong()
	case len(starts) == 0 && !bytes.Contains(text, []byte("OAI-PMH>")):
		return cut("its beginning")
	case len(starts) == 0:
		return &protocol.Error{Code: protocol.CodeValue, Field: "url", Message: "the repository's answer is broken XML, and no record in it is whole: tell its keepers"}
	}
	space := string(text[starts[0][2]:starts[0][3]])
	head := newReader(text[:starts[0][0]], 0)
	for err := error(nil); err == nil; {
		_, err = head.next()
	}
	list := text[:starts[0][0]]
	if _, between, found := bytes.Cut(list[max(bytes.LastIndex(list, []byte("ListRecords")), 0):], []byte(">")); found {
		a.between(between, 0)
	}
	line, counted, elements := 0, 0, 0
	tail := text
	for i, s := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		piece := text[s[0]:end]
		whole := bytes.LastIndex(piece, []byte("</"+space+"record>"))
		if whole >= 0 {
			whole += len("</" + space + "record>")
		} else if whole = bytes.Index(piece, []byte("<"+space+"resumptionToken")); whole < 0 {
			whole = len(piece)
		}
		line += bytes.Count(text[counted:s[0]], []byte("\n"))
		counted = s[0]
		r := newReader(piece[:whole], line)
		r.prefixes, r.elements = head.prefixes, elements
		rec, rest := r.alone(piece[:whole])
		a.records = append(a.records, rec)
		a.between(rest, line)
		elements = r.elements
		tail = piece[whole:]
		if i+1 < len(starts) {
			a.between(tail, line)
		}
	}
	return a.ending(tail, space)
}

// between notes what stands between two records and is none: it may have been one.
func (a *answer) between(text []byte, line int) {
	if len(bytes.TrimSpace(text)) > 0 {
		a.records = append(a.records, Record{Err: protocol.Errorf(protocol.CodeValue, "metadata",
			"something beside or behind the record at line %d cannot be read: tell the repository's keepers", line+1)})
	}
}

// alone reads a record that stands alone, and gives what is behind it.
func (r *reader) alone(text []byte) (Record, []byte) {
	_, err := r.next() // its own tag
	var rec Record
	if err == nil {
		rec, err = r.record()
	}
	if err != nil {
		rec.Fields = nil
		rec.Err = &protocol.Error{Code: protocol.CodeValue, Field: "metadata",
			Message: fmt.Sprintf("the record is broken XML (%s): tell the repository's keepers", clip(err.Error(), 120)), Err: err}
		return rec, nil
	}
	return rec, text[r.d.InputOffset():]
}

// ending reads what follows the last record.
func (a *answer) ending(tail []byte, space string) error {
	name := space + "resumptionToken"
	ended := bytes.Contains(tail, []byte("</"+space+"ListRecords"))
	at := bytes.LastIndex(tail, []byte("<"+name))
	if at >= 0 {
		element := tail[at:]
		if end := bytes.Index(element, []byte("</"+name)); end >= 0 {
			element = append(element[:end:end], "</"+name+">"...)
		} else if bytes.IndexByte(element, '>') < 0 {
			element = nil
		}
		r := newReader(element, 0)
		t, err := r.d.Token()
		if err == nil {
			r.depth, r.root = 1, name
			err = r.token(t, a)
		}
		if err == nil {
			return nil
		}
		ended = false
	}
	if ended {
		return nil
	}
	n := len(a.records)
	return cut(strings.TrimSpace(fmt.Sprintf("or after record %d of the page %s", n, clip(a.records[n-1].Identifier, 200))))
}

func cut(place string) error {
	return &later{err: &protocol.Error{Code: protocol.CodeUnavailable, Field: "url",
		Message: "the repository's answer ends in the midst, in " + place + ": try again later, or tell its keepers", Err: ErrCut}}
}
