// Package bm25 is an embedded full-text index that ranks by BM25: in memory,
// incremental, lazy, safe for concurrent use, and exact.
//
//	x := bm25.New()
//	x.Add(
//		bm25.Document{ID: "1", Text: "GET /orders lists orders"},
//		bm25.Document{ID: "2", Text: "POST /orders creates an order"},
//	)
//	for _, hit := range x.Search("create order", 10) {
//		fmt.Println(hit.ID, hit.Score)
//	}
//
// Add only queues; the first search after it tokenises and indexes what is
// queued (or Flush does), and nothing else: what a write costs depends on the
// documents written, not on those already there. Adding an ID again replaces
// the document.
//
// # Ranking
//
// A document D scores, summed over the terms t of the query,
//
//	w(t) · idf(t) · tf(t,D) · (k1+1) / (tf(t,D) + k1·(1 − b + b·len(D)/avglen))
//	idf(t) = ln(1 + (N − df(t) + 0.5) / (df(t) + 0.5))
//
// where w is the weight of the term in the query: as often as it occurs there.
// (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and
// Beyond", 2009, with Lucene's idf, which is never negative.) With fields, tf and
// len are sums over the fields, each times the field's weight (BM25F as in
// Robertson, Zaragoza and Taylor, "Simple BM25 Extension to Multiple Weighted
// Fields", 2004). N, df and avglen are those of the live documents at the
// moment of the search: an index that has seen any number of writes ranks as
// one built anew. Ties break by ID.
//
// # Trade-offs
//
// The index is in memory; see Index.WriteTo for keeping it. Texts are not kept.
// There are no positions, so no phrase queries. Memory is about 7 bytes per
// distinct term of a document, everything included.
// docs/bm25.md explains segments, evaluation and merging.
package bm25

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Document is a text with an identity.
type Document struct {
	ID   string // not empty; an existing one is replaced
	Text string
	// Fields are further texts, by the name of their field, whose weights
	// WithFieldWeights sets. Text counts as the field "".
	Fields map[string]string
}

// Index is a full-text index. Make one with New. All methods may be called
// concurrently. Searches never wait for writers, with one exception: a search
// indexes the documents that were queued before it, or waits for the search
// that is doing so.
//
// There is no goroutine behind an Index and nothing to close. Segments are
// merged inside of calls that write (Add, Delete, Flush), never in a search.
type Index struct {
	params   params
	weights  weights
	analyzer Analyzer
	dict     *dict
	scratch  sync.Pool

	snapshot atomic.Pointer[snapshot]
	queued   atomic.Int64 // len(queue) as searches see it

	// writing is held by whoever makes a new snapshot. It is locked before mu.
	writing sync.Mutex
	builder *builder // guarded by writing

	// mu guards the rest, and is held when documents leave the queue for a
	// snapshot; never for long.
	mu      sync.RWMutex
	queue   []Document     // not indexed yet; an empty ID was deleted or replaced meanwhile
	waiting map[string]int // by ID: gone + position in queue
	gone    int            // how many documents have left the queue
}

// snapshot is what a search sees. It is immutable.
type snapshot struct {
	views  []*view
	docs   int    // live documents
	length uint64 // sum of their lengths, in units
}

func newSnapshot(views []*view) *snapshot {
	s := &snapshot{}
	for _, v := range views {
		if v.live() == 0 {
			continue
		}
		s.views = append(s.views, v)
		s.docs += v.live()
		s.length += v.length - v.deadLength
	}
	return s
}

// find returns the place in views of the one with a live document, and the
// document's local number.
func (s *snapshot) find(id string) (place, doc int, ok bool) {
	hash := hashID(id)
	for i, v := range s.views {
		if doc, ok := v.find(id, hash); ok && !v.isDead(doc) {
			return i, doc, true
		}
	}
	return 0, 0, false
}

// without returns a snapshot without those documents that it has, and how many
// these are.
func (s *snapshot) without(ids []string) (*snapshot, int) {
	var (
		dead = make(map[int][]int, 1) // local numbers by place
		n    int
	)
	for _, id := range ids {
		if place, doc, ok := s.find(id); ok && !slices.Contains(dead[place], doc) {
			dead[place] = append(dead[place], doc)
			n++
		}
	}
	if n == 0 {
		return s, 0
	}
	views := slices.Clone(s.views)
	for place, docs := range dead {
		views[place] = views[place].without(docs)
	}
	return newSnapshot(views), n
}

// average is the mean length of the live documents, in units.
func (s *snapshot) average() float64 {
	if s.docs == 0 {
		return 0
	}
	return float64(s.length) / float64(s.docs)
}

// New returns an empty index.
func New(opts ...Option) *Index {
	x := &Index{
		params:   params{k1: DefaultK1, b: DefaultB},
		analyzer: API(),
		dict:     newDict(),
		waiting:  make(map[string]int),
	}
	for _, o := range opts {
		o(x)
	}
	x.params.unit = x.weights.scale()
	x.builder = newBuilder(x)
	x.snapshot.Store(&snapshot{})
	x.scratch.New = func() any { return newScratch(x) }
	return x
}

// Add queues documents. The next search, or Flush, indexes them. Documents with
// an empty ID are ignored; of several with the same ID the last one counts. Add
// may merge segments, which is bounded by the size of a segment (65,535
// documents).
func (x *Index) Add(docs ...Document) {
	x.mu.Lock()
	for _, d := range docs {
		if d.ID == "" {
			continue
		}
		if at, ok := x.waiting[d.ID]; ok {
			x.queue[at-x.gone] = Document{}
		}
		x.waiting[d.ID] = x.gone + len(x.queue)
		x.queue = append(x.queue, d)
	}
	x.queued.Store(int64(len(x.queue)))
	x.mu.Unlock()
	if x.writing.TryLock() { // else somebody else will merge
		x.merge()
		x.writing.Unlock()
	}
}

// Delete removes documents, at once, and returns how many there were.
func (x *Index) Delete(ids ...string) int {
	x.writing.Lock()
	defer x.writing.Unlock()
	snapshot := x.snapshot.Load()
	waited := 0 // and are not in the snapshot
	x.mu.Lock()
	for _, id := range ids {
		at, waits := x.waiting[id]
		if !waits {
			continue
		}
		x.queue[at-x.gone] = Document{}
		delete(x.waiting, id)
		if _, _, indexed := snapshot.find(id); !indexed {
			waited++
		}
	}
	x.mu.Unlock()
	after, removed := snapshot.without(ids)
	if removed > 0 {
		x.snapshot.Store(after)
		x.merge()
	}
	return waited + removed
}

// Flush indexes what is queued and merges what is due, so that no search has
// to.
func (x *Index) Flush() {
	x.writing.Lock()
	defer x.writing.Unlock()
	x.indexQueue()
	x.merge()
}

// indexQueue makes a new snapshot with the queued documents. The caller holds
// x.writing, so that the queue only grows meanwhile.
func (x *Index) indexQueue() {
	x.mu.RLock()
	taken := len(x.queue)
	batch := make([]Document, 0, taken)
	for _, d := range x.queue {
		if d.ID != "" {
			batch = append(batch, d)
		}
	}
	x.mu.RUnlock()
	if taken == 0 {
		return
	}
	built := x.buildAll(batch)
	ids := make([]string, len(batch))
	for i, d := range batch {
		ids[i] = d.ID
	}
	before, _ := x.snapshot.Load().without(ids)
	views := slices.Clip(before.views)
	for _, s := range built {
		views = append(views, &view{segment: s})
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.snapshot.Store(newSnapshot(views))
	x.dequeue(taken)
}

// keepWaiting is up to how many documents the map of those that wait keeps its
// memory.
const keepWaiting = 1 << 10

// dequeue forgets the first n queued documents. The caller holds x.mu.
func (x *Index) dequeue(n int) {
	for i, d := range x.queue[:n] {
		if d.ID != "" && x.waiting[d.ID] == x.gone+i {
			delete(x.waiting, d.ID)
		}
	}
	x.queue, x.gone = slices.Clone(x.queue[n:]), x.gone+n
	if len(x.waiting) == 0 && n > keepWaiting {
		x.waiting = make(map[string]int)
	}
	x.queued.Store(int64(len(x.queue)))
}

// current returns the snapshot to search, with everything in it that was queued
// before the call.
func (x *Index) current() *snapshot {
	if x.queued.Load() > 0 {
		x.writing.Lock()
		x.indexQueue()
		x.writing.Unlock()
	}
	return x.snapshot.Load()
}

// Len returns the number of documents, queued ones included.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	snapshot := x.snapshot.Load()
	n := snapshot.docs
	for id := range x.waiting {
		if _, _, ok := snapshot.find(id); !ok {
			n++
		}
	}
	return n
}

// Has reports whether there is a document with the given ID, queued or indexed.
func (x *Index) Has(id string) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if _, waits := x.waiting[id]; waits {
		return true
	}
	_, _, indexed := x.snapshot.Load().find(id)
	return indexed
}
