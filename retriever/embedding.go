package retriever

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// embedBatch is how many texts go to the embedder in one call: large enough to
// keep a model busy, small enough that one failure costs little.
const embedBatch = 64

// embed makes records of documents. Documents whose embedding fails keep a nil
// vector and are reported as pending.
func (c *Corpus) embed(ctx context.Context, docs []vectorstore.Document) (records []vectorstore.Record, pending bool) {
	records = make([]vectorstore.Record, len(docs))
	for i, d := range docs {
		records[i].Document = d
	}
	if c.embedder == nil {
		return records, false
	}
	for start := 0; start < len(docs); start += embedBatch {
		batch := records[start:min(start+embedBatch, len(records))]
		vectors, err := c.embedder.Embed(ctx, contents(batch))
		if err != nil {
			c.log.WarnContext(ctx, "embedding failed; the documents are found by words and are embedded later",
				"documents", len(records)-start, "error", err)
			return records, true
		}
		for i, v := range vectors {
			batch[i].Vector = v
		}
	}
	return records, false
}

func contents(records []vectorstore.Record) []string {
	out := make([]string, len(records))
	for i, r := range records {
		out[i] = r.Content
	}
	return out
}

// EmbedPending embeds the documents that wait for a vector, and returns how
// many were done. It stops at the first error.
func (c *Corpus) EmbedPending(ctx context.Context) (int, error) {
	p, ok := c.store.(vectorstore.Pender)
	if !ok || c.embedder == nil {
		return 0, nil
	}
	done := 0
	for {
		var batch []vectorstore.Record
		for d, err := range p.Pending(ctx) {
			if err != nil {
				return done, err
			}
			if batch = append(batch, vectorstore.Record{Document: d}); len(batch) == embedBatch {
				break
			}
		}
		if len(batch) == 0 {
			return done, nil
		}
		n, err := c.fill(ctx, batch)
		done += n
		if err != nil {
			return done, err
		}
	}
}

// fill embeds a batch outside of the write lock, and stores the vectors of
// those documents that are still as they were.
func (c *Corpus) fill(ctx context.Context, batch []vectorstore.Record) (int, error) {
	vectors, err := c.embedder.Embed(ctx, contents(batch))
	if err != nil {
		return 0, err
	}
	c.write.Lock()
	defer c.write.Unlock()
	ids := make([]string, len(batch))
	byID := make(map[string]int, len(batch))
	for i, r := range batch {
		ids[i], byID[r.ID] = r.ID, i
	}
	now, err := c.store.Get(ctx, ids...)
	if err != nil {
		return 0, err
	}
	var filled []vectorstore.Record
	for _, d := range now {
		if i := byID[d.ID]; d.Content == batch[i].Content {
			filled = append(filled, vectorstore.Record{Document: d, Vector: vectors[i]})
		}
	}
	if err := c.store.Upsert(ctx, filled...); err != nil {
		return 0, err
	}
	c.generation.Add(1)
	return len(filled), nil
}

// filler embeds pending documents in the background, with a pause that grows
// while the embedder fails.
type filler struct {
	mu      sync.Mutex
	cancel  context.CancelFunc
	done    chan struct{}
	stopped bool
}

const (
	firstFillPause = 2 * time.Second
	lastFillPause  = 5 * time.Minute
)

// start begins filling, unless it is under way or the corpus is closed.
func (f *filler) start(c *Corpus) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped || f.cancel != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel, f.done = cancel, make(chan struct{})
	go f.run(ctx, c, f.done)
}

func (f *filler) run(ctx context.Context, c *Corpus, done chan struct{}) {
	defer close(done)
	for pause := firstFillPause; ; pause = min(pause*2, lastFillPause) {
		jitter := time.Duration(rand.Int64N(int64(pause) / 2))
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause + jitter):
		}
		if f.try(ctx, c) {
			return
		}
	}
}

// try makes one round, and reports whether nothing is left to do. Deciding so
// and forgetting the goroutine is one step, so that a write in between starts a
// new one.
func (f *filler) try(ctx context.Context, c *Corpus) bool {
	n, err := c.EmbedPending(ctx)
	if err != nil {
		c.log.WarnContext(ctx, "embedding of waiting documents failed", "done", n, "error", err)
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if left, err := c.Pending(ctx); err != nil || left > 0 {
		return false
	}
	f.cancel()
	f.cancel = nil
	c.log.Info("all waiting documents are embedded", "documents", n)
	return true
}

// stop ends the background work for good and waits for it.
func (f *filler) stop() {
	f.mu.Lock()
	f.stopped = true
	cancel, done := f.cancel, f.done
	f.mu.Unlock()
	if cancel != nil {
		cancel()
		<-done
	}
}

// FillPending starts embedding, in the background, the documents that wait for
// a vector: those of an earlier run, or of another embedder. Close stops it.
func (c *Corpus) FillPending(ctx context.Context) error {
	n, err := c.Pending(ctx)
	if err == nil && n > 0 {
		c.filler.start(c)
	}
	return err
}
