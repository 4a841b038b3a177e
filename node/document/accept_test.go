package document_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/node/document"
	"github.com/asean-tmh/tmh/protocol"
)

func archive(t testing.TB) *document.Archive {
	t.Helper()
	return document.New(document.Config{})
}

func accept(t testing.TB, data []byte) *document.Clean {
	t.Helper()
	c, err := archive(t).Accept(context.Background(), bytes.NewReader(data), document.Declared{}, document.Limits{})
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return c
}

// everything is what a reader of the bytes can find: as they are, and with every compressed stream unpacked.
func everything(data []byte) []byte {
	out := bytes.Clone(data)
	for i := range data {
		if data[i]&0x0F == 8 && i+1 < len(data) && binary.BigEndian.Uint16(data[i:])%31 == 0 {
			if z, err := zlib.NewReader(bytes.NewReader(data[i:])); err == nil {
				b, _ := io.ReadAll(io.LimitReader(z, 1<<20))
				out = append(append(out, '\n'), b...)
			}
		}
	}
	return out
}

func noSecret(t *testing.T, data []byte) {
	t.Helper()
	all := everything(data)
	for _, s := range []string{"SECRET", "534543524554", "S\x00E\x00C\x00R\x00E\x00T", "Exif", "JavaScript"} {
		if i := bytes.Index(all, []byte(s)); i >= 0 {
			t.Errorf("%s left: %q", s, all[max(0, i-40):min(len(all), i+40)])
		}
	}
}

func TestPictureKeepsOnlyPixels(t *testing.T) {
	plain := jpegOf(t, photo(900, 600))
	loaded := withSegments(plain, "SECRET-tail",
		"\xE1Exif\x00\x00"+string(exif(6, "SECRET-artist")), "\xE1http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>SECRET</x:xmpmeta>", "\xEDPhotoshop 3.0\x00SECRET", "\xE2ICC_PROFILE\x00\x01\x01SECRET", "\xFESECRET comment")
	if !bytes.Contains(everything(loaded), []byte("SECRET-artist")) {
		t.Fatal("nothing was seeded")
	}
	c := accept(t, loaded)
	noSecret(t, c.Bytes())
	noSecret(t, c.PreviewBytes())
	if c.Type != document.TypeJPEG || c.Width != 600 || c.Height != 900 || c.Size != int64(len(c.Bytes())) || c.Hash != protocol.Sum(c.Bytes()) {
		t.Errorf("got %+v", c.Document)
	}
	m, err := jpeg.Decode(bytes.NewReader(c.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if dark(m, 0.1, 0.1) || !dark(m, 0.9, 0.1) || dark(m, 0.9, 0.9) {
		t.Error("orientation 6 was not applied: the dark corner belongs to the upper right")
	}
	p, err := jpeg.Decode(bytes.NewReader(c.PreviewBytes()))
	if err != nil || p.Bounds().Dx() != 426 || p.Bounds().Dy() != 640 || !dark(p, 0.9, 0.1) {
		t.Errorf("preview: %v, %v", p.Bounds(), err)
	}
	if c.Preview != protocol.Sum(c.PreviewBytes()) {
		t.Error("the preview's hash is another's")
	}
}

func dark(m image.Image, x, y float64) bool {
	b := m.Bounds()
	r, _, _, _ := m.At(b.Min.X+int(x*float64(b.Dx())), b.Min.Y+int(y*float64(b.Dy()))).RGBA()
	return r < 0x4000
}

func TestEveryOrientation(t *testing.T) {
	corner := []struct{ x, y float64 }{1: {.1, .1}, 2: {.9, .1}, 3: {.9, .9}, 4: {.1, .9}, 5: {.1, .1}, 6: {.9, .1}, 7: {.9, .9}, 8: {.1, .9}}
	for o := 1; o <= 8; o++ {
		c := accept(t, withChunks(pngOf(t, photo(40, 20)), "", "eXIf"+string(exif(o, "SECRET"))))
		m, err := png.Decode(bytes.NewReader(c.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if upright := o < 5; (m.Bounds().Dx() == 40) != upright {
			t.Errorf("orientation %d: %v", o, m.Bounds())
		}
		for at, p := range corner[1:5] {
			if got, want := dark(m, p.x, p.y), p == corner[o]; got != want {
				t.Errorf("orientation %d: corner %d dark: %v, want %v", o, at+1, got, want)
			}
		}
	}
}

func TestPNGStaysPNG(t *testing.T) {
	c := accept(t, withChunks(pngOf(t, photo(50, 50)), "SECRET-tail", "tEXtAuthor\x00SECRET", "zTXtComment\x00\x00"+squeeze("SECRET"), "iTXtXML:com.adobe.xmp\x00\x00\x00\x00\x00SECRET", "eXIf"+string(exif(1, "SECRET"))))
	noSecret(t, c.Bytes())
	if c.Type != document.TypePNG {
		t.Errorf("became %s", c.Type)
	}
	m, err := png.Decode(bytes.NewReader(c.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		r, g, b, _ := m.At(i, 40).RGBA()
		if wr, wg, wb, _ := photo(50, 50).At(i, 40).RGBA(); r != wr || g != wg || b != wb {
			t.Fatalf("pixel %d changed", i)
		}
	}
}

// A WebP of 1 × 1 pixels, lossless.
const tinyWebP = "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="

func TestWebPBecomesPNGOrJPEG(t *testing.T) {
	data, err := base64.StdEncoding.DecodeString(tinyWebP)
	if err != nil {
		t.Fatal(err)
	}
	data = append(data, "XMP \x06\x00\x00\x00SECRET"...)
	binary.LittleEndian.PutUint32(data[4:], uint32(len(data)-8))
	c, err := archive(t).Accept(context.Background(), bytes.NewReader(data), document.Declared{Name: "a.webp", Type: "image/webp"}, document.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	noSecret(t, c.Bytes())
	if c.Type != document.TypePNG || c.Name != "a.png" {
		t.Errorf("got %+v", c.Document)
	}
}

func TestPDFKeepsOnlyPages(t *testing.T) {
	loaded := loadedPDF(t)
	for _, place := range []string{"author", "xmp", "js", "embedded", "dctexif", "flatetail", "uri", "launch", "note", "value", "unreferenced"} {
		if !bytes.Contains(everything(loaded), []byte("SECRET-"+place)) {
			t.Fatalf("%s was not seeded", place)
		}
	}
	c := accept(t, loaded)
	noSecret(t, c.Bytes())
	if c.Pages != 1 || c.Type != document.TypePDF {
		t.Errorf("got %+v", c.Document)
	}
	all := everything(c.Bytes())
	for _, keep := range []string{"Tidal turbine of Tonle Sap", "Chapter one", "(start)", "Filled in", "A turbine", "/Placement", "/XYZ", "/Helvetica", "/A Do", "/Highlight", "/Stamp"} {
		if !bytes.Contains(all, []byte(keep)) {
			t.Errorf("%s is lost", keep)
		}
	}
	for _, gone := range []string{"/AA", "/Metadata", "/PieceInfo", "/Widget", "/URI", "/OpenAction", "/AcroForm", "/Thumb", "/S /GoTo", "/Launch"} {
		if bytes.Contains(all, []byte(gone)) {
			t.Errorf("%s is left", gone)
		}
	}
	if n := bytes.Count(all, []byte("/DCTDecode")); n != 2 {
		t.Errorf("%d pictures of 2", n)
	}
	again := accept(t, c.Bytes())
	if again.Hash != c.Hash {
		t.Error("cleaning a clean document changes it")
	}
	if accept(t, loaded).Hash != c.Hash {
		t.Error("the same document has two hashes")
	}
}

// An earlier revision lies in a PDF before the newest one.
func TestPDFForgetsEarlierRevisions(t *testing.T) {
	first := plainPDF(1, "")
	at := bytes.LastIndex(first, []byte("startxref\n"))
	var prev int
	fmt.Sscanf(string(first[at:]), "startxref\n%d", &prev)
	first = bytes.Replace(first, []byte("Tidal"), []byte("SECRET-price Tidal")[:5], 1) // same length: SECRE
	body := fmt.Sprintf("5 0 obj\n%s\nendobj\n", stream("", pageText))
	second := append(bytes.Clone(first), body...)
	xref := len(second)
	second = fmt.Appendf(second, "xref\n5 1\n%010d 00000 n \ntrailer\n<</Size 6/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n", len(first), prev, xref)
	c := accept(t, second)
	if all := everything(c.Bytes()); bytes.Contains(all, []byte("SECRE")) || !bytes.Contains(all, []byte("Tidal")) {
		t.Error("an earlier revision is left, or the newest lost")
	}
}

func TestRefused(t *testing.T) {
	whole := jpegOf(t, photo(300, 200))
	bomb := func(w, h uint32) []byte {
		data := pngOf(t, photo(1, 1))
		binary.BigEndian.PutUint32(data[16:], w)
		binary.BigEndian.PutUint32(data[20:], h)
		binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
		return data
	}
	scans := withSegments(whole, "")
	sos := bytes.Index(scans, []byte{0xFF, 0xDA})
	for range 70 {
		scans = append(scans[:len(scans)-2:len(scans)-2], scans[sos:]...)
		if len(scans) > 4<<20 {
			break
		}
	}
	page := "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Annots[<</Type/Annot/Subtype/%s/Rect[0 0 9 9]%s>>]>>"
	onePage := func(page string) []byte {
		return pdf("", "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/Kids[3 0 R]>>", page)
	}
	for name, c := range map[string]struct {
		data []byte
		code protocol.Code
		says string
	}{
		"empty":            {nil, protocol.CodeValue, "empty"},
		"text":             {[]byte("hello"), protocol.CodeValue, "save it as PDF"},
		"word":             {[]byte("PK\x03\x04....word/document.xml"), protocol.CodeValue, "Office documents are not taken in: save it as PDF"},
		"old word":         {[]byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), protocol.CodeValue, "Office"},
		"zip":              {[]byte("PK\x03\x04"), protocol.CodeValue, "unpack"},
		"svg":              {[]byte("<?xml version='1.0'?><svg onload='x'/>"), protocol.CodeValue, "save it as PNG"},
		"html":             {[]byte("\n <!DOCTYPE html><script>"), protocol.CodeValue, "print the page"},
		"heic":             {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), protocol.CodeValue, "HEIC"},
		"gif":              {[]byte("GIF89a"), protocol.CodeValue, "JPEG or PNG"},
		"polyglot":         {append([]byte("<html>"), plainPDF(1, "")...), protocol.CodeValue, "web pages"},
		"truncated jpeg":   {whole[:len(whole)/2], protocol.CodeValue, "save it anew"},
		"jpeg of nothing":  {whole[:3], protocol.CodeValue, "damaged"},
		"truncated pdf":    {plainPDF(1, "")[:60], protocol.CodeValue, "print it to a new PDF"},
		"png bomb":         {bomb(100_000, 100_000), protocol.CodeTooLarge, "100000 × 100000 pixels"},
		"png of one row":   {bomb(2_000_000_000, 1), protocol.CodeTooLarge, "pixels"},
		"scans":            {scans, protocol.CodeValue, "damaged"},
		"201 pages":        {plainPDF(201, ""), protocol.CodeTooLarge, "200 pages"},
		"encrypted":        {pdf("/Encrypt<</Filter/Standard/V 1/R 2>>/ID[<00><00>]", "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 0/Kids[]>>"), protocol.CodeValue, "without a password"},
		"portfolio":        {plainPDF(1, "/Collection<</Type/Collection>>"), protocol.CodeValue, "cover for other files"},
		"only for acrobat": {plainPDF(1, "/NeedsRendering true/AcroForm<</Fields[]/XFA(x)>>"), protocol.CodeValue, "print it"},
		"redaction":        {onePage(fmt.Sprintf(page, "Redact", "")), protocol.CodeValue, "redactions"},
		"lost field":       {onePage(fmt.Sprintf(page, "Widget", "/FT/Tx/V(x)/T(a)")), protocol.CodeValue, "filled fields"},
		"no pages":         {pdf("", "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 0/Kids[]>>"), protocol.CodeValue, "damaged"},
		"page tree loop":   {pdf("", "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/Kids[2 0 R]>>"), protocol.CodeValue, "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			c1, err := archive(t).Accept(context.Background(), bytes.NewReader(c.data), document.Declared{}, document.Limits{})
			if protocol.CodeOf(err) != c.code || err == nil || !strings.Contains(protocol.All(err)[0].Message, c.says) {
				t.Errorf("got %+v, %v; want %s … %s", c1, err, c.code, c.says)
			}
		})
	}
}

func TestBombsInPDF(t *testing.T) {
	zeros := squeeze(strings.Repeat(" ", 80<<20))
	objects := pdf("", "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 0/Kids[]>>", stream("/Type/Obj#53tm/N 1/First 4/Filter/FlateDecode", zeros))
	nested := pdf("", "<</Type/Catalog/Pages 2 0 R/Lang "+strings.Repeat("[", 50_000)+strings.Repeat("]", 50_000)+">>", "<</Type/Pages/Count 0/Kids[]>>")
	twice := squeeze(squeeze(zeros))
	wrapped := pdf("", "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/Kids[3 0 R]>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>", stream("/Filter[/FlateDecode/FlateDecode/FlateDecode/ASCIIHexDecode]", twice),
		stream("", ""))
	for name, data := range map[string][]byte{"object stream": objects, "nesting": nested, "wrapped": wrapped} {
		_, err := archive(t).Accept(context.Background(), bytes.NewReader(data), document.Declared{}, document.Limits{})
		if code := protocol.CodeOf(err); code != protocol.CodeValue && code != protocol.CodeTooLarge {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLimitsOfSize(t *testing.T) {
	limits := document.Limits{PDF: 5000, Picture: 4000}
	for name, data := range map[string][]byte{"pdf": plainPDF(60, ""), "jpeg": jpegOf(t, photo(900, 900)), "endless": bytes.Repeat([]byte{1}, 6000)} {
		_, err := archive(t).Accept(context.Background(), bytes.NewReader(data), document.Declared{}, limits)
		if protocol.CodeOf(err) != protocol.CodeTooLarge {
			t.Errorf("%s of %d: %v", name, len(data), err)
		}
	}
}

func TestDeclaredMustAgree(t *testing.T) {
	data := jpegOf(t, photo(10, 10))
	for _, c := range []struct {
		declared document.Declared
		faults   int
		name     string
	}{
		{document.Declared{}, 0, "picture.jpg"},
		{document.Declared{Name: "Boat.JPEG", Type: "image/jpeg; charset=x"}, 0, "Boat.jpeg"},
		{document.Declared{Name: "boat", Type: "application/octet-stream"}, 0, "boat.jpg"},
		{document.Declared{Name: "boat.png", Type: "application/pdf"}, 2, ""},
		{document.Declared{Name: "boat.jpg", Type: "text/html"}, 1, ""},
		{document.Declared{Name: "boat.jpg", Type: "///"}, 1, ""},
		{document.Declared{Name: "../../etc/pass\x00wd"}, 0, "passwd.jpg"},
		{document.Declared{Name: `C:\photos\a<b>:c.jpg`}, 0, "a_b__c.jpg"},
		{document.Declared{Name: "gpj\u202Eexe.jpg"}, 0, "gpjexe.jpg"},
		{document.Declared{Name: "  ...\r\nSet-Cookie: x\t.jpg"}, 0, "Set-Cookie_ x.jpg"},
		{document.Declared{Name: "ទួរប៊ីន\u200Bទឹក.jpg"}, 0, "ទួរប៊ីន\u200Bទឹក.jpg"},
		{document.Declared{Name: "\xff\xfe"}, 0, "picture.jpg"},
		{document.Declared{Name: strings.Repeat("ក", 500) + ".jpg"}, 0, strings.Repeat("ក", 116) + ".jpg"},
	} {
		got, err := archive(t).Accept(context.Background(), bytes.NewReader(data), c.declared, document.Limits{})
		if len(protocol.All(err)) != c.faults {
			t.Errorf("%+v: %v, want %d faults", c.declared, err, c.faults)
		} else if err == nil && got.Name != c.name {
			t.Errorf("%+v: name %q, want %q", c.declared, got.Name, c.name)
		}
		if got != nil && utf8.RuneCountInString(got.Name) > document.MaxName {
			t.Errorf("%+v: %d characters", c.declared, utf8.RuneCountInString(got.Name))
		}
	}
}

type slow struct{ ctx context.Context }

func (s slow) Read([]byte) (int, error) { <-s.ctx.Done(); return 0, s.ctx.Err() }

func TestBoundInTimeAndNumber(t *testing.T) {
	a := document.New(document.Config{Timeout: time.Nanosecond})
	_, err := a.Accept(context.Background(), bytes.NewReader(jpegOf(t, photo(500, 500))), document.Declared{}, document.Limits{})
	if code := protocol.CodeOf(err); code != protocol.CodeTooLarge && code != protocol.CodeUnavailable {
		t.Errorf("a nanosecond was enough: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	a = archive(t)
	ended := make(chan error)
	started := make(chan struct{}, 16)
	for range 16 {
		go func() {
			_, err := a.Accept(ctx, io.MultiReader(signal{started}, slow{ctx}), document.Declared{}, document.Limits{})
			ended <- err
		}()
	}
	for range 16 {
		<-started
	}
	if _, err := a.Accept(context.Background(), strings.NewReader("x"), document.Declared{}, document.Limits{}); protocol.CodeOf(err) != protocol.CodeUnavailable {
		t.Errorf("a seventeenth: %v", err)
	}
	cancel()
	for range 16 {
		if err := <-ended; protocol.CodeOf(err) != protocol.CodeTruncated {
			t.Errorf("broken off: %v", err)
		}
	}
}

type signal struct{ to chan struct{} }

func (s signal) Read([]byte) (int, error) {
	s.to <- struct{}{}
	return 0, io.EOF
}

// pdfcpu would make a configuration folder where it is left to itself.
func TestNothingIsWrittenOutside(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	t.Setenv("TMPDIR", home)
	accept(t, loadedPDF(t))
	if list, err := os.ReadDir(home); err != nil || len(list) > 0 {
		t.Errorf("%v, %v", list, err)
	}
}
