package session

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"time"
)

// Backend keeps records for NewStore, which makes sessions of them and knows all
// rules. It is what the author of a store writes. Its methods are called at the
// same time; a Record and its bytes are not changed after they are handed over.
type Backend interface {
	// Create adds a record whose id is new. If the owner has most records or more
	// already, it adds nothing and returns ErrTooManySessions.
	Create(ctx context.Context, r Record, most int) error
	// Load returns the records of ids, in their order; missing ones are left out.
	Load(ctx context.Context, ids ...string) ([]Record, error)
	// Update replaces a record by what change makes of it, atomically: of updates
	// at the same time, each sees what the one before has made. Where it has to
	// start again, it calls change again. An error of change is returned and changes
	// nothing. Neither id nor owner change. Without the record: ErrNotFound.
	// When Update returns nil the record is as durable as the backend makes it.
	Update(ctx context.Context, id string, change func(Record) (Record, error)) error
	// Delete removes a record. Without it: ErrNotFound.
	Delete(ctx context.Context, id string) error
	// Heads yields the records of an owner, "" for those of all, without their
	// History, in any order. An error is the last thing that it yields.
	Heads(ctx context.Context, owner string) iter.Seq2[Record, error]
	// Close frees what the backend holds. Later calls fail.
	Close() error
}

// Record is a session as a Backend keeps it.
type Record struct {
	ID      string
	Owner   string
	Forget  time.Time       // from then on the record is as good as gone, and the backend removes it when it likes
	Head    json.RawMessage // the session without its messages
	History json.RawMessage // a list of its messages
}

func encode(s Session, retention time.Duration) (Record, error) {
	history, err := json.Marshal(s.History)
	if err != nil {
		return Record{}, fmt.Errorf("session: encoding the messages: %w", err)
	}
	r := Record{ID: s.ID, Owner: s.Owner, Forget: instant(s.ExpiresAt.Add(retention)), History: history}
	s.History = nil
	if r.Head, err = json.Marshal(s); err != nil {
		return Record{}, fmt.Errorf("session: encoding the session: %w", err)
	}
	return r, nil
}

// decode reads a record; one without History makes a session without messages.
func decode(r Record) (Session, error) {
	var s Session
	err := unmarshal(r.Head, &s)
	if err == nil && r.History != nil {
		err = unmarshal(r.History, &s.History)
	}
	_, known := ParseStatus(string(s.Status))
	if err != nil || !known || s.ID != r.ID {
		return Session{}, fmt.Errorf("%w: session %s cannot be read; delete it", ErrCorrupt, r.ID) // not err, which may quote what was said
	}
	s.Owner = r.Owner
	s.normalise()
	return s, nil
}

// unmarshal keeps the digits of numbers.
func unmarshal(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("bytes after the value")
	}
	return nil
}

// normalise makes what is empty an empty list or object in JSON, and times such
// that they survive it.
func (s *Session) normalise() {
	for _, t := range []*time.Time{&s.CreatedAt, &s.LastAccessed, &s.ExpiresAt} {
		*t = instant(*t)
	}
	for _, m := range []*map[string]any{&s.Metadata, &s.Settings.CustomMetadata} {
		if *m == nil {
			*m = map[string]any{}
		}
	}
	if s.History == nil {
		s.History = []Message{}
	}
	for i := range s.History {
		s.History[i].normalise()
	}
}

func (m *Message) normalise() {
	m.Timestamp = instant(m.Timestamp)
	if m.Metadata == nil {
		m.Metadata = map[string]any{}
	}
}

func instant(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
