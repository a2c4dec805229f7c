package qdrant_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOnlyThisPackageBringsGRPC makes sure that who does not keep documents in
// Qdrant compiles neither gRPC nor protobuf.
func TestOnlyThisPackageBringsGRPC(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is not there")
	}
	const module = "github.com/api-assistant/api-assistant"
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Deps ","}}`, module+"/...").Output()
	require.NoError(t, err)
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		name, deps, _ := strings.Cut(line, " ")
		uses := strings.HasPrefix(name, module+"/vectorstore/qdrant") || strings.Contains(deps, module+"/vectorstore/qdrant")
		brings := strings.Contains(deps, "google.golang.org/grpc") || strings.Contains(deps, "github.com/qdrant")
		require.Equal(t, uses, brings, name)
	}
}
