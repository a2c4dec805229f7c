package offline_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/offline"
)

func request(question string) llm.Request {
	return llm.Request{
		Messages: []llm.Message{{Speaker: llm.System, Content: "Answer."}, {Speaker: llm.User, Content: question}},
		Passages: []llm.Passage{
			{Number: 1, Title: "GET /orders", Text: "`GET /orders`: List orders\nNewest first.\nNeeds:\n- query limit (integer)\nReturns:\n- 200 the orders"},
			{Number: 2, Title: "POST /orders", Text: "`POST /orders`: Create an order\nFrom a cart.\nNeeds:\n- body cart_id (string, required)"},
			{Number: 3, Title: "GET /authors", Text: "`GET /authors`: List authors"},
		},
	}
}

func Example() {
	answer, err := llm.Generate(context.Background(), offline.New(), request("How do I create an order?"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(answer.Text)
	// Output:
	// No language model is configured, so this quotes the documents.
	//
	// `POST /orders`: Create an order [2]
	// - From a cart.
	// - Needs:
	// - body cart_id (string, required)
}

func TestNothingFits(t *testing.T) {
	for _, q := range []string{"What is the weather like in Paris?", "", "the of"} {
		answer, err := llm.Generate(t.Context(), offline.New(), request(q))
		require.NoError(t, err)
		require.Equal(t, "The documents do not answer this question.\n", answer.Text, q)
		require.Equal(t, llm.FinishStop, answer.FinishReason)
	}
}

func TestTheQuestionOfAPrompt(t *testing.T) {
	req := request("Documents:\nauthors authors\nQuestion: create an order")
	req.Question = "create an order"
	answer, err := llm.Generate(t.Context(), offline.New(), req)
	require.NoError(t, err)
	require.Contains(t, answer.Text, "POST /orders")
	require.NotContains(t, answer.Text, "authors")
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := llm.Generate(ctx, offline.New(), request("orders"))
	require.ErrorIs(t, err, context.Canceled)
	_, err = offline.NewEmbedder(0).Embed(ctx, []string{"x"})
	require.ErrorIs(t, err, context.Canceled)
}

func TestEmbedder(t *testing.T) {
	e := offline.NewEmbedder(0)
	texts := []string{"list user repos", "listUserRepos", "create a payment", "", "\xff\x00", "注文を作成"}
	vectors, err := e.Embed(t.Context(), texts)
	require.NoError(t, err)
	again, err := e.Embed(t.Context(), texts)
	require.NoError(t, err)
	require.Equal(t, vectors, again, "deterministic to the bit")
	cosine := func(a, b []float32) (sum float64) {
		for i := range a {
			sum += float64(a[i]) * float64(b[i])
		}
		return sum
	}
	for i, v := range vectors {
		require.Len(t, v, e.Dimensions())
		require.InDelta(t, 1, math.Sqrt(cosine(v, v)), 1e-5, texts[i])
	}
	require.Greater(t, cosine(vectors[0], vectors[1]), cosine(vectors[0], vectors[2])+0.4, "identifiers are split")
}
