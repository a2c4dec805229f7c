package httpapi

import (
	"net/http"

	"github.com/api-assistant/api-assistant/assistant/verify"
)

// verifyRequest is the body of POST /verify.
type verifyRequest struct {
	Text     string  `json:"text" validate:"notblank,maxbytes=1048576" doc:"prose, Markdown or code"`
	Language *string `json:"language" validate:"omitnil,max=64" doc:"of blocks of code that do not name theirs"`
	API      *string `json:"api" validate:"omitnil,maxbytes=1024" doc:"title of the API that the text must keep to"`
}

// verify checks a text against the catalogue.
func (s *api) verify(r *http.Request, in verifyRequest) (verify.Report, error) {
	catalog, err := s.assistant.Catalog(r.Context())
	if err != nil {
		return verify.Report{}, err
	}
	var o verify.Options
	set(&o.Language, in.Language)
	set(&o.API, in.API)
	return verify.Check(catalog, in.Text, o), nil
}
