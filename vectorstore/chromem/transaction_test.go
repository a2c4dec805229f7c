package chromem

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzRecord decodes documents and vectors that pass the checksum but were not
// written by this package.
func FuzzRecord(f *testing.F) {
	f.Add("id", []byte(`{"content":"c","metadata":{"n":1,"l":["a",2.5,null]},"data":{"a":1}}`), []byte("\x00\x00\x80\x3f"))
	f.Add("", []byte(`{"metadata":{"n":1e999}}`), []byte{1})
	f.Fuzz(func(t *testing.T, id string, document, vector []byte) {
		key := []byte(id)
		s := stored{key, sealed(key, document), sealed(key, vector)}
		r, err := s.record()
		if err != nil || r.Validate(0) != nil {
			return
		}
		raw, err := json.Marshal(storedDocument{r.Source, r.Pointer, r.Content, r.Metadata, r.Data})
		require.NoError(t, err)
		again, err := stored{key, sealed(key, raw), s.vector}.record()
		require.NoError(t, err)
		require.Equal(t, r.Metadata, again.Metadata, "what was read can be written and read again")
		_, err = stored{key, sealed([]byte(id+"x"), raw), nil}.record()
		require.Error(t, err, "a record under another key")
	})
}
