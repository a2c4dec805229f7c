package diagram

import (
	"fmt"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// bounds are how much of a call is drawn.
type bounds struct {
	inputs       int // parameters, and fields of a body
	answers      int
	alternatives int // of credentials
}

// Bounds of a sequence diagram. All texts of the greatest length fit.
var (
	wholeCall = bounds{inputs: 20, answers: 20, alternatives: 5}
	callback  = bounds{inputs: 5, answers: 5, alternatives: 1}
)

const maxCallbacks = 5

// Sequence draws a call of an operation: getting a token where OAuth 2 or OpenID
// Connect ask for one, the request with what it carries, each response that is
// declared, and the requests that the API makes in turn. Of a webhook the API is
// the caller.
func Sequence(op *apispec.Operation) Diagram {
	d := &drawing{}
	d.line("sequenceDiagram")
	d.depth++
	caller, called := "client", "api"
	if op.Kind == apispec.Webhook || op.Kind == apispec.Callback {
		caller, called = "api", "receiver"
	}
	token := tokenScheme(op)
	participants(d, op, caller, token != nil)
	if op.Deprecated {
		d.line("Note over %s,%s: This operation is deprecated", caller, called)
	}
	if token != nil {
		askForToken(d, *token)
	}
	request(d, op, caller, called, wholeCall)
	answers(d, op, caller, called, wholeCall)
	for _, c := range op.Callbacks[:min(len(op.Callbacks), maxCallbacks)] {
		d.line("opt %s", escape("later: "+headline(&c), maxLabel))
		d.depth++
		request(d, &c, "api", "receiver", callback)
		answers(d, &c, "api", "receiver", callback)
		d.depth--
		d.line("end")
	}
	return Diagram{Type: typeSequence, Code: d.String(), Title: plain(headline(op))}
}

// headline is the endpoint with its summary.
func headline(op *apispec.Operation) string {
	if op.Summary == "" {
		return op.Endpoint()
	}
	return op.Endpoint() + ": " + op.Summary
}

func participants(d *drawing, op *apispec.Operation, caller string, token bool) {
	if caller == "client" {
		d.line("participant client as Client")
	}
	if token {
		d.line("participant auth as Authorization server")
	}
	name := op.API
	if strings.TrimSpace(name) == "" {
		name = "API"
	}
	d.line("participant api as %s", escape(name, maxName))
	if caller == "api" || len(op.Callbacks) > 0 {
		d.line("participant receiver as Receiver of the call")
	}
}

// tokenScheme is the first scheme with tokens from an authorization server.
func tokenScheme(op *apispec.Operation) *apispec.Scheme {
	for _, set := range op.Security {
		for i, s := range set {
			if s.Type == "oauth2" || s.Type == "openIdConnect" {
				return &set[i]
			}
		}
	}
	return nil
}

// askForToken draws the first flow in short; AuthFlow has them at length.
func askForToken(d *drawing, s apispec.Scheme) {
	how, from := "", ""
	if len(s.Flows) > 0 {
		how, from = " ("+s.Flows[0].Type+")", s.Flows[0].TokenURL
	}
	ask := strings.TrimRight("Ask for an access token"+how+" "+from, " ")
	d.line("client->>auth: %s", escape(ask, maxLabel))
	if len(s.Scopes) > 0 {
		d.line("Note over client,auth: %s", escape("scopes: "+strings.Join(s.Scopes, ", "), maxLabel))
	}
	d.line("auth-->>client: access token")
}

// request draws the arrow of a request and a note with what it carries.
func request(d *drawing, op *apispec.Operation, caller, called string, most bounds) {
	d.line("%s->>%s: %s", caller, called, escape(op.Endpoint(), maxLabel))
	if carried := carried(op, most); len(carried) > 0 {
		d.line("Note over %s,%s: %s", caller, called, strings.Join(carried, "<br/>"))
	}
}

// carried lists credentials, parameters and body, each escaped.
func carried(op *apispec.Operation, most bounds) (out []string) {
	for i, set := range op.Security[:min(len(op.Security), most.alternatives)] {
		var all []string
		for _, s := range set {
			all = append(all, credential(s))
		}
		text := strings.Join(all, " and ")
		if i > 0 {
			text = "or " + text
		}
		out = append(out, escape(text, maxLabel))
	}
	for i, p := range op.Parameters {
		if i == most.inputs {
			out = append(out, fmt.Sprintf("and %d more parameters", len(op.Parameters)-i))
			break
		}
		out = append(out, escape(fmt.Sprintf("%s %s: %s%s", p.In, p.Name, typeName(p.Schema), required(p.Required)), maxLabel))
	}
	if op.Body != nil {
		out = append(out, body(op.Body, most)...)
	}
	return out
}

func required(yes bool) string {
	if yes {
		return ", required"
	}
	return ""
}

// body describes the first representation of a body with its fields.
func body(b *apispec.Body, most bounds) (out []string) {
	if len(b.Content) == 0 {
		return []string{"body" + required(b.Required)}
	}
	media := b.Content[0]
	out = append(out, escape("body "+media.Type+": "+typeName(media.Schema)+required(b.Required), maxLabel))
	if media.Schema == nil {
		return out
	}
	fields := slices.DeleteFunc(slices.Clone(media.Schema.Properties), func(p apispec.Property) bool { return p.ReadOnly })
	slices.SortStableFunc(fields, func(a, b apispec.Property) int { return rank(a) - rank(b) })
	for i, p := range fields {
		if i == most.inputs {
			return append(out, fmt.Sprintf("and %d more fields", len(fields)-i))
		}
		out = append(out, escape("field "+p.Name+": "+typeName(p.Schema)+required(p.Required), maxLabel))
	}
	return out
}

// rank puts required fields first.
func rank(p apispec.Property) int {
	if p.Required {
		return 0
	}
	return 1
}

// credential says how a scheme shows in a request.
func credential(s apispec.Scheme) string {
	switch s.Type {
	case "apiKey":
		return "API key in " + s.In + " " + s.Key
	case "http":
		switch s.HTTP {
		case "basic":
			return "Authorization: Basic user and password"
		case "bearer":
			return "Authorization: Bearer token"
		}
		return "Authorization: " + s.HTTP
	case "oauth2", "openIdConnect":
		return "Authorization: Bearer access token"
	case "mutualTLS":
		return "client certificate"
	}
	return "credentials " + s.Name
}

// answers draws the responses: one as an arrow, several as alternatives, the
// successful ones first.
func answers(d *drawing, op *apispec.Operation, caller, called string, most bounds) {
	all := slices.Clone(op.Responses)
	slices.SortStableFunc(all, func(a, b apispec.Response) int { return failure(a) - failure(b) })
	more := max(len(all)-most.answers, 0)
	all = all[:len(all)-more]
	switch len(all) {
	case 0:
		d.line("%s-->>%s: response (none is declared)", called, caller)
	case 1:
		d.line("%s-->>%s: %s", called, caller, escape(answer(all[0]), maxLabel))
	default:
		for i, r := range all {
			branch := "else"
			if i == 0 {
				branch = "alt"
			}
			d.line("%s %s", branch, escape(outcome(r), maxLabel))
			d.depth++
			d.line("%s-->>%s: %s", called, caller, escape(answer(r), maxLabel))
			d.depth--
		}
		if more > 0 {
			d.line("else %d more responses", more)
		}
		d.line("end")
	}
}

func failure(r apispec.Response) int {
	if r.Success() && r.Status != "default" {
		return 0
	}
	return 1
}

// outcome names a branch.
func outcome(r apispec.Response) string {
	switch {
	case r.Status == "default":
		return "any other status"
	case r.Success():
		return "success (" + r.Status + ")"
	}
	return "failure (" + r.Status + ")"
}

func answer(r apispec.Response) string {
	out := r.Status
	if r.Description != "" {
		out += " " + oneLine(r.Description)
		if runes := []rune(out); len(runes) > maxName { // the type must stay in view
			out = string(runes[:maxName]) + "…"
		}
	}
	if len(r.Content) > 0 {
		out += " (" + typeName(r.Content[0].Schema) + ")"
	}
	return out
}

// typeName is a short name of what a schema describes: "Order", "Order[]",
// "string", "integer or null", "any".
func typeName(s *apispec.Schema) string { return typeNameTo(s, 4) }

func typeNameTo(s *apispec.Schema, depth int) string {
	switch {
	case s == nil || depth == 0:
		return "any"
	case s.Ref != "":
		return s.Ref
	case s.Items != nil:
		return typeNameTo(s.Items, depth-1) + "[]"
	case len(s.Types) > 0:
		return strings.Join(s.Types, " or ")
	case len(s.OneOf) > 0:
		var names []string
		for _, one := range s.OneOf[:min(len(s.OneOf), 4)] {
			if name := typeNameTo(one, depth-1); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		return strings.Join(names, " or ")
	}
	return "any"
}
