package auth

import (
	"errors"
	"fmt"
	"iter"
)

// What can be wrong with a setting: the Reason of a ConfigError, for errors.Is.
var (
	ErrMissing     = errors.New("missing")            // needed and not there
	ErrInvalid     = errors.New("invalid")            // could never work
	ErrOutOfRange  = errors.New("out of range")       // too small, too large, too short, too long
	ErrPlaceholder = errors.New("placeholder")        // an example that nobody replaced
	ErrDuplicate   = errors.New("duplicate")          // there twice
	ErrUnsafe      = errors.New("unsafe")             // would work, for attackers too
	ErrConflict    = errors.New("conflicting values") // two settings that exclude each other
)

// ConfigError is one mistake in a configuration. Constructors report all
// mistakes at once, joined; ConfigErrors lists them, errors.As finds the first,
// and errors.Is finds a Reason.
type ConfigError struct {
	Setting string // the field, such as "CORSConfig.Origins"
	Index   int    // which element of a list, from 0; -1 if the setting is not a list or is wrong as a whole
	Value   string // the value; always "" for keys and secrets
	Reason  error  // one of the Err variables above
	Problem string // what is wrong and what to do, in English; without secrets
}

func (e *ConfigError) Error() string { return fmt.Sprintf("auth: %s: %s", e.Setting, e.Problem) }

// Unwrap returns the Reason.
func (e *ConfigError) Unwrap() error { return e.Reason }

// ConfigErrors lists every ConfigError in err, in the order of the settings, so
// that a program can put them in the words of its own users.
func ConfigErrors(err error) iter.Seq[*ConfigError] {
	return func(yield func(*ConfigError) bool) { eachConfigError(err, yield) }
}

func eachConfigError(err error, yield func(*ConfigError) bool) bool {
	switch e := err.(type) {
	case *ConfigError:
		return yield(e)
	case interface{ Unwrap() error }:
		return eachConfigError(e.Unwrap(), yield)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if !eachConfigError(inner, yield) {
				return false
			}
		}
	}
	return true
}

// mistakes collects ConfigErrors.
type mistakes []error

// add notes a mistake of a setting as a whole.
func (m *mistakes) add(setting string, reason error, format string, args ...any) {
	*m = append(*m, &ConfigError{Setting: setting, Index: -1, Reason: reason, Problem: fmt.Sprintf(format, args...)})
}

// addElement notes a mistake of an element of a list. The value is "" if it is secret.
func (m *mistakes) addElement(setting string, index int, value string, reason error, format string, args ...any) {
	*m = append(*m, &ConfigError{setting, index, value, reason, fmt.Sprintf(format, args...)})
}

func (m mistakes) err() error { return errors.Join(m...) }
