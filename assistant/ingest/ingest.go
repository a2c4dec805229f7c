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
// It reads OpenAPI 2.0, 3.0 and 3.1 in JSON and YAML, Markdown and plain text.
// The metadata keys are the same for all formats: source (the format),
// source_file, content_type, title, chunk_index, chunk_count; an operation has
// endpoint, method, path, operation_id, summary, tags, api_title and others.
//
// Files are untrusted. Size, depth and number of nodes are bounded before
// anything is built of them, references are followed inside the file only and to
// a bounded depth, and nothing is ever fetched or read beside the given bytes.
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
	"path"
	"strings"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// Format is a kind of file.
type Format string

// The formats. The zero value means that the format is detected.
const (
	OpenAPI  Format = "openapi" // also Swagger 2.0
	Markdown Format = "markdown"
	Text     Format = "text"
)

// Options bound and steer parsing. The zero value is usable.
type Options struct {
	// Format says what the file is; empty means that it is detected by its content,
	// then by the extension of its name.
	Format Format
	// MaxBytes bounds the size of a file. 0 means DefaultMaxBytes.
	MaxBytes int64
	// MaxDocumentBytes bounds the content of a document. 0 means
	// DefaultMaxDocumentBytes; less than 500 means 500.
	MaxDocumentBytes int
}

// Limits that hold where Options set none.
const (
	DefaultMaxBytes         = 64 << 20
	DefaultMaxDocumentBytes = 8000
)

// Source is what a file became.
type Source struct {
	Name      string
	Format    Format
	Documents []vectorstore.Document
	Warnings  []Warning
}

// Warning tells of something that was left out or repaired.
type Warning struct {
	Where   string // JSON pointer, or empty
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

// Parse reads a file to its end and makes documents of it. name is the name of
// the source; its extension helps to detect the format. The error is an *Error,
// that of the reader, or that of the context.
func Parse(ctx context.Context, name string, r io.Reader, o Options) (Source, error) {
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxDocumentBytes <= 0 {
		o.MaxDocumentBytes = DefaultMaxDocumentBytes
	}
	o.MaxDocumentBytes = max(o.MaxDocumentBytes, 500)
	raw, err := io.ReadAll(io.LimitReader(r, o.MaxBytes+1))
	if err != nil {
		return Source{}, fmt.Errorf("ingest: reading %s: %w", name, err)
	}
	if int64(len(raw)) > o.MaxBytes {
		return Source{}, &Error{File: name, Err: ErrTooLarge, Reason: fmt.Sprintf("at most %d bytes are read", o.MaxBytes)}
	}
	text, err := decodeText(name, raw)
	if err != nil {
		return Source{}, err
	}
	if err := ctx.Err(); err != nil {
		return Source{}, err
	}
	s, err := parse(ctx, name, text, o)
	if err != nil {
		return Source{}, err
	}
	s.finish()
	return s, nil
}

// parse finds the parser for a text.
func parse(ctx context.Context, name, text string, o Options) (Source, error) {
	extension := strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
	structured := o.Format == OpenAPI || o.Format == "" && looksStructured(text, extension)
	switch {
	case structured:
		root, err := parseTree(name, text, extension)
		if err != nil {
			return Source{}, err
		}
		if root.get("openapi") == nil && root.get("swagger") == nil && root.get("paths") == nil {
			return Source{}, &Error{File: name, Err: ErrUnsupported,
				Reason: `it has neither "openapi" nor "swagger" at the top; only OpenAPI is read from JSON and YAML`}
		}
		return parseOpenAPI(ctx, name, root, o)
	case o.Format == Markdown, o.Format == "" && (extension == "md" || extension == "markdown"):
		return parseProse(name, text, Markdown, o), nil
	case o.Format == Text, o.Format == "" && (extension == "txt" || extension == ""):
		return parseProse(name, text, Text, o), nil
	case o.Format == "":
		return Source{}, &Error{File: name, Err: ErrUnsupported,
			Reason: "OpenAPI (JSON, YAML), Markdown and plain text are read"}
	}
	return Source{}, &Error{File: name, Err: ErrUnsupported, Reason: fmt.Sprintf("unknown format %q; use openapi, markdown or text", o.Format)}
}

// looksStructured reports whether a file is JSON or YAML.
func looksStructured(text, extension string) bool {
	switch extension {
	case "json", "yaml", "yml":
		return true
	case "md", "markdown", "html", "csv":
		return false
	}
	start := strings.TrimSpace(text[:min(len(text), 4096)])
	return strings.HasPrefix(start, "{") || strings.HasPrefix(start, "openapi:") || strings.HasPrefix(start, "swagger:")
}

// finish completes what all documents have in common.
func (s *Source) finish() {
	for i := range s.Documents {
		d := &s.Documents[i]
		d.Source = s.Name
		d.ID = documentID(s.Name, d.Pointer, d.Content)
		d.Metadata["source"] = string(s.Format)
		d.Metadata["source_file"] = s.Name
		if _, ok := d.Metadata["chunk_index"]; !ok {
			d.Metadata["chunk_index"], d.Metadata["chunk_count"] = 0, 1
		}
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
