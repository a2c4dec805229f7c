package ingest

import (
	"context"
	"errors"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/internal/pdf"
)

// parsePDF makes a document of each page, several if it is long.
func parsePDF(ctx context.Context, f *File, o Options) (Source, error) {
	document, err := readPDF(ctx, f.Content)
	if err != nil {
		if ctx.Err() != nil {
			return Source{}, ctx.Err()
		}
		e := &Error{File: f.Name, Err: ErrSyntax, Reason: err.Error()}
		for from, to := range map[error]error{pdf.ErrEncrypted: ErrEncrypted, pdf.ErrMalformed: ErrSyntax, pdf.ErrTooLarge: ErrTooLarge} {
			if errors.Is(err, from) {
				e.Err, e.Reason = to, strings.TrimPrefix(strings.TrimPrefix(err.Error(), from.Error()), ": ")
			}
		}
		return Source{}, e
	}
	title := f.base()
	if document.Title != "" {
		title = clip(oneLine(document.Title), maxNote)
	}
	var sections []section
	for i, text := range document.Pages {
		if blocks := paragraphs(text); len(blocks) > 0 {
			for b := range blocks {
				blocks[b].start, blocks[b].end = 0, 0 // lines of a page are no lines of a file
			}
			sections = append(sections, section{blocks: blocks, page: i + 1})
		}
	}
	if len(sections) == 0 {
		return Source{}, &Error{File: f.Name, Err: ErrEmpty, Reason: "there is no text on its pages; it may be a scan"}
	}
	s := Source{Documents: sectionDocuments(sections, o.MaxDocumentBytes, title)}
	for _, d := range s.Documents {
		d.Metadata["page_count"] = len(document.Pages)
		d.Metadata["content_type"] = "page"
	}
	describe(s.Documents, document.Author, document.Created)
	return s, nil
}

// readPDF turns a panic of the reader into an error. None is known, but the files
// come from anywhere.
func readPDF(ctx context.Context, content []byte) (d pdf.Document, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = pdf.ErrMalformed
		}
	}()
	return pdf.Read(ctx, content)
}
