package diagram

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/ingest"
)

// Bounds of an entity-relationship diagram.
const (
	maxEntities   = 60
	maxAttributes = 40
	maxRelations  = 300
	maxSchema     = 16 << 20 // bytes of the text that is read
)

// schemaName is the name of the text in errors.
const schemaName = "schema"

// entity is a type with attributes.
type entity struct {
	name       string
	attributes []attribute
	relations  []relation
	root       bool // holds the operations of GraphQL
}

// attribute is a row of an entity.
type attribute struct {
	typ, name string
	note      string
	scalar    bool // may be the key of another entity
}

// relation leads to another entity, which may not exist.
type relation struct {
	to    string
	label string
	kind  relationKind
}

// relationKind is how many entities of either side belong together, as far as a
// schema says.
type relationKind string

const (
	toOne      relationKind = "}o--||" // a field that is always there
	toOptional relationKind = "}o--o|" // a field that may be missing or null
	toMany     relationKind = "||--o{" // a list
	isOne      relationKind = "||..o|" // a union and one of its members
	implements relationKind = "o|..||" // a type and its interface
	byKey      relationKind = "}o..o|" // a field named like the key of another entity
)

// ER draws the entities of a schema in GraphQL's schema language, of an OpenAPI
// description, or of JSON Schema (in JSON or YAML), with their attributes and
// relations. With include, it draws only the types with these names, in upper or
// lower case; the root types of GraphQL are drawn only so. Where there are too
// many, those with the most relations are drawn.
//
// A field that leads to another entity is a relation of many to one, a list one
// of one to many; whether an entity is shared no schema says. "id" is marked as
// the primary key, as are "customer_id" and "customerId" in a Customer; elsewhere
// they are foreign keys, if there is a Customer.
//
// The error is an *ingest.Error: it says line and column, or the JSON pointer,
// of what could not be read. That nothing is left to draw is an error, too.
func ER(schema string, include []string) (Diagram, error) {
	if len(schema) > maxSchema {
		return Diagram{}, &ingest.Error{File: schemaName, Err: ingest.ErrTooLarge, Reason: fmt.Sprintf("at most %d bytes are read", maxSchema)}
	}
	if strings.TrimSpace(schema) == "" {
		return Diagram{}, &ingest.Error{File: schemaName, Err: ingest.ErrEmpty}
	}
	read := graphqlEntities
	if isDocument(schema) {
		read = documentEntities
	}
	all, err := read(schema)
	if err != nil {
		return Diagram{}, err
	}
	wanted := slices.DeleteFunc(all, func(e entity) bool {
		if len(include) == 0 {
			return e.root
		}
		return !slices.ContainsFunc(include, func(name string) bool { return strings.EqualFold(strings.TrimSpace(name), e.name) })
	})
	if len(wanted) == 0 {
		return Diagram{}, &ingest.Error{File: schemaName, Err: ingest.ErrEmpty, Reason: "none of its types is an object to draw, or has a name that is asked for"}
	}
	return drawEntities(wanted), nil
}

// firstKey is the first line of YAML that is not a comment.
var firstKey = regexp.MustCompile(`^(?:\s*(?:#[^\n]*|---[^\n]*|%[^\n]*)?\n)*\s*(?:[{\[]|["']?[\w$./-]+["']?\s*:(?:\s|$))`)

// isDocument tells JSON and YAML from GraphQL.
func isDocument(schema string) bool {
	return firstKey.MatchString(strings.TrimPrefix(schema, "\ufeff"))
}

// drawEntities draws as many entities as fit.
func drawEntities(all []entity) Diagram {
	byName := make(map[string]bool, len(all))
	for _, e := range all {
		byName[e.name] = true
	}
	for i := range all {
		all[i].findKeys(byName)
	}
	shown := mostRelated(all, byName)
	d := &drawing{}
	d.line("erDiagram")
	d.depth++
	drawn := make(map[string]bool)
	for _, e := range shown {
		block := e.block()
		if d.Len()+len(block) > maxText {
			break
		}
		d.WriteString(block)
		drawn[e.name] = true
	}
	drawRelations(d, shown, drawn)
	var left []string
	for _, e := range all {
		if !drawn[e.name] {
			left = append(left, e.name)
		}
	}
	out := Diagram{Type: typeER, Code: d.String(), Title: "Entities", Omitted: omitted(left)}
	if len(left) > 0 {
		out.Title = fmt.Sprintf("Entities (%d of %d)", len(drawn), len(all))
	}
	return out
}

// mostRelated picks the entities with the most relations, in their order.
func mostRelated(all []entity, byName map[string]bool) []entity {
	if len(all) <= maxEntities {
		return all
	}
	degree := make(map[string]int)
	for _, e := range all {
		for _, r := range e.relations {
			if byName[r.to] && r.to != e.name {
				degree[e.name]++
				degree[r.to]++
			}
		}
	}
	best := make([]int, len(all))
	for i := range best {
		best[i] = i
	}
	slices.SortStableFunc(best, func(a, b int) int { return cmp.Compare(degree[all[b].name], degree[all[a].name]) })
	best = best[:maxEntities]
	slices.Sort(best)
	out := make([]entity, maxEntities)
	for i, at := range best {
		out[i] = all[at]
	}
	return out
}

// foreign finds the entity in the name of a key.
var foreign = regexp.MustCompile(`^(.+?)(?:_id|Id|ID|_uuid|Uuid|UUID)$`)

// findKeys adds relations for attributes that are named like the key of another
// entity.
func (e *entity) findKeys(byName map[string]bool) {
	for _, a := range e.attributes {
		if to := a.foreign(byName); to != "" && to != e.name && !slices.ContainsFunc(e.relations, func(r relation) bool { return r.to == to }) {
			e.relations = append(e.relations, relation{to: to, label: a.name, kind: byKey})
		}
	}
}

// foreign is the name of the entity that an attribute is a key of, or "".
func (a attribute) foreign(byName map[string]bool) string {
	m := foreign.FindStringSubmatch(a.name)
	if m == nil || !a.scalar {
		return ""
	}
	for _, name := range []string{m[1], camelCase(m[1])} {
		if byName[name] {
			return name
		}
	}
	return ""
}

// camelCase is "order_line" as "OrderLine".
func camelCase(s string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(s, "_") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

// block is an entity with its attributes.
func (e entity) block() string {
	d := &drawing{depth: 1}
	d.line("%s {", quoted(e.name, maxName))
	d.depth++
	for i, a := range e.attributes {
		if i == maxAttributes {
			d.line("etc more %s", quoted(fmt.Sprintf("and %d more attributes", len(e.attributes)-i), maxName))
			break
		}
		d.line("%s", a.row(e))
	}
	d.depth--
	d.line("}")
	return d.String()
}

// row is a type, a name, a key and a note; the note has the true name where the
// grammar has no words for it.
func (a attribute) row(e entity) string {
	name, changed := word(a.name)
	note := a.note
	if changed {
		note = strings.TrimRight(a.name+" "+note, " ")
	}
	typ := attributeType(a.typ)
	out := typ + " " + name
	switch {
	case strings.EqualFold(a.name, "id") || a.name == "_id" || a.foreign(map[string]bool{e.name: e.name != ""}) != "":
		out += " PK"
	case a.scalar && slices.ContainsFunc(e.relations, func(r relation) bool { return r.label == a.name && r.kind == byKey }):
		out += " FK"
	}
	if note != "" {
		// A row named "style" with a colon before a code is one of the hazards.
		out += " " + strings.ReplaceAll(quoted(note, maxName), ":", "#58;")
	}
	return out
}

// attributeType keeps the brackets of a list.
func attributeType(s string) string {
	inner := strings.TrimRight(s, "[]")
	lists := strings.Count(s[len(inner):], "[]")
	name, _ := word(inner)
	return name + strings.Repeat("[]", min(lists, 3))
}

// drawRelations draws the relations between entities that are drawn.
func drawRelations(d *drawing, shown []entity, drawn map[string]bool) {
	done := make(map[string]bool)
	for _, e := range shown {
		for _, r := range e.relations {
			if !drawn[e.name] || !drawn[r.to] {
				continue
			}
			line := fmt.Sprintf("%s %s %s : %s", quoted(e.name, maxName), r.kind, quoted(r.to, maxName), quoted(r.label, maxName))
			if done[line] || len(done) == maxRelations || d.Len()+len(line) > maxText+8000 {
				continue
			}
			done[line] = true
			d.line("%s", line)
		}
	}
}
