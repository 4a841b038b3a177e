package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/config"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// cardBefore finds the newest card of this node, in its folder and as the node knows it, and what a seal names.
func cardBefore(ctx context.Context, cfg config.File, papers *protocol.Papers, seal string) (before *protocol.SignedCard, sealed *exchange.Seal, err error) {
	for _, c := range papers.Cards {
		if string(c.Member) == cfg.Member && (before == nil || c.Version > before.Version) {
			before = c
		}
	}
	at, err := parseSeal(seal)
	if err != nil {
		return nil, nil, err
	}
	c := client{socket: cfg.Socket}
	running := c.alive(ctx)
	var s exchange.Seal
	switch {
	case running && seal == sealHead:
		return nil, nil, fmt.Errorf("the node is running, and could sign more after the seal: stop it first, or name a position below the end of its catalogue")
	case running:
		err = c.get(ctx, "/api/v1/operator/seal?at="+url.QueryEscape(strings.TrimPrefix(seal, sealHead)), &s)
		if err == nil && seal != "" && at == s.Head {
			err = fmt.Errorf("%s is the end of the catalogue, and the running node could sign more after it: stop the node first", at)
		}
	case store.Exists(cfg.Data) && (seal != "" || before == nil):
		s, err = storedSeal(cfg, at)
	case seal != "":
		return nil, nil, fmt.Errorf("%s holds no database, so nothing was signed that could be sealed", cfg.Data)
	}
	if err != nil {
		return nil, nil, err
	}
	if len(s.Card) > 0 {
		known, err := protocol.DecodeCard(s.Card)
		if err != nil {
			return nil, nil, err
		}
		if before == nil || known.Version > before.Version {
			before = known
		}
	}
	if seal == "" {
		return before, nil, nil
	}
	if before == nil {
		return nil, nil, fmt.Errorf("there is no card of %s yet, so no key can be sealed: leave out --seal", cfg.Member)
	}
	return before, &s, nil
}

func storedSeal(cfg config.File, at protocol.Position) (s exchange.Seal, err error) {
	release, err := store.LockGuard(cfg.Guard)
	if err != nil {
		return s, err
	}
	s, err = node.ReadSeal(store.Config{Dir: cfg.Data, Memtable: int64(cfg.Memtable)}, protocol.MemberID(cfg.Member), at)
	return s, errors.Join(err, release())
}

const sealHead = "head"

// parseSeal reads a position; head and nothing are the zero position.
func parseSeal(text string) (p protocol.Position, err error) {
	if text == "" || text == sealHead {
		return p, nil
	}
	epoch, seq, _ := strings.Cut(text, ".")
	if p.Epoch, err = strconv.ParseUint(epoch, 10, 53); err == nil {
		p.Seq, err = strconv.ParseUint(seq, 10, 53)
	}
	if err != nil || p.Epoch == 0 || p.Seq == 0 {
		return p, fmt.Errorf("--seal %s is no position: write it as 1.8, or head for the end of the catalogue", text)
	}
	return p, nil
}

// keyRanges of the next card: as before, or with the key in use sealed and another one following.
func keyRanges(cfg config.File, wish cardWish, before *protocol.SignedCard, sealed *exchange.Seal) ([]protocol.RecordKeyRange, error) {
	path := cfg.RecordKey
	if wish.recordKey != "" {
		path = wish.recordKey
	}
	record, err := readSigner(path)
	if err != nil {
		return nil, err
	}
	key := record.Public()
	if before == nil {
		return []protocol.RecordKeyRange{{Key: key, From: protocol.Position{Epoch: 1, Seq: 1}}}, nil
	}
	ranges := slices.Clone(before.Keys)
	last := &ranges[len(ranges)-1]
	if sealed == nil {
		if last.Key != key {
			return nil, fmt.Errorf("card %d names another record key than %s. To replace a record key, seal it: put the name of the key before back into %s, and see tmh card new --help", before.Version, path, config.Name)
		}
		return ranges, nil
	}
	if slices.ContainsFunc(ranges, func(r protocol.RecordKeyRange) bool { return r.Key == key }) {
		return nil, fmt.Errorf("%s was this node's record key already: make another one with tmh key new, and name it with --record-key", path)
	}
	at := sealed.At.Position
	switch {
	case sealed.Head.Compare(last.From) < 0:
		last.Key, sealed.At = key, exchange.SignedChange{} // it never signed anything
		return ranges, nil
	case at.Compare(last.From) < 0:
		return nil, fmt.Errorf("%s lies below %s, where the key in use begins: what is below is sealed already", at, last.From)
	}
	last.To, last.Seal = at, sealed.At.Header
	return append(ranges, protocol.RecordKeyRange{Key: key, From: protocol.Position{Epoch: at.Epoch, Seq: at.Seq + 1}}), nil
}

// rotated keeps the card for the next start, when the node signs with the new key, and says what is to be done. A running
// node is not given the card: it still holds the key before.
func rotated(cmd *cobra.Command, dir string, cfg config.File, wish cardWish, card *protocol.SignedCard, sealed *exchange.Seal) error {
	if err := writePaper(filepath.Join(cfg.Papers, fmt.Sprintf("card-%s-%04d.tmh", card.Member, card.Version)), pemCard, card.Bytes()); err != nil {
		return err
	}
	unused := sealed.At.Position.Seq == 0
	if !unused {
		cmd.Printf("The key before is sealed at %s (%s %s %s).\n", sealed.At.Position, sealed.At.Kind, sealed.At.Key, sealed.At.Title)
	} else {
		cmd.Println("The key before never signed anything, so there is nothing to seal.")
	}
	step := 0
	next := func(format string, args ...any) {
		step++
		cmd.Printf("  %d. "+format+"\n", append([]any{step}, args...)...)
	}
	if wish.recordKey != "" {
		named, err := nameRecordKey(dir, wish.recordKey)
		if err != nil {
			return err
		}
		cmd.Printf("%s now names %s as record_key.\n", filepath.Join(dir, config.Name), named)
	}
	cmd.Println("Next:")
	if (client{socket: cfg.Socket}).alive(cmd.Context()) {
		next("Stop the node now: it still signs with the key before, and what it signs above the seal is void.")
	}
	above := !unused && sealed.Head.Compare(sealed.At.Position) > 0
	if above {
		next("What is held here above the seal, up to %s, is void: move %s away, and put a backup of before the seal in its\n     place (tmh restore). Leave the guard file where it is.", sealed.Head, cfg.Data)
	}
	next("tmh serve --dir %s", dir)
	if above {
		next("tmh epoch open --dir %s --reason key; then publish again what was yours above the seal.", dir)
	} else {
		next("If the key before was stolen: tmh epoch open --dir %s --reason key, before anything is published.", dir)
		next("Publish or revise a listing: the first change shows the others the new key at work.")
	}
	next("Delete the file of the key before.")
	return nil
}

// nameRecordKey writes the new key's path into the configuration, below dir where it lies there.
func nameRecordKey(dir, path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	folder, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if rel, err := filepath.Rel(folder, absolute); err == nil && !strings.HasPrefix(rel, "..") {
		absolute = rel
	}
	file := filepath.Join(dir, config.Name)
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	line := regexp.MustCompile(`(?m)^record_key:.*$`)
	if !line.Match(b) {
		return "", fmt.Errorf("%s has no line record_key: add record_key: %s by hand, before the node is started", file, absolute)
	}
	b = line.ReplaceAllLiteral(b, []byte("record_key: "+strconv.Quote(absolute)))
	if err := os.WriteFile(file+".new", b, 0o600); err != nil {
		return "", err
	}
	return absolute, os.Rename(file+".new", file)
}
