package httpapi

import (
	"net/http"
	"reflect"
)

// endpoint is a line of the table: a pattern, who answers, and what
// /openapi.json and /docs say of it.
type endpoint struct {
	pattern string // as ServeMux takes it: "POST /search"
	answer  answer
	about   about
}

// about describes an endpoint in words.
type about struct {
	id      string // unique
	tag     string // resource
	summary string // a few words
	text    string // what else a caller should know
	request string // example body, JSON
	fails   []int  // statuses of errors beside those that every endpoint or every input has
	open    bool   // needs no key
}

// answer is a handler, with the types of what it reads and writes.
type answer struct {
	serve  handler
	status int               // of success
	also   int               // another status with the same body; 0: none
	in     reflect.Type      // struct of path, query and body; nil: nothing
	query  reflect.Type      // struct of the query, where it is not in in
	takes  []string          // media types of the body; nil: JSON
	out    reflect.Type      // JSON; nil: only what media says
	media  map[string]string // what else may come back: a description by media type
}

// none is the input of an endpoint that reads nothing.
type none struct{}

// call is the answer that most endpoints give: decode an In, call, encode an
// Out.
func call[In, Out any](s *api, status int, do func(*http.Request, In) (Out, error)) answer {
	return answer{status: status, in: reflect.TypeFor[In](), out: reflect.TypeFor[Out](),
		serve: func(w http.ResponseWriter, r *http.Request) error {
			var in In
			if err := s.read(w, r, &in); err != nil {
				return err
			}
			out, err := do(r, in)
			if err != nil {
				return err
			}
			s.reply(w, r, status, out)
			return nil
		}}
}
