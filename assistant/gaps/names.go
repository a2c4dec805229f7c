package gaps

import (
	"iter"
	"regexp"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// vague are names that say nothing, also with a number after them. What people
// agree on is not among them: q is a query, x and y are coordinates.
var vague = regexp.MustCompile(`(?i)^(?:[a-prt-w]|(?:data|info|val|value|tmp|temp|foo|bar|baz|obj|object|param|arg|thing|stuff|misc|var|str|num|field)\d*|(?:id|name|key|item|type)\d+)$`)

func unclear(name string) bool {
	return vague.MatchString(name)
}

// style is how the words of a name are joined.
type style string

const (
	anyStyle style = "" // of one word
	camel    style = "camelCase"
	snake    style = "snake_case"
	kebab    style = "kebab-case"
)

var (
	isCamel = regexp.MustCompile(`^[A-Za-z0-9]*[a-z0-9][A-Z][A-Za-z0-9]*$`)
	isSnake = regexp.MustCompile(`^[a-z0-9]+(?:_[a-z0-9]+)+$`)
	isKebab = regexp.MustCompile(`^[a-z0-9]+(?:-[a-z0-9]+)+$`)
)

func styleOf(name string) style {
	switch {
	case isSnake.MatchString(name):
		return snake
	case isKebab.MatchString(name):
		return kebab
	case isCamel.MatchString(name):
		return camel
	}
	return anyStyle
}

// namesOf yields what should be named alike: parameters, but not headers and
// cookies, which have customs of their own, and the fields at the top of the
// body.
func namesOf(o *apispec.Operation) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, p := range o.Parameters {
			if p.In != "header" && p.In != "cookie" && !yield(p.Name) {
				return
			}
		}
		if o.Body == nil || len(o.Body.Content) == 0 || o.Body.Content[0].Schema == nil {
			return
		}
		for _, p := range o.Body.Content[0].Schema.Properties {
			if !yield(p.Name) {
				return
			}
		}
	}
}

// Where so many names have a style, and such a share of them the same one, the
// others are exceptions.
const (
	minStyled   = 5
	customShare = 0.7
)

// custom is the style that most names of an API have, or anyStyle.
func (a *api) custom() style {
	all := 0
	for _, n := range a.styles {
		all += n
	}
	for s, n := range a.styles {
		if all >= minStyled && float64(n) >= customShare*float64(all) {
			return s
		}
	}
	return anyStyle
}

func (f *finder) naming() {
	custom := f.api.custom()
	if custom == anyStyle {
		return
	}
	var others list
	for name := range namesOf(f.operation) {
		if s := styleOf(name); s != anyStyle && s != custom {
			others.add(name)
		}
	}
	if others.count > 0 {
		f.add(Info, InconsistentNaming, "", "Name as elsewhere in this API, in "+string(custom)+": "+strings.TrimSpace(others.String())+".")
	}
}
