package session

import (
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"
)

// Options bound a store. The zero value is usable: a field that is not positive
// has the default that is said beside it.
type Options struct {
	Retention        time.Duration    // how long an expired session can still be read and revived; 24 hours
	MaxSessions      int              // of one owner, with the expired ones; 10,000
	MaxMessages      int              // of a session; 1,000
	MaxMessageBytes  int              // of the content of a message; 256 KiB
	MaxHistoryBytes  int              // of all messages of a session, as JSON; 2 MiB
	MaxMetadataBytes int              // of each metadata object, as JSON; 16 KiB
	Now              func() time.Time // the clock; nil means time.Now. Replicas that share a store need clocks that agree to the second
}

// maxName bounds user ids, names of collections and owners, in bytes.
const maxName = 512

// maxDepth bounds the nesting of metadata.
const maxDepth = 32

// withDefaults replaces what is not set.
func (o Options) withDefaults() Options {
	for _, d := range []struct {
		value *int
		or    int
	}{
		{&o.MaxSessions, 10_000}, {&o.MaxMessages, 1000}, {&o.MaxMessageBytes, 256 << 10},
		{&o.MaxHistoryBytes, 2 << 20}, {&o.MaxMetadataBytes, 16 << 10},
	} {
		if *d.value <= 0 {
			*d.value = d.or
		}
	}
	if o.Retention <= 0 {
		o.Retention = 24 * time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// check returns a *FieldError about the first value of a session that is wrong.
// It does not look at the messages.
func (o Options) check(s *Session, now time.Time) error {
	if _, ok := ParseStatus(string(s.Status)); !ok {
		return fieldError("status", "must be one of active, inactive, expired")
	}
	if s.ExpiresAt.After(now.Add(MaxTTL)) {
		return fieldError("expires_at", "is more than %d days away", int(MaxTTL.Hours()/24))
	}
	if err := checkName("user_id", s.UserID); err != nil {
		return err
	}
	if err := checkName("collection_name", s.Collection); err != nil {
		return err
	}
	if err := s.Settings.Validate(); err != nil {
		return err
	}
	if err := o.checkMetadata("settings.custom_metadata", s.Settings.CustomMetadata); err != nil {
		return err
	}
	return o.checkMetadata("metadata", s.Metadata)
}

func (o Options) checkMessage(m Message) error {
	switch m.Role {
	case User, Assistant, System:
	default:
		return fieldError("role", "must be one of user, assistant, system")
	}
	if len(m.Content) > o.MaxMessageBytes {
		return fieldError("content", "has %d bytes, the most is %d", len(m.Content), o.MaxMessageBytes)
	}
	if !utf8.ValidString(m.Content) {
		return fieldError("content", "is not valid UTF-8")
	}
	if y := m.Timestamp.Year(); y < 1 || y > 9999 {
		return fieldError("timestamp", "is in the year %d, it must be from 1 to 9999", y)
	}
	return o.checkMetadata("metadata", m.Metadata)
}

func checkName(field, name string) error {
	if len(name) > maxName {
		return fieldError(field, "has %d bytes, the most is %d", len(name), maxName)
	}
	if !utf8.ValidString(name) {
		return fieldError(field, "is not valid UTF-8")
	}
	return nil
}

func (o Options) checkMetadata(field string, metadata map[string]any) error {
	if depth(metadata, maxDepth+1) > maxDepth {
		return fieldError(field, "is nested more than %d deep", maxDepth)
	}
	b, err := json.Marshal(metadata)
	if err != nil {
		return fieldError(field, "cannot be written as JSON")
	}
	if len(b) > o.MaxMetadataBytes {
		return fieldError(field, "has %d bytes as JSON, the most is %d", len(b), o.MaxMetadataBytes)
	}
	return nil
}

// depth counts nested objects and lists, up to most.
func depth(value any, most int) int {
	deepest := 0
	inner := func(v any) {
		if most > 1 {
			deepest = max(deepest, depth(v, most-1))
		}
	}
	switch v := value.(type) {
	case map[string]any:
		for _, e := range v {
			inner(e)
		}
	case []any:
		for _, e := range v {
			inner(e)
		}
	default:
		return 0
	}
	return deepest + 1
}

// checkHistory checks a conversation and its encoded form.
func (o Options) checkHistory(messages []Message, encoded []byte) error {
	for _, m := range messages {
		if err := o.checkMessage(m); err != nil {
			return err
		}
	}
	if len(messages) > o.MaxMessages {
		return fmt.Errorf("%w: it can hold %d messages; remove its messages, or start another session", ErrHistoryFull, o.MaxMessages)
	}
	if len(encoded) > o.MaxHistoryBytes {
		return fmt.Errorf("%w: it can hold %d bytes; remove its messages, or start another session", ErrHistoryFull, o.MaxHistoryBytes)
	}
	return nil
}
