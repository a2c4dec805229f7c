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
	generation uint64
}

// Catalog returns all operations of the corpus. It is derived from the stored
// documents and made anew after a write, on the first call that needs it.
func (a *Assistant) Catalog(ctx context.Context) (*apispec.Catalog, error) {
	c := &a.catalog
	c.mu.Lock()
	defer c.mu.Unlock()
	generation := a.corpus.Generation()
	if c.catalog != nil && c.generation == generation {
		return c.catalog, nil
	}
	var ops []apispec.Operation
	for d, err := range a.corpus.All(ctx, vectorstore.Eq{Field: "content_type", Value: "endpoint"}) {
		if err != nil {
			return nil, fmt.Errorf("assistant: reading the operations: %w", err)
		}
		if len(d.Data) == 0 || d.Source == "" {
			continue // a caller's own document that calls itself an endpoint
		}
		var op apispec.Operation
		if err := json.Unmarshal(d.Data, &op); err != nil {
			return nil, fmt.Errorf("assistant: the operation of document %q is damaged: %w", d.ID, err)
		}
		ops = append(ops, op)
	}
	c.catalog, c.generation = apispec.NewCatalog(ops), generation
	return c.catalog, nil
}
