package httpapi

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-playground/validator/v10"
)

// rules checks struct tags. It is safe for concurrent use.
var rules = newRules()

func newRules() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		place, name := nameOf(f)
		return place + ":" + name
	})
	for tag, holds := range map[string]func(text, param string) bool{
		"notblank": func(text, _ string) bool { return strings.TrimSpace(text) != "" },
		"maxbytes": func(text, param string) bool { n, err := strconv.Atoi(param); return err == nil && len(text) <= n },
	} {
		err := v.RegisterValidation(tag, func(f validator.FieldLevel) bool { return holds(f.Field().String(), f.Param()) })
		if err != nil {
			panic(err) // the tags are constants
		}
	}
	return v
}

// validate checks the rules in the struct tags of v.
func validate(v any) error {
	err := rules.Struct(v)
	var failed validator.ValidationErrors
	if !errors.As(err, &failed) {
		return err
	}
	out := make([]invalid, len(failed))
	for i, f := range failed {
		kind, sentence := breach(f)
		out[i] = invalid{Loc: location(f.Namespace()), Type: kind, Msg: sentence}
	}
	return validationError(out...)
}

// location turns the validator's "request.body:documents[0].body:content" into
// ["body", "documents", 0, "content"].
func location(namespace string) []any {
	var loc []any
	_, path, _ := strings.Cut(namespace, ".")
	for part := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		place, name, named := strings.Cut(part, ":")
		if !named {
			name = part
		}
		if named && len(loc) == 0 {
			loc = append(loc, place)
		}
		loc = append(loc, step(name))
	}
	return loc
}

// breach says which rule a value broke: a stable word for programs, and a
// sentence for people.
func breach(f validator.FieldError) (kind, sentence string) {
	verb, unit, less, more := "be", "", "too_small", "too_large"
	switch f.Kind() {
	case reflect.String:
		verb, unit, less, more = "have", " characters", "too_short", "too_long"
	case reflect.Slice, reflect.Map:
		verb, unit, less, more = "have", " entries", "too_short", "too_long"
	}
	switch f.Tag() {
	case "required", "notblank":
		return "too_short", "must not be empty"
	case "min":
		if unit != "" && f.Param() == "1" {
			return less, "must not be empty"
		}
		return less, fmt.Sprintf("must %s at least %s%s", verb, f.Param(), unit)
	case "max":
		return more, fmt.Sprintf("must %s at most %s%s", verb, f.Param(), unit)
	case "maxbytes":
		return "too_long", fmt.Sprintf("must have at most %s bytes", f.Param())
	case "oneof":
		return "enum", "must be one of " + strings.Join(strings.Fields(f.Param()), ", ")
	}
	return f.Tag(), "is not valid (" + f.Tag() + ")"
}
