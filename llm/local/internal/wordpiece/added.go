package wordpiece

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// addedToken is a token that is found in the text as it is written, before
// anything else: "[SEP]", say.
type addedToken struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	Normalized bool   `json:"normalized"`
}

type addedTokens struct {
	tokens []addedToken // longest first
	starts [256]bool    // the bytes with which one begins
}

func newAddedTokens(tokens []addedToken) addedTokens {
	var a addedTokens
	for _, t := range tokens {
		if t.Content != "" {
			a.tokens = append(a.tokens, t)
			a.starts[t.Content[0]] = true
		}
	}
	slices.SortStableFunc(a.tokens, func(x, y addedToken) int { return cmp.Compare(len(y.Content), len(x.Content)) })
	return a
}

// next finds the first added token of text, the longest if several begin there.
// Without one, both ends are that of text.
func (a *addedTokens) next(text string) (start, end int, id int32) {
	for i := range len(text) {
		if !a.starts[text[i]] {
			continue
		}
		for _, t := range a.tokens {
			if !strings.HasPrefix(text[i:], t.Content) {
				continue
			}
			end := i + len(t.Content)
			if t.SingleWord && (endsInWord(text[:i]) || startsWithWord(text[end:])) {
				continue
			}
			return i, end, t.ID
		}
	}
	return len(text), len(text), 0
}

func endsInWord(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return s != "" && isWord(r)
}

func startsWithWord(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return s != "" && isWord(r)
}

func isWord(r rune) bool {
	return r == '_' || unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Pc)
}
