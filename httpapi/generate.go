package httpapi

import (
	"errors"
	"net/http"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/codegen"
)

// generateRequest is the body of POST /generate.
type generateRequest struct {
	OperationID *string    `json:"operation_id" validate:"omitnil,maxbytes=1024" doc:"as GET /operations/{id} takes it"`
	Method      *string    `json:"method" validate:"omitnil,max=64"`
	Path        *string    `json:"path" validate:"omitnil,maxbytes=2048" doc:"template or URL: /orders/{id}, /orders/17"`
	Language    string     `json:"language" validate:"min=1,max=64" doc:"curl, python, javascript, typescript, go, java, csharp, php, ruby, rust, or what people call them"`
	API         *string    `json:"api" validate:"omitnil,maxbytes=1024" doc:"title of the API, where several have the operation"`
	BaseURL     *string    `json:"base_url" validate:"omitnil,maxbytes=2048" doc:"in place of the server in the specification"`
	Values      *anyObject `json:"values" doc:"values to use, by the names of parameters and of fields of the body"`
}

// snippet is client code for an operation.
type snippet struct {
	Language    string   `json:"language"`
	Source      string   `json:"source"`
	OperationID string   `json:"operation_id"`
	Operation   string   `json:"operation" doc:"method and path"`
	API         string   `json:"api"`
	Verified    bool     `json:"verified" doc:"the request passes the check against the specification"`
	Problems    []string `json:"problems"`
}

func snippetOf(s codegen.Snippet) snippet {
	out := snippet{string(s.Language), s.Source, s.OperationID, s.Endpoint, s.API, s.Verified, make([]string, len(s.Problems))}
	for i, p := range s.Problems {
		out.Problems[i] = p.String()
	}
	return out
}

func (s *api) generate(r *http.Request, in generateRequest) (snippet, error) {
	language, ok := codegen.ParseLanguage(in.Language)
	if !ok {
		return snippet{}, validationError(invalid{Loc: []any{"body", "language"}, Type: "enum", Msg: "must be one of " + languages()})
	}
	op, err := s.operationToCall(r, in)
	if err != nil {
		return snippet{}, err
	}
	var o codegen.Options
	set(&o.BaseURL, in.BaseURL)
	set((*anyObject)(&o.Values), in.Values)
	written, err := codegen.Generate(op, language, o)
	if errors.Is(err, codegen.ErrNotCallable) {
		return snippet{}, validationError(invalid{Loc: []any{"body", "operation_id"}, Type: "not_callable", Msg: "is called by the API, not by its clients"})
	}
	return snippetOf(written), err
}

// operationToCall finds the operation that a request names.
func (s *api) operationToCall(r *http.Request, in generateRequest) (*apispec.Operation, error) {
	var title, id, method, path string
	for to, sent := range map[*string]*string{&title: in.API, &id: in.OperationID, &method: in.Method, &path: in.Path} {
		set(to, sent)
	}
	switch {
	case id != "":
		return s.operation(r.Context(), id, title)
	case method == "" || path == "":
		return nil, validationError(invalid{Loc: []any{"body", "operation_id"}, Type: "too_short", Msg: "must not be empty, or method and path must be there"})
	}
	if op, err := s.operation(r.Context(), method+" "+path, title); err == nil {
		return op, nil
	} else if p := (*problem)(nil); !errors.As(err, &p) || p.status != http.StatusNotFound {
		return nil, err
	}
	catalog, err := s.assistant.Catalog(r.Context())
	if err != nil {
		return nil, err
	}
	found := catalog.Resolve(method, path)
	if found.Operation == nil || title != "" && found.Operation.API != title {
		return nil, errNoOperation
	}
	return found.Operation, nil
}

func languages() string {
	var names []string
	for _, l := range codegen.Languages() {
		names = append(names, string(l))
	}
	return strings.Join(names, ", ")
}
