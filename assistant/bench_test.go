package assistant_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/examples/sample"
	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
	"github.com/api-assistant/api-assistant/retriever"
)

// BenchmarkAnswer is what an answer from eight documents takes beside retrieval
// and model: both give at once what they gave before.
func BenchmarkAnswer(b *testing.B) {
	const text = "Use `POST /orders` [1] with an access token [2]. Then `GET /orders/{order_id}` [3] shows it.\n\n" +
		"```python\nimport requests\nrequests.post(\"https://api.bookshop.example/v1/orders\", json={\"lines\": []})\n```\n"
	history := []llm.Message{{Speaker: llm.User, Content: "How do I place an order?"}, {Speaker: llm.Assistant, Content: text}}
	for _, bench := range []struct {
		name string
		q    assistant.Question
	}{
		{"lookup", assistant.Question{Text: "How do I place an order?"}},
		{"code", assistant.Question{Text: "Write Python code that places an order"}},
		{"followup", assistant.Question{Text: "and how do I cancel it?", History: history}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			corpus, err := assistant.New(assistant.Config{})
			require.NoError(b, err)
			defer corpus.Close()
			_, err = corpus.Ingest(b.Context(), assistant.File{Name: sample.BookshopName, Content: bytes.NewReader(sample.Bookshop)})
			require.NoError(b, err)
			found, err := corpus.Search(b.Context(), retriever.Query{Text: "place an order", K: 8})
			require.NoError(b, err)
			require.Len(b, found.Hits, 8)
			again := retriever.Func(func(context.Context, retriever.Query) (retriever.Result, error) { return found, nil })
			a, err := assistant.New(assistant.Config{Corpus: corpus.Corpus(), Retriever: again, LLM: llmtest.NewModel(llmtest.Say(text)), NoRepair: true})
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := a.Ask(b.Context(), bench.q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
