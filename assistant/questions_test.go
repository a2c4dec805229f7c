package assistant_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/assistant/codegen"
	"github.com/api-assistant/api-assistant/retriever"
	"github.com/api-assistant/api-assistant/retriever/eval"
)

// TestDevelopmentQuestions asks the development questions without a model, and
// prints how often the answer begins with an operation that is right, and with
// code that passes its check. The first citation must be right as often as the
// first hit of the retrieval.
func TestDevelopmentQuestions(t *testing.T) {
	data := filepath.Join(cmp.Or(os.Getenv("API_ASSISTANT_DATA"), "../../shared/data"), "eval")
	table := tabwriter.NewWriter(t.Output(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "questions\tn\thit@1\tcited first\twith code\tcode verified\tgrounded\tendpoints ok")
	for _, name := range []string{"restbench-tmdb", "toolalpaca", "wapiibench-slack", "socbench-pooled-1"} {
		dir := filepath.Join(data, name)
		if !eval.Exists(dir) {
			t.Skipf("the development questions are not here (set API_ASSISTANT_DATA): %s", dir)
		}
		set, err := eval.Load(dir)
		require.NoError(t, err)
		r := askAll(t, set)
		share := func(n int) float64 { return float64(n) / float64(r.n) }
		fmt.Fprintf(table, "%s\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\n", name, r.n,
			share(r.hit1), share(r.citedFirst), share(r.code), share(r.verified), share(r.grounded), share(r.allOK))
		require.NoError(t, table.Flush())
		assert.GreaterOrEqual(t, r.citedFirst, r.hit1, name)
		assert.Equal(t, r.code, r.verified, "%s: code that does not pass its check", name)
		assert.Equal(t, r.n, r.allOK, "%s: a quotation names an endpoint that is not there", name)
	}
}

type development struct{ n, hit1, citedFirst, code, verified, grounded, allOK int }

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
		count(&r.allOK, allOK(answer.Verification))
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
	return r
}

func relevant(q eval.Question, endpoint any) bool {
	s, ok := endpoint.(string)
	return ok && q.Relevant[eval.Key(s)]
}

func allOK(v assistant.Verification) bool {
	for _, e := range v.Endpoints {
		if e.Method != "" && (e.Status == "unknown_path" || e.Status == "wrong_method") {
			return false
		}
	}
	return true
}
