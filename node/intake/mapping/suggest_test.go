package mapping_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/intake/mapping"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/google/go-cmp/cmp"
)

func TestSuggest(t *testing.T) {
	for _, c := range []struct {
		name   string
		sample []table.Row
		want   []string // names and targets, of each column that is used
	}{
		{"Title|Abstract|Keywords|TRL|Organisation|Country|URL|ID|Inventor|Date", nil,
			[]string{"ID id", "Title listing.texts.en.title", "Abstract listing.texts.en.abstract", "Keywords listing.texts.en.keywords", "TRL listing.trl", "Organisation listing.organisation.name", "Country listing.country", "URL listing.url", "Inventor record.people", "Date listing.published"}},
		{"Judul|Abstrak|Kata Kunci|TKT|Universitas|Negara|Tautan|Nomor|Penemu|Tanggal", nil,
			[]string{"Nomor id", "Judul listing.texts.id.title", "Abstrak listing.texts.id.abstract", "Kata Kunci listing.texts.id.keywords", "TKT listing.trl", "Universitas listing.organisation.name", "Negara listing.country", "Tautan listing.url", "Penemu record.people", "Tanggal listing.published"}},
		{"Tajuk|Penerangan|Pautan|Penyelidik|Tarikh", nil,
			[]string{"Tajuk listing.texts.ms.title", "Penerangan listing.texts.ms.abstract", "Pautan listing.url", "Penyelidik record.people", "Tarikh listing.published"}},
		{"Tiêu đề|Tóm tắt|Từ khóa|Mức độ sẵn sàng công nghệ|Cơ quan|Quốc gia|Liên kết|Mã số|Tác giả|Ngày", nil,
			[]string{"Mã số id", "Tiêu đề listing.texts.vi.title", "Tóm tắt listing.texts.vi.abstract", "Từ khóa listing.texts.vi.keywords", "Mức độ sẵn sàng công nghệ listing.trl", "Cơ quan listing.organisation.name", "Quốc gia listing.country", "Liên kết listing.url", "Tác giả record.people", "Ngày listing.published"}},
		{"ชื่อเรื่อง|บทคัดย่อ|คำสำคัญ|ระดับความพร้อมทางเทคโนโลยี|หน่วยงาน|ประเทศ|ลิงก์|รหัส|ผู้ประดิษฐ์|วันที่", nil,
			[]string{"รหัส id", "ชื่อเรื่อง listing.texts.th.title", "บทคัดย่อ listing.texts.th.abstract", "คำสำคัญ listing.texts.th.keywords", "ระดับความพร้อมทางเทคโนโลยี listing.trl", "หน่วยงาน listing.organisation.name", "ประเทศ listing.country", "ลิงก์ listing.url", "ผู้ประดิษฐ์ record.people", "วันที่ listing.published"}},
		{"Titre|Résumé|Mots-clés|Niveau de maturité|Organisme|Pays|Lien|Identifiant|Auteurs|Date de publication", nil,
			[]string{"Identifiant id", "Titre listing.texts.en.title", "Résumé listing.texts.en.abstract", "Mots-clés listing.texts.en.keywords", "Niveau de maturité listing.trl", "Organisme listing.organisation.name", "Pays listing.country", "Lien listing.url", "Auteurs record.people", "Date de publication listing.published"}},
		{"Título|Resumo|Palavras-chave|Nível de maturidade tecnológica|Instituição|País|Endereço web|Código|Autores|Ano", nil,
			[]string{"Código id", "Título listing.texts.pt.title", "Resumo listing.texts.pt.abstract", "Palavras-chave listing.texts.pt.keywords", "Nível de maturidade tecnológica listing.trl", "Instituição listing.organisation.name", "País listing.country", "Endereço web listing.url", "Autores record.people", "Ano listing.published"}},
		{"dc.title[en_US]|dc.title[th]|dc.description.abstract[en]|dc.contributor.author|dc.subject|dc.date.issued|dc.identifier.uri|dc.identifier.doi", nil,
			[]string{"dc.title[en_US] listing.texts.en.title", "dc.title[th] listing.texts.th.title", "dc.description.abstract[en] listing.texts.en.abstract", "dc.contributor.author record.people", "dc.subject listing.texts.en.keywords", "dc.date.issued listing.published", "dc.identifier.uri listing.url", "dc.identifier.doi record.publications"}},
		{"Title (Thai)|titleEn|Abstract - Bahasa Indonesia|TITLE_VI|Technology  Description (English)|Colour", nil,
			[]string{"TITLE_VI listing.texts.vi.title", "Title (Thai) listing.texts.th.title", "titleEn listing.texts.en.title", "Abstract - Bahasa Indonesia listing.texts.*.abstract", "Technology Description (English) record.texts.en.description"}},
		{"Name|Details", []table.Row{row("Name=เครื่องอบข้าว", "Details=Mesin pengering padi yang hemat dan murah untuk petani dengan tenaga surya")},
			[]string{"Name listing.texts.th.title", "Details listing.texts.*.abstract"}},
		{"texts.th.title|texts.en.keywords|organisation.name|full_record.contact.email|record.texts.en.description|listing.sdg", nil,
			[]string{"texts.th.title listing.texts.th.title", "texts.en.keywords listing.texts.*.keywords", "organisation.name listing.organisation.name", "record.texts.en.description record.texts.en.description", "listing.sdg listing.sdg", "full_record.contact.email record.contact.email"}},
	} {
		names := strings.Split(c.name, "|")
		m := mapping.Suggest(names, c.sample)
		var got []string
		for _, id := range m.ID {
			got = append(got, id+" id")
		}
		for _, r := range m.Rules {
			for _, from := range r.From {
				got = append(got, from+" "+r.To)
			}
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
		if err := m.Validate(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestSuggestedSeparators(t *testing.T) {
	for value, want := range map[string]string{"a; b": ";", "a, b": ",", "a||b, c": "||", "a|b": "|", "a": ";", "a\nb": "\n", "a, b; c": ";"} {
		m := mapping.Suggest([]string{"Keywords"}, []table.Row{row("keywords=" + value)})
		if got := m.Rules[0].Split; got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

func TestSuggestionsOfHostileNames(t *testing.T) {
	names := []string{"", "\xff", "a\u202eb", strings.Repeat("x", 10_000), "Title", "title", " TITLE\n", "Title"}
	for i := range 2000 {
		names = append(names, fmt.Sprintf("keywords %d", i), "tags")
	}
	m := mapping.Suggest(names, nil)
	if err := m.Validate(); err != nil || len(m.Names()) != 2 {
		t.Errorf("%q, %v", m.Names(), err)
	}
}

// twenty columns of a sheet as an office keeps it.
func twenty() (*mapping.Mapping, table.Row) {
	r := row("Ref=A-17", "Kind=Technology offer", "Country=Cambodia", "Title=Solar rice dryer with half of the fuel", "Title (Thai)=เครื่องอบข้าวพลังงานแสงอาทิตย์", "Value statement=Dries paddy in the rain",
		"Abstract=A dryer for paddy that takes half of the fuel of what is in use today and works in the rain. It was tried in two mills in Cambodia &amp; is made of local parts.", "Keywords=rice; dryer; solar", "Organisation=ITC",
		"Organisation type=University", "TRL=TRL 4 (lab)", "IPR=Patent granted", "Cooperation=Licence; Research cooperation", "Field of research=2.4", "ISIC=C10", "IPC=F26B 3/28", "SDG=7; 2", "Published=14/09/2026", "Valid until=2028", "URL=https://example.org/offers/17")
	r.ID = ""
	var names []string
	for _, f := range r.Fields {
		names = append(names, f.Name)
	}
	m := mapping.Suggest(names, []table.Row{r})
	return &m, r
}

func TestTwentyColumns(t *testing.T) {
	m, r := twenty()
	if unused := m.Unused(m.Names()); unused != nil || len(m.Names()) != 20 || m.Lacks() != nil {
		t.Errorf("%q, %v", m.Names(), m.Lacks())
	}
	if _, err := m.Apply(r); err != nil {
		t.Error(err)
	}
}

func BenchmarkApply(b *testing.B) {
	m, r := twenty()
	c, err := m.Compile()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Apply(r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkCompile(b *testing.B) {
	m, _ := twenty()
	for b.Loop() {
		if _, err := m.Compile(); err != nil {
			b.Fatal(err)
		}
	}
}
