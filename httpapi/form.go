package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/api-assistant/api-assistant/assistant"
)

// form is what a form sends.
type form struct {
	fields map[string]string // the first value of each
	files  []assistant.File  // the parts named "files", in order
}

const (
	maxParts    = 1000 // of a multipart form
	uploadTotal = 4    // files of the greatest size that one form may carry in all
)

// form reads a form within the limits. Everything is held in memory: at most
// MaxFiles files of MaxUpload bytes, and no more than uploadTotal files' worth in
// all.
func (s *api) form(w http.ResponseWriter, r *http.Request, media string) (form, error) {
	if media == mediaForm {
		return s.urlencoded(w, r)
	}
	r.Body = http.MaxBytesReader(w, r.Body, uploadTotal*s.MaxUpload)
	parts, err := r.MultipartReader()
	if err != nil {
		return form{}, badRequest("the multipart form is not well formed")
	}
	out := form{fields: make(map[string]string)}
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return form{}, bodyError(err)
		}
		if n == maxParts {
			return form{}, tooLarge("the form has more than %d parts", maxParts)
		}
		if err := s.part(&out, part); err != nil {
			return form{}, err
		}
	}
}

func (s *api) urlencoded(w http.ResponseWriter, r *http.Request) (form, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.MaxBody))
	if err != nil {
		return form{}, bodyError(err)
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return form{}, badRequest("the form is not well formed")
	}
	out := form{fields: make(map[string]string, len(values))}
	for name, v := range values {
		if err := wellFormedText("a field of the form", v[0]); err != nil {
			return form{}, err
		}
		out.fields[name] = v[0]
	}
	return out, nil
}

// part adds one part of a multipart form.
func (s *api) part(out *form, part *multipart.Part) error {
	limit := s.MaxBody
	if part.FormName() == "files" {
		limit = s.MaxUpload
	}
	content, err := io.ReadAll(io.LimitReader(part, limit+1))
	switch {
	case err != nil:
		return bodyError(err)
	case part.FormName() == "files":
		return s.file(out, part.FileName(), content)
	case part.FileName() != "":
		return nil // a file that nobody asked for
	case int64(len(content)) > limit:
		return tooLarge("a field of the form is larger than %d bytes", limit)
	}
	if _, there := out.fields[part.FormName()]; !there {
		out.fields[part.FormName()] = string(content)
	}
	return wellFormedText("a field of the form", string(content))
}

// file adds one file.
func (s *api) file(out *form, sent string, content []byte) error {
	switch {
	case int64(len(content)) > s.MaxUpload:
		return tooLarge("a file is larger than the limit of %d bytes", s.MaxUpload)
	case len(out.files) == s.MaxFiles:
		return tooLarge("there are more than %d files in the request", s.MaxFiles)
	}
	name, err := s.fileName(sent)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(out.files, func(f assistant.File) bool { return f.Name == name }) {
		return fileError("name", "two files in the request have the same name")
	}
	out.files = append(out.files, assistant.File{Name: name, Content: bytes.NewReader(content)})
	return nil
}

func fileError(kind, message string) error {
	return validationError(invalid{Loc: []any{"body", "files"}, Type: kind, Msg: message})
}

// fileName is the name under which a file is stored: the last part of what the
// client sent, which is only a name and never a path to write to.
func (s *api) fileName(sent string) (string, error) {
	name := path.Base(strings.ReplaceAll(sent, `\`, "/"))
	bad := func(r rune) bool { return r < ' ' || r == 0x7f }
	if name == "." || name == ".." || name == "/" || len(name) > 255 || !utf8.ValidString(name) || strings.ContainsFunc(name, bad) {
		return "", fileError("name", "a file needs a name of 1 to 255 bytes of UTF-8 without control characters")
	}
	extension := strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
	if !slices.Contains(s.Extensions, extension) {
		return "", fileError("extension", "files must end in one of: "+strings.Join(s.Extensions, ", "))
	}
	return name, nil
}

// json returns the fields as members of a JSON object, for a binder: texts as
// strings, and those named in raw as the JSON that they hold. Empty fields are
// not sent.
func (f form) json(raw ...string) (map[string]json.RawMessage, error) {
	out := make(map[string]json.RawMessage, len(f.fields))
	for name, text := range f.fields {
		switch {
		case text == "" && name != "message":
		case slices.Contains(raw, name):
			// As a member, so that also a list or null is read.
			if err := wellFormed([]byte(`{"":` + text + `}`)); err != nil {
				return nil, validationError(invalid{Loc: []any{"body", name}, Type: "json", Msg: "must be JSON"})
			}
			out[name] = json.RawMessage(text)
		default:
			out[name] = quote(text)
		}
	}
	return out, nil
}
