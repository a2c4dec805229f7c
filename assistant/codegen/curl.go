package codegen

import "strings"

// source collects the lines of a program.
type source struct{ strings.Builder }

// line adds a line made of the given pieces.
func (s *source) line(pieces ...string) {
	for _, p := range pieces {
		s.WriteString(p)
	}
	s.WriteByte('\n')
}

// comments adds the lines for people.
func (s *source) comments(p *plan, indent, mark string) {
	for _, c := range p.comments {
		s.line(indent, mark, " ", c)
	}
}

// shellTaken are variables with a meaning of their own.
const shellTaken = "PATH HOME USER SHELL IFS PWD LANG TERM UID EUID PPID RANDOM SECONDS PS1 HOSTNAME EDITOR LINENO OPTIND MAIL ENV TZ"

func writeCurl(p *plan) string {
	c := &curl{plan: p}
	taken := shellTaken
	for _, v := range p.variables {
		taken += " " + v.env
	}
	c.ids = p.identifiers(upperCase, taken)
	c.comments(p, "", "#")
	for _, v := range p.variables {
		if v.env == "" {
			c.line(c.ids[v], "=", shellQuote(percent(v.value)), " # percent-encoded")
		}
	}
	c.WriteString("curl --fail-with-body --silent --show-error --max-time 30")
	c.request()
	c.body()
	c.line()
	return c.String()
}

type curl struct {
	source
	plan *plan
	ids  map[*variable]string
}

// option adds an option on a line of its own.
func (c *curl) option(words ...string) { c.WriteString(" \\\n  " + strings.Join(words, " ")) }

func (c *curl) request() {
	p := c.plan
	inURL := p.body != nil // else curl appends the data to the URL
	if !inURL && len(p.query) > 0 {
		c.WriteString(" --get")
	}
	switch {
	case p.method == "HEAD" && p.body == nil:
		c.WriteString(" --head")
	case p.method != "GET" || p.body != nil:
		c.WriteString(" --request " + shellWord(p.method))
	}
	address := p.url
	if inURL {
		address = p.urlWithQuery()
	}
	c.option(c.text(address))
	if p.user != nil {
		c.option("--user", c.text(text{{variable: p.user}, {literal: ":"}, {variable: p.password}}))
	}
	for _, h := range p.headers {
		name := h.name + ": "
		if s, plain := h.value.plain(); plain && s == "" {
			name = h.name + ";"
		}
		c.option("--header", c.text(append(literal(name), h.value...)))
	}
	if inURL {
		return
	}
	for _, q := range p.query {
		c.option("--data-urlencode", c.text(append(literal(percent(q.name)+"="), q.value...)))
	}
}

func (c *curl) body() {
	b := c.plan.body
	if b == nil {
		return
	}
	if b.kind != multipartBody && b.mediaType != formType {
		c.option("--header", shellQuote("Content-Type: "+b.mediaType))
	}
	switch b.kind {
	case jsonBody:
		s := jsonSyntax
		s.document = quoteJSON(oneLineDocument(b.document))
		c.option("--data", shellQuote(s.value(b.value, "")))
	case formBody:
		for _, f := range b.fields {
			c.option("--data-urlencode", c.text(append(literal(percent(f.name)+"="), f.value...)))
		}
		if len(b.fields) == 0 {
			c.option("--data", "''")
		}
	case multipartBody:
		for _, f := range b.fields {
			if f.file != "" {
				c.option("--form", shellQuote(f.name+"=@"+f.file))
			} else {
				c.option("--form-string", c.text(append(literal(f.name+"="), f.value...)))
			}
		}
	case textBody:
		c.option("--data-raw", shellQuote(b.text))
	case fileBody:
		c.option("--data-binary", shellQuote("@"+b.file))
	}
}

// urlWithQuery is the URL with its query, percent-encoded. Values of variables
// are sent as they are.
func (p *plan) urlWithQuery() text {
	out := append(text{}, p.url...)
	for i, q := range p.query {
		mark := "&"
		if i == 0 {
			mark = "?"
		}
		out = append(out, part{literal: mark + percent(q.name) + "="})
		for _, v := range q.value {
			if v.variable == nil {
				v.literal = percent(v.literal)
			}
			v.encode = v.variable != nil
			out = append(out, v)
		}
	}
	return out
}

// text writes a word of the shell. Double quotes are for texts without anything
// that an interactive shell gives a meaning to.
func (c *curl) text(t text) string {
	t = t.merged()
	if s, plain := t.plain(); plain {
		return shellQuote(s)
	}
	safe := true
	for _, p := range t {
		safe = safe && !strings.ContainsAny(p.literal, "\\\"$`!\n\r")
	}
	if !safe {
		return t.join("", shellQuote, func(p part) string { return `"$` + c.name(p.variable) + `"` })
	}
	var b strings.Builder
	for i, p := range t {
		switch {
		case p.variable == nil:
			b.WriteString(p.literal)
		case i+1 < len(t) && continuesName(t[i+1].literal):
			b.WriteString("${" + c.name(p.variable) + "}")
		default:
			b.WriteString("$" + c.name(p.variable))
		}
	}
	return `"` + b.String() + `"`
}

func continuesName(s string) bool {
	return s != "" && (s[0] == '_' || s[0] == '[' || s[0] >= '0' && s[0] <= '9' || s[0] >= 'A' && s[0] <= 'Z' || s[0] >= 'a' && s[0] <= 'z' || s[0] >= 0x80)
}

// name of a variable of the shell. Credentials are in one already.
func (c *curl) name(v *variable) string {
	if v.env != "" {
		return v.env
	}
	return c.ids[v]
}

// shellWord leaves words of letters as they are.
func shellWord(s string) string {
	if s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
		return s
	}
	return shellQuote(s)
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
