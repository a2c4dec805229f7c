package codegen

import (
	"fmt"
	"strings"
	"unicode"
)

// escapeInvisible replaces the runes that are not printed: controls, invisible
// spaces, and marks that turn the direction of text around.
func escapeInvisible(s string, escape func(rune) string) string {
	if strings.IndexFunc(s, invisible) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if invisible(r) {
			b.WriteString(escape(r))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func invisible(r rune) bool { return !unicode.IsPrint(r) }

// dialect says how a language escapes inside of double quotes.
type dialect struct {
	special string            // characters that need a backslash
	replace map[string]string // others, as they are written
	rune    func(rune) string // what is not printed
}

// escape escapes what stands between double quotes.
func (d dialect) escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case strings.ContainsRune(d.special, r):
			b.WriteString(`\` + string(r))
		case d.replace[string(r)] != "":
			b.WriteString(d.replace[string(r)])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case invisible(r):
			b.WriteString(d.rune(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func (d dialect) quote(s string) string { return `"` + d.escape(s) + `"` }

// Escapes of runes.
func escapeShortLong(r rune) string { // \u00ad, \U000e0001: Python, Go, C#
	if r > 0xffff {
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

func escapeBraces(r rune) string { return fmt.Sprintf(`\u{%x}`, r) } // JavaScript, Ruby, Rust, PHP

func escapeSurrogates(r rune) string { // Java
	if r > 0xffff {
		r -= 0x10000
		return fmt.Sprintf(`\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// join writes a text in a language that puts strings together with an operator.
func (t text) join(operator string, quote func(string) string, variable func(part) string) string {
	var terms []string
	for _, p := range t.merged() {
		if p.variable == nil {
			terms = append(terms, quote(p.literal))
		} else {
			terms = append(terms, variable(p))
		}
	}
	if len(terms) == 0 {
		return quote("")
	}
	return strings.Join(terms, operator)
}

// interpolate writes a text in a language that has variables inside of strings.
func (t text) interpolate(escape func(string) string, variable func(part) string) string {
	var b strings.Builder
	for _, p := range t.merged() {
		if p.variable == nil {
			b.WriteString(escape(p.literal))
		} else {
			b.WriteString(variable(p))
		}
	}
	return b.String()
}

// merged is the text with neighbouring literals put together.
func (t text) merged() (out text) {
	for _, p := range t {
		if n := len(out); n > 0 && p.variable == nil && out[n-1].variable == nil {
			out[n-1].literal += p.literal
		} else if p.variable != nil || p.literal != "" {
			out = append(out, p)
		}
	}
	return out
}
