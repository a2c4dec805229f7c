package ingest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yamlReader converts yaml.Nodes. An alias becomes the same node as its anchor,
// so that a bomb of aliases stays as small as it is in the file.
type yamlReader struct {
	slab
	file    *File
	anchors map[*yaml.Node]*node // nil while the anchor is being converted
	merged  int                  // entries that merge keys have copied
}

// maxMerged bounds the entries that merge keys copy.
const maxMerged = 500_000

var yamlLine = regexp.MustCompile(`line (\d+)(?:: )?`)

func parseYAML(f *File, text string) (root *node, more bool, err error) {
	defer func() {
		// The parser panics on some malformed input.
		if p := recover(); p != nil {
			root, err = nil, &Error{File: f.Name, Err: ErrSyntax, Reason: "the YAML cannot be parsed"}
		}
	}()
	if at, ok := tooDeepFlow(text); ok {
		line, column := position(text, at)
		return nil, false, &Error{File: f.Name, Line: line, Column: column, Err: ErrSyntax, Reason: errTooDeep.Error()}
	}
	var document yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(text))
	if err := decoder.Decode(&document); err != nil {
		return nil, false, yamlError(f.Name, err)
	}
	r := yamlReader{file: f, anchors: make(map[*yaml.Node]*node)}
	root, err = r.convert(&document, 0)
	return root, err == nil && decoder.Decode(new(yaml.Node)) == nil, err
}

// yamlError takes the line from the text of the parser's error.
func yamlError(name string, err error) error {
	e := &Error{File: name, Err: ErrSyntax, Reason: strings.TrimPrefix(err.Error(), "yaml: ")}
	if m := yamlLine.FindStringSubmatchIndex(e.Reason); m != nil {
		e.Line, _ = strconv.Atoi(e.Reason[m[2]:m[3]])
		if m[0] == 0 {
			e.Reason = e.Reason[m[1]:]
		}
	} else if strings.Contains(e.Reason, "EOF") {
		e.Err, e.Reason = ErrEmpty, "there is no value in it"
	}
	return e
}

// tooDeepFlow returns the place where brackets are nested deeper than the limit,
// counting also those in strings and comments, which is why it is generous. It
// spares the recursive parser.
func tooDeepFlow(text string) (at int, ok bool) {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '[', '{':
			if depth++; depth > 10*maxDepth {
				return i, true
			}
		case ']', '}':
			depth = max(depth-1, 0)
		}
	}
	return 0, false
}

func (r *yamlReader) fail(y *yaml.Node, format string, args ...any) (*node, error) {
	return nil, &Error{File: r.file.Name, Line: y.Line, Column: y.Column, Err: ErrSyntax, Reason: fmt.Sprintf(format, args...)}
}

func (r *yamlReader) convert(y *yaml.Node, depth int) (*node, error) {
	if r.count > maxNodes {
		return r.fail(y, "%v", errTooMany)
	}
	if depth > maxDepth {
		return r.fail(y, "%v", errTooDeep)
	}
	switch y.Kind {
	case yaml.DocumentNode:
		if len(y.Content) == 0 {
			return r.leaf(null, ""), nil
		}
		return r.convert(y.Content[0], depth)
	case yaml.AliasNode:
		n, ok := r.anchors[y.Alias]
		if !ok || n == nil {
			return r.fail(y, "the alias *%s refers to itself", y.Value)
		}
		return n, nil
	case yaml.ScalarNode:
		n := r.scalar(y)
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
	if y.Kind == yaml.SequenceNode {
		n := r.branch(list)
		for _, e := range y.Content {
			v, err := r.convert(e, depth+1)
			if err != nil {
				return nil, err
			}
			n.values = append(n.values, v)
		}
		return n, nil
	}
	n := r.branch(object)
	for i := 0; i+1 < len(y.Content); i += 2 {
		v, err := r.convert(y.Content[i+1], depth+1)
		if err != nil {
			return nil, err
		}
		if key := y.Content[i]; key.Tag == "!!merge" {
			if !r.merge(n, v) {
				return r.fail(y, "merge keys repeat more than %d entries", maxMerged)
			}
		} else {
			n.keys, n.values = append(n.keys, key.Value), append(n.values, v)
		}
	}
	n.seal(r.file)
	return n, nil
}

// merge puts the entries of a YAML merge key in front of the node's own, of
// several sources those of the first last, so that it wins. It reports whether
// that stays within the limit.
func (r *yamlReader) merge(n, v *node) bool {
	sources := append([]*node{v}, v.items()...)
	var keys []string
	var values []*node
	for _, source := range slices.Backward(sources) {
		if source.kind != object {
			continue
		}
		if r.merged += len(source.keys) + len(n.keys); r.merged > maxMerged {
			return false
		}
		keys, values = append(keys, source.keys...), append(values, source.values...)
	}
	n.keys, n.values = append(keys, n.keys...), append(values, n.values...)
	return true
}

func (r *yamlReader) scalar(y *yaml.Node) *node {
	switch y.ShortTag() {
	case "!!null":
		return r.leaf(null, "")
	case "!!bool":
		return r.leaf(boolean, strings.ToLower(y.Value))
	case "!!int", "!!float":
		return r.leaf(number, y.Value)
	}
	return r.leaf(str, y.Value)
}
