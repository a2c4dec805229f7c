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
}

// Catalog answers whether endpoints exist. It is immutable and safe for
// concurrent use.
type Catalog struct {
	operations []*Operation
	byLength   map[int][]template // by number of segments
	hosts      map[string]bool
	bases      []string // base paths of servers, longest first, "" included
}

// template is the path of an operation in segments.
type template struct {
	operation *Operation
	segments  []segment
}

// segment is a literal, or a variable with the parameter that says what fits.
type segment struct {
	literal  string
	variable bool
	prefix   string // literal text before and after a variable: "{id}.json"
	suffix   string
	schema   *Schema
}

// NewCatalog makes a catalogue. It keeps pointers into ops, which must not be
// changed afterwards. Webhooks, which clients do not call, are left out.
func NewCatalog(ops []Operation) *Catalog {
	c := &Catalog{byLength: make(map[int][]template), hosts: make(map[string]bool)}
	bases := map[string]bool{"": true}
	for i := range ops {
		o := &ops[i]
		if o.Kind == Webhook {
			continue
		}
		c.operations = append(c.operations, o)
		t := template{operation: o, segments: parseTemplate(o)}
		c.byLength[len(t.segments)] = append(c.byLength[len(t.segments)], t)
		for _, server := range o.Servers {
			if host, base, ok := splitServer(server); ok {
				bases[base] = true
				if host != "" {
					c.hosts[host] = true
				}
			}
		}
	}
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

// splitServer takes the host and the base path from a server URL.
func splitServer(server string) (host, base string, ok bool) {
	u, err := url.Parse(server)
	if err != nil {
		return "", "", false
	}
	base = strings.TrimRight(u.Path, "/")
	if strings.ContainsAny(u.Host, "{}") {
		return "", base, true
	}
	return strings.ToLower(u.Host), base, true
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
		out[i] = segment{variable: true, prefix: part[:open], suffix: part[end+1:]}
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
// written {x}, :x, <x>, ${x}, $X, %d, %7Bx%7D or UPPER_CASE, or be values. Where
// several templates fit, literal segments win over variables.
func (c *Catalog) Resolve(method, target string) Resolution {
	if len(c.operations) == 0 || len(target) > maxTarget {
		return Resolution{Status: NotChecked}
	}
	path, checkable := c.path(target)
	if !checkable {
		return Resolution{Status: NotChecked}
	}
	method = strings.ToUpper(method)
	var exact, loose []template
	literals := 0
	for _, base := range c.bases {
		rest, ok := strings.CutPrefix(path, base)
		if !ok || base != "" && rest != "" && rest[0] != '/' {
			continue
		}
		e, l, n := c.match(split(rest))
		if len(e) > 0 && n > literals || len(exact) == 0 {
			exact, literals = e, n
		}
		loose = append(loose, l...)
	}
	switch {
	case len(exact) > 0:
		return c.choose(method, target, exact)
	case len(loose) > 0:
		return Resolution{Status: Ambiguous, Candidates: operationsOf(loose)}
	}
	return Resolution{Status: UnknownPath, Nearest: c.nearest(method, path)}
}

// path takes the path from a target, and says whether the target can be one of
// the catalogue's.
func (c *Catalog) path(target string) (path string, ok bool) {
	path = target
	if _, rest, isURL := strings.Cut(target, "://"); isURL {
		host, after, _ := strings.Cut(rest, "/")
		host, _, _ = strings.Cut(host, "?")
		path = "/" + after
		if !c.hosts[strings.ToLower(host)] {
			return "", false
		}
	}
	path, _, _ = strings.Cut(path, "#")
	path, _, _ = strings.Cut(path, "?")
	return "/" + strings.Trim(path, "/"), true
}

// match finds the templates that fit the segments. exact are those with the most
// literal segments in common, loose those that fit only if a placeholder stands
// for a literal.
func (c *Catalog) match(segments []string) (exact, loose []template, literals int) {
	literals = -1
	for _, t := range c.byLength[len(segments)] {
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

// fits compares a template with segments, and counts the literals in common.
func (t template) fits(segments []string) (literals int, kind fit) {
	kind = fitsExactly
	for i, s := range t.segments {
		given := segments[i]
		switch {
		case s.variable:
			if !s.accepts(given) {
				return 0, fitsNot
			}
		case s.literal == given:
			literals++
		case isPlaceholder(given) && !isUpperWord(given):
			kind = fitsLoosely
		default:
			return 0, fitsNot
		}
	}
	return literals, kind
}

// accepts reports whether a segment can stand for a variable.
func (s segment) accepts(given string) bool {
	if !strings.HasPrefix(given, s.prefix) || !strings.HasSuffix(given, s.suffix) || len(given) <= len(s.prefix)+len(s.suffix) {
		return false
	}
	given = given[len(s.prefix) : len(given)-len(s.suffix)]
	if isPlaceholder(given) || s.schema == nil {
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
var placeholder = regexp.MustCompile(`^(?:\{.*\}|:[A-Za-z_]\w*|<.+>|\$\{.*\}|\$[A-Za-z_]\w*|%[dsvq]|%7[Bb].*%7[Dd]|\[\w+\]|\.\.\.|…)$`)

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
