package openai_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
	"github.com/api-assistant/api-assistant/llm/openai"
)

// pipes is a listener whose connections are in memory, so that the time of a
// synctest bubble stands still while they are used.
type pipes struct {
	made   chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.made:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (*pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.made <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// inBubble runs a test with a server in memory and a clock of its own.
func inBubble(t *testing.T, test func(t *testing.T, s *llmtest.Server, e openai.Endpoint)) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{made: make(chan net.Conn), closed: make(chan struct{})}
		s := &llmtest.Server{}
		web := &http.Server{Handler: s}
		stopped := make(chan error)
		go func() { stopped <- web.Serve(p) }()
		transport := openai.Transport()
		transport.DialContext = p.dial
		test(t, s, openai.Endpoint{BaseURL: "http://memory/v1", HTTPClient: &http.Client{Transport: transport}})
		transport.CloseIdleConnections()
		require.NoError(t, web.Close())
		require.ErrorIs(t, <-stopped, http.ErrServerClosed)
	})
}

func TestRetryAfterIsKept(t *testing.T) {
	inBubble(t, func(t *testing.T, s *llmtest.Server, e openai.Endpoint) {
		start := time.Now()
		model := llm.Retry{}.LLM(newModel(t, openai.Config{Endpoint: e, Model: "rate-limited-2"}))
		_, err := llm.Generate(t.Context(), model, llmtest.Question())
		require.NoError(t, err)
		require.Len(t, s.Requests(), 3)
		require.GreaterOrEqual(t, time.Since(start), 2*time.Second)
		require.Less(t, time.Since(start), 5*time.Second)
	})
}

func TestSilenceIsBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, s *llmtest.Server, e openai.Endpoint) {
		start := time.Now()
		_, err := llm.Generate(t.Context(), newModel(t, openai.Config{Endpoint: e, Model: "hang"}), llmtest.Question())
		require.ErrorIs(t, err, llm.ErrTimeout)
		require.Equal(t, llm.DefaultFirstToken, time.Since(start), "also without a decorator")

		start = time.Now()
		_, err = newEmbedder(t, openai.EmbedderConfig{Endpoint: e, Model: "hang", Timeout: llm.Timeout{FirstToken: 5 * time.Second}}).Embed(t.Context(), []string{"x"})
		require.ErrorIs(t, err, llm.ErrTimeout)
		require.Equal(t, 5*time.Second, time.Since(start))

		start = time.Now()
		s.Next(func(w http.ResponseWriter, r *http.Request) {
			llmtest.Events(llmtest.Delta("x"))(w, r)
			<-r.Context().Done()
		})
		text, _, err := llmtest.Collect(t, newModel(t, openai.Config{Endpoint: e}).Stream(t.Context(), llmtest.Question()))
		require.Equal(t, "x", text)
		require.ErrorIs(t, err, llm.ErrTimeout)
		require.Equal(t, llm.DefaultBetweenTokens, time.Since(start))
	})
}

// TestACompleteAnswerNeedsNoEnd answers completely and then says nothing, or
// breaks off.
func TestACompleteAnswerNeedsNoEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, s *llmtest.Server, e openai.Endpoint) {
		for _, after := range []func(r *http.Request){
			func(r *http.Request) { <-r.Context().Done() },
			func(*http.Request) { panic(http.ErrAbortHandler) },
			func(*http.Request) {},
		} {
			start := time.Now()
			s.Next(func(w http.ResponseWriter, r *http.Request) {
				llmtest.Events(llmtest.Delta("x"), llmtest.FinishEvent)(w, r)
				after(r)
			})
			answer, err := llm.Generate(t.Context(), newModel(t, openai.Config{Endpoint: e}), llmtest.Question())
			require.NoError(t, err)
			require.Equal(t, "x", answer.Text)
			require.Equal(t, llm.FinishStop, answer.FinishReason)
			require.LessOrEqual(t, time.Since(start), 3*time.Second)
		}
	})
}

// TestADoneAnswerDoesNotWait sends [DONE] and keeps the connection open.
func TestADoneAnswerDoesNotWait(t *testing.T) {
	inBubble(t, func(t *testing.T, s *llmtest.Server, e openai.Endpoint) {
		start := time.Now()
		s.Next(func(w http.ResponseWriter, r *http.Request) {
			llmtest.Events(llmtest.Delta("x"), llmtest.FinishEvent, llmtest.DoneEvent)(w, r)
			<-r.Context().Done()
		})
		_, err := llm.Generate(t.Context(), newModel(t, openai.Config{Endpoint: e}), llmtest.Question())
		require.NoError(t, err)
		require.Less(t, time.Since(start), 100*time.Millisecond)
	})
}
