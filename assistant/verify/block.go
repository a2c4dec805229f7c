package verify

import "strings"

// block is a part of a Markdown text: prose, or the content of a fence.
type block struct {
	start, end int // of the content
	fenced     bool
	index      int    // of a fence, from 0
	language   string // of a fence, in lower case
}

// blocks cuts a text at its fences. A fence may be indented or quoted, and one
// that is not closed goes on to the end.
func blocks(text string) []block {
	var out []block
	prose, index := 0, 0
	for at := 0; at < len(text); {
		next := lineEnd(text, at)
		marks, info := fence(text[at:next])
		if marks == "" {
			at = next
			continue
		}
		if at > prose {
			out = append(out, block{start: prose, end: at})
		}
		start, end := next, len(text)
		after := len(text)
		for at = next; at < len(text); at = next {
			next = lineEnd(text, at)
			if m, rest := fence(text[at:next]); rest == "" && strings.HasPrefix(m, marks) {
				end, after = at, next
				break
			}
		}
		out = append(out, block{start: start, end: end, fenced: true, index: index, language: languageOf(info)})
		index++
		at, prose = after, after
	}
	if prose < len(text) {
		out = append(out, block{start: prose, end: len(text)})
	}
	return out
}

// lineEnd is where the line after the one at a place begins.
func lineEnd(text string, at int) int {
	if i := strings.IndexByte(text[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(text)
}

// fence reads a line that opens or closes a block of code.
func fence(line string) (marks, info string) {
	line = strings.TrimLeft(line, " \t>")
	for _, mark := range []string{"`", "~"} {
		rest := strings.TrimLeft(line, mark)
		if n := len(line) - len(rest); n >= 3 {
			info = strings.TrimSpace(rest)
			if mark == "`" && strings.Contains(info, "`") {
				return "", "" // code within a line
			}
			return line[:n], info
		}
	}
	return "", ""
}

// languageOf is the language in the info string of a fence: "js", "{.python}",
// "ts title=x.ts".
func languageOf(info string) string {
	info = strings.ToLower(strings.TrimLeft(info, "{. "))
	if end := strings.IndexAny(info, " \t,{}:;("); end >= 0 {
		info = info[:end]
	}
	return info
}
