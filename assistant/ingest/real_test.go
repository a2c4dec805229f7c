package ingest_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/ingest"
)

// data finds a file of the development data, or skips.
func data(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(cmp.Or(os.Getenv("API_ASSISTANT_DATA"), "../../../shared/data"), name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the development data is not here (set API_ASSISTANT_DATA): %v", err)
	}
	return path
}

func parseFile(t *testing.T, path string) (ingest.Source, error) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	return ingest.Parse(t.Context(), filepath.Base(path), f, ingest.Options{})
}

// operations returns the operations in the data of the documents.
func operations(t *testing.T, s ingest.Source, kind string) []apispec.Operation {
	t.Helper()
	var out []apispec.Operation
	for _, d := range s.Documents {
		if d.Metadata["content_type"] == kind {
			var o apispec.Operation
			require.NoError(t, json.Unmarshal(d.Data, &o))
			require.Equal(t, o.Endpoint(), d.Metadata["endpoint"])
			out = append(out, o)
		}
	}
	return out
}

// count counts the documents by the value of a key.
func count(s ingest.Source, key string) map[string]int {
	out := make(map[string]int)
	for _, d := range s.Documents {
		if v, ok := d.Metadata[key].(string); ok {
			out[v]++
		}
	}
	return out
}

// The counts were made by two independent programs.
func TestRealFiles(t *testing.T) {
	for name, want := range map[string][2]int{
		"specs/openapi/stripe-2022-04-12.json":         {417, 0},
		"specs/openapi/box.json":                       {296, 0},
		"specs/openapi/twilio_verify_v2.json":          {57, 0},
		"specs/openapi/readme-star-trek.json":          {120, 0},
		"specs/openapi/oai-callback-example.json":      {1, 0},
		"specs/openapi/figma.yaml":                     {47, 0},
		"specs/openapi/oai-tictactoe.yaml":             {3, 1},
		"specs/openapi/oai-webhook-example.json":       {0, 1},
		"specs/openapi/readme-train-travel.json":       {7, 1},
		"specs/openapi/adyen-CheckoutService-v71.yaml": {28, 0},
		"specs/openapi/openai.json":                    {288, 16},
		"specs/openapi/slack-web.json":                 {174, 0},
		"specs/openapi/netlify.yml":                    {174, 0},
		"specs/openapi/oai-uber.yaml":                  {5, 0},
		"specs/openapi/postman-circularRef.yaml":       {1, 0},
		"eval/restbench-tmdb/corpus/tmdb_oas.json":     {54, 0},
	} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			start := time.Now()
			s, err := parseFile(t, data(t, name))
			require.NoError(t, err)
			took := time.Since(start)
			kinds, size := count(s, "content_type"), 0
			for _, d := range s.Documents {
				require.LessOrEqual(t, len(d.Content), 8192, d.Pointer)
				size += len(d.Data)
			}
			t.Log(took, kinds, len(s.Warnings), "warnings,", size>>10, "KiB of data")
			require.Equal(t, want[0], len(operations(t, s, "endpoint")))
			require.Equal(t, want[1], len(operations(t, s, "webhook")))
			require.Equal(t, 1, kinds["api_summary"])
			require.Equal(t, len(s.Documents), want[0]+want[1]+1+kinds["schema"]+kinds["section"])
			valid(t, s)
		})
	}
}

// TestMalformed holds the reader to EXPECTED.md beside the files: a number of
// operations, or -1 for a refusal.
func TestMalformed(t *testing.T) {
	for name, allowed := range map[string][]int{
		"alias-bomb.yaml": {-1, 0}, "binary.yaml": {-1}, "bom.json": {3}, "deep-nesting.json": {-1}, "deep-nesting.yaml": {-1},
		"duplicate-keys.yaml": {-1, 1, 2}, "empty.json": {-1}, "html-page.json": {-1}, "info-null-title.json": {1},
		"json-array.json": {-1, 0}, "latin1.json": {-1, 1}, "long-line-token.json": {1}, "many-paths.json": {20000}, "no-info.json": {1},
		"operation-null.json": {1}, "path-item-null.json": {1}, "paths-list.json": {-1, 0}, "prompt-injection.json": {1},
		"ref-exponential.json": {1}, "ref-file.json": {1}, "ref-http.json": {1}, "ref-missing.json": {1}, "ref-mutual.json": {1},
		"ref-self.json": {1}, "tabs-indent.yaml": {-1}, "tags-string.json": {1}, "trailing-comma.json": {-1, 3},
		"truncated-json.json": {-1}, "two-documents.yaml": {-1, 1, 2}, "upper-case-method.json": {0, 1}, "utf16.json": {-1, 3}, "graphql-syntax-error.graphql": {-1}, "postman-wrong-types.json": {2, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := parseFile(t, data(t, "specs/malformed/"+name))
			if err != nil {
				var e *ingest.Error
				require.True(t, errors.As(err, &e), "%T", err)
				require.Equal(t, name, e.File)
				require.Contains(t, allowed, -1, err)
				t.Log(err)
				return
			}
			require.Contains(t, allowed, len(operations(t, s, "endpoint")))
		})
	}
}

// TestRealGraphQL counts as graphql-js does.
func TestRealGraphQL(t *testing.T) {
	s, err := parseFile(t, data(t, "specs/graphql/github.graphql"))
	require.NoError(t, err)
	valid(t, s)
	kinds := make(map[string]int)
	for _, d := range s.Documents {
		if d.Metadata["chunk_index"] == 0 {
			kinds[d.Metadata["type"].(string)]++
			kinds[d.Metadata["kind"].(string)]++
		}
	}
	require.Equal(t, 31, kinds["query"])
	require.Equal(t, 247, kinds["mutation"])
	require.Equal(t, 924, kinds["object"])
	require.Equal(t, 45, kinds["interface"])

	s, err = parseFile(t, data(t, "specs/graphql/swapi.graphql"))
	require.NoError(t, err)
	valid(t, s)
	require.Equal(t, 13, count(s, "type")["query"], "the root type has another name")
	require.Equal(t, 52, count(s, "kind")["object"])
}

func TestRealPostman(t *testing.T) {
	for name, want := range map[string]int{"transferwise": 66, "google-maps": 17, "adyen-CheckoutService-v71": 59} {
		s, err := parseFile(t, data(t, "specs/postman/"+name+".json"))
		require.NoError(t, err)
		valid(t, s)
		require.Equal(t, ingest.Postman, s.Format)
		require.Equal(t, want, len(operations(t, s, "endpoint")), name)
		require.Equal(t, 1, count(s, "type")["collection_info"])
	}
}

func TestRealMarkdown(t *testing.T) {
	for _, name := range []string{"k8s-api-changes.md", "slate-index.html.md"} {
		s, err := parseFile(t, data(t, "specs/markdown/"+name))
		require.NoError(t, err)
		valid(t, s)
		require.Greater(t, len(s.Documents), 10)
		t.Log(name, len(s.Documents))
	}
}
