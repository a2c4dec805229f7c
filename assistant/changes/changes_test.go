package changes_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/changes"
	"github.com/api-assistant/api-assistant/assistant/ingest"
)

// typed is a schema of some types.
func typed(types ...string) *apispec.Schema { return &apispec.Schema{Types: types} }

func of(s *apispec.Schema, change func(*apispec.Schema)) *apispec.Schema {
	change(s)
	return s
}

func object(properties ...apispec.Property) *apispec.Schema {
	return &apispec.Schema{Types: []string{"object"}, Properties: properties}
}

func enum(values ...any) *apispec.Schema {
	return &apispec.Schema{Types: []string{"string"}, Enum: values}
}

func ref(name string) *apispec.Schema {
	return &apispec.Schema{Types: []string{"object"}, Ref: name}
}

// TestSchemas compares what a client sends and what it reads: each change is
// breaking on one side, on both or on none.
func TestSchemas(t *testing.T) {
	prop := func(name string, required bool, s *apispec.Schema) apispec.Property {
		return apispec.Property{Name: name, Required: required, Schema: s}
	}
	for name, test := range map[string]struct {
		before, after *apispec.Schema
		sent, read    string // "!" before breaking changes; places and messages
	}{
		"same":                {typed("string"), typed("string"), "", ""},
		"another type":        {typed("string"), typed("integer"), "! type changed from string to integer", "! type changed from string to integer"},
		"integer to number":   {typed("integer"), typed("number"), "- type changed from integer to number", "! type changed from integer to number"},
		"number to integer":   {typed("number"), typed("integer"), "! type changed from number to integer", "- type changed from number to integer"},
		"nullable":            {typed("string"), typed("string", "null"), "- type changed from string to string or null", "! type changed from string to string or null"},
		"order of types":      {typed("string", "null"), typed("null", "string"), "", ""},
		"any to string":       {nil, typed("string"), "! type changed from any to string", "- type changed from any to string"},
		"enum narrowed":       {enum("a", "b"), enum("a"), `! values removed: "b"`, `- values removed: "b"`},
		"enum widened":        {enum("a"), enum("b", "a"), `- values added: "b"`, `! values added: "b"`},
		"enum new":            {typed("string"), enum("a"), `! only these values are left: "a"`, `- only these values are left: "a"`},
		"enum dropped":        {enum("a"), typed("string"), `- any value is possible, not only "a"`, `! any value is possible, not only "a"`},
		"format wider":        {of(typed("integer"), func(s *apispec.Schema) { s.Format = "int32" }), of(typed("integer"), func(s *apispec.Schema) { s.Format = "int64" }), "- format changed from int32 to int64", "! format changed from int32 to int64"},
		"format new":          {typed("string"), of(typed("string"), func(s *apispec.Schema) { s.Format = "date" }), "! format changed from none to date", "- format changed from none to date"},
		"default":             {typed("string"), of(typed("string"), func(s *apispec.Schema) { s.Default = 1 }), "- default changed from none to 1", ""},
		"field added":         {object(), object(prop("a", false, typed("string"))), "- a: added", "- a: added"},
		"required added":      {object(), object(prop("a", true, typed("string"))), "! a: added, required", "- a: added"},
		"field removed":       {object(prop("a", false, nil)), object(), "! a: removed", "! a: removed"},
		"became required":     {object(prop("a", false, nil)), object(prop("a", true, nil)), "! a: became required", "- a: is always there now"},
		"became optional":     {object(prop("a", true, nil)), object(prop("a", false, nil)), "- a: became optional", "! a: may be missing now"},
		"read only":           {object(), object(apispec.Property{Name: "a", Required: true, ReadOnly: true}), "", "- a: added"},
		"write only":          {object(apispec.Property{Name: "a", WriteOnly: true}), object(), "! a: removed", ""},
		"deep":                {object(prop("a", false, &apispec.Schema{Types: []string{"array"}, Items: object(prop("b", false, typed("string")))})), object(prop("a", false, &apispec.Schema{Types: []string{"array"}, Items: object(prop("b", false, typed("integer")))})), "! a[].b: type changed from string to integer", "! a[].b: type changed from string to integer"},
		"map":                 {&apispec.Schema{Types: []string{"object"}, Additional: typed("string")}, &apispec.Schema{Types: []string{"object"}, Additional: typed("null")}, "! {}: type changed from string to null", "! {}: type changed from string to null"},
		"cut":                 {of(object(prop("a", false, nil)), func(s *apispec.Schema) { s.Cut = true }), object(), "", ""},
		"alternative removed": {&apispec.Schema{OneOf: []*apispec.Schema{ref("A"), ref("B")}}, &apispec.Schema{OneOf: []*apispec.Schema{ref("B")}}, "! alternative A removed", "- alternative A removed"},
		"alternative added":   {ref("A"), &apispec.Schema{OneOf: []*apispec.Schema{typed("null"), ref("A")}}, "- alternative null added", "! alternative null added"},
		"inside of one":       {&apispec.Schema{OneOf: []*apispec.Schema{object(prop("x", false, nil)), object(prop("a", false, nil))}}, &apispec.Schema{OneOf: []*apispec.Schema{object(prop("x", false, nil)), object()}}, "! a: removed", "! a: removed"},
		"to one object":       {&apispec.Schema{OneOf: []*apispec.Schema{ref("A"), ref("B")}}, ref("A"), "! alternative B removed", "- alternative B removed"},
	} {
		t.Run(name, func(t *testing.T) {
			op := func(body, response *apispec.Schema) []*apispec.Operation {
				return []*apispec.Operation{{Kind: apispec.HTTP, Method: "POST", Path: "/x", Body: &apispec.Body{Content: []apispec.Media{{Type: "application/json", Schema: body}}},
					Responses: []apispec.Response{{Status: "200", Content: []apispec.Media{{Type: "application/json", Schema: response}}}}}}
			}
			for part, want := range map[string]string{"request body": test.sent, "response 200": test.read} {
				before, after := op(test.before, nil), op(test.after, nil)
				if part == "response 200" {
					before, after = op(nil, test.before), op(nil, test.after)
				}
				r := changes.Compare(before, after)
				require.Equal(t, want, lines(t, r, part), part)
				webhook := slices.Concat(before, after)
				for _, o := range webhook {
					o.Kind = apispec.Webhook
				}
				other := map[string]string{"request body": test.read, "response 200": test.sent}[part]
				require.Equal(t, other, lines(t, changes.Compare(webhook[:1], webhook[1:]), part), "a webhook, %s", part)
			}
		})
	}
}

// lines are the changes of the only operation, without the part that they are in.
func lines(t *testing.T, r changes.Report, part string) string {
	t.Helper()
	var out []string
	for _, o := range r.Changed {
		for _, c := range o.Changes {
			require.NotEmpty(t, c.Reason)
			mark := "- "
			if c.Breaking {
				mark = "! "
			}
			text, ok := strings.CutPrefix(c.String(), part)
			require.True(t, ok || part == "", c)
			out = append(out, mark+strings.TrimLeft(text, ": "))
		}
	}
	return strings.Join(out, "\n")
}

func TestOperations(t *testing.T) {
	key, oauth := apispec.Scheme{Type: "apiKey", In: "header", Key: "X-Key"}, apispec.Scheme{Type: "oauth2", Scopes: []string{"read"}}
	more := apispec.Scheme{Type: "oauth2", Scopes: []string{"read", "write"}}
	parameters := func(list ...apispec.Parameter) func(*apispec.Operation) {
		return func(o *apispec.Operation) { o.Parameters = list }
	}
	security := func(sets ...[]apispec.Scheme) func(*apispec.Operation) {
		return func(o *apispec.Operation) { o.Security = sets }
	}
	bodies := func(b *apispec.Body) func(*apispec.Operation) { return func(o *apispec.Operation) { o.Body = b } }
	responses := func(list ...apispec.Response) func(*apispec.Operation) {
		return func(o *apispec.Operation) { o.Responses = list }
	}
	same := func(*apispec.Operation) {}
	set := func(schemes ...apispec.Scheme) []apispec.Scheme { return schemes }
	for name, test := range map[string]struct {
		before, after func(*apispec.Operation)
		want          string
	}{
		"nothing":              {same, same, ""},
		"optional parameter":   {same, parameters(apispec.Parameter{Name: "q", In: "query"}), "- query parameter q: added"},
		"required parameter":   {same, parameters(apispec.Parameter{Name: "q", In: "query", Required: true}), "! query parameter q: added, required"},
		"parameter removed":    {parameters(apispec.Parameter{Name: "q", In: "query"}), same, "! query parameter q: removed"},
		"parameter required":   {parameters(apispec.Parameter{Name: "q", In: "query"}), parameters(apispec.Parameter{Name: "q", In: "query", Required: true}), "! query parameter q: became required"},
		"parameter optional":   {parameters(apispec.Parameter{Name: "q", In: "query", Required: true}), parameters(apispec.Parameter{Name: "q", In: "query"}), "- query parameter q: became optional"},
		"parameter deprecated": {parameters(apispec.Parameter{Name: "q", In: "query"}), parameters(apispec.Parameter{Name: "q", In: "query", Deprecated: true}), "- query parameter q: deprecated"},
		"parameter elsewhere":  {parameters(apispec.Parameter{Name: "q", In: "query"}), parameters(apispec.Parameter{Name: "q", In: "header"}), "! query parameter q: removed\n- header parameter q: added"},
		"case of a header":     {parameters(apispec.Parameter{Name: "X-a", In: "header"}), parameters(apispec.Parameter{Name: "x-A", In: "header"}), ""},
		"variable renamed": {parameters(apispec.Parameter{Name: "id", In: "path", Required: true}), func(o *apispec.Operation) {
			o.Path = "/x/{key}"
			o.Parameters = []apispec.Parameter{{Name: "key", In: "path", Required: true}}
		}, "- path parameter key: renamed from id"},
		"type of a variable":     {parameters(apispec.Parameter{Name: "id", In: "path", Required: true, Schema: typed("string")}), parameters(apispec.Parameter{Name: "id", In: "path", Required: true, Schema: typed("integer")}), "! path parameter id: type changed from string to integer"},
		"body":                   {same, bodies(&apispec.Body{}), "- request body: added"},
		"required body":          {same, bodies(&apispec.Body{Required: true}), "! request body: added, required"},
		"body removed":           {bodies(&apispec.Body{}), same, "! request body: removed"},
		"body became required":   {bodies(&apispec.Body{}), bodies(&apispec.Body{Required: true}), "! request body: became required"},
		"media types":            {bodies(&apispec.Body{Content: []apispec.Media{{Type: "a/b"}, {Type: "c/d"}}}), bodies(&apispec.Body{Content: []apispec.Media{{Type: "c/d"}, {Type: "e/f"}}}), "! request body: media type a/b removed\n- request body: media type e/f added"},
		"response of success":    {responses(apispec.Response{Status: "200"}), responses(apispec.Response{Status: "202"}), "! response 200: removed\n- response 202: added"},
		"response of failure":    {responses(apispec.Response{Status: "404"}), same, "- response 404: removed"},
		"response media type":    {responses(apispec.Response{Status: "200", Content: []apispec.Media{{Type: "a/b"}}}), responses(apispec.Response{Status: "200"}), "! response 200: media type a/b removed"},
		"deprecated":             {same, func(o *apispec.Operation) { o.Deprecated = true }, "- deprecated"},
		"no longer":              {func(o *apispec.Operation) { o.Deprecated = true }, same, "- no longer deprecated"},
		"operation id":           {same, func(o *apispec.Operation) { o.OperationID = "y" }, `- operation id changed from "x" to "y"`},
		"moved":                  {same, func(o *apispec.Operation) { o.Path = "/v2/x/{id}" }, "! moved from GET /x/{id}"},
		"another method":         {same, func(o *apispec.Operation) { o.Method = "POST" }, "! moved from GET /x/{id}"},
		"credentials needed":     {same, security(set(key)), "! security: credentials are needed now: apiKey in header X-Key"},
		"credentials not needed": {security(set(key)), same, "- security: credentials are no longer needed"},
		"other credentials":      {security(set(key)), security(set(oauth)), "! security: apiKey in header X-Key no longer suffices; what does: oauth2 (read)\n- security: oauth2 (read) suffices, too"},
		"more credentials":       {security(set(key)), security(set(key), set(oauth)), "- security: oauth2 (read) suffices, too"},
		"two at once":            {security(set(key)), security(set(key, oauth)), "! security: apiKey in header X-Key no longer suffices; what does: apiKey in header X-Key with oauth2 (read)"},
		"one of two":             {security(set(key, oauth)), security(set(key)), ""},
		"another scope":          {security(set(oauth)), security(set(more)), "! security: oauth2 (read) no longer suffices; what does: oauth2 (read, write)"},
		"fewer scopes":           {security(set(more)), security(set(oauth)), ""},
		"name of a scheme":       {security(set(key)), func(o *apispec.Operation) { k := key; k.Name = "other"; o.Security = [][]apispec.Scheme{{k}} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			op := func(change func(*apispec.Operation)) []*apispec.Operation {
				o := &apispec.Operation{Kind: apispec.HTTP, OperationID: "x", Method: "GET", Path: "/x/{id}"}
				change(o)
				return []*apispec.Operation{o}
			}
			r := changes.Compare(op(test.before), op(test.after))
			require.Equal(t, test.want, lines(t, r, ""))
			require.Empty(t, r.Added)
			require.Empty(t, r.Removed)
			bump := changes.NoBump
			switch {
			case strings.Contains(test.want, "!"):
				bump = changes.Major
			case test.want != "":
				bump = changes.Minor
			}
			require.Equal(t, bump, r.Bump)
		})
	}
}

func TestMatching(t *testing.T) {
	op := func(method, path, id string) *apispec.Operation {
		return &apispec.Operation{Kind: apispec.HTTP, Method: method, Path: path, OperationID: id}
	}
	endpoints := func(list []changes.Operation) (out []string) {
		for _, o := range list {
			out = append(out, o.Was+">"+o.Endpoint)
		}
		return out
	}
	r := changes.Compare(
		[]*apispec.Operation{op("GET", "/b", "b"), op("GET", "/a/{id}", "a"), op("GET", "/twice", "t"), op("GET", "/thrice", "t"), op("GET", "/gone", ""), op("GET", "/swap", "s1")},
		[]*apispec.Operation{op("GET", "/new", ""), op("GET", "/a/{key}", "b"), op("GET", "/b2", "b"), op("GET", "/t", "t"), op("GET", "/swap", "s1")})
	require.Equal(t, []string{">GET /new", ">GET /t"}, endpoints(r.Added), "an id that is not unique tells nothing")
	require.Equal(t, []string{">GET /gone", ">GET /thrice", ">GET /twice"}, endpoints(r.Removed))
	require.Equal(t, []string{">GET /a/{key}", "GET /b>GET /b2"}, endpoints(r.Changed), "the path counts more than the id")
	require.Equal(t, 4, r.Breaking)
}

func TestBounds(t *testing.T) {
	wide := func(kind string) *apispec.Operation {
		o := &apispec.Operation{Kind: apispec.HTTP, Method: "GET", Path: "/x"}
		for i := range 1000 {
			o.Parameters = append(o.Parameters, apispec.Parameter{Name: fmt.Sprint("p", i), In: "query", Schema: typed(kind)})
		}
		return o
	}
	r := changes.Compare([]*apispec.Operation{wide("string")}, []*apispec.Operation{wide("integer")})
	require.Equal(t, 1000, r.Breaking)
	require.Len(t, r.Changed[0].Changes, changes.MaxChanges)
	require.Equal(t, 1000-changes.MaxChanges, r.Changed[0].Omitted)
	require.Contains(t, r.String(), "… and 800 more")

	loop := object()
	loop.Properties = []apispec.Property{{Name: "a", Schema: loop}, {Name: "b", Schema: loop}, {Name: "c", Schema: &apispec.Schema{OneOf: []*apispec.Schema{loop, loop}}}}
	body := func(s *apispec.Schema) []*apispec.Operation {
		return []*apispec.Operation{{Kind: apispec.HTTP, Method: "POST", Path: "/x", Body: &apispec.Body{Content: []apispec.Media{{Schema: s}}}}}
	}
	require.Empty(t, changes.Compare(body(loop), body(loop)).Changed)
	require.Equal(t, changes.Report{Bump: changes.NoBump, Added: []changes.Operation{}, Removed: []changes.Operation{}, Changed: []changes.Operation{}}, changes.Compare(nil, nil))
	hostile := changes.Compare(nil, []*apispec.Operation{{API: "a\nb", Method: "GET", Path: "/\x1b[2J\n! fake\xff"}}).String()
	require.NotContains(t, hostile, "\x1b")
	require.NotContains(t, hostile, "\n! fake")
}

func parse(t *testing.T, path string) (out []*apispec.Operation) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	s, err := ingest.Parse(t.Context(), filepath.Base(path), bytes.NewReader(content), ingest.Options{})
	require.NoError(t, err)
	for _, d := range s.Documents {
		var o apispec.Operation
		if d.Data != nil && json.Unmarshal(d.Data, &o) == nil && o.Method != "" {
			out = append(out, &o)
		}
	}
	return out
}

// TestGolden holds the report about two versions of a small API to files, as text
// and as JSON. UPDATE_GOLDEN=1 writes them.
func TestGolden(t *testing.T) {
	before, after := parse(t, "testdata/shop-1.yaml"), parse(t, "testdata/shop-2.yaml")
	r := changes.Compare(before, after)
	asJSON, err := json.MarshalIndent(r, "", "  ")
	require.NoError(t, err)
	for name, got := range map[string]string{"shop.txt": r.String(), "shop.json": string(asJSON) + "\n"} {
		path := filepath.Join("testdata", name)
		if os.Getenv("UPDATE_GOLDEN") != "" {
			require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), got)
	}
	slices.Reverse(before)
	slices.Reverse(after)
	require.Equal(t, r, changes.Compare(before, after), "the order of the operations does not matter")
}

// TestRealFiles compares real descriptions with themselves, in which nothing
// differs.
func TestRealFiles(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(cmp.Or(os.Getenv("API_ASSISTANT_DATA"), "../../../shared/data"), "specs", "*", "*"))
	if len(files) == 0 {
		t.Skip("the development data is not here (set API_ASSISTANT_DATA)")
	}
	for _, path := range files {
		if kind := filepath.Base(filepath.Dir(path)); kind == "openapi" || kind == "graphql" || kind == "postman" {
			ops := parse(t, path)
			r := changes.Compare(ops, ops)
			require.Zero(t, r.Breaking+r.Other, "%s: %.2000s", path, r)
			all := changes.Compare(ops, nil)
			require.Equal(t, len(ops), all.Breaking, path)
		}
	}
}
