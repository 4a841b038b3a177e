package lexicon

func buildBuiltin() ([]byte, error) {
	b := NewBuilder()
	if err := b.AddSource(Source{Name: "tmh", Licence: "as the program", From: "written for TMH"}); err != nil {
		return nil, err
	}
	return b.Bytes()
}
