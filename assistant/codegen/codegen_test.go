package codegen

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGolden shows the snippets of the bookshop's operations to reviewers.
func TestGolden(t *testing.T) {
	ops := bookshop(t)
	for _, l := range Languages() {
		var b strings.Builder
		for _, op := range ops {
			if op.Kind != apispec.HTTP {
				continue
			}
			s, err := Generate(op, l, Options{})
			require.NoError(t, err)
			require.Empty(t, s.Problems, op.Endpoint())
			b.WriteString("==== " + op.Endpoint() + "\n" + s.Source)
		}
		path := filepath.Join("testdata", "bookshop."+string(l)+".golden")
		if *update {
			require.NoError(t, os.MkdirAll("testdata", 0o755))
			require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), b.String(), "go test ./assistant/codegen -run TestGolden -update writes %s", path)
	}
}

func TestParseLanguage(t *testing.T) {
	for name, want := range map[string]Language{"py": Python, "JS": JavaScript, "ts": TypeScript, "golang": Go, "C#": CSharp, "shell": Curl, " bash ": Curl, "rs": Rust, "rb": Ruby, "java": Java, "php": PHP} {
		got, ok := ParseLanguage(name)
		require.True(t, ok, name)
		require.Equal(t, want, got, name)
	}
	for _, name := range []string{"", "cobol", "javascripty"} {
		_, ok := ParseLanguage(name)
		require.False(t, ok, name)
	}
	for _, l := range Languages() {
		got, ok := ParseLanguage(string(l))
		require.True(t, ok)
		require.Equal(t, l, got)
	}
}

func TestRefusals(t *testing.T) {
	_, err := Generate(&apispec.Operation{Method: "GET", Path: "/"}, "cobol", Options{})
	require.ErrorIs(t, err, ErrLanguage)
	for _, kind := range []apispec.Kind{apispec.Webhook, apispec.Callback} {
		_, err = Generate(&apispec.Operation{Kind: kind, Method: "POST", Path: "sold"}, Go, Options{})
		require.ErrorIs(t, err, ErrNotCallable)
	}
}

// TestEverySpecification generates everything for each operation of the data.
func TestEverySpecification(t *testing.T) {
	for _, path := range data(t, specifications...) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			operations, verified := 0, 0
			for _, op := range parseFile(t, path) {
				if op.Kind == apispec.Webhook {
					_, err := Generate(op, Curl, Options{})
					require.ErrorIs(t, err, ErrNotCallable)
					continue
				}
				operations++
				ok := true
				for _, l := range Languages() {
					s, err := Generate(op, l, Options{})
					require.NoError(t, err, op.Endpoint())
					require.NotEmpty(t, s.Source)
					require.True(t, s.Verified || len(s.Problems) > 0, op.Endpoint())
					if !s.Verified && ok {
						ok = false
						t.Logf("%s in %s: %v", op.Endpoint(), l, s.Problems)
					}
				}
				if ok {
					verified++
				}
			}
			t.Logf("verified in all languages: %d of %d operations", verified, operations)
		})
	}
}

func TestDeterministic(t *testing.T) {
	for _, op := range bookshop(t) {
		for _, l := range Languages() {
			first, err := Generate(op, l, Options{})
			if errors.Is(err, ErrNotCallable) {
				continue
			}
			require.NoError(t, err)
			for range 5 {
				again, err := Generate(op, l, Options{})
				require.NoError(t, err)
				require.Equal(t, first, again)
			}
		}
	}
}
