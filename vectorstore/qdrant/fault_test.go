package qdrant_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	qc "github.com/qdrant/go-client/qdrant"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/api-assistant/api-assistant/vectorstore"
	"github.com/api-assistant/api-assistant/vectorstore/qdrant"
	"github.com/api-assistant/api-assistant/vectorstore/qdrant/qdranttest"
)

// faults is an interceptor that tests change while the server runs.
type faults struct {
	mu    sync.Mutex
	fault func(ctx context.Context, method string, req any, handle grpc.UnaryHandler) (any, error) // nil: none
	calls []string
}

func (f *faults) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	method := info.FullMethod[strings.LastIndexByte(info.FullMethod, '/')+1:]
	f.mu.Lock()
	fault := f.fault
	f.calls = append(f.calls, method)
	f.mu.Unlock()
	if fault == nil {
		return handle(ctx, req)
	}
	return fault(ctx, method, req, handle)
}

func (f *faults) set(fault func(ctx context.Context, method string, req any, handle grpc.UnaryHandler) (any, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.calls = fault, nil
}

func (f *faults) count(method string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.calls {
		if m == method {
			n++
		}
	}
	return n
}

// faulty opens a store whose server misbehaves as f says, and which does not
// wait between attempts; the waits are appended to the returned list.
func faulty(t *testing.T, cfg qdrant.Config) (*qdrant.Store, *faults, *[]time.Duration) {
	t.Helper()
	f := &faults{}
	cfg.URL, cfg.Dimensions = start(t, qdranttest.Options{Interceptor: f.intercept}).URL(), 2
	s := open(t, cfg)
	var waits []time.Duration
	s.SetPause(func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil })
	return s, f, &waits
}

func record(id string) vectorstore.Record {
	return vectorstore.Record{Vector: []float32{1, float32(len(id))}, Document: vectorstore.Document{ID: id, Source: "f",
		Content: "content of " + id, Metadata: map[string]any{"n": 1, "l": []any{"a", 2.5}}, Data: []byte(`{"a": "<"}`)}}
}

func records(n int, content string) []vectorstore.Record {
	out := make([]vectorstore.Record, n)
	for i := range out {
		out[i] = record(fmt.Sprintf("%05d", i))
		out[i].Content = content
	}
	return out
}

// contents counts the documents by their content.
func contents(t *testing.T, s *qdrant.Store) map[string]int {
	t.Helper()
	out := make(map[string]int)
	for d, err := range s.All(t.Context(), nil) {
		require.NoError(t, err)
		out[d.Content]++
	}
	return out
}

func TestUnavailableThenWell(t *testing.T) {
	s, f, waits := faulty(t, qdrant.Config{})
	left := 0
	f.set(func(ctx context.Context, method string, req any, handle grpc.UnaryHandler) (any, error) {
		if left--; left >= 0 {
			return nil, status.Error(codes.Unavailable, "shard is restarting")
		}
		return handle(ctx, req)
	})
	left = 3
	require.NoError(t, s.Upsert(t.Context(), record("a")))
	require.Len(t, *waits, 3)
	for i, w := range *waits {
		most := 100 * time.Millisecond << i
		require.True(t, most/2 <= w && w <= most, "wait %d is %s", i, w)
	}
	left = 1
	found, err := s.Search(t.Context(), []float32{1, 1}, 5, nil)
	require.NoError(t, err)
	require.Len(t, found, 1)
	left = 1000
	_, err = s.Count(t.Context(), nil)
	require.ErrorIs(t, err, vectorstore.ErrUnavailable)
	require.ErrorContains(t, err, "shard is restarting")
	require.Equal(t, 1000-5, left, "five attempts")
}

func TestRetryAfter(t *testing.T) {
	s, f, waits := faulty(t, qdrant.Config{})
	left, after := 2, "3"
	f.set(func(ctx context.Context, method string, req any, handle grpc.UnaryHandler) (any, error) {
		if left--; left >= 0 {
			if err := grpc.SetTrailer(ctx, metadata.Pairs("retry-after", after)); err != nil {
				return nil, err
			}
			return nil, status.Error(codes.ResourceExhausted, "rate limit exceeded")
		}
		return handle(ctx, req)
	})
	_, err := s.Count(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, []time.Duration{3 * time.Second, 3 * time.Second}, *waits, "the server is obeyed")

	left, after = 1, "3600"
	_, err = s.Count(t.Context(), nil)
	var e *qdrant.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, time.Hour, e.RetryAfter, "too long to wait, so it is passed on")
	require.Equal(t, codes.ResourceExhausted, e.Code)
	require.ErrorIs(t, err, vectorstore.ErrUnavailable)

	left, after = 1, "10"
	*waits = nil
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err = s.Count(ctx, nil)
	require.ErrorAs(t, err, &e, "the caller's deadline comes first")
	require.Empty(t, *waits)
}

// TestHalfAppliedBatch lets the server apply a part of a write and then fail: the
// store is as it was before.
func TestHalfAppliedBatch(t *testing.T) {
	for _, test := range []struct {
		name    string
		records int // 500 are a request
		fail    int // which request fails half-way
	}{
		{"one request", 300, 1}, {"the second of three", 1200, 2}, {"the last", 1200, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			s, f, _ := faulty(t, qdrant.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
			require.NoError(t, s.Upsert(t.Context(), records(100, "old")...))
			gone := record("gone")
			gone.Content = "to be deleted"
			require.NoError(t, s.Upsert(t.Context(), gone))
			before, err := s.Get(t.Context(), "00007", "gone")
			require.NoError(t, err)
			request := 0
			f.set(func(ctx context.Context, method string, req any, handle grpc.UnaryHandler) (any, error) {
				if method != "UpdateBatch" {
					return handle(ctx, req)
				}
				if request++; request != test.fail {
					return handle(ctx, req)
				}
				// Half of the points, and all deletions.
				upsert := req.(*qc.UpdateBatchPoints).Operations[0].GetUpsert()
				upsert.Points = upsert.Points[:len(upsert.Points)/2]
				if _, err := handle(ctx, req); err != nil {
					return nil, err
				}
				return nil, status.Error(codes.Internal, "disk is full")
			})
			err = s.Apply(t.Context(), vectorstore.Batch{Upsert: records(test.records, "new"), Delete: []string{"gone", "never there"}})
			require.ErrorContains(t, err, "disk is full")
			require.ErrorContains(t, err, "nothing has changed")
			require.NotErrorIs(t, err, qdrant.ErrPartial)
			require.Contains(t, log.String(), "undoing")
			f.set(nil)
			require.Equal(t, map[string]int{"old": 100, "to be deleted": 1}, contents(t, s))
			after, err := s.Get(t.Context(), "00007", "gone")
			require.NoError(t, err)
			require.Equal(t, before, after)
			found, err := s.Search(t.Context(), []float32{1, 5}, 200, nil)
			require.NoError(t, err)
			require.Len(t, found, 101, "the vectors are back too")
			words, err := s.HybridSearch(t.Context(), vectorstore.HybridQuery{Text: "old", K: 200})
			require.NoError(t, err)
			require.Len(t, words, 100)
			require.NoError(t, s.Apply(t.Context(), vectorstore.Batch{Upsert: records(test.records, "new"), Delete: []string{"gone"}}))
			require.Equal(t, map[string]int{"new": test.records}, contents(t, s))
		})
	}
}

// TestUndoSparesOthers: what another replica wrote while a batch was under way
// stays when the batch is undone.
func TestUndoSparesOthers(t *testing.T) {
	f := &faults{}
	server := start(t, qdranttest.Options{Interceptor: f.intercept})
	s, other := open(t, qdrant.Config{URL: server.URL(), Dimensions: 2}), open(t, qdrant.Config{URL: server.URL()})
	require.NoError(t, s.Upsert(t.Context(), record("replaced"), record("deleted")))
	theirs := []vectorstore.Record{record("replaced"), record("added"), record("deleted")}
	for i := range theirs {
		theirs[i].Content = "theirs"
	}
	var once sync.Once
	f.set(func(ctx context.Context, method string, req any, handle grpc.UnaryHandler) (any, error) {
		answer, err := handle(ctx, req)
		failed := false
		if method == "UpdateBatch" {
			once.Do(func() { failed = true })
		}
		if failed {
			if err := other.Upsert(ctx, theirs...); err != nil {
				return nil, err
			}
			return nil, status.Error(codes.Internal, "lost")
		}
		return answer, err
	})
	err := s.Apply(t.Context(), vectorstore.Batch{Upsert: []vectorstore.Record{record("replaced"), record("added"), record("ours")}, Delete: []string{"deleted"}})
	require.ErrorContains(t, err, "lost")
	f.set(nil)
	require.Equal(t, map[string]int{"theirs": 3}, contents(t, s), "ours is taken back, theirs stay")
}

// TestLostServer loses the server in the middle of a batch: it cannot be undone,
// and the error says so. Repeating it completes it.
func TestLostServer(t *testing.T) {
	s, f, _ := faulty(t, qdrant.Config{})
	request := 0
	f.set(func(ctx context.Context, method string, req any, handle grpc.UnaryHandler) (any, error) {
		if method == "UpdateBatch" {
			if request++; request > 1 {
				return nil, status.Error(codes.Unavailable, "connection lost")
			}
		}
		return handle(ctx, req)
	})
	err := s.Upsert(t.Context(), records(800, "new")...)
	require.ErrorIs(t, err, qdrant.ErrPartial)
	require.ErrorIs(t, err, vectorstore.ErrUnavailable)
	f.set(nil)
	require.NoError(t, s.Upsert(t.Context(), records(800, "new")...))
	require.Equal(t, map[string]int{"new": 800}, contents(t, s))
}

// TestCancelledWrite cancels the context in the middle of a batch.
func TestCancelledWrite(t *testing.T) {
	s, f, _ := faulty(t, qdrant.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	request := 0
	f.set(func(called context.Context, method string, req any, handle grpc.UnaryHandler) (any, error) {
		if method == "UpdateBatch" {
			if request++; request == 2 {
				cancel()
				<-called.Done()
			}
		}
		return handle(called, req)
	})
	require.ErrorIs(t, s.Upsert(ctx, records(800, "new")...), context.Canceled)
	f.set(nil)
	require.Empty(t, contents(t, s))
}

func TestUnconfirmedWrite(t *testing.T) {
	s, f, _ := faulty(t, qdrant.Config{Attempts: 2})
	f.set(func(ctx context.Context, method string, req any, handle grpc.UnaryHandler) (any, error) {
		answer, err := handle(ctx, req)
		if r, ok := answer.(*qc.UpdateBatchResponse); ok {
			r.Result[0].Status = qc.UpdateStatus_ClockRejected
		}
		return answer, err
	})
	err := s.Upsert(t.Context(), record("a"))
	require.ErrorContains(t, err, "not confirmed")
	require.ErrorIs(t, err, qdrant.ErrPartial)
}

func TestDeadline(t *testing.T) {
	s, f, waits := faulty(t, qdrant.Config{Timeout: 20 * time.Millisecond, Attempts: 2})
	hang := func(ctx context.Context, method string, req any, handle grpc.UnaryHandler) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	f.set(hang)
	_, err := s.Count(t.Context(), nil)
	require.ErrorIs(t, err, vectorstore.ErrUnavailable)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "20ms")
	require.Len(t, *waits, 1, "a second attempt was made")

	s, f, _ = faulty(t, qdrant.Config{})
	f.set(hang)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = s.Search(ctx, []float32{1, 1}, 1, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded, "the caller's deadline")
}

func TestCloseEndsRequests(t *testing.T) {
	s, f, _ := faulty(t, qdrant.Config{})
	reached := make(chan struct{})
	f.set(func(ctx context.Context, method string, req any, handle grpc.UnaryHandler) (any, error) {
		close(reached)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	result := make(chan error)
	go func() { _, err := s.Count(context.Background(), nil); result <- err }()
	<-reached
	require.NoError(t, s.Close())
	require.ErrorIs(t, <-result, vectorstore.ErrClosed)
}

func TestNoServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	_, err = qdrant.Open(t.Context(), qdrant.Config{URL: "http://" + address, APIKey: "s3cret", Dimensions: 2, Backoff: time.Millisecond})
	require.ErrorIs(t, err, vectorstore.ErrUnavailable)
	require.ErrorContains(t, err, "is Qdrant running, with gRPC on "+address+"?")
	require.NotContains(t, err.Error(), "s3cret")
}

func TestWrongKey(t *testing.T) {
	var log bytes.Buffer
	echo := func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		md, _ := metadata.FromIncomingContext(ctx)
		return nil, status.Errorf(codes.PermissionDenied, "the key %s may not do this", md.Get("api-key")[0])
	}
	server := start(t, qdranttest.Options{APIKey: "right-key"})
	for key, message := range map[string]string{"": "Must provide an API key", "wrong-key": "Invalid API key"} {
		_, err := qdrant.Open(t.Context(), qdrant.Config{URL: server.URL(), APIKey: key, Dimensions: 2, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		require.ErrorIs(t, err, qdrant.ErrKey)
		require.ErrorContains(t, err, message)
		require.NotContains(t, err.Error(), "wrong-key")
	}
	open(t, qdrant.Config{URL: server.URL(), APIKey: "right-key", Dimensions: 2})
	server = start(t, qdranttest.Options{Interceptor: echo})
	_, err := qdrant.Open(t.Context(), qdrant.Config{URL: server.URL(), APIKey: "s3cret", Dimensions: 2})
	require.ErrorContains(t, err, "the key [key] may not do this", "even if the server repeats it")
	require.NotContains(t, log.String(), "key=")
}

// TestTLS connects by https with a certificate of our own.
func TestTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	server := start(t, qdranttest.Options{APIKey: "key", TLS: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}})
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	s := open(t, qdrant.Config{URL: server.URL(), APIKey: "key", TLS: &tls.Config{RootCAs: roots}, Dimensions: 2})
	require.NoError(t, s.Upsert(t.Context(), record("a")))
	_, err = qdrant.Open(t.Context(), qdrant.Config{URL: server.URL(), APIKey: "key", Dimensions: 2, Backoff: time.Millisecond})
	require.ErrorIs(t, err, vectorstore.ErrUnavailable)
	require.ErrorContains(t, err, "certificate")
}

// TestWrongDimension: another replica has made the collection anew, for another
// embedder, behind this one's back.
func TestWrongDimension(t *testing.T) {
	cfg := qdrant.Config{URL: start(t, qdranttest.Options{}).URL(), Dimensions: 2}
	s := open(t, cfg)
	require.NoError(t, qdrant.Drop(t.Context(), cfg))
	_, err := s.Search(t.Context(), []float32{1, 1}, 1, nil)
	require.ErrorContains(t, err, "was the collection deleted?")
	other := cfg
	other.Dimensions = 3
	open(t, other)
	for range 2 {
		_, err = s.Search(t.Context(), []float32{1, 1}, 1, nil)
		require.ErrorIs(t, err, vectorstore.ErrEmbedder)
		require.ErrorContains(t, err, "expected dim: 3, got 2")
		require.ErrorIs(t, s.Upsert(t.Context(), record("a")), vectorstore.ErrEmbedder)
	}
}

func TestForeignPoint(t *testing.T) {
	s, f, _ := faulty(t, qdrant.Config{})
	require.NoError(t, s.Upsert(t.Context(), record("a")))
	spoil := map[string]*qc.Value{"id": qc.NewValueString("a"), "metadata": qc.NewValueString("{")}
	f.set(func(ctx context.Context, method string, req any, handle grpc.UnaryHandler) (any, error) {
		answer, err := handle(ctx, req)
		if r, ok := answer.(*qc.GetResponse); ok {
			r.Result[0].Payload = spoil
		}
		if r, ok := answer.(*qc.QueryResponse); ok {
			r.Result[0].Payload = spoil
		}
		return answer, err
	})
	_, err := s.Search(t.Context(), []float32{1, 1}, 1, nil)
	require.ErrorIs(t, err, vectorstore.ErrCorrupt)
	_, err = s.Get(t.Context(), "a")
	require.ErrorIs(t, err, vectorstore.ErrCorrupt)
	spoil = nil
	_, err = s.Get(t.Context(), "a")
	require.ErrorIs(t, err, vectorstore.ErrCorrupt)
	require.Equal(t, 2, f.count("Get"), "it is not asked again")
}
