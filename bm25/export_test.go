package bm25

import (
	"crypto/sha256"
	"slices"
)

// WithChecksum appends the checksum that Read expects.
func WithChecksum(data []byte) []byte {
	sum := sha256.Sum256(data)
	return append(slices.Clone(data), sum[:]...)
}
