package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/protocol"
)

// node is one JSON value: nil, bool, json.Number, string, []node or []member. Unlike encoding/json's own maps it keeps
// repeated members, which have to be refused.
type node struct{ value any }

type member struct {
	name string
	node node
}

func (n node) kind() string {
	switch n.value.(type) {
	case nil:
		return "null"
	case bool:
		return "true or false"
	case json.Number:
		return "a number"
	case string:
		return "text"
	case []node:
		return "a list"
	default:
		return "an object"
	}
}

// maxDepth is above what is needed: row, full record, funding, partners, partner.
const maxDepth = 8

// parse reads one JSON value; what names it in faults.
func parse(what string, b []byte) (node, *protocol.Error) {
	if len(bytes.TrimSpace(b)) == 0 {
		return node{}, protocol.Errorf(protocol.CodeRequired, what, "is empty: send a JSON object")
	}
	if !utf8.Valid(b) {
		return node{}, protocol.Errorf(protocol.CodeText, what, "is not UTF-8: save it in that encoding and send it again")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	n, err := parseValue(d, 0)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			return node{}, protocol.Errorf(protocol.CodeText, what, "goes on after its end, at byte %d", d.InputOffset())
		}
		return n, nil
	}
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, errDeep):
		return node{}, protocol.Errorf(protocol.CodeTooLarge, what, "is nested deeper than %d levels", maxDepth)
	case errors.As(err, &syntax):
		return node{}, protocol.Errorf(protocol.CodeText, what, "is not JSON at byte %d: %s", syntax.Offset, syntax.Error())
	default: // the end came too early
		return node{}, protocol.Errorf(protocol.CodeTruncated, what, "is not complete: it ends after %d bytes", len(b))
	}
}

var errDeep = errors.New("too deep") //nolint:gochecknoglobals // a constant

func parseValue(d *json.Decoder, depth int) (node, error) {
	t, err := d.Token()
	if err != nil {
		return node{}, err
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return node{t}, nil
	}
	if depth++; depth > maxDepth {
		return node{}, errDeep
	}
	if delim == '{' {
		all := []member{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return node{}, err
			}
			s, ok := name.(string)
			if !ok {
				return node{}, fmt.Errorf("a name of type %T", name)
			}
			v, err := parseValue(d, depth)
			if err != nil {
				return node{}, err
			}
			all = append(all, member{s, v})
		}
		_, err := d.Token()
		return node{all}, err
	}
	list := []node{}
	for d.More() {
		v, err := parseValue(d, depth)
		if err != nil {
			return node{}, err
		}
		list = append(list, v)
	}
	_, err = d.Token()
	return node{list}, err
}

// suggest names the code that was probably meant, "" where none is near: the same in other case, by its label, with the
// section's letter left out ("10" for ISIC "C10"), or one slip of the finger away.
func suggest(code string, in codes.List) string {
	code = strings.TrimSpace(code)
	var all []string
	for _, c := range in.All() {
		if strings.EqualFold(c.Code, code) || strings.EqualFold(c.Label, code) || (len(code) == 2 && len(c.Code) == 3 && c.Code[1:] == code) {
			return fmt.Sprintf(" (did you mean “%s”?)", c.Code)
		}
		if len(c.Code) > 3 {
			all = append(all, c.Code)
		}
	}
	return nearest(code, all)
}

// nearest names the one of known that is at most two edits away from s, where s is long enough for that to mean something.
func nearest(s string, known []string) string {
	limit := min(2, len(s)/2)
	best, name := limit+1, ""
	for _, k := range known {
		if strings.EqualFold(k, s) {
			best, name = 0, k
		}
		if len(s) > 40 || abs(len(k)-len(s)) > limit {
			continue
		}
		if d := distance(strings.ToLower(s), k); d < best {
			best, name = d, k
		}
	}
	if name == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean “%s”?)", name)
}

func abs(n int) int { return max(n, -n) }

// distance is Levenshtein's, over bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
