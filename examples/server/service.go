package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/assistant/ingest"
	"github.com/api-assistant/api-assistant/assistant/session"
	"github.com/api-assistant/api-assistant/examples/sample"
	"github.com/api-assistant/api-assistant/httpapi"
	"github.com/api-assistant/api-assistant/retriever"
)

// version is shown by /health.
const version = "0.1.0"

// service is the assistant with its store.
type service struct {
	*assistant.Assistant
	data         dataset
	loadedSample int // documents of the sample that were loaded at this start
}

// openService opens the store and loads the sample into a new one. The caller
// closes the service.
func openService(ctx context.Context, cfg config, m models, log *slog.Logger) (*service, error) {
	store, isNew, err := openStore(ctx, cfg, m.embedder, log)
	if err != nil {
		return nil, err
	}
	corpus, err := retriever.NewCorpus(retriever.CorpusConfig{Store: store, Embedder: m.embedder, Logger: log})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	web, err := cfg.Web.web()
	if err != nil {
		return nil, errors.Join(err, corpus.Close())
	}
	a, err := assistant.New(assistant.Config{Corpus: corpus, LLM: m.llm, Logger: log, Web: web,
		Retriever: retriever.New(corpus, retriever.Options{VectorWeight: m.vectorWeight}),
		Ingest:    ingest.Options{MaxBytes: int64(cfg.MaxUploadMB) << 20}})
	if err != nil {
		return nil, errors.Join(err, corpus.Close())
	}
	s := &service{Assistant: a, data: dataset{store, corpus, cfg.Collection}}
	if isNew && cfg.LoadSample {
		done, err := a.Ingest(ctx, assistant.File{Name: sample.BookshopName, Content: bytes.NewReader(sample.Bookshop)})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("loading the sample API: %w", err), a.Close())
		}
		s.loadedSample = done[0].Documents
	}
	if err := errors.Join(corpus.Warm(ctx), corpus.FillPending(ctx)); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return s, nil
}

func (s *service) handler(cfg config, log *slog.Logger, sessions session.Store, o httpapi.Observer) http.Handler {
	return httpapi.New(s.Assistant, httpapi.Options{Version: version, Collection: cfg.Collection,
		MaxUpload: int64(cfg.MaxUploadMB) << 20, Extensions: cfg.AllowedExtensions, Logger: log,
		Title: cfg.AppName, Sessions: sessions, Principal: principal, NeedsKey: cfg.RequireAuth, Observer: o})
}
