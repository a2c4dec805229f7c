package ingest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzJSON holds the reader of JSON to encoding/json: it accepts the same texts
// and reads the same values from them.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a": [1, -2.5e-3, true, false, null, "\u00e4\ud83d\ude00\n\\"]}`, `[]`, `{}`, `"\ud800"`, `01`, `1.`, `[1,]`, `{"a":1,"a":2}`, `tru`, "\"\x01\"", `-`, `1e+`, `{"a" 1}`, `[1 2]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ToValidUTF8(text, "") != text || strings.Count(text, "[")+strings.Count(text, "{") > maxDepth {
			return // refused before or for its depth
		}
		root, err := parseJSON(&File{Name: "a.json"}, text)
		require.Equal(t, json.Valid([]byte(text)), err == nil, "%v", err)
		if err != nil {
			require.Greater(t, err.(*Error).Line, 0)
			return
		}
		var want any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		require.NoError(t, d.Decode(&want))
		require.Equal(t, want, plainValue(root))
	})
}

// plainValue is a node as encoding/json would decode it.
func plainValue(n *node) any {
	switch n.kind {
	case boolean:
		return n.text == "true"
	case number:
		return json.Number(n.text)
	case str:
		return n.text
	case list:
		out := []any{}
		for _, e := range n.values {
			out = append(out, plainValue(e))
		}
		return out
	case object:
		out := map[string]any{}
		n.each(func(key string, v *node) { out[key] = plainValue(v) })
		return out
	}
	return nil
}

// TestSplit: what is cut anywhere is all there, and each piece fits.
func TestSplit(t *testing.T) {
	words := strings.Repeat("One sentence here. ", 200)
	rows := "| a | b |\n|---|---|\n" + strings.Repeat("| cell | other |\n", 100)
	fence := "````go\n" + strings.Repeat("x := 1\n", 100) + "````"
	for name, b := range map[string]block{
		"prose": {text: words}, "no stops": {text: strings.Repeat("x", 3000)}, "letters of two bytes": {text: strings.Repeat("ä", 3000)},
		"table": {text: rows, kind: table}, "code": {text: fence, kind: code}, "list": {text: strings.Repeat("- item\n", 300), kind: lines},
		"long line in code": {text: "```\n" + strings.Repeat("y", 3000) + "\n```", kind: code},
	} {
		b.start, b.end = 10, 10+strings.Count(b.text, "\n")
		pieces := b.split(400, 400)
		require.Greater(t, len(pieces), 1, name)
		last := 10
		for i, p := range pieces {
			require.LessOrEqual(t, len(p.text), 400, name)
			require.GreaterOrEqual(t, p.start, 10, name)
			require.LessOrEqual(t, p.start, p.end, name)
			require.LessOrEqual(t, p.end, b.end, name)
			require.LessOrEqual(t, last, p.end, name)
			last = p.end
			switch b.kind {
			case table:
				require.True(t, strings.HasPrefix(p.text, "| a | b |\n|---|---|\n| cell"), "the head is repeated")
			case code:
				require.True(t, strings.HasPrefix(p.text, "```"))
				require.True(t, strings.HasSuffix(p.text, "```"))
			}
			if name == "prose" && i > 0 {
				require.True(t, strings.HasSuffix(pieces[i-1].text, p.text[:20]) || strings.Contains(pieces[i-1].text[len(pieces[i-1].text)-overlapBytes:], p.text[:18]), "an overlap")
			}
		}
	}
	require.Len(t, (block{text: rows, kind: table}).split(8000, 8000), 1, "a table that fits is whole")
	chunks := pack([]block{{text: "Before."}, {text: fence, kind: code}, {text: "After."}}, 300, 8000)
	require.Len(t, chunks, 3)
	require.Equal(t, fence, chunks[1].text, "code is whole although it is longer than the aim")
}
