// Package redissession keeps sessions in Redis, so that replicas share them:
//
//	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
//	defer client.Close()
//	store := redissession.New(client, session.Options{})
//	s, err := store.Create(ctx, session.New{Owner: "key-1"})
//
// A session is one hash, which Redis forgets when its time has come. A change
// reads it, and writes it back by a script if nobody else has written in between;
// otherwise it starts again. Two sorted sets, one of the owner and one of all,
// name the sessions there are; a name is in them before the session is, so that
// what they name may be missing, and what is there is named.
//
// No script touches two keys, so a cluster serves as well as one server. Redis
// 6.2 or later is needed.
//
// Trade-offs: what was acknowledged is as durable as the server is configured to
// be; with "appendfsync always" it is on the disk. When an answer of the server is
// lost, the call fails although its change may have been made. The set of all
// sessions is one key, which all writes that make or prolong a session touch.
package redissession

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"iter"
	mathrand "math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/api-assistant/api-assistant/assistant/session"
)

// Option configures New.
type Option func(*backend)

// WithPrefix sets what the names of all keys begin with, "session:" otherwise.
// Stores of different prefixes do not see each other.
func WithPrefix(prefix string) Option { return func(b *backend) { b.prefix = prefix } }

// New returns a store on a client, which must not be nil. It does not connect, and
// closing the store does not close the client.
func New(client redis.UniversalClient, o session.Options, options ...Option) session.Store {
	b := &backend{client: client, now: o.Now, prefix: "session:"}
	if b.now == nil {
		b.now = time.Now
	}
	for _, set := range options {
		set(b)
	}
	return session.NewStore(b, o)
}

// backend is the session.Backend of New.
type backend struct {
	client redis.UniversalClient
	now    func() time.Time
	prefix string
}

var (
	//go:embed write.lua
	writeSource string
	//go:embed name.lua
	nameSource string

	write = redis.NewScript(writeSource)
	name  = redis.NewScript(nameSource)
)

// The fields of a session's hash.
const (
	fieldVersion = "version" // another with each write
	fieldOwner   = "owner"
	fieldForget  = "forget" // microseconds since 1970
	fieldHead    = "head"
	fieldHistory = "history"
)

func (b *backend) key(id string) string { return b.prefix + "id:" + id }

func (b *backend) all() string { return b.prefix + "all" }

// owned is the set of an owner's sessions. Owners are secrets of the caller, perhaps.
func (b *backend) owned(owner string) string {
	sum := sha256.Sum256([]byte(owner))
	return b.prefix + "owner:" + hex.EncodeToString(sum[:])
}

func failed(err error) error { return fmt.Errorf("redissession: %w", err) }

func (b *backend) Create(ctx context.Context, r session.Record, most int) error {
	if err := b.name(ctx, r, most); err != nil {
		return err
	}
	_, err := b.write(ctx, r, "")
	return err
}

// name enters a session into the sets, for as long as its record lives.
func (b *backend) name(ctx context.Context, r session.Record, most int) error {
	for _, set := range []struct {
		key  string
		most int
	}{{b.owned(r.Owner), most}, {b.all(), 0}} {
		entered, err := name.Run(ctx, b.client, []string{set.key}, r.ID, b.now().UnixMicro(), r.Forget.UnixMicro(), set.most).Int()
		if err != nil {
			return failed(err)
		}
		if entered == 0 {
			return session.ErrTooManySessions
		}
	}
	return nil
}

// expireAt is when Redis forgets a record, in milliseconds since 1970; rounded up,
// so that it forgets nothing too early.
func expireAt(r session.Record) int64 {
	return r.Forget.Add(time.Millisecond - 1).UnixMilli()
}

// write replaces the version of a record that was read, "" for none, and reports
// whether it was still there.
func (b *backend) write(ctx context.Context, r session.Record, version string) (bool, error) {
	written, err := write.Run(ctx, b.client, []string{b.key(r.ID)}, version, rand.Text(), expireAt(r), r.Forget.UnixMicro(), r.Owner,
		[]byte(r.Head), []byte(r.History)).Bool()
	if err != nil {
		return false, failed(err)
	}
	return written, nil
}

func (b *backend) Load(ctx context.Context, ids ...string) ([]session.Record, error) {
	found := make([]session.Record, 0, len(ids))
	for len(ids) > 0 {
		n := min(len(ids), pageSize)
		records, err := b.read(ctx, ids[:n], fieldHistory)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			found = append(found, r.Record)
		}
		ids = ids[n:]
	}
	return found, nil
}

// pageSize is how many sessions are asked for in one round trip.
const pageSize = 100

// versioned is a record and what it takes to replace it.
type versioned struct {
	session.Record
	version string
}

// read returns those of the sessions that are there, with further fields.
func (b *backend) read(ctx context.Context, ids []string, more ...string) ([]versioned, error) {
	fields := append([]string{fieldVersion, fieldOwner, fieldForget, fieldHead}, more...)
	answers := make([]*redis.SliceCmd, len(ids))
	_, err := b.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, id := range ids {
			answers[i] = p.HMGet(ctx, b.key(id), fields...)
		}
		return nil
	})
	if err != nil {
		return nil, failed(err)
	}
	found := make([]versioned, 0, len(ids))
	for i, answer := range answers {
		values := make([]string, len(fields))
		there := false
		for j, v := range answer.Val() {
			text, ok := v.(string)
			values[j], there = text, there || ok
		}
		if there {
			found = append(found, record(ids[i], values))
		}
	}
	return found, nil
}

// record makes a record of the fields of a hash. One that lacks some cannot be
// decoded, and has not been forgotten.
func record(id string, values []string) versioned {
	r := versioned{version: values[0]}
	r.ID, r.Owner, r.Head = id, values[1], []byte(values[3])
	var forget int64
	if _, err := fmt.Sscan(values[2], &forget); err != nil {
		r.Head, forget = nil, never
	}
	r.Forget = time.UnixMicro(forget).UTC()
	if len(values) > 4 {
		r.History = []byte(values[4])
	}
	return r
}

// never is the end of the year 9999 in microseconds since 1970.
const never = 253_402_300_799_000_000

func (b *backend) Update(ctx context.Context, id string, change func(session.Record) (session.Record, error)) error {
	for attempt := 0; ; attempt++ {
		found, err := b.read(ctx, []string{id}, fieldHistory)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return session.ErrNotFound
		}
		after, err := change(found[0].Record)
		if err != nil {
			return err
		}
		if after.Forget.After(found[0].Forget) {
			if err := b.name(ctx, after, 0); err != nil {
				return err
			}
		}
		written, err := b.write(ctx, after, found[0].version)
		if err != nil || written {
			return err
		}
		if err := pause(ctx, attempt); err != nil { // another was faster
			return failed(err)
		}
	}
}

// pause waits a little before another attempt, at random, so that those who
// write to the same session do not meet again.
func pause(ctx context.Context, attempt int) error {
	longest := time.Millisecond << min(attempt, 5)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(mathrand.N(longest)):
		return nil
	}
}

func (b *backend) Delete(ctx context.Context, id string) error {
	owner, err := b.client.HGet(ctx, b.key(id), fieldOwner).Result()
	if err != nil && err != redis.Nil {
		return failed(err)
	}
	removed, err := b.client.Del(ctx, b.key(id)).Result()
	if err != nil {
		return failed(err)
	}
	if removed == 0 {
		return session.ErrNotFound
	}
	for _, set := range []string{b.owned(owner), b.all()} {
		if err := b.client.ZRem(ctx, set, id).Err(); err != nil {
			return failed(err)
		}
	}
	return nil
}

func (b *backend) Heads(ctx context.Context, owner string) iter.Seq2[session.Record, error] {
	set := b.all()
	if owner != "" {
		set = b.owned(owner)
	}
	return func(yield func(session.Record, error) bool) {
		seen := make(map[string]bool) // a scan may name one twice
		for cursor := uint64(0); ; {
			page, next, err := b.client.ZScan(ctx, set, cursor, "", pageSize).Result()
			if err != nil {
				yield(session.Record{}, failed(err))
				return
			}
			var ids []string
			for i := 0; i < len(page); i += 2 { // each is followed by its score
				if id := page[i]; !seen[id] {
					seen[id] = true
					ids = append(ids, id)
				}
			}
			records, err := b.read(ctx, ids)
			if err != nil {
				yield(session.Record{}, err)
				return
			}
			for _, r := range records {
				if !yield(r.Record, nil) {
					return
				}
			}
			if cursor = next; cursor == 0 {
				return
			}
		}
	}
}

// Close does nothing: the client is the caller's.
func (b *backend) Close() error { return nil }
