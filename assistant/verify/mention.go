package verify

import (
	"regexp"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// target is a path or URL in a text.
type target struct {
	start, end int
	path       string // as Resolve takes it
	url        bool   // it names a host
	code       bool   // it stands in a code span
	first      int    // where the mention begins: at the method, if that stands before it
	methods    []string
}

// httpMethods are the methods of OpenAPI.
var httpMethods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"}

// prose finds the mentions in a stretch of Markdown that is not fenced.
func (c *checker) prose(start, end int) {
	for at := start; at < end; {
		next := unitEnd(c.text[:end], at)
		u := unit{checker: c, start: at, end: next}
		u.read()
		at = next
	}
}

// unitEnd ends what belongs together: a paragraph, an item of a list, a row of a
// table, a heading.
func unitEnd(text string, at int) int {
	next := lineEnd(text, at)
	if opensUnit(text[at:next]) == single {
		return next
	}
	for next < len(text) {
		after := lineEnd(text, next)
		line := text[next:after]
		if strings.TrimSpace(line) == "" || opensUnit(line) != continues {
			break
		}
		next = after
	}
	return next
}

type opening int

const (
	continues opening = iota
	begins            // an item of a list
	single            // a line by itself
)

func opensUnit(line string) opening {
	line = strings.TrimLeft(line, " \t>")
	switch {
	case line == "" || line[0] == '\n' || line[0] == '\r':
		return single
	case line[0] == '|' || line[0] == '#':
		return single
	case len(line) > 1 && strings.IndexByte("-*+", line[0]) >= 0 && line[1] == ' ':
		return begins
	}
	digits := strings.TrimLeft(line, "0123456789")
	if n := len(line) - len(digits); n > 0 && n < 4 && len(digits) > 1 && (digits[0] == '.' || digits[0] == ')') && digits[1] == ' ' {
		return begins
	}
	return continues
}

// unit is what belongs together in prose.
type unit struct {
	*checker
	start, end int
	targets    []target
	strict     bool       // only what has a method, and URLs: in code
	data       bool       // paths are values: only what exists is told
	program    bool       // URLs may go on in another string
	taken      []Endpoint // what was read as a request
}

// read finds the mentions of a unit and judges them.
func (u *unit) read() {
	u.find()
	for i := range u.targets {
		u.bind(i)
	}
	for i := range u.targets {
		if t := &u.targets[i]; !u.isTaken(t) {
			u.judge(t)
		}
	}
}

// isTaken reports whether a target of code is part of a request, or of a string
// that goes on elsewhere.
func (u *unit) isTaken(t *target) bool {
	for _, e := range u.taken {
		if t.first < e.End && e.Start < t.end {
			return true
		}
	}
	if !u.program || !t.url {
		return false
	}
	after := strings.TrimLeft(u.text[t.end:u.end], "\"'` \n\t")
	return after != "" && strings.IndexByte("+.%,", after[0]) >= 0 || strings.HasSuffix(t.path, "/")
}

// find collects targets, and the operation ids in between.
func (u *unit) find() {
	text := u.text
	inCode := false
	for i := u.start; i < u.end; {
		b := text[i]
		switch {
		case b == '`':
			inCode = !inCode && strings.IndexByte(text[i+1:u.end], '`') >= 0
			i++
		case b == '/' || b == '{' || b == '$' || b == '<' || isWordByte(b):
			if !u.boundary(i) {
				i = u.skip(i)
				continue
			}
			if t, ok := u.target(i, inCode); ok {
				u.targets = append(u.targets, t)
				i = t.end
				continue
			}
			if b == '/' {
				i = u.skip(i)
				continue
			}
			i = u.word(i, inCode)
		case b == '\\' && inCode:
			i = u.skip(i) // an expression, not a path
		default:
			i++
		}
	}
}

// boundary reports whether something may begin at i: a slash in "and/or" does not.
func (u *unit) boundary(i int) bool {
	if i == u.start {
		return true
	}
	switch p := u.text[i-1]; {
	case isWordByte(p):
		return false
	case strings.IndexByte("/\\~@%&#$.-+}^", p) >= 0:
		return false
	case p == '>' || p == '<':
		// after a tag or a quote mark of Markdown, not in "</p>"
		return u.text[i] != '/' || p == '>'
	}
	return true
}

// skip leaves out the rest of a word that is no mention.
func (u *unit) skip(i int) int {
	if isWordByte(u.text[i]) {
		for i < u.end && isWordByte(u.text[i]) {
			i++
		}
		return i
	}
	for i < u.end && u.text[i] > ' ' && strings.IndexByte("`|,;\"", u.text[i]) < 0 {
		i++
	}
	return max(i, u.start+1)
}

// hostLike are the names of variables that stand for a server.
var hostLike = regexp.MustCompile(`(?i)url|host|base|domain|server|endpoint|root|^api$|_api$`)

// target reads the path or URL that begins at i.
func (u *unit) target(i int, inCode bool) (target, bool) {
	text := u.text[:u.end]
	rest := text[i:]
	t := target{start: i, first: i, code: inCode}
	prefix := 0
	switch {
	case hasFold(rest, "https://") || hasFold(rest, "http://"):
		t.url = true
	case rest[0] == '/':
	case rest[0] == '{' || rest[0] == '$' || rest[0] == '<':
		n := variableEnd(rest)
		if n == 0 || n >= len(rest) || rest[n] != '/' || !hostLike.MatchString(strings.Trim(rest[:n], "{}$<> ")) {
			return target{}, false
		}
		prefix = n
	default: // a host without a scheme: api.example.com/v1/x
		n := hostEnd(rest)
		if n == 0 || u.resolve("", "https://"+rest[:n]).Status == apispec.NotChecked {
			return target{}, false
		}
		t.url = true
	}
	length := extent(rest[:min(len(rest), maxPath+1)], inCode)
	if length > maxPath {
		return target{}, false
	}
	t.end = i + length
	written := text[i:t.end]
	if t.end-i <= prefix+1 && !t.url {
		if written == "/" {
			t.path = "/"
			return t, true // only a mention with a method before it
		}
		return target{}, false
	}
	if looksLikeExpression(written, text[t.end:]) {
		u.targets = append(u.targets, target{start: i, end: u.skip(i), first: i}) // covers it
		return u.targets[len(u.targets)-1], false
	}
	t.path = written[prefix:]
	if t.url {
		if !strings.Contains(written, "://") {
			t.path = "https://" + written
		}
		t.path, t.url = hostless(t.path)
	}
	return t, true
}

func hasFold(s, prefix string) bool {
	return len(s) > len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// hostless makes a path of a URL whose host is a variable.
func hostless(url string) (string, bool) {
	_, rest, _ := strings.Cut(url, "://")
	if n := variableEnd(rest); n > 0 && n < len(rest) && rest[n] == '/' {
		return rest[n:], false
	}
	return url, true
}

// variableEnd is where a variable at the beginning of s ends: {x}, {{x}}, ${x},
// $X, <x>; 0 if there is none.
func variableEnd(s string) int {
	i := 0
	if strings.HasPrefix(s, "$") {
		i = 1
		for i < len(s) && isWordByte(s[i]) {
			i++
		}
		if i > 1 {
			return i
		}
	}
	if i >= len(s) {
		return 0
	}
	closing := closer(s[i])
	if closing == 0 || s[i] == '(' || s[i] == '[' {
		return 0
	}
	return balanced(s, i)
}

func closer(b byte) byte {
	switch b {
	case '{':
		return '}'
	case '<':
		return '>'
	case '(':
		return ')'
	case '[':
		return ']'
	}
	return 0
}

// maxVariable bounds the name of a variable in a path, in bytes.
const maxVariable = 120

// balanced is where a bracket that opens at i is closed, 0 if it is not on the
// same line and nearby.
func balanced(s string, i int) int {
	open, closing := s[i], closer(s[i])
	depth := 0
	for j := i; j < len(s) && j < i+maxVariable; j++ {
		switch s[j] {
		case open:
			depth++
		case closing:
			if depth--; depth == 0 {
				return j + 1
			}
		case '\n', '`':
			return 0
		}
	}
	return 0
}

// hostEnd is where a host name at the beginning of s ends, if a path follows.
func hostEnd(s string) int {
	i, dots := 0, 0
	for i < len(s) && (isWordByte(s[i]) || s[i] == '.' || s[i] == '-' || s[i] == ':' && dots > 0) {
		if s[i] == '.' {
			dots++
		}
		i++
	}
	if dots == 0 || i >= len(s) || s[i] != '/' {
		return 0
	}
	return i
}

// maxPath bounds a path, in bytes.
const maxPath = 2000

// extent is how long the path at the beginning of s is.
func extent(s string, inCode bool) int {
	i := 0
	for i < len(s) {
		b := s[i]
		if b <= ' ' || strings.IndexByte("`\"|\\^;", b) >= 0 {
			break
		}
		if b == '\'' && !strings.Contains(s[:i], "{") {
			break
		}
		if strings.IndexByte("{<([", b) >= 0 {
			n := balanced(s, i)
			if n == 0 || b == '<' && (!inCode && strings.HasPrefix(s[i:], "</") || strings.HasPrefix(s[i:], "<br")) {
				break
			}
			i = n
			continue
		}
		if strings.IndexByte(")]}>", b) >= 0 {
			break
		}
		if b == ',' && (i+1 >= len(s) || s[i+1] <= ' ' || s[i+1] == '/') {
			break
		}
		i++
	}
	end := i
	for end > 0 && strings.IndexByte(".,:!?*_'", s[end-1]) >= 0 {
		if s[end-1] == '.' && strings.HasSuffix(s[:end], "/...") || s[end-1] == '*' && strings.HasSuffix(s[:end], "/*") {
			break
		}
		if s[end-1] == '_' && inCode {
			break
		}
		end--
	}
	return end
}

// looksLikeExpression recognises regular expressions by what no path has.
func looksLikeExpression(written, after string) bool {
	if after != "" && (after[0] == '\\' || after[0] == '^') || strings.HasPrefix(after, ".*") {
		return true
	}
	if strings.Contains(written, "://") {
		return false
	}
	return strings.HasPrefix(written, "/(") || strings.Contains(written, "(?") || strings.Contains(written, "[^") || strings.Contains(written, ".*") ||
		strings.Contains(written, "]+") || strings.Contains(written, ")+") || strings.HasSuffix(written, "$/") || strings.Contains(written, "*/") && strings.Contains(written, "/*")
}

// word reads the word that begins at i: an operation id, or a field of GraphQL.
func (u *unit) word(i int, inCode bool) int {
	text := u.text[:u.end]
	end := i
	for end < len(text) && (isWordByte(text[end]) || text[end] == '-' || text[end] == '.' || text[end] == '/' || text[end] == ':') {
		end++
	}
	next := i
	for next < end && isWordByte(text[next]) {
		next++
	}
	if next == i {
		return i + 1
	}
	if u.strict {
		return next
	}
	if inCode && u.graphql {
		if n := u.field(i, next); n > 0 {
			return n
		}
	}
	id := strings.TrimRight(text[i:end], ".-:/")
	for len(id) > next-i && u.ids[id] == nil {
		id = id[:max(next-i, strings.LastIndexAny(id, ".-:/"))]
	}
	ops := u.ids[id]
	if len(ops) == 0 || !distinctive(id, inCode) {
		return next
	}
	if before := i - 1; before >= 0 && strings.IndexByte(".-/\"'$#@:", text[before]) >= 0 {
		return next
	}
	if after := i + len(id); after < len(text) && strings.IndexByte("/=\"'", text[after]) >= 0 {
		return i + len(id)
	}
	r := apispec.Resolution{Status: apispec.OK, Candidates: ops}
	if len(ops) == 1 {
		r.Operation = ops[0]
		if ops[0].Deprecated {
			r.Status = apispec.Deprecated
		}
	}
	if u.options.API == "" || slices.ContainsFunc(ops, func(op *apispec.Operation) bool { return op.API == u.options.API }) {
		u.add(i, i+len(id), "", "", r)
	}
	return i + len(id)
}

// distinctive reports whether an operation id cannot be just a word: it has a
// capital inside, a digit or a mark; in a code span an underscore is not enough,
// for fields of bodies are written so.
func distinctive(id string, inCode bool) bool {
	capital, lower := false, false
	for i := range len(id) {
		b := id[i]
		switch {
		case b == '-' || b == '.' || b == '/' || b == ':':
			return inCode
		case b >= 'A' && b <= 'Z':
			capital = capital || i > 0 && lower
		case b >= 'a' && b <= 'z':
			lower = true
		}
	}
	return capital || inCode && strings.Contains(id, "_") && len(id) > 8
}

// field reads "query order" or "mutation placeOrder(input: …)" in a code span.
func (u *unit) field(i, end int) int {
	kind := u.text[i:end]
	if kind != "query" && kind != "mutation" && kind != "subscription" {
		return 0
	}
	at := end
	for at < u.end && u.text[at] == ' ' {
		at++
	}
	stop := at
	for stop < u.end && isWordByte(u.text[stop]) {
		stop++
	}
	if at == end || stop == at || u.text[at] < 'a' || u.text[at] > 'z' {
		return 0
	}
	if rest := strings.TrimLeft(u.text[stop:u.end], " "); strings.HasPrefix(rest, "{") || strings.HasPrefix(rest, "($") {
		return 0 // a document with a name
	}
	r := u.resolve(kind, u.text[at:stop])
	if r.Status == apispec.NotChecked {
		return 0
	}
	u.add(i, stop, kind, u.text[at:stop], r)
	return stop
}
