package auth

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// Refusal is what a middleware answers instead of the handler.
type Refusal struct {
	Status  int    // HTTP status
	Code    string // stable: "unauthorized", "forbidden", "rate_limited", "too_large", "unavailable", "internal_error"
	Message string // a sentence for people
}

// RefuseFunc writes a refusal. The headers that belong to it (WWW-Authenticate,
// Retry-After) are set already.
type RefuseFunc func(w http.ResponseWriter, r *http.Request, refusal Refusal)

// Header values that every answer shares. Their capacity is 1, so that adding a
// value copies them.
var (
	jsonType = []string{"application/json; charset=utf-8"}
	nosniff  = []string{"nosniff"}
)

// refuseJSON is the default RefuseFunc. Refusals are what attackers get, so it
// puts the body together without reflection.
func refuseJSON(w http.ResponseWriter, _ *http.Request, refusal Refusal) {
	h := w.Header()
	body := make([]byte, 0, 256)
	body = appendJSON(append(body, `{"error":`...), refusal.Code)
	body = appendJSON(append(body, `,"message":`...), refusal.Message)
	body = appendJSON(append(body, `,"detail":null,"request_id":`...), h.Get("X-Request-ID"))
	body = append(body, '}')
	h["Content-Type"] = jsonType
	h["X-Content-Type-Options"] = nosniff
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(refusal.Status)
	_, _ = w.Write(body) // the client is gone if this fails
}

// appendJSON appends s as a JSON string.
func appendJSON(to []byte, s string) []byte {
	for _, c := range []byte(s) {
		if c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, err := json.Marshal(s)
			if err != nil { // no string does this
				return append(to, `""`...)
			}
			return append(to, quoted...)
		}
	}
	return append(append(append(to, '"'), s...), '"')
}

func refuseWith(f RefuseFunc) RefuseFunc {
	if f == nil {
		return refuseJSON
	}
	return f
}

// closeAfter ends the connection after the answer if the request has a body: it
// is not read, and what is left of it must not be taken for a request.
func closeAfter(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 && r.ProtoMajor == 1 {
		w.Header().Set("Connection", "close")
	}
}
