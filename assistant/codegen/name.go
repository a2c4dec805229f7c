package codegen

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean makes a string that every language and protocol can carry: valid UTF-8
// without NUL.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "�"), "\x00", "")
}

func clip(s string, max int) string {
	if len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return s[:max]
}

// oneLine makes a text fit for a comment of every language: one line, nothing
// that is not printed, no backslashes (Java reads \u000a in comments) and no end
// of a PHP section.
func oneLine(s string, max int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\\':
			return '/'
		case unicode.IsSpace(r) || !unicode.IsPrint(r):
			return ' '
		}
		return r
	}, clean(s))
	s = strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "?>", "? >")
	if len(s) > max {
		s = strings.TrimSpace(clip(s, max)) + "…"
	}
	return s
}

// percent encodes all but the unreserved characters of RFC 3986.
func percent(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// escapeLiteral encodes what may not stand in a path; encoded bytes stay.
func escapeLiteral(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) ||
			c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~/:@!&()*+,;=", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteString(percent(s[i : i+1]))
	}
	return b.String()
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// printableASCII encodes what a header cannot carry.
func printableASCII(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0 {
		return s
	}
	return percent(s)
}

// wordsOf splits a name into lower-case words of ASCII letters and digits:
// "orderId" and "order-id" are order, id.
func wordsOf(s string) []string {
	var words []string
	var word []byte
	flush := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
			word = nil
		}
	}
	for i := 0; i < len(s) && i < maxName; i++ {
		c := s[i]
		switch {
		case c >= 'A' && c <= 'Z':
			afterLower := i > 0 && s[i-1] >= 'a' && s[i-1] <= 'z'
			startsWord := i > 0 && s[i-1] >= 'A' && s[i-1] <= 'Z' && i+1 < len(s) && s[i+1] >= 'a' && s[i+1] <= 'z'
			if afterLower || startsWord {
				flush()
			}
			word = append(word, c)
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			word = append(word, c)
		default:
			flush()
		}
	}
	flush()
	return words
}

// maxName bounds the bytes of a name that an identifier is made of.
const maxName = 60

// placeholder is a value of which only the name is known.
func placeholder(name string) string {
	words := wordsOf(name)
	if len(words) == 0 {
		return "your-value"
	}
	return "your-" + strings.Join(words, "-")
}

// Styles of identifiers.
func snakeCase(words []string) string { return strings.Join(words, "_") }
func upperCase(words []string) string { return strings.ToUpper(snakeCase(words)) }
func camelCase(words []string) string {
	return words[0] + pascalCase(words[1:])
}

func pascalCase(words []string) string {
	var b strings.Builder
	for _, w := range words {
		b.WriteString(strings.ToUpper(w[:1]) + w[1:])
	}
	return b.String()
}

// identifiers names the variables of a plan in a language. Names that are taken
// by the language, by the rest of the snippet or by another variable get
// something behind.
func (p *plan) identifiers(style func([]string) string, taken string) map[*variable]string {
	used := make(map[string]bool)
	for _, name := range strings.Fields(taken) {
		used[name] = true
	}
	out := make(map[*variable]string)
	for _, v := range p.variables {
		words := wordsOf(v.name)
		if len(words) == 0 || words[0][0] <= '9' {
			words = append([]string{"value"}, words...)
		}
		name := style(words)
		for n := 1; used[name]; n++ {
			suffix := "value"
			if n > 1 {
				suffix += strconv.Itoa(n)
			}
			name = style(append(words[:len(words):len(words)], suffix))
		}
		used[name] = true
		out[v] = name
	}
	return out
}
