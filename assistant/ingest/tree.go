package ingest

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// node is a value of JSON or YAML. Objects keep the order of their keys. A node
// may be reached on several ways (YAML aliases), and is never changed.
type node struct {
	kind kind
	text string // of a scalar: the string, or the literal
	*branch
}

// branch is what objects and lists have and scalars have not.
type branch struct {
	keys   []string         // of an object
	values []*node          // of an object or a list
	index  map[string]*node // of an object with many keys
	home   *File            // of an object with "$ref": the file that it stands in
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

func (k kind) String() string {
	return [...]string{"null", "boolean", "number", "string", "array", "object"}[k]
}

// Limits of a tree.
const (
	maxDepth   = 200
	maxNodes   = 4_000_000
	indexedMap = 16
)

var errTooDeep = errors.New("nested deeper than " + strconv.Itoa(maxDepth) + " levels")
var errTooMany = errors.New("more than " + strconv.Itoa(maxNodes) + " values")

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

// at follows several keys.
func (n *node) at(keys ...string) *node {
	for _, key := range keys {
		n = n.get(key)
	}
	return n
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

// value is the node as plain Go data, at most depth levels of it and at most
// *left values in all.
func (n *node) value(depth int, left *int) any {
	if *left--; n == nil || depth == 0 || *left < 0 {
		return nil
	}
	switch n.kind {
	case boolean:
		return n.text == "true"
	case number:
		return n.number()
	case str:
		return n.text
	case list:
		out := []any{}
		for _, e := range n.values {
			if *left < 0 {
				break
			}
			out = append(out, e.value(depth-1, left))
		}
		return out
	case object:
		out := make(map[string]any, min(len(n.keys), 64))
		n.each(func(key string, v *node) {
			if *left >= 0 {
				out[key] = v.value(depth-1, left)
			}
		})
		return out
	}
	return nil
}

// number is an int64, a float64, or the literal where neither holds it.
func (n *node) number() any {
	if i, err := strconv.ParseInt(n.text, 10, 64); err == nil {
		return i
	}
	if f, err := strconv.ParseFloat(n.text, 64); err == nil && json.Valid([]byte(n.text)) {
		return f
	}
	return n.text
}

// seal completes an object: the index of a large one, the home of a reference.
func (n *node) seal(home *File) {
	if n.kind != object {
		return
	}
	if len(n.keys) > indexedMap {
		n.index = make(map[string]*node, len(n.keys))
		for i, key := range n.keys {
			n.index[key] = n.values[i]
		}
	}
	if n.get("$ref") != nil {
		n.home = home
	}
}

// slab hands out nodes; a large file has millions.
type slab struct {
	free  []node
	count int
}

func (s *slab) leaf(k kind, text string) *node {
	if len(s.free) == 0 {
		s.free = make([]node, min(max(s.count, 16), 1024))
	}
	n := &s.free[0]
	s.free = s.free[1:]
	s.count++
	n.kind, n.text = k, text
	return n
}

func (s *slab) branch(k kind) *node {
	n := s.leaf(k, "")
	n.branch = new(branch)
	return n
}

// parseTree reads JSON or YAML. more says that further YAML documents follow the
// first, which are not read.
func parseTree(f *File, text string) (root *node, more bool, err error) {
	trimmed := strings.TrimLeft(text, " \t\r\n")
	isJSON := strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[")
	extension := f.extension()
	switch {
	case isJSON && extension != "yaml" && extension != "yml":
		root, err = parseJSON(f, text)
		return root, false, err
	case !isJSON && extension == "json":
		line, column := position(text, len(text)-len(trimmed))
		return nil, false, &Error{File: f.Name, Line: line, Column: column, Err: ErrSyntax, Reason: "this is not JSON: it must begin with { or ["}
	}
	return parseYAML(f, text)
}
