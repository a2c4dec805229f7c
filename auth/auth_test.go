package auth_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/auth"
)

const (
	secret = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
	key    = "api-key-Zk3vXf8yQ1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j7k"
)

func keys(t testing.TB, change func(*auth.KeysConfig)) *auth.Keys {
	t.Helper()
	cfg := auth.KeysConfig{Secret: secret, Keys: []auth.Key{{Key: key, Name: "test", Scopes: []string{"read"}}},
		Open: []string{"GET /health"}, FailedPerMinute: -1}
	if change != nil {
		change(&cfg)
	}
	k, err := auth.NewKeys(cfg)
	require.NoError(t, err)
	return k
}

// served answers 200 and says who asked.
var served = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	p, _ := auth.PrincipalFrom(r.Context())
	io.WriteString(w, p.Name)
})

func do(h http.Handler, method, target string, header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for name, values := range header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// staticOpen needs a key for all but what is below /static/.
var staticOpen = func() http.Handler {
	mw, err := auth.APIKeys(auth.KeysConfig{Secret: secret, Keys: []auth.Key{{Key: key}}, Open: []string{"GET /static/"}})
	if err != nil {
		panic(err)
	}
	return mw(served)
}()

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		require.True(t, line == "" || strings.HasPrefix(line, "github.com/rs/cors") || line == "golang.org/x/time/rate" ||
			line == "github.com/api-assistant/api-assistant/auth", "auth must not depend on %s", line)
	}
}
