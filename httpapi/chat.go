package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/assistant/verify"
	"github.com/api-assistant/api-assistant/llm"
)

func (s *api) chatEndpoints() []endpoint {
	return []endpoint{
		{"POST /chat", s.chatAnswer(), about{
			id: "chat", tag: "chat", summary: "Ask a question",
			text: "Answers from the documents, with citations, and checks every endpoint that the answer mentions against the " +
				"catalogue of operations. With a session, its history is the memory and two messages are appended to it. " +
				"With \"stream\" or Accept: text/event-stream the answer comes as server-sent events.",
			request: `{"message": "How do I place an order?", "agent_type": "general", "conversation_history": [{"role": "user", "content": "hi"}]}`,
			fails:   []int{404, 409, 502, 504},
		}},
	}
}

// chatRequest is the body of POST /chat, as JSON or as a form.
type chatRequest struct {
	Message   string   `json:"message" validate:"notblank,max=32768"`
	SessionID *string  `json:"session_id" validate:"omitnil,max=64"`
	History   history  `json:"conversation_history" validate:"max=200,dive" doc:"the conversation so far, for calls without a session; in a form, the list as JSON text"`
	Fetch     boolean  `json:"enable_url_scraping" default:"true" doc:"read the pages that the message names"`
	Index     boolean  `json:"enable_auto_indexing" default:"true" doc:"keep those pages and files as sources"`
	AgentType *string  `json:"agent_type" validate:"omitnil,oneof=general code reasoning"`
	Language  *string  `json:"language" validate:"omitnil,max=64" doc:"programming language of code in the answer"`
	NResults  *integer `json:"n_results" validate:"omitnil,min=1,max=100" doc:"documents to answer from"`
	Filter    filter   `json:"filter"`
	Stream    boolean  `json:"stream" default:"false"`
	Files     []upload `json:"files" doc:"only in multipart forms: read before the question is answered"`
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
		if strings.TrimSpace(text) == "" {
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
	Response       string        `json:"response"`
	Sources        []chatSource  `json:"sources" doc:"what the answer cites, in the order of first mention"`
	ScrapedURLs    []string      `json:"scraped_urls"`
	FailedURLs     []string      `json:"failed_urls"`
	IndexedDocs    int           `json:"indexed_docs"`
	ContextResults int           `json:"context_results" doc:"documents that the answer was made from"`
	SessionID      *string       `json:"session_id"`
	Timestamp      time.Time     `json:"timestamp"`
	Intent         string        `json:"intent"`
	Grounded       bool          `json:"grounded" doc:"the answer cites at least one source"`
	Verification   verify.Report `json:"verification"`
	Code           []chatCode    `json:"code"`
	Model          string        `json:"model"`
	Usage          chatUsage     `json:"usage"`
}

type chatSource struct {
	Type       string  `json:"type" validate:"oneof=indexed_doc scraped web_search"`
	Title      string  `json:"title"`
	URL        string  `json:"url"`
	APIName    string  `json:"api_name"`
	Method     string  `json:"method"`
	Score      float64 `json:"score"`
	DocumentID string  `json:"document_id"`
	Citation   int     `json:"citation" doc:"its number in the text"`
}

// chatCode is client code for an operation.
type chatCode struct {
	Language    string `json:"language"`
	Source      string `json:"source"`
	OperationID string `json:"operation_id"`
	Verified    bool   `json:"verified" doc:"the request passes the check against the specification"`
}

type chatUsage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
}

func (s *api) chatAnswer() answer {
	return answer{serve: s.chat, status: http.StatusOK, in: reflect.TypeFor[chatRequest](), out: reflect.TypeFor[chatReply](),
		takes: []string{mediaJSON, mediaForm, mediaMultipart},
		media: map[string]string{mediaEvents: "events sources, delta {text}, verification and done (the whole answer), or error (an error)"}}
}

func (s *api) chat(w http.ResponseWriter, r *http.Request) error {
	in, files, err := s.readChat(w, r)
	if err != nil {
		return err
	}
	talk, err := s.conversation(r, in)
	if err != nil {
		return err
	}
	indexed, err := s.indexFiles(r.Context(), in, files)
	if err != nil {
		return err
	}
	talk.indexed = indexed
	// The server's time for reading a request is over, and so would be the
	// connection while a slow model writes.
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Time{})
	_ = connection.SetWriteDeadline(time.Time{})
	if bool(in.Stream) || accepts(r, mediaEvents) {
		return s.streamChat(w, r, talk)
	}
	reply, err := talk.ask(r.Context(), func(assistant.Event) error { return nil })
	if err != nil {
		return err
	}
	s.reply(w, r, http.StatusOK, reply)
	return nil
}

// question is what a request asks.
func (in *chatRequest) question() assistant.Question {
	q := assistant.Question{Text: in.Message, Filter: in.Filter.Filter, Fetch: bool(in.Fetch), Index: bool(in.Index)}
	if in.AgentType != nil {
		q.Role = llm.Role(*in.AgentType)
	}
	if in.Language != nil {
		q.Language = strings.TrimSpace(*in.Language)
	}
	if in.NResults != nil {
		q.K = int(*in.NResults)
	}
	for _, m := range in.History {
		q.History = append(q.History, llm.Message{Speaker: llm.Speaker(m.Role), Content: m.Content})
	}
	return q
}

func (s *api) chatReply(a *assistant.Answer) chatReply {
	reply := chatReply{Response: a.Text, Sources: sourcesOf(a.Citations), ScrapedURLs: list(a.Scraped), FailedURLs: list(a.Failed),
		IndexedDocs: a.Indexed, ContextResults: len(a.Sources), Timestamp: s.now().UTC(), Intent: string(a.Intent), Grounded: a.Grounded,
		Verification: a.Verification, Code: []chatCode{}, Model: a.Model,
		Usage: chatUsage{a.Usage.PromptTokens, a.Usage.CompletionTokens}}
	for _, c := range a.Code {
		reply.Code = append(reply.Code, chatCode{string(c.Language), c.Source, c.OperationID, c.Verified})
	}
	return reply
}

func sourcesOf(citations []assistant.Citation) []chatSource {
	out := make([]chatSource, len(citations))
	for i, c := range citations {
		out[i] = chatSource{Type: string(c.Type), Title: c.Title, URL: c.URL, APIName: c.API,
			Method: c.Method, Score: c.Score, DocumentID: c.DocumentID, Citation: c.Number}
	}
	return out
}

// list makes an absent list an empty one, which JSON shows as [].
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}
