package text

import (
	"strings"
	"sync"
)

// shape is how words of a language begin or end.
type shape struct {
	lang   language
	part   string
	weight float64
}

// shapeTable finds shapes by the first byte of beginnings and the last of endings.
type shapeTable struct{ begin, end [256][]shape }

// shapes are weighed by how far they part one language from the others.
//
//nolint:gochecknoglobals // made once, never changed
var shapes = sync.OnceValue(func() *shapeTable {
	t := new(shapeTable)
	for _, l := range []struct {
		lang   language
		weight float64
		parts  string //" ends, "x-" begins
	}{
		{english, 0.6, "-tion -ing -ed -ly -ment -ness -ity -ies -ous -ive -ful -able -ers -ight -ough -ck -th -ch -sh wh- th- wr- sh- qu- str-"},
		{english, 0.4, "-al -er -or -ic -s -y -ance -ence -ry -ss -te -ve -ge -ne"},
		{indonesian, 0.5, "meng- meny- mem- peng- peny- pem- ber- ter- -kan -nya -annya -ng -ah -ai -lah"},
		{malay, 0.5, "meng- meny- mem- peng- peny- pem- ber- ter- -kan -nya -annya -ng -ah -ai -lah"},
		{indonesian, 0.3, "ke- pe- me- di- se- -an -uk -ut -at -ik -ur -am -il -in"},
		{malay, 0.3, "ke- pe- me- di- se- -an -uk -ut -at -ik -ur -am -il -in"},
		{indonesian, 1, "-itas -isasi -ikasi -isme -sional -ivitas -nis -tis -gis -mis"},
		{malay, 1, "-iti -isasi -ikasi -isme -sional -iviti -ikal -eza -sikan"},
		{malay, 0.8, "-iti -yen -eum -isyen"},
		{filipino, 0.8, "nag- mag- pag- naka- maka- pinag- ipag- -ng -ong -yan -tao -han -hin -ion -yon -ayan"},
		{filipino, 0.5, "ka- pa- na- ma- -in -an -aw -ay -oy -syon -ad -ag -ang"},
		{vietnamese, 0.3, "ng- nh- th- tr- kh- ph- -nh -ng -ch"},
		{portuguese, 0.7, "-ção -ções -mente -dade -agem -ais -eis -ões -ado -ada -ados -adas -ável -ência -ância -ico -ica -oso -eira -eiro -lh -nh"},
		{portuguese, 0.3, "-os -as -ar -er -ir -do -da -es -em -ia -al"},
		{tetum, 0.7, "-saun -dor -ik -ún -án -idade -asaun -mentu -tária -eiru -eira -óriu -du -ru -tu -nu -iu -ai -ek -ak"},
		{tetum, 0.4, "ha- na- -in -an -ór -ál -és -ku -lu"},
	} {
		for _, p := range strings.Fields(l.parts) {
			if end, ok := strings.CutPrefix(p, "-"); ok {
				last := end[len(end)-1]
				t.end[last] = append(t.end[last], shape{l.lang, end, l.weight})
			} else {
				t.begin[p[0]] = append(t.begin[p[0]], shape{l.lang, strings.TrimSuffix(p, "-"), l.weight})
			}
		}
	}
	return t
})

// tellingWords are words of content that give their language away: mostly those that Indonesian and Malay write apart.
//
//nolint:gochecknoglobals // made once, never changed
var tellingWords = sync.OnceValue(func() map[string]uint16 {
	m := make(map[string]uint16, 400)
	for _, l := range []struct {
		of    language
		words string
	}{
		{indonesian, `sekitar ribuan jutaan selama setelah lainnya sebelumnya usai pekan otomatis teknis praktis insinyur baterai karet kebun
			mesin-mesin rancang-bangun prototipe purwarupa perkebunan pertambangan sebesar yakni pihaknya kementerian dinas kantor mobil uang universitas kualitas energi listrik limbah kesehatan obat perusahaan pemerintah penelitian
			peneliti riset pengembangan pabrik perangkat lunak keras surya produksi pasokan informasi aplikasi kapasitas
			efisiensi efisien aktif negara-negara kabupaten provinsi dokter sepeda kebutuhan berbasis delapan desember agustus
			ujar mengatakan butuh mulai persen kelompok tim pertandingan polisi pengadilan anak-anak istri bapak ayah kampanye
			partai pemilu kota tentara serikat inggris prancis tiongkok pajak toko situs telepon film televisi acara musik
			olahraga kasus korban kecelakaan badai mau coba dulu besok kemarin sore meskipun justru terjadi sementara gedung
			kamar foto ilmuwan ilmiah merek karyawan bandara kereta-api sepak terlihat hewan berbagai komunitas aktivitas
			efektif pemanfaatan tambak peternakan teknik pria resmi terkait nasional internasional perusahaannya analisa standar
			sinyal desain pengolahan daur ulang jabatan`},
		{malay, `siri isu bahagian cuma sebarang berbeza suatu imej dijangka inggeris berasa menggesa menafikan hadapan susulan tamat laluan
			merancang padang hantaran kedua-dua kedua-duanya perasaan kebanyakan pelantar kelulusan memohon bermaksud dijalankan diguna kerosakan
			untung jurutera pengilang loji enjin bateri karbon nitrogen polimer getah bijirin padi-padian takkan tak oleh-sebab tatkala
			infrastruktur automatik teknikal praktikal kritikal optikal mudah-alih sekiranya merentas melibatkan memudahkan pejabat kereta wang universiti kualiti tenaga elektrik sisa kesihatan ubat syarikat kerajaan penyelidikan penyelidik
			kajian kilang peranti perisian perkakasan suria pengeluaran bekalan rangkaian maklumat kapasiti kecekapan cekap
			hospital doktor basikal keperluan dijalankan berasaskan lapan lepas ahad isnin disember ogos berkata perniagaan
			pembangunan kejuruteraan lelaki rasmi berkaitan kebangsaan antarabangsa piawaian isyarat reka bentuk pemprosesan
			kitar semula mempunyai cuaca rawatan automatik ujian bahawa selepas peratus kumpulan pasukan perlawanan mahkamah
			kanak-kanak isteri bapa kempen parti undi bandar tentera britain perancis cukai kedai laman telefon filem televisyen
			rancangan muzik sukan jawatan kes siasatan mangsa kemalangan ribut taufan mahu cuba dahulu esok semalam petang pukul
			baharu kerap ramai berbanding berikutan bertanggungjawab memandangkan disebabkan berlaku bangunan bilik akhbar
			saintis saintifik jenama lapangan-terbang nampak kelihatan haiwan pelbagai komuniti aktiviti berkesan penternakan
			perikanan kewangan pelaburan eksport import pasaran hartanah fizikal jangkitan pesakit kanser serangga jerebu
			pertubuhan kejayaan perdana timbalan pengarah menerusi perkhidmatan alam sekitar polis mesyuarat parlimen`},
		{indonesian, `ahli alternatif anak analisis bagi baik baja banyak beliau belum berita biologi bukti cukup darah data demi digital
			digunakan dilakukan diri dokumen dua gambar gelombang hari hutan ikan inovasi institusi jalan jam jantung jaringan
			juta kata kawasan kelapa kemudian ketika ketua kimia komputer kos kreatif lalu laut makanan malam melakukan
			memberikan memiliki menang menggunakan mengikut menurut menyatakan mereka merupakan mesin minggu murid negeri
			pekerja pelajar pelanggan pemain pengguna penyakit pernah persatuan pertama pertanian pihak produk projek proses
			racun rakyat rumah rumbia sakit sawit sebanyak sebelum sebuah sedang sejumlah sektor sensor seorang september sering
			sesuai sungai swasta tahun tampak tanaman teknologi terdapat tinggal tumbuhan turut usaha vaksin wanita warga
			wilayah`},
		{malay, `ahli alternatif anak analisis bagi baik baja banyak beliau belum berita biologi bukti cukup darah data demi digital
			digunakan dilakukan diri dokumen dua gambar gelombang hari hutan ikan inovasi institusi jalan jam jantung jaringan
			juta kata kawasan kelapa kemudian ketika ketua kimia komputer kos kreatif lalu laut makanan malam melakukan
			memberikan memiliki menang menggunakan mengikut menurut menyatakan mereka merupakan mesin minggu murid negeri
			pekerja pelajar pelanggan pemain pengguna penyakit pernah persatuan pertama pertanian pihak produk projek proses
			racun rakyat rumah rumbia sakit sawit sebanyak sebelum sebuah sedang sejumlah sektor sensor seorang september sering
			sesuai sungai swasta tahun tampak tanaman teknologi terdapat tinggal tumbuhan turut usaha vaksin wanita warga
			wilayah`},
		{english, `system systems water data based new low high energy device design method technology research treatment model power solar waste
			food cell oil heat health food monitoring production process plant materials material development control software`},
		{filipino, `tubig araw bahay gamit teknolohiya pananaliksik sistema enerhiya paggamit bagong tao taon pagkain basura kuryente init hangin
			lupa dagat isda palay gulay kalusugan gamot pagsusuri makina kumpanya pamahalaan bansa produkto kagamitan`},
		{vietnamese, `nuoc he thong cong nghe san pham nghien cuu nang luong xu ly moi truong`},
		{portuguese, `água energia sistema tecnologia pesquisa investigação tratamento produção resíduos saúde desenvolvimento solar dados alimentos
			projeto empresa método baixo alto custo materiais rede qualidade`},
		{tetum, `bee enerjia sistema teknolojia peskiza tratamentu produsaun saúde dezenvolvimentu loron dadus hahan foos toos agrikultura
			ai-horis kafé rai tasi ikan uma ema povu governu empreza kualidade manu`},
	} {
		for _, w := range strings.Fields(l.words) {
			m[w] |= 1 << l.of
		}
	}
	return m
})
