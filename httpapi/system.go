package httpapi

import (
	"net/http"
	"time"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// features are what clients of /health and /stats may switch parts of their
// interface on.
type features struct {
	HybridSearch    bool `json:"hybrid_search"`
	Reranking       bool `json:"reranking"`
	QueryExpansion  bool `json:"query_expansion"`
	Diversification bool `json:"diversification"`
	FacetedSearch   bool `json:"faceted_search"`
	Filtering       bool `json:"filtering"`
}

// available are the features that this version has.
var available = features{HybridSearch: true, Filtering: true}

// health says that the process lives. It touches nothing that could fail.
func (s *api) health(w http.ResponseWriter, r *http.Request) error {
	s.reply(w, r, http.StatusOK, struct {
		Status    string    `json:"status"`
		Timestamp time.Time `json:"timestamp"`
		Version   string    `json:"version"`
		Features  features  `json:"features"`
	}{"healthy", s.now().UTC(), s.Version, available})
	return nil
}

// ready says whether requests can be answered: the store reads, and the lexical
// index is built. The index is derived on demand, so not having it yet does not
// make the server unready.
func (s *api) ready(w http.ResponseWriter, r *http.Request) error {
	checks := map[string]string{"store": "ok", "index": "ok"}
	status, word := http.StatusOK, "ready"
	if _, err := s.assistant.Corpus().Get(r.Context(), "ready"); err != nil {
		checks["store"] = "unavailable"
		status, word = http.StatusServiceUnavailable, "not ready"
	}
	if !s.assistant.Corpus().Ready() {
		checks["index"] = "not built yet; the first search builds it"
	}
	s.reply(w, r, status, map[string]any{"status": word, "checks": checks})
	return nil
}

// stats counts what is stored.
func (s *api) stats(w http.ResponseWriter, r *http.Request) error {
	corpus := s.assistant.Corpus()
	total, err := corpus.Count(r.Context(), vectorstore.Filter(nil))
	if err != nil {
		return err
	}
	sources, err := corpus.Sources(r.Context())
	if err != nil {
		return err
	}
	pending, err := corpus.Pending(r.Context())
	if err != nil {
		return err
	}
	type collection struct {
		TotalDocuments    int    `json:"total_documents"`
		CollectionName    string `json:"collection_name"`
		Sources           int    `json:"sources"`
		PendingEmbeddings int    `json:"pending_embeddings"`
	}
	s.reply(w, r, http.StatusOK, map[string]any{
		"collection": collection{total, s.Collection, len(sources), pending},
		"features":   available,
		"index":      map[string]any{"built": corpus.Ready()},
	})
	return nil
}
