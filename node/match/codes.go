package match

import (
	"encoding/binary"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
)

// Code is a subject code in its system, packed so that the broader code is a number of leading bits.
type Code uint32

// The systems of codes.
const (
	systemFORD = 1 + iota
	systemISIC
	systemIPC
	systemSDG
)

// maxCodes is the number of codes that a listing can have: four lists.
const maxCodes = 4 * protocol.MaxCodes

func (c Code) system() int { return int(c >> 28) }

// levels are the masks of a system from the broadest level to the narrowest.
func (c Code) levels() []Code {
	switch c.system() {
	case systemFORD:
		return []Code{0xffffff00, 0xffffffff}
	case systemISIC:
		return []Code{0xffffff00, 0xffffffff}
	case systemIPC:
		return []Code{0xffff0000, 0xffffff00, 0xffffffff}
	}
	return []Code{0xffffffff}
}

// covers reports whether c is d or broader than d.
func (c Code) covers(d Code) bool {
	for _, mask := range c.levels() {
		if c&^mask == 0 && c == d&mask {
			return true
		}
	}
	return c == d
}

// shared is the narrowest code that both are or lie below, and its level from 1; 0 if there is none.
func shared(c, d Code) (Code, int) {
	if c.system() != d.system() {
		return 0, 0
	}
	levels := c.levels()
	for i := len(levels); i > 0; i-- {
		mask := levels[i-1]
		if c&mask != d&mask {
			continue
		}
		if i > 1 && c&mask == c&levels[i-2] { // the broader code itself, named at this level
			continue
		}
		return c & mask, i
	}
	return 0, 0
}

// String is the code as its list writes it, after the name of the list: "FORD 2.4", "IPC C12N".
func (c Code) String() string {
	switch c.system() {
	case systemFORD:
		s := "FORD " + strconv.Itoa(int(c>>8&0xff))
		if sub := c & 0xff; sub > 0 {
			s += "." + strconv.Itoa(int(sub))
		}
		return s
	case systemISIC:
		s := "ISIC " + string(rune(c>>8&0xff))
		if division := c & 0xff; division > 0 {
			s += leading(int(division - 1))
		}
		return s
	case systemIPC:
		s := "IPC " + string(rune(c>>16&0xff))
		if class := c >> 8 & 0xff; class > 0 {
			s += leading(int(class - 1))
		}
		if sub := c & 0xff; sub > 0 {
			s += string(rune(sub))
		}
		return s
	case systemSDG:
		return "SDG " + strconv.Itoa(int(c&0xff))
	}
	return ""
}

func leading(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// ParseFORD reads a code such as 2 or 2.4.
func ParseFORD(s string) (Code, bool) {
	broad, sub, found := strings.Cut(s, ".")
	f, err := strconv.ParseUint(broad, 10, 8)
	if err != nil || f < 1 || f > 6 {
		return 0, false
	}
	c := Code(systemFORD<<28 | f<<8)
	if !found {
		return c, true
	}
	n, err := strconv.ParseUint(sub, 10, 8)
	return c | Code(n), err == nil && n >= 1
}

// ParseISIC reads a section such as C, or a division with it such as C10.
func ParseISIC(s string) (Code, bool) {
	if len(s) != 1 && len(s) != 3 || s[0] < 'A' || s[0] > 'U' {
		return 0, false
	}
	c := Code(systemISIC<<28 | uint32(s[0])<<8)
	if len(s) == 1 {
		return c, true
	}
	n, err := strconv.ParseUint(s[1:], 10, 8)
	return c | Code(n+1), err == nil
}

// ParseIPC reads a section such as C, a class such as C12, or a subclass such as C12N.
func ParseIPC(s string) (Code, bool) {
	if len(s) != 1 && len(s) != 3 && len(s) != 4 || s[0] < 'A' || s[0] > 'H' {
		return 0, false
	}
	c := Code(systemIPC<<28 | uint32(s[0])<<16)
	if len(s) == 1 {
		return c, true
	}
	n, err := strconv.ParseUint(s[1:3], 10, 8)
	c |= Code(n+1) << 8
	if len(s) == 4 {
		if s[3] < 'A' || s[3] > 'Z' {
			return 0, false
		}
		c |= Code(s[3])
	}
	return c, err == nil
}

// ParseSDG reads the number of a goal.
func ParseSDG(s string) (Code, bool) {
	n, err := strconv.ParseUint(s, 10, 8)
	return systemSDG<<28 | Code(n), err == nil && n >= 1 && n <= 17
}

func parseCodes(list []string, parse func(string) (Code, bool)) (codes []Code) {
	for _, s := range list {
		if c, ok := parse(s); ok {
			codes = append(codes, c)
		}
	}
	return codes
}

func factsOf(l *protocol.Listing) Facts {
	f := Facts{Kind: l.Kind, Country: l.Country, TRL: l.TRL, Published: l.Published, ValidUntil: l.ValidUntil}
	f.Codes = append(f.Codes, parseCodes(l.FORD, ParseFORD)...)
	f.Codes = append(f.Codes, parseCodes(l.ISIC, ParseISIC)...)
	f.Codes = append(f.Codes, parseCodes(l.IPC, ParseIPC)...)
	for _, n := range l.SDG {
		f.Codes = append(f.Codes, systemSDG<<28|Code(n))
	}
	f.terms = cooperation{forms: hashes(l.Cooperation), seeks: hashes(l.Seeks.Types), own: hashes([]string{l.Organisation.Type}), countries: countryCodes(l.Seeks.Countries)}
	return f
}

// cooperation is what a listing says of the partner and the way of working together, each word as a number of 16 bits.
type cooperation struct{ forms, seeks, own, countries []uint16 }

func hashes(list []string) (out []uint16) {
	for _, s := range list {
		if s == "" {
			continue
		}
		h := fnv.New32a()
		h.Write([]byte(s))
		n := h.Sum32()
		out = append(out, uint16(n^n>>16))
	}
	return out
}

func countryCodes(list []protocol.Country) (out []uint16) {
	for _, c := range list {
		code := countryCode(c)
		out = append(out, binary.BigEndian.Uint16(code[:]))
	}
	return out
}

// pack appends it to b.
func (c cooperation) pack(b []byte) []byte {
	for _, list := range [][]uint16{c.forms, c.seeks, c.own, c.countries} {
		list = list[:min(len(list), protocol.MaxCodes)]
		b = append(b, uint8(len(list)))
		for _, n := range list {
			b = binary.LittleEndian.AppendUint16(b, n)
		}
	}
	return b
}

// unpackCooperation reads it behind a sketch. It never fails: what it cannot read is as if it were not said.
func unpackCooperation(b []byte) (c cooperation) {
	b = b[min(len(b), 2*sketchSize):]
	for _, list := range []*[]uint16{&c.forms, &c.seeks, &c.own, &c.countries} {
		if len(b) == 0 || len(b) < 1+2*int(b[0]) {
			return c
		}
		n := int(b[0])
		for i := range n {
			*list = append(*list, binary.LittleEndian.Uint16(b[1+2*i:]))
		}
		b = b[1+2*n:]
	}
	return c
}

func overlap(a, b []uint16) bool {
	return slices.ContainsFunc(a, func(n uint16) bool { return slices.Contains(b, n) })
}
