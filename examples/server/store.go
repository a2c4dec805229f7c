package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/retriever"
	"github.com/api-assistant/api-assistant/vectorstore"
	"github.com/api-assistant/api-assistant/vectorstore/chromem"
	"github.com/api-assistant/api-assistant/vectorstore/qdrant"
)

// The values of VECTOR_STORE.
const (
	storeChromem = "chromem" // a file in the data directory
	storeQdrant  = "qdrant"  // a Qdrant server, which any number of replicas share
)

// openStore opens the store of the documents, and reports whether it is new: the
// sample is loaded into new ones only, so that whoever deletes it is rid of it.
func openStore(ctx context.Context, cfg config, embedder llm.Embedder, log *slog.Logger) (vectorstore.VectorStore, bool, error) {
	if cfg.VectorStore == storeQdrant {
		s, err := qdrant.Open(ctx, qdrant.Config{URL: cfg.QdrantURL, APIKey: cfg.QdrantKey, Collection: cfg.Collection,
			Embedder: embedder.Name(), Dimensions: embedder.Dimensions(),
			Fields: retriever.OperationFields, Weights: retriever.DefaultWeights(), Logger: log})
		if err != nil {
			return nil, false, inVariables(err)
		}
		return s, s.Created(), nil
	}
	_, err := os.Stat(filepath.Join(cfg.DataDir, cfg.Collection+".db"))
	isNew := errors.Is(err, fs.ErrNotExist)
	s, err := chromem.Open(chromem.Config{Dir: cfg.DataDir, Collection: cfg.Collection,
		Embedder: embedder.Name(), Dimensions: embedder.Dimensions()})
	if err != nil {
		return nil, false, err
	}
	return s, isNew, nil
}

// inVariables says which variable a setting of package qdrant comes from.
func inVariables(err error) error {
	return errors.New(strings.NewReplacer("Config.URL", "QDRANT_URL", "Config.APIKey", "QDRANT_API_KEY",
		"give it another name", "set another CHROMA_COLLECTION_NAME").Replace(err.Error()))
}

// place says where the documents are.
func (c config) place() string {
	if c.VectorStore == storeQdrant {
		return c.Collection + " in Qdrant at " + c.QdrantURL
	}
	return c.DataDir
}
