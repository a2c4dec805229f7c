package qdranttest

import (
	"testing"

	qc "github.com/qdrant/go-client/qdrant"
	"github.com/stretchr/testify/require"
)

func TestParsePath(t *testing.T) {
	for text, want := range map[string]path{
		"a":             {{key: "a"}},
		"größe_1-x":     {{key: "größe_1-x"}},
		`a."b.c"[].d`:   {{key: "a"}, {key: "b.c"}, {list: true, index: allElements}, {key: "d"}},
		`""`:            {{key: ""}},
		`"[0]"[12]`:     {{key: "[0]"}, {list: true, index: 12}},
		`numbers."a b"`: {{key: "numbers"}, {key: "a b"}},
	} {
		got, err := parsePath(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", ".", "a.", "a b", "[0]", "a[", "a[x]", "a[-1]", `"a`, `"a\"b"`, "a]", "a[0", `a"b"`} {
		_, err := parsePath(text)
		require.Error(t, err, text)
	}
}

func FuzzPath(f *testing.F) {
	for _, text := range []string{"a.b", `a."b c"[]`, "a[0].b", "..", "[", `"`} {
		f.Add(text)
	}
	payload := qc.NewValueMap(map[string]any{"a": []any{map[string]any{"b": 1}, []any{}, nil}})
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePath(text)
		if err == nil && len(p) == 0 {
			t.Fatal("a path without steps")
		}
		if err == nil {
			p.values(payload)
		}
	})
}
