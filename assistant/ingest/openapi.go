package ingest

import (
	"context"
	"fmt"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// specification reads one OpenAPI description and the files that it refers to.
type specification struct {
	file     *File
	root     *node
	swagger  bool // version 2.0
	title    string
	version  string
	servers  []string
	schemes  map[string]apispec.Scheme
	found    map[place]*node // what references have led to
	shapes   map[*node]*shape
	schemas  components
	listed   []listed
	options  Options
	out      Source
	warnings map[Warning]bool
}

// listed is a line of the summary.
type listed struct{ endpoint, summary string }

// methods are the operations of a path item, in the order in which they are
// listed.
var methods = []string{"get", "post", "put", "patch", "delete", "head", "options", "trace"}

// Limits of a file.
const (
	maxOperations = 200_000
	maxWarnings   = 1000
)

func parseOpenAPI(ctx context.Context, f *File, o Options) (Source, error) {
	root, err := f.tree()
	if err != nil {
		return Source{}, err
	}
	if root.get("openapi") == nil && root.get("swagger") == nil && root.get("paths") == nil {
		return Source{}, &Error{File: f.Name, Err: ErrUnsupported, Reason: `it has neither "openapi" nor "swagger" nor "paths" at the top`}
	}
	s := newSpecification(f, root, o)
	s.readHead()
	if err := s.operations(ctx); err != nil {
		return Source{}, err
	}
	if err := s.schemaDocuments(ctx); err != nil {
		return Source{}, err
	}
	s.summary()
	return s.out, nil
}

func newSpecification(f *File, root *node, o Options) *specification {
	return &specification{file: f, root: root, swagger: root.get("swagger") != nil, options: o,
		found: make(map[place]*node), shapes: make(map[*node]*shape), schemas: newComponents(), warnings: make(map[Warning]bool)}
}

// readHead reads what holds for the whole API.
func (s *specification) readHead() {
	info := s.root.get("info")
	s.title = oneLine(strings.TrimSpace(info.get("title").string()))
	if s.title == "" {
		s.title = s.file.base()
		s.warn("/info/title", "the API has no title; the name of the file is used")
	}
	if s.file.more {
		s.warn("", "the file has several YAML documents; the first is read")
	}
	s.version = info.get("version").string()
	s.servers = s.readServers(s.root)
	s.readSchemes()
}

func (s *specification) warn(where, format string, args ...any) {
	w := Warning{where, fmt.Sprintf(format, args...)}
	if len(s.out.Warnings) < maxWarnings && !s.warnings[w] {
		s.warnings[w] = true
		s.out.Warnings = append(s.out.Warnings, w)
	}
}

// pathItem is one entry of paths or webhooks.
type pathItem struct {
	key     string
	at      string // JSON pointer
	kind    apispec.Kind
	item    *node
	methods []string
}

// operations makes the documents of all operations, those of webhooks last. Each
// operation is let go when its document is made: a large API would not fit
// twice.
func (s *specification) operations(ctx context.Context) error {
	items := append(s.pathItems("paths", apispec.HTTP), s.pathItems("webhooks", apispec.Webhook)...)
	total, done := 0, 0
	for _, p := range items {
		total += len(p.methods)
	}
	if total > maxOperations {
		return &Error{File: s.file.Name, Err: ErrTooLarge, Reason: fmt.Sprintf("it has more than %d operations", maxOperations)}
	}
	for _, p := range items {
		for _, method := range p.methods {
			if err := ctx.Err(); err != nil {
				return err
			}
			at := pointer(p.at, strings.ToLower(method))
			op, _ := s.resolve(p.item.get(method), at)
			if op == nil || op.kind != object {
				s.warn(at, "is not an object; it is left out")
				continue
			}
			o := s.operation(p, strings.ToLower(method), op, at)
			if err := s.operationDocument(&o); err != nil {
				return err
			}
			done++
			s.options.progress(s.file.Name, done, total)
		}
	}
	return nil
}

// pathItems lists a section without reading its operations.
func (s *specification) pathItems(section string, kind apispec.Kind) []pathItem {
	at := "/" + section
	items, _ := s.resolve(s.root.get(section), at)
	if items != nil && items.kind != object {
		s.warn(at, "is not an object; nothing is read from it")
	}
	var out []pathItem
	items.each(func(key string, n *node) {
		p := pathItem{key: key, at: pointer(at, key), kind: kind}
		if p.item, _ = s.resolve(n, p.at); p.item == nil || p.item.kind != object {
			if !strings.HasPrefix(key, "x-") {
				s.warn(p.at, "is not an object; it is left out")
			}
			return
		}
		p.methods = s.methodsOf(p.item, p.at)
		out = append(out, p)
	})
	return out
}

func (s *specification) methodsOf(item *node, at string) (out []string) {
	for _, method := range methods {
		upper := strings.ToUpper(method)
		switch {
		case item.get(method) != nil:
			out = append(out, method)
		case item.get(upper) != nil:
			s.warn(pointer(at, upper), "methods are written in lower case; it is read as %s", method)
			out = append(out, upper)
		}
	}
	return out
}

func (s *specification) operation(p pathItem, method string, op *node, at string) apispec.Operation {
	o := apispec.Operation{
		API: s.title, Version: s.version, Kind: p.kind, Method: strings.ToUpper(method), Path: p.key,
		OperationID: op.get("operationId").string(), Summary: op.get("summary").string(),
		Description: op.get("description").string(), Tags: op.get("tags").strings(),
		Deprecated: op.get("deprecated").bool(), SourceFile: s.file.Name, Pointer: at,
	}
	if o.Summary == "" {
		o.Summary = p.item.get("summary").string()
	}
	if o.Description == "" {
		o.Description = p.item.get("description").string()
	}
	for _, from := range []*node{op, p.item} {
		if o.Servers == nil {
			o.Servers = s.readServers(from)
		}
	}
	if o.Servers == nil {
		o.Servers = s.servers
	}
	b := newSchemaBuilder(s, at)
	s.parameters(&o, p.item, op, b)
	if body := op.get("requestBody"); body != nil && !s.swagger {
		o.Body = s.requestBody(body, b)
	}
	o.Responses = s.responses(op, b)
	o.Security = s.security(op, at)
	if p.kind != apispec.Callback {
		o.Callbacks = s.callbacks(op, at)
	}
	s.schemas.usedBy(b.used, o.Endpoint())
	return o
}

// maxCallbacks bounds the callbacks of one operation.
const maxCallbacks = 20

// callbacks reads the requests that the API makes in turn.
func (s *specification) callbacks(op *node, at string) (out []apispec.Operation) {
	op.get("callbacks").each(func(name string, n *node) {
		here := pointer(at, "callbacks", name)
		n, _ = s.resolve(n, here)
		n.each(func(expression string, item *node) {
			p := pathItem{key: expression, at: pointer(here, expression), kind: apispec.Callback}
			if p.item, _ = s.resolve(item, p.at); p.item == nil || p.item.kind != object {
				return
			}
			for _, method := range s.methodsOf(p.item, p.at) {
				m := strings.ToLower(method)
				call, _ := s.resolve(p.item.get(method), pointer(p.at, m))
				if call == nil || call.kind != object || len(out) == maxCallbacks {
					continue
				}
				o := s.operation(p, m, call, pointer(p.at, m))
				o.Servers, o.Security = nil, nil // it goes to the client's own address
				if o.Summary == "" {
					o.Summary = name
				}
				out = append(out, o)
			}
		})
	})
	return out
}
