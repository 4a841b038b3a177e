package document_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
)

// photo has a dark upper left corner, so that it can be seen which way it stands.
func photo(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{uint8(120 + x*100/w), uint8(120 + y*100/h), uint8(160 + (x+y)%7), 255}
			if x < w/2 && y < h/2 {
				c = color.NRGBA{10, 10, 10, 255}
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

func jpegOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 92}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// exif with an orientation, a place and an artist.
func exif(orientation int, secret string) []byte {
	b := []byte("MM\x00*\x00\x00\x00\x08")
	entry := func(tag, kind uint16, n uint32, value []byte) {
		b = binary.BigEndian.AppendUint16(b, tag)
		b = binary.BigEndian.AppendUint16(b, kind)
		b = binary.BigEndian.AppendUint32(b, n)
		b = append(b, append(value, 0, 0, 0, 0)[:4]...)
	}
	text := uint32(8 + 2 + 3*12 + 4 + 2 + 12 + 4)
	b = binary.BigEndian.AppendUint16(b, 3)
	entry(0x0112, 3, 1, []byte{0, byte(orientation)})
	entry(0x013B, 2, uint32(len(secret)+1), binary.BigEndian.AppendUint32(nil, text))
	entry(0x8825, 4, 1, binary.BigEndian.AppendUint32(nil, 8+2+3*12+4))
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, 1)
	entry(1, 2, 2, []byte("N\x00"))
	b = append(b, 0, 0, 0, 0)
	return append(append(b, secret...), 0)
}

// withSegments puts segments behind a JPEG's first marker, and a tail behind its last.
func withSegments(data []byte, tail string, segments ...string) []byte {
	out := bytes.Clone(data[:2])
	for _, s := range segments {
		out = append(out, 0xFF, s[0])
		out = binary.BigEndian.AppendUint16(out, uint16(len(s)+1))
		out = append(out, s[1:]...)
	}
	return append(append(out, data[2:]...), tail...)
}

// withChunks puts chunks behind a PNG's header, and a tail behind its end.
func withChunks(data []byte, tail string, chunks ...string) []byte {
	const head = 8 + 25
	out := bytes.Clone(data[:head])
	for _, c := range chunks {
		out = binary.BigEndian.AppendUint32(out, uint32(len(c)-4))
		out = append(out, c...)
		out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE([]byte(c)))
	}
	return append(append(out, data[head:]...), tail...)
}

func squeeze(s string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

// stream of a PDF, with what its dictionary says besides the length.
func stream(dict, body string) string {
	return fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", dict, len(body), body)
}

// pdf of objects that are numbered from 1, which is the catalog.
func pdf(trailer string, objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.6\n%\xE2\xE3\xCF\xD3\n")
	var offsets []int
	for i, o := range objects {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	at := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, trailer, at)
	return b.Bytes()
}

const pageText = "BT /F1 24 Tf 72 700 Td (Tidal turbine of Tonle Sap) Tj ET"

// plainPDF has n pages with one font.
func plainPDF(n int, more string) []byte {
	objects := []string{"<</Type/Catalog/Pages 2 0 R" + more + ">>", "", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"}
	var kids strings.Builder
	for i := range n {
		page := len(objects) + 1
		fmt.Fprintf(&kids, "%d 0 R ", page)
		objects = append(objects,
			fmt.Sprintf("<</Type/Page/Parent 2 0 R/Contents %d 0 R>>", page+1),
			stream("", fmt.Sprintf("%s %% page %d", pageText, i+1)))
	}
	objects[1] = fmt.Sprintf("<</Type/Pages/Count %d/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>/Kids[%s]>>", n, kids.String())
	return pdf("", objects...)
}

// loadedPDF carries a secret in every place that is to be cleaned; the names of the places tell them apart.
func loadedPDF(t testing.TB) []byte {
	camera := string(withSegments(jpegOf(t, photo(64, 48)), "SECRET-jpegtail",
		"\xE1Exif\x00\x00"+string(exif(1, "SECRET-dctexif")), "\xFESECRET-dctcomment"))
	return pdf("/Info 9 0 R/ID[<5345435245542d6964><5345435245542d6964>]",
		/* 1 */ `<</Type/Catalog/Pages 2 0 R/Metadata 10 0 R/OpenAction 11 0 R/AA<</WC 11 0 R>>/Outlines 12 0 R/PieceInfo<</SECRETpiece<</LastModified(D:2026)/Private(SECRET-piece)>>>>`+
			`/Names<</EmbeddedFiles<</Names[(SECRET-file.txt)14 0 R]>>/JavaScript<</Names[(SECRET-script)11 0 R]>>/Dests<</Names[(start)[4 0 R/Fit]]>>>>`+
			`/AcroForm<</Fields[18 0 R]/DA(SECRET-da)>>/StructTreeRoot 22 0 R/URI<</Base(SECRET-base)>>>>`,
		/* 2 */ "<</Type/Pages/Count 1/MediaBox[0 0 595 842]/Kids[4 0 R]>>",
		/* 3 */ "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
		/* 4 */ "<</Type/Page/Parent 2 0 R/Contents 5 0 R/Resources<</Font<</F1 3 0 R>>/XObject<</A 6 0 R/Info 7 0 R>>/Properties<</Q<</Type/Filespec/F(SECRET-direct)>>/R 14 0 R>>>>/Annots[16 0 R 17 0 R 18 0 R 20 0 R 21 0 R 24 0 R 25 0 R]"+
			"/Metadata 10 0 R/AA<</O 11 0 R>>/LastModified(SECRET-lm)/Thumb 6 0 R/SECRETprivate(SECRET-pagekey)>>",
		/* 5 */ stream("/Filter/FlateDecode", squeeze(pageText+" q 100 0 0 75 72 500 cm /A Do Q /Info Do")+"SECRET-flatetail"),
		/* 6 */ stream("/Type/XObject/Subtype/Image/Width 64/Height 48/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode/Metadata 10 0 R", camera),
		/* 7 */ stream("/Type/XObject/Subtype/Image/Width 64/Height 48/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter[/FlateDecode/DCTDecode]/PieceInfo<</X<</LastModified(D:2026)/Private(SECRET-imgpiece)>>>>", squeeze(camera)),
		/* 8 */ "(SECRET-unreferenced)",
		/* 9 */ "<</Author(SECRET-author)/Title(SECRET-title)/Creator(SECRET-creator)/Producer(SECRET-producer)/CreationDate(D:20260101000000Z)>>",
		/* 10 */ stream("/Type/Metadata/Subtype/XML", `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">SECRET-xmp</x:xmpmeta><?xpacket end="w"?>`),
		/* 11 */ "<</S/JavaScript/JS(app.alert\\('SECRET-js'\\))>>",
		/* 12 */ "<</Type/Outlines/First 13 0 R/Last 13 0 R/Count 1>>",
		/* 13 */ "<</Title(Chapter one)/Parent 12 0 R/A<</S/GoTo/D[4 0 R/Fit]/Next<</S/Launch/F(SECRET-launch)>>>>>>",
		/* 14 */ "<</Type/Filespec/F(SECRET-name.txt)/EF<</F 15 0 R>>>>",
		/* 15 */ stream("/Type/EmbeddedFile/Filter/FlateDecode", squeeze("SECRET-embedded")),
		/* 16 */ "<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(http://SECRET-uri.example)>>/T(SECRET-linkauthor)>>",
		/* 17 */ "<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/T(SECRET-noteauthor)/Contents(SECRET-note)>>",
		/* 18 */ "<</Type/Annot/Subtype/Widget/FT/Tx/T(SECRET-field)/V(SECRET-value)/Rect[10 10 90 30]/AP<</N 19 0 R>>/AA<</K<</S/JavaScript/JS(SECRET-key)>>>>>>",
		/* 19 */ stream("/Type/XObject/Subtype/Form/BBox[0 0 80 20]/Resources<</Font<</F1 3 0 R>>>>", "BT /F1 10 Tf (Filled in) Tj ET"),
		/* 20 */ "<</Type/Annot/Subtype/FileAttachment/Rect[0 0 9 9]/FS 14 0 R/AP<</N 19 0 R>>>>",
		/* 21 */ "<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/Dest(start)/Contents(SECRET-linktext)/A<</S/SubmitForm/F(SECRET-submit)>>>>",
		/* 22 */ "<</Type/StructTreeRoot/K 23 0 R>>",
		/* 23 */ "<</Type/StructElem/S/P/P 22 0 R/Pg 4 0 R/Alt(A turbine)/K[0<</Type/OBJR/Obj 17 0 R/Pg 4 0 R>>]/A[<</O/Layout/Placement/Block>>]/AF[14 0 R]/Q 26 0 R>>",
		/* 24 */ "<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/GoTo/D[4 0 R/XYZ 0 0 0]>>>>",
		/* 25 */ "<</Type/Annot/Subtype/Highlight/Rect[9 9 99 19]/QuadPoints[9 19 99 19 9 9 99 9]/C[1 1 0]/T(SECRET-marker)/Contents(SECRET-remark)/CreationDate(D:2026)/Popup 17 0 R>>",
		/* 26 */ "<</A<</S/Vendor/Do(SECRET-vendor)>>>>",
	)
}

func reference(n int) string { return fmt.Sprintf("%d 0 R ", n) }
