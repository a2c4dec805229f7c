package diagram

import (
	"fmt"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// AuthType is a way to authenticate.
type AuthType string

// The ways.
const (
	Bearer AuthType = "bearer"
	OAuth2 AuthType = "oauth2"
	APIKey AuthType = "apikey"
	Basic  AuthType = "basic"
)

// ParseAuthType reads the name of a way to authenticate, in upper or lower case.
func ParseAuthType(name string) (AuthType, error) {
	switch t := AuthType(strings.ToLower(strings.TrimSpace(name))); t {
	case Bearer, OAuth2, APIKey, Basic:
		return t, nil
	}
	return "", fmt.Errorf("diagram: the authentication type is unknown: use bearer, oauth2, apikey or basic")
}

// AuthFlow draws a way to authenticate where no specification says more, and the
// endpoints ("POST /orders") that it protects, if any are given. The error says
// that the type is none of the four.
func AuthFlow(auth AuthType, endpoints []string) (Diagram, error) {
	t, err := ParseAuthType(string(auth))
	if err != nil {
		return Diagram{}, err
	}
	s := map[AuthType]apispec.Scheme{
		Bearer: {Type: "http", HTTP: "bearer"},
		Basic:  {Type: "http", HTTP: "basic"},
		APIKey: {Type: "apiKey", In: "header", Key: "X-API-Key"},
		OAuth2: {Type: "oauth2", Flows: []apispec.Flow{{Type: "authorizationCode"}, {Type: "clientCredentials"}}},
	}[t]
	return SchemeFlow(s, endpoints), nil
}

// SchemeFlow draws authentication by a scheme of a specification: its own flows,
// addresses, and the name of its key. endpoints are those that it protects.
func SchemeFlow(s apispec.Scheme, endpoints []string) Diagram {
	d := &drawing{}
	d.line("sequenceDiagram")
	d.depth++
	out := Diagram{Type: typeSequence, Title: plain(schemeTitle(s))}
	flow := flows[s.Type]
	if s.Type == "http" {
		flow = flows["http "+s.HTTP]
	}
	if flow == nil {
		flow = drawPresented
	}
	flow(d, s, request1(endpoints))
	out.Omitted = protects(d, endpoints)
	out.Code = d.String()
	return out
}

// flows draw the schemes, by type and, of http, by its scheme. The last argument
// is the request to show, escaped.
var flows = map[string]func(*drawing, apispec.Scheme, string){
	"oauth2":        drawOAuth2,
	"openIdConnect": drawOAuth2,
	"http bearer":   drawBearer,
}

func schemeTitle(s apispec.Scheme) string {
	title := map[string]string{"apiKey": "API key", "oauth2": "OAuth 2.0", "openIdConnect": "OpenID Connect", "mutualTLS": "Mutual TLS"}[s.Type]
	if s.Type == "http" {
		title = map[string]string{"basic": "HTTP Basic", "bearer": "Bearer token"}[s.HTTP]
	}
	if title == "" {
		title = strings.TrimSpace(s.Type + " " + s.HTTP)
	}
	title += " authentication"
	if s.Name != "" {
		title += " (" + s.Name + ")"
	}
	return title
}

// request1 is the request that stands for all.
func request1(endpoints []string) string {
	if len(endpoints) == 0 {
		return "Request"
	}
	return escape(endpoints[0], maxLabel)
}

const maxProtected = 40

// protects lists the endpoints, and returns those that do not fit.
func protects(d *drawing, endpoints []string) []string {
	if len(endpoints) == 0 {
		return nil
	}
	shown := endpoints[:min(len(endpoints), maxProtected)]
	lines := []string{"Protects"}
	for _, e := range shown {
		lines = append(lines, escape(e, maxLabel))
	}
	rest := endpoints[len(shown):]
	if len(rest) > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", len(rest)))
	}
	d.line("Note over api: %s", strings.Join(lines, "<br/>"))
	return omitted(rest)
}

// omitted bounds the names of what was left out, and makes plain text of them.
func omitted(names []string) (out []string) {
	for _, name := range names[:min(len(names), maxOmitted)] {
		out = append(out, plain(name))
	}
	return out
}

// drawPresented draws credentials that a client has and shows with each request.
func drawPresented(d *drawing, s apispec.Scheme, request string) {
	d.line("participant client as Client")
	d.line("participant api as API")
	if s.Type == "http" && s.HTTP == "basic" {
		d.line("Note over client: Base64 of user name, colon and password")
	}
	d.line("client->>api: %s", request)
	d.line("Note over client,api: %s", escape(credential(s), maxLabel))
	drawChecked(d, "the credentials are valid", "they are missing or wrong")
}

// drawChecked draws what the API answers.
func drawChecked(d *drawing, good, bad string) {
	d.line("alt %s", good)
	d.line("    api-->>client: 2xx response")
	d.line("else %s", bad)
	d.line("    api-->>client: 401 Unauthorized, with WWW-Authenticate")
	d.line("else what is asked is not allowed to them")
	d.line("    api-->>client: 403 Forbidden")
	d.line("end")
}

func drawBearer(d *drawing, s apispec.Scheme, request string) {
	d.line("participant client as Client")
	d.line("participant issuer as Issuer of tokens")
	d.line("participant api as API")
	d.line("client->>issuer: Ask for a token (how, the specification does not say)")
	d.line("issuer-->>client: token")
	drawTokenUse(d, s, request)
}

// drawTokenUse draws a request with a token.
func drawTokenUse(d *drawing, s apispec.Scheme, request string) {
	d.line("client->>api: %s", request)
	d.line("Note over client,api: %s", escape(credential(s), maxLabel))
	d.line("api->>api: Check signature, expiry and scopes of the token")
	drawChecked(d, "the token is valid", "it is missing, wrong or expired")
}

// drawOAuth2 draws each flow of the scheme as an alternative.
func drawOAuth2(d *drawing, s apispec.Scheme, request string) {
	declared := s.Flows
	if len(declared) == 0 { // OpenID Connect declares them elsewhere
		declared = []apispec.Flow{{Type: "authorizationCode"}}
	}
	d.line("actor user as User")
	d.line("participant client as Client")
	d.line("participant auth as Authorization server")
	d.line("participant api as API")
	for i, f := range declared[:min(len(declared), 6)] {
		branch := "else"
		if i == 0 {
			branch = "alt"
		}
		d.line("%s %s", branch, escape(flowTitle(f.Type), maxLabel))
		d.depth++
		drawFlow(d, f, s.Scopes)
		d.depth--
	}
	d.line("end")
	drawTokenUse(d, s, request)
}

// flowNames are the flows of OpenAPI 3, and what version 2.0 calls them.
var flowNames = map[string]string{
	"authorizationCode": "authorization code with PKCE", "accessCode": "authorization code with PKCE",
	"clientCredentials": "client credentials", "application": "client credentials",
	"password": "resource owner password", "implicit": "implicit", "deviceAuthorization": "device authorization",
}

func flowTitle(kind string) string {
	if name := flowNames[kind]; name != "" {
		return name
	}
	return kind
}

func drawFlow(d *drawing, f apispec.Flow, scopes []string) {
	at := func(what, url string) string { return escape(strings.TrimRight(what+" "+url, " "), maxLabel) }
	scope := ""
	if len(scopes) > 0 {
		scope = ", scopes " + strings.Join(scopes, ", ")
	}
	switch flowNames[f.Type] {
	case "authorization code with PKCE":
		d.line("client->>user: Open the authorization page in a browser")
		d.line("user->>auth: %s", at("Sign in and consent"+scope, f.AuthorizationURL))
		d.line("auth-->>client: code, by redirect")
		d.line("client->>auth: %s", at("Exchange code and code verifier for tokens", f.TokenURL))
		d.line("auth-->>client: access token, perhaps a refresh token")
	case "implicit":
		d.line("client->>user: Open the authorization page in a browser")
		d.line("user->>auth: %s", at("Sign in and consent"+scope, f.AuthorizationURL))
		d.line("auth-->>client: access token, in the fragment of the redirect")
	case "client credentials":
		d.line("client->>auth: %s", at("Client id and secret"+scope, f.TokenURL))
		d.line("auth-->>client: access token")
	case "resource owner password":
		d.line("user->>client: User name and password")
		d.line("client->>auth: %s", at("User name and password"+scope, f.TokenURL))
		d.line("auth-->>client: access token")
	case "device authorization":
		d.line("client->>auth: %s", at("Ask for a device code"+scope, f.AuthorizationURL))
		d.line("auth-->>client: user code and verification address")
		d.line("user->>auth: Enter the user code and consent")
		d.line("client->>auth: %s", at("Ask for the token until it is there", f.TokenURL))
		d.line("auth-->>client: access token")
	default:
		d.line("client->>auth: %s", at("Ask for a token", f.TokenURL))
		d.line("auth-->>client: access token")
	}
}
