package document

import "encoding/binary"

// What the containers of JPEG, PNG and WebP say of the picture in them: where it ends, how it is turned, how its colours are to be read.

// Markers of JPEG, ITU-T T.81 table B.1.
const (
	markSOI   = 0xD8
	markEOI   = 0xD9
	markSOS   = 0xDA
	markAPP0  = 0xE0
	markAPP1  = 0xE1
	markAdobe = 0xEE // APP14, which says how colours are to be read
	markAPP15 = 0xEF
	markCOM   = 0xFE
)

// walkJPEG calls f for every segment up to the end of the picture: marker, what it holds, and all of its bytes, for a scan
// with the coded data. whole is false where the file ends before its picture does.
func walkJPEG(data []byte, f func(marker byte, body, all []byte)) (whole bool) {
	if len(data) < 2 || data[0] != 0xFF || data[1] != markSOI {
		return false
	}
	f(markSOI, nil, data[:2])
	at := 2
	for {
		for at < len(data) && data[at] != 0xFF { // what no reader looks at
			at++
		}
		for at < len(data) && data[at] == 0xFF {
			at++
		}
		if at >= len(data) {
			return false
		}
		marker := data[at]
		start := at - 1
		at++
		if marker == 0 || marker == 1 || marker >= 0xD0 && marker <= markSOI {
			continue
		}
		if marker == markEOI {
			f(marker, nil, data[start:at])
			return true
		}
		if at+2 > len(data) {
			return false
		}
		length := int(binary.BigEndian.Uint16(data[at:]))
		if length < 2 || at+length > len(data) {
			return false
		}
		body := data[at+2 : at+length]
		at += length
		if marker == markSOS {
			at = scanEnd(data, at)
		}
		f(marker, body, data[start:at])
	}
}

// scanEnd is where coded data ends: at a marker that is neither a stuffed byte nor a restart.
func scanEnd(data []byte, at int) int {
	for ; at+1 < len(data); at++ {
		if n := data[at+1]; data[at] == 0xFF && n != 0 && n != 0xFF && (n < 0xD0 || n > 0xD7) {
			return at
		}
	}
	return len(data)
}

// stripJPEG removes what is not needed to show a picture that stays as it is inside a PDF: all application segments but
// Adobe's, comments, and what follows the picture.
func stripJPEG(data []byte) []byte {
	out := make([]byte, 0, len(data))
	whole := walkJPEG(data, func(marker byte, body, all []byte) {
		switch {
		case marker == markAdobe && len(body) >= 12 && string(body[:5]) == "Adobe":
			out = append(out, 0xFF, markAdobe, 0, 14)
			out = append(out, body[:12]...)
		case marker >= markAPP0 && marker <= markAPP15, marker == markCOM:
		default:
			out = append(out, all...)
		}
	})
	if !whole && len(out) > 0 {
		out = append(out, 0xFF, markEOI)
	}
	return out
}

// maxScans bounds how often a small file can make a decoder pass over a large picture; encoders make about ten.
const maxScans = 64

type jpegFacts struct {
	progressive bool
	scans       int
	orientation int
}

func readJPEG(data []byte) jpegFacts {
	f := jpegFacts{orientation: 1}
	walkJPEG(data, func(marker byte, body, _ []byte) {
		switch marker {
		case 0xC2, 0xC6, 0xCA, 0xCE:
			f.progressive = true
		case markSOS:
			f.scans++
		case markAPP1:
			if len(body) > 6 && string(body[:6]) == "Exif\x00\x00" && f.orientation == 1 {
				f.orientation = exifOrientation(body[6:])
			}
		}
	})
	return f
}

// exifOrientation reads the one tag of EXIF that matters to how a picture is seen, 1 to 8; 1 where there is none.
func exifOrientation(tiff []byte) int {
	var order binary.ByteOrder = binary.LittleEndian
	switch {
	case len(tiff) < 8:
		return 1
	case string(tiff[:4]) == "MM\x00*":
		order = binary.BigEndian
	case string(tiff[:4]) != "II*\x00":
		return 1
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 1
	}
	n := uint64(order.Uint16(tiff[at:]))
	for i := range n {
		e := at + 2 + 12*i
		if e+12 > uint64(len(tiff)) {
			return 1
		}
		if order.Uint16(tiff[e:]) == 0x0112 && order.Uint16(tiff[e+2:]) == 3 {
			if v := int(order.Uint16(tiff[e+8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
	}
	return 1
}

// pngOrientation looks for EXIF in a PNG before its end.
func pngOrientation(data []byte) int {
	for at := uint64(8); at+12 <= uint64(len(data)); {
		n := uint64(binary.BigEndian.Uint32(data[at:]))
		if at+12+n > uint64(len(data)) {
			return 1
		}
		if string(data[at+4:at+8]) == "eXIf" {
			return exifOrientation(data[at+8 : at+8+n])
		}
		at += 12 + n
	}
	return 1
}

type webpFacts struct {
	lossless, animated bool
	orientation        int
}

func readWebP(data []byte) webpFacts {
	f := webpFacts{orientation: 1}
	for at := uint64(12); at+8 <= uint64(len(data)); {
		n := uint64(binary.LittleEndian.Uint32(data[at+4:]))
		if at+8+n > uint64(len(data)) {
			return f
		}
		body := data[at+8 : at+8+n]
		switch string(data[at : at+4]) {
		case "VP8L":
			f.lossless = true
		case "ANIM", "ANMF":
			f.animated = true
		case "EXIF":
			if len(body) > 6 && string(body[:6]) == "Exif\x00\x00" {
				body = body[6:]
			}
			f.orientation = exifOrientation(body)
		}
		at += 8 + n + n%2
	}
	return f
}
