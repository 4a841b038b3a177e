package protocol

import (
	"strings"
	"testing"
)

func TestIdsOfOthers(t *testing.T) {
	for _, x := range []struct {
		what string
		is   func(string) bool
		good []string
		bad  []string
	}{
		{"ORCID", isORCID,
			[]string{"0000-0002-1825-0097", "0000-0001-5109-3700", "0000-0002-1694-233X"},
			[]string{"", "0000-0002-1825-0096", "0000-0002-1825-009", "0000-0002-1694-233x", "0000000218250097", "0000-0002-1825-00970", "000A-0002-1825-0097", "0000_0002-1825-0097", "0000-0002-1825-009:"}},
		{"ROR", isROR,
			[]string{"03yrm5c26", "02mhbdp94", "05dxps055", "042nb2s44"},
			[]string{"", "03yrm5c27", "03yrm5c2", "13yrm5c26", "03yrm5cx6", "03YRM5C26", "03yrl5c26", "03yrm5c260", "03yrm5ć26"}},
		{"DOI", isDOI,
			[]string{"10.1000/182", "10.1000.10/123456", "10.123456789/x", "10.1002/(SICI)1097-4571(199806)49:8<693::AID-ASI4>3.0.CO;2-O"},
			[]string{"", "10.1000/", "10.1000", "10./x", "10.100/x", "10.1234567890/x", "10.1000./x", "10.10a0/x", "11.1000/x", "10.1000/a b", "10.1000/é", "doi:10.1000/182", "10.1000/" + strings.Repeat("x", MaxDOI)}},
		{"e-mail", isEmail,
			[]string{"a@b.kh", "first.last+tag@mail.example.org", strings.Repeat("a", 64) + "@example.org"},
			[]string{"", "a", "a@", "@b.kh", "a@b", "a@@b.kh", "a.@b.kh", "a@.kh", "a@b..kh", "a b@c.kh", "a@b.kh\n", "\"a\"@b.kh", "a@b_c.kh", "é@b.kh", strings.Repeat("a", 65) + "@b.kh", "a@" + strings.Repeat("b", 250) + ".kh"}},
		{"telephone", isPhone, []string{"+855 23 123 456", "117", "(02) 123-4567/8"}, []string{"", "12", "+-+", "1234x", "٠١٢٣", strings.Repeat("1", 41)}},
		{"time zone", isZone, []string{"Asia/Bangkok", "UTC", "America/Port-au-Prince", "Etc/GMT+7", "America/North_Dakota/Center"}, []string{"", "/etc", "asia/bangkok", "Asia//Bangkok", "Asia/", "Asia/Bang kok", "A..", "A" + strings.Repeat("a", 64)}},
		{"media type", isMediaType, []string{"application/pdf", "image/svg+xml", "application/vnd.ms-excel"}, []string{"", "pdf", "/pdf", "application/", "Application/pdf", "a/b;c=d", "a/b/c", "a b/c", "a/" + strings.Repeat("b", 99)}},
	} {
		for _, s := range x.good {
			if !x.is(s) {
				t.Errorf("%q is no %s", s, x.what)
			}
		}
		for _, s := range x.bad {
			if x.is(s) {
				t.Errorf("%q is taken for a %s", s, x.what)
			}
		}
	}
}

// Of an ORCID iD or a ROR id, a check notices every single wrong character.
func TestChecksNoticeOneWrongCharacter(t *testing.T) {
	for _, x := range []struct {
		id string
		is func(string) bool
	}{{"0000-0002-1694-233X", isORCID}, {"03yrm5c26", isROR}} {
		for i := range x.id {
			for _, c := range "0123456789abcdefghjkmnpqrstvwxyzX-" {
				if s := x.id[:i] + string(c) + x.id[i+1:]; s != x.id && x.is(s) {
					t.Errorf("%s is taken for %s", s, x.id)
				}
			}
		}
	}
}

func TestReferences(t *testing.T) {
	r := Reference{TechnologyOffer, "KH", 20717, 1}
	if got := r.String(); got != "TO-KH-20260921-001" {
		t.Errorf("got %s", got)
	}
	for _, s := range []string{"TO-KH-20260921-001", "FN-TL-19700102-999", "RD-BN-99991231-1000", "EX-LA-20240229-9999"} {
		if r, err := ParseReference(s); err != nil || r.String() != s {
			t.Errorf("%s is read as %v: %v", s, r, err)
		}
	}
	for _, s := range []string{
		"", "TO-KH-20260921", "TO-KH-20260921-0", "TO-KH-20260921-000", "TO-KH-20260921-01", "TO-KH-20260921-0001", "TO-KH-20260921-10000", "TO-KH-20260921-+01",
		"XX-KH-20260921-001", "to-KH-20260921-001", "TO-kh-20260921-001", "TO-KHM-20260921-001", "TO-KH-20260931-001", "TO-KH-19700101-001", "TO-KH-2026921-001",
		"TO-KH-20260921-001-1", " TO-KH-20260921-001", "TO-KH-20260921-00१", strings.Repeat("-", 1<<20),
	} {
		if r, err := ParseReference(s); CodeOf(err) != CodeValue || r != (Reference{}) {
			t.Errorf("%.40q is read as %v: %v", s, r, err)
		}
	}
}
