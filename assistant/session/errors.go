package session

import (
	"errors"
	"fmt"
)

// Errors that stores wrap.
var (
	ErrNotFound        = errors.New("session: there is no such session") // or it belongs to another owner
	ErrExpired         = errors.New("session: the session has expired; activate it, or start another")
	ErrHistoryFull     = errors.New("session: the conversation is full")
	ErrTooManySessions = errors.New("session: the owner has too many sessions")
	ErrLocked          = errors.New("session: the file is in use")
	ErrCorrupt         = errors.New("session: the record is damaged")
	ErrClosed          = errors.New("session: the store is closed")
)

// FieldError says which value was refused, and why.
type FieldError struct {
	Field   string // as in JSON, with a dot between levels: "settings.default_n_results"
	Problem string // "is 0, it must be from 1 to 100"
}

func (e *FieldError) Error() string { return "session: " + e.Field + " " + e.Problem }

func fieldError(field, format string, args ...any) error {
	return &FieldError{Field: field, Problem: fmt.Sprintf(format, args...)}
}
