package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCommandsOnADataDirectory(t *testing.T) {
	environ := []string{"CHROMA_PERSIST_DIR=" + t.TempDir()}
	code, printed := call(t, environ, "ingest", "../sample")
	require.Zero(t, code, printed)
	require.Contains(t, printed, "1/1 ../sample/bookshop.yaml: ")
	code, printed = call(t, environ, "search", "-n", "1", "place an order")
	require.Zero(t, code, printed)
	require.Contains(t, printed, "POST /orders")
	code, printed = call(t, environ, "ask", "How do I place an order?")
	require.Zero(t, code, printed)
	require.Contains(t, printed, "Sources:\n  [1] ")
	code, printed = call(t, environ, "reembed")
	require.Zero(t, code, printed)
}

func TestCommandsOnARunningServer(t *testing.T) {
	secrets := "k3Y" + strings.Repeat("aZ9", 14)
	dir := t.TempDir()
	s := start(t, dir, "REQUIRE_AUTH=true", "API_KEYS="+secrets, "SECRET_KEY="+strings.Repeat("5ecret", 8))
	code, printed := call(t, []string{"API_KEY=" + secrets}, "search", "-url", s.url, "place an order")
	require.Zero(t, code, printed)
	require.Contains(t, printed, "POST /orders")
	code, printed = call(t, nil, "search", "-url", s.url, "place an order")
	require.Equal(t, 1, code)
	require.Contains(t, printed, "POST /search: ")
	code, printed = call(t, []string{"CHROMA_PERSIST_DIR=" + dir}, "search", "x")
	require.Equal(t, 1, code)
	require.Contains(t, printed, "give its address with -url")
}

// TestBackupWhileWriting backs a server up while it takes documents one by one:
// what is restored is a beginning of what was written, and holds all that had been
// acknowledged before.
func TestBackupWhileWriting(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "b.tar")
	s := start(t, dir, "RATE_LIMIT_PER_MINUTE=0", "LOAD_SAMPLE=false")
	const before, all = 20, 60
	write := func(from, to int) {
		for i := from; i < to; i++ {
			status, _ := s.post(t, "/documents", fmt.Sprintf(`{"documents": [{"id": "d%03d", "content": "number %d"}]}`, i, i))
			require.Equal(t, 201, status)
		}
	}
	write(0, before)
	var writer sync.WaitGroup
	writer.Go(func() { write(before, all) })
	code, printed := call(t, []string{"CHROMA_PERSIST_DIR=" + dir}, "backup", file)
	writer.Wait()
	require.Zero(t, code, printed)
	require.NoError(t, s.stop())

	code, printed = call(t, []string{"CHROMA_PERSIST_DIR=" + dir}, "restore", file)
	require.Equal(t, 1, code)
	require.Contains(t, printed, "-force")
	restored := t.TempDir()
	code, printed = call(t, []string{"CHROMA_PERSIST_DIR=" + restored}, "restore", file)
	require.Zero(t, code, printed)
	code, printed = call(t, []string{"CHROMA_PERSIST_DIR=" + restored}, "export")
	require.Zero(t, code, printed)
	lines := strings.Split(strings.TrimSpace(printed), "\n")
	n := len(lines) - 1
	require.GreaterOrEqual(t, n, before)
	for i, line := range lines[:n] {
		require.Contains(t, line, fmt.Sprintf(`"id":"d%03d"`, i))
	}
	require.Equal(t, fmt.Sprintf(`{"end":%d}`, n), lines[n])
}

func TestDamagedBackupsAreNotRestored(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "b.tar")
	environ := []string{"CHROMA_PERSIST_DIR=" + dir}
	code, printed := call(t, environ, "ingest", "../sample/bookshop.yaml")
	require.Zero(t, code, printed)
	code, printed = call(t, environ, "backup", file)
	require.Zero(t, code, printed)
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	flipped := bytes.Clone(whole)
	flipped[5000] ^= 1
	for name, content := range map[string][]byte{"flipped": flipped, "cut": whole[:len(whole)/2], "before the sums": whole[:len(whole)-2560], "empty": nil, "text": []byte("hello")} {
		require.NoError(t, os.WriteFile(file, content, 0o600))
		empty := t.TempDir()
		code, printed := call(t, []string{"CHROMA_PERSIST_DIR=" + empty}, "restore", file)
		require.Equal(t, 1, code, name)
		left, err := os.ReadDir(empty)
		require.NoError(t, err)
		require.Empty(t, left, name+printed)
	}
}

// TestExportAndImport moves the documents of a server into another that runs.
func TestExportAndImport(t *testing.T) {
	from, to, file := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "all.jsonl")
	a := start(t, from, "RATE_LIMIT_PER_MINUTE=0")
	status, _ := a.post(t, "/documents", `{"documents": [{"id": "mine", "content": "kept", "metadata": {"big": 9007199254740993, "list": [1, "x"]}}]}`)
	require.Equal(t, 201, status)
	code, printed := call(t, []string{"CHROMA_PERSIST_DIR=" + from}, "export", file)
	require.Zero(t, code, printed)
	b := start(t, to, "RATE_LIMIT_PER_MINUTE=0", "LOAD_SAMPLE=false")
	code, printed = call(t, []string{"CHROMA_PERSIST_DIR=" + to}, "import", file)
	require.Zero(t, code, printed)
	require.Equal(t, "imported 19 documents\n", printed)
	require.Equal(t, a.documents(t), b.documents(t))
	status, verdict := b.post(t, "/verify", `{"text": "POST /orders"}`)
	require.Equal(t, 200, status)
	require.Contains(t, fmt.Sprint(verdict), "status:ok", "the operations came along")
	require.NoError(t, a.stop())
	require.NoError(t, b.stop())
	_, first := call(t, []string{"CHROMA_PERSIST_DIR=" + from}, "export")
	_, second := call(t, []string{"CHROMA_PERSIST_DIR=" + to}, "export")
	require.Equal(t, first, second)

	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, whole[:bytes.LastIndexByte(whole[:len(whole)-1], '\n')], 0o600))
	code, printed = call(t, []string{"CHROMA_PERSIST_DIR=" + t.TempDir()}, "import", file)
	require.Equal(t, 1, code)
	require.Contains(t, printed, "cut off")
}
