package chromem

import (
	"github.com/api-assistant/api-assistant/vectorstore"
	"github.com/api-assistant/api-assistant/vectorstore/internal/flat"
)

// selecting makes a filter a restriction of a search; nil stays nil.
func selecting(f vectorstore.Filter) flat.Where[*entry] {
	if f == nil {
		return nil
	}
	return func(rows flat.Rows[*entry], mask *flat.Mask) { keep(rows, mask, f) }
}

// keep removes from the mask the rows that the filter does not match. A leaf on a
// field is asked once for each distinct value in the block instead of for each
// row; what it says is Filter.Match's word in any case.
func keep(rows flat.Rows[*entry], mask *flat.Mask, f vectorstore.Filter) {
	switch f := f.(type) {
	case nil:
	case vectorstore.And:
		for _, cheap := range []bool{true, false} { // leave fewer rows to the others
			for _, part := range f {
				if _, ok := fieldOf(part); ok == cheap && *mask != (flat.Mask{}) {
					keep(rows, mask, part)
				}
			}
		}
	case vectorstore.Or:
		var any flat.Mask
		for _, part := range f {
			rest := *mask
			rest.Subtract(&any) // what one part has matched the others need not look at
			keep(rows, &rest, part)
			any.Add(&rest)
		}
		*mask = any
	case vectorstore.Not:
		matched := *mask
		keep(rows, &matched, f.Filter)
		mask.Subtract(&matched)
	default:
		keepLeaf(rows, mask, f)
	}
}

func keepLeaf(rows flat.Rows[*entry], mask *flat.Mask, f vectorstore.Filter) {
	name, ok := fieldOf(f)
	if ok && len(rows.Items) == flat.BlockRows {
		c := rows.Remember(name, func(items []*entry) (any, bool) { c := newColumn(items, name); return c, c.present }).(*column)
		if c.values != nil || !c.present {
			c.keep(mask, f)
			return
		}
	}
	for row := range mask.Rows() {
		if !f.Match(rows.Items[row].doc) {
			mask.Clear(row)
		}
	}
}

// field names what a leaf looks at. No metadata field has the zero value's name.
type field struct {
	source bool // Document.Source
	name   string
}

// fieldOf returns the field of a leaf that looks at nothing else.
func fieldOf(f vectorstore.Filter) (field, bool) {
	switch f := f.(type) {
	case vectorstore.Eq:
		return field{name: f.Field}, true
	case vectorstore.Ne:
		return field{name: f.Field}, true
	case vectorstore.Gt:
		return field{name: f.Field}, true
	case vectorstore.Gte:
		return field{name: f.Field}, true
	case vectorstore.Lt:
		return field{name: f.Field}, true
	case vectorstore.Lte:
		return field{name: f.Field}, true
	case vectorstore.In:
		return field{name: f.Field}, true
	case vectorstore.NotIn:
		return field{name: f.Field}, true
	case vectorstore.Contains:
		return field{name: f.Field}, true
	case vectorstore.NotContains:
		return field{name: f.Field}, true
	case vectorstore.StartsWith:
		return field{name: f.Field}, true
	case vectorstore.EndsWith:
		return field{name: f.Field}, true
	case vectorstore.Regex:
		return field{name: f.Field}, true
	case vectorstore.InSource:
		return field{source: true}, true
	}
	return field{}, false
}

// column is one field of the rows of a block, by its distinct values.
type column struct {
	field   field
	present bool     // some row has the field
	values  []any    // distinct; nil if there are so many that a column does not help
	ends    []int    // rows[ends[i-1]:ends[i]] have the value i
	rows    []uint16 // those that have the field
}

// mostValues is how many distinct values a column may have.
const mostValues = flat.BlockRows / 4

func newColumn(items []*entry, name field) *column {
	c := &column{field: name}
	var (
		number = make(map[any]int) // of the distinct values
		of     = make([]int, len(items))
		counts []int
	)
	for row, e := range items {
		v, ok := name.value(e)
		if of[row] = -1; !ok {
			continue
		}
		c.present = true
		key := v
		if _, isList := v.([]any); isList {
			key = e // lists cannot be keys; each counts as a value of its own
		}
		i, known := number[key]
		if !known {
			if i = len(c.values); i == mostValues {
				return &column{field: name, present: true}
			}
			number[key] = i
			c.values, counts = append(c.values, v), append(counts, 0)
		}
		of[row] = i
		counts[i]++
	}
	c.group(of, counts)
	return c
}

// value returns the field of a document.
func (f field) value(e *entry) (any, bool) {
	if f.source {
		return e.doc.Source, true
	}
	v, ok := e.doc.Metadata[f.name]
	return v, ok
}

// group puts the rows in the order of their values.
func (c *column) group(of, counts []int) {
	next, total := make([]int, len(counts)), 0
	for i, n := range counts {
		next[i] = total
		total += n
		c.ends = append(c.ends, total)
	}
	c.rows = make([]uint16, total)
	for row, i := range of {
		if i >= 0 {
			c.rows[next[i]] = uint16(row)
			next[i]++
		}
	}
}

// keep removes from the mask the rows whose value the leaf does not match.
func (c *column) keep(mask *flat.Mask, f vectorstore.Filter) {
	var matched flat.Mask
	d := vectorstore.Document{}
	if !c.field.source {
		d.Metadata = make(map[string]any, 1)
	}
	start := 0
	for i, v := range c.values {
		if c.field.source {
			d.Source, _ = v.(string)
		} else {
			d.Metadata[c.field.name] = v
		}
		if f.Match(d) {
			for _, row := range c.rows[start:c.ends[i]] {
				matched.Set(int(row))
			}
		}
		start = c.ends[i]
	}
	mask.Intersect(&matched)
}
