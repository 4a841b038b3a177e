package document

import (
	"bytes"
	"mime"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/asean-tmh/tmh/protocol"
)

// sniff tells by content what a file is.
func sniff(data []byte) (string, error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xFF\xD8\xFF")):
		return TypeJPEG, nil
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return TypePNG, nil
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		return typeWebP, nil
	case pdfStart(data) >= 0:
		return TypePDF, nil
	}
	return "", foreign(data)
}

// pdfStart is where the header stands. Some programs write a byte order mark or empty lines before it, nothing else may.
func pdfStart(data []byte) int {
	trimmed := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF")), "\r\n\t \x00")
	if !bytes.HasPrefix(trimmed, []byte("%PDF-")) || len(data)-len(trimmed) > 1024 {
		return -1
	}
	return len(data) - len(trimmed)
}

// foreign names what is refused, and says what to send instead.
func foreign(data []byte) error {
	refuse := func(format string, args ...any) error {
		return protocol.Errorf(protocol.CodeValue, "file", format, args...)
	}
	picture := func(kind string) error {
		return refuse("%s pictures are not taken in: save it as JPEG or PNG and send that", kind)
	}
	text := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(data[:min(len(data), 1024)], []byte("\xEF\xBB\xBF")), "\r\n\t "))
	is := func(prefixes ...string) bool {
		for _, p := range prefixes {
			if bytes.HasPrefix(data, []byte(p)) {
				return true
			}
		}
		return false
	}
	office := func(part string) bool { return bytes.Contains(data[:min(len(data), 64<<10)], []byte(part)) }
	switch {
	case is("PK") && (office("word/") || office("xl/") || office("ppt/") || office("opendocument")), is("\xD0\xCF\x11\xE0"), is("{\\rtf"):
		return refuse("Office documents are not taken in: save it as PDF and send that")
	case is("PK", "Rar!", "7z\xBC\xAF", "\x1F\x8B", "BZh", "\xFD7zXZ", "\x28\xB5\x2F\xFD"):
		return refuse("archives are not taken in: unpack it and send its documents one by one, as PDF, JPEG or PNG")
	case is("GIF8"):
		return picture("GIF")
	case is("II*\x00", "MM\x00*"):
		return picture("TIFF")
	case is("BM"):
		return picture("BMP")
	case is("%!PS"):
		return refuse("PostScript is not taken in: save it as PDF and send that")
	case len(data) > 12 && string(data[4:8]) == "ftyp" && bytes.Contains([]byte("heic heix mif1 msf1 avif"), data[8:12]):
		return picture("HEIC/AVIF")
	case len(data) > 12 && string(data[4:8]) == "ftyp":
		return refuse("films are not taken in: name their address in the description, and send pictures")
	case bytes.Contains(text, []byte("<svg")):
		return refuse("SVG drawings are not taken in: save it as PNG or PDF and send that")
	case bytes.HasPrefix(text, []byte("<")):
		return refuse("web pages and XML are not taken in: print the page to a PDF and send that")
	case is("MZ", "\x7FELF", "#!"):
		return refuse("programs are not taken in: send a PDF that describes it")
	case utf8.Valid(data[:min(len(data), 512)]):
		return refuse("plain texts are not taken in: save it as PDF and send that")
	}
	return refuse("files of this kind are not taken in: send a PDF, JPEG, PNG or WebP")
}

// endings of names by media type, the first is the one that is given.
func endings(kind string) []string {
	switch kind {
	case TypePDF:
		return []string{".pdf"}
	case TypeJPEG:
		return []string{".jpg", ".jpeg", ".jpe", ".jfif"}
	case TypePNG:
		return []string{".png"}
	}
	return []string{".webp"}
}

// agrees compares what was said with what was found. A browser goes by the ending, so a wrong one fails in both.
func (d Declared) agrees(kind string) error {
	short := func(kind string) string { return strings.ToUpper(kind[strings.IndexByte(kind, '/')+1:]) }
	var faults protocol.Errors
	said, _, err := mime.ParseMediaType(d.Type)
	if said == "image/jpg" || said == "image/pjpeg" {
		said = TypeJPEG
	}
	if d.Type != "" && (err != nil || said != kind && said != "application/octet-stream") {
		faults = append(faults, protocol.Errorf(protocol.CodeValue, "type", "the file is a %s, which is not what its type says: send it as %s", short(kind), kind))
	}
	ending := strings.ToLower(path.Ext(lastPart(d.Name)))
	for _, other := range []string{TypePDF, TypeJPEG, TypePNG, typeWebP} {
		for _, e := range endings(other) {
			if e == ending && other != kind {
				faults = append(faults, protocol.Errorf(protocol.CodeValue, "name", "the file is a %s, but its name ends in %s: rename it to end in %s", short(kind), ending, endings(kind)[0]))
			}
		}
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

func lastPart(name string) string {
	return name[strings.LastIndexAny(name, `/\`)+1:]
}

// MaxName is how many characters a name has at most, its ending included.
const MaxName = protocol.MaxDocumentName

// cleanName makes a name safe to show, to send and to save: no path, no control characters or those that turn the direction
// of writing, none that a file system refuses, and the ending that the type has.
func cleanName(name, kind string) string {
	name = lastPart(strings.ToValidUTF8(name, ""))
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r >= 0x200B && r <= 0x200D: // Khmer, Lao, Thai and Burmese part words with these
			return r
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r) || r == utf8.RuneError:
			return -1
		case strings.ContainsRune(`<>:"|?*`, r):
			return '_'
		}
		return r
	}, name)
	name = norm.NFC.String(strings.Join(strings.Fields(name), " "))
	ending := endings(kind)[0]
	stem := name
	for _, k := range []string{TypePDF, TypeJPEG, TypePNG, typeWebP} {
		for _, e := range endings(k) {
			if len(stem) >= len(e) && strings.EqualFold(stem[len(stem)-len(e):], e) {
				if k == kind {
					ending = e
				}
				stem = stem[:len(stem)-len(e)]
				break
			}
		}
	}
	stem = strings.Trim(stem, ". ")
	if r := []rune(stem); len(r) > MaxName-len(ending) {
		stem = strings.TrimRight(string(r[:MaxName-len(ending)]), ". ")
	}
	if strings.Trim(stem, "\u200b\u200c\u200d ") == "" {
		stem = "document"
		if kind != TypePDF {
			stem = "picture"
		}
	}
	return stem + ending
}
