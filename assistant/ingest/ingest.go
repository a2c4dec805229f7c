// Package ingest turns files into documents: a text for people, search and
// models, metadata to filter by, and for operations of an API their
// machine-readable form.
//
//	source, err := ingest.Parse(ctx, "openapi.yaml", file, ingest.Options{})
//	if err != nil { … }  // an *ingest.Error says file, line and column
//	for _, d := range source.Documents {
//		fmt.Println(d.Metadata["endpoint"], len(d.Content))
//	}
//
// It reads OpenAPI 2.0, 3.0 and 3.1 in JSON and YAML, GraphQL schemas, Postman
// collections 2.0 and 2.1, Markdown, plain text, JSON, CSV, HTML, PDF and DOCX,
// and zip and tar archives of them; Options.Readers adds others. The metadata
// keys are the same for all formats: source (the format), source_file,
// content_type, title, chunk_index, chunk_count; an operation has endpoint,
// method, path, operation_id, summary, tags, api_title and others
// (docs/ingest.md has them all).
//
// Files are untrusted. Size, depth and number of values are bounded before
// anything is built of them. References are followed inside the given files
// only and to a bounded depth; nothing is ever fetched or read beside the given
// bytes. A broken part costs what depends on it, and is a warning; a file of
// which nothing can be said is an error.
//
// The OpenAPI reader is our own, over a generic tree. pb33f/libopenapi and
// getkin/kin-openapi were measured on real and sloppy files (docs/ingest.md):
// both give up a whole file for one broken reference, wrong type or cycle, where
// users want the operations that are there and a warning.
package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// Options bound and steer parsing. The zero value is usable.
type Options struct {
	// Format says what the file is; empty means that it is detected by its content,
	// then by the extension of its name. Files in an archive are always detected.
	Format Format
	// Mode limits what is detected.
	Mode Mode
	// Readers are tried before the built-in ones, in their order. One with the
	// Format of a built-in reader replaces it.
	Readers []Reader
	// MaxBytes bounds the size of a file. 0 means DefaultMaxBytes. The files of an
	// archive may have four times as much together, but no more than 128 MiB or
	// MaxBytes, whichever is more.
	MaxBytes int64
	// MaxDocumentBytes bounds the content of a document. 0 means
	// DefaultMaxDocumentBytes; less than 500 means 500.
	MaxDocumentBytes int
	// Progress is called now and then with how many of a file's parts (operations,
	// requests, types) are done. It is called by the goroutine that called Parse,
	// and must return soon. nil means that nobody wants to know.
	Progress func(file string, done, total int)
}

// Limits that hold where Options set none.
const (
	DefaultMaxBytes         = 64 << 20
	DefaultMaxDocumentBytes = 8000
)

func (o Options) withDefaults() Options {
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxDocumentBytes <= 0 {
		o.MaxDocumentBytes = DefaultMaxDocumentBytes
	}
	o.MaxDocumentBytes = max(o.MaxDocumentBytes, 500)
	return o
}

// progress reports every 64th part and the last one.
func (o Options) progress(file string, done, total int) {
	if o.Progress != nil && (done%64 == 0 || done == total) {
		o.Progress(file, done, total)
	}
}

// Source is what a file became.
type Source struct {
	Name   string
	Format Format // Archive for one with files of several formats
	// PartOf is the name of the file that refers to this one and has its content
	// among its documents; the file itself has none then.
	PartOf    string
	Documents []vectorstore.Document
	Warnings  []Warning
}

// Warning tells of something that was left out or repaired.
type Warning struct {
	Where   string // JSON pointer, "file#pointer" in another file, or empty
	Message string
}

func (w Warning) String() string {
	if w.Where == "" {
		return w.Message
	}
	return w.Where + ": " + w.Message
}

// The kinds of Error, to be tested with errors.Is.
var (
	ErrEmpty       = errors.New("the file is empty")
	ErrTooLarge    = errors.New("the file is too large")
	ErrEncoding    = errors.New("the file is not readable text")
	ErrSyntax      = errors.New("the file is malformed")
	ErrEncrypted   = errors.New("the file is encrypted")
	ErrUnsupported = errors.New("the format is not supported")
)

// Error says why a file could not be read, and where.
type Error struct {
	File         string // its name
	Line, Column int    // from 1; 0 if there is no such place
	Pointer      string // JSON pointer; empty if there is no such place
	Reason       string // a sentence; may be empty
	Err          error  // one of the errors of this package
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
		if e.Column > 0 {
			fmt.Fprintf(&b, ":%d", e.Column)
		}
	}
	if e.Pointer != "" {
		fmt.Fprintf(&b, " at %s", e.Pointer)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	if e.Reason != "" {
		b.WriteString(": " + e.Reason)
	}
	return b.String()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Input is one file of an upload.
type Input struct {
	// Name is the name of the source; with slashes, it is also the place from
	// which relative references start.
	Name    string
	Content io.Reader // read to its end, not closed
	Format  Format    // empty: that of the Options
	Mode    Mode      // empty: that of the Options
}

// Parse reads a file to its end and makes documents of it. name is the name of
// the source; its extension helps to detect the format. An archive is one
// source with the documents of all its files. The error is an *Error, that of
// the reader, or that of the context.
func Parse(ctx context.Context, name string, r io.Reader, o Options) (Source, error) {
	sources, err := ParseFiles(ctx, []Input{{Name: name, Content: r}}, o)
	if err != nil {
		return Source{}, err
	}
	return sources[0], nil
}

// ParseFiles parses the files of one upload, which may refer to each other by
// relative references, and returns one source for each, in their order. Names
// without directories also resolve references with directories, as uploads
// often lose them. A file that is only a part of an API description in another
// one has no documents; see Source.PartOf. After an error there are no sources.
func ParseFiles(ctx context.Context, inputs []Input, o Options) ([]Source, error) {
	o = o.withDefaults()
	set := newFileSet()
	files := make([]*File, len(inputs))
	for i, in := range inputs {
		content, err := read(in.Name, in.Content, o)
		if err != nil {
			return nil, err
		}
		files[i] = set.add(&File{Name: in.Name, Content: content}, in.Name)
	}
	out := make([]Source, len(files))
	for i := range inLoadOrder(files) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		each := o
		if inputs[i].Format != "" {
			each.Format = inputs[i].Format
		}
		if inputs[i].Mode != "" {
			each.Mode = inputs[i].Mode
		}
		s, err := parse(ctx, files[i], each)
		if err != nil {
			return nil, err
		}
		s.finish()
		out[i] = s
	}
	return out, nil
}

// read reads all that is given, within the limit.
func read(name string, r io.Reader, o Options) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, o.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("ingest: reading %s: %w", name, err)
	}
	if int64(len(content)) > o.MaxBytes {
		return nil, &Error{File: name, Err: ErrTooLarge, Reason: fmt.Sprintf("at most %d bytes are read", o.MaxBytes)}
	}
	return content, nil
}

// parse reads one file of a set.
func parse(ctx context.Context, f *File, o Options) (Source, error) {
	if len(f.Content) == 0 {
		return Source{}, &Error{File: f.Name, Err: ErrEmpty}
	}
	if isArchive(f.Content) {
		return parseArchive(ctx, f, o)
	}
	if f.partOf != "" && o.Format == "" {
		return Source{Name: f.Name, Format: OpenAPI, PartOf: f.partOf,
			Warnings: []Warning{{Message: "is a part of " + f.partOf + " and has no documents of its own"}}}, nil
	}
	r, err := o.find(f)
	if err != nil {
		return Source{}, err
	}
	s, err := r.Parse(ctx, f, o)
	if err != nil {
		return Source{}, err
	}
	if len(s.Documents) == 0 {
		return Source{}, &Error{File: f.Name, Err: ErrEmpty, Reason: "there is nothing to read in it"}
	}
	s.Name, s.Format = f.Name, r.Format
	return s, nil
}

// finish completes what all documents have in common.
func (s *Source) finish() {
	for i := range s.Documents {
		d := &s.Documents[i]
		d.Source = s.Name
		d.Content = strings.ToValidUTF8(d.Content, "\ufffd") // a reader's own may be careless
		d.ID = documentID(s.Name, d.Pointer, d.Content)
		if d.Metadata == nil {
			d.Metadata = make(map[string]any)
		}
		setDefault(d.Metadata, "source", string(s.Format))
		d.Metadata["source_file"] = s.Name
		setDefault(d.Metadata, "content_type", "section")
		setDefault(d.Metadata, "title", s.Name)
		setDefault(d.Metadata, "chunk_index", 0)
		setDefault(d.Metadata, "chunk_count", 1)
	}
}

func setDefault(m map[string]any, key string, value any) {
	if _, ok := m[key]; !ok {
		m[key] = value
	}
}

// documentID is 128 bits of the SHA-256 of the length-prefixed parts, in
// hexadecimal.
func documentID(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(p)))
		h.Write(size[:])
		io.WriteString(h, p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
