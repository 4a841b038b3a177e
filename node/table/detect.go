package table

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
)

// Detect tells the format by a file's first bytes (4 KiB do) and, where they leave a doubt, its name. What is none of the
// formats is refused with the format that it seems to be.
func Detect(head []byte, name string) (Format, error) {
	ext := strings.ToLower(filepath.Ext(name))
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	wide := bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff"))
	if wide { // of UTF-16 every other byte is enough to know a bracket
		text = bytes.TrimLeft(bytes.ReplaceAll(head[2:], []byte{0}, nil), " \t\r\n")
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	begins := func(s string) bool { return bytes.HasPrefix(text, []byte(s)) }
	switch {
	case len(text) == 0:
		return "", refuse("is empty")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return detectZip(head, ext)
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return "", refuse("is an old Excel file (.xls), or protected by a password: save it as .xlsx without a password")
	case begins("%PDF"):
		return "", refuse("is a PDF")
	case begins("<"):
		return "", refuse("is HTML or XML, whatever its name says: open it in a spreadsheet and save it as .xlsx")
	case begins(`{\rtf`):
		return "", refuse("is a document, not a table")
	case bytes.HasPrefix(head, []byte("\x1f\x8b")), bytes.HasPrefix(head, []byte("7z\xbc\xaf")), bytes.HasPrefix(head, []byte("Rar!")), begins("PK"):
		return "", refuse("is packed: unpack it first")
	case begins("["):
		return "", refuse("is one JSON list: write each of its objects in a line of its own, without the brackets and commas around them")
	case !wide && bytes.IndexByte(head, 0) >= 0:
		return "", refuse("is not text: if it is a table in UTF-16 without a mark, save it as UTF-8")
	case bytes.ContainsFunc(first, unprintable): // further down it is a slip of somebody's clipboard
		return "", refuse("is not text")
	case begins("{"):
		return JSONL, nil
	case ext == ".jsonl", ext == ".ndjson", ext == ".json":
		return "", refuse("does not begin with an object: JSON Lines has one object in braces in each line")
	}
	return CSV, nil
}

// DetectFile tells the format of a file that lies at a path and has, for people, another name.
func DetectFile(path, name string) (Format, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", unread(err)
	}
	defer file.Close()
	return detect(file, name)
}

func detect(file *os.File, name string) (Format, error) {
	head := make([]byte, 4096)
	n, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", unread(err)
	}
	return Detect(head[:n], name)
}

func detectZip(head []byte, ext string) (Format, error) {
	has := func(s string) bool { return bytes.Contains(head, []byte(s)) }
	switch {
	case has("vnd.oasis.opendocument"):
		return "", refuse("is an OpenDocument file: save it as .xlsx")
	case has("word/"), has("ppt/"):
		return "", refuse("is a document or a presentation, not a table")
	case has("workbook.bin"), ext == ".xlsb":
		return "", refuse("is a binary workbook (.xlsb): save it as .xlsx")
	case has("xl/"), ext == ".xlsx", ext == ".xlsm":
		return XLSX, nil
	}
	return "", refuse("is packed (zip): unpack it first")
}

func unprintable(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\n\v\f\r\x1a", r) }

func refuse(why string) *protocol.Error {
	return protocol.Errorf(protocol.CodeValue, "file", "the file %s. Tables are taken as CSV (UTF-8), Excel .xlsx or JSON Lines", why)
}

// size in the unit that people read.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d KiB", (n+1023)>>10)
}
