package weights

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

const (
	maxHeader  = 16 << 20 // bytes
	maxTensors = 100_000
)

var safetensorsKinds = map[string]kind{"F32": float32s, "F64": float64s, "F16": float16s, "BF16": bfloat16s, "I32": int32s, "I64": int64s}

// Safetensors reads the header of a safetensors file of the given size. The file
// must stay open for Set.Read.
func Safetensors(file io.ReaderAt, size int64) (*Set, error) {
	var length [8]byte
	if n, err := file.ReadAt(length[:], 0); n < len(length) {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("the length of the header: %w", err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader || int64(n) > size-8 {
		return nil, fmt.Errorf("the header says it has %d bytes; the file has %d, and %d are allowed", n, size, maxHeader)
	}
	text := make([]byte, n)
	if got, err := file.ReadAt(text, 8); got < len(text) {
		return nil, fmt.Errorf("the header: %w", err)
	}
	var header map[string]json.RawMessage
	if err := json.Unmarshal(text, &header); err != nil {
		return nil, fmt.Errorf("the header: %w", err)
	}
	if len(header) > maxTensors {
		return nil, fmt.Errorf("%d tensors; %d are allowed", len(header), maxTensors)
	}
	set := &Set{file: file, tensors: make(map[string]tensor, len(header))}
	start := 8 + int64(n)
	for name, raw := range header {
		if name == "__metadata__" {
			continue
		}
		t, err := readEntry(raw, start, size)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		set.tensors[name] = t
	}
	return set, nil
}

// readEntry reads one entry of the header; start is where the data begins.
func readEntry(raw json.RawMessage, start, size int64) (tensor, error) {
	var e struct {
		Type    string  `json:"dtype"`
		Shape   []int   `json:"shape"`
		Offsets []int64 `json:"data_offsets"`
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return tensor{}, err
	}
	if len(e.Offsets) != 2 || e.Offsets[0] < 0 || e.Offsets[1] < e.Offsets[0] {
		return tensor{}, fmt.Errorf("the offsets %v are no range", e.Offsets)
	}
	t := tensor{kind: safetensorsKinds[e.Type], shape: e.Shape, offset: start + e.Offsets[0], bytes: e.Offsets[1] - e.Offsets[0]}
	if e.Offsets[1] > size-start {
		return tensor{}, fmt.Errorf("it ends at byte %d of the data, which has %d: the file is cut off", e.Offsets[1], size-start)
	}
	n, err := count(e.Shape)
	if err != nil {
		return tensor{}, err
	}
	if w := width[t.kind]; w != 0 && n*w != t.bytes {
		return tensor{}, fmt.Errorf("%d values of type %s take %d bytes, not %d", n, e.Type, n*w, t.bytes)
	}
	return t, nil
}
