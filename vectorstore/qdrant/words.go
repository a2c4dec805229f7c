package qdrant

import (
	"hash/fnv"
	"maps"
	"slices"

	"github.com/api-assistant/api-assistant/bm25"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// The sparse vector of a document has, at the hash of each term t,
//
//	tf·(k1+1) / (tf + k1·(1 − b + b·length/average))
//
// and that of a query how often the term occurs in it. The server multiplies
// the two and the term's idf, which makes BM25. Terms whose hashes collide (about
// one pair among 100,000 terms) count as one.

// wordIndex is where a term is in a sparse vector. Changing it orphans what is
// stored.
func wordIndex(token []byte) uint32 {
	h := fnv.New32a()
	h.Write(token)
	return h.Sum32()
}

// documentWords is the sparse vector of a document, in the order of indices.
func (s *Store) documentWords(d vectorstore.Document) ([]uint32, []float32) {
	fields := s.cfg.Fields(d.Clone())
	tf := make(map[uint32]float64)
	var length float64
	add := func(field, text string) {
		weight := 1.0
		if w, ok := s.cfg.Weights[field]; ok {
			weight = w
		}
		if !(weight > 0) || text == "" {
			return
		}
		s.cfg.Analyzer.Tokens(text, func(token []byte) {
			tf[wordIndex(token)] += weight
			length += weight
		})
	}
	add("", fields.Text)
	for _, field := range slices.Sorted(maps.Keys(fields.Fields)) {
		add(field, fields.Fields[field])
	}
	const k1, b = bm25.DefaultK1, bm25.DefaultB
	norm := k1 * (1 - b + b*length/s.cfg.AverageLength)
	for i, f := range tf {
		tf[i] = f * (k1 + 1) / (f + norm)
	}
	return sorted(tf)
}

// queryWords is the sparse vector of a query.
func (s *Store) queryWords(text string) ([]uint32, []float32) {
	tf := make(map[uint32]float64)
	s.cfg.Analyzer.Tokens(text, func(token []byte) { tf[wordIndex(token)]++ })
	return sorted(tf)
}

func sorted(weights map[uint32]float64) ([]uint32, []float32) {
	indices := slices.Sorted(maps.Keys(weights))
	values := make([]float32, len(indices))
	for i, index := range indices {
		values[i] = float32(weights[index])
	}
	return indices, values
}
