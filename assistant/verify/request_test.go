package verify

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

func TestFoldForm(t *testing.T) {
	require.Equal(t, map[string]any{"id": "1", "users": apispec.Unknown{}, "[odd]": 2, "open[": 3},
		foldForm(map[string]any{"id": "1", "users[0][name]": "a", "users[1]": "b", "[odd]": 2, "open[": 3}))
	require.Equal(t, "text", foldForm("text"))
}
