package websearch

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxURLs bounds how many URLs are found in a text.
const MaxURLs = 20

// URLs returns the http and https URLs in a text, in their order and each once, at
// most MaxURLs. It knows Markdown links and angle brackets, and leaves out the
// punctuation after a URL; a bracket belongs to one if it was opened in it.
func URLs(text string) []string {
	var found []string
	seen := make(map[string]bool)
	for at := 0; at < len(text) && len(found) < MaxURLs; {
		start := nextScheme(text, at)
		if start < 0 {
			break
		}
		end := urlEnd(text, start)
		at = end
		candidate := trimEnd(text[start:end])
		if u, err := url.Parse(candidate); err != nil || u.Hostname() == "" || len(candidate) > maxURL || seen[candidate] {
			continue
		}
		seen[candidate] = true
		found = append(found, candidate)
	}
	return found
}

// nextScheme returns where the next "http://" or "https://" begins that is not
// the end of a longer word, or -1.
func nextScheme(text string, at int) int {
	for {
		i := strings.Index(text[at:], "://")
		if i < 0 {
			return -1
		}
		colon := at + i
		for _, scheme := range []string{"https", "http"} {
			start := colon - len(scheme)
			if start >= 0 && strings.EqualFold(text[start:colon], scheme) && !wordBefore(text, start) {
				return start
			}
		}
		at = colon + len("://")
	}
}

func wordBefore(text string, at int) bool {
	r, _ := utf8.DecodeLastRuneInString(text[:at])
	return at > 0 && (r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) || r == '+' || r == '-')
}

// urlEnd is where the URL that begins at start ends at the latest.
func urlEnd(text string, start int) int {
	var open []rune
	for i, r := range text[start:] {
		switch {
		case r <= ' ' || r == utf8.RuneError || strings.ContainsRune("<>\"`{}|\\^\x7f", r):
			return start + i
		case r >= utf8.RuneSelf && (unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsControl(r)):
			return start + i // 。 and ） end a sentence, too
		case r == '(':
			open = append(open, ')')
		case r == '[':
			open = append(open, ']')
		case r == ')' || r == ']':
			if len(open) == 0 || open[len(open)-1] != r {
				return start + i
			}
			open = open[:len(open)-1]
		}
	}
	return len(text)
}

// trimEnd removes what belongs to the sentence around a URL.
func trimEnd(u string) string { return strings.TrimRight(u, ".,;:!?'*_~([") }
