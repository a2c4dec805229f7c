package verify

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
