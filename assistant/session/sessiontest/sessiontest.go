// Package sessiontest is the conformance suite of session stores. Every store of
// this module passes it; run it on your own:
//
//	func TestStore(t *testing.T) {
//		sessiontest.Run(t, func(t *testing.T, o session.Options) session.Store {
//			return session.NewStore(mybackend.Open(t), o)
//		})
//	}
//
// It is one file, because it is read as one list: what a store must do.
package sessiontest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/session"
)

// Open makes an empty store. The suite closes it.
type Open func(t *testing.T, o session.Options) session.Store

// Clock is a time that a test moves; its Now is for session.Options. Begin it at
// the present, since servers have clocks of their own. It is safe for concurrent
// use.
type Clock struct{ now atomic.Pointer[time.Time] }

// NewClock returns a clock that stands at the present.
func NewClock() *Clock {
	c := new(Clock)
	now := time.Now()
	c.now.Store(&now)
	return c
}

// Now is the time of the clock.
func (c *Clock) Now() time.Time { return *c.now.Load() }

// Advance moves it.
func (c *Clock) Advance(d time.Duration) {
	now := c.Now().Add(d)
	c.now.Store(&now)
}

// suite is what a test gets.
type suite struct {
	session.Store
	clock *Clock
	open  func(session.Options) session.Store // another store that is empty
}

// Run checks that a store keeps the contract of session.Store.
func Run(t *testing.T, open Open) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, suite)
	}{
		{"Create", create}, {"CreateRefusals", createRefusals}, {"RoundTrip", roundTrip}, {"Owners", owners}, {"Update", update},
		{"UpdateRefusals", updateRefusals}, {"UpdateIsAtomic", updateIsAtomic}, {"Append", appendInOrder},
		{"AppendTogether", appendTogether}, {"AppendRefusals", appendRefusals}, {"Expiry", expiry}, {"ExpireByHand", expireByHand},
		{"Renew", renew}, {"Forgotten", forgotten}, {"List", list}, {"Stats", stats}, {"Delete", remove}, {"TooManySessions", tooMany},
		{"HistoryFull", historyFull}, {"Aliasing", aliasing}, {"OddIDs", oddIDs}, {"Cancelled", cancelled}, {"Closed", closed},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := suite{clock: NewClock()}
			s.open = func(o session.Options) session.Store {
				o.Now = s.clock.Now
				st := open(t, o)
				t.Cleanup(func() { require.NoError(t, st.Close()) })
				return st
			}
			s.Store = s.open(session.Options{})
			test.run(t, s)
		})
	}
}

func (s suite) create(t *testing.T, n session.New) session.Session {
	t.Helper()
	made, err := s.Create(t.Context(), n)
	require.NoError(t, err)
	return made
}

func say(text string) session.Message { return session.Message{Role: session.User, Content: text} }

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

func wrongField(t *testing.T, err error, field string) {
	t.Helper()
	var wrong *session.FieldError
	require.ErrorAs(t, err, &wrong)
	require.Equal(t, field, wrong.Field)
	require.ErrorContains(t, err, "session: "+field+" ")
}

func create(t *testing.T, s suite) {
	made := s.create(t, session.New{Owner: "ann"})
	require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, made.ID)
	require.Equal(t, "ann", made.Owner)
	require.WithinDuration(t, s.clock.Now(), made.CreatedAt, time.Microsecond)
	require.Equal(t, time.UTC, made.CreatedAt.Location())
	require.Equal(t, made.CreatedAt, made.LastAccessed)
	require.Equal(t, made.CreatedAt.Add(time.Hour), made.ExpiresAt)
	require.Equal(t, session.DefaultSettings(), made.Settings)
	at := func(v time.Time) string { return v.Format(time.RFC3339Nano) }
	require.JSONEq(t, fmt.Sprintf(`{"session_id": %q, "user_id": null, "created_at": %q, "last_accessed": %q, "expires_at": %q,
		"status": "active", "settings": {"default_search_mode": "hybrid", "default_n_results": 5, "use_reranking": false,
		"use_query_expansion": false, "use_diversification": false, "show_scores": true, "show_metadata": true,
		"max_content_length": 500, "default_collection": null, "custom_metadata": {}},
		"conversation_history": [], "metadata": {}, "collection_name": null}`,
		made.ID, at(made.CreatedAt), at(made.LastAccessed), at(made.ExpiresAt)), asJSON(t, made))

	settings := session.DefaultSettings()
	require.NoError(t, json.Unmarshal([]byte(`{"default_n_results": 7, "show_scores": false, "default_collection": "c"}`), &settings))
	other := s.create(t, session.New{UserID: "u", TTL: time.Minute, Settings: settings, Collection: "docs"})
	require.NotEqual(t, made.ID, other.ID)
	require.Equal(t, "u", other.UserID)
	require.Equal(t, "docs", other.Collection)
	require.Equal(t, settings, other.Settings)
	require.Equal(t, other.CreatedAt.Add(time.Minute), other.ExpiresAt)
	require.Contains(t, asJSON(t, other), `"user_id":"u"`)
	require.Contains(t, asJSON(t, other), `"default_collection":"c"`)
}

func createRefusals(t *testing.T, s suite) {
	with := func(change func(*session.Settings)) session.New {
		settings := session.DefaultSettings()
		change(&settings)
		return session.New{Settings: settings}
	}
	var deep any = "x"
	for range 40 {
		deep = []any{deep}
	}
	for _, test := range []struct {
		field string
		new   session.New
	}{
		{"ttl_minutes", session.New{TTL: time.Second}},
		{"ttl_minutes", session.New{TTL: -time.Minute}},
		{"ttl_minutes", session.New{TTL: 7*24*time.Hour + 1}},
		{"user_id", session.New{UserID: strings.Repeat("u", 1000)}},
		{"user_id", session.New{UserID: "\xff"}},
		{"owner", session.New{Owner: strings.Repeat("u", 1000)}},
		{"collection_name", session.New{Collection: strings.Repeat("c", 1000)}},
		{"metadata", session.New{Metadata: map[string]any{"x": strings.Repeat("m", 20<<10)}}},
		{"metadata", session.New{Metadata: map[string]any{"x": deep}}},
		{"metadata", session.New{Metadata: map[string]any{"x": func() {}}}},
		{"settings.default_search_mode", with(func(s *session.Settings) { s.DefaultSearchMode = "magic" })},
		{"settings.default_n_results", with(func(s *session.Settings) { s.DefaultNResults = 0 })},
		{"settings.default_n_results", with(func(s *session.Settings) { s.DefaultNResults = 101 })},
		{"settings.max_content_length", with(func(s *session.Settings) { s.MaxContentLength = 99 })},
		{"settings.max_content_length", with(func(s *session.Settings) { s.MaxContentLength = 2001 })},
		{"settings.default_collection", with(func(s *session.Settings) { s.DefaultCollection = strings.Repeat("c", 1000) })},
		{"settings.custom_metadata", with(func(s *session.Settings) { s.CustomMetadata = map[string]any{"x": strings.Repeat("m", 20<<10)} })},
	} {
		_, err := s.Create(t.Context(), test.new)
		wrongField(t, err, test.field)
	}
	counted, err := s.Stats(t.Context(), "")
	require.NoError(t, err)
	require.Zero(t, counted.Total)
}

func roundTrip(t *testing.T, s suite) {
	metadata := map[string]any{"text": "größe \u2028 <b>&", "whole": 7, "big": int64(9007199254740993), "digits": json.Number("1.10"), "yes": true,
		"none": nil, "list": []any{"a", 2, false}, "object": map[string]any{"k": "v"}, "": "empty"}
	settings := session.DefaultSettings()
	settings.CustomMetadata = metadata
	made := s.create(t, session.New{Owner: "ann", UserID: "ü", Metadata: metadata, Settings: settings})
	said, err := s.Append(t.Context(), "ann", made.ID,
		session.Message{Role: session.System, Content: "注文\x00 \"quoted\" \r\n", Metadata: metadata},
		session.Message{Role: session.Assistant, Timestamp: time.Date(2020, 2, 29, 1, 2, 3, 456_789_999, time.FixedZone("", 3600))})
	require.NoError(t, err)
	got, err := s.Get(t.Context(), "ann", made.ID)
	require.NoError(t, err)
	require.Equal(t, said, got)
	want := asJSON(t, metadata)
	require.Equal(t, want, asJSON(t, got.Metadata), "to the digit")
	require.Equal(t, want, asJSON(t, got.Settings.CustomMetadata))
	require.Equal(t, want, asJSON(t, got.History[0].Metadata))
	require.Equal(t, "注文\x00 \"quoted\" \r\n", got.History[0].Content)
	require.Equal(t, session.System, got.History[0].Role)
	require.Equal(t, `{"role":"assistant","content":"","timestamp":"2020-02-29T00:02:03.456789Z","metadata":{}}`, asJSON(t, got.History[1]))

	var again session.Session
	decoder := json.NewDecoder(strings.NewReader(asJSON(t, got)))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&again))
	require.Equal(t, asJSON(t, got), asJSON(t, again))
}

func owners(t *testing.T, s suite) {
	anns, bobs := s.create(t, session.New{Owner: "ann"}), s.create(t, session.New{Owner: "bob"})
	nobodys := s.create(t, session.New{})
	ctx := t.Context()
	for _, id := range []string{bobs.ID, nobodys.ID} {
		_, err := s.Get(ctx, "ann", id)
		require.ErrorIs(t, err, session.ErrNotFound)
		_, err = s.Update(ctx, "ann", id, func(*session.Session) error { t.Error("shown to another"); return nil })
		require.ErrorIs(t, err, session.ErrNotFound)
		_, err = s.Append(ctx, "ann", id, say("hello"))
		require.ErrorIs(t, err, session.ErrNotFound)
		_, err = s.Activate(ctx, "ann", id, 0)
		require.ErrorIs(t, err, session.ErrNotFound)
		require.ErrorIs(t, s.Delete(ctx, "ann", id), session.ErrNotFound)
	}
	count := func(owner string) int {
		all, err := s.List(ctx, owner, session.ListFilter{})
		require.NoError(t, err)
		for _, one := range all {
			require.True(t, owner == "" || one.Owner == owner)
		}
		counted, err := s.Stats(ctx, owner)
		require.NoError(t, err)
		require.Equal(t, len(all), counted.Total)
		return len(all)
	}
	require.Equal(t, []int{1, 1, 0, 3}, []int{count("ann"), count("bob"), count("an"), count("")})
	got, err := s.Get(ctx, "", anns.ID)
	require.NoError(t, err, "without authentication all are seen")
	require.Equal(t, anns, got)
	got, err = s.Append(ctx, "", anns.ID, say("hello"))
	require.NoError(t, err)
	require.Equal(t, "ann", got.Owner, "it stays hers")
	require.NoError(t, s.Delete(ctx, "", anns.ID))
	require.Equal(t, 0, count("ann"))
	for _, kept := range []session.Session{bobs, nobodys} {
		got, err := s.Get(ctx, kept.Owner, kept.ID)
		require.NoError(t, err)
		require.Equal(t, kept, got)
	}
}

func update(t *testing.T, s suite) {
	made := s.create(t, session.New{Owner: "ann"})
	s.clock.Advance(time.Second)
	got, err := s.Update(t.Context(), "ann", made.ID, func(v *session.Session) error {
		require.Equal(t, made.LastAccessed.Add(time.Second), v.LastAccessed)
		v.UserID, v.Collection, v.Status = "u", "c", session.Inactive
		v.Metadata["k"] = "v"
		v.ID, v.Owner, v.CreatedAt, v.LastAccessed = "x", "bob", time.Time{}, time.Time{}
		return json.Unmarshal([]byte(`{"default_n_results": 9, "custom_metadata": {"a": 1}}`), &v.Settings)
	})
	require.NoError(t, err)
	want := made
	want.UserID, want.Collection, want.Status, want.Metadata = "u", "c", session.Inactive, map[string]any{"k": "v"}
	want.Settings.DefaultNResults, want.Settings.CustomMetadata = 9, map[string]any{"a": json.Number("1")}
	want.LastAccessed = made.LastAccessed.Add(time.Second)
	require.Equal(t, want, got)
	again, err := s.Get(t.Context(), "ann", made.ID)
	require.NoError(t, err)
	require.Equal(t, want, again)
	got, err = s.Append(t.Context(), "ann", made.ID, say("still possible"))
	require.NoError(t, err)
	require.Equal(t, session.Inactive, got.Status)
}

func updateRefusals(t *testing.T, s suite) {
	made := s.create(t, session.New{Owner: "ann"})
	mistake := errors.New("changed my mind")
	for _, test := range []struct {
		field  string
		change func(*session.Session) error
	}{
		{"", func(v *session.Session) error { v.UserID = "u"; return mistake }},
		{"status", func(v *session.Session) error { v.Status = "asleep"; return nil }},
		{"expires_at", func(v *session.Session) error { v.ExpiresAt = v.LastAccessed.Add(8 * 24 * time.Hour); return nil }},
		{"ttl_minutes", func(v *session.Session) error { return v.Renew(time.Second) }},
		{"settings.default_n_results", func(v *session.Session) error { v.Settings.DefaultNResults = -1; return nil }},
		{"role", func(v *session.Session) error { v.History = []session.Message{{Role: "tool"}}; return nil }},
	} {
		_, err := s.Update(t.Context(), "ann", made.ID, test.change)
		if test.field == "" {
			require.Equal(t, mistake, err)
		} else {
			wrongField(t, err, test.field)
		}
	}
	got, err := s.Get(t.Context(), "ann", made.ID)
	require.NoError(t, err)
	require.Equal(t, made, got, "nothing has changed")
	_, err = s.Activate(t.Context(), "ann", made.ID, time.Second)
	wrongField(t, err, "ttl_minutes")
}

func updateIsAtomic(t *testing.T, s suite) {
	made := s.create(t, session.New{Owner: "ann"})
	const writers, each = 8, 10
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range each {
				_, err := s.Update(t.Context(), "ann", made.ID, func(v *session.Session) error {
					v.Settings.MaxContentLength++
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	got, err := s.Get(t.Context(), "ann", made.ID)
	require.NoError(t, err)
	require.Equal(t, made.Settings.MaxContentLength+writers*each, got.Settings.MaxContentLength)
}

func appendInOrder(t *testing.T, s suite) {
	made := s.create(t, session.New{Owner: "ann"})
	got, err := s.Append(t.Context(), "ann", made.ID)
	require.NoError(t, err)
	require.Empty(t, got.History)
	s.clock.Advance(time.Second)
	got, err = s.Append(t.Context(), "ann", made.ID, say("1"), say("2"))
	require.NoError(t, err)
	require.Equal(t, made.CreatedAt.Add(time.Second), got.LastAccessed)
	require.Equal(t, got.LastAccessed, got.History[1].Timestamp)
	require.Equal(t, made.ExpiresAt, got.ExpiresAt, "talking does not prolong a session")
	got, err = s.Append(t.Context(), "ann", made.ID, say("3"))
	require.NoError(t, err)
	require.Equal(t, "1 2 3", contents(got))
	got, err = s.Update(t.Context(), "ann", made.ID, func(v *session.Session) error { v.History = nil; return nil })
	require.NoError(t, err)
	require.Empty(t, got.History)
	require.Contains(t, asJSON(t, got), `"conversation_history":[]`)
}

func contents(s session.Session) string {
	var all []string
	for _, m := range s.History {
		all = append(all, m.Content)
	}
	return strings.Join(all, " ")
}

// appendTogether lets several write pairs to two sessions while others read.
func appendTogether(t *testing.T, s suite) {
	made := []session.Session{s.create(t, session.New{Owner: "ann"}), s.create(t, session.New{Owner: "ann"})}
	const writers, each = 6, 12
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				question, answer := fmt.Sprintf("%d:%d?", w, i), fmt.Sprintf("%d:%d!", w, i)
				got, err := s.Append(t.Context(), "ann", made[w%2].ID, say(question), say(answer))
				if err != nil || !strings.HasSuffix(contents(got), question+" "+answer) {
					t.Errorf("acknowledged with %q, %v", contents(got), err)
				}
				if _, err := s.Get(t.Context(), "ann", made[i%2].ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for n, one := range made {
		got, err := s.Get(t.Context(), "ann", one.ID)
		require.NoError(t, err)
		require.Len(t, got.History, writers/2*each*2)
		next := make(map[int]int)
		for i := 0; i < len(got.History); i += 2 {
			var w, turn int
			_, err := fmt.Sscanf(got.History[i].Content, "%d:%d?", &w, &turn)
			require.NoError(t, err)
			require.Equal(t, n, w%2)
			require.Equal(t, next[w], turn, "each writer's messages in its order")
			require.Equal(t, fmt.Sprintf("%d:%d!", w, turn), got.History[i+1].Content, "pairs stay together")
			next[w]++
		}
	}
}

func appendRefusals(t *testing.T, s suite) {
	st := suite{Store: s.open(session.Options{MaxMessageBytes: 10, MaxMetadataBytes: 20})}
	made := st.create(t, session.New{})
	for _, test := range []struct {
		field   string
		message session.Message
	}{
		{"role", session.Message{Content: "x"}},
		{"role", session.Message{Role: "tool", Content: "x"}},
		{"content", say("01234567890")},
		{"content", say("a\xff")},
		{"metadata", session.Message{Role: session.User, Metadata: map[string]any{"k": strings.Repeat("v", 20)}}},
		{"timestamp", session.Message{Role: session.User, Timestamp: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}},
	} {
		_, err := st.Append(t.Context(), "", made.ID, say("good"), test.message)
		wrongField(t, err, test.field)
	}
	got, err := st.Append(t.Context(), "", made.ID, say("0123456789"))
	require.NoError(t, err)
	require.Equal(t, "0123456789", contents(got), "all or none")
}

func expiry(t *testing.T, s suite) {
	made := s.create(t, session.New{Owner: "ann", TTL: time.Minute})
	ctx := t.Context()
	s.clock.Advance(time.Minute - time.Millisecond)
	_, err := s.Append(ctx, "ann", made.ID, say("in time"))
	require.NoError(t, err)
	s.clock.Advance(time.Millisecond)
	got, err := s.Get(ctx, "ann", made.ID)
	require.NoError(t, err, "it can still be read")
	require.Equal(t, session.Expired, got.Status)
	require.Equal(t, "in time", contents(got))
	_, err = s.Append(ctx, "ann", made.ID, say("too late"))
	require.ErrorIs(t, err, session.ErrExpired)
	_, err = s.Update(ctx, "ann", made.ID, func(*session.Session) error { t.Error("called"); return nil })
	require.ErrorIs(t, err, session.ErrExpired)
	again, err := s.Get(ctx, "ann", made.ID)
	require.NoError(t, err)
	require.Equal(t, got, again)

	got, err = s.Activate(ctx, "ann", made.ID, 0)
	require.NoError(t, err)
	require.Equal(t, session.Active, got.Status)
	require.Equal(t, got.LastAccessed.Add(session.DefaultTTL), got.ExpiresAt)
	got, err = s.Append(ctx, "ann", made.ID, say("again"))
	require.NoError(t, err)
	require.Equal(t, "in time again", contents(got))
}

func expireByHand(t *testing.T, s suite) {
	made := s.create(t, session.New{Owner: "ann"})
	s.clock.Advance(time.Second)
	got, err := s.Update(t.Context(), "ann", made.ID, func(v *session.Session) error { v.Status = session.Expired; return nil })
	require.NoError(t, err)
	require.Equal(t, session.Expired, got.Status)
	require.Equal(t, got.LastAccessed, got.ExpiresAt)
	_, err = s.Append(t.Context(), "ann", made.ID, say("too late"))
	require.ErrorIs(t, err, session.ErrExpired)
	_, err = s.Activate(t.Context(), "ann", made.ID, time.Minute)
	require.NoError(t, err)
	got, err = s.Append(t.Context(), "ann", made.ID, say("again"))
	require.NoError(t, err)
	require.Equal(t, session.Active, got.Status)
}

func renew(t *testing.T, s suite) {
	made := s.create(t, session.New{Owner: "ann", TTL: time.Minute})
	s.clock.Advance(30 * time.Second)
	got, err := s.Update(t.Context(), "ann", made.ID, func(v *session.Session) error { return v.Renew(time.Hour) })
	require.NoError(t, err)
	require.Equal(t, made.CreatedAt.Add(30*time.Second+time.Hour), got.ExpiresAt)
	s.clock.Advance(time.Hour - time.Second)
	got, err = s.Get(t.Context(), "ann", made.ID)
	require.NoError(t, err)
	require.Equal(t, session.Active, got.Status)
	_, err = s.Update(t.Context(), "ann", made.ID, func(v *session.Session) error { return v.Renew(time.Minute) })
	require.NoError(t, err)
	s.clock.Advance(2*time.Minute + 24*time.Hour)
	_, err = s.Get(t.Context(), "ann", made.ID)
	require.ErrorIs(t, err, session.ErrNotFound, "a shorter life counts, too")
}

func forgotten(t *testing.T, s suite) {
	st := suite{Store: s.open(session.Options{Retention: time.Hour, MaxSessions: 2})}
	made := st.create(t, session.New{Owner: "ann", TTL: time.Minute})
	kept := st.create(t, session.New{Owner: "ann", TTL: time.Minute})
	ctx := t.Context()
	s.clock.Advance(time.Hour)
	_, err := st.Activate(ctx, "ann", kept.ID, session.MaxTTL)
	require.NoError(t, err)
	_, err = st.Create(ctx, session.New{Owner: "ann"})
	require.ErrorIs(t, err, session.ErrTooManySessions)
	s.clock.Advance(time.Minute)
	_, err = st.Get(ctx, "ann", made.ID)
	require.ErrorIs(t, err, session.ErrNotFound)
	_, err = st.Activate(ctx, "ann", made.ID, 0)
	require.ErrorIs(t, err, session.ErrNotFound)
	require.ErrorIs(t, st.Delete(ctx, "ann", made.ID), session.ErrNotFound)
	all, err := st.List(ctx, "ann", session.ListFilter{})
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, kept.ID, all[0].ID)
	counted, err := st.Stats(ctx, "")
	require.NoError(t, err)
	require.Equal(t, session.Stats{Total: 1, Active: 1}, counted)
	st.create(t, session.New{Owner: "ann"}) // there is room again
}

func list(t *testing.T, s suite) {
	var ids []string // newest first
	for i := range 6 {
		user := "u" + string(rune('0'+i%2))
		ids = append([]string{s.create(t, session.New{Owner: "ann", UserID: user, TTL: time.Hour + time.Duration(i)*time.Minute}).ID}, ids...)
		s.clock.Advance(time.Microsecond)
	}
	_, err := s.Append(t.Context(), "ann", ids[4], say("does not move it"))
	require.NoError(t, err)
	_, err = s.Update(t.Context(), "ann", ids[0], func(v *session.Session) error { v.Status = session.Inactive; return nil })
	require.NoError(t, err)
	s.clock.Advance(time.Hour) // the oldest one has expired
	for _, test := range []struct {
		filter session.ListFilter
		want   []string
	}{
		{session.ListFilter{}, ids},
		{session.ListFilter{Limit: 2}, ids[:2]},
		{session.ListFilter{Limit: 100}, ids},
		{session.ListFilter{UserID: "u0"}, []string{ids[1], ids[3], ids[5]}},
		{session.ListFilter{UserID: "u"}, []string{}},
		{session.ListFilter{Status: session.Active}, ids[1:5]},
		{session.ListFilter{Status: session.Inactive}, ids[:1]},
		{session.ListFilter{Status: session.Expired}, ids[5:]},
		{session.ListFilter{Status: session.Active, UserID: "u1", Limit: 1}, ids[2:3]},
	} {
		got, err := s.List(t.Context(), "ann", test.filter)
		require.NoError(t, err)
		found := []string{}
		for _, one := range got {
			found = append(found, one.ID)
			whole, err := s.Get(t.Context(), "ann", one.ID)
			require.NoError(t, err)
			require.Equal(t, whole, one)
		}
		require.Equal(t, test.want, found, "%+v", test.filter)
	}
	got, err := s.List(t.Context(), "bob", session.ListFilter{})
	require.NoError(t, err)
	require.Equal(t, "[]", asJSON(t, got))
}

func stats(t *testing.T, s suite) {
	for i := range 9 {
		n := session.New{Owner: "ann", UserID: fmt.Sprint("u", i%3), TTL: time.Minute}
		if i%3 == 0 {
			n.UserID = ""
		}
		if i < 5 {
			n.TTL = time.Hour
		}
		made := s.create(t, n)
		if i < 2 {
			_, err := s.Update(t.Context(), "ann", made.ID, func(v *session.Session) error { v.Status = session.Inactive; return nil })
			require.NoError(t, err)
		}
	}
	s.create(t, session.New{Owner: "bob", UserID: "u9"})
	s.clock.Advance(time.Minute)
	got, err := s.Stats(t.Context(), "ann")
	require.NoError(t, err)
	require.JSONEq(t, `{"total_sessions": 9, "active_sessions": 3, "inactive_sessions": 2, "expired_sessions": 4, "unique_users": 2}`, asJSON(t, got))
	got, err = s.Stats(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, session.Stats{Total: 10, Active: 4, Inactive: 2, Expired: 4, UniqueUsers: 3}, got)
}

func remove(t *testing.T, s suite) {
	made, expired := s.create(t, session.New{Owner: "ann"}), s.create(t, session.New{Owner: "ann", TTL: time.Minute})
	s.clock.Advance(time.Minute)
	for _, id := range []string{made.ID, expired.ID} {
		require.NoError(t, s.Delete(t.Context(), "ann", id))
		require.ErrorIs(t, s.Delete(t.Context(), "ann", id), session.ErrNotFound)
		_, err := s.Get(t.Context(), "ann", id)
		require.ErrorIs(t, err, session.ErrNotFound)
		_, err = s.Append(t.Context(), "ann", id, say("hello"))
		require.ErrorIs(t, err, session.ErrNotFound)
	}
	counted, err := s.Stats(t.Context(), "")
	require.NoError(t, err)
	require.Zero(t, counted)
}

func tooMany(t *testing.T, s suite) {
	st := suite{Store: s.open(session.Options{MaxSessions: 3})}
	var made atomic.Int64
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			_, err := st.Create(t.Context(), session.New{Owner: "ann"})
			switch {
			case err == nil:
				made.Add(1)
			case !errors.Is(err, session.ErrTooManySessions) || !strings.Contains(err.Error(), "3"):
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 3, made.Load())
	st.create(t, session.New{Owner: "bob"}) // has a limit of his own
	hers, err := st.List(t.Context(), "ann", session.ListFilter{Limit: 1})
	require.NoError(t, err)
	require.NoError(t, st.Delete(t.Context(), "ann", hers[0].ID))
	st.create(t, session.New{Owner: "ann"})
}

func historyFull(t *testing.T, s suite) {
	st := suite{Store: s.open(session.Options{MaxMessages: 4, MaxHistoryBytes: 2000})}
	made := st.create(t, session.New{})
	ctx := t.Context()
	_, err := st.Append(ctx, "", made.ID, say("1"), say("2"), say("3"))
	require.NoError(t, err)
	_, err = st.Append(ctx, "", made.ID, say("4"), say("5"))
	require.ErrorIs(t, err, session.ErrHistoryFull)
	require.ErrorContains(t, err, "4 messages")
	got, err := st.Append(ctx, "", made.ID, say("4"))
	require.NoError(t, err)
	require.Equal(t, "1 2 3 4", contents(got), "nothing that was acknowledged is dropped")
	_, err = st.Append(ctx, "", made.ID, say("5"))
	require.ErrorIs(t, err, session.ErrHistoryFull)
	_, err = st.Update(ctx, "", made.ID, func(v *session.Session) error { v.UserID = "u"; return nil })
	require.NoError(t, err, "all else can be changed")
	_, err = st.Update(ctx, "", made.ID, func(v *session.Session) error { v.History = nil; return nil })
	require.NoError(t, err)
	_, err = st.Append(ctx, "", made.ID, say(strings.Repeat("x", 1500)))
	require.NoError(t, err)
	_, err = st.Append(ctx, "", made.ID, say(strings.Repeat("y", 500)))
	require.ErrorIs(t, err, session.ErrHistoryFull)
	require.ErrorContains(t, err, "2000 bytes")
}

// aliasing changes everything that went in and came out.
func aliasing(t *testing.T, s suite) {
	spoil := func(v session.Session) {
		v.Metadata["k"], v.Settings.CustomMetadata["k"] = "spoiled", "spoiled"
		for i := range v.History {
			v.History[i].Content = "spoiled"
			v.History[i].Metadata["k"] = "spoiled"
		}
	}
	metadata, custom, said := map[string]any{"k": "v"}, map[string]any{"k": "v"}, map[string]any{"k": "v"}
	settings := session.DefaultSettings()
	settings.CustomMetadata = custom
	made := s.create(t, session.New{Metadata: metadata, Settings: settings})
	message := say("hello")
	message.Metadata = said
	got, err := s.Append(t.Context(), "", made.ID, message)
	require.NoError(t, err)
	want := asJSON(t, got)
	for _, m := range []map[string]any{metadata, custom, said} {
		m["k"] = "spoiled"
	}
	spoil(made)
	spoil(got)
	var inside session.Session
	got, err = s.Update(t.Context(), "", made.ID, func(v *session.Session) error { inside = *v; return nil })
	require.NoError(t, err)
	spoil(got)
	spoil(inside)
	listed, err := s.List(t.Context(), "", session.ListFilter{})
	require.NoError(t, err)
	spoil(listed[0])
	got, err = s.Get(t.Context(), "", made.ID)
	require.NoError(t, err)
	require.Equal(t, want, asJSON(t, got))
}

func oddIDs(t *testing.T, s suite) {
	made := s.create(t, session.New{})
	for _, id := range []string{"", "x", "*", "..", "\x00", "\xff", strings.Repeat("a", 100_000), strings.ToUpper(made.ID), made.ID + " ", " " + made.ID,
		"{" + made.ID + "}", made.ID[:35], made.ID[:35] + "\n", strings.ReplaceAll(made.ID, "-", ""), "00000000-0000-4000-8000-000000000000"} {
		_, err := s.Get(t.Context(), "", id)
		require.ErrorIs(t, err, session.ErrNotFound, "%.50q", id)
		_, err = s.Append(t.Context(), "", id, say("hello"))
		require.ErrorIs(t, err, session.ErrNotFound, "%.50q", id)
		_, err = s.Activate(t.Context(), "", id, 0)
		require.ErrorIs(t, err, session.ErrNotFound, "%.50q", id)
		require.ErrorIs(t, s.Delete(t.Context(), "", id), session.ErrNotFound, "%.50q", id)
	}
}

// calls makes each call once and returns what they fail with.
func calls(ctx context.Context, s session.Store, id string) []error {
	errs := make([]error, 8)
	_, errs[0] = s.Create(ctx, session.New{})
	_, errs[1] = s.Get(ctx, "", id)
	_, errs[2] = s.List(ctx, "", session.ListFilter{})
	_, errs[3] = s.Update(ctx, "", id, func(*session.Session) error { return nil })
	_, errs[4] = s.Append(ctx, "", id, say("x"))
	_, errs[5] = s.Activate(ctx, "", id, 0)
	_, errs[6] = s.Stats(ctx, "")
	errs[7] = s.Delete(ctx, "", id)
	return errs
}

func cancelled(t *testing.T, s suite) {
	made := s.create(t, session.New{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for i, err := range calls(ctx, s, made.ID) {
		require.ErrorIs(t, err, context.Canceled, i)
	}
	got, err := s.Get(t.Context(), "", made.ID)
	require.NoError(t, err)
	require.Equal(t, made, got)
}

func closed(t *testing.T, s suite) {
	made := s.create(t, session.New{})
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "twice is no mistake")
	for i, err := range calls(t.Context(), s, made.ID) {
		require.ErrorIs(t, err, session.ErrClosed, i)
	}
}
