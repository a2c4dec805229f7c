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
// # Trade-offs
//
// All documents and vectors are held in memory too, so that filters, reads and
// the search touch no disk. The search is an exact scan over all vectors, in
// time linear in their number. With an empty Dir nothing is kept on disk.
//
// chromem-go, after which the package is named, is where many come from: see
// Import. Its own persistence is not used. It was measured to lose one of
// 100,000 documents (file names are 32-bit hashes), and a crash during a write
// leaves a database that does not open.
package chromem

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/api-assistant/api-assistant/vectorstore"
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

// Store is an open store. It implements vectorstore.VectorStore, Applier and
// Pender.
type Store struct {
	disk *disk // nil: memory only

	write sync.Mutex // held by one writer at a time

	mu         sync.RWMutex // guards the rest; writers hold it after the disk has the change
	closed     bool
	dimensions int
	entries    map[string]*entry
	vectors    vectors
	sorted     []*entry // by ID; nil: to be made
}

// entry is a stored document. It is immutable but for row.
type entry struct {
	doc vectorstore.Document
	row int // in vectors; -1: no vector yet
}

// Open opens a store, making it if there is none. The caller closes it.
func Open(cfg Config) (*Store, error) {
	if cfg.Collection == "" {
		cfg.Collection = "api_docs"
	}
	s := &Store{entries: make(map[string]*entry), dimensions: cfg.Dimensions}
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

// load reads the file into memory.
func (s *Store) load(cfg Config) error {
	dropped, err := s.disk.prepare(cfg)
	if err != nil {
		return err
	}
	if dropped == 0 && cfg.Dimensions == 0 {
		s.dimensions = s.disk.dimensions
	}
	return s.disk.each(func(r vectorstore.Record) error {
		if err := r.Validate(s.dimensions); err != nil {
			return fmt.Errorf("%w: %w", vectorstore.ErrCorrupt, err)
		}
		s.put(r)
		return nil
	})
}

// put adds or replaces a record in memory. The caller holds mu or is alone.
func (s *Store) put(r vectorstore.Record) {
	s.drop(r.ID)
	e := &entry{doc: r.Document, row: -1}
	if r.Vector != nil {
		if s.dimensions == 0 {
			s.dimensions = len(r.Vector)
		}
		e.row = s.vectors.add(e, r.Vector)
	}
	s.entries[r.ID] = e
	s.sorted = nil
}

// drop removes a document from memory, and reports whether it was there.
func (s *Store) drop(id string) bool {
	e, ok := s.entries[id]
	if !ok {
		return false
	}
	if e.row >= 0 {
		s.vectors.remove(e.row)
	}
	delete(s.entries, id)
	s.sorted = nil
	return true
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
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range b.Delete {
		if s.drop(id) {
			deleted++
		}
	}
	for _, r := range records {
		s.put(r)
	}
	return deleted, nil
}

// check validates a batch and brings its records into the form in which they
// are kept: cloned, with numbers as int64 or float64.
func (s *Store) check(b vectorstore.Batch) ([]vectorstore.Record, error) {
	s.mu.RLock()
	dimensions := s.dimensions
	s.mu.RUnlock()
	if err := vectorstore.ValidateBatch(b.Upsert, dimensions); err != nil {
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
	s.mu.RLock()
	closed := s.closed
	s.mu.RUnlock()
	if closed {
		return vectorstore.ErrClosed
	}
	return ctx.Err()
}

// Get implements vectorstore.VectorStore.
func (s *Store) Get(ctx context.Context, ids ...string) ([]vectorstore.Document, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []vectorstore.Document
	for _, id := range ids {
		if e, ok := s.entries[id]; ok {
			out = append(out, e.doc.Clone())
		}
	}
	return out, nil
}

// all returns the entries in the order of their IDs. The slice is not changed
// any more.
func (s *Store) all(ctx context.Context) ([]*entry, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	s.mu.RLock()
	sorted := s.sorted
	s.mu.RUnlock()
	if sorted != nil {
		return sorted, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sorted == nil {
		s.sorted = make([]*entry, 0, len(s.entries))
		for _, id := range slices.Sorted(maps.Keys(s.entries)) {
			s.sorted = append(s.sorted, s.entries[id])
		}
	}
	return s.sorted, nil
}

// All implements vectorstore.VectorStore.
func (s *Store) All(ctx context.Context, f vectorstore.Filter) iter.Seq2[vectorstore.Document, error] {
	return s.iterate(ctx, func(e *entry) bool { return vectorstore.Matches(f, e.doc) })
}

// Pending implements vectorstore.Pender.
func (s *Store) Pending(ctx context.Context) iter.Seq2[vectorstore.Document, error] {
	return func(yield func(vectorstore.Document, error) bool) {
		// Rows change under the lock, so those without one are noted first.
		s.mu.RLock()
		waiting := make(map[*entry]bool)
		for _, e := range s.entries {
			if e.row < 0 {
				waiting[e] = true
			}
		}
		s.mu.RUnlock()
		s.iterate(ctx, func(e *entry) bool { return waiting[e] })(yield)
	}
}

// PendingCount implements vectorstore.Pender.
func (s *Store) PendingCount(ctx context.Context) (int, error) {
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.entries) - s.vectors.len(), nil
}

func (s *Store) iterate(ctx context.Context, selects func(*entry) bool) iter.Seq2[vectorstore.Document, error] {
	return func(yield func(vectorstore.Document, error) bool) {
		entries, err := s.all(ctx)
		if err != nil {
			yield(vectorstore.Document{}, err)
			return
		}
		for _, e := range entries {
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
	s.mu.RLock()
	defer s.mu.RUnlock()
	if f == nil {
		return len(s.entries), nil
	}
	n := 0
	for _, e := range s.entries {
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
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := vectorstore.ValidateVector(vector, s.dimensions); err != nil {
		return nil, err
	}
	if k <= 0 {
		return nil, nil
	}
	found, err := s.vectors.search(ctx, vector, k, f)
	if err != nil {
		return nil, err
	}
	out := make([]vectorstore.Match, len(found))
	for i, h := range found {
		d := h.entry.doc
		d.Data = nil
		out[i] = vectorstore.Match{Document: d.Clone(), Score: float64(h.score)}
	}
	return out, nil
}

// Close implements vectorstore.VectorStore. Closing twice is allowed.
func (s *Store) Close() error {
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.disk != nil {
		return s.disk.close()
	}
	return nil
}
