package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// handler answers a request, or returns the error to answer with.
type handler func(w http.ResponseWriter, r *http.Request) error

// router is a ServeMux whose own answers (404, 405) have our error shape.
type router struct {
	mux *http.ServeMux
	api *api
}

func newRouter(s *api) *router {
	rt := &router{mux: http.NewServeMux(), api: s}
	rt.mux.HandleFunc("/", rt.nothing)
	return rt
}

// handle registers a pattern such as "GET /health".
func (rt *router) handle(pattern string, h handler) {
	rt.mount(Route{Pattern: pattern, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			rt.api.fail(w, r, err)
		}
	})})
}

// mount registers a route, with what is measured around it.
func (rt *router) mount(route Route) {
	rt.mux.HandleFunc(route.Pattern, func(w http.ResponseWriter, r *http.Request) {
		observed := observationOf(r)
		observed.route = route.Pattern
		ctx, span := rt.span(r, route.Pattern)
		defer func() {
			span.SetAttributes(attribute.Int("http.response.status_code", observed.status()))
			if observed.status() >= 500 {
				span.SetStatus(codes.Error, "")
			}
			span.End()
		}()
		route.Handler.ServeHTTP(w, r.WithContext(ctx))
	})
}

// span starts the span of a request, below the caller's where there is one.
func (rt *router) span(r *http.Request, pattern string) (context.Context, trace.Span) {
	parent := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	return rt.api.tracer.Start(parent, pattern, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("http.request.method", r.Method), attribute.String("http.route", pattern)))
}

// ServeHTTP finds the handler of a request.
func (rt *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if unclean(r.URL) {
		rt.api.fail(w, r, errNoPath)
		return
	}
	rt.mux.ServeHTTP(w, r)
}

var errNoPath = notFound("there is nothing at this path")

// methods are those that a path is asked about.
var methods = []string{http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodPatch, http.MethodPost, http.MethodPut}

// nothing answers for a path that no route has, or not with this method.
func (rt *router) nothing(w http.ResponseWriter, r *http.Request) {
	var allow []string
	for _, method := range methods {
		other := http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := rt.mux.Handler(&other); pattern != "/" {
			allow = append(allow, method)
		}
	}
	if allow == nil {
		rt.api.fail(w, r, errNoPath)
		return
	}
	list := strings.Join(allow, ", ")
	rt.api.fail(w, r, &problem{status: http.StatusMethodNotAllowed, code: CodeMethodNotAllowed,
		message: "this path answers " + list, header: http.Header{"Allow": {list}}})
}

// unclean reports whether ServeMux would answer with a redirect to a cleaner
// path, which is neither JSON nor safe for a POST. ServeMux looks at the path as
// it came, so that an id may have an escaped slash.
func unclean(u *url.URL) bool {
	path := u.EscapedPath()
	return strings.Contains(path, "//") || strings.Contains(path, "/./") || strings.Contains(path, "/../") ||
		strings.HasSuffix(path, "/.") || strings.HasSuffix(path, "/..") || !strings.HasPrefix(path, "/")
}
