package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/api-assistant/api-assistant/httpapi"
)

// TestNginx gives the deployment's nginx.conf to nginx itself.
func TestNginx(t *testing.T) {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("nginx is missing: apt-get install nginx-light")
	}
	conf, err := os.ReadFile("deploy/nginx.conf")
	require.NoError(t, err)
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir, 1)
	text := strings.NewReplacer("server server:8000", "server 127.0.0.1:8000", "/etc/nginx/ssl/fullchain.pem", cert,
		"/etc/nginx/ssl/privkey.pem", key, "/var/log/nginx", dir, "http2 on;", "", "listen 443 ssl;", "listen 443 ssl http2;").Replace(string(conf)) // http2 on: from nginx 1.25
	path := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(path, []byte("pid "+dir+"/pid;\n"+text), 0o600))
	out, err := exec.Command(nginx, "-t", "-p", dir, "-c", path).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is missing")
	}
	unit, err := os.ReadFile("deploy/api-assistant.service")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "api-assistant.service")
	require.NoError(t, os.WriteFile(path, bytes.ReplaceAll(unit, []byte("/usr/local/bin/api-assistant"), []byte("/bin/true")), 0o600))
	out, err := exec.Command(analyze, "verify", "--man=no", path).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NotContains(t, string(out), path+":", "a line that systemd does not know")
}

func TestDeploymentFilesAreWellFormed(t *testing.T) {
	for _, pattern := range []string{"deploy/*.yml", "deploy/*.yaml", "deploy/*.json", "deploy/.ebextensions/*"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			var v map[string]any
			if strings.HasSuffix(file, ".json") {
				require.NoError(t, json.Unmarshal(raw, &v), file)
				continue
			}
			require.NoError(t, yaml.Unmarshal(raw, &v), file)
		}
	}
}

// TestMonitoringNamesRealMetrics holds the rules and the dashboard to /metrics.
func TestMonitoringNamesRealMetrics(t *testing.T) {
	m := newMetrics()
	m.Request(httpapi.RequestEvent{Route: "GET /health", Method: "GET", Status: 200})
	families, err := m.registry.Gather()
	require.NoError(t, err)
	known := map[string]bool{"assistant_documents": true, "assistant_pending_embeddings": true} // of watch
	for _, f := range families {
		known[f.GetName()] = true
	}
	name := regexp.MustCompile(`\b(?:http|assistant|process|go)_[a-z_]+\b`)
	for _, file := range []string{"deploy/rules.yml", "deploy/grafana.json"} {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		found := name.FindAllString(string(raw), -1)
		require.NotEmpty(t, found)
		for _, n := range found {
			require.True(t, known[strings.TrimSuffix(n, "_bucket")], "%s names %s", file, n)
		}
	}
}

// TestBackupScript runs the script against a running server.
func TestBackupScript(t *testing.T) {
	dir, backups := t.TempDir(), t.TempDir()
	launch(t, dir)
	script := exec.Command("deploy/backup.sh")
	script.Env = append(os.Environ(), "SERVER="+built(t), "BACKUP_DIR="+backups, "CHROMA_PERSIST_DIR="+dir)
	out, err := script.CombinedOutput()
	require.NoError(t, err, "%s", out)
	files, err := filepath.Glob(backups + "/api-assistant-*.tar")
	require.NoError(t, err)
	require.Len(t, files, 1)
	code, printed := call(t, []string{"CHROMA_PERSIST_DIR=" + t.TempDir()}, "restore", files[0])
	require.Zero(t, code, printed)
}
