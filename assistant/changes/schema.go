package changes

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// place is where a change is: a part of a request or a response, and a path to a
// value in it.
type place struct{ part, path string }

// String is "request body lines[].quantity".
func (p place) String() string { return strings.TrimRight(p.part+" "+p.path, " ") }

func (p place) field(name string) place {
	if p.path == "" {
		return place{p.part, name}
	}
	return place{p.part, p.path + "." + name}
}

// elements are those of a list, values those of a map.
func (p place) elements() place { return place{p.part, p.path + "[]"} }
func (p place) values() place   { return place{p.part, p.path + "{}"} }

// maxDepth bounds how deep schemas are compared. Those of ingestion are less deep.
const maxDepth = 16

// schema compares two schemas. Nothing is said of what was cut from either.
func (c *comparison) schema(before, after *apispec.Schema, at place, s side, depth int) {
	if before == nil {
		before = &apispec.Schema{}
	}
	if after == nil {
		after = &apispec.Schema{}
	}
	if c.left--; c.left < 0 || depth == maxDepth || before.Cut && len(before.Properties) == 0 || after.Cut && len(after.Properties) == 0 {
		return
	}
	if len(before.OneOf) > 0 || len(after.OneOf) > 0 {
		c.alternatives(before, after, at, s, depth)
		if len(before.OneOf) == 0 || len(after.OneOf) == 0 {
			return // one is an alternative of the other, and was compared as such
		}
	} else {
		c.types(before, after, at, s)
	}
	c.format(before, after, at, s)
	c.enum(before, after, at, s)
	if old, now := text(before.Default), text(after.Default); old != now && s == sent {
		c.add(DefaultChanged, false, at.String(), "default changed from "+old+" to "+now, "the same requests are valid; without the value they may mean something else")
	}
	c.properties(before, after, at, s, depth)
	if before.Items != nil && after.Items != nil {
		c.schema(before.Items, after.Items, at.elements(), s, depth+1)
	}
	if before.Additional != nil && after.Additional != nil {
		c.schema(before.Additional, after.Additional, at.values(), s, depth+1)
	}
}

// changed reports a change of what values are possible. narrower says that some
// that were are no more, wider that some are that were not.
func (c *comparison) changed(k Kind, narrower, wider bool, at place, message string, s side) {
	switch {
	case s == sent && narrower:
		c.add(k, true, at.String(), message, "values that clients send are refused")
	case s == sent:
		c.add(k, false, at.String(), message, "all that clients send is still valid")
	case wider:
		c.add(k, true, at.String(), message, "clients meet values that they do not know")
	default:
		c.add(k, false, at.String(), message, "all that clients meet they know")
	}
}

func (c *comparison) types(before, after *apispec.Schema, at place, s side) {
	old, now := before.Types, after.Types
	narrower, wider := !within(old, now), !within(now, old)
	if narrower || wider {
		c.changed(TypeChanged, narrower, wider, at, "type changed from "+typeNames(old)+" to "+typeNames(now), s)
	}
}

// within reports whether all values of some types are of the others, too. No
// types are all types.
func within(types, others []string) bool {
	if len(others) == 0 {
		return true
	}
	return len(types) > 0 && !slices.ContainsFunc(types, func(t string) bool {
		return !slices.Contains(others, t) && !(t == "integer" && slices.Contains(others, "number"))
	})
}

func typeNames(types []string) string {
	if len(types) == 0 {
		return "any"
	}
	return strings.Join(types, " or ")
}

// format compares formats; a value without one is of any.
func (c *comparison) format(before, after *apispec.Schema, at place, s side) {
	old, now := before.Format, after.Format
	if old == now || len(before.Types) > 0 && len(after.Types) > 0 && !slices.Equal(before.Types, after.Types) {
		return // the type has changed, and that is said
	}
	narrower, wider := now != "", old != ""
	for _, larger := range [][2]string{{"int32", "int64"}, {"float", "double"}} {
		switch {
		case old == larger[0] && now == larger[1]:
			narrower = false
		case old == larger[1] && now == larger[0]:
			wider = false
		}
	}
	name := func(format string) string {
		if format == "" {
			return "none"
		}
		return format
	}
	c.changed(FormatChanged, narrower, wider, at, "format changed from "+name(old)+" to "+name(now), s)
}

// enum compares the values that are listed; without a list there is no limit.
func (c *comparison) enum(before, after *apispec.Schema, at place, s side) {
	old, now := texts(before.Enum), texts(after.Enum)
	switch {
	case len(old) == 0 && len(now) == 0:
		return
	case len(old) == 0:
		c.changed(EnumChanged, true, false, at, "only these values are left: "+listed(now), s)
		return
	case len(now) == 0:
		c.changed(EnumChanged, false, true, at, "any value is possible, not only "+listed(old), s)
		return
	}
	gone, fresh := without(old, now), without(now, old)
	if len(gone) > 0 {
		c.changed(EnumChanged, true, false, at, "values removed: "+listed(gone), s)
	}
	if len(fresh) > 0 {
		c.changed(EnumChanged, false, true, at, "values added: "+listed(fresh), s)
	}
}

func without(list, others []string) (out []string) {
	for _, v := range list {
		if !slices.Contains(others, v) {
			out = append(out, v)
		}
	}
	return out
}

// maxListed bounds the values in a message.
const maxListed = 10

func listed(values []string) string {
	out := strings.Join(values[:min(len(values), maxListed)], ", ")
	if len(values) > maxListed {
		out += ", …"
	}
	return out
}

func texts(values []any) (out []string) {
	for _, v := range values {
		out = append(out, text(v))
	}
	return out
}

// text is a value as JSON, clipped.
func text(v any) string {
	if v == nil {
		return "none"
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return "a value"
	}
	if r := []rune(string(raw)); len(r) > 80 {
		return string(r[:79]) + "…"
	}
	return string(raw)
}

// properties compares the fields of objects. If either side was cut, what is
// missing there says nothing.
func (c *comparison) properties(before, after *apispec.Schema, at place, s side, depth int) {
	// An object whose fields no one declared has not lost or gained any.
	if len(before.Properties) == 0 && len(before.Types) == 0 || len(after.Properties) == 0 && len(after.Types) == 0 {
		return
	}
	complete := !before.Cut && !after.Cut
	matched := make(map[string]bool)
	for _, old := range before.Properties {
		i := slices.IndexFunc(after.Properties, func(p apispec.Property) bool { return p.Name == old.Name })
		here := at.field(old.Name)
		if i < 0 {
			if complete && !hidden(old, s) && after.Is("object") {
				c.removed(here.String(), s)
			}
			continue
		}
		now := after.Properties[i]
		matched[old.Name] = true
		if hidden(old, s) && hidden(now, s) {
			continue
		}
		c.required(old.Required && !hidden(old, s), now.Required && !hidden(now, s), here.String(), s)
		c.schema(old.Schema, now.Schema, here, s, depth+1)
	}
	for _, now := range after.Properties {
		if complete && !matched[now.Name] && !hidden(now, s) && before.Is("object") {
			c.added(at.field(now.Name).String(), now.Required, s)
		}
	}
}

// hidden reports whether a property is no part of what is sent, or read.
func hidden(p apispec.Property, s side) bool {
	return s == sent && p.ReadOnly || s == read && p.WriteOnly
}

// alternatives compares oneOf and anyOf. A schema without is the only alternative.
// They belong together by the name of their schema, or else by their type.
func (c *comparison) alternatives(before, after *apispec.Schema, at place, s side, depth int) {
	old, now := alternativesOf(before), alternativesOf(after)
	matched := make([]bool, len(now))
	for _, o := range old {
		name := alternativeName(o)
		i := 0
		for i < len(now) && (matched[i] || alternativeName(now[i]) != name) {
			i++
		}
		if i == len(now) {
			c.changed(AlternativeRemoved, true, false, at, "alternative "+name+" removed", s)
			continue
		}
		matched[i] = true
		c.schema(o, now[i], at, s, depth+1)
	}
	for i, n := range now {
		if !matched[i] {
			c.changed(AlternativeAdded, false, true, at, "alternative "+alternativeName(n)+" added", s)
		}
	}
}

func alternativesOf(s *apispec.Schema) []*apispec.Schema {
	if len(s.OneOf) > 0 {
		return s.OneOf
	}
	return []*apispec.Schema{s}
}

func alternativeName(s *apispec.Schema) string {
	switch {
	case s.Ref != "":
		return s.Ref
	case s.Items != nil:
		return "list of " + alternativeName(s.Items)
	}
	return typeNames(s.Types)
}
