package mapping

import (
	"strings"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/protocol"
)

// lists finds codes by what people write for them. It is filled while a mapping is compiled and only read afterwards.
type lists struct{ by map[string]*lookup }

type lookup struct {
	name   string
	list   codes.List
	folded map[string]string // labels, codes and other names to codes; "" where a name is of several
}

func newLists() *lists { return &lists{by: map[string]*lookup{}} }

func (l *lists) of(name string) *lookup {
	if l.by[name] == nil {
		l.by[name] = newLookup(name)
	}
	return l.by[name]
}

func newLookup(name string) *lookup {
	l := &lookup{name: name, folded: map[string]string{}}
	if name == "level" {
		for _, v := range protocol.Levels() {
			l.folded[string(v)] = string(v)
		}
		return l
	}
	l.list = codeList(name)
	for _, c := range l.list.All() {
		l.add(c.Label, c.Code)
		if before, _, ok := strings.Cut(c.Label, " ("); ok {
			l.add(before, c.Code)
		}
		if name == "language" {
			l.add(c.Parent, c.Code)
		}
	}
	for _, c := range l.list.All() { // a code is never another's name
		l.folded[fold(c.Code)] = c.Code
	}
	for code, names := range otherNames(name) {
		for _, n := range strings.Split(names, ";") {
			l.folded[fold(n)] = code
		}
	}
	return l
}

func (l *lookup) add(label, code string) {
	key := fold(label)
	if old, ok := l.folded[key]; ok && old != code {
		code = ""
	}
	l.folded[key] = code
}

func (l *lookup) has(code string) bool {
	if l.name == "level" {
		return l.folded[code] == code && code != ""
	}
	return l.list.Has(code)
}

// code is what s means, else s as it is.
func (l *lookup) code(s string) string {
	if l.has(s) {
		return s
	}
	if code := l.folded[fold(clipLong(s))]; code != "" {
		return code
	}
	switch l.name {
	case "ipc":
		return l.ipc(s)
	case "isic":
		return l.isic(s)
	case "language":
		if code := l.folded[fold(primary(s))]; code != "" {
			return code
		}
		return s
	case "ford":
		s = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(s, "FORD"), "FOS"))
	}
	// "TH - Thailand", "2.4: Chemical engineering", "Licence (exclusive)"
	end := strings.IndexAny(s, ":(–—")
	for _, sep := range []string{" - ", " "} {
		if i := strings.Index(s, sep); i > 0 && (end < 0 || i < end) && (sep != " " || l.name == "ford") {
			end = i
		}
	}
	first := s
	if end > 0 {
		first = strings.TrimSpace(s[:end])
	}
	if l.name == "ford" {
		first = strings.Replace(first, ".0", ".", 1) // "2.04" is how some write 2.4
	}
	if l.has(first) {
		return first
	}
	if code := l.folded[fold(clipLong(first))]; code != "" && l.name != "country" { // the Congo (Kinshasa) is another
		return code
	}
	return s
}

// ipc reads the subclass of a symbol such as "C12N 15/09".
func (l *lookup) ipc(s string) string {
	u := strings.ToUpper(strings.TrimSpace(clipLong(s)))
	if len(u) >= 4 && l.has(u[:4]) && (len(u) == 4 || u[4] < 'A' || u[4] > 'Z') {
		return u[:4]
	}
	if len(u) > 3 && l.has(u[:3]) && (u[3] == ' ' || u[3] == ':') {
		return u[:3]
	}
	return s
}

// isic reads the division of a class: "C1030", "1030" and "10" are C10.
func (l *lookup) isic(s string) string {
	u := strings.TrimSpace(strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(clipLong(s))), "ISIC"))
	word, _, _ := strings.Cut(u, " ")
	word = strings.TrimRight(strings.ReplaceAll(word, ".", ""), ":-")
	section := ""
	if word != "" && !digit(word[0]) {
		section, word = word[:1], word[1:]
	}
	if word == "" && l.has(section) {
		return section
	}
	if len(word) < 2 || len(word) > 4 || strings.Trim(word, "0123456789") != "" {
		return s
	}
	for c := byte('A'); c <= 'U'; c++ {
		if code := string(c) + word[:2]; l.has(code) && (section == "" || section == string(c)) {
			return code
		}
	}
	return s
}

// clipLong keeps what cannot be any name or label from being looked at closely.
func clipLong(s string) string {
	if len(s) > 300 {
		return ""
	}
	return s
}

// primary is the language itself in a tag such as "en_US".
func primary(tag string) string {
	if i := strings.IndexAny(tag, "-_"); i > 0 {
		tag = tag[:i]
	}
	return strings.TrimSpace(tag)
}

func codeList(name string) codes.List {
	switch name {
	case "kind":
		return codes.Kind()
	case "country":
		return codes.Country()
	case "organisation":
		return codes.Organisation()
	case "size":
		return codes.Size()
	case "ipr":
		return codes.IPR()
	case "cooperation":
		return codes.Cooperation()
	case "ford":
		return codes.FORD()
	case "isic":
		return codes.ISIC()
	case "ipc":
		return codes.IPC()
	case "sdg":
		return codes.SDG()
	case "trl":
		return codes.TRL()
	case "right":
		return codes.Right()
	case "terms":
		return codes.Terms()
	case "exclusivity":
		return codes.Exclusivity()
	case "turnover":
		return codes.Turnover()
	case "track":
		return codes.Track()
	case "language":
		return codes.Language()
	case "office":
		return codes.Office()
	}
	return codes.List{}
}

// otherNames of codes, beside the labels: what sources of the region and of other networks write.
func otherNames(list string) map[string]string {
	switch list {
	case "kind":
		return map[string]string{"TO": "offer;technology;technology offers", "TR": "request;need;demand;technology need;technology demand", "RD": "RDR;partner search;research partner;consortium search", "EX": "expert", "FC": "facilities;equipment;laboratory;infrastructure", "FN": "call;funding;grant;call for proposals"}
	case "country":
		return map[string]string{
			"BN": "BRN;Brunei;Negara Brunei Darussalam", "ID": "IDN;Republic of Indonesia;Indonésia", "KH": "KHM;Kingdom of Cambodia;Kampuchea;Kamboja;Kemboja;Campuchia;កម្ពុជា;កម្ពុជា;กัมพูชา",
			"LA": "LAO;Laos;Lao PDR;Lao;ລາວ;ສປປ ລາວ;ลาว", "MM": "MMR;Burma;Birma;မြန်မာ;เมียนมา;พม่า", "MY": "MYS;มาเลเซีย;Malásia;Malaisie", "PH": "PHL;Philippines, the;The Philippines;Pilipinas;Filipina;Filipinas",
			"SG": "SGP;Singapura;新加坡;สิงคโปร์;சிங்கப்பூர்", "TH": "THA;Kingdom of Thailand;ไทย;ประเทศไทย;Thái Lan;Tailândia;Thaïlande",
			"TL": "TLS;Timor Leste;East Timor;Timor Lorosae;Timor", "VN": "VNM;Vietnam;Việt Nam;SR Vietnam;เวียดนาม;Vietnã;Vietname",
			"KR": "KOR;South Korea;Republic of Korea;Korea, South;Korea Republic of", "KP": "PRK;North Korea;DPRK", "CN": "CHN;PR China;People's Republic of China;中国", "JP": "JPN;日本", "TW": "TWN;Chinese Taipei",
			"HK": "HKG;Hong Kong SAR", "MO": "MAC;Macau", "IN": "IND", "AU": "AUS", "NZ": "NZL", "US": "USA;United States;U.S.A.;U.S.;America", "GB": "GBR;UK;U.K.;United Kingdom;Great Britain;England;Scotland;Wales",
			"DE": "DEU;Deutschland", "FR": "FRA", "NL": "NLD;Holland;The Netherlands", "ES": "ESP", "PT": "PRT", "IT": "ITA", "CH": "CHE", "RU": "RUS;Russia", "CZ": "CZE;Czech Republic", "TR": "TUR;Turkey", "IR": "IRN",
			"VE": "VEN", "TZ": "TZA", "CI": "CIV;Ivory Coast", "SY": "SYR;Syria", "PS": "PSE;Palestine", "MD": "MDA",
		}
	case "organisation":
		return map[string]string{"university": "higher education;college;academia;universities", "tto": "technology transfer office (TTO);TLO", "research-institute": "research institution;research centre;research center;institute;R&D institution;public research organisation;PRO",
			"start-up": "startup;spin-off;spinoff", "sme": "small and medium enterprise;small and medium-sized enterprise;SMEs;MSME", "large-company": "large enterprise;corporation;MNC;industry >249 employees", "agency": "government;public body;ministry;authority",
			"ngo": "non-profit;NPO;association", "inventor": "individual"}
	case "ipr":
		return map[string]string{"none": "no;not protected", "secret-know-how": "know-how;trade secret;secret know how", "patent-applied": "patent pending;patent application;patent applied for but not yet granted;patent filed;pending",
			"patent-granted": "granted patent;patented;granted", "utility-model": "petty patent;utility model", "design": "industrial design;design right;design rights", "copyright": "copyrighted;software copyright", "plant-variety": "plant variety;PVP", "other": "trademark;trade mark"}
	case "cooperation":
		return map[string]string{"licence": "license;licensing;licence agreement;license agreement;licensing agreement;out-licensing", "assignment": "sale;assignment;sale of rights;outright sale", "research": "research;joint research;research collaboration;research cooperation agreement;R&D collaboration;co-development",
			"technical": "technical cooperation agreement;commercial agreement with technical assistance", "joint-venture": "JV;joint venture agreement", "investment": "financial agreement;investment agreement", "manufacturing": "manufacturing agreement", "supply": "supplier agreement",
			"distribution": "commercial agency agreement;distribution;distribution services agreement;commercialisation", "service": "services agreement;outsourcing agreement;contract research", "spin-off": "spin-off;startup;start-up"}
	case "language":
		return map[string]string{"en": "eng", "id": "ind;in", "ms": "msa;may;zsm;Bahasa Malaysia", "th": "tha", "vi": "vie", "fil": "tl;tgl;Tagalog;Pilipino", "km": "khm;Cambodian", "lo": "lao;Laotian", "my": "mya;bur;Myanmar", "zh": "zho;chi;cmn;Mandarin;Simplified Chinese", "ta": "tam", "pt": "por", "tet": "Tetun"}
	case "terms":
		return map[string]string{"lump-sum": "lump sum;one-off", "royalty": "royalty", "equity": "shares", "open": "open source", "negotiable": "negotiable"}
	case "exclusivity":
		return map[string]string{"non-exclusive": "nonexclusive;no", "exclusive": "yes", "negotiable": "negotiable"}
	case "right":
		return map[string]string{"applied": "filed;pending", "granted": "granted;in force;active"}
	}
	return nil
}
