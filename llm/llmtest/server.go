package llmtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/api-assistant/api-assistant/llm"
)

// Server is an OpenAI-compatible server for tests: chat (streamed or not),
// embeddings and the list of models under /v1. The name of the model says how it
// behaves:
//
//	ok               a short answer that quotes the question
//	echo             the answer is a JSON dump of the messages
//	rate-limited-N   429 with Retry-After: 1, N times, then ok
//	flaky-N          503, N times, then ok
//	flaky-conn-N     the connection is reset, N times, then ok
//	down             500
//	hang             no answer
//	slow             a token every 20 ms
//	endless          tokens without end
//	cut              the connection closes in the middle of the answer
//	malformed        a piece of the answer is not JSON
//	leak             401 with the Authorization header in the error
//	leak-stream      the same, in the middle of the answer
//
// Other names are ok. The N failures are counted for each content of a request,
// so that another question begins anew. Next sets the names aside.
type Server struct {
	// URL is the address, without /v1.
	URL string

	mu       sync.Mutex
	requests []Request
	next     []http.HandlerFunc
	failed   map[string]int // failures so far, by model and content
	active   int
}

// Request is a request that a Server got.
type Request struct {
	Path     string
	Header   http.Header
	Body     []byte
	Model    string
	Stream   bool
	Messages []llm.Message // of a chat
	Texts    []string      // to embed
}

// NewServer starts a server, which the end of the test stops.
func NewServer(t testing.TB) *Server {
	s := &Server{}
	web := httptest.NewServer(s)
	s.URL = web.URL
	t.Cleanup(func() {
		web.CloseClientConnections()
		web.Close()
	})
	return s
}

// BaseURL is what clients are configured with.
func (s *Server) BaseURL() string { return s.URL + "/v1" }

// Requests returns the requests so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Active returns how many requests are being answered.
func (s *Server) Active() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.active
}

// Next lets handlers answer the next requests, one each. The body has been read;
// Requests has it.
func (s *Server) Next(handlers ...http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, handlers...)
}

// JSON is a handler that answers with a status, a body and header fields (name,
// value, name, value …).
func JSON(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// Events is a handler that answers with an event stream as it stands, flushed
// after each part.
func Events(parts ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, part := range parts {
			io.WriteString(w, part)
			w.(http.Flusher).Flush()
		}
	}
}

// Delta is the event of a piece of text.
func Delta(text string) string {
	quoted, _ := json.Marshal(text) // a string can be encoded
	return `data: {"model":"m","choices":[{"index":0,"delta":{"content":` + string(quoted) + "},\"finish_reason\":null}]}\n\n"
}

// The events that end an answer.
const (
	FinishEvent = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
	DoneEvent   = "data: [DONE]\n\n"
)

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	req := parse(r, body)
	s.mu.Lock()
	s.requests = append(s.requests, req)
	s.active++
	handler := s.chat
	if len(s.next) > 0 {
		scripted := s.next[0]
		s.next = s.next[1:]
		handler = func(w http.ResponseWriter, r *http.Request, _ Request) { scripted(w, r) }
	} else if strings.HasSuffix(r.URL.Path, "/embeddings") {
		handler = s.embeddings
	} else if strings.HasSuffix(r.URL.Path, "/models") {
		handler = models
	} else if !strings.HasSuffix(r.URL.Path, "/chat/completions") {
		handler = func(w http.ResponseWriter, _ *http.Request, _ Request) { fail(w, 404, "no such path") }
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.active--
	}()
	handler(w, r, req)
}

func parse(r *http.Request, body []byte) Request {
	var in struct {
		Model    string
		Stream   bool
		Messages []struct{ Role, Content string }
		Input    []string
	}
	_ = json.Unmarshal(body, &in) // what cannot be read stays empty
	req := Request{Path: r.URL.Path, Header: r.Header.Clone(), Body: body, Model: in.Model, Stream: in.Stream, Texts: in.Input}
	for _, m := range in.Messages {
		req.Messages = append(req.Messages, llm.Message{Speaker: llm.Speaker(m.Role), Content: m.Content})
	}
	return req
}

func models(w http.ResponseWriter, r *http.Request, _ Request) {
	JSON(200, `{"object":"list","data":[{"id":"ok","object":"model"},{"id":"echo","object":"model"}]}`)(w, r)
}

func fail(w http.ResponseWriter, status int, message string, header ...string) {
	body, _ := json.Marshal(map[string]any{"error": map[string]any{ // strings can be encoded
		"message": message, "type": "fake_error", "param": nil, "code": strconv.Itoa(status)}})
	JSON(status, string(body), header...)(w, nil)
}

var counted = regexp.MustCompile(`^(rate-limited|flaky-conn|flaky)-(\d+)$`)

// fault answers a request whose model fails before it says anything, and reports
// whether it did.
func (s *Server) fault(w http.ResponseWriter, r *http.Request, req Request) bool {
	mode := req.Model
	if m := counted.FindStringSubmatch(mode); m != nil {
		limit, _ := strconv.Atoi(m[2]) // digits
		if mode = m[1]; !s.fails(req, limit) {
			return false
		}
	}
	switch mode {
	case "rate-limited":
		fail(w, 429, "rate limit reached", "Retry-After", "1")
	case "flaky":
		fail(w, 503, "overloaded")
	case "flaky-conn":
		hangUp(w, true)
	case "down":
		fail(w, 500, "out of order")
	case "hang":
		<-r.Context().Done()
	case "leak":
		fail(w, 401, "the credentials "+r.Header.Get("Authorization")+" are wrong")
	default:
		return false
	}
	return true
}

// fails counts the failures of a request that fails limit times.
func (s *Server) fails(req Request, limit int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = make(map[string]int)
	}
	key := fmt.Sprintln(req.Model, req.Messages, req.Texts)
	if s.failed[key] >= limit {
		return false
	}
	s.failed[key]++
	return true
}

// hangUp closes the connection without the end that HTTP and the event stream
// have, or resets it.
func hangUp(w http.ResponseWriter, reset bool) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2: closes the stream
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// tokens cuts an answer into pieces of about a word.
func tokens(answer string) []string { return strings.SplitAfter(answer, " ") }

func (s *Server) chat(w http.ResponseWriter, r *http.Request, req Request) {
	if s.fault(w, r, req) {
		return
	}
	answer := "an answer of many words to an empty question"
	if n := len(req.Messages); n > 0 {
		answer = "an answer of many words to: " + req.Messages[n-1].Content
	}
	if req.Model == "echo" {
		dump, _ := json.Marshal(req.Messages) // strings can be encoded
		answer = string(dump)
	}
	if req.Stream {
		stream(w, r, req, answer)
		return
	}
	usage := fmt.Sprintf(`{"prompt_tokens":%d,"completion_tokens":%d}`, len(req.Body)/4, len(tokens(answer)))
	quoted, _ := json.Marshal(answer) // a string can be encoded
	body := fmt.Sprintf(`{"model":%q,"choices":[{"index":0,"message":{"role":"assistant","content":%s},"finish_reason":"stop"}],"usage":%s}`, req.Model, quoted, usage)
	switch req.Model {
	case "malformed":
		body = `{"choices":[{"message":{"content": oops`
	case "cut":
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		body = body[:len(body)/2]
	}
	JSON(200, body)(w, r)
}

func stream(w http.ResponseWriter, r *http.Request, req Request, answer string) {
	w.Header().Set("Content-Type", "text/event-stream")
	flush := w.(http.Flusher).Flush
	send := func(event string) bool {
		_, err := io.WriteString(w, event)
		flush()
		return err == nil && r.Context().Err() == nil
	}
	pieces := tokens(answer)
	for i := 0; i < len(pieces) || req.Model == "endless"; i++ {
		if i == 2 && spoil(w, r, req.Model, send) {
			return
		}
		if !send(strings.Replace(Delta(pieces[i%len(pieces)]), `"m"`, strconv.Quote(req.Model), 1)) {
			return
		}
		if req.Model == "slow" || req.Model == "endless" {
			select {
			case <-r.Context().Done():
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	send(FinishEvent)
	send(fmt.Sprintf("data: {\"choices\":[],\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%d}}\n\n", cmp.Or(len(req.Body)/4, 1), len(pieces)))
	send(DoneEvent)
}

// spoil breaks the answer in the middle, and reports whether it ends there.
func spoil(w http.ResponseWriter, r *http.Request, mode string, send func(string) bool) bool {
	switch mode {
	case "cut":
		hangUp(w, false)
		return true
	case "malformed":
		send("data: {not json at all\n\n")
	case "leak-stream":
		quoted, _ := json.Marshal("bad key " + r.Header.Get("Authorization")) // a string can be encoded
		send(`data: {"error":{"message":` + string(quoted) + "}}\n\n")
		return true
	}
	return false
}

func (s *Server) embeddings(w http.ResponseWriter, r *http.Request, req Request) {
	if s.fault(w, r, req) {
		return
	}
	if req.Model == "malformed" {
		JSON(200, `{"data":[{"embedding":[0.1,`)(w, r)
		return
	}
	type item struct {
		Index     int       `json:"index"`
		Embedding []float32 `json:"embedding"`
	}
	out := struct {
		Data []item `json:"data"`
	}{make([]item, len(req.Texts))}
	for i, text := range req.Texts {
		out.Data[i] = item{i, direction(text)}
	}
	body, _ := json.Marshal(out) // numbers can be encoded
	JSON(200, string(body))(w, r)
}
