package embed

import "math"

// Vector is an embedding in int8, scaled so that its greatest number is 127. Scores are of integers: equal vectors give
// equal bits on every processor.
type Vector struct {
	Values []int8
	Square uint32 // the sum of the squares
}

// Quantise makes a vector of an embedder's.
func Quantise(v []float32) Vector {
	greatest := 0.0
	for _, f := range v {
		greatest = max(greatest, math.Abs(float64(f)))
	}
	q := Vector{Values: make([]int8, len(v))}
	if greatest == 0 {
		return q
	}
	for i, f := range v {
		n := int8(math.Round(float64(f) / greatest * 127))
		q.Values[i] = n
		q.Square += uint32(int32(n) * int32(n))
	}
	return q
}

// cosine of a vector and a stored one, not below 0; 0 where the dimensions differ.
func (v Vector) cosine(values []byte, square uint32) float64 {
	if len(values) != len(v.Values) || square == 0 || v.Square == 0 {
		return 0
	}
	dot := int32(0)
	for i, b := range values {
		dot += int32(v.Values[i]) * int32(int8(b))
	}
	if dot <= 0 {
		return 0
	}
	return min(1, float64(dot)/math.Sqrt(float64(v.Square)*float64(square)))
}
