package openai

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/api-assistant/api-assistant/llm"
)

// event is what is read of an event of a stream. Message is there when a server
// answers in one piece although it was asked for a stream.
type event struct {
	Model   string `json:"model"`
	Choices []struct {
		Index        int     `json:"index"`
		Delta        message `json:"delta"`
		Message      message `json:"message"`
		FinishReason string  `json:"finish_reason"`
	} `json:"choices"`
	Usage *usage `json:"usage"`
	Groq  *struct {
		Usage *usage `json:"usage"`
	} `json:"x_groq"`
}

type message struct {
	Content   content         `json:"content"`
	Refusal   string          `json:"refusal"`
	Reasoning string          `json:"reasoning"`
	Thoughts  string          `json:"reasoning_content"`
	ToolCalls json.RawMessage `json:"tool_calls"`
	Function  json.RawMessage `json:"function_call"`
}

// content is a text, or a list of parts of which some are texts.
type content string

// UnmarshalJSON implements json.Unmarshaler.
func (c *content) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '[' {
		return json.Unmarshal(b, (*string)(c))
	}
	var parts []struct {
		Text string `json:"text"`
	}
	err := json.Unmarshal(b, &parts)
	for _, p := range parts {
		*c += content(p.Text)
	}
	return err
}

type usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
}

// answer is what is known of an answer while it comes in.
type answer struct {
	model    string
	size     int // bytes of text so far
	finish   llm.FinishReason
	usage    *llm.Usage
	choices  bool // the model was heard
	tools    bool // it called a tool
	thinking bool // the last event had thoughts instead of text
	grace    *time.Timer
}

// read reads an event.
func (a *answer) read(line []byte) (llm.Chunk, error) {
	var e event
	if err := json.Unmarshal(line, &e); err != nil {
		return llm.Chunk{}, errNotJSON
	}
	if e.Model != "" {
		a.model = e.Model
	}
	if e.Usage == nil && e.Groq != nil {
		e.Usage = e.Groq.Usage
	}
	if u := e.Usage; u != nil {
		a.usage = &llm.Usage{PromptTokens: max(u.PromptTokens, 0), CompletionTokens: max(u.CompletionTokens, 0)}
	}
	chunk := llm.Chunk{Model: a.model}
	a.thinking = false
	for _, c := range e.Choices {
		if c.Index != 0 {
			continue
		}
		a.choices = true
		for _, m := range []*message{&c.Delta, &c.Message} {
			chunk.Text += string(m.Content) + m.Refusal
			a.thinking = a.thinking || m.Reasoning != "" || m.Thoughts != ""
			a.tools = a.tools || isSet(m.ToolCalls) || isSet(m.Function)
		}
		if c.FinishReason != "" {
			a.finish = llm.FinishReason(c.FinishReason)
		}
	}
	a.size += len(chunk.Text)
	return chunk, nil
}

// isSet reports whether a field says anything.
func isSet(raw json.RawMessage) bool {
	switch string(raw) {
	case "", "null", "[]", "{}", `""`, "false":
		return false
	}
	return true
}

var (
	errNotJSON  = errors.New("it is not the JSON that was expected")
	errNoChoice = errors.New("the model said nothing at all (no choices)")
	errTool     = errors.New("the model called a tool instead of answering")
)

// last is the chunk that ends the answer. A server that sends [DONE] without a
// reason has finished, too.
func (a *answer) last() (llm.Chunk, error) {
	switch {
	case !a.choices:
		return llm.Chunk{}, errNoChoice
	case a.tools && a.size == 0:
		return llm.Chunk{}, errTool
	case a.finish == "":
		a.finish = llm.FinishStop
	}
	return llm.Chunk{Model: a.model, FinishReason: a.finish, Usage: a.usage}, nil
}
