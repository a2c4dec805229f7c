package retriever

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/api-assistant/api-assistant/bm25"
)

// Facet counts the values of one metadata field over all documents that match.
type Facet struct {
	Field  string
	Values []FacetValue // most frequent first, ties by value
	// Documents is how many documents match and have the field.
	Documents int
}

// FacetValue is a value with the number of documents that have it.
type FacetValue struct {
	Value      string
	Count      int
	Percentage float64 // of Facet.Documents, 0 to 100
}

// MaxFacetFields bounds the fields of one call of Facets.
const MaxFacetFields = 20

// Facets counts the values of metadata fields over all documents that contain a
// word of the question and pass its filter, however many a search would return.
// A document whose field is a list counts for each of its values. At most top
// values are returned for each field; total is the number of documents.
func Facets(ctx context.Context, c *Corpus, q Query, fields []string, top int) (facets []Facet, total int, err error) {
	q, err = q.Normalize()
	if err != nil {
		return nil, 0, err
	}
	if len(fields) > MaxFacetFields {
		return nil, 0, fmt.Errorf("%w: %d facet fields, at most %d are allowed", ErrQuery, len(fields), MaxFacetFields)
	}
	ids, err := c.matching(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	counts := make([]map[string]int, len(fields))
	have := make([]int, len(fields))
	for i := range counts {
		counts[i] = make(map[string]int)
	}
	const batch = 512
	for some := range slices.Chunk(ids, batch) {
		docs, err := c.store.Get(ctx, some...)
		if err != nil {
			return nil, 0, err
		}
		total += len(docs)
		for _, d := range docs {
			for i, field := range fields {
				values := facetValues(d.Metadata[field])
				if len(values) > 0 {
					have[i]++
				}
				for _, v := range values {
					counts[i][v]++
				}
			}
		}
	}
	facets = make([]Facet, len(fields))
	for i, field := range fields {
		facets[i] = Facet{Field: field, Documents: have[i], Values: topValues(counts[i], have[i], top)}
	}
	return facets, total, nil
}

// matching returns the ids of the documents that match a question.
func (c *Corpus) matching(ctx context.Context, q Query) ([]string, error) {
	index, err := c.lexicalIndex(ctx)
	if err != nil {
		return nil, err
	}
	keep, err := c.kept(ctx, q)
	if err != nil {
		return nil, err
	}
	var opts []bm25.SearchOption
	if keep != nil {
		opts = append(opts, bm25.Where(keep))
	}
	c.indexMu.RLock()
	defer c.indexMu.RUnlock()
	hits := index.Search(q.Text, index.Len(), opts...)
	ids := make([]string, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
	}
	return ids, nil
}

// facetValues are the distinct values of a field, in their text form.
func facetValues(v any) []string {
	if l, ok := v.([]any); ok {
		var out []string
		for _, e := range l {
			out = append(out, facetValues(e)...)
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return []string{v}
	case bool:
		return []string{strconv.FormatBool(v)}
	case float64:
		return []string{strconv.FormatFloat(v, 'g', -1, 64)}
	case []string:
		return slices.Compact(slices.Sorted(slices.Values(v)))
	}
	return []string{fmt.Sprint(v)}
}

func topValues(counts map[string]int, of, top int) []FacetValue {
	out := make([]FacetValue, 0, len(counts))
	for v, n := range counts {
		out = append(out, FacetValue{Value: v, Count: n, Percentage: 100 * float64(n) / float64(of)})
	}
	slices.SortFunc(out, func(a, b FacetValue) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value)) })
	return out[:min(len(out), max(top, 0))]
}
