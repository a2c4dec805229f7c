package retriever

import (
	"container/list"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// DefaultCacheSize is how many results New keeps for repeated queries.
const DefaultCacheSize = 512

// maxCachedHits bounds the hits of a result that is kept.
const maxCachedHits = 50

// Cache keeps the results of next for repeated queries, the size least recently
// used ones dropped first; 0 means DefaultCacheSize, a negative size none. A
// result is used only as long as no write has taken effect since before it was
// computed, so it is never older than the last write. Degraded results are not
// kept.
func Cache(c *Corpus, next Retriever, size int) Retriever {
	if size < 0 {
		return next
	}
	if size == 0 {
		size = DefaultCacheSize
	}
	k := &cache{corpus: c, next: next, size: size, entries: make(map[string]*list.Element)}
	return Func(k.retrieve)
}

type cache struct {
	corpus *Corpus
	next   Retriever
	size   int

	mu      sync.Mutex
	entries map[string]*list.Element
	recent  list.List // of *cached, the most recently used first
}

type cached struct {
	key        string
	generation uint64
	result     Result
}

func (k *cache) retrieve(ctx context.Context, q Query) (Result, error) {
	q, err := q.Normalize()
	if err != nil {
		return Result{}, err
	}
	generation := k.corpus.Generation()
	key := keyOf(q)
	if r, ok := k.get(key, generation); ok {
		return r, ctx.Err()
	}
	r, err := k.next.Retrieve(ctx, q)
	if err == nil && r.Degraded == "" && len(r.Hits) <= maxCachedHits && k.corpus.Generation() == generation {
		k.put(&cached{key, generation, clone(r)})
	}
	return r, err
}

// keyOf is the same for equal queries only.
func keyOf(q Query) string {
	return fmt.Sprintf("%q %q %d %s %#v %g %g %t %t %v", q.Text, q.Context, q.K, q.Mode, q.Filter, q.MinScore, q.Diversity, q.Expand, q.IDsOnly, q.Terms)
}

func (k *cache) get(key string, generation uint64) (Result, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.entries[key]
	if !ok {
		return Result{}, false
	}
	entry := e.Value.(*cached)
	if entry.generation != generation {
		k.recent.Remove(e)
		delete(k.entries, key)
		return Result{}, false
	}
	k.recent.MoveToFront(e)
	return clone(entry.result), true
}

func (k *cache) put(entry *cached) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e, ok := k.entries[entry.key]; ok {
		k.recent.Remove(e)
	}
	k.entries[entry.key] = k.recent.PushFront(entry)
	for len(k.entries) > k.size {
		last := k.recent.Back()
		delete(k.entries, k.recent.Remove(last).(*cached).key)
	}
}

// clone copies what a caller could change.
func clone(r Result) Result {
	r.Hits = slices.Clone(r.Hits)
	for i := range r.Hits {
		h := &r.Hits[i]
		h.Signals, h.Metadata = maps.Clone(h.Signals), maps.Clone(h.Metadata)
		for key, v := range h.Metadata {
			switch v := v.(type) {
			case []any:
				h.Metadata[key] = slices.Clone(v)
			case []string:
				h.Metadata[key] = slices.Clone(v)
			}
		}
	}
	return r
}
