package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// components are the schemas that references lead to. Those that are used widely
// and those that a document names instead of showing them get documents of their
// own.
type components struct {
	all    map[place]*component
	byName map[string]*component
	order  []*component // that are wanted, first come first
}

type component struct {
	place  place
	name   string
	uses   int      // operations that reach it
	users  []string // the first of them
	wanted bool
}

// widelyUsed is from how many operations on a schema has a document of its own.
const widelyUsed = 10

const (
	maxUsers   = 12
	maxSchemas = 5000 // documents of schemas in a file
)

func newComponents() components {
	return components{all: make(map[place]*component), byName: make(map[string]*component)}
}

// at returns the component of a place, making it on the first call. Of two with
// the same name the second gets that of its file, too.
func (c *components) at(p place) *component {
	found := c.all[p]
	if found == nil {
		found = &component{place: p, name: p.name()}
		if c.byName[found.name] != nil {
			found.name += " of " + p.file.path
		}
		c.all[p] = found
		c.byName[found.name] = found
	}
	return found
}

// usedBy notes that an operation reaches the components.
func (c *components) usedBy(used map[*component]bool, endpoint string) {
	for found := range used {
		if found.uses++; len(found.users) < maxUsers {
			found.users = append(found.users, endpoint)
		}
	}
}

// want asks for documents about the schemas with these names.
func (c *components) want(names []string) {
	for _, name := range names {
		if found := c.byName[name]; found != nil && !found.wanted && len(c.order) < maxSchemas {
			found.wanted = true
			c.order = append(c.order, found)
		}
	}
}

// schemaDocuments makes the documents of the schemas that are wanted, which may
// want others in turn.
func (s *specification) schemaDocuments(ctx context.Context) error {
	var wide []string
	for _, c := range s.schemas.all {
		if c.uses >= widelyUsed {
			wide = append(wide, c.name)
		}
	}
	slices.Sort(wide)
	s.schemas.want(wide)
	for i := 0; i < len(s.schemas.order); i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.schemaDocument(s.schemas.order[i]); err != nil {
			return err
		}
	}
	return nil
}

// maxSchemaDocumentDepth is how deep the document of a schema shows others.
const maxSchemaDocumentDepth = 3

func (s *specification) schemaDocument(c *component) error {
	n := s.lookup(c.place)
	if n == nil || n.kind != object {
		return nil
	}
	at := s.inFile(c.place)
	b := newSchemaBuilder(s, at)
	b.budget(maxAnswerNodes, maxSchemaDocumentDepth, maxNote)
	schema := b.schema(n)
	if schema.Ref == "" {
		schema.Ref = c.name
	}
	switch {
	case len(schema.Properties) == 0 && len(schema.OneOf) == 0 && len(schema.Enum) == 0 && schema.Items == nil && schema.Additional == nil:
		return nil // its type and description stand wherever it is used
	}
	data, err := json.Marshal(schema)
	if err != nil {
		return fmt.Errorf("ingest: schema %s: %w", c.name, err)
	}
	t := &text{max: s.options.MaxDocumentBytes}
	t.line("Schema %s%s of %s", c.name, inParens(facts(schema, false)), s.title)
	t.lines(clip(readable(n.get("description").string()), min(maxDescription, t.max/2)))
	fields(t, schema, "", true)
	if len(c.users) > 0 {
		more := ""
		if c.uses > len(c.users) {
			more = fmt.Sprintf(" and %d more", c.uses-len(c.users))
		}
		t.line("Used by: %s%s", strings.Join(c.users, ", "), more)
	}
	content, named := t.done()
	s.schemas.want(slices.DeleteFunc(named, func(name string) bool { return name == c.name }))
	s.out.Documents = append(s.out.Documents, vectorstore.Document{Pointer: at, Content: content, Data: data, Metadata: map[string]any{
		"content_type": "schema", "title": c.name, "name": c.name, "api_title": s.title, "api_version": s.version,
	}})
	return nil
}

// summary makes the document about the API as a whole. A description too long
// for it follows in sections of its own.
func (s *specification) summary() {
	t := &text{max: s.options.MaxDocumentBytes}
	t.line("%s %s", s.title, s.version)
	info, _ := s.resolve(s.root.at("info", "description"), "/info/description")
	description := info.string()
	t.lines(clip(readable(description), min(maxDescription, t.max/2)))
	base := ""
	if len(s.servers) > 0 {
		base = s.servers[0]
		t.line("Base URL: %s", strings.Join(s.servers[:min(len(s.servers), maxServers)], ", "))
	}
	var schemes []string
	for _, name := range sortedKeys(s.schemes) {
		schemes = append(schemes, schemeText(s.schemes[name]))
	}
	if len(schemes) > 0 {
		t.line("Authentication: %s", strings.Join(schemes, "; "))
	}
	for _, tag := range s.root.get("tags").items() {
		if note := tag.get("description").string(); note != "" {
			t.line("%s: %s", tag.get("name").string(), clip(readable(note), maxFieldNote))
		}
	}
	t.line("It has %d endpoints:", len(s.listed))
	for _, l := range s.listed {
		t.line("- %s %s", l.endpoint, l.summary)
	}
	format := "openapi"
	if s.swagger {
		format = "swagger"
	}
	content, _ := t.done()
	s.out.Documents = append(s.out.Documents, vectorstore.Document{Pointer: "/info", Content: content, Metadata: map[string]any{
		"content_type": "api_summary", "title": s.title, "api_title": s.title, "api_version": s.version,
		"endpoint_count": len(s.listed), "format_type": format, "base_url": base,
	}})
	if len(description) > min(maxDescription, t.max/2) {
		s.guide(description)
	}
}

// guide makes sections of a long description of the API.
func (s *specification) guide(description string) {
	documents := sectionDocuments(markdownSections(description), s.options.MaxDocumentBytes, s.title)
	for _, d := range documents {
		d.Pointer = "/info/description" + d.Pointer
		d.Metadata["api_title"], d.Metadata["api_version"] = s.title, s.version
		delete(d.Metadata, "start_line") // they count from the beginning of the description
		delete(d.Metadata, "end_line")
		s.out.Documents = append(s.out.Documents, d)
	}
}
