package llm_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
)

// parrot repeats the last message in chunks, then fails if told to.
type parrot struct{ fail error }

func (p parrot) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		text := req.Messages[len(req.Messages)-1].Content
		for _, part := range []string{text[:1], text[1:]} {
			if !yield(llm.Chunk{Text: part, Model: "parrot"}, nil) {
				return
			}
		}
		if p.fail != nil {
			yield(llm.Chunk{}, p.fail)
			return
		}
		yield(llm.Chunk{FinishReason: llm.FinishStop, Usage: &llm.Usage{PromptTokens: 1, CompletionTokens: 2}}, nil)
	}
}

func ExampleGenerate() {
	answer, err := llm.Generate(context.Background(), parrot{}, llm.Request{
		Messages: []llm.Message{{Speaker: llm.User, Content: "hello"}},
	})
	fmt.Println(answer.Text, answer.FinishReason, answer.Usage.CompletionTokens, err)
	// Output: hello stop 2 <nil>
}

func TestGenerateReturnsTheError(t *testing.T) {
	failure := &llm.Error{Provider: "p", Status: 500, Kind: llm.ErrUnavailable, Cause: io.ErrUnexpectedEOF}
	answer, err := llm.Generate(t.Context(), parrot{failure}, llm.Request{Messages: []llm.Message{{Speaker: llm.User, Content: "hi"}}})
	require.Zero(t, answer)
	require.ErrorIs(t, err, llm.ErrUnavailable)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.False(t, errors.Is(err, llm.ErrTimeout))
	require.EqualError(t, err, "llm: p: the model is not available (status 500): unexpected EOF")
}
