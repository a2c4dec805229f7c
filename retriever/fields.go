package retriever

import (
	"maps"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/bm25"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// The fields of the lexical index beside the content, which is the text of the
// bm25.Document. They are the metadata keys of the documents that
// assistant/ingest makes; a document without them has its content only.
const (
	FieldEndpoint  = "endpoint"     // "GET /orders/{id}"
	FieldOperation = "operation_id" // "getOrder"
	FieldSummary   = "summary"
	FieldTitle     = "title" // of documents that are no operations
	FieldTags      = "tags"
)

// DefaultWeights are the field weights that the evaluation supports: what
// names an operation counts more than what describes it.
func DefaultWeights() map[string]float64 {
	return map[string]float64{FieldEndpoint: 2, FieldOperation: 1, FieldSummary: 3, FieldTitle: 2, FieldTags: 1}
}

// OperationFields splits a document by the metadata that assistant/ingest
// gives to operations and sections.
func OperationFields(d vectorstore.Document) bm25.Document {
	out := bm25.Document{ID: d.ID, Text: d.Content}
	add := func(field string) {
		if v := text(d.Metadata[field]); v != "" {
			if out.Fields == nil {
				out.Fields = make(map[string]string, 4)
			}
			out.Fields[field] = v
		}
	}
	add(FieldEndpoint)
	add(FieldOperation)
	add(FieldSummary)
	add(FieldTags)
	if out.Fields[FieldEndpoint] == "" {
		add(FieldTitle)
	}
	return out
}

// text is the searchable form of a metadata value.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []string:
		return strings.Join(v, " ")
	case []any:
		var parts []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				parts = append(parts, s)
			}
		}
		return strings.Join(parts, " ")
	}
	return ""
}

func sortedSources(byName map[string]*SourceInfo) []SourceInfo {
	out := make([]SourceInfo, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		out = append(out, *byName[name])
	}
	return out
}
