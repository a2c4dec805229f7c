package chromem

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
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
	dimensions int // of the vectors in the file; 0: none yet
}

var (
	documentsBucket = []byte("documents") // id → checksum, JSON
	vectorsBucket   = []byte("vectors")   // id → checksum, float32s
	metaBucket      = []byte("meta")      // "info" → JSON of info
	infoKey         = []byte("info")
)

// info describes the file.
type info struct {
	Version    int    `json:"version"`
	Embedder   string `json:"embedder"`
	Dimensions int    `json:"dimensions"`
}

const (
	formatVersion = 1
	lockTimeout   = time.Second
)

var collectionName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$`)

// openDisk opens and locks the file.
func openDisk(cfg Config) (*disk, error) {
	if !collectionName.MatchString(cfg.Collection) {
		return nil, fmt.Errorf("%w: collection %q: use 1 to 100 letters, digits, '_', '-' and '.'", vectorstore.ErrInvalid, cfg.Collection)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("chromem: making the data directory: %w", err)
	}
	d := &disk{path: filepath.Join(cfg.Dir, cfg.Collection+".db")}
	err := guarded(func() (err error) {
		d.db, err = bolt.Open(d.path, 0o600, &bolt.Options{Timeout: lockTimeout, FreelistType: bolt.FreelistMapType})
		return err
	})
	switch {
	case err == nil:
		return d, nil
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%w: %s is open in another process; stop that one, or use another directory", vectorstore.ErrLocked, d.path)
	case errors.As(err, new(*fs.PathError)):
		return nil, fmt.Errorf("chromem: opening the store: %w", err)
	}
	return nil, d.corrupt(err)
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

// prepare makes the buckets of a new file, and checks those of an existing one
// against the configuration. It returns how many vectors it dropped for
// Config.Reembed.
func (d *disk) prepare(cfg Config) (dropped int, err error) {
	var ours error // an error that is not the file's
	err = guarded(func() error {
		return d.db.Update(func(tx *bolt.Tx) error {
			for _, name := range [][]byte{documentsBucket, vectorsBucket, metaBucket} {
				if _, err := tx.CreateBucketIfNotExists(name); err != nil {
					return err
				}
			}
			dropped, ours = d.checkInfo(tx, cfg)
			return ours
		})
	})
	switch {
	case ours != nil:
		return 0, ours
	case err != nil:
		return 0, d.corrupt(err)
	}
	return dropped, nil
}

// checkInfo compares the recorded embedder with the configured one.
func (d *disk) checkInfo(tx *bolt.Tx, cfg Config) (dropped int, err error) {
	stored := info{Version: formatVersion}
	if raw := tx.Bucket(metaBucket).Get(infoKey); raw != nil {
		if err := json.Unmarshal(raw, &stored); err != nil {
			return 0, d.corrupt(fmt.Errorf("its description is unreadable"))
		}
	}
	if stored.Version != formatVersion {
		return 0, fmt.Errorf("chromem: %s has format %d, this version reads %d; export with the version that wrote it", d.path, stored.Version, formatVersion)
	}
	other := cfg.Embedder != "" && stored.Embedder != "" && cfg.Embedder != stored.Embedder ||
		cfg.Dimensions != 0 && stored.Dimensions != 0 && cfg.Dimensions != stored.Dimensions
	if other && !cfg.Reembed {
		return 0, fmt.Errorf("%w: %s has vectors of %q with %d dimensions, the configuration says %q with %d; go back to that embedder, or re-embed the documents (Config.Reembed)",
			vectorstore.ErrEmbedder, d.path, stored.Embedder, stored.Dimensions, cfg.Embedder, cfg.Dimensions)
	}
	if other {
		dropped = tx.Bucket(vectorsBucket).Stats().KeyN
		if err := tx.DeleteBucket(vectorsBucket); err != nil {
			return 0, err
		}
		if _, err := tx.CreateBucket(vectorsBucket); err != nil {
			return 0, err
		}
		stored.Embedder, stored.Dimensions = "", 0
	}
	if stored.Embedder == "" {
		stored.Embedder = cfg.Embedder
	}
	if stored.Dimensions == 0 {
		stored.Dimensions = cfg.Dimensions
	}
	d.dimensions = stored.Dimensions
	return dropped, putInfo(tx, stored)
}

func putInfo(tx *bolt.Tx, i info) error {
	raw, err := json.Marshal(i)
	if err != nil {
		return err
	}
	return tx.Bucket(metaBucket).Put(infoKey, raw)
}

// apply makes the changes in one synced transaction.
func (d *disk) apply(ctx context.Context, upsert []vectorstore.Record, remove []string) error {
	// In the order of the keys, so that neighbours go to the same page.
	order := make([]int, len(upsert))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(upsert[a].ID, upsert[b].ID) })
	err := d.db.Update(func(tx *bolt.Tx) error {
		documents, vectors := tx.Bucket(documentsBucket), tx.Bucket(vectorsBucket)
		for _, id := range remove {
			if id == "" || len(id) > vectorstore.MaxIDLength {
				continue // cannot exist
			}
			if err := errors.Join(documents.Delete([]byte(id)), vectors.Delete([]byte(id))); err != nil {
				return err
			}
		}
		for _, i := range order {
			if err := putRecord(documents, vectors, upsert[i]); err != nil {
				return err
			}
			if err := d.recordDimensions(tx, len(upsert[i].Vector)); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("chromem: writing to the store: %w", err)
	}
	return err
}

// recordDimensions notes the length of the first vector. If the transaction
// fails the note in memory is harmless: the next first vector is compared with
// the store's own.
func (d *disk) recordDimensions(tx *bolt.Tx, n int) error {
	if n == 0 || d.dimensions == n {
		return nil
	}
	var stored info
	if err := json.Unmarshal(tx.Bucket(metaBucket).Get(infoKey), &stored); err != nil {
		return err
	}
	stored.Dimensions, d.dimensions = n, n
	return putInfo(tx, stored)
}

// storedDocument is the JSON of a document.
type storedDocument struct {
	Source   string          `json:"source,omitempty"`
	Pointer  string          `json:"pointer,omitempty"`
	Content  string          `json:"content"`
	Metadata map[string]any  `json:"metadata,omitempty"`
	Data     json.RawMessage `json:"data,omitempty"`
}

func putRecord(documents, vectors *bolt.Bucket, r vectorstore.Record) error {
	raw, err := json.Marshal(storedDocument{r.Source, r.Pointer, r.Content, r.Metadata, r.Data})
	if err != nil {
		return err
	}
	key := []byte(r.ID)
	if err := documents.Put(key, sealed(raw)); err != nil {
		return err
	}
	if r.Vector == nil {
		return vectors.Delete(key)
	}
	packed := make([]byte, 0, 4*len(r.Vector))
	for _, x := range r.Vector {
		packed = binary.LittleEndian.AppendUint32(packed, math.Float32bits(x))
	}
	return vectors.Put(key, sealed(packed))
}

// each calls do for every record.
func (d *disk) each(do func(vectorstore.Record) error) error {
	err := guarded(func() error {
		return d.db.View(func(tx *bolt.Tx) error {
			vectors := tx.Bucket(vectorsBucket)
			return tx.Bucket(documentsBucket).ForEach(func(key, value []byte) error {
				r, err := record(key, value, vectors.Get(key))
				if err != nil {
					return fmt.Errorf("record %q: %w", key, err)
				}
				return do(r)
			})
		})
	})
	if err != nil && !errors.Is(err, vectorstore.ErrCorrupt) {
		return d.corrupt(err)
	}
	return err
}

// record decodes a document and its vector.
func record(key, value, packed []byte) (vectorstore.Record, error) {
	raw, err := unsealed(value)
	if err != nil {
		return vectorstore.Record{}, err
	}
	var stored storedDocument
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&stored); err != nil {
		return vectorstore.Record{}, err
	}
	normalize(stored.Metadata)
	r := vectorstore.Record{Document: vectorstore.Document{ID: string(key), Source: stored.Source, Pointer: stored.Pointer,
		Content: stored.Content, Metadata: stored.Metadata, Data: stored.Data}}
	if packed == nil {
		return r, nil
	}
	if packed, err = unsealed(packed); err != nil {
		return vectorstore.Record{}, err
	}
	r.Vector = make([]float32, len(packed)/4)
	for i := range r.Vector {
		r.Vector[i] = math.Float32frombits(binary.LittleEndian.Uint32(packed[4*i:]))
	}
	return r, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sealed puts a checksum before a value.
func sealed(value []byte) []byte {
	out := binary.LittleEndian.AppendUint32(make([]byte, 0, 4+len(value)), crc32.Checksum(value, castagnoli))
	return append(out, value...)
}

// unsealed checks and removes the checksum.
func unsealed(value []byte) ([]byte, error) {
	if len(value) < 4 || crc32.Checksum(value[4:], castagnoli) != binary.LittleEndian.Uint32(value) {
		return nil, errors.New("the checksum does not fit")
	}
	return value[4:], nil
}

func (d *disk) close() error { return d.db.Close() }
