package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/session"
	"github.com/api-assistant/api-assistant/llm"
)

// conversation is one question and its answer, in a session or without.
type conversation struct {
	api       *api
	question  assistant.Question
	owner, id string // of the session; id is empty without one
	indexed   int    // documents of the files that came with the question
}

// conversation prepares a question. A session that is unknown or expired is an
// error before any work is done; one that lives gives the history.
func (s *api) conversation(r *http.Request, in chatRequest) (*conversation, error) {
	c := &conversation{api: s, question: in.question()}
	if in.SessionID == nil || *in.SessionID == "" {
		return c, nil
	}
	c.owner, c.id = s.Principal(r), *in.SessionID
	found, err := s.Sessions.Get(r.Context(), c.owner, c.id)
	if err != nil {
		return nil, err
	}
	if found.Status == session.Expired {
		return nil, session.ErrExpired
	}
	c.question.History = nil
	for _, m := range found.History {
		if m.Role != session.System {
			c.question.History = append(c.question.History, llm.Message{Speaker: llm.Speaker(m.Role), Content: m.Content})
		}
	}
	return c, nil
}

// errGone says that the client takes no more of an answer.
var errGone = errors.New("httpapi: the client is gone")

// ask asks the question, passes each event on, and keeps what was said in the
// session. An error of pass stops the model.
func (c *conversation) ask(ctx context.Context, pass func(assistant.Event) error) (reply chatReply, err error) {
	var (
		start = time.Now()
		said  strings.Builder
		done  *assistant.Answer
	)
	for event, failed := range c.api.assistant.Stream(ctx, c.question) {
		if err = failed; err != nil {
			break
		}
		said.WriteString(event.Delta)
		if event.Done != nil {
			done = event.Done
			break
		}
		if err = pass(event); err != nil {
			break
		}
	}
	if done == nil {
		return reply, c.broken(ctx, said.String(), err)
	}
	c.api.answered(done, time.Since(start))
	reply = c.api.chatReply(done)
	reply.IndexedDocs += c.indexed
	if c.id != "" {
		reply.SessionID = &c.id
		err = c.keep(ctx, done.Text, nil)
	}
	return reply, err
}

// broken ends a conversation that was cut off. If the client went away, the
// session keeps what was said until then; if the model failed, it keeps nothing,
// so that the question can be asked again.
func (c *conversation) broken(ctx context.Context, said string, err error) error {
	if c.id == "" || ctx.Err() == nil && !errors.Is(err, errGone) {
		return err
	}
	return errors.Join(err, c.keep(ctx, said, map[string]any{"incomplete": true}))
}

// keepTimeout bounds the time to store what was said.
const keepTimeout = 10 * time.Second

// keep appends the question and what was said in answer to the session, also if
// the client is gone.
func (c *conversation) keep(ctx context.Context, said string, metadata map[string]any) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTimeout)
	defer cancel()
	messages := []session.Message{{Role: session.User, Content: c.question.Text}}
	if strings.TrimSpace(said) != "" {
		messages = append(messages, session.Message{Role: session.Assistant, Content: said, Metadata: metadata})
	}
	_, err := c.api.Sessions.Append(ctx, c.owner, c.id, messages...)
	if errors.Is(err, session.ErrExpired) || errors.Is(err, session.ErrNotFound) {
		return nil // it ended while the model wrote: the answer is good, and there is nothing to keep it in
	}
	return err
}

// answered tells the observer of an answer.
func (s *api) answered(a *assistant.Answer, took time.Duration) {
	event := AnswerEvent{Model: a.Model, PromptTokens: a.Usage.PromptTokens, CompletionTokens: a.Usage.CompletionTokens,
		Grounded: a.Grounded, Endpoints: make(map[apispec.Status]int), Duration: took}
	for _, e := range a.Verification.Endpoints {
		event.Endpoints[e.Status]++
	}
	s.Observer.Answer(event)
}
