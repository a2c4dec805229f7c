package bm25

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// dict numbers terms in the order of their first appearance. It only grows.
// find takes no lock and may run beside add; add may be called concurrently.
//
// The terms stand in pages that never move; an open-addressed table of
// (hash, number) pairs leads to them. A reader that holds an old table misses
// terms that were added since, which no snapshot of his can contain.
type dict struct {
	table atomic.Pointer[[]uint64]            // hash<<32 | number+1; 0 is free
	pages atomic.Pointer[[]*[pageSize]string] // page of a number: number / pageSize
	size  atomic.Uint32                       // how many terms there are

	mu sync.Mutex // held by add when the term is new
}

const (
	pageSize   = 4096
	firstTable = 1 << 10
)

// seed is that of all hash tables.
var seed = maphash.MakeSeed()

// hashID is the hash of a document's ID.
func hashID(id string) uint32 { return uint32(maphash.String(seed, id)) }

func newDict() *dict {
	d := &dict{}
	table := make([]uint64, firstTable)
	d.table.Store(&table)
	d.pages.Store(&[]*[pageSize]string{})
	return d
}

func (d *dict) term(number uint32) string {
	return (*d.pages.Load())[number/pageSize][number%pageSize]
}

// find returns the number of a term.
func (d *dict) find(term []byte) (number uint32, ok bool) {
	number, ok, _ = d.lookup(*d.table.Load(), d.hash(term), term)
	return number, ok
}

func (d *dict) hash(term []byte) uint32 { return uint32(maphash.Bytes(seed, term)) }

// lookup probes the table from the term's home on; slot is where the search
// ended.
func (d *dict) lookup(table []uint64, hash uint32, term []byte) (number uint32, ok bool, slot uint32) {
	mask := uint32(len(table) - 1)
	for slot = hash & mask; ; slot = (slot + 1) & mask {
		entry := atomic.LoadUint64(&table[slot])
		if entry == 0 {
			return 0, false, slot
		}
		if uint32(entry>>32) == hash {
			if number = uint32(entry) - 1; d.term(number) == string(term) {
				return number, true, slot
			}
		}
	}
}

// add returns the number of a term, giving it the next one if it is new.
func (d *dict) add(term []byte) uint32 {
	hash := d.hash(term)
	if number, ok, _ := d.lookup(*d.table.Load(), hash, term); ok {
		return number
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	table := *d.table.Load()
	number, ok, slot := d.lookup(table, hash, term)
	if ok {
		return number
	}
	number = d.size.Load()
	if 2*uint64(number+1) > uint64(len(table)) {
		table = grow(table)
		d.table.Store(&table)
		_, _, slot = d.lookup(table, hash, term)
	}
	d.put(number, string(term))
	d.size.Store(number + 1)
	// The entry appears last, so that whoever sees it sees the term.
	atomic.StoreUint64(&table[slot], uint64(hash)<<32|uint64(number+1))
	return number
}

func (d *dict) put(number uint32, term string) {
	pages := *d.pages.Load()
	if int(number/pageSize) == len(pages) {
		more := append(pages[:len(pages):len(pages)], new([pageSize]string))
		d.pages.Store(&more)
		pages = more
	}
	pages[number/pageSize][number%pageSize] = term
}

func grow(old []uint64) []uint64 {
	table := make([]uint64, 2*len(old))
	mask := uint32(len(table) - 1)
	for _, entry := range old {
		if entry == 0 {
			continue
		}
		slot := uint32(entry>>32) & mask
		for table[slot] != 0 {
			slot = (slot + 1) & mask
		}
		table[slot] = entry
	}
	return table
}
