package httpapi

import (
	"context"
	"net/http"

	"github.com/api-assistant/api-assistant/retriever"
)

// facetedRequest is the body of POST /search/faceted.
type facetedRequest struct {
	Query     string   `json:"query" validate:"notblank,maxbytes=65536"`
	Fields    []string `json:"facet_fields" validate:"min=1,max=20,dive,min=1,maxbytes=1024" doc:"metadata keys to count by"`
	NResults  integer  `json:"n_results" default:"20" validate:"min=1,max=500"`
	Filter    filter   `json:"filter"`
	TopValues integer  `json:"top_facet_values" default:"10" validate:"min=1,max=50" doc:"values of each facet, the most frequent first"`
}

// facetedReply is the answer of POST /search/faceted.
type facetedReply struct {
	Results []searchHit      `json:"results" doc:"best first"`
	Facets  map[string]facet `json:"facets"`
	Total   int              `json:"total"`
	Query   string           `json:"query"`
}

// facet counts the values of one metadata key.
type facet struct {
	Field     string       `json:"field"`
	Values    []facetValue `json:"values"`
	TotalDocs int          `json:"total_docs" doc:"documents that match and have the key"`
}

type facetValue struct {
	Value      string  `json:"value"`
	Count      int     `json:"count"`
	Percentage float64 `json:"percentage" doc:"of total_docs"`
}

func (s *api) searchFaceted(r *http.Request, in facetedRequest) (facetedReply, error) {
	q := retriever.Query{Text: in.Query, K: int(in.NResults), Filter: in.Filter.Filter}
	found, err := s.find(r.Context(), q)
	if err != nil {
		return facetedReply{}, err
	}
	facets, err := s.facets(r.Context(), q, in.Fields, int(in.TopValues))
	if err != nil {
		return facetedReply{}, err
	}
	return facetedReply{Results: hitsOf(found), Facets: facets, Total: len(found.Hits), Query: in.Query}, nil
}

// facets counts the metadata of all documents that match a query.
func (s *api) facets(ctx context.Context, q retriever.Query, fields []string, top int) (map[string]facet, error) {
	counted, _, err := retriever.Facets(ctx, s.assistant.Corpus(), q, fields, top)
	if err != nil {
		return nil, err
	}
	out := make(map[string]facet, len(counted))
	for _, c := range counted {
		f := facet{Field: c.Field, Values: make([]facetValue, len(c.Values)), TotalDocs: c.Documents}
		for i, v := range c.Values {
			f.Values[i] = facetValue(v)
		}
		out[c.Field] = f
	}
	return out, nil
}
