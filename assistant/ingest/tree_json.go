package ingest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonReader reads JSON as RFC 8259 has it. Strings without escapes are parts of
// the text, so that a tree needs little more memory than the file. encoding/json
// would take three times as long and not tell where values are.
type jsonReader struct {
	slab
	file *File
	text string
	at   int // offset of the next byte
}

func parseJSON(f *File, text string) (*node, error) {
	r := jsonReader{file: f, text: text}
	root, err := r.value(1)
	if err == nil {
		if r.space(); r.at < len(text) {
			err = errors.New("there is something after the JSON value")
		}
	}
	if err != nil {
		line, column := position(text, r.at)
		return nil, &Error{File: f.Name, Line: line, Column: column, Err: ErrSyntax, Reason: err.Error()}
	}
	return root, nil
}

func (r *jsonReader) space() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\t', '\r', '\n':
			r.at++
		default:
			return
		}
	}
}

// next skips white space and returns the byte that follows, 0 at the end.
func (r *jsonReader) next() byte {
	if r.space(); r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

// wanted is the error about what is not there.
func (r *jsonReader) wanted(what string) error {
	if r.at >= len(r.text) {
		return errors.New("the JSON ends early: " + what + " is missing")
	}
	c, _ := utf8.DecodeRuneInString(r.text[r.at:])
	return fmt.Errorf("here is %q, where %s must be", c, what)
}

func (r *jsonReader) value(depth int) (*node, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	if r.count >= maxNodes {
		return nil, errTooMany
	}
	switch c := r.next(); {
	case c == '{':
		return r.object(depth)
	case c == '[':
		return r.list(depth)
	case c == '"':
		s, err := r.string()
		return r.leaf(str, s), err
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	}
	for _, literal := range [...]struct {
		text string
		kind kind
	}{{"true", boolean}, {"false", boolean}, {"null", null}} {
		if strings.HasPrefix(r.text[r.at:], literal.text) {
			r.at += len(literal.text)
			return r.leaf(literal.kind, literal.text), nil
		}
	}
	return nil, r.wanted("a value")
}

func (r *jsonReader) object(depth int) (*node, error) {
	n := r.branch(object)
	r.at++
	if r.next() == '}' {
		r.at++
		return n, nil
	}
	for {
		if r.next() != '"' {
			return nil, r.wanted("a key in quotes")
		}
		key, err := r.string()
		if err != nil {
			return nil, err
		}
		if r.next() != ':' {
			return nil, r.wanted("a colon")
		}
		r.at++
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.keys, n.values = append(n.keys, key), append(n.values, v)
		switch r.next() {
		case ',':
			r.at++
		case '}':
			r.at++
			n.seal(r.file)
			return n, nil
		default:
			return nil, r.wanted("a comma or }")
		}
	}
}

func (r *jsonReader) list(depth int) (*node, error) {
	n := r.branch(list)
	r.at++
	if r.next() == ']' {
		r.at++
		return n, nil
	}
	for {
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.values = append(n.values, v)
		switch r.next() {
		case ',':
			r.at++
		case ']':
			r.at++
			return n, nil
		default:
			return nil, r.wanted("a comma or ]")
		}
	}
}

func (r *jsonReader) number() (*node, error) {
	start := r.at
	digits := func() bool {
		from := r.at
		for r.at < len(r.text) && r.text[r.at] >= '0' && r.text[r.at] <= '9' {
			r.at++
		}
		return r.at > from
	}
	if r.text[r.at] == '-' {
		r.at++
	}
	whole := r.at
	if !digits() {
		return nil, r.wanted("a digit")
	}
	if r.text[whole] == '0' && r.at > whole+1 {
		r.at = whole
		return nil, errors.New("a number does not begin with 0")
	}
	if strings.HasPrefix(r.text[r.at:], ".") {
		if r.at++; !digits() {
			return nil, r.wanted("a digit")
		}
	}
	if r.at < len(r.text) && r.text[r.at]|0x20 == 'e' {
		if r.at++; r.at < len(r.text) && (r.text[r.at] == '+' || r.text[r.at] == '-') {
			r.at++
		}
		if !digits() {
			return nil, r.wanted("a digit")
		}
	}
	return r.leaf(number, r.text[start:r.at]), nil
}

// string reads a string; the opening quote is next.
func (r *jsonReader) string() (string, error) {
	opening := r.at
	r.at++
	start := r.at
	var b *strings.Builder
	for r.at < len(r.text) {
		switch c := r.text[r.at]; {
		case c == '"':
			part := r.text[start:r.at]
			r.at++
			if b == nil {
				return part, nil
			}
			b.WriteString(part)
			return b.String(), nil
		case c < ' ':
			return "", fmt.Errorf("a control character (0x%02x) stands in a string; write it as an escape", c)
		case c == '\\':
			if b == nil {
				b = new(strings.Builder)
			}
			b.WriteString(r.text[start:r.at])
			if err := r.escape(b); err != nil {
				return "", err
			}
			start = r.at
		default:
			r.at++
		}
	}
	line, _ := position(r.text, opening)
	return "", fmt.Errorf("the JSON ends early, in a string that begins in line %d", line)
}

const escapes = "\"\"\\\\//b\bf\fn\nr\rt\t" // pairs of letter and meaning

func (r *jsonReader) escape(b *strings.Builder) error {
	if r.at+1 >= len(r.text) {
		r.at = len(r.text)
		return errors.New("the JSON ends early, in a string")
	}
	c := r.text[r.at+1]
	if c == 'u' {
		return r.unicode(b)
	}
	for i := 0; i < len(escapes); i += 2 {
		if escapes[i] == c {
			b.WriteByte(escapes[i+1])
			r.at += 2
			return nil
		}
	}
	return fmt.Errorf("\\%c is no escape", c)
}

// unicode reads \uXXXX, or two of them that are one character.
func (r *jsonReader) unicode(b *strings.Builder) error {
	first, ok := r.hex(r.at)
	if !ok {
		return errors.New("four hexadecimal digits must follow \\u")
	}
	r.at += 6
	if utf16.IsSurrogate(first) {
		if second, ok := r.hex(r.at); ok {
			if both := utf16.DecodeRune(first, second); both != utf8.RuneError {
				b.WriteRune(both)
				r.at += 6
				return nil
			}
		}
		first = utf8.RuneError
	}
	b.WriteRune(first)
	return nil
}

func (r *jsonReader) hex(at int) (rune, bool) {
	if at+6 > len(r.text) || r.text[at:at+2] != `\u` {
		return 0, false
	}
	v, err := strconv.ParseUint(r.text[at+2:at+6], 16, 16)
	return rune(v), err == nil
}
