package changes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// side says who a value comes from, seen from a client.
type side bool

const (
	sent side = true
	read side = false
)

// comparison gathers the changes of one operation.
type comparison struct {
	changes []Change
	left    int // schemas that may still be compared
}

// maxSchemas bounds the schemas that are compared for one operation.
const maxSchemas = 20_000

func (c *comparison) add(k Kind, breaking bool, where, message, reason string) {
	c.changes = append(c.changes, Change{Kind: k, Breaking: breaking, Where: where, Message: message, Reason: reason})
}

// compare lists what differs between two versions of an operation.
func compare(before, after *apispec.Operation) []Change {
	c := &comparison{left: maxSchemas}
	in, out := sent, read
	if before.Kind == apispec.Webhook || before.Kind == apispec.Callback {
		in, out = read, sent
	}
	c.head(before, after)
	c.parameters(before, after, in)
	c.body(before.Body, after.Body, in)
	c.responses(before.Responses, after.Responses, out)
	if in == sent {
		c.security(before.Security, after.Security)
	}
	return c.changes
}

func (c *comparison) head(before, after *apispec.Operation) {
	moved := (pair{before, after}).moved()
	if moved {
		c.add(Moved, true, "", "moved from "+before.Endpoint(), "requests to where it was fail")
	}
	if before.OperationID != after.OperationID {
		c.add(Renamed, false, "", fmt.Sprintf("operation id changed from %q to %q", before.OperationID, after.OperationID), "requests stay the same; generated clients get other names")
	}
	switch {
	case after.Deprecated && !before.Deprecated:
		c.add(Deprecated, false, "", "deprecated", "it still works")
	case before.Deprecated && !after.Deprecated:
		c.add(Undeprecated, false, "", "no longer deprecated", "it works as before")
	}
}

// parameters compares parameters by name and place, those of the path by their
// position.
func (c *comparison) parameters(before, after *apispec.Operation, in side) {
	names := variables(before.Path)
	renamed := make(map[string]string)
	for i, name := range variables(after.Path) {
		if i < len(names) {
			renamed[names[i]] = name
		}
	}
	find := func(list []apispec.Parameter, in, name string) *apispec.Parameter {
		at := slices.IndexFunc(list, func(p apispec.Parameter) bool {
			return p.In == in && (p.Name == name || in == "header" && strings.EqualFold(p.Name, name))
		})
		if at < 0 {
			return nil
		}
		return &list[at]
	}
	id := func(p *apispec.Parameter) string {
		if p.In == "header" {
			return "header " + strings.ToLower(p.Name)
		}
		return p.In + " " + p.Name
	}
	matched := make(map[string]bool) // by id, since the same may stand there twice
	for _, old := range before.Parameters {
		name := old.Name
		if to, ok := renamed[name]; ok && old.In == "path" {
			name = to
		}
		now := find(after.Parameters, old.In, name)
		where := old.In + " parameter " + name
		if now == nil {
			if old.In != "path" { // a variable without its declaration is a matter of documentation
				c.removed(where, in)
			}
			continue
		}
		matched[id(now)] = true
		if name != old.Name {
			c.add(Renamed, false, where, "renamed from "+old.Name, "the name of a variable is no part of a request")
		}
		c.required(old.Required, now.Required, where, in)
		if now.Deprecated && !old.Deprecated {
			c.add(Deprecated, false, where, "deprecated", "it still works")
		}
		c.schema(old.Schema, now.Schema, place{part: where}, in, 0)
	}
	for i := range after.Parameters {
		if p := &after.Parameters[i]; !matched[id(p)] && p.In != "path" {
			matched[id(p)] = true
			c.added(p.In+" parameter "+p.Name, p.Required, in)
		}
	}
}

func variables(path string) (out []string) {
	for _, v := range variable.FindAllString(path, -1) {
		out = append(out, v[1:len(v)-1])
	}
	return out
}

// added reports a parameter, field or body that is new.
func (c *comparison) added(where string, required bool, s side) {
	switch {
	case s == read:
		c.add(Added, false, where, "added", "clients ignore what they do not know")
	case required:
		c.add(Added, true, where, "added, required", "clients that do not send it are refused")
	default:
		c.add(Added, false, where, "added", "clients need not send it")
	}
}

func (c *comparison) removed(where string, s side) {
	if s == sent {
		c.add(Removed, true, where, "removed", "what clients send there is refused or has no effect")
		return
	}
	c.add(Removed, true, where, "removed", "clients may read it")
}

func (c *comparison) required(before, after bool, where string, s side) {
	switch {
	case after && !before && s == sent:
		c.add(BecameRequired, true, where, "became required", "clients that do not send it are refused")
	case after && !before:
		c.add(BecameRequired, false, where, "is always there now", "clients that read it find it")
	case before && !after && s == sent:
		c.add(BecameOptional, false, where, "became optional", "clients may still send it")
	case before && !after:
		c.add(BecameOptional, true, where, "may be missing now", "clients that count on it find nothing")
	}
}

func (c *comparison) body(before, after *apispec.Body, s side) {
	const where = "request body"
	switch {
	case before == nil && after == nil:
	case before == nil:
		c.added(where, after.Required, s)
	case after == nil:
		c.removed(where, s)
	default:
		c.required(before.Required, after.Required, where, s)
		c.media(before.Content, after.Content, where, s)
	}
}

func (c *comparison) responses(before, after []apispec.Response, s side) {
	status := func(list []apispec.Response, status string) *apispec.Response {
		if at := slices.IndexFunc(list, func(r apispec.Response) bool { return r.Status == status }); at >= 0 {
			return &list[at]
		}
		return nil
	}
	for _, old := range before {
		where := "response " + old.Status
		now := status(after, old.Status)
		switch {
		case now != nil:
			c.media(old.Content, now.Content, where, s)
		case old.Success() && old.Status != "default" && s == read:
			c.add(Removed, true, where, "removed", "clients expect it when all goes well")
		default:
			c.add(Removed, false, where, "removed", "clients that handle it never meet it")
		}
	}
	for _, now := range after {
		if status(before, now.Status) == nil {
			c.add(Added, false, "response "+now.Status, "added", "clients handle statuses that they do not know by their class")
		}
	}
}

// media compares representations by media type.
func (c *comparison) media(before, after []apispec.Media, where string, s side) {
	at := func(list []apispec.Media, mediaType string) int {
		return slices.IndexFunc(list, func(m apispec.Media) bool { return strings.EqualFold(m.Type, mediaType) })
	}
	same, compared := sameSchemas(before), false
	for _, old := range before {
		i := at(after, old.Type)
		if i < 0 {
			reason := "clients that send it are refused"
			if s == read {
				reason = "clients that ask for it cannot have it"
			}
			c.add(MediaTypeRemoved, true, where, "media type "+old.Type+" removed", reason)
			continue
		}
		label := where
		switch {
		case same && compared: // what differs was said of the first
			continue
		case !same && len(before) > 1:
			label += " (" + old.Type + ")"
		}
		compared = true
		c.schema(old.Schema, after[i].Schema, place{part: label}, s, 0)
	}
	for _, now := range after {
		if at(before, now.Type) < 0 {
			c.add(MediaTypeAdded, false, where, "media type "+now.Type+" added", "clients need not use it")
		}
	}
}

// sameSchemas reports whether all representations have the same named schema.
func sameSchemas(list []apispec.Media) bool {
	for _, m := range list {
		if m.Schema == nil || m.Schema.Ref == "" || m.Schema.Ref != list[0].Schema.Ref {
			return false
		}
	}
	return true
}
