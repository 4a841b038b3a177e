//nolint:misspell // words of several languages
package mapping

// What sources call their columns, in the languages of the region and of those who built systems here. Text targets are named by
// their last part; lang is the language that a name is in, which its values mostly are too.

type synonym struct{ to, lang, names string }

func synonyms() []synonym {
	return append(textNames(), memberNames()...)
}

func textNames() []synonym {
	return []synonym{
		{"title", "", "title; titles; technology title; project title; offer title; invention title; listing title; technology name; technology; name of technology; invention; headline; name; item title; titre; intitulé; nom; intitulé de la technologie"},
		{"title", "id", "judul; judul teknologi; nama teknologi; nama; nama produk; judul penelitian"},
		{"title", "ms", "tajuk; tajuk teknologi; tajuk projek"},
		{"title", "vi", "tiêu đề; nhan đề; tên; tên công nghệ; tên sản phẩm; tên đề tài"},
		{"title", "th", "ชื่อ; ชื่อเรื่อง; ชื่อเทคโนโลยี; ชื่อผลงาน; ชื่อผลงานวิจัย; ชื่อโครงการ; หัวข้อ"},
		{"title", "pt", "título; título da tecnologia; nome; nome da tecnologia"},
		{"value", "", "value; value statement; value proposition; tagline; teaser; slogan; pitch; one liner; benefit statement"},
		{"abstract", "", "abstract; summary; executive summary; short description; brief description; overview; synopsis; description abstract; résumé; sommaire; résumé court"},
		{"abstract", "id", "abstrak; ringkasan; ikhtisar; intisari"},
		{"abstract", "vi", "tóm tắt; giới thiệu; tóm lược"},
		{"abstract", "th", "บทคัดย่อ; สรุป; เรื่องย่อ; สาระสำคัญ"},
		{"abstract", "pt", "resumo; sumário"},
		{"description", "", "description; full description; long description; detailed description; technology description; technical description; details; text; body; content; full text; objective; description complète"},
		{"description", "id", "deskripsi; uraian; keterangan; penjelasan; deskripsi teknologi"},
		{"description", "ms", "penerangan; huraian; keterangan teknologi"},
		{"description", "vi", "mô tả; nội dung; mô tả công nghệ; chi tiết; thuyết minh"},
		{"description", "th", "รายละเอียด; คำอธิบาย; คำบรรยาย; รายละเอียดเทคโนโลยี"},
		{"description", "pt", "descrição; descrição da tecnologia; detalhes"},
		{"keywords", "", "keywords; keyword; key words; tags; tag; subject; subjects; topics; topic; mots clés; mots-clés; sujet"},
		{"keywords", "id", "kata kunci; kata-kata kunci; subjek"},
		{"keywords", "vi", "từ khóa; từ khoá; chủ đề"},
		{"keywords", "th", "คำสำคัญ; คำค้น; คำหลัก; หัวเรื่อง"},
		{"keywords", "pt", "palavras chave; palavras-chave; assunto; assuntos"},
		{"problem", "", "problem; problem solved; challenge; problem statement; masalah; vấn đề; ปัญหา; problème; problema"},
		{"advantages", "", "advantages; advantage; benefits; advantages and innovations; keunggulan; kelebihan; ưu điểm; จุดเด่น; ข้อดี; avantages; vantagens"},
		{"applications", "", "applications; application; uses; areas of application; potential applications; aplikasi; penerapan; kegunaan; ứng dụng; การประยุกต์ใช้; domaines d'application; aplicações"},
	}
}

func memberNames() []synonym {
	return []synonym{
		{"id", "", "id; identifier; record id; item id; source id; external id; technology id; tech id; offer id; profile id; listing id; uuid; guid; handle; identifier handle; reference; reference number; reference no; reference id; ref; ref no; code; number; no; nomor; no rujukan; kode; kod; pengenal; mã; mã số; số hiệu; รหัส; เลขที่; ลำดับ; identifiant; référence; numéro; code de référence; identificador; código; referência; número"},
		{pathKind, "", "kind; type; listing type; profile type; kind of listing; type of profile; jenis; loại; ประเภท; type de profil; tipo"},
		{pathCountry, "", "country; country code; nation; country of origin; negara; quốc gia; nước; ประเทศ; pays; país"},
		{"listing.region", "", "region; region code; province code; iso 3166 2"},
		{"listing.organisation.name", "", "organisation; organization; organisation name; organization name; institution; institution name; university; university name; company; company name; owner; affiliation; institute; research organisation; organisasi; lembaga; instansi; institusi; universitas; perguruan tinggi; universiti; institut; tổ chức; cơ quan; đơn vị; trường đại học; tên tổ chức; หน่วยงาน; องค์กร; สถาบัน; มหาวิทยาลัย; ชื่อหน่วยงาน; organisme; établissement; institution d'origine; université; entreprise; organização; instituição; universidade; empresa"},
		{"listing.organisation.type", "", "organisation type; organization type; type of organisation; institution type; company type"},
		{"listing.organisation.size", "", "organisation size; organization size; company size; size of organisation; size"},
		{"listing.trl", "", "trl; trl level; technology readiness level; technology readiness; readiness level; readiness; technology maturity; tkt; tingkat kesiapan teknologi; tingkat kesiapterapan teknologi; tahap kesediaan teknologi; mức độ sẵn sàng công nghệ; mức sẵn sàng; ระดับความพร้อมทางเทคโนโลยี; ระดับความพร้อม; niveau de maturité technologique; niveau de maturité; nível de maturidade tecnológica; nível de prontidão tecnológica"},
		{"listing.ipr", "", "ipr; ip status; ipr status; ip; intellectual property; protection; patent status; intellectual property rights; status paten; kekayaan intelektual; harta intelek; sở hữu trí tuệ; ทรัพย์สินทางปัญญา; propriété intellectuelle; propriedade intelectual"},
		{"listing.cooperation", "", "cooperation; type of cooperation; cooperation type; collaboration type; type of partnership; partnership type; kerja sama; kerjasama; hợp tác; ความร่วมมือ; type de coopération; cooperação"},
		{"listing.seeks.types", "", "seeks types; partner types; partner type; type of partner sought; partner sought"},
		{"listing.seeks.countries", "", "seeks countries; partner countries; target countries; target markets"},
		{"listing.ford", "", "ford; field of research; fields of research; field of science; oecd field; bidang ilmu"},
		{"listing.isic", "", "isic; industry; industry code; sector; isic code; industri; sektor; ngành; อุตสาหกรรม; secteur; setor"},
		{"listing.ipc", "", "ipc; ipc code; ipc class; ipc classes; ipc codes; cpc; patent class; patent classification"},
		{"listing.sdg", "", "sdg; sdgs; sdg goals; sustainable development goals; sustainable development goal; tpb; odd; ods"},
		{"listing.published", "", "published; date; publication date; date published; published date; published on; date issued; issued; date available; created; creation date; year; publication year; tanggal; tanggal terbit; tahun; tahun terbit; tarikh; tarikh terbit; ngày; ngày đăng; ngày công bố; năm; วันที่; วันที่เผยแพร่; ปี; date de publication; année; data; data de publicação; ano"},
		{"listing.valid_until", "", "valid until; expiry; expiry date; expires; expiration date; valid to; end date; closing date; berlaku sampai; hết hạn; วันหมดอายุ; date d'expiration; validade"},
		{"listing.url", "", "url; link; web address; website; web; web page; webpage; uri; identifier uri; homepage; source url; tautan; laman; pautan; địa chỉ web; liên kết; ลิงก์; เว็บไซต์; lien; adresse web; site web; endereço; endereço web; ligação"},
		{"listing.demonstration", "", "demonstration"},
		{"record.level", "", "level; visibility; access level"},
		{"record.stage", "", "stage; stage of development; development stage; status of development; tahap pengembangan; giai đoạn; stade de développement"},
		{"record.rights", "", "rights list; patents; patent rights"},
		{"record.terms.models", "", "payment model; payment models"},
		{"record.terms.exclusivity", "", "exclusivity"},
		{"record.terms.price", "", "price; harga; giá; ราคา; prix; preço"},
		{"record.people", "", "inventor; inventors; inventor name; author; authors; creator; creators; contributor author; researcher; researchers; principal investigator; scientist; people; pencipta; penemu; inventor paten; penulis; peneliti; pengarang; penyelidik; perekacipta; tác giả; nhà sáng chế; nhà khoa học; chủ nhiệm; người sáng chế; ผู้ประดิษฐ์; ผู้แต่ง; นักวิจัย; ผู้วิจัย; ผู้สร้างสรรค์; นักประดิษฐ์; inventeur; inventeurs; auteur; auteurs; chercheur; autor; autores; inventores; pesquisador; investigador"},
		{"record.contact.name", "", "contact; contact name; contact person; narahubung; người liên hệ; ผู้ติดต่อ; personne de contact; contato"},
		{"record.contact.email", "", "email; e mail; contact email; email address; surel; emel; thư điện tử; อีเมล; courriel; correio eletrónico; correio eletrônico"},
		{"record.contact.phone", "", "phone; telephone; contact phone; tel; telepon; telefon; điện thoại; โทรศัพท์; เบอร์โทร; téléphone; telefone"},
		{"record.contact.url", "", "contact url"},
		{"record.funding.call", "", "call; call id; funding call"},
		{"record.funding.deadline", "", "deadline; application deadline"},
		{"record.funding.budget", "", "budget; anggaran; งบประมาณ; orçamento"},
		{"record.publications", "", "doi; dois; publications; identifier doi; publication doi; related publications"},
		{"record.provenance.system", "", "source system"},
		{"record.provenance.licence", "", "licence; license; rights; rights license; rights uri; lisensi; giấy phép; สัญญาอนุญาต; licença"},
		{"record.organisation.ror", "", "ror; ror id"},
	}
}

// columnLanguages are names of languages as columns have them at an end: "Title (Thai)". Their tags are known without.
func columnLanguages() map[string]string {
	return map[string]string{
		"english": "en", "eng": "en", "inggris": "en", "anglais": "en", "ingles": "en", "tieng anh": "en", "ภาษาองกฤษ": "en",
		"indonesian": "id", "indonesia": "id", "bahasa indonesia": "id", "ind": "id", "bahasa": "id",
		"malay": "ms", "melayu": "ms", "bahasa melayu": "ms", "bahasa malaysia": "ms", "msa": "ms", "may": "ms",
		"thai": "th", "tha": "th", "ไทย": "th", "ภาษาไทย": "th", "vietnamese": "vi", "vie": "vi", "tieng viet": "vi", "vietnam": "vi",
		"filipino": "fil", "tagalog": "fil", "tl": "fil", "tgl": "fil", "khmer": "km", "khm": "km", "lao": "lo", "burmese": "my", "myanmar": "my", "mya": "my",
		"chinese": "zh", "mandarin": "zh", "zho": "zh", "中文": "zh", "tamil": "ta", "tam": "ta", "portuguese": "pt", "portugues": "pt", "por": "pt", "tetum": "tet", "tetun": "tet",
	}
}
