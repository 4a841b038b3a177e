package document_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/document"
	"github.com/asean-tmh/tmh/protocol"
)

// What is taken in is clean, within its limits, and taken in again; what is not is refused for a reason that is the file's.
func FuzzAccept(f *testing.F) {
	webp, _ := base64.StdEncoding.DecodeString(tinyWebP)
	f.Add(loadedPDF(f))
	f.Add(plainPDF(2, "/Names<</Dests<</Names[(a)[4 0 R/Fit]]>>>>"))
	f.Add(withSegments(jpegOf(f, photo(9, 7)), "tail", "\xE1Exif\x00\x00"+string(exif(8, "x"))))
	f.Add(withChunks(pngOf(f, photo(9, 7)), "tail", "eXIf"+string(exif(3, "x"))))
	f.Add(webp)
	a := document.New(document.Config{Timeout: 20 * time.Second})
	limits := document.Limits{PDF: 1 << 20, Picture: 1 << 20, Pixels: 1 << 20, Pages: 9}
	f.Fuzz(func(t *testing.T, data []byte) {
		begin := time.Now()
		c, err := a.Accept(context.Background(), bytes.NewReader(data), document.Declared{}, limits)
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("took %s", took)
		}
		if err != nil {
			if code := protocol.CodeOf(err); code != protocol.CodeValue && code != protocol.CodeTooLarge {
				t.Errorf("%v", err)
			}
			return
		}
		again, err := a.Accept(context.Background(), bytes.NewReader(c.Bytes()), document.Declared{Name: c.Name, Type: c.Type}, document.Limits{})
		if err != nil {
			t.Fatalf("what is clean is refused: %v", err)
		}
		if again.Type != c.Type || again.Pages != c.Pages || again.Width != c.Width || again.Height != c.Height {
			t.Errorf("%+v became %+v", c.Document, again.Document)
		}
	})
}

func benchmark(b *testing.B, data []byte) {
	a := archive(b)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Accept(context.Background(), bytes.NewReader(data), document.Declared{}, document.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkJPEG takes in a photograph of 12 million pixels and about 2 MiB.
func BenchmarkJPEG(b *testing.B) {
	m := photo(4000, 3000)
	for i := range m.Pix {
		m.Pix[i] ^= byte(i*i>>5) & 15
	}
	data := jpegOf(b, m)
	if len(data) < 1<<20 || len(data) > 4<<20 {
		b.Fatalf("%d bytes", len(data))
	}
	benchmark(b, data)
}

// BenchmarkPDF takes in twenty pages, each with its own picture, of about 2 MiB in all.
func BenchmarkPDF(b *testing.B) {
	objects := []string{"<</Type/Catalog/Pages 2 0 R>>", ""}
	kids := ""
	for i := range 20 {
		at := len(objects) + 1
		kids += reference(at)
		m := photo(500, 400)
		for j := range m.Pix {
			m.Pix[j] ^= byte(j*j>>4+i) & 31
		}
		objects = append(objects, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents "+reference(at+1)+"/Resources<</XObject<</I "+reference(at+2)+">>>>>>",
			stream("/Filter/FlateDecode", squeeze("q 500 0 0 400 20 20 cm /I Do Q")),
			stream("/Type/XObject/Subtype/Image/Width 500/Height 400/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode", string(jpegOf(b, m))))
	}
	objects[1] = "<</Type/Pages/Count 20/Kids[" + kids + "]>>"
	data := pdf("", objects...)
	b.Logf("%d bytes", len(data))
	benchmark(b, data)
}
