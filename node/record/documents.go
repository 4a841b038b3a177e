package record

import (
	"bufio"
	"context"
	"errors"
	"io"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
)

// Documents of full records: at the origin, and fetched from it.

// mostPreview is how many bytes a preview may have, whose size no record tells.
const mostPreview = 2 << 20

// OpenDocument is a document that is being read. Close ends it, at whatever place.
type OpenDocument struct {
	protocol.Document // what the record says of it; of a preview, of the document that it shows
	io.Reader
	close func()
}

// Close ends the reading. It must be called.
func (d *OpenDocument) Close() error {
	d.close()
	return nil
}

// Document opens a document, or a preview, that the record names in what the actor may see of it. Its first bytes are here when
// it returns, so that a refusal comes as its error; where the rest is not what the record names, reading fails before the end.
//
// Errors: Get's.
func (r *Reader) Document(ctx context.Context, ref Ref, hash protocol.Hash, a access.Actor) (*OpenDocument, error) {
	d, level, err := r.find(ctx, ref, hash, a)
	if err != nil {
		return nil, err
	}
	if ref.Origin == r.member {
		if r.server.cfg.Document == nil {
			return nil, nothing()
		}
		if err := r.server.write(Reading{Way: ServedDocument, Member: r.member, Level: level, Listing: ref.ID, Reader: readerID(a), Document: hash}); err != nil {
			return nil, err
		}
		f, err := r.server.cfg.Document(hash)
		if err != nil {
			return nil, err
		}
		return &OpenDocument{Document: d, Reader: f, close: func() { _ = f.Close() }}, nil
	}
	e, err := r.entitlement(ref, a, level)
	if err != nil {
		return nil, err
	}
	most := d.Size
	if d.Preview == hash {
		most = mostPreview
	}
	return r.stream(ctx, ref, e, d, hash, most)
}

func (r *Reader) stream(ctx context.Context, ref Ref, e *protocol.SignedEntitlement, d protocol.Document, hash protocol.Hash, most uint64) (*OpenDocument, error) {
	ctx, cancel := context.WithCancel(ctx)
	in, out := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		refused, err := r.cfg.Network.FetchDocument(ctx, ref.Origin, e, hash, most, func(b []byte) error {
			_, err := out.Write(b)
			return err
		})
		if refused != nil {
			err = refused
		}
		_ = out.CloseWithError(err) // nil is the end
	}()
	end := func() {
		cancel()
		_ = in.Close()
		<-done
	}
	first := bufio.NewReader(in)
	if _, err := first.Peek(1); err != nil && !errors.Is(err, io.EOF) {
		end()
		return nil, err
	}
	return &OpenDocument{Document: d, Reader: first, close: end}, nil
}

// find what the record says of a document: in the copy where that is good, as the origin judges again who may have it.
func (r *Reader) find(ctx context.Context, ref Ref, hash protocol.Hash, a access.Actor) (d protocol.Document, level protocol.Level, err error) {
	var parts []*protocol.Part
	if ref.Origin != r.member {
		l, _, err := r.summary(ref)
		if err != nil {
			return d, "", err
		}
		if l != nil {
			if parts, _, err = r.copies.get(ref, l); err != nil {
				return d, "", err
			}
			parts, _ = entitled(a, parts, access.Resource{Member: ref.Origin})
		}
	}
	p := naming(parts, hash)
	if p == nil {
		x, err := r.Get(ctx, ref, a)
		if err != nil {
			return d, "", err
		}
		if p = naming(x.parts, hash); p == nil {
			return d, "", nothing()
		}
	}
	d, _, _ = p.Record.Document(hash)
	return d, p.Level, nil
}
