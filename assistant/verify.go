package assistant

import (
	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/verify"
)

// Verification is what the catalogue says of a text.
type Verification = verify.Report

// Verify checks every endpoint that a text mentions and every request that its
// code makes; package verify says how. The text is not trusted.
func Verify(catalog *apispec.Catalog, text string) Verification {
	return verify.Check(catalog, text, verify.Options{})
}
