package auth_test

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/auth"
)

func TestGuards(t *testing.T) {
	w := do(auth.SecurityHeaders()(served), "GET", "/", nil)
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Equal(t, "DENY", w.Header().Get("X-Frame-Options"))
	require.Empty(t, w.Header().Get("Strict-Transport-Security"))

	reader := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		var tooLarge *http.MaxBytesError
		require.Equal(t, r.ContentLength < 0, errors.As(err, &tooLarge))
	})
	r := httptest.NewRequest("POST", "/", strings.NewReader("12345"))
	rec := httptest.NewRecorder()
	auth.MaxBody(4, nil)(reader).ServeHTTP(rec, r)
	require.Equal(t, 413, rec.Code)
	r = httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader("12345")))
	r.ContentLength = -1
	auth.MaxBody(4, nil)(reader).ServeHTTP(httptest.NewRecorder(), r)

	boom := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })
	w = do(auth.Recover(nil)(boom), "GET", "/", nil)
	require.Equal(t, 500, w.Code)
	require.NotContains(t, w.Body.String(), "boom")
	late := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "begun"); panic("boom") })
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { do(auth.Recover(nil)(late), "GET", "/", nil) })
	flush := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		require.NoError(t, http.NewResponseController(w).Flush())
	})
	require.True(t, do(auth.Recover(nil)(flush), "GET", "/", nil).Flushed, "streaming passes through")
}

// TestRecoverOnTheWire panics at each moment of an answer.
func TestRecoverOnTheWire(t *testing.T) {
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		status  int // 0: the connection is cut
	}{
		{"before", func(http.ResponseWriter, *http.Request) { panic("boom") }, 500},
		{"after early hints", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusEarlyHints); panic("boom") }, 500},
		{"after a flush", func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush(); panic("boom") }, 0},
		{"after a copy", func(w http.ResponseWriter, _ *http.Request) {
			_, err := io.Copy(w, strings.NewReader("begun"))
			require.NoError(t, err)
			panic("boom")
		}, 0},
		{"after a hijack", func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			require.NoError(t, err)
			conn.Close()
			panic("boom")
		}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log strings.Builder
			done := make(chan struct{})
			recovered := auth.Recover(slog.New(slog.NewTextHandler(&log, nil)))(test.handler)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(done)
				recovered.ServeHTTP(w, r)
			}))
			server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			defer server.Close()
			response, err := http.Get(server.URL)
			if err == nil {
				defer response.Body.Close()
				_, err = io.ReadAll(response.Body)
			}
			if test.status == 0 {
				require.Error(t, err, "the client notices")
			} else {
				require.NoError(t, err)
				require.Equal(t, test.status, response.StatusCode)
			}
			<-done // servers do not wait for connections that were hijacked
			require.Equal(t, 1, strings.Count(log.String(), "handler panicked"))
		})
	}
}

// TestStreamingPassesThroughTheChain reads a part before the handler has ended,
// and sets a deadline from within.
func TestStreamingPassesThroughTheChain(t *testing.T) {
	read := make(chan struct{})
	cors, err := auth.CORS(auth.CORSConfig{Origins: []string{"https://app.example.com"}})
	require.NoError(t, err)
	limit, err := auth.RateLimit(auth.RateLimitConfig{PerMinute: 60, Burst: 5})
	require.NoError(t, err)
	k := keys(t, func(c *auth.KeysConfig) { c.FailedPerMinute = 0 })
	stream := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c := http.NewResponseController(w)
		require.NoError(t, c.SetWriteDeadline(time.Now().Add(time.Minute)))
		io.WriteString(w, "part\n")
		require.NoError(t, c.Flush())
		<-read
		io.WriteString(w, "rest")
	})
	server := httptest.NewServer(auth.Chain(stream, auth.Recover(nil), auth.SecurityHeaders(), cors, k.Middleware(), limit, auth.MaxBody(10, nil)))
	defer server.Close()
	r, err := http.NewRequest("POST", server.URL, strings.NewReader("12345"))
	require.NoError(t, err)
	r.Header.Set("X-API-Key", key)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	answer := bufio.NewReader(response.Body)
	line, err := answer.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "part\n", line)
	close(read)
	rest, err := io.ReadAll(answer)
	require.NoError(t, err)
	require.Equal(t, "rest", string(rest))
}
