package retriever

import (
	"maps"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/bm25"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// The fields of the lexical index. Those of an operation come from the metadata
// and the layout of the documents that assistant/ingest makes; the content of
// any other document is its description.
const (
	FieldEndpoint    = "endpoint"     // "GET /orders/{id}"
	FieldOperation   = "operation_id" // "getOrder"
	FieldSummary     = "summary"
	FieldTitle       = "title" // of documents that are no operations
	FieldTags        = "tags"
	FieldAPI         = "api_title"
	FieldDescription = "description"
	FieldNeeds       = "needs"   // parameters and body, with their descriptions
	FieldReturns     = "returns" // what a successful response contains
)

// DefaultWeights are the field weights that the evaluation supports
// (docs/retrieval.md): what names an operation counts more than what describes
// it, and that more than the fields of its bodies.
func DefaultWeights() map[string]float64 {
	return map[string]float64{FieldEndpoint: 2, FieldOperation: 1, FieldSummary: 4, FieldTitle: 1, FieldTags: 1,
		FieldAPI: .4, FieldDescription: 1, FieldNeeds: .4, FieldReturns: .25}
}

// fieldK1 is higher than for plain texts, because the weights of the fields
// multiply how often a term occurs.
const fieldK1 = 2

// OperationFields splits a document by the metadata and the layout that
// assistant/ingest gives to operations. Of other documents the content is the
// description; of the summary of an API, without the list of its endpoints,
// which would make it match everything.
func OperationFields(d vectorstore.Document) bm25.Document {
	out := bm25.Document{ID: d.ID, Fields: make(map[string]string, 8)}
	add := func(field, value string) {
		if value != "" {
			out.Fields[field] = value
		}
	}
	if text(d.Metadata[FieldEndpoint]) == "" {
		content := d.Content
		if d.Metadata["content_type"] == "api_summary" {
			content, _, _ = strings.Cut(content, "\nIt has ")
		}
		add(FieldDescription, content)
		add(FieldTitle, text(d.Metadata[FieldTitle]))
		return out
	}
	for _, field := range []string{FieldEndpoint, FieldSummary, FieldTags, FieldAPI} {
		add(field, text(d.Metadata[field]))
	}
	if id := text(d.Metadata[FieldOperation]); !repeats(id, out.Fields[FieldEndpoint]) {
		add(FieldOperation, id)
	}
	s := sectionsOf(d.Content)
	add(FieldDescription, s.description)
	add(FieldNeeds, s.needs)
	add(FieldReturns, s.returns)
	return out
}

// repeats reports whether an operation id only says the endpoint again, as
// generated ones do: GET_movie-movie_id-credits.
func repeats(id, endpoint string) bool {
	letters := func(s string) string {
		return strings.Map(func(r rune) rune {
			if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
				return r
			}
			return -1
		}, strings.ToLower(s))
	}
	long, short := letters(endpoint), letters(id)
	return short == "" || strings.HasSuffix(long, short)
}

// sections are the parts of an operation's content.
type sections struct {
	description string // without the first line, which is endpoint and summary
	needs       string // its lines, "- query page (integer): …"
	returns     string
}

// sectionsOf splits the content of an operation by the labels that
// assistant/ingest writes. Errors, credentials, servers and the like are in
// none of the sections: they are the same for whole APIs.
func sectionsOf(content string) sections {
	const (
		description = iota
		needs
		returns
		other
	)
	var (
		parts [4]strings.Builder
		at    = description
	)
	_, rest, _ := strings.Cut(content, "\n")
	for line := range strings.Lines(rest) {
		switch label, _, _ := strings.Cut(line, ":"); {
		case line == "Needs:\n":
			at = needs
			continue
		case strings.HasPrefix(label, "Returns "):
			at = returns
		case line[0] != '-' && line[0] != ' ' && otherLabels[label]:
			at = other
		}
		parts[at].WriteString(line)
	}
	return sections{description: parts[description].String(), needs: parts[needs].String(), returns: parts[returns].String()}
}

// otherLabels begin the lines of an operation that are not searched.
var otherLabels = map[string]bool{"Errors": true, "Auth": true, "Operation id": true, "Tags": true, "Server": true, "Servers": true}

// text is the searchable form of a metadata value.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return strings.Join(listOf(v), " ")
}

// listOf is a metadata value that is a list of strings.
func listOf(v any) []string {
	switch v := v.(type) {
	case []string:
		return v
	case []any:
		var parts []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				parts = append(parts, s)
			}
		}
		return parts
	}
	return nil
}

func sortedSources(byName map[string]*SourceInfo) []SourceInfo {
	out := make([]SourceInfo, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		out = append(out, *byName[name])
	}
	return out
}
