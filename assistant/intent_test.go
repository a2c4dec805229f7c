package assistant_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/assistant/codegen"
	"github.com/api-assistant/api-assistant/examples/sample"
	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/llm/llmtest"
)

// The budget of TestClassify: how many of a hundred may be wrong.
const wrongIntents = 5

var labelled = map[assistant.Intent][]string{
	assistant.EndpointLookup: {
		"How do I create an order?", "Which endpoint lists all customers?", "Is there a way to cancel a shipment?", "list the reviews of a book",
		"Can I delete a user by email?", "What is the endpoint for refunds?", "How can we upload a picture to a product?", "GET /orders/{id} parameters?",
		"I want to search books by author", "Which API call returns the current balance?", "Where do I post a new comment?", "Update the shipping address of an order",
		"how to archive a channel", "Is there an endpoint that merges two accounts?", "What parameters does listing invoices take?", "Retrieve the details of the subscription sub_123",
		"I need to know how to invite somebody to a workspace", "Which mutation closes an issue?", "Find movies that are similar to Titanic", "please remove the tag from the ticket",
		"How do I get the list of payments for a customer?", "what method do I use to mark a task as done?", "Send a message to a channel", "Is it possible to reopen a closed issue?",
	},
	assistant.CodeGeneration: {
		"Write Python code that creates an order", "Show me a curl example for listing books", "Give me a JavaScript snippet to upload a file", "How do I cancel an order in Go?",
		"Generate a TypeScript function that fetches a user", "curl for POST /orders", "I need a Java client for the payments endpoint", "Can you give me a code sample for paging through orders?",
		"C# code to delete a customer", "example request for creating a refund", "How would I call GET /books with PHP?", "Write a script to export all invoices",
		"list all repositories using ruby", "in rust, how do I send a message?", "Provide a bash command to search books", "show code that uploads an avatar with node.js",
		"python example: add a review", "Write a function to get a book by ISBN",
	},
	assistant.SchemaExplanation: {
		"What fields does an Order have?", "Explain the schema of the Customer object", "What does the response body look like when I list books?", "Which properties are required in the Payment object?",
		"What type is the price field?", "What are the possible values of the order status?", "Describe the structure of a webhook payload", "What is the format of the created_at field?",
		"Which attributes are returned for a user?", "What does the Book model contain?", "What is in the request body of POST /orders?", "Show me the schema for an invoice",
		"Which values can the genre enum take?", "What data type does quantity have?",
	},
	assistant.Authentication: {
		"How do I authenticate?", "Where do I get an API key?", "Which OAuth scopes do I need to write orders?", "What header carries the access token?",
		"Why do I get a 401 from GET /orders?", "How long is a bearer token valid and how do I refresh it?", "Does the API support OAuth 2?", "How are requests authorized?",
		"How do I log in to the API?", "Which permissions do I need to delete a customer?", "How do I pass my key?", "What is the token URL for client credentials?",
	},
	assistant.DocumentationGap: {
		"Which endpoints have no description?", "What is missing from the documentation?", "Are there undocumented parameters?", "Find gaps in our API docs",
		"Which operations lack error responses?", "Is anything not documented in the orders API?", "Which endpoints are without examples?", "Where is the specification incomplete?",
		"Which parameters have unclear descriptions?", "Report documentation quality issues",
	},
	assistant.GeneralQuestion: {
		"What is this API?", "Hello", "Give me an overview", "What is the rate limit?", "How does paging work?", "Explain idempotency", "thanks!",
		"What is the difference between an order and an invoice?", "Who maintains this service?", "Why are prices in cents?", "What versions are there?",
		"How do webhooks work?", "What does idempotent mean?", "Tell me about the bookshop", "When should I use webhooks?", "Summarise the payment flow",
	},
}

func TestClassify(t *testing.T) {
	total, wrong := 0, 0
	for want, questions := range labelled {
		for _, q := range questions {
			total++
			got := assistant.Classify(q)
			require.True(t, got.Confidence >= 0 && got.Confidence <= 1, q)
			if got.Intent != want {
				wrong++
				t.Logf("%s instead of %s (%.2f): %s", got.Intent, want, got.Confidence, q)
			}
		}
	}
	t.Logf("%d of %d right", total-wrong, total)
	require.GreaterOrEqual(t, total, 80)
	require.LessOrEqual(t, wrong*100, wrongIntents*total, "the accuracy budget")
}

func TestAskedLanguage(t *testing.T) {
	for question, want := range map[string]codegen.Language{
		"How do I cancel an order in Go?":        codegen.Go,
		"show it using golang":                   codegen.Go,
		"How do I go about listing orders?":      "",
		"where does the money go":                "",
		"which endpoint do I go to for refunds?": "",
		"things to go on with":                   "",
		"in python please":                       codegen.Python,
		"Python example":                         codegen.Python,
		"a py script":                            codegen.Python,
		"with curl":                              codegen.Curl,
		"as a curl command":                      codegen.Curl,
		"from the command line":                  "",
		"using the command line":                 codegen.Curl,
		"call it with axios":                     codegen.JavaScript,
		"in Node.js":                             codegen.JavaScript,
		"delete a node":                          "",
		"list the endpoints for node":            "",
		"TypeScript client":                      codegen.TypeScript,
		"in C#":                                  codegen.CSharp,
		"in C#, please":                          codegen.CSharp,
		".NET code":                              codegen.CSharp,
		"java?":                                  codegen.Java,
		"in JavaScript, not Java":                codegen.JavaScript,
		"the price of java beans":                "",
		"find ruby rings":                        "",
		"write it in Ruby":                       codegen.Ruby,
		"a rust version":                         codegen.Rust,
		"PHP":                                    codegen.PHP,
		"what does it cost to go to Paris?":      "",
		"List orders.":                           "",
		"How do I search for a book in Python's genre?": "",
		"bash script for exporting invoices":            codegen.Curl,
	} {
		require.Equal(t, want, assistant.Classify(question).Language, question)
	}
}

// TestAskIntent: a model decides what the rules cannot, and only then.
func TestAskIntent(t *testing.T) {
	model := llmtest.NewModel(llmtest.Say("`schema_explanation`\n"), llmtest.Say("ok"))
	a := newAssistant(t, assistant.Config{LLM: model, AskIntent: true})
	ingestSample(t, a)
	answer, err := a.Ask(t.Context(), assistant.Question{Text: "orders"})
	require.NoError(t, err)
	require.Equal(t, assistant.SchemaExplanation, answer.Intent)
	require.Len(t, model.Calls(), 2)

	_, err = a.Ask(t.Context(), assistant.Question{Text: "Which endpoint lists orders?"})
	require.NoError(t, err)
	require.Len(t, model.Calls(), 3, "the rules are sure")

	model = llmtest.NewModel(llmtest.Say("I would say that it is about lookups"), llmtest.Say("ok"))
	a = newAssistant(t, assistant.Config{LLM: model, AskIntent: true})
	ingestSample(t, a)
	answer, err = a.Ask(t.Context(), assistant.Question{Text: "orders"})
	require.NoError(t, err)
	require.Equal(t, assistant.GeneralQuestion, answer.Intent, "a model that does not answer the question decides nothing")
}

func FuzzClassify(f *testing.F) {
	for _, questions := range labelled {
		f.Add(questions[0], sample.BookshopName)
	}
	f.Fuzz(func(t *testing.T, question, before string) {
		c := assistant.Classify(question)
		require.NotEmpty(t, c.Intent)
		require.True(t, c.Confidence >= 0 && c.Confidence <= 1)
		require.Equal(t, question, assistant.Standalone(nil, question))
		history := []llm.Message{{Speaker: llm.User, Content: before}, {Speaker: llm.Assistant, Content: before}}
		require.LessOrEqual(t, len(assistant.Standalone(history, question)), 2*len(question)+3*len(before)+8, "nothing is added but what was said")
	})
}
