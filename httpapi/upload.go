package httpapi

import (
	"bytes"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/assistant/ingest"
)

// fileReport says what one uploaded file became.
type fileReport struct {
	Name      string        `json:"name"`
	Format    ingest.Format `json:"format"`
	Documents int           `json:"documents"`
	New       int           `json:"new"`
	Updated   int           `json:"updated"`
	Unchanged int           `json:"unchanged"`
	Removed   int           `json:"removed"`
	Warnings  []string      `json:"warnings"`
}

// maxWarnings bounds the warnings of one file in an answer.
const maxWarnings = 50

// upload ingests the files of a multipart form, all or none.
func (s *api) upload(w http.ResponseWriter, r *http.Request) error {
	if err := wantMedia(r, "multipart/form-data"); err != nil {
		return err
	}
	files, err := s.files(w, r)
	if err != nil {
		return err
	}
	done, err := s.assistant.Ingest(r.Context(), files...)
	if err != nil {
		return err
	}
	reply := documentsReply{DocumentIDs: []string{}}
	for _, f := range done {
		reply.DocumentIDs = append(reply.DocumentIDs, f.IDs...)
		reply.NewCount += f.New
		reply.UpdatedCount += f.Updated
		reply.SkippedCount += f.Unchanged
		report := fileReport{f.Source, f.Format, f.Documents, f.New, f.Updated, f.Unchanged, f.Removed, []string{}}
		for _, warning := range f.Warnings[:min(len(f.Warnings), maxWarnings)] {
			report.Warnings = append(report.Warnings, warning.String())
		}
		reply.Files = append(reply.Files, report)
	}
	reply.Count = len(reply.DocumentIDs)
	s.reply(w, r, http.StatusCreated, reply)
	return nil
}

// files reads the parts named "files", within the limits. Everything is in
// memory: at most MaxFiles files of MaxUpload bytes, and no more than
// uploadTotal files' worth in all.
func (s *api) files(w http.ResponseWriter, r *http.Request) ([]assistant.File, error) {
	r.Body = http.MaxBytesReader(w, r.Body, uploadTotal*s.MaxUpload)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, badRequest("the multipart form is not well formed")
	}
	var (
		out    []assistant.File
		format = r.URL.Query().Get("format")
		mode   = r.URL.Query().Get("document_mode")
	)
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, bodyError(err)
		}
		content, err := io.ReadAll(io.LimitReader(part, s.MaxUpload+1))
		if err != nil {
			return nil, bodyError(err)
		}
		switch {
		case part.FormName() == "format" && part.FileName() == "":
			format = string(content)
			continue
		case part.FormName() == "document_mode" && part.FileName() == "":
			mode = string(content)
			continue
		case part.FormName() != "files":
			continue
		case int64(len(content)) > s.MaxUpload:
			return nil, tooLarge("a file is larger than the limit of %d MB", s.MaxUpload>>20)
		case len(out) == s.MaxFiles:
			return nil, tooLarge("there are more than %d files in the request", s.MaxFiles)
		}
		name, err := s.fileName(part.FileName())
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(f assistant.File) bool { return f.Name == name }) {
			return nil, fileError("name", "two files in the request have the same name")
		}
		out = append(out, assistant.File{Name: name, Content: bytes.NewReader(content)})
	}
	if len(out) == 0 {
		return nil, fileError("required", "the form has no part named \"files\" with a file")
	}
	if m := ingest.Mode(mode); m != "" && m != ingest.APISpec && m != ingest.GeneralDocument {
		return nil, validationError(invalid{Loc: []any{"body", "document_mode"}, Type: "enum", Msg: "must be api_spec or general_document"})
	}
	for i := range out {
		out[i].Format, out[i].Mode = ingest.Format(format), ingest.Mode(mode)
	}
	return out, nil
}

// uploadTotal bounds one request, in files of the greatest size.
const uploadTotal = 4

func fileError(kind, message string) error {
	return validationError(invalid{Loc: []any{"body", "files"}, Type: kind, Msg: message})
}

// fileName is the name under which a file is stored: the last part of what the
// client sent, which is only a name and never a path to write to.
func (s *api) fileName(sent string) (string, error) {
	name := path.Base(strings.ReplaceAll(sent, `\`, "/"))
	bad := func(r rune) bool { return r < ' ' || r == 0x7f }
	if name == "." || name == ".." || name == "/" || len(name) > 255 || strings.ContainsFunc(name, bad) {
		return "", fileError("name", "a file needs a name of 1 to 255 bytes without control characters")
	}
	extension := strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
	if !slices.Contains(s.Extensions, extension) {
		return "", fileError("extension", "files must end in one of: "+strings.Join(s.Extensions, ", "))
	}
	return name, nil
}
