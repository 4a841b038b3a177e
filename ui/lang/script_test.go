package lang

import (
	"fmt"
	"testing"
)

// Signs of Thai, Lao, Khmer and Burmese that stand above, below or around a letter have one right order. In another one they look
// right in some programs and wrong in others, and searching does not find them.

// misspelt says what is out of order in a text.
func misspelt(s string) string {
	before := rune(0)
	runes := []rune(s)
	for i, r := range runes {
		after := rune(0)
		if i+1 < len(runes) {
			after = runes[i+1]
		}
		if why := outOfOrder(before, r, after); why != "" {
			return fmt.Sprintf("%s, at character %d", why, i+1)
		}
		before = r
	}
	return ""
}

func outOfOrder(before, r, after rune) string {
	switch {
	case r == 0x0E4D && (after == 0x0E32 || after >= 0x0E48 && after <= 0x0E4B), r == 0x0ECD && after == 0x0EB2:
		return "the vowel AM is written in two parts"
	case r == 0x0E40 && after == 0x0E40, r == 0x0EC0 && after == 0x0EC0:
		return "the vowel AE is written as two E"
	case thaiSign(r) && !within(before, 0x0E01, 0x0E2E) && !thaiSign(before), laoSign(r) && !within(before, 0x0E81, 0x0EAE) && !within(before, 0x0EDC, 0x0EDF) && !laoSign(before):
		return fmt.Sprintf("the sign %U follows no letter", r)
	case thaiVowel(r) && thaiTone(before), laoVowel(r) && laoTone(before):
		return fmt.Sprintf("the vowel %U follows a tone mark", r)
	case within(r, 0x0E40, 0x0E44) && !within(after, 0x0E01, 0x0E2E), within(r, 0x0EC0, 0x0EC4) && !within(after, 0x0E81, 0x0EAE) && !within(after, 0x0EDC, 0x0EDF):
		return fmt.Sprintf("the vowel %U stands before no letter", r)

	case r == 0x17D2 && (!within(after, 0x1780, 0x17B3) || !within(before, 0x1780, 0x17B3) && !khmerShifter(before)):
		return "a Khmer subscript has no letter"
	case within(r, 0x17B6, 0x17C5) && !within(before, 0x1780, 0x17B3) && !khmerShifter(before):
		return fmt.Sprintf("the Khmer vowel %U follows no letter", r)
	case r == 0x17C1 && after == 0x17B8, r == 0x17C1 && after == 0x17B6, r == 0x17A3 || r == 0x17A4:
		return "a Khmer vowel is written in two parts, or by a letter that is not used any more"

	case r == 0x1031 && !burmeseLetter(before) && !within(before, 0x103B, 0x103E):
		return fmt.Sprintf("the Burmese vowel E follows %U", before)
	case within(r, 0x103B, 0x103E) && !burmeseLetter(before) && !within(before, 0x103A, 0x103E):
		return fmt.Sprintf("a Burmese medial follows %U", before)
	case r == 0x1039 && !burmeseLetter(after):
		return fmt.Sprintf("a Burmese stacker stands before %U", after)
	case within(r, 0x1060, 0x1097):
		return fmt.Sprintf("%U is no letter of Burmese", r)
	}
	return ""
}

func within(r, first, last rune) bool { return r >= first && r <= last }

func thaiVowel(r rune) bool { return r == 0x0E31 || within(r, 0x0E34, 0x0E39) || r == 0x0E47 }
func thaiTone(r rune) bool  { return within(r, 0x0E48, 0x0E4B) }
func thaiSign(r rune) bool  { return thaiVowel(r) || thaiTone(r) || r == 0x0E4C }

func laoVowel(r rune) bool {
	return r == 0x0EB1 || within(r, 0x0EB4, 0x0EB9) || r == 0x0EBB || r == 0x0EBC || r == 0x0ECD
}
func laoTone(r rune) bool { return within(r, 0x0EC8, 0x0ECB) }
func laoSign(r rune) bool { return laoVowel(r) || laoTone(r) || r == 0x0ECC }

func khmerShifter(r rune) bool { return r == 0x17C9 || r == 0x17CA || r == 0x17CC }

func burmeseLetter(r rune) bool {
	return within(r, 0x1000, 0x1021) || r == 0x1025 || r == 0x1029 || r == 0x103F
}

func TestOrderOfSigns(t *testing.T) {
	for s, right := range map[string]bool{
		"ค้นหาเทคโนโลยีที่นี่": true, "กำลังทำงาน น้ำ": true, "เน\u0E4D\u0E32": false, "ที\u0E48": true, "ท\u0E48ี": false, "เเม่": false, "\u0E48ก": false, "เ.": false,
		"ຄົ້ນຫາເຕັກໂນໂລຊີ ຢູ່ທີ່ນີ້": true, "ນ້ຳ": true, "ນ\u0ECD\u0EB2": false, "ທ\u0EC8ີ": false, "ໜ່ວຍງານ": true, "ເຊື່ອມຕໍ່": true, "ຕ\u0EC8ໍ": false,
		"ស្វែងរកបច្ចេកវិទ្យានៅទីនេះ": true, "ស៊ី ប៉ុន្តែ": true, "ក្រុមហ៊ុន": true, "\u17D2ក": false, "ក\u17D2": false, "ក\u17C1\u17B8": false, "ាក": false,
		"ရေသန့်စင်စနစ်": true, "မြန်မာ": true, "သတ္တု": true, "ကျေးလက်": true,
		"ေရသန္႔စင္": false, "ျမန္မာ": false, "ေက်းလက္": false, // the same words in Zawgyi
		"Search here": true, "தேடுக": true, "搜索": true,
	} {
		if why := misspelt(s); (why == "") != right {
			t.Errorf("%s %+q: %q", s, s, why)
		}
	}
}
