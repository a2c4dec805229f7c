package verify

import (
	"regexp"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
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

// operand reads a value with what follows it: members, indexes, calls.
func (in *interpreter) operand() (value, place) {
	if in.depth > maxDepth {
		in.at++
		return unknown{}, place{}
	}
	in.depth++
	defer func() { in.depth-- }()
	v, p, path := in.primary()
	for {
		t := in.peek()
		if t.kind == newline && !in.hash {
			i := in.at
			for in.tokens[i].kind == newline {
				i++
			}
			if in.tokens[i].text != "." && in.tokens[i].text != "?." || in.tokens[i].kind == str {
				return v, p
			}
			in.at = i
			continue
		}
		if t.kind != punctuation {
			return v, p
		}
		switch t.text {
		case ".", "?.":
			in.at++
			in.skipNewlines()
			name := in.peek()
			if name.text == "[" || name.text == "(" {
				continue
			}
			if name.kind != identifier {
				return v, p
			}
			in.at++
			if in.is("(") || in.is("<") && !in.hash && in.isGeneric() {
				v, p, path = in.invoke(v, path, name.text), place{}, join(path, name.text)+"()"
				continue
			}
			key := text{piece{s: name.text}}
			p = place{base: v, key: key}
			path = join(path, name.text)
			v = in.member(v, name.text, path)
		case "[":
			in.at++
			items, _, _ := in.sequence("]")
			var key value = unknown{}
			if len(items) > 0 {
				key = items[0]
			}
			p = place{base: v, key: key}
			name, ok := plain(key)
			if in.composites && in.is("{") || in.composites && v == nil {
				continue
			}
			if ok {
				path = join(path, name)
				v = in.member(v, name, path)
			} else {
				v = unknown{path + "[]"}
			}
		case "(":
			v, p = in.invoke(nil, path, ""), place{}
			path += "()"
		case "{":
			if !in.composites || in.noBrace || path == "" {
				return v, p
			}
			v, p = in.composite(path), place{}
		case "!":
			if in.tokens[min(in.at+1, len(in.tokens)-1)].text == "." {
				in.at++ // x!.y
				continue
			}
			return v, p
		default:
			return v, p
		}
	}
}

// join is the path of a member. A long one says nothing.
func join(path, name string) string {
	if len(path)+len(name) > 200 {
		return "x"
	}
	return path + "." + name
}

// isGeneric recognises the type arguments of a call, as in get<User>(…), and steps
// over them.
func (in *interpreter) isGeneric() bool {
	for i := in.at + 1; i < in.at+20 && i+1 < len(in.tokens); i++ {
		t := in.tokens[i]
		if t.text == ">" && in.tokens[i+1].text == "(" {
			in.at = i + 1
			return true
		}
		if t.kind == newline || t.kind == str || t.text == "(" || t.text == ";" {
			return false
		}
	}
	return false
}

// member is a field of a value.
func (in *interpreter) member(v value, name, path string) value {
	switch v := v.(type) {
	case *object:
		if x, ok := v.m[name]; ok {
			return x
		}
		if name == "common" || name == "headers" { // axios.defaults.headers.common
			return v
		}
	case *client:
		switch name {
		case "headers":
			return v.header
		case "params":
			return v.query
		case "defaults":
			return v
		}
	case *request:
		switch name {
		case "Header", "headers":
			return v.header
		case "searchParams":
			return v.query
		case "URL":
			return v
		case "href":
			return v
		}
	}
	if v, ok := in.names[path]; ok {
		return v
	}
	return unknown{path}
}

// invoke reads the arguments of a call and makes it.
func (in *interpreter) invoke(receiver value, path, method string) value {
	open := in.peek()
	in.at++
	c := &callSite{receiver: receiver, path: method, at: piece{start: open.start, end: open.start, statement: in.statement}}
	if u, ok := receiver.(unknown); ok || receiver == nil {
		c.receiver = nil
		c.path = path
		if u.path != "" {
			c.path = u.path
		}
		if method != "" {
			c.path += "." + method
		}
	}
	c.args, c.named, c.open = in.sequence(")")
	c.at.end = in.tokens[max(in.at-1, 0)].end
	if v, ok := in.call(in, c); ok {
		return v
	}
	if v, ok := in.builtin(c); ok {
		return v
	}
	for _, a := range c.args {
		leak(a)
	}
	name := c.path
	if receiver != nil && path != "" && c.receiver != nil {
		name = path + "." + method
	}
	return unknown{name + "()"}
}

// leak opens what a function that is not known may change.
func leak(v value) {
	switch v := v.(type) {
	case *object:
		v.open = true
	case *client:
		v.header.open, v.query.open = true, true
	case *request:
		v.open |= apispec.OpenHeader | apispec.OpenQuery | apispec.OpenBody
	}
}

// sequence reads expressions up to a closing bracket: arguments, the items of a
// list, an index.
func (in *interpreter) sequence(closing string) (items []value, named map[string]value, open bool) {
	noBrace := in.noBrace
	in.noBrace = false
	defer func() { in.noBrace = noBrace }()
	for in.peek().kind != endOfCode && !in.accept(closing) {
		before := in.at
		in.skipNewlines()
		switch {
		case in.accept(","):
		case in.is(closing):
		case in.is("*") || in.is("**"):
			spread := in.peek().text
			in.at++
			if v := in.assignment(); spread == "**" {
				if o, ok := v.(*object); ok && !o.open {
					if named == nil {
						named = make(map[string]value)
					}
					for k, x := range o.m {
						named[k] = x
					}
					break
				}
			}
			open = true
		case in.is("..."):
			in.at++
			if closing == ")" || closing == "]" {
				open = true
			}
			if in.peek().text != closing {
				in.assignment()
			}
		case in.peek().kind == identifier && in.tokens[min(in.at+1, len(in.tokens)-1)].text == "=" && closing == ")" && in.tokens[min(in.at+2, len(in.tokens)-1)].text != "=":
			name := in.peek().text
			in.at += 2
			if named == nil {
				named = make(map[string]value)
			}
			in.skipNewlines()
			named[name] = in.assignment()
		default:
			v := in.assignment()
			if in.at > before && len(items) < 1000 {
				if in.is("for") { // a comprehension
					open = true
				}
				items = append(items, v)
			}
		}
		if in.at == before {
			in.at++
		}
	}
	return items, named, open
}

// primary reads a value by itself; path is how it is written.
func (in *interpreter) primary() (value, place, string) {
	t := in.peek()
	switch t.kind {
	case str:
		v := text{}
		for in.peek().kind == str { // neighbours are joined, as in Python
			v = concat(v, in.literal(in.peek()))
			in.at++
			if i := in.at; in.hash && in.tokens[i].kind == newline && in.depth > 2 {
				for in.tokens[i].kind == newline {
					i++
				}
				if in.tokens[i].kind == str {
					in.at = i
				}
			}
			if !in.hash {
				break
			}
		}
		return v, place{}, ""
	case number:
		in.at++
		return parseNumber(t.text), place{}, ""
	case identifier:
		in.at++
		switch t.text {
		case "await", "new", "typeof", "async", "yield", "not", "go", "defer", "return":
			v, p := in.operand()
			return v, p, ""
		case "True", "true":
			return true, place{}, ""
		case "False", "false":
			return false, place{}, ""
		case "None", "null", "nil", "undefined":
			return nil, place{}, ""
		case "function", "func":
			in.at--
			in.declaration()
			if in.is("{") {
				in.block()
			}
			return unknown{"function"}, place{}, ""
		case "map":
			if in.composites && in.is("[") {
				in.at = in.closing()
				return in.compositeOf("map"), place{}, ""
			}
		case "struct", "interface":
			if in.composites && in.is("{") {
				in.at = in.closing()
				return unknown{t.text}, place{}, t.text
			}
		case "lambda":
			for !in.is(":") && in.peek().kind != newline && in.peek().kind != endOfCode {
				in.at++
			}
			in.accept(":")
			in.assignment()
			return unknown{"function"}, place{}, ""
		}
		if in.is("=>") || in.is("->") && !in.hash {
			in.bind(t.text, unknown{t.text})
		}
		if v, ok := in.names[t.text]; ok {
			path := t.text
			if u, ok := v.(unknown); ok && u.path != "" {
				path = u.path
			}
			return v, place{name: t.text}, path
		}
		return unknown{t.text}, place{name: t.text}, t.text
	case punctuation:
		switch t.text {
		case "(":
			return in.parenthesised()
		case "[":
			in.at++
			if in.composites && in.is("]") { // []T{…}, []byte(x)
				in.at++
				return in.slice(), place{}, ""
			}
			items, _, open := in.sequence("]")
			return &list{items, open}, place{}, ""
		case "{":
			if in.composites && in.noBrace {
				return unknown{}, place{}, ""
			}
			return in.dictionary(), place{}, ""
		case "!", "-", "&", "*", "...", "~":
			in.at++
			v, p := in.operand()
			if t.text == "!" || t.text == "-" {
				v = unknown{"x"}
			}
			return v, p, ""
		}
	}
	return unknown{}, place{}, ""
}

// parenthesised reads an expression in parentheses, a tuple, or the parameters of
// a function.
func (in *interpreter) parenthesised() (value, place, string) {
	from, end := in.at, in.closing()
	if next := in.tokens[min(end, len(in.tokens)-1)].text; next == "=>" || next == "->" && !in.hash {
		for i := from; i < end; i++ {
			if t := in.tokens[i]; t.kind == identifier {
				in.bind(t.text, unknown{t.text})
			}
		}
		in.at = end
		return unknown{"function"}, place{}, ""
	}
	in.at++
	items, named, open := in.sequence(")")
	if len(items) == 1 && !open && named == nil {
		if in.tokens[max(in.at-2, 0)].text == "," {
			return &list{items, false}, place{}, ""
		}
		return items[0], place{}, ""
	}
	return &list{items, open}, place{}, ""
}

// dictionary reads {"a": 1, b, ...c}.
func (in *interpreter) dictionary() *object {
	o := newObject()
	in.at++
	noBrace := in.noBrace
	in.noBrace = false
	defer func() { in.noBrace = noBrace }()
	for in.peek().kind != endOfCode && !in.accept("}") {
		before := in.at
		in.skipNewlines()
		t := in.peek()
		switch {
		case in.accept(","):
		case in.is("}"):
		case in.is("...") || in.is("**"):
			in.at++
			if in.peek().kind == punctuation && in.is("}") {
				o.open = true
				break
			}
			o.merge(in.assignment())
		case in.is("["): // a computed key
			in.at++
			items, _, _ := in.sequence("]")
			var key value = unknown{}
			if len(items) > 0 {
				key = items[0]
			}
			if in.accept(":") {
				in.skipNewlines()
				o.set(key, in.assignment())
			} else {
				o.open = true
			}
		case t.kind == identifier && !in.hash && !in.composites && in.tokens[min(in.at+1, len(in.tokens)-1)].text == ":":
			in.at += 2
			in.skipNewlines()
			o.set(text{piece{s: t.text}}, in.assignment())
		default:
			key, p := in.expression()
			switch {
			case in.accept(":"):
				in.skipNewlines()
				v := in.assignment()
				if in.composites && p.name != "" {
					o.open = true // a field of a struct, whose name in JSON is elsewhere
				} else {
					o.set(key, v)
				}
			case p.name != "" && !in.hash:
				o.set(text{piece{s: p.name}}, key)
				if in.is("(") { // a method
					in.at = in.closing()
				}
				if in.accept("=") {
					in.assignment()
				}
			default:
				o.open = true
				if in.is("for") {
					o.open = true
				}
			}
		}
		if in.at == before {
			in.at++
		}
	}
	return o
}

// slice reads what follows [] in Go.
func (in *interpreter) slice() value {
	isBytes := in.is("byte")
	for n := 0; n < 12 && !in.is("{") && !in.is("(") && in.peek().kind != endOfCode && in.peek().kind != newline && !in.is(")") && !in.is(","); n++ {
		if in.is("[") {
			in.at = in.closing()
			continue
		}
		in.at++
		if in.tokens[in.at-1].text == "any" || in.tokens[in.at-1].text == "interface" {
			if in.is("{") && in.tokens[min(in.at+1, len(in.tokens)-1)].text == "}" {
				in.at += 2
			}
		}
	}
	if in.is("(") {
		in.at++
		items, _, _ := in.sequence(")")
		if isBytes && len(items) == 1 {
			return items[0]
		}
		return unknown{"slice"}
	}
	if !in.is("{") || in.noBrace {
		return unknown{"slice"}
	}
	in.at++
	items, _, open := in.sequence("}")
	for i, item := range items {
		if o, ok := item.(*object); ok && o.open {
			items[i] = unknown{"struct"}
		}
	}
	return &list{items, open}
}

// compositeOf reads the rest of a map type, and its value.
func (in *interpreter) compositeOf(string) value {
	for n := 0; n < 12 && in.peek().kind != endOfCode && in.peek().kind != newline; n++ {
		if in.is("{") {
			if in.tokens[in.at-1].text == "interface" {
				in.at += 2
				continue
			}
			return in.dictionary()
		}
		if in.is("(") || in.is(")") || in.is(",") {
			break
		}
		in.at++
	}
	return newObject()
}

// composite reads T{…}.
func (in *interpreter) composite(path string) value {
	o := in.dictionary()
	switch path {
	case "url.Values", "http.Header":
		for k, v := range o.m {
			if l, ok := v.(*object); ok && len(l.m) == 0 {
				o.m[k] = unknown{k}
			}
		}
		o.open = false
		return o
	case "http.Client":
		return newClient()
	}
	return unknown{path}
}

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
