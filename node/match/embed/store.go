package embed

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/cespare/xxhash/v2"
)

// Key names what a vector is of.
type Key [16]byte

// Entry of a store.
type Entry struct {
	Key    Key
	Vector Vector
}

// Store keeps the vectors of one model, in a file to which they are appended. It is safe for concurrent use.
//
//	header   16 bytes "tmh-embeddings-1", dims uint32, 4 bytes 0, xxHash64 of the model's name; little-endian as all numbers
//	record   xxHash64 of the rest of the record, key 16 bytes, sum of squares uint32, an int8 each dimension
//
// Every record carries its own checksum and is checked whenever it is read: what a crash cut short, or a disk damaged, is
// absent and made anew. The file keeps only what an outside model answered, so it outlives the index, which is built anew
// far more cheaply.
type Store struct {
	path    string // "": in memory
	name    string
	writing sync.Mutex // one writer at a time; what takes long is done before mu is locked, so that queries go on

	mu   sync.RWMutex
	file *os.File
	mem  []byte // records, where there is no file
	dims int    // 0: none yet
	next int    // number of the next record
	at   map[Key]int
}

const (
	magic      = "tmh-embeddings-1"
	headerSize = 32
	recordHead = 8 + 16 + 4
	suffix     = ".embeddings"
)

// Open the store of a model in a folder; "" keeps it in memory. Stores of other models in the folder are removed. A file
// that cannot be understood is begun anew.
func Open(dir, name string) (*Store, error) {
	s := &Store{name: name, at: make(map[Key]int)}
	if dir == "" {
		return s, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the folder of the embeddings: %w", err)
	}
	sum := sha256.Sum256([]byte(name))
	s.path = filepath.Join(dir, hex.EncodeToString(sum[:8])+suffix)
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("the folder of the embeddings: %w", err)
	}
	for _, f := range files {
		if name := f.Name(); name != filepath.Base(s.path) && len(name) > 16 && strings.HasPrefix(name[16:], suffix) {
			_ = os.Remove(filepath.Join(dir, name))
		}
	}
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the file of the embeddings: %w", err)
	}
	s.file = f
	if err := s.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("the file of the embeddings: %w", err), f.Close())
	}
	return s, nil
}

func (s *Store) stride() int { return recordHead + s.dims }

// load reads the keys. Records at fault are left out.
func (s *Store) load() error {
	r := bufio.NewReaderSize(s.file, 1<<20)
	head := make([]byte, headerSize)
	if _, err := io.ReadFull(r, head); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	dims := binary.LittleEndian.Uint32(head[16:])
	if string(head[:16]) != magic || dims == 0 || dims > MaxDims || binary.LittleEndian.Uint64(head[24:]) != xxhash.Sum64String(s.name) {
		return s.file.Truncate(0)
	}
	s.dims = int(dims)
	record := make([]byte, s.stride())
	for {
		if _, err := io.ReadFull(r, record); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil // what was cut short is written over
		} else if err != nil {
			return err
		}
		if key, ok := parse(record); ok {
			s.at[key] = s.next
		}
		s.next++
	}
}

// parse checks a record.
func parse(record []byte) (key Key, ok bool) {
	copy(key[:], record[8:])
	return key, binary.LittleEndian.Uint64(record) == xxhash.Sum64(record[8:])
}

func appendRecord(b []byte, e Entry) []byte {
	from := len(b)
	b = append(b, make([]byte, 8)...)
	b = append(b, e.Key[:]...)
	b = binary.LittleEndian.AppendUint32(b, e.Vector.Square)
	for _, v := range e.Vector.Values {
		b = append(b, byte(v))
	}
	binary.LittleEndian.PutUint64(b[from:], xxhash.Sum64(b[from+8:]))
	return b
}

func (s *Store) header() []byte {
	b := append(make([]byte, 0, headerSize), magic...)
	b = binary.LittleEndian.AppendUint64(b, uint64(s.dims))
	return binary.LittleEndian.AppendUint64(b, xxhash.Sum64String(s.name))
}

// Dims of the vectors, 0 where there is none yet.
func (s *Store) Dims() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.dims
}

// Len is the number of vectors, and of all records: those that were replaced or damaged still take room.
func (s *Store) Len() (vectors, records int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.at), s.next
}

// Has reports which keys have a vector.
func (s *Store) Has(keys []Key) []bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	has := make([]bool, len(keys))
	for i, k := range keys {
		_, has[i] = s.at[k]
	}
	return has
}

// Put adds vectors of equal dimension. Of another dimension than those kept, they take their place: the model is another
// one, though it has the same name.
func (s *Store) Put(entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	dims := len(entries[0].Vector.Values)
	if dims == 0 || dims > MaxDims {
		return fmt.Errorf("a vector of %d dimensions cannot be kept", dims)
	}
	var b []byte
	for _, e := range entries {
		if len(e.Vector.Values) != dims {
			return fmt.Errorf("vectors of %d and of %d dimensions cannot be kept together", dims, len(e.Vector.Values))
		}
		b = appendRecord(b, e)
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.path != "" && s.file == nil {
		return os.ErrClosed
	}
	if dims != s.dims {
		if err := s.begin(dims); err != nil {
			return err
		}
	}
	if s.file == nil {
		s.mem = append(s.mem, b...)
	} else if _, err := s.file.WriteAt(b, s.offset(s.next)); err != nil {
		return err
	}
	for _, e := range entries {
		s.at[e.Key] = s.next
		s.next++
	}
	return nil
}

// begin empties the store. The caller holds the lock.
func (s *Store) begin(dims int) error {
	s.dims, s.next, s.mem, s.at = dims, 0, nil, make(map[Key]int)
	if s.file == nil {
		return nil
	}
	if err := s.file.Truncate(0); err != nil {
		return err
	}
	_, err := s.file.WriteAt(s.header(), 0)
	return err
}

// Forget empties the store, for vectors of another dimension.
func (s *Store) Forget() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begin(0)
}

func (s *Store) offset(record int) int64 { return headerSize + int64(record)*int64(s.stride()) }

// read record n into buf; false where it is damaged. The caller holds the lock, for reading at least.
func (s *Store) read(n int, buf []byte) bool {
	if s.file == nil {
		if (n+1)*s.stride() > len(s.mem) {
			return false
		}
		copy(buf, s.mem[n*s.stride():])
		return true
	}
	_, err := s.file.ReadAt(buf, s.offset(n))
	return err == nil
}

// Cosines of a vector with those of keys, not below 0; 0 where there is none.
func (s *Store) Cosines(v Vector, keys []Key) []float64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	cosines := make([]float64, len(keys))
	if len(v.Values) != s.dims {
		return cosines
	}
	buf := make([]byte, s.stride())
	for i, k := range keys {
		n, ok := s.at[k]
		if !ok || !s.read(n, buf) {
			continue
		}
		if key, ok := parse(buf); ok && key == k {
			cosines[i] = v.cosine(buf[recordHead:], binary.LittleEndian.Uint32(buf[recordHead-4:]))
		}
	}
	return cosines
}

// Trim drops what is of no key of keep. Where the store is in a file, a new one takes its place: a crash leaves one of the
// two.
func (s *Store) Trim(keep map[Key]bool) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	made, err := s.kept(keep)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if made.file != nil {
		if err := os.Rename(s.path+".new", s.path); err != nil {
			return errors.Join(err, made.file.Close())
		}
		_ = s.file.Close() // nobody reads it any more
	}
	s.file, s.mem, s.next, s.at = made.file, made.mem, made.next, made.at
	return nil
}

// kept copies the records of keep.
func (s *Store) kept(keep map[Key]bool) (_ *Store, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	made := &Store{name: s.name, dims: s.dims, at: make(map[Key]int)}
	var w *bufio.Writer
	if s.path != "" {
		if s.file == nil {
			return nil, os.ErrClosed
		}
		if made.file, err = os.OpenFile(s.path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				_ = made.file.Close()
			}
		}()
		w = bufio.NewWriterSize(made.file, 1<<20)
		_, _ = w.Write(made.header()) // Flush tells
	}
	buf := make([]byte, s.stride())
	for n := range s.next { // in the order in which they came
		if !s.read(n, buf) {
			continue
		}
		key, ok := parse(buf)
		if at, known := s.at[key]; !ok || !known || at != n || !keep[key] {
			continue
		}
		if w == nil {
			made.mem = append(made.mem, buf...)
		} else if _, err := w.Write(buf); err != nil {
			return nil, err
		}
		made.at[key] = made.next
		made.next++
	}
	if w == nil {
		return made, nil
	}
	return made, errors.Join(w.Flush(), made.file.Sync())
}

// Sync waits until all that was put is on the disk.
func (s *Store) Sync() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.file == nil {
		return nil
	}
	return s.file.Sync()
}

// Close syncs and closes. A closed store finds nothing.
func (s *Store) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.file
	s.file, s.mem, s.at = nil, nil, make(map[Key]int)
	if f == nil {
		return nil
	}
	return errors.Join(f.Sync(), f.Close())
}
