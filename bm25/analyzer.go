package bm25

import (
	"sync"
	"unicode"
	"unicode/utf8"
)

// Analyzer splits a text into terms. It is applied to documents and to queries,
// must be deterministic, safe for concurrent use, and must not panic on any
// bytes.
type Analyzer interface {
	// Tokens calls emit for each term of the text, in order. The slice is valid
	// during the call only.
	Tokens(text string, emit func(token []byte))
	// Name identifies the analyser and its version; a snapshot written with one
	// cannot be read with another.
	Name() string
}

// maxToken is the greatest length of a term in bytes; what is longer is cut.
const maxToken = 256

// Standard returns the plain analyser: maximal runs of Unicode letters, digits
// and underscores, in lower case; runs of one character are dropped.
func Standard() Analyzer { return standard{} }

type standard struct{}

func (standard) Name() string { return "standard/1" }

// buffers are for terms in the making: a slice that is passed to a function
// value would be allocated for each text otherwise.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, maxToken+utf8.UTFMax)
	return &b
}}

func (standard) Tokens(text string, emit func(token []byte)) {
	buffer := buffers.Get().(*[]byte)
	token, runes := (*buffer)[:0], 0
	for i := 0; i < len(text); {
		lower := lowerASCII[text[i]]
		r, size := rune(lower), 1
		if text[i] >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[i:])
			if r = unicode.ToLower(r); !isWord(r) {
				r = 0
			}
		}
		i += size
		if r != 0 {
			runes++
			if len(token) < maxToken {
				token = utf8.AppendRune(token, r)
			}
			continue
		}
		if runes > 1 {
			emit(token)
		}
		token, runes = token[:0], 0
	}
	if runes > 1 {
		emit(token)
	}
	buffers.Put(buffer)
}

// isWord reports whether a character is part of a word.
func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return lowerASCII[byte(r)] != 0
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

// lowerASCII maps letters, digits and the underscore to themselves in lower
// case, and every other byte to 0.
var lowerASCII = func() (table [256]byte) {
	for c := byte('a'); c <= 'z'; c++ {
		table[c], table[c-'a'+'A'] = c, c
	}
	for c := byte('0'); c <= '9'; c++ {
		table[c] = c
	}
	table['_'] = '_'
	return table
}()
