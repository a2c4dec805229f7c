package assistant

import "strings"

// Standalone lets tests see what is searched for.
var Standalone = standalone

// Cite reads a text in pieces.
func Cite(sources int, pieces ...string) (shown string, cited []int, unknown int) {
	c := citer{sources: sources}
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(c.write(p))
	}
	b.WriteString(c.close())
	return b.String(), c.cited, c.unknown
}
