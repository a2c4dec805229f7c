package bm25_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/bm25"
	"github.com/api-assistant/api-assistant/bm25/internal/corpus"
)

func ExampleRead() {
	x := bm25.New()
	x.Add(bm25.Document{ID: "list", Text: "GET /orders lists orders"})
	var file bytes.Buffer
	if _, err := x.WriteTo(&file); err != nil {
		fmt.Println(err)
		return
	}
	again, err := bm25.Read(&file)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(again.Search("orders", 10)[0].ID)
	// Output: list
}

// written returns an index with some history, and what WriteTo makes of it.
func written(t testing.TB, opts ...bm25.Option) (*bm25.Index, []byte) {
	w := corpus.NewWords(9, 300)
	x := bm25.New(opts...)
	for i := range 700 {
		x.Add(bm25.Document{ID: fmt.Sprint("d", i%600), Text: w.Text(1 + w.IntN(30)), Fields: map[string]string{"title": w.Text(2)}})
		if i%100 == 0 {
			x.Flush()
		}
	}
	x.Delete("d7", "d8", "d650", "nope")
	var b bytes.Buffer
	n, err := x.WriteTo(&b)
	require.NoError(t, err)
	require.EqualValues(t, b.Len(), n)
	return x, b.Bytes()
}

func TestWrittenAndReadIsTheSame(t *testing.T) {
	opts := []bm25.Option{bm25.WithAnalyzer(bm25.Standard()), bm25.WithFieldWeights(map[string]float64{"title": 300.5})}
	x, data := written(t, opts...)
	y, err := bm25.Read(iotest.OneByteReader(bytes.NewReader(data)), opts...)
	require.NoError(t, err)
	require.Equal(t, x.Len(), y.Len())
	same := func() {
		w := corpus.NewWords(10, 300)
		for range 40 {
			query := w.Text(1 + w.IntN(5))
			require.Equal(t, x.Search(query, 20), y.Search(query, 20), query)
		}
	}
	same()
	for _, index := range []*bm25.Index{x, y} { // both can be written to
		index.Add(bm25.Document{ID: "d3", Text: "w1x new"}, bm25.Document{ID: "new", Text: "w2x w1x"})
		index.Delete("d5")
	}
	same()
	require.Equal(t, x.Len(), y.Len())
}

func TestReadRefuses(t *testing.T) {
	_, data := written(t)
	for name, c := range map[string]struct {
		data []byte
		opts []bm25.Option
		want error
	}{
		"nothing":          {nil, nil, bm25.ErrDamaged},
		"something else":   {[]byte(strings.Repeat("no index ", 10)), nil, bm25.ErrDamaged},
		"another analyser": {data, []bm25.Option{bm25.WithAnalyzer(bm25.Standard())}, bm25.ErrMismatch},
		"other weights":    {data, []bm25.Option{bm25.WithFieldWeights(map[string]float64{"title": 2})}, bm25.ErrMismatch},
	} {
		_, err := bm25.Read(bytes.NewReader(c.data), c.opts...)
		require.ErrorIs(t, err, c.want, name)
	}
	broken := errors.New("broken disk")
	_, err := bm25.Read(io.MultiReader(bytes.NewReader(data[:100]), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)
	require.NotErrorIs(t, err, bm25.ErrDamaged)
	_, err = bm25.Read(bytes.NewReader(data), bm25.WithFieldWeights(map[string]float64{"title": 1}), bm25.WithK1(2))
	require.NoError(t, err, "the same weights by another name, another k1")
}

func TestReadNoticesEveryDamage(t *testing.T) {
	x := bm25.New()
	x.Add(bm25.Document{ID: "a", Text: "one order"}, bm25.Document{ID: "b", Text: "two orders of order"})
	var b bytes.Buffer
	_, err := x.WriteTo(&b)
	require.NoError(t, err)
	data := b.Bytes()
	for i := range data {
		_, err := bm25.Read(bytes.NewReader(data[:i]))
		require.ErrorIs(t, err, bm25.ErrDamaged, "cut off at %d", i)
		for bit := range 8 {
			damaged := bytes.Clone(data)
			damaged[i] ^= 1 << bit
			_, err := bm25.Read(bytes.NewReader(damaged))
			require.Error(t, err, "bit %d of byte %d", bit, i)
			require.True(t, errors.Is(err, bm25.ErrDamaged) || errors.Is(err, bm25.ErrMismatch), "bit %d of byte %d: %v", bit, i, err)
		}
	}
}

func TestWriteToReportsFailure(t *testing.T) {
	x, _ := written(t)
	full := errors.New("disk full")
	_, err := x.WriteTo(failing{full})
	require.ErrorIs(t, err, full)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// FuzzRead feeds Read with anything, with a checksum that fits, so that the
// content is what is tested.
func FuzzRead(f *testing.F) {
	_, data := written(f)
	f.Add(data[:len(data)-32])
	f.Add([]byte("bm25 index 1\n\x05api/1\x031=1\x01\x05order\x01\x01a\x01\x01\x00\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := bm25.Read(bytes.NewReader(bm25.WithChecksum(data)))
		if err != nil {
			require.True(t, errors.Is(err, bm25.ErrDamaged) || errors.Is(err, bm25.ErrMismatch), err)
			return
		}
		x.Search("order", 10)
		x.Add(bm25.Document{ID: "a", Text: "order"})
		require.NotEmpty(t, x.Search("order", 10))
	})
}
