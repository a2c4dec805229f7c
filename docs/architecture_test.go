// Package docs_test holds the documentation to the code.
package docs_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/api-assistant/api-assistant"

// floors is the house of docs/architecture.md: a package may import packages of
// lower floors and those named beside it, and nothing else of ours. Patterns are
// those of path.Match; the longest that matches a package counts.
var floors = []struct {
	pattern string
	floor   int
	beside  []string // packages of the same floor that it may import
}{
	{"bm25", 0, []string{"bm25/internal/*"}},
	{"bm25/internal/*", 0, nil},
	{"vectorstore", 0, nil},
	{"llm", 0, nil},
	{"auth", 0, nil},
	{"auth/*", 1, nil},
	{"vectorstore/*", 1, []string{"vectorstore/internal/*"}},
	{"vectorstore/internal/*", 1, nil},
	{"vectorstore/qdrant/qdranttest", 1, nil},
	{"llm/*", 1, []string{"llm/internal/*"}},
	{"llm/internal/*", 1, nil},
	{"llm/local", 1, []string{"llm/local/internal/*"}},
	{"llm/local/internal/*", 1, []string{"llm/local/internal/*"}},
	{"llm/local/compare", 1, []string{"llm/local"}},
	{"retriever", 2, nil},
	{"retriever/*", 2, []string{"retriever"}},
	{"assistant", 3, []string{"assistant/*"}},
	{"assistant/*", 3, []string{"assistant/apispec", "assistant/internal/*"}},
	{"assistant/verify", 3, []string{"assistant/apispec"}},
	{"assistant/diagram", 3, []string{"assistant/apispec", "assistant/ingest"}},
	{"assistant/internal/*", 3, nil},
	{"assistant/session", 3, nil},
	{"assistant/session/sessiontest", 3, []string{"assistant/session"}},
	{"assistant/redissession", 3, []string{"assistant/session"}},
	{"assistant/websearch", 3, nil},
	{"httpapi", 4, []string{"httpapi/internal/*"}},
	{"httpapi/internal/*", 4, nil},
	{"httpapi/*", 4, []string{"httpapi"}},
	{"examples/sample", 0, nil},
	{"examples/*", 5, []string{"examples/sample"}},
	{"examples/server", 5, []string{"examples/sample", "examples/server/web"}},
	{"examples/server/web", 5, nil},
	{"docs", 5, nil},
}

// forbidden are imports that the floors allow and the design does not.
var forbidden = map[string][]string{
	"auth":        {"*"},
	"bm25":        {"*"},
	"httpapi":     {"auth"},
	"httpapi/*":   {"auth"},
	"auth/*":      {"bm25", "llm", "vectorstore"},
	"llm/*":       {"auth", "vectorstore"},
	"assistant":   {"auth"},
	"retriever":   {"auth"},
	"retriever/*": {"auth"},
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func TestImportsGoDown(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		from, beside, ok := floorOf(name)
		require.True(t, ok, "package %s is on no floor: add it to docs/architecture.md and to this test", name)
		for _, imported := range p.Imports {
			other, ours := strings.CutPrefix(imported, module+"/")
			if !ours {
				continue
			}
			to, _, ok := floorOf(other)
			require.True(t, ok, "%s imports %s, which is on no floor", name, other)
			require.True(t, to < from || to == from && matchesAny(beside, other),
				"%s (floor %d) must not import %s (floor %d)", name, from, other, to)
			for pattern, never := range forbidden {
				if match(pattern, name) {
					require.False(t, matchesAny(never, other), "%s must not import %s", name, other)
				}
			}
		}
	}
}

// packages lists the packages of the module with their direct imports.
func packages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"/...").Output()
	require.NoError(t, err)
	var all []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		all = append(all, p)
	}
	require.NotEmpty(t, all)
	return all
}

func floorOf(name string) (floor int, beside []string, ok bool) {
	longest := -1
	for _, f := range floors {
		if match(f.pattern, name) && len(f.pattern) > longest {
			longest, floor, beside, ok = len(f.pattern), f.floor, f.beside, true
		}
	}
	return floor, beside, ok
}

func match(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

func matchesAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if p == "*" || match(p, name) {
			return true
		}
	}
	return false
}
