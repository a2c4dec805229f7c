package flat

// goKernels are the inner loops in plain Go: what those in assembly must equal,
// and what searches where there are none.
var goKernels = kernelSet{bytesDotGo, floatDotGo}

func bytesDotGo(query []int16, codes []int8, out []int32) {
	for i := range out {
		var sum int32
		code := codes[i*len(query):][:len(query)]
		for j, x := range query {
			sum += int32(x) * int32(code[j])
		}
		out[i] = sum
	}
}

// floatDotGo sums every eighth product: eight sums let the processor overlap them,
// and are what eight lanes of a vector register add up. A product of two float32
// is exact in float64, so that it does not matter whether the processor rounds it
// before it adds it.
func floatDotGo(query []float64, vector []float32) float64 {
	var s [8]float64
	s0, s1, s2, s3, s4, s5, s6, s7 := 0., 0., 0., 0., 0., 0., 0., 0.
	q, v := query, vector
	for len(q) >= 8 && len(v) >= 8 {
		s0 += q[0] * float64(v[0])
		s1 += q[1] * float64(v[1])
		s2 += q[2] * float64(v[2])
		s3 += q[3] * float64(v[3])
		s4 += q[4] * float64(v[4])
		s5 += q[5] * float64(v[5])
		s6 += q[6] * float64(v[6])
		s7 += q[7] * float64(v[7])
		q, v = q[8:], v[8:]
	}
	s = [8]float64{s0, s1, s2, s3, s4, s5, s6, s7}
	return total(&s, q, v)
}

// total adds the products of the last elements and then all sums, in this order.
func total(s *[8]float64, query []float64, vector []float32) float64 {
	for i, x := range vector {
		s[i] += query[i] * float64(x)
	}
	return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]))
}
