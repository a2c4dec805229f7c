package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/vectorstore/qdrant/qdranttest"
)

// TestQdrant runs two servers on one Qdrant: the first loads the sample, and what
// is given to one is found by the other.
func TestQdrant(t *testing.T) {
	double, err := qdranttest.Start(qdranttest.Options{APIKey: "s3cret-key"})
	require.NoError(t, err)
	defer double.Close()
	environ := []string{"VECTOR_STORE=Qdrant", "QDRANT_URL=" + double.URL(), "QDRANT_API_KEY=s3cret-key", "RATE_LIMIT_PER_MINUTE=0"}
	a := start(t, t.TempDir(), environ...)
	require.Contains(t, a.out.String(), "api_docs in Qdrant at "+double.URL())
	require.Contains(t, a.out.String(), "loaded the sample API")
	require.Equal(t, 18.0, a.documents(t))
	b := start(t, t.TempDir(), environ...)
	require.NotContains(t, b.out.String(), "loaded the sample API")
	status, _ := a.post(t, "/documents", `{"documents": [{"id": "mine", "content": "shared by all", "metadata": {"n": 1}}]}`)
	require.Equal(t, 201, status)
	require.Equal(t, 19.0, b.documents(t))
	status, found := b.post(t, "/search", `{"query": "shared by all", "mode": "vector", "n_results": 1, "filter": {"field": "n", "operator": "gte", "value": 1}}`)
	require.Equal(t, 200, status)
	require.Len(t, found["results"], 1)
	require.Equal(t, "mine", found["results"].([]any)[0].(map[string]any)["id"])
	for _, s := range []started{a, b} {
		require.NoError(t, s.stop())
		require.NotContains(t, s.log.String()+s.out.String(), "s3cret-key")
	}
}

func TestQdrantSettings(t *testing.T) {
	double, err := qdranttest.Start(qdranttest.Options{APIKey: "s3cret-key"})
	require.NoError(t, err)
	defer double.Close()
	for _, test := range []struct {
		environ []string
		want    string
	}{
		{[]string{"VECTOR_STORE=oracle"}, "VECTOR_STORE must be chromem or qdrant"},
		{[]string{"VECTOR_STORE=qdrant"}, "QDRANT_URL"},
		{[]string{"VECTOR_STORE=qdrant", "QDRANT_URL=http://u:s3cret-key@h"}, "QDRANT_URL"},
		{[]string{"VECTOR_STORE=qdrant", "QDRANT_URL=" + double.URL(), "QDRANT_API_KEY=wrong-s3cret-key"}, "check QDRANT_API_KEY"},
		{[]string{"VECTOR_STORE=qdrant", "QDRANT_URL=grpc://127.0.0.1:1"}, "is Qdrant running, with gRPC on 127.0.0.1:1?"},
	} {
		var out, log output
		err := run(t.Context(), append([]string{"PORT=0", "CHROMA_PERSIST_DIR=" + t.TempDir()}, test.environ...), "no.env", &out, &log)
		require.ErrorContains(t, err, test.want)
		require.False(t, strings.Contains(err.Error()+out.String()+log.String(), "s3cret-key"))
	}
}
