package assistant_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/llm"
)

// TestStandalone: a conversation is questions and answers by turns, the last is
// the question. want are words that the search must have, not those that it must
// not have.
func TestStandalone(t *testing.T) {
	const placed, listed, credits = "Use `POST /orders` [1].", "Call **GET** `/orders` [1].", "`GET /movie/{movie_id}/credits` [2] lists them."
	tests := []struct {
		turns     []string
		want, not string
	}{
		{[]string{"How do I create an order?", placed, "and how do I delete it?"}, "delete order orders", "create post"},
		{[]string{"How do I create an order?", placed, "How do I cancel it?"}, "cancel order", "create"},
		{[]string{"How do I create an order?", placed, "what does it return?"}, "order POST /orders return", ""},
		{[]string{"How do I create an order?", placed, "Which parameters does it take?"}, "parameters order POST /orders", ""},
		{[]string{"How do I create an order?", placed, "is it idempotent?"}, "idempotent order POST /orders", ""},
		{[]string{"How do I create an order?", placed, "same in python"}, "create order python POST /orders", ""},
		{[]string{"How do I create an order in Go?", placed, "and in Ruby?"}, "create order Ruby POST", "go"},
		{[]string{"How do I create an order in Go?", placed, "python?"}, "create order python", "go"},
		{[]string{"How do I create an order?", placed, "can I have the python version?"}, "order python POST", ""},
		{[]string{"How do I create an order?", placed, "show me the same with curl"}, "order curl", ""},
		{[]string{"How do I list orders?", listed, "what about pagination?"}, "list orders pagination", ""},
		{[]string{"How do I list orders?", listed, "and for a specific user?"}, "list orders user", ""},
		{[]string{"How do I list orders?", listed, "only the open ones"}, "list orders open", ""},
		{[]string{"How do I list orders?", listed, "sorted by date"}, "list orders sorted date", ""},
		{[]string{"How do I list orders?", listed, "what about customers?"}, "list customers", ""},
		{[]string{"How do I list orders?", listed, "and how do I filter them by status?"}, "filter orders status", "list"},
		{[]string{"How do I list orders?", listed, "How can I sort these?"}, "sort orders", "list"},
		{[]string{"How do I list orders?", listed, "with a limit of 10?"}, "orders limit", ""},
		{[]string{"How do I list orders?", listed, "How do I update one?"}, "update order", "list"},
		{[]string{"How do I list orders?", listed, "how do I get a specific one?"}, "orders", ""},
		{[]string{"How do I list orders?", listed, "what errors?"}, "orders errors", ""},
		{[]string{"How do I list orders?", listed, "which headers?"}, "orders headers", ""},
		{[]string{"get the credits of a movie", credits, "does this endpoint need a token?"}, "token credits movie GET /movie/{movie_id}/credits", ""},
		{[]string{"get the credits of a movie", credits, "what about its reviews?"}, "reviews movie", ""},
		{[]string{"get the credits of a movie", credits, "and of a tv show?"}, "credits tv show", ""},
		{[]string{"How do I upload a picture?", "`POST /pictures` [1]", "how large may it be?"}, "large picture pictures", ""},
		{[]string{"How do I create a customer?", "`POST /customers` [1]", "and how do I delete it?", "`DELETE /customers/{id}` [1]", "and in python?"}, "delete customer python DELETE /customers/{id}", "create"},
		{[]string{"How do I create a customer?", "`POST /customers` [1]", "and update them?", "`PATCH /customers/{id}` [1]", "which fields does it need?"}, "customer fields PATCH", "create"},
		{[]string{"How do I invite a user to a channel?", "`POST /conversations.invite` [1]", "and how do I remove them?"}, "remove user channel", "invite me"},
		{[]string{"Show me the schema of Order", "It has … [1]", "which of those fields are required?"}, "Order fields required", ""},
		// These stand by themselves, and nothing is added.
		{[]string{"How do I create an order?", placed, "How do I list customers?"}, "=", ""},
		{[]string{"How do I create an order?", placed, "and how do I list customers?"}, "=", ""},
		{[]string{"How do I create an order?", placed, "How do I create a review and publish it?"}, "=", ""},
		{[]string{"How do I create an order?", placed, "Is it possible to search books by author?"}, "=", ""},
		{[]string{"How do I create an order?", placed, "List the books that cost less than ten euros"}, "=", ""},
		{[]string{"How do I create an order?", placed, "What is the rate limit?"}, "=", ""},
		{[]string{"How do I create an order?", placed, "Which endpoint deletes a payment method?"}, "=", ""},
		{[]string{"How do I create an order?", placed, "Is there an endpoint that lists invoices?"}, "=", ""},
		{[]string{"How do I create an order?", placed, "What does GET /books return?"}, "=", ""},
		{[]string{"How do I create an order?", placed, "How do I authenticate?"}, "=", ""},
		{[]string{"How do I create an order?", placed, "thanks!"}, "=", ""},
		{[]string{"How do I create an order?", placed, "Write Python code that lists all books"}, "=", ""},
		{[]string{"How do I create an order?", placed, "Now show me how to upload a picture"}, "=", ""},
		{[]string{"How do I create an order?", placed, "Who directed the top-rated movie?"}, "=", ""},
		{[]string{"How do I create an order?", placed, "Can I get the logo of a company if I know its name?"}, "=", ""},
		{[]string{"and how do I delete it?"}, "=", ""},
		{[]string{"what about pagination?"}, "=", ""},
	}
	require.GreaterOrEqual(t, len(tests), 40)
	for _, tt := range tests {
		question := tt.turns[len(tt.turns)-1]
		var history []llm.Message
		for i, turn := range tt.turns[:len(tt.turns)-1] {
			history = append(history, llm.Message{Speaker: []llm.Speaker{llm.User, llm.Assistant}[i%2], Content: turn})
		}
		got := assistant.Standalone(history, question)
		if tt.want == "=" {
			assert.Equal(t, question, got, tt.turns[0])
			continue
		}
		has := strings.Fields(strings.ToLower(got))
		for _, w := range strings.Fields(strings.ToLower(tt.want)) {
			assert.True(t, hasWord(has, w), "%q lacks %q after %q", got, w, tt.turns)
		}
		for _, w := range strings.Fields(strings.ToLower(tt.not)) {
			assert.False(t, hasWord(has, w), "%q has %q after %q", got, w, tt.turns)
		}
	}
}

// hasWord finds a word in singular or plural.
func hasWord(words []string, want string) bool {
	for _, w := range words {
		w = strings.Trim(w, "?!.,")
		if w == want || w == want+"s" || w+"s" == want {
			return true
		}
	}
	return false
}

// TestFollowUp: the search gets the completed question, the model the one that
// was asked.
func TestFollowUp(t *testing.T) {
	a := newAssistant(t, assistant.Config{})
	ingestSample(t, a)
	first, err := a.Ask(t.Context(), assistant.Question{Text: "How do I place an order?"})
	require.NoError(t, err)
	require.Equal(t, "POST /orders", first.Citations[0].Title)
	history := []llm.Message{{Speaker: llm.User, Content: "How do I place an order?"}, {Speaker: llm.Assistant, Content: first.Text}}
	for question, want := range map[string]string{"And how do I cancel it?": "DELETE /orders/{order_id}", "same in python": "POST /orders"} {
		answer, err := a.Ask(t.Context(), assistant.Question{Text: question, History: history})
		require.NoError(t, err)
		require.Equal(t, want, answer.Citations[0].Title, answer.Query)
		require.NotEqual(t, question, answer.Query)
	}
}
