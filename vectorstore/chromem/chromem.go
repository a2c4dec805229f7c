// Package chromem is the embedded document store: one directory, no server, no
// cgo.
//
//	store, err := chromem.Open(chromem.Config{Dir: "data", Embedder: "mini-lm", Dimensions: 384})
//	if err != nil { … }
//	defer store.Close()
//	err = store.Upsert(ctx, vectorstore.Record{
//		Document: vectorstore.Document{ID: "1", Content: "GET /orders"},
//		Vector:   vector,
//	})
//
// # Durability
//
// The records are in one bbolt file. An Upsert, a Delete or an Apply is one
// transaction, synced to the disk before it returns: what was acknowledged
// survives a crash, what failed has changed nothing. The file is locked; a
// second process gets vectorstore.ErrLocked. Each record carries a checksum; a
// damaged file is vectorstore.ErrCorrupt when it is opened, and nothing of it is
// loaded.
//
// # Search
//
// A search is exact. It scans all vectors, but in a compact form, and reads of the
// vectors themselves only the few that may be among the best (see
// docs/vectorstore.md for how and for figures). It waits for no writer and sees
// each write as a whole. A filter narrows the scan.
//
// # Trade-offs
//
// All documents and vectors are held in memory too (at 384 dimensions about 2 KB
// a vector), so that filters, reads and searches touch no disk. The search is
// linear in the number of vectors. With an empty Dir nothing is kept on disk.
//
// chromem-go, after which the package is named, is where many come from: Import
// copies one of its collections. Nothing else of it is used. Its persistence was
// measured to lose one of 100,000 documents (file names are 32-bit hashes), a crash
// during a write leaves a database that does not open, and its search takes tens
// of times as long.
package chromem

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/api-assistant/api-assistant/vectorstore"
	"github.com/api-assistant/api-assistant/vectorstore/internal/flat"
)

// Config says where a store is and what it holds. The zero value is an empty
// store in memory.
type Config struct {
	// Dir is the directory of the store, made if it is missing. Empty: memory only.
	Dir string
	// Collection names the documents; a directory can hold several collections,
	// each in a file of its own. Empty means "api_docs". Letters, digits, '_', '-' and '.'.
	Collection string
	// Embedder is the name of the embedder that makes the vectors; it is recorded
	// with the store. Opening a store that was made with another one fails with
	// vectorstore.ErrEmbedder. Empty: not checked.
	Embedder string
	// Dimensions is the length of the vectors. 0: that of the first one stored.
	Dimensions int
	// Reembed drops the vectors of another embedder instead of failing: all
	// documents become pending.
	Reembed bool
}

// Store is an open store. It implements vectorstore.VectorStore, Applier, Pender
// and Snapshotter.
type Store struct {
	disk   *disk // nil: memory only
	closed atomic.Bool

	write     sync.Mutex // held by one writer at a time
	documents documents
	index     atomic.Pointer[flat.Index[*entry]] // nil until the dimension is known
}

// Open opens a store, making it if there is none. The caller closes it.
func Open(cfg Config) (*Store, error) {
	if cfg.Collection == "" {
		cfg.Collection = defaultCollection
	}
	if cfg.Dimensions < 0 {
		return nil, fmt.Errorf("%w: Config.Dimensions is negative", vectorstore.ErrInvalid)
	}
	s := &Store{documents: newDocuments()}
	s.setDimensions(cfg.Dimensions)
	if cfg.Dir == "" {
		return s, nil
	}
	d, err := openDisk(cfg)
	if err != nil {
		return nil, err
	}
	s.disk = d
	if err := s.load(cfg); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return s, nil
}

const defaultCollection = "api_docs"

// load reads the file into memory.
func (s *Store) load(cfg Config) error {
	if err := s.disk.prepare(cfg); err != nil {
		return err
	}
	s.setDimensions(s.disk.dimensions)
	var entries []*entry
	err := s.disk.each(func(r vectorstore.Record) error {
		if err := r.Validate(s.dimensions()); err != nil {
			return err
		}
		e := &entry{r.Document, r.Vector != nil}
		entries = append(entries, e)
		if s.setDimensions(len(r.Vector)); e.embedded {
			s.index.Load().Put(e, r.Vector)
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.documents.load(entries)
	if x := s.index.Load(); x != nil {
		x.Publish()
	}
	return nil
}

// dimensions returns the length of the vectors; 0 if it is not known yet.
func (s *Store) dimensions() int {
	if x := s.index.Load(); x != nil {
		return x.Dimensions()
	}
	return 0
}

func (s *Store) setDimensions(n int) {
	if n > 0 && s.index.Load() == nil {
		s.index.Store(flat.New(n, compareEntries))
	}
}

// remember makes changes in memory, and returns how many documents it removed.
func (s *Store) remember(remove []string, put []vectorstore.Record) (removed int) {
	old := s.documents.get(remove...)
	entries := make([]*entry, len(put))
	for i, r := range put {
		entries[i] = &entry{r.Document, r.Vector != nil}
		s.setDimensions(len(r.Vector))
		old = append(old, s.documents.get(r.ID)...)
	}
	if x := s.index.Load(); x != nil {
		for _, e := range old {
			x.Remove(e)
		}
		for i, e := range entries {
			if e.embedded {
				x.Put(e, put[i].Vector)
			}
		}
		x.Publish()
	}
	return s.documents.apply(remove, entries)
}

// Upsert implements vectorstore.VectorStore.
func (s *Store) Upsert(ctx context.Context, records ...vectorstore.Record) error {
	return s.Apply(ctx, vectorstore.Batch{Upsert: records})
}

// Apply implements vectorstore.Applier.
func (s *Store) Apply(ctx context.Context, b vectorstore.Batch) error {
	_, err := s.apply(ctx, b)
	return err
}

// Delete implements vectorstore.VectorStore.
func (s *Store) Delete(ctx context.Context, ids ...string) (int, error) {
	return s.apply(ctx, vectorstore.Batch{Delete: ids})
}

// apply makes the changes on disk, then in memory, and returns how many
// documents were deleted.
func (s *Store) apply(ctx context.Context, b vectorstore.Batch) (deleted int, err error) {
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	records, err := s.check(b)
	if err != nil {
		return 0, err
	}
	if s.disk != nil && len(b.Upsert)+len(b.Delete) > 0 {
		if err := s.disk.apply(ctx, records, b.Delete); err != nil {
			return 0, err
		}
	}
	return s.remember(b.Delete, records), nil
}

// check validates a batch and brings its records into the form in which they
// are kept: cloned, with numbers as int64 or float64.
func (s *Store) check(b vectorstore.Batch) ([]vectorstore.Record, error) {
	if err := vectorstore.ValidateBatch(b.Upsert, s.dimensions()); err != nil {
		return nil, err
	}
	upserted := make(map[string]bool, len(b.Upsert))
	records := make([]vectorstore.Record, len(b.Upsert))
	for i, r := range b.Upsert {
		upserted[r.ID] = true
		records[i] = vectorstore.Record{Document: r.Document.Clone(), Vector: slices.Clone(r.Vector)}
		normalize(records[i].Metadata)
		if len(r.Data) > 0 {
			compact, err := json.Marshal(r.Data)
			if err != nil {
				return nil, fmt.Errorf("%w: document %q: its data is not JSON", vectorstore.ErrInvalid, r.ID)
			}
			records[i].Data = compact
		}
	}
	for _, id := range b.Delete {
		if upserted[id] {
			return nil, fmt.Errorf("%w: id %q is both stored and deleted", vectorstore.ErrInvalid, id)
		}
	}
	return records, nil
}

// usable returns the error of a closed store or a cancelled context.
func (s *Store) usable(ctx context.Context) error {
	if s.closed.Load() {
		return vectorstore.ErrClosed
	}
	return ctx.Err()
}

// Get implements vectorstore.VectorStore.
func (s *Store) Get(ctx context.Context, ids ...string) ([]vectorstore.Document, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	var out []vectorstore.Document
	for _, e := range s.documents.get(ids...) {
		out = append(out, e.doc.Clone())
	}
	return out, nil
}

// All implements vectorstore.VectorStore.
func (s *Store) All(ctx context.Context, f vectorstore.Filter) iter.Seq2[vectorstore.Document, error] {
	return s.iterate(ctx, func(e *entry) bool { return vectorstore.Matches(f, e.doc) })
}

// Pending implements vectorstore.Pender.
func (s *Store) Pending(ctx context.Context) iter.Seq2[vectorstore.Document, error] {
	return s.iterate(ctx, func(e *entry) bool { return !e.embedded })
}

// PendingCount implements vectorstore.Pender.
func (s *Store) PendingCount(ctx context.Context) (int, error) {
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	_, waiting := s.documents.count()
	return waiting, nil
}

func (s *Store) iterate(ctx context.Context, selects func(*entry) bool) iter.Seq2[vectorstore.Document, error] {
	return func(yield func(vectorstore.Document, error) bool) {
		if err := s.usable(ctx); err != nil {
			yield(vectorstore.Document{}, err)
			return
		}
		for _, e := range s.documents.inOrder() {
			if err := ctx.Err(); err != nil {
				yield(vectorstore.Document{}, err)
				return
			}
			if selects(e) && !yield(e.doc.Clone(), nil) {
				return
			}
		}
	}
}

// Count implements vectorstore.VectorStore.
func (s *Store) Count(ctx context.Context, f vectorstore.Filter) (int, error) {
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	if f == nil {
		n, _ := s.documents.count()
		return n, nil
	}
	n := 0
	for _, e := range s.documents.inOrder() {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if f.Match(e.doc) {
			n++
		}
	}
	return n, nil
}

// Search implements vectorstore.VectorStore.
func (s *Store) Search(ctx context.Context, vector []float32, k int, f vectorstore.Filter) ([]vectorstore.Match, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	if err := vectorstore.ValidateVector(vector, s.dimensions()); err != nil {
		return nil, err
	}
	index := s.index.Load()
	if k <= 0 || index == nil {
		return nil, nil
	}
	found, err := index.View().Search(ctx, vector, k, selecting(f))
	if err != nil {
		return nil, err
	}
	out := make([]vectorstore.Match, len(found))
	for i, h := range found {
		d := h.Item.doc
		d.Data = nil
		out[i] = vectorstore.Match{Document: d.Clone(), Score: h.Score}
	}
	return out, nil
}

// Snapshot implements vectorstore.Snapshotter. What it writes is the file of a
// collection: put it into an empty directory under the name of the collection
// followed by ".db" and open that. Reads and writes go on meanwhile; the snapshot
// has the state at its beginning.
func (s *Store) Snapshot(ctx context.Context, w io.Writer) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	if s.disk == nil {
		return fmt.Errorf("chromem: a store without Config.Dir has no file to copy: %w", errors.ErrUnsupported)
	}
	return s.disk.snapshot(ctx, w)
}

// Close implements vectorstore.VectorStore. It waits for snapshots under way.
// Closing twice is allowed.
func (s *Store) Close() error {
	s.write.Lock()
	defer s.write.Unlock()
	if s.closed.Swap(true) || s.disk == nil {
		return nil
	}
	return s.disk.close()
}
