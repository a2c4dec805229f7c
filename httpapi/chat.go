package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// chatRequest is the body of POST /chat, as JSON or as a form.
type chatRequest struct {
	Message   string          `json:"message" validate:"notblank,max=32768"`
	History   history         `json:"conversation_history" validate:"max=200,dive"`
	AgentType string          `json:"agent_type" validate:"omitempty,oneof=general code reasoning"`
	NResults  *integer        `json:"n_results" validate:"omitnil,min=1,max=100"`
	Filter    json.RawMessage `json:"filter"`
}

// history is a conversation: a list, or a string that holds one as JSON, as
// form clients send it.
type history []historyMessage

type historyMessage struct {
	Role    string `json:"role" validate:"oneof=user assistant"`
	Content string `json:"content" validate:"max=262144"`
}

// UnmarshalJSON accepts both forms.
func (h *history) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		if text == "" {
			return nil
		}
		b = []byte(text)
	}
	var messages []historyMessage
	if err := json.Unmarshal(b, &messages); err != nil {
		return errors.New("must be a JSON list of {role, content}")
	}
	*h = messages
	return nil
}

// chatReply is the answer of POST /chat. The first eight fields are those that
// older clients know.
type chatReply struct {
	Response       string                 `json:"response"`
	Sources        []chatSource           `json:"sources"`
	ScrapedURLs    []string               `json:"scraped_urls"`
	FailedURLs     []string               `json:"failed_urls"`
	IndexedDocs    int                    `json:"indexed_docs"`
	ContextResults int                    `json:"context_results"`
	SessionID      *string                `json:"session_id"`
	Timestamp      time.Time              `json:"timestamp"`
	Grounded       bool                   `json:"grounded"`
	Verification   assistant.Verification `json:"verification"`
	Model          string                 `json:"model"`
	Usage          chatUsage              `json:"usage"`
}

type chatSource struct {
	Type       string  `json:"type"`
	Title      string  `json:"title"`
	URL        string  `json:"url"`
	APIName    string  `json:"api_name"`
	Method     string  `json:"method"`
	Score      float64 `json:"score"`
	DocumentID string  `json:"document_id"`
	Citation   int     `json:"citation"`
}

type chatUsage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
}

func (s *api) chat(w http.ResponseWriter, r *http.Request) error {
	var req chatRequest
	if err := s.decodeChat(w, r, &req); err != nil {
		return err
	}
	filter, err := vectorstore.ParseFilter(req.Filter)
	if err != nil {
		return err
	}
	q := assistant.Question{Text: req.Message, Role: llm.Role(req.AgentType), Filter: filter}
	if req.NResults != nil {
		q.K = int(*req.NResults)
	}
	for _, m := range req.History {
		q.History = append(q.History, llm.Message{Speaker: llm.Speaker(m.Role), Content: m.Content})
	}
	answer, err := s.assistant.Ask(r.Context(), q)
	if err != nil {
		return err
	}
	s.reply(w, r, http.StatusOK, s.chatReply(answer))
	return nil
}

func (s *api) chatReply(a assistant.Answer) chatReply {
	reply := chatReply{Response: a.Text, Sources: []chatSource{}, ScrapedURLs: []string{}, FailedURLs: []string{},
		ContextResults: len(a.Sources), Timestamp: s.now().UTC(), Grounded: a.Grounded,
		Verification: a.Verification, Model: a.Model,
		Usage: chatUsage{a.Usage.PromptTokens, a.Usage.CompletionTokens}}
	for _, c := range a.Citations {
		reply.Sources = append(reply.Sources, chatSource{Type: "indexed_doc", Title: c.Title, APIName: c.API,
			Method: c.Method, Score: c.Score, DocumentID: c.DocumentID, Citation: c.Number})
	}
	return reply
}

// decodeChat reads a chat request from JSON, a urlencoded form or a multipart
// form.
func (s *api) decodeChat(w http.ResponseWriter, r *http.Request, req *chatRequest) error {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != "application/x-www-form-urlencoded" && media != "multipart/form-data" {
		if err := wantMedia(r, "application/json", "application/x-www-form-urlencoded", "multipart/form-data"); err != nil {
			return err
		}
		return s.decode(w, r, req)
	}
	form, err := s.form(w, r, media)
	if err != nil {
		return err
	}
	fields := make(map[string]any)
	for name, values := range form {
		fields[name] = values[0]
	}
	if f := form.Get("filter"); f != "" {
		fields["filter"] = json.RawMessage(f)
		if !json.Valid([]byte(f)) {
			return validationError(invalid{Loc: []any{"body", "filter"}, Type: "filter", Msg: "must be JSON"})
		}
	} else {
		delete(fields, "filter")
	}
	body, err := json.Marshal(fields)
	if err != nil {
		return badRequest("the form cannot be read")
	}
	return unmarshal(body, req)
}

// form reads the fields of a form; file parts of a multipart form are passed
// over.
func (s *api) form(w http.ResponseWriter, r *http.Request, media string) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, s.MaxBody)
	if media == "application/x-www-form-urlencoded" {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, bodyError(err)
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, badRequest("the form is not well formed")
		}
		return form, nil
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, badRequest("the multipart form is not well formed")
	}
	form := make(url.Values)
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return form, nil
		}
		if err != nil {
			return nil, bodyError(err)
		}
		if part.FileName() != "" {
			continue
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, bodyError(err)
		}
		form.Add(part.FormName(), string(value))
	}
}

// verifyRequest is the body of POST /verify.
type verifyRequest struct {
	Text string `json:"text" validate:"notblank,max=1048576"`
}

// verify checks a text against the catalogue.
func (s *api) verify(w http.ResponseWriter, r *http.Request) error {
	var req verifyRequest
	if err := s.decode(w, r, &req); err != nil {
		return err
	}
	catalog, err := s.assistant.Catalog(r.Context())
	if err != nil {
		return err
	}
	s.reply(w, r, http.StatusOK, assistant.Verify(catalog, req.Text))
	return nil
}
