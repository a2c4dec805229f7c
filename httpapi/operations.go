package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/gaps"
)

func (s *api) operationEndpoints() []endpoint {
	const tag = "operations"
	return []endpoint{
		{"GET /operations", call(s, http.StatusOK, s.listOperations), about{
			id: "listOperations", tag: tag, summary: "List the operations of the uploaded descriptions",
		}},
		{"GET /operations/{id}", call(s, http.StatusOK, s.getOperation), about{
			id: "getOperation", tag: tag, summary: "Read an operation", fails: []int{404, 409},
			text: "The id is an operation id, an endpoint such as \"GET /orders/{id}\", or the id of the operation's document. " +
				"Where several APIs have it, the answer is 409 and names them.",
		}},
		{"GET /gaps", call(s, http.StatusOK, s.gaps), about{
			id: "findGaps", tag: tag, summary: "Find what the descriptions leave open",
		}},
		{"POST /generate", call(s, http.StatusOK, s.generate), about{
			id: "generate", tag: tag, summary: "Write client code for an operation", fails: []int{404, 409},
			text:    "Code is written from the specification; no model is needed. Name the operation by operation_id, or by method and path.",
			request: `{"operation_id": "placeOrder", "language": "python"}`,
		}},
		{"POST /verify", call(s, http.StatusOK, s.verify), about{
			id: "verify", tag: tag, summary: "Check a text or code against the operations",
			request: `{"text": "First GET /orders, then DELETE /order."}`,
		}},
	}
}

type operationsQuery struct {
	API   string  `query:"api" doc:"title of an API; left out: all"`
	Query string  `query:"q" doc:"words that must all occur in id, endpoint, summary or tags"`
	Limit integer `query:"limit" default:"1000" validate:"min=1,max=10000"`
}

type operationsReply struct {
	Operations []operationSummary `json:"operations"`
	Total      int                `json:"total" doc:"of those that match, also beyond the limit"`
}

// operationSummary is an operation in a list.
type operationSummary struct {
	ID          string   `json:"id" doc:"the operation id, or the endpoint of an operation without one"`
	OperationID string   `json:"operation_id"`
	API         string   `json:"api"`
	Method      string   `json:"method"`
	Path        string   `json:"path"`
	Summary     string   `json:"summary"`
	Tags        []string `json:"tags"`
	Deprecated  bool     `json:"deprecated"`
}

func summaryOf(op *apispec.Operation) operationSummary {
	out := operationSummary{op.OperationID, op.OperationID, op.API, op.Method, op.Path, op.Summary, list(op.Tags), op.Deprecated}
	if out.ID == "" {
		out.ID = op.Endpoint()
	}
	return out
}

func (s *api) listOperations(r *http.Request, in operationsQuery) (operationsReply, error) {
	ops, err := s.operationsOf(r.Context(), in.API)
	if err != nil {
		return operationsReply{}, err
	}
	words := strings.Fields(strings.ToLower(in.Query))
	out := operationsReply{Operations: []operationSummary{}}
	for _, op := range ops {
		if !mentions(op, words) {
			continue
		}
		if out.Total++; len(out.Operations) < int(in.Limit) {
			out.Operations = append(out.Operations, summaryOf(op))
		}
	}
	return out, nil
}

// operationsOf returns the operations of one API, or of all.
func (s *api) operationsOf(ctx context.Context, title string) ([]*apispec.Operation, error) {
	catalog, err := s.assistant.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	ops := catalog.Operations()
	if title == "" {
		return ops, nil
	}
	return slices.DeleteFunc(ops, func(op *apispec.Operation) bool { return op.API != title }), nil
}

// mentions reports whether an operation has all words, given in lower case.
func mentions(op *apispec.Operation, words []string) bool {
	text := strings.ToLower(strings.Join(append([]string{op.OperationID, op.Endpoint(), op.Summary}, op.Tags...), "\n"))
	return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
}

type gapsQuery struct {
	API string `query:"api" doc:"title of an API; left out: all"`
}

func (s *api) gaps(r *http.Request, in gapsQuery) (gaps.Report, error) {
	ops, err := s.operationsOf(r.Context(), in.API)
	if err != nil {
		return gaps.Report{}, err
	}
	return gaps.Find(ops), nil
}

type operationID struct {
	ID  string `path:"id"`
	API string `query:"api" doc:"title of the API, where several have the id"`
}

// operation is an operation as callers get it.
type operation struct {
	apispec.Operation
}

func (s *api) getOperation(r *http.Request, in operationID) (operation, error) {
	op, err := s.operation(r.Context(), in.ID, in.API)
	if err != nil {
		return operation{}, err
	}
	return operation{*op}, nil
}

// operation finds the one operation that a reference means: an operation id, an
// endpoint, or the id of a document.
func (s *api) operation(ctx context.Context, reference, title string) (*apispec.Operation, error) {
	ops, err := s.operationsOf(ctx, title)
	if err != nil {
		return nil, err
	}
	reference = strings.TrimSpace(reference)
	for _, is := range []func(*apispec.Operation) bool{
		func(op *apispec.Operation) bool { return op.OperationID == reference },
		func(op *apispec.Operation) bool { return strings.EqualFold(op.Endpoint(), reference) },
	} {
		if found := slices.DeleteFunc(slices.Clone(ops), func(op *apispec.Operation) bool { return !is(op) }); len(found) > 0 {
			return only(found)
		}
	}
	return s.operationOfDocument(ctx, reference)
}

var errNoOperation = notFound("there is no such operation in the uploaded descriptions")

// only returns the one operation that was found, or says which there are.
func only(found []*apispec.Operation) (*apispec.Operation, error) {
	if len(found) == 1 {
		return found[0], nil
	}
	candidates := make([]operationSummary, len(found))
	for i, op := range found {
		candidates[i] = summaryOf(op)
	}
	return nil, conflict("several operations are called so; name the API, or the endpoint", map[string]any{"candidates": candidates})
}

// operationOfDocument reads the operation that a document describes.
func (s *api) operationOfDocument(ctx context.Context, id string) (*apispec.Operation, error) {
	docs, err := s.assistant.Corpus().Get(ctx, id)
	if err != nil {
		return nil, err
	}
	var op apispec.Operation
	if len(docs) == 0 || len(docs[0].Data) == 0 || json.Unmarshal(docs[0].Data, &op) != nil || op.Method == "" {
		return nil, errNoOperation
	}
	return &op, nil
}
