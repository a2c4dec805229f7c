package httpapi

import (
	"net/http"

	"github.com/api-assistant/api-assistant/assistant/diagram"
)

func (s *api) diagramEndpoints() []endpoint {
	const tag = "diagrams"
	return []endpoint{
		{"POST /diagrams/sequence", call(s, http.StatusOK, s.drawSequence), about{
			id: "drawSequence", tag: tag, summary: "Draw the course of a request", fails: []int{404, 409},
			text: "Diagrams are Mermaid 11 text.", request: `{"endpoint_id": "placeOrder"}`,
		}},
		{"POST /diagrams/auth-flow", call(s, http.StatusOK, s.drawAuthFlow), about{
			id: "drawAuthFlow", tag: tag, summary: "Draw a way to authenticate",
			request: `{"auth_type": "oauth2", "endpoints": ["POST /orders"]}`,
		}},
		{"POST /diagrams/er", call(s, http.StatusOK, s.drawER), about{
			id: "drawEntities", tag: tag, summary: "Draw the entities of a schema",
			request: `{"schema_content": "type Order { id: ID! lines: [Line!]! } type Line { quantity: Int! }"}`,
		}},
		{"POST /diagrams/overview", call(s, http.StatusOK, s.drawOverview), about{
			id: "drawOverview", tag: tag, summary: "Draw the endpoints of an API",
			request: `{"api_title": "Shop", "endpoints": [{"path": "/orders", "method": "GET", "tags": ["orders"]}]}`,
		}},
	}
}

type sequenceRequest struct {
	EndpointID string `json:"endpoint_id" validate:"notblank,maxbytes=2048" doc:"an operation, as GET /operations/{id} takes it, or the id of its document"`
}

func (s *api) drawSequence(r *http.Request, in sequenceRequest) (diagram.Diagram, error) {
	op, err := s.operation(r.Context(), in.EndpointID, "")
	if err != nil {
		return diagram.Diagram{}, err
	}
	return diagram.Sequence(op), nil
}

type authFlowRequest struct {
	AuthType  string `json:"auth_type" validate:"oneof=bearer oauth2 apikey basic"`
	Endpoints *texts `json:"endpoints" validate:"omitnil,max=1000,dive,maxbytes=2048"`
}

// texts is a list that may be null.
type texts []string

func (s *api) drawAuthFlow(_ *http.Request, in authFlowRequest) (diagram.Diagram, error) {
	auth, err := diagram.ParseAuthType(in.AuthType)
	if err != nil {
		return diagram.Diagram{}, err
	}
	var endpoints texts
	set(&endpoints, in.Endpoints)
	return diagram.AuthFlow(auth, endpoints)
}

type erRequest struct {
	Schema  string `json:"schema_content" validate:"notblank" doc:"GraphQL SDL, OpenAPI or JSON Schema"`
	Include *texts `json:"include_types" validate:"omitnil,max=1000,dive,maxbytes=1024" doc:"left out: all"`
}

func (s *api) drawER(_ *http.Request, in erRequest) (diagram.Diagram, error) {
	var include texts
	set(&include, in.Include)
	return diagram.ER(in.Schema, include)
}

type overviewRequest struct {
	Title     string             `json:"api_title" validate:"maxbytes=1024"`
	Endpoints []overviewEndpoint `json:"endpoints" validate:"max=10000,dive"`
}

type overviewEndpoint struct {
	Path    string  `json:"path" validate:"min=1,maxbytes=2048"`
	Method  string  `json:"method" validate:"min=1,max=64"`
	Summary *string `json:"summary" validate:"omitnil,maxbytes=4096"`
	Tags    *texts  `json:"tags" validate:"omitnil,max=100,dive,maxbytes=1024"`
}

func (s *api) drawOverview(_ *http.Request, in overviewRequest) (diagram.Diagram, error) {
	endpoints := make([]diagram.Endpoint, len(in.Endpoints))
	for i, e := range in.Endpoints {
		endpoints[i] = diagram.Endpoint{Path: e.Path, Method: e.Method}
		set(&endpoints[i].Summary, e.Summary)
		set((*texts)(&endpoints[i].Tags), e.Tags)
	}
	return diagram.Overview(in.Title, endpoints), nil
}
