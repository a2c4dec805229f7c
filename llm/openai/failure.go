package openai

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/api-assistant/api-assistant/llm"
)

// failure is what a server says went wrong.
type failure struct {
	message string
	code    string // "context_length_exceeded", "429" …
	class   string // the field "type"
}

// failureIn finds the failure in a body or an event, and reports whether there
// is one. The shapes are {"error": {…}}, {"error": "…"}, flat {"message": …} or
// {"object": "error", …}, FastAPI's {"detail": …}, and a list of one of them.
func failureIn(body []byte) (failure, bool) {
	body = bytes.TrimSpace(body)
	if len(body) > 0 && body[0] == '[' {
		var list []json.RawMessage
		if json.Unmarshal(body, &list) != nil || len(list) == 0 {
			return failure{}, false
		}
		body = list[0]
	}
	var out struct {
		Error   json.RawMessage `json:"error"`
		Detail  json.RawMessage `json:"detail"`
		Choices json.RawMessage `json:"choices"`
		Data    json.RawMessage `json:"data"`
		flat
	}
	if json.Unmarshal(body, &out) != nil {
		return failure{}, false
	}
	switch {
	case isSet(out.Error):
		var inner flat
		if json.Unmarshal(out.Error, &inner) == nil {
			return inner.failure(), true
		}
		f := out.flat.failure()
		f.message = text(out.Error)
		return f, true
	case out.Choices != nil || out.Data != nil:
		return failure{}, false
	case isSet(out.Detail):
		return failure{message: detail(out.Detail)}, true
	case isSet(out.Message):
		return out.flat.failure(), true
	}
	return failure{}, false
}

// flat is the innermost object. Its fields have any type.
type flat struct {
	Message json.RawMessage `json:"message"`
	Code    json.RawMessage `json:"code"`
	Type    json.RawMessage `json:"type"`
}

func (f flat) failure() failure {
	return failure{message: text(f.Message), code: text(f.Code), class: text(f.Type)}
}

// text is a JSON value for reading: a string as it is, a list of strings joined,
// anything else as it stands.
func text(raw json.RawMessage) string {
	var s string
	var list []string
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return ""
	case json.Unmarshal(raw, &s) == nil:
		return s
	case json.Unmarshal(raw, &list) == nil:
		return strings.Join(list, ", ")
	}
	return string(raw)
}

// detail reads what FastAPI says: a string, or a list of places and messages.
func detail(raw json.RawMessage) string {
	var list []struct {
		Loc []any  `json:"loc"`
		Msg string `json:"msg"`
	}
	if json.Unmarshal(raw, &list) != nil {
		return text(raw)
	}
	var parts []string
	for _, d := range list[:min(3, len(list))] {
		where := ""
		if n := len(d.Loc); n > 0 {
			if name, ok := d.Loc[n-1].(string); ok {
				where = name + ": "
			}
		}
		parts = append(parts, where+d.Msg)
	}
	return strings.Join(parts, "; ")
}

// plain is the message of a body that is not JSON. A web page has none.
func plain(body []byte, contentType string) string {
	mediaType, _, _ := mime.ParseMediaType(contentType)
	body = bytes.TrimSpace(body)
	if mediaType == "text/html" || bytes.HasPrefix(body, []byte("<")) {
		return "a web page instead of an answer"
	}
	return string(body)
}

// maxMessage bounds a message in an error, in bytes.
const maxMessage = 300

// text is the message for people, without secrets, on one line.
func (f failure) text(hide func(string) string) string {
	s := f.message
	if f.code != "" && !strings.Contains(s, f.code) {
		s = strings.TrimSpace(s + " (" + f.code + ")")
	}
	s = hide(strings.ToValidUTF8(s, "\ufffd"))
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxMessage {
		cut := maxMessage
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return s
}

var (
	quotaWords  = regexp.MustCompile(`insufficient_quota|billing|quota_exceeded|insufficient_balance|insufficient_credits|credit_limit`)
	windowCodes = regexp.MustCompile(`context_length|context_size|context_window|string_above_max_length`)
	windowWords = regexp.MustCompile(`(?i)context (length|window|size)|maximum context|prompt is too long|input (is )?too long|too many tokens|must have less than \d+ tokens|reduce the length`)
)

// kind says what kind of failure it is. status is 0 for a failure in an answer
// that began well; the code may then stand for it.
func (f failure) kind(status int) error {
	words := strings.ToLower(f.code + " " + f.class)
	if code, err := strconv.Atoi(f.code); status == 0 && err == nil && code >= 400 && code < 600 {
		status = code
	}
	switch {
	case status == http.StatusPaymentRequired, quotaWords.MatchString(words):
		return llm.ErrQuota
	case status == http.StatusRequestEntityTooLarge, windowCodes.MatchString(words),
		status != http.StatusTooManyRequests && windowWords.MatchString(f.message):
		return llm.ErrContextWindow
	case status == 0:
		return kindOfWords(words)
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return llm.ErrAuth
	case http.StatusTooManyRequests:
		return llm.ErrRateLimited
	case http.StatusRequestTimeout, http.StatusGatewayTimeout, 524: // 524: Cloudflare
		return llm.ErrTimeout
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return llm.ErrInvalid
	case http.StatusTooEarly, 498: // 498: Groq has no capacity
		return llm.ErrUnavailable
	}
	if status >= 500 {
		return llm.ErrUnavailable
	}
	return llm.ErrInvalid
}

// kindOfWords is the kind of a failure without a status.
func kindOfWords(words string) error {
	switch {
	case strings.Contains(words, "rate_limit"):
		return llm.ErrRateLimited
	case strings.Contains(words, "auth"), strings.Contains(words, "api_key"), strings.Contains(words, "permission"):
		return llm.ErrAuth
	case strings.Contains(words, "invalid"), strings.Contains(words, "not_found"):
		return llm.ErrInvalid
	case strings.Contains(words, "timeout"):
		return llm.ErrTimeout
	}
	return llm.ErrUnavailable
}
