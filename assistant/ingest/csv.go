package ingest

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// Limits of a table.
const (
	maxColumns = 1000
	maxRows    = 1_000_000
)

// parseCSV makes a document of each run of rows. Each row names its columns, so
// that it can be understood and found by itself.
func parseCSV(ctx context.Context, f *File, o Options) (Source, error) {
	text, err := f.Text()
	if err != nil {
		return Source{}, err
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes, r.ReuseRecord = separator(text, f.extension()), -1, true, true
	head, err := r.Read()
	if err != nil {
		return Source{}, csvError(f.Name, err)
	}
	if len(head) > maxColumns {
		return Source{}, &Error{File: f.Name, Line: 1, Err: ErrTooLarge, Reason: fmt.Sprintf("it has more than %d columns", maxColumns)}
	}
	w := newRowWriter(f, head, o.MaxDocumentBytes)
	for n := 1; ; n++ {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Source{}, csvError(f.Name, err)
		}
		if n > maxRows {
			return Source{}, &Error{File: f.Name, Line: n, Err: ErrTooLarge, Reason: fmt.Sprintf("it has more than %d rows", maxRows)}
		}
		if n%1024 == 0 && ctx.Err() != nil {
			return Source{}, ctx.Err()
		}
		w.add(n, row)
	}
	w.flush()
	if len(w.out.Documents) == 0 { // a head without rows still says what the columns are
		w.run.WriteString("(no rows)\n")
		w.flush()
	}
	return w.out, nil
}

func csvError(name string, err error) error {
	e := &Error{File: name, Err: ErrSyntax, Reason: err.Error()}
	var p *csv.ParseError
	switch {
	case errors.As(err, &p):
		e.Line, e.Column, e.Reason = p.Line, p.Column, p.Err.Error()
	case errors.Is(err, io.EOF):
		e.Err, e.Reason = ErrEmpty, ""
	}
	return e
}

// separator is the one that the first line has most of.
func separator(text, extension string) rune {
	first, _, _ := strings.Cut(text, "\n")
	best := ','
	if extension == "tsv" {
		best = '\t'
	}
	for _, c := range ";\t|" {
		if strings.Count(first, string(c)) > strings.Count(first, string(best)) {
			best = c
		}
	}
	return best
}

type rowWriter struct {
	file    *File
	columns []string
	names   []any
	head    string
	most    int
	run     strings.Builder
	start   int // first row of the run, from 1
	rows    int
	out     Source
}

func newRowWriter(f *File, head []string, most int) *rowWriter {
	w := &rowWriter{file: f, most: most, start: 1}
	for i, name := range head {
		if name = oneLine(strings.TrimSpace(name)); name == "" {
			name = fmt.Sprintf("column %d", i+1)
		}
		name = clip(name, 100)
		w.columns, w.names = append(w.columns, name), append(w.names, name)
	}
	w.head = clip("Columns: "+strings.Join(w.columns, ", "), most/4) + "\n"
	return w
}

// add appends a row. One longer than a document goes on in further ones.
func (w *rowWriter) add(n int, row []string) {
	var b strings.Builder
	for i, cell := range row {
		if cell = oneLine(strings.TrimSpace(cell)); cell == "" {
			continue
		}
		name := fmt.Sprintf("column %d", i+1)
		if i < len(w.columns) {
			name = w.columns[i]
		}
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		b.WriteString(name + ": " + cell)
	}
	line := b.String() + "\n"
	if b.Len() == 0 {
		return
	}
	room := w.most - len(w.head)
	if w.run.Len() > 0 && w.run.Len()+len(line) > min(room, chunkBytes) {
		w.flush()
	}
	if w.rows == 0 {
		w.start = n
	}
	w.rows++
	for len(line) > room {
		cut := cutAt(line, room)
		w.run.WriteString(line[:cut])
		line = line[cut:]
		w.flush()
		w.start, w.rows = n, 1
	}
	w.run.WriteString(line)
}

func (w *rowWriter) flush() {
	if w.run.Len() > 0 {
		w.out.Documents = append(w.out.Documents, vectorstore.Document{
			Pointer: fmt.Sprintf("/rows/%d/%d", w.start, len(w.out.Documents)), Content: w.head + strings.TrimRight(w.run.String(), "\n"),
			Metadata: map[string]any{"content_type": "table", "title": w.file.base(), "columns": w.names, "row_start": w.start, "row_count": w.rows},
		})
	}
	w.run.Reset()
	w.rows = 0
}
