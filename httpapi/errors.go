package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/api-assistant/api-assistant/assistant"
	"github.com/api-assistant/api-assistant/assistant/ingest"
	"github.com/api-assistant/api-assistant/assistant/session"
	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/retriever"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// Code is the stable name of a kind of error, the "error" of an error body.
type Code string

// The codes and the statuses that they come with.
const (
	CodeBadRequest       Code = "bad_request"            // 400: the request cannot be read
	CodeUnauthorized     Code = "unauthorized"           // 401, with WWW-Authenticate; from the middleware
	CodeNotFound         Code = "not_found"              // 404
	CodeMethodNotAllowed Code = "method_not_allowed"     // 405, with Allow
	CodeConflict         Code = "conflict"               // 409: not in this state, or not the only one
	CodeTooLarge         Code = "too_large"              // 413; the message says the limit
	CodeUnsupportedMedia Code = "unsupported_media_type" // 415
	CodeValidation       Code = "validation_failed"      // 422; detail.errors says where
	CodeUnreadable       Code = "unreadable_document"    // 422; detail says file and place
	CodeRateLimited      Code = "rate_limited"           // 429, with Retry-After; from the middleware
	CodeInternal         Code = "internal_error"         // 500
	CodeUpstream         Code = "upstream_failed"        // 502: the model failed
	CodeNotReady         Code = "not_ready"              // 503
	CodeUpstreamTimeout  Code = "upstream_timeout"       // 504: the model took too long
)

// problem is an error that knows its answer.
type problem struct {
	status  int
	code    Code
	message string
	detail  any
	header  http.Header
}

func (p *problem) Error() string { return p.message }

// invalid is one place in a request that is wrong.
type invalid struct {
	Loc  []any  `json:"loc"`  // from "body", "query" or "path" inwards: names, and positions in lists
	Type string `json:"type"` // stable: type, too_short, too_long, too_small, too_large, enum, filter …
	Msg  string `json:"msg"`
}

func validationError(errs ...invalid) *problem {
	message := errs[0].Msg
	if loc := errs[0].Loc; len(loc) > 0 {
		join := ": "
		if first, _, _ := strings.Cut(message, " "); first == "must" || first == "is" || first == "has" {
			join = " "
		}
		message = fmt.Sprintf("%v%s%s", loc[len(loc)-1], join, message)
	}
	return &problem{status: http.StatusUnprocessableEntity, code: CodeValidation, message: message,
		detail: map[string]any{"errors": errs}}
}

func badRequest(format string, args ...any) *problem {
	return &problem{status: http.StatusBadRequest, code: CodeBadRequest, message: fmt.Sprintf(format, args...)}
}

func notFound(message string) *problem {
	return &problem{status: http.StatusNotFound, code: CodeNotFound, message: message}
}

func conflict(message string, detail any) *problem {
	return &problem{status: http.StatusConflict, code: CodeConflict, message: message, detail: detail}
}

func tooLarge(format string, args ...any) *problem {
	return &problem{status: http.StatusRequestEntityTooLarge, code: CodeTooLarge, message: fmt.Sprintf(format, args...)}
}

// statusClientClosed is what logs show for a request whose client went away;
// nobody reads it.
const statusClientClosed = 499

// explain turns an error of the packages below into an answer. What it does not
// know is an internal error, whose text stays in the log.
func explain(err error) *problem {
	var (
		p         *problem
		tooMany   *http.MaxBytesError
		file      *ingest.Error
		setting   *session.FieldError
		modelFail *llm.Error
	)
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &tooMany):
		return tooLarge("the request body is larger than %d bytes", tooMany.Limit)
	case errors.As(err, &file):
		return unreadable(file)
	case errors.As(err, &setting):
		return sessionField(setting)
	case errors.Is(err, session.ErrNotFound):
		return notFound("there is no session with this id")
	case errors.Is(err, session.ErrExpired):
		return conflict("the session has expired; activate it, or start another", nil)
	case errors.Is(err, session.ErrHistoryFull):
		return conflict("the conversation is full; clear its messages, or start another session", nil)
	case errors.Is(err, session.ErrTooManySessions):
		return conflict("there are too many sessions; delete some", nil)
	case isAny(err, invalidInput):
		return &problem{status: http.StatusUnprocessableEntity, code: CodeValidation, message: reason(err)}
	case errors.Is(err, context.Canceled), errors.Is(err, errGone):
		return &problem{status: statusClientClosed, code: CodeBadRequest, message: "the client went away"}
	case errors.As(err, &modelFail):
		return modelProblem(modelFail)
	case errors.Is(err, context.DeadlineExceeded):
		return &problem{status: http.StatusGatewayTimeout, code: CodeUpstreamTimeout, message: "the answer took too long"}
	case errors.Is(err, vectorstore.ErrUnavailable), errors.Is(err, vectorstore.ErrClosed), errors.Is(err, session.ErrClosed):
		return &problem{status: http.StatusServiceUnavailable, code: CodeNotReady, message: "the document store is not available at the moment"}
	}
	return &problem{status: http.StatusInternalServerError, code: CodeInternal, message: "an internal error occurred; the log has the details under this request id"}
}

// invalidInput are the errors of the packages below that say what is wrong with
// an input.
var invalidInput = []error{retriever.ErrQuery, retriever.ErrNoVectors, assistant.ErrQuestion, vectorstore.ErrInvalid}

func isAny(err error, of []error) bool {
	return slices.ContainsFunc(of, func(target error) bool { return errors.Is(err, target) })
}

// reason is what one of invalidInput says, without the words for programmers
// before it: "retriever: invalid query: the text is empty".
func reason(err error) string {
	text := err.Error()
	for _, known := range invalidInput {
		if _, after, found := strings.Cut(text, known.Error()+": "); found {
			return after
		}
	}
	return text[strings.Index(text, ": ")+1:]
}

// sessionField answers for a value that the session store refuses.
func sessionField(e *session.FieldError) *problem {
	loc := []any{"body"}
	for part := range strings.SplitSeq(e.Field, ".") {
		loc = append(loc, part)
	}
	return validationError(invalid{Loc: loc, Type: "session", Msg: e.Problem})
}

// unreadable answers for a file that could not be parsed.
func unreadable(e *ingest.Error) *problem {
	p := &problem{status: http.StatusUnprocessableEntity, code: CodeUnreadable, message: e.Error(),
		detail: map[string]any{"file": e.File, "line": e.Line, "column": e.Column, "pointer": e.Pointer}}
	if errors.Is(e, ingest.ErrTooLarge) {
		p.status, p.code = http.StatusRequestEntityTooLarge, CodeTooLarge
	}
	return p
}

func modelProblem(e *llm.Error) *problem {
	p := &problem{status: http.StatusBadGateway, code: CodeUpstream, message: "the language model failed; try again later"}
	if errors.Is(e, llm.ErrTimeout) {
		p.status, p.code, p.message = http.StatusGatewayTimeout, CodeUpstreamTimeout, "the language model took too long"
	}
	if e.RetryAfter > 0 {
		seconds := int64((e.RetryAfter + time.Second - 1) / time.Second)
		p.header = http.Header{"Retry-After": {strconv.FormatInt(seconds, 10)}}
	}
	return p
}

// errorBody is the one shape of all errors.
type errorBody struct {
	Error     Code   `json:"error"`
	Message   string `json:"message"`
	Detail    any    `json:"detail"`
	RequestID string `json:"request_id"`
}
