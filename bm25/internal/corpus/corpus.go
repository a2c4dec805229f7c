// Package corpus makes reproducible documents and queries for the tests and
// measurements of package bm25.
package corpus

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Vocabulary is the number of distinct words of Documents and Queries.
const Vocabulary = 50_000

// frequent is how many of the most frequent words queries do not use: they are
// the words that a person leaves out or an analyser drops.
const frequent = 30

// Words draws words of which the n-th has a probability proportional to
// (n+3)^-1.1 (Zipf and Mandelbrot), from a fixed seed.
type Words struct {
	*rand.Rand
	zipf *rand.Zipf
}

// NewWords returns a source of words w0x, w1x … of a vocabulary.
func NewWords(seed uint64, vocabulary int) Words {
	r := rand.New(rand.NewPCG(seed, 7))
	return Words{r, rand.NewZipf(r, 1.1, 3, uint64(vocabulary-1))}
}

// Text returns n words.
func (w Words) Text(n int) string {
	var b strings.Builder
	for range n {
		fmt.Fprintf(&b, "w%dx ", w.zipf.Uint64())
	}
	return b.String()
}

// Document is a text with an identity.
type Document struct{ ID, Text string }

// Documents makes n documents of the given number of words.
func Documents(n, length int) []Document {
	w := NewWords(42, Vocabulary)
	docs := make([]Document, n)
	for i := range docs {
		docs[i] = Document{ID: fmt.Sprintf("doc-%07d", i), Text: w.Text(length)}
	}
	return docs
}

// Queries makes n queries of one to five words, drawn as the words of documents
// are, without the most frequent ones.
func Queries(n int) []string {
	w := NewWords(43, Vocabulary)
	out := make([]string, n)
	for i := range out {
		var b strings.Builder
		for range 1 + w.IntN(5) {
			z := w.zipf.Uint64()
			for z < frequent {
				z = w.zipf.Uint64()
			}
			fmt.Fprintf(&b, "w%dx ", z)
		}
		out[i] = b.String()
	}
	return out
}
