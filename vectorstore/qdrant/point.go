package qdrant

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"unicode/utf8"

	qc "github.com/qdrant/go-client/qdrant"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// The payload of a point.
const (
	keyID       = "id"
	keySource   = "source"
	keyPointer  = "pointer"
	keyContent  = "content"
	keyMetadata = "metadata" // JSON text: what comes back
	keyData     = "data"     // JSON text
	keyTerms    = "terms"    // what equality filters ask for; see term
	keyNumbers  = "numbers"  // the numbers among the metadata, for ranges
	keyState    = "state"    // statePending, or missing
	keyBatch    = "batch"    // which call wrote the point
)

// statePending says that there is no vector yet.
const statePending = "pending"

// What is read of a payload.
var (
	withID      = qc.NewWithPayloadInclude(keyID)
	withoutData = qc.NewWithPayloadInclude(keyID, keySource, keyPointer, keyContent, keyMetadata)
	withData    = qc.NewWithPayloadInclude(keyID, keySource, keyPointer, keyContent, keyMetadata, keyData)
)

// namespace is that of the points' ids. Changing it loses every stored document.
var namespace = [16]byte{0x6b, 0x1d, 0x6e, 0x0c, 0x52, 0x5f, 0x4c, 0x1e, 0x9b, 0x0e, 0x3d, 0x0a, 0x5a, 0x27, 0xc4, 0x81}

// pointID is the UUIDv5 of a document's id.
func pointID(id string) *qc.PointId {
	h := sha1.New()
	h.Write(namespace[:])
	h.Write([]byte(id))
	u := h.Sum(nil)[:16]
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	x := hex.EncodeToString(u)
	return qc.NewIDUUID(x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:])
}

// point makes the point of a record, which has been validated. It shares no
// memory with it that could change.
func (s *Store) point(r vectorstore.Record, batch string) (*qc.PointStruct, error) {
	if len(r.Data) > 0 && (!json.Valid(r.Data) || !utf8.Valid(r.Data)) {
		return nil, fmt.Errorf("%w: document %q: its data is not JSON", vectorstore.ErrInvalid, r.ID)
	}
	metadata, err := canonical(r.Metadata)
	if err != nil {
		return nil, fmt.Errorf("%w: document %q: %w", vectorstore.ErrInvalid, r.ID, err)
	}
	text, err := encode(metadata)
	if err != nil {
		return nil, fmt.Errorf("%w: document %q: %w", vectorstore.ErrInvalid, r.ID, err)
	}
	payload := map[string]*qc.Value{
		keyID: qc.NewValueString(r.ID), keySource: qc.NewValueString(r.Source), keyPointer: qc.NewValueString(r.Pointer),
		keyContent: qc.NewValueString(r.Content), keyMetadata: qc.NewValueString(text),
		keyTerms: terms(metadata), keyNumbers: numbers(metadata), keyBatch: qc.NewValueString(batch),
	}
	if len(r.Data) > 0 {
		payload[keyData] = qc.NewValueString(string(r.Data))
	}
	vectors := make(map[string]*qc.Vector, 2)
	if r.Vector == nil {
		payload[keyState] = qc.NewValueString(statePending)
	} else {
		vectors[dense] = qc.NewVectorDense(append([]float32(nil), r.Vector...))
	}
	if indices, values := s.documentWords(r.Document); len(indices) > 0 {
		vectors[sparse] = qc.NewVectorSparse(indices, values)
	}
	return &qc.PointStruct{Id: pointID(r.ID), Payload: payload, Vectors: qc.NewVectorsMap(vectors)}, nil
}

// document reads a payload.
func document(payload map[string]*qc.Value) (vectorstore.Document, error) {
	d := vectorstore.Document{
		ID: payload[keyID].GetStringValue(), Source: payload[keySource].GetStringValue(),
		Pointer: payload[keyPointer].GetStringValue(), Content: payload[keyContent].GetStringValue(),
	}
	if d.ID == "" {
		return d, fmt.Errorf("%w: the collection has a point that this package did not write", vectorstore.ErrCorrupt)
	}
	if data := payload[keyData].GetStringValue(); data != "" {
		d.Data = json.RawMessage(data)
	}
	var err error
	if d.Metadata, err = decode(payload[keyMetadata].GetStringValue()); err != nil {
		return d, fmt.Errorf("%w: the metadata of document %q: %w", vectorstore.ErrCorrupt, d.ID, err)
	}
	return d, nil
}

// canonical brings metadata into the form in which they come back: whole
// numbers are int64, others float64, lists []any.
func canonical(metadata map[string]any) (map[string]any, error) {
	if metadata == nil {
		return nil, nil
	}
	out := make(map[string]any, len(metadata))
	for key, v := range metadata {
		if !utf8.ValidString(key) {
			return nil, fmt.Errorf("a metadata key is not valid UTF-8")
		}
		switch list := v.(type) {
		case []any:
			elements := make([]any, len(list))
			for i, e := range list {
				elements[i] = scalar(e)
			}
			out[key] = elements
		case []string:
			elements := make([]any, len(list))
			for i, e := range list {
				elements[i] = e
			}
			out[key] = elements
		default:
			out[key] = scalar(v)
		}
	}
	return out, nil
}

// scalar makes int64 or float64 of numbers and leaves the rest alone.
func scalar(v any) any {
	switch v := v.(type) {
	case nil, string, bool, int64:
		return v
	case float64:
		return whole(v)
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, err := v.Float64()
		if err != nil {
			return v // out of range; documents with it are refused
		}
		return whole(f)
	}
	switch r := reflect.ValueOf(v); {
	case r.CanInt():
		return r.Int()
	case r.CanUint() && r.Uint() <= math.MaxInt64:
		return int64(r.Uint())
	case r.CanUint():
		return float64(r.Uint())
	case r.CanFloat():
		return whole(r.Float())
	}
	return v
}

// exact bounds the whole numbers of which a float64 can tell each from the next.
const exact = 1 << 53

func whole(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) < exact {
		return int64(f)
	}
	return f
}

// encode writes canonical metadata as JSON, without escaping for HTML.
func encode(metadata map[string]any) (string, error) {
	if metadata == nil {
		return "", nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(metadata); err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// decode is the inverse of encode.
func decode(text string) (map[string]any, error) {
	if text == "" {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var raw map[string]any
	if err := d.Decode(&raw); err != nil {
		return nil, err
	}
	return canonical(raw)
}
