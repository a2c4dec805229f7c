package assistant

import (
	"fmt"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// Snippet is client code for an operation.
type Snippet struct {
	Language, Source           string
	OperationID, Endpoint, API string
	Verified                   bool
	Problems                   []apispec.Problem
}

func snippetFor(op *apispec.Operation, language string) (Snippet, bool) { return Snippet{}, false }

func languageNamed(name string) (string, error) {
	if l, ok := languageNames[name]; ok {
		return l, nil
	}
	return "", fmt.Errorf("%w: unknown language", ErrQuestion)
}
