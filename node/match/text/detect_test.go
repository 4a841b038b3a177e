package text

import "testing"

func TestDetect(t *testing.T) {
	for _, tt := range []struct {
		text, declared, want string
	}{
		{"A low-cost membrane that removes arsenic from drinking water in villages.", "", "en"},
		{"A low-cost membrane that removes arsenic from drinking water in villages.", "th", "en"},
		{"A low-cost membrane that removes arsenic from drinking water in villages.", "id", "en"},
		{"Membran murah yang menghilangkan arsen dari air minum karena penelitian kami bisa dipakai di desa.", "en", "id"},
		{"Membran kos rendah yang menyingkirkan arsenik daripada air minuman kerana kajian universiti kami.", "", "ms"},
		{"Membran kos rendah yang menyingkirkan arsenik daripada air minuman kerana kajian universiti kami.", "id", "ms"},
		{"Murang salaan na nag-aalis ng arseniko sa tubig na iniinom ng mga tao sa nayon.", "en", "fil"},
		{"Màng lọc giá rẻ loại bỏ asen khỏi nước uống cho các làng.", "", "vi"},
		{"Uma membrana de baixo custo que remove o arsénio da água potável nas aldeias.", "en", "pt"},
		{"Membrana baratu ida ne'ebé hasai arséniku husi bee hemu iha aldeia sira.", "pt", "tet"},
		{"เยื่อกรองราคาถูกสำหรับน้ำดื่ม ใช้กับ IoT sensor และ cloud", "en", "th"},
		{"ເຍື່ອກອງລາຄາຖືກສຳລັບນ້ຳດື່ມ", "th", "lo"},
		{"ភ្នាសតម្លៃថោកសម្រាប់ទឹកស្អាត", "", "km"},
		{"သောက်ရေသန့်အတွက် စျေးသက်သာသော အမြှေးပါး", "en", "my"},
		{"低成本饮用水除砷膜", "en", "zh"},
		{"குடிநீரில் ஆர்சனிக்கை நீக்கும் மலிவான சவ்வு", "en", "ta"},
		{"Membrane de filtration à bas coût pour l'eau potable des villages", "fr", "fr"},
		{"solar cell", "", "en"},
		{"ထႆး လိၵ်ႈတႆး", "shn", "shn"},
		{"12.5 %", "vi", "vi"},
		{"浄水フィルター", "ja", "ja"},
	} {
		if got := Detect(Normalise(tt.text), tt.declared); got.Lang != tt.want || got.Sure <= 0 && got.Script != "Zyyy" || got.Sure > 1 {
			t.Errorf("%q, declared %q: %+v, want %s; %+v", tt.text, tt.declared, got, tt.want, Guesses(Normalise(tt.text)))
		}
	}
}

// Two words say little: the answer is unsure, but the language is among the guesses.
func TestGuessesOfFewWords(t *testing.T) {
	for text, want := range map[string]string{
		"air limbah": "id", "penapis air": "ms", "air bersih": "id", "tenaga suria": "ms", "water filter": "en", "lọc nước": "vi", "energi surya": "id",
		"malinis na tubig": "fil", "água limpa": "pt", "bee moos": "tet", "rice drying": "en", "pengering padi": "id",
	} {
		g := Guesses(Normalise(text))
		found := false
		for _, o := range g {
			found = found || o.Lang == want
		}
		if !found || len(g) > 3 || g[0].Sure > 0.95 {
			t.Errorf("%q: %+v, want %s among them, unsure", text, g, want)
		}
	}
}

func TestDetectOnNews(t *testing.T) {
	floors := map[string]int{"en": 97, "id": 90, "ms": 70, "fil": 97, "vi": 98, "th": 99, "lo": 99, "km": 99, "my": 99, "zh": 99, "ta": 99}
	for _, lang := range []string{"en", "id", "ms", "fil", "vi", "th", "lo", "km", "my", "zh", "ta"} {
		lines := shared(t, "ntrex/"+lang+".txt")
		bare, wrong, told := 0, 0, 0
		others := map[string]int{}
		for _, l := range lines {
			n := Normalise(l)
			got := Detect(n, "").Lang
			if got == lang {
				bare++
			} else {
				others[got]++
			}
			declared := "en"
			if lang == "en" {
				declared = "th"
			}
			if Detect(n, declared).Lang == lang {
				wrong++
			}
			if Detect(n, lang).Lang == lang {
				told++
			}
		}
		of := len(lines)
		t.Logf("%-3s undeclared %5.1f%%, declared wrongly %5.1f%%, declared rightly %5.1f%%; taken for %v",
			lang, 100*float64(bare)/float64(of), 100*float64(wrong)/float64(of), 100*float64(told)/float64(of), others)
		if 100*bare < floors[lang]*of {
			t.Errorf("%s: below %d%%", lang, floors[lang])
		}
	}
}
