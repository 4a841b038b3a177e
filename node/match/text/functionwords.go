package text

import (
	"strings"
	"sync"
)

// functionWord says, a bit for each language, in which languages a word of Latin letters binds others together: nearly
// every sentence has some, so they tell the language, and they carry no meaning to look for.
func functionWord(w string) uint16 { return functionWords()[w] }

// functionWords are listed by language; those of Indonesian and Malay that both have, together.
//
//nolint:gochecknoglobals // made once, never changed
var functionWords = sync.OnceValue(func() map[string]uint16 {
	m := make(map[string]uint16, 600)
	for _, l := range []struct {
		of    uint16
		words string
	}{
		{1 << english, `the and of with for that this these those is are was were been by from which has have had it its be or can will
			would their they we our you your an at but into such than also using not who his her he she said there more in on to as
			when where while if about over through between during each other any all may should could does do did what how no so`},
		{1<<indonesian | 1<<malay, `yang dan di ini itu dengan untuk dalam pada dari oleh akan adalah atau telah tidak sebagai dapat juga
			kepada mereka secara seperti serta bagi ke ada kami kita saya tersebut dia lebih antara satu para hingga sehingga melalui
			terhadap hanya sudah maka supaya tetapi ia anda masih belum bukan jika lagi pula tentang setiap sangat harus oleh`},
		{1 << indonesian, `bahwa karena namun saat bisa yaitu saja agar ketika sedangkan yakni ialah tapi`},
		{1 << malay, `bahawa kerana ialah apabila manakala iaitu sahaja semasa boleh daripada beliau amat telahpun turut`},
		{1 << filipino, `ang ng mga ay at sa na para ito kung hindi nito niya siya sila nila kanilang kanyang isang mula dahil upang bilang
			pero ngunit naman lamang rin pa nang mayroon ni kay si ko mo namin natin ating aming ako tayo iyon iyan kapag habang
			tungkol ayon gaya tulad ding lang kaniyang nilang niyang itong noong`},
		{1 << vietnamese, `của và các là được cho có trong với những này không để một từ đã khi đến về như ở vào cũng sẽ bằng tại hoặc
			nhưng theo trên thì mà đó do ra bởi vì rằng đang`},
		{1 << portuguese, `de que não uma um com dos das da os as em no nos na nas por mais foi ao aos à às pelo pela são é ser tem seu sua
			seus suas ou também pelos pelas entre este esta isso essa como mas e o a do num numa sobre até para`},
		{1 << tetum, `iha ho ne'e nee ne'ebé ne'ebe neebé neebe ba husi hosi atu sira nian nia mak katak maibé maibe ka hodi bele tenke ami
			ha'u hau nu'udar nudar liu liuhosi liuhusi hanesan tanba ona sei la laiha ida hotu barak mós mos to'o sai no sira-nia`},
	} {
		for _, w := range strings.Fields(l.words) {
			m[w] |= l.of
		}
	}
	return m
})
