package httpapi

import (
	"fmt"
	"net/http"
)

func (s *api) sourceEndpoints() []endpoint {
	const tag = "sources"
	return []endpoint{
		{"GET /sources", call(s, http.StatusOK, s.listSources), about{
			id: "listSources", tag: tag, summary: "List what was uploaded",
		}},
		{"DELETE /sources/{name}", call(s, http.StatusOK, s.deleteSource), about{
			id: "deleteSource", tag: tag, summary: "Remove all documents of an upload", fails: []int{404},
		}},
	}
}

type source struct {
	Name      string `json:"name"`
	Format    string `json:"format"`
	Documents int    `json:"documents"`
}

type sourcesReply struct {
	Sources []source `json:"sources" doc:"by name"`
	Total   int      `json:"total"`
}

func (s *api) listSources(r *http.Request, _ none) (sourcesReply, error) {
	found, err := s.assistant.Corpus().Sources(r.Context())
	if err != nil {
		return sourcesReply{}, err
	}
	out := sourcesReply{Sources: make([]source, len(found)), Total: len(found)}
	for i, f := range found {
		out.Sources[i] = source(f)
	}
	return out, nil
}

type sourceName struct {
	Name string `path:"name"`
}

func (s *api) deleteSource(r *http.Request, in sourceName) (done, error) {
	n, err := s.assistant.Remove(r.Context(), in.Name)
	if err != nil {
		return done{}, err
	}
	if n == 0 {
		return done{}, notFound("nothing was uploaded under this name")
	}
	return done{true, fmt.Sprintf("removed %d documents", n)}, nil
}
