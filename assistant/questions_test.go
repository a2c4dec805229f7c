package assistant_test

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/codegen"
	"github.com/api-assistant/api-assistant/assistant/verify"
	"github.com/api-assistant/api-assistant/retriever"
	"github.com/api-assistant/api-assistant/retriever/eval"
)

// TestDevelopmentQuestions asks the development questions without a model, and
// prints how often the answer begins with an operation that is right, and with
// code that passes its check. The first citation must be right as often as the
// first hit of the retrieval.
func TestDevelopmentQuestions(t *testing.T) {
	data := filepath.Join(cmp.Or(os.Getenv("API_ASSISTANT_DATA"), "../../shared/data"), "eval")
	t.Log("questions            n  hit@1  cited first  with code  code verified  grounded  real endpoints  nothing found")
	for _, name := range []string{"restbench-tmdb", "toolalpaca", "wapiibench-slack", "socbench-pooled-1"} {
		dir := filepath.Join(data, name)
		if !eval.Exists(dir) {
			t.Skipf("the development questions are not here (set API_ASSISTANT_DATA): %s", dir)
		}
		set, err := eval.Load(dir)
		require.NoError(t, err)
		r := askAll(t, set)
		share := func(n int) float64 { return float64(n) / float64(r.n) }
		t.Logf("%-18s %3d  %.3f        %.3f      %.3f          %.3f     %.3f           %.3f          %.3f", name, r.n,
			share(r.hit1), share(r.citedFirst), share(r.code), share(r.verified), share(r.grounded), share(r.real), share(r.clean))
		assert.GreaterOrEqual(t, r.citedFirst, r.hit1, name)
		assert.Equal(t, r.code, r.verified, "%s: code that does not pass its check", name)
		assert.Equal(t, r.n, r.real, "%s: an endpoint that is not there, or a request that lacks something", name)
	}
}

// offTopic are questions that no development API answers.
var offTopic = []string{
	"What is the weather like in Paris?", "hello", "thanks a lot", "who won the world cup in 1998", "how do I bake sourdough bread",
	"write a poem about the sea", "what is the capital of France?", "explain quantum entanglement", "best restaurants near me",
	"how tall is mount everest", "translate good morning into Japanese", "fix my bicycle chain", "what's the meaning of life",
	"recommend a good pasta recipe", "who is the president of Brazil", "convert 10 miles to kilometres", "how do I train for a marathon",
	"why is the sky blue", "what time is it in Tokyo", "tell me a joke",
}

type development struct{ n, hit1, citedFirst, code, verified, grounded, real, clean int }

func askAll(t *testing.T, set eval.Set) development {
	a := newAssistant(t, assistant.Config{})
	for _, path := range set.Corpus {
		f, err := os.Open(path)
		require.NoError(t, err)
		_, err = a.Ingest(t.Context(), assistant.File{Name: filepath.Base(path), Content: f})
		require.NoError(t, f.Close())
		require.NoError(t, err)
	}
	languages := codegen.Languages()
	var r development
	count := func(n *int, yes bool) {
		if yes {
			*n++
		}
	}
	for i, q := range set.Questions {
		language := languages[i%len(languages)]
		found, err := a.Search(t.Context(), retriever.Query{Text: q.Text, K: assistant.DefaultSources})
		require.NoError(t, err)
		answer, err := a.Ask(t.Context(), assistant.Question{Text: q.Text, Language: string(language)})
		require.NoError(t, err)
		r.n++
		count(&r.hit1, len(found.Hits) > 0 && relevant(q, found.Hits[0].Metadata["endpoint"]))
		count(&r.grounded, answer.Grounded)
		right := len(answer.Citations) > 0 && relevant(q, answer.Citations[0].Title)
		count(&r.citedFirst, right)
		count(&r.real, real(answer.Verification))
		count(&r.clean, len(answer.Verification.Problems()) == 0)
		if len(answer.Code) == 0 {
			continue
		}
		count(&r.code, true)
		snippet := answer.Code[0]
		require.Equal(t, language, snippet.Language)
		count(&r.verified, snippet.Verified)
		if right {
			require.True(t, relevant(q, snippet.Endpoint), "%s: the code is for %s", q.ID, snippet.Endpoint)
			require.Contains(t, answer.Text, strings.TrimSpace(snippet.Source))
		}
	}
	away := 0
	for _, q := range offTopic {
		answer, err := a.Ask(t.Context(), assistant.Question{Text: q})
		require.NoError(t, err)
		count(&away, !answer.Grounded)
	}
	t.Logf("%s: %d of %d questions about something else are turned away", set.Name, away, len(offTopic))
	return r
}

func relevant(q eval.Question, endpoint any) bool {
	s, ok := endpoint.(string)
	return ok && q.Relevant[eval.Key(s)]
}

// real reports that every endpoint that an answer names with its method exists,
// and that its code sends what the operation needs. URLs by themselves are left
// out: documents link to pages that are no endpoints.
func real(v assistant.Verification) bool {
	for _, e := range v.Endpoints {
		if e.Method != "" && !strings.Contains(e.Mention, "://") && (e.Status == apispec.UnknownPath || e.Status == apispec.WrongMethod) {
			return false
		}
	}
	return !slices.ContainsFunc(v.Code, func(c verify.Code) bool { return len(c.Problems) > 0 })
}
