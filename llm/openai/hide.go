package openai

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"strings"
)

// keyLike finds what looks like a key of some provider, also half hidden
// ("sk-ab***yz"), and credentials behind their scheme.
const keyLike = `\b(?:sk|pk|gsk|hf|xai|nvapi|api-key|key)[-_][\w*.…-]{6,}|\b(?:bearer|basic)\s+[^\s"',;]{16,}`

const hidden = "[hidden]"

// hider returns a function that replaces the secrets of an endpoint, and what
// looks like one, in a text that came from elsewhere.
func hider(e Endpoint) func(string) string {
	var patterns []string
	for _, secret := range secrets(e) {
		if len(secret) >= 16 {
			// Servers like to show the beginning and the end.
			patterns = append(patterns, regexp.QuoteMeta(secret[:8])+`[^\s"',;]*`, `[^\s"',;]*`+regexp.QuoteMeta(secret[len(secret)-8:]))
		}
		for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret))} {
			patterns = append(patterns, regexp.QuoteMeta(form))
		}
	}
	find := regexp.MustCompile(`(?i)` + strings.Join(append(patterns, keyLike), "|"))
	return func(text string) string { return find.ReplaceAllLiteralString(text, hidden) }
}

func secrets(e Endpoint) []string {
	var out []string
	if e.APIKey != "" {
		out = append(out, e.APIKey)
	}
	for _, values := range e.Header {
		for _, v := range values {
			if len(v) >= 8 {
				out = append(out, v)
			}
		}
	}
	return out
}
