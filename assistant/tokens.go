package assistant

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Tokens estimates how many tokens a language model makes of a text. Tokenizers
// differ, so it is on the safe side of those in use: a word costs one token for
// each five letters begun, a number one for each three digits, a punctuation mark
// one, blanks nothing but one for each four after the first, a letter with
// diacritics or of another alphabet half a token, a Chinese, Japanese or Korean
// character one. English prose and JSON come to about four and three bytes a
// token.
func Tokens(text string) int {
	var (
		tokens, half int
		run          int // length of the run of class
		class        = blank
	)
	end := func() {
		switch class {
		case letter:
			tokens += (run + 4) / 5
		case digit:
			tokens += (run + 2) / 3
		case blank:
			tokens += max(0, run-1) / 4
		}
		run = 0
	}
	for i := 0; i < len(text); {
		c, size := classOf(text[i:])
		i += size
		if c != class {
			end()
			class = c
		}
		run++
		switch c {
		case mark, ideograph:
			tokens++
		case foreign:
			half++
		}
	}
	end()
	return tokens + (half+1)/2
}

type charClass uint8

const (
	blank charClass = iota
	letter
	digit
	mark      // a token of its own
	foreign   // half a token
	ideograph // a token
)

func classOf(s string) (charClass, int) {
	switch c := s[0]; {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		return letter, 1
	case c >= '0' && c <= '9':
		return digit, 1
	case c == ' ', c == '\n', c == '\t', c == '\r':
		return blank, 1
	case c < utf8.RuneSelf:
		return mark, 1
	}
	r, size := utf8.DecodeRuneInString(s)
	if size < 3 {
		return foreign, size
	}
	if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || !unicode.IsLetter(r) {
		return ideograph, size
	}
	return foreign, size
}

// truncate cuts s to at most so many tokens: at the end of a line where that
// costs less than half of it, else inside one, but never inside a character.
func truncate(s string, tokens int) string {
	if len(s) <= tokens || Tokens(s) <= tokens { // a token has at least one byte
		return s
	}
	low, high := 0, len(s) // the longest prefix that fits has low ≤ n < high bytes
	for high-low > 1 {
		n := int(uint(low+high) >> 1)
		if Tokens(s[:n]) <= tokens {
			low = n
		} else {
			high = n
		}
	}
	n := low
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	if end := strings.LastIndexByte(s[:n], '\n'); end > n/2 {
		n = end + 1
	}
	return s[:n]
}
