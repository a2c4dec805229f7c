package apispec

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Status is the verdict on a mention of an endpoint.
type Status string

// The statuses.
const (
	OK          Status = "ok"
	UnknownPath Status = "unknown_path" // no operation has this path
	WrongMethod Status = "wrong_method" // the path exists, the method does not
	Deprecated  Status = "deprecated"   // exists, marked as deprecated
	Ambiguous   Status = "ambiguous"    // a placeholder stands where several operations have words
	NotChecked  Status = "not_checked"  // another host, or nothing to compare with
)

// Resolution is what a catalogue says of an endpoint.
type Resolution struct {
	Status Status
	// Operation is the operation meant, if there is exactly one.
	Operation *Operation
	// Candidates are the operations with this path, for other methods or where it
	// is ambiguous.
	Candidates []*Operation
	// Nearest are at most three real operations most like one that does not
	// exist, the nearest first.
	Nearest []*Operation
	// Likeness says how like a path that does not exist is to that of Nearest[0],
	// from 0 to 1 (the same).
	Likeness float64
	// Prefix says that an unknown path is the beginning or the end of real ones, as
	// people write them when they mean a group of operations.
	Prefix bool
}

// Catalog answers whether endpoints exist. It is immutable and safe for
// concurrent use.
type Catalog struct {
	operations []*Operation
	byLength   map[int][]template      // by number of segments
	fields     map[string][]*Operation // of GraphQL, by "query name"
	servers    []server                // all, those with the longest base path first
	bases      []string                // base paths of servers, longest first, "" included
}

// server is where an API is: its host, in lower case ("" is any), and the path
// that its operations are below.
type server struct{ host, base string }

// template is the path of an operation in segments.
type template struct {
	operation *Operation
	segments  []segment
	servers   []server
}

// at reports whether the operation is on a server.
func (t template) at(s server) bool { return slices.Contains(t.servers, s) }

// segment is a literal, or a variable with the parameter that says what fits.
type segment struct {
	literal  string
	name     string // of a variable
	variable bool
	prefix   string // literal text before and after a variable: "{id}.json"
	suffix   string
	schema   *Schema
}

// NewCatalog makes a catalogue. It keeps pointers into ops, which must not be
// changed afterwards. Webhooks and callbacks, which clients do not call, are left
// out.
func NewCatalog(ops []Operation) *Catalog {
	c := &Catalog{byLength: make(map[int][]template), fields: make(map[string][]*Operation)}
	known := make(map[server]bool)
	bases := map[string]bool{"": true}
	for i := range ops {
		o := &ops[i]
		switch o.Kind {
		case Webhook, Callback:
			continue
		case GraphQL:
			c.operations = append(c.operations, o)
			c.fields[fieldKey(o.Method, o.Path)] = append(c.fields[fieldKey(o.Method, o.Path)], o)
			continue
		}
		c.operations = append(c.operations, o)
		t := template{operation: o, segments: parseTemplate(o), servers: serversOf(o)}
		c.byLength[len(t.segments)] = append(c.byLength[len(t.segments)], t)
		for _, s := range t.servers {
			known[s], bases[s.base] = true, true
		}
	}
	for s := range known {
		c.servers = append(c.servers, s)
	}
	slices.SortFunc(c.servers, func(a, b server) int {
		return cmp.Or(cmp.Compare(len(b.base), len(a.base)), cmp.Compare(a.base, b.base), cmp.Compare(a.host, b.host))
	})
	for base := range bases {
		c.bases = append(c.bases, base)
	}
	slices.SortFunc(c.bases, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return c
}

// Len returns how many operations there are.
func (c *Catalog) Len() int { return len(c.operations) }

// Operations returns all operations, in the order in which they were given.
func (c *Catalog) Operations() []*Operation { return slices.Clone(c.operations) }

// serversOf reads the servers of an operation. A host with a variable in it
// ("{region}.example.com", "{{host}}") matches any host that has its other parts.
func serversOf(o *Operation) (out []server) {
	for _, text := range o.Servers {
		_, rest, absolute := strings.Cut(text, "://")
		host, path := "", text
		if absolute || strings.HasPrefix(text, "{{") {
			if !absolute {
				rest = text
			}
			host, path, _ = strings.Cut(rest, "/")
			path = "/" + path
		}
		path, _, _ = strings.Cut(path, "?")
		s := server{withoutPort(strings.ToLower(host), text), strings.TrimRight(path, "/")}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// is reports whether a host is that of the server.
func (s server) is(host string) bool {
	if !strings.Contains(s.host, "{") {
		return s.host == host
	}
	before, rest, _ := strings.Cut(s.host, "{")
	after := rest[strings.LastIndexByte(rest, '}')+1:]
	if before == "" && after == "" {
		return false // nothing is known of it
	}
	return len(host) > len(before)+len(after) && strings.HasPrefix(host, before) && strings.HasSuffix(host, after)
}

func parseTemplate(o *Operation) []segment {
	path, _, _ := strings.Cut(o.Path, "?")
	parts := split(path)
	out := make([]segment, len(parts))
	for i, part := range parts {
		open, end := strings.IndexByte(part, '{'), strings.LastIndexByte(part, '}')
		if open < 0 || end < open {
			out[i] = segment{literal: part}
			continue
		}
		out[i] = segment{variable: true, name: part[open+1 : end], prefix: part[:open], suffix: part[end+1:]}
		for _, p := range o.Parameters {
			if p.In == "path" && p.Name == part[open+1:end] {
				out[i].schema = p.Schema
			}
		}
	}
	return out
}

// split cuts a path into segments; slashes at both ends do not count.
func split(path string) []string {
	path = strings.Trim(path, "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// maxTarget bounds what Resolve looks at, in bytes.
const maxTarget = 2048

// Resolve looks an endpoint up. method may be empty. target is a path or an
// absolute URL, with or without query and base path; its variables may be
// written {x}, :x, <x>, ${x}, $X, %d, %7Bx%7D or UPPER_CASE, or be values. An
// absolute URL must be below a server of the operation. Where several templates
// fit, literal segments win over variables. Fields of GraphQL are found with the
// methods query, mutation and subscription, and their name as target.
func (c *Catalog) Resolve(method, target string) Resolution {
	if len(c.operations) == 0 || len(target) > maxTarget {
		return Resolution{Status: NotChecked}
	}
	if kind := strings.ToLower(method); kind == "query" || kind == "mutation" || kind == "subscription" {
		return c.field(kind, target)
	}
	if len(c.byLength) == 0 {
		return Resolution{Status: NotChecked}
	}
	host, path := splitTarget(target)
	method = strings.ToUpper(method)
	var exact, loose []template
	literals := -1
	add := func(base string, on func(template) bool) {
		rest, ok := strings.CutPrefix(path, base)
		if !ok || base != "" && rest != "" && rest[0] != '/' {
			return
		}
		e, l, n := c.match(split(rest), on)
		if len(e) > 0 && n > literals {
			exact, literals = e, n
		}
		loose = append(loose, l...)
	}
	if host == "" {
		for _, base := range c.bases {
			add(base, nil)
		}
	} else {
		known := false
		for _, s := range c.servers {
			if s.is(host) {
				known = true
				add(s.base, func(t template) bool { return t.at(s) })
			}
		}
		if !known {
			return Resolution{Status: NotChecked}
		}
	}
	switch {
	case len(exact) > 0:
		return c.choose(method, target, exact)
	case len(loose) > 0:
		return Resolution{Status: Ambiguous, Candidates: operationsOf(loose)}
	}
	r := Resolution{Status: UnknownPath, Prefix: c.isPart(host, path)}
	r.Nearest, r.Likeness = c.nearest(method, path)
	return r
}

// isPart reports whether a path is a base path of a server, or the first or last
// segments of a real one.
func (c *Catalog) isPart(host, path string) bool {
	trimmed := strings.TrimRight(path, "/")
	try := func(base string) bool {
		rest, ok := strings.CutPrefix(trimmed, base)
		if !ok || rest != "" && rest[0] != '/' {
			return trimmed == "" || strings.HasPrefix(base, trimmed+"/")
		}
		given := split(rest)
		for n, ts := range c.byLength {
			for _, t := range ts {
				if n > len(given) && (t.sub(given, 0) || host == "" && t.sub(given, n-len(given))) {
					return true
				}
			}
		}
		return false
	}
	if host == "" {
		return slices.ContainsFunc(c.bases, try)
	}
	return slices.ContainsFunc(c.servers, func(s server) bool { return s.is(host) && try(s.base) })
}

// sub reports whether the segments from one on are the given ones, of which at
// least one is a literal.
func (t template) sub(given []string, from int) bool {
	literals := 0
	for i, g := range given {
		switch s := t.segments[from+i]; {
		case s.variable && !s.accepts(g), !s.variable && s.literal != g:
			return false
		case !s.variable:
			literals++
		}
	}
	return literals > 0 || len(given) == 0
}

// splitTarget cuts a target into the host, in lower case, and the path. A path by
// itself has no host.
func splitTarget(target string) (host, path string) {
	path = target
	if _, rest, isURL := strings.Cut(target, "://"); isURL {
		var after string
		host, after, _ = strings.Cut(rest, "/")
		host, _, _ = strings.Cut(host, "?")
		host, _, _ = strings.Cut(host, "#")
		host = strings.ToLower(host[strings.LastIndexByte(host, '@')+1:])
		path = "/" + after
		host = withoutPort(host, target)
		if host == "" {
			host = "?" // of no server
		}
	}
	path, _, _ = strings.Cut(path, "#")
	path, _, _ = strings.Cut(path, "?")
	return host, "/" + strings.Trim(path, "/")
}

// withoutPort cuts the port that a scheme has anyway.
func withoutPort(host, url string) string {
	if rest, ok := strings.CutSuffix(host, ":443"); ok && !strings.HasPrefix(url, "http://") {
		return rest
	}
	if rest, ok := strings.CutSuffix(host, ":80"); ok && strings.HasPrefix(url, "http://") {
		return rest
	}
	return host
}

func fieldKey(method, name string) string { return strings.ToLower(method) + " " + name }

// field looks up a field of a root type of GraphQL. Its arguments do not count.
func (c *Catalog) field(kind, name string) Resolution {
	if len(c.fields) == 0 {
		return Resolution{Status: NotChecked}
	}
	name, _, _ = strings.Cut(strings.TrimSpace(name), "(")
	found := c.fields[fieldKey(kind, name)]
	switch {
	case len(found) == 0:
		for _, other := range []string{"query", "mutation", "subscription"} {
			found = append(found, c.fields[fieldKey(other, name)]...)
		}
		if len(found) > 0 {
			return Resolution{Status: WrongMethod, Candidates: found, Nearest: found[:min(maxNearest, len(found))]}
		}
		return Resolution{Status: UnknownPath, Nearest: c.nearestField(kind, name)}
	case len(found) > 1:
		return Resolution{Status: Ambiguous, Candidates: found}
	case found[0].Deprecated:
		return Resolution{Status: Deprecated, Operation: found[0]}
	}
	return Resolution{Status: OK, Operation: found[0]}
}

// match finds the templates that fit the segments, of all or of those on a server.
// exact are those with the most
// literal segments in common, loose those that fit only if a placeholder stands
// for a literal.
func (c *Catalog) match(segments []string, on func(template) bool) (exact, loose []template, literals int) {
	literals = -1
	for _, t := range c.byLength[len(segments)] {
		if on != nil && !on(t) {
			continue
		}
		n, kind := t.fits(segments)
		switch {
		case kind == fitsLoosely:
			loose = append(loose, t)
		case kind == fitsExactly && n > literals:
			exact, literals = append(exact[:0:0], t), n
		case kind == fitsExactly && n == literals:
			exact = append(exact, t)
		}
	}
	return exact, loose, literals
}

type fit int

const (
	fitsNot fit = iota
	fitsLoosely
	fitsExactly
)

// fits compares a template with segments, and counts the literals in common; the
// text around a variable counts half. Where a placeholder stands for a literal, no
// word may stand for a variable: /{id}/reboot is not /sizes/{size}.
func (t template) fits(segments []string) (literals int, kind fit) {
	kind = fitsExactly
	word := false
	for i, s := range t.segments {
		given := segments[i]
		switch {
		case s.variable:
			if !s.accepts(given) {
				return 0, fitsNot
			}
			if s.prefix != "" || s.suffix != "" {
				literals++
			} else if isWord(given) {
				word = true
			}
		case s.literal == given:
			literals += 2
		case isPlaceholder(given) && !isUpperWord(given):
			kind = fitsLoosely
		default:
			return 0, fitsNot
		}
	}
	if word && kind == fitsLoosely {
		return 0, fitsNot
	}
	return literals, kind
}

// isWord recognises what is rather a literal than a value.
func isWord(s string) bool { return !isPlaceholder(s) && !strings.ContainsAny(s, "0123456789{<$%@") }

// customVerb is a placeholder with the name of a custom method: {name}:cancel.
var customVerb = regexp.MustCompile(`^(?:\{.*\}|<.+>|:\w+|\$\w+|[A-Z][A-Z0-9_]+):[A-Za-z]+$`)

// accepts reports whether a segment can stand for a variable.
func (s segment) accepts(given string) bool {
	if !strings.HasPrefix(given, s.prefix) || !strings.HasSuffix(given, s.suffix) || len(given) <= len(s.prefix)+len(s.suffix) {
		return false
	}
	given = given[len(s.prefix) : len(given)-len(s.suffix)]
	if s.suffix == "" && customVerb.MatchString(given) {
		return false
	}
	if isPlaceholder(given) || s.schema == nil || given == s.name || strings.ContainsRune(given, '{') {
		return true
	}
	if decoded, err := url.PathUnescape(given); err == nil {
		given = decoded
	}
	if len(s.schema.Enum) > 0 {
		return slices.ContainsFunc(s.schema.Enum, func(v any) bool { text, ok := v.(string); return !ok || text == given })
	}
	if len(s.schema.Types) == 1 {
		switch s.schema.Types[0] {
		case "integer":
			_, err := strconv.ParseInt(given, 10, 64)
			return err == nil
		case "number":
			_, err := strconv.ParseFloat(given, 64)
			return err == nil
		}
	}
	return true
}

// placeholder matches the ways in which people write variables.
var placeholder = regexp.MustCompile(`^(?:\{.*\}|:[A-Za-z_]\w*|<.+>|[$#@]\{.*\}|\$[A-Za-z_]\w*|%[dsvq]|%\(\w+\)[sd]|%7[Bb].*%7[Dd]|\[\w+\]|\*|\.\.\.|…)$`)

var upperWord = regexp.MustCompile(`^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$`)

func isPlaceholder(s string) bool { return placeholder.MatchString(s) || isUpperWord(s) }

// isUpperWord recognises ORDER_ID and ID.
func isUpperWord(s string) bool { return len(s) > 1 && upperWord.MatchString(s) }

// choose picks the operation of a method among those that have the path.
func (c *Catalog) choose(method, target string, exact []template) Resolution {
	all := operationsOf(exact)
	if method == "" {
		r := Resolution{Status: Deprecated, Candidates: all}
		for _, o := range all {
			if !o.Deprecated {
				r.Status = OK
			}
		}
		if len(all) == 1 {
			r.Operation = all[0]
		}
		return r
	}
	var found *Operation
	for _, o := range all {
		if o.Method == method && (found == nil || serves(o, target) && !serves(found, target)) {
			found = o
		}
	}
	switch {
	case found == nil:
		return Resolution{Status: WrongMethod, Candidates: all, Nearest: all[:min(maxNearest, len(all))]}
	case found.Deprecated:
		return Resolution{Status: Deprecated, Operation: found}
	}
	return Resolution{Status: OK, Operation: found}
}

// serves reports whether a target is under one of the operation's servers.
func serves(o *Operation, target string) bool {
	return slices.ContainsFunc(o.Servers, func(s string) bool { return strings.HasPrefix(target, s) })
}

func operationsOf(ts []template) []*Operation {
	out := make([]*Operation, len(ts))
	for i, t := range ts {
		out[i] = t.operation
	}
	return out
}
