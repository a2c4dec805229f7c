package ingest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/api-assistant/api-assistant/vectorstore"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// section is a heading with what stands below it, up to the next heading.
type section struct {
	path   []string // of headings, outermost first
	blocks []block
	page   int // from 1; 0 where there are no pages
}

// block is a piece of text that is kept whole where that is possible.
type block struct {
	text       string
	kind       blockKind
	start, end int // lines, from 1; 0 if there are none
}

type blockKind uint8

const (
	paragraph blockKind = iota
	code                // fenced: the first line is the fence
	table               // the first two lines are the head
	lines               // each stands for itself: lists
)

// chunk is a piece of a section that becomes a document.
type chunk struct {
	text       string
	start, end int
}

// Sizes of prose, in bytes.
const (
	// chunkBytes is the aim for a document of prose: a few paragraphs are about one
	// thing, and fit into the window of an embedding model. Code and tables may be
	// longer.
	chunkBytes = 2000
	// overlapBytes is how much of a split paragraph is repeated at most, so that a
	// sentence near the cut keeps its context.
	overlapBytes = 200
)

// sectionDocuments makes the documents of sections. title is for those without a
// heading.
func sectionDocuments(sections []section, maxBytes int, title string) (out []vectorstore.Document) {
	seen := make(map[string]int)
	for _, sec := range sections {
		full := strings.Join(sec.path, " > ")
		heading := clip(full, maxNote)
		seen[full]++
		head := ""
		if heading != "" {
			head = heading + "\n\n"
		}
		chunks := pack(sec.blocks, min(chunkBytes, maxBytes-len(head)), maxBytes-len(head))
		for i, c := range chunks {
			d := vectorstore.Document{
				Pointer: fmt.Sprintf("/%s/%d/%d", keyEncoder.Replace(heading), seen[full], i), Content: head + c.text,
				Metadata: map[string]any{"content_type": "section", "title": title, "chunk_index": i, "chunk_count": len(chunks)},
			}
			if heading != "" {
				d.Metadata["title"], d.Metadata["section"] = heading, full
				d.Metadata["section_title"] = sec.path[len(sec.path)-1]
			}
			if c.start > 0 {
				d.Metadata["start_line"], d.Metadata["end_line"] = c.start, c.end
			}
			if sec.page > 0 {
				d.Metadata["page_number"] = sec.page
				d.Pointer = fmt.Sprintf("/page/%d%s", sec.page, d.Pointer)
			}
			out = append(out, d)
		}
	}
	return out
}

// pack joins blocks to chunks of about aim bytes. A block longer than aim is a
// chunk of its own, and cut only if it is prose or longer than most.
func pack(blocks []block, aim, most int) (out []chunk) {
	var current chunk
	end := func() {
		if current.text != "" {
			out, current = append(out, current), chunk{}
		}
	}
	for _, b := range blocks {
		limit := aim
		if b.kind != paragraph {
			limit = most
		}
		pieces := b.split(limit, most)
		for i, p := range pieces {
			if i > 0 || current.text != "" && len(current.text)+2+len(p.text) > aim {
				end()
			}
			if current.text == "" {
				current = p
				continue
			}
			current.text += "\n\n" + p.text
			current.end = p.end
		}
	}
	end()
	return out
}

// split cuts a block into pieces of at most limit bytes.
func (b block) split(limit, most int) []chunk {
	if len(b.text) <= limit {
		return []chunk{{b.text, b.start, b.end}}
	}
	switch b.kind {
	case code:
		fence, body, _ := strings.Cut(b.text, "\n")
		closing := "\n" + fence[:len(fence)-len(strings.TrimLeft(fence, "`~ "))]
		if len(fence)+len(closing) < most/4 {
			return b.byLine(fence+"\n", strings.TrimSuffix(strings.TrimRight(body, "\n"), strings.TrimPrefix(closing, "\n")), closing, limit)
		}
	case table:
		head, rest, _ := strings.Cut(b.text, "\n")
		rule, rows, _ := strings.Cut(rest, "\n")
		if len(head)+len(rule) < most/4 {
			return b.byLine(head+"\n"+rule+"\n", rows, "", limit)
		}
	case lines:
		return b.byLine("", b.text, "", limit)
	}
	return b.bySentence(limit)
}

// byLine cuts at the ends of lines, and puts before and after around each piece.
func (b block) byLine(before, text, after string, limit int) (out []chunk) {
	room := limit - len(before) - len(after)
	line, start := b.start+strings.Count(before, "\n"), 0
	var piece strings.Builder
	end := func() {
		if strings.TrimSpace(piece.String()) == "" {
			piece.Reset()
			return
		}
		c := chunk{text: before + strings.TrimRight(piece.String(), "\n") + after}
		if b.start > 0 {
			c.start, c.end = start, line-1
		}
		out = append(out, c)
		piece.Reset()
	}
	start = line
	for l := range strings.Lines(text) {
		for len(l) > room { // a line longer than a document
			end()
			cut := cutAt(l, room)
			piece.WriteString(l[:cut])
			start, l = line, l[cut:]
			line++
			end()
			line--
		}
		if piece.Len()+len(l) > room {
			end()
			start = line
		}
		piece.WriteString(l)
		line++
	}
	end()
	return out
}

// bySentence cuts prose behind sentences, else lines, else words, and begins each
// further piece with the end of the one before.
func (b block) bySentence(limit int) (out []chunk) {
	text, at := b.text, 0
	for {
		rest := text[at:]
		from := 0 // of the overlap
		if at > 0 {
			from = overlap(text[:at], min(overlapBytes, limit/4))
		}
		if from+len(rest) <= limit {
			out = append(out, b.piece(at-from, len(text)))
			return out
		}
		cut := cutAt(rest, limit-from)
		out = append(out, b.piece(at-from, at+cut))
		at += cut
		at += len(text[at:]) - len(strings.TrimLeft(text[at:], " \n"))
	}
}

func (b block) piece(from, to int) chunk {
	c := chunk{text: strings.TrimSpace(b.text[from:to])}
	if b.start > 0 {
		c.start = b.start + strings.Count(b.text[:from], "\n")
		c.end = c.start + strings.Count(b.text[from:to], "\n")
	}
	return c
}

// overlap is the length of the end of s that is repeated: whole sentences, or
// whole words, of at most size bytes; or nothing.
func overlap(s string, size int) int {
	if len(s) <= size {
		return 0
	}
	tail := s[len(s)-size:]
	for _, at := range []string{". ", "\n", " "} {
		trimmed := strings.TrimRight(tail, " \n")
		if i := strings.Index(trimmed, at); i >= 0 && i+len(at) < len(trimmed) {
			return len(tail) - i - len(at)
		}
	}
	return 0
}

// cutAt finds where to cut a text that is longer than size: behind a sentence, a
// line, a word, or at least a character. It is never 0.
func cutAt(s string, size int) int {
	for _, at := range []string{". ", "\n", " "} {
		if i := strings.LastIndex(s[:size], at); i > size/2 {
			return i + len(at)
		}
	}
	for size > 1 && !utf8.RuneStart(s[size]) {
		size--
	}
	return size
}
