package httpapi

import (
	"context"
	"mime"
	"net/http"
	"reflect"
	"strings"

	"github.com/api-assistant/api-assistant/assistant"
)

// readChat reads a chat request from JSON, a urlencoded form or a multipart
// form, which may have files.
func (s *api) readChat(w http.ResponseWriter, r *http.Request) (in chatRequest, files []assistant.File, err error) {
	if err := wantMedia(r, mediaJSON, mediaForm, mediaMultipart); err != nil {
		return in, nil, err
	}
	media, _ := mediaType(r)
	if media != mediaForm && media != mediaMultipart {
		if err := s.read(w, r, &in); err != nil {
			return in, nil, err
		}
		if len(in.Files) > 0 {
			return in, nil, fileError("type", "files come in a multipart form")
		}
		return in, nil, nil
	}
	form, err := s.form(w, r, media)
	if err != nil {
		return in, nil, err
	}
	fields, err := form.json("filter")
	if err != nil {
		return in, nil, err
	}
	delete(fields, "files") // as text: nobody's file
	var b binder
	b.fields(fields, reflect.ValueOf(&in).Elem(), []any{"body"})
	return in, form.files, b.check(&in)
}

// indexFiles reads the files of a chat request into the corpus, so that the
// question can be answered from them, and returns how many documents they are.
func (s *api) indexFiles(ctx context.Context, in chatRequest, files []assistant.File) (int, error) {
	if len(files) == 0 {
		return 0, nil
	}
	if !in.Index {
		return 0, fileError("auto_indexing", "files are read by indexing them; do not switch enable_auto_indexing off, or send none")
	}
	done, err := s.assistant.Ingest(ctx, files...)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, f := range done {
		n += f.Documents
	}
	return n, nil
}

// accepts reports whether a request asks for a media type by name.
func accepts(r *http.Request, want string) bool {
	for _, header := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(header, ",") {
			if media, _, err := mime.ParseMediaType(part); err == nil && media == want {
				return true
			}
		}
	}
	return false
}
