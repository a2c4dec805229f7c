package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/api-assistant/api-assistant/retriever"
	"github.com/api-assistant/api-assistant/vectorstore/chromem"
)

// reembed makes the vectors anew with the embedder of the configuration, where
// they are another one's or missing. Interrupted, it goes on when it is run again.
func reembed(ctx context.Context, in invocation) error {
	if len(in.args) > 0 {
		return usageError("it has no arguments")
	}
	cfg, err := loadConfig(in.environ, in.dotenv)
	if err != nil {
		return err
	}
	if cfg.VectorStore != storeChromem {
		return errors.New("this is for VECTOR_STORE=chromem: export, then import into another CHROMA_COLLECTION_NAME")
	}
	log := slog.New(slog.DiscardHandler)
	models, err := newModels(cfg.Models, log, modelClient())
	if err != nil {
		return err
	}
	store, err := chromem.Open(chromem.Config{Dir: cfg.DataDir, Collection: cfg.Collection,
		Embedder: models.embedder.Name(), Dimensions: models.embedder.Dimensions(), Reembed: true})
	if err != nil {
		return err
	}
	corpus, err := retriever.NewCorpus(retriever.CorpusConfig{Store: store, Embedder: models.embedder, Logger: log})
	if err != nil {
		return errors.Join(err, store.Close())
	}
	n, err := corpus.EmbedPending(ctx)
	fmt.Fprintf(in.out, "embedded %d documents with %s\n", n, models.embedder.Name())
	return errors.Join(err, corpus.Close())
}
