package changes

import (
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// security looks for credentials that sufficed before and do so no more.
func (c *comparison) security(before, after [][]apispec.Scheme) {
	const where = "security"
	switch {
	case len(before) == 0 && len(after) > 0:
		c.add(SecurityChanged, true, where, "credentials are needed now: "+alternatives(after), "clients without them are refused")
		return
	case len(before) > 0 && len(after) == 0:
		c.add(SecurityChanged, false, where, "credentials are no longer needed", "clients may still send them")
		return
	}
	covers := func(list [][]apispec.Scheme, by []apispec.Scheme) bool {
		return slices.ContainsFunc(list, func(set []apispec.Scheme) bool { return suffices(by, set) })
	}
	for _, old := range before {
		if !covers(after, old) {
			c.add(SecurityChanged, true, where, all(old)+" no longer suffices; what does: "+alternatives(after), "clients with these credentials are refused")
		}
	}
	for _, now := range after {
		if !slices.ContainsFunc(before, func(old []apispec.Scheme) bool { return suffices(now, old) || suffices(old, now) }) {
			c.add(SecurityChanged, false, where, all(now)+" suffices, too", "clients may keep what they have")
		}
	}
}

// suffices reports whether a client with the credentials have has all that need
// asks for.
func suffices(have, need []apispec.Scheme) bool {
	for _, n := range need {
		if !slices.ContainsFunc(have, func(h apispec.Scheme) bool {
			return sameScheme(h, n) && !slices.ContainsFunc(n.Scopes, func(scope string) bool { return !slices.Contains(h.Scopes, scope) })
		}) {
			return false
		}
	}
	return true
}

// sameScheme compares what a client does, not what the scheme is called.
func sameScheme(a, b apispec.Scheme) bool {
	if a.Type != b.Type {
		return false
	}
	switch a.Type {
	case "apiKey":
		return a.In == b.In && (a.Key == b.Key || a.In == "header" && strings.EqualFold(a.Key, b.Key))
	case "http":
		return strings.EqualFold(a.HTTP, b.HTTP)
	case "oauth2", "openIdConnect", "mutualTLS":
		return true
	}
	return a.Name == b.Name
}

// alternatives is "apiKey X-Key, or oauth2 (orders)".
func alternatives(list [][]apispec.Scheme) string {
	var out []string
	for _, set := range list {
		out = append(out, all(set))
	}
	return strings.Join(out, ", or ")
}

// all names the schemes of a set.
func all(set []apispec.Scheme) string {
	var out []string
	for _, s := range set {
		text := s.Type
		switch {
		case s.Type == "apiKey":
			text += " in " + s.In + " " + s.Key
		case s.Type == "http":
			text += " " + s.HTTP
		case s.Type == "":
			text = s.Name
		}
		if len(s.Scopes) > 0 {
			text += " (" + strings.Join(s.Scopes, ", ") + ")"
		}
		out = append(out, text)
	}
	return strings.Join(out, " with ")
}
