package assistant_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
	"github.com/api-assistant/api-assistant/retriever"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// fixed is a retriever that always finds the same documents.
func fixed(contents ...string) retriever.Retriever {
	var hits []retriever.Hit
	for i, c := range contents {
		hits = append(hits, retriever.Hit{Score: 0.9 - 0.01*float64(i),
			Document: vectorstore.Document{ID: fmt.Sprint("d", i), Content: c, Metadata: map[string]any{"title": fmt.Sprint("title ", i)}}})
	}
	return retriever.Func(func(context.Context, retriever.Query) (retriever.Result, error) {
		return retriever.Result{Hits: hits}, nil
	})
}

func packed(t *testing.T, tokens int, contents ...string) ([]llm.Passage, []assistant.Citation) {
	t.Helper()
	model := llmtest.NewModel(llmtest.Say("ok"))
	corpus := newAssistant(t, assistant.Config{}).Corpus()
	a, err := assistant.New(assistant.Config{LLM: model, Corpus: corpus, Retriever: fixed(contents...), ContextTokens: tokens})
	require.NoError(t, err)
	answer, err := a.Ask(t.Context(), assistant.Question{Text: "orders"})
	require.NoError(t, err)
	return model.Calls()[0].Request.Passages, answer.Sources
}

func TestPack(t *testing.T) {
	line := "one two three four five six seven eight nine\n" // 9 tokens
	small, large := strings.Repeat(line, 10), strings.Repeat(line, 100)
	numbers := func(sources []assistant.Citation) (out []string) {
		for _, s := range sources {
			out = append(out, s.DocumentID)
		}
		return out
	}
	t.Run("whole documents come before the beginning of one", func(t *testing.T) {
		passages, sources := packed(t, 700, small+"a", large+"b", small+"c", small+"d")
		require.Equal(t, []string{"d0", "d1", "d2", "d3"}, numbers(sources))
		for i, p := range passages {
			require.Equal(t, i+1, p.Number)
			require.Equal(t, i == 1, strings.Contains(p.Text, "left out here"), p.Title)
		}
		require.True(t, strings.HasPrefix(large, strings.TrimSuffix(passages[1].Text, "\n(The document goes on; the rest is left out here.)")+"\n"), "cut at the end of a line")
	})
	t.Run("the same content once", func(t *testing.T) {
		passages, sources := packed(t, 4000, small, small+"\n", "other", " ", small)
		require.Equal(t, []string{"d0", "d2"}, numbers(sources))
		require.Len(t, passages, 2)
	})
	t.Run("the best is always there", func(t *testing.T) {
		passages, _ := packed(t, 120, large, large+"x")
		require.Len(t, passages, 1)
		require.LessOrEqual(t, assistant.Tokens(passages[0].Text), 120)
		require.Contains(t, passages[0].Text, "one two")
	})
	t.Run("no piece that is too small", func(t *testing.T) {
		_, sources := packed(t, 200, small, large)
		require.Equal(t, []string{"d0"}, numbers(sources))
	})
	t.Run("never inside a character", func(t *testing.T) {
		passages, _ := packed(t, 100, strings.Repeat("注文を作成する", 200))
		require.True(t, utf8.ValidString(passages[0].Text))
	})
}

func TestTokens(t *testing.T) {
	for text, want := range map[string]int{"": 0, "order": 1, "orders": 2, "list orders": 3, "2026": 2, `{"a":1}`: 7, "注文": 2, "       ": 1} {
		require.Equal(t, want, assistant.Tokens(text), text)
	}
	prose := strings.Repeat("The order waits for its payment; unpaid orders end after a day. ", 50)
	require.InDelta(t, 4, float64(len(prose))/float64(assistant.Tokens(prose)), 0.7, "bytes a token in English")
}

func FuzzTokens(f *testing.F) {
	f.Add("a b", "c d")
	f.Fuzz(func(t *testing.T, a, b string) {
		require.LessOrEqual(t, assistant.Tokens(a), len(a))
		require.LessOrEqual(t, assistant.Tokens(a+b), assistant.Tokens(a)+assistant.Tokens(b)+1)
	})
}
