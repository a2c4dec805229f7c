package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// An input is a struct whose fields say where they come from:
//
//	ID    string  `path:"id"`
//	Limit integer `query:"limit" default:"10" validate:"min=1,max=100"`
//	Query string  `json:"query" validate:"notblank"`
//
// A field without a default that is not sent keeps its zero value. null is taken
// for pointers, which it leaves nil, and for types that read it themselves.

// places are the tags of an input's fields, and the words for them in the
// location of an error.
var places = []struct{ tag, name string }{{"json", "body"}, {"query", "query"}, {"path", "path"}}

// nameOf returns where a field of an input comes from, and under which name.
func nameOf(f reflect.StructField) (place, name string) {
	for _, p := range places {
		if tag, ok := f.Tag.Lookup(p.tag); ok {
			name, _, _ = strings.Cut(tag, ",")
			return p.name, name
		}
	}
	return "", ""
}

// read fills in from a request: path, query, and a JSON body where the input has
// fields for one. Then it checks the rules.
func (s *api) read(w http.ResponseWriter, r *http.Request, in any) error {
	v := reflect.ValueOf(in).Elem()
	var b binder
	if err := b.address(r, v); err != nil {
		return err
	}
	if hasBody(v.Type()) {
		body, err := s.body(w, r)
		if err != nil {
			return err
		}
		if len(body) > 0 || !optionalBody(v.Type()) {
			if err := wellFormed(body); err != nil {
				return err
			}
			b.value(body, v, []any{"body"})
		} else {
			b.fields(nil, v, []any{"body"})
		}
	}
	return b.check(in)
}

// hasBody reports whether an input has fields that come from a body.
func hasBody(t reflect.Type) bool {
	for i := range t.NumField() {
		if _, ok := t.Field(i).Tag.Lookup("json"); ok {
			return true
		}
	}
	return false
}

// optionalBody reports whether a request may come without a body: its input
// has a field
//
//	_ struct{} `body:"optional"`
func optionalBody(t reflect.Type) bool {
	f, ok := t.FieldByName("_")
	return ok && f.Tag.Get("body") == "optional"
}

// body reads a JSON body within the limit. An absent Content-Type is taken for
// JSON.
func (s *api) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if err := wantMedia(r, mediaJSON); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.MaxBody))
	if err != nil {
		return nil, bodyError(err)
	}
	return body, nil
}

// bodyError is the answer for a body that could not be read to its end.
func bodyError(err error) error {
	var tooMany *http.MaxBytesError
	if errors.As(err, &tooMany) {
		return err
	}
	return badRequest("the request body ended early or is not well formed")
}

// The media types that are read.
const (
	mediaJSON      = "application/json"
	mediaForm      = "application/x-www-form-urlencoded"
	mediaMultipart = "multipart/form-data"
)

// wantMedia refuses a body of another media type than those wanted, so that no
// cross-site form post reaches a handler of JSON, and one that is compressed.
func wantMedia(r *http.Request, wanted ...string) error {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return &problem{status: http.StatusUnsupportedMediaType, code: CodeUnsupportedMedia,
			message: "compressed bodies are not accepted; send the body as it is"}
	}
	media, err := mediaType(r)
	if err == nil {
		for _, w := range wanted {
			if media == w || w == mediaJSON && (media == "" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")) {
				return nil
			}
		}
	}
	return &problem{status: http.StatusUnsupportedMediaType, code: CodeUnsupportedMedia,
		message: "this path takes " + strings.Join(wanted, " or ") + " in UTF-8"}
}

// mediaType is that of the body; empty if the request does not say.
func mediaType(r *http.Request) (string, error) {
	values := r.Header.Values("Content-Type")
	if len(values) == 0 {
		return "", nil
	}
	media, params, err := mime.ParseMediaType(values[0])
	if err != nil || len(values) > 1 {
		return "", errors.New("malformed Content-Type")
	}
	switch strings.ToLower(params["charset"]) {
	case "", "utf-8", "utf8", "us-ascii":
		return media, nil
	}
	return "", errors.New("another charset")
}

// binder puts what was sent into Go values, and collects what does not fit.
type binder struct{ wrong []invalid }

func (b *binder) fail(loc []any, format string) {
	b.wrong = append(b.wrong, invalid{Loc: loc, Type: "type", Msg: format})
}

// check reports what did not fit, or else which rules are broken.
func (b *binder) check(in any) error {
	if len(b.wrong) > 0 {
		return validationError(b.wrong...)
	}
	return validate(in)
}

// address fills in the fields that come from the path and the query.
func (b *binder) address(r *http.Request, v reflect.Value) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return badRequest("the query of the URL is not well formed")
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		place, name := nameOf(f)
		text, sent := "", false
		switch place {
		case "path":
			text, sent = r.PathValue(name), true
		case "query":
			text, sent = query.Get(name), query.Get(name) != ""
		default:
			continue
		}
		if err := wellFormedText("the "+place+" of the URL", text); err != nil {
			return err
		}
		if def, ok := f.Tag.Lookup("default"); ok && !sent {
			text, sent = def, true
		}
		if sent {
			b.value(quote(text), v.Field(i), []any{place, name})
		}
	}
	return nil
}

// quote is a text as JSON.
func quote(text string) json.RawMessage {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always has a JSON form
	}
	return b
}

// value puts JSON, which is known to be well formed, into v.
func (b *binder) value(raw json.RawMessage, v reflect.Value, loc []any) {
	if v.Kind() == reflect.Pointer {
		if string(raw) != "null" {
			v.Set(reflect.New(v.Type().Elem()))
			b.value(raw, v.Elem(), loc)
		}
		return
	}
	if u, ok := v.Addr().Interface().(json.Unmarshaler); ok {
		b.own(u.UnmarshalJSON(raw), loc)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		var fields map[string]json.RawMessage
		if json.Unmarshal(raw, &fields) != nil || fields == nil {
			b.fail(loc, "must be an object")
			return
		}
		b.fields(fields, v, loc)
	case reflect.Slice:
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) != nil || items == nil {
			b.fail(loc, "must be a list")
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
		for i, item := range items {
			b.value(item, v.Index(i), append(loc[:len(loc):len(loc)], i))
		}
	default:
		var text *string
		if v.Kind() != reflect.String || json.Unmarshal(raw, &text) != nil || text == nil {
			b.fail(loc, "must be a string")
			return
		}
		v.SetString(*text)
	}
}

// own notes the error of a type that reads itself.
func (b *binder) own(err error, loc []any) {
	var f *vectorstore.FilterError
	switch {
	case errors.As(err, &f):
		for part := range strings.FieldsFuncSeq(f.Path, func(r rune) bool { return r == '/' }) {
			loc = append(loc[:len(loc):len(loc)], step(part))
		}
		b.wrong = append(b.wrong, invalid{Loc: loc, Type: "filter", Msg: f.Reason})
	case err != nil:
		b.fail(loc, err.Error())
	}
}

// step is a part of a location: a position in a list, or a name.
func step(part string) any {
	if n, err := strconv.Atoi(part); err == nil {
		return n
	}
	return part
}

// fields puts the members of an object into the fields of a struct, by their
// exact names. What the struct does not have is ignored.
func (b *binder) fields(sent map[string]json.RawMessage, v reflect.Value, loc []any) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		place, name := nameOf(f)
		if place != "body" {
			continue
		}
		raw, ok := sent[name]
		if def, has := f.Tag.Lookup("default"); has && !ok {
			raw, ok = quote(def), true
		}
		if ok {
			b.value(raw, v.Field(i), append(loc[:len(loc):len(loc)], name))
		}
	}
}
