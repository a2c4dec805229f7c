package httpapi

import (
	"encoding/json"
	"net/http"

	"github.com/api-assistant/api-assistant/retriever"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// searchRequest is the body of POST /search.
type searchRequest struct {
	Query    string          `json:"query" validate:"notblank"`
	NResults *integer        `json:"n_results" validate:"omitnil,min=1,max=500"`
	Mode     string          `json:"mode" validate:"omitempty,oneof=vector lexical hybrid reranked"`
	Filter   json.RawMessage `json:"filter"`
	MinScore *float          `json:"min_score" validate:"omitnil,min=0,max=1"`
}

// searchHit is one result.
type searchHit struct {
	ID       string             `json:"id"`
	Content  string             `json:"content"`
	Metadata map[string]any     `json:"metadata"`
	Score    float64            `json:"score"`
	Method   string             `json:"method"`
	Signals  map[string]float64 `json:"signals"`
}

// searchReply is the answer of POST /search.
type searchReply struct {
	Results       []searchHit `json:"results"`
	Total         int         `json:"total"`
	Query         string      `json:"query"`
	ExpandedQuery *string     `json:"expanded_query"`
	Mode          string      `json:"mode"`
	Warning       string      `json:"warning,omitempty"`
}

func (s *api) search(w http.ResponseWriter, r *http.Request) error {
	var req searchRequest
	if err := s.decode(w, r, &req); err != nil {
		return err
	}
	filter, err := vectorstore.ParseFilter(req.Filter)
	if err != nil {
		return err
	}
	q := retriever.Query{Text: req.Query, Mode: retriever.Mode(req.Mode), Filter: filter}
	if req.NResults != nil {
		q.K = int(*req.NResults)
	}
	if req.MinScore != nil {
		q.MinScore = float64(*req.MinScore)
	}
	found, err := s.assistant.Search(r.Context(), q)
	if err != nil {
		return err
	}
	reply := searchReply{Results: make([]searchHit, len(found.Hits)), Total: len(found.Hits),
		Query: req.Query, Mode: string(found.Mode), Warning: found.Degraded}
	for i, h := range found.Hits {
		reply.Results[i] = searchHit{h.ID, h.Content, object(h.Metadata), h.Score, string(found.Mode), h.Signals}
	}
	s.reply(w, r, http.StatusOK, reply)
	return nil
}
