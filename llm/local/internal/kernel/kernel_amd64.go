//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

var accelerated = cpu.X86.HasAVX2 && cpu.X86.HasFMA

// Accelerated reports whether the assembly runs.
func Accelerated() bool { return accelerated }

// The assembly trusts its arguments: the functions below it check them. Lengths n
// are positive multiples of lanes; strides count values.

//go:noescape
func tileAVX2(c *float32, ldc int, init *float32, ldinit int, a *float32, lda int, b *float32, ldb, k, rows int)

//go:noescape
func maximumAVX2(x *float32, n int) float32

//go:noescape
func expSumAVX2(x *float32, n int, scale, top float32) float32

//go:noescape
func multiplyAVX2(x *float32, n int, factor float32)

//go:noescape
func geluAVX2(x *float32, n int)

//go:noescape
func addToAVX2(x, y *float32, n int)

//go:noescape
func totalAVX2(x *float32, n int) float32

//go:noescape
func squareSumAVX2(x *float32, n int, mean float32) float32

//go:noescape
func normalizeAVX2(x, gain, bias *float32, n int, mean, factor float32)

func tile(c []float32, ldc int, init []float32, ldinit int, a []float32, lda int, b []float32, ldb, k, rows int) {
	if !accelerated {
		tilePortable(c, ldc, init, ldinit, a, lda, b, ldb, k, rows)
		return
	}
	if k < 1 || rows < 1 || rows > tileRows {
		panic("kernel: tile of a wrong size")
	}
	_, _ = c[(rows-1)*ldc+Columns-1], init[(rows-1)*ldinit+Columns-1]
	_, _ = a[(rows-1)*lda+k-1], b[(k-1)*ldb+Columns-1]
	tileAVX2(&c[0], ldc, &init[0], ldinit, &a[0], lda, &b[0], ldb, k, rows)
}

func maximum(x []float32) float32 {
	if !accelerated {
		return maximumPortable(x)
	}
	return maximumAVX2(&x[0], whole(x))
}

func expSum(x []float32, scale, top float32) float32 {
	if !accelerated {
		return expSumPortable(x, scale, top)
	}
	return expSumAVX2(&x[0], whole(x), scale, top)
}

func multiply(x []float32, factor float32) {
	if !accelerated {
		multiplyPortable(x, factor)
		return
	}
	multiplyAVX2(&x[0], whole(x), factor)
}

func gelu(x []float32) {
	if !accelerated {
		geluPortable(x)
		return
	}
	geluAVX2(&x[0], whole(x))
}

func addTo(x, y []float32) {
	if !accelerated {
		addToPortable(x, y)
		return
	}
	addToAVX2(&x[0], &y[:len(x)][0], whole(x))
}

func total(x []float32) float32 {
	if !accelerated {
		return totalPortable(x)
	}
	return totalAVX2(&x[0], whole(x))
}

func squareSum(x []float32, mean float32) float32 {
	if !accelerated {
		return squareSumPortable(x, mean)
	}
	return squareSumAVX2(&x[0], whole(x), mean)
}

func normalize(x, gain, bias []float32, mean, factor float32) {
	if !accelerated {
		normalizePortable(x, gain, bias, mean, factor)
		return
	}
	n := whole(x)
	normalizeAVX2(&x[0], &gain[:n][0], &bias[:n][0], n, mean, factor)
}

// whole returns the length of x, which the loops need to be whole vectors.
func whole(x []float32) int {
	if len(x)%lanes != 0 {
		panic("kernel: a length that is no multiple of a vector")
	}
	return len(x)
}
