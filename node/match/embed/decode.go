package embed

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// number is a finite float32. Some endpoints write null for what is not a number, which would otherwise be read as 0.
type number float32

// UnmarshalJSON reads a number.
func (n *number) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(string(b), 32)
	if err != nil {
		return fmt.Errorf("%s is no finite number", Cut(string(b), 20))
	}
	*n = number(f)
	return nil
}

func decodeTEI(b []byte, n int) ([][]float32, error) {
	var list [][]number
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, undecoded(TEI, err)
	}
	return finish(list, n)
}

func decodeOpenAI(b []byte, n int) ([][]float32, error) {
	var answer struct {
		Data []struct {
			Index     *int     `json:"index"`
			Embedding []number `json:"embedding"`
		} `json:"data"`
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return nil, undecoded(OpenAI, err)
	}
	list := make([][]number, len(answer.Data))
	for i, d := range answer.Data {
		at := i
		if d.Index != nil {
			at = *d.Index
		}
		if at < 0 || at >= len(list) || list[at] != nil {
			return nil, fmt.Errorf("the embedding endpoint numbers its vectors wrongly: number %d is out of range or comes twice", at)
		}
		list[at] = d.Embedding
	}
	return finish(list, n)
}

func undecoded(k Kind, err error) error {
	return fmt.Errorf("the embedding endpoint's answer is not one of kind %s: check embedding.kind: %s", k, oneLine(err.Error()))
}

func finish(list [][]number, n int) ([][]float32, error) {
	vectors := make([][]float32, 0, min(len(list), n+1)) // of too many, one is enough to refuse them
	for _, v := range list[:min(len(list), n+1)] {
		w := make([]float32, len(v))
		for i, f := range v {
			w[i] = float32(f)
		}
		vectors = append(vectors, w)
	}
	return vectors, Valid(vectors, n)
}
