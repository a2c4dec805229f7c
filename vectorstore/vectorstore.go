// Package vectorstore is the contract between the toolkit and the place where
// documents live: [Document] and [Record], the [VectorStore] interface, and the
// [Filter] language with its one written meaning.
//
// The package holds no store. vectorstore/chromem keeps everything in one
// directory on one machine, vectorstore/qdrant talks to a Qdrant server, and
// vectorstore/storetest is the conformance suite that each of them, and yours,
// must pass.
package vectorstore

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
)

// Document is one searchable text with what is known about it.
type Document struct {
	// ID identifies the document. Any non-empty valid UTF-8 string of at most
	// MaxIDLength bytes; stable across uploads of the same text.
	ID string
	// Source names the upload that the document came from (a file name or a
	// URL); empty for a document that was given by itself.
	Source string
	// Pointer is the place inside Source ("/paths/~1orders/get", say); empty for
	// a document that was given by itself.
	Pointer string
	// Content is what is searched, shown and put into prompts.
	Content string
	// Metadata holds JSON scalars and lists of JSON scalars: string, bool,
	// float64 (any Go number is accepted), nil, []any or []string. It is
	// returned exactly as given, up to JSON's number type.
	Metadata map[string]any
	// Data is the machine-readable form of Content (a resolved operation, say).
	// Stores keep it; search results leave it out, Get and All return it.
	Data json.RawMessage
}

// Record is a document together with its embedding.
type Record struct {
	Document
	// Vector is the embedding, of the store's dimension; nil means that the
	// document is not embedded yet: it is stored, but Search cannot find it.
	Vector []float32
}

// Match is a document found by a vector search.
type Match struct {
	Document
	// Score is the cosine similarity to the query, in [-1, 1].
	Score float64
}

// VectorStore keeps documents and finds them by vector. Implementations are
// safe for concurrent use, share no memory with the caller (what goes in and
// out is cloned), and return the context's error when it is cancelled.
type VectorStore interface {
	// Upsert adds records, or replaces those with the same ID, all or nothing:
	// after an error none of them is stored. A nil error means durable. Two
	// records with the same ID in one call are an error (ErrInvalid).
	Upsert(ctx context.Context, records ...Record) error
	// Delete removes documents and returns how many were there. Unknown ids
	// are not an error; no ids is a no-op.
	Delete(ctx context.Context, ids ...string) (int, error)
	// Get returns the documents with the given ids, in the order of ids;
	// missing ids are left out.
	Get(ctx context.Context, ids ...string) ([]Document, error)
	// Search returns the k records most similar to vector among those that f
	// matches (nil matches all), best first, ties by ID. Fewer than k is not an
	// error. k <= 0 returns nothing. The filter applies before the cut to k.
	Search(ctx context.Context, vector []float32, k int, f Filter) ([]Match, error)
	// All iterates over the documents that f matches, in the order of their
	// IDs, as of the moment the iteration starts. It is lazy and may be used
	// once; at most one error is yielded, and it is the last value.
	All(ctx context.Context, f Filter) iter.Seq2[Document, error]
	// Count returns the number of documents that f matches.
	Count(ctx context.Context, f Filter) (int, error)
	// Close releases the store. Later calls return ErrClosed.
	Close() error
}

// Batch is a set of changes that take effect together.
type Batch struct {
	Upsert []Record
	Delete []string // ids; those also in Upsert are an error (ErrInvalid)
}

// Applier is implemented by stores that can apply upserts and deletes as one
// transaction. Replacing a source uses it where it is there; without it the
// upserts are made first and the deletes after them, so that an interruption
// leaves too much rather than too little.
type Applier interface {
	Apply(ctx context.Context, b Batch) error
}

// Pender is implemented by stores that know which of their documents have no
// vector yet, so that they can be embedded later.
type Pender interface {
	// Pending iterates over the documents without a vector, under the rules of
	// VectorStore.All.
	Pending(ctx context.Context) iter.Seq2[Document, error]
	// PendingCount returns how many there are.
	PendingCount(ctx context.Context) (int, error)
}

// Snapshotter is implemented by stores that can write a consistent copy of
// themselves while they serve.
type Snapshotter interface {
	Snapshot(ctx context.Context, w io.Writer) error
}

// HybridQuery asks a HybridSearcher for the documents that match by words, by
// meaning, or by both.
type HybridQuery struct {
	Text   string    // ranked by words; empty: by vector only
	Vector []float32 // ranked by similarity; nil: by words only
	K      int
	Filter Filter // nil matches all
}

// HybridMatch is a document found by a HybridSearcher.
type HybridMatch struct {
	Document
	// Score is the fused score of the store, comparable only inside one answer.
	Score float64
	// Lexical and Cosine are the two arms' own scores; NaN where an arm did not
	// return the document or the store does not say.
	Lexical, Cosine float64
}

// HybridSearcher is implemented by stores that rank words and vectors
// themselves in one request, so that replicas share one index.
type HybridSearcher interface {
	HybridSearch(ctx context.Context, q HybridQuery) ([]HybridMatch, error)
}

// Limits that every store enforces.
const (
	MaxIDLength = 1024 // bytes
)

// Errors that every store returns, to be tested with errors.Is.
var (
	// ErrInvalid: the input cannot be stored or searched: an empty or too long
	// id, a duplicate id in one batch, a vector that is zero, not finite or of
	// another dimension, metadata that is not JSON scalars or lists of them.
	ErrInvalid = errors.New("vectorstore: invalid input")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("vectorstore: store is closed")
	// ErrLocked: another process has the store open.
	ErrLocked = errors.New("vectorstore: store is in use by another process")
	// ErrCorrupt: the files of the store are damaged; nothing was loaded.
	ErrCorrupt = errors.New("vectorstore: store is damaged")
	// ErrEmbedder: the store holds vectors of another embedder or dimension.
	ErrEmbedder = errors.New("vectorstore: store was made with another embedder")
	// ErrUnavailable: the store cannot be reached at the moment.
	ErrUnavailable = errors.New("vectorstore: store is unavailable")
)
