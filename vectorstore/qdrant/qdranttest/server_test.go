package qdranttest_test

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"testing"

	qc "github.com/qdrant/go-client/qdrant"
	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/vectorstore/qdrant/qdranttest"
)

func start(t *testing.T, o qdranttest.Options) *qdranttest.Server {
	t.Helper()
	s, err := qdranttest.Start(o)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// client connects to a server, with the client that everybody uses.
func client(t *testing.T, address string) *qc.GrpcClient {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	port, err := strconv.Atoi(u.Port())
	require.NoError(t, err)
	c, err := qc.NewGrpcClient(&qc.Config{Host: u.Hostname(), Port: port, SkipCompatibilityCheck: true})
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
