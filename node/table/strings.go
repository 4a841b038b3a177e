package table

import (
	"bufio"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"sort"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
)

const (
	blockStrings = 64
	blockBytes   = 16 << 10 // a longer string has a block of its own: a cell that points anywhere costs no more than this and its own text
	heldBytes    = 32 << 20
)

// shared are the strings that a workbook's cells point to. They lie in a temporary file; a few blocks of them are held.
type shared struct {
	file   *os.File
	w      *bufio.Writer
	size   int64
	count  int
	blocks []block
	held   map[int][]string
	bytes  int64 // of held
}

type block struct {
	first int   // number of its first string
	at    int64 // in file
}

func readShared(b *book, name string, l Limits) (*shared, error) {
	e, err := b.open(name, rowBudget(l))
	if e == nil || err != nil {
		return &shared{}, err
	}
	defer e.Close()
	s := &shared{held: map[int][]string{}}
	if s.file, err = os.CreateTemp(l.Temp, "table-*.tmp"); err != nil {
		return s, unread(err)
	}
	_ = os.Remove(s.file.Name()) // at once where the system lets us: nothing is left after a crash
	s.w = bufio.NewWriterSize(s.file, 64<<10)
	for {
		e.left = rowBudget(l)
		t, err := e.token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			if el, ok := t.(xml.StartElement); ok && el.Name.Local == "si" {
				var text string
				if text, err = e.richText(); err == nil {
					err = s.add(text)
				}
			}
		}
		if errors.Is(err, errBound) {
			err = protocol.Errorf(protocol.CodeTooLarge, "file", "a cell of the workbook has over %d KiB", l.Row>>10)
		}
		if err != nil {
			return s, err
		}
	}
	if err := s.w.Flush(); err != nil {
		return s, unread(err)
	}
	return s, nil
}

func (s *shared) add(text string) error {
	if n := len(s.blocks); n == 0 || s.count-s.blocks[n-1].first >= blockStrings || s.size-s.blocks[n-1].at+int64(len(text)) > blockBytes {
		s.blocks = append(s.blocks, block{s.count, s.size})
	}
	n, err := s.w.Write(binary.AppendUvarint(nil, uint64(len(text))))
	if err == nil {
		_, err = s.w.WriteString(text)
	}
	if err != nil {
		return unread(err)
	}
	s.size += int64(n + len(text))
	s.count++
	return nil
}

// string number i, as a cell writes it.
func (s *shared) string(number string) (string, error) {
	i, err := strconv.Atoi(number)
	if err != nil || i < 0 || i >= s.count {
		return "", notWorkbook("a cell points to a text that is not there")
	}
	at := sort.Search(len(s.blocks), func(n int) bool { return s.blocks[n].first > i }) - 1
	if s.held[at] == nil {
		if err := s.hold(at); err != nil {
			return "", err
		}
	}
	return s.held[at][i-s.blocks[at].first], nil
}

func (s *shared) hold(at int) error {
	end, last := s.size, s.count
	if at+1 < len(s.blocks) {
		end, last = s.blocks[at+1].at, s.blocks[at+1].first
	}
	from := s.blocks[at]
	buf := make([]byte, end-from.at)
	if _, err := s.file.ReadAt(buf, from.at); err != nil {
		return unread(err)
	}
	if s.bytes += int64(len(buf)); s.bytes > heldBytes {
		clear(s.held)
		s.bytes = int64(len(buf))
	}
	all := string(buf)
	texts := make([]string, 0, last-from.first)
	for len(all) > 0 {
		n, used := binary.Uvarint([]byte(all[:min(len(all), binary.MaxVarintLen64)]))
		if used <= 0 || n > uint64(len(all)-used) {
			return unread(io.ErrUnexpectedEOF)
		}
		texts = append(texts, all[used:used+int(n)])
		all = all[used+int(n):]
	}
	if len(texts) != last-from.first {
		return unread(io.ErrUnexpectedEOF)
	}
	s.held[at] = texts
	return nil
}

func (s *shared) close() error {
	if s == nil || s.file == nil {
		return nil
	}
	err := s.file.Close()
	if gone := os.Remove(s.file.Name()); !errors.Is(gone, os.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// richText is what a reader sees of an element with runs of text; how it is pronounced is left out.
func (e *elements) richText() (string, error) {
	var b strings.Builder
	for to := e.depth - 1; e.depth > to; {
		t, err := e.token()
		if err != nil {
			return "", noEnd(err)
		}
		el, ok := t.(xml.StartElement)
		switch {
		case !ok || el.Name.Local == "r":
		case el.Name.Local == "t":
			text, err := e.text()
			if err != nil {
				return "", err
			}
			b.WriteString(text)
		default:
			if err := e.skip(); err != nil {
				return "", err
			}
		}
	}
	return unescape(b.String()), nil
}

// unescape reads _x000D_ as what it stands for: so a workbook writes what XML cannot hold.
func unescape(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if n, ok := escaped(s[i:]); ok {
			b.WriteRune(n)
			i += escapeLen
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}

const escapeLen = len("_x0000_")

func escaped(s string) (rune, bool) {
	if len(s) < escapeLen || s[0] != '_' || s[1] != 'x' || s[6] != '_' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[2:6], 16, 16)
	return rune(n), err == nil
}
