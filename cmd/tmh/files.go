package main

import (
	"cmp"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/asean-tmh/tmh/protocol"
)

// Keys are PKCS #8 in PEM, as openssl writes them; charters and cards are their wire form in PEM, so that they survive
// mail.
const (
	pemKey     = "PRIVATE KEY"
	pemCharter = "TMH CHARTER"
	pemCard    = "TMH MEMBER CARD"
)

func newKeyFile(path string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("%s exists already and is not overwritten: a lost key cannot be made again", path)
	}
	if err != nil {
		return nil, err
	}
	err = pem.Encode(f, &pem.Block{Type: pemKey, Bytes: der})
	return key, errors.Join(err, f.Sync(), f.Close())
}

func readKeyFile(path string) (ed25519.PrivateKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("others may read %s: run chmod 600 %s", path, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil || block.Type != pemKey {
		return nil, fmt.Errorf("%s is no key file in PEM", path)
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	key, ok := k.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s holds no ed25519 key", path)
	}
	return key, nil
}

func readSigner(path string) (*protocol.Signer, error) {
	key, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	return protocol.NewSigner(key), nil
}

// writePaper writes a charter or card, replacing the file whole.
func writePaper(path, kind string, b []byte) error {
	tmp := path + ".new"
	if err := os.WriteFile(tmp, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// readPapers reads charters and cards from files, each of which may hold several.
func readPapers(paths ...string) (*protocol.Papers, error) {
	p := new(protocol.Papers)
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		found := false
		for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
			found = true
			switch block.Type {
			case pemCharter:
				c, err := protocol.DecodeCharter(block.Bytes)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", path, err)
				}
				p.Charters = append(p.Charters, c)
			case pemCard:
				c, err := protocol.DecodeCard(block.Bytes)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", path, err)
				}
				p.Cards = append(p.Cards, c)
			default:
				return nil, fmt.Errorf("%s holds a %s, which is neither charter nor member card", path, block.Type)
			}
		}
		if !found {
			return nil, fmt.Errorf("%s holds no charter or member card", path)
		}
	}
	return p, nil
}

// readPaperFolder reads every *.tmh in dir, charters first by version, cards by version.
func readPaperFolder(dir string) (*protocol.Papers, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.tmh"))
	if err != nil {
		return nil, err
	}
	p, err := readPapers(paths...)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(p.Charters, func(a, b *protocol.SignedCharter) int { return cmp.Compare(a.Version, b.Version) })
	slices.SortStableFunc(p.Cards, func(a, b *protocol.SignedCard) int { return cmp.Compare(a.Version, b.Version) })
	return p, nil
}

func onlyCharter(path string) (*protocol.SignedCharter, error) {
	p, err := readPapers(path)
	if err != nil {
		return nil, err
	}
	if len(p.Charters) != 1 || len(p.Cards) != 0 {
		return nil, fmt.Errorf("%s does not hold exactly one charter", path)
	}
	return p.Charters[0], nil
}
