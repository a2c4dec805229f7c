package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a JSON body. The deepest thing that clients
// need is a filter (256 levels of an object and a list each).
const maxDepth = 600

// wellFormed checks that a body is one JSON object, and what encoding/json lets
// pass: bytes that are no UTF-8, halves of characters, NUL characters, duplicate
// keys, deep nesting, bytes after the value.
func wellFormed(body []byte) error {
	if !utf8.Valid(body) {
		return badRequest("the request body is not valid UTF-8")
	}
	if at := loneSurrogate(body); at >= 0 {
		return badRequest("the JSON escapes half of a character at byte %d", at)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var stack nesting
	for {
		token, err := d.Token()
		if err != nil {
			return syntaxError(err, d.InputOffset())
		}
		if err := stack.take(token, d.InputOffset()); err != nil {
			return err
		}
		if len(stack) == 0 {
			break
		}
	}
	if rest := bytes.TrimSpace(body[d.InputOffset():]); len(rest) > 0 {
		return badRequest("there is something after the JSON value, at byte %d", d.InputOffset())
	}
	return nil
}

// nesting are the objects and lists that a token stands in, outermost first.
type nesting []level

type level struct {
	keys map[string]bool // nil for a list
	key  bool            // the next string is a key
}

// take follows one token.
func (n *nesting) take(token json.Token, at int64) error {
	text, isText := token.(string)
	if isText && strings.IndexByte(text, 0) >= 0 {
		return badRequest("the JSON has a NUL character near byte %d", at)
	}
	if len(*n) == 0 && token != json.Delim('{') {
		return badRequest("the request body must be a JSON object")
	}
	if len(*n) > 0 && token != json.Delim('}') && token != json.Delim(']') {
		top := &(*n)[len(*n)-1]
		if isText && top.key {
			if top.keys[text] {
				return badRequest("the JSON has a duplicate key near byte %d", at)
			}
			top.keys[text], top.key = true, false
			return nil
		}
		top.key = top.keys != nil
	}
	switch token {
	case json.Delim('{'), json.Delim('['):
		if len(*n) == maxDepth {
			return badRequest("the JSON is nested deeper than %d levels", maxDepth)
		}
		l := level{}
		if token == json.Delim('{') {
			l = level{keys: make(map[string]bool), key: true}
		}
		*n = append(*n, l)
	case json.Delim('}'), json.Delim(']'):
		*n = (*n)[:len(*n)-1]
	}
	return nil
}

func syntaxError(err error, offset int64) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		offset = syntax.Offset
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return badRequest("the JSON ends early, at byte %d", offset)
	}
	return badRequest("the JSON is malformed near byte %d", offset)
}

// loneSurrogate returns where a JSON text escapes one half of a character
// without the other, which encoding/json would replace silently; -1 is nowhere.
func loneSurrogate(body []byte) int {
	for i := 0; ; {
		next := bytes.IndexByte(body[i:], '\\')
		if next < 0 {
			return -1
		}
		i += next
		r, ok := escaped(body[i:])
		switch {
		case !ok:
			i += 2 // another escape, of one character
		case !utf16.IsSurrogate(r):
			i += 6
		default:
			low, ok := escaped(body[i+6:])
			if !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
				return i
			}
			i += 12
		}
		if i >= len(body) {
			return -1
		}
	}
}

// escaped reads \uXXXX.
func escaped(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(n), err == nil
}

// wellFormedText checks a text that did not come as JSON: a form field, a part of
// the query or the path.
func wellFormedText(what, s string) error {
	if !utf8.ValidString(s) {
		return badRequest("%s is not valid UTF-8", what)
	}
	if strings.IndexByte(s, 0) >= 0 {
		return badRequest("%s has a NUL character", what)
	}
	return nil
}
