package document

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// The media types that are kept.
const (
	TypePDF  = "application/pdf"
	TypeJPEG = "image/jpeg"
	TypePNG  = "image/png"
	typeWebP = "image/webp" // taken in, never kept
)

// Document is what is known of one that was made clean.
type Document struct {
	Hash    protocol.Hash `json:"hash"` // of the clean bytes
	Name    string        `json:"name,omitempty"`
	Type    string        `json:"type"`
	Size    int64         `json:"size"` // bytes
	Width   int           `json:"width,omitzero"`
	Height  int           `json:"height,omitzero"`
	Pages   int           `json:"pages,omitzero"`
	Preview protocol.Hash `json:"preview,omitzero"` // of a small JPEG, a document of its own; zero: none
}

// Entry is how a full record names the document.
func (d Document) Entry() protocol.Document {
	return protocol.Document{Hash: d.Hash, Name: d.Name, Type: d.Type, Size: uint64(d.Size), Preview: d.Preview}
}

// Declared is what the sender says of a file. None of it is believed.
type Declared struct {
	Name string
	Type string // media type; "" or application/octet-stream: nothing said
}

// Limits of what is taken in. Zero fields take those of DefaultLimits.
type Limits struct {
	PDF       int64 // bytes, also once clean
	Pages     int
	Picture   int64 // bytes; once clean half as much again
	Pixels    int64
	Listing   int64 // bytes of all documents of a listing
	Waiting   int64 // bytes that a sender may have here in documents that no listing keeps yet
	Documents int   // of a listing
}

// DefaultLimits of what is taken in.
func DefaultLimits() Limits {
	return Limits{PDF: protocol.MaxDocument, Pages: 200, Picture: 10 << 20, Pixels: 40_000_000, Listing: 100 << 20, Waiting: 512 << 20, Documents: protocol.MaxDocuments}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	for _, f := range []struct{ value, or *int64 }{{&l.PDF, &d.PDF}, {&l.Picture, &d.Picture}, {&l.Pixels, &d.Pixels}, {&l.Listing, &d.Listing}, {&l.Waiting, &d.Waiting}} {
		if *f.value == 0 {
			*f.value = *f.or
		}
	}
	if l.Pages == 0 {
		l.Pages = d.Pages
	}
	if l.Documents == 0 {
		l.Documents = d.Documents
	}
	return l
}

// Config of an Archive.
type Config struct {
	Store   *store.Store
	Now     func() time.Time
	Memory  int64         // bytes that cleaning may take at a time, as estimated; 0: 1 GiB
	Timeout time.Duration // for cleaning one document, waiting included; 0: a minute
	Grace   time.Duration // how long a document may wait for a listing to refer to it; 0: a day
}

const (
	uploads     = 16 // that arrive at the same time
	memoryLeast = 192 << 20
)

// An Archive cleans documents and keeps them.
type Archive struct {
	cfg     Config
	uploads *semaphore.Weighted
	memory  *semaphore.Weighted

	mu      sync.Mutex
	writing map[protocol.Hash]int // documents whose chunks are on their way
}

// New makes an Archive over an open store.
func New(cfg Config) *Archive {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Memory == 0 {
		cfg.Memory = 1 << 30
	}
	cfg.Memory = max(cfg.Memory, memoryLeast)
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	if cfg.Grace == 0 {
		cfg.Grace = 24 * time.Hour
	}
	return &Archive{cfg: cfg, uploads: semaphore.NewWeighted(uploads), memory: semaphore.NewWeighted(cfg.Memory),
		writing: map[protocol.Hash]int{}}
}

// Clean is a document, and its preview, ready to be kept.
type Clean struct {
	Document
	Left          []Left // what a PDF had beside its pages; properties are left out of everything
	data, preview []byte
	small         Document // the preview's
}

// Accept reads a document to its end and cleans it. Nothing is kept yet: Put does that.
//
// Errors: CodeTooLarge over a limit; CodeValue for what is not taken in, damaged, or not what its sender says it is;
// CodeUnavailable where others were being cleaned for too long.
func (a *Archive) Accept(ctx context.Context, r io.Reader, d Declared, limits Limits) (*Clean, error) {
	limits = limits.withDefaults()
	if !a.uploads.TryAcquire(1) {
		return nil, protocol.Errorf(protocol.CodeUnavailable, "file", "%d documents are being sent already: try again in a minute", uploads)
	}
	defer a.uploads.Release(1)
	data, err := readAll(ctx, r, max(limits.PDF, limits.Picture))
	if err != nil {
		return nil, err
	}
	kind, err := sniff(data)
	if err != nil {
		return nil, err
	}
	if err := d.agrees(kind); err != nil {
		return nil, err
	}
	most, what := limits.Picture, "picture"
	if kind == TypePDF {
		most, what = limits.PDF, "PDF"
	}
	if int64(len(data)) > most {
		return nil, tooLong(what, most)
	}
	clean, err := a.clean(ctx, kind, data, limits)
	if err != nil {
		return nil, err
	}
	clean.Name = cleanName(d.Name, clean.Type)
	clean.Hash, clean.Size = protocol.Sum(clean.data), int64(len(clean.data))
	if clean.preview != nil {
		clean.small.Hash, clean.small.Size, clean.small.Type = protocol.Sum(clean.preview), int64(len(clean.preview)), TypeJPEG
		clean.Preview = clean.small.Hash
	}
	return clean, nil
}

func tooLong(what string, most int64) error {
	return protocol.Errorf(protocol.CodeTooLarge, "file", "a %s may have up to %s: make it smaller, or send it in parts", what, sizeText(most))
}

func sizeText(n int64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

func readAll(ctx context.Context, r io.Reader, most int64) ([]byte, error) {
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(bounded{ctx, r}, most+1))
	var ours *protocol.Error
	switch {
	case errors.As(err, &ours):
		return nil, ours
	case err != nil:
		return nil, &protocol.Error{Code: protocol.CodeTruncated, Field: "file", Message: "the file did not arrive whole: send it again", Err: err}
	case n > most:
		return nil, tooLong("document", most)
	case n == 0:
		return nil, protocol.Errorf(protocol.CodeValue, "file", "the file is empty: send a PDF, JPEG, PNG or WebP")
	}
	return b.Bytes(), nil
}

// bounded ends reading with its context; a decoder that reads from it cannot go on for ever.
type bounded struct {
	ctx context.Context
	r   io.Reader
}

func (b bounded) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.r.Read(p)
}

// clean does the work beside the caller, who leaves when time is up. What the work may take of the memory is given back
// only when it has really ended.
func (a *Archive) clean(ctx context.Context, kind string, data []byte, limits Limits) (*Clean, error) {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Timeout)
	weight, err := weigh(kind, data, limits)
	if err != nil {
		cancel()
		return nil, err
	}
	weight = min(weight, a.cfg.Memory)
	if err := a.memory.Acquire(ctx, weight); err != nil {
		cancel()
		return nil, protocol.Errorf(protocol.CodeUnavailable, "file", "other documents are being checked: try again in a minute")
	}
	type result struct {
		clean *Clean
		err   error
	}
	done := make(chan result, 1)
	go func() {
		defer a.memory.Release(weight)
		defer cancel()
		c, err := cleanBytes(ctx, kind, data, limits)
		if err != nil && ctx.Err() != nil {
			err = ctx.Err()
		}
		done <- result{c, err}
	}()
	var res result
	select {
	case res = <-done:
	case <-ctx.Done():
		select { // the work may have ended as well, and cancelled
		case res = <-done:
		default:
			res.err = ctx.Err()
		}
	}
	if errors.Is(res.err, context.DeadlineExceeded) {
		return nil, protocol.Errorf(protocol.CodeTooLarge, "file", "checking the document took longer than %s: save it anew in a simpler form, or send it in parts", a.cfg.Timeout)
	}
	if errors.Is(res.err, context.Canceled) {
		return nil, protocol.Errorf(protocol.CodeUnavailable, "file", "sending was broken off: send the document again")
	}
	return res.clean, res.err
}

// cleanBytes also stands between the decoders and the process: what makes one panic is refused as damaged.
func cleanBytes(ctx context.Context, kind string, data []byte, limits Limits) (c *Clean, err error) {
	defer func() {
		if p := recover(); p != nil {
			c, err = nil, damaged(kind, fmt.Errorf("panic: %v", p))
		}
	}()
	if kind == TypePDF {
		return cleanPDF(ctx, data, limits)
	}
	return cleanPicture(ctx, kind, data, limits)
}

// damaged says so of a file; the cause is for the log and holds nothing of its text.
func damaged(kind string, cause error) error {
	what, next := "picture", "open it in a picture editor and save it anew"
	if kind == TypePDF {
		what, next = "PDF", "open it and print it to a new PDF"
	}
	return &protocol.Error{Code: protocol.CodeValue, Field: "file", Message: "the " + what + " is damaged or unusually built: " + next, Err: cause}
}
