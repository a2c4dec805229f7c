// Package qdrant keeps documents in a Qdrant server, so that many replicas of a
// program share one store and one index.
//
//	store, err := qdrant.Open(ctx, qdrant.Config{
//		URL: "http://localhost:6334", Collection: "api_docs",
//		Embedder: "mini-lm", Dimensions: 384,
//	})
//	if err != nil { … }
//	defer store.Close()
//	err = store.Upsert(ctx, vectorstore.Record{
//		Document: vectorstore.Document{ID: "1", Content: "GET /orders"},
//		Vector:   vector,
//	})
//
// A Store implements vectorstore.VectorStore, Applier, Pender and
// HybridSearcher. It holds nothing but a connection: replicas need not know of
// each other. The server must be Qdrant 1.16 or newer.
//
// # What is stored
//
// A document is a point whose id is the UUIDv5 of the document's id. It has a
// dense vector (the embedding; none if the document waits for it) and a sparse
// one: the BM25 weights of its terms, whose idf the server supplies. The payload
// keeps the document, its metadata as JSON text so that every number comes back
// as it was given, and "terms": what equality filters ask for, in one indexed
// field whatever the metadata are called.
//
// # Filters
//
// What the server can decide exactly as vectorstore.Filter.Match does is sent to
// it: equality, membership, numeric ranges, sources, and their combinations.
// The rest (parts of strings, regular expressions, the order of strings,
// the content) is evaluated here, on documents that the server has narrowed down
// as far as it can; a search then goes down its list until it has k matches.
//
// # Atomicity
//
// Qdrant has no transactions. This is what Upsert and Apply make of it:
//
//   - Everything is validated before anything is sent.
//   - A batch of up to 500 records and 8 MiB is one request, which the server
//     applies from its write-ahead log; a larger one is several, deletions last.
//   - The documents that a batch replaces or deletes are read first. If a request
//     fails for good, those that were sent are undone: replaced and deleted
//     documents are put back, new ones are removed, and the error says that
//     nothing has changed. Each batch is marked, and only points that still carry
//     the mark are touched, so that what another replica wrote meanwhile stays.
//   - If undoing fails too (the server is gone, say), the error is ErrPartial.
//     Repeating the call completes it: all writes are idempotent.
//   - A process that is killed between two requests leaves the first of them
//     applied; the same holds for it. Readers may see a batch that is being
//     applied in part.
//
// All reads the list of ids, and up to 32 MiB of documents, when the iteration
// starts. Documents beyond that are read as the iteration comes to them: changes
// made meanwhile show, additions do not.
//
// # Trade-offs
//
// Searches use the server's approximate index once it has built one; a search
// that must go further down the list (a filter is evaluated here, or many
// documents have the same score) asks for an exact scan. The
// average length of a document, which BM25 needs, is a constant
// (Config.AverageLength), because replicas share no state.
//
// The package brings gRPC and protobuf into a program that imports it, and only
// there; docs/qdrant.md has the figures.
package qdrant

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	qc "github.com/qdrant/go-client/qdrant"

	"github.com/api-assistant/api-assistant/bm25"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// Config says where the server is and what the collection holds. Only
// Dimensions is required, and only while there is no collection yet.
type Config struct {
	// URL is the server's gRPC address: "http://host:6334", or https for TLS.
	// Without a port it is 6334; the port of the REST interface, 6333, means 6334
	// too, because that is the address most people have at hand (to use 6333 for
	// gRPC, write grpc:// or grpcs://). Empty: "http://localhost:6334".
	URL string
	// APIKey is sent with every request. It never appears in an error or a log.
	APIKey string
	// TLS is used for https; nil verifies the server by the system's roots.
	TLS *tls.Config

	// Collection holds the documents; it is created if it does not exist. It may
	// be the name of an alias. Empty: "api_docs".
	Collection string
	// Adjust may change the request that creates the collection: shards,
	// replicas, quantization, storage on disk. nil: the server's defaults.
	Adjust func(*qc.CreateCollection)

	// Embedder is the name of the embedder that makes the vectors. It is recorded
	// with the collection; opening one that was made with another fails with
	// vectorstore.ErrEmbedder. Empty: not checked.
	Embedder string
	// Dimensions is the length of the vectors. 0: that of the collection.
	Dimensions int

	// Analyzer splits texts into the terms of the sparse vectors; all replicas
	// must use the same. nil: bm25.API().
	Analyzer bm25.Analyzer
	// Fields splits a document into weighted fields, as for a bm25.Index. nil: the
	// content only.
	Fields func(vectorstore.Document) bm25.Document
	// Weights are the weights of the fields; a field that is not named has 1.
	Weights map[string]float64
	// AverageLength is the assumed mean length of a document in terms, each
	// counted with the weight of its field. 0: DefaultAverageLength.
	AverageLength float64

	// Timeout bounds one attempt of a request. 0: 10 s.
	Timeout time.Duration
	// Attempts is how often a request is made before it fails, if the server is
	// unreachable, overloaded or too slow. 0: 5.
	Attempts int
	// Backoff is the longest wait before the second attempt; it doubles from there,
	// up to 5 s, and each wait is between half of it and all. A server that says when to come back is obeyed, up to 30 s. 0: 100 ms.
	Backoff time.Duration

	// Logger is told about retries and rollbacks; nil is silent.
	Logger *slog.Logger
}

// DefaultAverageLength is the assumed mean length of a document in terms. API
// operations as assistant/ingest makes them have 80 to 130.
const DefaultAverageLength = 120

func (c Config) withDefaults() Config {
	if c.URL == "" {
		c.URL = "http://localhost:6334"
	}
	if c.Collection == "" {
		c.Collection = "api_docs"
	}
	if c.Analyzer == nil {
		c.Analyzer = bm25.API()
	}
	if c.Fields == nil {
		c.Fields = func(d vectorstore.Document) bm25.Document { return bm25.Document{ID: d.ID, Text: d.Content} }
	}
	if !(c.AverageLength > 0) {
		c.AverageLength = DefaultAverageLength
	}
	if c.Timeout <= 0 {
		c.Timeout = 10 * time.Second
	}
	if c.Attempts <= 0 {
		c.Attempts = 5
	}
	if c.Backoff <= 0 {
		c.Backoff = 100 * time.Millisecond
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Store is an open collection. It is safe for concurrent use.
type Store struct {
	cfg        Config
	client     *qc.GrpcClient
	dimensions int
	created    bool
	closed     atomic.Bool
	pause      func(context.Context, time.Duration) error // between attempts
}

var (
	_ vectorstore.VectorStore    = (*Store)(nil)
	_ vectorstore.Applier        = (*Store)(nil)
	_ vectorstore.Pender         = (*Store)(nil)
	_ vectorstore.HybridSearcher = (*Store)(nil)
)

// Open connects to the server and makes the collection if there is none. Any
// number of replicas may do so at the same time. The caller closes the store.
//
// The error is vectorstore.ErrUnavailable if the server cannot be reached,
// ErrKey if it refuses the key, and vectorstore.ErrEmbedder if the collection
// holds the vectors of another embedder.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Dimensions < 0 {
		return nil, fmt.Errorf("%w: Config.Dimensions is negative", vectorstore.ErrInvalid)
	}
	s := &Store{cfg: cfg.withDefaults(), dimensions: cfg.Dimensions, pause: sleep}
	var err error
	if s.client, err = dial(s.cfg); err != nil {
		return nil, err
	}
	if err := s.ensure(ctx); err != nil {
		s.client.Close()
		return nil, err
	}
	return s, nil
}

// Created reports whether Open made the collection: of replicas that race, one.
func (s *Store) Created() bool { return s.created }

// Close closes the connection. Closing twice is allowed.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.client.Close()
}

// usable returns the error of a closed store or a cancelled context.
func (s *Store) usable(ctx context.Context) error {
	if s.closed.Load() {
		return vectorstore.ErrClosed
	}
	return ctx.Err()
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
