package text

import (
	"strings"
)

// list is a dictionary by language: whether what begins a word is one itself.
type list map[string]map[string]bool

func newList(byLang map[string]string) list {
	d := list{}
	for lang, words := range byLang {
		for _, w := range strings.Split(words, ",") {
			d.add(lang, strings.TrimSpace(w))
		}
	}
	return d
}

func (d list) add(lang, w string) {
	w = strings.ToLower(Normalise(w))
	if w == "" {
		return
	}
	if d[lang] == nil {
		d[lang] = map[string]bool{}
	}
	for i := range w {
		if !d[lang][w[:i]] {
			d[lang][w[:i]] = false
		}
	}
	d[lang][w] = true
}

func (d list) Has(lang, w string) bool { return d[lang][w] }

func (d list) Longest(lang, s string) (n int) {
	words := d[lang]
	for i := range s {
		word, begins := words[s[:i]]
		if word {
			n = i
		} else if !begins {
			return n
		}
	}
	if words[s] {
		return len(s)
	}
	return n
}

// small is a dictionary of technology words.
func small() list {
	return newList(map[string]string{
		"id":  "saring, penyaringan, air, limbah, pabrik, kecil, olah, sistem, hemat, energi, surya, sel, buku, kering, pengering, padi, guna, rumah, baca, tulis, laju, sayur, laku, bolak-balik",
		"ms":  "tapis, penapisan, air, sisa, kilang, kecil, sistem, tenaga, suria, kering, padi, guna, teliti, rumah",
		"fil": "tubig, linis, salain, sala, basa, bahay, araw, enerhiya, gamit, dagat, luto, aral, sistema, palay, tuyo, bayad, malinis, gawa",
		"vi":  "hệ thống, lọc, nước, nước thải, nhà máy, năng lượng, năng lượng mặt trời, công nghệ, hóa học, tự động hóa, nhỏ, hòa tan",
		"pt":  "água, energia, sistema, tratamento, resíduo, painel, solar, produção, guarda-chuva, animal, baixo, custo",
		"tet": "bee, moos, ne'ebé, natureza, enerjia, hahán, be'e, ema",
		"th":  "ระบบ, กรอง, น้ำ, น้ำเสีย, เสีย, โรงงาน, ขนาด, เล็ก, เซลล์, แสงอาทิตย์, พลังงาน, อบแห้ง, ข้าว, เครื่อง, เยื่อ, ตา, ตาก, กลม, ลม",
		"lo":  "ລະບົບ, ກັ່ນຕອງ, ນ້ຳ, ນ້ຳເປື້ອນ, ໂຮງງານ, ພະລັງງານ, ແສງຕາເວັນ, ຂະໜາດ, ນ້ອຍ, ເຄື່ອງ, ອົບແຫ້ງ, ເຂົ້າ",
		"km":  "ប្រព័ន្ធ, ច្រោះ, ទឹក, ស្អាត, ទឹកស្អាត, ភូមិ, ថាមពល, ព្រះអាទិត្យ, ថាមពលព្រះអាទិត្យ, រោងចក្រ, ស្រូវ, ម៉ាស៊ីន, សម្ងួត",
		"my":  "ရေ, သန့်, ရေသန့်, စနစ်, စက်ရုံ, နေရောင်ခြည်, စွမ်းအင်, စပါး, အခြောက်ခံ, စက်",
		"zh":  "废水, 膜, 过滤, 系统, 工厂, 小型, 太阳能, 电池, 水",
		"ta":  "நீர், குடிநீர், மரம், சூரிய, ஆற்றல், வீடு, தொழிற்சாலை, சவ்வு, அமைப்பு, கழிவு, நெல், உலர்த்தி, நிலம், கருவி, தொழில்நுட்பம்",
	})
}
