package text

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// shown writes tokens as tests compare them: words as they are, pieces ~, numbers #, names !.
func shown(tokens []Token) string {
	var b strings.Builder
	for i, t := range tokens {
		if i > 0 {
			b.WriteByte('|')
		}
		b.WriteString([...]string{"", "~", "#", "!"}[t.Kind] + t.Term)
	}
	return b.String()
}

func TestDump(t *testing.T) {
	a := NewAnalyser(small())
	for _, s := range [][2]string{
		{"en", "The drying of membranes, and it's RUNNING! Don't re-use waste-water."},
		{"en", "Wastewater treatment at 3.5 kW, 10 µm pores, 25°C and 1,000 mg/L CO2; H₂O, TiO2, LiFePO4 and Ca(OH)2."},
		{"en", "IoT sensors with 5G, B12, SARS-CoV-2 and COVID-19 at 10⁶ CFU/mL; AI for LEDs, 95% of 1.2.3"},
		{"id", "Sistem penyaringan air limbah untuk pabrik-pabrik kecil yang menggunakan energi surya 1.000 kW IoT"},
		{"id", "Buku-buku, sayur-sayuran, dibacakannya rumahnya; arus bolak-balik 3,5 kW"},
		{"ms", "Sistem penapisan air sisa kilang dengan tenaga suria, ketelitian perumahan"},
		{"fil", "Sistemang naglilinis ng tubig gamit ang enerhiya ng araw; pag-aaral, bumabasa, niluto, lutuin, bayaran"},
		{"vi", "Hệ thống lọc nước thải cho nhà máy nhỏ dùng năng lượng mặt trời, hoá học, hoà tan, IoT"},
		{"pt", "Sistemas de tratamento de resíduos e painéis solares, produções d'água, guarda-chuva"},
		{"tet", "Bee moos ne’ebé ema sira uza; energia"},
		{"th", "ระบบกรองน้ำเสียสำหรับโรงงานขนาดเล็กด้วย IoT ขนาด ๒๕ kW โซลาร์"},
		{"lo", "ລະບົບກັ່ນຕອງນ້ຳເປື້ອນໂຮງງານຂະໜາດນ້ອຍ"},
		{"km", "ប្រព័ន្ធ\u200bច្រោះ\u200bទឹក\u200bស្អាតសម្រាប់ភូមិ ថាមពលព្រះអាទិត្យ"},
		{"my", "စက်ရုံများအတွက် ရေသန့်စင်စနစ် ၂၅ kW"},
		{"zh", "小型工厂废水膜过滤系统，纳米材料"},
		{"ta", "தொழிற்சாலைகளுக்கான கழிவுநீர் அமைப்பு, வீட்டில் மரங்களை சூரிய ஆற்றலுடன் நிலத்தில்"},
		{"fr", "Système de filtration"},
	} {
		n := Normalise(s[1])
		out := a.Analyse(nil, n, s[0])
		t.Log(s[0], n, "\n", shown(out))
		var w []string
		for _, k := range out {
			w = append(w, k.Word+":"+k.Lang)
		}
		if s[0] != "en" {
			t.Log("   words", w)
		}
	}
	_ = fmt.Sprint
	_ = utf8.RuneLen
}
