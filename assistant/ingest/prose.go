package ingest

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/vectorstore"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// section is a heading with the lines below it.
type section struct {
	path       []string // of headings, outermost first
	start, end int      // lines, from 1
	blocks     []string // paragraphs, lists, tables, fenced code: what is kept whole
}

// parseProse makes documents of Markdown or plain text: one per section, several
// if a section is too long for one.
func parseProse(name, content string, format Format, o Options) Source {
	s := Source{Name: name, Format: format}
	title := strings.TrimSuffix(path.Base(name), path.Ext(name))
	seen := make(map[string]int)
	for _, sec := range sections(content, format == Markdown) {
		heading := strings.Join(sec.path, " > ")
		seen[heading]++
		chunks := pack(sec.blocks, o.MaxDocumentBytes-min(len(heading), maxNote)-2)
		for i, chunk := range chunks {
			d := vectorstore.Document{
				Pointer: fmt.Sprintf("/%s/%d/%d", clip(heading, maxNote), seen[heading], i), Content: chunk,
				Metadata: map[string]any{"content_type": "section", "title": clip(heading, maxNote), "chunk_index": i,
					"chunk_count": len(chunks), "start_line": sec.start, "end_line": sec.end},
			}
			if heading == "" {
				d.Metadata["title"] = title
			} else {
				d.Metadata["section"], d.Metadata["section_title"] = heading, sec.path[len(sec.path)-1]
				d.Content = clip(heading, maxNote) + "\n" + chunk
			}
			s.Documents = append(s.Documents, d)
		}
	}
	return s
}

// sections cuts a text at its headings and into blocks at blank lines. A fenced
// block of code is one block.
func sections(content string, headings bool) []section {
	var (
		out     []section
		current = section{start: 1}
		block   strings.Builder
		fence   string
		line    int
	)
	endBlock := func() {
		if strings.TrimSpace(block.String()) != "" {
			current.blocks = append(current.blocks, strings.TrimRight(block.String(), "\n"))
		}
		block.Reset()
	}
	endSection := func(at int) {
		endBlock()
		current.end = at
		if len(current.blocks) > 0 {
			out = append(out, current)
		}
	}
	for l := range strings.Lines(content) {
		line++
		trimmed := strings.TrimSpace(l)
		switch {
		case fence != "":
			if strings.HasPrefix(trimmed, fence) {
				fence = ""
			}
		case headings && (strings.HasPrefix(trimmed, "```") || strings.HasPrefix(trimmed, "~~~")):
			fence = trimmed[:3]
		case headings && headingLevel(trimmed) > 0:
			endSection(line - 1)
			level := headingLevel(trimmed)
			title := strings.TrimSpace(strings.Trim(trimmed, "#"))
			path := slices.Clone(current.path[:min(level-1, len(current.path))])
			current = section{path: append(path, title), start: line}
			continue
		case trimmed == "":
			endBlock()
			continue
		}
		block.WriteString(l)
	}
	endSection(line)
	return out
}

// headingLevel is the level of a line such as "## Title", or 0.
func headingLevel(line string) int {
	level := len(line) - len(strings.TrimLeft(line, "#"))
	if level == 0 || level > 6 || len(line) == level || line[level] != ' ' {
		return 0
	}
	return level
}

// pack joins blocks to chunks of at most size bytes. A block that is too long by
// itself is cut at lines, or at words.
func pack(blocks []string, size int) []string {
	var (
		out     []string
		current string
	)
	for _, b := range blocks {
		for len(b) > size {
			if current != "" {
				out, current = append(out, current), ""
			}
			cut := cutAt(b, size)
			out = append(out, b[:cut])
			b = strings.TrimLeft(b[cut:], " \n")
		}
		switch {
		case current == "":
			current = b
		case len(current)+2+len(b) <= size:
			current += "\n\n" + b
		default:
			out, current = append(out, current), b
		}
	}
	if current != "" {
		out = append(out, current)
	}
	return out
}

// cutAt finds where to cut a text that is longer than size: behind a line, a
// word, or at least a character.
func cutAt(s string, size int) int {
	for _, at := range []string{"\n", ". ", " "} {
		if i := strings.LastIndex(s[:size], at); i > size/2 {
			return i + len(at)
		}
	}
	for size > 1 && s[size]&0xC0 == 0x80 {
		size--
	}
	return size
}
