package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/asean-tmh/tmh/protocol"
)

// A backup holds the newest value of every key at one moment: nothing superseded, nothing deleted. Badger's own backup
// writes deletions and may write older versions, so this one walks one read transaction. Keys ascend, so equal contents
// make equal backups. The form:
//
//	magic    "TMHBACK\n"
//	header   one line of JSON (BackupHeader), at most 4 KiB
//	chunks   length u32 big-endian, that many bytes; 0 ends. Together one zstd frame of
//	           length of key uvarint, key, length of value uvarint, value
//	trailer  "TMHEND1\n", entries u64, bytes of keys and values u64, SHA-256 of everything before it
//
// The node's keys, papers folder, configuration and guard file are no part of the database, and so of no backup.

// BackupHeader says what a backup holds, before anything of it is read.
type BackupHeader struct {
	Format     int               `json:"format"`
	Member     protocol.MemberID `json:"member"`
	Federation protocol.Hash     `json:"federation"`
	Schema     uint64            `json:"schema"`
	Created    time.Time         `json:"created"`
	Version    string            `json:"version"` // of tmh
	Size       uint64            `json:"size"`    // bytes of the tables and logs that it was made from
}

// BackupCount is how much a backup holds.
type BackupCount struct {
	Entries, Bytes uint64
}

const (
	backupMagic   = "TMHBACK\n"
	backupEnd     = "TMHEND1\n"
	backupFormat  = 1
	backupHeader  = 4 << 10
	backupChunk   = 256 << 10
	backupTrailer = len(backupEnd) + 16 + sha256.Size
	backupKey     = 1 << 10 // bytes of a key
	backupValue   = 4 << 20 // bytes of a value
)

// Backup writes the store as it is now. It holds back the clean-up of old versions while it runs.
func (s *Store) Backup(ctx context.Context, w io.Writer, h BackupHeader) (n BackupCount, err error) {
	err = s.View(func(t *Tx) error {
		b, err := t.Meta(metaSchema)
		if err != nil || len(b) != 8 {
			return errors.Join(err, damaged("schema version", nil))
		}
		h.Format, h.Schema, h.Size = backupFormat, binary.BigEndian.Uint64(b), s.tables()+uint64(2*s.cfg.Memtable)
		head, err := json.Marshal(h)
		if err != nil || len(head) > backupHeader {
			return errors.Join(err, fmt.Errorf("the header has %d bytes", len(head)))
		}
		sum := sha256.New()
		out := bufio.NewWriterSize(io.MultiWriter(sum, w), 64<<10)
		if _, err := fmt.Fprintf(out, "%s%s\n", backupMagic, head); err != nil {
			return err
		}
		if err := out.Flush(); err != nil { // who watches learns at once what will come
			return err
		}
		z, err := zstd.NewWriter(&chunkWriter{w: out}, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(4<<20))
		if err != nil {
			return err
		}
		if n, err = t.dump(ctx, z); err != nil {
			return errors.Join(err, z.Close())
		}
		if err := z.Close(); err != nil {
			return err
		}
		end := binary.BigEndian.AppendUint32(nil, 0)
		end = append(end, backupEnd...)
		end = binary.BigEndian.AppendUint64(end, n.Entries)
		end = binary.BigEndian.AppendUint64(end, n.Bytes)
		if _, err := out.Write(end); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
		_, err = w.Write(sum.Sum(nil))
		return err
	})
	return n, err
}

// dump writes every live entry.
func (t *Tx) dump(ctx context.Context, w io.Writer) (n BackupCount, err error) {
	b := bufio.NewWriterSize(w, 256<<10)
	var length []byte
	err = t.scan(nil, nil, func(key, value []byte) (bool, error) {
		if key[0] == keyScrub {
			return true, nil
		}
		if n.Entries++; n.Entries%1024 == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		n.Bytes += uint64(len(key) + len(value))
		for _, part := range [][]byte{key, value} {
			length = binary.AppendUvarint(length[:0], uint64(len(part)))
			if _, err := b.Write(length); err != nil {
				return false, err
			}
			if _, err := b.Write(part); err != nil {
				return false, err
			}
		}
		return true, nil
	})
	return n, errors.Join(err, b.Flush())
}

type chunkWriter struct{ w io.Writer }

func (c *chunkWriter) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		part := b[:min(len(b), backupChunk)]
		b = b[len(part):]
		if _, err := c.w.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part)))); err != nil {
			return n, err
		}
		m, err := c.w.Write(part)
		if n += m; err != nil {
			return n, err
		}
	}
	return n, nil
}

// BackupReader reads a backup once, from its beginning to its end.
type BackupReader struct {
	Header BackupHeader

	in    *endNoting
	sum   hash.Hash
	tee   io.Reader // what is read through it is summed
	chunk uint32    // bytes left of the chunk
	done  bool      // the last chunk was read
}

// endNoting notes that the file ended, which tells a truncated backup from an altered one.
type endNoting struct {
	r     *bufio.Reader
	at    uint64
	ended bool
	err   error // of reading the file
}

func (e *endNoting) Read(b []byte) (int, error) {
	n, err := e.r.Read(b)
	e.at += uint64(n)
	if errors.Is(err, io.EOF) {
		e.ended = true
	} else if err != nil {
		e.err = err
	}
	return n, err
}

// OpenBackup reads the header.
//
// Errors: CodeVersion for a newer format or schema; CodeValue for what is no backup; CodeTruncated and CodeBody as Each.
func OpenBackup(r io.Reader) (*BackupReader, error) {
	b := &BackupReader{in: &endNoting{r: bufio.NewReaderSize(r, 256<<10)}, sum: sha256.New()}
	b.tee = io.TeeReader(b.in, b.sum)
	magic := make([]byte, len(backupMagic))
	if _, err := io.ReadFull(b.tee, magic); err != nil && !b.in.ended {
		return nil, err
	}
	if string(magic) != backupMagic {
		return nil, protocol.Errorf(protocol.CodeValue, "", "this is no backup of tmh: it does not begin as one")
	}
	line, one := make([]byte, 0, 512), make([]byte, 1)
	for len(line) <= backupHeader {
		if _, err := io.ReadFull(b.tee, one); err != nil {
			return nil, b.fault(err)
		}
		if one[0] == '\n' {
			break
		}
		line = append(line, one[0])
	}
	d := json.NewDecoder(bytes.NewReader(line))
	if err := d.Decode(&b.Header); err != nil || len(line) > backupHeader {
		return nil, b.fault(err)
	}
	switch h := b.Header; {
	case h.Format > backupFormat || h.Schema > Schema:
		return nil, protocol.Errorf(protocol.CodeVersion, "", "this backup was written by a newer tmh (%.40q, schema %d, this one knows %d): install that version", h.Version, h.Schema, Schema)
	case h.Format < 1 || h.Schema < 1:
		return nil, b.fault(nil)
	}
	if _, err := protocol.ParseMemberID(string(b.Header.Member)); err != nil {
		return nil, b.fault(err)
	}
	return b, nil
}

// fault says which way the file is not as it was written.
func (b *BackupReader) fault(err error) error {
	switch {
	case b.in.err != nil:
		return fmt.Errorf("read the backup: %w", b.in.err)
	case b.in.ended:
		return protocol.Errorf(protocol.CodeTruncated, "", "the backup is truncated: it ends after %d bytes, before its last part. Take another one", b.in.at)
	}
	return &protocol.Error{Code: protocol.CodeBody, Message: "the backup was altered or damaged since it was written: take another one", Err: err}
}

// Read gives the compressed bytes of the chunks.
func (b *BackupReader) Read(p []byte) (int, error) {
	if b.chunk == 0 && !b.done {
		var length [4]byte
		if _, err := io.ReadFull(b.tee, length[:]); err != nil {
			return 0, err
		}
		b.chunk = binary.BigEndian.Uint32(length[:])
		if b.chunk > backupChunk {
			return 0, errors.New("a chunk is too long")
		}
		b.done = b.chunk == 0
	}
	if b.done {
		return 0, io.EOF
	}
	n, err := b.tee.Read(p[:min(len(p), int(b.chunk))])
	b.chunk -= uint32(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Each calls f for every entry, and compares count and checksum at the end: only then is it known that what f saw is what
// was written. Key and value are valid during the call.
//
// Errors: f's; CodeTruncated where the file ends early; CodeBody where it was altered.
func (b *BackupReader) Each(f func(key, value []byte) error) (n BackupCount, err error) {
	z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20))
	if err != nil {
		return n, err
	}
	defer z.Close()
	r := bufio.NewReaderSize(z, 256<<10)
	var key, value, last []byte
	for {
		if key, err = field(r, key, backupKey); errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			value, err = field(r, value, backupValue)
		}
		if err == nil && (len(key) == 0 || n.Entries > 0 && bytes.Compare(key, last) <= 0) {
			err = errors.New("keys do not ascend")
		}
		if err != nil {
			return n, b.fault(err)
		}
		n.Entries++
		n.Bytes += uint64(len(key) + len(value))
		last = append(last[:0], key...)
		if err := f(key, value); err != nil {
			return n, err
		}
	}
	return n, b.trailer(n)
}

// field reads a length and that many bytes. io.EOF stands for the end before the length alone.
func field(r *bufio.Reader, into []byte, most uint64) ([]byte, error) {
	if _, err := r.Peek(1); err != nil {
		return into, err
	}
	n, err := binary.ReadUvarint(r)
	if err != nil || n > most {
		return into, fmt.Errorf("a field of %d bytes (%w)", n, errors.Join(err, io.ErrUnexpectedEOF))
	}
	if uint64(cap(into)) < n {
		into = make([]byte, n)
	}
	into = into[:n]
	if _, err = io.ReadFull(r, into); err != nil {
		err = fmt.Errorf("a field ends early (%w)", io.ErrUnexpectedEOF)
	}
	return into, err
}

func (b *BackupReader) trailer(n BackupCount) error {
	if !b.done { // the compressed frame ended, but for what follows it
		if m, err := b.Read(make([]byte, 1)); m > 0 || !b.done {
			return b.fault(err)
		}
	}
	end := make([]byte, backupTrailer-sha256.Size)
	if _, err := io.ReadFull(b.tee, end); err != nil {
		return b.fault(err)
	}
	want := b.sum.Sum(nil)
	have := make([]byte, sha256.Size)
	if _, err := io.ReadFull(b.in, have); err != nil {
		return b.fault(err)
	}
	counts := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64([]byte(backupEnd), n.Entries), n.Bytes)
	if !bytes.Equal(have, want) || !bytes.Equal(end, counts) {
		return b.fault(nil)
	}
	if m, err := b.in.Read(make([]byte, 1)); m > 0 || err == nil {
		return b.fault(errors.New("something follows its end"))
	}
	return nil
}
