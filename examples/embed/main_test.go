package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/auth"
)

func TestBackend(t *testing.T) {
	key := auth.GenerateKey()
	handler, closeAll, err := backend(auth.GenerateSecret(), key)
	require.NoError(t, err)
	defer closeAll()
	ask := func(method, path, key, body string) int {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-API-Key", key)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	require.Equal(t, http.StatusOK, ask("GET", "/hello", "", ""), "the backend's own route is as before")
	require.Equal(t, http.StatusUnauthorized, ask("POST", "/assistant/search", "wrong", `{"query": "x"}`))
	require.Equal(t, http.StatusCreated, ask("POST", "/assistant/documents", key, `{"documents": [{"content": "GET /orders lists orders"}]}`))
	require.Equal(t, http.StatusOK, ask("POST", "/assistant/search", key, `{"query": "orders"}`))
}
