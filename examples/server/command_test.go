package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// call runs a command and returns its exit code and what it printed.
func call(t *testing.T, environ []string, args ...string) (int, string) {
	t.Helper()
	var out output
	code := dispatch(t.Context(), invocation{args: args, environ: environ, dotenv: "no.env", out: &out, log: &out})
	return code, out.String()
}

func TestKeysOfKeygenPassTheChecklist(t *testing.T) {
	code, printed := call(t, nil, "keygen", "-n", "2")
	require.Zero(t, code)
	secrets := strings.Fields(printed)
	environ := append(secrets, "REQUIRE_AUTH=true", "ALLOWED_ORIGINS=https://app.example.com")
	code, printed = call(t, environ, "check")
	require.Zero(t, code, printed)
	for _, unsafe := range []string{"REQUIRE_AUTH=false", "ALLOWED_ORIGINS=http://app.example.com", "DEBUG=true", "RATE_LIMIT_PER_MINUTE=0", "API_KEYS=changeme"} {
		code, printed = call(t, append(environ[:4:4], unsafe), "check")
		require.Equal(t, 1, code, unsafe)
		name, _, _ := strings.Cut(unsafe, "=")
		require.Contains(t, printed, name)
		require.NotContains(t, printed, strings.TrimPrefix(secrets[0], "SECRET_KEY="))
	}
}

func TestHealth(t *testing.T) {
	s := start(t, t.TempDir())
	code, printed := call(t, nil, "health", "-url", s.url)
	require.Zero(t, code)
	require.Equal(t, "healthy\n", printed)
	require.NoError(t, s.stop())
	code, _ = call(t, nil, "health", "-url", s.url)
	require.Equal(t, 1, code)
}

func TestVerifyText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guide.md")
	for text, want := range map[string]int{"Call `POST /orders`.": 0, "Call `POST /ordres`.": 1} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		for _, format := range []string{"text", "json", "sarif"} {
			code, printed := call(t, nil, "verify", "-format", format, "-spec", "../sample/bookshop.yaml", path)
			require.Equal(t, want, code, printed)
			if want == 1 || format != "sarif" {
				require.Contains(t, printed, text[6:len(text)-2])
			}
		}
	}
}

func TestGaps(t *testing.T) {
	s := start(t, t.TempDir())
	code, printed := call(t, nil, "gaps", "-url", s.url)
	require.Zero(t, code, printed)
	require.Regexp(t, `score \d+ of 100, \d+ gaps in \d+ operations`, printed)
}

func TestWrongCalls(t *testing.T) {
	for _, args := range [][]string{{"nonsense"}, {"keygen", "-n", "0"}, {"verify"}, {"health", "-x"}} {
		code, printed := call(t, nil, args...)
		require.Equal(t, 2, code)
		require.Contains(t, printed, "usage: server")
	}
	code, printed := call(t, nil, "help")
	require.Zero(t, code)
	for _, c := range commands() {
		require.Contains(t, printed, c.usage)
	}
}
