package chromem

import (
	"context"
	"fmt"

	chromemgo "github.com/philippgille/chromem-go"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// Import copies a collection of chromem-go into the store, with its vectors, and
// returns how many documents it holds. The collection must have been made with
// the store's embedder; the store's dimension must be known (Config.Dimensions).
func Import(ctx context.Context, to *Store, from *chromemgo.Collection) (int, error) {
	dimensions := to.dimensions()
	if dimensions == 0 {
		return 0, fmt.Errorf("%w: the store's dimension is not known yet; set Config.Dimensions", vectorstore.ErrInvalid)
	}
	n := from.Count()
	if n == 0 {
		return 0, nil
	}
	// chromem-go has no way to list a collection but to ask for as many results
	// as it has documents. Any direction will do.
	direction := make([]float32, dimensions)
	direction[0] = 1
	results, err := from.QueryEmbedding(ctx, direction, n, nil, nil)
	if err != nil {
		return 0, fmt.Errorf("chromem: reading the collection %q: %w", from.Name, err)
	}
	records := make([]vectorstore.Record, len(results))
	for i, r := range results {
		metadata := make(map[string]any, len(r.Metadata))
		for key, v := range r.Metadata {
			metadata[key] = v
		}
		records[i] = vectorstore.Record{Vector: r.Embedding,
			Document: vectorstore.Document{ID: r.ID, Content: r.Content, Metadata: metadata}}
	}
	return len(records), to.Upsert(ctx, records...)
}
