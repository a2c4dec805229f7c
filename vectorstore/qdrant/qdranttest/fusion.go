package qdranttest

import (
	"math"

	qc "github.com/qdrant/go-client/qdrant"
)

// rrfK is Qdrant's constant if the request has none.
const rrfK = 2

// rrf fuses by reciprocal rank: position p (from 0) of a source of weight w adds
// 1 / ((p+1)/w + k − 1).
func rrf(sources [][]scored, r *qc.Rrf) ([]scored, error) {
	weights := r.GetWeights()
	if len(weights) > 0 && len(weights) != len(sources) {
		return nil, wrong("RRF weights length (%d) must match the number of prefetches (%d)", len(weights), len(sources))
	}
	k := float32(rrfK)
	if r.K != nil {
		k = float32(r.GetK())
	}
	return fuse(sources, func(source, position int, _ float32) float32 {
		w := float32(1)
		if len(weights) > 0 {
			w = weights[source]
		}
		if !(w > 0) {
			return 0
		}
		return 1 / ((float32(position)+1)/w + k - 1)
	}), nil
}

// dbsf fuses by scores, each source brought to [0, 1] between three standard
// deviations below and above its mean.
func dbsf(sources [][]scored) []scored {
	low, width := make([]float32, len(sources)), make([]float32, len(sources))
	for i, source := range sources {
		var mean, variance float64
		for _, p := range source {
			mean += float64(p.score) / float64(len(source))
		}
		for _, p := range source {
			d := float64(p.score) - mean
			variance += d * d / float64(len(source)-1)
		}
		deviation := math.Sqrt(variance)
		low[i], width[i] = float32(mean-3*deviation), float32(6*deviation)
	}
	return fuse(sources, func(source, _ int, score float32) float32 {
		if len(sources[source]) < 2 || width[source] == 0 {
			return 0.5
		}
		return (score - low[source]) / width[source]
	})
}

// fuse adds up what the sources give to each point. The result is not sorted.
func fuse(sources [][]scored, share func(source, position int, score float32) float32) []scored {
	at := make(map[*point]int)
	var out []scored
	for i, source := range sources {
		for position, p := range source {
			j, ok := at[p.point]
			if !ok {
				j = len(out)
				at[p.point] = j
				out = append(out, scored{point: p.point})
			}
			out[j].score += share(i, position, p.score)
		}
	}
	return out
}
