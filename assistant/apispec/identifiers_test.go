package apispec_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

func TestNeeds(t *testing.T) {
	for path, want := range map[string][]string{
		"/person/{person_id}/credits":       {"person"},
		"/users/{id}":                       {"users"},
		"/a/{accountId}/b/{orderID}":        {"account", "order"},
		"/tv/{tv_id}/season/{number}":       {"tv"},
		"/posts/{slug}":                     {"posts"},
		"/orders":                           nil,
		"/{id}":                             nil,
		"/grid/{grid}/void/{void}/{liquid}": nil,
	} {
		o := apispec.Operation{Method: "GET", Path: path}
		require.Equal(t, want, o.Needs(), path)
	}
	o := apispec.Operation{Method: "GET", Path: "/search", Parameters: []apispec.Parameter{
		{Name: "teamId", In: "query", Required: true}, {Name: "channel_id", In: "query"}, {Name: "id", In: "query", Required: true}}}
	require.Equal(t, []string{"team"}, o.Needs())
}

func TestYields(t *testing.T) {
	object := func(names ...string) *apispec.Schema {
		s := &apispec.Schema{Types: []string{"object"}}
		for _, n := range names {
			s.Properties = append(s.Properties, apispec.Property{Name: n, Schema: &apispec.Schema{Types: []string{"string"}}})
		}
		return s
	}
	list := object("total")
	list.Properties = append(list.Properties, apispec.Property{Name: "results", Schema: &apispec.Schema{Items: object("id", "studio_id", "genre_ids")}})
	respond := func(status string, s *apispec.Schema) []apispec.Response {
		return []apispec.Response{{Status: status, Content: []apispec.Media{{Type: "application/json", Schema: s}}}}
	}
	search := apispec.Operation{Kind: apispec.HTTP, Method: "GET", Path: "/search/movie", Responses: respond("200", list)}
	require.Equal(t, []string{"studio", "genre", "search", "movie"}, search.Yields())
	one := apispec.Operation{Kind: apispec.HTTP, Method: "GET", Path: "/movie/{movie_id}", Responses: respond("200", list)}
	require.Equal(t, []string{"studio", "genre"}, one.Yields(), "what it needs, it does not yield")
	genres := object()
	genres.Properties = []apispec.Property{{Name: "genres", Schema: &apispec.Schema{Items: object("id", "name")}}}
	named := apispec.Operation{Kind: apispec.HTTP, Method: "GET", Path: "/genre/movie/list", Responses: respond("200", genres)}
	require.Equal(t, []string{"genres"}, named.Yields())
	search.Method = "POST"
	require.Empty(t, search.Yields())
	failed := apispec.Operation{Kind: apispec.HTTP, Method: "GET", Path: "/a", Responses: respond("404", list)}
	require.Empty(t, failed.Yields())
}
