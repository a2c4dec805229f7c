package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-playground/validator/v10"
)

// maxDepth bounds the nesting of a JSON body. The deepest thing that clients
// need is a filter (256 levels of an object and a list each).
const maxDepth = 600

// decode reads a JSON body into dst and validates it. Unknown fields are
// ignored; an absent Content-Type is taken for JSON.
func (s *api) decode(w http.ResponseWriter, r *http.Request, dst any) error {
	if err := wantMedia(r, "application/json"); err != nil {
		return err
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return &problem{status: http.StatusUnsupportedMediaType, code: CodeUnsupportedMedia, message: "compressed bodies are not accepted; send the body as it is"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.MaxBody))
	if err != nil {
		return bodyError(err)
	}
	return unmarshal(body, dst)
}

// bodyError is the answer for a body that could not be read to its end.
func bodyError(err error) error {
	var tooMany *http.MaxBytesError
	if errors.As(err, &tooMany) {
		return err
	}
	return badRequest("the request body ended early or is not well formed")
}

// wantMedia refuses a body of another media type than those wanted, so that no
// cross-site form post reaches a handler of JSON.
func wantMedia(r *http.Request, wanted ...string) error {
	values := r.Header.Values("Content-Type")
	if len(values) == 0 {
		return nil
	}
	media, _, err := mime.ParseMediaType(values[0])
	if err == nil && len(values) == 1 {
		for _, w := range wanted {
			if media == w || w == "application/json" && strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json") {
				return nil
			}
		}
	}
	return &problem{status: http.StatusUnsupportedMediaType, code: CodeUnsupportedMedia, message: "this path takes " + strings.Join(wanted, " or ")}
}

// unmarshal decodes one JSON object strictly: valid UTF-8, no NUL, no duplicate
// keys, bounded depth, nothing after it.
func unmarshal(body []byte, dst any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return badRequest("the request body is empty; send a JSON object")
	}
	if err := wellFormed(body); err != nil {
		return err
	}
	if err := json.Unmarshal(body, dst); err != nil {
		return typeError(body, dst, err)
	}
	return validate(dst)
}

// wellFormed checks what encoding/json lets pass.
func wellFormed(body []byte) error {
	if !utf8.Valid(body) {
		return badRequest("the request body is not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	type level struct {
		keys map[string]bool // nil for a list
		key  bool            // the next string is a key
	}
	var stack []level
	for {
		token, err := d.Token()
		if err != nil {
			return syntaxError(err, d.InputOffset())
		}
		top := len(stack) - 1
		switch t := token.(type) {
		case json.Delim:
			switch t {
			case '{', '[':
				if top >= 0 {
					stack[top].key = stack[top].keys != nil
				}
				if len(stack) == maxDepth {
					return badRequest("the JSON is nested deeper than %d levels", maxDepth)
				}
				l := level{}
				if t == '{' {
					l = level{keys: make(map[string]bool), key: true}
				} else if len(stack) == 0 {
					return badRequest("the request body is a list; send a JSON object")
				}
				stack = append(stack, l)
			default:
				stack = stack[:top]
			}
		case string:
			if strings.IndexByte(t, 0) >= 0 {
				return badRequest("the JSON has a NUL character near byte %d", d.InputOffset())
			}
			if top >= 0 && stack[top].key {
				if stack[top].keys[t] {
					return badRequest("the JSON has a duplicate key near byte %d", d.InputOffset())
				}
				stack[top].keys[t], stack[top].key = true, false
				continue
			}
			if top >= 0 {
				stack[top].key = stack[top].keys != nil
			}
		default:
			if top >= 0 {
				stack[top].key = stack[top].keys != nil
			}
		}
		if len(stack) == 0 {
			break
		}
	}
	if rest := bytes.TrimSpace(body[d.InputOffset():]); len(rest) > 0 {
		return badRequest("there is something after the JSON value, at byte %d", d.InputOffset())
	}
	if first := bytes.TrimSpace(body); first[0] != '{' {
		return badRequest("the request body must be a JSON object")
	}
	return nil
}

func syntaxError(err error, offset int64) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		offset = syntax.Offset
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return badRequest("the JSON ends early, at byte %d", offset)
	}
	return badRequest("the JSON is malformed near byte %d", offset)
}

// typeError is the answer for JSON of another shape than dst.
func typeError(body []byte, dst any, err error) error {
	var (
		typ *json.UnmarshalTypeError
		own *problem
		loc = []any{"body"}
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &typ):
		for part := range strings.SplitSeq(typ.Field, ".") {
			loc = append(loc, part)
		}
		return validationError(invalid{Loc: loc, Type: "type", Msg: "must be " + jsonType(typ.Type)})
	}
	if name := wrongField(body, dst); name != "" {
		loc = append(loc, name)
	}
	return validationError(invalid{Loc: loc, Type: "type", Msg: err.Error()})
}

// wrongField finds the field of dst that body does not fit: encoding/json does
// not say where an UnmarshalJSON failed.
func wrongField(body []byte, dst any) string {
	var values map[string]json.RawMessage
	if json.Unmarshal(body, &values) != nil {
		return ""
	}
	t := reflect.TypeOf(dst).Elem()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if raw, ok := values[name]; ok && json.Unmarshal(raw, reflect.New(t.Field(i).Type).Interface()) != nil {
			return name
		}
	}
	return ""
}

// jsonType names the JSON type that a Go type is read from.
func jsonType(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "a boolean"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "an object"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "an integer"
}

// integer is a JSON number without a fraction, or its text.
type integer int

// UnmarshalJSON accepts 5, 5.0 and "5".
func (n *integer) UnmarshalJSON(b []byte) error {
	f, err := number(b)
	if err != nil || f != float64(int32(f)) {
		return errors.New("must be an integer")
	}
	*n = integer(f)
	return nil
}

// float is a JSON number or its text.
type float float64

// UnmarshalJSON accepts 0.5 and "0.5".
func (x *float) UnmarshalJSON(b []byte) error {
	f, err := number(b)
	if err != nil {
		return errors.New("must be a number")
	}
	*x = float(f)
	return nil
}

// number reads a JSON number, or a string that holds one.
func number(b []byte) (float64, error) {
	text := string(b)
	if len(b) > 0 && b[0] == '"' {
		if err := json.Unmarshal(b, &text); err != nil {
			return 0, err
		}
		text = strings.TrimSpace(text)
	}
	if !json.Valid([]byte(text)) { // "NaN", "0x10", "1_000" are no JSON numbers
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(text, 64)
}

// rules checks struct tags. It is safe for concurrent use.
var rules = newRules()

func newRules() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return name
	})
	err := v.RegisterValidation("notblank", func(f validator.FieldLevel) bool {
		return strings.TrimSpace(f.Field().String()) != ""
	})
	if err != nil {
		panic(err) // the tag's name is a constant
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
		out[i] = invalid{Loc: location(f.Namespace()), Type: f.Tag(), Msg: sentence(f)}
	}
	return validationError(out...)
}

// location turns the validator's "request.documents[0].content" into
// ["body", "documents", 0, "content"].
func location(namespace string) []any {
	loc := []any{"body"}
	_, path, _ := strings.Cut(namespace, ".")
	for part := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		if n, err := strconv.Atoi(part); err == nil {
			loc = append(loc, n)
		} else {
			loc = append(loc, part)
		}
	}
	return loc
}

// sentence says in words which rule a value broke.
func sentence(f validator.FieldError) string {
	text := f.Kind() == reflect.String
	switch f.Tag() {
	case "required", "notblank":
		return "must not be empty"
	case "min":
		switch {
		case text:
			return fmt.Sprintf("must have at least %s characters", f.Param())
		case f.Kind() == reflect.Slice:
			return fmt.Sprintf("must have at least %s entries", f.Param())
		}
		return "must be at least " + f.Param()
	case "max":
		switch {
		case text:
			return fmt.Sprintf("must have at most %s characters", f.Param())
		case f.Kind() == reflect.Slice:
			return fmt.Sprintf("must have at most %s entries", f.Param())
		}
		return "must be at most " + f.Param()
	case "oneof":
		return "must be one of " + strings.Join(strings.Fields(f.Param()), ", ")
	}
	return "is not valid (" + f.Tag() + ")"
}
