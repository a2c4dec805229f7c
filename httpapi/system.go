package httpapi

import (
	"context"
	"net/http"
	"reflect"
	"time"
)

func (s *api) systemEndpoints() []endpoint {
	const tag = "system"
	return []endpoint{
		{"GET /health", call(s, http.StatusOK, s.health), about{
			id: "health", tag: tag, summary: "Whether the process lives", open: true,
		}},
		{"GET /ready", s.readyAnswer(), about{
			id: "ready", tag: tag, summary: "Whether requests can be answered", open: true,
		}},
		{"GET /stats", call(s, http.StatusOK, s.stats), about{
			id: "stats", tag: tag, summary: "What is stored",
		}},
	}
}

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
var available = features{HybridSearch: true, Reranking: true, QueryExpansion: true, Diversification: true, FacetedSearch: true, Filtering: true}

type healthReply struct {
	Status    string    `json:"status" validate:"oneof=healthy"`
	Timestamp time.Time `json:"timestamp"`
	Version   string    `json:"version"`
	Features  features  `json:"features"`
}

// health says that the process lives. It touches nothing that could fail.
func (s *api) health(*http.Request, none) (healthReply, error) {
	return healthReply{"healthy", s.now().UTC(), s.Version, available}, nil
}

type readyReply struct {
	Status string            `json:"status" validate:"oneof=ready not_ready"`
	Checks map[string]string `json:"checks" doc:"ok, or what is wrong"`
}

// checkTimeout bounds each check of GET /ready.
const checkTimeout = 5 * time.Second

// ready says whether requests can be answered: the store reads, and what
// Options.Checks adds. The lexical index is derived on demand, so not having it
// yet does not make the server unready.
func (s *api) ready(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	out := readyReply{"ready", map[string]string{"store": "ok", "index": "ok", "llm": "not checked"}}
	status := http.StatusOK
	check := func(name string, err error) {
		out.Checks[name] = "ok"
		if err != nil {
			s.Logger.WarnContext(ctx, "not ready", "check", name, "error", err)
			out.Checks[name] = "unavailable"
			status, out.Status = http.StatusServiceUnavailable, "not_ready"
		}
	}
	_, err := s.assistant.Corpus().Get(ctx, "ready")
	check("store", err)
	for name, ask := range s.Checks {
		check(name, ask(ctx))
	}
	if !s.assistant.Corpus().Ready() {
		out.Checks["index"] = "not built yet; the first search builds it"
	}
	s.reply(w, r, status, out)
	return nil
}

type statsReply struct {
	Collection collection `json:"collection"`
	Features   features   `json:"features"`
	Index      index      `json:"index"`
}

type collection struct {
	TotalDocuments    int    `json:"total_documents"`
	CollectionName    string `json:"collection_name"`
	Sources           int    `json:"sources"`
	PendingEmbeddings int    `json:"pending_embeddings" doc:"documents that are found by words and not yet by meaning"`
}

type index struct {
	Built      bool `json:"built" doc:"the lexical index; the first search builds it"`
	Operations int  `json:"operations" doc:"in the catalogue that answers are checked against"`
}

// stats counts what is stored.
func (s *api) stats(r *http.Request, _ none) (statsReply, error) {
	ctx, corpus := r.Context(), s.assistant.Corpus()
	total, err := corpus.Count(ctx, nil)
	if err != nil {
		return statsReply{}, err
	}
	sources, err := corpus.Sources(ctx)
	if err != nil {
		return statsReply{}, err
	}
	pending, err := corpus.Pending(ctx)
	if err != nil {
		return statsReply{}, err
	}
	catalog, err := s.assistant.Catalog(ctx)
	if err != nil {
		return statsReply{}, err
	}
	return statsReply{collection{total, s.Collection, len(sources), pending}, available, index{corpus.Ready(), catalog.Len()}}, nil
}

func (s *api) readyAnswer() answer {
	return answer{serve: s.ready, status: http.StatusOK, also: http.StatusServiceUnavailable, out: reflect.TypeFor[readyReply]()}
}
