package sim

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// copyFile copies what a file holds and leaves its holes: Badger's logs are large and almost empty.
func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	const seekData, seekHole = 3, 4 // lseek(2)
	for at := int64(0); at < info.Size(); {
		begin, err := in.Seek(at, seekData)
		if errors.Is(err, syscall.ENXIO) {
			break // nothing but a hole is left
		}
		if err != nil {
			return err
		}
		if at, err = in.Seek(begin, seekHole); err != nil {
			return err
		}
		if _, err := io.Copy(io.NewOffsetWriter(out, begin), io.NewSectionReader(in, begin, at-begin)); err != nil {
			return err
		}
	}
	return out.Truncate(info.Size())
}
