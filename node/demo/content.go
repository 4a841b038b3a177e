package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/configs"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

var validUntil = regexp.MustCompile(`"valid_until":"\d{4}-\d\d-\d\d"`)

// Pair of demonstration listings that are meant to find each other across a border.
type Pair struct {
	Need, Offer protocol.ListingID
	Why         string
}

// Content is the demonstration listings as JSON Lines, by the member who publishes them.
func Content() (map[protocol.MemberID][]byte, error) {
	names, err := fs.Glob(configs.Demo, "demo/*.jsonl")
	if err != nil {
		return nil, err
	}
	all := make(map[protocol.MemberID][]byte)
	for _, name := range names {
		b, err := configs.Demo.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(b) {
			var l struct {
				Country protocol.MemberID `json:"country"`
			}
			if err := json.Unmarshal(line, &l); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			all[l.Country] = append(all[l.Country], line...)
		}
	}
	return all, nil
}

// Pairs of the demonstration content.
func Pairs() ([]Pair, error) {
	names, err := fs.Glob(configs.Demo, "demo/*.pairs.tsv")
	if err != nil {
		return nil, err
	}
	var all []Pair
	for _, name := range names {
		b, err := configs.Demo.ReadFile(name)
		if err != nil {
			return nil, err
		}
		s := bufio.NewScanner(bytes.NewReader(b))
		for s.Scan() {
			cells := strings.Split(s.Text(), "\t")
			if len(cells) != 3 {
				return nil, fmt.Errorf("%s: %q is no pair", name, s.Text())
			}
			all = append(all, Pair{protocol.ListingID(cells[0]), protocol.ListingID(cells[1]), cells[2]})
		}
	}
	return all, nil
}

// OriginOf is the member whose listing a demonstration id is: its second part.
func OriginOf(id protocol.ListingID) protocol.MemberID {
	parts := strings.SplitN(string(id), "-", 3)
	if len(parts) < 3 {
		return ""
	}
	return protocol.MemberID(parts[1])
}

// Publish imports JSON Lines at a member's node and returns how many rows it has there. Refused rows are an error.
func (f *Federation) Publish(ctx context.Context, m protocol.MemberID, lines []byte) (int, error) {
	rows := 0
	err := f.Node(m).Counter().Import(ctx, "jsonl", bytes.NewReader(lines), func(e exchange.ImportEvent) error {
		if len(e.Errors) > 0 {
			return fmt.Errorf("row %d of %s, %s: %w", e.Row, m, e.ID, e.Errors)
		}
		if e.Done != nil {
			rows = e.Done.Rows
		}
		return nil
	})
	return rows, err
}

// renew moves the end of validity of expired listings on by whole years: the content is to be found whenever it is shown.
func renew(lines []byte, today time.Time) []byte {
	return validUntil.ReplaceAllFunc(lines, func(b []byte) []byte {
		until, err := time.Parse(`"valid_until":"`+time.DateOnly+`"`, string(b))
		for err == nil && until.Before(today) {
			until = until.AddDate(1, 0, 0)
		}
		return until.AppendFormat(nil, `"valid_until":"`+time.DateOnly+`"`)
	})
}

// PublishContent publishes the demonstration content, each listing at its member.
func (f *Federation) PublishContent(ctx context.Context) (int, error) {
	content, err := Content()
	if err != nil {
		return 0, err
	}
	sum := 0
	for _, m := range f.Members() {
		if len(content[m]) == 0 || f.Node(m) == nil {
			continue
		}
		n, err := f.Publish(ctx, m, renew(content[m], time.Now()))
		if err != nil {
			return sum, err
		}
		sum += n
	}
	return sum, nil
}
