// Package session keeps conversations: who talks, how they like to search, what
// was said, and until when it counts.
//
//	store, err := session.OpenFile("sessions.db", session.Options{}) // or session.NewMemory(session.Options{})
//	if err != nil { … }
//	defer store.Close()
//	s, err := store.Create(ctx, session.New{Owner: "key-1", TTL: time.Hour})
//	s, err = store.Append(ctx, "key-1", s.ID,
//		session.Message{Role: session.User, Content: "How do I create an order?"},
//		session.Message{Role: session.Assistant, Content: "Use POST /orders."})
//	_, err = store.Get(ctx, "key-2", s.ID) // session.ErrNotFound: it belongs to another
//
// A session expires at a fixed time, which only Renew and Activate move. Expired
// it can be read, deleted and revived, not written to. Some time after
// (Options.Retention) it is forgotten; that happens inside later writes, there is
// no goroutine.
//
// What was acknowledged stays: a conversation that reaches its limit refuses
// further messages (ErrHistoryFull) rather than dropping old ones, and an owner
// with too many sessions gets no more (ErrTooManySessions). The caller decides
// what to give up.
//
// Trade-offs: a write rewrites the whole session, at most Options.MaxHistoryBytes
// and a little; in return each store is small, and each write is atomic. Reading
// does not move LastAccessed, so that a read costs no write.
//
// Package redissession has a store that replicas share; package sessiontest the
// suite that all stores pass.
package session

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"
)

// Session is a conversation and its settings. Stores hand out copies. Numbers in
// metadata come back as json.Number, to the digit that was given.
type Session struct {
	ID           string         `json:"session_id"` // a random UUID
	Owner        string         `json:"-"`          // the principal that made it; "" without authentication
	UserID       string         `json:"user_id"`    // the caller's own name for its user; null in JSON if empty
	CreatedAt    time.Time      `json:"created_at"` // times are UTC, to the microsecond
	LastAccessed time.Time      `json:"last_accessed"`
	ExpiresAt    time.Time      `json:"expires_at"`
	Status       Status         `json:"status"`
	Settings     Settings       `json:"settings"`
	History      []Message      `json:"conversation_history"` // oldest first
	Metadata     map[string]any `json:"metadata"`
	Collection   string         `json:"collection_name"` // null in JSON if empty
}

// MarshalJSON writes null for a UserID and a Collection that are empty.
func (s Session) MarshalJSON() ([]byte, error) {
	type plain Session
	return json.Marshal(struct {
		ID     string  `json:"session_id"`
		UserID *string `json:"user_id"`
		*plain
		Collection *string `json:"collection_name"`
	}{s.ID, orNull(s.UserID), (*plain)(&s), orNull(s.Collection)})
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// Renew lets the session expire a duration after its last access, which inside
// Store.Update is now. The duration is from MinTTL to MaxTTL; the error is a
// *FieldError.
func (s *Session) Renew(ttl time.Duration) error {
	if err := checkTTL(ttl); err != nil {
		return err
	}
	s.ExpiresAt = s.LastAccessed.Add(ttl)
	return nil
}

// How long sessions may live.
const (
	MinTTL     = time.Minute
	MaxTTL     = 7 * 24 * time.Hour
	DefaultTTL = time.Hour
)

func checkTTL(ttl time.Duration) error {
	if ttl < MinTTL || ttl > MaxTTL {
		return fieldError("ttl_minutes", "is %v minutes, it must be from %d to %d", ttl.Minutes(), int(MinTTL.Minutes()), int(MaxTTL.Minutes()))
	}
	return nil
}

// Status says whether a session is used.
type Status string

// The statuses. A session that is not Expired may be written to.
const (
	Active   Status = "active"
	Inactive Status = "inactive" // set aside by its owner
	Expired  Status = "expired"  // by time, or because its owner said so
)

// ParseStatus returns the status of a name.
func ParseStatus(name string) (Status, bool) {
	switch s := Status(name); s {
	case Active, Inactive, Expired:
		return s, true
	}
	return "", false
}

// Role says who speaks.
type Role string

// The roles.
const (
	User      Role = "user"
	Assistant Role = "assistant"
	System    Role = "system"
)

// Message is one turn of a conversation.
type Message struct {
	Role      Role           `json:"role"`
	Content   string         `json:"content"`
	Timestamp time.Time      `json:"timestamp"` // zero: when it is appended
	Metadata  map[string]any `json:"metadata"`
}

// Stats counts sessions; the three statuses add up to the total.
type Stats struct {
	Total       int `json:"total_sessions"`
	Active      int `json:"active_sessions"`
	Inactive    int `json:"inactive_sessions"`
	Expired     int `json:"expired_sessions"`
	UniqueUsers int `json:"unique_users"` // different user ids that are not empty
}

func (s *Stats) add(status Status) {
	s.Total++
	switch status {
	case Active:
		s.Active++
	case Inactive:
		s.Inactive++
	default:
		s.Expired++
	}
}

// newID returns a version 4 UUID: 122 bits that nobody can guess.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: the program ends first
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// isID reports whether a text has the form of an id, so that others are never
// looked up.
func isID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range []byte(text) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
