package table

import (
	"bytes"
	"errors"
	"io"
	"os"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/asean-tmh/tmh/protocol"
)

// lines is a window on a text of which no more is held than one row may have.
type lines struct {
	r    *counter
	in   io.Reader // r, in UTF-8
	size int64
	buf  []byte // what was read and not yet used
	at   int    // of buf, what was used
	max  int
	eof  bool
	n    int // the line at at, from 1
}

// counter counts the bytes of the file itself.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// rowRoom is what a row may have beyond its cells: separators, quotes.
const rowRoom = 4 << 10

func newLines(f *os.File, size int64, max int) *lines {
	l := &lines{r: &counter{r: f}, size: size, max: max + rowRoom, n: 1}
	// The mark of UTF-16 or UTF-8 decides; without one it is UTF-8, whose faults are the rows'.
	var head [3]byte
	n, _ := f.ReadAt(head[:], 0)
	switch mark := head[:n]; {
	case bytes.HasPrefix(mark, []byte("\xff\xfe")), bytes.HasPrefix(mark, []byte("\xfe\xff")):
		l.in = transform.NewReader(l.r, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder())
	case string(mark) == "\xef\xbb\xbf":
		_, _ = io.CopyN(io.Discard, l.r, 3)
		l.in = l.r
	default:
		l.in = l.r
	}
	return l
}

// more reads on, and is false where the text ends or the window is full.
func (l *lines) more() (bool, error) {
	if l.eof || len(l.buf)-l.at >= l.max {
		return false, nil
	}
	if l.at > 0 && len(l.buf) == cap(l.buf) {
		l.buf = l.buf[:copy(l.buf, l.buf[l.at:])]
		l.at = 0
	}
	if len(l.buf) == cap(l.buf) {
		grown := make([]byte, len(l.buf), min(max(64<<10, 2*cap(l.buf)), l.max))
		copy(grown, l.buf)
		l.buf = grown
	}
	for range 100 {
		n, err := l.in.Read(l.buf[len(l.buf):cap(l.buf)])
		l.buf = l.buf[:len(l.buf)+n]
		switch {
		case errors.Is(err, io.EOF):
			l.eof = true
			return n > 0, nil
		case err != nil:
			return false, unread(err)
		case n > 0:
			return true, nil
		}
	}
	return false, unread(io.ErrNoProgress)
}

// use passes over n bytes that hold so many ends of lines.
func (l *lines) use(n, ends int) { l.at, l.n = l.at+n, l.n+ends }

// line is the text up to the end of the line, and its length with that end. Of a line that does not fit, fits is false.
func (l *lines) line(cr bool) (text []byte, n int, fits bool, err error) {
	from := 0
	for {
		rest := l.buf[l.at:]
		i := bytes.IndexByte(rest[from:], '\n')
		if cr {
			i = bytes.IndexAny(rest[from:], "\r\n")
		}
		if i >= 0 {
			i += from
			switch {
			case rest[i] == '\n' && i > 0 && rest[i-1] == '\r':
				return rest[:i-1], i + 1, true, nil
			case rest[i] == '\n':
				return rest[:i], i + 1, true, nil
			case i+1 < len(rest) && rest[i+1] == '\n':
				return rest[:i], i + 2, true, nil
			case i+1 < len(rest) || l.eof:
				return rest[:i], i + 1, true, nil
			}
		}
		from = max(len(rest)-1, 0)
		ok, err := l.more()
		if err != nil {
			return nil, 0, false, err
		}
		if !ok {
			rest = l.buf[l.at:]
			if i = bytes.IndexByte(rest, '\r'); cr && i >= 0 {
				return rest[:i], i + 1, true, nil
			}
			return rest, len(rest), l.eof, nil
		}
	}
}

// skipLine drops a line however long it is.
func (l *lines) skipLine(cr bool) error {
	for {
		_, n, fits, err := l.line(cr)
		if err != nil {
			return err
		}
		if fits {
			l.use(n, 1)
			return nil
		}
		l.use(n, 0)
	}
}

func (l *lines) done() (read, size int64) {
	if l.eof && l.at == len(l.buf) {
		return l.size, l.size
	}
	return max(0, l.r.n-int64(len(l.buf)-l.at)), l.size
}

// csvSource reads RFC 4180 with the three separators that spreadsheets write. Unlike encoding/csv it goes on after a row that
// is broken: at the line after that row's first, so that a quote that is never closed costs one row.
type csvSource struct {
	*lines
	separator byte
	columns   int
	all       []byte // cells of the row that is read, one after the other
	ends      []int
	vain      int64 // bytes that were read for rows that could not be read
}

// maxVain bounds them: where a quote is never closed, the whole window is read, and that for one line.
const maxVain = 64 << 20

func newCSVSource(f *os.File, size int64, l Limits) (*csvSource, error) {
	s := &csvSource{lines: newLines(f, size, l.Row), separator: ',', columns: l.Columns}
	first, n, fits, err := s.line(true)
	if err != nil {
		return nil, err
	}
	if len(first) == 5 && bytes.EqualFold(first[:4], []byte("sep=")) {
		s.separator = first[4]
		if !bytes.ContainsRune([]byte(",;\t|"), rune(first[4])) {
			return nil, protocol.Errorf(protocol.CodeValue, "", "the first line asks for the separator %q: take a comma, a semicolon or a tab", clip(string(first[4:])))
		}
		s.use(n, 1)
		return s, nil
	}
	if !fits {
		return nil, protocol.Errorf(protocol.CodeTooLarge, "", "the first line is over %d KiB: is this a table?", (s.max-rowRoom)>>10)
	}
	most, quoted := 0, false
	for _, sep := range []byte(",;\t") {
		count := 0
		for _, b := range first {
			if b == '"' {
				quoted = !quoted
			} else if b == sep && !quoted {
				count++
			}
		}
		if quoted = false; count > most {
			most, s.separator = count, sep
		}
	}
	return s, nil
}

func (s *csvSource) close() error { return nil }

// How the reading of a row ended.
type outcome int

const (
	whole    outcome = iota
	tooLong          // it does not fit, quotes or not
	unclosed         // the file ends in a quote
	broken           // something stands between a closing quote and the separator
)

func (s *csvSource) next() (record, error) {
	for {
		s.all, s.ends = s.all[:0], s.ends[:0]
		n := s.n
		used, breaks, cells, end, err := s.scan()
		if err != nil {
			return record{}, err
		}
		if end != whole {
			if s.vain += int64(used); s.vain > maxVain {
				return record{}, protocol.Errorf(protocol.CodeText, "", "line %d is one of many with a quote that is not closed; nothing from it on was read: close the quotes", n)
			}
			return s.fault(n, end)
		}
		if used == 0 {
			return record{}, io.EOF
		}
		s.use(used, breaks)
		if len(s.all) == 0 { // an empty line, or the row of separators that a spreadsheet writes below its table
			continue
		}
		rec := record{n: n, cells: make([]string, len(s.ends))}
		all, from := string(s.all), 0
		for i, to := range s.ends {
			rec.cells[i], from = all[from:to], to
		}
		if cells > len(s.ends) {
			rec.faults = protocol.Errors{protocol.Errorf(protocol.CodeTooLarge, "", "%d cells, at most %d columns are taken", cells, s.columns)}
		}
		return rec, nil
	}
}

// scan takes the row at the window's beginning apart. A line end of any kind ends it; in quotes each becomes \n.
func (s *csvSource) scan() (i, breaks, cells int, end outcome, err error) {
	const (
		begin = iota
		plain
		quoted
		closed
	)
	state := begin
	cell := func() {
		if cells++; len(s.ends) <= s.columns {
			s.ends = append(s.ends, len(s.all))
		}
		state = begin
	}
	for {
		if s.at+i >= len(s.buf) {
			ok, err := s.more()
			if err != nil {
				return 0, 0, 0, 0, err
			}
			if !ok {
				switch {
				case !s.eof:
					return i, breaks, cells, tooLong, nil
				case state == quoted:
					return i, breaks, cells, unclosed, nil
				}
				if i > 0 {
					cell()
				}
				return i, breaks + 1, cells, whole, nil
			}
		}
		b := s.buf[s.at+i]
		i++
		if b == '\r' && s.at+i >= len(s.buf) {
			if _, err := s.more(); err != nil {
				return 0, 0, 0, 0, err
			}
		}
		if b == '\r' && s.at+i < len(s.buf) && s.buf[s.at+i] == '\n' {
			b = '\n'
			i++
		} else if b == '\r' && state != quoted {
			b = '\n'
		}
		switch {
		case state == quoted && b == '"':
			state = closed
		case state == quoted:
			if b == '\n' || b == '\r' {
				breaks++
			}
			s.all = append(s.all, b)
		case b == s.separator:
			cell()
		case b == '\n':
			cell()
			return i, breaks + 1, cells, whole, nil
		case state == begin && b == '"':
			state = quoted
		case state == closed && b == '"':
			s.all = append(s.all, b)
			state = quoted
		case state == closed:
			return i, breaks, cells, broken, nil
		default:
			s.all = append(s.all, b)
			state = plain
		}
	}
}

// fault passes over the first line of a row that could not be read.
func (s *csvSource) fault(n int, end outcome) (record, error) {
	text, used, fits, err := s.line(true)
	if err != nil {
		return record{}, err
	}
	rec := record{n: n, raw: append([]byte(nil), text[:min(len(text), rowRoom)]...)}
	switch {
	case !fits:
		rec.faults = protocol.Errors{protocol.Errorf(protocol.CodeTooLarge, "", "the row is over %d KiB", (s.max-rowRoom)>>10)}
	case end == broken:
		rec.faults = protocol.Errors{protocol.Errorf(protocol.CodeText, "", "a quote stands where none may: write a quote within a quoted cell twice (\"\")")}
	default:
		rec.faults = protocol.Errors{protocol.Errorf(protocol.CodeText, "", "a quote that opens a cell in this line is not closed: close it; the lines after it were read as rows of their own")}
	}
	if !utf8.Valid(text) {
		rec.faults = append(rec.faults, notUTF8(""))
	}
	if fits {
		s.use(used, 1)
		return rec, nil
	}
	return rec, s.skipLine(true)
}
