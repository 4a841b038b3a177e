package document

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"

	scale "golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"github.com/asean-tmh/tmh/protocol"
)

// Pictures are decoded, and only their pixels are encoded again.

const (
	quality        = 90
	previewQuality = 80
	previewSide    = 640
)

// weigh estimates the memory that cleaning takes, in bytes, and refuses pictures whose header promises too many pixels
// before anything is decoded.
func weigh(kind string, data []byte, limits Limits) (int64, error) {
	if kind == TypePDF {
		return memoryLeast + 16*int64(len(data)), nil
	}
	c, err := decodeConfig(kind, data)
	if err != nil {
		return 0, damaged(kind, err)
	}
	pixels := int64(c.Width) * int64(c.Height)
	if c.Width <= 0 || c.Height <= 0 {
		return 0, damaged(kind, errors.New("no pixels"))
	}
	if pixels > limits.Pixels {
		return 0, protocol.Errorf(protocol.CodeTooLarge, "file", "the picture has %d × %d pixels, and up to %d million in all are taken in: make it smaller", c.Width, c.Height, limits.Pixels/1_000_000)
	}
	each := int64(12)
	switch {
	case kind == TypeJPEG && readJPEG(data).progressive: // all coefficients are held until the end
		each = 24
	case c.ColorModel == color.RGBA64Model || c.ColorModel == color.NRGBA64Model:
		each = 20
	}
	return 16<<20 + each*pixels, nil
}

func decodeConfig(kind string, data []byte) (image.Config, error) {
	r := bytes.NewReader(data)
	switch kind {
	case TypeJPEG:
		return jpeg.DecodeConfig(r)
	case TypePNG:
		return png.DecodeConfig(r)
	}
	return webp.DecodeConfig(r)
}

func cleanPicture(ctx context.Context, kind string, data []byte, limits Limits) (*Clean, error) {
	var (
		m           image.Image
		err         error
		r           io.Reader = bounded{ctx, bytes.NewReader(data)}
		orientation int
		to          = kind
	)
	switch kind {
	case TypeJPEG:
		f := readJPEG(data)
		if f.scans > maxScans {
			return nil, damaged(kind, errors.New("too many scans"))
		}
		orientation = f.orientation
		m, err = jpeg.Decode(r)
	case TypePNG:
		orientation = pngOrientation(data)
		m, err = png.Decode(r)
	default:
		f := readWebP(data)
		if f.animated {
			return nil, protocol.Errorf(protocol.CodeValue, "file", "moving pictures are not taken in: send one picture of it as JPEG or PNG")
		}
		orientation = f.orientation
		m, err = webp.Decode(r)
		to = TypeJPEG
		if _, see := m.(*image.NYCbCrA); see || f.lossless {
			to = TypePNG
		}
	}
	if err != nil {
		return nil, damaged(kind, err)
	}
	m = upright(m, orientation)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := &limitedBuffer{ctx: ctx, most: limits.Picture + limits.Picture/2}
	if to == TypePNG {
		err = png.Encode(out, m)
	} else {
		err = jpeg.Encode(out, forJPEG(m), &jpeg.Options{Quality: quality})
	}
	switch {
	case errors.Is(err, errFull):
		return nil, protocol.Errorf(protocol.CodeTooLarge, "file", "written anew the picture is larger than %s: make it smaller, or send it as JPEG", sizeText(out.most))
	case err != nil:
		return nil, damaged(kind, err)
	}
	small, b, err := preview(ctx, m)
	if err != nil {
		return nil, damaged(kind, err)
	}
	size := m.Bounds().Size()
	return &Clean{Document: Document{Type: to, Width: size.X, Height: size.Y}, data: out.Bytes(), preview: b, small: small}, nil
}

var errFull = errors.New("over the limit")

// limitedBuffer ends an encoder that makes too much, or takes too long.
type limitedBuffer struct {
	bytes.Buffer
	ctx  context.Context
	most int64
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	if int64(b.Len()+len(p)) > b.most {
		return 0, errFull
	}
	return b.Buffer.Write(p)
}

// forJPEG gives the encoder a type that it is fast with, on white where the picture lets the ground through.
func forJPEG(m image.Image) image.Image {
	switch m.(type) {
	case *image.YCbCr, *image.Gray, *image.RGBA:
		return m
	}
	out := image.NewRGBA(image.Rectangle{Max: m.Bounds().Size()})
	draw.Draw(out, out.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(out, out.Bounds(), m, m.Bounds().Min, draw.Over)
	return out
}

func preview(ctx context.Context, m image.Image) (Document, []byte, error) {
	// Averaging over all pixels of a large picture takes long and much memory: over sixteen for each that is left is enough.
	m = shrink(m, 4*previewSide, scale.ApproxBiLinear)
	if err := ctx.Err(); err != nil {
		return Document{}, nil, err
	}
	m = shrink(m, previewSide, scale.BiLinear)
	if rgba, ok := m.(*image.RGBA); ok && !rgba.Opaque() {
		ground := image.NewRGBA(rgba.Rect)
		draw.Draw(ground, ground.Rect, image.White, image.Point{}, draw.Src)
		draw.Draw(ground, ground.Rect, rgba, rgba.Rect.Min, draw.Over)
		m = ground
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, forJPEG(m), &jpeg.Options{Quality: previewQuality})
	size := m.Bounds().Size()
	return Document{Width: size.X, Height: size.Y}, b.Bytes(), err
}

func shrink(m image.Image, side int, s scale.Scaler) image.Image {
	size := m.Bounds().Size()
	longest := max(size.X, size.Y)
	if longest <= side {
		return m
	}
	out := image.NewRGBA(image.Rect(0, 0, max(1, size.X*side/longest), max(1, size.Y*side/longest)))
	s.Scale(out, out.Rect, m, m.Bounds(), draw.Src, nil)
	return out
}

// upright turns and mirrors a picture as its EXIF orientation said.
func upright(m image.Image, orientation int) image.Image {
	if orientation <= 1 {
		return m
	}
	from := image.NewNRGBA(image.Rectangle{Max: m.Bounds().Size()})
	draw.Draw(from, from.Rect, m, m.Bounds().Min, draw.Src)
	w, h := from.Rect.Dx(), from.Rect.Dy()
	size := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	to := image.NewNRGBA(size)
	for y := range h {
		for x := range w {
			var tx, ty int
			switch orientation {
			case 2:
				tx, ty = w-1-x, y
			case 3:
				tx, ty = w-1-x, h-1-y
			case 4:
				tx, ty = x, h-1-y
			case 5:
				tx, ty = y, x
			case 6:
				tx, ty = h-1-y, x
			case 7:
				tx, ty = h-1-y, w-1-x
			default:
				tx, ty = y, w-1-x
			}
			copy(to.Pix[to.PixOffset(tx, ty):][:4], from.Pix[from.PixOffset(x, y):][:4])
		}
	}
	return to
}
