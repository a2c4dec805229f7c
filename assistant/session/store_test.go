package session_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/session"
	"github.com/api-assistant/api-assistant/assistant/session/sessiontest"
)

func Example() {
	ctx := context.Background()
	store := session.NewMemory(session.Options{})
	defer store.Close()
	s, err := store.Create(ctx, session.New{Owner: "key-1", TTL: time.Hour})
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err = store.Append(ctx, "key-1", s.ID,
		session.Message{Role: session.User, Content: "How do I create an order?"},
		session.Message{Role: session.Assistant, Content: "Use POST /orders."})
	fmt.Println(len(s.History), s.Status, err)
	_, err = store.Get(ctx, "key-2", s.ID)
	fmt.Println(err)
	_, err = store.Create(ctx, session.New{TTL: time.Second})
	fmt.Println(err)
	// Output:
	// 2 active <nil>
	// session: there is no such session
	// session: ttl_minutes is 0.016666666666666666 minutes, it must be from 1 to 10080
}

func TestMemory(t *testing.T) {
	sessiontest.Run(t, func(_ *testing.T, o session.Options) session.Store { return session.NewMemory(o) })
}

func TestFile(t *testing.T) {
	sessiontest.Run(t, func(t *testing.T, o session.Options) session.Store {
		s, err := session.OpenFile(filepath.Join(t.TempDir(), "sessions.db"), o)
		require.NoError(t, err)
		return s
	})
}

// TestIDs looks at what is random in ids: no two are alike in the way that would
// let one be told from another.
func TestIDs(t *testing.T) {
	s := session.NewMemory(session.Options{})
	defer s.Close()
	seen := make(map[string]string)
	for range 2000 {
		made, err := s.Create(t.Context(), session.New{})
		require.NoError(t, err)
		for _, part := range []string{made.ID[:8], made.ID[24:]} { // 32 and 48 bits
			if len(part) == 12 {
				require.Empty(t, seen[part], "%s and %s", made.ID, seen[part])
			}
			seen[part] = made.ID
		}
	}
}

// one is a Backend with one record, which may be damaged.
type one struct {
	session.Backend
	record session.Record
}

func (b *one) Load(_ context.Context, ids ...string) ([]session.Record, error) {
	return []session.Record{b.record}[:len(ids)], nil
}

func (b *one) Update(_ context.Context, _ string, change func(session.Record) (session.Record, error)) error {
	_, err := change(b.record)
	return err
}

func (b *one) Heads(context.Context, string) iter.Seq2[session.Record, error] {
	return func(yield func(session.Record, error) bool) { yield(b.record, nil) }
}

// FuzzRecord reads damaged records: an error that names the session, or one that
// can be written as JSON.
func FuzzRecord(f *testing.F) {
	const id = "00000000-0000-4000-8000-000000000000"
	head := `{"session_id": "` + id + `", "created_at": "2020-01-01T00:00:00Z", "expires_at": "2020-01-01T00:00:00Z", "status": "active"}`
	history := `[{"role": "user", "content": "secret"}]`
	for _, seed := range [][2]string{{head, history}, {head, ""}, {"", history}, {head[:50], history}, {head, history[:20]}, {head + "x", history},
		{"null", "null"}, {"[]", "{}"}, {head, strings.Repeat("[", 20_000)}, {strings.Replace(head, "active", "asleep", 1), history},
		{strings.Replace(head, "2020", "0000", 1), history}, {`{"session_id": 7}`, history}} {
		f.Add([]byte(seed[0]), []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, head, history []byte) {
		s := session.NewStore(&one{record: session.Record{ID: id, Forget: time.Now().Add(time.Hour), Head: head, History: history}}, session.Options{})
		got, err := s.Get(t.Context(), "", id)
		if err != nil {
			require.ErrorIs(t, err, session.ErrCorrupt)
			require.ErrorContains(t, err, id)
			require.NotContains(t, err.Error(), "secret")
		} else {
			_, err = json.Marshal(got)
			require.NoError(t, err)
		}
		for _, call := range []func() error{
			func() error { _, err := s.Append(t.Context(), "", id, session.Message{Role: session.User}); return err },
			func() error { _, err := s.Activate(t.Context(), "", id, 0); return err },
			func() error { _, err := s.List(t.Context(), "", session.ListFilter{}); return err },
			func() error { _, err := s.Stats(t.Context(), ""); return err },
		} {
			_ = call() // must not panic
		}
	})
}
