package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLoadConfig(t *testing.T) {
	dotenv := filepath.Join(t.TempDir(), ".env")
	require.NoError(t, os.WriteFile(dotenv, []byte(`
# the guide's file
DEBUG=false  # CRITICAL: Must be false in production
port=9000
CHROMA_COLLECTION_NAME=from_file
ALLOWED_EXTENSIONS=json, .YAML
REQUIRE_AUTH=yes
SOMETHING_ELSE=ignored
`), 0o600))
	c, err := loadConfig([]string{"CHROMA_COLLECTION_NAME=from_environment # wins", "load_sample=off", "LOG_LEVEL=warning", "API_KEYS="}, dotenv)
	require.NoError(t, err)
	require.False(t, c.Debug)
	require.Equal(t, 9000, c.Port)
	require.Equal(t, "from_environment", c.Collection)
	require.Equal(t, []string{"json", "yaml"}, c.AllowedExtensions)
	require.True(t, c.RequireAuth)
	require.False(t, c.LoadSample)
	require.Equal(t, "WARN", c.logLevel())
	require.Empty(t, c.APIKeys)
	require.Equal(t, 20, c.RateBurst, "the default holds where nothing is set")
}

func TestLoadConfigReportsEveryMistakeWithoutValues(t *testing.T) {
	_, err := loadConfig([]string{"PORT=s3cret", "RATE_LIMIT_BURST=0", "LOG_LEVEL=loud", "REQUIRE_AUTH=perhaps"}, "missing.env")
	require.Error(t, err)
	for _, name := range []string{"PORT", "RATE_LIMIT_BURST", "LOG_LEVEL", "REQUIRE_AUTH"} {
		require.ErrorContains(t, err, name)
	}
	require.NotContains(t, err.Error(), "s3cret")
}

func TestMalformedDotenvHidesItsContent(t *testing.T) {
	dotenv := filepath.Join(t.TempDir(), ".env")
	require.NoError(t, os.WriteFile(dotenv, []byte("API_KEYS api-key-s3cret\n"), 0o600))
	_, err := loadConfig(nil, dotenv)
	require.ErrorContains(t, err, "malformed")
	require.NotContains(t, err.Error(), "s3cret")
}
