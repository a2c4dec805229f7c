package session

import (
	"context"
	"iter"
	"sync"
	"time"
)

// NewMemory returns a store that ends with the process.
func NewMemory(o Options) Store {
	o = o.withDefaults()
	return NewStore(&memory{now: o.Now, records: make(map[string]Record), owners: make(map[string]map[string]bool)}, o)
}

// memory is the Backend of NewMemory.
type memory struct {
	now     func() time.Time
	mu      sync.Mutex
	records map[string]Record
	owners  map[string]map[string]bool // owner → ids
	swept   time.Time
}

// sweepEvery is how often a store in memory looks for what it can forget.
const sweepEvery = time.Minute

// sweepNowAndThen keeps the cost of sweeping small.
func (m *memory) sweepNowAndThen() {
	if since := m.now().Sub(m.swept); since >= sweepEvery || since < 0 {
		m.sweep()
	}
}

// sweep forgets records whose time has come.
func (m *memory) sweep() {
	now := m.now()
	m.swept = now
	for id, r := range m.records {
		if !now.Before(r.Forget) {
			m.remove(id)
		}
	}
}

func (m *memory) remove(id string) {
	owner := m.records[id].Owner
	delete(m.records, id)
	delete(m.owners[owner], id)
	if len(m.owners[owner]) == 0 {
		delete(m.owners, owner)
	}
}

func (m *memory) Create(_ context.Context, r Record, most int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweepNowAndThen()
	if len(m.owners[r.Owner]) >= most {
		m.sweep()
	}
	ids := m.owners[r.Owner]
	if len(ids) >= most {
		return ErrTooManySessions
	}
	if ids == nil {
		ids = make(map[string]bool)
		m.owners[r.Owner] = ids
	}
	ids[r.ID] = true
	m.records[r.ID] = r
	return nil
}

func (m *memory) Load(_ context.Context, ids ...string) ([]Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := make([]Record, 0, len(ids))
	for _, id := range ids {
		if r, ok := m.records[id]; ok {
			found = append(found, r)
		}
	}
	return found, nil
}

func (m *memory) Update(_ context.Context, id string, change func(Record) (Record, error)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweepNowAndThen()
	r, ok := m.records[id]
	if !ok {
		return ErrNotFound
	}
	r, err := change(r)
	if err == nil {
		m.records[id] = r
	}
	return err
}

func (m *memory) Delete(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.records[id]; !ok {
		return ErrNotFound
	}
	m.remove(id)
	m.sweepNowAndThen()
	return nil
}

func (m *memory) Heads(_ context.Context, owner string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for _, r := range m.snapshot(owner) {
			r.History = nil
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (m *memory) snapshot(owner string) []Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Record
	if owner == "" {
		for _, r := range m.records {
			all = append(all, r)
		}
	}
	for id := range m.owners[owner] {
		if owner != "" {
			all = append(all, m.records[id])
		}
	}
	return all
}

func (m *memory) Close() error { return nil }
