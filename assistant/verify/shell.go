package verify

import (
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// shell reads the curl commands of a block.
func (c *checker) shell(b block, language string) {
	s := &shellReader{text: c.text, at: b.start, end: b.end, names: make(map[string]value)}
	for n := 0; s.at < s.end && n < maxTokens; n++ {
		words := s.command()
		if r := s.curl(words); r != nil {
			c.report(b, language, r)
		}
	}
}

// shellReader cuts a script into commands and their words.
type shellReader struct {
	text      string
	at, end   int
	statement int
	names     map[string]value
	here      text // the here-document of the last command
}

// word is a word of a command; its text has holes where the shell puts values in.
type word struct {
	text   text
	quoted bool
}

func (w word) String() string { return w.text.String() }

func (w word) plain() string { s, _ := plain(w.text); return s }

// command reads the words up to the end of a command.
func (s *shellReader) command() []word {
	s.statement++
	s.here = nil
	var words []word
	hereEnd := ""
	for s.at < s.end {
		b := s.text[s.at]
		rest := s.text[s.at:s.end]
		switch {
		case b == '\n':
			s.at++
			if hereEnd != "" {
				s.readHere(hereEnd)
			}
			return words
		case b == ';' || b == '|' || b == '&' || b == '(' || b == ')':
			s.at++
			if hereEnd != "" {
				continue // what follows on the line
			}
			return words
		case b == '#':
			s.at = lineEnd(s.text[:s.end], s.at) - 1
			if s.text[s.at] != '\n' {
				s.at = s.end
			}
		case strings.HasPrefix(rest, "<<<"):
			s.at += 3
			s.blank()
			s.here = s.word().text
		case strings.HasPrefix(rest, "<<"):
			s.at += 2
			if s.at < s.end && s.text[s.at] == '-' {
				s.at++
			}
			s.blank()
			hereEnd = s.word().String()
		case b == '>' || b == '<':
			s.at++
			s.blank()
			if s.at < s.end && s.text[s.at] != '\n' {
				s.word()
			}
		case b <= ' ':
			s.at++
		case strings.HasPrefix(rest, "\\\n"):
			s.at += 2
		case strings.HasPrefix(rest, "\\\r\n"):
			s.at += 3
		default:
			before := s.at
			words = append(words, s.word())
			if s.at == before {
				s.at++
			}
		}
	}
	return words
}

func (s *shellReader) blank() {
	for s.at < s.end && (s.text[s.at] == ' ' || s.text[s.at] == '\t') {
		s.at++
	}
}

// readHere reads a here-document.
func (s *shellReader) readHere(mark string) {
	start := s.at
	for s.at < s.end {
		next := lineEnd(s.text[:s.end], s.at)
		if strings.TrimSpace(s.text[s.at:next]) == mark {
			s.here = s.expand(start, s.at)
			s.at = next
			return
		}
		s.at = next
	}
	s.here = s.expand(start, s.at)
}

// expand is a stretch of text with its variables as holes.
func (s *shellReader) expand(start, end int) (out text) {
	from := start
	for i := start; i < end; {
		if n := s.variable(i, end); n > 0 {
			out = append(out, s.literal(from, i)...)
			out = concat(out, s.value(i, i+n))
			i += n
			from = i
			continue
		}
		i++
	}
	return concat(out, s.literal(from, end))
}

func (s *shellReader) literal(start, end int) text {
	if start >= end {
		return nil
	}
	return text{{s: s.text[start:end], start: start, end: end, statement: s.statement}}
}

// variable is how long the $x, ${x} or $(x) at i is.
func (s *shellReader) variable(i, end int) int {
	rest := s.text[i:min(end, i+500)]
	if len(rest) < 2 || rest[0] != '$' {
		return 0
	}
	if rest[1] == '(' {
		depth := 0
		for j := 1; j < len(rest); j++ {
			switch rest[j] {
			case '(':
				depth++
			case ')':
				if depth--; depth == 0 {
					return j + 1
				}
			}
		}
		return 0
	}
	return variableEnd(rest)
}

// value is what a variable is known to be, or a hole.
func (s *shellReader) value(start, end int) text {
	name := strings.Trim(s.text[start:end], "${}()")
	if i := strings.IndexAny(name, ":-%#/ "); i > 0 {
		name = name[:i]
	}
	at := piece{start: start, end: end, statement: s.statement}
	if v, ok := s.names[name]; ok {
		return textOf(v, at)
	}
	return textOf(unknown{name}, at)
}

// word reads one word with its quotes.
func (s *shellReader) word() word {
	var w word
	from := s.at
	flush := func() {
		w.text = append(w.text, s.literal(from, s.at)...)
		from = s.at
	}
	for s.at < s.end && len(w.text) < maxPieces {
		b := s.text[s.at]
		switch {
		case b <= ' ' || strings.IndexByte(";|&()<>", b) >= 0 && !s.placeholder(b):
			flush()
			return w
		case b == '\\' && s.at+1 < s.end:
			flush()
			if s.text[s.at+1] == '\n' {
				return w
			}
			s.at += 2
			w.text = append(w.text, s.literal(s.at-1, s.at)...)
			from = s.at
		case b == '\'':
			flush()
			w.quoted = true
			end := strings.IndexByte(s.text[s.at+1:s.end], '\'')
			if end < 0 {
				s.at = s.end
				return w
			}
			w.text = append(w.text, s.literal(s.at+1, s.at+1+end)...)
			s.at += end + 2
			from = s.at
		case b == '"':
			flush()
			w.quoted = true
			s.doubleQuoted(&w)
			from = s.at
		case b == '$' && s.at+1 < s.end && s.text[s.at+1] == '\'':
			flush()
			s.at++
			from = s.at
		default:
			if n := s.variable(s.at, s.end); n > 0 {
				flush()
				w.text = concat(w.text, s.value(s.at, s.at+n))
				s.at += n
				from = s.at
				continue
			}
			s.at++
		}
	}
	flush()
	return w
}

// placeholder reports whether the character at the current place belongs to
// <something> inside a word.
func (s *shellReader) placeholder(b byte) bool {
	if b == '<' {
		n := balanced(s.text[s.at:s.end], 0)
		if n > 0 && !strings.ContainsAny(s.text[s.at:s.at+n], "(&\"'") {
			s.at += n - 1
			return true
		}
	}
	return b == '&' && s.at > 0 && s.at+1 < s.end && isWordByte(s.text[s.at-1]) && isWordByte(s.text[s.at+1]) // an URL without quotes
}

func (s *shellReader) doubleQuoted(w *word) {
	s.at++
	from := s.at
	for s.at < s.end && s.text[s.at] != '"' && len(w.text) < maxPieces {
		if s.text[s.at] == '\\' && s.at+1 < s.end {
			w.text = append(w.text, s.literal(from, s.at)...)
			s.at += 2
			from = s.at - 1
			if s.text[from] == '\n' {
				from++
			}
			continue
		}
		if n := s.variable(s.at, s.end); n > 0 {
			w.text = append(w.text, s.literal(from, s.at)...)
			w.text = concat(w.text, s.value(s.at, s.at+n))
			s.at += n
			from = s.at
			continue
		}
		s.at++
	}
	w.text = append(w.text, s.literal(from, s.at)...)
	s.at = min(s.at+1, s.end)
}

// The options of curl that matter, by their long names; those with a value that
// does not matter are in withValue.
var (
	shortOptions = map[byte]string{'X': "request", 'H': "header", 'd': "data", 'F': "form", 'G': "get", 'I': "head", 'u': "user", 'b': "cookie", 'K': "config", 'n': "netrc", 'T': "upload-file",
		'o': "output", 'A': "user-agent", 'e': "referer", 'm': "max-time", 'w': "write-out", 'x': "proxy", 'E': "cert", 'c': "cookie-jar", 'D': "dump-header", 'r': "range", 'y': "speed-time", 'Y': "speed-limit", 'z': "time-cond", 'C': "continue-at", 'P': "ftp-port", 'Q': "quote", 't': "telnet-option", 'U': "proxy-user"}
	flags     = map[string]bool{"get": true, "head": true, "netrc": true}
	withValue = map[string]bool{"output": true, "user-agent": true, "referer": true, "max-time": true, "write-out": true, "proxy": true, "cert": true, "key": true, "cacert": true, "capath": true,
		"cookie-jar": true, "dump-header": true, "range": true, "connect-timeout": true, "retry": true, "retry-delay": true, "retry-max-time": true, "limit-rate": true, "resolve": true, "interface": true,
		"unix-socket": true, "aws-sigv4": true, "max-redirs": true, "output-dir": true, "speed-time": true, "speed-limit": true, "time-cond": true, "continue-at": true, "proxy-user": true, "connect-to": true, "ciphers": true, "rate": true}
)

// curl reads a command as one of curl; nil if it is another.
func (s *shellReader) curl(words []word) *request {
	for len(words) > 0 {
		first := words[0].String()
		if name, _, ok := strings.Cut(first, "="); ok && isName(name) {
			s.names[name] = cutText(words[0].text, len(name)+1)
		} else if first != "$" && first != "sudo" && first != "time" && first != "export" && first != "env" && first != "!" && first != "then" && first != "do" && first != "%" && first != ">" {
			break
		}
		words = words[1:]
	}
	if len(words) == 0 {
		return nil
	}
	if name := words[0].plain(); name != "curl" && name != "curl.exe" && !strings.HasSuffix(name, "/curl") {
		return nil
	}
	c := curl{request: newRequest(), here: s.here}
	c.read(words[1:])
	return c.finish()
}

func isName(s string) bool {
	for i := range len(s) {
		if !isWordByte(s[i]) {
			return false
		}
	}
	return s != ""
}

// cutText is a text without its first n bytes.
func cutText(t text, n int) text {
	for len(t) > 0 && !t[0].hole && n > 0 {
		if len(t[0].s) > n {
			return append(text{t[0].sub(n, len(t[0].s))}, t[1:]...)
		}
		n -= len(t[0].s)
		t = t[1:]
	}
	return t
}

// curl is a command line of curl.
type curl struct {
	*request
	here text
	data text
	form *object
	get  bool
	json bool
	raw  bool
}

func (c *curl) read(words []word) {
	for i := 0; i < len(words); i++ {
		w := words[i].String()
		next := func() word {
			if i+1 < len(words) {
				i++
				return words[i]
			}
			return word{}
		}
		switch {
		case strings.HasPrefix(w, "--") && len(words[i].text) > 0 && !words[i].text[0].hole:
			name, _, found := strings.Cut(w[2:], "=")
			if found && (name == "request" || name == "header" || name == "data" || name == "url" || name == "json") {
				c.option(name, word{text: cutText(words[i].text, len(name)+3)})
			} else if withValue[name] {
				next()
			} else if flags[name] {
				c.option(name, word{})
			} else if isOption(name) {
				c.option(name, next())
			}
		case strings.HasPrefix(w, "-") && len(w) > 1 && !words[i].text[0].hole:
			for j := 1; j < len(w); j++ {
				name := shortOptions[w[j]]
				if flags[name] || name == "" {
					c.option(name, word{})
					continue
				}
				v := word{text: cutText(words[i].text, j+1)}
				if len(v.text) == 0 {
					v = next()
				}
				if !withValue[name] {
					c.option(name, v)
				}
				break
			}
		case len(words[i].text) == 1 && words[i].text[0].hole && !words[i].quoted:
			leak(c.request) // more options
		default:
			if c.url == nil && len(words[i].text) > 0 {
				c.url = words[i].text
			}
		}
	}
}

func isOption(name string) bool {
	switch name {
	case "request", "header", "data", "data-raw", "data-binary", "data-ascii", "data-urlencode", "json", "form", "form-string", "user", "oauth2-bearer", "url", "cookie", "url-query", "config", "upload-file":
		return true
	}
	return false
}

func (c *curl) option(name string, w word) {
	switch name {
	case "request":
		c.method = w.text
	case "url":
		c.url = w.text
	case "header":
		c.addHeader(w.text)
	case "data", "data-raw", "data-binary", "data-ascii", "data-urlencode", "json":
		c.addData(name, w.text)
	case "url-query":
		c.query.merge(w.text)
	case "form", "form-string":
		if c.form == nil {
			c.form = newObject()
		}
		key, _, _ := strings.Cut(w.String(), "=")
		c.form.set(text{{s: key}}, unknown{key})
	case "get":
		c.get = true
	case "head":
		c.method = text{{s: "HEAD"}}
	case "user", "oauth2-bearer":
		c.header.m["Authorization"] = unknown{}
	case "cookie":
		c.header.m["Cookie"] = w.text
	case "netrc", "config":
		c.header.open = true
	case "upload-file":
		c.method = text{{s: "PUT"}}
		c.body, c.hasBody = unknown{"file"}, true
		c.open |= apispec.OpenBody | apispec.OpenHeader
	}
}

func (c *curl) addHeader(t text) {
	name, _, ok := strings.Cut(t.String(), ":")
	if !ok || len(t) == 0 || t[0].hole {
		c.header.open = true
		return
	}
	var v value = unknown{"x"}
	if s, known := plain(t); known {
		_, rest, _ := strings.Cut(s, ":")
		v = text{{s: strings.TrimSpace(rest)}}
	}
	c.header.m[strings.TrimSpace(name)] = v
}

func (c *curl) addData(name string, t text) {
	c.hasBody = true
	if name == "json" {
		c.json = true
	}
	if s := t.String(); strings.HasPrefix(s, "@") {
		c.raw = true
		if s == "@-" && c.here != nil {
			t = c.here
		} else {
			c.data, c.raw = nil, true
			c.body = unknown{"file"}
			return
		}
	}
	if len(c.data) > 0 {
		c.data = append(c.data, piece{s: "&"})
	}
	c.data = concat(c.data, t)
}

// finish makes the request of what was read.
func (c *curl) finish() *request {
	r := c.request
	if r.url == nil {
		return nil
	}
	switch {
	case c.get:
		r.hasBody = false
		r.query.merge(c.data)
		if r.method == nil {
			r.method = text{{s: "GET"}}
		}
	case c.form != nil:
		r.body, r.hasBody, r.contentType = c.form, true, multipartType
	case c.hasBody:
		r.contentType = formType
		if c.json {
			r.contentType = jsonType
		}
		if _, isFile := r.body.(unknown); !isFile {
			r.body = c.data
		} else {
			r.open |= apispec.OpenBody
		}
	}
	return r
}
