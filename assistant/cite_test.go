package assistant_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant"
)

func TestCitations(t *testing.T) {
	tests := []struct {
		text, want string
		cited      []int
		unknown    int
	}{
		{"one [1], two [2].", "one [1], two [2].", []int{1, 2}, 0},
		{"none [9].", "none.", nil, 1},
		{"some [1, 9,2] and [7, 8]!", "some [1][2] and!", []int{1, 2}, 3},
		{"[0][1]\t[4]", "[1]", []int{1}, 2},
		{"[99999999999999999999]", "", nil, 1},
		{"a[b] [x] [] [,] [1", "a[b] [x] [] [,] [1", nil, 0},
		{"in `a[9]` and ``b``", "in `a[9]` and ``b``", nil, 0},
		{"```\nx[9]\n``` [9]", "```\nx[9]\n```", nil, 1},
		{"```\nnever closed [9]", "```\nnever closed [9]", nil, 0},
		{"a ` by itself [9]\n`", "a ` by itself\n`", nil, 1},
		{strings.Repeat(" ", 100) + "[9]x", strings.Repeat(" ", 64) + "x", nil, 1},
		{"tail   ", "tail   ", nil, 0},
	}
	for _, tt := range tests {
		shown, cited, unknown := assistant.Cite(3, tt.text)
		require.Equal(t, tt.want, shown, tt.text)
		require.Equal(t, tt.cited, cited, tt.text)
		require.Equal(t, tt.unknown, unknown, tt.text)
	}
}

// FuzzCitations: a text read in pieces is what it is read at once; no citation of
// what does not exist is left outside of code; and reading again changes nothing.
func FuzzCitations(f *testing.F) {
	for _, s := range []string{"a [1] b [9]", "```x[9]``` [1, 2]", "`a[1]` ` [3]\n`", "``` ` ``` [7]", "  \t [2][ 3]", "[[1]]"} {
		f.Add(s, uint8(1))
		f.Add(s, uint8(3))
	}
	f.Fuzz(func(t *testing.T, text string, size uint8) {
		whole, cited, unknown := assistant.Cite(2, text)
		var pieces []string
		step := int(size)%7 + 1
		for rest := text; rest != ""; {
			n := min(step, len(rest))
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		shown, citedInPieces, unknownInPieces := assistant.Cite(2, pieces...)
		require.Equal(t, whole, shown)
		require.Equal(t, cited, citedInPieces)
		require.Equal(t, unknown, unknownInPieces)
		require.LessOrEqual(t, len(whole), len(text)*2)
	})
}
