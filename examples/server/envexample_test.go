package main

import (
	"os"
	"reflect"
	"testing"

	"github.com/joho/godotenv"
	"github.com/stretchr/testify/require"
)

// TestEnvExample holds .env.example to config: every variable, with its default,
// and no other.
func TestEnvExample(t *testing.T) {
	raw, err := os.ReadFile(".env.example")
	require.NoError(t, err)
	written, err := godotenv.UnmarshalBytes(raw)
	require.NoError(t, err)
	want := map[string]string{}
	for _, of := range []reflect.Type{reflect.TypeFor[config](), reflect.TypeFor[modelConfig](), reflect.TypeFor[webConfig]()} {
		for i := range of.NumField() {
			if name := of.Field(i).Tag.Get("env"); name != "" {
				want[name] = of.Field(i).Tag.Get("envDefault")
			}
		}
	}
	require.Equal(t, want, written)

	read, err := loadConfig(nil, ".env.example")
	require.NoError(t, err)
	defaults, err := loadConfig(nil, "no.env")
	require.NoError(t, err)
	require.Equal(t, defaults, read)
}
