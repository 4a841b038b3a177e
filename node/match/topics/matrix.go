package topics

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// sparse is a matrix by rows.
type sparse struct {
	rows, cols int
	off        []int32
	col        []uint32
	val        []float32
}

// dense is a matrix with all its values, row after row.
type dense struct {
	rows, cols int
	val        []float32
}

func newDense(rows, cols int) dense { return dense{rows, cols, make([]float32, rows*cols)} }

func (d dense) row(r int) []float32 { return d.val[r*d.cols : (r+1)*d.cols] }

// blockRows is how many rows are summed up by themselves. Sums depend on it, never on who computes them.
const blockRows = 512

// blocks calls f for every block of n rows, from several goroutines, and returns when all are done or ctx is.
func blocks(ctx context.Context, workers, n int, f func(block, from, to int)) {
	count := (n + blockRows - 1) / blockRows
	var next atomic.Int64
	work := func() {
		for ctx.Err() == nil {
			b := int(next.Add(1)) - 1
			if b >= count {
				return
			}
			f(b, b*blockRows, min(n, (b+1)*blockRows))
		}
	}
	var others sync.WaitGroup
	for range min(workers, count) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
}

// times is a·x.
func (a *sparse) times(ctx context.Context, workers int, x dense) dense {
	y := newDense(a.rows, x.cols)
	blocks(ctx, workers, a.rows, func(_, from, to int) {
		for r := from; r < to; r++ {
			out := y.row(r)
			for p := a.off[r]; p < a.off[r+1]; p++ {
				addScaled(out, a.val[p], x.row(int(a.col[p])))
			}
		}
	})
	return y
}

func addScaled(out []float32, f float32, x []float32) {
	x = x[:len(out)]
	for i := range out {
		out[i] += float32(f * x[i])
	}
}

func (a *sparse) transposed() *sparse {
	t := &sparse{rows: a.cols, cols: a.rows, off: make([]int32, a.cols+1), col: make([]uint32, len(a.col)), val: make([]float32, len(a.val))}
	for _, c := range a.col {
		t.off[c+1]++
	}
	for i := range a.cols {
		t.off[i+1] += t.off[i]
	}
	at := slices.Clone(t.off)
	for r := range a.rows {
		for p := a.off[r]; p < a.off[r+1]; p++ {
			q := at[a.col[p]]
			t.col[q], t.val[q] = uint32(r), a.val[p]
			at[a.col[p]]++
		}
	}
	return t
}

// gram is dᵀ·d.
func (d dense) gram(ctx context.Context, workers int) [][]float64 {
	n := d.cols
	parts := make([][]float64, (d.rows+blockRows-1)/blockRows)
	blocks(ctx, workers, d.rows, func(block, from, to int) {
		g := make([]float64, n*n)
		wide := make([]float64, n)
		for r := from; r < to; r++ {
			for i, x := range d.row(r) {
				wide[i] = float64(x)
			}
			for i, x := range wide {
				if x == 0 {
					continue
				}
				rest, out := wide[i:], g[i*n+i:i*n+n]
				rest = rest[:len(out)]
				for j := range out {
					out[j] += float64(x * rest[j])
				}
			}
		}
		parts[block] = g
	})
	g := square(n)
	for _, part := range parts {
		for i := range part {
			g[i/n][i%n] += part[i]
		}
	}
	for i := range n {
		for j := range i {
			g[i][j] = g[j][i]
		}
	}
	return g
}

func square(n int) [][]float64 {
	all := make([]float64, n*n)
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = all[i*n : (i+1)*n]
	}
	return rows
}

// transform replaces every row r of d by r·m, of which it keeps the first cols values.
func (d dense) transform(ctx context.Context, workers int, m dense) dense {
	out := newDense(d.rows, m.cols)
	blocks(ctx, workers, d.rows, func(_, from, to int) {
		for r := from; r < to; r++ {
			for i, x := range d.row(r) {
				if x != 0 {
					addScaled(out.row(r), x, m.row(i))
				}
			}
		}
	})
	return out
}

// orthonormal is a basis of what the columns of d span, by Cholesky's decomposition of the Gram matrix: columns that are
// combinations of others become zero.
func (d dense) orthonormal(ctx context.Context, workers int) dense {
	g, n := d.gram(ctx, workers), d.cols
	upper, inverse := square(n), square(n)
	for j := range n {
		pivot := g[j][j]
		for i := range j {
			pivot -= float64(upper[i][j] * upper[i][j])
		}
		if !(pivot > 1e-9*g[j][j]) {
			continue
		}
		root := math.Sqrt(pivot)
		upper[j][j] = root
		for c := j + 1; c < n; c++ {
			x := g[j][c]
			for i := range j {
				x -= float64(upper[i][j] * upper[i][c])
			}
			upper[j][c] = x / root
		}
		inverse[j][j] = 1 / root
		for i := range j {
			x := 0.0
			for c := i; c < j; c++ {
				x -= float64(inverse[i][c] * upper[c][j])
			}
			inverse[i][j] = x / root
		}
	}
	m := newDense(n, n)
	for i := range n {
		for j := range n {
			m.val[i*n+j] = float32(inverse[i][j])
		}
	}
	return d.transform(ctx, workers, m)
}

// eigen returns the eigenvalues of a symmetric matrix, the greatest first, and the eigenvectors as columns in the same
// order: Jacobi's method. It destroys a.
func eigen(a [][]float64) (values []float64, vectors [][]float64) {
	n := len(a)
	v := square(n)
	for i := range n {
		v[i][i] = 1
	}
	for range 30 {
		off, all := 0.0, 0.0
		for i := range n {
			for j := range n {
				x := float64(a[i][j] * a[i][j])
				all += x
				if i != j {
					off += x
				}
			}
		}
		if !(off > 1e-20*all) {
			break
		}
		for p := range n {
			for q := p + 1; q < n; q++ {
				rotate(a, v, p, q)
			}
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(a[j][j], a[i][i]) })
	values, vectors = make([]float64, n), square(n)
	for to, from := range order {
		values[to] = a[from][from]
		for i := range n {
			vectors[i][to] = v[from][i] // v holds them as rows
		}
	}
	return values, vectors
}

// rotate makes a[p][q] zero.
func rotate(a, v [][]float64, p, q int) {
	if a[p][q] == 0 {
		return
	}
	theta := (a[q][q] - a[p][p]) / (2 * a[p][q])
	t := 1 / (math.Abs(theta) + math.Sqrt(float64(theta*theta)+1))
	if theta < 0 {
		t = -t
	}
	c := 1 / math.Sqrt(float64(t*t)+1)
	s := t * c
	turn := func(x, y []float64) {
		y = y[:len(x)]
		for i := range x {
			xi, yi := x[i], y[i]
			x[i] = float64(c*xi) - float64(s*yi)
			y[i] = float64(s*xi) + float64(c*yi)
		}
	}
	for i := range a {
		row := a[i]
		x, y := row[p], row[q]
		row[p] = float64(c*x) - float64(s*y)
		row[q] = float64(s*x) + float64(c*y)
	}
	turn(a[p], a[q])
	turn(v[p], v[q])
}

// rightVectors are the first k right singular vectors of a, as columns: subspace iteration from a random start. Columns
// that a has not the rank for are zero.
func (a *sparse) rightVectors(ctx context.Context, workers, k int, random *random) dense {
	const spare, rounds = 10, 3
	t := a.transposed()
	l := min(k+spare, a.rows, a.cols)
	y := newDense(a.rows, l)
	for i := range y.val {
		y.val[i] = random.float()
	}
	for range rounds {
		y = a.times(ctx, workers, t.times(ctx, workers, y)).orthonormal(ctx, workers)
	}
	x := t.times(ctx, workers, y)
	values, vectors := eigen(x.gram(ctx, workers))
	m := newDense(l, k)
	for j := range min(k, l) {
		if values[j] <= 1e-9*values[0] {
			break
		}
		root := math.Sqrt(values[j])
		for i := range l {
			m.val[i*k+j] = float32(vectors[i][j] / root)
		}
	}
	return x.transform(ctx, workers, m)
}

// random numbers that need not be secret but must be the same everywhere (splitmix64).
type random struct{ state uint64 }

func (r *random) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// float is between −1 and 1.
func (r *random) float() float32 { return float32(int64(r.next())>>40) / (1 << 23) }
