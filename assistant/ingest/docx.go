package ingest

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// isDOCX also recognises a DOCX file with a password, which is no zip file.
func isDOCX(f *File) bool {
	if bytes.HasPrefix(f.Content, []byte(oleMark)) {
		return f.extension() == "docx" || f.extension() == "doc"
	}
	return bytes.HasPrefix(f.Content, []byte("PK\x03\x04")) && bytes.Contains(f.Content, []byte("word/document.xml"))
}

const oleMark = "\xd0\xcf\x11\xe0"

// Limits of the XML in a DOCX file: text does not shrink to a fiftieth.
const (
	maxXML        = 32 << 20
	maxRatio      = 50
	ratioFreeSize = 1 << 20
)

// parseDOCX makes a document of each section of a Word file.
func parseDOCX(ctx context.Context, f *File, o Options) (Source, error) {
	if bytes.HasPrefix(f.Content, []byte(oleMark)) {
		return Source{}, &Error{File: f.Name, Err: ErrEncrypted, Reason: "it is protected by a password, or is an old .doc file; save it as .docx without a password"}
	}
	z, err := zip.NewReader(bytes.NewReader(f.Content), int64(len(f.Content)))
	if err != nil {
		return Source{}, &Error{File: f.Name, Err: ErrSyntax, Reason: "it is no DOCX file, or a damaged one"}
	}
	w := docxReader{ctx: ctx, levels: map[string]int{"Title": 1}, title: f.base()}
	if err := readPart(z, "word/styles.xml", o.MaxBytes, w.styles); err != nil && !errors.Is(err, errNoPart) {
		return Source{}, docxError(f.Name, err)
	}
	if err := readPart(z, "docProps/core.xml", o.MaxBytes, w.properties); err != nil && !errors.Is(err, errNoPart) {
		return Source{}, docxError(f.Name, err)
	}
	if err := readPart(z, "word/document.xml", o.MaxBytes, w.body); err != nil {
		return Source{}, docxError(f.Name, err)
	}
	w.endSection()
	s := Source{Documents: sectionDocuments(w.sections, o.MaxDocumentBytes, w.title)}
	describe(s.Documents, w.author, w.created)
	return s, nil
}

var errNoPart = errors.New("is missing")

// readPart gives the XML of a part to read.
func readPart(z *zip.Reader, name string, maxBytes int64, read func(*xml.Decoder) error) error {
	for _, part := range z.File {
		if part.Name != name {
			continue
		}
		in, err := part.Open()
		if err != nil {
			return fmt.Errorf("%s cannot be unpacked", name)
		}
		defer in.Close()
		left := min(maxBytes, maxXML, max(int64(part.CompressedSize64)*maxRatio, ratioFreeSize))
		d := xml.NewDecoder(&budget{in: in, left: &left})
		d.Strict = false
		if err := read(d); err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	return fmt.Errorf("%s %w", name, errNoPart)
}

func docxError(name string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	e := &Error{File: name, Err: ErrSyntax, Reason: err.Error()}
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, errBudget):
		e.Err, e.Reason = ErrTooLarge, "its XML unpacks to more than is allowed"
	case errors.As(err, &syntax):
		e.Line, e.Reason = syntax.Line, strings.TrimPrefix(err.Error(), fmt.Sprintf("XML syntax error on line %d: ", syntax.Line))
	}
	return e
}

type docxReader struct {
	ctx             context.Context
	levels          map[string]int // of heading styles
	title           string
	author, created string
	sections        []section
	current         section
	headings        []int // levels of the headings in the path
	items           []string
}

// styles finds out which styles are headings; their ids depend on the language.
func (w *docxReader) styles(d *xml.Decoder) error {
	id := ""
	for {
		token, err := d.RawToken()
		if err != nil {
			return err
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "style":
			id = attr(start, "styleId")
		case "name":
			if level, found := strings.CutPrefix(strings.ToLower(attr(start, "val")), "heading "); found {
				if n, err := strconv.Atoi(level); err == nil && n >= 1 && n <= 9 {
					w.levels[id] = n
				}
			}
		}
	}
}

// properties reads the title, author and date of the file.
func (w *docxReader) properties(d *xml.Decoder) error {
	in := ""
	for {
		token, err := d.RawToken()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			in = t.Name.Local
		case xml.EndElement:
			in = ""
		case xml.CharData:
			switch text := strings.TrimSpace(string(t)); {
			case text == "":
			case in == "title":
				w.title = clip(oneLine(text), maxNote)
			case in == "creator":
				w.author = text
			case in == "created":
				w.created = text
			}
		}
	}
}

// docxParagraph is a paragraph in the making.
type docxParagraph struct {
	text  strings.Builder
	style string
	item  bool // of a list
	level int  // outline level that the paragraph itself declares
}

// body reads the paragraphs and tables of the document.
func (w *docxReader) body(d *xml.Decoder) error {
	var (
		p      docxParagraph
		rows   [][]string
		cell   strings.Builder
		tables int // nested
	)
	for n := 0; ; n++ {
		if n%4096 == 0 && w.ctx.Err() != nil {
			return w.ctx.Err()
		}
		token, err := d.RawToken()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "Fallback", "instrText", "delText", "footnoteReference":
				if err := skipElement(d); err != nil {
					return err
				}
			case "t":
				if err := readText(d, &p.text); err != nil {
					return err
				}
			case "tab":
				p.text.WriteByte(' ')
			case "br", "cr":
				p.text.WriteByte('\n')
			case "pStyle":
				p.style = attr(t, "val")
			case "numPr":
				p.item = true
			case "outlineLvl":
				if level, err := strconv.Atoi(attr(t, "val")); err == nil && level >= 0 && level < 9 {
					p.level = level + 1
				}
			case "tbl":
				if tables++; tables == 1 {
					w.endItems()
					rows = nil
				}
			case "tr":
				if tables == 1 {
					rows = append(rows, nil)
				}
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "p":
				if tables > 0 {
					cell.WriteString(p.text.String() + " ")
				} else {
					w.paragraph(&p)
				}
				p = docxParagraph{}
			case "tc":
				if tables == 1 && len(rows) > 0 {
					rows[len(rows)-1] = append(rows[len(rows)-1], cell.String())
					cell.Reset()
				}
			case "tbl":
				if tables--; tables == 0 {
					if text := tableText(rows); text != "" {
						w.current.blocks = append(w.current.blocks, block{text: text, kind: table})
					}
				}
			}
		}
	}
}

// readText reads the characters of a w:t element.
func readText(d *xml.Decoder, into *strings.Builder) error {
	for {
		token, err := d.RawToken()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.CharData:
			into.Write(bytes.ToValidUTF8(t, []byte("\ufffd")))
		case xml.StartElement:
			if err := skipElement(d); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		}
	}
}

// skipElement reads up to the end of the element that has just begun. Decoder.Skip
// does not go together with RawToken, which takes half the time of Token.
func skipElement(d *xml.Decoder) error {
	for depth := 1; depth > 0; {
		token, err := d.RawToken()
		if err != nil {
			return err
		}
		switch token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
	}
	return nil
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// paragraph adds a paragraph: a heading, an item of a list, or text.
func (w *docxReader) paragraph(p *docxParagraph) {
	text := strings.TrimSpace(p.text.String())
	level := w.levels[p.style]
	if level == 0 {
		level = p.level
	}
	switch {
	case text == "":
	case level > 0:
		w.endItems()
		w.flush()
		w.headings, w.current = under(w.headings, w.current.path, level, oneLine(text))
	case p.item:
		w.items = append(w.items, "- "+text)
	default:
		w.endItems()
		w.current.blocks = append(w.current.blocks, block{text: text})
	}
}

func (w *docxReader) endItems() {
	if len(w.items) > 0 {
		w.current.blocks = append(w.current.blocks, block{text: strings.Join(w.items, "\n"), kind: lines})
		w.items = nil
	}
}

func (w *docxReader) flush() {
	if len(w.current.blocks) > 0 {
		w.sections = append(w.sections, w.current)
	}
}

func (w *docxReader) endSection() {
	w.endItems()
	w.flush()
}
