package chromem

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// disk is the bbolt file of a collection. Documents and vectors are in buckets
// of their own, so that vectors can be dropped without touching documents.
type disk struct {
	path       string
	db         *bolt.DB
	dimensions int   // of the vectors in the file; 0: none yet
	doubt      error // of a write of which it is not known whether it is in the file
}

var (
	documentsBucket = []byte("documents") // id → checksum, JSON
	vectorsBucket   = []byte("vectors")   // id → checksum, float32s
	metaBucket      = []byte("meta")      // "info" → checksum, JSON of info
	infoKey         = []byte("info")
)

// info describes the file. It is written with each change, so that damage that
// loses whole records shows, too.
type info struct {
	Version    int    `json:"version"`
	Embedder   string `json:"embedder"`
	Dimensions int    `json:"dimensions"`
	Documents  int    `json:"documents"` // how many there are
	Vectors    int    `json:"vectors"`
}

const (
	formatVersion = 2
	lockTimeout   = time.Second
	// mapped is how much address space is reserved for the file, in bytes. While a
	// file outgrows it, a write waits for the snapshots under way.
	mapped = 16 << 30
	// growth is by how much a full file grows at a time, in bytes.
	growth = 1 << 20
)

var collectionName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$`)

// openDisk opens and locks the file, making it if there is none.
func openDisk(cfg Config) (*disk, error) {
	if !collectionName.MatchString(cfg.Collection) {
		return nil, fmt.Errorf("%w: collection %q: use 1 to 100 letters, digits, '_', '-' and '.'", vectorstore.ErrInvalid, cfg.Collection)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("chromem: making the data directory: %w", err)
	}
	d := &disk{path: filepath.Join(cfg.Dir, cfg.Collection+".db")}
	if _, err := os.Stat(d.path); errors.Is(err, fs.ErrNotExist) {
		if err := create(d.path, cfg); err != nil {
			return nil, fmt.Errorf("chromem: making the store: %w", err)
		}
	}
	err := guarded(func() (err error) {
		if d.db, err = openBolt(d.path); err != nil {
			return err
		}
		return checkHeads(d.path, d.db.Info().PageSize)
	})
	switch {
	case err == nil:
		return d, nil
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%w: %s is open in another process; stop that one, or use another directory", vectorstore.ErrLocked, d.path)
	case d.db != nil:
		err = errors.Join(err, d.close())
	}
	if writeFailed(err) {
		return nil, fmt.Errorf("chromem: opening the store: %w", err)
	}
	return nil, d.corrupt(err)
}

func openBolt(path string) (*bolt.DB, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: lockTimeout, FreelistType: bolt.FreelistMapType, InitialMmapSize: mapSize()})
	if err == nil {
		db.AllocSize = growth
	}
	return db, err
}

// create makes an empty file under another name, and gives it its own when it is
// complete and on the disk; if another process has been faster, that one's stays.
func create(path string, cfg Config) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := f.Close(); err != nil {
		return err
	}
	db, err := openBolt(f.Name())
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{documentsBucket, vectorsBucket, metaBucket} {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		return putInfo(tx, info{Version: formatVersion, Embedder: cfg.Embedder, Dimensions: cfg.Dimensions})
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	switch err := os.Link(f.Name(), path); {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil: // a file system without links
		if err := os.Rename(f.Name(), path); err != nil {
			return err
		}
	}
	return syncDir(filepath.Dir(path))
}

// checkHeads refuses a file of which one of the two head pages is damaged. bbolt
// would go on with the other one, which may be that of the state before the last
// write: an acknowledged write would be lost without a word.
func checkHeads(path string, pageSize int) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	const header, size = 16, 64 // of a page, and of what stands in it, with a checksum at its end
	for i := range 2 {
		var head [size]byte
		if _, err := f.ReadAt(head[:], int64(i*pageSize+header)); err != nil {
			return err
		}
		sum := fnv.New64a()
		sum.Write(head[:size-8])
		if binary.NativeEndian.Uint64(head[size-8:]) != sum.Sum64() {
			return errors.New("a head page is damaged, so that the last write may be missing (`bbolt surgery revert-meta-page` makes a file without it)")
		}
	}
	return nil
}

// mapSize is mapped where reserving address space costs nothing.
func mapSize() int {
	if strconv.IntSize < 64 || runtime.GOOS == "windows" {
		return 0
	}
	return mapped
}

// corrupt explains a damaged file.
func (d *disk) corrupt(err error) error {
	return fmt.Errorf("%w: %s: %w; restore it from a backup, or move it away to start empty and upload again", vectorstore.ErrCorrupt, d.path, err)
}

// guarded turns the panics and page faults that a damaged file causes in bbolt
// into errors.
func guarded(do func() error) (err error) {
	before := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(before)
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the file is not readable: %v", r)
		}
	}()
	return do()
}

// prepare checks the file against the configuration.
func (d *disk) prepare(cfg Config) error {
	var ours error // an error that is not the file's
	err := guarded(func() error {
		return d.db.Update(func(tx *bolt.Tx) error {
			ours = d.check(tx, cfg)
			return ours
		})
	})
	switch {
	case ours != nil:
		return ours
	case err != nil && writeFailed(err):
		return fmt.Errorf("chromem: writing to the store: %w", err)
	case err != nil:
		return d.corrupt(err)
	}
	return nil
}

// writeFailed tells a disk that does not do what it should from a file that is
// damaged.
func writeFailed(err error) bool {
	return errors.As(err, new(*fs.PathError)) || errors.As(err, new(*os.LinkError)) || errors.As(err, new(syscall.Errno))
}

// syncDir makes sure that a new file is found after a power cut.
func syncDir(path string) error {
	if runtime.GOOS == "windows" { // has no such thing
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// check compares the file with the configuration.
func (d *disk) check(tx *bolt.Tx, cfg Config) error {
	if tx.Bucket(documentsBucket) == nil || tx.Bucket(vectorsBucket) == nil || tx.Bucket(metaBucket) == nil {
		return d.corrupt(errors.New("a part of it is missing"))
	}
	stored, err := getInfo(tx)
	if err != nil {
		return d.corrupt(err)
	}
	if stored.Version != formatVersion {
		return fmt.Errorf("chromem: %s has format %d, this version reads %d; export with the version that wrote it", d.path, stored.Version, formatVersion)
	}
	other := cfg.Embedder != "" && stored.Embedder != "" && cfg.Embedder != stored.Embedder ||
		cfg.Dimensions != 0 && stored.Dimensions != 0 && cfg.Dimensions != stored.Dimensions
	if other && !cfg.Reembed {
		return fmt.Errorf("%w: %s has vectors of %q with %d dimensions, the configuration says %q with %d; go back to that embedder, or re-embed the documents (Config.Reembed)",
			vectorstore.ErrEmbedder, d.path, stored.Embedder, stored.Dimensions, cfg.Embedder, cfg.Dimensions)
	}
	if other {
		if err := tx.DeleteBucket(vectorsBucket); err != nil {
			return err
		}
		if _, err := tx.CreateBucket(vectorsBucket); err != nil {
			return err
		}
		stored.Embedder, stored.Dimensions, stored.Vectors = "", 0, 0
	}
	before := stored
	stored.Embedder = cmp.Or(stored.Embedder, cfg.Embedder)
	stored.Dimensions = cmp.Or(stored.Dimensions, cfg.Dimensions)
	d.dimensions = stored.Dimensions
	if stored == before && !other {
		return nil
	}
	return putInfo(tx, stored)
}

func putInfo(tx *bolt.Tx, i info) error {
	raw, err := json.Marshal(i)
	if err != nil {
		return err
	}
	return tx.Bucket(metaBucket).Put(infoKey, sealed(infoKey, raw))
}

func getInfo(tx *bolt.Tx) (i info, err error) {
	raw := tx.Bucket(metaBucket).Get(infoKey)
	if body, err := unsealed(infoKey, raw); err == nil {
		raw = body // format 1 had no checksum
	}
	if err := json.Unmarshal(raw, &i); err != nil {
		return info{}, errors.New("its description is unreadable")
	}
	return i, nil
}

// snapshot copies the file as it is now.
func (d *disk) snapshot(ctx context.Context, w io.Writer) error {
	to := &target{ctx: ctx, w: w}
	err := d.db.View(func(tx *bolt.Tx) error {
		_, err := tx.WriteTo(to)
		return err
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, bolterrors.ErrDatabaseNotOpen):
		return vectorstore.ErrClosed
	}
	return fmt.Errorf("chromem: writing a snapshot: %w", cmp.Or(to.err, err))
}

// target is a writer that fails when the context is cancelled. It keeps its error,
// of which bbolt passes on the text only.
type target struct {
	ctx context.Context
	w   io.Writer
	err error
}

func (t *target) Write(p []byte) (n int, err error) {
	if t.err = t.ctx.Err(); t.err == nil {
		n, t.err = t.w.Write(p)
	}
	return n, t.err
}

func (d *disk) close() error { return d.db.Close() }
