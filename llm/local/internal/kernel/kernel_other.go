//go:build !amd64 || purego

package kernel

// Accelerated reports whether the assembly runs.
func Accelerated() bool { return false }

func tile(c []float32, ldc int, init []float32, ldinit int, a []float32, lda int, b []float32, ldb, k, rows int) {
	tilePortable(c, ldc, init, ldinit, a, lda, b, ldb, k, rows)
}

func maximum(x []float32) float32                    { return maximumPortable(x) }
func expSum(x []float32, scale, top float32) float32 { return expSumPortable(x, scale, top) }
func multiply(x []float32, factor float32)           { multiplyPortable(x, factor) }
func gelu(x []float32)                               { geluPortable(x) }
func addTo(x, y []float32)                           { addToPortable(x, y) }
func total(x []float32) float32                      { return totalPortable(x) }
func squareSum(x []float32, mean float32) float32    { return squareSumPortable(x, mean) }
func normalize(x, gain, bias []float32, mean, factor float32) {
	normalizePortable(x, gain, bias, mean, factor)
}
