package apispec

import (
	"regexp"
	"slices"
	"strings"
)

// identifier matches names such as user_id, orderId and uuid; the first group
// is the thing that is identified, if the name says it.
var identifier = regexp.MustCompile(`^(?:(.*[^_-])(?:[_-](?i:ids?|uuids?|guids?|slug|identifier)|Ids?|IDs?|Uuid|UUID|Guid|GUID|Slug|Identifier)|(?i:ids?|uuid|guid|slug|identifier))$`)

// maxYields bounds Operation.Yields.
const maxYields = 24

// Needs returns the things whose identifiers a request must carry, in the words
// of the specification: "person" for /person/{person_id}, "users" for
// /users/{id}, "account" for a required query parameter accountId.
func (o *Operation) Needs() []string {
	var out []string
	add := func(name, before string) {
		m := identifier.FindStringSubmatch(name)
		if m == nil {
			return
		}
		if m[1] == "" {
			m[1] = before
		}
		if m[1] != "" && !slices.Contains(out, m[1]) {
			out = append(out, m[1])
		}
	}
	before := ""
	for segment := range strings.SplitSeq(o.Path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			add(strings.TrimSuffix(name, "}"), before)
			continue
		}
		before = segment
	}
	for _, p := range o.Parameters {
		if p.In == "query" && p.Required {
			add(p.Name, "")
		}
	}
	return out
}

// Yields returns the things whose identifiers a successful response carries: those
// that its fields name (account for account_id), and for a plain id the field
// that holds it (genres for {"genres": [{"id": 1}]}) or, where that says nothing
// (results, data), the words of the path. Only operations that change nothing
// yield, and nothing that they need themselves.
func (o *Operation) Yields() []string {
	if o.Kind != HTTP || o.Method != "GET" {
		return nil
	}
	var (
		out   []string
		needs = o.Needs()
		plain bool
	)
	add := func(thing string) {
		if thing != "" && len(out) < maxYields && !slices.Contains(out, thing) && !slices.Contains(needs, thing) {
			out = append(out, thing)
		}
	}
	for _, r := range o.Responses {
		if strings.HasPrefix(r.Status, "2") && len(r.Content) > 0 {
			eachProperty(r.Content[0].Schema, "", 0, func(holder, name string) {
				switch m := identifier.FindStringSubmatch(name); {
				case m == nil:
				case m[1] != "":
					add(m[1])
				case holder == "" || envelopes[strings.ToLower(holder)]:
					plain = true
				default:
					add(holder)
				}
			})
		}
	}
	if plain {
		for segment := range strings.SplitSeq(o.Path, "/") {
			if !strings.Contains(segment, "{") {
				add(segment)
			}
		}
	}
	return out
}

// maxYieldDepth is how deep responses are searched for identifiers.
const maxYieldDepth = 5

// envelopes are fields that hold what was asked for, whatever it is.
var envelopes = map[string]bool{"data": true, "results": true, "result": true, "items": true, "list": true, "values": true,
	"records": true, "entries": true, "content": true, "rows": true, "objects": true, "response": true, "payload": true}

// eachProperty calls visit with the properties of a schema and the one that
// holds them.
func eachProperty(s *Schema, holder string, depth int, visit func(holder, name string)) {
	if s == nil || depth > maxYieldDepth {
		return
	}
	for _, p := range s.Properties {
		visit(holder, p.Name)
		eachProperty(p.Schema, p.Name, depth+1, visit)
	}
	eachProperty(s.Items, holder, depth+1, visit)
	for _, alternative := range s.OneOf {
		eachProperty(alternative, holder, depth+1, visit)
	}
}
