package verify

import "strings"

// dialect is what a family of languages has of its own, as far as reading
// requests needs it.
type dialect struct {
	hash       bool // # begins a comment; else // and /* do
	triple     bool // """ strings
	single     bool // 'x' is a string
	prefixes   bool // f"…", r'…'
	raw        bool // `…` has no escapes and no holes
	template   bool // `…${x}…`
	newlines   bool // may end a statement
	composites bool // T{…} is a value
}

var (
	pythonDialect     = dialect{hash: true, triple: true, single: true, prefixes: true, newlines: true}
	javascriptDialect = dialect{single: true, template: true, newlines: true}
	goDialect         = dialect{raw: true, newlines: true, composites: true}
	javaDialect       = dialect{triple: true}
)

type tokenKind uint8

const (
	endOfCode tokenKind = iota
	identifier
	number
	str
	punctuation
	newline
)

type token struct {
	kind       tokenKind
	text       string
	start, end int    // in the whole text
	parts      []part // of a string
}

// part of a string: literal text, or an expression that stands in it.
type part struct {
	text       string // decoded; of a hole, its source
	hole       bool
	start, end int // of the text that it was read from; of a hole, with its braces
	inner      int // where the source of a hole begins
}

// maxTokens bounds what is read of one block of code.
const maxTokens = 50_000

// lexer cuts code into tokens. Anything is accepted.
type lexer struct {
	dialect
	text   string
	at     int
	end    int
	tokens []token
}

func lex(text string, start, end int, d dialect) []token {
	l := lexer{dialect: d, text: text, at: start, end: end}
	for l.at < l.end && len(l.tokens) < maxTokens {
		l.next()
	}
	return append(l.tokens, token{kind: endOfCode, start: l.end, end: l.end})
}

func (l *lexer) emit(kind tokenKind, start int) {
	l.tokens = append(l.tokens, token{kind: kind, text: l.text[start:l.at], start: start, end: l.at})
}

func (l *lexer) next() {
	start, b := l.at, l.text[l.at]
	rest := l.text[l.at:l.end]
	switch {
	case b == '\n':
		l.at++
		l.emit(newline, start)
	case b <= ' ' || b == '\\':
		l.at++
		if b == '\\' && l.at < l.end && l.text[l.at] == '\n' {
			l.at++ // a line that goes on
		}
	case l.hash && b == '#', !l.hash && strings.HasPrefix(rest, "//"):
		if i := strings.IndexByte(rest, '\n'); i >= 0 {
			l.at += i
		} else {
			l.at = l.end
		}
	case !l.hash && strings.HasPrefix(rest, "/*"):
		if i := strings.Index(rest[2:], "*/"); i >= 0 {
			l.at += i + 4
		} else {
			l.at = l.end
		}
	case b == '"' || b == '\'' || b == '`' && (l.raw || l.template):
		l.quoted("")
	case isDigit(rune(b)):
		for l.at < l.end && (isWordByte(l.text[l.at]) || l.text[l.at] == '.') {
			l.at++
		}
		l.emit(number, start)
	case isWordByte(b) || b == '$':
		for l.at < l.end && (isWordByte(l.text[l.at]) || l.text[l.at] == '$') {
			l.at++
		}
		if word := l.text[start:l.at]; l.prefixes && len(word) < 3 && l.at < l.end && strings.IndexByte(`"'`, l.text[l.at]) >= 0 {
			l.quoted(strings.ToLower(word))
			return
		}
		l.emit(identifier, start)
	default:
		l.at++
		for _, op := range []string{"=>", "->", ":=", "+=", "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "**", "..."} {
			if strings.HasPrefix(rest, op) {
				l.at = start + len(op)
				break
			}
		}
		l.emit(punctuation, start)
	}
}

// quoted reads a string with its quotes.
func (l *lexer) quoted(prefix string) {
	start := l.at
	quote := l.text[l.at : l.at+1]
	if l.triple && strings.HasPrefix(l.text[l.at:l.end], strings.Repeat(quote, 3)) {
		quote = strings.Repeat(quote, 3)
	}
	l.at += len(quote)
	raw := strings.Contains(prefix, "r") || quote == "`" && l.raw
	holes := strings.Contains(prefix, "f")
	t := token{kind: str, start: start}
	var b strings.Builder
	from := l.at
	flush := func() {
		if b.Len() > 0 {
			t.parts = append(t.parts, part{text: b.String(), start: from, end: l.at})
			b.Reset()
		}
	}
loop:
	for l.at < l.end {
		rest := l.text[l.at:l.end]
		switch {
		case strings.HasPrefix(rest, quote):
			break loop
		case rest[0] == '\n' && len(quote) == 1 && quote != "`":
			break loop // it is not closed
		case rest[0] == '\\' && !raw && len(rest) > 1:
			b.WriteString(unescape(rest[1]))
			l.at += 2
		case holes && (strings.HasPrefix(rest, "{{") || strings.HasPrefix(rest, "}}")):
			b.WriteByte(rest[0])
			l.at += 2
		case holes && rest[0] == '{', quote == "`" && l.template && strings.HasPrefix(rest, "${"):
			open := strings.IndexByte(rest, '{')
			n := braces(rest, open)
			if n == 0 {
				b.WriteByte(rest[0])
				l.at++
				continue
			}
			flush()
			t.parts = append(t.parts, part{text: rest[open+1 : n-1], hole: true, start: l.at, end: l.at + n, inner: l.at + open + 1})
			l.at += n
			from = l.at
		default:
			b.WriteByte(rest[0])
			l.at++
		}
	}
	flush()
	l.at = min(l.at+len(quote), l.end)
	if !strings.HasSuffix(l.text[start:l.at], quote) {
		l.at = max(start+1, l.at-len(quote)+1)
	}
	t.end, t.text = l.at, l.text[start:l.at]
	l.tokens = append(l.tokens, t)
}

func unescape(b byte) string {
	switch b {
	case 'n':
		return "\n"
	case 't':
		return "\t"
	case '\n':
		return ""
	}
	return string(b)
}

// braces is where a brace that opens at i is closed, 0 if it is not nearby.
func braces(s string, i int) int {
	depth := 0
	for j := i; j < len(s) && j < i+500; j++ {
		switch s[j] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return j + 1
			}
		}
	}
	return 0
}
