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
			t.Log(time.Since(start), len(s.Documents), "documents,", len(s.Warnings), "warnings")
			require.Len(t, operations(t, s, "endpoint"), want[0])
			require.Len(t, operations(t, s, "webhook"), want[1])
			require.Len(t, s.Documents, want[0]+want[1]+1, "and one summary of the API")
			for _, d := range s.Documents {
				require.LessOrEqual(t, len(d.Content), 8192, d.Pointer)
				require.NotEmpty(t, d.ID)
			}
		})
	}
}

// TestMalformed holds the reader to EXPECTED.md beside the files: a number of
// operations, or -1 for a refusal.
func TestMalformed(t *testing.T) {
	for name, allowed := range map[string][]int{
		"alias-bomb.yaml": {-1, 0}, "binary.yaml": {-1}, "bom.json": {3}, "deep-nesting.json": {-1}, "deep-nesting.yaml": {-1},
		"duplicate-keys.yaml": {-1, 1, 2}, "empty.json": {-1}, "html-page.json": {-1}, "info-null-title.json": {1},
		"json-array.json": {-1}, "latin1.json": {-1, 1}, "long-line-token.json": {1}, "many-paths.json": {20000}, "no-info.json": {1},
		"operation-null.json": {1}, "path-item-null.json": {1}, "paths-list.json": {-1, 0}, "prompt-injection.json": {1},
		"ref-exponential.json": {1}, "ref-file.json": {1}, "ref-http.json": {1}, "ref-missing.json": {1}, "ref-mutual.json": {1},
		"ref-self.json": {1}, "tabs-indent.yaml": {-1}, "tags-string.json": {1}, "trailing-comma.json": {-1, 3},
		"truncated-json.json": {-1}, "two-documents.yaml": {-1, 1, 2}, "upper-case-method.json": {0, 1}, "utf16.json": {-1, 3},
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
