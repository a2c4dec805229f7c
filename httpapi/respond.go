package httpapi

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// writeTimeout bounds how long a client may take to accept one write. A long
// answer is many writes.
const writeTimeout = 30 * time.Second

// fail answers with an error.
func (s *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := explain(err)
	s.report(r, w, p, err)
	for name, values := range p.header {
		w.Header()[name] = values
	}
	s.reply(w, r, p.status, p.body(requestID(w)))
}

// report logs an error that is the server's.
func (s *api) report(r *http.Request, w http.ResponseWriter, p *problem, err error) {
	if p.status >= 500 {
		s.Logger.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path,
			"status", p.status, "error", err, "request_id", requestID(w))
	}
}

// body is the problem in the one shape of all errors.
func (p *problem) body(requestID string) errorBody {
	return errorBody{Error: p.code, Message: p.message, Detail: p.detail, RequestID: requestID}
}

// reply answers with JSON.
func (s *api) reply(w http.ResponseWriter, r *http.Request, status int, body any) {
	encoded, err := json.Marshal(body)
	if err != nil {
		s.Logger.ErrorContext(r.Context(), "encoding an answer failed", "error", err, "request_id", requestID(w))
		status = http.StatusInternalServerError
		encoded, _ = json.Marshal(explain(err).body(requestID(w))) // a few strings
	}
	s.write(w, r, status, mediaJSON+"; charset=utf-8", append(encoded, '\n'))
}

// write answers with a whole body.
func (s *api) write(w http.ResponseWriter, r *http.Request, status int, media string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body) // the client is gone if this fails
	}
}
