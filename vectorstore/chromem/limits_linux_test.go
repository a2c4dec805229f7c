package chromem_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/vectorstore"
	"github.com/api-assistant/api-assistant/vectorstore/chromem"
)

// writeUntilFull stores batches until the disk, a limit on the size of files here,
// takes no more; the store must then still serve, and take what fits.
func writeUntilFull(dir string) error {
	signal.Ignore(syscall.SIGXFSZ)
	const most = 3 << 20
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
		return err
	}
	ctx := context.Background()
	s, err := chromem.Open(chromem.Config{Dir: dir, Dimensions: 2})
	if err != nil {
		return err
	}
	stored := 0
	for ; ; stored++ {
		records := batch(stored)
		records[0].Pointer = strings.Repeat("x", 100_000)
		if err = s.Upsert(ctx, records...); err != nil {
			break
		}
		if stored > 1000 {
			return fmt.Errorf("the limit was not reached")
		}
	}
	fmt.Println(stored, err)
	if n, err := s.Count(ctx, nil); err != nil || n != 3*stored {
		return fmt.Errorf("%d documents after the error, %w", n, err)
	}
	for i := range 20 { // fails or does not, but changes nothing half-way
		_ = s.Upsert(ctx, record(fmt.Sprint("small", i)))
	}
	for i := range 20 {
		_, _ = s.Delete(ctx, fmt.Sprint("small", i))
	}
	return s.Close()
}

func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	out, err := again("full", dir).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "file too large")
	require.Contains(t, string(out), "nothing was changed")
	var stored int
	_, err = fmt.Sscan(string(out), &stored)
	require.NoError(t, err)
	require.Greater(t, stored, 3)
	s := open(t, chromem.Config{Dir: dir})
	defer s.Close()
	for number := range stored {
		docs, err := s.Get(t.Context(), fmt.Sprint(number, "-0"), fmt.Sprint(number, "-1"), fmt.Sprint(number, "-2"))
		require.NoError(t, err)
		require.Len(t, docs, 3)
	}
	require.NoError(t, s.Upsert(t.Context(), record("more")), "with room again, it goes on")
}

// TestReadOnly opens stores that this user may not write.
func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	s := open(t, chromem.Config{Dir: dir})
	require.NoError(t, s.Upsert(t.Context(), record("a")))
	require.NoError(t, s.Close())
	require.NoError(t, os.Chmod(filepath.Join(dir, "api_docs.db"), 0o444))
	require.NoError(t, os.Chmod(dir, 0o555))
	for _, cfg := range []chromem.Config{{Dir: dir}, {Dir: dir, Collection: "new"}, {Dir: filepath.Join(dir, "new")}} {
		_, err := asNobody(t, cfg)
		require.ErrorIs(t, err, os.ErrPermission)
		require.NotErrorIs(t, err, vectorstore.ErrCorrupt)
	}
	require.NoError(t, os.Chmod(dir, 0o755))
	require.NoError(t, os.Chmod(filepath.Join(dir, "api_docs.db"), 0o600))
	s = open(t, chromem.Config{Dir: dir})
	defer s.Close()
	require.Len(t, collect(t, s), 1)
}

// asNobody opens a store in a thread without the rights of root, if it has them.
func asNobody(t *testing.T, cfg chromem.Config) (s *chromem.Store, err error) {
	t.Helper()
	if os.Getuid() != 0 {
		return chromem.Open(cfg)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err = syscall.Setfsuid(65534); err == nil {
			s, err = chromem.Open(cfg)
		}
	}()
	<-done
	return s, err
}
