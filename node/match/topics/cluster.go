package topics

import (
	"context"
	"math"
	"slices"
)

const (
	coarseDimensions = 64
	clusterRounds    = 12
	leastCluster     = 100 // documents; a cluster of fewer is given up, its documents go to the others
)

// sort assigns the documents to clusters by spherical k-means on a coarse model of all of them.
func (t *trainer) sort(ctx context.Context) {
	all := make([]int, t.rows.rows)
	for i := range all {
		all[i] = i
	}
	a, terms, idf := t.weighted(all, 3)
	t.of = make([]int, len(all))
	t.coarse = make([]coded, t.rows.cols)
	if len(terms) == 0 || ctx.Err() != nil {
		t.clusters = 1
		return
	}
	v := a.rightVectors(ctx, t.workers, coarseDimensions, &t.random)
	for i, n := range terms {
		t.coarse[n] = code(v.row(i), idf[i])
	}
	// The documents are folded by the coded vectors, as they will be when they are asked for later.
	points := newDense(len(all), coarseDimensions)
	blocks(ctx, t.workers, len(all), func(_, from, to int) {
		for d := from; d < to; d++ {
			p, squares := points.row(d), 0.0
			for i := t.rows.off[d]; i < t.rows.off[d+1]; i++ {
				addCoded(p, t.rows.val[i], t.coarse[t.rows.col[i]])
			}
			for _, x := range p {
				squares += float64(float64(x) * float64(x))
			}
			unit(p, squares)
		}
	})
	t.centres = t.firstCentres(points)
	for range clusterRounds {
		if ctx.Err() != nil {
			return
		}
		t.assign(ctx, points)
		t.centres = t.means(points)
	}
	t.assign(ctx, points)
	t.giveUpSmall(ctx, points)
}

func addCoded(sum []float32, weight float32, c coded) {
	if c.scale == 0 {
		return
	}
	f := weight * c.scale
	values := c.values[:len(sum)]
	for i := range sum {
		sum[i] += float32(f * float32(int8(values[i])))
	}
}

// firstCentres are documents, each chosen with a chance that grows with the square of its distance to those before
// (k-means++).
func (t *trainer) firstCentres(points dense) []float32 {
	centres := slices.Clone(points.row(int(t.random.next() % uint64(points.rows))))
	far := make([]float64, points.rows)
	for i := range far {
		far[i] = math.Inf(1)
	}
	for len(centres) < t.clusters*coarseDimensions {
		last, total := centres[len(centres)-coarseDimensions:], 0.0
		for d := range far {
			far[d] = min(far[d], max(0, 1-dot(points.row(d), last)))
			total += float64(far[d] * far[d])
		}
		chosen, left := points.rows-1, float64(t.random.next()>>11)/(1<<53)*total
		for d, x := range far {
			if left -= float64(x * x); left < 0 {
				chosen = d
				break
			}
		}
		centres = append(centres, points.row(chosen)...)
	}
	return centres
}

func dot(a, b []float32) float64 {
	var even, odd float32
	b = b[:len(a)]
	for i := 0; i+1 < len(a); i += 2 {
		even += float32(a[i] * b[i])
		odd += float32(a[i+1] * b[i+1])
	}
	return float64(even) + float64(odd)
}

func (t *trainer) assign(ctx context.Context, points dense) {
	blocks(ctx, t.workers, points.rows, func(_, from, to int) {
		for d := from; d < to; d++ {
			t.of[d] = nearestCentre(t.centres, points.row(d))
		}
	})
}

// nearestCentre is the first of those that are nearest.
func nearestCentre(centres, point []float32) int {
	best, most := 0, math.Inf(-1)
	for c := range len(centres) / coarseDimensions {
		if x := dot(centres[c*coarseDimensions:(c+1)*coarseDimensions], point); x > most {
			best, most = c, x
		}
	}
	return best
}

// means are the new centres, on the unit sphere.
func (t *trainer) means(points dense) []float32 {
	sums := make([]float64, len(t.centres))
	for d, c := range t.of {
		sum := sums[c*coarseDimensions : (c+1)*coarseDimensions]
		for i, x := range points.row(d) {
			sum[i] += float64(x)
		}
	}
	centres := slices.Clone(t.centres)
	for c := range t.clusters {
		squares := 0.0
		from, to := c*coarseDimensions, (c+1)*coarseDimensions
		for i := from; i < to; i++ {
			squares += float64(sums[i] * sums[i])
		}
		if squares == 0 {
			continue // nobody is here: it stays where it is
		}
		for i := from; i < to; i++ {
			centres[i] = float32(sums[i] / math.Sqrt(squares))
		}
	}
	return centres
}

// giveUpSmall removes clusters too small to learn from.
func (t *trainer) giveUpSmall(ctx context.Context, points dense) {
	size := make([]int, t.clusters)
	for _, c := range t.of {
		size[c]++
	}
	var left []float32
	for c, n := range size {
		if n >= leastCluster {
			left = append(left, t.centres[c*coarseDimensions:(c+1)*coarseDimensions]...)
		}
	}
	if len(left) == 0 {
		left = t.centres[:coarseDimensions]
	}
	t.centres, t.clusters = left, len(left)/coarseDimensions
	t.assign(ctx, points)
}
