package assistant

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// catalogCache holds the catalogue of one generation of the corpus.
type catalogCache struct {
	mu         sync.Mutex
	catalog    *apispec.Catalog
	operations map[string]*apispec.Operation // by the ID of its document
	generation uint64
}

// Catalog returns all operations of the corpus. It is derived from the stored
// documents and made anew after a write, on the first call that needs it.
func (a *Assistant) Catalog(ctx context.Context) (*apispec.Catalog, error) {
	catalog, _, err := a.derived(ctx)
	return catalog, err
}

// operations are those of the catalogue, by the ID of the document of each.
func (a *Assistant) operations(ctx context.Context) (map[string]*apispec.Operation, error) {
	_, operations, err := a.derived(ctx)
	return operations, err
}

// derived is what the current documents say of operations.
func (a *Assistant) derived(ctx context.Context) (*apispec.Catalog, map[string]*apispec.Operation, error) {
	c := &a.catalog
	c.mu.Lock()
	defer c.mu.Unlock()
	generation := a.corpus.Generation()
	if c.catalog != nil && c.generation == generation {
		return c.catalog, c.operations, nil
	}
	var (
		ops []apispec.Operation
		ids []string
	)
	for d, err := range a.corpus.All(ctx, vectorstore.Eq{Field: "content_type", Value: "endpoint"}) {
		if err != nil {
			return nil, nil, fmt.Errorf("assistant: reading the operations: %w", err)
		}
		if len(d.Data) == 0 || d.Source == "" {
			continue // a caller's own document that calls itself an endpoint
		}
		var op apispec.Operation
		if err := json.Unmarshal(d.Data, &op); err != nil {
			return nil, nil, fmt.Errorf("assistant: the operation of document %q is damaged: %w", d.ID, err)
		}
		ops, ids = append(ops, op), append(ids, d.ID)
	}
	c.operations = make(map[string]*apispec.Operation, len(ops))
	for i := range ops {
		c.operations[ids[i]] = &ops[i]
	}
	c.catalog, c.generation = apispec.NewCatalog(ops), generation
	return c.catalog, c.operations, nil
}
