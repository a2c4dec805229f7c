package assistant

import (
	"fmt"
	"strconv"
	"strings"
)

// citer reads a text as it is written, and removes the citations of sources that
// do not exist. It holds back what may become such a citation, so that nothing
// has to be taken back; what it returns does not depend on how the text was cut
// into pieces. Brackets in code are no citations.
type citer struct {
	sources int // citations are 1 to sources
	cited   []int
	unknown int

	pending string // not decided yet
	fenced  bool   // inside a code block
}

const (
	maxCitation   = 64   // bytes of "[1, 2, 3]" with the blanks before it
	maxInlineCode = 1000 // bytes of `code`
	fence         = "```"
)

// write takes a piece of the text and returns what can be shown.
func (c *citer) write(piece string) string { return c.read(piece, false) }

// close returns the rest.
func (c *citer) close() string { return c.read("", true) }

func (c *citer) read(piece string, last bool) string {
	c.pending += piece
	var out strings.Builder
	for c.pending != "" {
		n, shown := c.next(last)
		if n == 0 {
			break
		}
		c.pending = c.pending[n:]
		out.WriteString(shown)
	}
	return out.String()
}

// next decides about the beginning of what is pending: how much of it is decided,
// 0 if more must be read first, and what is shown for it.
func (c *citer) next(last bool) (n int, shown string) {
	s := c.pending
	if c.fenced {
		return c.inFence(s, last)
	}
	switch s[0] {
	case '`':
		return c.code(s, last)
	case ' ', '\t', '[':
		return c.citation(s, last)
	}
	n = strings.IndexAny(s, "` \t[")
	if n < 0 {
		n = len(s)
	}
	return n, s[:n]
}

// inFence reads to the end of a code block.
func (c *citer) inFence(s string, last bool) (int, string) {
	if end := strings.Index(s, fence); end >= 0 {
		c.fenced = false
		return end + len(fence), s[:end+len(fence)]
	}
	n := len(s)
	if !last { // a fence may have begun
		n = len(strings.TrimRight(s, "`"))
	}
	return n, s[:n]
}

// code reads what begins with a backtick: a fence, code within a line, or a
// backtick by itself.
func (c *citer) code(s string, last bool) (int, string) {
	if strings.HasPrefix(s, fence) {
		c.fenced = true
		return len(fence), fence
	}
	if !last && len(s) < len(fence) && strings.Trim(s, "`") == "" {
		return 0, ""
	}
	within := s[1:min(len(s), maxInlineCode)]
	switch end := strings.IndexAny(within, "`\n"); {
	case end >= 0 && within[end] == '`':
		return end + 2, s[:end+2]
	case end < 0 && !last && len(s) < maxInlineCode:
		return 0, ""
	}
	return 1, s[:1]
}

// citation reads "[1]" or "[1, 2]" with the blanks before it.
func (c *citer) citation(s string, last bool) (int, string) {
	window := s[:min(len(s), maxCitation)]
	blanks := len(window) - len(strings.TrimLeft(window, " \t"))
	rest := window[blanks:]
	open := !last && len(s) < maxCitation
	if rest == "" && open {
		return 0, ""
	}
	if !strings.HasPrefix(rest, "[") {
		return max(blanks, 1), s[:max(blanks, 1)]
	}
	inside := strings.TrimLeft(rest[1:], "0123456789, ")
	numbers := rest[1 : len(rest)-len(inside)]
	switch {
	case inside == "" && open:
		return 0, ""
	case !strings.HasPrefix(inside, "]") || numbers == "" || numbers[0] < '0' || numbers[0] > '9':
		return blanks + 1, s[:blanks+1]
	}
	var known strings.Builder
	for _, number := range strings.FieldsFunc(numbers, func(r rune) bool { return r == ',' || r == ' ' }) {
		if i, err := strconv.Atoi(number); err == nil && i >= 1 && i <= c.sources {
			c.cited = append(c.cited, i)
			fmt.Fprintf(&known, "[%d]", i)
		} else {
			c.unknown++
		}
	}
	n := blanks + 1 + len(numbers) + 1
	if known.Len() == 0 {
		return n, ""
	}
	return n, s[:blanks] + known.String()
}

// citations are the cited ones of the sources, in the order of first mention.
func (c *citer) citations(sources []Citation) []Citation {
	var out []Citation
	seen := make(map[int]bool)
	for _, n := range c.cited {
		if !seen[n] {
			seen[n] = true
			out = append(out, sources[n-1])
		}
	}
	return out
}

// withoutCitations removes all citations from a text.
func withoutCitations(text string) string {
	var c citer
	return c.write(text) + c.close()
}
