package redissession_test

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/redissession"
	"github.com/api-assistant/api-assistant/assistant/session"
	"github.com/api-assistant/api-assistant/assistant/session/sessiontest"
)

// server starts redis-server on a free port, for the time of a test.
func server(tb testing.TB, arguments ...string) *redis.Client {
	tb.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		tb.Skip("redis-server is not on the PATH")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	port := listener.Addr().(*net.TCPAddr).Port
	require.NoError(tb, listener.Close())
	arguments = append([]string{"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--dir", tb.TempDir()}, arguments...)
	command := exec.Command(path, arguments...)
	require.NoError(tb, command.Start())
	client := redis.NewClient(&redis.Options{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))})
	tb.Cleanup(func() {
		client.Close()
		_ = command.Process.Kill()
		_ = command.Wait() // says that it was killed
	})
	require.Eventually(tb, func() bool { return client.Ping(context.Background()).Err() == nil }, 20*time.Second, 10*time.Millisecond)
	return client
}

func Example() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"}) // does not connect yet
	defer client.Close()
	store := redissession.New(client, session.Options{MaxSessions: 100}, redissession.WithPrefix("shop:session:"))
	fmt.Println(store.Close())
	// Output: <nil>
}

// TestStore runs the suite, each store with a prefix of its own.
func TestStore(t *testing.T) {
	client := server(t)
	var n atomic.Int64
	sessiontest.Run(t, func(t *testing.T, o session.Options) session.Store {
		return redissession.New(client, o, redissession.WithPrefix(fmt.Sprintf("s%d:", n.Add(1))))
	})
}

// TestReplicas are several processes that share a store.
func TestReplicas(t *testing.T) {
	client := server(t)
	first := redissession.New(client, session.Options{})
	made, err := first.Create(t.Context(), session.New{Owner: "ann"})
	require.NoError(t, err)
	const replicas, each = 4, 10
	var all sync.WaitGroup
	for r := range replicas {
		own := redis.NewClient(client.Options())
		t.Cleanup(func() { own.Close() })
		s := redissession.New(own, session.Options{})
		all.Go(func() {
			for i := range each {
				message := session.Message{Role: session.User, Content: fmt.Sprintf("%d:%d", r, i)}
				if _, err := s.Append(context.Background(), "ann", made.ID, message); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	got, err := first.Get(t.Context(), "ann", made.ID)
	require.NoError(t, err)
	next := make(map[string]int)
	for _, m := range got.History {
		replica, turn, _ := strings.Cut(m.Content, ":")
		require.Equal(t, strconv.Itoa(next[replica]), turn)
		next[replica]++
	}
	require.Len(t, got.History, replicas*each)
}

// TestForgets looks at what is in Redis, and until when.
func TestForgets(t *testing.T) {
	client := server(t)
	s := redissession.New(client, session.Options{})
	made, err := s.Create(t.Context(), session.New{Owner: "ann", TTL: time.Hour})
	require.NoError(t, err)
	keys, err := client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	require.Len(t, keys, 3, keys)
	left := func(want time.Duration) {
		for _, key := range keys {
			require.True(t, strings.HasPrefix(key, "session:"), key)
			require.NotContains(t, key, "ann")
			ttl, err := client.PTTL(t.Context(), key).Result()
			require.NoError(t, err)
			require.InDelta(t, want.Seconds(), ttl.Seconds(), 60, key)
		}
	}
	left(25 * time.Hour)
	_, err = s.Activate(t.Context(), "ann", made.ID, 3*time.Hour)
	require.NoError(t, err)
	left(27 * time.Hour)
	require.NoError(t, s.Delete(t.Context(), "ann", made.ID))
	n, err := client.DBSize(t.Context()).Result()
	require.NoError(t, err)
	require.Zero(t, n)

	short := redissession.New(client, session.Options{Retention: time.Millisecond})
	_, err = short.Create(t.Context(), session.New{Owner: "ann"})
	require.NoError(t, err)
	keys, err = client.Keys(t.Context(), "session:*").Result()
	require.NoError(t, err)
	left(time.Hour)
}

// TestForeignValues are hashes that another program has written, or half of one.
func TestForeignValues(t *testing.T) {
	client := server(t)
	s := redissession.New(client, session.Options{})
	ctx := t.Context()
	good, err := s.Create(ctx, session.New{Owner: "ann"})
	require.NoError(t, err)
	for field, value := range map[string]string{"head": "nonsense", "history": "[", "forget": "soon", "version": ""} {
		made, err := s.Create(ctx, session.New{Owner: "ann"})
		require.NoError(t, err)
		key := "session:id:" + made.ID
		require.NoError(t, client.HSet(ctx, key, field, value).Err())
		_, err = s.Append(ctx, "ann", made.ID, session.Message{Role: session.User, Content: "x"})
		if field == "version" {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, session.ErrCorrupt, field)
			_, err = s.List(ctx, "", session.ListFilter{})
			require.ErrorIs(t, err, session.ErrCorrupt, field)
		}
		require.NoError(t, s.Delete(ctx, "ann", made.ID), field)
	}
	require.NoError(t, client.Set(ctx, "session:id:00000000-0000-4000-8000-000000000000", "x", 0).Err())
	_, err = s.Get(ctx, "", "00000000-0000-4000-8000-000000000000")
	require.ErrorContains(t, err, "redissession: ")
	require.NoError(t, client.ZAdd(ctx, "session:all", redis.Z{Score: 9e15, Member: "dangling"}).Err())
	all, err := s.List(ctx, "", session.ListFilter{})
	require.NoError(t, err)
	require.Equal(t, []session.Session{good}, all)
}

// TestManySessions is more than one page of each scan.
func TestManySessions(t *testing.T) {
	s := redissession.New(server(t), session.Options{})
	const n = 450
	for range n {
		_, err := s.Create(t.Context(), session.New{Owner: "ann"})
		require.NoError(t, err)
	}
	all, err := s.List(t.Context(), "ann", session.ListFilter{})
	require.NoError(t, err)
	require.Len(t, all, n)
	for i := range all[1:] {
		require.False(t, all[i].CreatedAt.Before(all[i+1].CreatedAt))
	}
}

// TestScriptsAreLoadedAgain is a Redis that was restarted.
func TestScriptsAreLoadedAgain(t *testing.T) {
	client := server(t)
	s := redissession.New(client, session.Options{})
	for range 2 {
		made, err := s.Create(t.Context(), session.New{})
		require.NoError(t, err)
		require.NoError(t, client.ScriptFlush(t.Context()).Err())
		_, err = s.Append(t.Context(), "", made.ID, session.Message{Role: session.User})
		require.NoError(t, err)
	}
}

// TestCluster is a cluster of one node, which refuses scripts and transactions
// across slots as one of many does.
func TestCluster(t *testing.T) {
	node := server(t, "--cluster-enabled", "yes")
	require.NoError(t, node.Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", 0, 16383).Err())
	require.Eventually(t, func() bool {
		return strings.Contains(node.ClusterInfo(context.Background()).Val(), "cluster_state:ok")
	}, 20*time.Second, 10*time.Millisecond)
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{node.Options().Addr}})
	defer client.Close()
	s := redissession.New(client, session.Options{})
	for range 5 {
		made, err := s.Create(t.Context(), session.New{Owner: "ann"})
		require.NoError(t, err)
		_, err = s.Append(t.Context(), "ann", made.ID, session.Message{Role: session.User, Content: "hello"})
		require.NoError(t, err)
	}
	all, err := s.List(t.Context(), "ann", session.ListFilter{})
	require.NoError(t, err)
	require.Len(t, all, 5)
	require.NoError(t, s.Delete(t.Context(), "ann", all[0].ID))
}

// TestRedisIsDown needs no server.
func TestRedisIsDown(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	defer client.Close()
	s := redissession.New(client, session.Options{})
	_, err := s.Create(t.Context(), session.New{})
	require.ErrorContains(t, err, "redissession: ")
	_, err = s.Get(t.Context(), "", "00000000-0000-4000-8000-000000000000")
	require.ErrorContains(t, err, "redissession: ")
	require.NotErrorIs(t, err, session.ErrNotFound)
	_, err = s.List(t.Context(), "", session.ListFilter{})
	require.ErrorContains(t, err, "redissession: ")
}
