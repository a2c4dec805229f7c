package httpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"

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
	Value      any     `json:"value"`
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
	q.K = retriever.MaxK
	found, err := s.assistant.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	out := make(map[string]facet, len(fields))
	for _, field := range fields {
		out[field] = count(found.Hits, field, top)
	}
	return out, nil
}

// count makes the facet of one field. A list counts once for each of its values.
func count(hits []retriever.Hit, field string, top int) facet {
	byValue := make(map[string]*facetValue)
	f := facet{Field: field, Values: []facetValue{}}
	for _, h := range hits {
		v, ok := h.Metadata[field]
		if !ok {
			continue
		}
		f.TotalDocs++
		list, isList := v.([]any)
		if !isList {
			list = []any{v}
		}
		seen := make(map[string]bool, len(list))
		for _, v := range list {
			key, err := json.Marshal(v)
			if err != nil || seen[string(key)] {
				continue
			}
			seen[string(key)] = true
			if byValue[string(key)] == nil {
				byValue[string(key)] = &facetValue{Value: v}
			}
			byValue[string(key)].Count++
		}
	}
	keys := make([]string, 0, len(byValue))
	for key := range byValue {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(byValue[b].Count, byValue[a].Count), cmp.Compare(a, b))
	})
	for _, key := range keys[:min(top, len(keys))] {
		v := *byValue[key]
		v.Percentage = 100 * float64(v.Count) / float64(f.TotalDocs)
		f.Values = append(f.Values, v)
	}
	return f
}
