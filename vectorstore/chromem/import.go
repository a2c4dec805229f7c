package chromem

import (
	"context"
	"fmt"

	chromemgo "github.com/philippgille/chromem-go"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// Import copies a collection of chromem-go into the store, with its vectors, in one
// transaction, and returns how many documents it holds. Documents with the same
// ID are replaced. The collection must have been made with the store's embedder;
// the store's dimension must be known (Config.Dimensions). A document whose vector
// cannot be searched (chromem-go makes NaNs of an empty one) is stored as pending.
//
// A collection that is on disk is opened with chromem-go's NewPersistentDB or
// ImportFromFile first. If documents are missing there, Import cannot know it:
// compare the number with what you expect.
func Import(ctx context.Context, to *Store, from *chromemgo.Collection) (int, error) {
	if from == nil {
		return 0, fmt.Errorf("%w: there is no such collection", vectorstore.ErrInvalid)
	}
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
	switch {
	case ctx.Err() != nil: // chromem-go returns a part and no error
		return 0, ctx.Err()
	case err != nil:
		return 0, fmt.Errorf("chromem: reading the collection %q: %w; all its vectors must have %d dimensions", from.Name, err, dimensions)
	case len(results) != n:
		return 0, fmt.Errorf("chromem: the collection %q changed while it was read", from.Name)
	}
	records := make([]vectorstore.Record, len(results))
	for i, r := range results {
		records[i] = importRecord(r, dimensions)
	}
	if err := to.Upsert(ctx, records...); err != nil {
		return 0, err
	}
	return n, nil
}

func importRecord(from chromemgo.Result, dimensions int) vectorstore.Record {
	r := vectorstore.Record{Document: vectorstore.Document{ID: from.ID, Content: from.Content, Metadata: make(map[string]any, len(from.Metadata))}}
	for key, v := range from.Metadata {
		r.Metadata[key] = v
	}
	if vectorstore.ValidateVector(from.Embedding, dimensions) == nil {
		r.Vector = from.Embedding
	}
	return r
}
