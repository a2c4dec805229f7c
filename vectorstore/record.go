package vectorstore

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"unicode/utf8"
)

// Validate checks what every store refuses. dimensions is the length of the
// store's vectors; 0 accepts any. The error wraps ErrInvalid.
func (r Record) Validate(dimensions int) error {
	if err := validateID(r.ID); err != nil {
		return err
	}
	if !utf8.ValidString(r.Content) || !utf8.ValidString(r.Source) || !utf8.ValidString(r.Pointer) {
		return fmt.Errorf("%w: document %q: content, source and pointer must be valid UTF-8", ErrInvalid, r.ID)
	}
	for key, v := range r.Metadata {
		if err := validateValue(v); err != nil {
			return fmt.Errorf("%w: document %q: metadata %q %w", ErrInvalid, r.ID, key, err)
		}
	}
	if r.Vector == nil {
		return nil
	}
	if err := ValidateVector(r.Vector, dimensions); err != nil {
		return fmt.Errorf("document %q: %w", r.ID, err)
	}
	return nil
}

func validateID(id string) error {
	if id == "" || len(id) > MaxIDLength || !utf8.ValidString(id) {
		return fmt.Errorf("%w: an id must have 1 to %d bytes of valid UTF-8", ErrInvalid, MaxIDLength)
	}
	return nil
}

// ValidateVector checks that a vector has the given length (0 accepts any but
// the empty one), is finite and not zero. The error wraps ErrInvalid.
func ValidateVector(v []float32, dimensions int) error {
	if len(v) == 0 || dimensions > 0 && len(v) != dimensions {
		return fmt.Errorf("%w: the vector has %d dimensions, wanted %d", ErrInvalid, len(v), dimensions)
	}
	var norm float64
	for _, x := range v {
		norm += float64(x) * float64(x)
	}
	if norm == 0 || math.IsNaN(norm) || math.IsInf(norm, 0) {
		return fmt.Errorf("%w: the vector is zero or not finite", ErrInvalid)
	}
	return nil
}

// validateValue checks one metadata value.
func validateValue(v any) error {
	switch list := v.(type) {
	case []string:
		for _, s := range list {
			if err := validateScalar(s); err != nil {
				return err
			}
		}
		return nil
	case []any:
		for _, e := range list {
			if err := validateScalar(e); err != nil {
				return err
			}
		}
		return nil
	}
	return validateScalar(v)
}

func validateScalar(v any) error {
	switch v := v.(type) {
	case nil, bool:
		return nil
	case string:
		if !utf8.ValidString(v) {
			return fmt.Errorf("is not valid UTF-8")
		}
		return nil
	}
	n, ok := numberOf(v)
	if !ok {
		return fmt.Errorf("is a %T; use strings, numbers, booleans, null, or lists of them", v)
	}
	if math.IsNaN(n.f) || math.IsInf(n.f, 0) {
		return fmt.Errorf("is a number that is not finite")
	}
	return nil
}

// ValidateBatch checks the records of one call: each by itself, and that no id
// is there twice. The error wraps ErrInvalid.
func ValidateBatch(records []Record, dimensions int) error {
	seen := make(map[string]bool, len(records))
	for _, r := range records {
		if r.Vector != nil && dimensions == 0 {
			dimensions = len(r.Vector) // the first vector decides
		}
		if err := r.Validate(dimensions); err != nil {
			return err
		}
		if seen[r.ID] {
			return fmt.Errorf("%w: id %q is there twice in one call", ErrInvalid, r.ID)
		}
		seen[r.ID] = true
	}
	return nil
}

// Clone returns a document that shares no memory with d that could change.
func (d Document) Clone() Document {
	d.Metadata = maps.Clone(d.Metadata)
	for key, v := range d.Metadata {
		switch list := v.(type) {
		case []any:
			d.Metadata[key] = slices.Clone(list)
		case []string:
			d.Metadata[key] = slices.Clone(list)
		}
	}
	d.Data = bytes.Clone(d.Data)
	return d
}
