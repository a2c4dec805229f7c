package ingest

import (
	"context"
	"strings"
)

// parsePlain reads plain text: paragraphs, joined to chunks.
func parsePlain(_ context.Context, f *File, o Options) (Source, error) {
	text, err := f.Text()
	if err != nil {
		return Source{}, err
	}
	return Source{Documents: sectionDocuments([]section{{blocks: paragraphs(text)}}, o.MaxDocumentBytes, f.base())}, nil
}

// paragraphs cuts a text at blank lines.
func paragraphs(text string) (out []block) {
	var b strings.Builder
	line, start := 0, 0
	end := func() {
		if b.Len() > 0 {
			out = append(out, block{text: strings.TrimRight(b.String(), "\r\n"), start: start, end: line - 1})
			b.Reset()
		}
	}
	for l := range strings.Lines(text) {
		line++
		if strings.TrimSpace(l) == "" {
			end()
			continue
		}
		if b.Len() == 0 {
			start = line
		}
		b.WriteString(l)
	}
	line++
	end()
	return out
}
