package verify

import (
	"github.com/api-assistant/api-assistant/assistant/apispec"
)

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
