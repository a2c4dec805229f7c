package session_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"github.com/api-assistant/api-assistant/assistant/session"
	"github.com/api-assistant/api-assistant/assistant/session/sessiontest"
)

// TestMain lets the test program run itself as a writer, which TestKill kills.
func TestMain(m *testing.M) {
	if path := os.Getenv("SESSION_TEST_WRITE"); path != "" {
		writeForever(path)
	}
	os.Exit(m.Run())
}

// writeForever makes sessions with several writers each, and says what was
// acknowledged: session, writer, turn.
func writeForever(path string) {
	s, err := session.OpenFile(path, session.Options{})
	if err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	ctx := context.Background()
	for {
		made, err := s.Create(ctx, session.New{Owner: "ann"})
		if err != nil {
			fmt.Println("failed", err)
			os.Exit(1)
		}
		fmt.Println("made", made.ID)
		var all sync.WaitGroup
		for w := range 4 {
			all.Go(func() {
				for turn := range 20 {
					text := fmt.Sprintf("%d:%d", w, turn)
					if _, err := s.Append(ctx, "ann", made.ID, session.Message{Role: session.User, Content: text}); err != nil {
						fmt.Println("failed", err)
						os.Exit(1)
					}
					fmt.Println("said", made.ID, text)
				}
			})
		}
		all.Wait()
	}
}

func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	acknowledged := make(map[string][]string)
	n := 0
	for round := range 10 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "SESSION_TEST_WRITE="+path)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewScanner(out)
		read := func() {
			words := strings.Fields(lines.Text())
			require.Contains(t, []string{"made", "said"}, words[0], lines.Text())
			if words[0] == "made" {
				acknowledged[words[1]] = nil
			} else {
				acknowledged[words[1]] = append(acknowledged[words[1]], words[2])
				n++
			}
		}
		for i := 0; i < 5+round*7 && lines.Scan(); i++ {
			read()
		}
		time.Sleep(time.Duration(round*137%1000) * time.Microsecond) // into the middle of something
		require.NoError(t, cmd.Process.Kill())
		for lines.Scan() { // what it said before it died
			read()
		}
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait() // says that it was killed
		checkAcknowledged(t, path, acknowledged)
	}
	require.Greater(t, n, 50)
	t.Logf("%d sessions and %d messages acknowledged, none lost", len(acknowledged), n)
}

func checkAcknowledged(t *testing.T, path string, acknowledged map[string][]string) {
	t.Helper()
	s, err := session.OpenFile(path, session.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	for id, texts := range acknowledged {
		got, err := s.Get(t.Context(), "ann", id)
		require.NoError(t, err, "was acknowledged")
		there := make(map[string]int)
		for _, m := range got.History {
			there[m.Content]++
			require.Equal(t, 1, there[m.Content], "%s came twice", m.Content)
		}
		for _, text := range texts {
			require.Equal(t, 1, there[text], "%s was acknowledged and is lost", text)
		}
	}
	counted, err := s.Stats(t.Context(), "ann")
	require.NoError(t, err)
	require.GreaterOrEqual(t, counted.Total, len(acknowledged))
}

func TestOpenFileRefusals(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	s, err := session.OpenFile(at("a.db"), session.Options{})
	require.NoError(t, err)
	_, err = session.OpenFile(at("a.db"), session.Options{})
	require.ErrorIs(t, err, session.ErrLocked)
	require.ErrorContains(t, err, "a.db")
	require.NoError(t, s.Close())

	_, err = session.OpenFile(at("missing/a.db"), session.Options{})
	require.ErrorIs(t, err, os.ErrNotExist)

	require.NoError(t, os.WriteFile(at("text.db"), []byte(strings.Repeat("not a database\n", 1000)), 0o600))
	_, err = session.OpenFile(at("text.db"), session.Options{})
	require.ErrorContains(t, err, "text.db")

	whole, err := os.ReadFile(at("a.db"))
	require.NoError(t, err)
	for _, size := range []int{1, 100, 5000, len(whole) / 2, len(whole) - 1} {
		require.NoError(t, os.WriteFile(at("short.db"), whole[:size], 0o600))
		if s, err := session.OpenFile(at("short.db"), session.Options{}); err == nil {
			require.NoError(t, s.Close()) // the end was not used
		} else {
			require.ErrorContains(t, err, "short.db")
		}
	}

	db, err := bolt.Open(at("foreign.db"), 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bolt.Tx) error { _, err := tx.CreateBucket([]byte("theirs")); return err }))
	require.NoError(t, db.Close())
	_, err = session.OpenFile(at("foreign.db"), session.Options{})
	require.ErrorContains(t, err, "another program")

	edit(t, at("a.db"), "meta", func(b *bolt.Bucket) error { return b.Put([]byte("version"), []byte("99")) })
	_, err = session.OpenFile(at("a.db"), session.Options{})
	require.ErrorContains(t, err, `format "99"`)
}

// edit changes a bucket of a closed file.
func edit(t *testing.T, path, bucket string, change func(*bolt.Bucket) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bolt.Tx) error { return change(tx.Bucket([]byte(bucket))) }))
	require.NoError(t, db.Close())
}

func TestDamagedRecords(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"cut":        func(b []byte) []byte { return b[:len(b)-10] },
		"no JSON":    func(b []byte) []byte { return append(b[:13:13], '?') },
		"no owner":   func(b []byte) []byte { return []byte("\x00") },
		"long owner": func(b []byte) []byte { return append(b[:8:8], "\xff\xff"...) },
		"empty":      func(b []byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sessions.db")
			s, err := session.OpenFile(path, session.Options{})
			require.NoError(t, err)
			ctx := t.Context()
			bad, err := s.Create(ctx, session.New{Owner: "ann"})
			require.NoError(t, err)
			good, err := s.Create(ctx, session.New{Owner: "ann"})
			require.NoError(t, err)
			require.NoError(t, s.Close())
			edit(t, path, "heads", func(b *bolt.Bucket) error {
				return b.Put([]byte(bad.ID), damage(append([]byte{}, b.Get([]byte(bad.ID))...)))
			})
			s, err = session.OpenFile(path, session.Options{})
			require.NoError(t, err)
			defer s.Close()
			_, err = s.Get(ctx, "", bad.ID)
			require.ErrorIs(t, err, session.ErrCorrupt)
			require.ErrorContains(t, err, bad.ID)
			_, err = s.List(ctx, "", session.ListFilter{})
			require.ErrorIs(t, err, session.ErrCorrupt)
			_, err = s.Append(ctx, "", bad.ID, session.Message{Role: session.User})
			require.ErrorIs(t, err, session.ErrCorrupt)
			got, err := s.Get(ctx, "ann", good.ID)
			require.NoError(t, err)
			require.Equal(t, good, got)
			require.NoError(t, s.Delete(ctx, "", bad.ID), "it can be removed")
			all, err := s.List(ctx, "ann", session.ListFilter{})
			require.NoError(t, err)
			require.Len(t, all, 1)
		})
	}
}

// TestFileForgets looks for what is left in a file when all has been forgotten.
func TestFileForgets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	clock := sessiontest.NewClock()
	s, err := session.OpenFile(path, session.Options{Now: clock.Now})
	require.NoError(t, err)
	const n = 250
	for i := range n {
		made, err := s.Create(t.Context(), session.New{Owner: fmt.Sprint("o", i%3)})
		require.NoError(t, err)
		if i%2 == 0 {
			_, err = s.Activate(t.Context(), "", made.ID, 2*time.Hour)
			require.NoError(t, err)
		}
	}
	clock.Advance(27 * time.Hour)
	for range 3 { // a write forgets 100
		made, err := s.Create(t.Context(), session.New{Owner: "last"})
		require.NoError(t, err)
		require.NoError(t, s.Delete(t.Context(), "last", made.ID))
	}
	require.NoError(t, s.Close())
	for _, bucket := range []string{"heads", "histories", "owners", "forget"} {
		edit(t, path, bucket, func(b *bolt.Bucket) error {
			key, _ := b.Cursor().First()
			require.Nil(t, key, bucket)
			return nil
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	stores := map[string]func() (session.Store, error){
		"memory": func() (session.Store, error) { return session.NewMemory(session.Options{}), nil },
		"file": func() (session.Store, error) {
			return session.OpenFile(filepath.Join(b.TempDir(), "sessions.db"), session.Options{})
		},
	}
	for name, open := range stores {
		b.Run(name, func(b *testing.B) {
			s, err := open()
			require.NoError(b, err)
			defer s.Close()
			made, err := s.Create(b.Context(), session.New{})
			require.NoError(b, err)
			message := session.Message{Role: session.User, Content: strings.Repeat("x", 500)}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if n++; n%40 == 0 { // a conversation of up to 40 messages
					_, err = s.Update(b.Context(), "", made.ID, func(v *session.Session) error { v.History = nil; return nil })
				} else {
					_, err = s.Append(b.Context(), "", made.ID, message)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
