package ingest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"

	"github.com/api-assistant/api-assistant/vectorstore"
)

func isHTML(f *File) bool {
	switch f.extension() {
	case "html", "htm", "xhtml":
		return true
	case "", "txt":
		start := strings.ToLower(strings.TrimLeft(string(f.Content[:min(len(f.Content), 1024)]), "\ufeff \t\r\n"))
		return strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html")
	}
	return false
}

// parseHTML makes a document of each section. Scripts, navigation and the like
// are no content.
func parseHTML(_ context.Context, f *File, o Options) (Source, error) {
	var in io.Reader = bytes.NewReader(f.Content)
	if text, err := f.Text(); err == nil {
		in = strings.NewReader(text)
	} else if errors.Is(err, ErrEmpty) {
		return Source{}, err
	} else if !bytes.Contains(f.Content, []byte{0}) {
		encoding, _, _ := charset.DetermineEncoding(f.Content, "text/html")
		decoded, err := encoding.NewDecoder().Bytes(f.Content)
		if err != nil {
			return Source{}, &Error{File: f.Name, Err: ErrEncoding}
		}
		in = strings.NewReader(strings.ToValidUTF8(string(decoded), "\ufffd"))
	} else {
		return Source{}, err
	}
	root, err := html.Parse(in)
	if err != nil {
		return Source{}, &Error{File: f.Name, Err: ErrSyntax, Reason: err.Error()}
	}
	w := htmlWriter{title: f.base()}
	w.walk(root)
	w.endBlock(paragraph)
	w.endSection()
	s := Source{Documents: sectionDocuments(w.sections, o.MaxDocumentBytes, w.title)}
	describe(s.Documents, w.author, w.date)
	return s, nil
}

// describe adds what is known of the author and the date.
func describe(documents []vectorstore.Document, author, created string) {
	for _, d := range documents {
		if author = oneLine(strings.TrimSpace(author)); author != "" && utf8.ValidString(author) {
			d.Metadata["author"] = clip(author, maxFieldNote)
		}
		if created != "" && utf8.ValidString(created) {
			d.Metadata["created_date"] = clip(created, 40)
		}
	}
}

type htmlWriter struct {
	title, author, date string
	sections            []section
	current             section
	levels              []int
	b                   strings.Builder // the block in the making
	inList              int
}

// skipped elements have nothing to read in them.
var skipped = []atom.Atom{atom.Script, atom.Style, atom.Noscript, atom.Template, atom.Svg, atom.Nav, atom.Footer, atom.Iframe,
	atom.Object, atom.Select, atom.Button, atom.Canvas, atom.Audio, atom.Video, atom.Textarea}

// blocks end the paragraph before and after them.
var htmlBlocks = []atom.Atom{atom.P, atom.Div, atom.Section, atom.Article, atom.Main, atom.Header, atom.Aside, atom.Ul, atom.Ol, atom.Dl, atom.Blockquote,
	atom.Figure, atom.Figcaption, atom.Form, atom.Fieldset, atom.Body, atom.Hr, atom.Address, atom.Details, atom.Summary, atom.Center}

func (w *htmlWriter) walk(n *html.Node) {
	switch n.Type {
	case html.TextNode:
		w.text(n.Data)
		return
	case html.ElementNode:
		if w.element(n) {
			return
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		w.walk(c)
	}
}

// element handles an element; true says that its children are done with.
func (w *htmlWriter) element(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Title:
		if t := oneLine(strings.TrimSpace(plain(n))); t != "" {
			w.title = clip(t, maxNote)
		}
	case atom.Meta:
		switch name := strings.ToLower(attribute(n, "name") + attribute(n, "property")); name {
		case "author", "article:author":
			w.author = attribute(n, "content")
		case "date", "article:published_time", "dcterms.created":
			w.date = attribute(n, "content")
		}
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		w.heading(int(n.Data[1]-'0'), oneLine(strings.TrimSpace(plain(n))))
	case atom.Pre:
		w.endBlock(paragraph)
		if text := strings.Trim(plain(n), "\n"); strings.TrimSpace(text) != "" {
			w.current.blocks = append(w.current.blocks, block{text: "```\n" + text + "\n```", kind: code})
		}
	case atom.Table:
		if n.FirstChild == nil || hasBlocks(n) {
			return false // a table for the layout
		}
		w.endBlock(paragraph)
		if text := tableText(rowsOf(n)); text != "" {
			w.current.blocks = append(w.current.blocks, block{text: text, kind: table})
		}
	case atom.Li:
		w.listItem(n)
	case atom.Br:
		w.b.WriteByte('\n')
	case atom.Dt:
		w.endBlock(paragraph)
		return false
	case atom.Dd:
		w.b.WriteString("\n: ")
		return false
	default:
		if slices.Contains(skipped, n.DataAtom) || attribute(n, "hidden") != "" || attribute(n, "aria-hidden") == "true" {
			return true
		}
		if !slices.Contains(htmlBlocks, n.DataAtom) || w.inList > 0 {
			return false
		}
		w.endBlock(paragraph)
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			w.walk(c)
		}
		if n.DataAtom == atom.Ul || n.DataAtom == atom.Ol {
			w.endBlock(lines)
		} else {
			w.endBlock(paragraph)
		}
	}
	return true
}

func (w *htmlWriter) listItem(n *html.Node) {
	if w.b.Len() > 0 && !strings.HasSuffix(w.b.String(), "\n") {
		w.b.WriteByte('\n')
	}
	w.b.WriteString(strings.Repeat("  ", min(w.inList, 10)) + "- ")
	w.inList++
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		w.walk(c)
	}
	w.inList--
}

// text adds text, white space folded.
func (w *htmlWriter) text(s string) {
	folded := strings.Join(strings.Fields(s), " ")
	if folded == "" {
		if s != "" {
			w.space()
		}
		return
	}
	if strings.TrimLeftFunc(s, unicode.IsSpace) != s {
		w.space()
	}
	w.b.WriteString(folded)
	if strings.TrimRightFunc(s, unicode.IsSpace) != s {
		w.space()
	}
}

func (w *htmlWriter) space() {
	if s := w.b.String(); s != "" && s[len(s)-1] != ' ' && s[len(s)-1] != '\n' {
		w.b.WriteByte(' ')
	}
}

func (w *htmlWriter) endBlock(kind blockKind) {
	if text := strings.TrimSpace(w.b.String()); text != "" {
		w.current.blocks = append(w.current.blocks, block{text: text, kind: kind})
	}
	w.b.Reset()
}

func (w *htmlWriter) endSection() {
	if len(w.current.blocks) > 0 {
		w.sections = append(w.sections, w.current)
	}
}

func (w *htmlWriter) heading(level int, title string) {
	w.endBlock(paragraph)
	if title == "" {
		return
	}
	w.endSection()
	w.levels, w.current = under(w.levels, w.current.path, level, title)
}

// under begins a section with a heading below those of smaller level.
func under(levels []int, path []string, level int, title string) ([]int, section) {
	for len(levels) > 0 && levels[len(levels)-1] >= level {
		levels = levels[:len(levels)-1]
	}
	path = append(slices.Clone(path[:min(len(levels), len(path))]), title)
	return append(levels, level), section{path: path}
}

// plain is all text in a node.
func plain(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		} else if d.DataAtom == atom.Br {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			if a.Val == "" {
				return name
			}
			return a.Val
		}
	}
	return ""
}

// hasBlocks reports whether a table holds headings or other tables.
func hasBlocks(n *html.Node) bool {
	for d := range n.Descendants() {
		switch d.DataAtom {
		case atom.Table, atom.H1, atom.H2, atom.H3, atom.Pre:
			return true
		}
	}
	return false
}

func rowsOf(n *html.Node) (rows [][]string) {
	for d := range n.Descendants() {
		switch d.DataAtom {
		case atom.Tr:
			rows = append(rows, nil)
		case atom.Td, atom.Th:
			if len(rows) > 0 {
				rows[len(rows)-1] = append(rows[len(rows)-1], plain(d))
			}
		}
	}
	return rows
}

// tableText writes rows as a table in Markdown, the first row as its head.
func tableText(rows [][]string) string {
	var b strings.Builder
	for i, row := range rows {
		if len(row) == 0 {
			continue
		}
		for _, cell := range row {
			b.WriteString("| " + strings.ReplaceAll(strings.Join(strings.Fields(cell), " "), "|", `\|`) + " ")
		}
		b.WriteString("|\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	return strings.TrimRight(b.String(), "\n")
}
