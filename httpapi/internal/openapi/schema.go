package openapi

import (
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Schema is a JSON Schema.
type Schema struct {
	Ref                  string             `json:"$ref,omitempty"`
	Type                 Type               `json:"type,omitempty"`
	Format               string             `json:"format,omitempty"`
	ContentMediaType     string             `json:"contentMediaType,omitempty"`
	Description          string             `json:"description,omitempty"`
	Default              any                `json:"default,omitempty"`
	Enum                 []any              `json:"enum,omitempty"`
	Minimum              *float64           `json:"minimum,omitempty"`
	Maximum              *float64           `json:"maximum,omitempty"`
	MinLength            *int               `json:"minLength,omitempty"`
	MaxLength            *int               `json:"maxLength,omitempty"`
	Pattern              string             `json:"pattern,omitempty"`
	MinItems             *int               `json:"minItems,omitempty"`
	MaxItems             *int               `json:"maxItems,omitempty"`
	Items                *Schema            `json:"items,omitempty"`
	Properties           map[string]*Schema `json:"properties,omitempty"`
	Required             []string           `json:"required,omitempty"`
	AdditionalProperties *Schema            `json:"additionalProperties,omitempty"`
	OneOf                []*Schema          `json:"oneOf,omitempty"`
	AnyOf                []*Schema          `json:"anyOf,omitempty"`
}

// Type is the "type" of a schema.
type Type []string

// MarshalJSON writes a single type as a string.
func (t Type) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return []byte(strconv.Quote(t[0])), nil
	}
	return []byte(`["` + strings.Join(t, `","`) + `"]`), nil
}

const refPrefix = "#/components/schemas/"

// Ref is a schema that refers to a component.
func Ref(name string) *Schema { return &Schema{Ref: refPrefix + name} }

// Nullable allows null beside what a schema allows.
func Nullable(s *Schema) *Schema {
	if s.Ref != "" || len(s.OneOf) > 0 || len(s.Enum) > 0 {
		return &Schema{AnyOf: []*Schema{s, {Type: Type{"null"}}}}
	}
	if len(s.Type) > 0 && !slices.Contains(s.Type, "null") {
		s.Type = append(s.Type[:len(s.Type):len(s.Type)], "null")
	}
	return s
}

// Types makes schemas of Go types. It reads the tags json, validate (rules of
// go-playground/validator), default and doc.
type Types struct {
	// Schemas are the components: those of the structs that were met, by name.
	Schemas map[string]*Schema
	known   map[reflect.Type]*Schema
	names   map[reflect.Type]string
}

// NewTypes returns a Types that uses the given schemas for types that have a JSON
// form of their own.
func NewTypes(known map[reflect.Type]*Schema) *Types {
	t := &Types{Schemas: make(map[string]*Schema), names: make(map[reflect.Type]string), known: map[reflect.Type]*Schema{
		reflect.TypeFor[time.Time](): {Type: Type{"string"}, Format: "date-time"},
	}}
	for typ, s := range known {
		t.known[typ] = s
	}
	return t
}

// In returns the schema of a type that is read: a field is required if its rules
// refuse the zero value, and it has no default.
func (t *Types) In(typ reflect.Type) *Schema { return t.of(typ, true) }

// Out returns the schema of a type that is written: a field is required unless
// it may be left out.
func (t *Types) Out(typ reflect.Type) *Schema { return t.of(typ, false) }

func (t *Types) of(typ reflect.Type, in bool) *Schema {
	if s, ok := t.known[typ]; ok {
		c := *s
		return &c
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return Nullable(t.of(typ.Elem(), in))
	case reflect.String:
		return &Schema{Type: Type{"string"}}
	case reflect.Bool:
		return &Schema{Type: Type{"boolean"}}
	case reflect.Int, reflect.Int64, reflect.Int32:
		return &Schema{Type: Type{"integer"}}
	case reflect.Float64, reflect.Float32:
		return &Schema{Type: Type{"number"}}
	case reflect.Slice:
		return &Schema{Type: Type{"array"}, Items: t.of(typ.Elem(), in)}
	case reflect.Map:
		s := &Schema{Type: Type{"object"}}
		if typ.Elem().Kind() != reflect.Interface {
			s.AdditionalProperties = t.of(typ.Elem(), in)
		}
		return s
	case reflect.Struct:
		return t.object(typ, in)
	}
	return &Schema{} // an interface: anything
}

// object returns a reference to the component of a struct, which is made at the
// first call.
func (t *Types) object(typ reflect.Type, in bool) *Schema {
	if name, ok := t.names[typ]; ok {
		return Ref(name)
	}
	name := componentName(typ)
	if t.Schemas[name] != nil { // of a type of another package
		name = capital(path.Base(typ.PkgPath())) + name
	}
	t.names[typ] = name
	s := &Schema{Type: Type{"object"}, Properties: make(map[string]*Schema)}
	t.Schemas[name] = s // before its fields, which may refer to it
	t.fields(s, typ, in)
	return Ref(name)
}

func (t *Types) fields(s *Schema, typ reflect.Type, in bool) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			t.fields(s, f.Type, in)
			continue
		}
		if name == "" || name == "-" {
			continue
		}
		s.Properties[name] = t.Field(f, in)
		if in && NeedsValue(f) || !in && !strings.Contains(options, "omit") {
			s.Required = append(s.Required, name)
		}
	}
}

// Field returns the schema of a field, with what its tags say.
func (t *Types) Field(f reflect.StructField, in bool) *Schema {
	s := t.of(f.Type, in)
	own, items, _ := strings.Cut(f.Tag.Get("validate"), ",dive")
	if s.Ref == "" {
		s.rules(own, f.Type)
		if s.Items != nil && s.Items.Ref == "" {
			s.Items.rules(items, f.Type.Elem())
		}
	}
	s.Description = f.Tag.Get("doc")
	if text, ok := f.Tag.Lookup("default"); ok {
		s.Default = defaultValue(text, s)
	}
	return s
}

// NeedsValue reports whether the rules of a field refuse what it is when it is
// not sent.
func NeedsValue(f reflect.StructField) bool {
	if _, ok := f.Tag.Lookup("default"); ok || f.Type.Kind() == reflect.Pointer {
		return false
	}
	own, _, _ := strings.Cut(f.Tag.Get("validate"), ",dive")
	for rule := range strings.SplitSeq(own, ",") {
		name, value, _ := strings.Cut(rule, "=")
		switch {
		case name == "omitempty" || name == "omitnil":
			return false
		case name == "required" || name == "notblank" || name == "oneof" || name == "min" && value != "0":
			return true
		}
	}
	return false
}

// rules adds what validator rules say of a value of a type.
func (s *Schema) rules(rules string, typ reflect.Type) {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	for rule := range strings.SplitSeq(rules, ",") {
		name, value, _ := strings.Cut(rule, "=")
		switch name {
		case "min", "max", "maxbytes":
			if n, err := strconv.ParseFloat(value, 64); err == nil {
				s.bound(name == "min", n, typ)
			}
		case "notblank":
			one := 1
			s.MinLength, s.Pattern = &one, `\S`
		case "oneof":
			for word := range strings.FieldsSeq(value) {
				s.Enum = append(s.Enum, word)
			}
			if len(s.Type) > 1 { // nullable
				s.Enum = append(s.Enum, nil)
			}
		}
	}
}

// bound sets the lower or the upper bound of a value or a length.
func (s *Schema) bound(lower bool, n float64, typ reflect.Type) {
	length := int(n)
	switch typ.Kind() {
	case reflect.String:
		if lower {
			s.MinLength = &length
		} else {
			s.MaxLength = &length
		}
	case reflect.Slice:
		if lower {
			s.MinItems = &length
		} else {
			s.MaxItems = &length
		}
	default:
		if lower {
			s.Minimum = &n
		} else {
			s.Maximum = &n
		}
	}
}

// defaultValue is the default of a field as JSON shows it.
func defaultValue(text string, s *Schema) any {
	if len(s.Type) > 0 {
		switch s.Type[0] {
		case "integer", "number":
			if n, err := strconv.ParseFloat(text, 64); err == nil {
				return n
			}
		case "boolean":
			return text == "true"
		}
	}
	return text
}

// componentName is the name of a type with a capital letter.
func componentName(typ reflect.Type) string {
	if typ.Name() == "" {
		return "Object"
	}
	return capital(typ.Name())
}

func capital(name string) string {
	runes := []rune(name)
	runes[0] = unicode.ToUpper(runes[0])
	return string(runes)
}
