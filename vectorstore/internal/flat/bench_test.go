package flat

import (
	"cmp"
	"fmt"
	"testing"
)

// Benchmarks of one caller on 20,000 clustered vectors. The figures in the
// documentation are those of vectorstore/compare.
func BenchmarkSearch(b *testing.B) {
	const size, dimensions = 20_000, 384
	data := newClustered(1, dimensions, 200, 0.3)
	vectors := make([][]float32, size)
	for i := range vectors {
		vectors[i] = data.vector()
	}
	queries := make([][]float32, 64)
	for i := range queries {
		queries[i] = data.vector()
	}
	for name, build := range variants {
		x := build(dimensions)
		for i, v := range vectors {
			x.Put(i, v)
		}
		x.Publish()
		fiftieth := func(rows Rows[int], mask *Mask) {
			for row := range mask.Rows() {
				if rows.Items[row]%50 != 0 {
					mask.Clear(row)
				}
			}
		}
		for filter, where := range map[string]Where[int]{"All": nil, "2Percent": fiftieth} {
			b.Run(fmt.Sprint(name, "/", filter), func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if _, err := x.View().Search(b.Context(), queries[i%len(queries)], 10, where); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkPublish(b *testing.B) {
	const size, dimensions = 5000, 384
	data := newClustered(1, dimensions, 200, 0.3)
	vectors := make([][]float32, size)
	for i := range vectors {
		vectors[i] = data.vector()
	}
	for name, codec := range map[string]codec{"Bytes": newBytes(dimensions, kernels), "Portable": newSigns(dimensions)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x := newIndex(dimensions, cmp.Compare[int], codec)
				for i, v := range vectors {
					x.Put(i, v)
				}
				x.Publish()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/size, "ns/vector")
		})
	}
}
