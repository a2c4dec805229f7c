package verify

import (
	"regexp"
	"slices"
	"strings"
)

// literal is the text of a string token, its holes evaluated.
func (in *interpreter) literal(t token) text {
	out := make(text, 0, len(t.parts))
	for _, p := range t.parts {
		at := piece{s: p.text, start: p.start, end: p.end, statement: in.statement}
		if p.hole {
			out = concat(out, textOf(in.evaluate(p), at))
			continue
		}
		out = append(out, at)
	}
	return out
}

// evaluate reads the expression in a hole of a string.
func (in *interpreter) evaluate(p part) value {
	if in.depth > maxDepth/4 && in.depth > 40 {
		return unknown{}
	}
	sub := *in
	sub.ends = nil
	sub.tokens, sub.at, sub.depth = lex(in.text, p.inner, p.end-1, in.dialect), 0, in.depth+10
	v := sub.assignment()
	in.requests = sub.requests
	return v
}

// verbs are what a format puts values in: %s, %d, {}, {name}, {0}.
var verbs = regexp.MustCompile(`%(?:\(\w+\))?[-+#0-9.]*[a-zA-Z]|\{(\w*)(?::[^{}]*)?\}|%%`)

// format puts values into a text.
func (in *interpreter) format(format text, args []value) text {
	var out text
	next := 0
	for _, p := range format {
		if p.hole {
			out = append(out, p)
			continue
		}
		last := 0
		for _, m := range verbs.FindAllStringSubmatchIndex(p.s, 100) {
			verb := p.s[m[0]:m[1]]
			if verb[0] == '%' && strings.Contains(format.String(), "{}") {
				continue
			}
			out = append(out, p.sub(last, m[0]))
			last = m[1]
			at := p.sub(m[0], m[1])
			if verb == "%%" {
				at.s = "%"
				out = append(out, at)
				continue
			}
			var v value = unknown{strings.Trim(verb, "{}%()")}
			if verb[0] == '%' && len(verb) == 2 || verb == "{}" {
				v = unknown{"x"}
			}
			if next < len(args) {
				v = args[next]
			}
			next++
			at.hole = true
			out = concat(out, textOf(v, at))
		}
		out = append(out, p.sub(last, len(p.s)))
	}
	return slices.DeleteFunc(out, func(p piece) bool { return p.s == "" && p.query == nil })
}

func (t text) String() string {
	var b strings.Builder
	for _, p := range t {
		b.WriteString(p.s)
	}
	return b.String()
}

// sub is a piece of a piece. Escapes make the place approximate.
func (p piece) sub(from, to int) piece {
	out := p
	out.s = p.s[from:to]
	if p.end-p.start == len(p.s) {
		out.start, out.end = p.start+from, p.start+to
	}
	return out
}
