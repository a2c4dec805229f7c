package diagram

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/examples/sample"
)

// TestMermaid has the real Mermaid parse the diagrams of the sample API, of all
// operations and schemas of the development data, and of hostile names.
func TestMermaid(t *testing.T) {
	dir := os.Getenv("MERMAID_DIR")
	if dir == "" {
		t.Skip("set MERMAID_DIR to a folder in which `npm install mermaid@11 jsdom` has run")
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed")
	}
	var all []Diagram
	for _, s := range hostile {
		all = append(all, hostileDiagrams(t, s)...)
	}
	t.Logf("%d diagrams of hostile names", len(all))
	all = append(all, fileDiagrams(t, sample.BookshopName, sample.Bookshop)...)
	data := cmp.Or(os.Getenv("API_ASSISTANT_DATA"), "../../../shared/data")
	files, _ := filepath.Glob(filepath.Join(data, "specs", "*", "*"))
	for _, path := range files {
		if kind := filepath.Base(filepath.Dir(path)); kind == "openapi" || kind == "graphql" || kind == "postman" {
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			all = append(all, fileDiagrams(t, filepath.Base(path), content)...)
		}
	}
	if len(files) == 0 {
		t.Logf("the development data is not here (set API_ASSISTANT_DATA): only the sample API is drawn")
	}
	require.Empty(t, mermaid(t, dir, all))
	t.Logf("Mermaid parsed %d diagrams", len(all))
	require.NotEmpty(t, mermaid(t, dir, []Diagram{{Type: typeSequence, Code: "sequenceDiagram\n a->>b: x\n end end\n"}}), "it tells wrong diagrams")
}

// fileDiagrams draws everything that a file allows.
func fileDiagrams(t *testing.T, name string, content []byte) (out []Diagram) {
	ops := operations(t, name, content)
	schemes := make(map[string]bool)
	for i := range ops {
		out = append(out, Sequence(&ops[i]))
		for _, set := range ops[i].Security {
			for _, s := range set {
				if !schemes[s.Name] {
					out = append(out, SchemeFlow(s, []string{ops[i].Endpoint()}))
				}
				schemes[s.Name] = true
			}
		}
	}
	out = append(out, Overview(name, overview(ops)))
	if d, err := ER(string(content), nil); err == nil {
		out = append(out, d)
	} else {
		require.False(t, strings.HasSuffix(name, ".graphql"), err)
	}
	for _, d := range out {
		valid(t, d)
	}
	return out
}

// mermaid parses diagrams in one process, and returns what it said of those that
// it refused.
func mermaid(t *testing.T, dir string, all []Diagram) (refused []string) {
	t.Helper()
	var in bytes.Buffer
	for _, d := range all {
		require.NoError(t, json.NewEncoder(&in).Encode(d.Code))
	}
	cmd := exec.CommandContext(t.Context(), "node", "testdata/parse.mjs")
	cmd.Env = append(os.Environ(), "MERMAID_DIR="+dir)
	cmd.Stdin = &in
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	kinds := map[string]string{typeSequence: "sequence", typeER: "er", typeFlowchart: "flowchart-v2"}
	i := 0
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); i++ {
		var said string
		require.NoError(t, json.Unmarshal(lines.Bytes(), &said))
		if said != kinds[all[i].Type] {
			refused = append(refused, said+"\n"+all[i].Code)
		}
	}
	require.Equal(t, len(all), i, "an answer for each")
	return refused
}
