package chromem

import (
	"slices"
	"strings"
	"sync"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// entry is a stored document. It does not change.
type entry struct {
	doc      vectorstore.Document
	embedded bool // it has a vector
}

func compareEntries(a, b *entry) int { return strings.Compare(a.doc.ID, b.doc.ID) }

// documents are the entries of a store, by ID and in the order of IDs.
type documents struct {
	mu      sync.RWMutex
	byID    map[string]*entry
	waiting int // how many have no vector

	// sorted is in the order of IDs, as of before the changes to the IDs in
	// changed. The slice that inOrder has returned is not modified any more.
	sorted  []*entry
	changed map[string]struct{}
}

func newDocuments() documents {
	return documents{byID: make(map[string]*entry), changed: make(map[string]struct{})}
}

// load fills an empty store with entries in the order of their IDs.
func (d *documents) load(sorted []*entry) {
	for _, e := range sorted {
		d.byID[e.doc.ID] = e
		if !e.embedded {
			d.waiting++
		}
	}
	d.sorted = sorted
}

// apply removes and puts entries at once, and returns how many were removed.
func (d *documents) apply(remove []string, put []*entry) (removed int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range remove {
		if d.drop(id) {
			removed++
		}
	}
	for _, e := range put {
		d.drop(e.doc.ID)
		d.byID[e.doc.ID] = e
		d.changed[e.doc.ID] = struct{}{}
		if !e.embedded {
			d.waiting++
		}
	}
	return removed
}

func (d *documents) drop(id string) bool {
	e, ok := d.byID[id]
	if !ok {
		return false
	}
	delete(d.byID, id)
	d.changed[id] = struct{}{}
	if !e.embedded {
		d.waiting--
	}
	return true
}

// get returns the entries with the given ids, without those that are missing.
func (d *documents) get(ids ...string) []*entry {
	d.mu.RLock()
	defer d.mu.RUnlock()
	out := make([]*entry, 0, len(ids))
	for _, id := range ids {
		if e, ok := d.byID[id]; ok {
			out = append(out, e)
		}
	}
	return out
}

// count returns how many entries there are, and how many of them have no vector.
func (d *documents) count() (all, waiting int) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return len(d.byID), d.waiting
}

// inOrder returns all entries in the order of their IDs. The caller must not
// change the slice.
func (d *documents) inOrder() []*entry {
	d.mu.RLock()
	sorted, current := d.sorted, len(d.changed) == 0
	d.mu.RUnlock()
	if current {
		return sorted
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.changed) > 0 {
		d.sorted = d.merge()
		clear(d.changed)
	}
	return d.sorted
}

// merge makes the new order of the old one and the changes, so that a small change
// to a large store does not sort it again.
func (d *documents) merge() []*entry {
	ids := make([]string, 0, len(d.changed))
	for id := range d.changed {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	out, rest := make([]*entry, 0, len(d.byID)), d.sorted
	for _, id := range ids {
		at, there := slices.BinarySearchFunc(rest, id, func(e *entry, id string) int { return strings.Compare(e.doc.ID, id) })
		out = append(out, rest[:at]...)
		if rest = rest[at:]; there {
			rest = rest[1:]
		}
		if e, ok := d.byID[id]; ok {
			out = append(out, e)
		}
	}
	return append(out, rest...)
}
