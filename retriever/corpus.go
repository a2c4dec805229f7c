package retriever

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/api-assistant/api-assistant/bm25"
	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// CorpusConfig says what a Corpus is made of. Only Store is required.
type CorpusConfig struct {
	// Store keeps the documents. The Corpus closes it in Close.
	Store vectorstore.VectorStore
	// Embedder makes the vectors; nil means that documents are found by words
	// only. It must be the one that the store was made with.
	Embedder llm.Embedder
	// Fields splits a document into the fields of the lexical index. The default
	// is OperationFields.
	Fields func(vectorstore.Document) bm25.Document
	// Weights are the field weights of the lexical index. The default is
	// DefaultWeights.
	Weights map[string]float64
	// Logger is told about what happens in the background; nil is silent.
	Logger *slog.Logger
}

// Corpus is a set of documents that can be searched: a store, a lexical index
// derived from it, and an embedder. All writes go through it. It is safe for
// concurrent use.
//
// The lexical index is built from the store by the first search that needs it,
// and updated by each write after that. A search sees a write completely or
// not at all.
type Corpus struct {
	store    vectorstore.VectorStore
	embedder llm.Embedder
	fields   func(vectorstore.Document) bm25.Document
	weights  map[string]float64
	log      *slog.Logger

	write      sync.Mutex    // held by one writer at a time, from reading to committing
	commitMu   sync.RWMutex  // held by a writer while store and index differ
	generation atomic.Uint64 // counts committed writes

	indexMu sync.RWMutex // guards index and cards; a writer holds it only to swap documents
	index   *bm25.Index  // nil until needed
	cards   *cards       // of the same documents

	spelling spelling

	filler filler
}

// NewCorpus makes a Corpus of an open store. The caller closes it.
func NewCorpus(cfg CorpusConfig) (*Corpus, error) {
	if cfg.Store == nil {
		return nil, errors.New("retriever: CorpusConfig.Store is nil; open one, with vectorstore/chromem say")
	}
	c := &Corpus{store: cfg.Store, embedder: cfg.Embedder, fields: cfg.Fields, weights: cfg.Weights, log: cfg.Logger}
	if c.fields == nil {
		c.fields = OperationFields
	}
	if c.weights == nil {
		c.weights = DefaultWeights()
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// Close stops what runs in the background and closes the store.
func (c *Corpus) Close() error {
	c.filler.stop()
	return c.store.Close()
}

// Generation counts the writes that took effect. A result computed at one
// generation is current as long as the generation is the same.
func (c *Corpus) Generation() uint64 { return c.generation.Load() }

// Embedder returns the embedder, or nil.
func (c *Corpus) Embedder() llm.Embedder { return c.embedder }

// Added says what Corpus.Add did.
type Added struct {
	IDs     []string // one per distinct document, in the order given
	New     int
	Updated int // the id existed with another content or metadata
	Skipped int // the same document existed already
}

// Add stores documents given one by one, all or nothing. A document without an
// ID gets one made from its content, so that adding it again changes nothing.
// A nil error means that the documents are durable and found by words; vectors
// are made at the same time or, if the embedder fails, later.
func (c *Corpus) Add(ctx context.Context, docs ...vectorstore.Document) (Added, error) {
	c.write.Lock()
	defer c.write.Unlock()
	given, err := distinct(docs)
	if err != nil {
		return Added{}, err
	}
	var out Added
	for _, d := range given {
		out.IDs = append(out.IDs, d.ID)
	}
	existing, err := c.store.Get(ctx, out.IDs...)
	if err != nil {
		return Added{}, err
	}
	old := make(map[string]vectorstore.Document, len(existing))
	for _, d := range existing {
		old[d.ID] = d
	}
	var changed []vectorstore.Document
	for _, d := range given {
		before, ok := old[d.ID]
		switch {
		case !ok:
			out.New++
		case sameDocument(before, d):
			out.Skipped++
			continue
		default:
			out.Updated++
		}
		changed = append(changed, d)
	}
	out.Skipped += len(docs) - len(given)
	return out, c.commit(ctx, changed, nil)
}

// distinct gives every document an id and drops repetitions.
func distinct(docs []vectorstore.Document) ([]vectorstore.Document, error) {
	seen := make(map[string]vectorstore.Document, len(docs))
	out := make([]vectorstore.Document, 0, len(docs))
	for i, d := range docs {
		if d.Content == "" {
			return nil, fmt.Errorf("%w: document %d has no content", vectorstore.ErrInvalid, i)
		}
		if d.ID == "" {
			d.ID = ContentID(d.Content)
		}
		if first, ok := seen[d.ID]; ok {
			if !sameDocument(first, d) {
				return nil, fmt.Errorf("%w: document %d has the same id as another in the same call, but is different", vectorstore.ErrInvalid, i)
			}
			continue
		}
		seen[d.ID] = d
		out = append(out, d)
	}
	return out, nil
}

// ContentID is the id of a document that was given without one: 128 bits of the
// SHA-256 of its content, in hexadecimal.
func ContentID(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:16])
}

// sameDocument compares all that a caller gave. Metadata is compared by its
// JSON form, because a store may return 1.0 where 1 was given.
func sameDocument(a, b vectorstore.Document) bool {
	if a.Content != b.Content || a.Source != b.Source || string(a.Data) != string(b.Data) || len(a.Metadata) != len(b.Metadata) {
		return false
	}
	if len(a.Metadata) == 0 {
		return true
	}
	x, errX := json.Marshal(a.Metadata)
	y, errY := json.Marshal(b.Metadata)
	return errX == nil && errY == nil && string(x) == string(y)
}

// Upload is the documents of one source, as a parser made them.
type Upload struct {
	Source    string // file name or URL; not empty
	Documents []vectorstore.Document
}

// Replaced says what replacing one source did.
type Replaced struct {
	Source    string
	Documents int // how many documents the source has now
	New       int // documents whose place in the source is new
	Updated   int // documents whose place existed with another content
	Unchanged int
	Removed   int // documents whose place is gone
	IDs       []string
}

// Replace stores the given sources, each in place of what it held before, in
// one transaction: after an error nothing has changed.
func (c *Corpus) Replace(ctx context.Context, uploads ...Upload) ([]Replaced, error) {
	c.write.Lock()
	defer c.write.Unlock()
	var (
		out    []Replaced
		upsert []vectorstore.Document
		remove []string
		named  = make(map[string]bool, len(uploads))
	)
	for _, u := range uploads {
		if u.Source == "" {
			return nil, fmt.Errorf("%w: an upload needs the name of its source", vectorstore.ErrInvalid)
		}
		if named[u.Source] {
			return nil, fmt.Errorf("%w: two uploads in one call have the same source", vectorstore.ErrInvalid)
		}
		named[u.Source] = true
		r, changed, gone, err := c.compare(ctx, u)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
		upsert = append(upsert, changed...)
		remove = append(remove, gone...)
	}
	if err := c.commit(ctx, upsert, remove); err != nil {
		return nil, err
	}
	return out, nil
}

// compare works out what an upload changes.
func (c *Corpus) compare(ctx context.Context, u Upload) (r Replaced, changed []vectorstore.Document, gone []string, err error) {
	docs := make([]vectorstore.Document, len(u.Documents))
	for i, d := range u.Documents {
		d.Source = u.Source
		docs[i] = d
	}
	if docs, err = distinct(docs); err != nil {
		return r, nil, nil, err
	}
	var (
		old    = make(map[string]vectorstore.Document)
		places = make(map[string]bool) // of documents whose content is no longer there
	)
	for d, err := range c.store.All(ctx, vectorstore.InSource{Name: u.Source}) {
		if err != nil {
			return r, nil, nil, err
		}
		old[d.ID] = d
	}
	r = Replaced{Source: u.Source, Documents: len(docs)}
	kept := make(map[string]bool, len(docs))
	for _, d := range docs {
		kept[d.ID] = true
		r.IDs = append(r.IDs, d.ID)
	}
	for id, d := range old {
		if !kept[id] {
			gone = append(gone, id)
			places[d.Pointer] = true
		}
	}
	for _, d := range docs {
		before, ok := old[d.ID]
		switch {
		case ok && sameDocument(before, d):
			r.Unchanged++
			continue
		case ok:
			r.Updated++
		case places[d.Pointer]:
			r.Updated++
			delete(places, d.Pointer)
		default:
			r.New++
		}
		changed = append(changed, d)
	}
	r.Removed = len(places)
	return r, changed, gone, nil
}

// RemoveSource deletes all documents of a source and returns how many there
// were.
func (c *Corpus) RemoveSource(ctx context.Context, name string) (int, error) {
	c.write.Lock()
	defer c.write.Unlock()
	var ids []string
	for d, err := range c.store.All(ctx, vectorstore.InSource{Name: name}) {
		if err != nil {
			return 0, err
		}
		ids = append(ids, d.ID)
	}
	return len(ids), c.commit(ctx, nil, ids)
}

// Delete removes documents and returns how many of them existed.
func (c *Corpus) Delete(ctx context.Context, ids ...string) (int, error) {
	c.write.Lock()
	defer c.write.Unlock()
	c.commitMu.Lock()
	defer c.commitMu.Unlock()
	n, err := c.store.Delete(ctx, ids...)
	if n > 0 || err != nil {
		c.swap(nil, ids, err != nil)
	}
	return n, err
}

// commit embeds and stores the changed documents, removes the ids, and brings
// the lexical index up to date. The caller holds c.write.
func (c *Corpus) commit(ctx context.Context, changed []vectorstore.Document, remove []string) error {
	if len(changed) == 0 && len(remove) == 0 {
		return nil
	}
	records, pending := c.embed(ctx, changed)
	if err := ctx.Err(); err != nil {
		return err
	}
	c.commitMu.Lock()
	defer c.commitMu.Unlock()
	err := apply(ctx, c.store, vectorstore.Batch{Upsert: records, Delete: remove})
	if errors.Is(err, vectorstore.ErrInvalid) {
		return err // refused before anything was changed
	}
	c.swap(changed, remove, err != nil)
	if pending {
		c.filler.start(c)
	}
	return err
}

// apply makes the changes of a batch in one transaction where the store can.
func apply(ctx context.Context, s vectorstore.VectorStore, b vectorstore.Batch) error {
	if a, ok := s.(vectorstore.Applier); ok {
		return a.Apply(ctx, b)
	}
	if err := s.Upsert(ctx, b.Upsert...); err != nil {
		return err
	}
	_, err := s.Delete(ctx, b.Delete...)
	return err
}

// swap brings the lexical index up to date with a write. After a write whose
// outcome is not known, the index is dropped and derived anew when needed.
func (c *Corpus) swap(changed []vectorstore.Document, remove []string, unknown bool) {
	docs := make([]bm25.Document, len(changed))
	fresh := make([]card, len(changed))
	if index := c.index; index != nil { // only writers change it
		for i, d := range changed {
			docs[i], fresh[i] = c.fields(d), newCard(d, index.Analyze)
		}
	}
	c.indexMu.Lock()
	defer c.indexMu.Unlock()
	if unknown {
		c.index, c.cards = nil, nil
	}
	if c.index != nil {
		c.index.Delete(remove...)
		c.index.Add(docs...)
		for _, id := range remove {
			c.cards.remove(id)
		}
		for i, d := range docs {
			c.cards.add(d.ID, fresh[i])
		}
	}
	c.generation.Add(1)
}

// lexicalIndex returns the lexical index, building it from the store if there
// is none.
func (c *Corpus) lexicalIndex(ctx context.Context) (*bm25.Index, error) {
	c.indexMu.RLock()
	index := c.index
	c.indexMu.RUnlock()
	if index != nil {
		return index, nil
	}
	c.write.Lock() // no write may slip in between reading and publishing
	defer c.write.Unlock()
	c.indexMu.RLock()
	index = c.index
	c.indexMu.RUnlock()
	if index != nil {
		return index, nil
	}
	index = bm25.New(bm25.WithFieldWeights(c.weights), bm25.WithK1(fieldK1))
	cards := newCards()
	for d, err := range c.store.All(ctx, nil) {
		if err != nil {
			return nil, fmt.Errorf("retriever: building the lexical index: %w", err)
		}
		index.Add(c.fields(d))
		cards.add(d.ID, newCard(d, index.Analyze))
	}
	index.Flush()
	c.indexMu.Lock()
	c.index, c.cards = index, cards
	c.indexMu.Unlock()
	return index, nil
}

// Warm builds the lexical index now, so that the first search need not.
func (c *Corpus) Warm(ctx context.Context) error {
	_, err := c.lexicalIndex(ctx)
	return err
}

// Ready reports whether the lexical index is built.
func (c *Corpus) Ready() bool {
	c.indexMu.RLock()
	defer c.indexMu.RUnlock()
	return c.index != nil
}

// Get returns the documents with the given ids, missing ones left out.
func (c *Corpus) Get(ctx context.Context, ids ...string) ([]vectorstore.Document, error) {
	return c.store.Get(ctx, ids...)
}

// All iterates over the documents that f matches, in the order of their ids.
func (c *Corpus) All(ctx context.Context, f vectorstore.Filter) iter.Seq2[vectorstore.Document, error] {
	return c.store.All(ctx, f)
}

// Count returns how many documents f matches.
func (c *Corpus) Count(ctx context.Context, f vectorstore.Filter) (int, error) {
	return c.store.Count(ctx, f)
}

// Pending returns how many documents wait for their vector.
func (c *Corpus) Pending(ctx context.Context) (int, error) {
	if p, ok := c.store.(vectorstore.Pender); ok && c.embedder != nil {
		return p.PendingCount(ctx)
	}
	return 0, nil
}

// SourceInfo describes what is known of one source.
type SourceInfo struct {
	Name      string
	Format    string // its documents' "source" metadata
	Documents int
}

// Sources returns the sources in the order of their names.
func (c *Corpus) Sources(ctx context.Context) ([]SourceInfo, error) {
	byName := make(map[string]*SourceInfo)
	for d, err := range c.store.All(ctx, nil) {
		if err != nil {
			return nil, err
		}
		if d.Source == "" {
			continue
		}
		s := byName[d.Source]
		if s == nil {
			format, _ := d.Metadata["source"].(string)
			s = &SourceInfo{Name: d.Source, Format: format}
			byName[d.Source] = s
		}
		s.Documents++
	}
	return sortedSources(byName), nil
}
