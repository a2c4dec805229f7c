package chromem

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"

	bolt "go.etcd.io/bbolt"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// apply makes the changes in one synced transaction.
func (d *disk) apply(ctx context.Context, upsert []vectorstore.Record, remove []string) error {
	if d.doubt != nil {
		return d.doubt
	}
	number := 0 // of the transaction
	err := guarded(func() error {
		return d.db.Update(func(tx *bolt.Tx) error {
			number = tx.ID()
			if err := change(tx, upsert, remove); err != nil {
				return err
			}
			return ctx.Err()
		})
	})
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return ctx.Err()
	case d.has(number):
		// The transaction was written but the disk did not confirm it.
		d.doubt = fmt.Errorf("chromem: %s: it is not known whether an earlier write is on the disk; open the store again before writing: %w", d.path, err)
		return d.doubt
	}
	return fmt.Errorf("chromem: writing to the store: %w; nothing was changed", err)
}

// has reports whether the file shows a transaction; true if it cannot be read.
func (d *disk) has(number int) bool {
	last := number
	err := guarded(func() error {
		return d.db.View(func(tx *bolt.Tx) error { last = tx.ID(); return nil })
	})
	return err != nil || last >= number
}

// change writes the changes, in the order of the keys, so that neighbours go to
// the same page.
func change(tx *bolt.Tx, upsert []vectorstore.Record, remove []string) error {
	i, err := getInfo(tx)
	if err != nil {
		return err
	}
	for _, id := range remove {
		if id == "" || len(id) > vectorstore.MaxIDLength {
			continue // cannot exist
		}
		if err := i.remove(tx, id); err != nil {
			return err
		}
	}
	order := slices.Clone(upsert)
	slices.SortFunc(order, func(a, b vectorstore.Record) int { return strings.Compare(a.ID, b.ID) })
	for _, r := range order {
		if err := i.put(tx, r); err != nil {
			return err
		}
	}
	return putInfo(tx, i)
}

// remove removes a record and counts it.
func (i *info) remove(tx *bolt.Tx, id string) error {
	return errors.Join(
		deleteCounted(tx.Bucket(documentsBucket), id, &i.Documents),
		deleteCounted(tx.Bucket(vectorsBucket), id, &i.Vectors))
}

func deleteCounted(b *bolt.Bucket, id string, count *int) error {
	if b.Get([]byte(id)) == nil {
		return nil
	}
	*count--
	return b.Delete([]byte(id))
}

func putCounted(b *bolt.Bucket, id string, value []byte, count *int) error {
	if b.Get([]byte(id)) == nil {
		*count++
	}
	return b.Put([]byte(id), sealed([]byte(id), value))
}

// put writes a record and counts it.
func (i *info) put(tx *bolt.Tx, r vectorstore.Record) error {
	raw, err := json.Marshal(storedDocument{r.Source, r.Pointer, r.Content, r.Metadata, r.Data})
	if err != nil {
		return err
	}
	if err := putCounted(tx.Bucket(documentsBucket), r.ID, raw, &i.Documents); err != nil {
		return err
	}
	if r.Vector == nil {
		return deleteCounted(tx.Bucket(vectorsBucket), r.ID, &i.Vectors)
	}
	i.Dimensions = len(r.Vector)
	packed := make([]byte, 0, 4*len(r.Vector))
	for _, x := range r.Vector {
		packed = binary.LittleEndian.AppendUint32(packed, math.Float32bits(x))
	}
	return putCounted(tx.Bucket(vectorsBucket), r.ID, packed, &i.Vectors)
}

// storedDocument is the JSON of a document.
type storedDocument struct {
	Source   string          `json:"source,omitempty"`
	Pointer  string          `json:"pointer,omitempty"`
	Content  string          `json:"content"`
	Metadata map[string]any  `json:"metadata,omitempty"`
	Data     json.RawMessage `json:"data,omitempty"`
}

// stored is a record as it lies in the file.
type stored struct{ key, document, vector []byte }

// readBatch is how many records are decoded at a time, by all cores.
const readBatch = 4096

// each calls do for every record, in the order of their IDs. It compares what is
// there with what the description says should be.
func (d *disk) each(do func(vectorstore.Record) error) error {
	err := guarded(func() error {
		return d.db.View(func(tx *bolt.Tx) error {
			left, err := getInfo(tx)
			if err != nil {
				return err
			}
			vectors := tx.Bucket(vectorsBucket)
			batch := make([]stored, 0, readBatch)
			err = tx.Bucket(documentsBucket).ForEach(func(key, value []byte) error {
				r := stored{key, value, vectors.Get(key)}
				if left.Documents--; r.vector != nil {
					left.Vectors--
				}
				if batch = append(batch, r); len(batch) < readBatch {
					return nil
				}
				defer func() { batch = batch[:0] }()
				return decode(batch, do)
			})
			if err == nil {
				err = decode(batch, do)
			}
			if err == nil && (left.Documents != 0 || left.Vectors != 0) {
				return fmt.Errorf("it lacks %d documents and %d vectors that it should have", left.Documents, left.Vectors)
			}
			return err
		})
	})
	if err != nil {
		return d.corrupt(err)
	}
	return nil
}

// decode calls do for each record of a batch.
func decode(batch []stored, do func(vectorstore.Record) error) error {
	records := make([]vectorstore.Record, len(batch))
	errs := make([]error, runtime.GOMAXPROCS(0))
	var work sync.WaitGroup
	for worker := range errs {
		work.Go(func() {
			errs[worker] = guarded(func() (err error) {
				for i := worker; i < len(batch) && err == nil; i += len(errs) {
					records[i], err = batch[i].record()
				}
				return err
			})
		})
	}
	work.Wait()
	if err := cmp.Or(errs...); err != nil {
		return err
	}
	for _, r := range records {
		if err := do(r); err != nil {
			return err
		}
	}
	return nil
}

// record decodes a document and its vector.
func (s stored) record() (vectorstore.Record, error) {
	fail := func(err error) (vectorstore.Record, error) {
		return vectorstore.Record{}, fmt.Errorf("record %q: %w", s.key, err)
	}
	raw, err := unsealed(s.key, s.document)
	if err != nil {
		return fail(err)
	}
	var d storedDocument
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&d); err != nil {
		return fail(err)
	}
	normalize(d.Metadata)
	r := vectorstore.Record{Document: vectorstore.Document{ID: string(s.key), Source: d.Source, Pointer: d.Pointer,
		Content: d.Content, Metadata: d.Metadata, Data: d.Data}}
	if s.vector == nil {
		return r, nil
	}
	packed, err := unsealed(s.key, s.vector)
	if err != nil {
		return fail(err)
	}
	r.Vector = make([]float32, len(packed)/4)
	for i := range r.Vector {
		r.Vector[i] = math.Float32frombits(binary.LittleEndian.Uint32(packed[4*i:]))
	}
	return r, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sealed puts a checksum of key and value before the value.
func sealed(key, value []byte) []byte {
	out := binary.LittleEndian.AppendUint32(make([]byte, 0, 4+len(value)), checksum(key, value))
	return append(out, value...)
}

// unsealed checks and removes the checksum.
func unsealed(key, sealed []byte) ([]byte, error) {
	if len(sealed) < 4 || checksum(key, sealed[4:]) != binary.LittleEndian.Uint32(sealed) {
		return nil, errors.New("the checksum does not fit")
	}
	return sealed[4:], nil
}

func checksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}
