package diagram

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

func TestSequence(t *testing.T) {
	oauth := []apispec.Scheme{{Name: "o", Type: "oauth2", Scopes: []string{"orders:write"}, Flows: []apispec.Flow{{Type: "clientCredentials", TokenURL: "https://id.example.com/token"}}}}
	op := apispec.Operation{
		API: "Shop", Kind: apispec.HTTP, Method: "POST", Path: "/orders/{id}", Deprecated: true, Security: [][]apispec.Scheme{oauth, {{Type: "apiKey", In: "header", Key: "X-Key"}}},
		Parameters: []apispec.Parameter{{Name: "id", In: "path", Required: true, Schema: &apispec.Schema{Types: []string{"integer"}}}},
		Body: &apispec.Body{Required: true, Content: []apispec.Media{{Type: "application/json", Schema: &apispec.Schema{Ref: "NewOrder", Properties: []apispec.Property{
			{Name: "note"}, {Name: "made", ReadOnly: true}, {Name: "lines", Required: true, Schema: &apispec.Schema{Items: &apispec.Schema{Ref: "Line"}}}}}}}},
		Responses: []apispec.Response{{Status: "404", Description: "no such\norder"}, {Status: "201", Content: []apispec.Media{{Schema: &apispec.Schema{Ref: "Order"}}}}, {Status: "default"}},
		Callbacks: []apispec.Operation{{Kind: apispec.Callback, Method: "POST", Path: "{$request.body#/url}", Summary: "paid", Responses: []apispec.Response{{Status: "204"}}}},
	}
	d := Sequence(&op)
	valid(t, d)
	require.Equal(t, "POST /orders/{id}", d.Title)
	last := -1
	for _, want := range []string{
		"participant auth as Authorization server", "participant api as Shop", "participant receiver as", "deprecated",
		"client->>auth: Ask for an access token (clientCredentials) https://id.example.com/token", "scopes: orders:write",
		"client->>api: POST /orders/{id}", "Authorization: Bearer access token<br/>or API key in header X-Key<br/>path id: integer, required<br/>body application/json: NewOrder, required<br/>field lines: Line[], required<br/>field note: any",
		"alt success (201)", "api-->>client: 201 (Order)", "else failure (404)", "api-->>client: 404 no such order", "else any other status",
		"opt later: POST {$request.body#/url}: paid", "api->>receiver: POST", "receiver-->>api: 204",
	} {
		at := strings.Index(d.Code, strings.NewReplacer("$", "#36;", "#/", "#35;/").Replace(want))
		require.Greater(t, at, last, "%q stands after what came before it in\n%s", want, d.Code)
		last = at
	}
	require.NotContains(t, d.Code, "made", "a client does not send what is read only")
}

func TestSequenceOfOtherKinds(t *testing.T) {
	webhook := Sequence(&apispec.Operation{Kind: apispec.Webhook, Method: "POST", Path: "orderPaid", API: "Shop"})
	valid(t, webhook)
	require.Contains(t, webhook.Code, "api->>receiver: POST orderPaid")
	require.Contains(t, webhook.Code, "receiver-->>api: response (none is declared)")
	require.NotContains(t, webhook.Code, "Client")
	field := Sequence(&apispec.Operation{Kind: apispec.GraphQL, Method: "query", Path: "order", Responses: []apispec.Response{{Status: "data", Content: []apispec.Media{{Schema: &apispec.Schema{Ref: "Order"}}}}}})
	valid(t, field)
	require.Contains(t, field.Code, "api-->>client: data (Order)")
	valid(t, Sequence(&apispec.Operation{}))
}

func TestSequenceIsBounded(t *testing.T) {
	long := strings.Repeat(`"#;`, 1000)
	op := apispec.Operation{API: long, Method: "POST", Path: long, Summary: long, Body: &apispec.Body{Content: []apispec.Media{{Type: long, Schema: &apispec.Schema{}}}}}
	for i := range 500 {
		op.Parameters = append(op.Parameters, apispec.Parameter{Name: fmt.Sprint(long, i), In: long})
		op.Responses = append(op.Responses, apispec.Response{Status: fmt.Sprint(i), Description: long})
		op.Security = append(op.Security, []apispec.Scheme{{Type: "apiKey", Key: long}})
		op.Body.Content[0].Schema.Properties = append(op.Body.Content[0].Schema.Properties, apispec.Property{Name: long})
	}
	inner := op
	for range 50 {
		op.Callbacks = append(op.Callbacks, inner)
	}
	d := Sequence(&op)
	valid(t, d)
	require.Contains(t, d.Code, "and 480 more parameters")
}

// hostileOperation has one text everywhere.
func hostileOperation(s string, kind apispec.Kind) apispec.Operation {
	schema := &apispec.Schema{Ref: s, Types: []string{s}, Properties: []apispec.Property{{Name: s, Required: true, Schema: &apispec.Schema{Types: []string{s}}}}}
	content := []apispec.Media{{Type: s, Schema: schema}}
	scheme := apispec.Scheme{Name: s, Type: "oauth2", Scopes: []string{s}, Flows: []apispec.Flow{{Type: s, TokenURL: s, AuthorizationURL: s}}}
	op := apispec.Operation{API: s, Kind: kind, Method: s, Path: s, Summary: s, Tags: []string{s}, Parameters: []apispec.Parameter{{Name: s, In: s, Schema: schema}},
		Body: &apispec.Body{Content: content}, Responses: []apispec.Response{{Status: s, Description: s, Content: content}, {Status: "200", Description: s}},
		Security: [][]apispec.Scheme{{scheme}, {{Type: "apiKey", In: s, Key: s}}, {{Type: "http", HTTP: s}}, {{Type: s, Name: s}}}}
	back := op
	back.Callbacks, back.Security = nil, nil
	op.Callbacks = []apispec.Operation{back}
	return op
}

// hostileDiagrams draws all kinds of diagrams with one text everywhere.
func hostileDiagrams(t testing.TB, s string) []Diagram {
	t.Helper()
	http, webhook := hostileOperation(s, apispec.HTTP), hostileOperation(s, apispec.Webhook)
	out := []Diagram{Sequence(&http), Sequence(&webhook), Overview(s, []Endpoint{{Path: s, Method: s, Summary: s, Tags: []string{s}}, {Path: "/a", Method: "get"}}),
		drawEntities([]entity{{name: s, attributes: []attribute{{typ: s, name: s, note: s, scalar: true}, {typ: s + "[]", name: "id"}}, relations: []relation{{to: s, label: s, kind: toMany}, {to: "x", label: s, kind: toOne}}}, {name: "x"}})}
	for _, set := range http.Security {
		out = append(out, SchemeFlow(set[0], []string{s, s}))
	}
	for kind := range flowNames {
		out = append(out, SchemeFlow(apispec.Scheme{Type: "oauth2", Scopes: []string{s}, Flows: []apispec.Flow{{Type: kind, TokenURL: s, AuthorizationURL: s}}}, nil))
	}
	for _, auth := range []AuthType{Bearer, OAuth2, APIKey, Basic} {
		d, err := AuthFlow(auth, []string{s})
		require.NoError(t, err)
		out = append(out, d)
	}
	return out
}

func TestHostileNames(t *testing.T) {
	for _, s := range hostile {
		for _, d := range hostileDiagrams(t, s) {
			valid(t, d)
		}
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, d := range hostileDiagrams(t, s) {
			valid(t, d)
		}
	})
}

func TestAuthFlow(t *testing.T) {
	for name, want := range map[string][]string{
		"bearer": {"Authorization: Bearer token", "401", "Protects<br/>POST /orders"},
		"OAuth2": {"alt authorization code with PKCE", "else client credentials", "access token", "Protects"},
		"apikey": {"API key in header X-API-Key", "403"},
		" Basic": {"Authorization: Basic", "Base64"},
	} {
		auth, err := ParseAuthType(name)
		require.NoError(t, err)
		d, err := AuthFlow(auth, []string{"POST /orders"})
		require.NoError(t, err)
		valid(t, d)
		for _, part := range want {
			require.Contains(t, d.Code, part, name)
		}
	}
	_, err := AuthFlow("kerberos", nil)
	require.ErrorContains(t, err, "bearer, oauth2, apikey or basic")
	require.NotContains(t, err.Error(), "kerberos", "input is not echoed")

	many := make([]string, 1500)
	d := SchemeFlow(apispec.Scheme{Type: "mutualTLS", Name: "cert"}, many)
	valid(t, d)
	require.Contains(t, d.Code, "client certificate")
	require.Contains(t, d.Code, "and 1460 more")
	require.Len(t, d.Omitted, maxOmitted)
}

func TestOverview(t *testing.T) {
	d := Overview("Shop", []Endpoint{{Path: "/orders", Method: "post", Tags: []string{"orders"}}, {Path: "/books", Method: "GET", Summary: "List"}, {Path: "/books", Method: "DELETE"}, {Path: "/a", Method: "GET", Tags: []string{" ", "orders"}}})
	valid(t, d)
	require.Equal(t, `flowchart LR
    api(["Shop"])
    subgraph g0 ["orders"]
        direction TB
        n0["GET /a"]
        n1["POST /orders"]
    end
    api --> g0
    subgraph g1 ["/books"]
        direction TB
        n2["DELETE /books"]
        n3["GET /books: List"]
    end
    api --> g1
`, d.Code)
	valid(t, Overview("", nil))

	var many []Endpoint
	for i := range 1000 {
		many = append(many, Endpoint{Path: fmt.Sprintf("/%d/%s", i%50, strings.Repeat(`"`, 100)), Method: "GET", Summary: strings.Repeat("#", 300)})
	}
	d = Overview("Big", many)
	valid(t, d)
	require.Contains(t, d.Code, "and 20 more groups")
	require.Len(t, d.Omitted, 1000-maxEndpoints)
}
