package session

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// The buckets of a file.
var (
	headsBucket     = []byte("heads")     // id → head, see packHead
	historiesBucket = []byte("histories") // id → JSON list of messages
	ownersBucket    = []byte("owners")    // '=' owner → bucket of ids
	forgetBucket    = []byte("forget")    // time, id → nothing; says what to forget next
	metaBucket      = []byte("meta")
	versionKey      = []byte("version")
)

const (
	formatVersion = "1"
	lockTimeout   = time.Second
	// batchDelay is how long a write waits for others to share an fsync with.
	batchDelay = time.Millisecond
	// forgetAtOnce bounds how many records one write forgets.
	forgetAtOnce = 100
)

// OpenFile opens a store in one file, making it if there is none; its directory
// must exist. One process can have it open: for others it is ErrLocked after a
// second. A call that writes returns when its change is on the disk; writes at
// the same time share an fsync.
func OpenFile(path string, o Options) (Store, error) {
	o = o.withDefaults()
	f := &file{now: o.Now}
	err := f.open(path)
	switch {
	case err == nil:
		return NewStore(f, o), nil
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%w: %s is open in another process; stop that one, or use another file", ErrLocked, path)
	}
	if f.db != nil {
		err = errors.Join(err, f.db.Close())
	}
	return nil, fmt.Errorf("session: opening %s: %w", path, err)
}

// file is the Backend of OpenFile.
type file struct {
	db  *bolt.DB
	now func() time.Time
}

func (f *file) open(path string) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // a file that was cut short
	defer func() {
		if recover() != nil {
			err = errors.New("the file is damaged; restore it from a copy, or move it away")
		}
	}()
	_, missing := os.Stat(path)
	if f.db, err = bolt.Open(path, 0o600, &bolt.Options{Timeout: lockTimeout, FreelistType: bolt.FreelistMapType}); err != nil {
		return err
	}
	if errors.Is(missing, fs.ErrNotExist) {
		syncDirectory(filepath.Dir(path))
	}
	f.db.MaxBatchDelay = batchDelay
	return f.db.Update(func(tx *bolt.Tx) error {
		if tx.Bucket(metaBucket) == nil {
			if name, _ := tx.Cursor().First(); name != nil {
				return errors.New("it is the file of another program")
			}
		}
		for _, name := range [][]byte{headsBucket, historiesBucket, ownersBucket, forgetBucket, metaBucket} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		meta := tx.Bucket(metaBucket)
		switch version := string(meta.Get(versionKey)); version {
		case "":
			return meta.Put(versionKey, []byte(formatVersion))
		case formatVersion:
			return nil
		default:
			return fmt.Errorf("it has format %s, this program knows %s", strconv.Quote(version), formatVersion)
		}
	})
}

// syncDirectory makes the name of a new file as durable as the file. Not every
// system can do it, and those that cannot do not need it.
func syncDirectory(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

// write runs a change in a transaction that it may share with others. The change
// may run twice; its error is returned as it is.
func (f *file) write(ctx context.Context, change func(*bolt.Tx) error) error {
	var refused error
	err := f.db.Batch(func(tx *bolt.Tx) error {
		refused = nil
		if err := ctx.Err(); err != nil { // it waited for its turn
			return err
		}
		if err := forgetSome(tx, f.now()); err != nil {
			return err
		}
		refused = change(tx)
		return refused
	})
	if refused != nil {
		return refused
	}
	return inFile(err)
}

// inFile says where an error comes from that bbolt made.
func inFile(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, bolterrors.ErrDatabaseNotOpen):
		return ErrClosed
	}
	return fmt.Errorf("session: %w", err)
}

func (f *file) Create(ctx context.Context, r Record, most int) error {
	return f.write(ctx, func(tx *bolt.Tx) error {
		owner, err := tx.Bucket(ownersBucket).CreateBucketIfNotExists(ownerKey(r.Owner))
		if err != nil {
			return err
		}
		n := 0
		c := owner.Cursor()
		for id, _ := c.First(); id != nil; id, _ = c.Next() { // a counter in the file could go wrong
			if n++; n >= most {
				return ErrTooManySessions
			}
		}
		if err := owner.Put([]byte(r.ID), nil); err != nil {
			return err
		}
		return put(tx, r)
	})
}

func (f *file) Load(_ context.Context, ids ...string) ([]Record, error) {
	found := make([]Record, 0, len(ids))
	err := f.db.View(func(tx *bolt.Tx) error {
		for _, id := range ids {
			if r, ok := get(tx, id); ok {
				found = append(found, r)
			}
		}
		return nil
	})
	return found, inFile(err)
}

func (f *file) Update(ctx context.Context, id string, change func(Record) (Record, error)) error {
	return f.write(ctx, func(tx *bolt.Tx) error {
		before, ok := get(tx, id)
		if !ok {
			return ErrNotFound
		}
		after, err := change(before)
		if err != nil {
			return err
		}
		if !after.Forget.Equal(before.Forget) {
			if err := tx.Bucket(forgetBucket).Delete(forgetKey(before.Forget, id)); err != nil {
				return err
			}
		}
		return put(tx, after)
	})
}

func (f *file) Delete(ctx context.Context, id string) error {
	return f.write(ctx, func(tx *bolt.Tx) error {
		r, ok := get(tx, id)
		if !ok {
			return ErrNotFound
		}
		return remove(tx, r)
	})
}

func (f *file) Heads(_ context.Context, owner string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		err := f.db.View(func(tx *bolt.Tx) error {
			heads := tx.Bucket(headsBucket)
			ids := heads
			if owner != "" {
				ids = tx.Bucket(ownersBucket).Bucket(ownerKey(owner))
			}
			if ids == nil {
				return nil
			}
			c := ids.Cursor()
			for id, _ := c.First(); id != nil; id, _ = c.Next() {
				if value := heads.Get(id); value != nil && !yield(unpackHead(string(id), value), nil) {
					return nil
				}
			}
			return nil
		})
		if err != nil { // it has not begun
			yield(Record{}, inFile(err))
		}
	}
}

func (f *file) Close() error { return inFile(f.db.Close()) }

func get(tx *bolt.Tx, id string) (Record, bool) {
	value := tx.Bucket(headsBucket).Get([]byte(id))
	if value == nil {
		return Record{}, false
	}
	r := unpackHead(id, value)
	r.History = append([]byte{}, tx.Bucket(historiesBucket).Get([]byte(id))...) // bbolt's bytes end with the transaction
	return r, true
}

func put(tx *bolt.Tx, r Record) error {
	if err := tx.Bucket(headsBucket).Put([]byte(r.ID), packHead(r)); err != nil {
		return err
	}
	if err := tx.Bucket(historiesBucket).Put([]byte(r.ID), r.History); err != nil {
		return err
	}
	return tx.Bucket(forgetBucket).Put(forgetKey(r.Forget, r.ID), nil)
}

func remove(tx *bolt.Tx, r Record) error {
	id := []byte(r.ID)
	for _, name := range [][]byte{headsBucket, historiesBucket} {
		if err := tx.Bucket(name).Delete(id); err != nil {
			return err
		}
	}
	if err := tx.Bucket(forgetBucket).Delete(forgetKey(r.Forget, r.ID)); err != nil {
		return err
	}
	owners := tx.Bucket(ownersBucket)
	owner := owners.Bucket(ownerKey(r.Owner))
	if owner == nil {
		return nil
	}
	if err := owner.Delete(id); err != nil {
		return err
	}
	if first, _ := owner.Cursor().First(); first != nil {
		return nil
	}
	return owners.DeleteBucket(ownerKey(r.Owner))
}

// forgetSome removes records whose time has come.
func forgetSome(tx *bolt.Tx, now time.Time) error {
	due := tx.Bucket(forgetBucket)
	for range forgetAtOnce {
		key, _ := due.Cursor().First()
		if key == nil || len(key) > 8 && string(key[:8]) > string(forgetKey(now, "")) {
			return nil
		}
		r, ok := Record{}, false
		if len(key) > 8 {
			r, ok = get(tx, string(key[8:]))
		}
		if ok && !now.Before(r.Forget) {
			if err := remove(tx, r); err != nil {
				return err
			}
		}
		if err := due.Delete(key); err != nil { // also one that its record does not know
			return err
		}
	}
	return nil
}

func ownerKey(owner string) []byte { return []byte("=" + owner) } // bbolt has no empty names

// forgetKey sorts by time.
func forgetKey(t time.Time, id string) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(max(t.UnixMicro(), 0))), id...)
}

// packHead is the time to forget, the length of the owner, the owner, the JSON.
// The owner stands apart so that a damaged session still has one.
func packHead(r Record) []byte {
	b := forgetKey(r.Forget, "")
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.Owner)))
	return append(append(b, r.Owner...), r.Head...)
}

// unpackHead copies a value. Of one that is damaged it makes a record that cannot
// be decoded.
func unpackHead(id string, value []byte) Record {
	const fixed = 8 + 2
	if len(value) < fixed || len(value) < fixed+int(binary.BigEndian.Uint16(value[8:])) {
		return Record{ID: id, Forget: never}
	}
	end := fixed + int(binary.BigEndian.Uint16(value[8:]))
	return Record{ID: id, Owner: string(value[fixed:end]), Forget: time.UnixMicro(int64(binary.BigEndian.Uint64(value))).UTC(),
		Head: append([]byte{}, value[end:]...)}
}

var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
