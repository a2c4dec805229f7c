package offline_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
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
	// `POST /orders`: Create an order [2]
	// - From a cart.
	// - Needs:
	// - body cart_id (string, required)
	//
	// No language model is configured, so this quotes the documents.
}

func TestNothingFits(t *testing.T) {
	for _, q := range []string{"What is the weather like in Paris?", "", "the of"} {
		answer, err := llm.Generate(t.Context(), offline.New(), request(q))
		require.NoError(t, err)
		require.Equal(t, "No language model is configured, and nothing in the documents matches the question.\n", answer.Text, q)
		require.Equal(t, llm.FinishStop, answer.FinishReason)
	}
	answer, err := llm.Generate(t.Context(), offline.New(), llm.Request{Question: "orders"})
	require.NoError(t, err)
	require.Contains(t, answer.Text, "No language model is configured")
}

func TestConformance(t *testing.T) {
	llmtest.Run(t, func(*testing.T) llm.LLM { return offline.New() })
	llmtest.RunEmbedder(t, func(*testing.T) llm.Embedder { return offline.NewEmbedder(0) })
	llmtest.RunEmbedder(t, func(*testing.T) llm.Embedder { return offline.NewEmbedder(1000) })
}

var citation = regexp.MustCompile(`\[(\d+)\]`)

// TestEveryQuotationIsCited holds each part of an answer to its passage.
func TestEveryQuotationIsCited(t *testing.T) {
	req := request("list orders and authors, create order")
	answer, err := llm.Generate(t.Context(), offline.New(), req)
	require.NoError(t, err)
	parts := strings.Split(strings.TrimSpace(answer.Text), "\n\n")
	last := len(parts) - 1
	require.Equal(t, "No language model is configured, so this quotes the documents.", parts[last])
	require.Greater(t, last, 1)
	for _, part := range parts[:last] {
		first, rest, _ := strings.Cut(part, "\n")
		m := citation.FindStringSubmatch(first)
		require.NotNil(t, m, first)
		n, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		for line := range strings.Lines(rest) {
			require.Contains(t, req.Passages[n-1].Text, strings.Trim(line, "- \n"), "word for word")
		}
	}
}

func TestMaxTokens(t *testing.T) {
	req := request("list orders, create order")
	whole, err := llm.Generate(t.Context(), offline.New(), req)
	require.NoError(t, err)
	req.MaxTokens = 1
	short, err := llm.Generate(t.Context(), offline.New(), req)
	require.NoError(t, err)
	require.Equal(t, llm.FinishLength, short.FinishReason)
	require.Less(t, len(short.Text), len(whole.Text))
	require.True(t, strings.HasPrefix(whole.Text, short.Text))
	require.Regexp(t, citation, short.Text)
}

// TestScoresDecide: where passages have scores, these say which fit best.
func TestScoresDecide(t *testing.T) {
	req := request("create an order")
	req.Passages[2].Score, req.Passages[0].Score, req.Passages[1].Score = 0.9, 0.3, 0.2
	answer, err := llm.Generate(t.Context(), offline.New(), req)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(answer.Text, "`GET /authors`: List authors [3]\n"), answer.Text)
	require.NotContains(t, answer.Text, "[1]")
	require.NotContains(t, answer.Text, "[2]")
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
	parts, err := e.Embed(t.Context(), []string{"authentication token", "authenticate", "bookshelf"})
	require.NoError(t, err)
	require.Greater(t, cosine(parts[0], parts[1]), cosine(parts[0], parts[2])+0.2, "parts of words count")
}

// TestVectorsStayTheSame pins the bits: vectors that are stored must fit those
// that are made later, on any machine. If this fails, the name must change.
func TestVectorsStayTheSame(t *testing.T) {
	e := offline.NewEmbedder(0)
	require.Equal(t, "offline-hash/1", e.Name())
	require.Equal(t, "offline-hash/1@100", offline.NewEmbedder(100).Name())
	vectors, err := e.Embed(t.Context(), []string{"GET /orders/{id}: returns the order. listUserRepos list_user_repos the the the", "注文を作成", "a b c", ""})
	require.NoError(t, err)
	h := fnv.New64a()
	for _, v := range vectors {
		require.NoError(t, binary.Write(h, binary.LittleEndian, v))
	}
	require.Equal(t, uint64(0xbaee84fd71883aa0), h.Sum64())
}

func BenchmarkEmbed(b *testing.B) {
	e := offline.NewEmbedder(0)
	text := []string{"GET /orders/{id}: returns the order. Needs path id (string, required), query expand (string): comma separated fields to expand. Returns 200 the order, 404 there is no such order, 401 the credentials are missing. listUserRepos"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Embed(b.Context(), text); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzAnswer asks anything of any passage: the answer is valid UTF-8 if the
// passage is, bounded, and the vectors are unit vectors.
func FuzzAnswer(f *testing.F) {
	f.Add("orders", "GET /orders", "`GET /orders`: lists orders\n- a\n  - b required")
	f.Add("", "", "\xff\x00")
	f.Add("x", "**", strings.Repeat("x y", 1000))
	f.Fuzz(func(t *testing.T, question, title, text string) {
		answer, err := llm.Generate(t.Context(), offline.New(), llm.Request{Question: question, Passages: []llm.Passage{{Number: 1, Title: title, Text: text}}})
		require.NoError(t, err)
		require.Contains(t, answer.Text, "No language model is configured")
		require.Less(t, len(answer.Text), 20*400+len(title))
		if utf8.ValidString(title + text) {
			require.True(t, utf8.ValidString(answer.Text))
		}
		vectors, err := offline.NewEmbedder(16).Embed(t.Context(), []string{text})
		require.NoError(t, err)
		var sum float64
		for _, x := range vectors[0] {
			sum += float64(x) * float64(x)
		}
		require.InDelta(t, 1, math.Sqrt(sum), 1e-5)
	})
}
