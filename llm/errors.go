package llm

import (
	"errors"
	"fmt"
	"time"
)

// The kinds of failure, to be tested with errors.Is.
var (
	ErrRateLimited   = errors.New("too many requests")
	ErrQuota         = errors.New("the quota is used up")
	ErrContextWindow = errors.New("the prompt is too long for the model")
	ErrAuth          = errors.New("the credentials were refused")
	ErrInvalid       = errors.New("the request was refused")
	ErrUnavailable   = errors.New("the model is not available")
	ErrTimeout       = errors.New("the model took too long")
	ErrTruncated     = errors.New("the answer broke off")
	ErrMalformed     = errors.New("the answer cannot be read")
)

// Temporary reports whether the same call may well succeed a little later: the
// error is ErrRateLimited, ErrUnavailable, ErrTimeout or ErrTruncated. A used-up
// quota, refused credentials and a prompt that is too long stay what they are,
// and what this package does not know is not repeated.
func Temporary(err error) bool {
	return errors.Is(err, ErrRateLimited) || errors.Is(err, ErrUnavailable) ||
		errors.Is(err, ErrTimeout) || errors.Is(err, ErrTruncated)
}

// Error is a failure of a model or its provider.
type Error struct {
	Provider   string        // "openai", "groq", …; empty if a decorator failed
	Status     int           // HTTP status; 0 if there was none
	RetryAfter time.Duration // how long the provider asks to wait; 0 if it does not say
	// Kind is one of the errors of this package.
	Kind error
	// Cause is the error below, if any. Neither it nor the message may contain
	// credentials.
	Cause error
}

func (e *Error) Error() string {
	text := "llm: "
	if e.Provider != "" {
		text += e.Provider + ": "
	}
	text += fmt.Sprint(e.Kind)
	if e.Status != 0 {
		text += fmt.Sprintf(" (status %d)", e.Status)
	}
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap returns Kind and Cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}
