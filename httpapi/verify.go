package httpapi

import (
	"net/http"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// verifyRequest is the body of POST /verify.
type verifyRequest struct {
	Text string `json:"text" validate:"notblank,maxbytes=1048576"`
}

// verification is what the catalogue says of a text.
type verification struct {
	Endpoints []endpointCheck `json:"endpoints" doc:"in the order of first mention"`
	Code      []codeCheck     `json:"code"`
}

// endpointCheck is the verdict on one mention of an endpoint.
type endpointCheck struct {
	Mention     string   `json:"mention" doc:"exactly as it stands in the text"`
	Method      string   `json:"method"`
	Path        string   `json:"path"`
	Status      string   `json:"status" validate:"oneof=ok unknown_path wrong_method deprecated ambiguous not_checked"`
	OperationID string   `json:"operation_id"`
	Operation   string   `json:"operation" doc:"method and path in the specification"`
	API         string   `json:"api"`
	Nearest     []string `json:"nearest" doc:"real operations most like one that does not exist"`
}

// codeCheck is the verdict on one request in a block of code.
type codeCheck struct {
	Index     int      `json:"index" doc:"of the block, from 0"`
	Language  string   `json:"language"`
	Request   string   `json:"request"`
	Operation string   `json:"operation"`
	Problems  []string `json:"problems"`
}

// verify checks a text against the catalogue.
func (s *api) verify(r *http.Request, in verifyRequest) (verification, error) {
	catalog, err := s.assistant.Catalog(r.Context())
	if err != nil {
		return verification{}, err
	}
	return verificationOf(assistant.Verify(catalog, in.Text)), nil
}

func verificationOf(v assistant.Verification) verification {
	out := verification{Endpoints: []endpointCheck{}, Code: []codeCheck{}}
	for _, e := range v.Endpoints {
		c := endpointCheck{Mention: e.Mention, Method: e.Method, Path: e.Target, Status: string(e.Status), Nearest: endpointsOf(e.Nearest)}
		if op := e.Operation; op != nil {
			c.OperationID, c.Operation, c.API = op.OperationID, op.Endpoint(), op.API
		}
		out.Endpoints = append(out.Endpoints, c)
	}
	return out
}

func endpointsOf(ops []*apispec.Operation) []string {
	out := make([]string, len(ops))
	for i, op := range ops {
		out[i] = op.Endpoint()
	}
	return out
}
