package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/asean-tmh/tmh/protocol"
)

// Guard remembers, outside the store and its backups, how far this node has signed: after a store was restored from an
// older state, it says that positions were used which the store does not know. Signing them again would fork the history.
//
// The file has two slots of 64 bytes, written in turn, so that a torn write leaves the other one whole:
// magic "TMHG", counter u64, epoch u64, seq u64, header hash 32 bytes, CRC-32C u32. It is created with the zero mark in
// the second slot, so that this holds for the first write too.
type Guard struct {
	mu      sync.Mutex
	file    *os.File
	counter uint64
	mark    Mark
}

// Mark is a position signed by this node and the hash of its header.
type Mark struct {
	Pos    protocol.Position
	Header protocol.Hash
}

const (
	guardMagic = "TMHG"
	guardSlot  = 64
)

// OpenGuard opens or creates the guard file and locks it: a second process with the same guard is refused.
func OpenGuard(path string) (*Guard, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := createGuard(path); err != nil {
			return nil, fmt.Errorf("create guard file: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open guard file: %w", err)
	}
	g := &Guard{file: f}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(protocol.Errorf(protocol.CodeConflict, "", "another process holds %s: this node is running already", path), f.Close())
	}
	if err := g.read(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return g, nil
}

// createGuard makes the file appear whole or not at all, also where two processes do it at once.
func createGuard(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // the link keeps it
	_, err = f.WriteAt(slot(0, Mark{}), guardSlot)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func slot(counter uint64, m Mark) []byte {
	b := make([]byte, 0, guardSlot)
	b = append(b, guardMagic...)
	b = binary.BigEndian.AppendUint64(b, counter)
	b = binary.BigEndian.AppendUint64(b, m.Pos.Epoch)
	b = binary.BigEndian.AppendUint64(b, m.Pos.Seq)
	b = append(b, m.Header[:]...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

// read takes the newer of the slots that are whole. An empty file is one that an earlier version created.
func (g *Guard) read() error {
	b := make([]byte, 2*guardSlot)
	n, err := g.file.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read guard file: %w", err)
	}
	whole := 0
	for i := range 2 {
		s := b[i*guardSlot : (i+1)*guardSlot]
		if string(s[:4]) != guardMagic || crc32.Checksum(s[:60], crc32.MakeTable(crc32.Castagnoli)) != binary.BigEndian.Uint32(s[60:]) {
			continue
		}
		whole++
		if c := binary.BigEndian.Uint64(s[4:]); c > g.counter {
			g.counter = c
			g.mark.Pos = protocol.Position{Epoch: binary.BigEndian.Uint64(s[12:]), Seq: binary.BigEndian.Uint64(s[20:])}
			copy(g.mark.Header[:], s[28:60])
		}
	}
	if n > 0 && whole == 0 {
		return protocol.Errorf(protocol.CodeInternal, "", "the guard file %s is damaged: this node cannot know how far it has signed", g.file.Name())
	}
	return nil
}

// Mark is the furthest that was signed; zero where nothing was.
func (g *Guard) Mark() Mark {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.mark
}

// Advance makes the mark durable. Call it after the store's commit and before anybody hears of the change. A mark below
// the one held changes nothing: what it says is said already.
func (g *Guard) Advance(m Mark) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if m.Pos.Compare(g.mark.Pos) < 0 {
		return nil
	}
	if _, err := g.file.WriteAt(slot(g.counter+1, m), int64(g.counter%2)*guardSlot); err != nil {
		return fmt.Errorf("write guard file: %w", err)
	}
	if err := syscall.Fdatasync(int(g.file.Fd())); err != nil {
		return fmt.Errorf("sync guard file: %w", err)
	}
	g.counter++
	g.mark = m
	return nil
}

// Close releases the lock.
func (g *Guard) Close() error { return g.file.Close() }

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
