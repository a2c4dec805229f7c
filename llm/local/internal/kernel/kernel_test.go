package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func random(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// The shapes cross every boundary: of tiles, of panels, of depth blocks.
func TestMul(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, m := range []int{1, 2, 3, 4, 5, 6, 7, 13} {
		for _, n := range []int{1, 8, 15, 16, 17, 31, 48} {
			for _, k := range []int{1, 2, 7, 32, 383, 384, 385, 800} {
				lda, ldc := k+3, n+5
				a, w, bias := random(rng, m*lda), random(rng, n*k), random(rng, n)
				c := random(rng, m*ldc)
				before := append([]float32(nil), c...)
				Mul(c, ldc, a, lda, m, Pack(w, n, k), bias)
				for i := range m {
					for j := range ldc {
						if j >= n {
							require.Equal(t, before[i*ldc+j], c[i*ldc+j], "value beside the result, %dx%dx%d", m, n, k)
							continue
						}
						want, size := float64(bias[j]), math.Abs(float64(bias[j]))
						for l := range k {
							p := float64(a[i*lda+l]) * float64(w[j*k+l])
							want += p
							size += math.Abs(p)
						}
						require.InDelta(t, want, c[i*ldc+j], 1e-6*size+1e-9, "%dx%dx%d at %d,%d", m, n, k, i, j)
					}
				}
			}
		}
	}
}

// Panels with other strides read a matrix where it lies.
func TestMulStrided(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const m, k, n, ld = 9, 11, 32, 50
	a, b := random(rng, m*k), random(rng, k*ld)
	c := make([]float32, m*n)
	Mul(c, n, a, k, m, Panels{Data: b[4:], K: k, N: n, Step: Columns, Stride: ld}, nil)
	for i := range m {
		for j := range n {
			var want float64
			for l := range k {
				want += float64(a[i*k+l]) * float64(b[4+l*ld+j])
			}
			require.InDelta(t, want, c[i*n+j], 1e-4)
		}
	}
}

// A row's result has the same bits whichever rows come with it.
func TestRowsAreIndependent(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const m, n, k = 20, 40, 500
	a, b, bias := random(rng, m*k), Pack(random(rng, n*k), n, k), random(rng, n)
	all := make([]float32, m*n)
	Mul(all, n, a, k, m, b, bias)
	for from := range m {
		for _, rows := range []int{1, 2, 5, 7} {
			rows = min(rows, m-from)
			some := make([]float32, rows*n)
			Mul(some, n, a[from*k:], k, rows, b, bias)
			require.Equal(t, all[from*n:(from+rows)*n], some)
		}
	}
}

func TestSlicesTooShort(t *testing.T) {
	b := Pack(make([]float32, 32), 16, 2)
	require.Panics(t, func() { Mul(make([]float32, 31), 16, make([]float32, 4), 2, 2, b, nil) })
	require.Panics(t, func() { Mul(make([]float32, 32), 16, make([]float32, 3), 2, 2, b, nil) })
	require.Panics(t, func() { Mul(make([]float32, 32), 16, make([]float32, 4), 2, 2, b, make([]float32, 15)) })
	require.Panics(t, func() { Mul(make([]float32, 32), 16, make([]float32, 4), -2, 2, b, nil) })
	b.Data = b.Data[:31]
	require.Panics(t, func() { Mul(make([]float32, 32), 16, make([]float32, 4), 2, 2, b, nil) })
	require.Panics(t, func() { AddNorm(make([]float32, 9), make([]float32, 8), make([]float32, 9), make([]float32, 9), 0) })
	require.Panics(t, func() { AddNorm(make([]float32, 9), nil, make([]float32, 8), make([]float32, 9), 0) })
	require.Panics(t, func() { AddTo(make([]float32, 9), make([]float32, 8)) })
}

func TestSoftmax(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	Softmax(nil, 1)
	for n := 1; n < 70; n++ {
		for _, scale := range []float32{0.125, 1, 40} {
			x := random(rng, n)
			want := make([]float64, n)
			top, sum := math.Inf(-1), 0.0
			for _, v := range x {
				top = max(top, float64(v*scale))
			}
			for i, v := range x {
				want[i] = math.Exp(float64(v*scale) - top)
				sum += want[i]
			}
			Softmax(x, scale)
			for i := range x {
				require.InDelta(t, want[i]/sum, x[i], 1e-6*want[i]/sum*(1+float64(scale))+1e-30, "%d of %d", i, n)
			}
		}
	}
}

func TestSoftmaxOfFarApartValues(t *testing.T) {
	x := []float32{-1e30, 0, 1e30, -3e38, 5, 1, 2, 3, 4}
	Softmax(x, 1)
	require.InDelta(t, 1, x[2], 1e-6)
	for i, v := range x {
		if i != 2 {
			require.InDelta(t, 0, v, 1e-30)
		}
	}
}

func TestGELU(t *testing.T) {
	GELU(nil)
	var x []float32
	for v := -20.0; v <= 20; v += 0.0037 {
		x = append(x, float32(v))
	}
	x = append(x, 0, float32(math.Copysign(0, -1)), 1e-30, -1e-30, 1e10, -1e10, 3e18, -3e18)
	for _, n := range []int{1, 7, 8, 9, len(x)} {
		got := append([]float32(nil), x[len(x)-n:]...)
		GELU(got)
		for i, v := range x[len(x)-n:] {
			want := float64(v) * 0.5 * math.Erfc(-float64(v)/math.Sqrt2)
			require.InDelta(t, want, got[i], 3e-7*max(1, math.Abs(want)), "gelu(%g)", v)
		}
	}
}

func TestAddNorm(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	AddNorm(nil, nil, nil, nil, 1)
	for n := 1; n < 70; n++ {
		x, y, gain, bias := random(rng, n), random(rng, n), random(rng, n), random(rng, n)
		for _, y := range [][]float32{y, nil} {
			var mean, variance float64
			sums := make([]float64, n)
			for i, v := range x {
				sums[i] = float64(v)
				if y != nil {
					sums[i] += float64(y[i])
				}
				mean += sums[i] / float64(n)
			}
			for _, v := range sums {
				variance += (v - mean) * (v - mean) / float64(n)
			}
			got := append([]float32(nil), x...)
			AddNorm(got, y, gain, bias, 1e-3)
			for i, v := range sums {
				want := (v-mean)/math.Sqrt(variance+1e-3)*float64(gain[i]) + float64(bias[i])
				require.InDelta(t, want, got[i], 2e-5, "%d of %d", i, n)
			}
		}
	}
}

func TestAddTo(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for n := range 40 {
		x, y := random(rng, n), random(rng, n)
		want := make([]float32, n)
		for i := range want {
			want[i] = x[i] + y[i]
		}
		AddTo(x, y)
		require.Equal(t, want, x)
	}
}

// The two implementations agree, function by function.
func TestPortable(t *testing.T) {
	if !Accelerated() {
		t.Skip("no assembly for this processor: there is nothing to compare")
	}
	rng := rand.New(rand.NewPCG(11, 12))
	near := func(want, got []float32, relative float64) {
		t.Helper()
		for i := range want {
			require.InDelta(t, want[i], got[i], relative*(1+math.Abs(float64(want[i]))))
		}
	}
	for rows := 1; rows <= tileRows; rows++ {
		for _, k := range []int{1, 2, 3, 17, 384} {
			a, b, init := random(rng, rows*k), random(rng, k*20), random(rng, rows*Columns)
			want, got := make([]float32, rows*Columns), make([]float32, rows*Columns)
			tilePortable(want, Columns, init, Columns, a, k, b, 20, k, rows)
			tile(got, Columns, init, Columns, a, k, b, 20, k, rows)
			near(want, got, 2e-5)
		}
	}
	for n := lanes; n < 100; n += lanes {
		x, y, gain := random(rng, n), random(rng, n), random(rng, n)
		clone := func() []float32 { return append([]float32(nil), x...) }
		require.Equal(t, maximumPortable(x), maximum(x))
		near([]float32{totalPortable(x)}, []float32{total(x)}, 1e-5)
		near([]float32{squareSumPortable(x, 0.5)}, []float32{squareSum(x, 0.5)}, 1e-5)
		for _, pair := range []struct{ portable, fast func([]float32) }{
			{func(x []float32) { x[0] = expSumPortable(x, 0.3, 4) }, func(x []float32) { x[0] = expSum(x, 0.3, 4) }},
			{func(x []float32) { multiplyPortable(x, 0.3) }, func(x []float32) { multiply(x, 0.3) }},
			{geluPortable, gelu},
			{func(x []float32) { addToPortable(x, y) }, func(x []float32) { addTo(x, y) }},
			{func(x []float32) { normalizePortable(x, gain, y, 0.5, 2) }, func(x []float32) { normalize(x, gain, y, 0.5, 2) }},
		} {
			want, got := clone(), clone()
			pair.portable(want)
			pair.fast(got)
			near(want, got, 1e-6)
		}
	}
}

func BenchmarkMul(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, s := range []struct{ m, k, n int }{{12, 384, 1536}, {128, 384, 1536}, {128, 1536, 384}, {128, 32, 128}} {
		b.Run(fmt.Sprintf("%dx%dx%d", s.m, s.k, s.n), func(b *testing.B) {
			a, w, c := random(rng, s.m*s.k), Pack(random(rng, s.n*s.k), s.n, s.k), make([]float32, s.m*s.n)
			b.ReportAllocs()
			for b.Loop() {
				Mul(c, s.n, a, s.k, s.m, w, nil)
			}
			b.ReportMetric(2*float64(s.m)*float64(s.n)*float64(s.k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

func BenchmarkRows(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 1536
	x, y, gain := random(rng, n), random(rng, n), random(rng, n)
	for name, f := range map[string]func(){
		"Softmax": func() { Softmax(x, 0.5) },
		"GELU":    func() { copy(x, y); GELU(x) },
		"AddNorm": func() { AddNorm(x, y, gain, y, 1e-12) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/value")
		})
	}
}
