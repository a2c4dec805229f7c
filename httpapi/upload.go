package httpapi

import (
	"net/http"
	"reflect"

	"github.com/api-assistant/api-assistant/assistant/ingest"
)

// uploadRequest is the form of POST /documents/upload. Format and mode may also
// stand in the query.
type uploadRequest struct {
	Files  []upload `json:"files" validate:"min=1"`
	Format string   `json:"format" validate:"omitempty,oneof=openapi graphql postman markdown text json csv html pdf docx" doc:"left out: detected"`
	Mode   string   `json:"document_mode" validate:"omitempty,oneof=api_spec general_document" doc:"api_spec accepts API descriptions only; general_document reads them as plain documents; left out: detected"`
}

// upload is a file of a form.
type upload struct{}

// uploadQuery is the query of POST /documents/upload.
type uploadQuery struct {
	Format string `query:"format" validate:"omitempty,oneof=openapi graphql postman markdown text json csv html pdf docx"`
	Mode   string `query:"document_mode" validate:"omitempty,oneof=api_spec general_document"`
}

// fileReport says what one uploaded file became.
type fileReport struct {
	Name      string   `json:"name"`
	Format    string   `json:"format"`
	Documents int      `json:"documents"`
	New       int      `json:"new"`
	Updated   int      `json:"updated"`
	Unchanged int      `json:"unchanged"`
	Removed   int      `json:"removed"`
	Warnings  []string `json:"warnings" doc:"what was passed over or could not be resolved, and where"`
}

// maxWarnings bounds the warnings of one file in an answer.
const maxWarnings = 50

func (s *api) uploadAnswer() answer {
	return answer{serve: s.upload, status: http.StatusCreated, in: reflect.TypeFor[uploadRequest](), query: reflect.TypeFor[uploadQuery](),
		takes: []string{mediaMultipart}, out: reflect.TypeFor[documentsReply]()}
}

// upload ingests the files of a multipart form, all or none.
func (s *api) upload(w http.ResponseWriter, r *http.Request) error {
	var query uploadQuery
	if err := s.read(w, r, &query); err != nil {
		return err
	}
	media, _ := mediaType(r)
	if media == "" {
		r.Header.Set("Content-Type", "none/none") // a form must say that it is one
	}
	if err := wantMedia(r, mediaMultipart); err != nil {
		return err
	}
	form, err := s.form(w, r, mediaMultipart)
	if err != nil {
		return err
	}
	in := uploadRequest{Files: make([]upload, len(form.files)), Format: query.Format, Mode: query.Mode}
	if f := form.fields["format"]; f != "" {
		in.Format = f
	}
	if m := form.fields["document_mode"]; m != "" {
		in.Mode = m
	}
	if err := validate(&in); err != nil {
		return err
	}
	for i := range form.files {
		form.files[i].Format, form.files[i].Mode = ingest.Format(in.Format), ingest.Mode(in.Mode)
	}
	done, err := s.assistant.Ingest(r.Context(), form.files...)
	if err != nil {
		return err
	}
	reply := documentsReply{DocumentIDs: []string{}}
	for _, f := range done {
		reply.DocumentIDs = append(reply.DocumentIDs, f.IDs...)
		reply.NewCount += f.New
		reply.UpdatedCount += f.Updated
		reply.SkippedCount += f.Unchanged
		report := fileReport{f.Source, string(f.Format), f.Documents, f.New, f.Updated, f.Unchanged, f.Removed, []string{}}
		for _, warning := range f.Warnings[:min(len(f.Warnings), maxWarnings)] {
			report.Warnings = append(report.Warnings, warning.String())
		}
		reply.Files = append(reply.Files, report)
	}
	reply.Count = len(reply.DocumentIDs)
	s.reply(w, r, http.StatusCreated, reply)
	return nil
}
