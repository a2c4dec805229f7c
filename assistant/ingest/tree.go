package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// node is a value of JSON or YAML. Objects keep the order of their keys. A node
// may be reached on several ways (YAML aliases), and is never changed.
type node struct {
	kind   kind
	text   string           // of a scalar: the string, or the literal
	keys   []string         // of an object
	values []*node          // of an object or a list
	index  map[string]*node // of an object with many keys
}

type kind uint8

const (
	null kind = iota
	boolean
	number
	str
	list
	object
)

// Limits of a tree.
const (
	maxDepth   = 200
	maxNodes   = 4_000_000
	indexedMap = 16
)

// get returns the value of a key, or nil. It may be called on nil.
func (n *node) get(key string) *node {
	if n == nil || n.kind != object {
		return nil
	}
	if n.index != nil {
		return n.index[key]
	}
	for i := len(n.keys) - 1; i >= 0; i-- { // of duplicate keys the last counts
		if n.keys[i] == key {
			return n.values[i]
		}
	}
	return nil
}

// string returns a string, or the text of a number or boolean; "" for the rest.
func (n *node) string() string {
	if n == nil {
		return ""
	}
	switch n.kind {
	case str, number, boolean:
		return n.text
	}
	return ""
}

func (n *node) bool() bool {
	return n != nil && n.text == "true" && (n.kind == boolean || n.kind == str)
}

// items returns the elements of a list; nil for anything else.
func (n *node) items() []*node {
	if n == nil || n.kind != list {
		return nil
	}
	return n.values
}

// strings returns the strings of a list, or the one string.
func (n *node) strings() []string {
	if n == nil {
		return nil
	}
	if n.kind == str && n.text != "" {
		return []string{n.text}
	}
	var out []string
	for _, e := range n.items() {
		if s := e.string(); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// each calls do for the entries of an object, in their order.
func (n *node) each(do func(key string, value *node)) {
	if n == nil || n.kind != object {
		return
	}
	for i, key := range n.keys {
		if n.get(key) == n.values[i] { // not overridden by a duplicate
			do(key, n.values[i])
		}
	}
}

// value is the node as plain Go data, at most depth levels of it.
func (n *node) value(depth int) any {
	if n == nil || depth == 0 {
		return nil
	}
	switch n.kind {
	case boolean:
		return n.text == "true"
	case number:
		if i, err := strconv.ParseInt(n.text, 10, 64); err == nil {
			return i
		}
		if f, err := strconv.ParseFloat(n.text, 64); err == nil && json.Valid([]byte(n.text)) {
			return f
		}
		return n.text
	case str:
		return n.text
	case list:
		out := []any{}
		for _, e := range n.values {
			out = append(out, e.value(depth-1))
		}
		return out
	case object:
		out := make(map[string]any, len(n.keys))
		n.each(func(key string, v *node) { out[key] = v.value(depth - 1) })
		return out
	}
	return nil
}

// seal makes the index of a large object.
func (n *node) seal() {
	if len(n.keys) <= indexedMap {
		return
	}
	n.index = make(map[string]*node, len(n.keys))
	for i, key := range n.keys {
		n.index[key] = n.values[i]
	}
}

// parseTree reads JSON or YAML.
func parseTree(name, text, extension string) (*node, error) {
	trimmed := strings.TrimLeft(text, " \t\r\n")
	isJSON := strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[")
	if !isJSON || extension == "yaml" || extension == "yml" {
		if !isJSON && extension == "json" {
			line, column := position(text, len(text)-len(trimmed))
			return nil, &Error{File: name, Line: line, Column: column, Err: ErrSyntax, Reason: "this is not JSON: it must begin with {"}
		}
		return parseYAML(name, text)
	}
	return parseJSON(name, text)
}

// jsonReader builds a tree from tokens, without recursion of the decoder.
type jsonReader struct {
	decoder *json.Decoder
	nodes   int
}

var errLimits = errors.New("limits")

func parseJSON(name, text string) (*node, error) {
	r := jsonReader{decoder: json.NewDecoder(strings.NewReader(text))}
	r.decoder.UseNumber()
	fail := func(err error, offset int64) (*node, error) {
		var syntax *json.SyntaxError
		reason := err.Error()
		switch {
		case errors.As(err, &syntax):
			offset = max(syntax.Offset-1, 0)
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			offset, reason = int64(len(text)), "the JSON ends early"
		}
		line, column := position(text, int(offset))
		return nil, &Error{File: name, Line: line, Column: column, Err: ErrSyntax, Reason: strings.TrimPrefix(reason, "limits: ")}
	}
	root, err := r.value(1)
	if err != nil {
		return fail(err, r.decoder.InputOffset())
	}
	if _, err := r.decoder.Token(); err != io.EOF {
		return fail(errors.New("there is something after the JSON value"), r.decoder.InputOffset())
	}
	return root, nil
}

func (r *jsonReader) value(depth int) (*node, error) {
	token, err := r.decoder.Token()
	if err != nil {
		return nil, err
	}
	return r.build(token, depth)
}

func (r *jsonReader) build(token json.Token, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d levels", errLimits, maxDepth)
	}
	if r.nodes++; r.nodes > maxNodes {
		return nil, fmt.Errorf("%w: more than %d values", errLimits, maxNodes)
	}
	switch t := token.(type) {
	case string:
		return &node{kind: str, text: t}, nil
	case json.Number:
		return &node{kind: number, text: t.String()}, nil
	case bool:
		return &node{kind: boolean, text: strconv.FormatBool(t)}, nil
	case json.Delim:
		if t == '{' {
			return r.object(depth)
		}
		return r.list(depth)
	}
	return &node{kind: null}, nil
}

func (r *jsonReader) object(depth int) (*node, error) {
	n := &node{kind: object}
	for r.decoder.More() {
		key, err := r.decoder.Token()
		if err != nil {
			return nil, err
		}
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		name, _ := key.(string)
		n.keys, n.values = append(n.keys, name), append(n.values, v)
	}
	n.seal()
	_, err := r.decoder.Token()
	return n, err
}

func (r *jsonReader) list(depth int) (*node, error) {
	n := &node{kind: list}
	for r.decoder.More() {
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.values = append(n.values, v)
	}
	_, err := r.decoder.Token()
	return n, err
}

// yamlReader converts yaml.Nodes. An alias becomes the same node as its anchor,
// so that a bomb of aliases stays as small as it is in the file.
type yamlReader struct {
	name    string
	nodes   int
	anchors map[*yaml.Node]*node // nil while the anchor is being converted
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

func parseYAML(name, text string) (root *node, err error) {
	defer func() {
		// The parser panics on some malformed input.
		if p := recover(); p != nil {
			root, err = nil, &Error{File: name, Err: ErrSyntax, Reason: "the YAML cannot be parsed"}
		}
	}()
	if line := tooDeepFlow(text); line > 0 {
		return nil, &Error{File: name, Line: line, Err: ErrSyntax, Reason: fmt.Sprintf("nested deeper than %d levels", maxDepth)}
	}
	var document yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(text))
	if err := decoder.Decode(&document); err != nil {
		e := &Error{File: name, Err: ErrSyntax, Reason: strings.TrimPrefix(err.Error(), "yaml: ")}
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
			e.Line, _ = strconv.Atoi(m[1])
		}
		return nil, e
	}
	r := yamlReader{name: name, anchors: make(map[*yaml.Node]*node)}
	return r.convert(&document, 0)
}

// tooDeepFlow returns the line in which brackets are nested deeper than the
// limit, counting also those in strings and comments, or 0. It spares the
// recursive parser.
func tooDeepFlow(text string) int {
	depth, line := 0, 1
	for i := range len(text) {
		switch text[i] {
		case '\n':
			line++
		case '[', '{':
			if depth++; depth > 10*maxDepth {
				return line
			}
		case ']', '}':
			depth = max(depth-1, 0)
		}
	}
	return 0
}

func (r *yamlReader) fail(y *yaml.Node, format string, args ...any) (*node, error) {
	return nil, &Error{File: r.name, Line: y.Line, Column: y.Column, Err: ErrSyntax, Reason: fmt.Sprintf(format, args...)}
}

func (r *yamlReader) convert(y *yaml.Node, depth int) (*node, error) {
	if r.nodes++; r.nodes > maxNodes {
		return r.fail(y, "more than %d values", maxNodes)
	}
	if depth > maxDepth {
		return r.fail(y, "nested deeper than %d levels", maxDepth)
	}
	switch y.Kind {
	case yaml.DocumentNode:
		if len(y.Content) == 0 {
			return &node{kind: null}, nil
		}
		return r.convert(y.Content[0], depth)
	case yaml.AliasNode:
		n, ok := r.anchors[y.Alias]
		if !ok || n == nil {
			return r.fail(y, "the alias *%s refers to itself", y.Value)
		}
		return n, nil
	case yaml.ScalarNode:
		n := scalar(y)
		if y.Anchor != "" {
			r.anchors[y] = n
		}
		return n, nil
	}
	if y.Anchor != "" {
		r.anchors[y] = nil
	}
	n, err := r.collection(y, depth)
	if err == nil && y.Anchor != "" {
		r.anchors[y] = n
	}
	return n, err
}

func (r *yamlReader) collection(y *yaml.Node, depth int) (*node, error) {
	n := &node{kind: list}
	if y.Kind == yaml.MappingNode {
		n.kind = object
	}
	for i := 0; i < len(y.Content); i++ {
		key := ""
		if n.kind == object {
			key = y.Content[i].Value
			i++
		}
		v, err := r.convert(y.Content[i], depth+1)
		if err != nil {
			return nil, err
		}
		if n.kind == object && key == "<<" {
			n.merge(v)
			if r.nodes += len(n.keys); r.nodes > maxNodes {
				return r.fail(y, "more than %d values", maxNodes)
			}
			continue
		}
		if n.kind == object {
			n.keys = append(n.keys, key)
		}
		n.values = append(n.values, v)
	}
	n.seal()
	return n, nil
}

// merge puts the entries of a YAML merge key in front of the node's own.
func (n *node) merge(v *node) {
	if v.kind == list {
		for _, e := range v.values {
			n.merge(e)
		}
		return
	}
	if v.kind == object {
		n.keys = append(append([]string{}, v.keys...), n.keys...)
		n.values = append(append([]*node{}, v.values...), n.values...)
	}
}

func scalar(y *yaml.Node) *node {
	switch y.ShortTag() {
	case "!!null":
		return &node{kind: null}
	case "!!bool":
		return &node{kind: boolean, text: strings.ToLower(y.Value)}
	case "!!int", "!!float":
		return &node{kind: number, text: y.Value}
	}
	return &node{kind: str, text: y.Value}
}
