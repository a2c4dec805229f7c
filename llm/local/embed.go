package local

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/api-assistant/api-assistant/llm/local/internal/bert"
)

const (
	// fullGroup is how many tokens a worker computes at a time, unless a single
	// text has more: enough to read the weights seldom, few enough for the
	// processor's cache.
	fullGroup = 128
	// smallGroup is how many at least, where a call has little for all workers.
	smallGroup = 32
	// tokenizeAtOnce is the number of texts that a worker tokenizes at a time.
	tokenizeAtOnce = 16
)

// space is the memory of a worker.
type space struct{ bert bert.Space }

// Embed implements llm.Embedder. Texts are cut off at MaxTokens. Cancelling ctx
// stops the work within a layer of the network.
func (m *Model) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	ids := make([][]int32, len(texts))
	chunks := (len(texts) + tokenizeAtOnce - 1) / tokenizeAtOnce
	err := m.each(ctx, chunks, func(c int, _ *space) error {
		for i := c * tokenizeAtOnce; i < min(len(texts), (c+1)*tokenizeAtOnce); i++ {
			ids[i] = m.Tokens(texts[i])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	dimensions := m.Dimensions()
	values := make([]float32, len(texts)*dimensions)
	vectors := make([][]float32, len(texts))
	for i := range vectors {
		vectors[i] = values[i*dimensions : (i+1)*dimensions : (i+1)*dimensions]
	}
	groups := group(ids, cap(m.spaces))
	err = m.each(ctx, len(groups), func(g int, s *space) error {
		members := groups[g]
		in, out := make([][]int32, len(members)), make([][]float32, len(members))
		for i, text := range members {
			in[i], out[i] = ids[text], vectors[text]
		}
		if err := m.network.embed(ctx, s, in, out); err != nil {
			return err
		}
		for i, v := range out {
			if err := unit(v); err != nil {
				return fmt.Errorf("local: text %d: %w", members[i], err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return vectors, nil
}

// group shares out texts: each group has about as many tokens as a worker takes
// at a time. Tokens are not padded, so texts of different lengths go together.
// The longest come first, so that the workers end at about the same time.
func group(ids [][]int32, workers int) [][]int {
	order := make([]int, len(ids))
	total := 0
	for i := range order {
		order[i] = i
		total += len(ids[i])
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(ids[b]), len(ids[a])) })
	full := min(max(total/workers, smallGroup), fullGroup)
	var groups [][]int
	for start, tokens, i := 0, 0, 0; i < len(order); i++ {
		tokens += len(ids[order[i]])
		if i+1 == len(order) || tokens+len(ids[order[i+1]]) > full {
			groups = append(groups, order[start:i+1])
			start, tokens = i+1, 0
		}
	}
	return groups
}

// each calls do for 0 to n-1 on the workers that are free, and waits. After the
// first error, or when ctx is cancelled, no more calls are made.
func (m *Model) each(ctx context.Context, n int, do func(i int, s *space) error) error {
	var (
		next    atomic.Int64
		once    sync.Once
		failure error
		wait    sync.WaitGroup
	)
	fail := func(err error) {
		once.Do(func() { failure = err })
		next.Store(int64(n))
	}
	work := func() {
		var s *space
		select {
		case <-ctx.Done():
			fail(ctx.Err())
			return
		case s = <-m.spaces:
		}
		defer func() { m.spaces <- s }()
		for {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			err := ctx.Err()
			if err == nil {
				err = do(i, s)
			}
			if err != nil {
				fail(err)
				return
			}
		}
	}
	for range min(cap(m.spaces), n) - 1 {
		wait.Go(work)
	}
	if n > 0 {
		work()
	}
	wait.Wait()
	if failure != nil {
		return failure
	}
	return ctx.Err()
}
