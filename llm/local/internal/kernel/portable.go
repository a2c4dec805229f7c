package kernel

import "math"

// The functions below are what the assembly does, in Go. Where a length is not
// said, it is that of x and a positive multiple of lanes.

// tilePortable computes rows x Columns values of c, in rows ldc apart: those of
// init, whose rows are ldinit apart, plus a·b over depth k.
func tilePortable(c []float32, ldc int, init []float32, ldinit int, a []float32, lda int, b []float32, ldb, k, rows int) {
	for r := range rows {
		sum := [Columns]float32(init[r*ldinit:])
		for i, x := range a[r*lda:][:k] {
			row := (*[Columns]float32)(b[i*ldb:])
			for j := range sum {
				sum[j] += x * row[j]
			}
		}
		copy(c[r*ldc:], sum[:])
	}
}

func maximumPortable(x []float32) float32 {
	top := x[0]
	for _, v := range x[1:] {
		top = max(top, v)
	}
	return top
}

// expSumPortable replaces x by exp(scale*(x-top)) and returns the sum.
func expSumPortable(x []float32, scale, top float32) float32 {
	var sum float32
	for i, v := range x {
		x[i] = float32(math.Exp(float64(scale * (v - top))))
		sum += x[i]
	}
	return sum
}

func multiplyPortable(x []float32, factor float32) {
	for i := range x {
		x[i] *= factor
	}
}

func geluPortable(x []float32) {
	for i, v := range x {
		x[i] = float32(float64(v) * 0.5 * math.Erfc(-float64(v)/math.Sqrt2))
	}
}

func addToPortable(x, y []float32) {
	for i := range x {
		x[i] += y[i]
	}
}

func totalPortable(x []float32) float32 {
	var sum float32
	for _, v := range x {
		sum += v
	}
	return sum
}

// squareSumPortable is the sum of (x-mean)².
func squareSumPortable(x []float32, mean float32) float32 {
	var sum float32
	for _, v := range x {
		sum += (v - mean) * (v - mean)
	}
	return sum
}

func normalizePortable(x, gain, bias []float32, mean, factor float32) {
	for i, v := range x {
		x[i] = (v-mean)*factor*gain[i] + bias[i]
	}
}
