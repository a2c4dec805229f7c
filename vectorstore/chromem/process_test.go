package chromem_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/vectorstore"
	"github.com/api-assistant/api-assistant/vectorstore/chromem"
)

// role, in the environment of this program when a test runs it again, says what
// it is to be instead of a test.
const role, roleDir = "CHROMEM_TEST_ROLE", "CHROMEM_TEST_DIR"

func TestMain(m *testing.M) {
	dir := os.Getenv(roleDir)
	switch os.Getenv(role) {
	case "writer":
		exit(writeUntilKilled(dir))
	case "opener":
		s, err := chromem.Open(chromem.Config{Dir: dir})
		if err == nil {
			err = s.Close()
		}
		exit(err)
	case "full":
		exit(writeUntilFull(dir))
	}
	os.Exit(m.Run())
}

func exit(err error) {
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// again is this program in a role.
func again(as, dir string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"="+as, roleDir+"="+dir)
	return cmd
}

// TestSecondProcess opens a store that another process has open.
func TestSecondProcess(t *testing.T) {
	dir := t.TempDir()
	s := open(t, chromem.Config{Dir: dir})
	out, err := again("opener", dir).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), vectorstore.ErrLocked.Error())
	require.NoError(t, s.Close())
	out, err = again("opener", dir).CombinedOutput()
	require.NoError(t, err, string(out))
}

func batch(number int) (records []vectorstore.Record) {
	for i := range 3 {
		records = append(records, record(fmt.Sprintf("%d-%d", number, i)))
	}
	return records
}

// writeUntilKilled stores batches of three records, replaces what it stored
// before now and then, and prints the number of each acknowledged batch.
func writeUntilKilled(dir string) error {
	ctx := context.Background()
	s, err := chromem.Open(chromem.Config{Dir: dir, Dimensions: 2})
	if err != nil {
		return err
	}
	n, err := s.Count(ctx, nil)
	for number := n / 3; err == nil; number++ {
		if err = s.Upsert(ctx, batch(number)...); err == nil {
			fmt.Println(number)
		}
		if number%4 == 0 && err == nil {
			err = s.Upsert(ctx, batch(number/2)...) // again, unchanged
		}
	}
	return err
}

// TestKill kills a writer with SIGKILL again and again. Whatever it acknowledged
// must be there to the last byte, batches must be whole, and the store must open.
func TestKill(t *testing.T) {
	rounds := 10
	if os.Getenv("API_ASSISTANT_LONG") != "" {
		rounds = 200
	}
	dir := t.TempDir()
	acknowledged := -1
	for round := range rounds {
		cmd := again("writer", dir)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewScanner(out)
		read := func() {
			_, err := fmt.Sscan(lines.Text(), &acknowledged)
			require.NoError(t, err, "round %d: %s", round, lines.Text())
		}
		for i := 0; i < 1+round%7 && lines.Scan(); i++ {
			read()
		}
		time.Sleep(time.Duration(round*137%1000) * time.Microsecond) // into the middle of something
		require.NoError(t, cmd.Process.Kill())
		for lines.Scan() { // what it said before it died
			read()
		}
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
		checkBatches(t, dir, acknowledged)
	}
	require.GreaterOrEqual(t, acknowledged, rounds-1)
	t.Logf("%d rounds, %d batches acknowledged", rounds, acknowledged+1)
}

// checkBatches opens a store and looks for every record of the batches up to last.
func checkBatches(t *testing.T, dir string, last int) {
	t.Helper()
	s := open(t, chromem.Config{Dir: dir, Dimensions: 2})
	n, err := s.Count(t.Context(), nil)
	require.NoError(t, err)
	require.Zero(t, n%3, "half a batch")
	for number := range last + 1 {
		for _, want := range batch(number) {
			got, err := s.Get(t.Context(), want.ID)
			require.NoError(t, err)
			require.Len(t, got, 1, "%s was acknowledged and is lost", want.ID)
			require.Equal(t, want.Content, got[0].Content)
			require.JSONEq(t, string(want.Data), string(got[0].Data))
		}
	}
	found, err := s.Search(t.Context(), []float32{1, 1}, n+1, nil)
	require.NoError(t, err)
	require.Len(t, found, n, "every record has its vector")
	require.NoError(t, s.Close())
}
