package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// output is a buffer that two goroutines may use.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// started is a running server.
type started struct {
	url      string
	out, log *output
	stop     func() error // asks it to end, as SIGTERM does, and waits
}

var listening = regexp.MustCompile(`on (https?://127\.0\.0\.1:\d+)`)

func start(t *testing.T, dir string, environ ...string) started {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := started{out: &output{}, log: &output{}}
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, append([]string{"PORT=0", "CHROMA_PERSIST_DIR=" + dir}, environ...), "no.env", s.out, s.log)
	}()
	var once sync.Once
	var result error
	s.stop = func() error {
		once.Do(func() { cancel(); result = <-ended })
		return result
	}
	t.Cleanup(func() { s.stop() })
	require.Eventually(t, func() bool {
		m := listening.FindStringSubmatch(s.out.String())
		if m == nil {
			return false
		}
		s.url = m[1]
		return true
	}, 30*time.Second, 10*time.Millisecond, "%s", s.log)
	return s
}

func (s started) post(t *testing.T, path, body string, header ...string) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequest("POST", s.url+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	var out map[string]any
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&out))
	return resp.StatusCode, out
}

func (s started) documents(t *testing.T) float64 {
	t.Helper()
	resp, err := http.Get(s.url + "/stats")
	require.NoError(t, err)
	defer resp.Body.Close()
	var out struct {
		Collection struct {
			Total float64 `json:"total_documents"`
		}
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&out))
	return out.Collection.Total
}

func TestServerFromEmptyToRestart(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, "RATE_LIMIT_PER_MINUTE=0")
	require.Contains(t, s.out.String(), "loaded the sample API")
	require.Contains(t, s.out.String(), "LOAD_SAMPLE=false")
	require.Equal(t, 3, strings.Count(s.out.String(), "\n  curl "))
	loaded := s.documents(t)
	require.Equal(t, 18.0, loaded, "15 operations, a webhook, a schema that contains itself, and the summary")
	status, found := s.post(t, "/search", `{"query": "place an order"}`)
	require.Equal(t, 200, status)
	require.NotEmpty(t, found["results"])
	status, answer := s.post(t, "/chat", `{"message": "How do I place an order?"}`)
	require.Equal(t, 200, status)
	require.Equal(t, true, answer["grounded"])
	status, _ = s.post(t, "/documents", `{"documents": [{"id": "mine", "content": "kept"}]}`)
	require.Equal(t, 201, status)
	require.NoError(t, s.stop())
	require.Contains(t, s.log.String(), "draining")

	again := start(t, dir, "RATE_LIMIT_PER_MINUTE=0")
	require.NotContains(t, again.out.String(), "loaded the sample API")
	require.Equal(t, loaded+1, again.documents(t))
	require.NoError(t, again.stop())

	empty := start(t, t.TempDir(), "LOAD_SAMPLE=false")
	require.Zero(t, empty.documents(t))
}

// TestGuide is the test step of the deployment guide, and the rate limit.
func TestGuide(t *testing.T) {
	key := "api-key-" + strings.Repeat("k3Y", 14)
	s := start(t, t.TempDir(), "REQUIRE_AUTH=true", "API_KEYS="+key, "SECRET_KEY="+strings.Repeat("5ecret", 8),
		"ALLOWED_ORIGINS=https://app.example.com", "RATE_LIMIT_PER_MINUTE=60", "RATE_LIMIT_BURST=4")
	status, refused := s.post(t, "/search", `{"query": "test"}`)
	require.Equal(t, 401, status)
	require.NotEmpty(t, refused["request_id"])
	status, _ = s.post(t, "/search", `{"query": "test"}`, "X-API-Key: wrong")
	require.Equal(t, 401, status)
	status, _ = s.post(t, "/search", `{"query": "test"}`, "Authorization: Bearer "+key)
	require.Equal(t, 200, status)
	status, _ = s.post(t, "/search", `{"query": "test"}`, "X-API-Key: "+key)
	require.Equal(t, 200, status)

	preflight, err := http.NewRequest("OPTIONS", s.url+"/search", nil)
	require.NoError(t, err)
	for name, value := range map[string]string{"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST",
		"Access-Control-Request-Headers": "content-type,x-api-key,x-request-time"} {
		preflight.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(preflight)
	require.NoError(t, err)
	resp.Body.Close()
	require.Less(t, resp.StatusCode, 300)
	require.Equal(t, "https://app.example.com", resp.Header.Get("Access-Control-Allow-Origin"))

	limited := 0
	for range 10 {
		if status, _ := s.post(t, "/search", `{"query": "test"}`, "X-API-Key: "+key); status == 429 {
			limited++
		}
	}
	require.Positive(t, limited)
	require.NotContains(t, s.log.String()+s.out.String(), key)
}

func TestStartRefusesUnsafeSettings(t *testing.T) {
	for _, test := range []struct {
		environ []string
		names   string
	}{
		{[]string{"REQUIRE_AUTH=true", "SECRET_KEY=" + strings.Repeat("5ecret", 8)}, "API_KEYS"},
		{[]string{"REQUIRE_AUTH=true", "API_KEYS=" + strings.Repeat("k3Y", 14)}, "SECRET_KEY"},
		{[]string{"ALLOWED_ORIGINS=null"}, "ALLOWED_ORIGINS"},
		{[]string{"TRUSTED_PROXIES=not-an-address"}, "TRUSTED_PROXIES"},
		{[]string{"PORT=70000"}, "PORT"},
	} {
		err := run(t.Context(), append([]string{"CHROMA_PERSIST_DIR=" + t.TempDir()}, test.environ...), "no.env", &output{}, &output{})
		require.ErrorContains(t, err, test.names)
	}
}

// TestDrain ends the server while a request is under way: the request gets its
// answer.
func TestDrain(t *testing.T) {
	s := start(t, t.TempDir())
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	const body = `{"query": "orders"}`
	fmt.Fprintf(conn, "POST /search HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(body))
	answers := bufio.NewReader(conn)
	line, err := answers.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "100 Continue", "the handler waits for the body")
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	require.Eventually(t, func() bool { return strings.Contains(s.log.String(), "draining") }, 10*time.Second, time.Millisecond)
	_, err = answers.ReadString('\n') // the empty line after 100 Continue
	require.NoError(t, err)
	fmt.Fprint(conn, body)
	line, err = answers.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "200 OK")
	require.NoError(t, <-stopped)
}
