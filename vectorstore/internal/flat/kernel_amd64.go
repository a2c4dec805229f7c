//go:build amd64 && !purego

package flat

import "golang.org/x/sys/cpu"

// hasKernels says whether kernels can run here. The operating system's support for
// the wide registers is part of what HasAVX2 says.
var hasKernels = cpu.X86.HasAVX2 && cpu.X86.HasFMA

var kernels = kernelSet{bytesDotFast, floatDotFast}

func bytesDotFast(query []int16, codes []int8, out []int32) {
	if len(out) == 0 || len(query) == 0 {
		clear(out)
		return
	}
	_ = codes[:len(out)*len(query)]
	bytesDotAVX2(&query[0], &codes[0], &out[0], len(query), len(out))
}

func floatDotFast(query []float64, vector []float32) float64 {
	var s [8]float64
	query = query[:len(vector)]
	n := len(vector) &^ 7
	if n > 0 {
		floatDotAVX2(&query[0], &vector[0], &s, n)
	}
	return total(&s, query[n:], vector[n:])
}

// bytesDotAVX2 writes to out the products of the query with each of rows codes.
// n, the length of a code, is a positive multiple of 32; rows is positive.
//
//go:noescape
func bytesDotAVX2(query *int16, codes *int8, out *int32, n, rows int)

// floatDotAVX2 writes to sums the sum of every eighth product of the first n
// elements. n is a positive multiple of 8.
//
//go:noescape
func floatDotAVX2(query *float64, vector *float32, sums *[8]float64, n int)
