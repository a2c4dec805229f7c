package codegen

import (
	"encoding/json"
	goparser "go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// TestGraphQLIsValid validates each document against the schema that it is for.
func TestGraphQLIsValid(t *testing.T) {
	for _, path := range data(t, "specs/graphql/*") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			doc, err := parser.ParseSchemas(validator.Prelude, &ast.Source{Name: path, Input: string(text)})
			require.NoError(t, err)
			for _, d := range doc.Definitions { // GitHub's has a field twice
				seen := make(map[string]bool)
				d.Fields = slices.DeleteFunc(d.Fields, func(f *ast.FieldDefinition) bool {
					twice := seen[f.Name]
					seen[f.Name] = true
					return twice
				})
			}
			schema, err := validator.ValidateSchemaDocument(doc)
			require.NoError(t, err)
			for _, op := range parseFile(t, path) {
				p := newPlan(op, Options{})
				_, faults := gqlparser.LoadQueryWithRules(schema, p.body.document, rules.NewDefaultRules())
				require.Empty(t, faults, p.body.document)
			}
		})
	}
}

// TestRequiredFields walks each JSON body beside its schema, without apispec's
// own check.
func TestRequiredFields(t *testing.T) {
	bodies := 0
	for _, path := range data(t, specifications...) {
		for _, op := range parseFile(t, path) {
			if op.Kind != apispec.HTTP {
				continue
			}
			p := newPlan(op, Options{})
			if p.body == nil || p.body.kind != jsonBody {
				continue
			}
			bodies++
			for _, m := range op.Body.Content {
				if concrete(m.Type) == p.body.mediaType {
					requireFields(t, op.Endpoint(), m.Schema, plainValue(p.body.value))
					break
				}
			}
			raw, err := json.Marshal(plainValue(p.body.value))
			require.NoError(t, err)
			require.Less(t, len(raw), 16<<10, op.Endpoint())
		}
	}
	t.Logf("%d JSON bodies", bodies)
	require.NotZero(t, bodies)
}

func requireFields(t *testing.T, where string, s *apispec.Schema, v any) {
	t.Helper()
	if s == nil {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			requireFields(t, where+"/0", s.Items, e)
		}
	case map[string]any:
		for _, p := range s.Properties {
			e, sent := v[p.Name]
			require.True(t, sent || !p.Required || p.ReadOnly, "%s: %s is missing", where, p.Name)
			if sent {
				requireFields(t, where+"/"+p.Name, p.Schema, e)
			}
		}
		for _, name := range s.Required {
			require.Contains(t, v, name, where)
		}
	}
}

func TestExample(t *testing.T) {
	str := &apispec.Schema{Types: []string{"string"}}
	loop := &apispec.Schema{Types: []string{"object"}}
	loop.Properties = []apispec.Property{{Name: "again", Required: true, Schema: loop}}
	for name, c := range map[string]struct {
		schema *apispec.Schema
		want   string
	}{
		"name":                 {str, `"your-title"`},
		"example":              {&apispec.Schema{Types: []string{"string"}, Example: "Dune"}, `"Dune"`},
		"default":              {&apispec.Schema{Types: []string{"integer"}, Default: 20.0}, `20`},
		"wrong example":        {&apispec.Schema{Types: []string{"integer"}, Example: "many"}, `1`},
		"number in quotes":     {&apispec.Schema{Types: []string{"integer"}, Example: "42"}, `42`},
		"enum":                 {&apispec.Schema{Types: []string{"string"}, Enum: []any{nil, "a", "b"}}, `"a"`},
		"format":               {&apispec.Schema{Types: []string{"string"}, Format: "date-time"}, `"2026-01-31T12:00:00Z"`},
		"nullable":             {&apispec.Schema{Types: []string{"null", "boolean"}}, `true`},
		"list":                 {&apispec.Schema{Types: []string{"array"}, Items: str}, `["your-title"]`},
		"optional at the top":  {&apispec.Schema{Types: []string{"object"}, Properties: []apispec.Property{{Name: "a", Schema: str}, {Name: "id", ReadOnly: true, Schema: str}}}, `{"a":"your-a"}`},
		"required only":        {&apispec.Schema{Types: []string{"object"}, Properties: []apispec.Property{{Name: "a", Schema: str}, {Name: "b", Required: true, Schema: str}}}, `{"b":"your-b"}`},
		"undeclared":           {&apispec.Schema{Types: []string{"object"}, Required: []string{"x"}}, `{"x":"your-x"}`},
		"answer's example":     {&apispec.Schema{Types: []string{"object"}, Example: map[string]any{"id": "7", "a": "x"}, Properties: []apispec.Property{{Name: "id", ReadOnly: true, Schema: str}, {Name: "a", Required: true, Schema: str}}}, `{"a":"your-a"}`},
		"one of":               {&apispec.Schema{OneOf: []*apispec.Schema{{Types: []string{"null"}}, {Types: []string{"number"}}}}, `1`},
		"one of objects":       {&apispec.Schema{Types: []string{"object"}, Properties: []apispec.Property{{Name: "kind", Required: true, Schema: str}}, OneOf: []*apispec.Schema{{Properties: []apispec.Property{{Name: "kind", Schema: &apispec.Schema{Types: []string{"string"}, Enum: []any{"card"}}}, {Name: "number", Required: true, Schema: str}}}}}, `{"kind":"card","number":"your-number"}`},
		"required alternative": {&apispec.Schema{Types: []string{"object"}, Properties: []apispec.Property{{Name: "a", Schema: &apispec.Schema{Types: []string{"integer"}}}, {Name: "b", Schema: str}}, OneOf: []*apispec.Schema{{Required: []string{"a"}}, {Required: []string{"b"}}}}, `{"a":1}`},
		"cut":                  {&apispec.Schema{Types: []string{"object"}, Cut: true}, `{}`},
		"contains itself":      {loop, `{"again":{"again":{"again":{"again":{"again":{"again":{"again":{"again":{}}}}}}}}}`},
	} {
		require.Equal(t, c.want, compactJSON(example(c.schema, "title", 0)), name)
	}
}

func TestAuthentication(t *testing.T) {
	bearer := apispec.Scheme{Type: "http", HTTP: "bearer"}
	for name, c := range map[string]struct {
		security [][]apispec.Scheme
		want     string
	}{
		"none":         {nil, ""},
		"bearer":       {[][]apispec.Scheme{{bearer}}, `--header "Authorization: Bearer $PET_STORE_TOKEN"`},
		"basic":        {[][]apispec.Scheme{{{Type: "http", HTTP: "Basic"}}}, `--user "$PET_STORE_USERNAME:$PET_STORE_PASSWORD"`},
		"key":          {[][]apispec.Scheme{{{Type: "apiKey", In: "header", Key: "X-Key"}}}, `--header "X-Key: $PET_STORE_API_KEY"`},
		"query":        {[][]apispec.Scheme{{{Type: "apiKey", In: "query", Key: "key"}}}, `--data-urlencode "key=$PET_STORE_API_KEY"`},
		"cookie":       {[][]apispec.Scheme{{{Type: "apiKey", In: "cookie", Key: "sid"}}}, `--header "Cookie: sid=$PET_STORE_API_KEY"`},
		"oauth":        {[][]apispec.Scheme{{{Type: "oauth2"}}}, `--header "Authorization: Bearer $PET_STORE_ACCESS_TOKEN"`},
		"alternatives": {[][]apispec.Scheme{{}, {{Type: "mutualTLS"}}, {bearer}}, `--header "Authorization: Bearer $PET_STORE_TOKEN"`},
		"two keys":     {[][]apispec.Scheme{{{Type: "apiKey", In: "header", Key: "X-Key"}, {Type: "apiKey", In: "header", Key: "X-App"}}}, `--header "X-App: $PET_STORE_X_APP"`},
		"not shown":    {[][]apispec.Scheme{{{Type: "mutualTLS"}}}, `# The API also wants authentication of type mutualTLS`},
	} {
		op := &apispec.Operation{API: "Pet Store API v2", Kind: apispec.HTTP, Method: "GET", Path: "/pets", Servers: []string{"https://pets.example"}, Security: c.security}
		s, err := Generate(op, Curl, Options{})
		require.NoError(t, err)
		require.Contains(t, s.Source, c.want, name)
		require.True(t, s.Verified, name)
		require.Equal(t, name == "none", !strings.Contains(s.Source, "PET_STORE") && !strings.Contains(s.Source, "mutualTLS"))
	}
}

func TestAddress(t *testing.T) {
	for name, c := range map[string]struct {
		servers  []string
		override string
		want     string
	}{
		"first":        {[]string{"https://a.example/v1/", "https://b.example"}, "", "https://a.example/v1/x"},
		"override":     {[]string{"https://a.example/v1"}, "http://localhost:8080/", "http://localhost:8080/x"},
		"none":         {nil, "", "https://your-server.example/x"},
		"path":         {[]string{"/v2"}, "", "https://your-server.example/v2/x"},
		"variable":     {[]string{"https://{region}.a.example/v1"}, "", "https://region.a.example/v1/x"},
		"Postman":      {[]string{"{{baseUrl}}/v3"}, "", "https://your-server.example/v3/x"},
		"other scheme": {[]string{"javascript:alert(1)", "ftp://a.example"}, "", "https://your-server.example/x"},
		"credentials":  {[]string{"https://user:pass@a.example"}, "", "https://your-server.example/x"},
		"hostile":      {[]string{"https://a.example/\"$(id)'`\n"}, "", ""},
	} {
		p := newPlan(&apispec.Operation{Kind: apispec.HTTP, Method: "GET", Path: "/x", Servers: c.servers}, Options{BaseURL: c.override})
		got := p.url.sample()
		require.NotContains(t, got, "$", name)
		require.NotContains(t, got, "\n", name)
		if c.want != "" {
			require.Equal(t, c.want, got, name)
		}
	}
}

func TestValues(t *testing.T) {
	str := &apispec.Schema{Types: []string{"string"}}
	op := &apispec.Operation{Kind: apispec.HTTP, Method: "POST", Path: "/orders/{id}", Servers: []string{"https://a.example"},
		Parameters: []apispec.Parameter{{Name: "id", In: "path", Required: true, Schema: str}, {Name: "page", In: "query", Schema: str}, {Name: "size", In: "query", Schema: str}},
		Body: &apispec.Body{Content: []apispec.Media{{Type: jsonType, Schema: &apispec.Schema{Types: []string{"object"}, Properties: []apispec.Property{
			{Name: "title", Required: true, Schema: str}, {Name: "tags", Schema: &apispec.Schema{Types: []string{"array"}}}}}}}}}
	p := newPlan(op, Options{Values: map[string]any{"id": "a/b", "page": 3, "title": "Dune", "tags": []string{"x"}}})
	require.Equal(t, "https://a.example/orders/a%2Fb", p.url.sample())
	require.Len(t, p.query, 1, "size is optional and was not asked for")
	require.Equal(t, `{"tags":["x"],"title":"Dune"}`, compactJSON(p.body.value))

	p = newPlan(op, Options{Values: map[string]any{"body": []any{1}}})
	require.Equal(t, `[1]`, compactJSON(p.body.value))

	p = newPlan(op, Options{Values: map[string]any{"id": "..", "page": func() {}}})
	require.Equal(t, "https://a.example/orders/your-id", p.url.sample())
}

// TestProblemsAreTold has a header that no client can send.
func TestProblemsAreTold(t *testing.T) {
	op := &apispec.Operation{Kind: apispec.HTTP, Method: "GET", Path: "/", Parameters: []apispec.Parameter{{Name: "X: y\r\nEvil", In: "header", Required: true}}}
	s, err := Generate(op, Go, Options{})
	require.NoError(t, err)
	require.False(t, s.Verified)
	require.Equal(t, []apispec.Problem{{Kind: apispec.MissingParameter, In: "header", Name: "X: y\r\nEvil"}}, s.Problems)
}

// FuzzGenerate makes an operation of the given strings. Nothing may fail, and
// what can be parsed here must parse.
func FuzzGenerate(f *testing.F) {
	for i, n := range nasty {
		f.Add(n, n, n, n, uint8(i))
	}
	f.Add("https://{x}.example/a", "/a/{b}/{b}{c}?d=e#f", "X-Key", "application/*", uint8(7))
	f.Fuzz(func(t *testing.T, server, path, name, value string, how uint8) {
		media := []string{jsonType, formType, multipartType, "text/plain", "application/xml", "*/*", value}[how%7]
		schema := &apispec.Schema{Types: []string{"object"}, Properties: []apispec.Property{
			{Name: name, Required: true, Schema: &apispec.Schema{Types: []string{"string"}, Example: value}}, {Name: value, Required: true}}}
		op := &apispec.Operation{API: name, Kind: apispec.HTTP, Method: "POST", Path: path, Servers: []string{server}, Summary: value, OperationID: name,
			Parameters: []apispec.Parameter{{Name: name, In: []string{"path", "query", "header", "cookie"}[how%4], Required: true, Schema: schema}, {Name: value, In: "query"}},
			Body:       &apispec.Body{Required: true, Content: []apispec.Media{{Type: media, Schema: schema}}},
			Security:   [][]apispec.Scheme{{{Type: "apiKey", In: "query", Key: name}, {Type: "http", HTTP: value}}}}
		if how > 200 {
			op.Kind, op.Method, op.Parameters[0].In = apispec.GraphQL, "query", "argument"
		}
		for _, l := range Languages() {
			s, err := Generate(op, l, Options{BaseURL: server, Values: map[string]any{name: value}})
			require.NoError(t, err)
			require.True(t, s.Verified || len(s.Problems) > 0)
			require.NotContains(t, s.Source, "\x00")
			if l == Go {
				_, err := goparser.ParseFile(token.NewFileSet(), "main.go", s.Source, goparser.SkipObjectResolution)
				require.NoError(t, err, s.Source)
			}
		}
	})
}
