// Package diagram draws what a specification says as Mermaid 11 text: the course
// of a request, a way to authenticate, the entities of a schema, and an API as a
// whole.
//
//	d := diagram.Sequence(operation)            // *apispec.Operation
//	fmt.Println(d.Code)                         // sequenceDiagram …
//	d, err := diagram.ER(sdl, []string{"Order"}) // GraphQL, OpenAPI or JSON Schema
//	if err != nil { … }                         // an *ingest.Error: line and column, or JSON pointer
//	d, err = diagram.AuthFlow(diagram.OAuth2, []string{"POST /orders"})
//	d = diagram.Overview("Shop", []diagram.Endpoint{{Method: "GET", Path: "/orders"}})
//
// Nothing is invented: what is drawn stands in the specification, and what does
// not stand there is said to be missing. Equal input gives equal text.
//
// Names come from strangers. Every text passes one function (escape) that keeps
// letters, digits and a few harmless signs and writes all others as Mermaid's
// entity codes, so that no name ends a label, begins a comment or a directive,
// or becomes a statement; identifiers are made by this package. The price is that
// the source of a diagram with unusual names is harder to read than its picture.
//
// A diagram is bounded, as Mermaid draws at most 50,000 characters and 500 edges
// and people read far less. What was left out is named in Diagram.Omitted.
package diagram

import (
	"fmt"
	"strings"
)

// Diagram is a drawing in Mermaid's language.
type Diagram struct {
	Type  string `json:"diagram_type"` // sequence, er or flowchart
	Code  string `json:"mermaid_code"` // less than 50,000 characters
	Title string `json:"title"`        // plain text, one line
	// Omitted are names of what did not fit: entities, endpoints. At most 1000.
	Omitted []string `json:"omitted,omitempty"`
}

// The types of diagrams.
const (
	typeSequence  = "sequence"
	typeER        = "er"
	typeFlowchart = "flowchart"
)

// maxText bounds the lines of a diagram whose number of parts is not small, in
// bytes; Mermaid draws 50,000 characters.
const maxText = 40_000

// maxOmitted bounds the names of what was left out.
const maxOmitted = 1000

// drawing gathers lines.
type drawing struct {
	strings.Builder
	depth int
}

// line adds a line. Arguments must be escaped.
func (d *drawing) line(format string, args ...any) {
	d.WriteString(strings.Repeat("    ", d.depth))
	fmt.Fprintf(d, format, args...)
	d.WriteByte('\n')
}

// Lengths of texts in a diagram, in bytes of Mermaid's language.
const (
	maxName  = 120
	maxLabel = 200
)

// plain is a title: one line, of bounded length.
func plain(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\ufffd")), " ")
	if r := []rune(s); len(r) > maxName {
		s = string(r[:maxName-1]) + "…"
	}
	return s
}
