package bm25_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/bm25"
)

func tokens(a bm25.Analyzer, text string) (out []string) {
	a.Tokens(text, func(token []byte) { out = append(out, string(token)) })
	return out
}

func TestStandard(t *testing.T) {
	for text, want := range map[string]string{
		"GET /v1/users/{user_id}": "get v1 users user_id",
		"a I x1 _ __":             "x1 __",
		"Größe ÜBER naïve":        "größe über naïve",
		"检索 api":                  "检索 api",
		"bad\xffbytes \x00nul":    "bad bytes nul",
	} {
		require.Equal(t, want, strings.Join(tokens(bm25.Standard(), text), " "), text)
	}
}

func TestAPI(t *testing.T) {
	for text, want := range map[string]string{
		"listUserRepos":                  "list user repo listuserrepos",
		"user_id userId user-id":         "user id userid user id userid user id userid",
		"X-API-Key":                      "api key xapikey",
		"HTTPServer parseJSON2":          "http server httpserver pars json2 parsejson2",
		"GET /v1/users/{id}/repos":       "get /v1/users/{id}/repos v1 user id repo",
		"How do I cancel my orders?":     "cancel order",
		"see https://example.com/a?b=cd": "see https exampl com examplecom cd",
		"1/2 and/or":                     "",
		"検索する":                           "検索 索す する",
	} {
		require.Equal(t, want, strings.Join(tokens(bm25.API(), text), " "), text)
	}
}

func FuzzAnalyzers(f *testing.F) {
	for _, s := range []string{"", "listUserRepos", "/v1/users/{id}", "X-API-Key: 1", "\xff\xfe\x00", "ǅ İ ẞ", "ไทย日本語", strings.Repeat("aB", 600), "a-b.c_d"} {
		f.Add(s)
	}
	word := regexp.MustCompile(`^[\p{L}\p{Nd}_]{2,}$`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, a := range []bm25.Analyzer{bm25.Standard(), bm25.API()} {
			found := tokens(a, text)
			require.Equal(t, found, tokens(a, text), "not deterministic")
			for _, token := range found {
				require.NotEmpty(t, token)
				require.LessOrEqual(t, len(token), 512)
				if a == bm25.Standard() && utf8.ValidString(text) && len(token) < 256 {
					require.Regexp(t, word, token)
				}
			}
			x := bm25.New(bm25.WithAnalyzer(a))
			x.Add(bm25.Document{ID: "a", Text: text})
			if len(found) > 0 {
				require.Len(t, x.Search(text, 1), 1, "a text finds itself")
			} else {
				require.Empty(t, x.Search(text, 1))
			}
		}
	})
}
