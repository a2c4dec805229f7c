package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// writeCertificate makes a certificate of 127.0.0.1 with a serial number.
func writeCertificate(t *testing.T, dir string, serial int64) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600))
	return cert, key
}

func TestHTTPS(t *testing.T) {
	cert, key := writeCertificate(t, t.TempDir(), 1)
	s := start(t, t.TempDir(), "TLS_CERT_FILE="+cert, "TLS_KEY_FILE="+key)
	require.Contains(t, s.url, "https://")
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	resp, err := client.Get(s.url + "/health")
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, 200, resp.StatusCode)
	require.NotEmpty(t, resp.Header.Get("Strict-Transport-Security"))
	require.Equal(t, int64(1), resp.TLS.PeerCertificates[0].SerialNumber.Int64())
}

func TestCertificatesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir, 1)
	f := &certificateFiles{cert: cert, key: key}
	serial := func() int64 {
		f.looked = time.Time{}
		c, err := f.get(nil)
		require.NoError(t, err)
		return c.Leaf.SerialNumber.Int64()
	}
	require.Equal(t, int64(1), serial())
	writeCertificate(t, dir, 2)
	later := time.Now().Add(time.Minute)
	require.NoError(t, os.Chtimes(cert, later, later))
	require.Equal(t, int64(2), serial())
	require.NoError(t, os.WriteFile(key, []byte("half"), 0o600))
	require.NoError(t, os.Chtimes(key, later.Add(time.Minute), later.Add(time.Minute)))
	require.Equal(t, int64(2), serial(), "the old one counts")
}

func TestMetrics(t *testing.T) {
	key := "api-key-" + strings.Repeat("k3Y", 14)
	s := start(t, t.TempDir(), "REQUIRE_AUTH=true", "API_KEYS="+key, "SECRET_KEY="+strings.Repeat("5ecret", 8))
	s.post(t, "/search", `{"query": "x"}`)
	get := func(key string) (int, string) {
		r, err := http.NewRequest("GET", s.url+"/metrics", nil)
		require.NoError(t, err)
		r.Header.Set("X-API-Key", key)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(body)
	}
	status, _ := get("")
	require.Equal(t, 401, status)
	status, body := get(key)
	require.Equal(t, 200, status)
	require.Contains(t, body, `http_requests_total{code="401",method="POST",route=""} 1`)
	require.Contains(t, body, "assistant_documents 18")
	require.NotContains(t, body, key)
}

// TestReadyWhileDraining: /ready says so before the server stops accepting, and
// requests are answered meanwhile.
func TestReadyWhileDraining(t *testing.T) {
	s := start(t, t.TempDir(), "DRAIN_DELAY_SECONDS=1")
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	require.Eventually(t, func() bool {
		resp, err := http.Get(s.url + "/ready")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusServiceUnavailable
	}, 10*time.Second, 5*time.Millisecond)
	status, _ := s.post(t, "/search", `{"query": "orders"}`)
	require.Equal(t, 200, status)
	require.NoError(t, <-stopped)
}

func TestProductionSettings(t *testing.T) {
	for _, test := range []struct {
		environ []string
		names   string
	}{
		{[]string{"TLS_CERT_FILE=x"}, "TLS_KEY_FILE"},
		{[]string{"TLS_CERT_FILE=no", "TLS_KEY_FILE=no"}, "TLS_CERT_FILE"},
		{[]string{"TLS_DOMAINS=a.example", "TLS_CERT_FILE=x", "TLS_KEY_FILE=x"}, "TLS_DOMAINS"},
		{[]string{"REDIS_URL=http://:s3cret-password@host"}, "REDIS_URL"},
		{[]string{"DRAIN_DELAY_SECONDS=900"}, "DRAIN_DELAY_SECONDS"},
	} {
		err := run(t.Context(), append([]string{"CHROMA_PERSIST_DIR=" + t.TempDir()}, test.environ...), "no.env", &output{}, &output{})
		require.ErrorContains(t, err, test.names)
		require.NotContains(t, err.Error(), "s3cret-password")
	}
}
