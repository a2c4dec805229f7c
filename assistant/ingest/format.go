package ingest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
)

// Format is a kind of file.
type Format string

// The built-in formats. The zero value means that the format is detected.
const (
	OpenAPI  Format = "openapi" // also Swagger 2.0
	GraphQL  Format = "graphql" // a schema in SDL
	Postman  Format = "postman" // a collection, 2.0 or 2.1
	Markdown Format = "markdown"
	Text     Format = "text"
	JSON     Format = "json" // any JSON or YAML
	CSV      Format = "csv"  // also with semicolons or tabs
	HTML     Format = "html"
	PDF      Format = "pdf"
	DOCX     Format = "docx"
	Archive  Format = "archive" // zip, tar, tar.gz; only in Source.Format
)

// Mode limits the detection of formats.
type Mode string

// The modes. The zero value detects every format.
const (
	APISpec         Mode = "api_spec"         // descriptions of APIs only; another file is an error
	GeneralDocument Mode = "general_document" // no API is read from the file: JSON is data, whatever it describes
)

// Reader reads one format.
type Reader struct {
	Format Format
	// API says that the format describes an API; see Mode.
	API bool
	// Extensions are the ends of names that files of the format have, in lower
	// case and without the dot.
	Extensions []string
	// Detect reports whether a file has the format, by its content. nil means
	// that only the extension tells.
	Detect func(f *File) bool
	// Parse makes documents. Of a document it sets Pointer (the place in the file,
	// unique in it together with the content), Content, Metadata and Data; the rest
	// is set by the caller. Errors are of type *Error or those of the context. The
	// limits of o are set.
	Parse func(ctx context.Context, f *File, o Options) (Source, error)
}

// builtin returns the readers of the built-in formats, in the order in which
// their Detect is asked.
func builtin() []Reader {
	return []Reader{
		{Format: PDF, Extensions: []string{"pdf"}, Detect: isPDF, Parse: parsePDF},
		{Format: DOCX, Extensions: []string{"docx"}, Detect: isDOCX, Parse: parseDOCX},
		{Format: OpenAPI, API: true, Detect: isOpenAPI, Parse: parseOpenAPI},
		{Format: Postman, API: true, Detect: isPostman, Parse: parsePostman},
		{Format: JSON, Extensions: []string{"json", "yaml", "yml"}, Detect: isData, Parse: parseData},
		{Format: HTML, Extensions: []string{"html", "htm", "xhtml"}, Detect: isHTML, Parse: parseHTML},
		{Format: GraphQL, API: true, Extensions: []string{"graphql", "graphqls", "gql"}, Detect: isGraphQL, Parse: parseGraphQL},
		{Format: Markdown, Extensions: []string{"md", "markdown", "mdx"}, Parse: parseMarkdown},
		{Format: CSV, Extensions: []string{"csv", "tsv"}, Parse: parseCSV},
		{Format: Text, Extensions: []string{"txt", "text", "log", "rst", ""}, Parse: parsePlain},
	}
}

// AllReaders returns the readers that Parse tries with these options: those of
// Options.Readers, then the built-in ones.
func (o Options) AllReaders() []Reader {
	out := slices.Clone(o.Readers)
	for _, r := range builtin() {
		if !slices.ContainsFunc(o.Readers, func(own Reader) bool { return own.Format == r.Format }) {
			out = append(out, r)
		}
	}
	return out
}

// find chooses the reader for a file.
func (o Options) find(f *File) (Reader, error) {
	readers := o.AllReaders()
	if o.Format != "" {
		for _, r := range readers {
			if r.Format == o.Format {
				return r, nil
			}
		}
		return Reader{}, &Error{File: f.Name, Err: ErrUnsupported, Reason: fmt.Sprintf("the format %q is unknown; use one of: %s", o.Format, formats(readers))}
	}
	r, err := o.detect(f, readers)
	if err == nil && o.Mode == APISpec && !r.API {
		return Reader{}, &Error{File: f.Name, Err: ErrUnsupported, Reason: fmt.Sprintf("it is read as %s, which describes no API", r.Format)}
	}
	return r, err
}

func (o Options) detect(f *File, readers []Reader) (Reader, error) {
	wanted := func(r Reader) bool { return !r.API || o.Mode != GeneralDocument }
	for _, r := range o.Readers {
		if r.Detect != nil && wanted(r) && r.Detect(f) {
			return r, nil
		}
	}
	if !isPDF(f) && !isDOCX(f) { // what all others are: text
		if _, err := f.Text(); err != nil && f.extension() != "html" && f.extension() != "htm" {
			return Reader{}, err
		}
		if f.structured() {
			if _, err := f.tree(); err != nil {
				return Reader{}, err
			}
		}
	}
	for _, r := range readers {
		if r.Detect != nil && wanted(r) && r.Detect(f) {
			return r, nil
		}
	}
	for _, r := range readers {
		if wanted(r) && slices.Contains(r.Extensions, f.extension()) {
			return r, nil
		}
	}
	if o.Mode == GeneralDocument && f.extension() != "" {
		for _, r := range readers { // a schema, say, that shall not be read as an API
			if r.Format == Text && slices.ContainsFunc(readers, func(r Reader) bool { return slices.Contains(r.Extensions, f.extension()) }) {
				return r, nil
			}
		}
	}
	return Reader{}, &Error{File: f.Name, Err: ErrUnsupported, Reason: "these are read: " + formats(readers)}
}

func formats(readers []Reader) string {
	var names []string
	for _, r := range readers {
		names = append(names, string(r.Format))
	}
	return strings.Join(names, ", ")
}

// structured reports whether a file is meant to be JSON or YAML: by its name, or
// if that says nothing by how it begins.
func (f *File) structured() bool {
	switch f.extension() {
	case "json", "yaml", "yml":
		return true
	case "", "txt":
		text, _ := f.Text()
		start := strings.TrimLeft(text[:min(len(text), 4096)], " \t\r\n")
		return strings.HasPrefix(start, "{") || strings.HasPrefix(start, "openapi:") || strings.HasPrefix(start, "swagger:")
	}
	return false
}

// The detectors that need the tree of a file.

func (f *File) treeOf() *node {
	if !f.structured() {
		return nil
	}
	root, err := f.tree()
	if err != nil {
		return nil
	}
	return root
}

func isOpenAPI(f *File) bool {
	root := f.treeOf()
	if root.get("openapi") != nil || root.get("swagger") != nil {
		return true
	}
	paths, found := root.get("paths"), false
	paths.each(func(key string, _ *node) { found = found || strings.HasPrefix(key, "/") })
	return found
}

func isPostman(f *File) bool {
	root := f.treeOf()
	if root.get("collection") != nil {
		root = root.get("collection") // as the API of Postman exports it
	}
	return strings.Contains(root.at("info", "schema").string(), "getpostman.com") ||
		root.at("info", "_postman_id") != nil || root.at("info", "name") != nil && root.get("item").items() != nil
}

func isData(f *File) bool {
	root := f.treeOf()
	return root != nil && (root.kind == object || root.kind == list)
}

func isPDF(f *File) bool {
	return bytes.Contains(f.Content[:min(len(f.Content), 1024)], []byte("%PDF-"))
}
