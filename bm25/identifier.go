package bm25

import (
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/kljensen/snowball/english"
)

// API returns the analyser for API descriptions and English prose, the default.
//
//   - Identifiers are split at case changes, underscores, hyphens and dots, and
//     kept whole without them: listUserRepos gives list, user, repo and
//     listuserrepos; user_id, userId and user-id give user, id and userid.
//   - A path is kept whole beside its parts: /v1/users/{id}.
//   - English stop words are dropped, words are reduced to their stems by the
//     Snowball (Porter2) algorithm. Single characters are dropped.
//   - Runs of Han, Hiragana, Katakana, Thai, Lao, Khmer and Myanmar script,
//     which are written without spaces, give overlapping pairs of characters.
func API() Analyzer { return sharedAPI() }

// sharedAPI makes the one API analyser: it has no settings, and its cache serves
// all indexes.
var sharedAPI = sync.OnceValue(func() *api { return new(api) })

type api struct {
	stems [1 << 14]atomic.Pointer[stem] // by hash; a collision replaces
}

// stem is a word and its stem.
type stem struct{ word, stem string }

func (*api) Name() string { return "api/1" }

// scanner holds the terms in the making.
type scanner struct {
	part  []byte // the part of an identifier, in lower case
	whole []byte // all parts
	runes int    // in part
	ascii bool   // part has only letters a to z
}

var scanners = sync.Pool{New: func() any {
	return &scanner{part: make([]byte, 0, maxToken+utf8.UTFMax), whole: make([]byte, 0, 2*maxToken)}
}}

func (a *api) Tokens(text string, emit func(token []byte)) {
	s := scanners.Get().(*scanner)
	pathEnd := 0
	for i := 0; i < len(text); {
		r, size := decode(text, i)
		switch {
		case r == '/' && i >= pathEnd && startsPath(text, i):
			pathEnd = a.path(s, text, i, emit)
			i++
		case isWord(r):
			if unspaced(r) {
				i = pairs(s, text, i, emit)
				continue
			}
			end := identifierEnd(text, i+size)
			a.identifier(s, text[i:end], emit)
			i = end
		default:
			i += size
		}
	}
	scanners.Put(s)
}

// decode is the character at text[i:].
func decode(text string, i int) (r rune, size int) {
	if c := text[i]; c < utf8.RuneSelf {
		return rune(c), 1
	}
	return utf8.DecodeRuneInString(text[i:])
}

// startsPath reports whether the slash at i begins a path rather than being
// inside of one, of a URL, or of a fraction.
func startsPath(text string, i int) bool {
	if i > 0 && (lowerASCII[text[i-1]] != 0 || text[i-1] == '/' || text[i-1] >= utf8.RuneSelf) {
		return false
	}
	return i+1 < len(text) && (lowerASCII[text[i+1]] != 0 || text[i+1] == '{')
}

// path emits the path that begins at i, and returns its end.
func (a *api) path(s *scanner, text string, i int, emit func([]byte)) int {
	s.whole = s.whole[:0]
	end := i
	for ; end < len(text) && len(s.whole) < maxToken; end++ {
		c := text[end]
		if lower := lowerASCII[c]; lower != 0 {
			c = lower
		} else if strings.IndexByte("/{}-.:~", c) < 0 {
			break
		}
		s.whole = append(s.whole, c)
	}
	for n := len(s.whole); n > 0 && strings.IndexByte(".:-/", s.whole[n-1]) >= 0; n-- {
		s.whole = s.whole[:n-1]
	}
	if len(s.whole) > 2 {
		emit(s.whole)
	}
	return end
}

// identifierEnd is the end of the identifier that has begun before i: words
// joined by single hyphens and dots.
func identifierEnd(text string, i int) int {
	for i < len(text) {
		r, size := decode(text, i)
		if (r == '-' || r == '.') && i+1 < len(text) {
			if next, nextSize := decode(text, i+1); isWord(next) && !unspaced(next) {
				i += size + nextSize
				continue
			}
		}
		if !isWord(r) || unspaced(r) {
			break
		}
		i += size
	}
	return i
}

// identifier emits the parts of an identifier, and all of it if there are
// several.
func (a *api) identifier(s *scanner, text string, emit func([]byte)) {
	s.whole, s.part, s.runes, s.ascii = s.whole[:0], s.part[:0], 0, true
	parts := 0
	end := func() {
		if s.runes > 0 {
			parts++
			s.whole = append(s.whole, s.part...)
			a.part(s, emit)
		}
		s.part, s.runes, s.ascii = s.part[:0], 0, true
	}
	var before rune
	for i := 0; i < len(text); {
		r, size := decode(text, i)
		i += size
		if r == '_' || r == '-' || r == '.' {
			end()
			before = 0
			continue
		}
		if isUpper(r) && before != 0 && (!isUpper(before) || i < len(text) && startsWord(text, i)) {
			end()
		}
		before = r
		s.add(r)
	}
	end()
	if parts > 1 && len(s.whole) > 1 {
		emit(s.whole[:min(len(s.whole), maxToken)])
	}
}

// startsWord reports whether the character at i is a lower case letter, as the
// S in HTTPServer is followed by one.
func startsWord(text string, i int) bool {
	r, _ := decode(text, i)
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z'
	}
	return unicode.IsLower(r)
}

func isUpper(r rune) bool {
	if r < utf8.RuneSelf {
		return 'A' <= r && r <= 'Z'
	}
	return unicode.IsUpper(r)
}

// add appends a character to the part.
func (s *scanner) add(r rune) {
	s.runes++
	if len(s.part) >= maxToken {
		return
	}
	if r < utf8.RuneSelf {
		c := lowerASCII[byte(r)]
		s.ascii = s.ascii && c >= 'a'
		s.part = append(s.part, c)
		return
	}
	s.ascii = false
	s.part = utf8.AppendRune(s.part, unicode.ToLower(r))
}

// part emits the stem of the part, unless it says nothing.
func (a *api) part(s *scanner, emit func([]byte)) {
	if s.runes < 2 {
		return
	}
	if !s.ascii {
		emit(s.part)
		return
	}
	if stopWords[string(s.part)] {
		return
	}
	s.part = append(s.part[:0], a.stem(s.part)...)
	emit(s.part)
}

// stem returns the stem of a word of the letters a to z.
func (a *api) stem(word []byte) string {
	slot := &a.stems[maphash.Bytes(seed, word)%uint64(len(a.stems))]
	if e := slot.Load(); e != nil && e.word == string(word) {
		return e.stem
	}
	e := &stem{word: string(word)}
	e.stem = english.Stem(e.word, false)
	slot.Store(e)
	return e.stem
}

// unspaced reports whether a character belongs to a script that is written
// without spaces between words.
func unspaced(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// pairs emits the overlapping pairs of the characters from i on, or the single
// one, and returns their end.
func pairs(s *scanner, text string, i int, emit func([]byte)) int {
	start, before, n := i, i, 0
	for i < len(text) {
		r, size := decode(text, i)
		if !isWord(r) || !unspaced(r) {
			break
		}
		if n > 0 {
			s.part = append(s.part[:0], text[before:i+size]...)
			emit(s.part)
		}
		before = i
		i += size
		n++
	}
	if n == 1 {
		s.part = append(s.part[:0], text[start:i]...)
		emit(s.part)
	}
	return i
}

// stopWords are the words that questions and descriptions are full of and that
// say nothing about an API. Verbs such as get, list and create are not among
// them.
var stopWords = func() map[string]bool {
	m := make(map[string]bool)
	for word := range strings.FieldsSeq(`
		a an the this that these those there here
		i me my mine we us our you your he him his she her it its they them their
		am is are was were be been being do does did doing have has had having
		can could shall should will would may might must
		and or but nor so if then than as because while
		of in on at by for from to into onto with about between through via per
		how what when where which who whom whose why
		not no please want need like just also very too such`) {
		m[word] = true
	}
	return m
}()
