package gaps_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/gaps"
	"github.com/api-assistant/api-assistant/assistant/ingest"
	"github.com/api-assistant/api-assistant/examples/sample"
)

// good is an operation without gaps, changed.
func good(change func(*apispec.Operation)) *apispec.Operation {
	text := func(description string) *apispec.Schema {
		return &apispec.Schema{Types: []string{"string"}, Description: description, Example: "x"}
	}
	o := &apispec.Operation{API: "Shop", Kind: apispec.HTTP, OperationID: "placeOrder", Method: "POST", Path: "/shops/{shop}/orders", Summary: "Place an order", Description: "Reserves the goods.",
		Parameters: []apispec.Parameter{{Name: "shop", In: "path", Required: true, Description: "The shop.", Schema: text("")}},
		Body:       &apispec.Body{Content: []apispec.Media{{Type: "application/json", Schema: &apispec.Schema{Types: []string{"object"}, Properties: []apispec.Property{{Name: "note", Schema: text("For the packer.")}}}}}},
		Responses:  []apispec.Response{{Status: "201", Content: []apispec.Media{{Type: "application/json", Schema: text("")}}}, {Status: "4XX"}},
		Security:   [][]apispec.Scheme{{{Type: "apiKey"}}}, SourceFile: "shop.yaml", Pointer: "/paths/~1orders/post"}
	change(o)
	return o
}

func TestRules(t *testing.T) {
	type gap struct {
		severity gaps.Severity
		kind     gaps.Kind
	}
	secured := good(func(o *apispec.Operation) { o.OperationID = "other" })
	named := func(names ...string) (out []apispec.Property) {
		for _, name := range names {
			out = append(out, apispec.Property{Name: name, Schema: &apispec.Schema{Types: []string{"string"}, Description: "x", Example: "x"}})
		}
		return out
	}
	for name, test := range map[string]struct {
		change func(*apispec.Operation)
		want   []gap
	}{
		"none":                  {func(o *apispec.Operation) {}, nil},
		"no summary":            {func(o *apispec.Operation) { o.Summary = " " }, []gap{{gaps.Info, gaps.MissingSummary}}},
		"no description":        {func(o *apispec.Operation) { o.Description = "" }, []gap{{gaps.Info, gaps.MissingDescription}}},
		"neither":               {func(o *apispec.Operation) { o.Summary, o.Description = "", "" }, []gap{{gaps.Error, gaps.MissingDescription}}},
		"no operation id":       {func(o *apispec.Operation) { o.OperationID = "" }, []gap{{gaps.Warning, gaps.MissingOperationID}}},
		"the id of another":     {func(o *apispec.Operation) { o.OperationID = "other" }, []gap{{gaps.Error, gaps.DuplicateOperationID}, {gaps.Error, gaps.DuplicateOperationID}}},
		"no responses":          {func(o *apispec.Operation) { o.Responses = nil }, []gap{{gaps.Error, gaps.MissingResponse}}},
		"no success":            {func(o *apispec.Operation) { o.Responses = o.Responses[1:] }, []gap{{gaps.Warning, gaps.MissingResponse}}},
		"a redirect is success": {func(o *apispec.Operation) { o.Responses[0] = apispec.Response{Status: "302"} }, nil},
		"no error response":     {func(o *apispec.Operation) { o.Responses = o.Responses[:1] }, []gap{{gaps.Warning, gaps.MissingErrorResponse}}},
		"default is one":        {func(o *apispec.Operation) { o.Responses[1].Status = "default" }, nil},
		"no response schema":    {func(o *apispec.Operation) { o.Responses[0].Content[0].Schema = nil }, []gap{{gaps.Warning, gaps.MissingResponseSchema}}},
		"a file has none":       {func(o *apispec.Operation) { o.Responses[0].Content[0] = apispec.Media{Type: "image/png"} }, nil},
		"no content":            {func(o *apispec.Operation) { o.Responses[0] = apispec.Response{Status: "204"} }, nil},
		"GET without content":   {func(o *apispec.Operation) { o.Method = "GET"; o.Responses[0] = apispec.Response{Status: "200"} }, []gap{{gaps.Warning, gaps.MissingResponseSchema}}},
		"no request schema":     {func(o *apispec.Operation) { o.Body.Content[0].Schema = nil }, []gap{{gaps.Warning, gaps.MissingRequestSchema}}},
		"no request example":    {func(o *apispec.Operation) { o.Body.Content[0].Schema.Properties[0].Schema.Example = nil }, []gap{{gaps.Info, gaps.MissingExample}}},
		"example beside": {func(o *apispec.Operation) {
			o.Body.Content[0].Schema.Properties[0].Schema.Example = nil
			o.Body.Content[0].HasExample = true
		}, nil},
		"no response example":     {func(o *apispec.Operation) { o.Responses[0].Content[0].Schema.Example = nil }, []gap{{gaps.Info, gaps.MissingExample}}},
		"no auth":                 {func(o *apispec.Operation) { o.Security = nil }, []gap{{gaps.Warning, gaps.MissingAuth}}},
		"reading may be open":     {func(o *apispec.Operation) { o.Security = nil; o.Method = "GET" }, nil},
		"undeclared":              {func(o *apispec.Operation) { o.Path += "/{line}" }, []gap{{gaps.Error, gaps.UndeclaredParameter}}},
		"undocumented":            {func(o *apispec.Operation) { o.Parameters[0].Description = "" }, []gap{{gaps.Warning, gaps.UndocumentedParameter}}},
		"described in the schema": {func(o *apispec.Operation) { o.Parameters[0].Description = ""; o.Parameters[0].Schema.Description = "x" }, nil},
		"untyped":                 {func(o *apispec.Operation) { o.Parameters[0].Schema = &apispec.Schema{} }, []gap{{gaps.Warning, gaps.UntypedParameter}}},
		"unclear, described": {func(o *apispec.Operation) {
			o.Parameters = append(o.Parameters, apispec.Parameter{Name: "id2", In: "query", Description: "x", Schema: &apispec.Schema{Types: []string{"string"}}})
		}, []gap{{gaps.Info, gaps.UnclearName}}},
		"unclear, undescribed": {func(o *apispec.Operation) {
			o.Parameters = append(o.Parameters, apispec.Parameter{Name: "d", In: "query", Schema: &apispec.Schema{Types: []string{"string"}}})
		}, []gap{{gaps.Warning, gaps.UnclearName}, {gaps.Warning, gaps.UndocumentedParameter}}},
		"known short names": {func(o *apispec.Operation) {
			o.Body.Content[0].Schema.Properties = named("q", "x", "y", "id", "sha256", "line2")
		}, nil},
		"undocumented field": {func(o *apispec.Operation) { o.Body.Content[0].Schema.Properties[0].Schema.Description = "" }, []gap{{gaps.Info, gaps.UndocumentedField}}},
		"read-only field": {func(o *apispec.Operation) {
			o.Body.Content[0].Schema.Properties = append(o.Body.Content[0].Schema.Properties, apispec.Property{Name: "at", ReadOnly: true})
		}, nil},
		"what was cut": {func(o *apispec.Operation) {
			o.Body.Content[0].Schema.Properties = append(o.Body.Content[0].Schema.Properties, apispec.Property{Name: "sub", Schema: &apispec.Schema{Cut: true}})
		}, nil},
		"untyped field":           {func(o *apispec.Operation) { o.Body.Content[0].Schema.Properties[0].Schema.Types = nil }, []gap{{gaps.Info, gaps.UntypedField}}},
		"deprecated":              {func(o *apispec.Operation) { o.Deprecated = true }, []gap{{gaps.Info, gaps.DeprecatedWithoutAHint}}},
		"deprecated, with a hint": {func(o *apispec.Operation) { o.Deprecated = true; o.Description = "Use POST /v2/orders." }, nil},
		"deprecated parameter":    {func(o *apispec.Operation) { o.Parameters[0].Deprecated = true }, []gap{{gaps.Info, gaps.DeprecatedWithoutAHint}}},
		"inconsistent": {func(o *apispec.Operation) {
			o.Body.Content[0].Schema.Properties = named("a_b", "c_d", "e_f", "g_h", "iJ")
		}, []gap{{gaps.Info, gaps.InconsistentNaming}}},
		"no custom": {func(o *apispec.Operation) {
			o.Body.Content[0].Schema.Properties = named("a_b", "c_d", "e_f", "gH", "iJ")
		}, nil},
		"a webhook answers others": {func(o *apispec.Operation) { o.Kind, o.Responses, o.Security = apispec.Webhook, nil, nil }, nil},
		"GraphQL has no statuses": {func(o *apispec.Operation) {
			o.Kind, o.Responses, o.Security, o.Body, o.Description = apispec.GraphQL, nil, nil, nil, ""
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := gaps.Find([]*apispec.Operation{good(test.change), secured})
			var got []gap
			for _, g := range r.Gaps {
				got = append(got, gap{g.Severity, g.Kind})
				require.Contains(t, g.Place, "shop.yaml#/paths/~1orders/post")
				require.Equal(t, "Shop", g.API)
				require.Regexp(t, `^[A-Z].*\.$`, g.Message)
			}
			require.ElementsMatch(t, test.want, got)
			require.Equal(t, len(test.want) == 0, r.Score == 100)
		})
	}
}

func TestScore(t *testing.T) {
	require.Equal(t, 100, gaps.Find(nil).Score)
	// Two errors, a warning and an info: 100 - 25 - 25 - 10 - 3; the other has 100.
	bad := good(func(o *apispec.Operation) {
		o.Summary, o.Description, o.Responses, o.OperationID = "", "", nil, ""
		o.Body.Content[0].Schema.Properties = []apispec.Property{{Name: "note", Schema: &apispec.Schema{Types: []string{"string"}, Example: 1}}, {Name: "gift", Schema: &apispec.Schema{Types: []string{"boolean"}}}}
	})
	r := gaps.Find([]*apispec.Operation{bad, good(func(*apispec.Operation) {})})
	require.Equal(t, 69, r.Score, "(37 + 100) / 2, rounded: %v", r.Gaps)
	require.Equal(t, map[gaps.Severity]int{gaps.Error: 2, gaps.Warning: 1, gaps.Info: 1}, r.BySeverity)
	require.Equal(t, gaps.MissingDescription, r.Gaps[0].Kind, "errors first")
}

func TestBounds(t *testing.T) {
	var ops []*apispec.Operation
	for i := range gaps.MaxGaps {
		ops = append(ops, &apispec.Operation{API: "A", Kind: apispec.HTTP, Method: "GET", Path: fmt.Sprintf("/%d", i)})
	}
	r := gaps.Find(ops)
	require.Len(t, r.Gaps, gaps.MaxGaps)
	require.Equal(t, 3*gaps.MaxGaps, r.Total)
	require.Zero(t, r.Score-40)
	require.Equal(t, gaps.Error, r.Gaps[gaps.MaxGaps-1].Severity)

	loop := &apispec.Schema{Types: []string{"object"}}
	loop.Properties = []apispec.Property{{Name: "again", Schema: loop}, {Name: "more", Schema: loop}}
	r = gaps.Find([]*apispec.Operation{good(func(o *apispec.Operation) { o.Body.Content[0].Schema = loop })})
	require.NotEmpty(t, r.Gaps)
}

// parse reads a description as the assistant does.
func parse(t *testing.T, name string, content []byte) (out []*apispec.Operation) {
	t.Helper()
	s, err := ingest.Parse(t.Context(), name, bytes.NewReader(content), ingest.Options{})
	require.NoError(t, err)
	for _, d := range s.Documents {
		var o apispec.Operation
		if d.Data != nil && json.Unmarshal(d.Data, &o) == nil && o.Method != "" {
			out = append(out, &o)
		}
	}
	return out
}

// TestGolden holds the reports of two small APIs to files. UPDATE_GOLDEN=1 writes
// them.
func TestGolden(t *testing.T) {
	petty, err := os.ReadFile("testdata/petty.yaml")
	require.NoError(t, err)
	for name, content := range map[string][]byte{"petty.yaml": petty, sample.BookshopName: sample.Bookshop} {
		t.Run(name, func(t *testing.T) {
			ops := parse(t, name, content)
			r := gaps.Find(ops)
			slices.Reverse(ops)
			require.Equal(t, r, gaps.Find(ops), "the order of the operations does not matter")
			got, err := json.MarshalIndent(r, "", "  ")
			require.NoError(t, err)
			path := filepath.Join("testdata", name+".golden")
			if os.Getenv("UPDATE_GOLDEN") != "" {
				require.NoError(t, os.WriteFile(path, got, 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(want), string(got))
		})
	}
}

// TestRealFiles shows what the rules say of real descriptions, which are neither
// perfect nor worthless.
func TestRealFiles(t *testing.T) {
	data := cmp.Or(os.Getenv("API_ASSISTANT_DATA"), "../../../shared/data")
	files, _ := filepath.Glob(filepath.Join(data, "specs", "*", "*"))
	if len(files) == 0 {
		t.Skip("the development data is not here (set API_ASSISTANT_DATA)")
	}
	scores := make(map[string]int)
	for _, path := range files {
		if kind := filepath.Base(filepath.Dir(path)); kind == "openapi" || kind == "graphql" {
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			ops := parse(t, filepath.Base(path), content)
			r := gaps.Find(ops)
			scores[filepath.Base(path)] = r.Score
			t.Logf("%-36s %4d operations, score %3d, %v %v", filepath.Base(path), r.Operations, r.Score, r.BySeverity, r.ByKind)
			require.Greater(t, r.Score, 20, path)
		}
	}
	require.Less(t, scores["netlify.yml"], scores["box.json"], "129 of the 174 operations of Netlify have no description")
}

func Example() {
	report := gaps.Find([]*apispec.Operation{{
		API: "Shop", Kind: apispec.HTTP, OperationID: "listOrders", Method: "GET", Path: "/orders", Summary: "List orders", Description: "Newest first.",
		Parameters: []apispec.Parameter{{Name: "d", In: "query"}},
		Responses:  []apispec.Response{{Status: "204"}}, SourceFile: "shop.yaml", Pointer: "/paths/~1orders/get",
	}})
	fmt.Println(report.Score, report.Total)
	for _, g := range report.Gaps {
		fmt.Printf("%s: %s %s\n  %s\n", g.Severity, g.Endpoint, g.Message, g.Place)
	}
	// Output:
	// 60 4
	// warning: GET /orders Declare what the operation answers when it fails, such as 400, 401 or 404, with a schema.
	//   shop.yaml#/paths/~1orders/get
	// warning: GET /orders Give the query parameter d a name that says what it is.
	//   shop.yaml#/paths/~1orders/get
	// warning: GET /orders Describe the query parameter d: what it means, and which values make sense.
	//   shop.yaml#/paths/~1orders/get
	// warning: GET /orders Say of which type the query parameter d is.
	//   shop.yaml#/paths/~1orders/get
}
