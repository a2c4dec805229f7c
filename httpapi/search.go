package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/api-assistant/api-assistant/retriever"
)

func (s *api) searchEndpoints() []endpoint {
	const tag = "search"
	return []endpoint{
		{"POST /search", call(s, http.StatusOK, s.search), about{
			id: "search", tag: tag, summary: "Find documents",
			text: "Scores are 0 to 1 and mean the same in every mode. Filters apply before the best are chosen, min_score after.",
			request: `{"query": "create order", "n_results": 5, "mode": "hybrid", "filter": {"field": "method", "operator": "eq", "value": "POST"},
 "use_query_expansion": false, "use_diversification": false, "diversification_lambda": 0.5, "min_score": 0.0}`,
		}},
		{"POST /search/faceted", call(s, http.StatusOK, s.searchFaceted), about{
			id: "searchFaceted", tag: tag, summary: "Find documents and count them by metadata",
			text:    "Facets count all documents that match, not only the returned ones.",
			request: `{"query": "order", "facet_fields": ["method"], "n_results": 20, "filter": null, "top_facet_values": 10}`,
		}},
	}
}

// searchRequest is the body of POST /search.
type searchRequest struct {
	Query           string  `json:"query" validate:"notblank,maxbytes=65536"`
	NResults        integer `json:"n_results" default:"5" validate:"min=1,max=500"`
	Mode            string  `json:"mode" default:"hybrid" validate:"oneof=vector lexical hybrid reranked"`
	Filter          filter  `json:"filter"`
	Expand          boolean `json:"use_query_expansion" default:"false"`
	Diversify       boolean `json:"use_diversification" default:"false"`
	DiversityLambda float   `json:"diversification_lambda" default:"0.5" validate:"min=0,max=1" doc:"0 is diverse, 1 relevant"`
	MinScore        float   `json:"min_score" default:"0" validate:"min=0,max=1"`
}

// searchHit is one result.
type searchHit struct {
	ID       string             `json:"id"`
	Content  string             `json:"content"`
	Metadata metadata           `json:"metadata"`
	Score    float64            `json:"score"`
	Method   string             `json:"method" doc:"how it was found"`
	Signals  map[string]float64 `json:"signals" doc:"what brought the score: bm25, cosine, ranks"`
}

// searchReply is the answer of POST /search.
type searchReply struct {
	Results       []searchHit `json:"results" doc:"best first"`
	Total         int         `json:"total"`
	Query         string      `json:"query"`
	ExpandedQuery *string     `json:"expanded_query" doc:"null unless expansion was asked for"`
	Mode          string      `json:"mode"`
	Warning       string      `json:"warning,omitempty" doc:"why the search was narrower than asked for"`
}

func (s *api) search(r *http.Request, in searchRequest) (searchReply, error) {
	q := retriever.Query{Text: in.Query, K: int(in.NResults), Mode: retriever.Mode(in.Mode),
		Filter: in.Filter.Filter, MinScore: float64(in.MinScore), Expand: bool(in.Expand)}
	if in.Diversify {
		q.Diversity = 1 - float64(in.DiversityLambda)
	}
	found, err := s.find(r.Context(), q)
	if err != nil {
		return searchReply{}, err
	}
	out := searchReply{Results: hitsOf(found), Total: len(found.Hits), Query: in.Query, Mode: string(found.Mode), Warning: found.Degraded}
	if in.Expand {
		out.ExpandedQuery = &found.Expanded
	}
	return out, nil
}

// find searches, and tells the observer.
func (s *api) find(ctx context.Context, q retriever.Query) (retriever.Result, error) {
	start := time.Now()
	found, err := s.assistant.Search(ctx, q)
	if err == nil {
		s.Observer.Search(SearchEvent{Mode: string(found.Mode), Hits: len(found.Hits), Degraded: found.Degraded != "", Duration: time.Since(start)})
	}
	return found, err
}

func hitsOf(found retriever.Result) []searchHit {
	out := make([]searchHit, len(found.Hits))
	for i, h := range found.Hits {
		out[i] = searchHit{h.ID, h.Content, object(h.Metadata), h.Score, string(found.Mode), h.Signals}
	}
	return out
}
