package qdrant

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	qc "github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/api-assistant/api-assistant/vectorstore"
)

var (
	// ErrKey: the server refused the API key, or wants one.
	ErrKey = errors.New("qdrant: the server refused the API key")
	// ErrPartial: a batch failed, and undoing what had been sent of it failed too,
	// so that a part of it may be stored. Repeating the call completes it.
	ErrPartial = errors.New("qdrant: a part of the batch may be stored; repeat the call to complete it")
)

// Error is a request that the server did not answer as wished. errors.Is finds
// vectorstore.ErrUnavailable, vectorstore.ErrEmbedder and ErrKey behind it, and
// the context's error if the caller's context ended.
type Error struct {
	Op         string     // "search", "upsert", …
	Collection string     // as configured
	Code       codes.Code // of gRPC
	// RetryAfter is when an overloaded server wants to be asked again; 0 if it did
	// not say.
	RetryAfter time.Duration
	Message    string // the server's, without secrets
	Hint       string // what to do about it; may be empty
	kind       error  // a sentinel, or nil
}

func (e *Error) Error() string {
	s := fmt.Sprintf("qdrant: %s in collection %q: %s (%s)", e.Op, e.Collection, e.Message, e.Code)
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Unwrap returns the sentinel behind the error, if there is one.
func (e *Error) Unwrap() error { return e.kind }

// Bounds of the wait between two attempts.
const (
	maxBackoff    = 5 * time.Second
	maxRetryAfter = 30 * time.Second
)

// call makes a request, again while it fails for a reason that may pass. Every
// request that this package makes may be repeated.
func (s *Store) call(ctx context.Context, op string, request func(context.Context) error) error {
	for attempt := 1; ; attempt++ {
		if err := s.usable(ctx); err != nil {
			return err
		}
		err := s.attempt(ctx, op, request)
		if err == nil {
			return nil
		}
		wait, again := s.backoff(err, attempt)
		if deadline, ok := ctx.Deadline(); !again || ok && time.Until(deadline) <= wait {
			return err
		}
		s.cfg.Logger.WarnContext(ctx, "qdrant: trying again", "op", op, "attempt", attempt, "wait", wait, "error", err)
		if s.pause(ctx, wait) != nil {
			return ctx.Err()
		}
	}
}

// attempt makes a request once.
func (s *Store) attempt(ctx context.Context, op string, request func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	err := request(bounded)
	switch {
	case err == nil:
		return nil
	case s.closed.Load():
		return vectorstore.ErrClosed
	case ctx.Err() != nil:
		return fmt.Errorf("qdrant: %s: %w", op, ctx.Err())
	}
	return s.explain(op, err)
}

// backoff returns how long to wait before the next attempt, if there should be
// one.
func (s *Store) backoff(err error, attempt int) (time.Duration, bool) {
	var e *Error
	if !errors.As(err, &e) || !errors.Is(e, vectorstore.ErrUnavailable) || attempt >= s.cfg.Attempts {
		return 0, false
	}
	if e.RetryAfter > 0 {
		return e.RetryAfter, e.RetryAfter <= maxRetryAfter
	}
	wait := min(maxBackoff, s.cfg.Backoff<<min(attempt-1, 16))
	return wait/2 + rand.N(wait/2+1), true // so that replicas do not come back all at once
}

// explain makes an Error of what gRPC returned.
func (s *Store) explain(op string, err error) *Error {
	st := status.Convert(err)
	e := &Error{Op: op, Collection: s.cfg.Collection, Code: st.Code(), Message: st.Message()}
	var limited *qc.QdrantResourceExhaustedError
	if errors.As(err, &limited) {
		e.Code, e.Message, e.RetryAfter = codes.ResourceExhausted, limited.Reason, time.Duration(limited.RetryAfterS)*time.Second
	}
	if s.cfg.APIKey != "" {
		e.Message = strings.ReplaceAll(e.Message, s.cfg.APIKey, "[key]")
	}
	switch e.Code {
	case codes.Unavailable:
		e.kind = vectorstore.ErrUnavailable
		a, _ := parseURL(s.cfg.URL) // checked when the store was opened
		e.Hint = fmt.Sprintf("is Qdrant running, with gRPC on %s?", a)
	case codes.DeadlineExceeded:
		e.kind = errors.Join(vectorstore.ErrUnavailable, context.DeadlineExceeded)
		e.Hint = fmt.Sprintf("it did not answer within %s", s.cfg.Timeout)
	case codes.ResourceExhausted:
		if !strings.Contains(e.Message, "larger than max") { // said by gRPC on this side: again would be the same
			e.kind = vectorstore.ErrUnavailable
		}
	case codes.Aborted:
		e.kind = vectorstore.ErrUnavailable
	case codes.Unauthenticated, codes.PermissionDenied:
		e.kind = ErrKey
		e.Hint = "check Config.APIKey"
	case codes.NotFound:
		e.Hint = "was the collection deleted? Open the store again to make it"
	case codes.InvalidArgument:
		if strings.Contains(e.Message, "dimension error") {
			e.kind = vectorstore.ErrEmbedder
		}
	}
	return e
}
