package session

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"
	"time"
)

// Store keeps sessions. It is safe for concurrent use.
//
// Each call is made for an owner and knows only the sessions of that one: those
// of others are ErrNotFound. The owner "" knows all. A context that has ended
// fails each call; a *FieldError says which value was refused.
type Store interface {
	// Create makes a session. ErrTooManySessions if the owner has as many as it may.
	Create(ctx context.Context, n New) (Session, error)
	// Get returns a session, also an expired one.
	Get(ctx context.Context, owner, id string) (Session, error)
	// List returns sessions, newest first; of the same microsecond, by id.
	List(ctx context.Context, owner string, f ListFilter) ([]Session, error)
	// Update changes a session, atomically; an error of change is returned and
	// changes nothing. change may be called again, and must not use the store. It
	// cannot change ID, Owner, CreatedAt and LastAccessed. A Status of Expired ends
	// the session now. ErrExpired, and change is not called, if it has ended.
	Update(ctx context.Context, owner, id string, change func(*Session) error) (Session, error)
	// Append adds messages, all or none, in their order and after those that are
	// there; when it returns they are durable. ErrExpired; ErrHistoryFull.
	Append(ctx context.Context, owner, id string, messages ...Message) (Session, error)
	// Activate makes a session Active, whatever it was, for ttl from now; 0 means
	// DefaultTTL.
	Activate(ctx context.Context, owner, id string, ttl time.Duration) (Session, error)
	// Delete removes a session, also an expired or damaged one.
	Delete(ctx context.Context, owner, id string) error
	// Stats counts the sessions, with the expired ones that are not forgotten yet.
	Stats(ctx context.Context, owner string) (Stats, error)
	// Close frees what the store holds. Later calls return ErrClosed.
	Close() error
}

// New describes a session to make. The zero value makes one that belongs to
// nobody.
type New struct {
	Owner      string
	UserID     string
	TTL        time.Duration // MinTTL to MaxTTL; 0 means DefaultTTL
	Settings   Settings      // the zero Settings mean DefaultSettings
	Metadata   map[string]any
	Collection string
}

// ListFilter selects sessions. Its zero value selects all.
type ListFilter struct {
	UserID string // "": of any user
	Status Status // "": in any status
	Limit  int    // how many at most; 0: all
}

// NewStore makes a store of a backend, which the store closes.
func NewStore(b Backend, o Options) Store { return &store{backend: b, options: o.withDefaults()} }

type store struct {
	backend Backend
	options Options
	closed  atomic.Bool
}

func (st *store) now() time.Time { return instant(st.options.Now()) }

// usable says why a call cannot be made.
func (st *store) usable(ctx context.Context) error {
	if st.closed.Load() {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	return nil
}

func (st *store) Create(ctx context.Context, n New) (Session, error) {
	if err := st.usable(ctx); err != nil {
		return Session{}, err
	}
	if err := checkName("owner", n.Owner); err != nil {
		return Session{}, err
	}
	now := st.now()
	s := Session{ID: newID(), Owner: n.Owner, UserID: n.UserID, Status: Active, CreatedAt: now, LastAccessed: now,
		Settings: n.Settings, Metadata: n.Metadata, Collection: n.Collection}
	if reflect.ValueOf(n.Settings).IsZero() {
		s.Settings = DefaultSettings()
	}
	if err := s.Renew(cmp.Or(n.TTL, DefaultTTL)); err != nil {
		return Session{}, err
	}
	s.normalise()
	if err := st.options.check(&s, now); err != nil {
		return Session{}, err
	}
	r, err := encode(s, st.options.Retention)
	if err != nil {
		return Session{}, err
	}
	err = st.backend.Create(ctx, r, st.options.MaxSessions)
	if errors.Is(err, ErrTooManySessions) {
		return Session{}, fmt.Errorf("%w: the most is %d; delete some", ErrTooManySessions, st.options.MaxSessions)
	}
	if err != nil {
		return Session{}, err
	}
	return decode(r) // shares nothing with the caller
}

func (st *store) Get(ctx context.Context, owner, id string) (Session, error) {
	if err := st.usable(ctx); err != nil {
		return Session{}, err
	}
	r, err := st.load(ctx, owner, id)
	if err != nil {
		return Session{}, err
	}
	return st.open(r, st.now())
}

// load returns the record of a session that an owner may know.
func (st *store) load(ctx context.Context, owner, id string) (Record, error) {
	if !isID(id) {
		return Record{}, ErrNotFound
	}
	records, err := st.backend.Load(ctx, id)
	if err != nil {
		return Record{}, err
	}
	if len(records) == 0 || !st.knows(owner, records[0], st.now()) {
		return Record{}, ErrNotFound
	}
	return records[0], nil
}

// knows reports whether an owner has a record that is not forgotten.
func (st *store) knows(owner string, r Record, now time.Time) bool {
	return (owner == "" || owner == r.Owner) && now.Before(r.Forget)
}

// open decodes a record as it is at a time.
func (st *store) open(r Record, now time.Time) (Session, error) {
	s, err := decode(r)
	if err == nil && !now.Before(s.ExpiresAt) {
		s.Status = Expired
	}
	return s, err
}

// heads returns the sessions of an owner without their messages.
func (st *store) heads(ctx context.Context, owner string) ([]Session, error) {
	if err := st.usable(ctx); err != nil {
		return nil, err
	}
	var all []Session
	now := st.now()
	for r, err := range st.backend.Heads(ctx, owner) {
		if err != nil {
			return nil, err
		}
		if !st.knows(owner, r, now) {
			continue
		}
		s, err := st.open(r, now)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func (st *store) List(ctx context.Context, owner string, f ListFilter) ([]Session, error) {
	heads, err := st.heads(ctx, owner)
	if err != nil {
		return nil, err
	}
	heads = slices.DeleteFunc(heads, func(s Session) bool {
		return f.UserID != "" && s.UserID != f.UserID || f.Status != "" && s.Status != f.Status
	})
	slices.SortFunc(heads, func(a, b Session) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	if f.Limit > 0 {
		heads = heads[:min(f.Limit, len(heads))]
	}
	ids := make([]string, len(heads))
	for i, s := range heads {
		ids[i] = s.ID
	}
	records, err := st.backend.Load(ctx, ids...)
	if err != nil {
		return nil, err
	}
	sessions := make([]Session, 0, len(records))
	now := st.now()
	for _, r := range records {
		s, err := st.open(r, now)
		if err != nil {
			return nil, err
		}
		sessions = append(sessions, s)
	}
	return sessions, nil
}

func (st *store) Stats(ctx context.Context, owner string) (Stats, error) {
	heads, err := st.heads(ctx, owner)
	if err != nil {
		return Stats{}, err
	}
	var stats Stats
	users := make(map[string]bool)
	for _, s := range heads {
		stats.add(s.Status)
		if s.UserID != "" {
			users[s.UserID] = true
		}
	}
	stats.UniqueUsers = len(users)
	return stats, nil
}

func (st *store) Update(ctx context.Context, owner, id string, change func(*Session) error) (Session, error) {
	return st.change(ctx, owner, id, func(s *Session) error {
		if s.Status == Expired {
			return ErrExpired
		}
		return change(s)
	})
}

func (st *store) Append(ctx context.Context, owner, id string, messages ...Message) (Session, error) {
	return st.Update(ctx, owner, id, func(s *Session) error {
		for _, m := range messages {
			if m.Timestamp.IsZero() {
				m.Timestamp = s.LastAccessed
			}
			s.History = append(s.History, m)
		}
		return nil
	})
}

func (st *store) Activate(ctx context.Context, owner, id string, ttl time.Duration) (Session, error) {
	return st.change(ctx, owner, id, func(s *Session) error {
		s.Status = Active
		return s.Renew(cmp.Or(ttl, DefaultTTL))
	})
}

// change is Update for sessions in any status.
func (st *store) change(ctx context.Context, owner, id string, change func(*Session) error) (Session, error) {
	if err := st.usable(ctx); err != nil {
		return Session{}, err
	}
	if !isID(id) {
		return Session{}, ErrNotFound
	}
	var changed Record
	err := st.backend.Update(ctx, id, func(r Record) (_ Record, err error) {
		changed, err = st.apply(r, owner, change)
		return changed, err
	})
	if err != nil {
		return Session{}, err
	}
	return decode(changed) // shares nothing with change
}

// apply makes the record that a change leads to.
func (st *store) apply(r Record, owner string, change func(*Session) error) (Record, error) {
	now := st.now()
	if !st.knows(owner, r, now) {
		return Record{}, ErrNotFound
	}
	s, err := st.open(r, now)
	if err != nil {
		return Record{}, err
	}
	before := s
	s.LastAccessed = now
	if err := change(&s); err != nil {
		return Record{}, err
	}
	s.ID, s.Owner, s.CreatedAt, s.LastAccessed = before.ID, before.Owner, before.CreatedAt, now
	if s.Status == Expired || !now.Before(s.ExpiresAt) {
		s.Status, s.ExpiresAt = Expired, now
	}
	s.normalise()
	if err := st.options.check(&s, now); err != nil {
		return Record{}, err
	}
	changed, err := encode(s, st.options.Retention)
	if err != nil || !bytes.Equal(changed.History, r.History) { // limits that became narrower do not stop other changes
		if refused := st.options.checkHistory(s.History, changed.History); refused != nil {
			return Record{}, refused
		}
	}
	return changed, err
}

func (st *store) Delete(ctx context.Context, owner, id string) error {
	if err := st.usable(ctx); err != nil {
		return err
	}
	if _, err := st.load(ctx, owner, id); err != nil {
		return err
	}
	return st.backend.Delete(ctx, id)
}

func (st *store) Close() error {
	if st.closed.Swap(true) {
		return nil
	}
	return st.backend.Close()
}
