package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The tests of this file run the built binary as an operator does.

// binary builds the server once.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "server*")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "server")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if builtOnce {
		if path, err := binary(); err == nil {
			os.RemoveAll(filepath.Dir(path))
		}
	}
	os.Exit(code)
}

var builtOnce bool

func built(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the built binary; not with -short")
	}
	builtOnce = true
	path, err := binary()
	require.NoError(t, err)
	return path
}

// process is a server that runs by itself.
type process struct {
	started
	cmd     *exec.Cmd
	took    time.Duration // until /health answered
	crashed func()        // kill -9
}

// launch starts the binary on a free port and waits for /health.
func launch(t *testing.T, dir string, environ ...string) process {
	t.Helper()
	path := built(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := free.Addr().(*net.TCPAddr).Port
	require.NoError(t, free.Close())
	p := process{started: started{url: fmt.Sprintf("http://127.0.0.1:%d", port), out: &output{}, log: &output{}}}
	p.cmd = exec.Command(path)
	p.cmd.Dir = t.TempDir() // no .env
	p.cmd.Env = append([]string{"PORT=" + strconv.Itoa(port), "CHROMA_PERSIST_DIR=" + dir, "RATE_LIMIT_PER_MINUTE=0"}, environ...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.log
	begin := time.Now()
	require.NoError(t, p.cmd.Start())
	var once sync.Once
	end := func(s os.Signal) error {
		var err error
		once.Do(func() {
			p.cmd.Process.Signal(s)
			err = p.cmd.Wait()
		})
		return err
	}
	p.crashed = func() { end(syscall.SIGKILL) }
	p.stop = func() error { return end(syscall.SIGTERM) }
	t.Cleanup(p.crashed)
	require.Eventually(t, func() bool {
		resp, err := http.Get(p.url + "/health")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == 200
	}, 30*time.Second, 2*time.Millisecond, "%s", p.log)
	p.took = time.Since(begin)
	return p
}

// TestKillDuringUploads kills the server while documents come in, again and again
// on one data directory (KILL_ROUNDS, 5 otherwise): each acknowledged document is
// there, and /stats counts what there is.
func TestKillDuringUploads(t *testing.T) {
	rounds := 5
	if n, err := strconv.Atoi(os.Getenv("KILL_ROUNDS")); err == nil {
		rounds = n
	}
	dir, acknowledged := t.TempDir(), map[string]bool{}
	var mu sync.Mutex
	for round := range rounds {
		p := launch(t, dir, "LOAD_SAMPLE=false")
		var writers sync.WaitGroup
		for w := range 4 {
			writers.Go(func() {
				for i := 0; ; i++ {
					id := fmt.Sprintf("r%d-w%d-%d", round, w, i)
					body := fmt.Sprintf(`{"documents": [{"id": %q, "content": "document %s"}]}`, id, id)
					resp, err := http.Post(p.url+"/documents", "application/json", strings.NewReader(body))
					if err != nil {
						return
					}
					resp.Body.Close()
					if resp.StatusCode == 201 {
						mu.Lock()
						acknowledged[id] = true
						mu.Unlock()
					}
				}
			})
		}
		time.Sleep(time.Duration(50+rand.IntN(300)) * time.Millisecond)
		p.crashed()
		writers.Wait()
	}
	require.NotEmpty(t, acknowledged)
	p := launch(t, dir, "LOAD_SAMPLE=false")
	code, printed := call(t, []string{"CHROMA_PERSIST_DIR=" + dir}, "export")
	require.Zero(t, code, printed)
	stored := 0
	for line := range strings.Lines(printed) {
		var d exported
		require.NoError(t, json.Unmarshal([]byte(line), &d))
		if d.End != nil {
			break
		}
		require.Equal(t, "document "+d.ID, d.Content)
		delete(acknowledged, d.ID)
		stored++
	}
	require.Empty(t, acknowledged, "acknowledged and lost")
	require.Equal(t, float64(stored), p.documents(t))
	t.Logf("%d rounds, %d documents, none lost; start-up after the last %v", rounds, stored, p.took.Round(time.Millisecond))
}

// TestFigures prints what an operator asks first. Time and memory are printed,
// not judged, for they are the machine's; the size is.
func TestFigures(t *testing.T) {
	info, err := os.Stat(built(t))
	require.NoError(t, err)
	require.LessOrEqual(t, info.Size(), int64(60<<20))
	dir := t.TempDir()
	p := launch(t, dir)
	t.Logf("binary %.1f MB, empty directory to first /health %v, idle with the sample API %s",
		float64(info.Size())/(1<<20), p.took.Round(time.Millisecond), resident(p.cmd.Process.Pid))
	var lines bytes.Buffer
	const n = 10_000
	for i := range n {
		fmt.Fprintf(&lines, "{\"id\":\"d%d\",\"content\":\"GET /things/%d reads the thing of number %d, with its owner and price\"}\n", i, i, i)
	}
	fmt.Fprintf(&lines, "{\"end\":%d}\n", n)
	file := filepath.Join(t.TempDir(), "all.jsonl")
	require.NoError(t, os.WriteFile(file, lines.Bytes(), 0o600))
	code, printed := call(t, []string{"CHROMA_PERSIST_DIR=" + dir}, "import", file)
	require.Zero(t, code, printed)
	require.NoError(t, p.stop())
	p = launch(t, dir)
	require.Equal(t, 18.0+n, p.documents(t))
	t.Logf("start-up with %d documents %v, %s", n, p.took.Round(time.Millisecond), resident(p.cmd.Process.Pid))
	require.NoError(t, p.stop())
}

var vmRSS = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// resident is the memory of a process, where the system tells.
func resident(pid int) string {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if m := vmRSS.FindSubmatch(raw); m != nil {
		kb, _ := strconv.Atoi(string(m[1]))
		return fmt.Sprintf("%.1f MB resident", float64(kb)/1024)
	}
	return "memory unknown"
}

// TestLoadOfTheGuide is the load test of the deployment guide, with ab itself.
func TestLoadOfTheGuide(t *testing.T) {
	ab, err := exec.LookPath("ab")
	if err != nil {
		t.Skip("ab is missing: apt-get install apache2-utils")
	}
	key := "api-key-" + strings.Repeat("k3Y", 14)
	p := launch(t, t.TempDir(), "REQUIRE_AUTH=true", "API_KEYS="+key, "SECRET_KEY="+strings.Repeat("5ecret", 8))
	payload := filepath.Join(t.TempDir(), "search_payload.json")
	require.NoError(t, os.WriteFile(payload, []byte(`{"query": "place an order"}`), 0o600))
	load := func(key string) string {
		out, err := exec.Command(ab, "-n", "100", "-c", "10", "-H", "X-API-Key: "+key, "-p", payload, "-T", "application/json", p.url+"/search").CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	out := load(key)
	require.Regexp(t, `Complete requests:\s+100\n`, out)
	require.Regexp(t, `Failed requests:\s+0\n`, out)
	require.NotContains(t, out, "Non-2xx")
	t.Log(regexp.MustCompile(`Requests per second.*|  95%.*`).FindAllString(out, -1))
	require.Regexp(t, `Non-2xx responses:\s+100\n`, load("wrong-"+key))
}

// TestReplicasShareLimits runs two servers on one Redis: a session of one is used
// on the other, what one has counted,
// the other refuses; a replica alone goes on, and so it does without Redis.
func TestReplicasShareLimits(t *testing.T) {
	redisServer, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is missing: apt-get install redis-server")
	}
	socket := filepath.Join(t.TempDir(), "redis.sock")
	redis := exec.Command(redisServer, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", t.TempDir())
	require.NoError(t, redis.Start())
	t.Cleanup(func() { redis.Process.Kill(); redis.Wait() })
	require.Eventually(t, func() bool { _, err := os.Stat(socket); return err == nil }, 10*time.Second, 5*time.Millisecond)
	key := "api-key-" + strings.Repeat("k3Y", 14)
	environ := []string{"REQUIRE_AUTH=true", "API_KEYS=" + key, "SECRET_KEY=" + strings.Repeat("5ecret", 8),
		"RATE_LIMIT_PER_MINUTE=1", "RATE_LIMIT_BURST=4", "REDIS_URL=unix://" + socket, "SESSION_STORE=redis"}
	a, b := launch(t, t.TempDir(), environ...), launch(t, t.TempDir(), environ...)
	status, made := a.post(t, "/sessions", `{}`, "X-API-Key: "+key)
	require.Equal(t, 201, status)
	id := made["session"].(map[string]any)["session_id"].(string)
	status, _ = b.post(t, "/sessions/"+id+"/messages", `{"role": "user", "content": "said to the other"}`, "X-API-Key: "+key)
	require.Equal(t, 200, status)
	var statuses []int
	for i := range 4 {
		s := []process{a, b}[i%2]
		status, _ := s.post(t, "/search", `{"query": "test"}`, "X-API-Key: "+key)
		statuses = append(statuses, status)
	}
	require.Equal(t, []int{200, 200, 429, 429}, statuses)
	a.crashed()
	status, _ = b.post(t, "/search", `{"query": "test"}`, "X-API-Key: "+key)
	require.Equal(t, 429, status, "the count outlives the replica")
	c := launch(t, t.TempDir(), append(environ, "RATE_LIMIT_PER_MINUTE=0")...)
	resp, err := http.DefaultClient.Do(withKey(t, c.url+"/sessions/"+id, key))
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Contains(t, string(body), "said to the other", "the session outlives the replica that made it")
	require.NoError(t, redis.Process.Kill())
	require.Eventually(t, func() bool {
		status, _ := b.post(t, "/search", `{"query": "test"}`, "X-API-Key: "+key)
		return status == 200
	}, 20*time.Second, 50*time.Millisecond, "without Redis it counts in memory")
	require.NoError(t, b.stop())
}

func withKey(t *testing.T, url, key string) *http.Request {
	t.Helper()
	r, err := http.NewRequest("GET", url, nil)
	require.NoError(t, err)
	r.Header.Set("X-API-Key", key)
	return r
}

// TestSlowClients holds 200 connections half open: /health answers meanwhile.
func TestSlowClients(t *testing.T) {
	p := launch(t, t.TempDir())
	for range 200 {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		require.NoError(t, err)
		t.Cleanup(func() { c.Close() })
		fmt.Fprint(c, "POST /search HTTP/1.1\r\nHost: x\r\nX-Slow: ")
	}
	resp, err := http.Get(p.url + "/health")
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, 200, resp.StatusCode)
}

// TestExitCodes are those that the help promises, of the binary itself.
func TestExitCodes(t *testing.T) {
	for want, args := range map[int][]string{0: {"help"}, 1: {"check"}, 2: {"nonsense"}} {
		cmd := exec.Command(built(t), args...)
		cmd.Dir, cmd.Env = t.TempDir(), nil
		cmd.Env = []string{"HOME=/"}
		_ = cmd.Run()
		require.Equal(t, want, cmd.ProcessState.ExitCode(), args)
	}
}
