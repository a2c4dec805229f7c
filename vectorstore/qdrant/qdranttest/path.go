package qdranttest

import (
	"strconv"
	"strings"
	"unicode"

	qc "github.com/qdrant/go-client/qdrant"
)

// path is a JSON path: keys, indexes ([2]) and all elements ([]).
type path []step

type step struct {
	key   string
	index int // allElements, or that of an element; only if list is set
	list  bool
}

const allElements = -1

// parsePath reads a path such as a.b[].“c d”[0], with straight quotes.
func parsePath(text string) (path, error) {
	invalid := func() (path, error) { return nil, wrong("Invalid json path: '%s'", text) }
	var out path
	rest := text
	for first := true; first || rest != ""; first = false {
		switch {
		case !first && rest[0] == '[':
			inside, after, ok := strings.Cut(rest[1:], "]")
			s := step{list: true, index: allElements}
			if inside != "" {
				n, err := strconv.ParseUint(inside, 10, 31)
				if err != nil {
					return invalid()
				}
				s.index = int(n)
			}
			if !ok {
				return invalid()
			}
			out, rest = append(out, s), after
			continue
		case !first && rest[0] != '.':
			return invalid()
		case !first:
			rest = rest[1:]
		}
		var key string
		if quoted, ok := strings.CutPrefix(rest, `"`); ok {
			end := strings.IndexByte(quoted, '"')
			if end < 0 || strings.Contains(quoted[:end], `\`) {
				return invalid()
			}
			key, rest = quoted[:end], quoted[end+1:]
		} else {
			end := strings.IndexFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '_' && r != '-' })
			if end < 0 {
				end = len(rest)
			}
			if end == 0 {
				return invalid()
			}
			key, rest = rest[:end], rest[end:]
		}
		out = append(out, step{key: key})
	}
	return out, nil
}

// values returns what is at a path.
func (p path) values(payload map[string]*qc.Value) []*qc.Value {
	v, ok := payload[p[0].key]
	if !ok {
		return nil
	}
	found := []*qc.Value{v}
	for _, s := range p[1:] {
		var next []*qc.Value
		for _, v := range found {
			switch {
			case !s.list:
				if v, ok := v.GetStructValue().GetFields()[s.key]; ok {
					next = append(next, v)
				}
			case s.index == allElements:
				next = append(next, v.GetListValue().GetValues()...)
			case s.index < len(v.GetListValue().GetValues()):
				next = append(next, v.GetListValue().GetValues()[s.index])
			}
		}
		found = next
	}
	return found
}
