package verify

import (
	"slices"
	"strings"
)

// interpreter reads code from top to bottom and evaluates what it can: strings and
// what is made of them, dictionaries, clients, requests. There is no control flow:
// every branch and every function body is read once, in order. What it does not
// know is unknown, and never an error.
type interpreter struct {
	dialect
	text      string
	tokens    []token
	ends      []int // of brackets; made when it is needed
	at        int
	depth     int
	statement int
	noBrace   bool // a brace begins a block here, as after if in Go
	names     map[string]value
	requests  []*request
	call      func(in *interpreter, c *callSite) (value, bool)
}

// callSite is a call: the function as it is written, the value that it is a method
// of, and the arguments.
type callSite struct {
	path     string // "requests.get"; of a method of a known value, only "get"
	receiver value
	args     []value
	named    map[string]value
	open     bool // there are more arguments, *args
	at       piece
}

// arg is an argument by name or position; unknown without a path if it is not
// there.
func (c *callSite) arg(name string, i int) value {
	if v, ok := c.named[name]; ok && name != "" {
		return v
	}
	if i >= 0 && i < len(c.args) {
		return c.args[i]
	}
	return absent
}

// absent is an argument that is not there.
var absent = unknown{}

func given(v value) bool { u, ok := v.(unknown); return !ok || u.path != "" }

// Limits of the interpreter.
const (
	maxDepth = 60 // of expressions
	maxNames = 2000
)

func (in *interpreter) run() {
	for in.peek().kind != endOfCode {
		before := in.at
		in.statement++
		in.noBrace = false
		in.doStatement()
		if in.at == before {
			in.at++
		}
	}
}

func (in *interpreter) peek() token { return in.tokens[min(in.at, len(in.tokens)-1)] }

func (in *interpreter) is(s string) bool {
	t := in.peek()
	return t.text == s && t.kind != str
}

func (in *interpreter) accept(s string) bool {
	if in.is(s) {
		in.at++
		return true
	}
	return false
}

func (in *interpreter) skipNewlines() {
	for in.peek().kind == newline {
		in.at++
	}
}

// doStatement reads an assignment or an expression, or steps over one token.
func (in *interpreter) doStatement() {
	switch t := in.peek(); {
	case t.kind == newline || t.kind == punctuation && strings.Contains("{};,:)]", t.text):
		in.at++
		return
	case in.hash && t.text == "@": // a decorator
		for in.peek().kind != newline && in.peek().kind != endOfCode {
			in.at++
		}
		return
	case t.kind == identifier && (t.text == "def" || t.text == "func" || t.text == "function" || t.text == "class" || t.text == "import" && in.composites):
		in.declaration()
		return
	case t.kind == identifier && slices.Contains([]string{"if", "for", "while", "switch", "elif", "else", "try", "catch", "return", "const", "let", "var", "export",
		"default", "async", "with", "in", "range", "final", "static", "public", "private", "throw", "raise", "case", "using", "import", "from", "as", "finally"}, t.text):
		in.noBrace = in.composites && (t.text == "if" || t.text == "for" || t.text == "switch")
		header := in.noBrace
		in.at++
		if header {
			for n := 0; n < 20 && !in.is("{") && in.peek().kind != endOfCode; n++ {
				before := in.at
				in.assignment()
				in.noBrace = true
				if in.at == before {
					in.at++
				}
			}
		}
		return
	}
	in.assignment()
}

// declaration steps over the name of a function and its parameters, which are
// unknown from here on.
func (in *interpreter) declaration() {
	kind := in.peek().text
	in.at++
	for n := 0; n < 4 && !in.is("(") && in.peek().kind != endOfCode && in.peek().kind != newline; n++ {
		in.at++
	}
	if kind == "class" || kind == "import" {
		return
	}
	for lists := 0; in.is("(") && lists < 3; lists++ {
		end := in.closing()
		for i := in.at; i < end && i < len(in.tokens); i++ {
			if t := in.tokens[i]; t.kind == identifier {
				in.bind(t.text, unknown{t.text})
			}
		}
		in.at = end
		if in.composites && in.peek().kind == identifier { // the method of a receiver, or a result
			in.at++
		}
	}
	for n := 0; in.composites && n < 20 && !in.is("{") && in.peek().kind != newline && in.peek().kind != endOfCode; n++ {
		in.at++
	}
}

// closing is behind the bracket that closes the one at the current token.
func (in *interpreter) closing() int {
	if in.ends == nil {
		in.ends = pairs(in.tokens)
	}
	return in.ends[min(in.at, len(in.ends)-1)]
}

// pairs says for each bracket that opens where the code after its end begins.
func pairs(tokens []token) []int {
	ends := make([]int, len(tokens))
	var open []int
	for i, t := range tokens {
		ends[i] = len(tokens) - 1
		if t.kind != punctuation {
			continue
		}
		switch t.text {
		case "(", "[", "{":
			open = append(open, i)
		case ")", "]", "}":
			if n := len(open); n > 0 {
				ends[open[n-1]] = i + 1
				open = open[:n-1]
			}
		}
	}
	return ends
}

func (in *interpreter) bind(name string, v value) {
	if _, known := in.names[name]; known || len(in.names) < maxNames {
		in.names[name] = v
	}
}

// place is what can be assigned to: a name, or a key of a value.
type place struct {
	name string
	base value
	key  value
}

// assignment reads "a = b", "a, err := b", "a: T = b", "a += b", "b as a", or an
// expression.
func (in *interpreter) assignment() value {
	if in.depth > maxDepth {
		in.at++
		return unknown{}
	}
	in.depth++
	defer func() { in.depth-- }()
	v, target := in.expression()
	first := target
	for in.newlines && in.is(",") && in.tokens[min(in.at+1, len(in.tokens)-1)].kind == identifier && target.name != "" && in.depth < 3 {
		in.at++
		_, target = in.expression()
	}
	switch t := in.peek(); {
	case in.accept("=") || in.accept(":="):
		in.skipNewlines()
		rhs := in.assignment()
		in.assign(first, rhs)
		return rhs
	case in.accept("+="):
		in.skipNewlines()
		rhs := in.assignment()
		at := piece{statement: in.statement}
		_, number := v.(float64)
		if number {
			rhs = unknown{first.name}
		} else {
			rhs = concat(textOf(v, at), textOf(rhs, at))
		}
		in.assign(first, rhs)
		return rhs
	case t.text == "as" && in.hash:
		in.at++
		if in.peek().kind == identifier {
			in.bind(in.peek().text, v)
			in.at++
		}
	case t.text == ":" && first.name != "":
		for i := in.at + 1; i < in.at+30 && i < len(in.tokens); i++ {
			if k := in.tokens[i]; k.kind == newline || k.kind == str || strings.Contains(";)", k.text) && k.text != "" {
				break
			} else if k.text == "=" {
				in.at = i + 1
				rhs := in.assignment()
				in.assign(first, rhs)
				return rhs
			}
		}
	}
	return v
}

func (in *interpreter) assign(p place, v value) {
	if p.name != "" {
		in.bind(p.name, v)
		return
	}
	key, _ := plain(p.key)
	switch base := p.base.(type) {
	case *object:
		base.set(p.key, v)
	case *client:
		switch strings.ToLower(key) {
		case "headers":
			base.header.merge(v)
		case "params":
			base.query.merge(v)
		case "baseurl", "base_url":
			base.base = v
		case "auth":
			base.header.m["Authorization"] = unknown{}
		}
	case *request:
		switch key {
		case "RawQuery", "search":
			base.query.merge(v)
		case "Header", "headers":
			base.header.merge(v)
		case "method", "Method":
			base.method = v
		case "body", "Body", "data":
			base.body, base.hasBody = v, true
		}
	}
}

// expression reads operands with operators between them. What is not a sum of
// strings, a format or a choice is unknown.
func (in *interpreter) expression() (value, place) {
	v, p := in.operand()
	for {
		t := in.peek()
		if t.kind == identifier && (t.text == "or" || t.text == "and" || t.text == "if" && in.hash || t.text == "else" && in.hash || t.text == "in" || t.text == "is" || t.text == "instanceof" || t.text == "not") {
			if in.hash && (t.text == "if" || t.text == "in") && in.depth < 2 && t.text == "in" {
				in.at++
				in.operand()
				return unknown{}, place{}
			}
			in.at++
			in.operand()
			continue
		}
		if t.kind != punctuation {
			return v, p
		}
		switch t.text {
		case "+":
			in.at++
			in.skipNewlines()
			right, _ := in.operand()
			_, leftNumber := v.(float64)
			_, rightNumber := right.(float64)
			if leftNumber && rightNumber {
				v, p = unknown{"x"}, place{}
				continue
			}
			at := piece{start: t.start, end: t.end, statement: in.statement}
			v, p = concat(textOf(v, at), textOf(right, at)), place{}
		case "%":
			in.at++
			right, _ := in.operand()
			if format, ok := v.(text); ok {
				args := []value{right}
				if l, ok := right.(*list); ok {
					args = l.items
				}
				v = in.format(format, args)
			} else {
				v = unknown{"x"}
			}
			p = place{}
		case "||", "??", "|":
			in.at++
			in.skipNewlines()
			right, rp := in.operand()
			if _, isUnknown := v.(unknown); isUnknown && t.text != "|" {
				v = right
			} else if a, ok := v.(*object); ok && t.text == "|" {
				both := newObject()
				both.merge(a)
				both.merge(right)
				v = both
			}
			p = rp
		case "?":
			in.at++
			in.skipNewlines()
			a := in.assignment()
			in.skipNewlines()
			if in.accept(":") {
				in.skipNewlines()
				in.assignment()
			}
			v, p = a, place{}
			if _, isText := a.(text); !isText {
				v = unknown{"x"}
			}
		case "-", "*", "/", "<", ">", "==", "!=", "<=", ">=", "&&", "&", "**", "^":
			in.at++
			in.skipNewlines()
			_, p = in.operand()
			if in.is("=") && in.tokens[min(in.at+1, len(in.tokens)-1)].text == "=" {
				in.at += 2 // === as lexed
			}
			v = unknown{"x"}
		case "=>", "->":
			if in.hash && t.text == "->" {
				return v, p
			}
			in.at++
			in.skipNewlines()
			if !in.is("{") {
				in.assignment()
			} else {
				in.block()
			}
			return unknown{"function"}, place{}
		default:
			return v, p
		}
	}
}

// block reads the statements between braces.
func (in *interpreter) block() {
	end := in.closing()
	depth, noBrace := in.depth, in.noBrace
	if depth > maxDepth {
		in.at = end
		return
	}
	in.at++
	for in.at < end-1 {
		before := in.at
		in.statement++
		in.noBrace, in.depth = false, depth+1
		in.doStatement()
		if in.at == before {
			in.at++
		}
	}
	in.depth, in.noBrace = depth, noBrace
	in.at = max(in.at, end)
}
