package codegen

import (
	"bytes"
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/ingest"
	"github.com/api-assistant/api-assistant/examples/sample"
)

// data finds files of the development data, or skips.
func data(t *testing.T, patterns ...string) (paths []string) {
	t.Helper()
	root := cmp.Or(os.Getenv("API_ASSISTANT_DATA"), "../../../shared/data")
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		paths = append(paths, found...)
	}
	if len(paths) == 0 {
		t.Skipf("the development data is not in %s (set API_ASSISTANT_DATA)", root)
	}
	return paths
}

var specifications = []string{"specs/openapi/*", "specs/graphql/*", "specs/postman/*", "eval/restbench-tmdb/corpus/*", "eval/toolalpaca/corpus/*", "eval/wapiibench-slack/corpus/*", "eval/socbench-pooled-1/corpus/*"}

func parse(t *testing.T, name string, content []byte) (out []*apispec.Operation) {
	t.Helper()
	source, err := ingest.Parse(t.Context(), name, bytes.NewReader(content), ingest.Options{})
	require.NoError(t, err)
	for _, d := range source.Documents {
		if d.Data != nil {
			var o apispec.Operation
			require.NoError(t, json.Unmarshal(d.Data, &o))
			if o.Method != "" {
				out = append(out, &o)
			}
		}
	}
	return out
}

// parseFile reads a specification; with -race, one in ten of its operations.
func parseFile(t *testing.T, path string) []*apispec.Operation {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	all := parse(t, filepath.Base(path), content)
	if slow == "" {
		return all
	}
	var some []*apispec.Operation // the race detector has nothing to find in the others
	for i := 0; i < len(all); i += 10 {
		some = append(some, all[i])
	}
	return some
}

func bookshop(t *testing.T) []*apispec.Operation {
	t.Helper()
	return parse(t, sample.BookshopName, sample.Bookshop)
}
