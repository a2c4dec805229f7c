package pdf

import (
	"bytes"
	"errors"
	"strconv"
)

// The types of objects, beside nil, bool and float64.
type (
	name    string
	text    string // the bytes of a string
	array   []any
	dict    map[string]any
	ref     struct{ number int }
	keyword string // an operator, or a mark such as endobj
	stream  struct {
		dict
		raw []byte
	}
)

var errSyntax = errors.New("syntax")

// lexer reads objects from bytes.
type lexer struct {
	data []byte
	at   int
	refs bool // "1 0 R" is a reference: so in files, not in contents of pages
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelimiter(c byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), c) >= 0 }

func (l *lexer) space() {
	for l.at < len(l.data) {
		switch c := l.data[l.at]; {
		case isSpace(c):
			l.at++
		case c == '%':
			end := bytes.IndexAny(l.data[l.at:], "\r\n")
			if end < 0 {
				l.at = len(l.data)
				return
			}
			l.at += end
		default:
			return
		}
	}
}

// object reads the next object. At the end it returns keyword("").
func (l *lexer) object(depth int) (any, error) {
	if l.space(); l.at >= len(l.data) {
		return keyword(""), nil
	}
	if depth > maxDepth {
		return nil, errSyntax
	}
	switch c := l.data[l.at]; {
	case c == '/':
		l.at++
		return l.name(), nil
	case c == '(':
		return l.literal()
	case c == '<' && l.peek(1) == '<':
		l.at += 2
		return l.dict(depth)
	case c == '<':
		l.at++
		return l.hex()
	case c == '[':
		l.at++
		return l.array(depth)
	case c == ')' || c == '>' || c == ']' || c == '{' || c == '}':
		l.at++
		return keyword(c), nil
	case c == '+' || c == '-' || c == '.' || c >= '0' && c <= '9':
		return l.number(), nil
	}
	word := l.word()
	switch word {
	case "true", "false":
		return word == "true", nil
	case "null":
		return nil, nil
	}
	return keyword(word), nil
}

func (l *lexer) peek(ahead int) byte {
	if l.at+ahead < len(l.data) {
		return l.data[l.at+ahead]
	}
	return 0
}

func (l *lexer) word() string {
	start := l.at
	for l.at < len(l.data) && !isSpace(l.data[l.at]) && !isDelimiter(l.data[l.at]) {
		l.at++
	}
	if l.at == start {
		l.at++
	}
	return string(l.data[start:l.at])
}

func (l *lexer) name() name {
	start := l.at
	for l.at < len(l.data) && !isSpace(l.data[l.at]) && !isDelimiter(l.data[l.at]) {
		l.at++
	}
	raw := l.data[start:l.at]
	if bytes.IndexByte(raw, '#') < 0 {
		return name(raw)
	}
	var out []byte
	for i := 0; i < len(raw); i++ {
		if raw[i] == '#' && i+2 < len(raw) {
			if v, err := strconv.ParseUint(string(raw[i+1:i+3]), 16, 8); err == nil {
				out = append(out, byte(v))
				i += 2
				continue
			}
		}
		out = append(out, raw[i])
	}
	return name(out)
}

// number reads a number, or a reference that begins with one.
func (l *lexer) number() any {
	word := l.word()
	v, err := strconv.ParseFloat(word, 64)
	if err != nil {
		return 0.0 // as other readers do
	}
	if l.refs && v >= 0 && v == float64(int(v)) {
		before := l.at
		l.space()
		if c := l.peek(0); c >= '0' && c <= '9' {
			if _, err := strconv.Atoi(l.word()); err == nil {
				l.space()
				if l.peek(0) == 'R' && (l.at+1 >= len(l.data) || isSpace(l.peek(1)) || isDelimiter(l.peek(1))) {
					l.at++
					return ref{int(v)}
				}
			}
		}
		l.at = before
	}
	return v
}

// literal reads a string in parentheses.
func (l *lexer) literal() (any, error) {
	l.at++
	var out []byte
	open := 1
	for l.at < len(l.data) {
		c := l.data[l.at]
		l.at++
		switch c {
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				return text(out), nil
			}
		case '\\':
			out = l.escape(out)
			continue
		}
		out = append(out, c)
	}
	return nil, errSyntax
}

func (l *lexer) escape(out []byte) []byte {
	c := l.peek(0)
	l.at++
	switch c {
	case 'n':
		return append(out, '\n')
	case 'r':
		return append(out, '\r')
	case 't':
		return append(out, '\t')
	case 'b':
		return append(out, '\b')
	case 'f':
		return append(out, '\f')
	case '\r':
		if l.peek(0) == '\n' {
			l.at++
		}
		return out
	case '\n':
		return out
	}
	if c < '0' || c > '7' {
		return append(out, c)
	}
	v := int(c - '0')
	for range 2 {
		if d := l.peek(0); d >= '0' && d <= '7' {
			v = v*8 + int(d-'0')
			l.at++
		}
	}
	return append(out, byte(v))
}

// hex reads a string in hexadecimal.
func (l *lexer) hex() (any, error) {
	var out []byte
	half, have := byte(0), false
	for l.at < len(l.data) {
		c := l.data[l.at]
		l.at++
		if c == '>' {
			if have {
				out = append(out, half<<4)
			}
			return text(out), nil
		}
		v, ok := hexDigit(c)
		if !ok {
			continue
		}
		if have {
			out = append(out, half<<4|v)
		}
		half, have = v, !have
	}
	return nil, errSyntax
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

func (l *lexer) array(depth int) (any, error) {
	out := array{}
	for {
		v, err := l.object(depth + 1)
		if err != nil {
			return nil, err
		}
		if k, ok := v.(keyword); ok {
			if k == "]" {
				return out, nil
			}
			return nil, errSyntax
		}
		out = append(out, v)
	}
}

func (l *lexer) dict(depth int) (any, error) {
	out := dict{}
	for {
		key, err := l.object(depth + 1)
		if err != nil {
			return nil, err
		}
		switch k := key.(type) {
		case keyword:
			if k == ">" && l.peek(0) == '>' {
				l.at++
				return out, nil
			}
			return nil, errSyntax
		case name:
			v, err := l.object(depth + 1)
			if err != nil {
				return nil, err
			}
			if k, ok := v.(keyword); ok {
				if k == ">" && l.peek(0) == '>' { // a key without a value
					l.at++
					return out, nil
				}
				return nil, errSyntax
			}
			out[string(k)] = v
		default:
			return nil, errSyntax
		}
	}
}
