package ingest

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	gmtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// parseMarkdown makes a document of each section, of several if it is long.
func parseMarkdown(_ context.Context, f *File, o Options) (Source, error) {
	text, err := f.Text()
	if err != nil {
		return Source{}, err
	}
	title := f.base()
	if m := frontTitle.FindStringSubmatch(text[:frontMatter(text)]); m != nil {
		title = m[1]
	}
	sections := markdownSections(text)
	if len(sections) == 0 { // definitions of links, say
		sections = []section{{blocks: paragraphs(text)}}
	}
	return Source{Documents: sectionDocuments(sections, o.MaxDocumentBytes, title)}, nil
}

var frontTitle = regexp.MustCompile(`(?m)^title:[ \t]*["']?(.*?)["']?[ \t]*\r?$`)

// frontMatter is the length of the YAML between two lines of dashes at the
// beginning, which Markdown would take for a heading.
func frontMatter(text string) int {
	if !strings.HasPrefix(text, "---\n") && !strings.HasPrefix(text, "---\r\n") {
		return 0
	}
	at := 0
	for l := range strings.Lines(text[:min(len(text), 64<<10)]) {
		at += len(l)
		if mark := strings.TrimRight(l, "\r\n"); at > len(l) && (mark == "---" || mark == "...") {
			return at
		}
	}
	return 0
}

// markdownParser finds blocks only: nobody needs the inline structure, and some
// inline syntax is costly to parse.
var markdownParser = parser.NewParser(
	parser.WithBlockParsers(parser.DefaultBlockParsers()...),
	parser.WithParagraphTransformers(append(parser.DefaultParagraphTransformers(),
		util.Prioritized(extension.NewTableParagraphTransformer(), 200))...),
)

// markdownSections cuts Markdown at its headings and into blocks. The text of a
// block is what stands in the file from its first line to the first line of the
// next block, so that nothing is lost.
func markdownSections(text string) []section {
	skip := frontMatter(text)
	source := []byte(text[skip:])
	if tooDeepMarkdown(text[skip:]) {
		return []section{{blocks: paragraphs(text)}}
	}
	type found struct {
		node ast.Node
		line int // from 0
	}
	index := newLineIndex(source)
	var blocks []found
	root := markdownParser.Parse(gmtext.NewReader(source))
	for n := root.FirstChild(); n != nil; n = n.NextSibling() {
		at := firstByte(n)
		if at < 0 {
			continue // a rule: it is part of the block before
		}
		line := index.line(at)
		if n.Kind() == ast.KindFencedCodeBlock && n.(*ast.FencedCodeBlock).Info == nil && line > 0 {
			line-- // the fence
		}
		if len(blocks) > 0 && blocks[len(blocks)-1].line >= line {
			continue
		}
		blocks = append(blocks, found{n, line})
	}
	firstLine := 1 + strings.Count(text[:skip], "\n")
	var (
		out     []section
		current section
		levels  []int // of the headings in the path
	)
	end := func() {
		if len(current.blocks) > 0 {
			out = append(out, current)
		}
	}
	if len(blocks) > 0 { // what is before the first block, such as a rule, is dropped
		index.total = len(index.starts)
	}
	for i, b := range blocks {
		next := index.total
		if i+1 < len(blocks) {
			next = blocks[i+1].line
		}
		from := b.line
		if h, ok := b.node.(*ast.Heading); ok {
			end()
			for len(levels) > 0 && levels[len(levels)-1] >= h.Level {
				levels = levels[:len(levels)-1]
			}
			path := append(slices.Clone(current.path[:min(len(levels), len(current.path))]), headingText(h, source))
			levels = append(levels, h.Level)
			current = section{path: path}
			if from += h.Lines().Len(); from < next && setextRule.MatchString(index.text(from, from+1)) {
				from++
			}
		}
		if body := strings.TrimRight(index.text(from, next), " \t\r\n"); strings.TrimSpace(body) != "" {
			trimmed := strings.TrimLeft(body, "\r\n")
			from += strings.Count(body[:len(body)-len(trimmed)], "\n")
			current.blocks = append(current.blocks, block{text: trimmed, kind: markdownKind(b.node),
				start: firstLine + from, end: firstLine + from + strings.Count(trimmed, "\n")})
		}
	}
	end()
	return out
}

var setextRule = regexp.MustCompile(`^ {0,3}(=+|-+)[ \t]*\r?\n?$`)

func markdownKind(n ast.Node) blockKind {
	switch n.Kind() {
	case ast.KindFencedCodeBlock:
		return code
	case extast.KindTable:
		return table
	case ast.KindList, ast.KindCodeBlock, ast.KindHTMLBlock, ast.KindBlockquote:
		return lines
	}
	return paragraph
}

// tooDeepMarkdown reports a line that opens more quotes and lists than any person
// writes; parsing them takes time that grows with the square.
func tooDeepMarkdown(text string) bool {
	for l := range strings.Lines(text) {
		marks := 0
		for _, c := range []byte(l) {
			if c == '>' || c == '-' || c == '*' || c == '+' {
				marks++
			} else if c != ' ' && c != '\t' {
				break
			}
		}
		if marks > maxDepth && strings.Trim(l, "-*+_ \t\r\n") != "" {
			return true
		}
	}
	return false
}

// firstByte is where a block begins, -1 if it has no text.
func firstByte(n ast.Node) int {
	if f, ok := n.(*ast.FencedCodeBlock); ok && f.Info != nil {
		return f.Info.Segment.Start
	}
	if n.Type() == ast.TypeBlock && n.Lines() != nil && n.Lines().Len() > 0 {
		return n.Lines().At(0).Start
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if c.Type() == ast.TypeInline {
			if t, ok := c.(*ast.Text); ok {
				return t.Segment.Start
			}
			continue
		}
		if at := firstByte(c); at >= 0 {
			return at
		}
	}
	return -1
}

var inlineMarks = regexp.MustCompile("\\*\\*|__|`|<[^>]*>|\\s*\\{#[^}]*\\}\\s*$")
var inlineLink = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)

// headingText is a heading without its marks.
func headingText(h *ast.Heading, source []byte) string {
	var b strings.Builder
	for i := range h.Lines().Len() {
		line := h.Lines().At(i)
		b.Write(line.Value(source))
	}
	s := inlineLink.ReplaceAllString(b.String(), "$1")
	if s = oneLine(strings.TrimSpace(inlineMarks.ReplaceAllString(s, ""))); s == "" {
		return "(untitled)"
	}
	return s
}

// lineIndex finds lines by offset and text by line.
type lineIndex struct {
	source []byte
	starts []int
	total  int
}

func newLineIndex(source []byte) lineIndex {
	x := lineIndex{source: source, starts: []int{0}}
	for i, c := range source {
		if c == '\n' && i+1 < len(source) {
			x.starts = append(x.starts, i+1)
		}
	}
	return x
}

// line is the line of an offset, from 0.
func (x lineIndex) line(at int) int {
	i, exact := slices.BinarySearch(x.starts, at)
	if !exact {
		i--
	}
	return i
}

// text is the text of the lines from one up to another.
func (x lineIndex) text(from, to int) string {
	if from >= to || from >= len(x.starts) {
		return ""
	}
	end := len(x.source)
	if to < len(x.starts) {
		end = x.starts[to]
	}
	return string(x.source[x.starts[from]:end])
}
